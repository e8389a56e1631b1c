/* SPDX-License-Identifier: MIT
 * test_codec.c - every row of the kernel table against the portable one, and the portable one
 * against the silliest way to do the same (INV-7), on sound and on random bytes.
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

/* ---- silly twins --------------------------------------------------------------------------------
 */

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

/* ---- cases --------------------------------------------------------------------------------------
 */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expand_agrees),
        cmocka_unit_test(totals_agree),
        cmocka_unit_test(blocks_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
