/* SPDX-License-Identifier: MIT
 * test_id_table.c - from an id to its document: by the table of hashes, which is made here from
 * FORMAT.md, and by searching where ids rise; numbers of documents around its widths, ids that are
 * not there, and tables that lead elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/segment/ids.h"
#include "tests/support/bare_segment.h"

enum { DOCS_MAX = 5000, LEN = 8 };

typedef struct made {
    bare_segment bare;
    uint32_t n;
    char ids[DOCS_MAX][LEN + 1];
    uint64_t hashes[DOCS_MAX];
    uint32_t ends[DOCS_MAX];
} made;

static made m;

/* Ids that rise, or by chance; some of those twice. */
static void make_ids(uint32_t n, bool rising)
{
    m.n = n;
    for (uint32_t doc = 0; doc < n; doc++) {
        uint32_t number = rising ? 2 * doc : (uint32_t)hash_mix(doc % 3 == 2 ? doc - 1 : doc);
        snprintf(m.ids[doc], sizeof m.ids[doc], "%08x", number);
    }
}

static void put_ids(void)
{
    buf ids = {0}, starts = {0};
    for (uint32_t doc = 0; doc < m.n; doc++) {
        if (doc % ID_BLOCK == 0) {
            buf_u32(&starts, (uint32_t)ids.len);
            buf_u8(&ids, 0);
        }
        buf_u8(&ids, doc % ID_BLOCK ? LEN << 4 : LEN); /* nothing of the one before               */
        buf_append(&ids, m.ids[doc], LEN);
    }
    bare_section(&m.bare, SECTION_ID_OFFSETS, starts.data, starts.len);
    bare_section(&m.bare, SECTION_IDS, ids.data, ids.len);
    buf_free(&ids);
    buf_free(&starts);
}

/* Bits that the number n - 1 has. */
static unsigned bits_of(uint32_t n)
{
    unsigned bits = 0;
    for (uint32_t left = n - 1; left; left /= 2) bits++;
    return bits;
}

static void put_table(void)
{
    uint32_t buckets = (m.n + 31) / 32, row = 0;
    unsigned bits = bits_of(m.n);
    buf table = {0}, tags = {0}, docs = {0};
    buf_zero(&docs, (size_t)((uint64_t)m.n * bits + 7) / 8);
    for (uint32_t doc = 0; doc < m.n; doc++)
        m.hashes[doc] = id_hash(&m.bare.s.info, m.ids[doc], LEN);
    for (uint32_t b = 0; b < buckets; b++) {
        for (unsigned tag = 0; tag < 256; tag++)
            for (uint32_t doc = 0; doc < m.n; doc++) {
                if ((m.hashes[doc] & 255) != tag || (m.hashes[doc] >> 32) * buckets >> 32 != b)
                    continue;
                buf_u8(&tags, (uint8_t)tag);
                for (unsigned i = 0; i < bits; i++) {
                    uint64_t at = (uint64_t)row * bits + i;
                    docs.data[at / 8] |= (uint8_t)((doc >> i & 1) << at % 8);
                }
                row++;
            }
        m.ends[b] = row;
    }
    assert_int_equal(row, m.n);
    buf_append(&table, m.ends, 4 * (size_t)buckets);
    buf_append(&table, tags.data, tags.len);
    buf_append(&table, docs.data, docs.len);
    assert_int_equal(table.len, id_table_bytes(m.n));
    bare_section(&m.bare, SECTION_ID_TABLE, table.data, table.len);
    buf_free(&table);
    buf_free(&tags);
    buf_free(&docs);
}

static segment *make(uint32_t n, bool rising, bool keyed)
{
    bare_begin(&m.bare, n);
    m.bare.s.info.ids_keyed = keyed;
    for (unsigned i = 0; i < 16; i++) m.bare.s.info.uuid[i] = (uint8_t)(3 * i + 1);
    make_ids(n, rising);
    put_ids();
    if (!rising) put_table();
    return bare_done(&m.bare);
}

/* The highest document with this id; n: none has it. */
static uint32_t last_with(const char *id)
{
    for (uint32_t doc = m.n; doc-- > 0;)
        if (!memcmp(m.ids[doc], id, LEN)) return doc;
    return m.n;
}

static void expect_all(segment *s, uint32_t step)
{
    for (uint32_t doc = 0; doc < m.n; doc += step) {
        uint32_t found = UINT32_MAX, want = last_with(m.ids[doc]);
        char other[LEN + 1];
        assert_true(segment_find_id(s, m.ids[doc], LEN, &found));
        assert_int_equal(found, want);
        snprintf(other, sizeof other, "%08x", 2 * doc + 1); /* between those that rise          */
        bool there = last_with(other) < m.n;
        assert_int_equal(segment_find_id(s, other, LEN, &found), there);
        assert_false(segment_find_id(s, m.ids[doc], LEN - 1, &found));
        memcpy(other, m.ids[doc], LEN);
        assert_false(segment_find_id(s, other, LEN + 1, &found)); /* the byte behind is zero    */
    }
    uint32_t found;
    assert_false(segment_find_id(s, "", 0, &found) || segment_find_id(s, "~~~~~~~~~", 9, &found) ||
                 segment_find_id(s, "~~~~~~~~", 8, &found));
    assert_int_equal(segment_status(s, NULL), PM_OK);
}

