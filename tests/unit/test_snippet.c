/* SPDX-License-Identifier: MIT
 *
 * test_snippet.c - what snippets show: windows, cuts, highlights, cleaning.
 *
 * Each case indexes articles into a small index, searches, and compares the snippet with its
 * highlights written in brackets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/text/analyzer.h"
#include "tests/support/folder.h"

typedef struct fixture {
    char path[FOLDER_PATH];
    pm_index *index;
    pm_searcher *searcher;
} fixture;

static pm_text text_of(const char *s)
{
    return (pm_text){s, strlen(s)};
}

static void open_fixture(fixture *f, const pm_article *articles, size_t n)
{
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    pm_writer *w;
    o.commit_level = 2;
    folder_make(f->path);
    assert_int_equal(pm_writer_open(f->path, &o, &w, NULL), PM_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pm_writer_add(w, &articles[i], NULL, NULL), PM_OK);
    assert_int_equal(pm_writer_commit(w, NULL, NULL), PM_OK);
    pm_writer_close(w);
    assert_int_equal(pm_index_open(f->path, &f->index, NULL), PM_OK);
    assert_int_equal(pm_searcher_open(f->index, &f->searcher, NULL), PM_OK);
}

static void close_fixture(fixture *f)
{
    pm_searcher_close(f->searcher);
    pm_index_close(f->index);
    folder_remove(f->path);
}

static const pm_hit *first_hit(fixture *f, const char *query, unsigned bytes)
{
    pm_search_options o = PM_SEARCH_OPTIONS_INIT;
    const pm_result *r;
    o.snippet_bytes = bytes;
    o.match = PM_MATCH_ANY;
    assert_int_equal(pm_searcher_search(f->searcher, query, strlen(query), &o, &r, NULL), PM_OK);
    assert_true(r->n_hits >= 1);
    return &r->hits[0];
}

static void with_brackets(const pm_hit *h, char *out)
{
    size_t k = 0, n = 0;
    for (size_t i = 0; i <= h->snippet.len; i++) {
        if (k < h->n_highlights && i == h->highlights[k].end) out[n++] = ']', k++;
        if (k < h->n_highlights && i == h->highlights[k].start) out[n++] = '[';
        if (i < h->snippet.len) out[n++] = h->snippet.data[i];
    }
    out[n] = 0;
}

static void expect_article(const pm_article *article, const char *query, unsigned bytes,
                           const char *expected)
{
    fixture f;
    char shown[8192];
    open_fixture(&f, article, 1);
    with_brackets(first_hit(&f, query, bytes), shown);
    assert_string_equal(shown, expected);
    close_fixture(&f);
}

static void expect(const char *text, const char *query, unsigned bytes, const char *expected)
{
    pm_article a = {.id = text_of("a"), .text = text_of(text)};
    expect_article(&a, query, bytes, expected);
}

static void test_highlights(void **state)
{
    (void)state;
    expect("Tariffs rose; the tariff stays.", "tariff", 240, "[Tariffs] rose; the [tariff] stays.");
    expect("China’s leaders’ talks", "china leader", 240, "[China’s] [leaders]’ talks");
    expect("TikTok and tik tok and tok tik.", "tiktok", 240,
           "[TikTok] and [tik] [tok] and tok tik.");
    expect("TikTok, tik and tok.", "tik tok", 240, "[TikTok], [tik] and [tok].");
    expect("Send an e-mail.", "email", 240, "Send an [e]-[mail].");
    expect("rare metals, rare earth, earth", "\"rare earth\"", 240,
           "rare metals, [rare] [earth], earth");
    expect("earth so rare, and air", "\"rare earth\"~1", 240, "[earth] so [rare], and air");
    expect("The US told us", "US", 240, "The [US] told us");
    expect("they told us", "US", 240, "they told [us]");
    expect("U.S.-China talks", "us", 240, "[U.S.]-China talks");
    expect("talks without trade", "talks -\"free trade\"", 240, "[talks] without trade");
    expect("日本語の記事", "日本", 240, "[日本]語の記事");
}

/* The words of a NEAR are marked, and shown, where they are near. */
static void test_near(void **state)
{
    (void)state;
    expect("rare metals of the earth, and then rare blue earth", "\"rare earth\"~1", 240,
           "rare metals of the earth, and then [rare] blue [earth]");
    expect(
        "rare metals of the earth, seven words and more follow here, then rare blue earth is named",
        "\"rare earth\"~1", 40, "…here, then [rare] blue [earth] is named");
    expect("a b a, c a c b", "\"a b\"~0", 240, "[a] [b] [a], c a c b");
    expect("a a b and a b a c a", "\"a a b\"~0", 240, "[a] [a] [b] and [a] [b] [a] c a");
    expect("a x b, a y y b c", "\"a b\"~1 \"b c\"~0", 240, "[a] x [b], [a] y y [b] [c]");
    expect("rare earth, rare", "\"rare earth\"~0 rare", 240, "[rare] [earth], [rare]");
}

