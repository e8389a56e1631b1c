/* SPDX-License-Identifier: MIT
 * test_json_lines.c - an input of JSON Lines line by line: their ends and numbers, lines that are
 * too long or would take too much, encodings, and what is held meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "indexer/json_lines.h"
#include "tests/support/folder.h"

enum { CHUNK = 256 * 1024, LOG_BYTES = 4096 };

static char where[FOLDER_PATH];

/* How an input is read. */
typedef struct how {
    size_t article_max, tree_max;
    const encoding *said;
    size_t piece; /* bytes of a member of a gzipped file, of which a read gives one; 0: plain */
} how;

/* What was read: "number text," or "number (reason)," for each line. */
typedef struct seen {
    char log[LOG_BYTES];
    uint64_t hash, converted, repaired; /* of the last line; of all                       */
    size_t cap, line_cap, end_cap;      /* largest, of a conversion, and at the end        */
} seen;

static void note(seen *s, const json_line_text *line)
{
    size_t n = strlen(s->log);
    const pm_text *text = &line->doc.article.text;
    if (line->is_article && text->len > 24)
        snprintf(s->log + n, LOG_BYTES - n, "%u %zu bytes,", (unsigned)line->number, text->len);
    else if (line->is_article)
        snprintf(s->log + n, LOG_BYTES - n, "%u %.*s,", (unsigned)line->number, (int)text->len,
                 text->len ? text->data : "");
    else
        snprintf(s->log + n, LOG_BYTES - n, "%u (%.*s),", (unsigned)line->number,
                 (int)strcspn(line->reason, ":;"), line->reason);
    assert_true(n < LOG_BYTES - 200);
}

static void write_members(const char *path, const char *bytes, size_t len, size_t piece)
{
    for (size_t at = 0; at < len; at += piece) {
        unsigned n = (unsigned)(len - at < piece ? len - at : piece);
        gzFile file = gzopen(path, at ? "ab1" : "wb1");
        assert_non_null(file);
        assert_int_equal(gzwrite(file, bytes + at, n), n);
        assert_int_equal(gzclose(file), Z_OK);
    }
}

static void read_input(const void *bytes, size_t len, const how *h, seen *out)
{
    input in;
    json_lines l;
    json_line_text line = {.number = 0};
    char path[FOLDER_PATH + 16];
    bool more = true;
    *out = (seen){.log = ""};
    folder_write(where, "a.jsonl", bytes, len);
    snprintf(path, sizeof path, "%s/a.jsonl", where);
    if (h->piece) write_members(path, bytes, len, h->piece);
    assert_int_equal(input_open(&in, path, h->piece, h->article_max, NULL), PM_OK);
    assert_int_equal(json_lines_begin(&l, &in, h->said, NULL), PM_OK);
    l.tree_max = h->tree_max;
    for (;;) {
        assert_int_equal(json_lines_next(&l, &line, &more, NULL), PM_OK);
        if (!more) break;
        note(out, &line);
        if (line.is_article) out->hash = line.hash;
        out->repaired += line.doc.repaired;
        if (l.data.cap > out->cap) out->cap = l.data.cap;
        if (l.line.cap > out->line_cap) out->line_cap = l.line.cap;
    }
    assert_false(line.is_article);
    out->end_cap = l.data.cap;
    out->converted = l.n_converted;
    out->repaired += l.n_repaired;
    document_free(&line.doc);
    json_lines_free(&l);
    input_close(&in);
}

static const how plainly = {.article_max = 0};

static void check(const char *text, size_t len, const how *h, const char *want)
{
    seen got;
    read_input(text, len, h, &got);
    if (strcmp(got.log, want) != 0) fail_msg("%s\ngot:  %s\nwant: %s", text, got.log, want);
}
#define CHECK(text, h, want) check(text, sizeof(text) - 1, h, want)

#define A "{\"text\":\"a\"}"
#define B "{\"text\":\"b\"}"

