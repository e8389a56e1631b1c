/* SPDX-License-Identifier: MIT
 *
 * explain.c - the parts of a hit's score, term by term.
 *
 * The parts come from the same function and in the same order as the score, so their sum,
 * taken in order, is the score bit for bit.
 */
#include "searcher/search.h"

pm_status explain_hit(match_set *set, uint32_t doc, arena *a, pm_hit *out, pm_error *err)
{
    const plan *p = set->p;
    uint32_t *tfs = arena_zalloc(a, p->n_terms * sizeof *tfs);
    pm_explain *parts = arena_zalloc(a, p->n_terms * sizeof *parts);
    size_t n = 0;
    if (!tfs || !parts) return error_nomem(err);
    match_set_score(set, doc, tfs);
    double norm = plan_norm(p, (uint32_t)out->dl);
    for (size_t i = 0; i < p->n_terms; i++) {
        const plan_term *t = &p->terms[i];
        if (!tfs[i]) continue;
        parts[n++] = (pm_explain){.term = t->label,
                                  .tf = tfs[i],
                                  .df = t->df,
                                  .idf = t->idf,
                                  .norm = norm,
                                  .weight = t->weight,
                                  .contribution = plan_contribution(p, t, tfs[i], norm)};
    }
    out->explain = parts;
    out->n_explain = n;
    return PM_OK;
}
