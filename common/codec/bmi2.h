/* SPDX-License-Identifier: MIT
 * bmi2.h - what PDEP, PEXT and POPCNT do for words of bits and of nibbles; included by the
 * avx2 and avx512 rows alone, which are compiled for them.  (PDEP and PEXT are slow before
 * Zen 3; there PRESSMARK_CPU=portable is better.)
 */
#ifndef PM_CODEC_BMI2_H
#define PM_CODEC_BMI2_H

#include <immintrin.h>

#include "common/codec/bits.h"

#define BMI2_MORE UINT64_C(0x8888888888888888) /* the bit of each nibble that says "more"      */

/* Index of the set bit that has k set bits below it; w has more than k of them. */
static inline unsigned bmi2_select(uint64_t w, unsigned k)
{
    return bits_lowest(_pdep_u64(UINT64_C(1) << k, w));
}

/* Places of the set bits of the low 8 bits of `byte`, lowest first, one in each byte. */
static inline uint64_t bmi2_places(unsigned byte)
{
    return _pext_u64(UINT64_C(0x0706050403020100), _pdep_u64(byte, UINT64_C(0x0101010101010101)) * 255);
}

/* The 16 nibbles from `at` on; those behind the end, and with an odd `at` the sixteenth, say
 * "more", so that nothing ends there.  at < 2 * bytes.len. */
static inline uint64_t bmi2_nibbles(slice bytes, uint64_t at)
{
    size_t byte = (size_t)(at / 2), left = bytes.len - byte;
    uint64_t word = BMI2_MORE;
    if (left >= 8) {
        word = load_u64(bytes.data + byte);
    } else if (bytes.len >= 8) {
        word = load_u64(bytes.data + bytes.len - 8) >> (64 - 8 * left) | BMI2_MORE << 8 * left;
    } else {
        for (size_t i = left; i-- > 0;) word = word << 8 | bytes.data[byte + i];
    }
    return at % 2 ? word >> 4 | UINT64_C(8) << 60 : word;
}

static inline bool kernel_nibble_skip(slice bytes, uint64_t *at, uint64_t n)
{
    while (n) {
        if (*at / 2 >= bytes.len) return false;
        uint64_t ends = ~bmi2_nibbles(bytes, *at) & BMI2_MORE;
        unsigned count = bits_count(ends);
        if (count >= n) {
            *at += bmi2_select(ends, (unsigned)n - 1) / 4 + 1;
            return true;
        }
        n -= count;
        *at += 16 - *at % 2;
    }
    return true;
}

#endif
