/* SPDX-License-Identifier: MIT
 *
 * prune_window.h - sums of several lists at once, by direct address: what the disjunctive loop
 * does when its lists are many or of like length.
 */
#ifndef PM_SEARCHER_PRUNE_WINDOW_H
#define PM_SEARCHER_PRUNE_WINDOW_H

#include "searcher/prune.h"

/* What lists can give from the j-th on, and by how much their upper bounds may be off. */
typedef struct or_bounds {
    float rest[PRUNE_LISTS_MAX + 1], margin[PRUNE_LISTS_MAX + 1];
} or_bounds;

/* Deliver what may be among the best k of the documents that stand in one of s->should[0, n). */
void prune_window_run(prune_state *s, uint32_t n, const or_bounds *b);
/* Memory for it; false when it is refused. */
bool prune_window_ready(prune_state *s);
/* Are so many lists better added than looked up in each other, when so many of them are not dense
 * and have so many postings together? */
bool prune_window_pays(uint32_t lists, uint32_t sparse, uint64_t n_postings);
/* value[byte], byte from 1 to `most`, rising, as offset + (slope * byte >> 8): a line through the
 * first and the last one, raised until it is below none.  True when it is nowhere more than
 * PRUNE_LINE_OFF above. */
enum { PRUNE_LINE_OFF = 4 };
bool prune_window_line(const uint16_t *value, unsigned most, uint16_t *slope, uint16_t *offset);
/* Test seam: windows of so many documents, a multiple of 512, wherever they are possible; 0: as
 * usual.  Process-wide. */
void prune_window_shrink(uint32_t docs);

/* Add lists from, from + 1, ... to the batch, drop what stands in lists [0, before), deliver
 * (prune_loops.c). */
void prune_or_finish(prune_state *s, uint32_t from, uint32_t before, const or_bounds *b,
                     float margin);

#endif
