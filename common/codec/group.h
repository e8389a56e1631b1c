/* SPDX-License-Identifier: MIT
 * group.h - the kernels of random access to positions: the documents of one group of postings
 * without those of its whole block, and their term frequencies in one step.
 *
 * A group is at most GROUP_MAX postings of consecutive ranks.  One row of function pointers for
 * each level of cpu.h, one body for all (group_template.h); the portable row is the definition,
 * every other equals it (INV-7, tests/twin).  Kernels are defined for any content.  `out` arrays
 * have GROUP_MAX elements; what stands behind the last result is of no meaning.
 */
#ifndef PM_CODEC_GROUP_H
#define PM_CODEC_GROUP_H

#include "common/codec/ef.h"
#include "common/codec/ef_string.h"
#include "common/codec/kernels.h"

enum { GROUP_MAX = 16 };

/* norm_scale, and the same as one straight line in the length, rounded: fixed + slope * length. */
typedef struct group_scale {
    norm_scale exact;
    float fixed, slope;
} group_scale;

/* Lengths of documents: u16 or u32.  Two bytes behind the last one may be read, too. */
typedef struct group_lengths {
    const uint8_t *column;
    unsigned width;
} group_lengths;

typedef struct group_kernels {
    /* base + value for the values [from, from + n) of a block, from a multiple of GROUP_MAX,
     * from + n <= shape->n; returns n, 0 when the words hold fewer.  Words that are no such block
     * give any numbers.  Reads shape->words words. */
    uint32_t (*ef_group)(const ef_shape *shape, const uint64_t *words, uint32_t base, uint32_t from,
                         uint32_t n, uint32_t *out);
    /* Bit `at` of words and the nearest `before` < GROUP_MAX ones below it that are set: before +
     * 1 numbers, rising; false when they are not there. */
    bool (*bits_group)(const uint64_t *words, uint32_t at, uint32_t before, uint32_t *out);
    /* Lengths of the documents docs[n], and the tf that each one's impact byte stands for
     * (impact_tf of kernels.h).  A document outside [first, last] is taken for `last`. */
    void (*group_tfs)(const uint8_t *impacts, const uint32_t *docs, uint32_t n, uint32_t first,
                      uint32_t last, group_lengths from, const group_scale *scale,
                      uint32_t *lengths, uint32_t *out);
    /* Where `count` <= GROUP_MAX strings (ef_string.h) begin that follow each other: the bits of
     * those before, modulo 2^32.  String i is of n[i] >= 1 numbers, none above bound[i] + more. */
    void (*string_starts)(const uint32_t *n, const uint32_t *bound, uint32_t more, uint32_t count,
                          uint32_t *out);
    /* The string of n >= 1 numbers at bit `at`, the first `cap` of them to out; false when no such
     * row begins there (more bits than n may be set: `check` looks).  Up to EF_STRING_SLACK bytes
     * behind it may be looked at. */
    bool (*string_read)(const uint8_t *bytes, uint64_t at, uint32_t n, uint32_t most, uint32_t *out,
                        uint32_t cap);
    /* Is `number` in the string?  Anything when it is none. */
    bool (*string_has)(const uint8_t *bytes, uint64_t at, uint32_t n, uint32_t most,
                       uint32_t number);
} group_kernels;

extern const group_kernels group_portable, group_avx2, group_avx512;

/* The row for this machine; lowered by PRESSMARK_CPU.  Cheap. */
const group_kernels *group_get(void);
/* norm_scale of these, and its line. */
group_scale group_scale_of(double k1, double b, double mean);

#endif
