/* SPDX-License-Identifier: MIT
 * segment_writer_tables.c - a document's columns: collected while documents come, written in
 * the narrowest width that holds them all (FORMAT.md, "document columns").
 */
#include "indexer/segment_writer_parts.h"

enum { DAY = 86400 };

/* While numbers count up there is no column, nor while no document has a date: most segments need
 * none, and their memory is for posting lists. */
static void seq_add(segment_writer *w, uint64_t seq)
{
    uint32_t doc = w->info.n_docs;
    if (!doc) w->first_seq = seq;
    if (w->seq.failed || (!w->seq.len && seq == w->first_seq + doc)) return;
    for (uint64_t i = w->seq.len / 8; i < doc; i++) buf_u64(&w->seq, w->first_seq + i);
    buf_u64(&w->seq, seq);
}

static void date_add(segment_writer *w, int64_t date)
{
    if (w->date.failed || (!w->date.len && date == INT64_MIN)) return;
    for (uint64_t i = w->date.len / 8; i < w->info.n_docs; i++)
        buf_u64(&w->date, (uint64_t)INT64_MIN);
    buf_u64(&w->date, (uint64_t)date);
}

void tables_add(segment_writer *w, const segment_doc *doc)
{
    if (doc->id_len == 0 || doc->id_len > SEGMENT_ID_MAX || w->info.n_docs >= SEGMENT_DOCS_MAX) {
        writer_fail(w, PM_USAGE, "segment writer: an impossible id, or too many documents");
        return;
    }
    buf_u32(&w->dl, doc->dl);
    seq_add(w, doc->seq);
    date_add(w, doc->date);
    ids_add(w, doc->id, doc->id_len);
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
    buf narrow = {.scratch = w->config.scratch};
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
    w->info.seq_base = w->first_seq;
    w->info.seq_width = 0;
    if (!w->seq.len) return;
    for (uint32_t doc = 0; doc < w->info.n_docs; doc++) {
        uint64_t seq = column_u64(&w->seq, doc);
        if (seq < low) low = seq;
        if (seq > high) high = seq;
    }
    w->info.seq_base = low;
    w->info.seq_width = high - low <= UINT32_MAX ? 4 : 8;
}

static void seq_write(segment_writer *w)
{
    buf column = {.scratch = w->config.scratch};
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
    bool any = w->date.len != 0, days = true, sorted = any;
    for (uint32_t doc = 0; any && doc < w->info.n_docs; doc++) {
        int64_t date = date_at(w, doc);
        if (date == INT64_MIN) {
            sorted = false;
            continue;
        }
        days &= date % DAY == 0 && date / DAY > INT32_MIN && date / DAY <= INT32_MAX;
        if (doc && date < date_at(w, doc - 1)) sorted = false;
    }
    w->info.dates_sorted = sorted;
    w->info.date_width = !any ? 0 : days ? 4 : 8;
}

static void date_write(segment_writer *w)
{
    buf column = {.scratch = w->config.scratch};
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

void tables_finish(segment_writer *w)
{
    lengths_write(w);
    seq_write(w);
    date_write(w);
    ids_finish(w);
}
