/* SPDX-License-Identifier: MIT
 * test_store.c - stored articles: every field comes back, unknown fields are skipped, damaged
 * records are refused at every byte, blocks cut where they should, with a thread beside the writer
 * and without, and a raw block that is copied from segment to segment reads the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <malloc.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/layout.h"
#include "common/segment/store.h"
#include "indexer/segment_writer_store.h"
#include "tests/support/open_folder.h"

static const uint8_t uuid[16] = {0};

static pm_text text(const char *s)
{
    return (pm_text){s, strlen(s)};
}

static bool same(pm_text a, pm_text b)
{
    return a.len == b.len && !memcmp(a.data, b.data, a.len);
}

/* ---- records ------------------------------------------------------------------------------ */

static pm_article full_article(void)
{
    return (pm_article){.id = text("an id"),
                        .title = text("A title"),
                        .text = text("Some text. A title."),
                        .date = text("2025-09-19"),
                        .url = text("https://example.org/"),
                        .source = text("source"),
                        .author = text("author"),
                        .tags = text("a\x1f"
                                     "b"),
                        .lang = text("en"),
                        .extra = text("{\"k\":1}"),
                        .title_in_body = true,
                        .title_start = 11,
                        .title_end = 18,
                        .file_size = 1u << 20,
                        .file_mtime_ns = -5,
                        .file_hash = UINT64_MAX,
                        .file_folder = 3,
                        .file_lines = UINT64_MAX - 1,
                        .file_path = text("/in/a.txt"),
                        .file_text_start = 300,
                        .file_text_len = 70000};
}

static void every_field_comes_back(void **state)
{
    (void)state;
    pm_article in = full_article(), out;
    buf record = {0};
    store_encode(&record, &in, true);
    assert_int_equal(store_decode(buf_slice(&record), &out, NULL), PM_OK);
    assert_true(same(in.id, out.id) && same(in.title, out.title) && same(in.text, out.text) &&
                same(in.date, out.date));
    assert_true(same(in.url, out.url) && same(in.source, out.source) &&
                same(in.author, out.author));
    assert_true(same(in.tags, out.tags) && same(in.lang, out.lang) && same(in.extra, out.extra));
    assert_true(out.title_in_body && out.title_start == 11 && out.title_end == 18);
    assert_true(out.file_size == in.file_size && out.file_mtime_ns == -5 &&
                out.file_hash == UINT64_MAX);
    assert_true(out.file_folder == 3 && out.file_lines == UINT64_MAX - 1);
    store_source source;
    store_decode_source(buf_slice(&record), &source);
    assert_int_equal(source.path.len, 0); /* the text is in the record */
    buf_free(&record);
}

static void text_is_left_out(void **state)
{
    (void)state;
    pm_article in = full_article(), out;
    buf record = {0};
    store_encode(&record, &in, false);
    assert_int_equal(store_decode(buf_slice(&record), &out, NULL), PM_OK);
    assert_true(out.text.len == 0 && !out.title_in_body && same(in.title, out.title));
    buf_free(&record);
}

static void the_source_comes_back(void **state)
{
    (void)state;
    pm_article in = full_article();
    store_source source;
    buf record = {0};
    store_encode(&record, &in, false);
    store_decode_source(buf_slice(&record), &source);
    assert_true(same(source.path, in.file_path) && source.start == 300 && source.len == 70000);
    assert_true(source.file_size == in.file_size && source.file_mtime_ns == -5);
    assert_true(source.title_in_body && source.title_start == 11 && source.title_end == 18);
    in.title_in_body = false;
    buf_reset(&record);
    store_encode(&record, &in, false);
    store_decode_source(buf_slice(&record), &source);
    assert_true(same(source.path, in.file_path) && !source.title_in_body);
    in.file_path = text("a\0b"); /* no path of a system */
    in.file_path.len = 3;
    buf_reset(&record);
    store_encode(&record, &in, false);
    store_decode_source(buf_slice(&record), &source);
    assert_int_equal(source.path.len, 0);
    buf_free(&record);
}

static void unknown_fields_are_skipped(void **state)
{
    (void)state;
    static const uint8_t later[] = {0x7f, 2, 'h', 'i', 1, 1, 'x', 0xff, 0x01, 1, 0};
    pm_article out;
    assert_int_equal(store_decode((slice){later, sizeof later}, &out, NULL), PM_OK);
    assert_true(same(out.id, text("x")) && out.title.len == 0 && out.title.data);
}

