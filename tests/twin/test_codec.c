/* SPDX-License-Identifier: MIT
 * test_codec.c - every row of the kernel table against the portable one, and the portable one
 * against the silliest way to do the same (INV-7), on sound and on random bytes, between pages
 * that may not be touched.
 *
 * PRESSMARK_CPU lowers the row that kernels_get chooses; PM_TEST_SEED=n changes the cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/cpu.h"
#include "common/base/hash.h"
#include "common/codec/bits.h"
#include "common/codec/kernels.h"
#include "common/segment/segment.h"
#include "tests/support/guard.h"

enum { ROUNDS = 3000, WORDS_MAX = 256, GUARD = 16 };

static uint64_t seed(void)
{
    const char *chosen = getenv("PM_TEST_SEED");
    uint64_t n = chosen ? strtoull(chosen, NULL, 10) : 21;
    print_message("PM_TEST_SEED=%llu, level %s\n", (unsigned long long)n,
                  cpu_level_name(cpu_get_level()));
    return n;
}

static uint32_t below(uint64_t *random, uint64_t n)
{
    return (uint32_t)(random_next(random) % n);
}

/* ---- silly twins ------------------------------------------------------------------------- */

static uint32_t silly_expand(const uint64_t *words, uint32_t n_words, uint32_t base, uint32_t skip,
                             uint32_t cap, uint32_t *out)
{
    uint32_t n = 0, seen = 0;
    for (uint32_t at = 0; at < n_words * 64; at++)
        if (bits_get(words, at) && seen++ >= skip && n < cap) out[n++] = base + at;
    return n;
}

static uint32_t silly_low(const ef_shape *s, const uint64_t *words, uint32_t i)
{
    uint32_t low = 0;
    for (uint32_t k = 0; k < s->low_bits; k++) {
        uint32_t in_lane = i / 8 * s->low_bits + k;
        uint32_t at =
            s->n == 256 ? 32 * (8 * (in_lane / 32) + i % 8) + in_lane % 32 : i * s->low_bits + k;
        low |= (uint32_t)bits_get(words, at) << k;
    }
    return low;
}

static uint32_t silly_ef(const ef_shape *s, const uint64_t *words, uint32_t base, uint32_t *out)
{
    uint32_t low_words = s->bitmap ? 0 : s->low_words, n = 0;
    uint64_t n_bits = (uint64_t)(s->words - low_words) * 64;
    for (uint64_t at = 0; at < n_bits; at++) {
        if (!bits_get(words + low_words, at)) continue;
        if (n == s->n) return 0;
        uint64_t value = s->bitmap ? at : ((at - n) << s->low_bits | silly_low(s, words, n));
        if (value > s->range || (n && base + value <= out[n - 1])) return 0;
        out[n++] = (uint32_t)(base + value);
    }
    return n == s->n && out[n - 1] == base + s->range ? n : 0;
}

/* ---- cases ------------------------------------------------------------------------------- */

static void random_words(uint64_t *random, uint64_t *words, uint32_t n)
{
    unsigned density = below(random, 5);
    for (uint32_t i = 0; i < n; i++) {
        words[i] = random_next(random);
        for (unsigned k = 0; k < density; k++) words[i] &= random_next(random);
        if (density == 4 && below(random, 2)) words[i] = 0;
    }
}

static void expand_agrees(void **state)
{
    (void)state;
    uint64_t random = seed(), words[40];
    const codec_kernels *k = kernels_get();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, 41), cap = below(&random, 257), skip = below(&random, 600);
        uint32_t silly[256 + GUARD], plain[256 + GUARD], fast[256 + GUARD];
        random_words(&random, words, n);
        memset(silly, 0x5a, sizeof silly);
        memset(plain, 0x5a, sizeof plain);
        memset(fast, 0x5a, sizeof fast);
        uint32_t want = silly_expand(words, n, round, skip, cap, silly);
        assert_int_equal(kernels_portable.bits_expand(words, n, round, skip, cap, plain), want);
        assert_int_equal(k->bits_expand(words, n, round, skip, cap, fast), want);
        assert_memory_equal(plain, silly, sizeof silly); /* nothing written behind the last   */
        assert_memory_equal(fast, silly, want * sizeof *silly);
    }
}

static void totals_agree(void **state)
{
    (void)state;
    uint64_t random = seed(), words[300];
    for (unsigned round = 0; round < ROUNDS / 4; round++) {
        uint32_t n = below(&random, 301), want = 0;
        random_words(&random, words, n);
        for (uint32_t at = 0; at < n * 64; at++) want += bits_get(words, at);
        assert_int_equal(kernels_portable.bits_total(words, n), want);
        assert_int_equal(kernels_get()->bits_total(words, n), want);
    }
}

