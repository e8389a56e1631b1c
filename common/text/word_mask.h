/* SPDX-License-Identifier: MIT
 *
 * word_mask.h - what each of 64 bytes is to the tokenizer, as one bit each: an ASCII letter or
 * digit, a digit, a point or comma, an apostrophe, above 127.
 *
 * The tokenizer finds words by counting zeros in such masks: no branch depends on how long a
 * word is.  A row for each level of the processor (cpu.h), all with the same result.
 */
#ifndef PM_TEXT_WORD_MASK_H
#define PM_TEXT_WORD_MASK_H

#include "common/base/bytes.h"

enum { WORD_MASK_BYTES = 64 };

/* Bit i is of byte i. */
typedef struct word_masks {
    uint64_t words, digits, points, apostrophes, high;
} word_masks;

/* Of the 64 bytes at p. */
typedef word_masks word_mask_fn(const char *p);
word_masks word_mask_portable(const char *p);
word_masks word_mask_avx2(const char *p);
word_masks word_mask_avx512(const char *p);

/* The row that this machine may use. */
word_mask_fn *word_mask_get(void);

/* Of the n bytes that there are, n != 0; bits from n on are zero. */
static inline word_masks word_mask_make(word_mask_fn *row, const char *p, size_t n)
{
    char tail[WORD_MASK_BYTES];
    if (n < WORD_MASK_BYTES) {
        memset(tail, 0, sizeof tail);
        memcpy(tail, p, n);
        p = tail;
    }
    return row(p);
}

#endif
