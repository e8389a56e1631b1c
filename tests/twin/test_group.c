/* SPDX-License-Identifier: MIT
 * test_group.c - every row of the group kernels against the portable one, and that against the
 * whole block decoded, or the silliest way to do the same (INV-7), on sound and on random words,
 * between pages that may not be touched.
 *
 * All rows that the machine has; PM_TEST_SEED=n changes the cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/cpu.h"
#include "common/base/hash.h"
#include "common/codec/bits.h"
#include "common/codec/group.h"
#include "common/segment/segment.h"
#include "tests/support/guard.h"

enum { ROUNDS = 20000, WORDS_MAX = 512 };

static const group_kernels *row; /* that is compared                                      */

static uint64_t seed(void)
{
    const char *chosen = getenv("PM_TEST_SEED");
    uint64_t n = chosen ? strtoull(chosen, NULL, 10) : 22;
    print_message("PM_TEST_SEED=%llu\n", (unsigned long long)n);
    return n;
}

static uint32_t below(uint64_t *random, uint64_t n)
{
    return (uint32_t)(random_next(random) % n);
}

static void random_words(uint64_t *random, uint64_t *words, uint32_t n)
{
    unsigned density = below(random, 7);
    for (uint32_t i = 0; i < n; i++) {
        words[i] = random_next(random);
        for (unsigned k = 0; k < density; k++) words[i] &= random_next(random);
        if (density == 6 && below(random, 2)) words[i] = 0;
    }
}

/* ---- Elias-Fano ------------------------------------------------------------------------------ */

static ef_shape make_block(uint64_t *random, uint64_t *words, bool *sound)
{
    uint32_t values[EF_BLOCK_MAX], n = below(random, 3) ? EF_BLOCK_MAX : 1 + below(random, 256);
    uint32_t range = n - 1 + below(random, UINT64_C(1) << below(random, 31));
    ef_shape shape;
    assert_true(ef_shape_of(n, range, &shape));
    uint64_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t most = (uint64_t)range - at - (n - 1 - i);
        at = i == n - 1 ? range : at + below(random, most / (n - i) + 1);
        values[i] = (uint32_t)at++;
    }
    ef_encode(&shape, values, words);
    *sound = below(random, 3) != 0;
    if (!*sound) random_words(random, words, shape.words);
    return shape;
}

static void parts_of_blocks_agree(void **state)
{
    (void)state;
    uint64_t random = seed(), made[WORDS_MAX];
    guard g = guard_open(sizeof made), out = guard_open(4 * GROUP_MAX),
          more_out = guard_open(4 * GROUP_MAX);
    uint32_t *plain = guard_last(&out, 4 * GROUP_MAX), *fast = guard_last(&more_out, 4 * GROUP_MAX);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t whole[EF_BLOCK_MAX];
        bool sound;
        ef_shape shape = make_block(&random, made, &sound);
        uint64_t *words = guard_last(&g, shape.words * 8);
        memcpy(words, made, shape.words * 8);
        uint32_t from = below(&random, (shape.n + GROUP_MAX - 1) / GROUP_MAX) * GROUP_MAX;
        uint32_t left = shape.n - from < GROUP_MAX ? shape.n - from : GROUP_MAX;
        uint32_t n = 1 + below(&random, left), base = below(&random, 1000);
        uint32_t got = group_portable.ef_group(&shape, words, base, from, n, plain);
        assert_int_equal(row->ef_group(&shape, words, base, from, n, fast), got);
        assert_memory_equal(fast, plain, got * sizeof *plain);
        if (!sound) continue;
        assert_int_equal(got, n);
        assert_int_equal(ef_decode(&shape, words, base, whole), shape.n);
        assert_memory_equal(plain, whole + from, n * sizeof *plain);
    }
    guard_close(&g);
    guard_close(&out);
    guard_close(&more_out);
}

/* ---- bitmaps ------------------------------------------------------------------------------ */

static bool silly_bits(const uint64_t *words, uint32_t at, uint32_t before, uint32_t *out)
{
    if (!bits_get(words, at)) return false;
    out[before] = at;
    for (uint32_t left = before; left; left--) {
        do {
            if (!at) return false;
        } while (!bits_get(words, --at));
        out[left - 1] = at;
    }
    return true;
}

