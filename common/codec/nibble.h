/* SPDX-License-Identifier: MIT
 * nibble.h - integers as groups of three bits, each in a nibble whose fourth bit says "more
 * follows": about the size of bit packing on gaps of positions, and it can be skipped by
 * counting nibbles without that bit.
 *
 * Nibble 2 i is the low half of byte i, nibble 2 i + 1 the high half.  A value's lowest three
 * bits come first.  11 -> 3 + more, 1 -> nibbles b 1 -> byte 0x1b.
 */
#ifndef PM_CODEC_NIBBLE_H
#define PM_CODEC_NIBBLE_H

#include "common/base/bytes.h"

enum { NIBBLE_VALUE_MAX = 11 }; /* nibbles of one value at most                          */

/* Write a value at nibble `at` of dst; returns the nibble after it.  An even nibble clears
 * its byte's high half, so dst needs no clearing. */
static inline uint64_t nibble_encode(uint8_t *dst, uint64_t at, uint32_t value)
{
    for (;; value >>= 3) {
        unsigned nibble = (value & 7) | (value > 7 ? 8u : 0u);
        dst[at / 2] = (uint8_t)(at % 2 ? dst[at / 2] | nibble << 4 : nibble);
        at++;
        if (value <= 7) return at;
    }
}
/* Read n values from nibble *at on.  False when the bytes end first or a value does not fit;
 * *at and out then hold nothing of use. */
bool nibble_decode(slice bytes, uint64_t *at, uint32_t n, uint32_t *out);
/* The same for a strictly rising row: the first number, then each one minus the one before
 * minus 1.  False also when a number exceeds UINT32_MAX. */
bool nibble_rising(slice bytes, uint64_t *at, uint32_t n, uint32_t *out);
/* Pass over n values by counting their last nibbles, 16 nibbles a step; what they are is not
 * looked at.  False when the bytes end first. */
bool nibble_skip(slice bytes, uint64_t *at, uint64_t n);

#endif
