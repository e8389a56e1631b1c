/* SPDX-License-Identifier: MIT
 * test_scan.c - every row of scan kernels that the machine has against the portable one, and
 * the portable one against the silliest way to do the same (INV-7): filters, sorted lists.  Inputs
 * end at a page that may not be touched, outputs have the promised slack and not a byte more.
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

static void rising(uint64_t *random, uint32_t *numbers, uint32_t n, uint32_t gap)
{
    uint64_t at = below(random, 2) ? 0 : below(random, gap);
    for (uint32_t i = 0; i < n; i++, at += 1 + below(random, gap)) numbers[i] = (uint32_t)at;
}

/* ---- filters ----------------------------------------------------------------------------- */

static void bytes_in_range_agrees(void **state)
{
    (void)state;
    uint64_t random = scan_seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, N_MAX), want = 0, silly[N_MAX];
        uint8_t *bytes = ROOM(uint8_t, 0, n), low = (uint8_t)below(&random, 256),
                high = (uint8_t)below(&random, 256);
        random_bytes(&random, bytes, n);
        if (below(&random, 4) == 0) high = 255;
        if (below(&random, 4) == 0) low = 0;
        for (uint32_t i = 0; i < n; i++)
            if (bytes[i] >= low && bytes[i] <= high) silly[want++] = round + i;
        for (unsigned r = 0; r < n_scan_rows; r++) {
            uint32_t *out = OUTPUT(uint32_t, 1, n);
            assert_int_equal(scan_rows[r]->bytes_in_range(bytes, n, low, high, round, out), want);
            assert_memory_equal(out, silly, want * sizeof *out);
        }
    }
}

static void numbers_in_range_agrees(void **state)
{
    (void)state;
    uint64_t random = scan_seed();
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
        for (unsigned r = 0; r < n_scan_rows; r++) {
            uint32_t *out = OUTPUT(uint32_t, 2, n);
            uint8_t *bytes_out = OUTPUT(uint8_t, 3, n);
            assert_int_equal(
                scan_rows[r]->numbers_in_range(numbers, bytes, n, low, high, out, bytes_out), want);
            assert_memory_equal(out, silly, want * sizeof *out);
            assert_memory_equal(bytes_out, silly_bytes, want);
        }
    }
}

static void table_values_agree(void **state)
{
    (void)state;
    uint64_t random = scan_seed();
    float table[256];
    for (unsigned i = 0; i < 256; i++) table[i] = (float)random_next(&random) * 1e-7f;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, N_MAX);
        float factor = (float)below(&random, 1000) * 0.01f, silly[N_MAX];
        uint8_t *bytes = ROOM(uint8_t, 0, n);
        random_bytes(&random, bytes, n);
        for (uint32_t i = 0; i < n; i++) silly[i] = factor * table[bytes[i]];
        for (unsigned r = 0; r < n_scan_rows; r++) {
            float *out = OUTPUT(float, 1, n);
            scan_rows[r]->table_values(table, bytes, n, factor, out);
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
    uint64_t random = scan_seed();
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
        for (unsigned r = 0; r < n_scan_rows; r++) {
            uint32_t *out = OUTPUT(uint32_t, 3, 512);
            uint8_t *bytes_out = OUTPUT(uint8_t, 4, 512);
            assert_int_equal(scan_rows[r]->bucket_in_range(words, also, bytes, n, low, high, round,
                                                           out, bytes_out),
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
    uint64_t random = scan_seed();
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
        for (unsigned r = 0; r < n_scan_rows; r++) {
            uint16_t *sums = ROOM(uint16_t, 3, 512);
            uint32_t *out = OUTPUT(uint32_t, 4, 512);
            memcpy(sums, start, sizeof start);
            assert_int_equal(
                scan_rows[r]->bucket_add(words, bytes, n, line[0], line[1], line[2], sums, out),
                want);
            assert_memory_equal(sums, want_sums, sizeof want_sums);
            assert_memory_equal(out, silly, want * sizeof *out);
        }
    }
}

static void keep_least_agrees(void **state)
{
    (void)state;
    uint64_t random = scan_seed();
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
        for (unsigned r = 0; r < n_scan_rows; r++) {
            uint32_t *docs = OUTPUT(uint32_t, 0, n);
            float *kept = OUTPUT(float, 1, n);
            memcpy(docs, from, n * sizeof *docs);
            memcpy(kept, scores, n * sizeof *kept);
            assert_int_equal(scan_rows[r]->keep_least(docs, kept, n, least), want);
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
    uint64_t random = scan_seed();
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
        for (unsigned r = 0; r < n_scan_rows; r++) {
            uint32_t *at_a = OUTPUT(uint32_t, 2, na), *at_b = OUTPUT(uint32_t, 3, na);
            assert_int_equal(scan_rows[r]->intersect(a, na, b, nb, at_a, at_b), want);
            assert_memory_equal(at_a, in_a, want * sizeof *at_a);
            assert_memory_equal(at_b, in_b, want * sizeof *at_b);
            at_a = OUTPUT(uint32_t, 2, na);
            assert_int_equal(scan_rows[r]->intersect(a, na, b, nb, at_a, NULL), want);
            assert_memory_equal(at_a, in_a, want * sizeof *at_a);
        }
    }
}

/* Documents of a crafted file that do not rise: nothing is read or written elsewhere. */
static void intersect_bears_disorder(void **state)
{
    (void)state;
    uint64_t random = scan_seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t na = below(&random, 64), nb = below(&random, 300);
        uint32_t *a = ROOM(uint32_t, 0, na), *b = ROOM(uint32_t, 1, nb);
        rising(&random, b, nb, 2);
        for (uint32_t i = 0; i < na; i++) a[i] = below(&random, 400);
        for (unsigned r = 0; r < n_scan_rows; r++) {
            uint32_t *at_a = OUTPUT(uint32_t, 2, na), *at_b = OUTPUT(uint32_t, 3, na);
            bool few = nb <= 256 && below(&random, 2);
            uint32_t met = few ? scan_rows[r]->intersect_few(a, na, b, nb, at_a, at_b)
                               : scan_rows[r]->intersect(a, na, b, nb, at_a, at_b);
            assert_true(met <= na);
            for (uint32_t i = 0; i < met; i++) assert_true(at_a[i] < na && at_b[i] < nb);
        }
    }
}

