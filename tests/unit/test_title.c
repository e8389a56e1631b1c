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
        {"A man looks at the sea, 2018. Jane\xc2\xa0Roe", LINE_CAPTION},
        {"A man looks at the sea, 2018. Jane\xc2\xa0roe", LINE_HEADLINE},
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

/* ---- bounds ------------------------------------------------------------------------------- */

/* title_find of a copy whose end sanitizers see; the title as it is shown in `shown`. */
static title find_in(const buf *text, bool markdown, char *shown, size_t room)
{
    title t;
    buf out = {0};
    char *copy = malloc(text->len ? text->len : 1);
    assert_non_null(copy);
    if (text->len) memcpy(copy, text->data, text->len);
    title_find(copy, text->len, markdown, &t);
    title_copy(&out, copy, &t);
    snprintf(shown, room, "%.*s", (int)out.len, out.data ? (const char *)out.data : "");
    buf_free(&out);
    free(copy);
    return t;
}

static title find_str(const char *text, bool markdown, char *shown, size_t room)
{
    buf b = {0};
    buf_append_str(&b, text);
    title t = find_in(&b, markdown, shown, room);
    buf_free(&b);
    return t;
}

static void repeat(buf *out, const char *what, size_t n)
{
    while (n--) buf_append_str(out, what);
}

/* What is stepped over, and why. */
static void furniture(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool markdown;
        const char *spans; /* start-end why, ... */
    } rows[] = {
        {"Storm Closes Ports", false, ""},
        {"Photo: x\nBy Jane\n---\nAdvertisement\nWorld\nStorm Closes All Ports", false,
         "0-8 photo caption,9-16 byline,17-20 markup,21-34 notice,35-40 section label,"},
        {"2025-11-24\nStorm Closes Ports", false, "0-10 date line,"},
        {"Storm Closes Ports\n2025-11-24\n", false, "19-29 date line,"},
        {"2025-11-24 by", false, "0-13 date line,"},
        {"Storm Closes Ports\r", false, ""},
        {"The storm closed the ports,\r", false, ""},
        {"2025-11-24 CET by", false, "0-17 date line,"},
        {"Jane | 2025-11-24", false, "0-17 date line,"},
        {"Posted: 2025-11-24", false, "0-18 date line,"},
        {"Date: 2025-11-24 Storm Closes Ports", false, "0-16 date,"},
        {"World\n\nThe storm closed the ports. More.", false, ""},
        {"Photo: x\n\nThe storm closed the ports. More.", false, "0-8 photo caption,"},
        {"![a](b) By Jane\nStorm", true, "8-15 byline,"},
        {"---\n---\n---\n---\n---\n---\n---\n---\n---\nStorm", false,
         "0-3 markup,4-7 markup,8-11 markup,12-15 markup,16-19 markup,20-23 markup,24-27 markup,"
         "28-31 markup,"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char shown[256], spans[512] = "";
        title t = find_str(rows[i].text, rows[i].markdown, shown, sizeof shown);
        for (size_t k = 0, n = 0; k < t.n_spans; k++)
            n += (size_t)snprintf(spans + n, sizeof spans - n, "%zu-%zu %s,", t.spans[k].start,
                                  t.spans[k].end, t.spans[k].why);
        assert_string_equal(spans, rows[i].spans);
    }
}

/* How many lines are looked at, and how far a label reaches. */
static void reach(void **state)
{
    (void)state;
    for (size_t n = 0; n < 30; n++) {
        char shown[64];
        buf text = {0};
        repeat(&text, "---\n\n", n);
        buf_append_str(&text, "Storm Closes Ports\n");
        find_in(&text, false, shown, sizeof shown);
        assert_string_equal(shown, n < 24 ? "Storm Closes Ports" : "");
        buf_reset(&text);
        buf_append_str(&text, "World News\n\n");
        repeat(&text, "---\n\n", n);
        buf_append_str(&text, "Storm Closes All Ports\n");
        find_in(&text, false, shown, sizeof shown);
        assert_string_equal(shown, n < 4 ? "Storm Closes All Ports" : "World News");
        buf_free(&text);
    }
    for (unsigned markdown = 0; markdown < 2; markdown++) {
        char shown[64];
        buf text = {0};
        repeat(&text, "---\n\n", 23);
        buf_append_str(&text, "World"); /* the last line that is looked at                     */
        find_in(&text, markdown, shown, sizeof shown);
        assert_string_equal(shown, "World");
        buf_free(&text);
    }
    static const struct {
        const char *text, *title;
    } rows[] = {
        {"World\nStorm Closes Ports", "World"},
        {"World News Today\nStorm Closes All Ports", "World News Today"},
        {"World\nThe storm closed all ports.", "World"},
        {"World\nPhoto: storm closes all ports", "World"},
        {"World\n\nPolitics\n\nStorm Closes All Ports", "Storm Closes All Ports"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char shown[64];
        find_str(rows[i].text, false, shown, sizeof shown);
        assert_string_equal(shown, rows[i].title);
    }
}

/* Sentences of every length, in words of `word` characters of two bytes. */
static void sentences_are_cut(void **state)
{
    (void)state;
    for (size_t word = 1; word < 130; word++)
        for (size_t words = 1; words < 30; words++) {
            size_t chars = words * (word + 1);
            if (chars > 240) break;
            buf text = {0};
            char shown[700];
            for (size_t i = 0; i < words; i++) {
                if (i) buf_append_str(&text, " ");
                repeat(&text, "\xc3\xa9", word);
            }
            buf_append_str(&text, ".");
            title t = find_in(&text, false, shown, sizeof shown);
            bool cut = chars > 100 && words > 1;
            size_t whole = 91 / (word + 1); /* words that end within 90 characters */
            size_t kept = !cut ? words : whole ? whole : 1;
            assert_int_equal(t.shortened, cut);
            assert_int_equal(t.start, 0);
            bool closed =
                !cut && chars > 100; /* the point of what is too long, but one word, stays */
            assert_int_equal(t.end, kept * (2 * word + 1) - 1 + closed);
            buf_free(&text);
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
    assert_true(t.shortened && t.end == 400);
    for (size_t i = 0; i + 3 <= LEN; i += 3) memcpy(text + i, "\xe4\xb8\xad", 3);
    title_find(text, LEN - LEN % 3, false, &t);
    assert_true(t.shortened && t.end == 402);
    char shown[64];
    t = find_str("The storm closed -:\n\nMore.", false, shown, sizeof shown);
    assert_true(!t.shortened && t.start == 0 && t.end == 16);
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
        cmocka_unit_test(the_five_articles), cmocka_unit_test(kinds),
        cmocka_unit_test(furniture),         cmocka_unit_test(reach),
        cmocka_unit_test(sentences_are_cut), cmocka_unit_test(long_words_are_cut_within_reason),
        cmocka_unit_test(random_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
