/* SPDX-License-Identifier: MIT
 * segment_writer_postings.c - one posting list to the bytes of its region (FORMAT.md, "posting
 * lists").  Takes the arrays of a segment_term, gives w->region:
 *
 *   small          gaps, impacts, exceptions                          | positions | forms
 *   sparse, dense  head, documents, impacts, exceptions (8-aligned)   | positions | forms
 */
#include "common/codec/bits.h"
#include "common/codec/ef.h"
#include "indexer/segment_writer_parts.h"

/* Impact bytes of the list, appended; postings that the byte does not give back go to
 * w->exceptions as pairs (u32 rank, u32 tf).  Returns where the bytes start. */
static size_t put_impacts(segment_writer *w, const segment_term *t, buf *out)
{
    size_t start = out->len;
    buf_reset(&w->exceptions);
    if (!buf_reserve(out, t->df)) return start;
    for (uint32_t i = 0; i < t->df; i++) {
        uint32_t dl = load_u32(w->dl.data + (size_t)t->docs[i] * 4);
        double norm = segment_norm(&w->info, dl);
        uint8_t impact = impact_encode(t->tfs[i], norm);
        out->data[out->len++] = impact;
        if (impact < 255 && impact_decode(impact, norm) == t->tfs[i]) continue;
        buf_u32(&w->exceptions, i);
        buf_u32(&w->exceptions, t->tfs[i]);
    }
    writer_check_buf(w, &w->exceptions);
    return start;
}

/* ---- small ---------------------------------------------------------------------------------- */

static void put_small_exceptions(segment_writer *w)
{
    uint32_t next = 0, n = (uint32_t)(w->exceptions.len / 8);
    buf_varint(&w->region, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t rank = load_u32(w->exceptions.data + (size_t)i * 8);
        buf_varint(&w->region, rank - next);
        buf_varint(&w->region, load_u32(w->exceptions.data + (size_t)i * 8 + 4));
        next = rank + 1;
    }
}

static void put_small(segment_writer *w, const segment_term *t)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < t->df; i++) {
        buf_varint(&w->region, t->docs[i] - next);
        next = t->docs[i] + 1;
    }
    put_impacts(w, t, &w->region);
    if (!writer_bad(w)) put_small_exceptions(w);
}

/* ---- longer lists: documents ----------------------------------------------------------------- */

static uint32_t block_len(const segment_writer *w, const segment_term *t, uint32_t b)
{
    uint32_t left = t->df - b * w->info.block_size;
    return left < w->info.block_size ? left : w->info.block_size;
}

/* Append one block to w->words. */
static void put_ef_block(segment_writer *w, const uint32_t *docs, uint32_t n, uint32_t base)
{
    ef_shape shape;
    uint32_t values[EF_BLOCK_MAX];
    for (uint32_t i = 0; i < n; i++) values[i] = docs[i] - base;
    if (!ef_shape_of(n, values[n - 1], &shape) || !buf_reserve(&w->words, (size_t)shape.words * 8))
        return;
    ef_encode(&shape, values, (uint64_t *)(void *)(w->words.data + w->words.len));
    w->words.len += (size_t)shape.words * 8;
}

static uint8_t largest(const uint8_t *bytes, uint32_t n)
{
    uint8_t max = 0;
    for (uint32_t i = 0; i < n; i++)
        if (bytes[i] > max) max = bytes[i];
    return max;
}

/* impacts: one byte a posting.  Returns the number of blocks. */
static uint32_t put_sparse(segment_writer *w, const segment_term *t, const uint8_t *impacts)
{
    uint32_t bs = w->info.block_size, n_blocks = (uint32_t)layout_groups(t->df, bs);
    buf *out = &w->region;
    buf_reset(&w->words);
    buf_reset(&w->offsets);
    for (uint32_t b = 0; b < n_blocks; b++) {
        buf_u32(&w->offsets, (uint32_t)(w->words.len / 8));
        put_ef_block(w, t->docs + (size_t)b * bs, block_len(w, t, b),
                     b ? t->docs[(size_t)b * bs - 1] + 1 : 0);
    }
    writer_check_buf(w, &w->words);
    writer_check_buf(w, &w->offsets);
    for (uint32_t b = 0; b < n_blocks; b++)
        buf_u32(out, t->docs[(size_t)b * bs + block_len(w, t, b) - 1]);
    buf_append(out, w->offsets.data, w->offsets.len);
    for (uint32_t b = 0; b < n_blocks; b++) buf_u8(out, (uint8_t)(block_len(w, t, b) - 1));
    for (uint32_t b = 0; b < n_blocks; b++)
        buf_u8(out, largest(impacts + (size_t)b * bs, block_len(w, t, b)));
    buf_pad(out, 8);
    buf_append(out, w->words.data, w->words.len);
    return n_blocks;
}

