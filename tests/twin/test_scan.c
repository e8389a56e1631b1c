/* SPDX-License-Identifier: MIT
 * test_scan.c - every row of scan kernels that the machine has against the portable one, and
 * the portable one against the silliest way to do the same (INV-7).  Inputs end at a page that
 * may not be touched, outputs have the promised slack and not a byte more.
 *
 * PM_TEST_SEED=n changes the cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/cpu.h"
#include "common/base/hash.h"
#include "common/codec/bits.h"
#include "common/codec/scan.h"
#include "tests/support/guard.h"

enum { ROUNDS = 4000, N_MAX = 700 };

static const scan_kernels *rows[3];
static unsigned n_rows;
static guard areas[8];

static uint64_t seed(void)
{
    const char *chosen = getenv("PM_TEST_SEED");
    uint64_t n = chosen ? strtoull(chosen, NULL, 10) : 31;
    print_message("PM_TEST_SEED=%llu, %u rows\n", (unsigned long long)n, n_rows);
    return n;
}

static uint32_t below(uint64_t *random, uint64_t n)
{
    return (uint32_t)(random_next(random) % n);
}

static int set_up(void **state)
{
    (void)state;
    rows[n_rows++] = &scan_portable;
    if (cpu_machine_level() >= CPU_AVX2) rows[n_rows++] = &scan_avx2;
    if (cpu_machine_level() >= CPU_AVX512) rows[n_rows++] = &scan_avx512;
    for (unsigned i = 0; i < 8; i++) areas[i] = guard_open(32768);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) guard_close(&areas[i]);
    return 0;
}

/* n elements that end where area `which` does, filled with 0x5a. */
#define ROOM(type, which, n)   ((type *)fresh((which), (size_t)(n) * sizeof(type)))
#define OUTPUT(type, which, n) ROOM(type, which, (n) + SCAN_SLACK)
static void *fresh(unsigned which, size_t len)
{
    void *p = guard_last(&areas[which], len);
    memset(p, 0x5a, len);
    return p;
}

/* ---- cases ------------------------------------------------------------------------------- */

/* Bytes of one of a few kinds: any, few different, all the same, extremes. */
static void random_bytes(uint64_t *random, uint8_t *bytes, uint32_t n)
{
    unsigned kind = below(random, 4), one = below(random, 256);
    for (uint32_t i = 0; i < n; i++) {
        unsigned any = below(random, 256);
        bytes[i] = (uint8_t)(kind == 0   ? any
                             : kind == 1 ? one + any % 3
                             : kind == 2 ? one
                             : any & 1   ? 255
                                         : 0);
    }
}

static void random_words(uint64_t *random, uint64_t *words, uint32_t n)
{
    unsigned kind = below(random, 8);
    for (uint32_t i = 0; i < n; i++) {
        words[i] = kind == 6 ? UINT64_MAX : kind == 7 ? 0 : random_next(random);
        for (unsigned k = 0; k < kind && kind < 6; k++) words[i] &= random_next(random);
    }
}

static void rising(uint64_t *random, uint32_t *numbers, uint32_t n, uint32_t gap)
{
    uint64_t at = below(random, 2) ? 0 : below(random, gap);
    for (uint32_t i = 0; i < n; i++, at += 1 + below(random, gap)) numbers[i] = (uint32_t)at;
}

/* ---- filters ----------------------------------------------------------------------------- */

static void bytes_in_range_agrees(void **state)
{
    (void)state;
    uint64_t random = seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, N_MAX), want = 0, silly[N_MAX];
        uint8_t *bytes = ROOM(uint8_t, 0, n), low = (uint8_t)below(&random, 256),
                high = (uint8_t)below(&random, 256);
        random_bytes(&random, bytes, n);
        if (below(&random, 4) == 0) high = 255;
        if (below(&random, 4) == 0) low = 0;
        for (uint32_t i = 0; i < n; i++)
            if (bytes[i] >= low && bytes[i] <= high) silly[want++] = round + i;
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t *out = OUTPUT(uint32_t, 1, n);
            assert_int_equal(rows[r]->bytes_in_range(bytes, n, low, high, round, out), want);
            assert_memory_equal(out, silly, want * sizeof *out);
        }
    }
}

