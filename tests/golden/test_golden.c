/* SPDX-License-Identifier: MIT
 * test_golden.c - the writer's bytes are those of tests/golden/<name>.txt and of the worked
 * example in FORMAT.md; and every mutation in tests/golden/refused is found.
 *
 * Byte lines, in the golden files and in FORMAT.md between ```bytes and ```:
 *     00000040  78 01 00*3  ; comment
 * an offset, then bytes, 00*3 being three zeros.  A golden file has every byte, in order.
 * A refused file is a patch of the golden file that its line "on NAME" names.  Checksums are
 * made right again after it, unless it says "as is".  Its line "finds ..." says what is found
 * first, with section and offset in the file.
 * PM_GOLDEN=print prints the segments, and the findings, as they are.  Run from the top folder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/segment/cursor.h"
#include "tests/support/golden_segments.h"
#include "tests/support/open_folder.h"
#include "tests/support/reseal.h"

/* ---- byte lines ---- */

typedef void (*line_fn)(void *ctx, uint64_t off, const uint8_t *bytes, size_t n);

static bool hex_digits(const char *s, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (!strchr("0123456789abcdef", s[i]) || !s[i]) return false;
    return true;
}

static void byte_line(const char *line, line_fn fn, void *ctx)
{
    uint8_t bytes[4096];
    size_t n = 0;
    if (!hex_digits(line, 8) || line[8] != ' ') return;
    uint64_t off = strtoull(line, NULL, 16);
    for (const char *p = line + 8; *p == ' ';) {
        while (*p == ' ') p++;
        if (!hex_digits(p, 2)) break;
        unsigned long value = strtoul((char[]){p[0], p[1], 0}, NULL, 16), times = 1;
        p += 2;
        if (*p == '*') {
            char *end;
            times = strtoul(p + 1, &end, 10);
            p = end;
        }
        assert_true(n + times <= sizeof bytes);
        memset(bytes + n, (int)value, times);
        n += times;
    }
    fn(ctx, off, bytes, n);
}

/* Calls fn for each byte line; fenced: only between ```bytes and ```. */
static void byte_lines(const char *path, bool fenced, line_fn fn, void *ctx)
{
    char line[1024];
    bool on = !fenced;
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("cannot read %s; run the test from the top folder", path);
    while (fgets(line, sizeof line, f)) {
        if (fenced && !strncmp(line, "```", 3)) on = !strcmp(line, "```bytes\n");
        if (on) byte_line(line, fn, ctx);
    }
    fclose(f);
}

/* ---- golden files ---- */

typedef pm_status (*golden_fn)(const dir *d, const char *name, manifest_segment *out,
                               pm_error *err);

typedef struct golden {
    const char *name;
    golden_fn write;
    manifest_segment made;
    buf bytes;
} golden;

static void golden_load(golden *g)
{
    pm_error err;
    bool absent;
    folder_empty(folder);
    if (g->write(&where, "golden.seg", &g->made, &err) != PM_OK) fail_msg("%s", err.message);
    assert_int_equal(dir_read(&where, "golden.seg", 1 << 24, &g->bytes, &absent, &err), PM_OK);
    assert_int_equal(g->bytes.len, g->made.size);
}

typedef struct comparison {
    const char *path;
    slice bytes;
    uint64_t next, lines;
    bool complete;
} comparison;

static void compare_line(void *ctx, uint64_t off, const uint8_t *bytes, size_t n)
{
    comparison *c = ctx;
    slice have;
    if (c->complete && off != c->next)
        fail_msg("%s: line %08llx is not the next", c->path, (unsigned long long)off);
    if (!slice_sub(c->bytes, off, n, &have))
        fail_msg("%s: line %08llx is beyond the segment", c->path, (unsigned long long)off);
    for (size_t i = 0; i < n; i++)
        if (have.data[i] != bytes[i])
            fail_msg("%s: byte %08llx is %02x, the segment has %02x", c->path,
                     (unsigned long long)(off + i), bytes[i], have.data[i]);
    c->next = off + n;
    c->lines++;
}

static void print_segment(slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) printf("%s%02x", i % 16 ? " " : "\n", bytes.data[i]);
    printf("\n");
}

