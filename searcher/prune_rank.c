/* SPDX-License-Identifier: MIT
 *
 * prune_rank.c - a flat query over all segments, and its candidates scored exactly.
 *
 * Exact scores are computed like the exhaustive loop's, term by term in query order, so that
 * they are equal to the bit; topk then ranks under the same total order.
 */
#include "common/base/sort.h"
#include "searcher/prune.h"

static int by_place(const void *a, const void *b)
{
    const prune_hit *x = a, *y = b;
    if (x->segment != y->segment) return x->segment < y->segment ? -1 : 1;
    return (x->doc > y->doc) - (x->doc < y->doc);
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

/* *found: how many of the words are in the document. */
static double exact_score(const prune_state *s, const uint32_t *order, uint32_t n,
                          const prune_hit *from, uint32_t *found)
{
    const plan *p = s->q->p;
    uint32_t doc = from->doc;
    double score = 0;
    uint32_t dl = segment_dl(s->part->seg, doc);
    double norm = plan_norm(p, dl);
    for (uint32_t i = 0; i < n; i++) {
        const prune_list *list = &s->lists[order[i]];
        bool decided = list->phrase != UINT32_MAX;
        uint32_t rank = decided ? 0 : prune_find(&list->p, doc);
        if (rank == UINT32_MAX) continue;
        ++*found;
        uint32_t tf = decided ? s->phrases.tfs[from->tfs + list->phrase] : postings_tf(&list->p, rank, dl);
        score += plan_contribution(p, &p->terms[list->word->term], tf, norm);
    }
    return score;
}

/* others: only documents that lack some word. */
static void push_exact(prune_state *s, topk *best, bool others)
{
    const prune_query *q = s->q;
    uint32_t order[PRUNE_LISTS_MAX], n = scoring_order(q, order), open = s->segment;
    if (q->p->snap->meta.n_segments > 1 && s->pool.n) {
        sort_items(s->pool.hits, s->pool.n, sizeof *s->pool.hits, by_place);
        open = UINT32_MAX;
    }
    for (size_t i = 0; i < s->pool.n; i++) {
        const prune_hit *from = &s->pool.hits[i];
        if (from->segment != open) prune_open(s, q, from->segment);
        open = from->segment;
        hit h = {.segment = open, .doc = from->doc};
        uint32_t found = 0;
        h.score = exact_score(s, order, n, from, &found);
        h.in_all = q->one_suffices || found == n;
        if (others && h.in_all) continue;
        h.seq = segment_seq(s->part->seg, from->doc);
        topk_push(best, &h);
    }
}

pm_status prune_rank(prune_state *s, const prune_query *q, uint64_t k, topk *best, bool others,
                     pm_error *err)
{
    prune_pool_begin(&s->pool, k);
    s->phrases.n_tfs = 0;
    for (uint32_t i = 0; i < q->p->snap->meta.n_segments; i++) {
        if (!prune_open(s, q, i)) continue;
        if (s->phrases.n_must) prune_phrase_rank(s);
        else if (q->n_must) prune_and(s);
        else prune_or(s);
    }
    prune_pool_tighten(&s->pool);
    if (s->pool.no_memory || s->phrases.scratch.no_memory) return error_nomem(err);
    push_exact(s, best, others);
    return snapshot_status(q->p->snap, err);
}

/* ---- the front --------------------------------------------------------------------------------- */

/* Do two readings of a plan require the same? */
static bool prune_query_same(const prune_query *a, const prune_query *b)
{
    return a->n_words == b->n_words && a->n_must == b->n_must && a->n_should == b->n_should;
}

/* One list of two parts: documents with every word, then the others.  When the first part
 * alone fills the page the second is not ranked at all. */
static pm_status rank_two_parts(prune_state *s, prune_query *all, prune_query *any, uint64_t k,
                                topk *best, pm_error *err)
{
    pm_status st = PM_OK;
    PM_TRY(prune_rank(s, all, k, best, false, err));
    size_t first = best->n;
    if (first >= k || all->one_suffices) goto out;
    PM_TRY(prune_rank(s, any, k + first, best, true, err));
out:
    return st;
}

static pm_status count_both(prune_state *s, prune_query *all, prune_query *any, rank_totals *totals,
                            pm_error *err)
{
    pm_status st = PM_OK;
    PM_TRY(prune_count(s, all, &totals->in_all, err));
    totals->matches = totals->in_all;
    if (any) PM_TRY(prune_count(s, any, &totals->matches, err));
out:
    return st;
}

pm_status rank_pruned(plan *p, uint64_t k, bool want_total, topk *best, prune_state *s,
                      rank_totals *totals, bool *done, pm_error *err)
{
    pm_status st = PM_OK;
    prune_query all, any;
    bool two = p->match != PM_MATCH_ALL, first_part_only = false;
    *done = false;
    *totals = (rank_totals){0};
    if (!prune_query_of(&all, p, true)) return PM_OK;
    if (two && !prune_query_of(&any, p, false)) {
        /* An optional phrase is ranked where it is required: when that fills the page. */
        if (p->match == PM_MATCH_ANY || want_total || !k) return PM_OK;
        first_part_only = true;
    }
    if (two && !first_part_only) two = !prune_query_same(&all, &any);
    if (k && !all.ranked) return PM_OK;
    if (!prune_state_ready(s, p->snap)) return error_nomem(err);
    if (all.n_phrases && !prune_phrases_ready(&s->phrases)) return error_nomem(err);
    uint64_t matches = p->cost < p->snap->n_docs ? p->cost : p->snap->n_docs;
    if (!topk_begin(best, k, matches, p->match == PM_MATCH_AUTO)) return error_nomem(err);
    if (k > best->k) k = best->k;
    if (first_part_only) {
        PM_TRY(prune_rank(s, &all, k, best, false, err));
        if (best->n < k) goto out;
    } else if (k && two && p->match == PM_MATCH_AUTO) PM_TRY(rank_two_parts(s, &all, &any, k, best, err));
    else if (k) PM_TRY(prune_rank(s, two ? &any : &all, k, best, false, err));
    topk_sort(best);
    if (want_total) PM_TRY(count_both(s, &all, two ? &any : NULL, totals, err));
    *done = true;
out:
    return st;
}