static void ends_and_numbers(void **state)
{
    (void)state;
    CHECK("", &plainly, "");
    CHECK("\n", &plainly, "");
    CHECK(" ", &plainly, "");
    CHECK("\n\n \t\v\f\r\n", &plainly, "");
    CHECK(A, &plainly, "1 a,");
    CHECK(A "\n", &plainly, "1 a,");
    CHECK(A "\r\n" B "\r\n", &plainly, "1 a,2 b,");
    CHECK("\n" A "\n\n \n" B, &plainly, "2 a,5 b,");
    CHECK(" \v\n" A " \t\r\n\x0e\n" B "\n\x08", &plainly, "2 a,3 (not JSON),4 b,5 (not JSON),");
    CHECK("\0\n" A, &plainly, "1 (not JSON),2 a,");
    seen got;
    read_input(A "\r\n\n", sizeof(A "\r\n\n") - 1, &plainly, &got);
    assert_true(got.hash == hash_text(A "\r", sizeof A));
}

static void lines_that_are_too_long(void **state)
{
    (void)state;
    const how h = {.article_max = sizeof A - 1};
    CHECK(A "\n" B, &h, "1 a,2 b,");
    CHECK(A " \n" B, &h, "1 (the line is longer than --memory allows, 12 bytes),2 b,");
    CHECK(A "\n" B " ", &h, "1 a,2 (the line is longer than --memory allows, 12 bytes),");
    CHECK("             \n" A, &h, "1 (the line is longer than --memory allows, 12 bytes),2 a,");
    /* lines around a block, the first of which begins behind the bytes that were peeked at */
    for (size_t n = CHUNK - 1; n <= CHUNK + 4; n++)
        for (size_t room = n - 1; room <= n + 1; room++)
            for (unsigned ended = 0; ended < 2; ended++) {
                buf text = {0};
                char want[128];
                const how about = {.article_max = room};
                buf_append_str(&text, "{\"text\":\"");
                while (text.len < n - 2) buf_u8(&text, 'a');
                buf_append_str(&text, "\"}");
                if (ended) buf_append_str(&text, "\n" B);
                seen got;
                read_input(text.data, text.len, &about, &got);
                int at =
                    n > room
                        ? snprintf(want, sizeof want,
                                   "1 (the line is longer than --memory allows, %zu bytes),", room)
                        : snprintf(want, sizeof want, "1 %zu bytes,", n - 11);
                if (ended) snprintf(want + at, sizeof want - (size_t)at, "2 b,");
                assert_string_equal(got.log, want);
                buf_free(&text);
            }
}

/* A long line takes room, and gives it back; one that is dropped takes none. */
static void what_is_held(void **state)
{
    (void)state;
    const encoding latin = ENCODING_WINDOWS_1252;
    const how ways[] = {{.article_max = 0}, {.article_max = 11 * CHUNK}, {.said = &latin}};
    buf text = {0};
    seen got;
    buf_append_str(&text, A "\n{\"text\":\"");
    while (text.len < 12 * CHUNK) buf_append_str(&text, "aaaaaaaaaaaaaaaa");
    buf_append_str(&text, "\"}\n");
    size_t bytes = text.len - strlen(A "\n{\"text\":\"\"}\n");
    unsigned lines = 3;
    for (; text.len < 16 * CHUNK; lines++)
        buf_append_str(&text, "                                \n");
    buf_append_str(&text, A);
    for (size_t i = 0; i < 3; i++) {
        read_input(text.data, text.len, &ways[i], &got);
        assert_true(got.cap <= 8 * CHUNK || (i != 1 && got.cap >= 12 * CHUNK));
        assert_true(got.end_cap <= 8 * CHUNK);
        char want[128];
        int n = i == 1 ? snprintf(want, sizeof want,
                                  "1 a,2 (the line is longer than --memory allows, %d bytes),",
                                  11 * CHUNK)
                       : snprintf(want, sizeof want, "1 a,2 %zu bytes,", bytes);
        snprintf(want + n, sizeof want - (size_t)n, "%u a,", lines);
        assert_string_equal(got.log, want); /* nothing got lost                                */
    }
    /* the encoding is known by a part of the input */
    buf_reset(&text);
    for (unsigned i = 0; i < 48; i++) {
        buf_append_str(&text, "{\"text\":\"");
        while (text.len % (CHUNK / 4) < CHUNK / 4 - 3) buf_u8(&text, 0xe9);
        buf_append_str(&text, "\"}\n");
    }
    read_input(text.data, text.len, &plainly, &got);
    assert_int_equal(got.converted, 48);
    assert_true(got.cap <= 8 * CHUNK);
    buf_free(&text);
}

