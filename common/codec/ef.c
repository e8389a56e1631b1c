/* SPDX-License-Identifier: MIT
 * ef.c - shape and encoder of Elias-Fano blocks; see ef.h.  Decoding is a kernel.
 */
#include "common/codec/ef.h"

#include "common/codec/bits.h"
#include "common/codec/kernels.h"

bool ef_shape_of(uint32_t n, uint32_t range, ef_shape *out)
{
    if (n == 0 || n > EF_BLOCK_MAX || range < n - 1) return false;
    uint32_t l = range >= n ? bits_log2(range / n) : 0;
    uint32_t low = n == EF_BLOCK_MAX ? 4 * l : (uint32_t)bits_words((uint64_t)n * l);
    uint32_t words = low + (uint32_t)bits_words((uint64_t)n + (range >> l));
    uint32_t bitmap_words = range / 64 + 1;
    bool bitmap = bitmap_words <= 2 * words;
    *out = (ef_shape){n, range, l, low, bitmap ? bitmap_words : words, bitmap};
    return true;
}

static void ef_put_low(const ef_shape *s, uint32_t i, uint32_t low, uint64_t *words)
{
    if (s->n == EF_BLOCK_MAX) {
        uint32_t at = i / 8 * s->low_bits, lane = i % 8;
        uint8_t *p = (uint8_t *)words + 32 * (at / 32) + 4 * lane;
        store_u32(p, load_u32(p) | low << at % 32);
        if (at % 32 + s->low_bits > 32) store_u32(p + 32, load_u32(p + 32) | low >> (32 - at % 32));
        return;
    }
    uint64_t at = (uint64_t)i * s->low_bits;
    words[at / 64] |= (uint64_t)low << at % 64;
    if (at % 64 + s->low_bits > 64) words[at / 64 + 1] |= (uint64_t)low >> (64 - at % 64);
}

void ef_encode(const ef_shape *s, const uint32_t *values, uint64_t *words)
{
    memset(words, 0, s->words * sizeof *words);
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->bitmap) {
            bits_set(words, values[i]);
            continue;
        }
        uint32_t low = values[i] & ((UINT32_C(1) << s->low_bits) - 1);
        if (s->low_bits) ef_put_low(s, i, low, words);
        bits_set(words + s->low_words, (uint64_t)(values[i] >> s->low_bits) + i);
    }
}

uint32_t ef_decode(const ef_shape *shape, const uint64_t *words, uint32_t base, uint32_t *out)
{
    return kernels_get()->ef_decode(shape, words, base, out);
}
