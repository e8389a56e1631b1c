/* SPDX-License-Identifier: MIT
 *
 * test_query.c - bounds of the query language: hostile lengths and depths, any bytes, refused
 * memory.  What queries mean is tests/tables/query.txt's matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "searcher/query.h"

enum { PATIENCE_NS = 1000000000 };

static analyzer *words;

static int open_words(void **state)
{
    (void)state;
    return analyzer_open(&words, "en", NULL) != PM_OK;
}

static int close_words(void **state)
{
    (void)state;
    analyzer_close(words);
    return 0;
}

static char *repeat(const char *part, size_t times)
{
    size_t len = strlen(part);
    char *text = malloc(len * times + 1);
    assert_non_null(text);
    for (size_t i = 0; i < times; i++) memcpy(text + i * len, part, len);
    text[len * times] = 0;
    return text;
}

/* valgrind is some fifty times slower. */
static uint64_t patience_ns(void)
{
    const char *variant = getenv("PM_TEST_VARIANT");
    return variant && !strcmp(variant, "valgrind") ? UINT64_C(60) * PATIENCE_NS : PATIENCE_NS;
}

static void parse_quickly(const char *part, size_t times, query *q, arena *a)
{
    char *text = repeat(part, times);
    pm_text shown;
    uint64_t start = clock_cpu_ns();
    assert_int_equal(query_parse(q, a, words, text, strlen(text), false, NULL), PM_OK);
    assert_int_equal(query_print(q, a, &shown, NULL), PM_OK);
    assert_true(clock_cpu_ns() - start < patience_ns());
    free(text);
}

static void test_death(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "(",        ")",    "()", "(a",      "a)",     "\"", "\"a", "a\"b\" ", "a OR ",
        "NOT ",     "- ",   "-(", "+a ",     "AND ",   "a^", "~1",  "title:",  "\xe2\x80\x9c",
        "\xf0\x28", "a-b-", "\n", "a AND (", "NOT (a "};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        arena a = {0};
        query q;
        parse_quickly(parts[i], 1000000 / strlen(parts[i]), &q, &a);
        assert_true(q.truncated);
        assert_true(q.n_words <= QUERY_WORDS_MAX);
        arena_free(&a);
    }
}

static unsigned depth_of(const query_node *node)
{
    unsigned deepest = 0;
    for (const query_node *child = node->first; child; child = child->next) {
        unsigned depth = depth_of(child);
        if (depth > deepest) deepest = depth;
    }
    return deepest + 1;
}

static void test_depth_is_bounded(void **state)
{
    (void)state;
    arena a = {0};
    query q;
    parse_quickly("a (b OR c AND (d ", 1000, &q, &a);
    assert_true(depth_of(q.root) <= 3 * (QUERY_DEPTH_MAX + 1));
    arena_free(&a);
}

static void test_words_are_bounded(void **state)
{
    (void)state;
    arena a = {0};
    query q;
    parse_quickly("w ", QUERY_WORDS_MAX, &q, &a);
    assert_false(q.truncated);
    assert_int_equal(q.n_leaves, QUERY_WORDS_MAX);
    arena_reset(&a);
    parse_quickly("w ", QUERY_WORDS_MAX + 1, &q, &a);
    assert_true(q.truncated);
    assert_int_equal(q.n_leaves, QUERY_WORDS_MAX);
    arena_reset(&a);
    parse_quickly("source:ap ", QUERY_WORDS_MAX + 1, &q, &a); /* a filter counts as a word     */
    assert_true(q.truncated);
    assert_int_equal(q.n_words, QUERY_WORDS_MAX);
    arena_free(&a);
}

/* `before`, and a phrase of n words: leaves that are there. */
static void parse_phrase(const char *before, size_t n, uint32_t leaves, uint32_t n_words, bool cut)
{
    arena a = {0};
    query q;
    pm_error err;
    char *inside = repeat("w ", n), text[2 * QUERY_WORDS_MAX + 200];
    snprintf(text, sizeof text, "%s\"%s\" after", before, inside);
    assert_int_equal(query_parse(&q, &a, words, text, strlen(text), false, &err), PM_OK);
    assert_int_equal(q.truncated, cut);
    assert_int_equal(q.n_leaves, leaves);
    assert_int_equal(q.n_words, n_words);
    free(inside);
    arena_free(&a);
}

