/* SPDX-License-Identifier: MIT
 * kernels_template.h - the bodies of the kernels; included once by each kernels_<level>.c,
 * which defines KERNELS_NAME, and KERNELS_HAS_<kernel> for those that it writes itself.
 * Bits are checked before anything is written, so that no content leads past `out`.
 */
#include <math.h>

#include "common/codec/bits.h"
#include "common/codec/kernels.h"

#ifndef KERNELS_HAS_BITS_TOTAL
static uint64_t kernel_bits_total(const uint64_t *words, size_t n_words)
{
    uint64_t n = 0;
    for (size_t i = 0; i < n_words; i++) n += bits_count(words[i]);
    return n;
}
#endif

#ifndef KERNELS_HAS_BUCKET_RANK
static uint32_t kernel_bucket_rank(const uint64_t *words, uint32_t n_bits)
{
    return bits_rank(words, n_bits);
}
#endif

#ifndef KERNELS_HAS_BITS_EXPAND
static uint32_t kernel_bits_expand(const uint64_t *words, uint32_t n_words, uint32_t base,
                                   uint32_t skip, uint32_t cap, uint32_t *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_words && n < cap; i++) {
        uint64_t w = words[i];
        uint32_t ones = bits_count(w);
        if (skip >= ones) {
            skip -= ones;
            continue;
        }
        for (; skip; skip--) w &= w - 1;
        for (; w && n < cap; w &= w - 1) out[n++] = base + 64 * i + bits_lowest(w);
    }
    return n;
}
#endif

/* ---- Elias-Fano blocks ------------------------------------------------------------------- */

/* Most ones of the high bits, whatever they hold, and what a kernel may scribble behind them. */
enum { EF_PARTS_MAX = 768, EF_PARTS_SLACK = 64 };

/* Nothing stands behind the last of n_bits, and that one is set. */
static bool kernel_end_sound(const uint64_t *words, uint64_t n_bits)
{
    return words[(n_bits - 1) / 64] >> (n_bits - 1) % 64 == 1;
}

#ifndef KERNELS_HAS_EF_HIGH
/* parts[i] = (place of one number i) - i; returns the number of ones. */
static uint32_t kernel_ef_high(const uint64_t *high, uint32_t n_words, uint16_t *parts)
{
    uint32_t i = 0;
    for (uint32_t w = 0; w < n_words; w++)
        for (uint64_t bits = high[w]; bits; bits &= bits - 1, i++)
            parts[i] = (uint16_t)(64 * w + bits_lowest(bits) - i);
    return i;
}
#endif

#ifndef KERNELS_HAS_EF_LOW_STRING
/* Put high and low parts together, add base; the last value, or UINT64_MAX when they do not
 * rise.  Eight bytes from a value's first one on are always in the block: the high words follow. */
static uint64_t kernel_ef_low_string(const ef_shape *s, const uint64_t *words,
                                     const uint16_t *parts, uint32_t base, uint32_t *out)
{
    const uint8_t *bytes = (const uint8_t *)words;
    const uint32_t l = s->low_bits, mask = (uint32_t)((UINT64_C(1) << l) - 1);
    bool falls = false;
    uint32_t before = 0;
    for (uint32_t i = 0, at = 0; i < s->n; i++, at += l) {
        uint32_t low = (uint32_t)(load_u64(bytes + at / 8) >> at % 8) & mask;
        uint32_t value = (uint32_t)((uint64_t)parts[i] << l) | low;
        falls |= i && value <= before;
        before = value;
        out[i] = value + base;
    }
    return falls ? UINT64_MAX : before;
}
#endif

#ifndef KERNELS_HAS_EF_LOW_LANES
/* The same for the eight lanes of a block of 256. */
static uint64_t kernel_ef_low_lanes(const ef_shape *s, const uint64_t *words, const uint16_t *parts,
                                    uint32_t base, uint32_t *out)
{
    const uint8_t *bytes = (const uint8_t *)words;
    const uint32_t l = s->low_bits, mask = UINT32_MAX >> (32 - l);
    bool falls = false;
    for (uint32_t row = 0, at = 0; row < 32; row++, at += l) {
        const uint8_t *word =
            bytes + 32 * (at / 32); /* the 32 bytes behind are there: high words */
        for (uint32_t lane = 0; lane < 8; lane++) {
            uint64_t pair = load_u32(word + 4 * lane) | (uint64_t)load_u32(word + 32 + 4 * lane)
                                                            << 32;
            uint32_t i = 8 * row + lane;
            out[i] = (uint32_t)parts[i] << l | ((uint32_t)(pair >> at % 32) & mask);
        }
    }
    uint32_t last = out[EF_BLOCK_MAX - 1];
    for (uint32_t i = 1; i < EF_BLOCK_MAX; i++) falls |= out[i] <= out[i - 1];
    for (uint32_t i = 0; i < EF_BLOCK_MAX; i++) out[i] += base;
    return falls ? UINT64_MAX : last;
}
#endif

