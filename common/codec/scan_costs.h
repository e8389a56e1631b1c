/* SPDX-License-Identifier: MIT
 * scan_costs.h - what the scan kernels cost, and the choices between them that follow.
 *
 * Nanoseconds, in the second-level cache, of a 2-core Zen 4 machine: fitted to what
 * benchmarks/micro_conjunction measures there, which also says how far the choices are from the
 * best ones in hindsight (DECISIONS.md, "Kernels").  Only the ratios matter.
 *
 *   n numbers in a block of some 256     find       find + find_each * n
 *                                        few        decode + few + few_each * n
 *                                        merge      decode + merge + merge_each * n
 *
 * where a block that is decoded already is not decoded again.
 */
#ifndef PM_CODEC_SCAN_COSTS_H
#define PM_CODEC_SCAN_COSTS_H

#include "common/base/bytes.h"

typedef struct scan_costs {
    float find, find_each;   /* ef_find_many: a call, a number                               */
    float select;            /* ef_select                                                    */
    float decode;            /* ef_decode, a block                                           */
    float few, few_each;     /* intersect_few: a call, a number                              */
    float merge, merge_each; /* intersect: a call with 256 on the other side, a number       */
    float probe, put;        /* bitmap_probe, bitmap_put: a number                           */
    float word;              /* and_total, or_into: a word                                   */
} scan_costs;

/* clang-format off */
#define SCAN_COSTS_PORTABLE \
    {.find = 0, .find_each = 30, .select = 35, .decode = 540, .few = 60, .few_each = 6.6f, \
     .merge = 610, .merge_each = 2.1f, .probe = 0.8f, .put = 1.3f, .word = 1}
#define SCAN_COSTS_AVX2 \
    {.find = 20, .find_each = 11.2f, .select = 14, .decode = 112, .few = 40, .few_each = 3.1f, \
     .merge = 164, .merge_each = 0.43f, .probe = 0.6f, .put = 0.5f, .word = 0.2f}
#define SCAN_COSTS_AVX512 \
    {.find = 20, .find_each = 10, .select = 14, .decode = 48, .few = 36, .few_each = 1.9f, \
     .merge = 147, .merge_each = 0.45f, .probe = 0.55f, .put = 0.5f, .word = 0.15f}
/* clang-format on */

typedef enum scan_way { SCAN_FIND, SCAN_FEW, SCAN_MERGE } scan_way;

/* The cheapest way for n numbers in a block, and what it costs. */
static inline scan_way scan_choose(const scan_costs *c, float n, bool decoded, float *cost)
{
    float find = c->find + c->find_each * n, decode = decoded ? 0 : c->decode;
    float few = decode + c->few + c->few_each * n, merge = decode + c->merge + c->merge_each * n;
    scan_way way = few < merge ? SCAN_FEW : SCAN_MERGE;
    *cost = few < merge ? few : merge;
    if (decoded || find >= *cost) return way;
    *cost = find;
    return SCAN_FIND;
}

#endif
