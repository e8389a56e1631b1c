/* SPDX-License-Identifier: MIT
 * columns.c - what a segment knows about a document: length, ingest order, date; ids are in
 * ids.c.  Takes a document number, gives a value; anything out of range is recorded as damage
 * and answered by a harmless value.
 */
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

enum { LENGTHS_AHEAD = 16 }; /* documents whose lengths are asked for before their turn       */

static void length_soon(const segment *s, const uint32_t *docs, uint32_t n, uint32_t i)
{
    if (i < n && docs[i] < s->info.n_docs) segment_length_soon(s, docs[i]);
}

/* A page is asked for once while documents stay in it. */
void segment_lengths(segment *s, const uint32_t *docs, uint32_t n, uint32_t *out)
{
    uint64_t column = s->info.sections[SECTION_DL].off, page = UINT64_MAX;
    unsigned width = s->info.dl_width;
    for (uint32_t i = 0; n > 1 && i < LENGTHS_AHEAD; i++) length_soon(s, docs, n, i);
    for (uint32_t i = 0; i < n; i++) {
        length_soon(s, docs, n, i + LENGTHS_AHEAD);
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
