/* SPDX-License-Identifier: MIT
 *
 * prune_exact.c - the candidates that are left, scored exactly.
 *
 * Scores are computed like the exhaustive loop's, term by term in query order, so that they
 * are equal to the bit; topk then ranks under the same total order.  Candidates are taken in
 * order of (segment, document) and in batches, so that each list is probed once a batch.
 */
#include "common/base/mem.h"
#include "common/codec/kernels.h"
#include "searcher/prune.h"

typedef struct exact_batch {
    uint32_t n;
    uint32_t docs[PRUNE_BATCH + SCAN_SLACK], lengths[PRUNE_BATCH], found[PRUNE_BATCH];
    double norms[PRUNE_BATCH], scores[PRUNE_BATCH];
} exact_batch;

/* ---- order ---------------------------------------------------------------------------------- */

static uint64_t place(const prune_hit *h)
{
    return (uint64_t)h->segment << 32 | h->doc;
}

/* End of the rising run that starts at `at`. */
static size_t run_end(const prune_hit *hits, size_t at, size_t n)
{
    for (at++; at < n && place(&hits[at - 1]) <= place(&hits[at]);) at++;
    return at;
}

static void merge_runs(const prune_hit *from, size_t mid, size_t n, prune_hit *to)
{
    size_t i = 0, j = mid;
    while (i < mid && j < n) *to++ = place(&from[i]) < place(&from[j]) ? from[i++] : from[j++];
    while (i < mid) *to++ = from[i++];
    while (j < n) *to++ = from[j++];
}

/* By segment and document.  Each pass of a loop delivers a rising run, so merging runs two by
 * two is near linear.  False: memory is refused. */
static bool sort_pool(prune_pool *pool)
{
    for (;;) {
        size_t n = pool->n, at = run_end(pool->hits, 0, n);
        if (at >= n) return true;
        if (!mem_grow(&pool->spare, &pool->spare_cap, n, sizeof *pool->spare)) return false;
        for (size_t start = 0; start < n; start = at) {
            size_t mid = run_end(pool->hits, start, n);
            at = mid < n ? run_end(pool->hits, mid, n) : n;
            merge_runs(pool->hits + start, mid - start, at - start, pool->spare + start);
        }
        prune_hit *swap = pool->hits;
        size_t cap = pool->cap;
        pool->hits = pool->spare;
        pool->cap = pool->spare_cap;
        pool->spare = swap;
        pool->spare_cap = cap;
    }
}

/* ---- scores ---------------------------------------------------------------------------------- */

/* Words that score, in query order. */
static uint32_t scoring_order(const prune_query *q, uint32_t *order)
{
    uint32_t n = 0;
    for (uint32_t term = 0; term < q->p->n_terms; term++)
        for (uint32_t i = 0; i < q->n_words; i++)
            if (q->words[i].term == term) order[n++] = i;
    return n;
}

static void batch_begin(exact_batch *b, const prune_state *s, const prune_hit *hits, uint32_t n)
{
    b->n = n;
    for (uint32_t i = 0; i < n; i++) b->docs[i] = hits[i].doc;
    segment_lengths(s->part->seg, b->docs, n, b->lengths);
    for (uint32_t i = 0; i < n; i++) {
        b->norms[i] = plan_norm(s->q->p, b->lengths[i]);
        b->scores[i] = 0;
        b->found[i] = 0;
    }
}

/* A phrase that positions have decided. */
static void add_phrase(exact_batch *b, const prune_state *s, const prune_list *list,
                       const plan_term *term, const prune_hit *hits)
{
    for (uint32_t i = 0; i < b->n; i++) {
        uint32_t tf = s->phrases.tfs[hits[i].tfs + list->phrase];
        b->scores[i] += plan_contribution(s->q->p, term, tf, b->norms[i]);
        b->found[i]++;
    }
}

/* Frequencies that the impact bytes do not give back; ranks rise, so exceptions are walked along.
 */
static void take_exceptions(const prune_state *s, const postings *p, uint32_t met,
                            const uint32_t *lengths, uint32_t *tfs)
{
    const uint32_t *ranks = (const uint32_t *)(const void *)p->exceptions.data;
    bool walk = p->kind != POSTINGS_SMALL && p->n_exceptions <= p->df;
    for (uint32_t k = 0, at = 0; p->n_exceptions && k < met; k++) {
        if (walk) at = s->scan->seek(ranks, at, p->n_exceptions, s->ranks[k]);
        if (!walk)
            tfs[k] = postings_tf(p, s->ranks[k], lengths[k]);
        else if (at < p->n_exceptions && ranks[at] == s->ranks[k] && ranks[p->n_exceptions + at])
            tfs[k] = ranks[p->n_exceptions + at];
    }
    for (uint32_t k = 0; k < met; k++) /* none given, and none to be had                      */
        if (tfs[k] == UINT32_MAX) tfs[k] = postings_tf(p, s->ranks[k], lengths[k]);
}

