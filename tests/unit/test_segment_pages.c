/* SPDX-License-Identifier: MIT
 * test_segment_pages.c - bytes of a segment are given out when their page is sound: the first and
 * last byte there are, one byte, none, and more than there are; a page whose sum is in another
 * piece of the page table; what is said of it, and what is said afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/layout.h"
#include "common/segment/store.h"
#include "indexer/segment_writer.h"
#include "tests/support/open_folder.h"
#include "tests/support/reseal.h"

enum { PAGE = SEGMENT_PAGE_MAX >> SEGMENT_PAGE_SHIFT, SUMS = PAGE / 4 };

static const char name[] = "1-00000001.seg";
static const uint8_t uuid[17] = {7};
static manifest_segment made;

/* A segment with more pages than a piece of the page table has sums: noise that is only stored. */
static void make(void)
{
    enum { DOCS = 9, TEXT = 512 << 10 };
    segment_writer_config config = {.k1 = 1.2,
                                    .b = 0.75,
                                    .block_size = 8,
                                    .dense_shift = 5,
                                    .store_block_bytes = 20000,
                                    .has_text = true};
    segment_writer *w;
    uint64_t seed = 4;
    buf record = {0};
    pm_error err;
    char *text = mem_alloc(TEXT);
    assert_non_null(text);
    memcpy(config.uuid, uuid, sizeof config.uuid);
    assert_int_equal(segment_writer_begin(&w, &where, name, &config, &err), PM_OK);
    for (uint32_t i = 0; i < DOCS; i++) {
        char id[] = {(char)('a' + i), 0};
        for (size_t k = 0; k < TEXT; k++) text[k] = (char)random_next(&seed);
        pm_article article = {.id = {id, 1}, .text = {text, TEXT}};
        buf_reset(&record);
        store_encode(&record, &article, true);
        segment_doc doc = {id, 1, 0, i, INT64_MIN, {record.data, record.len}, 0};
        segment_writer_doc(w, &doc);
    }
    segment_writer_docs_done(w);
    if (segment_writer_finish(w, false, &made, &err) != PM_OK) fail_msg("%s", err.message);
    buf_free(&record);
    mem_free(text);
}

static segment *open_made(void)
{
    segment *s;
    pm_error err;
    if (segment_open(&s, &where, name, uuid, made.size, made.footer_crc, &err) != PM_OK)
        fail_msg("%s", err.message);
    return s;
}

static int set_up(void **state)
{
    if (open_folder(state)) return -1;
    make();
    return 0;
}

/* The byte at `at` becomes another one, or what it was. */
static void flip(uint64_t at)
{
    uint8_t byte;
    int fd = folder_open(folder, name);
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    close(fd);
}

static void expect_damage(const segment *s, uint64_t off, const char *what)
{
    pm_error err;
    assert_int_equal(segment_status(s, &err), PM_CORRUPT);
    assert_int_equal(err.offset, off);
    if (!strstr(err.message, what)) fail_msg("%s", err.message);
}

static void bounds(void **state)
{
    (void)state;
    segment *s = open_made();
    uint64_t end = s->page_table_off;
    assert_true(s->n_pages > SUMS + 2);
    assert_true(segment_touch(s, 0, 1) && segment_touch(s, end - 1, 1) && segment_touch(s, 0, end));
    assert_true(segment_touch(s, 0, 0) && segment_touch(s, end, 0) &&
                segment_touch(s, UINT64_MAX, 0));
    assert_int_equal(segment_status(s, NULL), PM_OK);
    segment_close(s);
    const struct {
        uint64_t off, len;
    } beyond[] = {{end, 1},     {end - 1, 2}, {0, end + 1},    {UINT64_MAX, 1},
                  {end + 1, 1}, {end, end},   {1, UINT64_MAX}, {end + 7, 0 - end}};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        s = open_made();
        assert_false(segment_touch(s, beyond[i].off, beyond[i].len));
        expect_damage(s, beyond[i].off, "leads out of the sections");
        segment_close(s);
    }
}

/* One page is bad: its bytes are not given out, one or all of them, nor is anything that was not
 * known before; all else is. */
static void bad_pages(void **state)
{
    (void)state;
    segment *s = open_made();
    uint64_t n = s->n_pages, end = s->page_table_off;
    segment_close(s);
    const uint64_t pages[] = {0, 1, SUMS - 1, SUMS, SUMS + 1, n - 2, n - 1};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        uint64_t page = pages[i], start = page * PAGE,
                 len = end - start < PAGE ? end - start : PAGE;
        uint64_t other = page / SUMS * SUMS + 5; /* whose sum is in the same piece of the table   */
        uint64_t at = start ? start : LAYOUT_HEADER_BYTES; /* the header has a sum of its own */
        flip(at);
        s = open_made();
        assert_true(segment_touch(s, other * PAGE, 1) && segment_touched(s, other * PAGE, PAGE));
        assert_true(!start || segment_touch(s, start - 1, 1));
        assert_true(start + len == end || segment_touch(s, start + len, 1));
        assert_false(segment_touch(s, at, 1));
        expect_damage(s, start, "checksum of the page");
        assert_false(segment_touch(s, start + len - 1, 1) || segment_touched(s, start, len));
        assert_false(segment_touch(s, (other + 1) * PAGE, 1));
        assert_true(segment_touch(s, other * PAGE, 1));
        expect_damage(s, start, "checksum of the page");
        segment_close(s);
        s = open_made(); /* amid others */
        assert_false(segment_touch(s, start ? start - 1 : 0, start ? len + 1 : len));
        segment_close(s);
        flip(at);
    }
}

