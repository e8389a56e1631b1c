/* SPDX-License-Identifier: MIT
 * test_scan_blocks.c - as test_scan.c: the kernels that look into bitmaps and into blocks that are
 * not decoded.
 *
 * PM_TEST_SEED=n changes the cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/codec/bits.h"
#include "tests/support/scan_rows.h"

enum { ROUNDS = 4000, N_MAX = 700 };

/* ---- bitmaps ----------------------------------------------------------------------------- */

static void bitmap_probe_agrees(void **state)
{
    (void)state;
    uint64_t random = scan_seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, N_MAX), n_words = below(&random, 100), want = 0, silly[N_MAX];
        uint64_t *words = ROOM(uint64_t, 0, n_words);
        uint32_t *numbers = ROOM(uint32_t, 1, n);
        random_words(&random, words, n_words);
        for (uint32_t i = 0; i < n; i++) {
            numbers[i] = below(&random, 50) ? below(&random, 6400) : below(&random, UINT32_MAX);
            if (numbers[i] < 64 * n_words && bits_get(words, numbers[i])) silly[want++] = i;
        }
        for (unsigned r = 0; r < n_scan_rows; r++) {
            uint32_t *at = OUTPUT(uint32_t, 2, n);
            assert_int_equal(scan_rows[r]->bitmap_probe(words, n_words, numbers, n, at), want);
            assert_memory_equal(at, silly, want * sizeof *at);
        }
    }
}

static void bitmap_put_agrees(void **state)
{
    (void)state;
    uint64_t random = scan_seed();
    for (unsigned round = 0; round < ROUNDS / 4; round++) {
        uint32_t n = below(&random, N_MAX), n_words = 1 + below(&random, 50);
        uint32_t *numbers = ROOM(uint32_t, 1, n);
        uint64_t *words = ROOM(uint64_t, 0, n_words), silly[50], before[50];
        random_words(&random, words, n_words);
        memcpy(silly, words, n_words * sizeof *words);
        memcpy(before, words, n_words * sizeof *words);
        for (uint32_t i = 0; i < n; i++) {
            numbers[i] = below(&random, 64 * n_words);
            bits_set(silly, numbers[i]);
        }
        for (unsigned r = 0; r < n_scan_rows; r++) {
            memcpy(words, before, n_words * sizeof *words);
            scan_rows[r]->bitmap_put(words, numbers, n);
            assert_memory_equal(words, silly, n_words * sizeof *words);
        }
    }
}

static void bucket_ranks_agree(void **state)
{
    (void)state;
    uint64_t random = scan_seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t buckets = 1 + below(&random, 6), n = below(&random, 40), silly[40];
        uint64_t *words = ROOM(uint64_t, 0, 8 * buckets);
        uint32_t *ranks = ROOM(uint32_t, 1, buckets), *numbers = ROOM(uint32_t, 2, 40),
                 *at = ROOM(uint32_t, 3, n);
        random_words(&random, words, 8 * buckets);
        for (uint32_t b = 0; b < buckets; b++) ranks[b] = below(&random, UINT32_MAX);
        for (uint32_t i = 0; i < 40; i++) numbers[i] = below(&random, 512 * buckets);
        for (uint32_t i = 0; i < n; i++) {
            at[i] = below(&random, 40);
            uint32_t number = numbers[at[i]];
            silly[i] = ranks[number / 512];
            for (uint32_t bit = number / 512 * 512; bit < number; bit++)
                silly[i] += bits_get(words, bit);
        }
        for (unsigned r = 0; r < n_scan_rows; r++) {
            uint32_t *out = ROOM(uint32_t, 4, n);
            scan_rows[r]->bucket_ranks(words, ranks, numbers, at, n, out);
            assert_memory_equal(out, silly, n * sizeof *out);
        }
    }
}

static void words_agree(void **state)
{
    (void)state;
    uint64_t random = scan_seed();
    for (unsigned round = 0; round < ROUNDS / 4; round++) {
        uint32_t n = below(&random, 300);
        uint64_t had[300], *a = ROOM(uint64_t, 0, n), *b = ROOM(uint64_t, 1, n), ones = 0, both = 0;
        random_words(&random, a, n);
        random_words(&random, b, n);
        memcpy(had, a, n * sizeof *a);
        for (uint32_t at = 0; at < 64 * n; at++) {
            ones += bits_get(a, at);
            both += bits_get(a, at) && bits_get(b, at);
        }
        for (unsigned r = 0; r < n_scan_rows; r++) {
            assert_true(scan_rows[r]->total(a, n) == ones &&
                        scan_rows[r]->and_total(a, b, n) == both);
            scan_rows[r]->and_into(a, b, n);
            for (uint32_t i = 0; i < n; i++) assert_true(a[i] == (had[i] & b[i]));
            memcpy(a, had, n * sizeof *a);
            scan_rows[r]->or_into(a, b, n);
            for (uint32_t i = 0; i < n; i++) assert_true(a[i] == (had[i] | b[i]));
            memcpy(a, had, n * sizeof *a);
            scan_rows[r]->andnot_into(a, b, n);
            for (uint32_t i = 0; i < n; i++) assert_true(a[i] == (had[i] & ~b[i]));
            memcpy(a, had, n * sizeof *a);
        }
    }
}