static void marks_and_what_is_said(void **state)
{
    (void)state;
    const encoding utf8 = ENCODING_UTF8, w1252 = ENCODING_WINDOWS_1252, le = ENCODING_UTF16LE,
                   be = ENCODING_UTF16BE;
    const how as_utf8 = {.said = &utf8}, as_1252 = {.said = &w1252}, as_le = {.said = &le},
              as_be = {.said = &be};
#define MARK  "\xef\xbb\xbf"
#define LE(c) c "\0"
#define BE(c) "\0" c
#define WIDE(X)                                                                                    \
    X("{") X("\"") X("t") X("e") X("x") X("t") X("\"") X(":") X("\"") X("a") X("\"") X("}")
    CHECK(MARK A, &plainly, "1 a,");
    CHECK(MARK A, &as_utf8, "1 a,");
    CHECK(MARK "{\"text\":\"\xe9\"}", &plainly, "1 \xef\xbf\xbd,");
    CHECK("{\"text\":\"\xe9\"}", &plainly, "1 \xc3\xa9,");
    CHECK("{\"text\":\"\x80\"}", &plainly, "1 \xe2\x82\xac,");
    CHECK("{\"text\":\"\xe9\"}", &as_utf8, "1 \xef\xbf\xbd,");
    CHECK("{\"text\":\"\xe9\"}", &as_1252, "1 \xc3\xa9,");
    CHECK("{\"text\":\"\xc3\xa9\"}", &as_1252, "1 \xc3\x83\xc2\xa9,");
    CHECK("\xff\xfe" WIDE(LE), &plainly, "1 a,");
    CHECK("\xfe\xff" WIDE(BE), &plainly, "1 a,");
    CHECK("\xff\xfe" WIDE(LE), &as_le, "1 a,");
    CHECK(WIDE(LE), &as_le, "1 a,");
    CHECK(WIDE(BE), &as_be, "1 a,");
    CHECK(WIDE(LE) LE("\n") WIDE(LE) LE("\n"), &as_le, "1 a,2 a,");
    CHECK(MARK A, &as_1252, "1 (not JSON),"); /* what is said counts                        */
    CHECK("\xff", &plainly, "1 (not JSON),");
    CHECK("\xef\xbb", &plainly, "1 (not JSON),");
}

/* Of lines in a file that is Windows-1252. */
static void converted_lines(void **state)
{
    (void)state;
    seen got;
#define LATIN "{\"text\":\"\xe9\xe8\"}"
    const char *text =
        "{\"text\":\"\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\"}"
        "\n{\"text\":\"\xc3\xa9\xe2\x82\xac\"}\n{\"text\":\"\xe9\x81\",\"n\":1e400}\n" A "\n\xe9\n";
    read_input(text, strlen(text), &plainly, &got);
    assert_string_equal(got.log, "1 32 bytes,2 \xc3\xa9\xe2\x82\xac,3 \xc3\xa9\xef\xbf\xbd,4 a,"
                                 "5 (not JSON),");
    assert_int_equal(got.converted, 3);
    assert_int_equal(got.repaired, 1);
    /* it may be too long by what it is converted to */
    const how exact = {.article_max = sizeof LATIN - 1 + 2},
              less = {.article_max = sizeof LATIN - 1 + 1};
    CHECK(LATIN, &exact, "1 \xc3\xa9\xc3\xa8,");
    CHECK(LATIN, &less, "1 (the line is longer than --memory allows, 14 bytes),");
    CHECK(LATIN "\n" A, &less, "1 (the line is longer than --memory allows, 14 bytes),2 a,");
    /* the room of a long one goes back */
    buf line = {0};
    buf_append_str(&line, "{\"text\":\"");
    while (line.len < 9 * CHUNK) buf_u8(&line, 0xe9);
    buf_append_str(&line, "\"}\n" A "\n");
    read_input(line.data, line.len, &plainly, &got);
    assert_int_equal(got.converted, 1);
    assert_true(got.line_cap <= 8 * CHUNK);
    buf_free(&line);
}