static void found(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 70; n++)
        for (unsigned way = 0; way < 3; way++) {
            expect_all(make(n, way == 0, way == 2), 1);
            bare_free(&m.bare);
        }
    static const uint32_t more[] = {127, 128, 129, 255, 256, 257, 1024, 1025, DOCS_MAX};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        for (unsigned way = 0; way < 3; way++) {
            expect_all(make(more[i], way == 0, way == 2), 1 + more[i] / 100);
            bare_free(&m.bare);
        }
}

static void widths(void **state)
{
    (void)state;
    for (uint32_t n = 1; n < 70000; n++) {
        assert_int_equal(id_doc_bits(n), bits_of(n));
        assert_int_equal(id_buckets(n), (n + 31) / 32);
        assert_int_equal(id_table_bytes(n),
                         4 * ((n + 31) / 32) + n + ((uint64_t)n * bits_of(n) + 7) / 8);
    }
    assert_int_equal(id_doc_bits(SEGMENT_DOCS_MAX), 31);
    assert_int_equal(id_doc_bits(UINT32_MAX), 32);
}

/* A number of the table becomes another one: what is said, and where. */
static void expect_damage(segment *s, uint64_t at, const char *id, uint64_t off, const char *what)
{
    uint32_t doc;
    pm_error err;
    assert_false(segment_find_id(s, id, LEN, &doc));
    assert_int_equal(segment_status(s, &err), PM_CORRUPT);
    if (!strstr(err.message, what)) fail_msg("%llu: %s", (unsigned long long)at, err.message);
    assert_int_equal(err.offset, off);
    assert_true(bare_damaged(&m.bare));
}

static void other_ends(void **state)
{
    (void)state;
    static const char what[] = "a bucket is impossible";
    segment *s = make(1000, false, false);
    uint64_t table = s->info.sections[SECTION_ID_TABLE].off;
    for (uint32_t doc = 0; doc < m.n; doc += 7) {
        uint32_t b = id_bucket(m.hashes[doc], m.n), found;
        uint8_t *end = m.bare.bytes.data + table + 4 * b;
        uint32_t start = b ? m.ends[b - 1] : 0;
        store_u32(end, m.n + 1);
        expect_damage(s, doc, m.ids[doc], table + 4 * b, what);
        store_u32(end, UINT32_MAX);
        expect_damage(s, doc, m.ids[doc], table + 4 * b, what);
        if (start) {
            store_u32(end, start - 1);
            expect_damage(s, doc, m.ids[doc], table + 4 * b, what);
        }
        store_u32(end, start); /* none is in it */
        assert_false(segment_find_id(s, m.ids[doc], LEN, &found));
        assert_false(bare_damaged(&m.bare));
        store_u32(end, m.n); /* all behind it, too */
        assert_true(segment_find_id(s, m.ids[doc], LEN, &found));
        assert_int_equal(found, last_with(m.ids[doc]));
        store_u32(end, m.ends[b]);
    }
    bare_free(&m.bare);
}

/* Every entry of the table names this document. */
static void name_all(uint64_t table, uint32_t doc)
{
    unsigned bits = bits_of(m.n);
    uint8_t *docs = m.bare.bytes.data + table + 4 * id_buckets(m.n) + m.n;
    memset(docs, 0, (m.n * bits + 7) / 8);
    for (uint32_t at = 0; at < m.n * bits; at++)
        docs[at / 8] |= (uint8_t)((doc >> at % bits & 1) << at % 8);
}

static void other_documents(void **state)
{
    (void)state;
    segment *s = make(1000, false, false);
    uint64_t table = s->info.sections[SECTION_ID_TABLE].off;
    static const uint32_t beyond[] = {1000, 1001, 1023};
    for (size_t i = 0; i < 3; i++) {
        name_all(table, beyond[i]);
        for (uint32_t doc = 0; doc < m.n; doc += 7)
            expect_damage(s, doc, m.ids[doc], table, "a document number is too large");
    }
    name_all(table, 0);
    for (uint32_t doc = 1; doc < m.n; doc += 7) { /* of which none has the id */
        uint32_t found;
        assert_false(segment_find_id(s, m.ids[doc], LEN, &found));
        assert_false(bare_damaged(&m.bare));
    }
    bare_free(&m.bare);
}

/* A page is bad: an id is found, where that is not needed, or damage is. */
static void bad_pages(void **state)
{
    (void)state;
    for (unsigned rising = 0; rising < 2; rising++) {
        segment *s = make(DOCS_MAX, rising, false);
        for (uint64_t page = 0; page < s->n_pages; page++) {
            unsigned damaged = 0;
            bare_page(&m.bare, page, false);
            for (uint32_t doc = 0; doc < m.n; doc += 13) {
                uint32_t found;
                bool there = segment_find_id(s, m.ids[doc], LEN, &found);
                if (there) assert_true(!memcmp(m.ids[found], m.ids[doc], LEN));
                bool damage = bare_damaged(&m.bare); /* also of another candidate             */
                assert_true(there || damage);
                damaged += !there;
            }
            assert_true(damaged > 0);
            bare_page(&m.bare, page, true);
        }
        bare_free(&m.bare);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found),      cmocka_unit_test(widths),
        cmocka_unit_test(other_ends), cmocka_unit_test(other_documents),
        cmocka_unit_test(bad_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
