/* SPDX-License-Identifier: MIT
 * cursor.c - walking one posting list in document order; see cursor.h.  Takes an entry, gives
 * documents, term frequencies, positions and forms.
 *
 * States: before the first (block == UINT32_MAX), on a posting, after the last
 * (block >= n_blocks, block_n == 0, doc == CURSOR_END).
 */
#include "common/segment/cursor.h"

#include <assert.h>

#include "common/codec/bits.h"
#include "common/codec/kernels.h"
#include "common/codec/scan.h"
#include "common/segment/layout.h"
#include "common/segment/positions.h"

void cursor_open(cursor *c, segment *s, const term_entry *entry)
{
    postings_open(&c->list, s, entry);
    c->doc = CURSOR_END;
    c->rank = UINT32_MAX;
    c->block = UINT32_MAX;
    c->block_n = 0;
    c->block_first = 0;
    c->pos_rank = UINT32_MAX;
    c->wants_groups = false;
    c->tf_first = 0;
    c->tf_n = 0;
}

static uint32_t cursor_stop(cursor *c)
{
    c->block = c->list.n_blocks;
    c->block_n = 0;
    c->doc = CURSOR_END;
    return CURSOR_END;
}

/* Damage: the list is over for good. */
static uint32_t cursor_break(cursor *c, const char *what)
{
    segment_damaged(c->list.s, c->list.base, section_name(SECTION_POSTINGS), what);
    c->list.n_blocks = 0;
    return cursor_stop(c);
}

/* Decode block b and stand before its first posting. */
static bool cursor_load(cursor *c, uint32_t b)
{
    if (b >= c->list.n_blocks) {
        cursor_stop(c);
        return false;
    }
    uint32_t first = b == c->block + 1 && c->block_n ? c->block_first + c->block_n
                                                     : postings_block_rank(&c->list, b);
    uint32_t n = postings_decode_block(&c->list, b, c->docs);
    if (n == 0 || n > c->list.df - first) {
        cursor_break(c, "a block does not decode");
        return false;
    }
    if (c->doc != CURSOR_END && c->docs[0] <= c->doc) {
        cursor_break(c, "documents do not rise");
        return false;
    }
    c->block = b;
    c->block_first = first;
    c->block_n = n;
    return true;
}

static uint32_t cursor_stand(cursor *c, uint32_t i)
{
    c->rank = c->block_first + i;
    c->doc = c->docs[i];
    return c->doc;
}

uint32_t cursor_next(cursor *c)
{
    if (c->block_n && c->rank + 1 - c->block_first < c->block_n)
        return cursor_stand(c, c->rank + 1 - c->block_first);
    if (c->block != UINT32_MAX && c->block >= c->list.n_blocks) return cursor_stop(c);
    return cursor_load(c, c->block + 1) ? cursor_stand(c, 0) : CURSOR_END;
}

/* ---- seeking ------------------------------------------------------------------------------ */

