/* SPDX-License-Identifier: MIT
 * segment_writer_streams.c - positions and forms of one list, behind its postings (FORMAT.md,
 * "positions", "forms").  Takes the arrays of a segment_term, appends to e->region.
 *
 *   larger lists: u64 length, u32 offset[blocks], blocks      u64 bits, codes
 *   small lists:  the one block                               codes
 */
#include "common/codec/ef_string.h"
#include "common/codec/runs.h"
#include "indexer/segment_writer_parts.h"

enum { FEED_POSTINGS = 512 }; /* whose forms are asked for at a time                             */

static uint32_t position_most(const segment_encoder *e, uint32_t doc)
{
    return layout_position_most(encoder_dl(e, doc));
}

/* Where the strings of n postings begin, in bits; at[n]: where they end. */
static void measure(const segment_encoder *e, const segment_term *t, uint32_t first, uint32_t n,
                    uint64_t at[SEGMENT_BLOCK_MAX + 1])
{
    at[0] = 0;
    for (uint32_t i = 0; i < n; i++)
        at[i + 1] = at[i] + ef_string_size(t->tfs[first + i], position_most(e, t->docs[first + i]));
}

/* The strings of n postings to zeroed bytes; false when positions are not what they must be. */
static bool put_strings(const segment_encoder *e, const segment_term *t, uint32_t first, uint32_t n,
                        const uint32_t *positions, const uint64_t *at, uint8_t *dst)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t tf = t->tfs[first + i], most = position_most(e, t->docs[first + i]);
        if (tf - 1 > most || !ef_string_write(dst, at[i], positions, tf, most)) return false;
        positions += tf;
    }
    return true;
}

static void put_header(buf *out, uint32_t n, const uint64_t *at)
{
    uint32_t groups = (uint32_t)layout_groups(n, POSITION_GROUP);
    if (groups <= 1) return;
    bool narrow = at[(groups - 1) * POSITION_GROUP] <= UINT16_MAX;
    buf_u8(out, narrow ? 2 : 4);
    for (uint32_t g = 1; g < groups; g++) {
        if (narrow)
            buf_u16(out, (uint16_t)at[g * POSITION_GROUP]);
        else
            buf_u32(out, (uint32_t)at[g * POSITION_GROUP]);
    }
}

/* One block: header, then strings. */
static void put_block(segment_encoder *e, const segment_term *t, uint32_t first, uint32_t n,
                      const uint32_t *positions, buf *out)
{
    uint64_t at[SEGMENT_BLOCK_MAX + 1];
    measure(e, t, first, n, at);
    size_t used = (size_t)(at[n] / 8 + (at[n] % 8 != 0));
    if (at[n] > UINT32_MAX) {
        encoder_fail(e, PM_USAGE, "segment writer: more positions than a block can hold");
        return;
    }
    put_header(out, n, at);
    if (!buf_reserve(out, used + EF_STRING_SLACK)) return; /* the caller looks                */
    memset(out->data + out->len, 0, used + EF_STRING_SLACK);
    if (!put_strings(e, t, first, n, positions, at, out->data + out->len))
        encoder_fail(e, PM_USAGE, "segment writer: positions do not rise, or are too high");
    out->len += used;
}

/* Of the next `count` occurrences; *array is what is left of a list that has one. */
static const uint32_t *next_numbers(segment_encoder *e, const uint32_t **array, uint64_t count)
{
    const uint32_t *here = *array;
    if (!e->feed) {
        *array += count;
        return here;
    }
    here = e->feed->next(e->feed->ctx, count);
    if (!here) encoder_fail(e, PM_NOMEM, NULL);
    return here;
}

static void begin_feed(const segment_encoder *e, bool positions)
{
    if (e->feed) e->feed->begin(e->feed->ctx, positions);
}

static uint64_t block_count(const segment_term *t, uint32_t first, uint32_t n)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < n; i++) count += t->tfs[first + i];
    return count;
}

void region_positions(segment_encoder *e, const segment_term *t, uint32_t n_blocks)
{
    bool small = t->df <= e->info->block_size;
    buf *out = &e->region;
    const uint32_t *left = t->positions;
    size_t head = out->len;
    if (!small) buf_zero(out, 8 + 4 * (size_t)n_blocks);
    size_t start = out->len;
    begin_feed(e, true);
    for (uint32_t b = 0; b < n_blocks && !encoder_bad(e); b++) {
        uint32_t first = b * e->info->block_size, n = t->df - first;
        if (n > e->info->block_size) n = e->info->block_size;
        size_t at = out->len - start;
        if (at > UINT32_MAX)
            encoder_fail(e, PM_USAGE,
                         "a word has more positions than a segment can hold; use less --memory");
        if (!small && !out->failed) store_u32(out->data + head + 8 + 4 * (size_t)b, (uint32_t)at);
        const uint32_t *positions = next_numbers(e, &left, block_count(t, first, n));
        if (positions) put_block(e, t, first, n, positions, out);
    }
    if (!small && !out->failed) store_u64(out->data + head, out->len - start);
}

void region_positions_one(segment_encoder *e, const segment_term *t)
{
    uint32_t tf = t->tfs[0], most = position_most(e, t->docs[0]);
    uint64_t bits = ef_string_size(tf, most);
    size_t used = (size_t)(bits / 8 + (bits % 8 != 0));
    buf *out = &e->region;
    if (bits > UINT32_MAX) {
        encoder_fail(e, PM_USAGE, "segment writer: more positions than a block can hold");
        return;
    }
    if (!buf_reserve(out, used + EF_STRING_SLACK)) return; /* the caller looks                */
    memset(out->data + out->len, 0, used + EF_STRING_SLACK);
    if (tf - 1 > most || !ef_string_write(out->data + out->len, 0, t->positions, tf, most))
        encoder_fail(e, PM_USAGE, "segment writer: positions do not rise, or are too high");
    out->len += used;
}

/* Each number of the list to `take`, in pieces. */
static void each_form(segment_encoder *e, const segment_term *t, uint64_t cf, runs_coder *c,
                      void (*take)(runs_coder *c, const uint32_t *values, uint64_t n))
{
    const uint32_t *left = t->forms;
    begin_feed(e, false);
    if (!e->feed) {
        take(c, left, cf);
        return;
    }
    for (uint32_t i = 0; i < t->df && !encoder_bad(e);) {
        uint32_t n = t->df - i < FEED_POSTINGS ? t->df - i : FEED_POSTINGS;
        uint64_t count = block_count(t, i, n);
        const uint32_t *forms = next_numbers(e, &left, count);
        if (forms) take(c, forms, count);
        i += n;
    }
}

void region_forms(segment_encoder *e, const segment_term *t, uint64_t cf)
{
    size_t head = e->region.len;
    bool small = t->df <= e->info->block_size;
    runs_coder c = runs_coder_of(t->n_forms);
    if (!small) buf_u64(&e->region, 0);
    each_form(e, t, cf, &c, runs_measure);
    if (c.largest >= t->n_forms)
        encoder_fail(e, PM_USAGE, "segment writer: a form index is out of range");
    if (encoder_bad(e) || !runs_begin(&c, &e->region)) return; /* the caller looks              */
    each_form(e, t, cf, &c, runs_put);
    uint64_t bits = runs_end(&c, &e->region);
    if (!small) store_u64(e->region.data + head, bits);
}
