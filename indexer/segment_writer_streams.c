/* SPDX-License-Identifier: MIT
 * segment_writer_streams.c - positions and forms of one list, behind its postings (FORMAT.md,
 * "positions", "forms").  Takes the arrays of a segment_term, appends to w->region.
 *
 *   larger lists: u64 length, u32 offset[blocks], blocks      u64 bits, codes
 *   small lists:  the one block                               codes
 */
#include "common/codec/ef_string.h"
#include "common/codec/runs.h"
#include "indexer/segment_writer_parts.h"

static uint32_t position_most(const segment_writer *w, uint32_t doc)
{
    return layout_position_most(load_u32(w->dl.data + (size_t)doc * 4));
}

/* Where the strings of n postings begin, by group; returns the bits of all. */
static uint64_t measure(const segment_writer *w, const segment_term *t, uint32_t first, uint32_t n,
                        uint64_t start[SEGMENT_BLOCK_MAX / POSITION_GROUP])
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i % POSITION_GROUP == 0) start[i / POSITION_GROUP] = at;
        at += ef_string_size(t->tfs[first + i], position_most(w, t->docs[first + i]));
    }
    return at;
}

/* The strings of n postings to zeroed bytes; false when positions are not what they must be. */
static bool put_strings(const segment_writer *w, const segment_term *t, uint32_t first, uint32_t n,
                        const uint32_t *positions, uint8_t *dst)
{
    uint64_t at = 0;
    for (uint32_t i = first; i < first + n; i++) {
        uint32_t most = position_most(w, t->docs[i]);
        if (t->tfs[i] - 1 > most || !ef_string_write(dst, at, positions, t->tfs[i], most))
            return false;
        at += ef_string_size(t->tfs[i], most);
        positions += t->tfs[i];
    }
    return true;
}

static void put_header(buf *out, uint32_t n, const uint64_t *start)
{
    uint32_t groups = (uint32_t)layout_groups(n, POSITION_GROUP);
    if (groups <= 1) return;
    bool narrow = start[groups - 1] <= UINT16_MAX;
    buf_u8(out, narrow ? 2 : 4);
    for (uint32_t g = 1; g < groups; g++) {
        if (narrow)
            buf_u16(out, (uint16_t)start[g]);
        else
            buf_u32(out, (uint32_t)start[g]);
    }
}

/* One block: header, then strings. */
static void put_block(segment_writer *w, const segment_term *t, uint32_t first, uint32_t n,
                      const uint32_t *positions, buf *out)
{
    uint64_t start[SEGMENT_BLOCK_MAX / POSITION_GROUP], bits = measure(w, t, first, n, start);
    buf *strings = &w->words;
    size_t used = (size_t)(bits / 8 + (bits % 8 != 0));
    if (bits > UINT32_MAX) {
        writer_fail(w, PM_USAGE, "segment writer: more positions than a block can hold");
        return;
    }
    buf_reset(strings);
    if (!buf_reserve(strings, used + EF_STRING_SLACK)) {
        writer_check_buf(w, strings);
        return;
    }
    memset(strings->data, 0, used + EF_STRING_SLACK);
    if (!put_strings(w, t, first, n, positions, strings->data)) {
        writer_fail(w, PM_USAGE, "segment writer: positions do not rise, or are too high");
        return;
    }
    put_header(out, n, start);
    buf_append(out, strings->data, used);
}

void region_positions(segment_writer *w, const segment_term *t, uint32_t n_blocks)
{
    bool small = t->df <= w->info.block_size;
    buf *out = small ? &w->region : &w->positions;
    const uint32_t *positions = t->positions;
    buf_reset(&w->offsets);
    if (!small) buf_reset(out);
    for (uint32_t b = 0; b < n_blocks && !writer_bad(w); b++) {
        uint32_t first = b * w->info.block_size, n = t->df - first;
        if (n > w->info.block_size) n = w->info.block_size;
        uint64_t count = 0;
        for (uint32_t i = 0; i < n; i++) count += t->tfs[first + i];
        if (out->len > UINT32_MAX)
            writer_fail(w, PM_USAGE,
                        "a word has more positions than a segment can hold; use less --memory");
        buf_u32(&w->offsets, (uint32_t)out->len);
        put_block(w, t, first, n, positions, out);
        positions += count;
    }
    if (small) return;
    writer_check_buf(w, out);
    writer_check_buf(w, &w->offsets);
    buf_u64(&w->region, out->len);
    buf_append(&w->region, w->offsets.data, w->offsets.len);
    buf_append(&w->region, out->data, out->len);
}

void region_forms(segment_writer *w, const segment_term *t, uint64_t cf)
{
    size_t head = w->region.len;
    bool small = t->df <= w->info.block_size;
    for (uint64_t i = 0; i < cf; i++)
        if (t->forms[i] >= t->n_forms) {
            writer_fail(w, PM_USAGE, "segment writer: a form index is out of range");
            return;
        }
    if (!small) buf_u64(&w->region, 0);
    uint64_t bits = runs_encode(&w->region, t->forms, cf, t->n_forms);
    if (!small && !w->region.failed) store_u64(w->region.data + head, bits);
}
