/* SPDX-License-Identifier: MIT
 * gamma.c - see gamma.h.
 */
#include "common/codec/gamma.h"

#include "common/codec/bits.h"

uint64_t gamma_size(const uint32_t *values, uint64_t n)
{
    uint64_t bits = 0;
    for (uint64_t i = 0; i < n; i++) bits += 2 * bits_log2((uint64_t)values[i] + 1) + 1;
    return bits;
}

/* Or the low n bits of v, n <= 33, into dst at bit `at`; the bytes there are zero so far. */
static void gamma_put(uint8_t *dst, uint64_t at, uint64_t v, unsigned n)
{
    v <<= at % 8;
    for (uint64_t byte = at / 8; byte <= (at + n - 1) / 8; byte++, v >>= 8) dst[byte] |= (uint8_t)v;
}

uint64_t gamma_encode(buf *out, const uint32_t *values, uint64_t n)
{
    uint64_t bits = gamma_size(values, n), at = 0;
    size_t start = out->len;
    buf_zero(out, (size_t)(bits / 8 + (bits % 8 != 0)));
    if (out->failed || !n) return bits;
    uint8_t *dst = out->data + start;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t x = (uint64_t)values[i] + 1;
        unsigned h = bits_log2(x);
        at += h;
        gamma_put(dst, at, 1 | (x ^ UINT64_C(1) << h) << 1, h + 1);
        at += h + 1;
    }
    return bits;
}

static unsigned gamma_bit(slice bits, uint64_t at)
{
    return (unsigned)bits.data[at / 8] >> at % 8 & 1u;
}

bool gamma_decode(slice bits, uint64_t n_bits, uint64_t *at, uint32_t *out)
{
    if (n_bits > (uint64_t)bits.len * 8) return false;
    unsigned h = 0;
    while (*at < n_bits && !gamma_bit(bits, *at)) {
        ++*at;
        if (++h > 32) return false;
    }
    if (*at >= n_bits || n_bits - *at < h + 1) return false;
    ++*at;
    uint64_t x = UINT64_C(1) << h;
    for (unsigned i = 0; i < h; i++, ++*at) x |= (uint64_t)gamma_bit(bits, *at) << i;
    *out = (uint32_t)(x - 1);
    return x - 1 <= UINT32_MAX;
}
