/* SPDX-License-Identifier: MIT
 * test_codec.c - Elias-Fano blocks and bit strings: known bytes
 * (those of FORMAT.md), round trips of random values, and refusal of every damaged block.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/codec/bits.h"
#include "common/codec/ef.h"
#include "tests/support/guard.h"

enum { WORDS_MAX = 256 };

static uint32_t below(uint64_t *random, uint64_t n)
{
    return (uint32_t)(random_next(random) % n);
}

/* ---- Elias-Fano -------------------------------------------------------------------------- */

static void ef_known_bytes(void **state)
{
    (void)state;
    static const uint32_t values[] = {3, 700, 1000, 2000};
    static const uint8_t want[16] = {0x03, 0xbc, 0xe8, 0xd0, 0, 0, 0, 0, 0x29, 0x04};
    uint64_t words[2];
    uint32_t out[EF_BLOCK_MAX];
    ef_shape shape;
    assert_true(ef_shape_of(4, 2000, &shape));
    assert_int_equal(shape.low_bits, 8);
    assert_int_equal(shape.low_words, 1);
    assert_int_equal(shape.words, 2);
    assert_false(shape.bitmap);
    ef_encode(&shape, values, words);
    assert_memory_equal(words, want, 16);
    assert_int_equal(ef_decode(&shape, words, 100, out), 4);
    for (unsigned i = 0; i < 4; i++) assert_int_equal(out[i], 100 + values[i]);
}

static void ef_known_bitmap(void **state)
{
    (void)state;
    static const uint32_t values[] = {2, 9, 20};
    uint64_t word;
    ef_shape shape;
    assert_true(ef_shape_of(3, 20, &shape));
    assert_true(shape.bitmap && shape.words == 1);
    ef_encode(&shape, values, &word);
    assert_true(word == 0x100204);
}

/* A bitmap of twice the words of the string is still one, with a word more it is none. */
static void ef_largest_bitmaps(void **state)
{
    (void)state;
    ef_shape shape;
    assert_true(ef_shape_of(1, 255, &shape));
    assert_true(shape.bitmap && shape.words == 4);
    assert_true(ef_shape_of(1, 256, &shape));
    assert_true(!shape.bitmap && shape.words == 2);
}

/* Value i in lane i mod 8, row i div 8. */
static void ef_known_lanes(void **state)
{
    (void)state;
    uint32_t values[256];
    uint64_t words[WORDS_MAX];
    ef_shape shape;
    for (uint32_t i = 0; i < 256; i++) values[i] = i * 4096 + i;
    assert_true(ef_shape_of(256, values[255], &shape));
    assert_int_equal(shape.low_bits, 11);
    assert_int_equal(shape.low_words, 44);
    ef_encode(&shape, values, words);
    const uint8_t *bytes = (const uint8_t *)words;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t row = i / 8, lane = i % 8, low = 0;
        for (uint32_t k = 0; k < 11; k++) {
            uint32_t at = row * 11 + k;
            low |= (load_u32(bytes + 4 * (8 * (at / 32) + lane)) >> at % 32 & 1) << k;
        }
        assert_int_equal(low, values[i] & 2047);
    }
}

static void ef_impossible_shapes(void **state)
{
    (void)state;
    ef_shape shape;
    assert_false(ef_shape_of(0, 5, &shape));
    assert_false(ef_shape_of(257, 5000, &shape));
    assert_false(ef_shape_of(10, 8, &shape));
    assert_true(ef_shape_of(10, 9, &shape));
    assert_true(ef_shape_of(1, UINT32_MAX, &shape));
    assert_true(ef_shape_of(256, UINT32_MAX, &shape));
    assert_true(shape.words <= 216);
}

/* n values that end at `range`. */
static void random_values(uint64_t *random, uint32_t n, uint32_t range, uint32_t *values)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t most = (uint64_t)range - at - (n - 1 - i);
        if (i == n - 1)
            at = range;
        else
            at += below(random, below(random, 4) ? most / (n - i) + 1 : most + 1);
        values[i] = (uint32_t)at++;
    }
}

static uint32_t random_range(uint64_t *random, uint32_t n)
{
    uint64_t spread = UINT64_C(1) << below(random, 33), range = n - 1 + below(random, spread);
    return range > UINT32_MAX ? UINT32_MAX : (uint32_t)range;
}

