/* SPDX-License-Identifier: MIT
 * runs.c - see runs.h.
 */
#include "common/codec/runs.h"

#include "common/codec/bits.h"

enum { RUNS_GAMMA = 15, RUNS_HEAD_BITS = 4, PEEK_BITS = 57 };

/* ---- writing ------------------------------------------------------------------------------ */

/* The low n <= 56 bits of v: eight bytes are read and written. */
static inline void put_bits(runs_coder *c, uint64_t v, unsigned n)
{
    bits_or(c->dst, c->at, v & ((UINT64_C(1) << n) - 1));
    c->at += n;
}

static unsigned gamma_bits(uint64_t x)
{
    return 2 * bits_log2(x) + 1;
}

static void put_gamma(runs_coder *c, uint64_t x)
{
    unsigned h = bits_log2(x);
    c->at += h;
    put_bits(c, 1 | (x ^ UINT64_C(1) << h) << 1, h + 1);
}

static void put_rice(runs_coder *c, uint64_t zeros)
{
    c->at += zeros >> c->k;
    put_bits(c, 1 | zeros << 1, c->k + 1);
}

/* Which of n <= 64 numbers are not 0, a bit each. */
static inline uint64_t nonzero(const uint32_t *values, unsigned n)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < n; i++) mask |= (uint64_t)(values[i] != 0) << i;
    return mask;
}

static inline unsigned at_most_64(uint64_t n)
{
    return n < 64 ? (unsigned)n : 64;
}

/* A run of z zeros takes (z >> k) + 1 + k bits in the code of parameter k, and most are short. */
static inline void measure_run(runs_coder *c, uint64_t zeros)
{
    c->runs++;
    for (unsigned k = 0; k < 4; k++) c->shifted[k] += zeros >> k;
    for (unsigned k = 4; k < RUNS_GAMMA && zeros >> k; k++) c->shifted[k] += zeros >> k;
}

void runs_measure(runs_coder *c, const uint32_t *values, uint64_t n)
{
    uint64_t zeros = c->zeros, gamma = c->gamma + n; /* of each number a bit, and more of some   */
    for (uint64_t i = 0; i < n; i += 64) {
        unsigned some = at_most_64(n - i), from = 0;
        for (uint64_t rest = nonzero(values + i, some); rest; rest &= rest - 1) {
            unsigned at = bits_lowest(rest);
            uint32_t value = values[i + at];
            if (value > c->largest) c->largest = value;
            gamma += gamma_bits((uint64_t)value + 1) - 1;
            if (c->distinct > 2) c->numbers += gamma_bits(value);
            measure_run(c, zeros + at - from);
            zeros = 0;
            from = at + 1;
        }
        zeros += some - from;
    }
    c->zeros = zeros;
    c->gamma = gamma;
}

bool runs_begin(runs_coder *c, buf *out)
{
    uint64_t best = c->gamma;
    if (c->zeros) measure_run(c, c->zeros); /* without a number                                */
    c->zeros = 0;
    c->k = RUNS_GAMMA;
    for (unsigned k = RUNS_GAMMA; k-- > 0;) {
        uint64_t bits = c->shifted[k] + c->runs * (k + 1) + c->numbers;
        if (bits > best) continue;
        best = bits;
        c->k = k;
    }
    c->bits = best + RUNS_HEAD_BITS;
    size_t bytes = (size_t)(c->bits / 8 + (c->bits % 8 != 0));
    if (!buf_reserve(out, bytes + 8)) return false;
    c->dst = out->data + out->len;
    memset(c->dst, 0, bytes + 8);
    put_bits(c, c->k, RUNS_HEAD_BITS);
    return true;
}

/* Ones, each the gamma code of 1. */
static void put_ones(runs_coder *c, uint64_t n)
{
    for (unsigned some = 56; n; n -= some) {
        if (n < some) some = (unsigned)n;
        put_bits(c, UINT64_MAX, some);
    }
}

static inline void put_number(runs_coder *c, uint64_t zeros, uint32_t value)
{
    if (c->k == RUNS_GAMMA) {
        put_ones(c, zeros);
        put_gamma(c, (uint64_t)value + 1);
        return;
    }
    put_rice(c, zeros);
    if (c->distinct > 2) put_gamma(c, value);
}

