/* SPDX-License-Identifier: MIT
 *
 * word_mask.h - which of 64 bytes are ASCII letters or digits, and which are above 127, as one bit
 * each.
 *
 * The tokenizer finds words by counting zeros in such masks: no branch depends on how long a
 * word is.  Eight bytes at a time in a plain 64-bit word (L. Lamport, "Multiple byte processing
 * with full-word instructions", 1975), so there is one body for every machine.
 */
#ifndef PM_TEXT_WORD_MASK_H
#define PM_TEXT_WORD_MASK_H

#include "common/base/bytes.h"

enum { WORD_MASK_BYTES = 64 };

/* The highest bits of eight bytes, side by side. */
static inline uint64_t word_mask_gather(uint64_t bytes)
{
    const uint64_t highest = UINT64_C(0x8080808080808080);
    return ((bytes & highest) >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* Bit i: byte i of the number is a letter or a digit.  Adding 0x80 - c to a byte below 0x80
 * carries into its highest bit when it is c or more, and never beyond. */
static inline uint64_t word_mask_of_8(uint64_t bytes)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t low = bytes & each * 0x7f, letter = low | each * 0x20;
    uint64_t letters = (letter + each * (0x80 - 'a')) & ~(letter + each * (0x80 - 'z' - 1));
    uint64_t digits = (low + each * (0x80 - '0')) & ~(low + each * (0x80 - '9' - 1));
    return word_mask_gather((letters | digits) & ~bytes);
}

/* The same of p[0, 64), and in *high which are above 127. */
static inline uint64_t word_mask_whole(const char *p, uint64_t *high)
{
    uint64_t mask = 0, any = 0;
    *high = 0;
    for (unsigned i = 0; i < WORD_MASK_BYTES; i += 8) {
        mask |= word_mask_of_8(load_u64(p + i)) << i;
        any |= load_u64(p + i);
    }
    if (!(any & UINT64_C(0x8080808080808080))) return mask;
    for (unsigned i = 0; i < WORD_MASK_BYTES; i += 8)
        *high |= word_mask_gather(load_u64(p + i)) << i;
    return mask;
}

/* The same of the n bytes that there are; bits from n on are zero. */
static inline uint64_t word_mask(const char *p, size_t n, uint64_t *high)
{
    char tail[WORD_MASK_BYTES];
    if (n >= WORD_MASK_BYTES) return word_mask_whole(p, high);
    memset(tail, 0, sizeof tail);
    if (n) memcpy(tail, p, n);
    return word_mask_whole(tail, high);
}

#endif