static void compare_golden(golden_fn write, const char *name)
{
    char path[64];
    golden g = {.name = name, .write = write};
    golden_load(&g);
    snprintf(path, sizeof path, "tests/golden/%s.txt", name);
    comparison c = {.path = path, .bytes = buf_slice(&g.bytes), .complete = true};
    if (getenv("PM_GOLDEN")) print_segment(c.bytes);
    byte_lines(path, false, compare_line, &c);
    assert_int_equal(c.next, g.bytes.len);
    buf_free(&g.bytes);
}

static void tiny_is_as_ever(void **state)
{
    (void)state;
    compare_golden(golden_tiny, "tiny");
}

static void lists_are_as_ever(void **state)
{
    (void)state;
    compare_golden(golden_lists, "lists");
}

static void marks_are_as_ever(void **state)
{
    (void)state;
    compare_golden(golden_marks, "marks");
}

static void format_example_is_true(void **state)
{
    (void)state;
    golden g = {.write = golden_tiny};
    golden_load(&g);
    comparison c = {.path = "FORMAT.md", .bytes = buf_slice(&g.bytes)};
    byte_lines("FORMAT.md", true, compare_line, &c);
    assert_true(c.lines > 30);
    buf_free(&g.bytes);
}

enum { FINDING_BYTES = 300 };

/* Keep the first finding in ctx, if that is not NULL. */
static void print_finding(void *ctx, const char *part, uint64_t off, const char *what)
{
    char text[FINDING_BYTES];
    snprintf(text, sizeof text, "%s at 0x%08llx: %s", part, (unsigned long long)off, what);
    print_message("finding: %s\n", text);
    if (ctx && !*(char *)ctx) memcpy(ctx, text, sizeof text);
}

static void golden_segments_are_sound(void **state)
{
    (void)state;
    static const golden_fn all[] = {golden_tiny, golden_lists, golden_marks};
    for (size_t i = 0; i < 3; i++) {
        golden g = {.write = all[i]};
        segment *s;
        pm_error err;
        struct check_sink sink = {.finding = print_finding};
        golden_load(&g);
        assert_int_equal(segment_open(&s, &where, "golden.seg", golden_uuid, g.made.size,
                                      g.made.footer_crc, &err),
                         PM_OK);
        assert_int_equal(segment_check(s, true, &sink, &err), PM_OK);
        segment_close(s);
        buf_free(&g.bytes);
    }
}

/* ---- patches ---- */

typedef struct mutation {
    buf bytes;
    bool as_is, patched;
} mutation;

static void patch_line(void *ctx, uint64_t off, const uint8_t *bytes, size_t n)
{
    mutation *m = ctx;
    assert_true(n > 0 && off + n <= m->bytes.len);
    assert_true(memcmp(m->bytes.data + off, bytes, n) != 0); /* a patch changes something   */
    memcpy(m->bytes.data + off, bytes, n);
    m->patched = true;
}

/* ---- accepted -------------------------------------------------------------------------------- */

typedef struct list_copy {
    uint32_t n, docs[64], tfs[64], positions[256], n_positions;
} list_copy;

static void copy_list(segment *s, const char *key, list_copy *out)
{
    term_entry entry;
    cursor c;
    *out = (list_copy){0};
    assert_true(dict_find(s, key, strlen(key), &entry));
    cursor_open(&c, s, &entry);
    while (cursor_next(&c) != CURSOR_END) {
        out->docs[out->n] = c.doc;
        out->tfs[out->n++] = cursor_tf(&c);
        out->n_positions += cursor_positions(&c, out->positions + out->n_positions, 16);
    }
    /* Every document is found by a seek of its own, too. */
    for (uint32_t i = 0; i < out->n; i++) {
        cursor_open(&c, s, &entry);
        assert_int_equal(cursor_seek(&c, out->docs[i]), out->docs[i]);
        assert_int_equal(c.rank, i);
    }
}

static segment *open_bytes(const buf *bytes)
{
    segment *s;
    pm_error err;
    uint32_t crc = load_u32(bytes->data + bytes->len - 4);
    folder_empty(folder);
    folder_write(folder, "golden.seg", bytes->data, bytes->len);
    if (segment_open(&s, &where, "golden.seg", golden_uuid, bytes->len, crc, &err) != PM_OK)
        fail_msg("%s", err.message);
    return s;
}