static uint32_t kernel_ef_decode(const ef_shape *s, const uint64_t *words, uint32_t base,
                                 uint32_t *out)
{
    if (s->bitmap) {
        bool sound = kernel_end_sound(words, (uint64_t)s->range + 1) &&
                     kernel_bits_total(words, s->words) == s->n;
        return sound ? kernel_bits_expand(words, s->words, base, 0, s->n, out) : 0;
    }
    uint16_t parts[EF_PARTS_MAX + EF_PARTS_SLACK];
    const uint64_t *high = words + s->low_words;
    if (!kernel_end_sound(high, (uint64_t)s->n + (s->range >> s->low_bits)) ||
        kernel_ef_high(high, s->words - s->low_words, parts) != s->n)
        return 0;
    uint64_t last = s->low_bits && s->n == EF_BLOCK_MAX
                        ? kernel_ef_low_lanes(s, words, parts, base, out)
                        : kernel_ef_low_string(s, words, parts, base, out);
    return last == s->range ? s->n : 0;
}

/* ---- LEB128 ------------------------------------------------------------------------------- */

#ifndef KERNELS_HAS_VARINTS_LEN
static size_t kernel_varints_len(slice bytes, uint32_t n)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] < 128 && --n == 0) return i + 1;
    return 0;
}
#endif

#ifndef KERNELS_HAS_VARINT_RISING
static bool kernel_varint_rising(slice bytes, uint32_t n, uint32_t limit, uint32_t *out)
{
    uint64_t next = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t value = 0;
        unsigned k = 0, byte = 128;
        for (; byte >= 128 && k < 5 && at < bytes.len; k++, at++) {
            byte = bytes.data[at];
            value |= (uint64_t)(byte & 127) << 7 * k;
        }
        value += next;
        if (byte >= 128 || value >= limit) return false;
        out[i] = (uint32_t)value;
        next = value + 1;
    }
    return true;
}
#endif

/* ---- impacts ------------------------------------------------------------------------------ */

#ifndef KERNELS_HAS_KTH_LARGEST
static uint8_t kernel_kth_largest(const uint8_t *bytes, uint32_t n, uint32_t k)
{
    uint32_t counts[256] = {0}, above = 0;
    for (uint32_t i = 0; i < n; i++) counts[bytes[i]]++;
    for (unsigned w = 255; w > 0; w--) {
        above += counts[w];
        if (above >= k) return (uint8_t)w;
    }
    return 0;
}
#endif

#ifndef KERNELS_HAS_IMPACT_TF
static void kernel_impact_tf(const uint8_t *impacts, const uint32_t *lengths, uint32_t n,
                             const norm_scale *scale, uint32_t *out)
{
    for (uint32_t i = 0; i < n; i++) {
        double norm = scale->k1 * (1 - scale->b + scale->b * lengths[i] / scale->mean);
        double tf = floor(norm * impacts[i] / (255.0 - impacts[i]) + 0.5);
        uint32_t whole = tf < UINT32_MAX ? (uint32_t)tf : UINT32_MAX;
        out[i] = impacts[i] == 255 ? UINT32_MAX : tf > 1 ? whole : 1;
    }
}
#endif

const codec_kernels KERNELS_NAME = {
    .ef_decode = kernel_ef_decode,
    .bits_expand = kernel_bits_expand,
    .bits_total = kernel_bits_total,
    .bucket_rank = kernel_bucket_rank,
    .varints_len = kernel_varints_len,
    .varint_rising = kernel_varint_rising,
    .kth_largest = kernel_kth_largest,
    .impact_tf = kernel_impact_tf,
};
