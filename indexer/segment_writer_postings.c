/* SPDX-License-Identifier: MIT
 * segment_writer_postings.c - one posting list to the bytes of its region (FORMAT.md, "posting
 * lists").  Takes the arrays of a segment_term, gives e->region:
 *
 *   small          gaps, impacts, exceptions                          | positions | forms
 *   sparse, dense  head, documents, impacts, exceptions (8-aligned)   | positions | forms
 */
#include "common/codec/ef.h"
#include "indexer/segment_writer_parts.h"

enum { LENGTHS_AT_ONCE = 32 }; /* that are waited for together                               */

/* Impact bytes of the list, appended; postings that the byte does not give back go to
 * e->exceptions as pairs (u32 rank, u32 tf).  Returns where the bytes start. */
static size_t put_impacts(segment_encoder *e, const segment_term *t, buf *out)
{
    size_t start = out->len;
    buf_reset(&e->exceptions);
    if (!buf_reserve(out, t->df)) return start;
    for (uint32_t first = 0, n = 0; first < t->df; first += n) {
        uint32_t room[LENGTHS_AT_ONCE];
        n = t->df - first < LENGTHS_AT_ONCE ? t->df - first : LENGTHS_AT_ONCE;
        const uint32_t *lengths = encoder_lengths(e, t, first, n, room);
        for (uint32_t i = 0; i < n; i++) {
            bool exact;
            uint32_t tf = t->tfs[first + i];
            out->data[out->len++] = impact_memo_get(e, tf, lengths[i], &exact);
            if (exact) continue;
            buf_u32(&e->exceptions, first + i);
            buf_u32(&e->exceptions, tf);
        }
    }
    encoder_check_buf(e, &e->exceptions);
    return start;
}

/* ---- small ---------------------------------------------------------------------------------- */

static void put_small_exceptions(segment_encoder *e)
{
    uint32_t next = 0, n = (uint32_t)(e->exceptions.len / 8);
    buf_varint(&e->region, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t rank = load_u32(e->exceptions.data + (size_t)i * 8);
        buf_varint(&e->region, rank - next);
        buf_varint(&e->region, load_u32(e->exceptions.data + (size_t)i * 8 + 4));
        next = rank + 1;
    }
}

static void put_small(segment_encoder *e, const segment_term *t)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < t->df; i++) {
        buf_varint(&e->region, t->docs[i] - next);
        next = t->docs[i] + 1;
    }
    put_impacts(e, t, &e->region);
    if (!encoder_bad(e)) put_small_exceptions(e);
}

/* ---- longer lists: documents ----------------------------------------------------------------- */

static uint32_t block_len(const segment_encoder *e, const segment_term *t, uint32_t b)
{
    uint32_t left = t->df - b * e->info->block_size;
    return left < e->info->block_size ? left : e->info->block_size;
}

/* Append one block to e->words. */
static void put_ef_block(segment_encoder *e, const uint32_t *docs, uint32_t n, uint32_t base)
{
    ef_shape shape;
    uint32_t values[EF_BLOCK_MAX];
    for (uint32_t i = 0; i < n; i++) values[i] = docs[i] - base;
    if (!ef_shape_of(n, values[n - 1], &shape) || !buf_reserve(&e->words, (size_t)shape.words * 8))
        return;
    ef_encode(&shape, values, (uint64_t *)(void *)(e->words.data + e->words.len));
    e->words.len += (size_t)shape.words * 8;
}

static uint8_t largest(const uint8_t *bytes, uint32_t n)
{
    uint8_t max = 0;
    for (uint32_t i = 0; i < n; i++)
        if (bytes[i] > max) max = bytes[i];
    return max;
}