/* A sound block, a block with some bits changed, or noise. */
static void make_block(uint64_t *random, const ef_shape *s, uint64_t *words)
{
    uint32_t values[256];
    uint64_t at = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        uint64_t most = (uint64_t)s->range - at - (s->n - 1 - i);
        at = i == s->n - 1 ? s->range : at + below(random, most / (s->n - i) + 1);
        values[i] = (uint32_t)at++;
    }
    ef_encode(s, values, words);
    switch (below(random, 4)) {
    case 0:
        random_words(random, words, s->words);
        break;
    case 1:
        for (unsigned k = below(random, 3); k < 3; k++)
            words[below(random, s->words)] ^= UINT64_C(1) << below(random, 64);
        break;
    default:
        break;
    }
}

static void blocks_agree(void **state)
{
    (void)state;
    uint64_t random = seed(), words[WORDS_MAX];
    unsigned sound = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, 2) ? 256 : 1 + below(&random, 256), silly[256], plain[256],
                 fast[256];
        uint64_t range = n - 1 + random_next(&random) % (UINT64_C(1) << below(&random, 31));
        ef_shape shape;
        assert_true(ef_shape_of(n, (uint32_t)range, &shape));
        make_block(&random, &shape, words);
        uint32_t want = silly_ef(&shape, words, 77, silly);
        assert_int_equal(kernels_portable.ef_decode(&shape, words, 77, plain), want);
        assert_int_equal(kernels_get()->ef_decode(&shape, words, 77, fast), want);
        assert_memory_equal(plain, silly, want * sizeof *silly);
        assert_memory_equal(fast, silly, want * sizeof *silly);
        sound += want > 0;
    }
    assert_true(sound > ROUNDS / 3 && sound < ROUNDS);
}

/* ---- every row, under guard pages -------------------------------------------------------- */

static const codec_kernels *rows[3];
static unsigned n_rows;
static guard in, more_in, result;

static int set_up(void **state)
{
    (void)state;
    rows[n_rows++] = &kernels_portable;
    if (cpu_machine_level() >= CPU_AVX2) rows[n_rows++] = &kernels_avx2;
    if (cpu_machine_level() >= CPU_AVX512) rows[n_rows++] = &kernels_avx512;
    in = guard_open(16384);
    more_in = guard_open(16384);
    result = guard_open(16384);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    guard_close(&in);
    guard_close(&more_in);
    guard_close(&result);
    return 0;
}

/* Room for n numbers that ends where a page does, without those of the row before. */
static uint32_t *fresh(uint32_t n)
{
    uint32_t *out = guard_last(&result, n * sizeof *out);
    memset(out, 0x5a, n * sizeof *out);
    return out;
}

static void guarded_blocks(void **state)
{
    (void)state;
    uint64_t random = seed();
    unsigned sound = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, 2) ? 256 : 1 + below(&random, 256), silly[256];
        uint64_t range = n - 1 + random_next(&random) % (UINT64_C(1) << below(&random, 33));
        ef_shape shape;
        assert_true(ef_shape_of(n, range > UINT32_MAX ? UINT32_MAX : (uint32_t)range, &shape));
        uint32_t base = below(&random, (uint64_t)UINT32_MAX - shape.range + 1);
        uint64_t *words = guard_last(&in, shape.words * sizeof *words);
        make_block(&random, &shape, words);
        uint32_t want = silly_ef(&shape, words, base, silly);
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t *out = fresh(n);
            assert_int_equal(rows[r]->ef_decode(&shape, words, base, out), want);
            assert_memory_equal(out, silly, want * sizeof *out);
        }
        sound += want > 0;
    }
    assert_true(sound > ROUNDS / 3 && sound < ROUNDS);
}

/* A block of n whose values do not rise at one place alone, which every row must notice. */
static void refuses_equal_neighbours(uint32_t n)
{
    uint64_t words[WORDS_MAX];
    uint32_t values[256], out[256];
    for (uint32_t fault = 1; fault < n; fault++) {
        ef_shape shape;
        for (uint32_t i = 0; i < n; i++) values[i] = 100 * i + i % 7;
        assert_true(ef_shape_of(n, values[n - 1], &shape) && !shape.bitmap);
        values[fault - (fault == n - 1)] = values[fault - (fault == n - 1) - 1];
        ef_encode(&shape, values, words);
        for (unsigned r = 0; r < n_rows; r++)
            assert_int_equal(rows[r]->ef_decode(&shape, words, 0, out), 0);
    }
}