static void ef_random_blocks(void **state)
{
    (void)state;
    uint64_t random = 11;
    unsigned bitmaps = 0, lanes = 0;
    for (unsigned round = 0; round < 4000; round++) {
        uint32_t n = below(&random, 3) ? 1 + below(&random, 256) : 256, values[256], out[256];
        uint64_t words[WORDS_MAX];
        ef_shape shape;
        assert_true(ef_shape_of(n, random_range(&random, n), &shape));
        random_values(&random, n, shape.range, values);
        ef_encode(&shape, values, words);
        assert_int_equal(ef_decode(&shape, words, 0, out), n);
        assert_memory_equal(out, values, n * sizeof *out);
        bitmaps += shape.bitmap;
        lanes += !shape.bitmap && n == 256;
        /* A block with one bit changed is refused or is another block of the same shape.   */
        words[below(&random, shape.words)] ^= UINT64_C(1) << below(&random, 64);
        if (ef_decode(&shape, words, 0, out)) {
            for (uint32_t i = 1; i < n; i++) assert_true(out[i] > out[i - 1]);
            assert_int_equal(out[n - 1], shape.range);
        }
    }
    assert_true(bitmaps > 100 && lanes > 100);
}

/* Noise of any kind: nothing is written beyond n, and what comes out keeps the contract. */
static void ef_random_noise(void **state)
{
    (void)state;
    uint64_t random = 12;
    for (unsigned round = 0; round < 4000; round++) {
        uint32_t n = 1 + below(&random, 256), out[257];
        ef_shape shape;
        assert_true(ef_shape_of(n, random_range(&random, n), &shape));
        uint64_t *words = malloc(shape.words * sizeof *words); /* exact, for the sanitizer    */
        assert_non_null(words);
        unsigned density = below(&random, 4);
        for (uint32_t i = 0; i < shape.words; i++) {
            words[i] = random_next(&random);
            for (unsigned k = 0; k < density; k++) words[i] &= random_next(&random);
        }
        out[n] = 0xdeadbeef;
        uint32_t got = ef_decode(&shape, words, 0, out);
        assert_true(got == 0 || got == n);
        assert_int_equal(out[n], 0xdeadbeef);
        for (uint32_t i = 1; i < got; i++)
            assert_true(out[i] > out[i - 1] && out[i] <= shape.range);
        free(words);
    }
}

/* ---- bits -------------------------------------------------------------------------------- */

/* Bit by bit the same; bits before and behind stay, and no byte beyond seven behind is touched. */
static void bits_copied(void **state)
{
    (void)state;
    enum { BYTES = 64, BITS = 8 * (BYTES - 7) };
    uint64_t random = 31;
    guard g = guard_open(BYTES);
    uint8_t *src = guard_last(&g, BYTES), dst[BYTES], want[BYTES];
    for (unsigned round = 0; round < 50000; round++) {
        uint64_t n = below(&random, round % 4 ? 130 : BITS), from = below(&random, BITS - n + 1),
                 to = below(&random, BITS - n + 1);
        for (unsigned i = 0; i < BYTES; i++) src[i] = (uint8_t)random_next(&random);
        memset(dst, 0, sizeof dst);
        for (uint64_t i = 0; i < to; i++)
            dst[i / 8] |= (uint8_t)((random_next(&random) & 1) << i % 8);
        memcpy(want, dst, sizeof want);
        for (uint64_t i = 0; i < n; i++) {
            unsigned bit = src[(from + i) / 8] >> (from + i) % 8 & 1;
            want[(to + i) / 8] |= (uint8_t)(bit << (to + i) % 8);
        }
        bits_copy(dst, to, src, from, n);
        assert_memory_equal(dst, want, sizeof want);
    }
    guard_close(&g);
}

static void bits_agree_with_counting(void **state)
{
    (void)state;
    uint64_t random = 15, words[8];
    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < 8; i++) words[i] = random_next(&random) & random_next(&random);
        uint32_t rank = 0;
        for (uint32_t at = 0; at < 512; at++) {
            assert_int_equal(bits_rank(words, at), rank);
            if (!bits_get(words, at)) continue;
            uint32_t in_word = rank - bits_rank(words, at / 64 * 64);
            assert_int_equal(bits_select(words[at / 64], in_word), at % 64);
            rank++;
        }
        assert_int_equal(bits_rank(words, 512), rank);
        uint64_t at = below(&random, 480);
        uint32_t n = 1 + below(&random, 32), field = 0;
        for (uint32_t i = 0; i < n; i++) field |= (uint32_t)bits_get(words, at + i) << i;
        assert_int_equal(bits_field(words, 8, at, n), field);
    }
    assert_int_equal(bits_log2(1), 0);
    assert_int_equal(bits_log2(255), 7);
    assert_int_equal(bits_log2(UINT64_MAX), 63);
    assert_int_equal(bits_words(0), 0);
    assert_int_equal(bits_words(64), 1);
    assert_int_equal(bits_words(65), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ef_known_bytes),       cmocka_unit_test(ef_known_bitmap),
        cmocka_unit_test(ef_largest_bitmaps),   cmocka_unit_test(ef_known_lanes),
        cmocka_unit_test(ef_impossible_shapes), cmocka_unit_test(ef_random_blocks),
        cmocka_unit_test(ef_random_noise),      cmocka_unit_test(bits_agree_with_counting),
        cmocka_unit_test(bits_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
