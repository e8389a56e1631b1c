/* SPDX-License-Identifier: MIT
 * scan_8x8.h - where two sorted lists meet, eight lanes of one against eight of the other by
 * rotation (D. Lemire, L. Boytsov, N. Kurz, "SIMD compression and the intersection of sorted
 * integers", 2016); included by the avx2 and avx512 rows.
 */
#ifndef PM_CODEC_SCAN_8X8_H
#define PM_CODEC_SCAN_8X8_H

#include <immintrin.h>

#include "common/codec/bits.h"

/* Lanes of a that occur in b. */
static inline uint32_t meet_8x8(__m256i a, __m256i b)
{
    const __m256i turn = _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 0);
    __m256i any = _mm256_cmpeq_epi32(a, b);
    for (int i = 0; i < 7; i++) {
        b = _mm256_permutevar8x32_epi32(b, turn);
        any = _mm256_or_si256(any, _mm256_cmpeq_epi32(a, b));
    }
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(any));
}

static uint32_t scan_intersect(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
                               uint32_t *at_a, uint32_t *at_b)
{
    uint32_t i = 0, j = 0, met = 0;
    while (na - i >= 8 && nb - j >= 8) {
        __m256i va = _mm256_loadu_si256((const __m256i *)(const void *)(a + i));
        __m256i vb = _mm256_loadu_si256((const __m256i *)(const void *)(b + j));
        for (uint32_t mask = meet_8x8(va, vb); mask; mask &= mask - 1) {
            uint32_t in_a = i + bits_lowest(mask);
            __m256i same = _mm256_cmpeq_epi32(vb, _mm256_set1_epi32((int)a[in_a]));
            at_a[met] = in_a;
            at_b[met++] = j + bits_lowest((unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(same)));
        }
        uint32_t last_a = a[i + 7], last_b = b[j + 7];
        i += last_a <= last_b ? 8 : 0;
        j += last_b <= last_a ? 8 : 0;
    }
    while (i < na && j < nb) {
        uint32_t x = a[i], y = b[j];
        at_a[met] = i;
        at_b[met] = j;
        met += x == y;
        i += x <= y;
        j += y <= x;
    }
    return met;
}

#endif
