/* SPDX-License-Identifier: MIT
 * test_records.c - stored records and blocks byte by byte (FORMAT.md, "Stored records"): which
 * fields are written, which may be read; blocks and directories that say too little or too much.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "common/base/mem.h"
#include "common/segment/layout.h"
#include "common/segment/store.h"
#include "tests/support/bare_segment.h"

/* ---- records ------------------------------------------------------------------------------ */

/* The field of a record; data is NULL when there is none. */
static slice field_of(const buf *record, uint64_t wanted)
{
    reader r = reader_of(buf_slice(record));
    while (reader_left(&r)) {
        uint64_t tag = read_varint(&r);
        slice field = read_slice(&r, read_varint(&r));
        assert_false(r.bad);
        if (tag == wanted) return field;
    }
    return (slice){NULL, 0};
}

/* Every set of the numbers that say where an article came from: a field is there when one of its
 * numbers is not 0, and brings all of them back. */
static void numbers(void **state)
{
    (void)state;
    for (unsigned set = 0; set < 32; set++) {
        pm_article in = {.id = {"x", 1}}, out;
        buf record = {0};
        if (set & 1) in.file_size = 300;
        if (set & 2) in.file_mtime_ns = -7;
        if (set & 4) in.file_hash = 9;
        if (set & 8) in.file_folder = 5;
        if (set & 16) in.file_lines = 6;
        store_encode(&record, &in, true);
        assert_int_equal(field_of(&record, STORE_PROVENANCE).data != NULL, (set & 7) != 0);
        assert_int_equal(field_of(&record, STORE_ORIGIN).data != NULL, (set & 24) != 0);
        assert_int_equal(store_decode(buf_slice(&record), &out, NULL), PM_OK);
        store_source source;
        store_decode_source(buf_slice(&record), &source);
        assert_true(source.file_size == in.file_size && source.file_mtime_ns == in.file_mtime_ns &&
                    source.file_hash == in.file_hash);
        assert_true(out.file_size == in.file_size && out.file_mtime_ns == in.file_mtime_ns &&
                    out.file_hash == in.file_hash && out.file_folder == in.file_folder &&
                    out.file_lines == in.file_lines);
        buf_free(&record);
    }
}

/* A text is in the record, with the span of a title that is part of it, or the place of it is. */
static void places(void **state)
{
    (void)state;
    for (unsigned set = 0; set < 8; set++) {
        bool with_text = set & 1, in_body = set & 2, path = set & 4;
        pm_article in = {.id = {"x", 1},
                         .text = {"a title", 7},
                         .title = {"title", 5},
                         .title_in_body = in_body,
                         .title_start = 2,
                         .title_end = 7,
                         .file_path = {"/a/b", path ? 4 : 0},
                         .file_text_start = 3,
                         .file_text_len = 200};
        buf record = {0};
        store_source source;
        store_encode(&record, &in, with_text);
        assert_int_equal(field_of(&record, STORE_TEXT).len, with_text ? 7 : 0);
        assert_int_equal(field_of(&record, STORE_TITLE_SPAN).len, with_text && in_body ? 2 : 0);
        assert_int_equal(field_of(&record, STORE_FILE).len, !with_text && path ? 4 : 0);
        assert_int_equal(field_of(&record, STORE_FILE_SPAN).len, with_text || !path ? 0
                                                                 : in_body          ? 5
                                                                                    : 3);
        store_decode_source(buf_slice(&record), &source);
        assert_int_equal(source.path.len, !with_text && path ? 4 : 0);
        assert_int_equal(source.title_in_body, !with_text && path && in_body);
        assert_int_equal(source.title_end, source.title_in_body ? 7 : 0);
        buf_free(&record);
    }
}

/* A record of an id, the text "abcd" and one field more. */
static bool taken(uint64_t tag, const char *bytes, size_t len)
{
    buf record = {0};
    pm_article out;
    buf_append(&record, "\1\1x\3\4abcd", 9);
    buf_varint(&record, tag);
    buf_varint(&record, len);
    buf_append(&record, bytes, len);
    pm_status st = store_decode(buf_slice(&record), &out, NULL);
    buf_free(&record);
    assert_true(st == PM_OK || st == PM_CORRUPT);
    return st == PM_OK;
}
#define TAKEN(tag, bytes) taken(tag, bytes, sizeof(bytes) - 1)

