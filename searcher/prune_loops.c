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
#include "searcher/prune.h"

enum { SHARPEN_FROM = 256 }; /* hits in the pool, beside 8 k, from which exact scores pay    */

/* Live survivors of the batch, into the pool. */
void prune_deliver(prune_state *s, float margin)
{
    prune_batch *b = &s->batch;
    b->n = s->scan->keep_least(b->docs, b->scores, b->n, s->pool.threshold);
    for (uint32_t i = 0; i < s->n_not && b->n; i++) prune_exclude(s, s->not [i]);
    if (s->phrases.n_not) prune_phrase_exclude(s);
    for (uint32_t i = 0; i < b->n; i++) {
        if (!snapshot_live(s->part, b->docs[i])) continue;
        prune_hit one = {b->scores[i], b->scores[i] - margin, s->segment, b->docs[i], 0};
        prune_pool_add(&s->pool, one);
    }
    if (s->pool.n < s->pool.tighten_at) return;
    prune_pool_tighten(&s->pool);
    if (s->pool.n > SHARPEN_FROM + 8 * s->pool.k) prune_sharpen(s);
}

typedef struct or_pass {
    uint32_t i;        /* the list that leads                                       */
    const float *rest; /* rest[j]: what lists j, j + 1, ... can add                 */
    float margin;
} or_pass;

static void or_finish_batch(prune_state *s, const or_pass *pass)
{
    prune_batch *b = &s->batch;
    for (uint32_t j = pass->i + 1; j < s->n_should && b->n; j++) {
        b->n = s->scan->keep_least(b->docs, b->scores, b->n, s->pool.threshold - pass->rest[j]);
        prune_add(s, s->should[j]);
    }
    b->n = s->scan->keep_least(b->docs, b->scores, b->n, s->pool.threshold);
    for (uint32_t j = 0; j < pass->i && b->n; j++) prune_exclude(s, s->should[j]);
    prune_deliver(s, pass->margin);
    b->n = 0;
}

/* Postings of the leading list with a byte in [low, high]; the lower end rises with the
 * threshold. */
static void or_walk(prune_state *s, const or_pass *pass, unsigned low, unsigned high)
{
    prune_walk w = {.list = s->should[pass->i]};
    for (bool more = true; more;) {
        unsigned need = prune_least_byte(s, w.list, s->pool.threshold - pass->rest[pass->i + 1]);
        if (need > low) low = need;
        if (low > high) return;
        more = prune_walk_fill(s, &w, (uint8_t)low, (uint8_t)high);
        or_finish_batch(s, pass);
    }
}

/* The k-th largest byte of a list, 0 when not stored. */
static uint8_t kth_byte(const prune_list *list, uint64_t k)
{
    return k <= 10 ? list->p.kth[0] : k <= 100 ? list->p.kth[1] : k <= 1000 ? list->p.kth[2] : 0;
}

/* The k-th posting of a list alone is a lower bound, when all its postings are live and no
 * list excludes. */
static void or_prime(prune_state *s)
{
    if (s->part->dead.n_deleted || s->n_not || s->only) return;
    for (uint32_t i = 0; i < s->n_should; i++) {
        const prune_list *list = s->should[i];
        float bound = list->weight * s->bounds->down[kth_byte(list, s->pool.k)];
        if (bound > s->pool.threshold) s->pool.threshold = bound;
    }
}

void prune_or(prune_state *s)
{
    float rest[PRUNE_LISTS_MAX + 1], margin[PRUNE_LISTS_MAX + 1];
    uint32_t n = s->n_should;
    rest[n] = margin[n] = 0;
    for (uint32_t i = n; i-- > 0;) {
        rest[i] = rest[i + 1] + s->should[i]->most;
        margin[i] = margin[i + 1] + s->should[i]->weight * s->bounds->gap;
    }
    or_prime(s);
    s->batch.n = 0;
    for (uint32_t i = 0; i < n && rest[i] >= s->pool.threshold; i++) {
        or_pass pass = {i, rest, margin[i]};
        unsigned split = i == 0 ? kth_byte(s->should[0], prune_rank_of_kth(s)) : 0;
        if (split > 1) {
            or_walk(s, &pass, split, 255);
            prune_pool_tighten(&s->pool);
            or_walk(s, &pass, 1, split - 1);
        } else {
            or_walk(s, &pass, 1, 255);
        }
    }
}
