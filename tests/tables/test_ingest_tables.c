/* SPDX-License-Identifier: MIT
 * test_ingest_tables.c - runs tests/tables/dates.txt, titles.txt and title-bounds.txt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "indexer/title.h"

enum { LINE_BYTES = 1024, CASE_BYTES = 8192 };

static FILE *open_table(const char *name)
{
    static const char *const folders[] = {"tests/tables/", "../tests/tables/", ""};
    char path[256];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s%s", folders[i], name);
        FILE *f = fopen(path, "rb");
        if (f) return f;
    }
    fail_msg("%s is not here", name);
    return NULL;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* \xNN to bytes, in place; returns the new length. */
static size_t unescape(char *s, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len;) {
        if (len - i >= 4 && s[i] == '\\' && s[i + 1] == 'x') {
            s[n++] = (char)(digit(s[i + 2]) << 4 | digit(s[i + 3]));
            i += 4;
        } else {
            s[n++] = s[i++];
        }
    }
    s[n] = 0;
    return n;
}

/* ---- dates ----------------------------------------------------------------------------- */

static void dates(void **state)
{
    (void)state;
    FILE *f = open_table("dates.txt");
    char line[LINE_BYTES];
    unsigned number = 0, cases = 0, wrong = 0;
    while (fgets(line, sizeof line, f)) {
        number++;
        line[strcspn(line, "\n")] = 0;
        char *arrow = strstr(line, " => ");
        if (line[0] == '#' || !arrow) continue;
        char *want = arrow + 4;
        size_t len = unescape(line, (size_t)(arrow - line));
        char got[32] = "nothing written";
        if (!pm_date_parse(line, len, got)) strcpy(got, "-");
        cases++;
        if (strcmp(got, want) == 0) continue;
        wrong++;
        print_error("dates.txt:%u: got %s, want %s\n", number, got, want);
    }
    fclose(f);
    assert_true(cases >= 80);
    assert_int_equal(wrong, 0);
}

/* ---- titles ---------------------------------------------------------------------------- */

typedef struct title_case {
    unsigned line;
    bool markdown;
    char text[CASE_BYTES];
    size_t len;
    char *rule, *date, *title; /* in want                                              */
    char want[LINE_BYTES];
} title_case;

/* "rule | date | title" into its parts. */
static void split_want(title_case *c)
{
    c->rule = c->want;
    c->date = strstr(c->want, " | ");
    assert_non_null(c->date);
    *c->date = 0;
    c->date += 3;
    c->title = strstr(c->date, " | ");
    assert_non_null(c->title);
    *c->title = 0;
    c->title += 3;
    unescape(c->title, strlen(c->title));
}

static bool read_case(FILE *f, unsigned *number, title_case *c)
{
    char line[LINE_BYTES];
    bool inside = false;
    c->len = 0;
    while (fgets(line, sizeof line, f)) {
        ++*number;
        if (!inside) {
            inside = strcmp(line, "text\n") == 0 || strcmp(line, "markdown\n") == 0;
            c->markdown = line[0] == 'm';
            c->line = *number;
        } else if (strncmp(line, "=> ", 3) == 0) {
            line[strcspn(line, "\n")] = 0;
            strcpy(c->want, line + 3);
            split_want(c);
            return true;
        } else {
            size_t n = unescape(line, strlen(line));
            assert_true(c->len + n < sizeof c->text);
            memcpy(c->text + c->len, line, n);
            c->len += n;
        }
    }
    return false;
}

/* Every word of the title's span is in the copy that is shown, in order, and no other. */
static bool same_words(const char *text, const title *t, const char *shown)
{
    for (size_t at = t->start; at < t->end; at++) {
        char c = text[at];
        if (c == ' ' || (c >= '\t' && c <= '\r')) continue;
        if (t->end - at >= 2 && memcmp(text + at, "\xc2\xa0", 2) == 0) {
            at++;
            continue;
        }
        while (*shown == ' ') shown++;
        if (*shown++ != c) return false;
    }
    return strcmp(shown, t->shortened ? "\xe2\x80\xa6" : "") == 0;
}

static bool check_case(const title_case *c, const char *name)
{
    title t;
    buf shown = {0};
    char *exact = malloc(c->len ? c->len : 1); /* whose end sanitizers see */
    assert_non_null(exact);
    memcpy(exact, c->text, c->len);
    title_find(exact, c->len, c->markdown, &t);
    title_copy(&shown, exact, &t);
    free(exact);
    buf_u8(&shown, 0);
    const char *copy = (const char *)shown.data;
    bool right =
        strcmp(t.rule, c->rule) == 0 && strcmp(t.date, c->date) == 0 && strcmp(copy, c->title) == 0;
    if (!right)
        print_error("%s:%u: got  %s | %s | %s\n          want %s | %s | %s\n", name, c->line,
                    t.rule, t.date, copy, c->rule, c->date, c->title);
    if (!same_words(c->text, &t, copy)) {
        print_error("%s:%u: the span holds other words than the title\n", name, c->line);
        right = false;
    }
    buf_free(&shown);
    return right;
}

static void check_titles(const char *name, unsigned least)
{
    FILE *f = open_table(name);
    title_case *c = malloc(sizeof *c);
    assert_non_null(c);
    unsigned number = 0, cases = 0, wrong = 0;
    for (; read_case(f, &number, c); cases++) wrong += !check_case(c, name);
    free(c);
    fclose(f);
    assert_true(cases >= least);
    assert_int_equal(wrong, 0);
}

static void titles(void **state)
{
    (void)state;
    check_titles("titles.txt", 50);
    check_titles("title-bounds.txt", 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(dates), cmocka_unit_test(titles)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