static void equal_neighbours_are_refused(void **state)
{
    (void)state;
    refuses_equal_neighbours(256);
    refuses_equal_neighbours(255);
    refuses_equal_neighbours(7);
}

/* As many high bits as there can be, all of them set. */
static void blocks_of_ones_are_refused(void **state)
{
    (void)state;
    for (unsigned l = 1; l < 24; l++) {
        uint64_t words[WORDS_MAX];
        uint32_t out[256];
        ef_shape shape;
        assert_true(ef_shape_of(256, (uint32_t)((UINT64_C(512) << l) - 1), &shape));
        if (shape.bitmap) continue;
        assert_true(shape.low_bits == l && shape.words - shape.low_words == 12);
        memset(words, 0xff, sizeof words);
        words[shape.words - 1] >>= 1;
        for (unsigned r = 0; r < n_rows; r++)
            assert_int_equal(rows[r]->ef_decode(&shape, words, 0, out), 0);
    }
}

static void guarded_bits(void **state)
{
    (void)state;
    uint64_t random = seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, 41), cap = below(&random, 257), skip = below(&random, 600),
                 silly[256];
        uint64_t *words = guard_last(&in, n * sizeof *words), ones = 0;
        random_words(&random, words, n);
        for (uint32_t at = 0; at < n * 64; at++) ones += bits_get(words, at);
        uint32_t want = silly_expand(words, n, round, skip, cap, silly);
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t *out = fresh(cap);
            assert_int_equal(rows[r]->bits_expand(words, n, round, skip, cap, out), want);
            assert_memory_equal(out, silly, want * sizeof *out);
            assert_true(rows[r]->bits_total(words, n) == ones);
        }
        uint64_t *bucket = guard_last(&in, 64);
        uint32_t n_bits = below(&random, 513), rank = 0;
        random_words(&random, bucket, 8);
        for (uint32_t at = 0; at < n_bits; at++) rank += bits_get(bucket, at);
        for (unsigned r = 0; r < n_rows; r++)
            assert_int_equal(rows[r]->bucket_rank(bucket, n_bits), rank);
    }
}

/* As many places are passed over as a full word has, and fewer, and more. */
static void full_words_agree(void **state)
{
    (void)state;
    uint64_t words[4];
    uint32_t silly[256];
    memset(words, 0xff, sizeof words);
    for (uint32_t skip = 0; skip < 200; skip++)
        for (uint32_t cap = 0; cap <= 256; cap += 8) {
            uint32_t want = silly_expand(words, 4, 9, skip, cap, silly);
            for (unsigned r = 0; r < n_rows; r++) {
                uint32_t *out = fresh(cap);
                assert_int_equal(rows[r]->bits_expand(words, 4, 9, skip, cap, out), want);
                assert_memory_equal(out, silly, want * sizeof *out);
            }
        }
}

/* ---- LEB128 ------------------------------------------------------------------------------- */

static bool silly_varint(slice bytes, size_t *at, uint64_t *value)
{
    *value = 0;
    for (unsigned k = 0; k < 5 && *at < bytes.len; k++) {
        unsigned byte = bytes.data[(*at)++];
        *value += (uint64_t)(byte % 128) << 7 * k;
        if (byte < 128) return true;
    }
    return false;
}

static bool silly_varint_row(slice bytes, uint32_t n, uint32_t limit, uint32_t *out)
{
    uint64_t next = 0, value;
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++, next = value + 1) {
        if (!silly_varint(bytes, &at, &value) || (value += next) >= limit) return false;
        out[i] = (uint32_t)value;
    }
    return true;
}

static size_t silly_varints_len(slice bytes, uint32_t n)
{
    size_t at = 0;
    for (; n && at < bytes.len; at++) n -= bytes.data[at] < 128;
    return n ? 0 : at;
}

static void varints_agree(void **state)
{
    (void)state;
    uint64_t random = seed();
    unsigned sound = 0;
    for (unsigned round = 0; round < 4 * ROUNDS; round++) {
        uint8_t all[1200];
        uint32_t have = below(&random, 200), width = 1 + below(&random, 28), silly[260];
        size_t len = 0;
        for (uint32_t i = 0; i < have; i++) {
            uint32_t gap =
                below(&random, UINT64_C(1) << (below(&random, 4) ? width : (width + 1) / 2));
            for (; gap > 127; gap >>= 7) all[len++] = (uint8_t)(gap | 128);
            all[len++] = (uint8_t)gap;
        }
        if (below(&random, 4) == 0 && len) all[below(&random, len)] ^= 128;
        if (below(&random, 4) == 0) len = below(&random, len + 1);
        uint8_t *copy = guard_last(&in, len);
        memcpy(copy, all, len);
        slice bytes = {copy, len};
        uint32_t n = below(&random, 2) ? have : below(&random, 260),
                 limit = below(&random, 2) ? INT32_MAX : below(&random, 100000);
        bool want = silly_varint_row(bytes, n, limit, silly);
        if (want && n && below(&random, 4) == 0) { /* the last one is just below it, or it */
            limit = silly[n - 1] + below(&random, 2);
            want = silly_varint_row(bytes, n, limit, silly);
        }
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t *out = fresh(n);
            assert_int_equal(rows[r]->varint_rising(bytes, n, limit, out), want);
            if (want) assert_memory_equal(out, silly, n * sizeof *out);
            assert_true(rows[r]->varints_len(bytes, n + 1) == silly_varints_len(bytes, n + 1));
        }
        sound += want && n;
    }
    assert_true(sound > ROUNDS && sound < 4 * ROUNDS);
}

