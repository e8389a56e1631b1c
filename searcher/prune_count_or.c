/* SPDX-License-Identifier: MIT
 *
 * prune_count_or.c - how many live documents stand in one of several lists, without scoring any.
 *
 * One list: its live df.  Two: the sum of their lengths less their conjunction.  More: either
 *
 *   apart   what the bitmaps have together, by words (one bitmap: its df); then for each other
 *           list, shortest first, the documents that stand in no longer one and in no bitmap;
 *           the longest list is never decoded as a whole unless there are bitmaps
 *   bitmap  all into a bitmap of the segment, whose ones are counted; for negated lists, too
 *
 * whichever costs less by the model of scan_costs.h.
 */
#include "common/base/mem.h"
#include "common/codec/bits.h"
#include "searcher/prune_count.h"

/* The lists of a disjunction. */
typedef struct or_lists {
    prune_list *dense[PRUNE_LISTS_MAX], *other[PRUNE_LISTS_MAX]; /* other: by rising df      */
    uint32_t n_dense, n_other;
} or_lists;

static void split_lists(prune_state *s, or_lists *l)
{
    l->n_dense = l->n_other = 0;
    for (uint32_t i = 0; i < s->n_should; i++) {
        prune_list *list = s->should[i];
        if (list->p.kind == POSTINGS_DENSE) {
            l->dense[l->n_dense++] = list;
            continue;
        }
        uint32_t at = l->n_other++;
        for (; at && l->other[at - 1]->p.df > list->p.df; at--) l->other[at] = l->other[at - 1];
        l->other[at] = list;
    }
}

/* ---- costs ------------------------------------------------------------------------------- */

static float decode_cost(const scan_costs *c, const prune_list *list)
{
    return list->p.kind == POSTINGS_SMALL ? 0 : c->decode * (float)list->p.n_blocks;
}

/* To probe a list with n documents. */
static float probe_cost(const scan_costs *c, const prune_list *list, float n)
{
    float blocks = (float)list->p.n_blocks, cost;
    if (blocks > n) blocks = n;
    scan_choose(c, n / blocks, list->p.kind == POSTINGS_SMALL, &cost);
    return blocks * cost;
}

static float apart_cost(const prune_state *s, const or_lists *l)
{
    const scan_costs *c = &s->scan->costs;
    float cost = l->n_dense > 1 ? c->word * (float)(l->n_dense * count_words(s)) : 0;
    for (uint32_t i = 0; i < l->n_other; i++) {
        float n = (float)l->other[i]->p.df;
        if (i + 1 < l->n_other || l->n_dense) cost += decode_cost(c, l->other[i]);
        cost += (c->probe + c->put) * n * (float)l->n_dense;
        for (uint32_t j = i + 1; j < l->n_other; j++) cost += probe_cost(c, l->other[j], n);
    }
    return cost;
}

/* Bitmaps are read, the segment's is written, counted and cleared. */
static float bitmap_cost(const prune_state *s, const or_lists *l)
{
    const scan_costs *c = &s->scan->costs;
    float cost = c->word * (float)((l->n_dense + 2) * count_words(s));
    for (uint32_t i = 0; i < l->n_other; i++)
        cost += decode_cost(c, l->other[i]) + c->put * (float)l->other[i]->p.df;
    return cost;
}

/* ---- apart ------------------------------------------------------------------------------- */

static uint64_t count_dense_or(prune_state *s, prune_list **lists, uint32_t n)
{
    uint64_t chunk[COUNT_CHUNK_WORDS], sum = 0;
    size_t words = count_words(s);
    if (n == 0) return 0;
    if (n == 1) return count_live_df(s, lists[0]);
    if (n == 2)
        return count_live_df(s, lists[0]) + count_live_df(s, lists[1]) - count_and(s, lists, 2);
    for (size_t at = 0; at < words; at += COUNT_CHUNK_WORDS) {
        size_t len = words - at < COUNT_CHUNK_WORDS ? words - at : COUNT_CHUNK_WORDS;
        memcpy(chunk, lists[0]->p.bits + at, len * 8);
        for (uint32_t i = 1; i < n; i++) s->scan->or_into(chunk, lists[i]->p.bits + at, len);
        count_keep_live(s, chunk, at, len);
        sum += s->scan->total(chunk, len);
    }
    return sum;
}

static void batch_keep_live(prune_state *s)
{
    prune_batch *b = &s->batch;
    uint32_t kept = 0;
    if (!s->part->dead.n_deleted) return;
    for (uint32_t i = 0; i < b->n; i++) {
        uint32_t doc = b->docs[i];
        b->docs[kept] = doc;
        kept += snapshot_live(s->part, doc);
    }
    b->n = kept;
}

/* Drop those of the batch that stand in the list. */
static void batch_forbid(prune_state *s, prune_list *list)
{
    prune_batch *b = &s->batch;
    uint32_t met = prune_probe(s, list, b->docs, b->n, s->at, NULL), kept = 0;
    s->at[met] = UINT32_MAX;
    for (uint32_t i = 0, k = 0; met && i < b->n; i++) {
        bool here = s->at[k] == i;
        b->docs[kept] = b->docs[i];
        k += here;
        kept += !here;
    }
    b->n -= met;
}