static void bad_records_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"", 0},                          /* no id                                              */
        {"\x02\x01x", 3},                 /* no id                                              */
        {"\x01\x00", 2},                  /* an empty field                                     */
        {"\x01\x05xy", 4},                /* longer than the record                             */
        {"\x00\x01x\x01\x01x", 6},        /* tag 0                                              */
        {"\x01\x01x\x0b\x02\x00\x05", 7}, /* a span beyond the text                        */
        {"\x01\x01x\x03\x02"
         "ab\x0b\x02\x02\x01",
         11}, /* a span that ends before it starts    */
        {"\x01\x01x\x0c\x03"
         "abc",
         8}, /* provenance cut off                                 */
        {"\x01\x01x\x0f\x04\x00\x00\x05\x04", 9}, /* of a file's title: the same         */
        {"\x01\x01x\x0f\x03\x00\x00\x05", 8},     /* which ends nowhere                   */
        {"\x01\x01x\x0f\x03\x00\x00\x80", 8},     /* nor begins                           */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pm_article out;
        pm_error err;
        assert_int_equal(
            store_decode((slice){(const uint8_t *)bad[i].bytes, bad[i].len}, &out, &err),
            PM_CORRUPT);
    }
}

/* Every cut and every changed byte: a decoded article's texts lie inside the record. */
static void any_bytes_are_defined(void **state)
{
    (void)state;
    pm_article in = full_article(), out;
    buf record = {0};
    store_encode(&record, &in, true);
    for (size_t len = 0; len < record.len; len++) {
        uint8_t *cut = malloc(len ? len : 1);
        assert_non_null(cut);
        memcpy(cut, record.data, len);
        pm_status st = store_decode((slice){cut, len}, &out, NULL);
        assert_true(st == PM_CORRUPT || (st == PM_OK && same(out.id, in.id)));
        free(cut);
    }
    for (size_t at = 0; at < record.len; at++)
        for (unsigned flip = 1; flip < 256; flip <<= 1) {
            record.data[at] ^= (uint8_t)flip;
            if (store_decode(buf_slice(&record), &out, NULL) == PM_OK)
                assert_true(out.title_end <= out.text.len && out.title_start <= out.title_end);
            record.data[at] ^= (uint8_t)flip;
        }
    buf_free(&record);
}

/* ---- blocks ------------------------------------------------------------------------------- */

enum { N_DOCS = 60 };

static size_t text_len(uint32_t doc)
{
    return doc == 30 ? 200000 : doc % 7 * 40;
}

static void make_article(uint32_t doc, char *id, char *body, pm_article *out)
{
    uint64_t random = doc;
    sprintf(id, "id%u", doc);
    for (size_t i = 0; i < text_len(doc); i++) body[i] = (char)('a' + random_next(&random) % 16);
    *out = (pm_article){.id = text(id), .text = {body, text_len(doc)}};
}

static segment_writer *begin(const char *name)
{
    segment_writer_config config = {.k1 = 1.2,
                                    .b = 0.75,
                                    .block_size = 8,
                                    .dense_shift = 5,
                                    .store_block_bytes = 600,
                                    .deflate_level = 6,
                                    .has_text = true};
    segment_writer *w;
    pm_error err;
    assert_int_equal(segment_writer_begin(&w, &where, name, &config, &err), PM_OK);
    return w;
}

static segment *finish(segment_writer *w)
{
    manifest_segment made;
    segment *s;
    pm_error err;
    segment_writer_docs_done(w);
    if (segment_writer_finish(w, false, &made, &err) != PM_OK) fail_msg("%s", err.message);
    assert_int_equal(segment_open(&s, &where, made.name, uuid, made.size, made.footer_crc, &err),
                     PM_OK);
    return s;
}

static segment *make(const char *name)
{
    static char id[16], body[200000];
    segment_writer *w = begin(name);
    buf record = {0};
    for (uint32_t i = 0; i < N_DOCS; i++) {
        pm_article article;
        make_article(i, id, body, &article);
        buf_reset(&record);
        store_encode(&record, &article, true);
        segment_doc doc = {id, strlen(id), 0, i, INT64_MIN, buf_slice(&record), 0};
        segment_writer_doc(w, &doc);
    }
    buf_free(&record);
    return finish(w);
}

static void compare(segment *s, uint32_t doc, store_cache *cache)
{
    static char id[16], body[200000];
    pm_article want, got;
    slice record;
    pm_error err;
    make_article(doc, id, body, &want);
    if (store_get(cache, s, doc, &record, &err) != PM_OK) fail_msg("%s", err.message);
    assert_int_equal(store_decode(record, &got, &err), PM_OK);
    assert_true(same(got.id, want.id) && same(got.text, want.text));
}