/* A phrase is cut to what fits, unless that would exclude articles which the whole one does not. */
static void test_long_phrases_are_cut(void **state)
{
    (void)state;
    const uint32_t most = QUERY_WORDS_MAX;
    parse_phrase("", most - 1, 2, most, false);
    parse_phrase("", most, 1, most, true);
    parse_phrase("", most + 2, 1, most, true);
    parse_phrase("before ", most + 2, 2, most, true);
    parse_phrase("before -", most + 2, 1, 1, true);
    parse_phrase("before NOT ", most + 2, 1, 1, true);
    parse_phrase("before -(", most + 2, 1, 1, true);
    parse_phrase("before NOT (b OR ", most + 2, 2, 2, true);
    parse_phrase("a b c ", most - 4, 5, most, false);
    parse_phrase("a b c ", most - 2, 4, most, true);
}

static void test_cut_leaves_whole_words(void **state)
{
    (void)state;
    arena a = {0};
    query q;
    char *text = repeat("\xc3\xa9", QUERY_BYTES_MAX);
    assert_int_equal(query_parse(&q, &a, words, text, strlen(text), false, NULL), PM_OK);
    assert_true(q.truncated);
    assert_int_equal(q.n_words, 1);
    assert_int_equal(q.text.len, strlen(text));
    free(text);
    arena_free(&a);
}

/* Any text parses, and its canonical form is a fixed point. */
static void test_any_text(void **state)
{
    (void)state;
    static const char *const parts[] = {"(",      ")",
                                        "\"",     " ",
                                        " ",      "-",
                                        "+",      "^2",
                                        "~3",     "AND",
                                        "OR",     "NOT",
                                        "title:", "US",
                                        "U.S.",   "rare",
                                        "e-mail", "\xe2\x80\x9d",
                                        ".",      "^",
                                        "~",      "\xff",
                                        "*",      "=",
                                        "?",      "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
                                        "date:",  "1,5"};
    uint64_t seed = 4;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned round = 0; round < 20000; round++) {
        char text[256] = "", first[4096];
        arena a = {0};
        query q;
        pm_text shown, again;
        for (unsigned n = (unsigned)(random_next(&seed) % 14); n; n--)
            strcat(text, parts[random_next(&seed) % (sizeof parts / sizeof *parts)]);
        assert_int_equal(query_parse(&q, &a, words, text, strlen(text), false, NULL), PM_OK);
        q.n_notes = 0;
        assert_int_equal(query_print(&q, &a, &shown, NULL), PM_OK);
        assert_true(shown.len < sizeof first);
        memcpy(first, shown.data, shown.len + 1);
        assert_int_equal(query_parse(&q, &a, words, first, strlen(first), false, NULL), PM_OK);
        for (uint32_t i = 0; i < q.n_notes; i++)
            if (q.notes[i].lenient)
                fail_msg("\"%s\" reads \"%s\", which is noted: %s", text, first, q.notes[i].text);
        q.n_notes = 0;
        assert_int_equal(query_print(&q, &a, &again, NULL), PM_OK);
        if (strcmp(first, again.data))
            fail_msg("\"%s\" reads \"%s\", which reads \"%s\"", text, first, again.data);
        arena_free(&a);
    }
}

static void test_refused_memory(void **state)
{
    (void)state;
    const char *text = "+(rare \"earth metals\"~3^2 OR -title:us) AND NOT (x U.S.-China) [";
    for (uint64_t n = 1;; n++) {
        arena a = {0};
        query q;
        pm_text shown;
        analyzer *own;
        assert_int_equal(analyzer_open(&own, "en", NULL), PM_OK);
        mem_fail_at(n, false);
        pm_status st = query_parse(&q, &a, own, text, strlen(text), false, NULL);
        if (st == PM_OK) st = query_print(&q, &a, &shown, NULL);
        bool reached = mem_count() >= n;
        mem_fail_at(0, false);
        arena_free(&a);
        analyzer_close(own);
        assert_int_equal(st, reached ? PM_NOMEM : PM_OK);
        if (!reached) break;
    }
}

