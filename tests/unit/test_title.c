/* SPDX-License-Identifier: MIT
 * test_title.c - titles and dates of the five articles, and text of every kind of shape.
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
#include "indexer/line_kind.h"
#include "indexer/title.h"
#include "tests/support/ingest_fixture.h"

/* ---- the corpus ------------------------------------------------------------------------- */

typedef struct found {
    const char *id, *title, *date, *title_rule, *date_rule;
} found;

static const found expected[] = {
    {"000_320026c88f27f486.txt",
     "Trump to Meet Xi Jinping at APEC in South Korea, Eyes China Visit for 2026", "", "first-line",
     "none"},
    {"001_afc5136b0c11356f.txt", "Trump Speaks with Xi, to Meet at APEC Forum", "", "after-caption",
     "none"},
    {"002_ee6486a57864e93a.txt",
     "President Donald Trump announced that he and Chinese President Xi Jinping will have their…",
     "2025-09-19", "first-sentence", "first-line"},
    {"003_49c9dfdcf3ca4ea9.txt",
     "Big News: Trump says he will visit China in April after call with Xi", "2025-11-24T23:03:34",
     "front-matter", "front-matter"},
    {"004_53586f54aae66b6f.txt",
     "Trump Hails TikTok Breakthrough with China, Eyes High-Stakes Beijing Trip in 2026", "",
     "first-line", "none"},
};
enum { N_ARTICLES = sizeof expected / sizeof *expected };

static bool check_event(void *ctx, const pm_ingest_event *event)
{
    unsigned *n = ctx;
    assert_true(*n < N_ARTICLES);
    const found *want = &expected[(*n)++];
    assert_int_equal(event->kind, PM_INGEST_ADDED);
    assert_int_equal(event->id.len, strlen(want->id));
    assert_memory_equal(event->id.data, want->id, event->id.len);
    assert_int_equal(event->title.len, strlen(want->title));
    assert_memory_equal(event->title.data, want->title, event->title.len);
    assert_int_equal(event->date.len, strlen(want->date));
    assert_memory_equal(event->date.data, want->date, event->date.len);
    assert_string_equal(event->title_rule, want->title_rule);
    assert_string_equal(event->date_rule, want->date_rule);
    return true;
}

static void the_five_articles(void **state)
{
    (void)state;
    unsigned n = 0;
    memory_sink sink = {0};
    ingest_sink to = memory_sink_of(&sink);
    pm_ingest_options options = PM_INGEST_OPTIONS_INIT;
    pm_ingest_summary summary;
    pm_error err = {0};
    options.event = check_event;
    options.ctx = &n;
    const char *paths[] = {"corpus/articles"};
    assert_int_equal(ingest_run(&to, paths, 1, &options, &summary, &err), PM_OK);
    assert_int_equal(n, N_ARTICLES);
    assert_int_equal(summary.input_bytes, 16047);
    const pm_article *front = memory_sink_get(&sink, expected[3].id);
    assert_false(front->title_in_body);
    assert_string_equal(front->author.data, "badely");
    assert_string_equal(front->tags.data, "News");
    assert_memory_equal(front->text.data, "\nLet's dive", 11);
    const pm_article *cut = memory_sink_get(&sink, expected[2].id);
    assert_true(cut->title_in_body);
    assert_int_equal(cut->title_end - cut->title_start, cut->title.len - 3);
    assert_memory_equal(cut->text.data + cut->title_start, cut->title.data, cut->title.len - 3);
    assert_memory_equal(cut->text.data, " date 2025-09-19", 16); /* nothing is removed */
    memory_sink_free(&sink);
}

/* ---- shapes ------------------------------------------------------------------------------- */

