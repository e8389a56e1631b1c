/* SPDX-License-Identifier: MIT
 * positions.c - where the positions of a posting are; see positions.h and FORMAT.md, "positions".
 */
#include "common/segment/positions.h"

#include <assert.h>

#include "common/codec/bits.h"
#include "common/segment/layout.h"

static_assert((int)POSITION_GROUP == (int)GROUP_MAX, "a group is what the kernels take at once");

bool positions_damaged(const postings *p, slice at)
{
    uint64_t off = at.data ? (uint64_t)(at.data - p->s->file.data) : p->base;
    segment_damaged(p->s, off, section_name(SECTION_POSTINGS), "positions do not decode");
    return false;
}

/* ---- blocks and groups --------------------------------------------------------------------- */

/* The bytes of block b's positions, verified. */
static bool position_block(const postings *p, uint32_t b, slice *out)
{
    *out = p->position_bytes;
    if (p->kind != POSTINGS_SMALL) {
        uint64_t start = load_u32(p->position_dir.data + 4 * (size_t)b),
                 end = p->position_bytes.len;
        if (b + 1 < p->n_blocks) end = load_u32(p->position_dir.data + 4 * ((size_t)b + 1));
        if (start > end || !slice_sub(p->position_bytes, start, end - start, out))
            return positions_damaged(p, p->position_dir);
    }
    return !out->len || segment_touched(p->s, (uint64_t)(out->data - p->s->file.data), out->len);
}

bool position_group_in(const postings *p, slice block, uint32_t n, uint32_t g, slice *strings,
                       uint64_t *at)
{
    *strings = block;
    *at = 0;
    if (n <= POSITION_GROUP) return true;
    uint64_t groups = layout_groups(n, POSITION_GROUP);
    unsigned width = block.len ? block.data[0] : 0;
    if ((width != 2 && width != 4) || block.len < 1 + width * (groups - 1))
        return positions_damaged(p, block);
    slice_sub(block, 1 + width * (groups - 1), block.len - 1 - width * (groups - 1), strings);
    if (g) {
        const uint8_t *entry = block.data + 1 + (size_t)width * (g - 1);
        *at = width == 2 ? load_u16(entry) : load_u32(entry);
    }
    return true;
}

bool position_group(const postings *p, uint32_t b, uint32_t n, uint32_t g, slice *strings,
                    uint64_t *at)
{
    slice block;
    if (!p->has_positions) return positions_damaged(p, (slice){NULL, 0});
    return position_block(p, b, &block) && position_group_in(p, block, n, g, strings, at);
}

/* ---- by rank ------------------------------------------------------------------------------- */

void position_reader_open(position_reader *r, const postings *list, const uint32_t *docs)
{
    const segment_info *info = &list->s->info;
    r->list = list;
    r->docs = list->kind == POSTINGS_SMALL ? docs : NULL;
    r->group = group_get();
    r->scale = group_scale_of(info->k1, info->b, info->avgdl_ref);
    r->lengths =
        (group_lengths){list->s->file.data + info->sections[SECTION_DL].off, info->dl_width};
    r->block_shift = list->block_size & (list->block_size - 1) ? 0 : bits_log2(list->block_size);
    r->exceptions_at = 0;
}

/* Block of a posting, its first rank and its number of postings. */
static uint32_t block_of(const position_reader *r, uint32_t rank, uint32_t *first, uint32_t *n)
{
    const postings *p = r->list;
    uint32_t b = 0;
    *first = 0;
    *n = p->df;
    if (p->n_blocks <= 1) return 0;
    if (p->uniform) {
        b = r->block_shift ? rank >> r->block_shift : rank / p->block_size;
        *first = b * p->block_size;
        *n = p->df - *first < p->block_size ? p->df - *first : p->block_size;
        return b;
    }
    while (rank - *first > p->count_1[b]) *first += p->count_1[b++] + 1u;
    *n = p->count_1[b] + 1u;
    return b;
}

/* Documents of part of a block: ranks [from, from + n) of it; only numbers is sure of them. */
static bool sparse_docs(const position_reader *r, uint32_t b, uint32_t from, uint32_t n,
                        uint32_t *out)
{
    const postings *p = r->list;
    uint64_t base = b ? (uint64_t)p->last[b - 1] + 1 : 0;
    ef_shape shape;
    return base <= p->last[b] && p->last[b] < p->n_docs &&
           ef_shape_of(p->count_1[b] + 1u, p->last[b] - (uint32_t)base, &shape) &&
           p->off[b] <= p->ef_words && shape.words <= p->ef_words - p->off[b] &&
           r->group->ef_group(&shape, p->ef + p->off[b], (uint32_t)base, from, n, out) == n;
}

/* ---- step 1: documents ---------------------------------------------------------------------- */

/* Documents of a dense list's group as far as the last one of it that is asked for. */
static bool dense_docs(const position_reader *r, position_slot *s, const uint32_t *ranks,
                       const uint32_t *docs, uint32_t n)
{
    uint32_t k = 0;
    while (k + 1 < n && ranks[k + 1] > ranks[k] && ranks[k + 1] - s->first < s->n &&
           docs[k + 1] < r->list->n_docs)
        k++;
    s->n = ranks[k] - s->first + 1;
    return r->group->bits_group(r->list->bits, docs[k], s->n - 1, s->numbers);
}

