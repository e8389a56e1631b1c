/* SPDX-License-Identifier: MIT
 * test_output.c - what articles, file names and messages can do to who reads the output: nothing.
 *
 * Every code point, surrogates and numbers beyond Unicode included, every byte and every pair of
 * bytes go through every format as title, id, source, url, snippet, term, query and message.
 * Text formats must come out as sound UTF-8 without control or bidirectional characters (but the
 * line ends and tabs of the format, and the colours asked for); JSON must parse, in its bytes be
 * as harmless, and give the text back.  Ids for other programs are bytes, except on a terminal.
 *
 * Each case runs in a child, whose standard output and error are files in memory; whether it
 * believes in a terminal is said by isatty below.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/bytes.h"
#include "common/cli/emit.h"
#include "common/cli/emit_article.h"
#include "common/cli/emit_hits.h"
#include "common/cli/ingest_report.h"
#include "common/cli/sanitize.h"
#include "tests/support/crash_script.h"
#include "tests/support/folder.h"

/* ---- a terminal or none --------------------------------------------------------------------- */

static bool on_terminal;

/* In the place of the C library's. */
int isatty(int fd)
{
    return on_terminal && (fd == STDOUT_FILENO || fd == STDERR_FILENO);
}

/* ---- what is put in ----------------------------------------------------------------------- */

enum { CHUNK_CODES = 2048, CHUNKS_MAX = 2048, CODES = 0x110000, BEYOND = 0x400 };

static pm_text chunks[CHUNKS_MAX];
static bool sound[CHUNKS_MAX]; /* valid UTF-8                                                */
static size_t n_chunks;

/* As UTF-8 would write it, also what it must not: surrogates, and numbers beyond the last one. */
static void put_code(buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_u8(out, (uint8_t)c);
        return;
    }
    unsigned tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t heads[] = {0, 0xc0, 0xe0, 0xf0};
    buf_u8(out, (uint8_t)(heads[tail] | c >> 6 * tail));
    while (tail--) buf_u8(out, (uint8_t)(0x80 | (c >> 6 * tail & 0x3f)));
}

static void keep_chunk(buf *text, bool valid)
{
    assert_true(!text->failed && n_chunks < CHUNKS_MAX);
    chunks[n_chunks] = (pm_text){(const char *)text->data, text->len};
    sound[n_chunks++] = valid;
    *text = (buf){0};
}

static int make_chunks(void **state)
{
    buf text = {0};
    (void)state;
    for (uint32_t first = 0; first < CODES + BEYOND; first += CHUNK_CODES) {
        /* Planes of no characters are left out under sanitizers. */
        if (script_slow() && first > 0x30000 && first < 0xe0000) continue;
        for (uint32_t c = first; c < first + CHUNK_CODES && c < CODES + BEYOND; c++)
            put_code(&text, c);
        keep_chunk(&text, first < CODES && (first < 0xd800 || first >= 0xe000));
    }
    for (unsigned a = 0; a < 256; a += 8) {
        for (unsigned i = 0; i < 8 * 256; i++) {
            buf_u8(&text, (uint8_t)(a + i / 256));
            buf_u8(&text, (uint8_t)i);
            buf_u8(&text, '.');
        }
        keep_chunk(&text, false);
    }
    return 0;
}

static int free_chunks(void **state)
{
    (void)state;
    for (; n_chunks; n_chunks--) free((void *)(uintptr_t)chunks[n_chunks - 1].data);
    return 0;
}

/* ---- what comes out ----------------------------------------------------------------------- */

typedef struct output {
    char *data;
    size_t len;
} output;

static output take_file(int fd)
{
    output o = {NULL, (size_t)lseek(fd, 0, SEEK_END)};
    o.data = malloc(o.len + 1);
    folder_must(o.data && pread(fd, o.data, o.len, 0) == (ssize_t)o.len, "read", "output");
    o.data[o.len] = '\0';
    close(fd);
    return o;
}

/* Run fn in a child; its standard output and error. */
static void capture(void (*fn)(void), bool terminal, output *out, output *err)
{
    int files[2] = {memfd_create("out", 0), memfd_create("err", 0)}, status;
    fflush(NULL);
    pid_t child = fork();
    folder_must(child >= 0 && files[0] >= 0 && files[1] >= 0, "fork", "");
    if (child == 0) {
        on_terminal = terminal;
        dup2(files[0], STDOUT_FILENO);
        dup2(files[1], STDERR_FILENO);
        fn();
        _exit(emit_finish(EXIT_OK));
    }
    folder_must(waitpid(child, &status, 0) == child, "wait for", "a child");
    *out = take_file(files[0]);
    *err = take_file(files[1]);
    if (status != 0) fail_msg("status %x: %.300s", (unsigned)status, err->data);
}