static void fields(void **state)
{
    (void)state;
    assert_true(TAKEN(STORE_TITLE_SPAN, "\0\0") && TAKEN(STORE_TITLE_SPAN, "\0\4") &&
                TAKEN(STORE_TITLE_SPAN, "\4\4") && TAKEN(STORE_TITLE_SPAN, "\2\3"));
    assert_false(TAKEN(STORE_TITLE_SPAN, "\0\5") || TAKEN(STORE_TITLE_SPAN, "\3\2") ||
                 TAKEN(STORE_TITLE_SPAN, "\0") || TAKEN(STORE_TITLE_SPAN, "\0\1\1") ||
                 TAKEN(STORE_TITLE_SPAN, "\0\x80") || TAKEN(STORE_TITLE_SPAN, "\x80"));
    assert_true(TAKEN(STORE_PROVENANCE, "\1........--------"));
    assert_true(TAKEN(STORE_PROVENANCE, "\x81\1........--------"));
    assert_false(TAKEN(STORE_PROVENANCE, "\1........-------") ||
                 TAKEN(STORE_PROVENANCE, "\1........---------") ||
                 TAKEN(STORE_PROVENANCE, "\x81........--------") || TAKEN(STORE_PROVENANCE, "\1"));
    assert_true(TAKEN(STORE_ORIGIN, "........--------"));
    assert_false(TAKEN(STORE_ORIGIN, "........-------") ||
                 TAKEN(STORE_ORIGIN, "........---------") || TAKEN(STORE_ORIGIN, "."));
    assert_true(TAKEN(STORE_FILE_SPAN, "\0\0") && TAKEN(STORE_FILE_SPAN, "\5\7\1\2") &&
                TAKEN(STORE_FILE_SPAN, "\5\7\2\2"));
    assert_false(TAKEN(STORE_FILE_SPAN, "\5") || TAKEN(STORE_FILE_SPAN, "\5\x87") ||
                 TAKEN(STORE_FILE_SPAN, "\5\7\0") || TAKEN(STORE_FILE_SPAN, "\5\7\3\2") ||
                 TAKEN(STORE_FILE_SPAN, "\5\7\1\2\3") || TAKEN(STORE_FILE_SPAN, "\5\7\1\x82"));
    assert_true(TAKEN(STORE_FILE_SPAN + 1, "\0") && TAKEN(1000, "any") && TAKEN(STORE_URL, "u"));
    assert_false(TAKEN(STORE_URL, "") || TAKEN(1000, "") || TAKEN(0, "u"));
}

static void lengths_of_ids(void **state)
{
    (void)state;
    for (size_t len = 0; len <= SEGMENT_ID_MAX + 2; len++) {
        static const char xs[SEGMENT_ID_MAX + 2] = "x";
        buf record = {0};
        pm_article out;
        buf_varint(&record, STORE_ID);
        buf_varint(&record, len);
        buf_append(&record, xs, len);
        assert_int_equal(store_decode(buf_slice(&record), &out, NULL),
                         len > 0 && len <= SEGMENT_ID_MAX ? PM_OK : PM_CORRUPT);
        buf_free(&record);
    }
}

static size_t path_of(const char *bytes, size_t len)
{
    store_source out;
    store_decode_source((slice){(const uint8_t *)bytes, len}, &out);
    return out.path.len;
}
#define PATH_OF(bytes) path_of(bytes, sizeof(bytes) - 1)

/* A path is believed with the place in its file alone, and when the record is whole. */
static void paths(void **state)
{
    (void)state;
    assert_int_equal(PATH_OF("\1\1x\x0e\2/a\x0f\2\0\5"), 2);
    assert_int_equal(PATH_OF("\1\1x\x0f\2\0\5\x0e\2/a"), 2);
    assert_int_equal(PATH_OF("\1\1x\x0e\2/a"), 0);
    assert_int_equal(PATH_OF("\1\1x\x0f\2\0\5"), 0);
    assert_int_equal(PATH_OF("\1\1x\x0e\2/a\x0f\1\0"), 0);
    assert_int_equal(PATH_OF("\1\1x\x0e\2/a\x0f\4\0\5\5\4"), 0);
    assert_int_equal(PATH_OF("\1\1x\x0e\2/\0\x0f\2\0\5"), 0);
    assert_int_equal(PATH_OF("\1\1x\x0e\2/a\x0f\2\0\5\x10\1"), 0);
    assert_int_equal(PATH_OF("\1\1x\x0e\2/a\x0f\2\0\5\x80"), 0);
}