static void put_dense(segment_writer *w, const segment_term *t, const uint8_t *impacts)
{
    uint32_t buckets = (uint32_t)layout_groups(w->info.n_docs, BUCKET_DOCS), i = 0;
    buf *out = &w->region, *maxima = &w->words, *ranks = &w->offsets;
    size_t bits = out->len;
    buf_reset(maxima);
    buf_reset(ranks);
    buf_zero(out, (size_t)buckets * BUCKET_DOCS / 8);
    if (out->failed) return;
    for (uint32_t b = 0; b < buckets; b++) {
        uint32_t first = i;
        for (; i < t->df && t->docs[i] / BUCKET_DOCS == b; i++)
            out->data[bits + t->docs[i] / 8] |= (uint8_t)(1u << t->docs[i] % 8);
        buf_u32(ranks, first);
        buf_u8(maxima, largest(impacts + first, i - first));
    }
    writer_check_buf(w, maxima);
    writer_check_buf(w, ranks);
    buf_append(out, ranks->data, ranks->len);
    buf_append(out, maxima->data, maxima->len);
    buf_pad(out, 8);
}

/* ---- longer lists: the whole ------------------------------------------------------------- */

/* The largest, 10th, 100th and 1000th largest byte; 0 where there are fewer. */
static void put_maxima(const uint8_t *impacts, uint32_t df, uint8_t out[4])
{
    static const uint32_t wanted[4] = {1, 10, 100, 1000};
    uint32_t counts[256] = {0}, above = 0;
    memset(out, 0, 4);
    for (uint32_t i = 0; i < df; i++) counts[impacts[i]]++;
    for (unsigned v = 255; v > 0; v--) {
        above += counts[v];
        for (unsigned k = 0; k < 4; k++)
            if (!out[k] && above >= wanted[k]) out[k] = (uint8_t)v;
    }
}

static void put_large_exceptions(segment_writer *w)
{
    for (unsigned column = 0; column < 2; column++)
        for (size_t i = 0; i < w->exceptions.len; i += 8)
            buf_append(&w->region, w->exceptions.data + i + 4 * column, 4);
}

/* Returns the number of blocks that positions follow. */
static uint32_t put_large(segment_writer *w, const segment_term *t)
{
    bool dense = layout_is_dense(&w->info, t->df);
    uint32_t n_blocks = (uint32_t)layout_groups(t->df, w->info.block_size);
    buf *impacts = &w->positions; /* scratch: free until the positions are encoded        */
    buf_reset(impacts);
    put_impacts(w, t, impacts);
    writer_check_buf(w, impacts);
    buf_zero(&w->region, LIST_HEAD_BYTES);
    if (writer_bad(w) || w->region.failed) return 0;
    if (dense)
        put_dense(w, t, impacts->data);
    else
        put_sparse(w, t, impacts->data);
    buf_append(&w->region, impacts->data, impacts->len);
    buf_pad(&w->region, 8);
    put_large_exceptions(w);
    if (writer_bad(w) || w->region.failed) return 0;
    put_maxima(impacts->data, t->df, w->region.data);
    store_u32(w->region.data + 4, (uint32_t)(w->exceptions.len / 8));
    store_u32(w->region.data + 8, dense ? 0 : (uint32_t)(w->words.len / 8));
    store_u32(w->region.data + 12, dense ? 0 : n_blocks);
    return n_blocks;
}

void region_encode(segment_writer *w, const segment_term *t, uint64_t cf)
{
    bool small = t->df <= w->info.block_size;
    uint32_t n_blocks = 1;
    if (small)
        put_small(w, t);
    else
        n_blocks = put_large(w, t);
    if (writer_bad(w) || w->region.failed) return;
    w->positions_at = w->region.len;
    if (t->positions) region_positions(w, t, n_blocks);
    w->forms_at = w->region.len;
    if (t->n_forms > 1) region_forms(w, t, cf);
}
