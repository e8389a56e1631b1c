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

static const char wrong_positions[] = "segment writer: positions do not rise, or are too high",
                  too_many_positions[] = "segment writer: more positions than a block can hold";

/* What is left of a list's positions, as numbers or as strings. */
typedef struct position_source {
    const uint32_t *numbers; /* NULL: strings, or the feed                                       */
    bit_string strings;
} position_source;

static uint64_t block_count(const segment_term *t, uint32_t first, uint32_t n)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < n; i++) count += t->tfs[first + i];
    return count;
}

/* Where the strings of n postings begin, in bits; at[n]: where they end.  False when a posting has
 * more occurrences than its document tokens. */
static bool measure(const uint32_t *tfs, const uint32_t *lengths, uint32_t n,
                    uint64_t at[SEGMENT_BLOCK_MAX + 1])
{
    at[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t most = layout_position_most(lengths[i]);
        if (tfs[i] - 1 > most) return false;
        at[i + 1] = at[i] + ef_string_size(tfs[i], most);
    }
    return true;
}

/* The strings of n postings to zeroed bytes; false when positions are not what they must be. */
static bool put_strings(const uint32_t *tfs, const uint32_t *lengths, uint32_t n,
                        const uint32_t *positions, const uint64_t *at, uint8_t *dst)
{
    for (uint32_t i = 0; i < n; positions += tfs[i++]) {
        uint32_t most = layout_position_most(lengths[i]);
        if (tfs[i] == 1 && positions[0] <= most)
            bits_or(dst, at[i], positions[0]); /* which is the string */
        else if (!ef_string_write(dst, at[i], positions, tfs[i], most))
            return false;
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

/* The next n bits that are there already. */
static bool next_bits(segment_encoder *e, uint64_t n, bit_string *left, bit_string *out)
{
    if (encoder_fed(e)) {
        if (!e->feed->next_strings(e->feed->ctx, n, out)) encoder_fail(e, PM_NOMEM, NULL);
        return !encoder_bad(e);
    }
    *out = (bit_string){left->bytes, left->at, n};
    if (n > left->n) return false;
    left->at += n;
    left->n -= n;
    return true;
}

/* One block: header, then strings. */
static void put_block(segment_encoder *e, const segment_term *t, uint32_t first, uint32_t n,
                      position_source *from, buf *out)
{
    uint64_t at[SEGMENT_BLOCK_MAX + 1];
    uint32_t room[SEGMENT_BLOCK_MAX];
    const uint32_t *tfs = t->tfs + first, *lengths = encoder_lengths(e, t, first, n, room);
    bit_string ready;
    if (!measure(tfs, lengths, n, at)) {
        encoder_fail(e, PM_USAGE, wrong_positions);
        return;
    }
    size_t used = (size_t)(at[n] / 8 + (at[n] % 8 != 0));
    if (at[n] > UINT32_MAX) {
        encoder_fail(e, PM_USAGE, too_many_positions);
        return;
    }
    put_header(out, n, at);
    if (!buf_reserve(out, used + EF_STRING_SLACK)) return; /* the caller looks                */
    uint8_t *dst = out->data + out->len;
    memset(dst, 0, used + EF_STRING_SLACK);
    if (from->numbers) {
        if (!put_strings(tfs, lengths, n, from->numbers, at, dst))
            encoder_fail(e, PM_USAGE, wrong_positions);
        from->numbers += block_count(t, first, n);
    } else if (next_bits(e, at[n], &from->strings, &ready)) {
        bits_copy(dst, 0, ready.bytes, ready.at, at[n]);
    } else {
        encoder_fail(e, PM_USAGE, wrong_positions);
    }
    out->len += used;
}

static position_source source_of(const segment_encoder *e, const segment_term *t)
{
    return (position_source){e->feed ? NULL : t->positions,
                             e->feed ? e->feed->strings : (bit_string){NULL, 0, 0}};
}

static void begin_feed(const segment_encoder *e, bool positions)
{
    if (encoder_fed(e)) e->feed->begin(e->feed->ctx, positions);
}

void region_positions(segment_encoder *e, const segment_term *t, uint32_t n_blocks)
{
    bool small = t->df <= e->info->block_size;
    buf *out = &e->region;
    position_source from = source_of(e, t);
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
        put_block(e, t, first, n, &from, out);
    }
    if (!small && !out->failed) store_u64(out->data + head, out->len - start);
}

void region_positions_one(segment_encoder *e, const segment_term *t, uint32_t dl)
{
    uint32_t tf = t->tfs[0], most = layout_position_most(dl);
    uint64_t bits = ef_string_size(tf, most);
    size_t used = (size_t)(bits / 8 + (bits % 8 != 0));
    buf *out = &e->region;
    if (bits > UINT32_MAX) {
        encoder_fail(e, PM_USAGE, too_many_positions);
        return;
    }
    if (!buf_reserve(out, used + EF_STRING_SLACK)) return; /* the caller looks                */
    uint8_t *dst = out->data + out->len;
    memset(dst, 0, used + EF_STRING_SLACK);
    bool sound = tf - 1 <= most && (!e->feed || bits <= e->feed->strings.n);
    if (sound && e->feed)
        bits_copy(dst, 0, e->feed->strings.bytes, e->feed->strings.at, bits);
    else if (sound)
        sound = ef_string_write(dst, 0, t->positions, tf, most);
    if (!sound) encoder_fail(e, PM_USAGE, wrong_positions);
    out->len += used;
}

/* Each number of the list to `take`, in pieces. */
static void each_form(segment_encoder *e, const segment_term *t, uint64_t cf, runs_coder *c,
                      void (*take)(runs_coder *c, const uint32_t *values, uint64_t n))
{
    begin_feed(e, false);
    if (!encoder_fed(e)) {
        take(c, t->forms, cf);
        return;
    }
    for (uint32_t i = 0; i < t->df && !encoder_bad(e);) {
        uint32_t n = t->df - i < FEED_POSTINGS ? t->df - i : FEED_POSTINGS;
        uint64_t count = block_count(t, i, n);
        const uint32_t *forms = e->feed->next_forms(e->feed->ctx, count);
        if (forms)
            take(c, forms, count);
        else
            encoder_fail(e, PM_NOMEM, NULL);
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
