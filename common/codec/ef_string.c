/* SPDX-License-Identifier: MIT
 * ef_string.c - writing Elias-Fano strings; see ef_string.h.  Reading is a kernel (group.h).
 */
#include "common/codec/ef_string.h"

enum { PUT_BITS_MAX = 56 };

/* Or n <= 56 bits into a string: eight bytes are read and written. */
static inline void put_bits(uint8_t *bytes, uint64_t at, uint64_t value, unsigned n)
{
    uint8_t *p = bytes + at / 8;
    if (n) store_u64(p, load_u64(p) | value << at % 8);
}

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
            put_bits(bytes, at, low, held);
            at += held;
            low = held = 0;
        }
        low |= (uint64_t)(numbers[i] & mask) << held;
        held += l;
        uint64_t bit = high + (numbers[i] >> l) + i;
        if (n > 1) bytes[bit / 8] |= (uint8_t)(1u << bit % 8);
    }
    put_bits(bytes, at, low, held);
    return true;
}
