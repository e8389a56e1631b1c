/* SPDX-License-Identifier: MIT
 *
 * prune_loops.c - the disjunctive loop over one segment, and what both loops end with.
 *
 * Disjunction.  Lists by falling largest contribution; S[i] is the most that lists i, i + 1, ...
 * can give together.  Pass i finds the documents whose first list is i:
 *
 *     stop when S[i] < threshold
 *     walk list i for bytes with weight_i * up[w] + S[i + 1] >= threshold
 *     for j > i: drop what score + S[j] cannot save, add list j
 *     drop documents that stand in an earlier list: their pass has seen them
 *
 * The first pass goes twice over its list, highest bytes first, so that the threshold is close
 * to its final value before most of the postings are looked at.
 *
 * The conjunctive loop is prune_and.c.
 */
#include "searcher/prune_count.h"
#include "searcher/prune_window.h"

enum {
    SHARPEN_FROM = 256, /* hits in the pool, beside 8 k, from which exact scores pay            */
    LONG_PART = 3,      /* lists in more than 1 / 3 of the documents are not added in windows    */
};

static void batch_keep_live(prune_state *s)
{
    prune_batch *b = &s->batch;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        b->docs[kept] = b->docs[i];
        b->scores[kept] = b->scores[i];
        kept += snapshot_live(s->part, b->docs[i]);
    }
    b->n = kept;
}

/* Live survivors of the batch, into the pool. */
void prune_deliver(prune_state *s, float margin)
{
    prune_batch *b = &s->batch;
    b->n = s->scan->keep_least(b->docs, b->scores, b->n, s->pool.threshold);
    for (uint32_t i = 0; i < s->n_not && b->n; i++) prune_exclude(s, s->not [i]);
    if (s->phrases.n_not) prune_phrase_exclude(s);
    if (s->part->dead.n_deleted) batch_keep_live(s);
    for (uint32_t i = 0; i < b->n; i++) segment_length_soon(s->part->seg, b->docs[i]);
    prune_pool_add_batch(&s->pool, b, margin, s->segment);
    if (s->pool.n < s->pool.tighten_at) return;
    prune_pool_tighten(&s->pool);
    if (s->pool.n > SHARPEN_FROM + 8 * s->pool.k) prune_sharpen(s);
}

void prune_or_finish(prune_state *s, uint32_t from, uint32_t before, const or_bounds *o,
                     float margin)
{
    prune_batch *b = &s->batch;
    for (uint32_t j = from; j < s->n_should && b->n; j++) {
        b->n = s->scan->keep_least(b->docs, b->scores, b->n, s->pool.threshold - o->rest[j]);
        prune_add(s, s->should[j]);
    }
    b->n = s->scan->keep_least(b->docs, b->scores, b->n, s->pool.threshold);
    for (uint32_t j = 0; j < before && b->n; j++) prune_exclude(s, s->should[j]);
    prune_deliver(s, margin);
    b->n = 0;
}

/* Postings of list i with a byte in [low, high]; the lower end rises with the threshold. */
static void or_walk(prune_state *s, uint32_t i, const or_bounds *o, unsigned low, unsigned high)
{
    prune_walk w = {.list = s->should[i]};
    for (bool more = true; more;) {
        unsigned need = prune_least_byte(s, w.list, s->pool.threshold - o->rest[i + 1]);
        if (need > low) low = need;
        if (low > high) return;
        more = prune_walk_fill(s, &w, (uint8_t)low, (uint8_t)high);
        prune_or_finish(s, i + 1, i, o, o->margin[i]);
    }
}

/* The k-th largest byte of a list, 0 when not stored. */
static uint8_t kth_byte(const prune_list *list, uint64_t k)
{
    return k <= 10 ? list->p.kth[0] : k <= 100 ? list->p.kth[1] : k <= 1000 ? list->p.kth[2] : 0;
}

/* Postings of a list that may not count: dead ones, and those that negated lists exclude. */
static uint64_t or_void(const prune_state *s, const prune_list *list)
{
    uint64_t n = list->p.df - count_live_df(s, list);
    for (uint32_t i = 0; i < s->n_not; i++) n += s->not [i] -> p.df;
    return n;
}

/* The k-th posting of a list alone is a lower bound; of k + n postings, n of which may be void, at
 * least k are good.  What filters let pass cannot be counted so. */
static void or_prime(prune_state *s)
{
    if (s->only) return;
    for (uint32_t i = 0; i < s->n_should; i++) {
        const prune_list *list = s->should[i];
        uint64_t rank = s->pool.k + or_void(s, list);
        float bound = list->weight * s->bounds->down[kth_byte(list, rank)];
        if (bound > s->pool.threshold) s->pool.threshold = bound;
    }
}

static void or_bounds_make(const prune_state *s, or_bounds *o)
{
    uint32_t n = s->n_should;
    o->rest[n] = o->margin[n] = 0;
    for (uint32_t i = n; i-- > 0;) {
        o->rest[i] = o->rest[i + 1] + s->should[i]->most;
        o->margin[i] = o->margin[i + 1] + s->should[i]->weight * s->bounds->gap;
    }
}

/* Must a document have one of lists 0 .. i, and is list i short enough for a window? */
static bool or_essential(const prune_state *s, const or_bounds *o, uint32_t i)
{
    const postings *p = &s->should[i]->p;
    return o->rest[i] >= s->pool.threshold && p->df < p->n_docs / LONG_PART;
}

/* The essential lists at once, where that is faster: they come to the front.  How many are done. */
static uint32_t or_window(prune_state *s, or_bounds *o)
{
    prune_list *others[PRUNE_LISTS_MAX];
    uint32_t n = 0, n_others = 0, lists = 0, sparse = 0;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->n_should; i++) {
        if (!or_essential(s, o, i)) continue;
        lists++;
        if (s->should[i]->p.kind == POSTINGS_DENSE) continue;
        sparse++;
        sum += s->should[i]->p.df;
    }
    if (!prune_window_pays(lists, sparse, sum)) return 0;
    for (uint32_t i = 0; i < s->n_should; i++) {
        if (or_essential(s, o, i))
            s->should[n++] = s->should[i];
        else
            others[n_others++] = s->should[i];
    }
    memcpy(s->should + n, others, n_others * sizeof *others);
    or_bounds_make(s, o);
    prune_pool_forget(&s->pool, s->segment);
    prune_window_run(s, n, o);
    return n;
}

/* The byte from which the first list is walked first; where not all documents pass, the k-th of
 * those that do stands further down. */
static unsigned or_split(const prune_state *s)
{
    const prune_list *first = s->should[0];
    if (!s->only) return kth_byte(first, s->pool.k);
    double passing = s->only->n, n = s->part->seg->info.n_docs;
    return prune_byte_of_rank(first, (double)s->pool.k * n / passing);
}

void prune_or(prune_state *s)
{
    or_bounds o;
    or_bounds_make(s, &o);
    or_prime(s);
    s->batch.n = 0;
    unsigned split = or_split(s);
    if (split > 1) or_walk(s, 0, &o, split, 255);
    prune_pool_tighten(&s->pool);
    uint32_t i = or_window(s, &o);
    if (i == 0) or_walk(s, i++, &o, 1, split > 1 ? split - 1 : 255);
    for (; i < s->n_should && o.rest[i] >= s->pool.threshold; i++) or_walk(s, i, &o, 1, 255);
}
