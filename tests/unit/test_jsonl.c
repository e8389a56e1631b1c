/* SPDX-License-Identifier: MIT
 * test_jsonl.c - JSON Lines: fields, ids, and every way in which a line can be bad.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "indexer/json_line.h"
#include "tests/support/open_fixture.h"

static pm_status run_text(const char *text)
{
    fixture_text(&f, "a.jsonl", text);
    return fixture_run(&f, fixture_path(&f, "a.jsonl"));
}

static const pm_article *get(const char *id)
{
    const pm_article *a = memory_sink_get(&f.sink, id);
    if (!a) fail_msg("no article %s; events:\n%s", id, f.log);
    return a;
}

static void fields(void **state)
{
    (void)state;
    assert_int_equal(
        run_text(
            "{\"id\":\"x\",\"title\":\"T\",\"text\":\"B\",\"date\":\"24 Nov 2025\",\"url\":\"u\","
            "\"source\":\"s\",\"author\":\"me\",\"tags\":\"one\",\"lang\":\"en\"}\n"),
        PM_OK);
    const pm_article *a = get("x");
    assert_string_equal(a->title.data, "T");
    assert_string_equal(a->text.data, "B");
    assert_string_equal(a->date.data, "24 Nov 2025");
    assert_string_equal(a->url.data, "u");
    assert_string_equal(a->source.data, "s");
    assert_string_equal(a->author.data, "me");
    assert_string_equal(a->tags.data, "one");
    assert_string_equal(a->lang.data, "en");
    assert_int_equal(a->extra.len, 0);
    assert_false(a->title_in_body);
    assert_true(a->file_size && a->file_mtime_ns && a->file_hash && a->file_lines);
    assert_true(a->file_folder); /* though given by name */
    assert_string_equal(f.log, "ADDED x :1 ()\n");
}

static void synonyms(void **state)
{
    (void)state;
    assert_int_equal(
        run_text("{\"_id\":\"1\",\"body\":\"one\"}\n{\"docno\":\"2\",\"contents\":\"two\"}\n"
                 "{\"url\":\"http://3\",\"content\":\"three\"}\n"
                 "{\"id\":\"4\",\"docno\":\"other\",\"text\":\"four\",\"body\":\"more\"}\n"
                 "{\"id\":\"\",\"_id\":null,\"docno\":\"5\",\"text\":\"\"}\n"),
        PM_OK);
    assert_string_equal(fixture_body(&f, "1"), "one");
    assert_string_equal(fixture_body(&f, "2"), "two");
    assert_string_equal(fixture_body(&f, "http://3"), "three");
    assert_string_equal(get("http://3")->url.data, "http://3");
    assert_string_equal(get("4")->extra.data, "{\"docno\":\"other\",\"body\":\"more\"}");
    assert_int_equal(get("5")->text.len, 0); /* an empty text is an article */
    assert_int_equal(get("5")->extra.len, 0);
}

static void numbers_are_text(void **state)
{
    (void)state;
    assert_int_equal(
        run_text("{\"id\":7,\"title\":42,\"text\":3.14}\n{\"id\":-1}\n{\"id\":0.1}\n"
                 "{\"id\":123456789012345678901234567890,\"text\":\"big\"}\n{\"id\":true}\n"
                 "{\"id\":9223372036854775807}\n"),
        PM_OK);
    assert_string_equal(get("7")->title.data, "42");
    assert_string_equal(fixture_body(&f, "7"), "3.14");
    get("-1");
    get("0.1");
    get("true");
    get("9223372036854775807");
    assert_string_equal(fixture_body(&f, "123456789012345678901234567890"), "big");
}