/* The length of the character of UTF-8 at p, 0 when there is none.  Spelled out here once more, and
 * which are harmful, so that a hole in sanitize.c is seen. */
static size_t decode(const unsigned char *p, uint32_t *code)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    unsigned tail = *p < 0xc2 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : *p < 0xf5 ? 3 : 0;
    if (!tail) return 0;
    *code = *p & (0x3fu >> tail);
    for (unsigned i = 1; i <= tail; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        *code = *code << 6 | (p[i] & 0x3f);
    }
    bool sane = *code >= least[tail] && *code < CODES && (*code < 0xd800 || *code >= 0xe000);
    return sane ? tail + 1 : 0;
}

static bool is_harmful(uint32_t code)
{
    return code < 0xa0 || code == 0x61c || code == 0x200e || code == 0x200f ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* The first byte of a character that must not be there, or NULL. */
static const char *harmful(const output *o, const char *allowed)
{
    const unsigned char *p = (const unsigned char *)o->data, *end = p + o->len;
    while (p < end) {
        uint32_t code = 0;
        if (*p < 0x80) {
            bool printable = *p >= 0x20 && *p != 0x7f;
            if (!printable && (!*p || !strchr(allowed, *p))) return (const char *)p;
            p++;
            continue;
        }
        size_t n = decode(p, &code); /* the zero behind the end is no tail                     */
        if (n == 0 || is_harmful(code)) return (const char *)p;
        p += n;
    }
    return NULL;
}

static void harmless(const output *o, const char *allowed)
{
    const char *at = harmful(o, allowed);
    assert_true(o->len > 0);
    if (at)
        fail_msg("at byte %zu of %zu: %02x %02x %02x", (size_t)(at - o->data), o->len,
                 (unsigned char)at[0], (unsigned char)at[1], (unsigned char)at[2]);
}

static size_t count_byte(const output *o, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < o->len; i++) n += o->data[i] == c;
    return n;
}

static void release(output *out, output *err)
{
    free(out->data);
    free(err->data);
}

/* ---- hits --------------------------------------------------------------------------------- */

static text_style style = {.snippets = true, .explain = true, .width = 60};

/* Each chunk is one hit in all its fields. */
static pm_result *make_result(void)
{
    static pm_result result;
    pm_hit *hits = calloc(n_chunks, sizeof *hits);
    pm_explain *parts = calloc(n_chunks, sizeof *parts);
    static const pm_highlight lit[] = {{0, 3}, {10, 20}, {21, 4000}};
    folder_must(hits && parts, "make", "hits");
    for (size_t i = 0; i < n_chunks; i++) {
        pm_text t = chunks[i];
        parts[i] = (pm_explain){.term = t, .tf = 1, .df = 1};
        hits[i] = (pm_hit){.rank = i + 1,
                           .score = 1,
                           .id = t,
                           .title = t,
                           .date = {"2025-10-30", 10},
                           .source = t,
                           .url = t,
                           .snippet = t,
                           .highlights = lit,
                           .n_highlights = 3,
                           .explain = &parts[i],
                           .n_explain = 1};
    }
    result = (pm_result){.query = chunks[0],
                         .interpreted = chunks[4],
                         .match = PM_MATCH_AUTO,
                         .total = n_chunks,
                         .total_all = 2,
                         .hits = hits,
                         .n_hits = n_chunks};
    return &result;
}

static void print_text(void)
{
    emit_hits_text(make_result(), &style);
}
static void print_json(void)
{
    emit_json(emit_hits_json(make_result(), true));
}
static void print_jsonl(void)
{
    const pm_result *result = make_result();
    for (size_t i = 0; i < result->n_hits; i++) emit_json(emit_hit_json(&result->hits[i], true));
}
static void print_ids(void)
{
    emit_hits_ids(make_result(), false);
}
static void print_tsv(void)
{
    emit_hits_tsv(make_result(), chunks[0]);
}
static void print_trec(void)
{
    emit_hits_trec(make_result(), chunks[0], "tag");
}

static void text_is_harmless(void **state)
{
    output out, err;
    (void)state;
    for (unsigned terminal = 0; terminal < 2; terminal++) {
        capture(print_text, terminal, &out, &err);
        harmless(&out, "\n");
        assert_int_equal(err.len, 0);
        release(&out, &err);
    }
}

