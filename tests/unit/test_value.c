/* SPDX-License-Identifier: MIT
 * test_value.c - values of fields, folded: spellings that are one, and any text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/text/fold.h"
#include "common/text/value.h"

static size_t fold_exactly(const char *text, size_t len, char out[TERM_MAX_BYTES])
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    if (len) memcpy(copy, text, len);
    size_t n = value_fold(copy, len, out);
    free(copy);
    return n;
}

static void check(const char *text, const char *expected)
{
    char out[TERM_MAX_BYTES];
    size_t n = fold_exactly(text, strlen(text), out);
    if (n != strlen(expected) || memcmp(out, expected, n))
        fail_msg("%s: %.*s instead of %s", text, (int)n, out, expected);
}

static void spellings(void **state)
{
    (void)state;
    check("Reuters", "reuters");
    check("  Jane \t\n Doe ", "jane doe");
    check("José\xc2\xa0Pérez", "jose perez");
    check("O'Brien", "obrien");
    check("O’Brien", "obrien");
    check("en-GB", "en-gb");
    check("C++ & (more)", "c++ & (more)");
    check("\xef\xbc\xa1\xef\xbc\xb0", "ap");
    check("", "");
    check(" \t", "");
    check("'", "");
}

/* A long value is cut between characters, whatever stands there. */
static void long_values(void **state)
{
    (void)state;
    char text[600], out[TERM_MAX_BYTES];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 <= sizeof text; i += 3) memcpy(text + i, "\xe6\x96\xb0", 3);
        size_t n = fold_exactly(text, shift + 3 * 150, out);
        assert_true(n > 200 && n <= TERM_MAX_BYTES && (n - shift) % 3 == 0);
        assert_int_equal(utf8_valid_prefix(out, n), n);
    }
}

/* What comes out is its own folding. */
static void any_text(void **state)
{
    (void)state;
    uint64_t seed = 20251124;
    for (unsigned i = 0; i < 60000; i++) {
        char text[400], once[TERM_MAX_BYTES], twice[TERM_MAX_BYTES];
        size_t len = 0, most = random_next(&seed) % (i % 50 ? 40 : 380);
        while (len < most) {
            uint32_t range = random_next(&seed) % 3 ? 0x250 : 0x11000;
            uint32_t u = (uint32_t)(random_next(&seed) % range);
            if (u >= 0xd800 && u < 0xe000) continue;
            len += utf8_put(text + len, u);
        }
        size_t n = fold_exactly(text, len, once);
        assert_true(n <= TERM_MAX_BYTES);
        assert_int_equal(utf8_valid_prefix(once, n), n);
        assert_int_equal(fold_exactly(once, n, twice), n);
        assert_memory_equal(once, twice, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings),
        cmocka_unit_test(long_values),
        cmocka_unit_test(any_text),
    };
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
