/* SPDX-License-Identifier: MIT
 * nibble.c - reading nibble integers; see nibble.h.  Every byte string is defined.
 */
#include "common/codec/nibble.h"

#include "common/codec/bits.h"

/* One value; false when it does not end in the bytes or has more than 32 bits. */
static bool nibble_value(slice bytes, uint64_t *at, uint32_t *out)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < NIBBLE_VALUE_MAX; i++) {
        if (*at / 2 >= bytes.len) return false;
        unsigned nibble = (unsigned)bytes.data[*at / 2] >> (*at % 2 ? 4 : 0) & 15u;
        ++*at;
        value |= (uint64_t)(nibble & 7) << 3 * i;
        if (nibble < 8) {
            *out = (uint32_t)value;
            return value <= UINT32_MAX;
        }
    }
    return false;
}

bool nibble_decode(slice bytes, uint64_t *at, uint32_t n, uint32_t *out)
{
    for (uint32_t i = 0; i < n; i++)
        if (!nibble_value(bytes, at, &out[i])) return false;
    return true;
}

bool nibble_skip(slice bytes, uint64_t *at, uint64_t n)
{
    const uint64_t more = UINT64_C(0x8888888888888888);
    while (n) {
        uint64_t byte = *at / 2;
        if (byte >= bytes.len) return false;
        if (*at % 2 == 0 && bytes.len - byte >= 8) {
            uint64_t ends = ~load_u64(bytes.data + byte) & more;
            unsigned count = bits_count(ends);
            if (count >= n) {
                *at += bits_select(ends, (unsigned)n - 1) / 4 + 1;
                return true;
            }
            n -= count;
            *at += 16;
        } else {
            n -= !(bytes.data[byte] >> (*at % 2 ? 4 : 0) & 8);
            ++*at;
        }
    }
    return true;
}