static void numbers_in_range_agrees(void **state)
{
    (void)state;
    uint64_t random = seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, N_MAX), want = 0, silly[N_MAX];
        uint8_t *bytes = ROOM(uint8_t, 0, n), low = (uint8_t)below(&random, 256),
                high = below(&random, 2) ? 255 : (uint8_t)below(&random, 256), silly_bytes[N_MAX];
        uint32_t *numbers = ROOM(uint32_t, 1, n);
        random_bytes(&random, bytes, n);
        if (below(&random, 4) == 0) low = 0;
        for (uint32_t i = 0; i < n; i++) {
            numbers[i] = (uint32_t)random_next(&random);
            if (bytes[i] < low || bytes[i] > high) continue;
            silly[want] = numbers[i];
            silly_bytes[want++] = bytes[i];
        }
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t *out = OUTPUT(uint32_t, 2, n);
            uint8_t *bytes_out = OUTPUT(uint8_t, 3, n);
            assert_int_equal(
                rows[r]->numbers_in_range(numbers, bytes, n, low, high, out, bytes_out), want);
            assert_memory_equal(out, silly, want * sizeof *out);
            assert_memory_equal(bytes_out, silly_bytes, want);
        }
    }
}

static void table_values_agree(void **state)
{
    (void)state;
    uint64_t random = seed();
    float table[256];
    for (unsigned i = 0; i < 256; i++) table[i] = (float)random_next(&random) * 1e-7f;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, N_MAX);
        float factor = (float)below(&random, 1000) * 0.01f, silly[N_MAX];
        uint8_t *bytes = ROOM(uint8_t, 0, n);
        random_bytes(&random, bytes, n);
        for (uint32_t i = 0; i < n; i++) silly[i] = factor * table[bytes[i]];
        for (unsigned r = 0; r < n_rows; r++) {
            float *out = OUTPUT(float, 1, n);
            rows[r]->table_values(table, bytes, n, factor, out);
            assert_memory_equal(out, silly, n * sizeof *out);
        }
    }
}

static uint32_t silly_bucket(const uint64_t *words, const uint64_t *also, const uint8_t *bytes,
                             uint32_t n, uint8_t low, uint8_t high, uint32_t base, uint32_t *out,
                             uint8_t *bytes_out)
{
    uint32_t k = 0, kept = 0;
    for (uint32_t bit = 0; bit < 512; bit++) {
        if (!bits_get(words, bit) || k == n) continue;
        uint8_t byte = bytes[k++];
        if (byte < low || byte > high || (also && !bits_get(also, bit))) continue;
        out[kept] = base + bit;
        bytes_out[kept++] = byte;
    }
    return kept;
}

static void bucket_in_range_agrees(void **state)
{
    (void)state;
    uint64_t random = seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t *words = ROOM(uint64_t, 0, 8),
                 *also = below(&random, 2) ? ROOM(uint64_t, 1, 8) : NULL;
        random_words(&random, words, 8);
        if (also) random_words(&random, also, 8);
        uint32_t ones = (uint32_t)scan_portable.total(words, 8), silly[512];
        /* As many bytes as bits, or fewer, one among them, or (which a crafted file may say) more,
         * even than a bucket has bits. */
        uint32_t n = below(&random, 2) ? ones : below(&random, below(&random, 4) ? N_MAX : 4);
        uint8_t *bytes = ROOM(uint8_t, 2, n), silly_bytes[512];
        random_bytes(&random, bytes, n);
        uint8_t low = (uint8_t)(below(&random, 4) ? below(&random, 256) : 0),
                high = (uint8_t)(below(&random, 2) ? 255 : below(&random, 256));
        uint32_t want = silly_bucket(words, also, bytes, n, low, high, round, silly, silly_bytes);
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t *out = OUTPUT(uint32_t, 3, 512);
            uint8_t *bytes_out = OUTPUT(uint8_t, 4, 512);
            assert_int_equal(
                rows[r]->bucket_in_range(words, also, bytes, n, low, high, round, out, bytes_out),
                want);
            assert_memory_equal(out, silly, want * sizeof *out);
            assert_memory_equal(bytes_out, silly_bytes, want);
        }
    }
}

static uint32_t silly_bucket_add(const uint64_t *words, const uint8_t *bytes, uint32_t n,
                                 const uint16_t line[3], uint16_t *sums, uint32_t *out)
{
    uint32_t k = 0, found = 0;
    for (uint32_t bit = 0; bit < 512 && k < n; bit++) {
        if (!(words[bit / 64] >> bit % 64 & 1)) continue;
        uint32_t before = sums[bit];
        sums[bit] = (uint16_t)(before + (uint32_t)bytes[k++] * line[0] / 256 + line[1]);
        if (before < line[2] && sums[bit] >= line[2]) out[found++] = bit;
    }
    return found;
}

