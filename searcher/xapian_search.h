/* SPDX-License-Identifier: MIT
 *
 * xapian_search.h - between asking Xapian and showing its hits.
 */
#ifndef PM_SEARCHER_XAPIAN_SEARCH_H
#define PM_SEARCHER_XAPIAN_SEARCH_H

#include "searcher/search.h"
#include "searcher/xapian_query.h"

/* One query's answer: the list, in one or two parts. */
typedef struct xapian_list {
    xapian_handle *h;
    xapian_query q;
    xap_hits *parts[2]; /* hits with every word, and the others; NULL: none were asked for     */
    uint64_t matches, in_all;
} xapian_list;

/* Hits [offset, offset + limit) into s->result. */
pm_status xapian_hits(pm_searcher *s, xapian_list *l, pm_error *err);

#endif
