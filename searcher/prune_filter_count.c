/* SPDX-License-Identifier: MIT
 *
 * prune_filter_count.c - live documents of a segment that match a flat query and pass its filters.
 *
 * By words of bitmaps within [lo, hi) where lists are dense; one list in an interval is a
 * difference of two ranks; a disjunction of many lists is marked chunk by chunk.
 */
#include "common/codec/bits.h"
#include "searcher/prune.h"

enum { BUCKET = 512, CHUNK = 1024 /* words, of the first-level cache */ };

/* The words that hold [lo, hi). */
static size_t first_word(const filter_set *f)
{
    return f->lo / 64;
}
static size_t end_word(const filter_set *f)
{
    return (size_t)(f->hi - 1) / 64 + 1;
}

/* Words [at, at + n) of a bitmap of matches: what does not pass, or is deleted, is cleared. */
static void keep_live_passing(const prune_state *s, uint64_t *words, size_t at, size_t n)
{
    const filter_set *f = s->only;
    const tombstones *dead = &s->part->dead;
    size_t have = dead->n_deleted ? dead->bits.len / 8 : 0;
    for (size_t i = 0; i < n && at + i < have; i++)
        words[i] &= ~load_u64(dead->bits.data + 8 * (at + i));
    if (f->bits) {
        s->scan->and_into(words, f->bits + at, n);
        return;
    }
    if (at == first_word(f)) words[0] &= UINT64_MAX << f->lo % 64;
    if (at + n == end_word(f)) words[n - 1] &= UINT64_MAX >> (63 - (f->hi - 1) % 64);
}

static uint64_t count_dense(prune_state *s, prune_list **lists, uint32_t n)
{
    uint64_t chunk[CHUNK], sum = 0;
    size_t end = end_word(s->only);
    for (size_t at = first_word(s->only); at < end; at += CHUNK) {
        size_t len = end - at < CHUNK ? end - at : CHUNK;
        memcpy(chunk, lists[0]->p.bits + at, len * 8);
        for (uint32_t i = 1; i < n; i++) s->scan->and_into(chunk, lists[i]->p.bits + at, len);
        keep_live_passing(s, chunk, at, len);
        sum += s->scan->total(chunk, len);
    }
    return sum;
}

static uint64_t count_walk(prune_state *s, prune_list **lists, uint32_t n)
{
    prune_batch *b = &s->batch;
    prune_walk w = {.list = lists[0]};
    uint64_t sum = 0;
    if (w.list->p.kind == POSTINGS_DENSE && n > 1) w.also = lists[1]->p.bits;
    b->n = 0;
    for (bool more = true; more;) {
        more = prune_walk_docs(s, &w);
        for (uint32_t i = 1; i < n && b->n; i++) {
            b->n = prune_probe(s, lists[i], b->docs, b->n, s->at, NULL);
            for (uint32_t k = 0; k < b->n; k++) b->docs[k] = b->docs[s->at[k]];
        }
        for (uint32_t i = 0; i < s->n_not && b->n; i++) prune_exclude(s, s->not [i]);
        for (uint32_t i = 0; i < b->n; i++) sum += snapshot_live(s->part, b->docs[i]);
        b->n = 0;
    }
    return sum;
}

/* Postings of a list below doc. */
static uint32_t rank_below(prune_state *s, prune_list *list, uint32_t doc)
{
    const postings *p = &list->p;
    uint32_t b = 0, i = 0;
    if (p->kind == POSTINGS_DENSE) {
        if (doc / BUCKET >= p->n_buckets) return p->df;
        return p->rank[doc / BUCKET] + bits_rank(p->bits + (size_t)doc / BUCKET * 8, doc % BUCKET);
    }
    if (p->kind == POSTINGS_SPARSE) b = s->scan->seek(p->last, 0, p->n_blocks, doc);
    if (b == p->n_blocks) return p->df;
    if (list->decoded != b) {
        list->n_docs = postings_decode_block(p, b, list->docs);
        list->decoded = b;
    }
    while (i < list->n_docs && list->docs[i] < doc) i++;
    return (p->kind == POSTINGS_SPARSE ? postings_block_rank(p, b) : 0) + i;
}

/* A sparse or small list, block by block against the bitmap. */
static uint64_t count_blocks(prune_state *s, prune_list *list)
{
    prune_walk w = {.list = list};
    uint64_t sum = 0;
    uint32_t words = prune_filter_words(s);
    prune_walk_begin(s, &w);
    for (; w.next < w.end; w.next++) {
        if (list->decoded != w.next) {
            list->n_docs = postings_decode_block(&list->p, w.next, list->docs);
            list->decoded = w.next;
        }
        sum += s->scan->bitmap_probe(s->only->bits, words, list->docs, list->n_docs, s->at);
    }
    return sum;
}

/* No deleted documents: a difference of ranks in an interval. */
static uint64_t count_one(prune_state *s, prune_list *list)
{
    if (s->only->bits)
        return list->p.kind == POSTINGS_DENSE ? count_dense(s, &list, 1) : count_blocks(s, list);
    uint32_t from = rank_below(s, list, s->only->lo), to = rank_below(s, list, s->only->hi);
    return to > from ? to - from : 0;
}

/* Lists by rising df, all of them wanted. */
static uint64_t count_and(prune_state *s, prune_list **lists, uint32_t n)
{
    if (n == 1 && !s->n_not && !s->part->dead.n_deleted) return count_one(s, lists[0]);
    bool dense = lists[0]->p.kind == POSTINGS_DENSE && !s->n_not;
    return dense ? count_dense(s, lists, n) : count_walk(s, lists, n);
}

