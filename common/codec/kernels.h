/* SPDX-License-Identifier: MIT
 * kernels.h - the table of kernels: one row for each level of cpu.h, one body for all.
 *
 * x_template.h holds the bodies; x_portable.c (and x_avx2.c, x_avx512.c) include it under a
 * name of their own.  The portable row is the definition: every other one equals it bit for
 * bit (INV-7).  Kernels take plain arrays and counts and are defined for any content.
 */
#ifndef PM_CODEC_KERNELS_H
#define PM_CODEC_KERNELS_H

#include "common/codec/ef.h"

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
} codec_kernels;

extern const codec_kernels kernels_portable;

/* The row for this machine; lowered by PRESSMARK_CPU.  Cheap. */
const codec_kernels *kernels_get(void);

#endif