/* Where there are too many to look for, in an article of too many matches, the words of the last
 * ones are marked wherever they stand. */
static void test_many_nears(void **state)
{
    (void)state;
    enum { WORDS = 100000, NEARS = 190 };
    static char text[4 * WORDS], query[16 * NEARS], shown[8192];
    size_t n = (size_t)sprintf(text, "a metal rare as blue earth"), q = 0;
    for (size_t i = 0; i < WORDS; i++) n += (size_t)sprintf(text + n, " x");
    for (size_t i = 0; i < 2 * NEARS; i++) n += (size_t)sprintf(text + n, " w");
    sprintf(text + n, " z");
    q += (size_t)sprintf(query, "metal \"rare earth\"~1");
    expect(text, query, 24, "a [metal] rare as blue…");
    for (unsigned i = 0; i < NEARS; i++) q += (size_t)sprintf(query + q, " \"x z\"~%u", i);
    sprintf(query + q, " \"rare earth\"~1");
    pm_article a = {.id = text_of("a"), .text = text_of(text)};
    fixture f;
    open_fixture(&f, &a, 1);
    with_brackets(first_hit(&f, query, 24), shown);
    assert_non_null(strstr(shown, "[x] [x]"));
    close_fixture(&f);
}

/* Pairs of characters overlap, and one word may be several: what is matched is marked once. */
static void test_overlapping(void **state)
{
    (void)state;
    expect("日本語の記事", "日本語", 240, "[日本語]の記事");
    expect("稀土と稀土", "稀土", 240, "[稀土]と[稀土]");
    expect("稀土稀土", "稀土", 240, "[稀土][稀土]");
    expect("Add ½-cup", "1 2", 240, "Add [½]-cup");
    expect("½", "1 2", 240, "[½]");
}

static void test_cleaning(void **state)
{
    (void)state;
    expect("rare\n\n\tearth", "rare", 240, "[rare] earth");
    expect("  rare \xc2\xa0 earth \n", "earth", 240, "rare [earth]");
    expect("ra\x1b[31mre\x07 earth\xc2\x9b", "earth", 240, "ra[31mre [earth]");
    expect("\xe2\x80\xaeright\xe2\x80\xac rare\xe2\x81\xa6 end", "rare", 240, "right [rare] end");
    expect("bad \xff byte", "byte", 240, "bad \xef\xbf\xbd [byte]");
}

static void test_window(void **state)
{
    (void)state;
    expect("one two three four five six seven eight nine ten", "five", 20,
           "…four [five] six seven…");
    expect("one two three four five six seven eight nine ten", "one", 20, "[one] two three four…");
    expect("one two three four five six seven eight nine ten", "ten", 20,
           "…seven eight nine [ten]");
    expect("rare one two three four five six seven. Now rare earth is here, and more of it",
           "rare earth", 30, "…Now [rare] [earth] is here, and…");
    expect("earth here. One two three four five six seven eight. earth earth there", "earth", 24,
           "…[earth] [earth] there");
    expect("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
           20, "[aaaaaaaaaaaaaaaaaaaa]…");
}

/* Without a space to cut at, neither a word nor what a reader sees as one character is halved. */
static void test_whole_words(void **state)
{
    (void)state;
    expect("he sold it, but the War Shipping Board of the War wanted it", "but the war shipping",
           24, "…[but] [the] [War] [Shipping]…");
    expect("one Multimedia access and acid rain in May", "access acid", 22,
           "…[access] and [acid] rain…");
    expect("see https://example.org/first/second/third/fourth/fifth now", "second", 30,
           "…org/first/[second]/third/fourth/…");
    /* e and U+0301, a flag of two, a family, Thai vowels above consonants */
    expect("éüóñ/x/éüóñ", "x", 20, "…/[x]/éüóñ");
    expect("🇩🇪🇫🇷🇮🇹🇪🇸x🇩🇪🇫🇷🇮🇹🇪🇸", "x", 28, "…🇪🇸[x]🇩🇪🇫🇷…");
    expect("👨‍👩‍👧👨‍👩‍👧x👨‍👩‍👧👨‍👩‍👧", "x", 42,
           "…👨‍👩‍👧[x]👨‍👩‍👧…");
    /* A comma in front is left out, but not from under its mark. */
    expect("abcdefghijklm,/x/abcdefghijkl", "x", 20, "…/[x]/abcdefghijkl");
    expect("abcdefghijklm,\xcc\x81/x/abcdefghijkl", "x", 20, "…,\xcc\x81/[x]/abcdefghijkl");
    expect("ที่ที่ที่ที่ที่ x ที่ที่ที่ที่ที่", "x", 32, "…ที่ [x] ที่ที่…");
}