/* ---- counting a disjunction ------------------------------------------------------------------ */

/* How far the postings of a sparse or small list have been marked. */
typedef struct marker {
    prune_list *list;
    uint32_t block, end, at;
} marker;

static void put_bits(const prune_state *s, uint64_t *chunk, const uint32_t *docs, uint32_t n,
                     uint32_t first, bool set)
{
    uint32_t at[SEGMENT_BLOCK_MAX + SCAN_SLACK];
    for (uint32_t i = 0; i < n; i++) at[i] = docs[i] - first;
    if (set) s->scan->bitmap_put(chunk, at, n);
    for (uint32_t i = 0; !set && i < n; i++) chunk[at[i] / 64] &= ~(UINT64_C(1) << at[i] % 64);
}

/* Mark or clear the documents of [first, last) in a chunk that starts with first. */
static void mark(const prune_state *s, marker *m, uint64_t *chunk, uint32_t first, uint64_t last,
                 bool set)
{
    prune_list *list = m->list;
    uint32_t end = last < UINT32_MAX ? (uint32_t)last : UINT32_MAX;
    for (; m->block < m->end; m->block++, m->at = 0) {
        if (list->decoded != m->block) {
            list->n_docs = postings_decode_block(&list->p, m->block, list->docs);
            list->decoded = m->block;
        }
        uint32_t from = s->scan->seek(list->docs, m->at, list->n_docs, first);
        m->at = s->scan->seek(list->docs, from, list->n_docs, end);
        put_bits(s, chunk, list->docs + from, m->at - from, first, set);
        if (m->at < list->n_docs) return;
    }
}

static void mark_all(prune_state *s, marker *markers, prune_list **lists, uint32_t n,
                     uint64_t *chunk, size_t at, size_t len, bool set)
{
    for (uint32_t i = 0; i < n; i++) {
        if (lists[i]->p.kind != POSTINGS_DENSE)
            mark(s, &markers[i], chunk, (uint32_t)at * 64, (uint64_t)(at + len) * 64, set);
        else if (set)
            s->scan->or_into(chunk, lists[i]->p.bits + at, len);
        else
            s->scan->andnot_into(chunk, lists[i]->p.bits + at, len);
    }
}

static void begin_markers(prune_state *s, marker *markers, prune_list **lists, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        prune_walk w = {.list = lists[i]};
        prune_walk_begin(s, &w);
        markers[i] = (marker){lists[i], w.next, w.end, 0};
    }
}

/* Chunk by chunk: all lists marked, negated ones cleared. */
static uint64_t count_marks(prune_state *s)
{
    uint64_t chunk[CHUNK], sum = 0;
    marker wanted[PRUNE_LISTS_MAX], refused[PRUNE_LISTS_MAX];
    size_t end = end_word(s->only);
    begin_markers(s, wanted, s->should, s->n_should);
    begin_markers(s, refused, s->not, s->n_not);
    for (size_t at = first_word(s->only); at < end; at += CHUNK) {
        size_t len = end - at < CHUNK ? end - at : CHUNK;
        memset(chunk, 0, len * sizeof *chunk);
        mark_all(s, wanted, s->should, s->n_should, chunk, at, len, true);
        mark_all(s, refused, s->not, s->n_not, chunk, at, len, false);
        keep_live_passing(s, chunk, at, len);
        sum += s->scan->total(chunk, len);
    }
    return sum;
}

/* Of few documents each is looked up in all lists. */
static uint64_t count_few(prune_state *s)
{
    const filter_set *f = s->only;
    uint64_t sum = 0;
    for (uint32_t at = 0; at < f->n; at += PRUNE_BATCH) {
        bool found[PRUNE_BATCH] = {false};
        uint32_t n = f->n - at < PRUNE_BATCH ? f->n - at : PRUNE_BATCH;
        for (uint32_t i = 0; i < s->n_should; i++) {
            uint32_t met = prune_probe(s, s->should[i], f->docs + at, n, s->at, NULL);
            for (uint32_t k = 0; k < met; k++) found[s->at[k]] = true;
        }
        for (uint32_t i = 0; i < s->n_not; i++) {
            uint32_t met = prune_probe(s, s->not [i], f -> docs + at, n, s -> at, NULL);
            for (uint32_t k = 0; k < met; k++) found[s->at[k]] = false;
        }
        for (uint32_t i = 0; i < n; i++) sum += found[i] && snapshot_live(s->part, f->docs[at + i]);
    }
    return sum;
}

static uint64_t count_or(prune_state *s)
{
    prune_list **lists = s->should;
    if (prune_few_pass(s)) return count_few(s);
    if (s->n_not || s->n_should > 2) return count_marks(s);
    if (s->n_should == 1) return count_and(s, lists, 1);
    if (s->part->dead.n_deleted) return count_marks(s);
    prune_list *pair[2] = {lists[0], lists[1]};
    if (pair[1]->p.df < pair[0]->p.df) pair[0] = lists[1], pair[1] = lists[0];
    uint64_t both = count_and(s, pair, 2);
    return count_and(s, lists, 1) + count_and(s, lists + 1, 1) - both;
}

uint64_t prune_count_passing(prune_state *s)
{
    return s->n_must ? count_and(s, s->must, s->n_must) : count_or(s);
}