static void intersect_few_agrees(void **state)
{
    (void)state;
    uint64_t random = scan_seed();
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
        for (unsigned r = 0; r < n_scan_rows; r++) {
            uint32_t *at_a = OUTPUT(uint32_t, 2, na), *at_b = OUTPUT(uint32_t, 3, na);
            assert_int_equal(scan_rows[r]->intersect_few(a, na, b, nb, at_a, at_b), want);
            assert_memory_equal(at_a, in_a, want * sizeof *at_a);
            assert_memory_equal(at_b, in_b, want * sizeof *at_b);
            at_a = OUTPUT(uint32_t, 2, na);
            assert_int_equal(scan_rows[r]->intersect_few(a, na, b, nb, at_a, NULL), want);
            assert_memory_equal(at_a, in_a, want * sizeof *at_a);
        }
    }
}

static void seek_agrees(void **state)
{
    (void)state;
    uint64_t random = scan_seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, N_MAX), from = below(&random, n + 1), target, want = from;
        uint32_t *numbers = ROOM(uint32_t, 0, n);
        rising(&random, numbers, n, below(&random, 2) ? 10 : 5000000);
        target = n && below(&random, 2) ? numbers[below(&random, n)] + below(&random, 2)
                                        : below(&random, UINT32_MAX);
        while (want < n && numbers[want] < target) want++;
        for (unsigned r = 0; r < n_scan_rows; r++)
            assert_int_equal(scan_rows[r]->seek(numbers, from, n, target), want);
        for (uint32_t i = 0; i < n; i++) numbers[i] = below(&random, 100);
        for (unsigned r = 0; r < n_scan_rows; r++) {
            uint32_t got = scan_rows[r]->seek(numbers, from, n, 50);
            assert_true(got >= from && got <= n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_in_range_agrees), cmocka_unit_test(numbers_in_range_agrees),
        cmocka_unit_test(table_values_agree),    cmocka_unit_test(bucket_in_range_agrees),
        cmocka_unit_test(bucket_add_agrees),     cmocka_unit_test(keep_least_agrees),
        cmocka_unit_test(intersect_agrees),      cmocka_unit_test(intersect_bears_disorder),
        cmocka_unit_test(intersect_few_agrees),  cmocka_unit_test(seek_agrees),
    };
    return cmocka_run_group_tests(tests, scan_rows_begin, scan_rows_end);
}