/* impacts: one byte a posting.  Returns the number of blocks. */
static uint32_t put_sparse(segment_encoder *e, const segment_term *t, const uint8_t *impacts)
{
    uint32_t bs = e->info->block_size, n_blocks = (uint32_t)layout_groups(t->df, bs);
    buf *out = &e->region;
    buf_reset(&e->words);
    buf_reset(&e->offsets);
    for (uint32_t b = 0; b < n_blocks; b++) {
        buf_u32(&e->offsets, (uint32_t)(e->words.len / 8));
        put_ef_block(e, t->docs + (size_t)b * bs, block_len(e, t, b),
                     b ? t->docs[(size_t)b * bs - 1] + 1 : 0);
    }
    encoder_check_buf(e, &e->words);
    encoder_check_buf(e, &e->offsets);
    for (uint32_t b = 0; b < n_blocks; b++)
        buf_u32(out, t->docs[(size_t)b * bs + block_len(e, t, b) - 1]);
    buf_append(out, e->offsets.data, e->offsets.len);
    for (uint32_t b = 0; b < n_blocks; b++) buf_u8(out, (uint8_t)(block_len(e, t, b) - 1));
    for (uint32_t b = 0; b < n_blocks; b++)
        buf_u8(out, largest(impacts + (size_t)b * bs, block_len(e, t, b)));
    buf_pad(out, 8);
    buf_append(out, e->words.data, e->words.len);
    return n_blocks;
}

static void put_dense(segment_encoder *e, const segment_term *t, const uint8_t *impacts)
{
    uint32_t buckets = (uint32_t)layout_groups(e->info->n_docs, BUCKET_DOCS), i = 0;
    buf *out = &e->region, *maxima = &e->words, *ranks = &e->offsets;
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
    encoder_check_buf(e, maxima);
    encoder_check_buf(e, ranks);
    buf_append(out, ranks->data, ranks->len);
    buf_append(out, maxima->data, maxima->len);
    buf_pad(out, 8);
}

/* ---- longer lists: the whole ------------------------------------------------------------- */

/* The largest, 10th, 100th and 1000th largest byte to `out`, which is zero where there are fewer.
 */
static void put_maxima(const uint8_t *impacts, uint32_t df, uint8_t out[4])
{
    static const uint32_t wanted[4] = {1, 10, 100, 1000};
    uint32_t counts[256] = {0}, above = 0;
    for (uint32_t i = 0; i < df; i++) counts[impacts[i]]++;
    for (unsigned v = 255; v > 0; v--) {
        above += counts[v];
        for (unsigned k = 0; k < 4; k++)
            if (!out[k] && above >= wanted[k]) out[k] = (uint8_t)v;
    }
}

static void put_large_exceptions(segment_encoder *e)
{
    for (unsigned column = 0; column < 2; column++)
        for (size_t i = 0; i < e->exceptions.len; i += 8)
            buf_append(&e->region, e->exceptions.data + i + 4 * column, 4);
}

/* Returns the number of blocks that positions follow. */
static uint32_t put_large(segment_encoder *e, const segment_term *t)
{
    bool dense = layout_is_dense(e->info, t->df);
    uint32_t n_blocks = (uint32_t)layout_groups(t->df, e->info->block_size);
    buf *impacts = &e->bytes;
    buf_reset(impacts);
    put_impacts(e, t, impacts);
    encoder_check_buf(e, impacts);
    buf_zero(&e->region, LIST_HEAD_BYTES);
    if (encoder_bad(e) || e->region.failed) return 0;
    if (dense)
        put_dense(e, t, impacts->data);
    else
        put_sparse(e, t, impacts->data);
    buf_append(&e->region, impacts->data, impacts->len);
    buf_pad(&e->region, 8);
    put_large_exceptions(e);
    if (encoder_bad(e) || e->region.failed) return 0;
    put_maxima(impacts->data, t->df, e->region.data);
    store_u32(e->region.data + 4, (uint32_t)(e->exceptions.len / 8));
    store_u32(e->region.data + 8, dense ? 0 : (uint32_t)(e->words.len / 8));
    store_u32(e->region.data + 12, dense ? 0 : n_blocks);
    return n_blocks;
}

uint32_t region_postings(segment_encoder *e, const segment_term *t)
{
    if (t->df > e->info->block_size) return put_large(e, t);
    put_small(e, t);
    return 1;
}
