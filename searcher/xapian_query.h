/* SPDX-License-Identifier: MIT
 *
 * xapian_query.h - a plan as Xapian queries: what matches, and what it scores.
 */
#ifndef PM_SEARCHER_XAPIAN_QUERY_H
#define PM_SEARCHER_XAPIAN_QUERY_H

#include "searcher/plan.h"
#include "searcher/xapian.h"

/* Queries of one plan; all of them are freed together. */
typedef struct xapian_query {
    xapian_handle *h;
    const plan *p;
    const pm_search_options *options;
    xap_query **made;
    size_t n_made, made_cap;
    const xap_query **parts; /* by plan term: what it adds to a score; NULL until asked for    */
    const xap_query *all;    /* every word required                                          */
    const xap_query *any;    /* the whole list, or NULL: it is `all`                         */
    const xap_query *rest;   /* of the list what is not in `all`; NULL: nothing              */
    double quantum;          /* parts of scores are multiples of this: their sums are exact  */
    bool by_xapian;          /* scored by Xapian's weights                                   */
    bool unpruned;           /* Xapian must score all that matches, to score it rightly      */
} xapian_query;

/* Fill all, any and rest; the struct is zeroed but for h, p, options and by_xapian. */
pm_status xapian_query_make(xapian_query *q, pm_error *err);
/* What plan term i adds to the score of the document with this id. */
pm_status xapian_query_part(xapian_query *q, size_t i, pm_text id, const xap_query **out,
                            pm_error *err);
void xapian_query_free(xapian_query *q);

#endif