/* First block from b on whose last document is >= target, by steps that double. */
static uint32_t sparse_block_for(const postings *p, uint32_t b, uint32_t target)
{
    uint32_t low = b, step = 1, high;
    for (high = b; high < p->n_blocks && p->last[high] < target; step *= 2) {
        low = high + 1;
        high = p->n_blocks - high > step ? high + step : p->n_blocks;
    }
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (p->last[mid] < target)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Block of the first posting >= target, or n_blocks. */
static uint32_t dense_block_for(const postings *p, uint32_t target)
{
    if (target >= p->n_docs) return p->n_blocks;
    uint32_t n_words = p->n_buckets * (BUCKET_DOCS / 64), word = target / 64;
    uint64_t bits = p->bits[word] & UINT64_MAX << target % 64;
    while (!bits && ++word < n_words) bits = p->bits[word];
    if (!bits) return p->n_blocks;
    uint32_t doc = word * 64 + bits_lowest(bits), bucket = doc / BUCKET_DOCS;
    uint64_t rank = (uint64_t)p->rank[bucket] +
                    kernels_get()->bucket_rank(p->bits + (size_t)bucket * (BUCKET_DOCS / 64),
                                               doc % BUCKET_DOCS);
    return (uint32_t)(rank / p->block_size);
}

/* Index of the first of docs[from, n) that is >= target, or n. */
static uint32_t lower_bound(const uint32_t *docs, uint32_t from, uint32_t n, uint32_t target)
{
    return scan_get()->seek(docs, from, n, target);
}

uint32_t cursor_seek(cursor *c, uint32_t target)
{
    const postings *p = &c->list;
    if (c->doc != CURSOR_END && c->doc >= target) return c->doc;
    if (c->block != UINT32_MAX && c->block >= p->n_blocks) return cursor_stop(c);
    if (c->block_n && c->docs[c->block_n - 1] >= target)
        return cursor_stand(c, lower_bound(c->docs, c->rank - c->block_first, c->block_n, target));
    uint32_t b = c->block + 1;
    if (p->kind == POSTINGS_SPARSE)
        b = sparse_block_for(p, b, target);
    else if (p->kind == POSTINGS_DENSE && p->n_blocks)
        b = dense_block_for(p, target);
    if (c->block != UINT32_MAX && b <= c->block) return cursor_break(c, "ranks do not rise");
    if (!cursor_load(c, b)) return CURSOR_END;
    uint32_t i = lower_bound(c->docs, 0, c->block_n, target);
    if (i < c->block_n) return cursor_stand(c, i);
    return p->kind == POSTINGS_SMALL ? cursor_stop(c) : cursor_break(c, "a block is out of place");
}

/* ---- values -------------------------------------------------------------------------------- */

static_assert((int)POSITION_GROUP == (int)POSTINGS_TF_MAX,
              "frequencies are recovered a group at a time");

/* Know the frequencies of the current posting's group up to it: passing over the positions of
 * the group takes all of them. */
static void group_tfs(cursor *c)
{
    uint32_t i = c->rank - c->block_first, from = i - i % POSITION_GROUP,
             want = i % POSITION_GROUP + 1;
    if (c->tf_first != c->block_first + from) c->tf_n = 0;
    c->tf_first = c->block_first + from;
    if (c->tf_n >= want) return;
    postings_tfs(&c->list, c->tf_first + c->tf_n, want - c->tf_n, c->docs + from + c->tf_n,
                 c->tfs + c->tf_n);
    c->tf_n = want;
}

uint32_t cursor_tf(cursor *c)
{
    if (c->doc == CURSOR_END) return 0;
    if (c->wants_groups) group_tfs(c);
    if (c->rank - c->tf_first < c->tf_n) return c->tfs[c->rank - c->tf_first];
    return postings_tf(&c->list, c->rank, segment_dl(c->list.s, c->doc));
}

uint8_t cursor_impact(const cursor *c)
{
    return c->doc == CURSOR_END ? 0 : c->list.impacts[c->rank];
}

/* ---- positions ----------------------------------------------------------------------------- */

/* Bits of the positions of a posting. */
static uint64_t string_size(const postings *p, uint32_t tf, uint32_t doc)
{
    return ef_string_size(tf, layout_position_most(segment_dl(p->s, doc)));
}

/* Set pos_at to the start of the current posting's positions, whose group's frequencies are
 * known up to it.  In a crafted file the groups' directory may differ from where the postings
 * before end; it is what counts. */
static bool positions_locate(cursor *c)
{
    const postings *p = &c->list;
    if (c->pos_rank == c->rank) return true;
    uint32_t i = c->rank - c->block_first, group = i / POSITION_GROUP;
    uint32_t from = c->block_first + group * POSITION_GROUP;
    if (c->pos_rank == UINT32_MAX || c->pos_rank < from || c->pos_rank > c->rank) {
        if (!position_group(p, c->block, c->block_n, group, &c->pos_bytes, &c->pos_at))
            return false;
        c->pos_rank = from;
    }
    for (uint32_t r = c->pos_rank; r < c->rank; r++)
        c->pos_at += string_size(p, c->tfs[r - from], c->docs[r - c->block_first]);
    c->pos_rank = c->rank;
    return true;
}

uint32_t cursor_positions(cursor *c, uint32_t *out, uint32_t cap)
{
    if (c->doc == CURSOR_END || !c->list.has_positions) return 0;
    c->wants_groups = true;
    uint32_t tf = cursor_tf(c);
    if (!positions_locate(c)) {
        c->pos_rank = UINT32_MAX;
        return 0;
    }
    uint32_t most = layout_position_most(segment_dl(c->list.s, c->doc));
    uint64_t end = c->pos_at + ef_string_size(tf, most);
    if (tf - 1 > most || end > 8 * (uint64_t)c->pos_bytes.len ||
        !group_get()->string_read(c->pos_bytes.data, c->pos_at, tf, most, out, cap)) {
        positions_damaged(&c->list, c->pos_bytes);
        c->pos_rank = UINT32_MAX;
        return 0;
    }
    /* Read on from here, but for the next group or block, which has an entry of its own. */
    uint32_t behind = c->rank + 1 - c->block_first;
    bool more = behind < c->block_n && behind % POSITION_GROUP;
    c->pos_rank = more ? c->rank + 1 : UINT32_MAX;
    c->pos_at = end;
    return tf;
}

/* ---- block by block ------------------------------------------------------------------------ */

uint32_t cursor_next_block(cursor *c)
{
    if (c->block != UINT32_MAX && c->block >= c->list.n_blocks) {
        cursor_stop(c);
        return 0;
    }
    if (!cursor_load(c, c->block + 1)) return 0;
    cursor_stand(c, c->block_n - 1);
    return c->block_n;
}

uint64_t cursor_block_tfs(const cursor *c, const uint32_t *lengths, uint32_t *tfs)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < c->block_n; i += POSTINGS_TF_MAX) {
        uint32_t n = c->block_n - i < POSTINGS_TF_MAX ? c->block_n - i : POSTINGS_TF_MAX;
        postings_tfs_of(&c->list, c->block_first + i, n, lengths + i, tfs + i);
    }
    for (uint32_t i = 0; i < c->block_n; i++) sum += tfs[i];
    return sum;
}

