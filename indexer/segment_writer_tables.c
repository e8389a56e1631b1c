/* SPDX-License-Identifier: MIT
 * segment_writer_tables.c - a document's columns: collected while documents come, written in
 * the narrowest width that holds them all (FORMAT.md, "document columns").
 */
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "indexer/segment_writer_parts.h"

enum { DAY = 86400 };

void tables_add(segment_writer *w, const segment_doc *doc)
{
    if (doc->id_len == 0 || doc->id_len > SEGMENT_ID_MAX || w->info.n_docs >= SEGMENT_DOCS_MAX) {
        writer_fail(w, PM_USAGE, "segment writer: an impossible id, or too many documents");
        return;
    }
    buf_u32(&w->dl, doc->dl);
    buf_u64(&w->seq, doc->seq);
    buf_u64(&w->date, (uint64_t)doc->date);
    buf_u64(&w->id_offsets, w->ids.len);
    buf_append(&w->ids, doc->id, doc->id_len);
    buf_u32(&w->id_hashes, (uint32_t)(hash_bytes(doc->id, doc->id_len) >> 32));
    w->info.sum_dl += doc->dl;
    if (doc->dl > w->max_dl) w->max_dl = doc->dl;
    w->info.n_docs++;
}

static uint64_t column_u64(const buf *column, uint32_t doc)
{
    return load_u64(column->data + (size_t)doc * 8);
}

/* ---- lengths ------------------------------------------------------------------------------ */

static void lengths_write(segment_writer *w)
{
    buf narrow = {0};
    w->info.dl_width = w->max_dl <= UINT16_MAX ? 2 : 4;
    if (w->info.dl_width == 2)
        for (uint32_t doc = 0; doc < w->info.n_docs; doc++)
            buf_u16(&narrow, (uint16_t)load_u32(w->dl.data + (size_t)doc * 4));
    writer_check_buf(w, &narrow);
    writer_section(w, SECTION_DL, w->info.dl_width == 2 ? &narrow : &w->dl);
    buf_free(&narrow);
}

/* ---- ingest order ------------------------------------------------------------------------- */

static void seq_measure(segment_writer *w)
{
    uint64_t low = UINT64_MAX, high = 0;
    bool counts = true;
    for (uint32_t doc = 0; doc < w->info.n_docs; doc++) {
        uint64_t seq = column_u64(&w->seq, doc);
        if (seq < low) low = seq;
        if (seq > high) high = seq;
        counts &= seq == column_u64(&w->seq, 0) + doc;
    }
    w->info.seq_base = low;
    w->info.seq_width = counts ? 0 : high - low <= UINT32_MAX ? 4 : 8;
}

static void seq_write(segment_writer *w)
{
    buf column = {0};
    seq_measure(w);
    if (w->info.seq_width == 4)
        for (uint32_t doc = 0; doc < w->info.n_docs; doc++)
            buf_u32(&column, (uint32_t)(column_u64(&w->seq, doc) - w->info.seq_base));
    writer_check_buf(w, &column);
    writer_section(w, SECTION_SEQ, w->info.seq_width == 8 ? &w->seq : &column);
    buf_free(&column);
}

/* ---- dates ---------------------------------------------------------------------------------- */

static int64_t date_at(const segment_writer *w, uint32_t doc)
{
    return (int64_t)column_u64(&w->date, doc);
}

static void date_measure(segment_writer *w)
{
    bool any = false, days = true, sorted = true;
    for (uint32_t doc = 0; doc < w->info.n_docs; doc++) {
        int64_t date = date_at(w, doc);
        if (date == INT64_MIN) {
            sorted = false;
            continue;
        }
        any = true;
        days &= date % DAY == 0 && date / DAY > INT32_MIN && date / DAY <= INT32_MAX;
        if (doc && date < date_at(w, doc - 1)) sorted = false;
    }
    w->info.dates_sorted = sorted;
    w->info.date_width = !any ? 0 : days ? 4 : 8;
}

static void date_write(segment_writer *w)
{
    buf column = {0};
    date_measure(w);
    if (w->info.date_width == 4)
        for (uint32_t doc = 0; doc < w->info.n_docs; doc++) {
            int64_t date = date_at(w, doc);
            buf_u32(&column, (uint32_t)(date == INT64_MIN ? INT32_MIN : (int32_t)(date / DAY)));
        }
    writer_check_buf(w, &column);
    writer_section(w, SECTION_DATE, w->info.date_width == 8 ? &w->date : &column);
    buf_free(&column);
}

/* ---- ids ------------------------------------------------------------------------------------ */

/* Stable counting sort of document numbers by one byte of their hash. */
static void sort_pass(const segment_writer *w, unsigned shift, const uint32_t *in, uint32_t *out)
{
    uint32_t start[257] = {0}, n = w->info.n_docs;
    const uint8_t *hashes = w->id_hashes.data;
    for (uint32_t i = 0; i < n; i++) start[1 + (load_u32(hashes + (size_t)i * 4) >> shift & 255)]++;
    for (unsigned i = 0; i < 256; i++) start[i + 1] += start[i];
    for (uint32_t i = 0; i < n; i++)
        out[start[load_u32(hashes + (size_t)in[i] * 4) >> shift & 255]++] = in[i];
}

static void id_table_write(segment_writer *w)
{
    uint32_t n = w->info.n_docs;
    buf table = {0};
    uint32_t *docs = mem_array(n, sizeof *docs), *other = mem_array(n, sizeof *other);
    if (docs && other) {
        for (uint32_t i = 0; i < n; i++) docs[i] = i;
        for (unsigned shift = 0; shift < 32; shift += 16) {
            sort_pass(w, shift, docs, other);
            sort_pass(w, shift + 8, other, docs);
        }
        for (uint32_t i = 0; i < n; i++)
            buf_append(&table, w->id_hashes.data + (size_t)docs[i] * 4, 4);
        buf_append(&table, docs, (size_t)n * 4);
        writer_check_buf(w, &table);
    } else {
        writer_fail(w, PM_NOMEM, NULL);
    }
    writer_section(w, SECTION_ID_TABLE, &table);
    buf_free(&table);
    mem_free(docs);
    mem_free(other);
}

void tables_finish(segment_writer *w)
{
    lengths_write(w);
    seq_write(w);
    date_write(w);
    buf_u64(&w->id_offsets, w->ids.len);
    writer_check_buf(w, &w->id_offsets);
    writer_section(w, SECTION_ID_OFFSETS, &w->id_offsets);
    writer_section(w, SECTION_IDS, &w->ids);
    id_table_write(w);
}