static void lists(void **state)
{
    (void)state;
    assert_int_equal(
        run_text(
            "{\"id\":\"x\",\"tags\":[\"a b\",2,null,\"\",\"c\"],\"author\":[\"J. Roe\",{\"name\":"
            "\"J. Doe\"}],\"text\":[\"one\",\"two\"]}\n"),
        PM_OK);
    assert_string_equal(get("x")->tags.data, "a b\x1f"
                                             "2\x1f"
                                             "c");
    assert_string_equal(get("x")->author.data, "J. Roe, J. Doe");
    assert_int_equal(run_text("{\"id\":\"y\",\"author\":[\"Doe, Jane\",\"\",{\"name\":\"Roe\"}]}\n"
                              "{\"id\":\"z\",\"author\":[\"Doe\\u002c J\",\"Roe\"],\"n\":1e400}\n"),
                     PM_OK);
    assert_string_equal(get("y")->author.data, "Doe, Jane; Roe");
    assert_string_equal(get("z")->author.data, "Doe, J; Roe"); /* read by the library            */
    assert_string_equal(get("x")->text.data, "one\ntwo");
}

static void missing_ids(void **state)
{
    (void)state;
    fixture_text(&f, "d/b.jsonl", "{\"text\":\"one\"}\n\n{\"text\":\"three\"}\n");
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_string_equal(fixture_body(&f, "d/b.jsonl#1"), "one");
    assert_string_equal(fixture_body(&f, "d/b.jsonl#3"), "three");
    assert_int_equal(fixture_run(&f, fixture_path(&f, "d/b.jsonl")), PM_OK);
    assert_string_equal(fixture_body(&f, "b.jsonl#3"), "three");
}

static void extra_is_kept(void **state)
{
    (void)state;
    assert_int_equal(run_text("{\"id\":\"x\",\"score\":0.1,\"deep\":{\"a\":[1,2.5,{\"b\":null}]},"
                              "\"k\":\"\\u00e9\"}\n"),
                     PM_OK);
    assert_string_equal(get("x")->extra.data,
                        "{\"score\":0.1,\"deep\":{\"a\":[1,2.5,{\"b\":null}]},\"k\":\"\xc3\xa9\"}");
}

static void duplicate_keys(void **state)
{
    (void)state;
    assert_int_equal(run_text("{\"id\":\"x\",\"text\":\"old\",\"text\":\"new\"}\n"), PM_OK);
    assert_string_equal(fixture_body(&f, "x"), "new");
}