/* Documents of other[which] that stand in no later one and in no bitmap. */
static uint64_t count_only_here(prune_state *s, const or_lists *l, uint32_t which)
{
    uint64_t sum = 0;
    uint32_t later = l->n_other - which - 1, n = later + l->n_dense;
    prune_walk w = {.list = l->other[which]};
    prune_batch *b = &s->batch;
    b->n = 0;
    for (bool more = true; more;) {
        more = prune_walk_docs(s, &w);
        batch_keep_live(s);
        for (uint32_t i = 0; i < n && b->n; i++) {
            prune_list *list = i < later ? l->other[which + 1 + i] : l->dense[i - later];
            if (i + 1 < n)
                batch_forbid(s, list);
            else
                b->n -= prune_probe(s, list, b->docs, b->n, s->at, NULL);
        }
        sum += b->n;
        b->n = 0;
    }
    return sum;
}

static uint64_t count_lists_apart(prune_state *s, or_lists *l)
{
    uint64_t sum = count_dense_or(s, l->dense, l->n_dense);
    for (uint32_t i = 0; i < l->n_other; i++)
        sum += i + 1 == l->n_other && !l->n_dense ? count_live_df(s, l->other[i])
                                                  : count_only_here(s, l, i);
    return sum;
}

uint64_t count_or_apart(prune_state *s)
{
    or_lists l;
    split_lists(s, &l);
    return count_lists_apart(s, &l);
}

/* ---- bitmap ------------------------------------------------------------------------------ */

static void bitmap_clear(uint64_t *words, const uint32_t *docs, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) words[docs[i] / 64] &= ~(UINT64_C(1) << docs[i] % 64);
}

/* A list's documents into the segment's bitmap, or out of it. */
static void bitmap_add(prune_state *s, prune_list *list, bool set)
{
    const postings *p = &list->p;
    for (uint32_t b = 0; b < p->n_blocks; b++) {
        if (list->decoded != b) list->n_docs = postings_decode_block(p, b, list->docs);
        list->decoded = b;
        if (set)
            s->scan->bitmap_put(s->bitmap, list->docs, list->n_docs);
        else
            bitmap_clear(s->bitmap, list->docs, list->n_docs);
    }
}

static bool bitmap_ready(prune_state *s, size_t words)
{
    size_t had = s->bitmap_words;
    if (!mem_grow(&s->bitmap, &s->bitmap_words, words, sizeof *s->bitmap)) {
        s->pool.no_memory = true;
        return false;
    }
    if (s->bitmap_words > had) memset(s->bitmap + had, 0, (s->bitmap_words - had) * 8);
    return true;
}

/* All lists into the bitmap, sparse ones by their postings; negated ones taken out.  Chunk by
 * chunk, so that the chunk stays in the first-level cache. */
uint64_t count_or_bitmap(prune_state *s)
{
    size_t words = count_words(s);
    uint64_t sum = 0;
    if (!bitmap_ready(s, words)) return 0;
    for (uint32_t i = 0; i < s->n_should; i++)
        if (s->should[i]->p.kind != POSTINGS_DENSE) bitmap_add(s, s->should[i], true);
    for (size_t at = 0; at < words; at += COUNT_CHUNK_WORDS) {
        size_t len = words - at < COUNT_CHUNK_WORDS ? words - at : COUNT_CHUNK_WORDS;
        uint64_t *chunk = s->bitmap + at;
        for (uint32_t i = 0; i < s->n_should; i++)
            if (s->should[i]->p.kind == POSTINGS_DENSE)
                s->scan->or_into(chunk, s->should[i]->p.bits + at, len);
        for (uint32_t i = 0; i < s->n_not; i++)
            if (s->not [i] -> p.kind == POSTINGS_DENSE)
                s->scan->andnot_into(chunk, s->not [i] -> p.bits + at, len);
        count_keep_live(s, chunk, at, len);
    }
    for (uint32_t i = 0; i < s->n_not; i++)
        if (s->not [i] -> p.kind != POSTINGS_DENSE) bitmap_add(s, s->not [i], false);
    sum = s->scan->total(s->bitmap, words);
    memset(s->bitmap, 0, words * 8);
    return sum;
}

/* ---- the front --------------------------------------------------------------------------- */

uint64_t count_or(prune_state *s)
{
    prune_list **lists = s->should;
    if (s->n_not) return count_or_bitmap(s);
    if (s->n_should == 1) return count_live_df(s, lists[0]);
    if (s->n_should == 2) {
        prune_list *pair[2] = {lists[0], lists[1]};
        if (pair[1]->p.df < pair[0]->p.df) pair[0] = lists[1], pair[1] = lists[0];
        return count_live_df(s, lists[0]) + count_live_df(s, lists[1]) - count_and(s, pair, 2);
    }
    or_lists l;
    split_lists(s, &l);
    return apart_cost(s, &l) < bitmap_cost(s, &l) ? count_lists_apart(s, &l) : count_or_bitmap(s);
}
