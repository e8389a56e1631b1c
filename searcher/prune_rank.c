/* SPDX-License-Identifier: MIT
 *
 * prune_rank.c - a flat query over all segments, and the two parts of an answer.
 */
#include "searcher/prune.h"

/* The best k of a flat query, exact, into *best (begun by the caller); others: only those that
 * lack some word. */
static pm_status rank_flat(prune_state *s, const prune_query *q, uint64_t k, topk *best,
                           bool others, pm_error *err)
{
    prune_pool_begin(&s->pool, k);
    if (s->pool.no_memory) return error_nomem(err);
    s->phrases.n_tfs = 0;
    for (uint32_t i = 0; i < q->p->snap->meta.n_segments; i++) {
        if (!prune_open(s, q, i)) continue;
        if (s->phrases.n_must) {
            prune_phrase_rank(s);
            continue;
        }
        if (s->phrases.counting && !(q->n_must && prune_and_counts(s)))
            s->phrases.counted += prune_count_open(s);
        if (q->n_must)
            prune_and(s);
        else if (prune_few_pass(s))
            prune_or_few(s);
        else
            prune_or_guessing(s);
    }
    prune_pool_tighten(&s->pool);
    if (s->pool.no_memory || s->phrases.scratch.no_memory) return error_nomem(err);
    prune_push_exact(s, best, others);
    return snapshot_status(q->p->snap, err);
}

/* ---- the front --------------------------------------------------------------------------- */

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
    PM_TRY(rank_flat(s, all, k, best, false, err));
    size_t first = best->n;
    if (first >= k || all->one_suffices) goto out;
    PM_TRY(rank_flat(s, any, k + first, best, true, err));
out:
    return st;
}

/* Either of two words: both less those that have both. */
static bool count_of_two(const prune_query *any, rank_totals *totals)
{
    const plan *p = any->p;
    if (any->n_words != 2 || any->n_should != 2 || any->n_phrases || p->only) return false;
    totals->matches =
        p->keys[any->words[0].key].df + p->keys[any->words[1].key].df - totals->in_all;
    return true;
}

/* The best k and the number of all of a query with phrases: positions are read once. */
static pm_status rank_and_count(prune_state *s, prune_query *q, uint64_t k, topk *best,
                                rank_totals *totals, pm_error *err)
{
    s->phrases.counting = true;
    s->phrases.counted = 0;
    pm_status st = rank_flat(s, q, k, best, false, err);
    s->phrases.counting = false;
    totals->in_all = totals->matches = s->phrases.counted;
    return st;
}

static pm_status count_both(prune_state *s, prune_query *all, prune_query *any, rank_totals *totals,
                            pm_error *err)
{
    pm_status st = PM_OK;
    if (any && all->p->total_only && all->p->match == PM_MATCH_ANY) {
        PM_TRY(prune_count(s, any, &totals->matches, err));
        goto out;
    }
    PM_TRY(prune_count(s, all, &totals->in_all, err));
    totals->matches = totals->in_all;
    if (any && !count_of_two(any, totals)) PM_TRY(prune_count(s, any, &totals->matches, err));
out:
    return st;
}

/* A page that is not full holds every match. */
static bool totals_on_page(const topk *best, uint64_t asked, bool two, rank_totals *totals)
{
    if (best->n >= asked) return false;
    totals->matches = best->n;
    for (size_t i = 0; i < best->n; i++) totals->in_all += !two || best->hits[i].in_all;
    return true;
}

/* The best k of one reading, or of two (any: NULL for one).  *want_total becomes false where all
 * were counted with them. */
static pm_status rank_page(prune_state *s, prune_query *all, prune_query *any, uint64_t k,
                           topk *best, bool *want_total, rank_totals *totals, pm_error *err)
{
    if (any && all->p->match == PM_MATCH_AUTO) return rank_two_parts(s, all, any, k, best, err);
    if (any || !*want_total || !(all->n_phrases || all->n_must))
        return rank_flat(s, any ? any : all, k, best, false, err);
    *want_total = false;
    return rank_and_count(s, all, k, best, totals, err);
}

pm_status rank_pruned(plan *p, uint64_t k, bool want_total, topk *best, prune_state *s,
                      rank_totals *totals, bool *done, pm_error *err)
{
    pm_status st = PM_OK;
    prune_query all, second, *any = NULL;
    bool first_part_only = false;
    uint64_t asked = k;
    *done = false;
    *totals = (rank_totals){0};
    if (!prune_query_of(&all, p, true)) return PM_OK;
    if (p->match != PM_MATCH_ALL && !prune_query_of(&second, p, false)) {
        /* An optional phrase is ranked where it is required: when that fills the page. */
        if (p->match == PM_MATCH_ANY || want_total || !k) return PM_OK;
        first_part_only = true;
    } else if (p->match != PM_MATCH_ALL && !prune_query_same(&all, &second)) {
        any = &second;
    }
    if (k && !all.ranked) return PM_OK;
    if (!prune_state_ready(s, p->snap)) return error_nomem(err);
    if (all.n_phrases && !prune_phrases_ready(&s->phrases)) return error_nomem(err);
    uint64_t matches = p->cost < p->snap->n_docs ? p->cost : p->snap->n_docs;
    if (!topk_begin(best, k, matches, p->match == PM_MATCH_AUTO)) return error_nomem(err);
    if (k > best->k) k = best->k;
    if (k) PM_TRY(rank_page(s, &all, any, k, best, &want_total, totals, err));
    if (first_part_only && best->n < k) goto out;
    topk_sort(best);
    if (want_total && !totals_on_page(best, asked, any != NULL, totals))
        PM_TRY(count_both(s, &all, any, totals, err));
    *done = true;
out:
    return st;
}
