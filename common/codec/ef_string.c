/* SPDX-License-Identifier: MIT
 * ef_string.c - writing Elias-Fano strings; see ef_string.h.  Reading is a kernel (group.h).
 */
#include "common/codec/ef_string.h"

/* Or n <= 32 bits into a string. */
static void put_bits(uint8_t *bytes, uint64_t at, uint32_t value, unsigned n)
{
    uint64_t v = (uint64_t)value << at % 8;
    for (unsigned done = 0; done < n + at % 8; done += 8)
        bytes[(at + done) / 8] |= (uint8_t)(v >> done);
}

bool ef_string_write(uint8_t *bytes, uint64_t at, const uint32_t *numbers, uint32_t n,
                     uint32_t most)
{
    unsigned l = ef_string_low(n, most);
    uint32_t mask = (uint32_t)((UINT64_C(1) << l) - 1);
    uint64_t high = at + (uint64_t)n * l;
    for (uint32_t i = 0; i < n; i++) {
        if (numbers[i] > most || (i && numbers[i] <= numbers[i - 1])) return false;
        put_bits(bytes, at + (uint64_t)i * l, numbers[i] & mask, l);
        uint64_t bit = high + (numbers[i] >> l) + i;
        if (n > 1) bytes[bit / 8] |= (uint8_t)(1u << bit % 8);
    }
    return true;
}
