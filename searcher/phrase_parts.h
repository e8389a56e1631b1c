/* SPDX-License-Identifier: MIT
 *
 * phrase_parts.h - which posting lists answer a phrase in one segment.
 *
 *     "to be or"    to + 0, be + 1, or + 2
 *
 * A phrase starts at position p when each part stands at p + its offset.  Parts come rarest
 * first, so that whoever meets their positions in turn stops early.
 */
#ifndef PM_SEARCHER_PHRASE_PARTS_H
#define PM_SEARCHER_PHRASE_PARTS_H

#include "searcher/plan.h"

typedef struct phrase_part {
    const term_entry *entry; /* of the plan                                                */
    uint32_t offset;
} phrase_part;

/* Parts of a phrase or NEAR group in a segment, into out (room for m->n_words); their number,
 * 0 when some word is not there. */
uint32_t phrase_parts(const plan *p, const plan_matcher *m, uint32_t segment_index, phrase_part *out);

#endif
