/* SPDX-License-Identifier: MIT
 *
 * search.h - a searcher: everything one thread needs to answer queries, kept between them.
 */
#ifndef PM_SEARCHER_SEARCH_H
#define PM_SEARCHER_SEARCH_H

#include "common/segment/store.h"
#include "searcher/index.h"
#include "searcher/prune.h"
#include "searcher/snippet.h"
#include "searcher/source.h"

struct pm_searcher {
    pm_index *index; /* borrowed                                                 */
    analyzer *words;
    arena a; /* of the current query and its result                      */
    query q;
    plan p;
    topk best;
    match_scratch scratch;
    prune_state prune;
    filter_cache filters;
    snippeter snippets;
    store_cache records;
    buf source;                /* text of a hit that is not in its record                  */
    pm_search_options options; /* of the current query                                    */
    pm_result result;
};

/* hits.c: ranked hits [offset, offset + limit) with what the options ask for. */
pm_status hits_build(pm_searcher *s, pm_error *err);
/* Its parts, for records that come from elsewhere: `to` is zeroed, and texts that were not asked
 * for are empty, not NULL; title, date and the rest, with a snippet where wanted. */
void hits_begin(pm_hit *to, uint64_t rank);
pm_status hits_fields(pm_searcher *s, slice record, pm_article *article, pm_hit *to, pm_error *err);
/* explain.c: the parts of the score of a hit in the segment that the set is open in. */
pm_status explain_hit(match_set *set, uint32_t doc, arena *a, pm_hit *out, pm_error *err);

#endif