/* What the tree of a line takes: 100 bytes a mark, and the bytes of its copies. */
static void lines_that_take_much(void **state)
{
    (void)state;
    static const struct {
        const char *line, *text;
        size_t least; /* tree_max with which it is read                                   */
    } rows[] = {
        /* scanned: held by nothing but the input */
        {"{\"text\":\"aaaa\",\"k\":[1,2,3]}                                         ", "aaaa", 700},
        /* left to the library: mended, and its tree */
        {"{\"text\":\"aaaa\",\"k\":1e400}", "aaaa", 450},
        {"{\"text\":\"a\xff\xc3\xa9\",\"k\":1}", "a\xef\xbf\xbd\xc3\xa9", 442},
        /* converted, scanned from that: one copy, and the marks */
        {"{\"text\":\"\xe9\xe8\",\"k\":1}", "\xc3\xa9\xc3\xa8", 421},
        /* converted and left to the library: that, mended, its tree */
        {"{\"text\":\"\xe9\xe8\",\"k\":1e400}", "\xc3\xa9\xc3\xa8", 475},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t most = 1; most < 900; most++) {
            seen got;
            char want[256];
            const how h = {.tree_max = most};
            read_input(rows[i].line, strlen(rows[i].line), &h, &got);
            if (most >= rows[i].least)
                snprintf(want, sizeof want, "1 %s,", rows[i].text);
            else
                snprintf(want, sizeof want,
                         "1 (the line takes more than --memory allows, %zu bytes),", most);
            if (strcmp(got.log, want) != 0) fail_msg("%zu: at %zu: %s", i, most, got.log);
        }
}

/* A character around the end of a block, cut or whole, valid or not. */
static void characters_across_blocks(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *text;
        unsigned converted;
    } rows[] = {
        {"\xc3\xa9", "\xc3\xa9", 0},
        {"\xe2\x82\xac", "\xe2\x82\xac", 0},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 0},
        {"\xe9", "\xc3\xa9", 1},
        {"\xa9", "\xc2\xa9", 1},
        {"\xe2\x82", "\xc3\xa2\xe2\x80\x9a", 1},
        {"\xf0\x9f\x98", "\xc3\xb0\xc5\xb8\xcb\x9c", 1},
        {"\xa9\xa9\xa9\xa9", "\xc2\xa9\xc2\xa9\xc2\xa9\xc2\xa9", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t at = CHUNK - 7; at <= CHUNK + 5; at++) {
            buf text = {0};
            seen got;
            char want[64];
            while (text.len < at - 10) buf_u8(&text, ' ');
            buf_append_str(&text, "\n");
            buf_append_str(&text, "{\"text\":\"");
            buf_append_str(&text, rows[i].bytes);
            buf_append_str(&text, "\"}");
            read_input(text.data, text.len, &plainly, &got);
            snprintf(want, sizeof want, "2 %s,", rows[i].text);
            assert_string_equal(got.log, want);
            assert_int_equal(got.converted, rows[i].converted);
            buf_free(&text);
        }
}

/* The encoding is the same however the bytes come in. */
static void pieces(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"text\":\"\xe9\"}\n{\"text\":\"\xc3\xa9\xc3\xa8\"}\n{\"text\":\"\xe8\"}\n",
        "{\"text\":\"\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\"}\n{\"text\":\"\xc3\xa9\"}\n{\"text\":"
        "\"\xe8\"}\n",
        A
        "\n{\"text\":\"\xc3\xa9\"}\n{\"text\":\"\xe9\",\"k\":1e400}\n\xe8\n{\"text\":\"\xe2\x82\"}",
    };
    static const char *const want[] = {
        "1 \xef\xbf\xbd,2 \xc3\xa9\xc3\xa8,3 \xef\xbf\xbd,",
        "1 \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9,2 \xc3\xa9,3 \xc3\xa8,",
        "1 a,2 \xc3\xa9,3 \xef\xbf\xbd,4 (not JSON),5 \xef\xbf\xbd,",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t piece = 0; piece < 70; piece++) {
            const how h = {.piece = piece};
            check(texts[i], strlen(texts[i]), &h, want[i]);
        }
}

