/* SPDX-License-Identifier: MIT
 * scan_neon.c - scan kernels for NEON, which every aarch64 machine has; see scan.h.
 *
 * A comparison of 16 bytes is narrowed to a word of 16 nibbles, which is walked survivor by
 * survivor.  `make neon-check` compiles it anywhere.
 */
#include "common/codec/scan.h"

#ifdef __ARM_NEON
#include <arm_neon.h>

#define SCAN_NAME scan_neon
#define SCAN_HAS_BYTES_IN_RANGE
#define SCAN_HAS_TOTALS
#define SCAN_HAS_INTO
#include "common/codec/bits.h"

static uint32_t scan_bytes_in_range(const uint8_t *bytes, uint32_t n, uint8_t low, uint8_t high,
                                    uint32_t base, uint32_t *out)
{
    const uint8x16_t lows = vdupq_n_u8(low), highs = vdupq_n_u8(high);
    uint32_t kept = 0, i = 0;
    for (; n - i >= 16; i += 16) {
        uint8x16_t v = vld1q_u8(bytes + i), good = vandq_u8(vcgeq_u8(v, lows), vcleq_u8(v, highs));
        uint8x8_t narrow = vshrn_n_u16(vreinterpretq_u16_u8(good), 4);
        uint64_t mask =
            vget_lane_u64(vreinterpret_u64_u8(narrow), 0) & UINT64_C(0x1111111111111111);
        for (; mask; mask &= mask - 1) out[kept++] = base + i + bits_lowest(mask) / 4;
    }
    for (; i < n; i++)
        if (bytes[i] >= low && bytes[i] <= high) out[kept++] = base + i;
    return kept;
}

static inline uint64x2_t add_ones(uint64x2_t sum, uint64x2_t v)
{
    return vpadalq_u32(sum, vpaddlq_u16(vpaddlq_u8(vcntq_u8(vreinterpretq_u8_u64(v)))));
}

static uint64_t scan_total(const uint64_t *a, size_t n_words)
{
    uint64x2_t sum = vdupq_n_u64(0);
    size_t i = 0;
    for (; n_words - i >= 2; i += 2) sum = add_ones(sum, vld1q_u64(a + i));
    return vaddvq_u64(sum) + (i < n_words ? bits_count(a[i]) : 0);
}

static uint64_t scan_and_total(const uint64_t *a, const uint64_t *b, size_t n_words)
{
    uint64x2_t sum = vdupq_n_u64(0);
    size_t i = 0;
    for (; n_words - i >= 2; i += 2)
        sum = add_ones(sum, vandq_u64(vld1q_u64(a + i), vld1q_u64(b + i)));
    return vaddvq_u64(sum) + (i < n_words ? bits_count(a[i] & b[i]) : 0);
}

static void scan_and_into(uint64_t *a, const uint64_t *b, size_t n_words)
{
    size_t i = 0;
    for (; n_words - i >= 2; i += 2)
        vst1q_u64(a + i, vandq_u64(vld1q_u64(a + i), vld1q_u64(b + i)));
    if (i < n_words) a[i] &= b[i];
}

static void scan_or_into(uint64_t *a, const uint64_t *b, size_t n_words)
{
    size_t i = 0;
    for (; n_words - i >= 2; i += 2)
        vst1q_u64(a + i, vorrq_u64(vld1q_u64(a + i), vld1q_u64(b + i)));
    if (i < n_words) a[i] |= b[i];
}

static void scan_andnot_into(uint64_t *a, const uint64_t *b, size_t n_words)
{
    size_t i = 0;
    for (; n_words - i >= 2; i += 2)
        vst1q_u64(a + i, vbicq_u64(vld1q_u64(a + i), vld1q_u64(b + i)));
    if (i < n_words) a[i] &= ~b[i];
}

#include "common/codec/scan_template.h"
#endif