/* Colours are the four sequences of the format, and nothing else begins with ESC. */
static void colours_are_ours(void **state)
{
    static const char *const ours[] = {"\033[1m", "\033[1;31m", "\033[2m", "\033[0m"};
    output out, err;
    size_t to = 0, found = 0;
    (void)state;
    style.color = true;
    capture(print_text, true, &out, &err);
    style.color = false;
    for (size_t i = 0; i < out.len;) {
        size_t k = out.data[i] == ours[0][0] ? 0 : 4;
        while (k < 4 && strncmp(out.data + i, ours[k], strlen(ours[k])) != 0) k++;
        found += k < 4;
        if (k < 4)
            i += strlen(ours[k]);
        else
            out.data[to++] = out.data[i++];
    }
    out.len = to;
    assert_true(found >= 4 * n_chunks);
    harmless(&out, "\n");
    release(&out, &err);
}

static void lines_are_harmless_on_a_terminal(void **state)
{
    static void (*const formats[])(void) = {print_ids, print_tsv, print_trec};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        output out, err;
        capture(formats[i], true, &out, &err);
        harmless(&out, i == 1 ? "\n\t" : "\n");
        assert_int_equal(count_byte(&out, '\n'), n_chunks);
        if (i == 1) assert_int_equal(count_byte(&out, '\t'), 4 * n_chunks);
        if (i == 2) assert_int_equal(count_byte(&out, ' '), 5 * n_chunks);
        release(&out, &err);
    }
}

/* Elsewhere an id is its bytes, with \n \t \r for what would end the line or the field. */
static void ids_are_bytes_elsewhere(void **state)
{
    output out, err;
    (void)state;
    capture(print_ids, false, &out, &err);
    const char *p = out.data;
    for (size_t i = 0; i < n_chunks; i++) {
        for (size_t k = 0; k < chunks[i].len; k++) {
            char c = chunks[i].data[k];
            const char *blank = c > 0 && c < ' ' ? strchr("\nn\tt\rr", c) : NULL;
            if (blank) assert_int_equal(*p++, '\\');
            if (*p++ != (blank ? blank[1] : c)) fail_msg("chunk %zu, byte %zu", i, k);
        }
        assert_int_equal(*p++, '\n');
    }
    assert_ptr_equal(p, out.data + out.len);
    release(&out, &err);
    capture(print_tsv, false, &out, &err);
    assert_int_equal(count_byte(&out, '\n'), n_chunks);
    assert_int_equal(count_byte(&out, '\t'), 4 * n_chunks);
    release(&out, &err);
    capture(print_trec, false, &out, &err);
    assert_int_equal(count_byte(&out, '\n'), n_chunks);
    assert_int_equal(count_byte(&out, ' '), 5 * n_chunks);
    assert_int_equal(count_byte(&out, '\033'), 0);
    release(&out, &err);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static json_t *parsed(const char *line, size_t len)
{
    json_error_t why;
    json_t *value = json_loadb(line, len, JSON_ALLOW_NUL, &why);
    if (!value) fail_msg("%s at %d", why.text, why.position);
    return value;
}

/* The text comes back, with U+FFFD for what was no character. */
static void same_text(const json_t *object, const char *key, size_t chunk)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_string(value));
    if (!sound[chunk]) return;
    assert_int_equal(json_string_length(value), chunks[chunk].len);
    assert_memory_equal(json_string_value(value), chunks[chunk].data, chunks[chunk].len);
}

static void same_hit(const json_t *hit, size_t chunk)
{
    static const char *const keys[] = {"id", "title", "source", "url", "snippet"};
    for (unsigned i = 0; i < 5; i++) same_text(hit, keys[i], chunk);
    same_text(json_array_get(json_object_get(hit, "explain"), 0), "term", chunk);
}

static void json_parses_and_is_harmless(void **state)
{
    output out, err;
    (void)state;
    capture(print_json, true, &out, &err);
    harmless(&out, "\n");
    json_t *whole = parsed(out.data, out.len);
    same_text(whole, "query", 0);
    json_t *hits = json_object_get(whole, "hits");
    assert_int_equal(json_array_size(hits), n_chunks);
    for (size_t i = 0; i < n_chunks; i++) same_hit(json_array_get(hits, i), i);
    json_decref(whole);
    release(&out, &err);
}

static void json_lines_parse(void **state)
{
    output out, err;
    (void)state;
    capture(print_jsonl, false, &out, &err);
    harmless(&out, "\n");
    const char *line = out.data;
    for (size_t i = 0; i < n_chunks; i++) {
        const char *end = strchr(line, '\n');
        json_t *hit = parsed(line, (size_t)(end - line));
        same_hit(hit, i);
        json_decref(hit);
        line = end + 1;
    }
    assert_int_equal(*line, 0);
    release(&out, &err);
}

/* ---- articles ----------------------------------------------------------------------------- */

