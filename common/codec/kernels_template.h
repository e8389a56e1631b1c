/* SPDX-License-Identifier: MIT
 * kernels_template.h - the bodies of the kernels; included once by each kernels_<level>.c,
 * which defines KERNELS_NAME.  Bits are checked before anything is written, so that no
 * content leads past `out`.
 */
#include "common/codec/bits.h"
#include "common/codec/kernels.h"

static uint64_t kernel_bits_total(const uint64_t *words, size_t n_words)
{
    uint64_t n = 0;
    for (size_t i = 0; i < n_words; i++) n += bits_count(words[i]);
    return n;
}

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

/* True when the words hold exactly n ones, all among the first n_bits, the last one there. */
static bool kernel_ones_sound(const uint64_t *words, uint32_t n, uint64_t n_bits)
{
    uint64_t last = n_bits - 1;
    return words[last / 64] >> last % 64 == 1 && kernel_bits_total(words, bits_words(n_bits)) == n;
}

static void kernel_low_lanes(const uint64_t *words, unsigned l, uint32_t *out)
{
    const uint8_t *bytes = (const uint8_t *)words;
    const uint32_t mask = UINT32_MAX >> (32 - l);
    for (unsigned row = 0; row < 32; row++) {
        const uint8_t *at = bytes + 32 * (row * l / 32);
        unsigned shift = row * l % 32;
        if (shift + l > 32)
            for (unsigned lane = 0; lane < 8; lane++)
                out[8 * row + lane] = (load_u32(at + 4 * lane) >> shift |
                                       load_u32(at + 32 + 4 * lane) << (32 - shift)) &
                                      mask;
        else
            for (unsigned lane = 0; lane < 8; lane++)
                out[8 * row + lane] = load_u32(at + 4 * lane) >> shift & mask;
    }
}

static void kernel_low_bits(const ef_shape *s, const uint64_t *words, uint32_t *out)
{
    if (s->low_bits == 0)
        memset(out, 0, s->n * sizeof *out);
    else if (s->n == EF_BLOCK_MAX)
        kernel_low_lanes(words, s->low_bits, out);
    else
        for (uint32_t i = 0; i < s->n; i++)
            out[i] = bits_field(words, s->low_words, (uint64_t)i * s->low_bits, s->low_bits);
}

static uint32_t kernel_ef_decode(const ef_shape *s, const uint64_t *words, uint32_t base,
                                 uint32_t *out)
{
    if (s->bitmap) {
        if (!kernel_ones_sound(words, s->n, (uint64_t)s->range + 1)) return 0;
        return kernel_bits_expand(words, s->words, base, 0, s->n, out);
    }
    const uint64_t *high = words + s->low_words;
    if (!kernel_ones_sound(high, s->n, (uint64_t)s->n + (s->range >> s->low_bits))) return 0;
    kernel_low_bits(s, words, out);
    uint32_t i = 0;
    for (uint32_t w = 0; i < s->n; w++)
        for (uint64_t bits = high[w]; bits; bits &= bits - 1, i++)
            out[i] |= (64 * w + bits_lowest(bits) - i) << s->low_bits;
    bool falls = out[s->n - 1] != s->range;
    for (i = 1; i < s->n; i++) falls |= out[i] <= out[i - 1];
    for (i = 0; i < s->n; i++) out[i] += base;
    return falls ? 0 : s->n;
}

const codec_kernels KERNELS_NAME = {
    .ef_decode = kernel_ef_decode,
    .bits_expand = kernel_bits_expand,
    .bits_total = kernel_bits_total,
};