void runs_put(runs_coder *given, const uint32_t *values, uint64_t n)
{
    runs_coder c = *given; /* which no byte that is written may change                          */
    for (uint64_t i = 0; i < n; i += 64) {
        unsigned some = at_most_64(n - i), from = 0;
        for (uint64_t rest = nonzero(values + i, some); rest; rest &= rest - 1) {
            unsigned at = bits_lowest(rest);
            put_number(&c, c.zeros + at - from, values[i + at]);
            c.zeros = 0;
            from = at + 1;
        }
        c.zeros += some - from;
    }
    *given = c;
}

uint64_t runs_end(runs_coder *c, buf *out)
{
    if (c->k == RUNS_GAMMA)
        put_ones(c, c->zeros);
    else if (c->zeros)
        put_rice(c, c->zeros);
    out->len += (size_t)(c->bits / 8 + (c->bits % 8 != 0));
    return c->bits;
}

uint64_t runs_encode(buf *out, const uint32_t *values, uint64_t n, uint32_t distinct)
{
    runs_coder c = runs_coder_of(distinct);
    runs_measure(&c, values, n);
    if (!runs_begin(&c, out)) return c.bits;
    runs_put(&c, values, n);
    return runs_end(&c, out);
}

/* ---- reading ------------------------------------------------------------------------------ */

/* 57 bits and more from bit `at` on; zeros behind the end. */
static inline uint64_t peek(const runs_reader *r)
{
    uint64_t byte = r->at / 8, v = 0;
    if (byte + 8 <= r->bits.len)
        v = load_u64(r->bits.data + byte);
    else
        for (unsigned i = 0; byte + i < r->bits.len; i++)
            v |= (uint64_t)r->bits.data[byte + i] << 8 * i;
    return v >> r->at % 8;
}

/* Zeros up to the next one, which is passed; false when there is none. */
static inline bool read_zeros(runs_reader *r, uint64_t *n)
{
    *n = 0;
    for (;;) {
        uint64_t v = peek(r) & ((UINT64_C(1) << PEEK_BITS) - 1);
        if (v) {
            unsigned zeros = (unsigned)__builtin_ctzll(v);
            *n += zeros;
            r->at += zeros + 1;
            return r->at <= r->n_bits;
        }
        if (r->n_bits - r->at <= PEEK_BITS) return false;
        *n += PEEK_BITS;
        r->at += PEEK_BITS;
    }
}

static inline bool read_bits(runs_reader *r, unsigned n, uint64_t *out)
{
    *out = peek(r) & ((UINT64_C(1) << n) - 1);
    r->at += n;
    return r->at <= r->n_bits;
}

static inline bool read_gamma(runs_reader *r, uint64_t *out)
{
    uint64_t h, low;
    if (!read_zeros(r, &h) || h > 32 || !read_bits(r, (unsigned)h, &low)) return false;
    *out = UINT64_C(1) << h | low;
    return true;
}

bool runs_open(runs_reader *r, slice bits, uint64_t n_bits, uint32_t distinct)
{
    uint64_t k;
    *r = (runs_reader){.bits = bits, .n_bits = n_bits, .distinct = distinct};
    if (n_bits > (uint64_t)bits.len * 8 || !read_bits(r, RUNS_HEAD_BITS, &k)) return false;
    r->k = (unsigned)k;
    return true;
}

static inline bool next_code(runs_reader *r, uint32_t *out)
{
    uint64_t v = 0, low;
    if (r->k == RUNS_GAMMA) {
        bool good = read_gamma(r, &v);
        *out = (uint32_t)(v - 1);
        return good && v - 1 < r->distinct;
    }
    if (!r->in_run) {
        if (!read_zeros(r, &v) || v > UINT64_C(1) << 40 || !read_bits(r, r->k, &low)) return false;
        r->zeros = v << r->k | low;
        r->in_run = true;
        if (r->zeros) {
            r->zeros--;
            *out = 0;
            return true;
        }
    }
    r->in_run = false;
    v = 1;
    if (r->distinct > 2 && !read_gamma(r, &v)) return false;
    *out = (uint32_t)v;
    return v < r->distinct;
}

bool runs_next_code(runs_reader *r, uint32_t *out)
{
    return next_code(r, out);
}

bool runs_read(runs_reader *given, uint32_t *out, uint64_t n)
{
    runs_reader r = *given; /* which no number that is written may change                       */
    bool good = true;
    while (n && good) {
        uint64_t zeros = r.zeros < n ? r.zeros : n;
        for (uint64_t i = 0; i < zeros; i++) out[i] = 0;
        out += zeros;
        n -= zeros;
        r.zeros -= zeros;
        if (!n) break;
        good = next_code(&r, out);
        out++;
        n--;
    }
    *given = r;
    return good;
}