static pm_article article_of(size_t i)
{
    static const char extra[] = "{\"a\\u009bb\":\"\\u202e\\u001b\\u0000\"}";
    pm_text t = chunks[i];
    return (pm_article){.id = t,
                        .title = t,
                        .text = t,
                        .date = {"2025-10-30", 10},
                        .url = t,
                        .source = t,
                        .author = t,
                        .tags = t,
                        .lang = t,
                        .extra = {extra, sizeof extra - 1}};
}

static void show_text(void)
{
    for (size_t i = 0; i < n_chunks; i++) {
        pm_article a = article_of(i);
        emit_article_text(&a);
    }
}
static void show_json(void)
{
    for (size_t i = 0; i < n_chunks; i++) {
        pm_article a = article_of(i);
        emit_json(emit_article_json(&a));
    }
}

static void articles_are_harmless(void **state)
{
    output out, err;
    (void)state;
    capture(show_text, false, &out, &err);
    harmless(&out, "\n\t");
    release(&out, &err);
    capture(show_json, false, &out, &err);
    harmless(&out, "\n");
    const char *line = out.data;
    for (size_t i = 0; i < n_chunks; i++) {
        const char *end = strchr(line, '\n');
        json_t *article = parsed(line, (size_t)(end - line));
        same_text(article, "text", i);
        assert_non_null(json_object_get(article, "a\xc2\x9b"
                                                 "b"));
        json_decref(article);
        line = end + 1;
    }
    release(&out, &err);
}

/* ---- messages and reports ----------------------------------------------------------------- */

/* Parts short enough for a message, without zero bytes, which end it. */
static void each_part(void (*fn)(const char *part, size_t len))
{
    enum { PART = 90 };
    for (size_t i = 0; i < n_chunks; i++)
        for (size_t at = 0; at < chunks[i].len; at += PART) {
            char part[PART + 1] = "";
            size_t len = chunks[i].len - at < PART ? chunks[i].len - at : PART;
            for (size_t k = 0; k < len; k++) part[k] = chunks[i].data[at + k];
            for (size_t k = 0; k < len; k++)
                if (!part[k]) part[k] = 1;
            fn(part, len);
        }
}

static void say(const char *part, size_t len)
{
    pm_error error = {.status = PM_IO};
    snprintf(error.message, sizeof error.message, "%s: cannot read", part);
    emit_error(&error);
    emit_warning("%s: skipped", part);
    emit_note("%s", part);
    emit_usage("unknown option '%s'", part);
    emit_caret(part, len / 2);
}

static ingest_report report;

static void tell(const char *part, size_t len)
{
    pm_text t = {part, len};
    pm_ingest_event event = {
        .kind = PM_INGEST_SKIPPED, .path = t, .id = t, .title = t, .date = t, .reason = part};
    report_event(&report, &event);
}

static void say_all(void)
{
    each_part(say);
}
/* The report goes to standard output here. */
static void report_all(void)
{
    report.file = (json_stream){.file = stdout, .path = "report"};
    each_part(tell);
    report_end(&report);
}

static void messages_are_harmless(void **state)
{
    output out, err;
    (void)state;
    capture(say_all, true, &out, &err);
    assert_int_equal(out.len, 0);
    harmless(&err, "\n");
    release(&out, &err);
}

static void reports_are_harmless(void **state)
{
    output out, err;
    (void)state;
    capture(report_all, false, &out, &err);
    harmless(&out, "\n");
    harmless(&err, "\n");
    assert_int_equal(count_byte(&err, '\n'), WARNINGS_SHOWN + 1);
    for (const char *line = out.data; *line;) {
        const char *end = strchr(line, '\n');
        json_decref(parsed(line, (size_t)(end - line)));
        line = end + 1;
    }
    release(&out, &err);
}

/* The test can fail: what is not made safe is seen. */
static void harm_is_seen(void **state)
{
    static const char *const bad[] = {"\033", "\x7f",         "\xc2\x9b", "\xe2\x80\xae",
                                      "\x9b", "\xed\xa0\x80", "\r",       "\xd8\x9c"};
    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[16];
        output o = {text, (size_t)snprintf(text, sizeof text, "ok %s ok\n", bad[i])};
        assert_ptr_equal(harmful(&o, "\n"), text + 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(harm_is_seen),
        cmocka_unit_test(text_is_harmless),
        cmocka_unit_test(colours_are_ours),
        cmocka_unit_test(lines_are_harmless_on_a_terminal),
        cmocka_unit_test(ids_are_bytes_elsewhere),
        cmocka_unit_test(json_parses_and_is_harmless),
        cmocka_unit_test(json_lines_parse),
        cmocka_unit_test(articles_are_harmless),
        cmocka_unit_test(messages_are_harmless),
        cmocka_unit_test(reports_are_harmless),
    };
    return cmocka_run_group_tests(tests, make_chunks, free_chunks);
}
