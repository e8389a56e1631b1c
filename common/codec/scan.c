/* SPDX-License-Identifier: MIT
 * scan.c - choosing the row of scan kernels, and random access into Elias-Fano blocks; see
 * scan.h.
 */
#include "common/codec/scan.h"

#include "common/base/cpu.h"
#include "common/codec/bits.h"

const scan_kernels *scan_get(void)
{
    static const scan_kernels *const rows[] = {
        [CPU_PORTABLE] = &scan_portable,
        [CPU_AVX2] = &scan_avx2,
        [CPU_AVX512] = &scan_avx512,
    };
    return rows[cpu_get_level()];
}

static uint32_t ef_low(const ef_shape *s, const uint64_t *words, uint32_t i)
{
    unsigned l = s->low_bits;
    if (l == 0) return 0;
    if (s->n != EF_BLOCK_MAX) return bits_field(words, s->low_words, (uint64_t)i * l, l);
    const uint8_t *lane = (const uint8_t *)words + 4 * (i % 8);
    uint32_t at = i / 8 * l, shift = at % 32;
    uint64_t v = load_u32(lane + 32 * (at / 32));
    if (shift + l > 32) v |= (uint64_t)load_u32(lane + 32 * (at / 32 + 1)) << 32;
    return (uint32_t)(v >> shift) & (UINT32_MAX >> (32 - l));
}

uint32_t ef_select(const ef_shape *s, const uint64_t *words, uint32_t k)
{
    const uint64_t *high = s->bitmap ? words : words + s->low_words;
    uint32_t n_words = s->bitmap ? s->words : s->words - s->low_words;
    for (uint32_t w = 0, left = k; w < n_words; w++) {
        uint32_t ones = bits_count(high[w]);
        if (left >= ones) {
            left -= ones;
            continue;
        }
        uint32_t at = 64 * w + bits_select(high[w], left);
        uint32_t v = s->bitmap ? at : (at - k) << s->low_bits | ef_low(s, words, k);
        return v <= s->range ? v : 0;
    }
    return 0;
}

static uint32_t bitmap_find(const ef_shape *s, const uint64_t *words, uint32_t value)
{
    if (!bits_get(words, value)) return UINT32_MAX;
    uint32_t rank = bits_rank(words, value);
    return rank < s->n ? rank : UINT32_MAX;
}

/* Bit position after the k-th zero (k >= 1) of the high bits, or UINT32_MAX. */
static uint32_t ef_after_zero(const uint64_t *high, uint32_t n_words, uint32_t k)
{
    for (uint32_t w = 0; w < n_words; w++) {
        uint32_t zeros = 64 - bits_count(high[w]);
        if (k > zeros) {
            k -= zeros;
            continue;
        }
        return 64 * w + bits_select(~high[w], k - 1) + 1;
    }
    return UINT32_MAX;
}

uint32_t ef_find(const ef_shape *s, const uint64_t *words, uint32_t value)
{
    if (value > s->range) return UINT32_MAX;
    if (s->bitmap) return bitmap_find(s, words, value);
    const uint64_t *high = words + s->low_words;
    uint32_t n_words = s->words - s->low_words;
    uint32_t part = value >> s->low_bits, low = value & ((UINT32_C(1) << s->low_bits) - 1);
    uint32_t at = part ? ef_after_zero(high, n_words, part) : 0;
    if (at == UINT32_MAX || at - part >= s->n) return UINT32_MAX;
    for (uint32_t i = at - part; i < s->n && at < 64 * n_words && bits_get(high, at); i++, at++) {
        uint32_t have = ef_low(s, words, i);
        if (have >= low) return have == low ? i : UINT32_MAX;
    }
    return UINT32_MAX;
}