/* Each allocation refused: said, or all lines as they are. */
static void refused_memory(void **state)
{
    (void)state;
    static const char plain[] = "{\"text\":\"\xc3\xa9\"}\n{\"text\":\"\xe9\",\"k\":[1e400]}\n" A;
    static const char latin[] = "{\"text\":\"\xe9\"}\n" A "\n{\"text\":\"\xe8\",\"k\":1e400}";
    static const char wide[] = "\xff\xfe" WIDE(LE) LE("\n") WIDE(LE);
    static const struct {
        const char *bytes;
        size_t len;
        const char *want;
    } rows[] = {{plain, sizeof plain - 1, "1 \xc3\xa9,2 \xef\xbf\xbd,3 a,"},
                {latin, sizeof latin - 1, "1 \xc3\xa9,2 a,3 \xc3\xa8,"},
                {wide, sizeof wide - 1, "1 a,2 a,"}};
    char path[FOLDER_PATH + 16];
    snprintf(path, sizeof path, "%s/a.jsonl", where);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pm_status st = PM_NOMEM;
        uint64_t n = 1;
        folder_write(where, "a.jsonl", rows[i].bytes, rows[i].len);
        for (; st != PM_OK; n++) {
            input in;
            json_lines l = {.number = 0};
            json_line_text line = {.number = 0};
            seen got = {.log = ""};
            bool more = true;
            assert_int_equal(input_open(&in, path, false, 0, NULL), PM_OK);
            mem_fail_at(n, false);
            st = json_lines_begin(&l, &in, NULL, NULL);
            while (st == PM_OK && more) {
                st = json_lines_next(&l, &line, &more, NULL);
                if (st == PM_OK && more) note(&got, &line);
            }
            mem_fail_at(0, false);
            assert_true(st == PM_OK || st == PM_NOMEM);
            if (st == PM_OK) assert_string_equal(got.log, rows[i].want);
            document_free(&line.doc);
            json_lines_free(&l);
            input_close(&in);
        }
        assert_true(n > 4);
    }
}

/* Of what is a line of UTF-8 nothing more is waited for. */
static void nothing_is_waited_for(void **state)
{
    (void)state;
    static const char text[] = A "\n{\"text\":\"\xc3\xa9\"}\nno\n";
    int ends[2];
    input in;
    json_lines l;
    json_line_text line = {.number = 0};
    seen got = {.log = ""};
    bool more = true;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, sizeof text - 1), sizeof text - 1);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(input_open(&in, "-", false, 0, NULL), PM_OK);
    assert_int_equal(json_lines_begin(&l, &in, NULL, NULL), PM_OK);
    alarm(60); /* it would be for ever */
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(json_lines_next(&l, &line, &more, NULL), PM_OK);
        note(&got, &line);
    }
    alarm(0);
    assert_string_equal(got.log, "1 a,2 \xc3\xa9,3 (not JSON),");
    document_free(&line.doc);
    json_lines_free(&l);
    input_close(&in);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_and_numbers),
        cmocka_unit_test(lines_that_are_too_long),
        cmocka_unit_test(what_is_held),
        cmocka_unit_test(marks_and_what_is_said),
        cmocka_unit_test(converted_lines),
        cmocka_unit_test(lines_that_take_much),
        cmocka_unit_test(characters_across_blocks),
        cmocka_unit_test(pieces),
        cmocka_unit_test(refused_memory),
        cmocka_unit_test(nothing_is_waited_for),
    };
    folder_make(where);
    int failed = cmocka_run_group_tests_name("json_lines", tests, NULL, NULL);
    folder_remove(where);
    return failed;
}