/* ---- blocks ------------------------------------------------------------------------------- */

enum { BLOCKS = 3, EACH = 4, DOCS = BLOCKS * EACH };

/* The directory of a store of three blocks of four records, as it is written. */
typedef struct entry {
    uint64_t off;
    uint32_t first, raw;
} entry;

typedef struct store_bytes {
    entry entries[BLOCKS + 1];
    buf store, raw; /* raw: of a block                                                */
} store_bytes;

static void make_raw(buf *raw, uint32_t block)
{
    for (uint32_t i = 0; i < EACH; i++) buf_u8(raw, (uint8_t)(3 + i));
    for (uint32_t i = 0; i < EACH; i++) {
        buf_append(raw, "\1\1", 2);
        for (uint32_t k = 0; k <= i; k++) buf_u8(raw, (uint8_t)('a' + block * EACH + i));
    }
}

static void deflate_into(buf *out, const buf *raw)
{
    uint8_t room[2000];
    uLongf len = sizeof room;
    assert_int_equal(compress2(room, &len, raw->data, raw->len, 6), Z_OK);
    buf_append(out, room, len);
}

static void make_store(store_bytes *b)
{
    *b = (store_bytes){.store = {0}};
    for (uint32_t i = 0; i < BLOCKS; i++) {
        buf_reset(&b->raw);
        make_raw(&b->raw, i);
        b->entries[i] = (entry){b->store.len, i * EACH, (uint32_t)b->raw.len};
        deflate_into(&b->store, &b->raw);
    }
    b->entries[BLOCKS] = (entry){b->store.len, DOCS, 0};
}

/* Bits of the documents that cannot be read, of the others each is what it should be; *blocks: of
 * the blocks that cannot be. */
static unsigned unreadable(const store_bytes *b, unsigned *blocks)
{
    static const uint8_t marks[DOCS] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    bare_segment bare;
    store_cache cache = {0};
    unsigned bad = 0;
    buf entries = {0};
    for (uint32_t i = 0; i <= BLOCKS; i++) {
        buf_u64(&entries, b->entries[i].off);
        buf_u32(&entries, b->entries[i].first);
        buf_u32(&entries, b->entries[i].raw);
    }
    buf_append(&entries, marks, sizeof marks);
    bare_begin(&bare, DOCS);
    bare.s.info.has_marks = true;
    bare_section(&bare, SECTION_STORE, b->store.data, b->store.len);
    bare_section(&bare, SECTION_STORE_DIR, entries.data, entries.len);
    segment *s = bare_done(&bare);
    assert_int_equal(store_block_count(s), BLOCKS);
    *blocks = 0;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        uint32_t first, n, raw_len;
        slice deflated;
        bool there = store_block_raw(s, i, &first, &n, &raw_len, &deflated);
        pm_error err;
        *blocks |= (unsigned)!there << i;
        if (segment_status(s, &err) != PM_OK && strstr(err.message, "block is impossible"))
            assert_int_equal(err.offset, s->info.sections[SECTION_STORE_DIR].off + 16 * i);
        assert_int_equal(bare_damaged(&bare), !there);
    }
    for (uint32_t k = 0; k < 2 * DOCS; k++) {
        uint32_t doc = k < DOCS ? k : k * 5 % DOCS; /* in order, then here and there              */
        slice record = {entries.data, 1};
        uint8_t mark = 0;
        pm_error err;
        pm_status st = store_get(&cache, s, doc, &record, &err);
        assert_true(store_mark(s, doc, &mark) && mark == doc + 1);
        if (st == PM_OK) {
            assert_int_equal(record.len, 3 + doc % EACH);
            assert_int_equal(record.data[record.len - 1], 'a' + doc);
            assert_false(bare_damaged(&bare));
        } else {
            assert_int_equal(st, PM_CORRUPT);
            assert_true(!record.data && !record.len && bare_damaged(&bare));
            bad |= 1u << doc;
        }
    }
    slice record;
    uint8_t mark;
    assert_int_equal(store_get(&cache, s, DOCS, &record, NULL), PM_USAGE);
    assert_false(store_mark(s, DOCS, &mark));
    bare_page(&bare, 0, false); /* all of it is there */
    uint32_t first, n, raw_len;
    assert_false(store_block_raw(s, 0, &first, &n, &raw_len, &record) || !bare_damaged(&bare));
    assert_false(store_find_block(s, 0, &n) || !bare_damaged(&bare));
    assert_false(store_mark(s, 0, &mark) || !bare_damaged(&bare));
    assert_int_equal(store_get(&cache, s, 0, &record, NULL), PM_CORRUPT);
    assert_true(bare_damaged(&bare) && s->n_pages == 1);
    bare_page(&bare, 0, true);
    bare.s.info.has_marks = false;
    assert_false(store_mark(s, 0, &mark));
    assert_false(bare_damaged(&bare));
    store_cache_free(&cache);
    bare_free(&bare);
    buf_free(&entries);
    return bad;
}