static void bucket_add_agrees(void **state)
{
    (void)state;
    uint64_t random = seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t *words = ROOM(uint64_t, 0, 8);
        random_words(&random, words, 8);
        uint32_t ones = (uint32_t)scan_portable.total(words, 8), silly[512];
        uint32_t n = below(&random, 2) ? ones : below(&random, N_MAX);
        uint8_t *bytes = ROOM(uint8_t, 2, n);
        random_bytes(&random, bytes, n);
        uint16_t line[3], start[512], want_sums[512]; /* slope, offset, least                 */
        for (unsigned i = 0; i < 3; i++)
            line[i] = (uint16_t)below(&random, below(&random, 2) ? 65536 : 300);
        for (unsigned i = 0; i < 512; i++)
            start[i] = (uint16_t)below(&random, below(&random, 2) ? 65536 : 1 + line[2]);
        memcpy(want_sums, start, sizeof start);
        uint32_t want = silly_bucket_add(words, bytes, n, line, want_sums, silly);
        for (unsigned r = 0; r < n_rows; r++) {
            uint16_t *sums = ROOM(uint16_t, 3, 512);
            uint32_t *out = OUTPUT(uint32_t, 4, 512);
            memcpy(sums, start, sizeof start);
            assert_int_equal(
                rows[r]->bucket_add(words, bytes, n, line[0], line[1], line[2], sums, out), want);
            assert_memory_equal(sums, want_sums, sizeof want_sums);
            assert_memory_equal(out, silly, want * sizeof *out);
        }
    }
}

static void keep_least_agrees(void **state)
{
    (void)state;
    uint64_t random = seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, N_MAX), want = 0, from[N_MAX], silly[N_MAX];
        float scores[N_MAX], silly_scores[N_MAX], least = (float)below(&random, 20);
        for (uint32_t i = 0; i < n; i++) {
            from[i] = below(&random, UINT32_MAX);
            scores[i] = (float)below(&random, 24);
            if (scores[i] < least) continue;
            silly[want] = from[i];
            silly_scores[want++] = scores[i];
        }
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t *docs = OUTPUT(uint32_t, 0, n);
            float *kept = OUTPUT(float, 1, n);
            memcpy(docs, from, n * sizeof *docs);
            memcpy(kept, scores, n * sizeof *kept);
            assert_int_equal(rows[r]->keep_least(docs, kept, n, least), want);
            assert_memory_equal(docs, silly, want * sizeof *docs);
            assert_memory_equal(kept, silly_scores, want * sizeof *kept);
        }
    }
}

/* ---- sorted lists ------------------------------------------------------------------------ */

/* Now and then both lists end at the highest numbers. */
static void to_the_top(uint64_t *random, uint32_t *a, uint32_t na, uint32_t *b, uint32_t nb)
{
    if (below(random, 4)) return;
    uint32_t add_a = na ? UINT32_MAX - below(random, 3) - a[na - 1] : 0,
             add_b = nb ? UINT32_MAX - below(random, 3) - b[nb - 1] : 0;
    for (uint32_t i = 0; i < na; i++) a[i] += add_a;
    for (uint32_t i = 0; i < nb; i++) b[i] += add_b;
}

static void intersect_agrees(void **state)
{
    (void)state;
    uint64_t random = seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t na = below(&random, N_MAX / 2), nb = below(&random, N_MAX), want = 0, in_a[N_MAX],
                 in_b[N_MAX];
        uint32_t *a = ROOM(uint32_t, 0, na), *b = ROOM(uint32_t, 1, nb);
        rising(&random, a, na, 1 + below(&random, 40));
        rising(&random, b, nb, 1 + below(&random, 20));
        to_the_top(&random, a, na, b, nb);
        for (uint32_t i = 0; i < na; i++)
            for (uint32_t j = 0; j < nb; j++)
                if (a[i] == b[j]) in_a[want] = i, in_b[want++] = j;
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t *at_a = OUTPUT(uint32_t, 2, na), *at_b = OUTPUT(uint32_t, 3, na);
            assert_int_equal(rows[r]->intersect(a, na, b, nb, at_a, at_b), want);
            assert_memory_equal(at_a, in_a, want * sizeof *at_a);
            assert_memory_equal(at_b, in_b, want * sizeof *at_b);
            at_a = OUTPUT(uint32_t, 2, na);
            assert_int_equal(rows[r]->intersect(a, na, b, nb, at_a, NULL), want);
            assert_memory_equal(at_a, in_a, want * sizeof *at_a);
        }
    }
}

