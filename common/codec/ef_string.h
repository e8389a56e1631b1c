/* SPDX-License-Identifier: MIT
 * ef_string.h - a strictly rising row of n numbers, none above `most`, as an Elias-Fano string
 * whose length follows from n and most alone: who knows both for every string of a row of
 * strings knows where each one begins, and reads none of the others.
 *
 * (P. Elias, 1974; R. Fano, 1971.)
 *
 *   n == 1   the number, in as many bits as `most` has
 *   else     l = floor(log2(most / n)) of the exact quotient, 0 when most < n
 *            the l low bits of each number, n * l bits, then n + (most >> l) bits of which bit
 *            (number >> l) + i is set for number i
 *
 * Strings follow each other bit by bit, the lowest bit of a byte first.
 *
 * Example: 3 700 1000 2000, most 2500: n = 4, l = 9; low bits 3 188 488 464, 36 bits; high parts
 * 0 1 1 3, so bits 0 2 3 6 of 8: 4d.
 */
#ifndef PM_CODEC_EF_STRING_H
#define PM_CODEC_EF_STRING_H

#include "common/codec/bits.h"

enum { EF_STRING_SLACK = 16 }; /* bytes behind a string that a reader may look at         */

/* l; n >= 1. */
static inline unsigned ef_string_low(uint32_t n, uint32_t most)
{
    if (n == 1) return most ? bits_log2(most) + 1 : 0;
    if (most < n) return 0;
    unsigned l = bits_log2(most) - bits_log2(n);
    return l && (uint64_t)n << l > most ? l - 1 : l;
}
/* Bits of a string of n >= 1 numbers; 0 when there are no n such numbers. */
static inline uint64_t ef_string_size(uint32_t n, uint32_t most)
{
    unsigned l = ef_string_low(n, most);
    if (n - 1 > most) return 0;
    return n == 1 ? l : (uint64_t)n * l + n + (most >> l);
}

/* Write a string at bit `at` of bytes that are zero from there on, EF_STRING_SLACK bytes beyond
 * its end too; false when the numbers are no such row. */
bool ef_string_write(uint8_t *bytes, uint64_t at, const uint32_t *numbers, uint32_t n,
                     uint32_t most);

#endif
