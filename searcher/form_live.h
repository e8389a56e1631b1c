/* SPDX-License-Identifier: MIT
 *
 * form_live.h - surface forms as if deleted documents had never been: a segment's dictionary of
 * forms counts these, too, until a merge leaves them out.
 */
#ifndef PM_SEARCHER_FORM_LIVE_H
#define PM_SEARCHER_FORM_LIVE_H

#include "common/segment/snapshot.h"

/* Add the live df and cf of a form of the segment.  Without deletions two additions; else the list
 * of its term is walked, with the forms of its occurrences.  `key` is room that is kept from call
 * to call; when it has failed, memory was refused. */
void form_live_counts(const snapshot_segment *part, const form_entry *form, buf *key, uint64_t *df,
                      uint64_t *cf);
/* Whether a live document has a form that is folded like this; *yes is false on damage, too, which
 * the segment then says.  Without deletions two look-ups; else mostly one more, and a walk of a
 * list only where as many documents that have died had the form's term as there are documents with
 * the form. */
pm_status form_live_folded(const snapshot_segment *part, slice folded, bool *yes, pm_error *err);

#endif