static void short_blocks_are_read(void **state)
{
    (void)state;
    static list_copy want, have;
    golden g = {.write = golden_lists};
    struct check_sink sink = {.finding = print_finding};
    golden_load(&g);
    segment *s = open_bytes(&g.bytes);
    copy_list(s, "some", &want);
    segment_close(s);
    mutation m = {.bytes = g.bytes};
    byte_lines("tests/golden/short-blocks.txt", false, patch_line, &m);
    reseal_segment(m.bytes.data, m.bytes.len);
    s = open_bytes(&m.bytes);
    copy_list(s, "some", &have);
    assert_int_equal(want.n, 12);
    assert_int_equal(want.n_positions, 24);
    assert_memory_equal(&want, &have, sizeof want);
    assert_int_equal(segment_check(s, true, &sink, NULL), PM_OK);
    segment_close(s);
    buf_free(&g.bytes);
}

/* ---- refused ---- */

/* The rest of the first line that begins so; false when there is none. */
static bool find_line(const char *path, const char *head, char rest[FINDING_BYTES])
{
    char line[1024];
    bool found = false;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (!found && fgets(line, sizeof line, f)) found = !strncmp(line, head, strlen(head));
    fclose(f);
    if (!found) return false;
    line[strcspn(line, "\n")] = 0;
    snprintf(rest, FINDING_BYTES, "%.299s", line + strlen(head));
    return true;
}

/* What is said of it first: by the one who opens it, or by the deep check. */
static pm_status open_and_check(const buf *bytes, char said[FINDING_BYTES], pm_error *err)
{
    segment *s;
    struct check_sink sink = {.finding = print_finding, .ctx = said};
    folder_empty(folder);
    folder_write(folder, "refused.seg", bytes->data, bytes->len);
    uint32_t crc = load_u32(bytes->data + bytes->len - 4);
    pm_status st = segment_open(&s, &where, "refused.seg", golden_uuid, bytes->len, crc, err);
    if (st != PM_OK) {
        const char *from = err->message + strlen(folder) + 1, *end = strstr(from, "; run");
        snprintf(said, FINDING_BYTES, "%.*s", (int)(end - from), from);
        return st;
    }
    st = segment_check(s, true, &sink, err);
    segment_close(s);
    return st;
}

static void compare_said(const char *path, const char *said)
{
    char wanted[FINDING_BYTES] = "";
    find_line(path, "finds ", wanted);
    if (strcmp(wanted, said) != 0) fail_msg("%s: finds %s", path, said);
}

static pm_status refuse_one(void *ctx, const char *name, pm_error *err)
{
    char path[FOLDER_PATH], said[FINDING_BYTES] = "", rest[FINDING_BYTES];
    snprintf(path, sizeof path, "tests/golden/refused/%s", name);
    golden g = {.write = find_line(path, "on lists", rest)   ? golden_lists
                         : find_line(path, "on marks", rest) ? golden_marks
                                                             : golden_tiny};
    golden_load(&g);
    mutation m = {.bytes = g.bytes};
    byte_lines(path, false, patch_line, &m);
    assert_true(m.patched);
    if (!find_line(path, "as is", rest)) reseal_segment(m.bytes.data, m.bytes.len);
    pm_status st = open_and_check(&m.bytes, said, err);
    if (st != PM_CORRUPT) fail_msg("%s: %s", path, pm_status_name(st));
    print_message("%s: finds %s\n", name, said);
    if (!getenv("PM_GOLDEN")) compare_said(path, said);
    buf_free(&m.bytes);
    ++*(unsigned *)ctx;
    return PM_OK;
}

static void mutations_are_refused(void **state)
{
    (void)state;
    unsigned n = 0;
    pm_error err;
    assert_int_equal(file_each("tests/golden/refused", refuse_one, &n, &err), PM_OK);
    assert_true(n >= 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiny_is_as_ever),           cmocka_unit_test(lists_are_as_ever),
        cmocka_unit_test(marks_are_as_ever),         cmocka_unit_test(format_example_is_true),
        cmocka_unit_test(golden_segments_are_sound), cmocka_unit_test(short_blocks_are_read),
        cmocka_unit_test(mutations_are_refused),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
