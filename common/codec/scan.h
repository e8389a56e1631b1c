/* SPDX-License-Identifier: MIT
 * scan.h - the kernels of the pruned ranking loops: filter impact bytes, turn ranks of a
 * bitmap into numbers, meet sorted lists, probe and combine bitmaps.
 *
 * One row of function pointers for each level of cpu.h, one body for all (scan_template.h);
 * the portable row is the definition, every other equals it (INV-7, tests/twin).  Kernels
 * take plain arrays and counts and are defined for any content.  Unless said otherwise,
 * arrays are read exactly as far as their counts; output arrays have SCAN_SLACK elements of
 * room beyond their count, which a kernel may scribble on.
 */
#ifndef PM_CODEC_SCAN_H
#define PM_CODEC_SCAN_H

#include "common/codec/ef.h"
#include "common/codec/scan_costs.h"

enum { SCAN_SLACK = 16 };

typedef struct scan_kernels {
    scan_costs costs;
    /* Indexes i (plus base) of bytes[0, n) with low <= bytes[i] <= high, rising. */
    uint32_t (*bytes_in_range)(const uint8_t *bytes, uint32_t n, uint8_t low, uint8_t high,
                               uint32_t base, uint32_t *out);
    /* One bucket of a bitmap: 8 words whose k-th set bit belongs to bytes[k], k < n.  Numbers
     * base + bit (to out) and bytes (to bytes_out) of the bits whose byte is in [low, high],
     * rising.  `also`, when not NULL, is a second set of 8 words in which a bit must be set
     * too.  Bits beyond the n-th are ignored.  At most 512 elements and the slack. */
    uint32_t (*bucket_in_range)(const uint64_t *words, const uint64_t *also, const uint8_t *bytes,
                                uint32_t n, uint8_t low, uint8_t high, uint32_t base, uint32_t *out,
                                uint8_t *bytes_out);
    /* numbers[i] and bytes[i] of those i < n with low <= bytes[i] <= high, rising, to out and
     * bytes_out. */
    uint32_t (*numbers_in_range)(const uint32_t *numbers, const uint8_t *bytes, uint32_t n,
                                 uint8_t low, uint8_t high, uint32_t *out, uint8_t *bytes_out);
    /* The same bucket added up: sums[bit] += offset + (bytes[k] * slope >> 8), modulo 65536, for
     * each of the n first set bits; bits whose sum passed from below `least` to it or above go
     * to out, rising. */
    uint32_t (*bucket_add)(const uint64_t *words, const uint8_t *bytes, uint32_t n, uint16_t slope,
                           uint16_t offset, uint16_t least, uint16_t *sums, uint32_t *out);
    /* out[i] = factor * table[bytes[i]], i < n. */
    void (*table_values)(const float *table, const uint8_t *bytes, uint32_t n, float factor,
                         float *out);
    /* Two strictly rising lists: pairs of indexes where they meet; at_b may be NULL when only
     * those of a are wanted.  When a does not rise (it comes from a crafted file), at most na
     * pairs of any indexes. */
    uint32_t (*intersect)(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
                          uint32_t *at_a, uint32_t *at_b);
    /* The same for nb <= 256, number by number of a: faster when a is much shorter than b. */
    uint32_t (*intersect_few)(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
                              uint32_t *at_a, uint32_t *at_b);
    /* Those indexes i < n whose number is set in a bitmap of n_words words (numbers beyond it
     * are not), rising. */
    uint32_t (*bitmap_probe)(const uint64_t *words, uint32_t n_words, const uint32_t *numbers,
                             uint32_t n, uint32_t *at);
    /* Set the bits of numbers, all below 64 times the number of words. */
    void (*bitmap_put)(uint64_t *words, const uint32_t *numbers, uint32_t n);
    /* Set bits of a AND b. */
    uint64_t (*and_total)(const uint64_t *a, const uint64_t *b, size_t n_words);
    /* a = a AND b; a = a OR b; a = a AND NOT b. */
    void (*and_into)(uint64_t *a, const uint64_t *b, size_t n_words);
    void (*or_into)(uint64_t *a, const uint64_t *b, size_t n_words);
    void (*andnot_into)(uint64_t *a, const uint64_t *b, size_t n_words);
    uint64_t (*total)(const uint64_t *a, size_t n_words);
    /* Keep the elements i < n of docs and scores with scores[i] >= least, in order; returns
     * their number. */
    uint32_t (*keep_least)(uint32_t *docs, float *scores, uint32_t n, float least);
    /* First index i in [from, n) with numbers[i] >= target, n when none; from <= n.  When the
     * numbers do not rise, any index in [from, n]. */
    uint32_t (*seek)(const uint32_t *numbers, uint32_t from, uint32_t n, uint32_t target);
    /* Ranks of numbers[at[i]], i < n, whose bits are set in words: ranks[b] counts those before
     * bucket b of 512. */
    void (*bucket_ranks)(const uint64_t *words, const uint32_t *ranks, const uint32_t *numbers,
                         const uint32_t *at, uint32_t n, uint32_t *out);
    /* Random access into an Elias-Fano block that is not decoded; both read shape->words words,
     * whatever they hold.
     * ef_select: value k < n (0 when the words are not such a block).
     * ef_find: index of `value`, or UINT32_MAX when it is not there. */
    uint32_t (*ef_select)(const ef_shape *shape, const uint64_t *words, uint32_t k);
    uint32_t (*ef_find)(const ef_shape *shape, const uint64_t *words, uint32_t value);
    /* ef_find for each numbers[i] - base, i < n: those that are there, in order, to at (i) and to
     * index, which may be NULL.  Several at once cost less than one by one. */
    uint32_t (*ef_find_many)(const ef_shape *shape, const uint64_t *words, uint32_t base,
                             const uint32_t *numbers, uint32_t n, uint32_t *at, uint32_t *index);
} scan_kernels;

extern const scan_kernels scan_portable, scan_avx2, scan_avx512, scan_neon;

/* The row for this machine; lowered by PRESSMARK_CPU.  Cheap. */
const scan_kernels *scan_get(void);

#endif