static void add_word(exact_batch *b, prune_state *s, prune_list *list, const plan_term *term)
{
    const postings *p = &list->p;
    const segment_info *info = &s->part->seg->info;
    const norm_scale scale = {info->k1, info->b, info->avgdl_ref};
    uint32_t lengths[PRUNE_BATCH], tfs[PRUNE_BATCH];
    uint32_t met = p->df ? prune_probe(s, list, b->docs, b->n, s->at, s->ranks) : 0;
    if (!met) return; /* of a word that is not in the segment no more than that is known       */
    for (uint32_t k = 0; k < met; k++) {
        s->bytes[k] = p->impacts[s->ranks[k]];
        lengths[k] = b->lengths[s->at[k]];
    }
    kernels_get()->impact_tf(s->bytes, lengths, met, &scale, tfs);
    take_exceptions(s, p, met, lengths, tfs);
    for (uint32_t k = 0; k < met; k++) {
        uint32_t i = s->at[k];
        b->scores[i] += plan_contribution(s->q->p, term, tfs[k], b->norms[i]);
        b->found[i]++;
    }
}

/* Hits of the open segment. */
static void batch_score(exact_batch *b, prune_state *s, const uint32_t *order, uint32_t n_words,
                        const prune_hit *hits, uint32_t n)
{
    batch_begin(b, s, hits, n);
    for (uint32_t i = 0; i < n_words; i++) {
        prune_list *list = &s->lists[order[i]];
        const plan_term *term = &s->q->p->terms[s->q->words[order[i]].term];
        if (list->phrase != UINT32_MAX)
            add_phrase(b, s, list, term, hits);
        else
            add_word(b, s, list, term);
    }
}

static void batch_push(const exact_batch *b, const prune_state *s, uint32_t n_words, topk *best,
                       bool others)
{
    for (uint32_t i = 0; i < b->n; i++) {
        hit h = {.score = b->scores[i], .segment = s->segment, .doc = b->docs[i]};
        h.dl = b->lengths[i];
        h.in_all = s->q->one_suffices || b->found[i] == n_words;
        if (others && h.in_all) continue;
        h.seq = segment_seq(s->part->seg, h.doc);
        topk_push(best, &h);
    }
}

/* The end of a batch that starts at `from`: one segment, PRUNE_BATCH hits at most. */
static size_t batch_end(const prune_pool *pool, size_t from)
{
    size_t to = from + 1;
    while (to < pool->n && to - from < PRUNE_BATCH &&
           pool->hits[to].segment == pool->hits[from].segment)
        to++;
    return to;
}

void prune_push_exact(prune_state *s, topk *best, bool others)
{
    const prune_query *q = s->q;
    uint32_t order[PRUNE_LISTS_MAX], n_words = scoring_order(q, order);
    exact_batch b;
    if (!sort_pool(&s->pool)) s->pool.no_memory = true;
    for (size_t from = 0, to; from < s->pool.n && !s->pool.no_memory; from = to) {
        const prune_hit *hits = s->pool.hits + from;
        to = batch_end(&s->pool, from);
        if (hits->segment != s->segment) prune_open(s, q, hits->segment);
        batch_score(&b, s, order, n_words, hits, (uint32_t)(to - from));
        batch_push(&b, s, n_words, best, others);
    }
}

void prune_sharpen(prune_state *s)
{
    uint32_t order[PRUNE_LISTS_MAX], n_words = scoring_order(s->q, order);
    exact_batch b;
    if (!sort_pool(&s->pool)) {
        s->pool.no_memory = true;
        return;
    }
    for (size_t from = 0, to; from < s->pool.n; from = to) {
        prune_hit *hits = s->pool.hits + from;
        to = batch_end(&s->pool, from);
        if (hits->segment != s->segment) continue;
        batch_score(&b, s, order, n_words, hits, (uint32_t)(to - from));
        for (uint32_t i = 0; i < b.n; i++) {
            float score = (float)b.scores[i];
            hits[i].least = score * (1 - 1e-6f);
            hits[i].most = score * (1 + 1e-6f);
        }
    }
    prune_pool_select(&s->pool);
}
