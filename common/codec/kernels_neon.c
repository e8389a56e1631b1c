/* SPDX-License-Identifier: MIT
 * kernels_neon.c - the kernels for NEON, which every aarch64 machine has; see kernels.h.
 *
 * Only what gains by vectors is written here: aarch64 compilers turn the counts of bits of the
 * portable bodies into instructions by themselves.  `make neon-check` compiles it anywhere.
 */
#include "common/codec/kernels.h"

#ifdef __ARM_NEON
#include <arm_neon.h>

#define KERNELS_NAME kernels_neon
#define KERNELS_HAS_BITS_TOTAL
#define KERNELS_HAS_EF_LOW_LANES
#define KERNELS_HAS_IMPACT_TF

static uint64_t kernel_bits_total(const uint64_t *words, size_t n_words)
{
    uint64x2_t sum = vdupq_n_u64(0);
    size_t i = 0;
    for (; n_words - i >= 2; i += 2) {
        uint8x16_t ones = vcntq_u8(vreinterpretq_u8_u64(vld1q_u64(words + i)));
        sum = vpadalq_u32(sum, vpaddlq_u16(vpaddlq_u8(ones)));
    }
    uint64_t n = vaddvq_u64(sum);
    return i < n_words ? n + (uint64_t)__builtin_popcountll(words[i]) : n;
}

/* The low parts of half a row: four lanes. */
static inline uint32x4_t low_4(const uint32_t *word, int32_t shift, uint32x4_t mask)
{
    uint32x4_t low = vshlq_u32(vld1q_u32(word), vdupq_n_s32(-shift));
    uint32x4_t more = vshlq_u32(vld1q_u32(word + 8), vdupq_n_s32(32 - shift));
    return vandq_u32(vorrq_u32(low, more), mask);
}

/* The 32 bytes behind a lane's last word are there: the high words. */
static uint64_t kernel_ef_low_lanes(const ef_shape *s, const uint64_t *words, const uint16_t *parts,
                                    uint32_t base, uint32_t *out)
{
    const uint32_t *lanes = (const uint32_t *)(const void *)words;
    const uint32_t l = s->low_bits;
    const uint32x4_t mask = vdupq_n_u32(UINT32_MAX >> (32 - l)), bases = vdupq_n_u32(base);
    const int32x4_t by = vdupq_n_s32((int32_t)l);
    uint32x4_t falls = vdupq_n_u32(0), last = falls;
    uint32x4_t look =
        vsetq_lane_u32(0, vdupq_n_u32(UINT32_MAX), 0); /* where there is a value before */
    for (uint32_t i = 0, at = 0; i < EF_BLOCK_MAX; i += 4, at += i % 8 ? 0 : l) {
        const uint32_t *word = lanes + 8 * (at / 32) + i % 8;
        uint32x4_t high = vshlq_u32(vmovl_u16(vld1_u16(parts + i)), by);
        uint32x4_t v = vorrq_u32(high, low_4(word, (int32_t)(at % 32), mask));
        falls = vorrq_u32(falls, vandq_u32(look, vcleq_u32(v, vextq_u32(last, v, 3))));
        look = vdupq_n_u32(UINT32_MAX);
        last = v;
        vst1q_u32(out + i, vaddq_u32(v, bases));
    }
    return vmaxvq_u32(falls) ? UINT64_MAX : vgetq_lane_u32(last, 3);
}

/* Two frequencies: vmaxnm takes the number where the other is none. */
static inline uint32x2_t tf_2(float64x2_t w, float64x2_t length, const norm_scale *scale)
{
    const float64x2_t one = vdupq_n_f64(1), b = vdupq_n_f64(scale->b), full = vdupq_n_f64(255);
    const float64x2_t most = vdupq_n_f64(UINT32_MAX);
    float64x2_t part = vdivq_f64(vmulq_f64(b, length), vdupq_n_f64(scale->mean));
    float64x2_t norm = vmulq_f64(vdupq_n_f64(scale->k1), vaddq_f64(vsubq_f64(one, b), part));
    float64x2_t tf = vdivq_f64(vmulq_f64(norm, w), vsubq_f64(full, w));
    tf = vrndmq_f64(vaddq_f64(tf, vdupq_n_f64(0.5)));
    tf = vbslq_f64(vceqq_f64(w, full), most, vminq_f64(vmaxnmq_f64(tf, one), most));
    return vmovn_u64(vcvtq_u64_f64(tf));
}

static void kernel_impact_tf(const uint8_t *impacts, const uint32_t *lengths, uint32_t n,
                             const norm_scale *scale, uint32_t *out)
{
    for (uint32_t i = 0; i < n; i += 2) {
        uint32_t j = i + 1 < n ? i + 1 : i;
        float64x2_t w = {impacts[i], impacts[j]}, length = {lengths[i], lengths[j]};
        uint32x2_t tf = tf_2(w, length, scale);
        out[i] = vget_lane_u32(tf, 0);
        out[j] = j > i ? vget_lane_u32(tf, 1) : out[i];
    }
}

#include "common/codec/kernels_template.h"
#endif
