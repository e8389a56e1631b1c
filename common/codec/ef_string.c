/* SPDX-License-Identifier: MIT
 * ef_string.c - writing Elias-Fano strings; see ef_string.h.  Reading is a kernel (group.h).
 */
#include "common/codec/ef_string.h"

enum { PUT_BITS_MAX = 56 };

bool ef_string_write(uint8_t *bytes, uint64_t at, const uint32_t *numbers, uint32_t n,
                     uint32_t most)
{
    const unsigned l = ef_string_low(n, most);
    const uint32_t mask = (uint32_t)((UINT64_C(1) << l) - 1);
    uint64_t high = at + (uint64_t)n * l, low = 0, next = 0;
    unsigned held = 0; /* low bits not yet written                                          */
    for (uint32_t i = 0; i < n; i++) {
        if (numbers[i] > most || numbers[i] < next) return false;
        next = (uint64_t)numbers[i] + 1;
        if (held + l > PUT_BITS_MAX) {
            bits_or(bytes, at, low);
            at += held;
            low = held = 0;
        }
        low |= (uint64_t)(numbers[i] & mask) << held;
        held += l;
        uint64_t bit = high + (numbers[i] >> l) + i;
        if (n > 1) bytes[bit / 8] |= (uint8_t)(1u << bit % 8);
    }
    bits_or(bytes, at, low);
    return true;
}
