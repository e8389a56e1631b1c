/* SPDX-License-Identifier: MIT
 * scan_find.h - many numbers looked up in one Elias-Fano block of 256 that is not decoded;
 * included by the avx2 and avx512 rows, which bring
 *
 *     uint32_t low_parts(const uint8_t *bytes, uint32_t l, uint32_t row, uint32_t low,
 *                        uint32_t *same);
 *
 * the masks of those of the 16 low parts from row `row` on (8 a row, l bits each) that are
 * `low` or more (returned), and `low` itself.
 *
 * Once a block: how many zeros there are up to the end of each high word.  A number's high part
 * h is then looked for among them by one compare; selecting the h-th zero in its word gives the
 * place where the values of that high part begin, the ones that follow say how many there
 * are, and all their low parts are compared at once.  Nothing branches on the data but what is
 * rare: more values of one high part than the two rows hold.
 */
#ifndef PM_CODEC_SCAN_FIND_H
#define PM_CODEC_SCAN_FIND_H

#include <immintrin.h>

#include "common/codec/bmi2.h"
#include "common/codec/ef.h"

enum { HIGH_WORDS = 16 }; /* high words of a block of 256 are at most twelve              */

typedef struct find_block {
    uint64_t high[HIGH_WORDS + 1];  /* zeros behind the block's                              */
    uint16_t zeros[HIGH_WORDS + 1]; /* before each word                                      */
    __m256i ends;                   /* zeros[1 ..]                                           */
    const uint8_t *low;
    uint32_t l, mask, range;
} find_block;

static inline void find_begin(find_block *b, const ef_shape *s, const uint64_t *words)
{
    uint32_t n_high = s->words - s->low_words, zeros = 0;
    for (uint32_t w = 0; w < HIGH_WORDS; w++) {
        b->high[w] = w < n_high ? words[s->low_words + w] : 0;
        b->zeros[w] = (uint16_t)zeros;
        zeros += 64 - bits_count(b->high[w]);
    }
    b->zeros[HIGH_WORDS] = (uint16_t)zeros;
    b->high[HIGH_WORDS] = 0;
    b->ends = _mm256_loadu_si256((const __m256i *)(const void *)(b->zeros + 1));
    b->low = (const uint8_t *)words;
    b->l = s->low_bits;
    b->mask = (UINT32_C(1) << b->l) - 1;
    b->range = s->range;
}

/* Place behind the h-th zero of the high bits; h < 512. */
static inline uint32_t find_place(const find_block *b, uint32_t h)
{
    __m256i below = _mm256_cmpgt_epi16(_mm256_set1_epi16((short)h), b->ends);
    uint32_t w = bits_count((uint32_t)_mm256_movemask_epi8(below)) / 2;
    w = w < HIGH_WORDS ? w : HIGH_WORDS - 1;
    uint64_t nth = _pdep_u64(UINT64_C(1) << ((h - b->zeros[w] - 1) & 63), ~b->high[w]);
    uint32_t place = 64 * w + (uint32_t)_tzcnt_u64(nth) + 1;
    return h ? place : 0;
}

/* What is known of a number before its low part is looked at. */
typedef struct find_run {
    uint32_t first, n; /* values of its high part: index, how many                      */
    bool rare;         /* or more than n                                                */
} find_run;

static inline find_run find_values(const find_block *b, uint32_t h)
{
    uint32_t place = find_place(b, h), shift = place % 8;
    uint64_t bits = load_u64((const uint8_t *)b->high + place / 8) >> shift;
    find_run run = {.first = place - h, .n = (uint32_t)_tzcnt_u64(~bits)};
    run.rare = run.first % 8 + run.n > 16;
    return run;
}

/* Contract of ef_find for one that is no bitmap and has 256 values and low bits. */
static inline uint32_t find_one(const find_block *b, uint32_t value, bool *rare)
{
    uint32_t inside = value <= b->range ? value : 0;
    find_run run = find_values(b, inside >> b->l);
    uint32_t row = run.first % EF_BLOCK_MAX / 8, skip = run.first % 8, same;
    uint32_t high = low_parts(b->low, b->l, row, inside & b->mask, &same) >> skip;
    uint32_t at = bits_lowest(_bzhi_u32(high, run.n) | 1u << 31), index = run.first + at;
    *rare = run.rare;
    bool found = same >> skip >> at & 1 && at < run.n && index < EF_BLOCK_MAX && inside == value;
    return found ? index : UINT32_MAX;
}

#endif
