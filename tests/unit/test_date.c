/* SPDX-License-Identifier: MIT
 * test_date.c - what a table of dates cannot say: prefixes, every cut, random bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/text/date.h"

/* What was never set is no nought by chance. */
static void dirty_stack(void)
{
    volatile char bytes[2048];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = 0x55;
}

/* A heap copy of exactly len bytes, so that a sanitizer sees any read beyond it. */
static bool parse_exact(const char *text, size_t len, char out[32])
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    char scanned[32];
    dirty_stack();
    assert_true(date_scan(copy, len, scanned) <= len);
    dirty_stack();
    bool found = pm_date_parse(copy, len, out);
    free(copy);
    return found;
}

/* What comes out is canonical: it is understood, and it is its own canonical form. */
static void assert_canonical(const char *date)
{
    char again[32];
    size_t len = strlen(date);
    assert_true(len == 10 || len == 19 || len == 25);
    assert_true(pm_date_parse(date, len, again));
    assert_string_equal(date, again);
}

static void scan_finds_the_longest_date(void **state)
{
    (void)state;
    char out[32];
    assert_int_equal(date_scan("2025-09-19 (Background)", 23, out), 10);
    assert_string_equal(out, "2025-09-19");
    assert_int_equal(date_scan("2025-09-19 10:00 (Background)", 29, out), 16);
    assert_string_equal(out, "2025-09-19T10:00:00");
    assert_int_equal(date_scan("Nov. 24, 2025, the day", 22, out), 13);
    /* what is no time, or no zone, is not of it */
    static const char *const times[] = {"10:3",       "10:303",  "10:30:5", "10:30:345",
                                        "13:30 p.m.", "0:30 am", ":30",     "10.30"};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char text[40];
        size_t len = (size_t)snprintf(text, sizeof text, "2025-09-19 %s x", times[i]);
        assert_int_equal(date_scan(text, len, out), 10);
        assert_string_equal(out, "2025-09-19");
    }
    static const char *const zones[] = {"+1",   "+01:1", "+011",   "+24", "+0160", "+01000",
                                        " E",   " ESTX", " (EST)", " -",  "-:30",  ".",
                                        " pmx", " p",    " a m",   ":"};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        char text[40];
        size_t len = (size_t)snprintf(text, sizeof text, "2025-09-19 10:30%s x", zones[i]);
        assert_int_equal(date_scan(text, len, out), zones[i][0] == ':' ? 10 : 16);
        assert_string_equal(out, zones[i][0] == ':' ? "2025-09-19" : "2025-09-19T10:30:00");
    }
    assert_int_equal(date_scan("2025-09-19th", 12, out), 0);
    assert_int_equal(date_scan("on 2025-09-19", 13, out), 0);
}

static void every_cut_is_defined(void **state)
{
    (void)state;
    static const char *const dates[] = {
        "Mon, 24 Nov 2025 23:03:34 -0500 (EST)", "2025-11-24T23:03:34.5+01:00",
        "November 24th, 2025 at 11:03 p.m. EST", "Mon Nov 24 23:03:34 UTC 2025",
        "26-FEB-1987 15:01:01.79F Z"};
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++)
        for (size_t len = 0; len <= strlen(dates[i]); len++) {
            char out[32];
            if (parse_exact(dates[i], len, out)) assert_canonical(out);
        }
}

/* Also of a day without a time, whose parts are not all set. */
static void a_day_alone(void **state)
{
    (void)state;
    static const char *const days[] = {"2025-11-24", "20251124", "24 Nov 2025", "Nov 24, 2025",
                                       "Mon Nov 24 2025"};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        char out[32];
        assert_true(parse_exact(days[i], strlen(days[i]), out));
        assert_string_equal(out, "2025-11-24");
    }
}

static void every_day_of_400_years(void **state)
{
    (void)state;
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned understood = 0, expected = 0;
    for (unsigned year = 1800; year < 2200; year++)
        for (unsigned month = 1; month <= 12; month++) {
            bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            expected += days[month - 1] + (month == 2 && leap);
            for (unsigned day = 0; day <= 32; day++) {
                char text[16], out[32];
                snprintf(text, sizeof text, "%04u-%02u-%02u", year % 10000, month % 100, day % 100);
                if (!pm_date_parse(text, 10, out)) continue;
                assert_string_equal(text, out);
                understood++;
            }
        }
    assert_int_equal(understood, expected);
    assert_int_equal(understood, 146097);
}

static void random_text_is_defined(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "2025", "11",       "24",  "-",   "/",  ".",  ":",  " ",        ",",    "T", "Z", "+",
        "Nov",  "November", "Mon", "GMT", "pm", "th", "of", "\xc2\xa0", "\xff", "(", ")", "0"};
    const char *given = getenv("PM_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20251124, random = seed;
    print_message("PM_TEST_SEED=%llu\n", (unsigned long long)seed);
    for (unsigned round = 0; round < 200000; round++) {
        char text[128], out[32];
        size_t len = 0;
        for (unsigned n = (unsigned)(random_next(&random) % 12); n > 0; n--) {
            const char *part = parts[random_next(&random) % (sizeof parts / sizeof *parts)];
            memcpy(text + len, part, strlen(part));
            len += strlen(part);
        }
        if (parse_exact(text, len, out)) assert_canonical(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_finds_the_longest_date),
        cmocka_unit_test(every_cut_is_defined),
        cmocka_unit_test(a_day_alone),
        cmocka_unit_test(every_day_of_400_years),
        cmocka_unit_test(random_text_is_defined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
