/* SPDX-License-Identifier: MIT
 * avx512.h - masks and lanes that the avx512 rows share; included by them alone, which are compiled
 * for AVX-512.
 */
#ifndef PM_CODEC_AVX512_H
#define PM_CODEC_AVX512_H

#include "common/codec/bmi2.h"

/* The first n lanes of 16 or of 8, all of them where n is more. */
static inline __mmask16 first_16(uint32_t n)
{
    return (__mmask16)_bzhi_u32(0xffff, n < 16 ? n : 16);
}
static inline __mmask8 first_8(uint64_t n)
{
    return (__mmask8)_bzhi_u32(0xff, n < 8 ? (unsigned)n : 8);
}

/* 0 .. 63, a byte each. */
static inline __m512i bytes_64(void)
{
    const __m512i low = _mm512_set4_epi32(0x0f0e0d0c, 0x0b0a0908, 0x07060504, 0x03020100);
    const __m512i quarter =
        _mm512_setr_epi64(0, 0, 0x1010101010101010, 0x1010101010101010, 0x2020202020202020,
                          0x2020202020202020, 0x3030303030303030, 0x3030303030303030);
    return _mm512_add_epi8(low, quarter);
}

#endif
