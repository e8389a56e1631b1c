/* SPDX-License-Identifier: MIT
 *
 * rank_widened.c - a pruned answer for a query whose words have joined or split forms.
 *
 * Such forms change what a query matches, never a score, and only in the few documents that
 * have one.  So the narrow query (words as they stand) is ranked by the pruned loops, for
 * as many hits more as there are such documents; these are then taken out, each is evaluated
 * by itself with all forms, and what matches is merged in:
 *
 *     narrow, k + 2:  d7 d3 d9 d1 ...      with forms: d3, d5
 *     without them:   d7 d9 d1 ...         d3 and d5 evaluated: d5 matches now
 *     merged:         d7 d5 d9 ...
 *
 * The answer is rank_exhaustive's to the bit; where forms are many it is left to that.
 */
#include <stdlib.h>

#include "common/base/sort.h"
#include "searcher/prune.h"

enum { WIDENED_MAX = 4096 }; /* documents with a joined or split form at most             */

typedef struct widened {
    plan *p;
    match_set set;
    hit *docs; /* by segment and document, each once                      */
    size_t n;
    int64_t matches, in_all; /* by how much the forms change the totals                 */
} widened;

static int by_place(const void *a, const void *b)
{
    const hit *x = a, *y = b;
    if (x->segment != y->segment) return x->segment < y->segment ? -1 : 1;
    return (x->doc > y->doc) - (x->doc < y->doc);
}

static void gather_alternative(widened *w, uint32_t which, uint32_t segment_index, size_t room)
{
    matcher *m = &w->set.items[which];
    matcher_open(m, w->p, segment_index);
    while (w->n < room && matcher_next(m) != CURSOR_END)
        if (plan_admits(w->p, segment_index, m->doc))
            w->docs[w->n++] = (hit){.segment = segment_index, .doc = m->doc};
}

/* All documents with a form of some word; `room` is widening(p). */
static pm_status gather(widened *w, uint64_t room, pm_error *err)
{
    const plan *p = w->p;
    size_t kept = 0;
    w->docs = arena_alloc(p->a, (size_t)room * sizeof *w->docs);
    if (!w->docs) return error_nomem(err);
    for (uint32_t s = 0; s < p->snap->meta.n_segments; s++)
        for (uint32_t i = 0; i < p->q->n_leaves; i++)
            for (uint32_t k = 1; k < p->leaves[i].n_alts; k++)
                gather_alternative(w, p->leaves[i].alts[k], s, (size_t)room);
    sort_items(w->docs, w->n, sizeof *w->docs, by_place);
    for (size_t i = 0; i < w->n; i++)
        if (!kept || by_place(&w->docs[kept - 1], &w->docs[i])) w->docs[kept++] = w->docs[i];
    w->n = kept;
    return PM_OK;
}

/* Does the query match doc, with forms or (narrow) without? */
static bool evaluate(widened *w, uint32_t doc, bool narrow, bool *in_all)
{
    plan *p = w->p;
    p->narrow = narrow;
    *in_all = match_set_eval(&w->set, p->q->root, doc, false);
    bool yes =
        *in_all || (p->match != PM_MATCH_ALL && match_set_eval(&w->set, p->q->root, doc, true));
    p->narrow = false;
    return yes;
}

/* Keep, scored, the documents that match; count what the forms changed. */
static void evaluate_all(widened *w, bool scores)
{
    size_t kept = 0;
    uint32_t open = UINT32_MAX;
    for (size_t i = 0; i < w->n; i++) {
        hit h = w->docs[i];
        bool in_all, in_all_before;
        if (h.segment != open) match_set_open(&w->set, h.segment);
        open = h.segment;
        bool before = evaluate(w, h.doc, true, &in_all_before);
        bool now = evaluate(w, h.doc, false, &in_all);
        w->matches += (int)now - (int)before;
        w->in_all += (int)in_all - (int)in_all_before;
        if (!now || !scores) continue;
        h.in_all = in_all;
        h.score = match_set_score(&w->set, h.doc, NULL);
        h.seq = segment_seq(w->p->snap->segments[h.segment].seg, h.doc);
        h.dl = segment_dl(w->p->snap->segments[h.segment].seg, h.doc);
        w->docs[kept++] = h;
    }
    w->n = kept;
}

static bool has_form(const widened *w, size_t n, const hit *h)
{
    return n && bsearch(h, w->docs, n, sizeof *w->docs, by_place);
}

/* The narrow list without the documents that have forms, at most k, into the arena. */
static pm_status take_narrow(const widened *w, const topk *best, uint64_t k, hit **out, size_t *n,
                             pm_error *err)
{
    *n = 0;
    *out = arena_alloc(w->p->a, best->n * sizeof **out);
    if (!*out) return error_nomem(err);
    for (size_t i = 0; i < best->n && *n < k; i++)
        if (!has_form(w, w->n, &best->hits[i])) (*out)[(*n)++] = best->hits[i];
    return PM_OK;
}

static pm_status merge(widened *w, uint64_t k, topk *best, pm_error *err)
{
    pm_status st = PM_OK;
    hit *narrow;
    size_t n;
    PM_TRY(take_narrow(w, best, k, &narrow, &n, err));
    evaluate_all(w, true);
    if (!topk_begin(best, k, n + w->n, w->p->match == PM_MATCH_AUTO)) return error_nomem(err);
    for (size_t i = 0; i < n; i++) topk_push(best, &narrow[i]);
    for (size_t i = 0; i < w->n; i++) topk_push(best, &w->docs[i]);
    topk_sort(best);
out:
    return st;
}

/* Postings of all forms together. */
static uint64_t widening(const plan *p)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < p->q->n_leaves; i++)
        for (uint32_t k = 1; k < p->leaves[i].n_alts; k++)
            sum += p->matchers[p->leaves[i].alts[k]].cost;
    return sum;
}

static pm_status rank_narrow(plan *p, uint64_t k, bool want_total, topk *best, prune_state *s,
                             rank_totals *totals, bool *done, pm_error *err)
{
    p->narrow = true;
    pm_status st = rank_pruned(p, k, want_total, best, s, totals, done, err);
    p->narrow = false;
    return st;
}

pm_status rank_widened(plan *p, uint64_t k, bool want_total, topk *best, match_scratch *scratch,
                       prune_state *s, rank_totals *totals, bool *done, pm_error *err)
{
    pm_status st = PM_OK;
    widened w = {.p = p};
    uint64_t forms = p->n_terms ? widening(p) : 0;
    *done = false;
    if (!forms) return rank_narrow(p, k, want_total, best, s, totals, done, err);
    if (forms > WIDENED_MAX) return PM_OK;
    uint64_t more = k > UINT64_MAX - forms ? UINT64_MAX : k + forms;
    PM_TRY(rank_narrow(p, k ? more : 0, want_total, best, s, totals, done, err));
    if (!*done) goto out;
    scratch->no_memory = false;
    PM_TRY(match_set_init(&w.set, p, scratch, err));
    PM_TRY(gather(&w, forms, err));
    if (k)
        PM_TRY(merge(&w, k, best, err));
    else
        evaluate_all(&w, false);
    if (scratch->no_memory) {
        st = error_nomem(err);
        goto out;
    }
    if (want_total) {
        totals->matches += (uint64_t)w.matches;
        totals->in_all += (uint64_t)w.in_all;
    }
    st = snapshot_status(p->snap, err);
out:
    return st;
}