/* The group of posting ranks[0], whose document is docs[0]; n are asked for. */
static void slot_open(const position_reader *r, position_slot *s, const uint32_t *ranks,
                      const uint32_t *docs, uint32_t n)
{
    const postings *p = r->list;
    uint32_t block_first;
    s->block = block_of(r, ranks[0], &block_first, &s->block_n);
    uint32_t i = ranks[0] - block_first, from = i - i % POSITION_GROUP;
    s->group = i / POSITION_GROUP;
    s->first = block_first + from;
    s->n = s->block_n - from < POSITION_GROUP ? s->block_n - from : POSITION_GROUP;
    if (p->kind == POSTINGS_DENSE) {
        s->sound = dense_docs(r, s, ranks, docs, n);
    } else if (p->kind == POSTINGS_SPARSE) {
        s->sound = sparse_docs(r, s->block, from, s->n, s->numbers);
    } else {
        s->sound = true;
        memcpy(s->numbers, r->docs + from, s->n * sizeof *r->docs);
    }
    if (!s->sound) positions_damaged(p, (slice){NULL, 0});
    for (uint32_t k = 0; p->kind != POSTINGS_DENSE && k < s->n; k++)
        __builtin_prefetch(r->lengths.column + (size_t)r->lengths.width * s->numbers[k]);
    __builtin_prefetch(p->impacts + s->first);
    if (p->kind != POSTINGS_SMALL) __builtin_prefetch(p->position_dir.data + 4 * (size_t)s->block);
}

/* ---- step 2: frequencies --------------------------------------------------------------------- */

static bool slot_frequencies(position_reader *r, position_slot *s)
{
    const postings *p = r->list;
    uint32_t most = p->n_docs - 1, first = s->numbers[0], last = s->numbers[s->n - 1];
    uint64_t column = p->s->info.sections[SECTION_DL].off;
    if (last > most) last = most;
    if (first > last) first = last;
    if (!segment_touched(p->s, column + (uint64_t)first * r->lengths.width,
                         (uint64_t)(last - first + 1) * r->lengths.width))
        return false;
    r->group->group_tfs(p->impacts + s->first, s->numbers, s->n, first, last, r->lengths, &r->scale,
                        s->lengths, s->numbers);
    if (p->n_exceptions) postings_exceptions(p, s->first, s->n, &r->exceptions_at, s->numbers);
    r->group->string_starts(s->numbers, s->lengths, layout_position_most(0), s->n, s->starts);
    return true;
}

/* Where the group's strings begin is in the header of its block; both are on their way before
 * they are looked at. */
static void slot_ask(const position_reader *r, position_slot *s)
{
    if (!s->sound) return;
    s->sound = position_block(r->list, s->block, &s->strings);
    if (s->strings.len > 4 * s->group) __builtin_prefetch(s->strings.data + 2 * (size_t)s->group);
}

static void slot_measure(position_reader *r, position_slot *s)
{
    if (!s->sound) return;
    slice block = s->strings;
    s->sound = position_group_in(r->list, block, s->block_n, s->group, &s->strings, &s->start);
    if (!s->sound) return;
    if (s->start / 8 < s->strings.len) __builtin_prefetch(s->strings.data + s->start / 8);
    s->sound = slot_frequencies(r, s);
}

/* ---- step 3: places ----------------------------------------------------------------------- */

static void place_find(const position_reader *r, const position_slot *s, uint32_t rank,
                       position_place *out)
{
    const postings *p = r->list;
    uint32_t i = rank - s->first, tf = s->numbers[i], most = layout_position_most(s->lengths[i]);
    uint64_t at = s->start + s->starts[i];
    *out = (position_place){.bytes = s->strings.data, .at = at, .most = most};
    if (tf - 1 > most) {
        segment_damaged(p->s, p->base, section_name(SECTION_POSTINGS),
                        "more occurrences than the document has tokens");
    } else if (at + ef_string_size(tf, most) > 8 * (uint64_t)s->strings.len) {
        positions_damaged(p, s->strings);
    } else {
        uint64_t high = at + (uint64_t)tf * ef_string_low(tf, most);
        __builtin_prefetch(s->strings.data + at / 8);
        if (tf > 1) __builtin_prefetch(s->strings.data + high / 8);
        out->tf = tf;
    }
}

void positions_find(position_reader *r, position_scratch *scratch, const uint32_t *ranks,
                    const uint32_t *docs, uint32_t n, position_place *out)
{
    const postings *p = r->list;
    uint32_t n_slots = 0;
    for (uint32_t i = 0; i < n; i++) {
        position_slot *s = &scratch->slots[n_slots];
        bool sound = ranks[i] < p->df && docs[i] < p->n_docs && p->has_positions;
        bool known = n_slots && ranks[i] - s[-1].first < s[-1].n;
        scratch->slot_of[i] = known ? n_slots - 1 : n_slots;
        out[i].tf = sound;
        if (!sound || known) continue;
        slot_open(r, s, ranks + i, docs + i, n - i);
        n_slots++;
    }
    for (uint32_t i = 0; i < n_slots; i++) slot_ask(r, &scratch->slots[i]);
    for (uint32_t i = 0; i < n_slots; i++) slot_measure(r, &scratch->slots[i]);
    for (uint32_t i = 0; i < n; i++) {
        const position_slot *s = &scratch->slots[scratch->slot_of[i]];
        if (out[i].tf && s->sound)
            place_find(r, s, ranks[i], &out[i]);
        else
            out[i].tf = 0;
    }
}

bool position_read(const position_reader *r, const position_place *place, uint32_t *out)
{
    return r->group->string_read(place->bytes, place->at, place->tf, place->most, out, place->tf) ||
           positions_damaged(r->list, (slice){place->bytes + place->at / 8, 0});
}