/* The arena has so many bytes left and gets no more: so each of its allocations is the one that
 * does not fit, at some number. */
static void test_full_arena(void **state)
{
    static const char text[] =
        "+(rare \"earth metals\"~3^2 OR -title:us) AND NOT (x U.S.-China) [ tik-tok date:2025-09 "
        "source:ap \"state visit\" wi fi NOT a OR b (c AND (d OR -(e f)))";
    enum { CHUNK = 64 << 10, LAST = 16 << 10, FIRST = 16 };
    char sound[2000] = "";
    (void)state;
    unsigned refused = 0, left = CHUNK;
    /* Downwards; the first one, with all its chunk, tells what is right. */
    for (; left >= FIRST; left -= left == CHUNK ? CHUNK - LAST : 16) {
        arena a = {0};
        query q;
        pm_text shown;
        assert_non_null(arena_alloc(&a, left < CHUNK ? CHUNK - left : 1));
        mem_fail_at(left < CHUNK, true);
        pm_status st = query_parse(&q, &a, words, text, strlen(text), false, NULL);
        if (st == PM_OK) st = query_print(&q, &a, &shown, NULL);
        mem_fail_at(0, false);
        if (!*sound) {
            assert_int_equal(st, PM_OK);
            assert_true(shown.len < sizeof sound);
            memcpy(sound, shown.data, shown.len + 1);
        }
        if (st == PM_OK)
            assert_string_equal(shown.data, sound);
        else
            assert_int_equal(st, PM_NOMEM);
        refused += st != PM_OK;
        arena_free(&a);
    }
    print_message("%u sizes too small\n", refused);
    assert_true(refused > 20);
}

/* The same for filters of the options beside negatives alone. */
static void test_filters_in_a_full_arena(void **state)
{
    static const char text[] = "-talks -(rare earth)";
    static const pm_filter filters[] = {{PM_FILTER_TAG, {"trade war", 9}},
                                        {PM_FILTER_TAG, {"metal", 5}},
                                        {PM_FILTER_AFTER, {"2025-09", 7}}};
    enum { CHUNK = 64 << 10, LAST = 8 << 10, STEP = 16 };
    (void)state;
    unsigned refused = 0;
    for (unsigned left = LAST; left; left -= STEP) {
        arena a = {0};
        query q;
        bool taken = false;
        pm_text shown;
        assert_non_null(arena_alloc(&a, CHUNK - left));
        mem_fail_at(1, true);
        pm_status st = query_parse(&q, &a, words, text, strlen(text), false, NULL);
        bool parsed = st == PM_OK;
        if (parsed) st = query_take_filters(&q, &a, filters, 3, &taken, NULL);
        refused += parsed && st != PM_OK;
        if (st == PM_OK) st = query_print(&q, &a, &shown, NULL);
        mem_fail_at(0, false);
        if (st == PM_OK)
            assert_string_equal(
                shown.data, "after:2025-09 (tag:\"trade war\" OR tag:metal) -talks -(rare earth)");
        else
            assert_int_equal(st, PM_NOMEM);
        assert_true(taken || !parsed);
        arena_free(&a);
    }
    print_message("%u sizes too small for the filters\n", refused);
    assert_true(refused > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_death),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_words_are_bounded),
        cmocka_unit_test(test_long_phrases_are_cut),
        cmocka_unit_test(test_cut_leaves_whole_words),
        cmocka_unit_test(test_any_text),
        cmocka_unit_test(test_refused_memory),
        cmocka_unit_test(test_full_arena),
        cmocka_unit_test(test_filters_in_a_full_arena),
    };
    return cmocka_run_group_tests(tests, open_words, close_words);
}