/* A piece of the page table is bad: pages whose sums are there are not believed. */
static void bad_pieces(void **state)
{
    (void)state;
    segment *s = open_made();
    uint64_t table = s->page_table_off;
    segment_close(s);
    for (uint64_t piece = 0; piece < 2; piece++) {
        uint64_t in = piece * SUMS + 1, out = (1 - piece) * SUMS + 1;
        flip(table + 4 * (in + 1)); /* the sum of the page behind */
        s = open_made();
        assert_true(segment_touch(s, out * PAGE, 1));
        assert_false(segment_touch(s, in * PAGE, 1));
        expect_damage(s, table + piece * PAGE, "page table");
        segment_close(s);
        flip(table + 4 * (in + 1));
    }
}

/* All of a section, its last byte, and what is not in it. */
static void slices(void **state)
{
    (void)state;
    segment *s = open_made();
    const section ids = s->info.sections[SECTION_IDS];
    slice out;
    assert_true(segment_slice(s, SECTION_IDS, 0, ids.len, &out));
    assert_true(out.data == s->file.data + ids.off && out.len == ids.len);
    assert_true(segment_slice(s, SECTION_IDS, ids.len - 1, 1, &out) && out.len == 1);
    assert_true(segment_slice(s, SECTION_IDS, ids.len, 0, &out) && out.len == 0);
    segment_close(s);
    const struct {
        uint64_t off, len;
    } beyond[] = {{0, ids.len + 1}, {ids.len - 1, 2}, {ids.len, 1},    {ids.len + 1, 0},
                  {1, ids.len},     {1, UINT64_MAX},  {7, 0 - ids.len}};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        s = open_made();
        out = (slice){s->file.data, 1};
        assert_false(segment_slice(s, SECTION_IDS, beyond[i].off, beyond[i].len, &out));
        assert_true(!out.data && !out.len);
        expect_damage(s, ids.off + beyond[i].off, "leads out of the section");
        segment_close(s);
    }
    flip(ids.off);
    s = open_made();
    out = (slice){s->file.data, 1};
    assert_false(segment_slice(s, SECTION_IDS, 0, 1, &out));
    assert_true(!out.data && !out.len);
    segment_close(s);
    flip(ids.off);
}

/* Its bytes are what they were, but the manifest says otherwise; or it is cut, and the manifest
 * agrees. */
static void other_sizes(void **state)
{
    (void)state;
    static const uint64_t ends = LAYOUT_HEADER_BYTES + LAYOUT_FOOTER_BYTES;
    const uint64_t told[] = {0, 1, ends - 1, ends, made.size - 1, made.size + 1, made.size + PAGE};
    segment *s;
    pm_error err;
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        s = (segment *)&made;
        assert_int_equal(segment_open(&s, &where, name, uuid, told[i], made.footer_crc, &err),
                         PM_CORRUPT);
        assert_non_null(strstr(err.message, "its size is not what the manifest says"));
        assert_int_equal(err.offset, made.size);
        assert_null(s);
    }
    folder_image image;
    folder_load(folder, &image);
    const uint64_t cut[] = {0, 1, LAYOUT_HEADER_BYTES, ends - 1, ends, made.size - 1};
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        folder_write(folder, name, image.files[0].data, cut[i]);
        assert_int_equal(segment_open(&s, &where, name, uuid, cut[i], made.footer_crc, &err),
                         PM_CORRUPT);
        if (cut[i] < ends) assert_non_null(strstr(err.message, "its size is not"));
        assert_int_equal(segment_open(&s, &where, name, uuid, made.size, made.footer_crc, &err),
                         PM_CORRUPT);
        assert_non_null(strstr(err.message, "its size is not"));
    }
    folder_image_free(&image);
}

/* Header and footer are of this index, and so is the manifest. */
static void other_index(void **state)
{
    (void)state;
    uint32_t crc;
    segment *s;
    pm_error err;
    const uint64_t places[] = {16, made.size - LAYOUT_FOOTER_BYTES};
    for (size_t i = 0; i < 2; i++) {
        reseal_changed(folder, name, places[i], 1, &crc);
        assert_int_equal(segment_open(&s, &where, name, uuid, made.size, crc, &err), PM_CORRUPT);
        assert_non_null(strstr(err.message, "belongs to another index"));
        reseal_changed(folder, name, places[i], 1, &crc);
    }
    assert_int_equal(crc, made.footer_crc);
    assert_int_equal(segment_open(&s, &where, name, uuid + 1, made.size, crc, &err), PM_CORRUPT);
    assert_non_null(strstr(err.message, "belongs to another index"));
}

static void nothing_stays_mapped(void **state)
{
    (void)state;
    segment *s = open_made();
    assert_int_equal(folder_maps(folder), 1);
    segment_close(s);
    assert_int_equal(folder_maps(folder), 0);
    assert_int_equal(segment_open(&s, &where, name, uuid, made.size, made.footer_crc + 1, NULL),
                     PM_CORRUPT);
    assert_int_equal(folder_maps(folder), 0);
    segment_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds),      cmocka_unit_test(bad_pages),
        cmocka_unit_test(bad_pieces),  cmocka_unit_test(slices),
        cmocka_unit_test(other_index), cmocka_unit_test(nothing_stays_mapped),
        cmocka_unit_test(other_sizes),
    };
    return cmocka_run_group_tests(tests, set_up, close_folder);
}