static void directories(void **state)
{
    (void)state;
    enum { FIRST = 0x00f, SECOND = 0x0f0, THIRD = 0xf00 };
    for (unsigned way = 0; way < 17; way++) {
        store_bytes b;
        unsigned want = 0, want_blocks = 0, blocks;
        make_store(&b);
        entry *e = b.entries;
        if (way == 1) e[0].raw++, want = FIRST;
        if (way == 2) e[0].raw--, want = FIRST;
        if (way == 3) e[0].raw = STORE_RAW_MAX + 1, want_blocks = 1, want = FIRST;
        if (way == 4)
            e[1].off = 0, want_blocks = 1, want = FIRST | SECOND; /* the first block has no bytes */
        if (way == 5) e[1].off = e[2].off + 1, want_blocks = 2, want = FIRST | SECOND;
        if (way == 6) e[3].off++, want_blocks = 4, want = THIRD; /* a byte that is not there, .. */
        if (way == 7) e[1].off++, want = FIRST | SECOND;
        if (way == 8) e[1].off--, want = FIRST | SECOND;
        if (way == 9) e[3].first = DOCS + 1, want_blocks = 4, want = THIRD;
        if (way == 10) e[3].first = DOCS - 1, want = THIRD;
        if (way == 11) e[3].first = 2 * EACH, want_blocks = 4, want = THIRD;
        if (way == 12) e[0].first = 1, want = FIRST;
        if (way == 13) e[2].raw = 0, want = THIRD;
        if (way == 14) buf_u8(&b.store, 0); /* .. and one that nobody names  */
        if (way == 15) e[3].off--, want = THIRD;
        if (way == 16) e[0].raw = STORE_RAW_MAX, want = FIRST;
        unsigned bad = unreadable(&b, &blocks);
        if (blocks != want_blocks) fail_msg("way %u: blocks %x", way, blocks);
        if (bad != want) fail_msg("way %u: %x, not %x", way, bad, want);
        buf_free(&b.store);
        buf_free(&b.raw);
    }
}

/* One block whose raw bytes are these, of so many records; the nth allocation is refused, 0: none.
 */
static uint64_t refused;

static pm_status read_raw(const char *bytes, size_t len, uint32_t n, uint32_t doc, slice *record,
                          store_cache *cache)
{
    bare_segment bare;
    buf raw = {0}, store = {0}, entries = {0};
    buf_append(&raw, bytes, len);
    deflate_into(&store, &raw);
    buf_u64(&entries, 0);
    buf_u32(&entries, 0);
    buf_u32(&entries, (uint32_t)len);
    buf_u64(&entries, store.len);
    buf_u32(&entries, n);
    buf_u32(&entries, 0);
    bare_begin(&bare, n);
    bare_section(&bare, SECTION_STORE, store.data, store.len);
    bare_section(&bare, SECTION_STORE_DIR, entries.data, entries.len);
    segment *s = bare_done(&bare);
    if (refused) mem_fail_at(refused, false);
    pm_status st = store_get(cache, s, doc, record, NULL);
    mem_fail_at(0, false);
    assert_int_equal(bare_damaged(&bare), st == PM_CORRUPT);
    bare_free(&bare);
    cache->s = NULL; /* another one may be at its place                                    */
    buf_free(&raw);
    buf_free(&store);
    buf_free(&entries);
    return st;
}

