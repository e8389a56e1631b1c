/* SPDX-License-Identifier: MIT
 * test_keysort.c - keysort against the C library's qsort: strings that begin alike for more bytes
 * than are kept, strings that are prefixes of others or empty, numbers, few items and many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "indexer/keysort.h"

enum { MANY = 40000, LONGEST = 24 };

typedef struct text {
    uint8_t bytes[LONGEST];
    size_t len;
} text;

static text texts[MANY];
static keysort_item items[MANY], scratch[MANY];
static uint32_t expected[MANY];

static int by_text(const void *ctx, uint32_t a, uint32_t b)
{
    (void)ctx;
    return keysort_compare(texts[a].bytes, texts[a].len, texts[b].bytes, texts[b].len);
}

static void ask(const void *ctx, uint32_t id)
{
    const uint32_t *n = ctx;
    assert_true(id < *n);
}

static int for_qsort(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    int order = by_text(NULL, x, y);
    return order ? order : (x > y) - (x < y); /* equal ones stay in order of their numbers    */
}

/* `letters` different bytes, the last one 0xff; the first `same` are all alike. */
static void make_texts(uint32_t n, unsigned letters, size_t same, uint64_t seed)
{
    for (uint32_t i = 0; i < n; i++) {
        texts[i].len = random_next(&seed) % (LONGEST + 1);
        for (size_t k = 0; k < texts[i].len; k++) {
            uint64_t letter = random_next(&seed) % letters;
            texts[i].bytes[k] = k < same ? 's' : (uint8_t)(letter + 1 == letters ? 0xff : letter);
        }
    }
}

static void assert_sorted(uint32_t n, unsigned threads)
{
    for (uint32_t i = 0; i < n; i++) {
        items[i] = keysort_string(texts[i].bytes, texts[i].len, i);
        expected[i] = i;
    }
    qsort(expected, n, sizeof *expected, for_qsort);
    const keysort_order order = {.compare = by_text, .ask = threads > 1 ? ask : NULL, .ctx = &n};
    keysort_threads(threads, items, scratch, n, &order);
    for (uint32_t i = 0; i < n; i++) assert_int_equal(items[i].id, expected[i]);
}

static void test_strings(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 2, 7, 9, 255, 256, 257, 3000, MANY};
    static const unsigned letters[] = {1, 2, 26, 256};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t l = 0; l < sizeof letters / sizeof *letters; l++)
            for (size_t same = 0; same <= 16; same += 8) {
                make_texts(sizes[s], letters[l], same, s * 100 + l * 10 + same + 1);
                assert_sorted(sizes[s], 1);
                assert_sorted(sizes[s], 2);
            }
}

/* Words in scripts of one, two and three bytes a letter, whose first bytes are few. */
static void test_scripts(void **state)
{
    (void)state;
    static const char *const letters[] = {"a",
                                          "z",
                                          "0",
                                          "9",
                                          "A",
                                          "~",
                                          "\xc3\xa9",
                                          "\xc5\xbf",
                                          "\xce\xb1",
                                          "\xd0\xb0",
                                          "\xd0\xbf",
                                          "\xd1\x8f",
                                          "\xd7\x90",
                                          "\xd9\x8a",
                                          "\xe3\x81\x82",
                                          "\xe4\xb8\xad",
                                          "\xe9\xbe\x8d",
                                          "\xea\xb0\x80",
                                          "\xf0\x9f\x98\x80"};
    uint64_t seed = 9;
    for (uint32_t i = 0; i < MANY; i++) {
        texts[i].len = 0;
        for (uint64_t n = random_next(&seed) % 7; n; n--) {
            const char *letter = letters[random_next(&seed) % (sizeof letters / sizeof *letters)];
            size_t len = strlen(letter);
            if (texts[i].len + len > LONGEST) break;
            memcpy(texts[i].bytes + texts[i].len, letter, len);
            texts[i].len += len;
        }
    }
    assert_sorted(MANY, 1);
    assert_sorted(MANY, 2);
}

static void test_numbers(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (uint32_t i = 0; i < MANY; i++)
        items[i] = (keysort_item){.prefix = random_next(&seed) >> (i % 60), .id = i};
    keysort(items, scratch, MANY, NULL);
    for (uint32_t i = 1; i < MANY; i++) {
        assert_true(items[i - 1].prefix <= items[i].prefix);
        if (items[i - 1].prefix == items[i].prefix) assert_true(items[i - 1].id < items[i].id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
