/* SPDX-License-Identifier: MIT
 *
 * topk.h - the best k hits seen so far, under a total order.
 *
 * Order: with parts, hits that have every word come first; then score, falling; then ingest
 * order, rising.  Sequence numbers are distinct, so the order is total and the outcome does
 * not depend on the order of arrival.
 */
#ifndef PM_SEARCHER_TOPK_H
#define PM_SEARCHER_TOPK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hit {
    double score;
    uint64_t seq;
    uint32_t segment, doc;
    bool in_all;
} hit;

/* A heap with the worst hit on top.  Valid when zeroed; memory is kept over topk_begin. */
typedef struct topk {
    hit *hits;
    size_t n, cap, k;
    bool parts;
} topk;

/* Room for k hits, of which at most `matches` will come; false when memory is refused. */
bool topk_begin(topk *t, uint64_t k, uint64_t matches, bool parts);
/* Would this hit enter now? */
bool topk_admits(const topk *t, const hit *h);
void topk_push(topk *t, const hit *h);
/* Best first; the heap is then a sorted array until topk_begin. */
void topk_sort(topk *t);
void topk_free(topk *t);

#endif