/* Documents of a crafted file that do not rise: nothing is read or written elsewhere. */
static void intersect_bears_disorder(void **state)
{
    (void)state;
    uint64_t random = seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t na = below(&random, 64), nb = below(&random, 300);
        uint32_t *a = ROOM(uint32_t, 0, na), *b = ROOM(uint32_t, 1, nb);
        rising(&random, b, nb, 2);
        for (uint32_t i = 0; i < na; i++) a[i] = below(&random, 400);
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t *at_a = OUTPUT(uint32_t, 2, na), *at_b = OUTPUT(uint32_t, 3, na);
            bool few = nb <= 256 && below(&random, 2);
            uint32_t met = few ? rows[r]->intersect_few(a, na, b, nb, at_a, at_b)
                               : rows[r]->intersect(a, na, b, nb, at_a, at_b);
            assert_true(met <= na);
            for (uint32_t i = 0; i < met; i++) assert_true(at_a[i] < na && at_b[i] < nb);
        }
    }
}

static void intersect_few_agrees(void **state)
{
    (void)state;
    uint64_t random = seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t na = below(&random, 100), nb = below(&random, 4) ? below(&random, 257) : 256;
        uint32_t *a = ROOM(uint32_t, 0, na), *b = ROOM(uint32_t, 1, nb), want = 0, in_a[100],
                 in_b[100];
        rising(&random, b, nb, 1 + below(&random, 20));
        rising(&random, a, na, 1 + below(&random, 100));
        to_the_top(&random, a, na, b, nb);
        for (uint32_t i = 0; i < na; i++)
            for (uint32_t j = 0; j < nb; j++)
                if (a[i] == b[j]) in_a[want] = i, in_b[want++] = j;
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t *at_a = OUTPUT(uint32_t, 2, na), *at_b = OUTPUT(uint32_t, 3, na);
            assert_int_equal(rows[r]->intersect_few(a, na, b, nb, at_a, at_b), want);
            assert_memory_equal(at_a, in_a, want * sizeof *at_a);
            assert_memory_equal(at_b, in_b, want * sizeof *at_b);
            at_a = OUTPUT(uint32_t, 2, na);
            assert_int_equal(rows[r]->intersect_few(a, na, b, nb, at_a, NULL), want);
            assert_memory_equal(at_a, in_a, want * sizeof *at_a);
        }
    }
}

static void seek_agrees(void **state)
{
    (void)state;
    uint64_t random = seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, N_MAX), from = below(&random, n + 1), target, want = from;
        uint32_t *numbers = ROOM(uint32_t, 0, n);
        rising(&random, numbers, n, below(&random, 2) ? 10 : 5000000);
        target = n && below(&random, 2) ? numbers[below(&random, n)] + below(&random, 2)
                                        : below(&random, UINT32_MAX);
        while (want < n && numbers[want] < target) want++;
        for (unsigned r = 0; r < n_rows; r++)
            assert_int_equal(rows[r]->seek(numbers, from, n, target), want);
        for (uint32_t i = 0; i < n; i++) numbers[i] = below(&random, 100);
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t got = rows[r]->seek(numbers, from, n, 50);
            assert_true(got >= from && got <= n);
        }
    }
}

/* ---- bitmaps ----------------------------------------------------------------------------- */

static void bitmap_probe_agrees(void **state)
{
    (void)state;
    uint64_t random = seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, N_MAX), n_words = below(&random, 100), want = 0, silly[N_MAX];
        uint64_t *words = ROOM(uint64_t, 0, n_words);
        uint32_t *numbers = ROOM(uint32_t, 1, n);
        random_words(&random, words, n_words);
        for (uint32_t i = 0; i < n; i++) {
            numbers[i] = below(&random, 50) ? below(&random, 6400) : below(&random, UINT32_MAX);
            if (numbers[i] < 64 * n_words && bits_get(words, numbers[i])) silly[want++] = i;
        }
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t *at = OUTPUT(uint32_t, 2, n);
            assert_int_equal(rows[r]->bitmap_probe(words, n_words, numbers, n, at), want);
            assert_memory_equal(at, silly, want * sizeof *at);
        }
    }
}

static void bitmap_put_agrees(void **state)
{
    (void)state;
    uint64_t random = seed();
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
        for (unsigned r = 0; r < n_rows; r++) {
            memcpy(words, before, n_words * sizeof *words);
            rows[r]->bitmap_put(words, numbers, n);
            assert_memory_equal(words, silly, n_words * sizeof *words);
        }
    }
}

static void bucket_ranks_agree(void **state)
{
    (void)state;
    uint64_t random = seed();
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
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t *out = ROOM(uint32_t, 4, n);
            rows[r]->bucket_ranks(words, ranks, numbers, at, n, out);
            assert_memory_equal(out, silly, n * sizeof *out);
        }
    }
}

