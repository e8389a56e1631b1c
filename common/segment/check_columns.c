/* SPDX-License-Identifier: MIT
 * check_columns.c - document columns: lengths add up, dates are as the footer says, ids are
 * whole, and the id table names every document once, under its hash.
 */
#include "common/base/hash.h"
#include "common/segment/check_parts.h"

static void check_lengths(check *c)
{
    uint64_t sum = 0;
    for (uint32_t doc = 0; doc < c->s->info.n_docs; doc++) sum += segment_dl(c->s, doc);
    if (sum != c->s->info.sum_dl)
        check_section(c, SECTION_DL, 0, "lengths do not add up to the footer's sum");
}

static void check_dates(check *c)
{
    bool sorted = true, any = false;
    int64_t before = INT64_MIN;
    for (uint32_t doc = 0; doc < c->s->info.n_docs; doc++) {
        int64_t date = segment_date(c->s, doc);
        if (date == INT64_MIN || date < before) sorted = false;
        any |= date != INT64_MIN;
        before = date;
    }
    if (sorted != c->s->info.dates_sorted)
        check_section(c, SECTION_DATE, 0, "the footer is wrong about the order of dates");
    if (any != (c->s->info.date_width != 0))
        check_section(c, SECTION_DATE, 0, "dates without any date");
}

static void check_sequence(check *c)
{
    uint64_t low = UINT64_MAX;
    for (uint32_t doc = 0; doc < c->s->info.n_docs; doc++) {
        uint64_t seq = segment_seq(c->s, doc);
        if (seq < low) low = seq;
        if (c->s->info.seq_width != 8 && seq < c->s->info.seq_base) {
            check_section(c, SECTION_SEQ, (uint64_t)doc * c->s->info.seq_width,
                          "ingest order wraps around");
            return;
        }
    }
    if (low != c->s->info.seq_base)
        check_section(c, SECTION_SEQ, 0, "no document has the lowest ingest number");
}

static void check_ids(check *c)
{
    segment *s = c->s;
    slice offs;
    if (!segment_slice(s, SECTION_ID_OFFSETS, 0, s->info.sections[SECTION_ID_OFFSETS].len, &offs))
        return;
    if (load_u64(offs.data) ||
        load_u64(offs.data + (size_t)s->info.n_docs * 8) != s->info.sections[SECTION_IDS].len)
        check_section(c, SECTION_ID_OFFSETS, 0, "ids do not fill their section");
    for (uint32_t doc = 0; doc < s->info.n_docs; doc++) {
        slice id = segment_id(s, doc);
        if (check_reader_damage(c)) return;
        if (memchr(id.data, 0, id.len)) {
            check_section(c, SECTION_IDS, load_u64(offs.data + (size_t)doc * 8),
                          "an id holds a zero byte");
            return;
        }
    }
}

static void check_id_table(check *c)
{
    segment *s = c->s;
    slice table;
    uint32_t n = s->info.n_docs;
    uint64_t before = 0;
    if (!segment_slice(s, SECTION_ID_TABLE, 0, (uint64_t)n * 8, &table)) return;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t hash = load_u32(table.data + (size_t)i * 4),
                 doc = load_u32(table.data + ((size_t)n + i) * 4);
        uint64_t pair = (uint64_t)hash << 32 | doc;
        slice id = doc < n ? segment_id(s, doc) : (slice){NULL, 0};
        bool right = id.len && hash == (uint32_t)(hash_bytes(id.data, id.len) >> 32) &&
                     (i == 0 || pair > before);
        if (!right) {
            check_section(c, SECTION_ID_TABLE, (uint64_t)i * 4,
                          "an entry is out of order or under a wrong hash");
            return;
        }
        before = pair;
    }
}

void check_columns(check *c)
{
    check_lengths(c);
    check_dates(c);
    check_sequence(c);
    check_ids(c);
    check_id_table(c);
    check_reader_damage(c);
}
