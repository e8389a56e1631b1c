/* SPDX-License-Identifier: MIT
 * test_runs.c - numbers in runs: known bytes, every code chosen and read back, the shortest one
 * chosen, any bytes as a reader has them that reads bit by bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/codec/runs.h"
#include "tests/support/guard.h"

static uint32_t below(uint64_t *random, uint32_t n)
{
    return (uint32_t)(random_next(random) % n);
}

static void known_bytes(void **state)
{
    (void)state;
    buf out = {0};
    /* k = 15, codes 00101 010 1 00101: runs would take a bit more. */
    static const uint32_t few[] = {5, 1, 0, 5};
    assert_int_equal(runs_encode(&out, few, 4, 6), 4 + 14);
    assert_memory_equal(out.data, "\x4f\x95\x02", 3);
    buf_reset(&out);
    /* k = 1: runs of 5, 3 and 0, each ended by the only other number, and 2 at the end:
     * 001 1, 01 1, 1 0, 01 0. */
    static const uint32_t many[] = {0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0};
    assert_int_equal(runs_encode(&out, many, 13, 2), 4 + 12);
    assert_int_equal(out.data[0], 0xc1);
    assert_int_equal(out.data[1], 0x4e);
    buf_free(&out);
}

/* Numbers below `distinct`, 0 in all but one of `rarity`. */
static void fill(uint32_t *values, uint32_t n, uint32_t distinct, uint32_t rarity, uint64_t *random)
{
    for (uint32_t i = 0; i < n; i++)
        values[i] = below(random, rarity) ? 0 : below(random, distinct);
}

static unsigned round_trip(const uint32_t *values, uint32_t n, uint32_t distinct, buf *out)
{
    runs_reader r;
    uint32_t value;
    size_t start = out->len;
    uint64_t bits = runs_encode(out, values, n, distinct);
    assert_int_equal(out->len - start, (bits + 7) / 8);
    if (bits % 8) assert_int_equal(out->data[out->len - 1] >> bits % 8, 0);
    assert_true(runs_open(&r, (slice){out->data + start, out->len - start}, bits, distinct));
    for (uint32_t i = 0; i < n; i++) {
        assert_true(runs_next(&r, &value));
        assert_int_equal(value, values[i]);
    }
    assert_true(r.at == bits && runs_done(&r));
    if (distinct > 2) assert_false(runs_next(&r, &value));
    return r.k;
}

/* Read some at a time, up to the first that is none, numbers are those that are read one by one. */
static void some_equal_one(slice bits, uint64_t n_bits, uint32_t distinct, uint64_t *random)
{
    enum { SOME = 400 };
    uint32_t ones[SOME], some[SOME];
    runs_reader a, b;
    if (!runs_open(&a, bits, n_bits, distinct)) return;
    assert_true(runs_open(&b, bits, n_bits, distinct));
    for (bool good = true; good;) {
        uint32_t want = 1 + below(random, SOME), n = 0;
        while (n < want && (good = runs_next(&a, &ones[n]))) n++;
        assert_int_equal(runs_read(&b, some, want), good);
        assert_memory_equal(some, ones, n * sizeof *ones);
        assert_int_equal(a.at, b.at);
        assert_int_equal(a.zeros, b.zeros);
    }
}

static void round_trips(void **state)
{
    (void)state;
    enum { N = 3000 };
    static uint32_t values[N];
    static const uint32_t distincts[] = {2, 3, 5, 40, 100000, UINT32_MAX};
    bool seen[16] = {false};
    uint64_t random = 14;
    buf out = {0};
    for (uint32_t rarity = 1; rarity < 60000; rarity += 1 + rarity / 2)
        for (unsigned d = 0; d < sizeof distincts / sizeof *distincts; d++)
            for (unsigned round = 0; round < 6; round++) {
                uint32_t n = round ? 1 + below(&random, N) : N;
                buf_reset(&out);
                buf_append(&out, "xyz", round % 4); /* appends at any byte                     */
                fill(values, n, distincts[d], rarity, &random);
                seen[round_trip(values, n, distincts[d], &out)] = true;
                slice code = {out.data + round % 4, out.len - round % 4};
                some_equal_one(code, 8 * code.len, distincts[d], &random);
            }
    values[0] = UINT32_MAX - 1;
    round_trip(values, 1, UINT32_MAX, &out);
    buf_free(&out);
    for (unsigned k = 0; k < 9; k++) assert_true(seen[k]);
    assert_true(seen[15]);
}

/* Runs of 1.5 times 2^k zeros are shortest in code k, as short in k + 1; and a very long one. */
static void long_runs(void **state)
{
    (void)state;
    enum { N = 1 << 17 };
    static uint32_t values[N];
    buf out = {0};
    for (unsigned k = 1; k < 15; k++) {
        const uint32_t n = 4 * ((3u << (k - 1)) + 1);
        memset(values, 0, sizeof values);
        for (uint32_t i = n / 4; i <= n; i += n / 4) values[i - 1] = 1;
        buf_reset(&out);
        assert_int_equal(round_trip(values, n, 2, &out), k);
    }
    memset(values, 0, sizeof values);
    values[N - 1] = 1;
    buf_reset(&out);
    assert_int_equal(round_trip(values, N, 2, &out), 14);
    buf_free(&out);
}

