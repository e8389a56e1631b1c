/* SPDX-License-Identifier: MIT
 *
 * tokenizer.h - text to words: where each word begins and ends, nothing about its spelling.
 *
 * Valid when zeroed (an empty text).  Never allocates, never fails, O(length of the text):
 * no look-ahead passes the end of the next character and the ignorable ones before it.
 */
#ifndef PM_TEXT_TOKENIZER_H
#define PM_TEXT_TOKENIZER_H

#include "common/text/fold.h"
#include "common/text/word_mask.h"

typedef struct tokenizer {
    const char *text;
    size_t len, at;
    size_t paired;     /* 1 + offset of a character that ended the last pair; 0: none    */
    uint64_t repaired; /* invalid UTF-8 sequences passed                                 */
    word_mask_fn *row;
    word_masks masks; /* of the 64 bytes from masks_at                                   */
    size_t masks_at;  /* a multiple of 64                                               */
    bool masked;      /* the masks are made                                             */
} tokenizer;

/* A word is text[start, end): for ordinary words with a possessive 's and inner
 * apostrophes, for dotted acronyms with their points. */
typedef struct word_span {
    size_t start, end;
    bool dotted;
} word_span;

void tokenizer_begin(tokenizer *t, const char *text, size_t len);
bool tokenizer_next(tokenizer *t, word_span *out);
/* As many words as tokenizer_next would find, n at most, and the same; fewer at the end. */
size_t tokenizer_fill(tokenizer *t, word_span *out, size_t n);

/* Facts about ASCII bytes, for the loops that must be fast. */
enum {
    BYTE_LOWER = 1,
    BYTE_UPPER = 2,
    BYTE_DIGIT = 4,
    BYTE_WORD = BYTE_LOWER | BYTE_UPPER | BYTE_DIGIT,
    BYTE_LETTER = BYTE_LOWER | BYTE_UPPER,
    BYTE_POINT = 8, /* . and ,                                                     */
    BYTE_APOSTROPHE = 16,
    BYTE_HIGH = 32 /* part of a longer character                                  */
};
extern const uint8_t byte_class[256];

#endif
