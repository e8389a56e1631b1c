/* SPDX-License-Identifier: MIT
 *
 * fold.h - what a character is, and how a word is spelled: the only door to utf8proc.
 *
 * Nothing here allocates: every word is bounded by WORD_CHARS code points.
 */
#ifndef PM_TEXT_FOLD_H
#define PM_TEXT_FOLD_H

#include "common/text/analyzer.h"

enum {
    /* Code points of a word that are looked at.  NFC makes at most 1.5 code points into one
     * byte (u + two marks -> 2 bytes), so 255 bytes need at most 383; the rest is cut. */
    WORD_CHARS = 512,
    WORD_BYTES = 4 * WORD_CHARS
};

/* What a character does to words.  From CHAR_PAIR on: scripts without spaces, which are
 * read as overlapping pairs; characters of different classes never form a pair. */
typedef enum char_class {
    CHAR_OTHER,      /* separates                                                       */
    CHAR_LETTER,     /* L*                                                              */
    CHAR_DIGIT,      /* Nd: keeps a point or comma between two of them                  */
    CHAR_NUMBER,     /* Nl, No                                                          */
    CHAR_MARK,       /* M*: belongs to the character before it                          */
    CHAR_IGNORABLE,  /* not seen: soft hyphen, joiners, variation selectors, BOM, ...   */
    CHAR_APOSTROPHE, /* ' and its Unicode relatives                                     */
    CHAR_PAIR,       /* Han, Hiragana, Katakana                                         */
    CHAR_PAIR_THAI,
    CHAR_PAIR_LAO,
    CHAR_PAIR_KHMER,
    CHAR_PAIR_MYANMAR
} char_class;

static inline bool char_is_ordinary(char_class c)
{
    return c >= CHAR_LETTER && c <= CHAR_NUMBER;
}
static inline bool char_is_pair(char_class c)
{
    return c >= CHAR_PAIR;
}

char_class char_classify(uint32_t cp);
bool char_is_lower(uint32_t cp);  /* category Ll                                          */
bool char_is_upper(uint32_t cp);  /* category Lu                                          */
bool char_is_letter(uint32_t cp); /* category L*                                         */

/* Whether a reader sees `next` as one character with what stands before it (an extended grapheme
 * cluster of Unicode).  *state, 0 at the first pair of a text, carries what came before. */
bool char_joins(uint32_t before, uint32_t next, int32_t *state);

/* A word as code points. */
typedef struct fold_word {
    uint32_t cp[WORD_CHARS];
    size_t n;
} fold_word;

/* If the compatibility form of cp holds characters that separate words (1/2 in one
 * character, ligatures of several words), write it with those replaced by 0 and return
 * its length; else 0. */
enum { SPLIT_MAX = 32 };
size_t fold_split(uint32_t cp, uint32_t out[SPLIT_MAX]);

/* NFC of the word, at most TERM_MAX_BYTES; returns its bytes and sets *cut (never clears). */
size_t fold_exact(const fold_word *word, char out[TERM_MAX_BYTES], bool *cut);
/* NFKC case fold without ignorables, marks and apostrophes, recomposed, with the letters
 * that Unicode does not decompose spelled in plain ones.  `text` is valid UTF-8 of at most
 * TERM_MAX_BYTES.  fold_text(fold_text(x)) == fold_text(x). */
size_t fold_text(const char *text, size_t len, char out[TERM_MAX_BYTES], bool *cut);
/* Each character in its simple capital. */
size_t fold_capitals(const char *text, size_t len, char out[TERM_MAX_BYTES], bool *cut);

#endif