/* ---- single values of blocks ------------------------------------------------------------- */

static void make_values(uint64_t *random, const ef_shape *s, uint32_t *values)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        uint64_t most = (uint64_t)s->range - at - (s->n - 1 - i);
        at = i == s->n - 1 ? s->range : at + below(random, most / (s->n - i) + 1);
        values[i] = (uint32_t)at++;
    }
}

/* Values in runs of neighbours, many with the same high part; gives their range. */
static uint32_t make_runs(uint64_t *random, uint32_t n, uint32_t *values)
{
    uint32_t at = 0, rare = 2 + below(random, 80), far = 1u << below(random, 18),
             step = 1 + below(random, 3);
    for (uint32_t i = 0; i < n; i++) {
        values[i] = at;
        at += below(random, rare) ? 1 + below(random, step) : 1 + below(random, far);
    }
    return values[n - 1];
}

/* Some values, some that are not, some beyond the block, some below its base. */
static uint32_t make_numbers(uint64_t *random, const ef_shape *shape, const uint32_t *values,
                             uint32_t base, uint32_t *numbers)
{
    uint32_t n = below(random, 80);
    for (uint32_t i = 0; i < n; i++)
        numbers[i] = base + (below(random, 2)   ? values[below(random, shape->n)] + below(random, 2)
                             : below(random, 8) ? below(random, (uint64_t)shape->range + 2)
                                                : (uint32_t)random_next(random));
    return n;
}

static void find_many_agrees(void **state)
{
    (void)state;
    uint64_t random = scan_seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, 4) ? 256 : 1 + below(&random, 256), values[256], given[80];
        uint64_t range = n - 1 + random_next(&random) % (UINT64_C(1) << below(&random, 32));
        bool runs = below(&random, 2);
        if (runs) range = make_runs(&random, n, values);
        uint32_t base = below(&random, UINT32_MAX - range);
        ef_shape shape;
        assert_true(ef_shape_of(n, (uint32_t)range, &shape));
        uint64_t *words = ROOM(uint64_t, 0, shape.words);
        if (!runs) make_values(&random, &shape, values);
        ef_encode(&shape, values, words);
        if (below(&random, 3) == 0) random_words(&random, words, shape.words);
        uint32_t n_given = make_numbers(&random, &shape, values, base, given), want = 0;
        uint32_t *numbers = ROOM(uint32_t, 1, n_given), silly_at[80], silly_index[80];
        memcpy(numbers, given, n_given * sizeof *given);
        for (uint32_t i = 0; i < n_given; i++) {
            uint32_t found = scan_portable.ef_find(&shape, words, given[i] - base);
            if (found == UINT32_MAX) continue;
            silly_at[want] = i;
            silly_index[want++] = found;
        }
        for (unsigned r = 0; r < n_scan_rows; r++) {
            uint32_t *at = OUTPUT(uint32_t, 2, n_given), *index = OUTPUT(uint32_t, 3, n_given);
            assert_int_equal(
                scan_rows[r]->ef_find_many(&shape, words, base, numbers, n_given, at, index), want);
            assert_memory_equal(at, silly_at, want * sizeof *at);
            assert_memory_equal(index, silly_index, want * sizeof *index);
            assert_int_equal(
                scan_rows[r]->ef_find_many(&shape, words, base, numbers, n_given, at, NULL), want);
        }
    }
}