static void blocks_hold_what_fits(void **state)
{
    (void)state;
    folder_empty(folder);
    segment *s = make("1-00000001.seg");
    store_cache cache = {0};
    uint64_t random = 41;
    for (uint32_t i = 0; i < N_DOCS; i++) compare(s, i, &cache);
    for (uint32_t i = 0; i < 200; i++)
        compare(s, (uint32_t)(random_next(&random) % N_DOCS), &cache);
    for (uint32_t b = 0; b < store_block_count(s); b++) {
        uint32_t first, n, raw_len;
        slice deflated;
        assert_true(store_block_raw(s, b, &first, &n, &raw_len, &deflated));
        assert_true(raw_len <= 700 || n == 1); /* a record that is larger has its own block      */
    }
    assert_true(store_block_count(s) > 10);
    store_cache_free(&cache);
    segment_close(s);
}

/* Every second block is copied as it is, the others record by record. */
static void raw_blocks_are_copied(void **state)
{
    (void)state;
    folder_empty(folder);
    segment *from = make("1-00000001.seg");
    segment_writer *w = begin("2-00000002.seg");
    store_cache cache = {0};
    for (uint32_t b = 0; b < store_block_count(from); b++) {
        uint32_t first, n, raw_len;
        slice deflated;
        assert_true(store_block_raw(from, b, &first, &n, &raw_len, &deflated));
        if (b % 2) segment_writer_raw_block(w, n, raw_len, deflated);
        for (uint32_t i = first; i < first + n; i++) {
            slice id = segment_id(from, i, (uint8_t[SEGMENT_ID_ROOM]){0}), record = {NULL, 0};
            if (b % 2 == 0) assert_int_equal(store_get(&cache, from, i, &record, NULL), PM_OK);
            segment_doc doc = {(const char *)id.data, id.len, 0, i, INT64_MIN, record, 0};
            segment_writer_doc(w, &doc);
        }
    }
    segment *s = finish(w);
    for (uint32_t i = 0; i < N_DOCS; i++) compare(s, i, &cache);
    store_cache_free(&cache);
    segment_close(s);
    segment_close(from);
}

/* ---- records of every size, with a thread beside and without
 * ----------------------------------------- */

enum { MIB = 1 << 20, ROOM = MIB + MIB / 4, MANY = 40 };

/* Around a block's 600 bytes, and around the mebibyte from which on a record goes by itself: behind
 * others, several in a row, last of all. */
static const size_t sizes[] = {MIB + 3, MIB + 1, 1,       599, 1,    600, 601,       1,
                               200,     200,     200,     200, 201,  200, MIB - 700, 300,
                               MIB,     2,       MIB + 2, 299, 4000, ROOM};
enum { N_SIZES = sizeof sizes / sizeof *sizes, N_RECORDS = N_SIZES + MANY, N_SOME = MANY + 3 };

static size_t record_len(uint32_t doc)
{
    return doc < MANY ? 100 + doc * 37 % 300 : sizes[doc - MANY];
}

static void make_record(uint32_t doc, uint8_t *out)
{
    size_t len = record_len(doc);
    memset(out, (int)('a' + doc % 26), len);
    for (size_t at = 0; at < len; at += 5000) out[at] = (uint8_t)(doc + at / 5000);
}

/* What is in use of the heap; nothing where a sanitizer has its own. */
static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* A record is borrowed for the call alone: what stood in its place is overwritten. */
static void put_records(segment_writer *w, uint32_t n, uint8_t *room, bool measured)
{
    char id[16];
    for (uint32_t i = 0; i < n; i++) {
        size_t before = in_use();
        sprintf(id, "id%u", i);
        make_record(i, room);
        segment_doc doc = {id, strlen(id), 0, i, INT64_MIN, {room, record_len(i)}, 0};
        segment_writer_doc(w, &doc);
        memset(room, 'z', record_len(i));
        if (measured && record_len(i) > MIB) assert_true(in_use() < before + MIB / 2);
    }
}

