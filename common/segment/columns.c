/* SPDX-License-Identifier: MIT
 * columns.c - what a segment knows about a document: length, ingest order, date, id; and the
 * way from an id to a document.  Takes a document number, gives a value; anything out of
 * range is recorded as damage and answered by a harmless value.
 */
#include "common/base/hash.h"
#include "common/segment/layout.h"

/* The element of a column, verified; NULL on damage or when doc is out of range. */
static const uint8_t *column_at(segment *s, section_id id, uint32_t doc, unsigned width)
{
    if (doc >= s->info.n_docs) return NULL;
    uint64_t off = s->info.sections[id].off + (uint64_t)doc * width;
    return segment_touch(s, off, width) ? s->file.data + off : NULL;
}

uint32_t segment_dl(segment *s, uint32_t doc)
{
    const uint8_t *p = column_at(s, SECTION_DL, doc, s->info.dl_width);
    if (!p) return 0;
    return s->info.dl_width == 2 ? load_u16(p) : load_u32(p);
}

/* A page is asked for once while documents stay in it. */
void segment_lengths(segment *s, const uint32_t *docs, uint32_t n, uint32_t *out)
{
    uint64_t column = s->info.sections[SECTION_DL].off, page = UINT64_MAX;
    unsigned width = s->info.dl_width;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t off = column + (uint64_t)docs[i] * width, on = segment_page_of(&s->info, off);
        if (on != page || docs[i] >= s->info.n_docs) {
            bool sound = docs[i] < s->info.n_docs && segment_touch(s, off, width);
            page = sound ? on : UINT64_MAX;
            if (!sound) {
                out[i] = 0;
                continue;
            }
        }
        out[i] = width == 2 ? load_u16(s->file.data + off) : load_u32(s->file.data + off);
    }
}

uint64_t segment_seq(segment *s, uint32_t doc)
{
    if (s->info.seq_width == 0) return s->info.seq_base + doc;
    const uint8_t *p = column_at(s, SECTION_SEQ, doc, s->info.seq_width);
    if (!p) return 0;
    return s->info.seq_width == 4 ? s->info.seq_base + load_u32(p) : load_u64(p);
}

int64_t segment_date(segment *s, uint32_t doc)
{
    if (s->info.date_width == 0) return INT64_MIN;
    const uint8_t *p = column_at(s, SECTION_DATE, doc, s->info.date_width);
    if (!p) return INT64_MIN;
    if (s->info.date_width == 8) return (int64_t)load_u64(p);
    int32_t days = (int32_t)load_u32(p);
    return days == INT32_MIN ? INT64_MIN : (int64_t)days * 86400;
}

slice segment_id(segment *s, uint32_t doc)
{
    slice id = {NULL, 0};
    if (doc >= s->info.n_docs) return id;
    uint64_t off = s->info.sections[SECTION_ID_OFFSETS].off + (uint64_t)doc * 8;
    if (!segment_touch(s, off, 16)) return id;
    uint64_t start = load_u64(s->file.data + off), end = load_u64(s->file.data + off + 8);
    if (end <= start || end - start > SEGMENT_ID_MAX) {
        segment_damaged(s, off, section_name(SECTION_ID_OFFSETS), "an id has an impossible length");
        return id;
    }
    segment_slice(s, SECTION_IDS, start, end - start, &id);
    return id;
}

static uint32_t id_table_hash(const segment *s, uint32_t i)
{
    return load_u32(s->file.data + s->info.sections[SECTION_ID_TABLE].off + (uint64_t)i * 4);
}

static uint32_t id_table_doc(const segment *s, uint32_t i)
{
    return load_u32(s->file.data + s->info.sections[SECTION_ID_TABLE].off +
                    ((uint64_t)s->info.n_docs + i) * 4);
}

/* Entries [0, result) have a hash <= `hash`.  Touches what it reads. */
static bool id_table_upper(segment *s, uint32_t hash, uint32_t *result)
{
    uint32_t low = 0, high = s->info.n_docs;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (!segment_touch(s, s->info.sections[SECTION_ID_TABLE].off + (uint64_t)mid * 4, 4))
            return false;
        if (id_table_hash(s, mid) <= hash)
            low = mid + 1;
        else
            high = mid;
    }
    *result = low;
    return true;
}

bool segment_find_id(segment *s, const char *id, size_t len, uint32_t *doc)
{
    uint32_t hash = (uint32_t)(hash_bytes(id, len) >> 32), end;
    if (!id_table_upper(s, hash, &end)) return false;
    uint64_t table = s->info.sections[SECTION_ID_TABLE].off;
    for (uint32_t i = end; i-- > 0;) {
        if (!segment_touch(s, table + (uint64_t)i * 4, 4)) return false;
        if (id_table_hash(s, i) != hash) return false;
        if (!segment_touch(s, table + ((uint64_t)s->info.n_docs + i) * 4, 4)) return false;
        uint32_t candidate = id_table_doc(s, i);
        if (candidate >= s->info.n_docs) {
            segment_damaged(s, table, section_name(SECTION_ID_TABLE),
                            "a document number is too large");
            return false;
        }
        slice have = segment_id(s, candidate);
        if (have.len == len && !memcmp(have.data, id, len)) {
            *doc = candidate;
            return true;
        }
    }
    return false;
}