static void kinds(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        line_kind kind;
    } table[] = {
        {"Storm Closes Ports", LINE_HEADLINE},
        {"Is it so?", LINE_HEADLINE},
        {"Talks Resume in the U.S.", LINE_HEADLINE},
        {"Court Rules Against Mr. Roe", LINE_HEADLINE},
        {"The storm closed the ports.", LINE_PARAGRAPH},
        {"He said: \xe2\x80\x9cWe go.\xe2\x80\x9d", LINE_PARAGRAPH},
        {"Photo: Jane Roe", LINE_CAPTION},
        {"A view of the port (Photo by Jane Roe)", LINE_CAPTION},
        {"A man looks at the sea, 2018. Jane Roe", LINE_CAPTION},
        {"Ships wait outside the port. Jane van Roe/AFP", LINE_CAPTION},
        {"By Jane Roe", LINE_BYLINE},
        {"By the end of the year", LINE_HEADLINE},
        {"***", LINE_MARKUP},
        {"![x](y.png)", LINE_MARKUP},
        {"<div class=\"a\">", LINE_MARKUP},
        {"https://a.example/b", LINE_MARKUP},
        {"ADVERTISEMENT", LINE_NOTICE},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        line_kind got = line_find_kind(table[i].line, strlen(table[i].line));
        if (got != table[i].kind)
            fail_msg("%s: got %d, want %d", table[i].line, (int)got, (int)table[i].kind);
    }
}

static void long_words_are_cut_within_reason(void **state)
{
    (void)state;
    enum { LEN = 100000 };
    char *text = malloc(LEN);
    assert_non_null(text);
    memset(text, 'a', LEN);
    title t;
    title_find(text, LEN, false, &t);
    assert_true(t.shortened && t.end > 0 && t.end <= 500);
    for (size_t i = 0; i + 3 <= LEN; i += 3) memcpy(text + i, "\xe4\xb8\xad", 3);
    title_find(text, LEN - LEN % 3, false, &t);
    assert_true(t.shortened && t.end > 0 && t.end <= 500 && t.end % 3 == 0);
    free(text);
}

/* Any text gives a span inside it, on character boundaries, and a canonical date or none. */
static void random_text(void **state)
{
    (void)state;
    static const char *const parts[] = {"\n",
                                        "\n\n",
                                        "\r\n",
                                        " ",
                                        "word",
                                        "Word",
                                        ".",
                                        "! ",
                                        "? ",
                                        "2025-11-24",
                                        "date ",
                                        "(Photo by",
                                        ")",
                                        "# ",
                                        "**",
                                        "_",
                                        "---\n",
                                        "\xc2\xa0",
                                        "\xe2\x80\x9d",
                                        "\xe3\x80\x82",
                                        "|",
                                        "By ",
                                        "{{",
                                        "}}",
                                        "<a>",
                                        "![",
                                        "](",
                                        "Mr."};
    const char *given = getenv("PM_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 4711, random = seed;
    print_message("PM_TEST_SEED=%llu\n", (unsigned long long)seed);
    for (unsigned round = 0; round < 30000; round++) {
        buf text = {0}, shown = {0};
        for (unsigned n = (unsigned)(random_next(&random) % 60); n > 0; n--)
            buf_append_str(&text, parts[random_next(&random) % (sizeof parts / sizeof *parts)]);
        char *exact = malloc(text.len ? text.len : 1), date[32];
        assert_non_null(exact);
        if (text.len) memcpy(exact, text.data, text.len);
        title t;
        title_find(exact, text.len, round % 2, &t);
        assert_true(t.start <= t.end && t.end <= text.len);
        assert_true(t.end == text.len || ((unsigned char)exact[t.end] & 0xc0) != 0x80);
        assert_true(!t.date[0] || pm_date_parse(t.date, strlen(t.date), date));
        for (size_t i = 0; i < t.n_spans; i++)
            assert_true(t.spans[i].start < t.spans[i].end && t.spans[i].end <= text.len &&
                        t.spans[i].why);
        title_copy(&shown, exact, &t);
        free(exact);
        buf_free(&text);
        buf_free(&shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_five_articles),
        cmocka_unit_test(kinds),
        cmocka_unit_test(long_words_are_cut_within_reason),
        cmocka_unit_test(random_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