static pm_status write_records(uint32_t n, uint32_t block_bytes, bool beside, bool measured,
                               manifest_segment *made, pm_error *err)
{
    static uint8_t room[ROOM];
    segment_writer_config config = {.k1 = 1.2,
                                    .b = 0.75,
                                    .block_size = 8,
                                    .dense_shift = 5,
                                    .store_block_bytes = block_bytes,
                                    .deflate_level = 1,
                                    .has_text = true};
    segment_writer *w;
    folder_empty(folder);
    pm_status st = segment_writer_begin(&w, &where, "1-00000001.seg", &config, err);
    if (st != PM_OK) return st;
    if (beside) segment_writer_deflate_beside(w);
    put_records(w, n, room, measured);
    segment_writer_docs_done(w);
    return segment_writer_finish(w, false, made, err);
}

/* A block ends before the record that it has no room for, and behind the one that fills it. */
static void compare_blocks(segment *s, uint32_t n_docs, uint32_t block_bytes)
{
    uint32_t first, n, raw_len, doc = 0, b = 0;
    slice deflated;
    for (; doc < n_docs; b++) {
        uint32_t begin = doc, lengths = 0;
        size_t len = 0;
        do {
            len += record_len(doc);
            lengths += record_len(doc) < 128 ? 1 : record_len(doc) < 1 << 14 ? 2 : 3; /* varints */
            doc++;
        } while (len < block_bytes && doc < n_docs && len + record_len(doc) <= block_bytes);
        assert_true(store_block_raw(s, b, &first, &n, &raw_len, &deflated));
        assert_int_equal(first, begin);
        assert_int_equal(n, doc - begin);
        assert_int_equal(raw_len, len + lengths);
    }
    assert_int_equal(store_block_count(s), b);
}

static void compare_records(const manifest_segment *made, uint32_t block_bytes)
{
    static uint8_t want[ROOM];
    segment *s;
    store_cache cache = {0};
    pm_error err;
    assert_int_equal(segment_open(&s, &where, made->name, uuid, made->size, made->footer_crc, &err),
                     PM_OK);
    for (uint32_t i = 0; i < made->n_docs; i++) {
        slice got;
        make_record(i, want);
        if (store_get(&cache, s, i, &got, &err) != PM_OK) fail_msg("%s", err.message);
        assert_int_equal(got.len, record_len(i));
        assert_memory_equal(got.data, want, got.len);
    }
    compare_blocks(s, made->n_docs, block_bytes);
    store_cache_free(&cache);
    segment_close(s);
}

/* INV-5: whether a thread deflates beside the writer is not to be seen.  And memory for a large
 * record goes when the record is written. */
static void a_thread_beside_changes_no_byte(void **state)
{
    (void)state;
    static const uint32_t blocks[] = {600, 3000, MIB + MIB / 2};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        folder_image alone, beside;
        manifest_segment made;
        pm_error err;
        bool measured = blocks[i] < MIB; /* else a block holds what is not written yet        */
        assert_int_equal(write_records(N_RECORDS, blocks[i], false, measured, &made, &err), PM_OK);
        compare_records(&made, blocks[i]);
        folder_load(folder, &alone);
        assert_int_equal(write_records(N_RECORDS, blocks[i], true, measured, &made, &err), PM_OK);
        compare_records(&made, blocks[i]);
        folder_load(folder, &beside);
        assert_true(alone.n == 1 && beside.n == 1);
        assert_int_equal(alone.files[0].len, beside.files[0].len);
        assert_memory_equal(alone.files[0].data, beside.files[0].data, alone.files[0].len);
        folder_image_free(&alone);
        folder_image_free(&beside);
    }
}

/* Out of memory, or all of it: each allocation refused, of the thread beside and its rings, too. */
static void writing_survives_refused_memory(void **state)
{
    (void)state;
    for (unsigned beside = 0; beside < 2; beside++) {
        uint64_t n = 1, refused = 0;
        for (bool done = false; !done; n++) {
            manifest_segment made;
            pm_error err;
            mem_fail_at(n, false);
            pm_status st = write_records(N_SOME, 600, beside, false, &made, &err);
            done = mem_count() < n;
            mem_fail_at(0, false);
            if (st == PM_OK)
                compare_records(&made, 600);
            else
                assert_int_equal(st, PM_NOMEM);
            if (done) assert_int_equal(st, PM_OK);
            refused += st != PM_OK;
        }
        /* without a thread the writer goes on alone */
        assert_true(beside ? refused + 1 < n : refused + 2 == n);
    }
}

/* ---- what a caller must not do
 * ----------------------------------------------------------------------- */

static void refused_as_usage(segment_writer *w)
{
    manifest_segment made;
    pm_error err;
    segment_writer_docs_done(w);
    assert_int_equal(segment_writer_finish(w, false, &made, &err), PM_USAGE);
}

