/* SPDX-License-Identifier: MIT
 *
 * prune_filter.c - filters inside the pruned loops.
 *
 * A walk hands out only what passes, so the loops need not know of filters.  Of an interval it
 * touches the blocks or buckets that meet it and no others, so a narrow one is faster than
 * none; a bitmap is asked for each document whose byte is large enough, before other lists are
 * probed.  Stored k-th impacts are no bound here: their documents may not pass.
 *
 * Instead a threshold is guessed from them, by the share of documents that pass: when as many hits
 * as wanted reach it, it was a bound; else the segment is looked through again without.
 *
 * Where a bitmap holds few documents, a disjunction starts from them: each is looked up in every
 * list, and no list is walked.
 */
#include <math.h>

#include "searcher/prune.h"

enum {
    BUCKET = 512,
    FEW = 16 /* postings of a disjunction for each document that passes, from which the
                documents are looked up instead of the postings walked                     */
};

/* ---- walking --------------------------------------------------------------------------------- */

void prune_walk_begin(const prune_state *s, prune_walk *w)
{
    const postings *p = &w->list->p;
    bool dense = p->kind == POSTINGS_DENSE;
    w->next = w->rank = 0;
    w->end = dense ? p->n_buckets : p->n_blocks;
    if (!s->only) return;
    if (dense) {
        w->next = s->only->lo / BUCKET;
        w->end = (s->only->hi - 1) / BUCKET + 1;
        if (s->only->bits && !w->also) w->also = s->only->bits;
        return;
    }
    if (p->kind != POSTINGS_SPARSE) return;
    w->next = s->scan->seek(p->last, 0, p->n_blocks, s->only->lo);
    w->end = s->scan->seek(p->last, w->next, p->n_blocks, s->only->hi - 1);
    if (w->end < p->n_blocks) w->end++;
    if (w->next < p->n_blocks) w->rank = postings_block_rank(p, w->next);
}

uint32_t prune_filter_words(const prune_state *s)
{
    return (s->part->seg->info.n_docs + BUCKET - 1) / BUCKET * 8;
}

void prune_keep_passing(prune_state *s, uint32_t from)
{
    const filter_set *f = s->only;
    prune_batch *b = &s->batch;
    uint32_t kept = from;
    if (from == b->n) return;
    if (f->bits) {
        uint32_t words = prune_filter_words(s);
        uint32_t n = s->scan->bitmap_probe(f->bits, words, b->docs + from, b->n - from, s->at);
        for (uint32_t i = 0; i < n; i++, kept++) {
            b->docs[kept] = b->docs[from + s->at[i]];
            b->scores[kept] = b->scores[from + s->at[i]];
        }
        b->n = kept;
        return;
    }
    if (b->docs[from] >= f->lo && b->docs[b->n - 1] < f->hi) return;
    for (uint32_t i = from; i < b->n; i++) {
        b->docs[kept] = b->docs[i];
        b->scores[kept] = b->scores[i];
        kept += filter_has(f, b->docs[kept]);
    }
    b->n = kept;
}

/* ---- from few documents ---------------------------------------------------------------------- */

bool prune_few_pass(const prune_state *s)
{
    uint64_t sum = 0;
    if (!s->only || !s->only->docs) return false;
    for (uint32_t i = 0; i < s->n_should; i++) sum += s->should[i]->p.df;
    return s->only->n < sum / FEW;
}

/* Those that no list has had drop out: every posting's bound is above zero. */
static void drop_unmet(prune_batch *b)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        b->docs[kept] = b->docs[i];
        b->scores[kept] = b->scores[i];
        kept += b->scores[i] > 0;
    }
    b->n = kept;
}

void prune_or_few(prune_state *s)
{
    prune_batch *b = &s->batch;
    float rest[PRUNE_LISTS_MAX + 1], margin = 0;
    rest[s->n_should] = 0;
    for (uint32_t i = s->n_should; i-- > 0;) {
        rest[i] = rest[i + 1] + s->should[i]->most;
        margin += s->should[i]->weight * s->bounds->gap;
    }
    for (uint32_t at = 0; at < s->only->n; at += PRUNE_BATCH) {
        b->n = s->only->n - at < PRUNE_BATCH ? s->only->n - at : PRUNE_BATCH;
        memcpy(b->docs, s->only->docs + at, b->n * sizeof *b->docs);
        memset(b->scores, 0, b->n * sizeof *b->scores);
        for (uint32_t i = 0; i < s->n_should && b->n; i++) {
            b->n = s->scan->keep_least(b->docs, b->scores, b->n, s->pool.threshold - rest[i]);
            prune_add(s, s->should[i]);
        }
        drop_unmet(b);
        prune_deliver(s, margin);
    }
    b->n = 0;
}

/* ---- a threshold guessed --------------------------------------------------------------------- */

/* What share of the documents counts, about; negated lists may take half of them. */
static double share_counting(const prune_state *s)
{
    double n = s->part->seg->info.n_docs;
    double passing = s->only ? s->only->n / n : 1;
    return passing * (1 - s->part->dead.n_deleted / n) * (s->n_not ? 0.5 : 1);
}

uint8_t prune_byte_of_rank(const prune_list *list, double rank)
{
    const uint8_t *kth = list->p.kth;
    double decade = rank > 10 ? log10(rank) - 1 : 0; /* of the rank, from the 10th on         */
    unsigned below = (unsigned)decade, next = below + 1;
    if (decade > 2 || !kth[below]) return 0;
    if (decade <= below) return kth[below];
    if (!kth[next]) return 0;
    return (uint8_t)(kth[below] - (decade - below) * (kth[below] - kth[next]));
}

/* A score that k documents likely reach: of the documents with some list's largest impacts twice
 * as many as are needed should count.  0: no guess. */
static float guess(const prune_state *s)
{
    double need = (2 * (double)s->pool.k + 8) / share_counting(s);
    float best = 0;
    for (uint32_t i = 0; i < s->n_should; i++) {
        const prune_list *list = s->should[i];
        float bound = list->weight * s->bounds->down[prune_byte_of_rank(list, need)];
        if (bound > best) best = bound;
    }
    return best;
}

void prune_or_guessing(prune_state *s)
{
    prune_pool *pool = &s->pool;
    bool primed = !s->only && !s->n_not && !s->part->dead.n_deleted;
    float least = primed || pool->n || pool->threshold > 0 ? 0 : guess(s);
    if (least > 0) {
        pool->threshold = least;
        prune_or(s);
        if (prune_pool_holds(pool, least)) return;
        pool->threshold = 0;
        pool->n = 0;
        prune_pool_forget(pool, s->segment);
        prune_open(s, s->q, s->segment); /* lists in their order, from their begin          */
    }
    prune_or(s);
}
