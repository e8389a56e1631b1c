/* SPDX-License-Identifier: MIT
 *
 * rank.h - ranking: a plan in, the best hits and exact totals out.
 *
 * The exhaustive loop scores every matching document.  It is the definition of the answer:
 * whatever ranks faster must equal it.
 */
#ifndef PM_SEARCHER_RANK_H
#define PM_SEARCHER_RANK_H

#include "searcher/matcher.h"
#include "searcher/topk.h"

typedef struct rank_totals {
    uint64_t matches; /* live documents                                                 */
    uint64_t in_all;  /* of those, with every word                                      */
} rank_totals;

/* Fills *best with the first k hits, sorted. */
pm_status rank_exhaustive(plan *p, uint64_t k, topk *best, match_scratch *scratch,
                          rank_totals *totals, pm_error *err);

/* The same for a plan of filters alone: p->only without p->core. */
pm_status rank_passing(const plan *p, uint64_t k, topk *best, rank_totals *totals, pm_error *err);

/* All matchers of a plan, at work in one segment. */
typedef struct match_set {
    plan *p;
    matcher *items;
    uint32_t n;
} match_set;
pm_status match_set_init(match_set *set, plan *p, match_scratch *scratch, pm_error *err);
void match_set_open(match_set *set, uint32_t segment_index);
/* The tree's value at doc; `any`: plain neighbours are optional. */
bool match_set_eval(match_set *set, const query_node *node, uint32_t doc, bool any);
/* Score of doc; tfs (one a term of the plan, may be NULL) receives each term's tf. */
double match_set_score(match_set *set, uint32_t doc, uint32_t *tfs);

#endif