static void lengths_of_records(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        uint32_t n;
        const char *records; /* a letter each; '-': damage                                */
    } cases[] = {
        {"\1\1\1abc", 6, 3, "abc"},
        {"\1\1\1abcd", 7, 3, "---"},
        {"\1\1\1ab", 5, 3, "---"},
        {"\1\2abb", 5, 2, "ab"},
        {"\2\1aab", 5, 2, "ab"},
        {"\0\2bb", 4, 2, "-b"},
        {"\2\0aa", 4, 2, "a-"},
        {"\1\x81\0ab", 5, 2, "ab"},
        {"\1\x81", 2, 2, "--"},
        {"\1\1", 2, 2, "--"},
        {"\1a", 2, 1, "a"},
        {"\1", 1, 1, "-"},
        {"\xff\xff\xff\x7f"
         "a",
         5, 1, "-"},
    };
    store_cache cache = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint32_t doc = 0; doc < cases[i].n; doc++) {
            slice record;
            char want = cases[i].records[doc];
            pm_status st = read_raw(cases[i].bytes, cases[i].len, cases[i].n, doc, &record, &cache);
            if (st != (want == '-' ? PM_CORRUPT : PM_OK)) fail_msg("case %zu, %u", i, doc);
            if (st == PM_OK) assert_true(record.len && record.data[0] == (uint8_t)want);
        }
    store_cache_free(&cache);
}

/* One cache for two segments, whose blocks have the same numbers; and one that was freed. */
static void one_cache(void **state)
{
    (void)state;
    bare_segment bare[2];
    store_cache cache = {0};
    for (uint32_t i = 0; i < 2; i++) {
        buf raw = {0}, store = {0}, entries = {0};
        make_raw(&raw, i);
        deflate_into(&store, &raw);
        const entry both[] = {{0, 0, (uint32_t)raw.len}, {store.len, EACH, 0}};
        buf_append(&entries, both, sizeof both);
        bare_begin(&bare[i], EACH);
        bare_section(&bare[i], SECTION_STORE, store.data, store.len);
        bare_section(&bare[i], SECTION_STORE_DIR, entries.data, entries.len);
        bare_done(&bare[i]);
        buf_free(&raw);
        buf_free(&store);
        buf_free(&entries);
    }
    for (uint32_t k = 0; k < 40; k++) {
        uint32_t i = k / 3 % 2, doc = k % EACH;
        slice record;
        if (k % 7 == 6) store_cache_free(&cache);
        assert_int_equal(store_get(&cache, &bare[i].s, doc, &record, NULL), PM_OK);
        assert_int_equal(record.data[record.len - 1], 'a' + i * EACH + doc);
    }
    store_cache_free(&cache);
    bare_free(&bare[0]);
    bare_free(&bare[1]);
}

/* A block for which there is no memory now can be read later, by the same cache. */
static void memory_refused_once(void **state)
{
    (void)state;
    store_cache cache = {0};
    slice record;
    unsigned times = 0;
    for (uint64_t n = 1; n < 9; n++) {
        store_cache_free(&cache);
        refused = n;
        pm_status st = read_raw("\1\2abb", 5, 2, 1, &record, &cache);
        refused = 0;
        assert_true(st == PM_OK || st == PM_NOMEM);
        times += st == PM_NOMEM;
        assert_int_equal(read_raw("\1\2abb", 5, 2, 1, &record, &cache), PM_OK);
        assert_true(record.len == 2 && !memcmp(record.data, "bb", 2));
    }
    assert_true(times > 1);
    store_cache_free(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(places),
        cmocka_unit_test(fields),
        cmocka_unit_test(lengths_of_ids),
        cmocka_unit_test(paths),
        cmocka_unit_test(directories),
        cmocka_unit_test(lengths_of_records),
        cmocka_unit_test(one_cache),
        cmocka_unit_test(memory_refused_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