static void bits_below_agree(void **state)
{
    (void)state;
    uint64_t random = seed(), made[64];
    guard g = guard_open(sizeof made);
    unsigned found = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = 1 + below(&random, 64), before = below(&random, GROUP_MAX);
        uint32_t silly[GROUP_MAX], plain[GROUP_MAX], fast[GROUP_MAX];
        random_words(&random, made, n);
        uint64_t *words = guard_last(&g, n * 8);
        memcpy(words, made, n * 8);
        uint32_t at = below(&random, n * 64);
        if (below(&random, 8)) bits_set(words, at);
        bool want = silly_bits(words, at, before, silly);
        found += want;
        assert_int_equal(group_portable.bits_group(words, at, before, plain), want);
        assert_int_equal(row->bits_group(words, at, before, fast), want);
        if (!want) continue;
        assert_memory_equal(plain, silly, (before + 1) * sizeof *silly);
        assert_memory_equal(fast, silly, (before + 1) * sizeof *silly);
    }
    assert_true(found > ROUNDS / 4);
    guard_close(&g);
}

/* ---- frequencies -------------------------------------------------------------------------- */

static void frequencies_agree(void **state)
{
    (void)state;
    uint64_t random = seed();
    static const double means[] = {1e-6, 0.5, 52, 1160.94, 1e12};
    enum { DOCS = 3000 };
    guard g = guard_open(4 * DOCS + 2), bytes = guard_open(GROUP_MAX),
          numbers = guard_open(4 * GROUP_MAX);
    for (unsigned round = 0; round < ROUNDS; round++) {
        segment_info info = {.k1 = below(&random, 8) ? 1.2 : below(&random, 1000000),
                             .b = below(&random, 8) ? 0.75 : below(&random, 2),
                             .avgdl_ref = means[below(&random, 5)]};
        const group_scale scale = group_scale_of(info.k1, info.b, info.avgdl_ref);
        unsigned width = below(&random, 2) ? 2 : 4, most = below(&random, width == 2 ? 16 : 32);
        uint8_t *column = guard_last(&g, width * DOCS + 2);
        uint32_t n = 1 + below(&random, GROUP_MAX), *docs = guard_last(&numbers, n * sizeof *docs);
        uint8_t *impacts = guard_last(&bytes, n);
        uint32_t first = below(&random, DOCS), last = first + below(&random, DOCS - first);
        uint32_t plain_dl[GROUP_MAX], fast_dl[GROUP_MAX], plain[GROUP_MAX], fast[GROUP_MAX];
        for (uint32_t i = 0; i < n; i++) {
            docs[i] = below(&random, 9)   ? first + below(&random, last - first + 1)
                      : below(&random, 2) ? below(&random, DOCS)
                                          : (uint32_t)random_next(&random);
            impacts[i] = (uint8_t)(below(&random, 20) ? 1 + below(&random, 255) : 255);
            uint32_t doc = docs[i] >= first && docs[i] <= last ? docs[i] : last;
            uint32_t length = (uint32_t)random_next(&random) >> (31 - most);
            memcpy(column + (size_t)width * doc, &length, width);
        }
        memcpy(column + (size_t)width * last, "\3\0\0", width);
        uint32_t want_dl[GROUP_MAX] = {0};
        for (uint32_t i = 0; i < n; i++) {
            uint32_t doc = docs[i] >= first && docs[i] <= last ? docs[i] : last;
            memcpy(&want_dl[i], column + (size_t)width * doc, width);
        }
        const group_lengths from = {column, width};
        group_portable.group_tfs(impacts, docs, n, first, last, from, &scale, plain_dl, plain);
        row->group_tfs(impacts, docs, n, first, last, from, &scale, fast_dl, fast);
        assert_memory_equal(plain_dl, want_dl, n * sizeof *plain_dl);
        assert_memory_equal(fast_dl, want_dl, n * sizeof *fast_dl);
        assert_memory_equal(fast, plain, n * sizeof *plain);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(plain[i], impact_decode(impacts[i], segment_norm(&info, plain_dl[i])));
    }
    guard_close(&g);
    guard_close(&bytes);
    guard_close(&numbers);
}