bool cursor_block_strings(const cursor *c, uint32_t i, slice *strings, uint64_t *at)
{
    return position_group(&c->list, c->block, c->block_n, i / POSITION_GROUP, strings, at);
}

/* ---- forms --------------------------------------------------------------------------------- */

/* The form bits of a small list follow its positions, whose end is that of the last group. */
static bool small_form_bits(const postings *p, slice *out)
{
    slice strings;
    uint64_t at;
    uint32_t docs[SEGMENT_BLOCK_MAX], tfs[POSTINGS_TF_MAX];
    if (!segment_touch_slice(p->s, p->position_bytes)) return false;
    uint32_t last = (uint32_t)layout_groups(p->df, POSITION_GROUP) - 1,
             from = last * POSITION_GROUP;
    if (!position_group_in(p, p->position_bytes, p->df, last, &strings, &at)) return false;
    if (!postings_decode_block(p, 0, docs)) return false;
    postings_tfs(p, from, p->df - from, docs + from, tfs);
    for (uint32_t i = from; i < p->df; i++) at += string_size(p, tfs[i - from], docs[i]);
    uint64_t used = at / 8 + (at % 8 != 0);
    if (used > strings.len) return positions_damaged(p, p->position_bytes);
    return slice_sub(strings, used, strings.len - used, out);
}

static void forms_damaged(form_stream *f, slice bits)
{
    segment_damaged(f->s, bits.data ? (uint64_t)(bits.data - f->s->file.data) : 0,
                    section_name(SECTION_POSTINGS), "forms do not decode");
    f->n_forms = 0;
}

void form_stream_open(form_stream *f, const postings *list)
{
    *f = (form_stream){.s = list->s, .n_forms = list->n_forms};
    if (list->n_forms <= 1) return;
    slice bits = list->form_bits;
    uint64_t n_bits = 0;
    if (list->kind == POSTINGS_SMALL) {
        if (list->has_positions && !small_form_bits(list, &bits)) return;
        if (!segment_touch_slice(list->s, bits)) return;
        n_bits = (uint64_t)bits.len * 8;
    } else {
        if (!segment_touch_slice(list->s, bits)) return;
        reader r = reader_of(bits);
        n_bits = read_u64(&r);
        bits = (slice){r.p, reader_left(&r)};
        if (r.bad || n_bits / 8 + (n_bits % 8 != 0) != bits.len) n_bits = UINT64_MAX;
    }
    if (!runs_open(&f->codes, bits, n_bits, f->n_forms)) forms_damaged(f, list->form_bits);
}

uint32_t form_stream_next(form_stream *f)
{
    uint32_t index;
    if (f->n_forms <= 1) return 0;
    if (runs_next(&f->codes, &index)) return index;
    forms_damaged(f, f->codes.bits);
    return 0;
}

bool form_stream_read(form_stream *f, uint32_t *out, uint64_t n)
{
    if (f->n_forms == 1) {
        memset(out, 0, n * sizeof *out);
        return true;
    }
    if (f->n_forms && runs_read(&f->codes, out, n)) return true;
    if (f->n_forms) forms_damaged(f, f->codes.bits);
    return false;
}
