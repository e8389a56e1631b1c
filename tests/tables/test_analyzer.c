/* SPDX-License-Identifier: MIT
 *
 * test_analyzer.c - runs tests/tables/analyzer.txt: each line a text and its terms.
 *
 * Texts go through the public pm_analyzer; queries, which it does not offer, through the
 * analyzer itself.  Each line is analysed twice, new and known, with the same outcome.
 * A failing line is printed as `pressmark analyze` would be asked to repeat it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/text/analyzer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

enum { LINES_LEAST = 170, LINES_MOST = 4096 };

typedef struct table {
    pm_analyzer *texts;
    analyzer *queries;
    char lang[32];
    bool query;
    unsigned number, lines, failed;
    char *seen[LINES_MOST];
} table;

static FILE *table_open(void)
{
    const char *paths[] = {"tests/tables/analyzer.txt", "../tests/tables/analyzer.txt",
                           "analyzer.txt"};
    FILE *f = NULL;
    for (size_t i = 0; !f && i < sizeof paths / sizeof *paths; i++) f = fopen(paths[i], "rb");
    return f;
}

static size_t unescape(char *text, size_t len)
{
    size_t n = 0;
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
    return n;
}

static void use_language(table *t, const char *lang)
{
    pm_analyzer_close(t->texts);
    analyzer_close(t->queries);
    snprintf(t->lang, sizeof t->lang, "%s", lang);
    assert_int_equal(pm_analyzer_open(lang, &t->texts, NULL), PM_OK);
    assert_int_equal(analyzer_open(&t->queries, lang, NULL), PM_OK);
}

static void analyze_query(table *t, const char *text, size_t len, buf *out)
{
    token k;
    analyzer_begin(t->queries, text, len, true);
    while (analyzer_next(t->queries, &k)) {
        if (out->len) buf_u8(out, ' ');
        buf_append(out, k.form->stem, k.form->stem_len);
        if (!k.marked) continue;
        buf_u8(out, '|');
        buf_append(out, k.form->marker, k.form->marker_len);
    }
    assert_false(analyzer_failed(t->queries));
}

static void analyze_text(table *t, const char *text, size_t len, buf *out)
{
    pm_text terms;
    assert_int_equal(pm_analyzer_terms(t->texts, text, len, &terms, NULL), PM_OK);
    assert_int_equal(terms.data[terms.len], 0);
    buf_append(out, terms.data, terms.len);
}

static void check_line(table *t, const char *shown, const char *input, size_t input_len,
                       const char *want, size_t want_len)
{
    for (int round = 0; round < 2; round++) {
        buf got = {0};
        (t->query ? analyze_query : analyze_text)(t, input, input_len, &got);
        if (got.len != want_len || (want_len && memcmp(got.data, want, want_len) != 0)) {
            print_error("analyzer.txt:%u --lang %s%s round %d\n  %s\n  got  %.*s\n", t->number,
                        t->lang, t->query ? " (query)" : "", round, shown, (int)got.len,
                        got.data ? (char *)got.data : "");
            t->failed++;
        }
        buf_free(&got);
    }
}

/* A line that stands twice proves nothing twice. */
static void check_distinct(table *t, const char *line)
{
    char key[512];
    snprintf(key, sizeof key, "%s %d %s", t->lang, t->query, line);
    for (unsigned i = 0; i < t->lines; i++)
        if (!strcmp(t->seen[i], key)) {
            print_error("analyzer.txt:%u is there twice: %s\n", t->number, line);
            t->failed++;
        }
    assert_true(t->lines < LINES_MOST);
    t->seen[t->lines++] = strdup(key);
}

static void run_line(table *t, char *line)
{
    char shown[1024];
    snprintf(shown, sizeof shown, "%s", line);
    if (!strncmp(line, "## lang: ", 9)) {
        use_language(t, line + 9);
    } else if (!strncmp(line, "## query: ", 10)) {
        t->query = !strcmp(line + 10, "yes");
    } else if (*line && *line != '#') {
        char *arrow = strstr(line, " -> ");
        assert_non_null(arrow);
        *arrow = 0;
        check_distinct(t, line);
        size_t len = unescape(line, (size_t)(arrow - line));
        size_t want = unescape(arrow + 4, strlen(arrow + 4));
        check_line(t, shown, line, len, arrow + 4, want);
    }
}

static void test_table(void **state)
{
    (void)state;
    static table t;
    FILE *f = table_open();
    assert_non_null(f);
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    while ((len = getline(&line, &cap, f)) >= 0) {
        if (len && line[len - 1] == '\n') line[len - 1] = 0;
        t.number++;
        run_line(&t, line);
    }
    free(line);
    fclose(f);
    for (unsigned i = 0; i < t.lines; i++) free(t.seen[i]);
    pm_analyzer_close(t.texts);
    analyzer_close(t.queries);
    assert_true(t.lines >= LINES_LEAST);
    assert_int_equal(t.failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};
    return cmocka_run_group_tests_name("tables/analyzer", tests, NULL, NULL);
}