/* All bytes at all lengths of common texts. */
static void common_frequencies_agree(void **state)
{
    (void)state;
    const segment_info info = {.k1 = 1.2, .b = 0.75, .avgdl_ref = 51.6841};
    const group_scale scale = group_scale_of(info.k1, info.b, info.avgdl_ref);
    for (uint32_t length = 1; length < 6000; length++) {
        uint16_t column[2] = {(uint16_t)length, 0};
        double norm = segment_norm(&info, length);
        for (unsigned w = 0; w < 256; w += GROUP_MAX) {
            uint32_t docs[GROUP_MAX] = {0}, lengths[GROUP_MAX], tfs[GROUP_MAX];
            uint8_t impacts[GROUP_MAX];
            for (unsigned i = 0; i < GROUP_MAX; i++) impacts[i] = (uint8_t)(w + i);
            row->group_tfs(impacts, docs, GROUP_MAX, 0, 0,
                           (group_lengths){(const uint8_t *)column, 2}, &scale, lengths, tfs);
            for (unsigned i = 0; i < GROUP_MAX; i++)
                assert_int_equal(tfs[i], impact_decode((uint8_t)(w + i), norm));
        }
    }
}

/* ---- strings ------------------------------------------------------------------------------ */

/* The length by the words of ef_string.h, with a division. */
static uint64_t silly_size(uint64_t n, uint64_t most)
{
    unsigned l = 0, width = 0;
    if (n > most + 1) return 0;
    while (most >> width) width++;
    if (n == 1) return width;
    while (most / n >> (l + 1)) l++;
    return n * l + n + (most >> l);
}

static void sizes_agree(void **state)
{
    (void)state;
    uint64_t random = seed();
    guard ns = guard_open(4 * GROUP_MAX), bounds = guard_open(4 * GROUP_MAX);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t count = 1 + below(&random, GROUP_MAX), plain[GROUP_MAX], fast[GROUP_MAX];
        uint32_t *n = guard_last(&ns, count * sizeof *n),
                 *most = guard_last(&bounds, count * sizeof *most);
        for (uint32_t i = 0; i < count; i++) {
            n[i] = (uint32_t)random_next(&random) >> below(&random, 32) | 1u;
            n[i] += below(&random, 2) && n[i] < UINT32_MAX;
            most[i] = (uint32_t)random_next(&random) >> below(&random, 32);
            if (below(&random, 4) == 0) most[i] = n[i] << below(&random, 8);
            if (below(&random, 4) == 0) most[i]--;
        }
        uint32_t more = below(&random, 3), at = 0;
        group_portable.string_starts(n, most, more, count, plain);
        row->string_starts(n, most, more, count, fast);
        assert_memory_equal(fast, plain, count * sizeof *plain);
        for (uint32_t i = 0; i < count; i++) {
            assert_true(ef_string_size(n[i], most[i]) == silly_size(n[i], most[i]));
            assert_int_equal(plain[i], at);
            at += (uint32_t)silly_size(n[i], most[i] + more);
        }
    }
    guard_close(&ns);
    guard_close(&bounds);
}

/* A row of n numbers, none above most. */
static void make_row(uint64_t *random, uint32_t *out, uint32_t n, uint32_t most)
{
    uint32_t left = most + 1 - n, at = 0; /* numbers that are passed over                   */
    bool clumped = below(random, 3) == 0;
    for (uint32_t i = 0; i < n; i++, at++) {
        uint32_t gap = below(random, (clumped ? 0 : left / (n - i)) * UINT64_C(2) + 2);
        if (clumped && below(random, 20) == 0) gap = below(random, (uint64_t)left + 1);
        if (gap > left) gap = left;
        left -= gap;
        at += gap;
        out[i] = at;
    }
}

