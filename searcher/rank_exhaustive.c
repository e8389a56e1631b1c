/* SPDX-License-Identifier: MIT
 *
 * rank_exhaustive.c - document at a time over every posting that can matter.
 *
 * In each segment the plan's drivers wait in a heap by their current document.  The least
 * document is taken, the tree is evaluated there, all terms are summed in query order, and
 * the drivers that stand there move on.  Where filters let through fewer documents than the
 * drivers have, those are walked instead.
 */
#include "searcher/rank.h"

typedef struct driver_heap {
    matcher **items;
    uint32_t n;
} driver_heap;

static void heap_sink(driver_heap *h, uint32_t at)
{
    matcher *moving = h->items[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= h->n) break;
        if (child + 1 < h->n && h->items[child + 1]->doc < h->items[child]->doc) child++;
        if (h->items[child]->doc >= moving->doc) break;
        h->items[at] = h->items[child];
        at = child;
    }
    h->items[at] = moving;
}

static void heap_fill(driver_heap *h, match_set *set)
{
    h->n = 0;
    for (uint32_t i = 0; i < set->n; i++)
        if (set->p->drivers[i] && matcher_next(&set->items[i]) != CURSOR_END)
            h->items[h->n++] = &set->items[i];
    for (uint32_t i = h->n / 2; i-- > 0;) heap_sink(h, i);
}

/* Move every driver off doc. */
static void heap_advance(driver_heap *h, uint32_t doc)
{
    while (h->n && h->items[0]->doc == doc) {
        if (matcher_next(h->items[0]) == CURSOR_END) h->items[0] = h->items[--h->n];
        if (h->n) heap_sink(h, 0);
    }
}

typedef struct rank_state {
    plan *p;
    match_set set;
    driver_heap heap;
    topk *best;
    rank_totals *totals;
} rank_state;

static void consider(rank_state *r, uint32_t segment_index, uint32_t doc)
{
    plan *p = r->p;
    const snapshot_segment *part = &p->snap->segments[segment_index];
    if (!plan_admits(p, segment_index, doc)) return;
    hit h = {.segment = segment_index, .doc = doc};
    h.in_all = match_set_eval(&r->set, p->q->root, doc, false);
    if (!h.in_all && (p->match == PM_MATCH_ALL || !match_set_eval(&r->set, p->q->root, doc, true)))
        return;
    r->totals->matches++;
    r->totals->in_all += h.in_all;
    if (!r->best->k) return;
    h.score = match_set_score(&r->set, doc, NULL);
    h.seq = segment_seq(part->seg, doc);
    h.dl = segment_dl(part->seg, doc);
    topk_push(r->best, &h);
}

static void rank_passing_docs(rank_state *r, uint32_t segment_index)
{
    const filter_set *f = &r->p->only[segment_index];
    uint32_t doc = filter_from(f, f->lo);
    for (; doc != UINT32_MAX; doc = filter_from(f, doc + 1)) consider(r, segment_index, doc);
}

static void rank_segment(rank_state *r, uint32_t segment_index)
{
    match_set_open(&r->set, segment_index);
    if (r->p->from_only) {
        rank_passing_docs(r, segment_index);
        return;
    }
    heap_fill(&r->heap, &r->set);
    while (r->heap.n) {
        uint32_t doc = r->heap.items[0]->doc;
        consider(r, segment_index, doc);
        heap_advance(&r->heap, doc);
    }
}

pm_status rank_exhaustive(plan *p, uint64_t k, topk *best, match_scratch *scratch,
                          rank_totals *totals, pm_error *err)
{
    pm_status st = PM_OK;
    rank_state r = {.p = p, .best = best, .totals = totals};
    memset(totals, 0, sizeof *totals);
    scratch->no_memory = false;
    uint64_t matches = p->cost < p->snap->n_docs ? p->cost : p->snap->n_docs;
    if (!topk_begin(best, k, matches, p->match == PM_MATCH_AUTO)) return error_nomem(err);
    if (!p->drivers) return PM_OK;
    PM_TRY(match_set_init(&r.set, p, scratch, err));
    r.heap.items = arena_alloc(p->a, p->n_matchers * sizeof(matcher *));
    if (!r.heap.items) {
        st = error_nomem(err);
        goto out;
    }
    for (uint32_t s = 0; s < p->snap->meta.n_segments; s++) rank_segment(&r, s);
    if (scratch->no_memory) {
        st = error_nomem(err);
        goto out;
    }
    PM_TRY(snapshot_status(p->snap, err));
    topk_sort(best);
out:
    return st;
}
