/* SPDX-License-Identifier: MIT
 *
 * test_query.c - runs tests/tables/query.txt: each line a query, a mode and how it reads.
 *
 * Beyond the expected text, each lenient line's canonical form must parse to itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "searcher/query.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINES_LEAST = 120 };

static size_t unescape(char *text)
{
    size_t n = 0, len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        if (text[i] != '\\' || i + 1 == len) {
            text[n++] = text[i];
        } else if (text[i + 1] == 'x' && sscanf(text + i + 2, "%2x", &byte) == 1) {
            text[n++] = (char)byte;
            i += 3;
        } else {
            char c = text[++i];
            text[n++] = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
    }
    text[n] = 0;
    return n;
}

/* How a query reads, or "column N: what" when it is refused. */
static void interpret(analyzer *words, const char *text, size_t len, bool strict, char *out,
                      size_t cap)
{
    arena a = {0};
    query q;
    pm_text shown;
    pm_error err = {0};
    pm_status st = query_parse(&q, &a, words, text, len, strict, &err);
    if (st == PM_OK) {
        query_note_nothing(&q);
        assert_int_equal(query_print(&q, &a, &shown, &err), PM_OK);
        snprintf(out, cap, "%s", shown.data);
    } else {
        assert_int_equal(st, PM_USAGE);
        const char *column = strstr(err.message, "column ");
        assert_non_null(column);
        assert_true(err.offset <= len);
        snprintf(out, cap, "%s", column);
    }
    arena_free(&a);
}

static bool check_line(analyzer *words, unsigned number, char *text, bool strict,
                       const char *expected)
{
    char shown[1024], again[1024];
    size_t len = unescape(text);
    interpret(words, text, len, strict, shown, sizeof shown);
    if (strcmp(shown, expected)) {
        print_error("query.txt:%u: %s\n  expected %s\n  got      %s\n", number, text, expected,
                    shown);
        return false;
    }
    char *notes = strchr(shown, '[');
    if (strict || notes == shown) return true;
    if (notes) notes[-1] = 0;
    interpret(words, shown, strlen(shown), false, again, sizeof again);
    static const char *const said_again[] = {" [only negatives", " [date:2025-11..2025-09 ends"};
    for (size_t i = 0; i < sizeof said_again / sizeof *said_again; i++)
        if (strstr(again, said_again[i])) *strstr(again, said_again[i]) = 0;
    if (!strcmp(shown, again)) return true;
    print_error("query.txt:%u: %s\n  reads    %s\n  and then %s\n", number, text, shown, again);
    return false;
}

static void test_table(void **state)
{
    (void)state;
    char line[2048];
    unsigned number = 0, lines = 0, failed = 0;
    analyzer *words;
    FILE *f = fopen("tests/tables/query.txt", "rb");
    assert_non_null(f);
    assert_int_equal(analyzer_open(&words, "en", NULL), PM_OK);
    while (fgets(line, sizeof line, f)) {
        number++;
        line[strcspn(line, "\n")] = 0;
        char *mode = strstr(line, " | ");
        if (line[0] == '#' || !mode) continue;
        char *expected = strstr(mode + 3, " | ");
        assert_non_null(expected);
        *mode = *expected = 0;
        lines++;
        failed += !check_line(words, number, line, !strcmp(mode + 3, "strict"), expected + 3);
    }
    fclose(f);
    analyzer_close(words);
    assert_true(lines >= LINES_LEAST);
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
