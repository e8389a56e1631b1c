/* SPDX-License-Identifier: MIT
 * test_hash.c - hash_text, by which a line of JSON Lines is known to be unchanged: its values stay
 * what they are, since indexes keep them, and every bit, byte and order of bytes counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"

enum { LONGEST = 330 };

static char text[LONGEST];

static int set_up(void **state)
{
    uint64_t random = 5;
    (void)state;
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)random_next(&random);
    return 0;
}

static void test_known_values(void **state)
{
    (void)state;
    assert_int_equal(hash_text("", 0), UINT64_C(0x9d95de7b1003cb17));
    assert_int_equal(hash_text("{\"id\":\"1\"}", 10), UINT64_C(0x229d6ae7abbbd1de));
    assert_int_equal(hash_text(text, 64), UINT64_C(0x28aea77fcf14a655));
    assert_int_equal(hash_text(text, 300), UINT64_C(0x5b2f18f3beb0e06e));
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void assert_distinct(uint64_t *hashes, size_t n)
{
    qsort(hashes, n, sizeof *hashes, compare);
    for (size_t i = 1; i < n; i++) assert_true(hashes[i - 1] != hashes[i]);
}

/* Of each length: the text, the text with one bit changed, and those without their last byte. */
static void test_every_bit(void **state)
{
    (void)state;
    static uint64_t hashes[(LONGEST + 1) * (LONGEST * 8 + 1)];
    char changed[LONGEST];
    size_t n = 0;
    memcpy(changed, text, sizeof changed);
    for (size_t len = 0; len <= LONGEST; len++) {
        hashes[n++] = hash_text(text, len);
        for (size_t bit = 0; bit < 8 * len; bit++) {
            changed[bit / 8] ^= (char)(1 << bit % 8);
            hashes[n++] = hash_text(changed, len);
            changed[bit / 8] ^= (char)(1 << bit % 8);
        }
    }
    assert_distinct(hashes, n);
}

/* Of equal words in other places, and of nothing but zeros. */
static void test_places(void **state)
{
    (void)state;
    uint64_t hashes[LONGEST / 8 + LONGEST], n = 0;
    char zeros[LONGEST] = {0};
    for (size_t len = 1; len <= LONGEST; len++) hashes[n++] = hash_text(zeros, len);
    for (size_t at = 0; at + 8 <= LONGEST; at += 8) {
        memcpy(zeros + at, "a word..", 8);
        hashes[n++] = hash_text(zeros, LONGEST);
        memset(zeros + at, 0, 8);
    }
    assert_distinct(hashes, n);
}

/* A word that makes a factor of a lane's product 0 takes nothing of what came before it away. */
static void test_zero_factors(void **state)
{
    (void)state;
    static const uint64_t factor = UINT64_C(0x452821e638d01377);
    uint64_t hashes[16], words[16] = {0};
    for (uint64_t i = 0; i < 16; i++) {
        words[0] = i;
        for (size_t lane = 0; lane < 4; lane++) words[8 + 2 * lane + 1] = factor;
        hashes[i] = hash_text(words, sizeof words);
    }
    assert_distinct(hashes, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_known_values, set_up),
        cmocka_unit_test_setup(test_every_bit, set_up),
        cmocka_unit_test_setup(test_places, set_up),
        cmocka_unit_test(test_zero_factors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
