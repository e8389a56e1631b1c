/* SPDX-License-Identifier: MIT
 * scan_8x8.h - where two sorted lists meet, eight lanes of one against eight of the other in all
 * rotations (D. Lemire, L. Boytsov, N. Kurz, "SIMD compression and the intersection of sorted
 * integers", 2016); included by the avx2 and avx512 rows, which bring
 *
 *     void store_places(uint32_t *out, uint32_t base, uint32_t mask);
 *
 * to write base + place for each bit of mask < 256, lowest first, into eight lanes.
 *
 * Nothing branches on the data but the end of the loop.  The first pass writes where in a the
 * lists meet, and of b only which eight lanes that was; the second one finds the lane.
 */
#ifndef PM_CODEC_SCAN_8X8_H
#define PM_CODEC_SCAN_8X8_H

#include <immintrin.h>

#include "common/codec/bits.h"

static inline __m256i lanes_of(const uint32_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline uint32_t lane_mask(__m256i v)
{
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(v));
}

/* Lanes of a that are one of four of b, in each half; b's rotations within halves. */
static inline __m256i meet_halves(__m256i a, __m256i b)
{
    __m256i one = _mm256_cmpeq_epi32(a, b),
            two = _mm256_cmpeq_epi32(a, _mm256_shuffle_epi32(b, 0x39)),
            three = _mm256_cmpeq_epi32(a, _mm256_shuffle_epi32(b, 0x4e)),
            four = _mm256_cmpeq_epi32(a, _mm256_shuffle_epi32(b, 0x93));
    return _mm256_or_si256(_mm256_or_si256(one, two), _mm256_or_si256(three, four));
}

/* Lanes of a that occur in b. */
static inline uint32_t meet_8x8(__m256i a, __m256i b)
{
    __m256i swapped = _mm256_permute2x128_si256(b, b, 1);
    return lane_mask(_mm256_or_si256(meet_halves(a, b), meet_halves(a, swapped)));
}

typedef struct meet_place {
    uint32_t i, j, met;
} meet_place;

/* Eight of each from i and j on, of which x and y are there, are compared; the list whose last
 * one is lower moves on, by its x or y.  The barrier keeps the compiler from branching. */
static inline void meet_step(meet_place *p, __m256i a, __m256i b, uint32_t x, uint32_t y,
                             uint32_t last_a, uint32_t last_b, uint32_t *at_a, uint32_t *at_b)
{
    uint32_t mask = meet_8x8(a, b) & (0xffu >> (8 - x));
    store_places(at_a + p->met, p->i, mask);
    if (at_b) _mm256_storeu_si256((__m256i *)(void *)(at_b + p->met), _mm256_set1_epi32((int)p->j));
    p->met += bits_count(mask);
    uint32_t go_a = last_a <= last_b, go_b = last_b <= last_a;
    __asm__("" : "+r"(go_a), "+r"(go_b));
    p->i += go_a * x;
    p->j += go_b * y;
}

/* The first n <= 8 lanes; behind them the last one again. */
static inline __m256i lanes_padded(const uint32_t *p, uint32_t n)
{
    __m256i in =
        _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    return _mm256_blendv_epi8(_mm256_set1_epi32((int)p[n - 1]),
                              _mm256_maskload_epi32((const int *)p, in), in);
}

/* Steps with fewer than eight left on one side. */
static inline void meet_rest(meet_place *p, const uint32_t *a, uint32_t na, const uint32_t *b,
                             uint32_t nb, uint32_t *at_a, uint32_t *at_b)
{
    while (p->i < na && p->j < nb) {
        uint32_t x = na - p->i < 8 ? na - p->i : 8, y = nb - p->j < 8 ? nb - p->j : 8;
        meet_step(p, lanes_padded(a + p->i, x), lanes_padded(b + p->j, y), x, y, a[p->i + x - 1],
                  b[p->j + y - 1], at_a, at_b);
    }
}

/* From the eight lanes of b in which a partner is to the partner. */
static inline void meet_partners(const uint32_t *a, const uint32_t *b, uint32_t nb,
                                 const uint32_t *at_a, uint32_t *at_b, uint32_t met)
{
    for (uint32_t k = 0; k < met; k++) {
        uint32_t j = at_b[k], value = a[at_a[k]];
        if (nb < 8) {
            while (b[j] != value) j++;
            at_b[k] = j;
            continue;
        }
        if (j > nb - 8) j = nb - 8;
        __m256i same = _mm256_cmpeq_epi32(lanes_of(b + j), _mm256_set1_epi32((int)value));
        at_b[k] = j + bits_lowest(lane_mask(same));
    }
}

static inline uint32_t meet_lists(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
                                  uint32_t *at_a, uint32_t *at_b)
{
    meet_place p = {0, 0, 0};
    while (na - p.i >= 8 && nb - p.j >= 8)
        meet_step(&p, lanes_of(a + p.i), lanes_of(b + p.j), 8, 8, a[p.i + 7], b[p.j + 7], at_a,
                  at_b);
    meet_rest(&p, a, na, b, nb, at_a, at_b);
    if (at_b) meet_partners(a, b, nb, at_a, at_b, p.met);
    return p.met;
}

static uint32_t scan_intersect(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
                               uint32_t *at_a, uint32_t *at_b)
{
    return at_b ? meet_lists(a, na, b, nb, at_a, at_b) : meet_lists(a, na, b, nb, at_a, NULL);
}

#endif
