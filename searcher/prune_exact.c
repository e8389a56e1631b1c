/* SPDX-License-Identifier: MIT
 *
 * prune_exact.c - the candidates that are left, scored exactly.
 *
 * Scores are computed like the exhaustive loop's, term by term in query order, so that they
 * are equal to the bit; topk then ranks under the same total order.  Candidates are taken in
 * order of (segment, document) and in batches, so that each list is probed once a batch.
 */
#include "common/base/sort.h"
#include "searcher/prune.h"

typedef struct exact_batch {
    uint32_t n;
    uint32_t docs[PRUNE_BATCH + SCAN_SLACK], lengths[PRUNE_BATCH], found[PRUNE_BATCH];
    double norms[PRUNE_BATCH], scores[PRUNE_BATCH];
} exact_batch;

static int by_place(const void *a, const void *b)
{
    const prune_hit *x = a, *y = b;
    if (x->segment != y->segment) return x->segment < y->segment ? -1 : 1;
    return (x->doc > y->doc) - (x->doc < y->doc);
}

static void sort_pool(prune_pool *pool)
{
    for (size_t i = 1; i < pool->n; i++)
        if (by_place(&pool->hits[i - 1], &pool->hits[i]) > 0) {
            sort_items(pool->hits, pool->n, sizeof *pool->hits, by_place);
            return;
        }
}

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
    for (uint32_t i = 0; i < n; i++) {
        b->docs[i] = hits[i].doc;
        b->lengths[i] = segment_dl(s->part->seg, hits[i].doc);
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

static void add_word(exact_batch *b, prune_state *s, prune_list *list, const plan_term *term)
{
    uint32_t met = list->p.df ? prune_probe(s, list, b->docs, b->n, s->at, s->ranks) : 0;
    for (uint32_t k = 0; k < met; k++) {
        uint32_t i = s->at[k];
        uint32_t tf = postings_tf(&list->p, s->ranks[k], b->lengths[i]);
        b->scores[i] += plan_contribution(s->q->p, term, tf, b->norms[i]);
        b->found[i]++;
    }
}

static void batch_push(const exact_batch *b, const prune_state *s, uint32_t n_words, topk *best, bool others)
{
    for (uint32_t i = 0; i < b->n; i++) {
        hit h = {.segment = s->segment, .doc = b->docs[i], .score = b->scores[i]};
        h.in_all = s->q->one_suffices || b->found[i] == n_words;
        if (others && h.in_all) continue;
        if (best->n == best->k && best->k && !best->parts && h.score < best->hits[0].score) continue;
        h.seq = segment_seq(s->part->seg, h.doc);
        topk_push(best, &h);
    }
}

void prune_push_exact(prune_state *s, topk *best, bool others)
{
    const prune_query *q = s->q;
    const prune_hit *hits = s->pool.hits;
    uint32_t order[PRUNE_LISTS_MAX], n_words = scoring_order(q, order);
    exact_batch b;
    sort_pool(&s->pool);
    for (size_t from = 0, to; from < s->pool.n; from = to) {
        for (to = from + 1; to < s->pool.n && to - from < PRUNE_BATCH; to++)
            if (hits[to].segment != hits[from].segment) break;
        if (hits[from].segment != s->segment) prune_open(s, q, hits[from].segment);
        batch_begin(&b, s, hits + from, (uint32_t)(to - from));
        for (uint32_t i = 0; i < n_words; i++) {
            prune_list *list = &s->lists[order[i]];
            const plan_term *term = &q->p->terms[q->words[order[i]].term];
            if (list->phrase != UINT32_MAX) add_phrase(&b, s, list, term, hits + from);
            else add_word(&b, s, list, term);
        }
        batch_push(&b, s, n_words, best, others);
    }
}