static void bad_lines_are_skipped(void **state)
{
    (void)state;
    assert_int_equal(
        run_text(
            "{\"id\":\"1\"}\nnot json\n[1]\n\"s\"\n{\"id\":\"2\"} x\n{\"id\":\n{\"id\":\"3\"}\n"),
        PM_PARTIAL);
    assert_int_equal(memory_sink_count(&f.sink), 2);
    get("1");
    get("3");
    assert_int_equal(f.summary.skipped, 5);
    assert_int_equal(f.summary.added, 2);
    for (unsigned line = 2; line <= 6; line++) {
        char want[32];
        snprintf(want, sizeof want, "SKIPPED  :%u (", line);
        assert_non_null(strstr(f.log, want));
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char text[400] = "{\"id\":\"ok\",\"a\":", *end = text + strlen(text);
    memset(end, '[', 63);
    memset(end + 63, ']', 63);
    strcpy(end + 126, "}\n");
    assert_int_equal(run_text(text), PM_OK);
    memset(end, '[', 64);
    memset(end + 64, ']', 64);
    strcpy(end + 128, "}\n");
    assert_int_equal(run_text(text), PM_PARTIAL);
    assert_non_null(strstr(f.log, "deeper than 64"));
    assert_int_equal(run_text("{\"id\":\"s\",\"text\":\"[[[[\\\"[[[[\"}"), PM_OK);
}

static void broken_text_is_repaired(void **state)
{
    (void)state;
    assert_int_equal(
        run_text("{\"id\":\"x\",\"text\":\"\xc3\xa9 caf\xff\xc3(\"}\n{\"id\":\"y\",\"text\":"
                 "\"a\\ud800b\\udc00\"}\n"
                 "{\"id\":\"z\",\"text\":\"\\ud83d\\ude00 \\ud83d\"}\n"
                 "{\"id\":\"u\",\"text\":\"\\ud83d\\ue000 \\ue000 \\udfff\"}\n"),
        PM_OK);
    assert_string_equal(fixture_body(&f, "x"), "\xc3\xa9 caf\xef\xbf\xbd\xef\xbf\xbd(");
    assert_string_equal(fixture_body(&f, "y"), "a\xef\xbf\xbd"
                                               "b\xef\xbf\xbd");
    assert_string_equal(fixture_body(&f, "z"), "\xf0\x9f\x98\x80 \xef\xbf\xbd");
    assert_string_equal(fixture_body(&f, "u"),
                        "\xef\xbf\xbd\xee\x80\x80 \xee\x80\x80 \xef\xbf\xbd");
    assert_int_equal(f.summary.repaired, 7);
}

/* As a text file: by invalid UTF-8 eight times as often as valid, in the first block that says. */
static void windows_1252_is_converted(void **state)
{
    (void)state;
    assert_int_equal(run_text("{\"id\":\"a\",\"text\":\"plain\"}\n"
                              "{\"id\":\"x\",\"text\":\"caf\xe9 \x93quoted\x94\"}\n"),
                     PM_OK);
    assert_string_equal(fixture_body(&f, "x"), "caf\xc3\xa9 \xe2\x80\x9cquoted\xe2\x80\x9d");
    assert_string_equal(fixture_body(&f, "a"), "plain");
    assert_true(f.summary.converted == 1 && f.summary.repaired == 0);
    f.options.encoding = "utf-8";
    assert_int_equal(run_text("{\"id\":\"x\",\"text\":\"caf\xe9\"}\n"), PM_OK);
    assert_string_equal(fixture_body(&f, "x"), "caf\xef\xbf\xbd");
    assert_true(f.summary.converted == 0 && f.summary.repaired == 1);
}

/* Lines come together from many places: in a file that is Windows-1252 those that are UTF-8 stay.
 */
static void lines_of_utf8_among_windows_1252(void **state)
{
    (void)state;
    static char text[300 * 1024];
    size_t n =
        (size_t)sprintf(text, "{\"id\":\"a\",\"text\":\"caf\xe9\"}\n{\"id\":\"k\",\"text\":\"");
    memset(text + n, 'k', sizeof text - n);
    sprintf(text + 280 * 1024,
            "\"}\n"
            "{\"id\":\"b\",\"text\":\"caf\xc3\xa9 \xe2\x80\x9cquoted\xe2\x80\x9d\"}\n"
            "{\"id\":\"c\",\"text\":\"caf\xc3\xa9, caf\xe9 \x97\"}\n"
            "{\"id\":\"d\",\"text\":\"caf\xc3\xa9, caf\xc3\xa9 \xe2\x80\"}\n"
            "{\"id\":\"e\",\"text\":\"caf\xe9 \x81\",\"n\":1e400}\n");
    assert_int_equal(run_text(text), PM_OK);
    assert_string_equal(fixture_body(&f, "a"), "caf\xc3\xa9");
    assert_string_equal(fixture_body(&f, "b"), "caf\xc3\xa9 \xe2\x80\x9cquoted\xe2\x80\x9d");
    assert_string_equal(fixture_body(&f, "c"), "caf\xc3\x83\xc2\xa9, caf\xc3\xa9 \xe2\x80\x94");
    assert_string_equal(fixture_body(&f, "d"), "caf\xc3\xa9, caf\xc3\xa9 \xef\xbf\xbd");
    assert_string_equal(fixture_body(&f, "e"), "caf\xc3\xa9 \xef\xbf\xbd");
    assert_int_equal(f.summary.converted, 1);
    assert_int_equal(f.summary.repaired, 2);
}

/* The first character beyond ASCII at every place around the end of a block. */
static void the_encoding_is_guessed_across_blocks(void **state)
{
    (void)state;
    enum { BLOCK = 256 * 1024, ROOM = BLOCK + 128 };
    static const char *const texts[] = {"\xf0\x9f\x98\x80", "\xe2\x82\xac", "\xc3\xa9", "\xe9",
                                        "\xe9\xe8"};
    static const char *const meant[] = {"\xf0\x9f\x98\x80", "\xe2\x82\xac", "\xc3\xa9", "\xc3\xa9",
                                        "\xc3\xa9\xc3\xa8"};
    static char line[ROOM + 64];
    for (size_t t = 0; t < 5; t++)
        for (size_t at = BLOCK - 5; at <= BLOCK + 1; at++) {
            size_t n = (size_t)sprintf(line, "{\"id\":\"a\"}\n{\"id\":\"x\",\"k\":\"");
            memset(line + n, 'k', at - n - 11);
            sprintf(line + at - 11, "\",\"body\": \"%s\"}\n", texts[t]);
            assert_int_equal(run_text(line), PM_OK);
            assert_string_equal(fixture_body(&f, "x"), meant[t]);
            assert_int_equal(f.summary.converted, t >= 3);
        }
}

/* More than a double can be is JSON all the same, and text; what is no number is not. */
static void numbers_beyond_a_double(void **state)
{
    (void)state;
    fixture_text(&f, "a.jsonl",
                 "{\"id\":1e400,\"text\":\"id\",\"k\":[-2.5E+4000,1.50]}\n"
                 "{\"id\":\"small\",\"text\":\"t\",\"k\":0.1e-99999,\"l\":1e400}\n"
                 "{\"id\":\"a\",\"k\":01e400}\n{\"id\":\"b\",\"k\":1.e400}\n"
                 "{\"id\":\"c\",\"k\":1e+}\n{\"id\":\"d\",\"k\":-}\n"
                 "{\"id\":\"e\",\"k\":00123456789012345678901}\n{\"id\":\"f\",\"k\":1e400.5}\n");
    assert_int_equal(fixture_run(&f, NULL), PM_PARTIAL);
    assert_int_equal(f.summary.added, 2);
    assert_int_equal(f.summary.skipped, 6);
    assert_string_equal(fixture_body(&f, "1e400"), "id");
    assert_string_equal(memory_sink_get(&f.sink, "1e400")->extra.data,
                        "{\"k\":[\"-2.5E+4000\",1.50]}");
    assert_string_equal(memory_sink_get(&f.sink, "small")->extra.data,
                        "{\"k\":0.1e-99999,\"l\":\"1e400\"}");
}

static void numbers_keep_their_spelling(void **state)
{
    (void)state;
    assert_int_equal(
        run_text(
            "{\"id\":1.50,\"title\":1e3,\"source\":-0,\"tags\":[2.0,1E+2],\"k\":1.50,\"l\":1e3,"
            "\"m\":[0.10,{\"n\":-0.0}]}\n"
            "{\"id\":2.50,\"author\":{\"name\":7.0},\"k\":1.50,\"m\":[0.10,{\"n\":[]}]}\n"
            "{\"id\":3.50,\"text\":\"\\ud800 1.0\",\"k\":[1.50],\"m\":\"\\\"2.0\"}\n"
            "{\"id\":\"4\",\"k\":9223372036854775807,\"l\":9223372036854775808,"
            "\"m\":[-9223372036854775808,-9223372036854775809]}\n"),
        PM_OK);
    const pm_article *a = get("1.50");
    assert_string_equal(a->title.data, "1e3");
    assert_string_equal(a->source.data, "-0");
    assert_string_equal(a->tags.data, "2.0\x1f"
                                      "1E+2");
    assert_string_equal(a->extra.data, "{\"k\":1.50,\"l\":1e3,\"m\":[0.10,{\"n\":-0.0}]}");
    /* what the library reads, and what is mended first */
    assert_string_equal(get("2.50")->author.data, "7.0");
    assert_string_equal(get("2.50")->extra.data, "{\"k\":1.50,\"m\":[0.10,{\"n\":[]}]}");
    assert_string_equal(fixture_body(&f, "3.50"), "\xef\xbf\xbd 1.0");
    assert_string_equal(get("3.50")->extra.data, "{\"k\":[1.50],\"m\":\"\\\"2.0\"}");
    /* beside one of more than 64 bits, which becomes text, others stay numbers */
    assert_string_equal(get("4")->extra.data, "{\"k\":9223372036854775807,"
                                              "\"l\":\"9223372036854775808\",\"m\":["
                                              "-9223372036854775808,\"-9223372036854775809\"]}");
}

static void line_ends_and_marks(void **state)
{
    (void)state;
    assert_int_equal(
        run_text("\xef\xbb\xbf{\"id\":\"1\"}\r\n\r\n   \n{\"id\":\"2\"}\r\n{\"id\":\"3\"}"), PM_OK);
    assert_int_equal(memory_sink_count(&f.sink), 3);
    assert_non_null(strstr(f.log, "ADDED 3 :5"));
    fixture_text(&f, "a.jsonl", "");
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_int_equal(f.summary.added, 0);
}

static void utf16(void **state)
{
    (void)state;
    const char *text = "{\"id\":\"x\",\"text\":\"one\"}\n{\"id\":\"y\"}\n";
    buf wide = {0};
    buf_append(&wide, "\xff\xfe", 2);
    for (const char *p = text; *p; p++) buf_u16(&wide, (uint16_t)*p);
    fixture_write(&f, "a.jsonl", wide.data, wide.len);
    buf_free(&wide);
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_string_equal(fixture_body(&f, "x"), "one");
    get("y");
    assert_int_equal(f.summary.converted, 1);
}

static void bad_ids(void **state)
{
    (void)state;
    char text[4096];
    char id[1200];
    memset(id, 'a', sizeof id);
    snprintf(text, sizeof text,
             "{\"id\":\"%.1024s\"}\n{\"id\":\"%.1025s\"}\n{\"id\":\"a\\u0000b\"}\n", id, id);
    assert_int_equal(run_text(text), PM_PARTIAL);
    assert_int_equal(memory_sink_count(&f.sink), 1);
    assert_non_null(strstr(f.log, "longer than 1024 bytes"));
    assert_non_null(strstr(f.log, "NUL"));
}

static void duplicates(void **state)
{
    (void)state;
    assert_int_equal(run_text("{\"id\":\"x\",\"text\":\"1\"}\n{\"id\":\"x\",\"text\":\"2\"}\n{"
                              "\"id\":\"x\",\"text\":\"3\"}\n"),
                     PM_PARTIAL);
    assert_string_equal(fixture_body(&f, "x"), "3");
    assert_int_equal(f.summary.added, 1);
    assert_int_equal(f.summary.updated, 0);
    assert_int_equal(f.summary.duplicates, 2);
    assert_int_equal(run_text("{\"id\":\"x\",\"text\":\"4\"}\n"),
                     PM_OK); /* another run: an update */
    assert_int_equal(f.summary.updated, 1);
}

static void dates(void **state)
{
    (void)state;
    assert_int_equal(
        run_text("{\"id\":\"x\",\"date\":\"soon\"}\n{\"id\":\"y\",\"date\":20251124}\n"), PM_OK);
    assert_int_equal(f.summary.bad_dates, 1);
}

/* One line of more than 64 MiB between two good ones. */
static void huge_line(void **state)
{
    (void)state;
    size_t len = INPUT_ARTICLE_MAX + 100;
    char *text = malloc(len + 200);
    assert_non_null(text);
    size_t n = (size_t)sprintf(text, "{\"id\":\"1\"}\n{\"id\":\"huge\",\"text\":\"");
    memset(text + n, 'a', len);
    n += len;
    n += (size_t)sprintf(text + n, "\"}\n{\"id\":\"3\"}\n");
    fixture_write(&f, "a.jsonl", text, n);
    free(text);
    assert_int_equal(fixture_run(&f, NULL), PM_PARTIAL);
    assert_int_equal(memory_sink_count(&f.sink), 2);
    assert_non_null(strstr(f.log, "SKIPPED  :2 (the line is longer than 64 MiB)"));
    assert_non_null(strstr(f.log, "ADDED 3 :3"));
}

/* Lines whose ends fall on every side of the reader's chunks. */
static void chunk_edges(void **state)
{
    (void)state;
    enum { CHUNK = 256 * 1024 };
    for (size_t shift = 0; shift < 4; shift++) {
        buf text = {0};
        unsigned lines = 0;
        while (text.len < 3 * CHUNK) {
            char head[64];
            size_t fill = lines == 0 ? CHUNK - 33 + shift : 1000 + lines;
            snprintf(head, sizeof head, "{\"id\":\"%u\",\"text\":\"", lines++);
            buf_append_str(&text, head);
            size_t at = text.len;
            buf_zero(&text, fill);
            memset(text.data + at, 'a', fill);
            buf_append_str(&text, "\"}\n");
        }
        fixture_write(&f, "a.jsonl", text.data, text.len);
        fixture_gzip(&f, "b.jsonl.gz", text.data, text.len);
        f.options.event = NULL;
        assert_int_equal(fixture_run(&f, fixture_path(&f, "a.jsonl")), PM_OK);
        assert_int_equal(memory_sink_count(&f.sink), lines);
        assert_int_equal(f.summary.input_bytes, text.len);
        assert_int_equal(fixture_run(&f, fixture_path(&f, "b.jsonl.gz")), PM_OK);
        assert_int_equal(f.summary.updated, lines);
        buf_free(&text);
        memory_sink_free(&f.sink);
    }
}

static void sniffing(void **state)
{
    (void)state;
    assert_true(json_line_sniff("{\"a\":1}\n", 8, true));
    assert_true(json_line_sniff(" \n{\"a\":1}", 9, true));
    assert_true(json_line_sniff("{\"a\":\"cut", 9, false));
    assert_false(json_line_sniff("{\"a\":\"cut", 9, true));
    assert_false(json_line_sniff("{\n\"a\":1}\n", 9, true));
    assert_false(json_line_sniff("{{ template }}\n", 15, true));
    assert_false(json_line_sniff("[1]\n", 4, true));
    assert_false(json_line_sniff("", 0, true));
}

static void refused_memory(void **state)
{
    (void)state;
    fixture_text(
        &f, "a.jsonl",
        "{\"id\":7,\"tags\":[\"a\",\"b\"],\"k\":1,\"text\":\"x\xff\"}\n{\"text\":\"y\"}\n");
    unsigned refusals = 0;
    pm_status st = PM_NOMEM;
    for (uint64_t n = 1; st != PM_OK; n++) {
        mem_fail_at(n, false);
        st = fixture_run(&f, NULL);
        mem_fail_at(0, false);
        assert_true(st == PM_OK || st == PM_NOMEM);
        refusals += st == PM_NOMEM;
    }
    print_message("%u allocations refused\n", refusals);
    assert_true(refusals > 8);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(fields),
        CASE(synonyms),
        CASE(numbers_are_text),
        CASE(lists),
        CASE(missing_ids),
        CASE(extra_is_kept),
        CASE(windows_1252_is_converted),
        CASE(lines_of_utf8_among_windows_1252),
        CASE(the_encoding_is_guessed_across_blocks),
        CASE(numbers_beyond_a_double),
        CASE(numbers_keep_their_spelling),
        CASE(duplicate_keys),
        CASE(bad_lines_are_skipped),
        CASE(depth_is_bounded),
        CASE(broken_text_is_repaired),
        CASE(line_ends_and_marks),
        CASE(utf16),
        CASE(bad_ids),
        CASE(duplicates),
        CASE(dates),
        CASE(huge_line),
        CASE(chunk_edges),
        CASE(sniffing),
        CASE(refused_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
