/* SPDX-License-Identifier: MIT
 * test_group.c - every row of the group kernels against the portable one, and that against the
 * whole block decoded, or the silliest way to do the same (INV-7), on sound and on random words,
 * between pages that may not be touched.
 *
 * PRESSMARK_CPU lowers the row that group_get chooses; PM_TEST_SEED=n changes the cases.
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

static uint64_t seed(void)
{
    const char *chosen = getenv("PM_TEST_SEED");
    uint64_t n = chosen ? strtoull(chosen, NULL, 10) : 22;
    print_message("PM_TEST_SEED=%llu, level %s\n", (unsigned long long)n,
                  cpu_level_name(cpu_get_level()));
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
    guard g = guard_open(sizeof made);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t whole[EF_BLOCK_MAX], plain[GROUP_MAX], fast[GROUP_MAX];
        bool sound;
        ef_shape shape = make_block(&random, made, &sound);
        uint64_t *words = guard_last(&g, shape.words * 8);
        memcpy(words, made, shape.words * 8);
        uint32_t from = below(&random, (shape.n + GROUP_MAX - 1) / GROUP_MAX) * GROUP_MAX;
        uint32_t left = shape.n - from < GROUP_MAX ? shape.n - from : GROUP_MAX;
        uint32_t n = 1 + below(&random, left), base = below(&random, 1000);
        uint32_t got = group_portable.ef_group(&shape, words, base, from, n, plain);
        assert_int_equal(group_get()->ef_group(&shape, words, base, from, n, fast), got);
        assert_memory_equal(fast, plain, got * sizeof *plain);
        if (!sound) continue;
        assert_int_equal(got, n);
        assert_int_equal(ef_decode(&shape, words, base, whole), shape.n);
        assert_memory_equal(plain, whole + from, n * sizeof *plain);
    }
    guard_close(&g);
}

/* ---- bitmaps -----------------------------------------------------------------------------------
 */

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
        assert_int_equal(group_get()->bits_group(words, at, before, fast), want);
        if (!want) continue;
        assert_memory_equal(plain, silly, (before + 1) * sizeof *silly);
        assert_memory_equal(fast, silly, (before + 1) * sizeof *silly);
    }
    assert_true(found > ROUNDS / 4);
    guard_close(&g);
}

/* ---- frequencies ------------------------------------------------------------------------------
 */

static void frequencies_agree(void **state)
{
    (void)state;
    uint64_t random = seed();
    static const double means[] = {1e-6, 0.5, 52, 1160.94, 1e12};
    enum { DOCS = 3000 };
    guard g = guard_open(4 * DOCS + 2);
    for (unsigned round = 0; round < ROUNDS; round++) {
        segment_info info = {.k1 = below(&random, 8) ? 1.2 : below(&random, 1000000),
                             .b = below(&random, 8) ? 0.75 : below(&random, 2),
                             .avgdl_ref = means[below(&random, 5)]};
        const group_scale scale = group_scale_of(info.k1, info.b, info.avgdl_ref);
        unsigned width = below(&random, 2) ? 2 : 4, most = below(&random, width == 2 ? 16 : 32);
        uint8_t *column = guard_last(&g, width * DOCS + 2), impacts[GROUP_MAX];
        uint32_t n = 1 + below(&random, GROUP_MAX), docs[GROUP_MAX];
        uint32_t first = below(&random, DOCS), last = first + below(&random, DOCS - first);
        uint32_t plain_dl[GROUP_MAX], fast_dl[GROUP_MAX], plain[GROUP_MAX], fast[GROUP_MAX];
        for (uint32_t i = 0; i < n; i++) {
            docs[i] = below(&random, 9) ? first + below(&random, last - first + 1)
                                        : (uint32_t)random_next(&random);
            impacts[i] = (uint8_t)(below(&random, 20) ? 1 + below(&random, 255) : 255);
            uint32_t doc = docs[i] >= first && docs[i] <= last ? docs[i] : last;
            uint32_t length = (uint32_t)random_next(&random) >> (31 - most);
            memcpy(column + (size_t)width * doc, &length, width);
        }
        memcpy(column + (size_t)width * last, "\3\0\0", width);
        const group_lengths from = {column, width};
        group_portable.group_tfs(impacts, docs, n, first, last, from, &scale, plain_dl, plain);
        group_get()->group_tfs(impacts, docs, n, first, last, from, &scale, fast_dl, fast);
        assert_memory_equal(fast_dl, plain_dl, n * sizeof *plain_dl);
        assert_memory_equal(fast, plain, n * sizeof *plain);
        uint64_t sum = 0;
        for (uint32_t i = 0; i < n; i++) {
            assert_int_equal(plain[i], impact_decode(impacts[i], segment_norm(&info, plain_dl[i])));
            assert_int_equal(group_portable.sum(plain, i), sum);
            assert_int_equal(group_get()->sum(plain, i), sum);
            sum += plain[i];
        }
    }
    guard_close(&g);
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
            group_get()->group_tfs(impacts, docs, GROUP_MAX, 0, 0,
                                   (group_lengths){(const uint8_t *)column, 2}, &scale, lengths,
                                   tfs);
            for (unsigned i = 0; i < GROUP_MAX; i++)
                assert_int_equal(tfs[i], impact_decode((uint8_t)(w + i), norm));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_blocks_agree),
        cmocka_unit_test(bits_below_agree),
        cmocka_unit_test(frequencies_agree),
        cmocka_unit_test(common_frequencies_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
