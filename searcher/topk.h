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
    uint32_t dl; /* its length                                                        */
    bool in_all;
} hit;

/* Valid when zeroed; memory is kept over topk_begin. */
typedef struct topk {
    hit *hits;
    uint64_t *keys;        /* scratch of the sort                                      */
    size_t n, cap, k;      /* n may pass k until topk_sort                             */
    size_t room, keys_cap; /* of the row                                               */
    bool parts;
    bool heap; /* hits is a heap with the worst one on top, not a row as they came     */
} topk;

/* Room for k hits, of which at most `matches` will come; false when memory is refused. */
bool topk_begin(topk *t, uint64_t k, uint64_t matches, bool parts);
/* Would this hit enter now? */
bool topk_admits(topk *t, const hit *h);
void topk_push(topk *t, const hit *h);
/* Best first; nothing can be pushed from then on until topk_begin. */
void topk_sort(topk *t);
void topk_free(topk *t);

#endif