/* Five bytes are read for a value, however small it is, and not six; others stand around it. */
static void long_varints_are_refused(void **state)
{
    (void)state;
    for (unsigned before = 0; before < 9; before++)
        for (unsigned len = 1; len < 12; len++)
            for (unsigned k = 0; k < 3 * n_rows; k++) {
                const codec_kernels *row = rows[k % n_rows];
                uint32_t after = k / n_rows, out[16];
                uint8_t *bytes = guard_last(&in, before + len + after);
                memset(bytes, 0, before + len + after);
                memset(bytes + before, 0x80, len - 1);
                slice all = {bytes, before + len + after};
                assert_int_equal(row->varint_rising(all, before + 1 + after, 100, out), len <= 5);
                if (len <= 5) assert_int_equal(out[before + after], before + after);
            }
}

static int by_fall(const void *a, const void *b)
{
    return *(const uint8_t *)b - *(const uint8_t *)a;
}

static void largest_agree(void **state)
{
    (void)state;
    uint64_t random = seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t n = below(&random, 300), k = 1 + below(&random, below(&random, 2) ? 12 : 310),
                 kinds = 1 + below(&random, 256);
        uint8_t *bytes = guard_last(&in, n), sorted[300];
        uint32_t least = below(&random, 2) ? 256 - kinds : 0;
        for (uint32_t i = 0; i < n; i++) bytes[i] = (uint8_t)(least + below(&random, kinds));
        memcpy(sorted, bytes, n);
        qsort(sorted, n, 1, by_fall);
        for (unsigned r = 0; r < n_rows; r++)
            assert_int_equal(rows[r]->kth_largest(bytes, n, k), k <= n ? sorted[k - 1] : 0);
    }
}

/* ---- frequencies ------------------------------------------------------------------------- */

/* Equal to what the format's own functions say, for every byte and all kinds of lengths. */
static void frequencies_agree(void **state)
{
    (void)state;
    static const double k1s[] = {0, 0.4, 0.9, 1.2, 2, 1e6}, bs[] = {0, 0.3, 0.75, 1},
                        means[] = {1e-6, 57.25, 600, 1e12};
    uint64_t random = seed();
    for (unsigned round = 0; round < ROUNDS; round++) {
        norm_scale scale = {k1s[below(&random, 6)], bs[below(&random, 4)],
                            means[below(&random, 4)]};
        segment_info info = {.k1 = scale.k1, .b = scale.b, .avgdl_ref = scale.mean};
        uint32_t n = below(&random, 40), silly[40], width = 1 + below(&random, 32);
        uint8_t *impacts = guard_last(&in, n);
        uint32_t *lengths = guard_last(&more_in, n * sizeof *lengths);
        for (uint32_t i = 0; i < n; i++) {
            impacts[i] = (uint8_t)below(&random, 256);
            lengths[i] = (uint32_t)random_next(&random) >> (32 - width);
            silly[i] = impact_decode(impacts[i], segment_norm(&info, lengths[i]));
        }
        for (unsigned r = 0; r < n_rows; r++) {
            uint32_t *out = fresh(n);
            rows[r]->impact_tf(impacts, lengths, n, &scale, out);
            assert_memory_equal(out, silly, n * sizeof *out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expand_agrees),
        cmocka_unit_test(totals_agree),
        cmocka_unit_test(blocks_agree),
        cmocka_unit_test(guarded_blocks),
        cmocka_unit_test(equal_neighbours_are_refused),
        cmocka_unit_test(blocks_of_ones_are_refused),
        cmocka_unit_test(guarded_bits),
        cmocka_unit_test(full_words_agree),
        cmocka_unit_test(varints_agree),
        cmocka_unit_test(long_varints_are_refused),
        cmocka_unit_test(largest_agree),
        cmocka_unit_test(frequencies_agree),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
