/* SPDX-License-Identifier: MIT
 * test_period.c - what dates of filters cover, against the C library's calendar; their canonical
 * form covers the same; every cut and random bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/text/period.h"

#define MIN  INT64_MIN
#define MAX  INT64_MAX
#define NBSP "\xc2\xa0"

static int64_t at(int year, int month, int day)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    return (int64_t)timegm(&tm);
}

/* A heap copy of exactly len bytes, so that a sanitizer sees any read beyond it. */
static bool range_exact(const char *text, size_t len, period *out)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    bool found = period_range(copy, len, out);
    free(copy);
    return found;
}

static void check(const char *text, int64_t from, int64_t to, const char *canonical)
{
    period p, again;
    if (!range_exact(text, strlen(text), &p)) fail_msg("%s: not understood", text);
    assert_string_equal(p.text, canonical);
    if (p.from != from || p.to != to)
        fail_msg("%s: %lld to %lld", text, (long long)p.from, (long long)p.to);
    assert_true(period_range(canonical, strlen(canonical), &again));
    assert_true(again.from == from && again.to == to);
    assert_string_equal(again.text, canonical);
}

static void periods(void **state)
{
    (void)state;
    check("2025", at(2025, 1, 1), at(2026, 1, 1), "2025");
    check("9999", at(9999, 1, 1), at(10000, 1, 1), "9999");
    check("0001", at(1, 1, 1), at(2, 1, 1), "0001");
    check("2025-09", at(2025, 9, 1), at(2025, 10, 1), "2025-09");
    check("2025-12", at(2025, 12, 1), at(2026, 1, 1), "2025-12");
    check("2024-2", at(2024, 2, 1), at(2024, 3, 1), "2024-02");
    check("2025/09", at(2025, 9, 1), at(2025, 10, 1), "2025-09");
    check("2025.09", at(2025, 9, 1), at(2025, 10, 1), "2025-09");
    check("September 2025", at(2025, 9, 1), at(2025, 10, 1), "2025-09");
    check("Sept. 2025", at(2025, 9, 1), at(2025, 10, 1), "2025-09");
    check("SEP-2025", at(2025, 9, 1), at(2025, 10, 1), "2025-09");
    check("Apr 2025", at(2025, 4, 1), at(2025, 5, 1), "2025-04");
    check("oct 2025", at(2025, 10, 1), at(2025, 11, 1), "2025-10");
    check("\t\v2025\f\r\n", at(2025, 1, 1), at(2026, 1, 1), "2025");
    check(NBSP "2025-9" NBSP " ", at(2025, 9, 1), at(2025, 10, 1), "2025-09");
    check(" " NBSP NBSP "Sep" NBSP "2025" NBSP, at(2025, 9, 1), at(2025, 10, 1), "2025-09");
    check("2025-09-19", at(2025, 9, 19), at(2025, 9, 20), "2025-09-19");
    check(" 19 Sep 2025 ", at(2025, 9, 19), at(2025, 9, 20), "2025-09-19");
    check("2024-02-29", at(2024, 2, 29), at(2024, 3, 1), "2024-02-29");
    check("2025-09-19T10:00:01Z", at(2025, 9, 19) + 36001, at(2025, 9, 19) + 36002,
          "2025-09-19T10:00:01+00:00");
    check("2025-09-19 10:11:12", at(2025, 9, 19) + 36672, at(2025, 9, 19) + 36673,
          "2025-09-19T10:11:12");
    check("2025-09-19T10:11-03:45", at(2025, 9, 19) + 50160, at(2025, 9, 19) + 50161,
          "2025-09-19T10:11:00-03:45");
    check("2025-09-19T10:00+02:00", at(2025, 9, 19) + 28800, at(2025, 9, 19) + 28801,
          "2025-09-19T10:00:00+02:00");
}

static void ranges(void **state)
{
    (void)state;
    check("2025-09..2025-11", at(2025, 9, 1), at(2025, 12, 1), "2025-09..2025-11");
    check("2024..2025-03-05", at(2024, 1, 1), at(2025, 3, 6), "2024..2025-03-05");
    check("2025..", at(2025, 1, 1), MAX, "2025..");
    check("..2025", MIN, at(2026, 1, 1), "..2025");
    check("Sep. 2025 .. Nov. 2025", at(2025, 9, 1), at(2025, 12, 1), "2025-09..2025-11");
    check("2025.09..2025.11.02", at(2025, 9, 1), at(2025, 11, 3), "2025-09..2025-11-02");
    check("2025-09" NBSP ".." NBSP "Nov 2025", at(2025, 9, 1), at(2025, 12, 1), "2025-09..2025-11");
    check("2025..2024", at(2025, 1, 1), at(2025, 1, 1), "2025..2024");
}

static void refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "..",
                                        "2025-13",
                                        "2025-00",
                                        "2025-02-30",
                                        "202509",
                                        "25",
                                        "20250",
                                        "today",
                                        "of Sep 2025",
                                        "OF" NBSP "Sep 2025",
                                        "2025\xa0",
                                        "\xc2",
                                        "2025 9",
                                        "Sep 2025 9",
                                        "\xc2\xa0",
                                        "03/04/2025",
                                        "2025-",
                                        "-2025",
                                        "2025...2026",
                                        "2025..x",
                                        "x..2025",
                                        "2025..2026..2027",
                                        "1 2025",
                                        "Sep",
                                        "2025-09-",
                                        "2025-9-",
                                        "Smarch 2025",
                                        "0000",
                                        "2025 09",
                                        "Sep 2025 10:00"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        period p;
        if (range_exact(wrong[i], strlen(wrong[i]), &p)) fail_msg("%s: %s", wrong[i], p.text);
    }
    /* of 64 bytes at most */
    char text[80];
    for (size_t n = 60; n < 70; n++) {
        period long_one;
        memset(text, ' ', sizeof text);
        memcpy(text, "Sep", 3);
        memcpy(text + n - 4, "2025", 4);
        assert_int_equal(range_exact(text, n, &long_one), n <= 64);
    }
    period p;
    assert_false(range_exact("Sep 2025\0x", 10, &p));
    int64_t from, to;
    assert_false(pm_date_range("x", 1, &from, &to));
    assert_false(pm_date_range("", 0, &from, &to));
    assert_true(pm_date_range("1970", 4, &from, &to));
    assert_true(from == 0 && to == 365 * 86400);
}

/* Whatever is taken has a canonical form that is taken as the same. */
static void any_bytes(void **state)
{
    (void)state;
    static const char letters[] = "0123456789-/.: TZsepnovabr+..  \0\xc3";
    uint64_t seed = 20251124;
    unsigned taken = 0;
    for (unsigned i = 0; i < 400000; i++) {
        char text[40];
        size_t len = random_next(&seed) % sizeof text;
        for (size_t k = 0; k < len; k++) text[k] = letters[random_next(&seed) % sizeof letters];
        if (i % 2 && len > 12) memcpy(text, "2025-09..", 9);
        period p, again;
        if (!range_exact(text, len, &p)) continue;
        taken++;
        assert_true(strlen(p.text) < PERIOD_TEXT);
        assert_true(period_range(p.text, strlen(p.text), &again));
        assert_true(p.from == again.from && p.to == again.to);
    }
    assert_true(taken > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(periods),
        cmocka_unit_test(ranges),
        cmocka_unit_test(refused),
        cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests_name("period", tests, NULL, NULL);
}