static void strings_agree(void **state)
{
    (void)state;
    uint64_t random = seed();
    enum { LONGEST = 600 };
    guard g = guard_open(1 << 16), out = guard_open(4 * LONGEST),
          more_out = guard_open(4 * LONGEST);
    unsigned noise = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t made[LONGEST];
        uint32_t n = 1 + below(&random, below(&random, 4) ? 8 : LONGEST);
        uint32_t most = n - 1 + below(&random, UINT64_C(1) << below(&random, 32));
        uint64_t at = below(&random, 64), size = ef_string_size(n, most);
        size_t len = (size_t)((at + size + 7) / 8) + EF_STRING_SLACK;
        uint8_t *bytes = guard_last(&g, len);
        memset(bytes, 0, len);
        make_row(&random, made, n, most);
        assert_true(ef_string_write(bytes, at, made, n, most));
        for (uint64_t bit = 0; bit < at; bit++) assert_false(bytes[bit / 8] >> bit % 8 & 1);
        for (uint64_t bit = at + size; bit < 8 * (uint64_t)len; bit++)
            assert_false(bytes[bit / 8] >> bit % 8 & 1);
        unsigned behind = below(&random, 3); /* zeros, ones, noise                               */
        for (size_t i = (size_t)(at + size + 7) / 8; i < len; i++)
            bytes[i] = (uint8_t)(behind < 2 ? 0 - behind : random_next(&random));
        bool sound = below(&random, 4) != 0;
        for (unsigned k = below(&random, 4); !sound && k < 4 && size; k++) {
            uint64_t bit = at + below(&random, size);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        uint32_t cap = below(&random, 4) ? n : below(&random, n + 1);
        uint32_t *plain = guard_last(&out, cap * sizeof *plain),
                 *fast = guard_last(&more_out, cap * sizeof *fast);
        bool good = group_portable.string_read(bytes, at, n, most, plain, cap);
        assert_int_equal(row->string_read(bytes, at, n, most, fast, cap), good);
        noise += !good;
        if (good) assert_memory_equal(fast, plain, cap * sizeof *plain);
        if (sound) assert_true(good);
        if (sound) assert_memory_equal(plain, made, cap * sizeof *made);
        for (unsigned k = 0; k < 8; k++) {
            uint32_t i = below(&random, n), number = k ? made[i] + below(&random, 3) - 1 : most;
            bool has = group_portable.string_has(bytes, at, n, most, number), want = false;
            assert_int_equal(row->string_has(bytes, at, n, most, number), has);
            for (uint32_t j = 0; j < n; j++) want |= made[j] == number;
            if (sound) assert_int_equal(has, want);
        }
    }
    assert_true(noise > 100);
    guard_close(&g);
    guard_close(&out);
    guard_close(&more_out);
}

static void wrong_rows_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[64] = {0};
    assert_false(ef_string_write(bytes, 0, (const uint32_t[]){3, 3}, 2, 9));
    assert_false(ef_string_write(bytes, 0, (const uint32_t[]){3, 10}, 2, 9));
    assert_false(ef_string_write(bytes, 0, (const uint32_t[]){10}, 1, 9));
    memset(bytes, 0, sizeof bytes);
    assert_true(ef_string_write(bytes, 0, (const uint32_t[]){3, 700, 1000, 2000}, 4, 2500));
    assert_memory_equal(bytes, "\x03\x78\xa1\x87\xde\x04\0", 7);
}

/* More numbers than there are: nothing is read, though all bits that may be looked at are set. */
static void impossible_strings_are_refused(void **state)
{
    (void)state;
    guard g = guard_open(EF_STRING_SLACK);
    uint8_t *bytes = guard_last(&g, EF_STRING_SLACK);
    memset(bytes, 0xff, EF_STRING_SLACK);
    uint32_t out[GROUP_MAX];
    for (uint32_t n = 2; n < 2000; n += 1 + n / 8) {
        uint32_t most = n - 2;
        assert_false(row->string_read(bytes, 0, n, most, out, 0));
        for (uint32_t number = most < 5 ? 0 : most - 5; number < n; number++)
            assert_false(row->string_has(bytes, 0, n, most, number));
    }
    guard_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_blocks_agree),
        cmocka_unit_test(bits_below_agree),
        cmocka_unit_test(frequencies_agree),
        cmocka_unit_test(common_frequencies_agree),
        cmocka_unit_test(sizes_agree),
        cmocka_unit_test(strings_agree),
        cmocka_unit_test(wrong_rows_are_refused),
        cmocka_unit_test(impossible_strings_are_refused),
    };
    static const group_kernels *const rows[] = {&group_portable, &group_avx2, &group_avx512};
    int failed = 0;
    for (int level = CPU_PORTABLE; level <= (int)cpu_machine_level(); level++) {
        print_message("level %s\n", cpu_level_name((cpu_level)level));
        row = rows[level];
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
