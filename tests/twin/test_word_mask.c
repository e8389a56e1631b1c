/* SPDX-License-Identifier: MIT
 *
 * test_word_mask.c - the masks of bytes, in all rows that the machine has, against the table of
 * bytes: every byte at every place, random bytes, and every length of a tail that ends at a
 * guard page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/cpu.h"
#include "common/base/hash.h"
#include "common/text/tokenizer.h"
#include "common/text/word_mask.h"
#include "tests/support/guard.h"

static uint64_t expected(const char *p, size_t n, unsigned flags)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < n && i < WORD_MASK_BYTES; i++)
        mask |= (uint64_t)((byte_class[(uint8_t)p[i]] & flags) != 0) << i;
    return mask;
}

static void assert_all(const word_masks *m, const char *p, size_t n)
{
    assert_int_equal(m->words, expected(p, n, BYTE_WORD));
    assert_int_equal(m->digits, expected(p, n, BYTE_DIGIT));
    assert_int_equal(m->points, expected(p, n, BYTE_POINT));
    assert_int_equal(m->apostrophes, expected(p, n, BYTE_APOSTROPHE));
    assert_int_equal(m->high, expected(p, n, BYTE_HIGH));
}

static void assert_row(word_mask_fn *row, const char *p, size_t n)
{
    word_masks m = word_mask_make(row, p, n);
    assert_all(&m, p, n);
}

static void assert_masks(const char *p, size_t n)
{
    assert_row(word_mask_portable, p, n);
    if (cpu_machine_level() >= CPU_AVX2) assert_row(word_mask_avx2, p, n);
    if (cpu_machine_level() >= CPU_AVX512) assert_row(word_mask_avx512, p, n);
}

static void every_byte_at_every_place(void **state)
{
    char text[WORD_MASK_BYTES];
    (void)state;
    for (unsigned at = 0; at < WORD_MASK_BYTES; at++)
        for (unsigned c = 0; c < 256; c++) {
            memset(text, at % 2 ? 'x' : ' ', sizeof text);
            text[at] = (char)c;
            assert_masks(text, sizeof text);
        }
}

static void tails_stay_inside(void **state)
{
    uint64_t seed = 7;
    guard g = guard_open(4096);
    (void)state;
    for (unsigned round = 0; round < 2000; round++)
        for (size_t n = 1; n <= WORD_MASK_BYTES + 8; n++) {
            char *p = guard_last(&g, n);
            for (size_t i = 0; i < n; i++) p[i] = (char)random_next(&seed);
            assert_masks(p, n);
        }
    guard_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_at_every_place),
        cmocka_unit_test(tails_stay_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
