/* SPDX-License-Identifier: MIT
 * check_ids.c - ids: blocks lie side by side and give as many ids as they must, ids are whole, and
 * the table names every document once, under its hash, or is not there because ids rise.
 */
#include "common/segment/check_parts.h"
#include "common/segment/ids.h"

static void check_first_id_block(check *c)
{
    slice off;
    unsigned width = layout_offset_width(c->s->info.sections[SECTION_IDS].len);
    if (!segment_slice(c->s, SECTION_ID_OFFSETS, 0, width, &off)) return;
    if (layout_offset(off.data, width))
        check_section(c, SECTION_ID_OFFSETS, 0, "ids do not fill their section");
}

/* Each id, and *rise: every one stands behind the one before. */
static void check_each_id(check *c, bool *rise)
{
    segment *s = c->s;
    uint8_t rooms[2][SEGMENT_ID_ROOM];
    slice before = {NULL, 0};
    *rise = true;
    for (uint32_t doc = 0; doc < s->info.n_docs; doc++) {
        slice id = segment_id(s, doc, rooms[doc % 2]);
        if (check_reader_damage(c)) return;
        if (doc && id_order(before, id) >= 0) *rise = false;
        before = id;
        const char *wrong = NULL;
        if (memchr(id.data, 0, id.len)) wrong = "an id holds a zero byte";
        if (doc % ID_BLOCK == 0 && !ids_block_exact(s, doc / ID_BLOCK))
            wrong = "a block holds more ids, or fewer, than it must";
        if (!wrong) continue;
        check_section(c, SECTION_IDS, 0, wrong);
        return;
    }
}

/* What entry i is ordered by: bucket, byte of the hash, document; false: it is wrong. */
static bool table_entry(check *c, slice table, uint32_t i, uint32_t bucket, uint64_t *key)
{
    uint8_t room[SEGMENT_ID_ROOM];
    uint32_t n = c->s->info.n_docs, doc;
    if (!id_table_doc(c->s, i, &doc) || doc >= n) return false;
    slice id = segment_id(c->s, doc, room);
    uint8_t tag = table.data[4 * (size_t)id_buckets(n) + i];
    uint64_t hash = id_hash(&c->s->info, id.data, id.len);
    *key = (uint64_t)tag << 32 | doc;
    return id.len && id_bucket(hash, n) == bucket && (uint8_t)hash == tag;
}

static void check_id_table(check *c, slice table)
{
    uint32_t n = c->s->info.n_docs, buckets = id_buckets(n), i = 0;
    bool right = true;
    for (uint32_t b = 0; b < buckets && right; b++) {
        uint32_t end = load_u32(table.data + 4 * (size_t)b);
        uint64_t before = 0, key = 0;
        right = end >= i && end <= n;
        for (uint32_t first = i; i < end && right; i++, before = key)
            right = table_entry(c, table, i, b, &key) && (i == first || key > before);
    }
    if (!right || i != n) {
        check_section(c, SECTION_ID_TABLE, i, "an entry is out of order or under a wrong hash");
        return;
    }
    uint64_t bits = (uint64_t)n * id_doc_bits(n);
    if (bits % 8 && table.data[table.len - 1] >> bits % 8)
        check_section(c, SECTION_ID_TABLE, table.len - 1, "padding is not zero");
}

void check_ids(check *c)
{
    slice table;
    bool rise;
    uint64_t before = c->findings;
    check_first_id_block(c);
    check_each_id(c, &rise);
    if (c->findings != before || !segment_slice(c->s, SECTION_ID_TABLE, 0,
                                                c->s->info.sections[SECTION_ID_TABLE].len, &table))
        return;
    if (rise != !table.len)
        check_section(c, SECTION_ID_TABLE, 0,
                      "a table though ids rise, or none though they do not");
    else if (table.len)
        check_id_table(c, table);
}