static void impossible_records_are_refused(void **state)
{
    (void)state;
    uint8_t *room = calloc(1, STORE_RECORD_MAX + 1);
    assert_non_null(room);
    folder_empty(folder);
    for (unsigned i = 0; i < 2; i++) {
        segment_writer *w = begin("1-00000001.seg");
        segment_doc doc = {"x", 1, 0, 0, INT64_MIN, {room, i ? STORE_RECORD_MAX + 1 : 0}, 0};
        segment_writer_doc(w, &doc);
        refused_as_usage(w);
    }
    segment_writer *w = begin("1-00000001.seg");
    segment_doc largest = {"x", 1, 0, 0, INT64_MIN, {room, STORE_RECORD_MAX}, 0};
    segment_writer_doc(w, &largest);
    segment *s = finish(w);
    store_cache cache = {0};
    slice got;
    assert_int_equal(store_get(&cache, s, 0, &got, NULL), PM_OK);
    assert_int_equal(got.len, STORE_RECORD_MAX);
    assert_memory_equal(got.data, room, got.len);
    store_cache_free(&cache);
    segment_close(s);
    free(room);
}

static void impossible_raw_blocks_are_refused(void **state)
{
    (void)state;
    static const uint8_t some[4] = {0};
    static const struct {
        uint32_t n_docs, raw_len;
        slice deflated;
    } bad[] = {{0, 4, {some, 4}}, {1, 4, {some, 0}}, {1, STORE_RAW_MAX + 1, {some, 4}}};
    folder_empty(folder);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        segment_writer *w = begin("1-00000001.seg");
        segment_writer_raw_block(w, bad[i].n_docs, bad[i].raw_len, bad[i].deflated);
        segment_doc doc = {"x", 1, 0, 0, INT64_MIN, {some, bad[i].n_docs ? 0 : 1}, 0};
        segment_writer_doc(w, &doc);
        refused_as_usage(w);
    }
    segment_writer *w = begin("1-00000001.seg");
    segment_writer_raw_block(w, 1, STORE_RAW_MAX, (slice){some, 4}); /* what a reader takes  */
    assert_false(segment_writer_failed(w));
    segment_writer_abandon(w);
}

static void missing_documents_are_refused(void **state)
{
    (void)state;
    folder_empty(folder);
    segment *from = make("1-00000001.seg");
    segment_writer *w = begin("2-00000002.seg");
    uint32_t first, n, raw_len;
    slice deflated;
    manifest_segment made;
    pm_error err;
    assert_true(store_block_raw(from, 0, &first, &n, &raw_len, &deflated));
    segment_writer_raw_block(w, n + 1, raw_len, deflated);
    segment_doc doc = {"x", 1, 0, 0, INT64_MIN, {NULL, 0}, 0};
    for (uint32_t i = 0; i < n; i++) segment_writer_doc(w, &doc);
    segment_writer_docs_done(w);
    assert_int_equal(segment_writer_finish(w, false, &made, &err), PM_USAGE);
    segment_close(from);
}

static void reading_survives_refused_memory(void **state)
{
    (void)state;
    folder_empty(folder);
    segment *s = make("1-00000001.seg");
    for (uint64_t n = 1;; n++) {
        store_cache cache = {0};
        slice record;
        pm_error err;
        mem_fail_at(n, false);
        pm_status st = store_get(&cache, s, 30, &record, &err);
        bool done = mem_count() < n;
        mem_fail_at(0, false);
        store_cache_free(&cache);
        assert_int_equal(st, done ? PM_OK : PM_NOMEM);
        if (done) break;
    }
    assert_int_equal(segment_status(s, NULL), PM_OK);
    segment_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(text_is_left_out),
        cmocka_unit_test(the_source_comes_back),
        cmocka_unit_test(unknown_fields_are_skipped),
        cmocka_unit_test(bad_records_are_refused),
        cmocka_unit_test(any_bytes_are_defined),
        cmocka_unit_test(blocks_hold_what_fits),
        cmocka_unit_test(raw_blocks_are_copied),
        cmocka_unit_test(a_thread_beside_changes_no_byte),
        cmocka_unit_test(writing_survives_refused_memory),
        cmocka_unit_test(impossible_records_are_refused),
        cmocka_unit_test(impossible_raw_blocks_are_refused),
        cmocka_unit_test(missing_documents_are_refused),
        cmocka_unit_test(reading_survives_refused_memory),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
