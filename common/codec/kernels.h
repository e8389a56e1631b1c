/* SPDX-License-Identifier: MIT
 * kernels.h - the table of kernels: one row for each level of cpu.h, one body for all.
 *
 * kernels_template.h holds the bodies; kernels_portable.c, kernels_avx2.c, kernels_avx512.c and
 * kernels_neon.c include it under a name of their own, after those that they write
 * themselves.  The portable row is the definition: every other one equals it bit for bit
 * (INV-7).  Kernels take plain arrays and counts, are defined for any content, read exactly
 * what the counts say and write nothing behind it.
 *
 * Code outside the rows is compiled for the oldest machine, where a count of bits is a call:
 * whoever counts many bits asks for it here.
 */
#ifndef PM_CODEC_KERNELS_H
#define PM_CODEC_KERNELS_H

#include "common/codec/ef.h"

/* How a length becomes a norm: k1 * ((1 - b) + (b * length) / mean). */
typedef struct norm_scale {
    double k1, b, mean;
} norm_scale;

typedef struct codec_kernels {
    /* Contract of ef_decode. */
    uint32_t (*ef_decode)(const ef_shape *shape, const uint64_t *words, uint32_t base,
                          uint32_t *out);
    /* Numbers of the set bits of words[n_words], base + 64 * word + bit, rising; skips the
     * first `skip` and writes at most `cap` of them.  Returns the number written. */
    uint32_t (*bits_expand)(const uint64_t *words, uint32_t n_words, uint32_t base, uint32_t skip,
                            uint32_t cap, uint32_t *out);
    /* Set bits in words[n_words]. */
    uint64_t (*bits_total)(const uint64_t *words, size_t n_words);
    /* Set bits among the first n_bits <= 512 of words[8]. */
    uint32_t (*bucket_rank)(const uint64_t *words, uint32_t n_bits);
    /* Bytes of the first n >= 1 LEB128 integers; 0 when they do not end. */
    size_t (*varints_len)(slice bytes, uint32_t n);
    /* n LEB128 integers as a strictly rising row (the first, then each before + 1 + value) below
     * `limit`; false when it is none, or when a value takes more than five bytes. */
    bool (*varint_rising)(slice bytes, uint32_t n, uint32_t limit, uint32_t *out);
    /* The k-th largest byte, k >= 1; 0 when there are fewer. */
    uint8_t (*kth_largest)(const uint8_t *bytes, uint32_t n, uint32_t k);
    /* The frequency that impact byte w < 255 stands for in a text of length lengths[i]:
     * max(1, floor((norm * w) / (255 - w) + 0.5)), at most UINT32_MAX; w = 255: UINT32_MAX.
     * Doubles in the order written, so the same everywhere (FORMAT.md, "impacts"). */
    void (*impact_tf)(const uint8_t *impacts, const uint32_t *lengths, uint32_t n,
                      const norm_scale *scale, uint32_t *out);
} codec_kernels;

extern const codec_kernels kernels_portable, kernels_avx2, kernels_avx512, kernels_neon;

/* The row for this machine; lowered by PRESSMARK_CPU.  Cheap. */
const codec_kernels *kernels_get(void);

#endif
