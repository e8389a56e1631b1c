/* SPDX-License-Identifier: MIT
 * runs.c - see runs.h.
 */
#include "common/codec/runs.h"

#include "common/codec/bits.h"

enum { RUNS_GAMMA = 15, RUNS_HEAD_BITS = 4, PEEK_BITS = 57 };

/* ---- writing ------------------------------------------------------------------------------ */

typedef struct bit_writer {
    uint8_t *dst; /* zeros so far                                                     */
    uint64_t at;
} bit_writer;

/* The low n <= 56 bits of v: eight bytes are read and written. */
static inline void put_bits(bit_writer *w, uint64_t v, unsigned n)
{
    uint8_t *p = w->dst + w->at / 8;
    store_u64(p, load_u64(p) | (v & ((UINT64_C(1) << n) - 1)) << w->at % 8);
    w->at += n;
}

static unsigned gamma_bits(uint64_t x)
{
    return 2 * bits_log2(x) + 1;
}

static void put_gamma(bit_writer *w, uint64_t x)
{
    unsigned h = bits_log2(x);
    w->at += h;
    put_bits(w, 1 | (x ^ UINT64_C(1) << h) << 1, h + 1);
}

static void put_rice(bit_writer *w, uint64_t zeros, unsigned k)
{
    w->at += zeros >> k;
    put_bits(w, 1 | zeros << 1, k + 1);
}

/* Bits of each code, without the head.  A run of z zeros takes (z >> k) + 1 + k bits in the code
 * of parameter k, and most runs are short. */
static void measure(const uint32_t *values, uint64_t n, uint32_t distinct, uint64_t bits[16])
{
    uint64_t zeros = 0, runs = 0, numbers = 0, gamma = 0, shifted[RUNS_GAMMA] = {0};
    for (uint64_t i = 0; i < n; i++) {
        gamma += gamma_bits((uint64_t)values[i] + 1);
        zeros += values[i] == 0;
        if (!values[i] && i + 1 < n) continue;
        if (values[i] && distinct > 2) numbers += gamma_bits(values[i]);
        runs++;
        for (unsigned k = 0; zeros && k < RUNS_GAMMA; k++, zeros >>= 1) shifted[k] += zeros;
        zeros = 0;
    }
    for (unsigned k = 0; k < RUNS_GAMMA; k++) bits[k] = shifted[k] + runs * (k + 1) + numbers;
    bits[RUNS_GAMMA] = gamma;
}

static void put_all(bit_writer *w, const uint32_t *values, uint64_t n, uint32_t distinct,
                    unsigned k)
{
    uint64_t zeros = 0;
    put_bits(w, k, RUNS_HEAD_BITS);
    for (uint64_t i = 0; i < n; i++) {
        if (k == RUNS_GAMMA) {
            put_gamma(w, (uint64_t)values[i] + 1);
            continue;
        }
        zeros += values[i] == 0;
        if (!values[i] && i + 1 < n) continue;
        put_rice(w, zeros, k);
        if (values[i] && distinct > 2) put_gamma(w, values[i]);
        zeros = 0;
    }
}

uint64_t runs_encode(buf *out, const uint32_t *values, uint64_t n, uint32_t distinct)
{
    uint64_t bits[16];
    unsigned best = RUNS_GAMMA;
    size_t start = out->len;
    measure(values, n, distinct, bits);
    for (unsigned k = RUNS_GAMMA; k-- > 0;)
        if (bits[k] <= bits[best]) best = k;
    uint64_t all = bits[best] + RUNS_HEAD_BITS;
    size_t bytes = (size_t)(all / 8 + (all % 8 != 0));
    if (!buf_reserve(out, bytes + 8)) return all;
    memset(out->data + start, 0, bytes + 8);
    bit_writer w = {.dst = out->data + start};
    put_all(&w, values, n, distinct, best);
    out->len += bytes;
    return all;
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

bool runs_next_code(runs_reader *r, uint32_t *out)
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