static void numbers_in_pieces(void **state)
{
    (void)state;
    static const uint32_t values[] = {0, 0, 3, 0, 7, 0, 0, 0, 2, 0};
    buf whole = {0}, out = {0};
    uint64_t bits = runs_encode(&whole, values, 10, 9);
    for (unsigned first = 0; first <= 10; first++) {
        runs_coder c = runs_coder_of(9);
        runs_measure(&c, values, first);
        runs_measure(&c, values + first, 10 - first);
        assert_int_equal(c.largest, 7);
        buf_reset(&out);
        assert_true(runs_begin(&c, &out));
        runs_put(&c, values, first);
        runs_put(&c, values + first, 10 - first);
        assert_int_equal(runs_end(&c, &out), bits);
        assert_int_equal(out.len, whole.len);
        assert_memory_equal(out.data, whole.data, whole.len);
    }
    buf_free(&whole);
    buf_free(&out);
}

static void refused_memory(void **state)
{
    (void)state;
    buf out = {0};
    mem_fail_at(1, true);
    runs_encode(&out, (const uint32_t[]){0, 1}, 2, 2);
    mem_fail_at(0, false);
    assert_true(out.failed && out.len == 0);
    buf_free(&out);
}

/* ---- the words of runs.h, bit by bit ------------------------------------------------------ */

/* Bits from `at` on, lowest first; false when they end. */
static bool silly_bits(runs_reader *r, uint64_t n, uint64_t *out)
{
    *out = 0;
    for (uint64_t i = 0; i < n; i++, r->at++) {
        if (r->at >= r->n_bits) return false;
        *out |= (uint64_t)(r->bits.data[r->at / 8] >> r->at % 8 & 1) << i;
    }
    return true;
}

static bool silly_zeros(runs_reader *r, uint64_t *n)
{
    uint64_t bit;
    for (*n = 0; silly_bits(r, 1, &bit); ++*n)
        if (bit) return true;
    return false;
}

static bool silly_gamma(runs_reader *r, uint64_t *x)
{
    uint64_t h, low;
    if (!silly_zeros(r, &h) || h > 32 || !silly_bits(r, h, &low)) return false;
    *x = (UINT64_C(1) << h) + low;
    return true;
}

static bool silly_next(runs_reader *r, uint64_t *value)
{
    uint64_t quotient, low;
    if (r->k == 15) return silly_gamma(r, value) && --*value < r->distinct;
    if (!r->in_run) {
        if (!silly_zeros(r, &quotient) || !silly_bits(r, r->k, &low)) return false;
        r->zeros = (quotient << r->k) + low;
    }
    r->in_run = r->zeros > 0;
    *value = !r->in_run;
    if (r->in_run)
        r->zeros--;
    else if (r->distinct > 2 && !silly_gamma(r, value))
        return false;
    return *value < r->distinct;
}

/* Whatever the bytes are: an end comes, values are in range, nothing behind the bytes is read. */
static void any_bytes_are_defined(void **state)
{
    (void)state;
    guard g = guard_open(64);
    uint64_t random = 15;
    for (unsigned round = 0; round < 20000; round++) {
        size_t len = below(&random, 40);
        uint8_t *data = guard_last(&g, len);
        unsigned rarity = 1 + below(&random, 12); /* runs of zeros longer than a word             */
        for (size_t i = 0; i < len; i++)
            data[i] = below(&random, rarity)
                          ? 0
                          : (uint8_t)(random_next(&random) & random_next(&random) &
                                      (round % 2 ? UINT64_MAX : random_next(&random)));
        if (len && below(&random, 2)) data[0] |= below(&random, 2) ? 15 : 1; /* of each code */
        uint32_t distinct = 2 + below(&random, round % 3 ? 4 : 1u << 31), value = 0;
        uint64_t bits = 8 * len - (len ? below(&random, 8) : 0);
        runs_reader r, silly;
        if (!runs_open(&r, (slice){data, len}, bits, distinct)) continue;
        silly = r;
        uint64_t want;
        for (unsigned i = 0; i < 1000; i++) {
            bool good = silly_next(&silly, &want);
            assert_int_equal(runs_next(&r, &value), good);
            if (!good) break;
            assert_true(value == want && r.at == silly.at);
        }
        some_equal_one((slice){data, len}, bits, distinct, &random);
    }
    guard_close(&g);
    runs_reader r;
    assert_false(runs_open(&r, (slice){(const uint8_t *)"abc", 3}, 25, 2));
    assert_false(runs_open(&r, (slice){(const uint8_t *)"abc", 3}, 3, 2));
    assert_false(runs_open(&r, (slice){NULL, 0}, 0, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes),    cmocka_unit_test(round_trips),
        cmocka_unit_test(long_runs),      cmocka_unit_test(numbers_in_pieces),
        cmocka_unit_test(refused_memory), cmocka_unit_test(any_bytes_are_defined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