/* What is longer than the snippet, and of which nothing would be left, is cut all the same. */
static void test_endless_words(void **state)
{
    (void)state;
    const pm_article blob = {.id = text_of("a"),
                             .title = text_of("blob"),
                             .text = text_of("abcdefghijklmnopqrstuvwxyz0123456789 end")};
    expect_article(&blob, "blob", 24, "abcdefghijklmnopqrstuvwx…");
    char text[800] = "q", cut[200] = "[q";
    for (size_t i = 0; i < 300; i++) strcat(text, "\xcc\x81");
    for (size_t i = 0; i < 14; i++) strcat(cut, "\xcc\x81");
    expect(text, "q", 30, strcat(cut, "]…"));
    /* A letter with fewer marks than are looked back at stays whole. */
    expect("aéóq́́́́ end", "aeoq", 20, "[aéóq́́́́] end");
    expect("qwertzuiopasdfǵ́́́ end", "qwertzuiopasdfg", 20, "[qwertzuiopasdf]…");
}

/* A sentence also begins behind a quote or bracket, and in Chinese and Japanese without a space. */
static void test_sentences(void **state)
{
    (void)state;
    expect("one two three four five six seven eight “nine.” Now rare earth is here, and more of it",
           "rare earth", 30, "…Now [rare] [earth] is here, and…");
    expect("one two three four five six seven eight (nine.) Now rare earth is here, and more of it",
           "rare earth", 30, "…Now [rare] [earth] is here, and…");
    expect("这是一个很长的段落没有空格。北京的稀土价格上涨了很多很多很多很多", "稀土", 36,
           "…北京的[稀土]价格上涨了很多…");
    expect("这是一个很长的段落「没有空格。」北京的稀土价格上涨了很多很多很多", "稀土", 42,
           "…北京的[稀土]价格上涨了很多很多…");
    expect("这是一个很长的段落没有空格！？北京的稀土价格上涨了很多很多很多", "稀土", 42,
           "…北京的[稀土]价格上涨了很多很多…");
}

static void test_title(void **state)
{
    (void)state;
    const char *text = "Caption here\nBig News\nThe body starts now and goes on.";
    pm_article a = {.id = text_of("a"), .title = text_of("Big News"), .text = text_of(text)};
    a.title_in_body = true;
    a.title_start = 13;
    a.title_end = 21;
    expect_article(&a, "news", 240, "Caption here The body starts now and goes on.");
    expect_article(&a, "body", 240, "Caption here The [body] starts now and goes on.");
    expect_article(&a, "title:news goes", 240, "Caption here The body starts now and [goes] on.");
    pm_article empty = {.id = text_of("b"), .title = text_of("Only a title")};
    expect_article(&empty, "title", 240, "");
}

/* Whatever the article, a snippet is valid UTF-8, of about the size asked for, and its
 * highlights are ordered words of it. */
static void test_any_article(void **state)
{
    (void)state;
    static const char *const parts[] = {"rare ",
                                        "earth",
                                        " ",
                                        "\n",
                                        "-",
                                        "US",
                                        "U.S. ",
                                        "\xc3\xa9t\xc3\xa9 ",
                                        "\xe6\x97\xa5\xe6\x9c\xac",
                                        "\x1b",
                                        "\xe2\x80\xae",
                                        "long",
                                        "word. ",
                                        "\xff",
                                        "\xe2\x80\x99",
                                        "s ",
                                        "tik tok "};
    uint64_t seed = 11;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned round = 0; round < 60; round++) {
        char text[4096] = "rare ";
        fixture f;
        for (unsigned n = (unsigned)(random_next(&seed) % 300); n; n--)
            strcat(text, parts[random_next(&seed) % (sizeof parts / sizeof *parts)]);
        pm_article a = {.id = text_of("a"), .text = text_of(text)};
        open_fixture(&f, &a, 1);
        for (unsigned bytes = 1; bytes < 400; bytes += 13) {
            const pm_hit *h = first_hit(
                &f, "rare US \"tik tok\" \xc3\xa9t\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac", bytes);
            uint32_t before = 0;
            assert_int_equal(utf8_valid_prefix(h->snippet.data, h->snippet.len), h->snippet.len);
            assert_true(h->snippet.len <= (bytes < 20 ? 20 : bytes) * 3 + 6);
            assert_true(h->n_highlights > 0);
            for (size_t i = 0; i < h->n_highlights; i++) {
                assert_true(h->highlights[i].start >= before);
                assert_true(h->highlights[i].end > h->highlights[i].start);
                before = h->highlights[i].end;
            }
            assert_true(before <= h->snippet.len);
        }
        close_fixture(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_highlights),  cmocka_unit_test(test_cleaning),
        cmocka_unit_test(test_window),      cmocka_unit_test(test_title),
        cmocka_unit_test(test_near),        cmocka_unit_test(test_overlapping),
        cmocka_unit_test(test_whole_words), cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_any_article), cmocka_unit_test(test_endless_words),
        cmocka_unit_test(test_many_nears),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