static void words_agree(void **state)
{
    (void)state;
    uint64_t random = seed();
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
        for (unsigned r = 0; r < n_rows; r++) {
            assert_true(rows[r]->total(a, n) == ones && rows[r]->and_total(a, b, n) == both);
            rows[r]->and_into(a, b, n);
            for (uint32_t i = 0; i < n; i++) assert_true(a[i] == (had[i] & b[i]));
            memcpy(a, had, n * sizeof *a);
            rows[r]->or_into(a, b, n);
            for (uint32_t i = 0; i < n; i++) assert_true(a[i] == (had[i] | b[i]));
            memcpy(a, had, n * sizeof *a);
            rows[r]->andnot_into(a, b, n);
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
    uint64_t random = seed();
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
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t *at = OUTPUT(uint32_t, 2, n_given), *index = OUTPUT(uint32_t, 3, n_given);
            assert_int_equal(
                rows[r]->ef_find_many(&shape, words, base, numbers, n_given, at, index), want);
            assert_memory_equal(at, silly_at, want * sizeof *at);
            assert_memory_equal(index, silly_index, want * sizeof *index);
            assert_int_equal(rows[r]->ef_find_many(&shape, words, base, numbers, n_given, at, NULL),
                             want);
        }
    }
}

static void block_values_agree(void **state)
{
    (void)state;
    uint64_t random = seed();
    for (unsigned round = 0; round < ROUNDS / 2; round++) {
        uint32_t n = below(&random, 2) ? 256 : 1 + below(&random, 256), values[256];
        uint64_t range = n - 1 + random_next(&random) % (UINT64_C(1) << below(&random, 32));
        ef_shape shape;
        assert_true(ef_shape_of(n, (uint32_t)range, &shape));
        uint64_t *words = ROOM(uint64_t, 0, shape.words);
        make_values(&random, &shape, values);
        ef_encode(&shape, values, words);
        for (unsigned r = 0; r < n_rows; r++)
            for (uint32_t i = 0; i < n; i += 1 + below(&random, 20)) {
                uint32_t other = values[i] + 1, is_there = i + 1 < n && values[i + 1] == other;
                assert_int_equal(rows[r]->ef_select(&shape, words, i), values[i]);
                assert_int_equal(rows[r]->ef_find(&shape, words, values[i]), i);
                if (i + 1 < n)
                    assert_int_equal(rows[r]->ef_find(&shape, words, other),
                                     is_there ? i + 1 : UINT32_MAX);
            }
        random_words(&random, words, shape.words);
        for (unsigned k = 0; k < 10; k++) {
            uint32_t i = below(&random, n), v = below(&random, (uint64_t)shape.range + 1);
            uint32_t selected = scan_portable.ef_select(&shape, words, i),
                     found = scan_portable.ef_find(&shape, words, v);
            assert_true(selected <= shape.range && (found < n || found == UINT32_MAX));
            for (unsigned r = 1; r < n_rows; r++) {
                assert_int_equal(rows[r]->ef_select(&shape, words, i), selected);
                assert_int_equal(rows[r]->ef_find(&shape, words, v), found);
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
        for (unsigned r = 0; r < n_rows; r++)
            assert_int_equal(rows[r]->ef_find(s, words, value), found);
    }
    for (unsigned r = 0; r < n_rows; r++) {
        uint32_t *at = OUTPUT(uint32_t, 2, n), *index = OUTPUT(uint32_t, 3, n);
        assert_int_equal(rows[r]->ef_find_many(s, words, 7, numbers, n, at, index), want);
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
        cmocka_unit_test(bytes_in_range_agrees),
        cmocka_unit_test(numbers_in_range_agrees),
        cmocka_unit_test(table_values_agree),
        cmocka_unit_test(bucket_in_range_agrees),
        cmocka_unit_test(bucket_add_agrees),
        cmocka_unit_test(keep_least_agrees),
        cmocka_unit_test(intersect_agrees),
        cmocka_unit_test(intersect_bears_disorder),
        cmocka_unit_test(intersect_few_agrees),
        cmocka_unit_test(seek_agrees),
        cmocka_unit_test(bitmap_probe_agrees),
        cmocka_unit_test(bitmap_put_agrees),
        cmocka_unit_test(bucket_ranks_agree),
        cmocka_unit_test(words_agree),
        cmocka_unit_test(block_values_agree),
        cmocka_unit_test(find_many_agrees),
        cmocka_unit_test(ones_too_many_are_no_values),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