static void block_values_agree(void **state)
{
    (void)state;
    uint64_t random = scan_seed();
    for (unsigned round = 0; round < ROUNDS / 2; round++) {
        uint32_t n = below(&random, 2) ? 256 : 1 + below(&random, 256), values[256];
        uint64_t range = n - 1 + random_next(&random) % (UINT64_C(1) << below(&random, 32));
        ef_shape shape;
        assert_true(ef_shape_of(n, (uint32_t)range, &shape));
        uint64_t *words = ROOM(uint64_t, 0, shape.words);
        make_values(&random, &shape, values);
        ef_encode(&shape, values, words);
        for (unsigned r = 0; r < n_scan_rows; r++)
            for (uint32_t i = 0; i < n; i += 1 + below(&random, 20)) {
                uint32_t other = values[i] + 1, is_there = i + 1 < n && values[i + 1] == other;
                assert_int_equal(scan_rows[r]->ef_select(&shape, words, i), values[i]);
                assert_int_equal(scan_rows[r]->ef_find(&shape, words, values[i]), i);
                if (i + 1 < n)
                    assert_int_equal(scan_rows[r]->ef_find(&shape, words, other),
                                     is_there ? i + 1 : UINT32_MAX);
            }
        random_words(&random, words, shape.words);
        for (unsigned k = 0; k < 10; k++) {
            uint32_t i = below(&random, n), v = below(&random, (uint64_t)shape.range + 1);
            uint32_t selected = scan_portable.ef_select(&shape, words, i),
                     found = scan_portable.ef_find(&shape, words, v);
            assert_true(selected <= shape.range && (found < n || found == UINT32_MAX));
            for (unsigned r = 1; r < n_scan_rows; r++) {
                assert_int_equal(scan_rows[r]->ef_select(&shape, words, i), selected);
                assert_int_equal(scan_rows[r]->ef_find(&shape, words, v), found);
            }
        }
    }
}

/* Index of a value in a block whose low parts are all the same. */
static uint32_t silly_find(const ef_shape *s, const uint64_t *high, uint32_t low, uint32_t value)
{
    const uint32_t n_bits = 64 * (s->words - s->low_words);
    for (uint32_t at = 0, i = 0; at < n_bits && i < s->n; at++) {
        if (!bits_get(high, at)) continue;
        if (((at - i) << s->low_bits | low) == value) return i;
        i++;
    }
    return UINT32_MAX;
}

/* The given low parts under one high part are looked up, one by one and together. */
static void finds_agree(const ef_shape *s, const uint64_t *words, uint32_t low, uint32_t part,
                        const uint32_t *lows, uint32_t n)
{
    const uint64_t *high = words + s->low_words;
    uint32_t *numbers = ROOM(uint32_t, 1, n), silly[16], want = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t value = part << s->low_bits | lows[i], found = silly_find(s, high, low, value);
        numbers[i] = 7 + value;
        if (found != UINT32_MAX) silly[want++] = found;
        for (unsigned r = 0; r < n_scan_rows; r++)
            assert_int_equal(scan_rows[r]->ef_find(s, words, value), found);
    }
    for (unsigned r = 0; r < n_scan_rows; r++) {
        uint32_t *at = OUTPUT(uint32_t, 2, n), *index = OUTPUT(uint32_t, 3, n);
        assert_int_equal(scan_rows[r]->ef_find_many(s, words, 7, numbers, n, at, index), want);
        assert_memory_equal(index, silly, want * sizeof *index);
    }
}

/* More ones than values: those behind the last value are none, though what stands in the place of
 * their low parts is looked for. */
static void ones_too_many(uint32_t n, uint32_t l, uint32_t period, unsigned filling)
{
    ef_shape s;
    assert_true(ef_shape_of(n, (n << l) + (n << l) / 2 - 1, &s) && !s.bitmap && s.low_bits == l);
    uint64_t *words = ROOM(uint64_t, 0, s.words), *high = words + s.low_words;
    const uint32_t mask = (UINT32_C(1) << l) - 1;
    memset(words, (int)filling, s.low_words * sizeof *words);
    memset(high, 0, (s.words - s.low_words) * sizeof *words);
    for (uint32_t at = 0; at < 64 * (s.words - s.low_words); at++)
        if (period == 1 || at % period) bits_set(high, at);
    uint32_t lows[7] = {0, mask, 1};
    for (uint32_t k = 0; k < 4; k++)
        lows[3 + k] = bits_field(words, s.words,
                                 n == EF_BLOCK_MAX ? s.low_words * 64 + 32 * k : (n + k) * l, l);
    for (uint32_t part = 0; part < n + n / 2; part++)
        finds_agree(&s, words, filling & mask ? mask : 0, part, lows, 7);
}

static void ones_too_many_are_no_values(void **state)
{
    (void)state;
    static const uint32_t periods[] = {1, 2, 3, 4, 5, 9, 20};
    for (unsigned k = 0; k < sizeof periods / sizeof *periods; k++)
        for (uint32_t l = 4; l < 24; l += 6)
            for (unsigned filling = 0; filling < 256; filling += 255) {
                ones_too_many(256, l, periods[k], filling);
                ones_too_many(100, l, periods[k], filling);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bitmap_probe_agrees),         cmocka_unit_test(bitmap_put_agrees),
        cmocka_unit_test(bucket_ranks_agree),          cmocka_unit_test(words_agree),
        cmocka_unit_test(block_values_agree),          cmocka_unit_test(find_many_agrees),
        cmocka_unit_test(ones_too_many_are_no_values),
    };
    return cmocka_run_group_tests(tests, scan_rows_begin, scan_rows_end);
}
