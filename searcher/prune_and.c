/* SPDX-License-Identifier: MIT
 *
 * prune_and.c - the conjunctive loop over one segment.
 *
 * The rarest list leads, impacts first; the others are required in order of length, optional
 * lists add, negated lists drop.
 */
#include "searcher/prune.h"

typedef struct and_plan {
    float must_rest[PRUNE_LISTS_MAX + 1], should_rest[PRUNE_LISTS_MAX + 1];
    float margin;
} and_plan;

static void and_finish_batch(prune_state *s, const and_plan *a)
{
    prune_batch *b = &s->batch;
    for (uint32_t j = 1; j < s->n_must && b->n; j++) {
        b->n = s->scan->keep_least(b->docs, b->scores, b->n, s->pool.threshold - a->must_rest[j]);
        prune_require(s, s->must[j]);
    }
    for (uint32_t j = 0; j < s->n_should && b->n; j++) {
        b->n = s->scan->keep_least(b->docs, b->scores, b->n, s->pool.threshold - a->should_rest[j]);
        prune_add(s, s->should[j]);
    }
    prune_deliver(s, a->margin);
    b->n = 0;
}

void prune_and(prune_state *s)
{
    and_plan a = {.margin = 0};
    uint32_t n = s->n_must, m = s->n_should;
    a.should_rest[m] = 0;
    for (uint32_t i = m; i-- > 0;) a.should_rest[i] = a.should_rest[i + 1] + s->should[i]->most;
    a.must_rest[n] = a.should_rest[0];
    for (uint32_t i = n; i-- > 0;) a.must_rest[i] = a.must_rest[i + 1] + s->must[i]->most;
    for (uint32_t i = 0; i < n; i++) a.margin += s->must[i]->weight * s->bounds->gap;
    for (uint32_t i = 0; i < m; i++) a.margin += s->should[i]->weight * s->bounds->gap;
    prune_walk w = {.list = s->must[0]};
    if (w.list->p.kind == POSTINGS_DENSE && n > 1) w.also = s->must[1]->p.bits;
    s->batch.n = 0;
    for (bool more = true; more;) {
        unsigned low = prune_least_byte(s, w.list, s->pool.threshold - a.must_rest[1]);
        if (low > 255) return;
        more = prune_walk_fill(s, &w, (uint8_t)low, 255);
        and_finish_batch(s, &a);
    }
}
