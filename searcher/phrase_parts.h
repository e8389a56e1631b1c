/* SPDX-License-Identifier: MIT
 *
 * phrase_parts.h - which posting lists answer a phrase in one segment.
 *
 *     "to be seen"      to + 0, be + 1, seen + 2
 *     with bigrams      "to be" + 0, seen + 2
 *
 * A phrase starts at position p when each part stands at p + its offset.  Parts come rarest
 * first, so that whoever meets their positions in turn stops early.  A bigram's list
 * stands for its two words where the segment has it (bigrams.h); one that is not there although
 * both words are frequent is a phrase that occurs nowhere.
 */
#ifndef PM_SEARCHER_PHRASE_PARTS_H
#define PM_SEARCHER_PHRASE_PARTS_H

#include "searcher/plan.h"

typedef struct phrase_part {
    const term_entry *entry; /* of the plan                                                */
    uint32_t offset;
} phrase_part;

/* Parts of a phrase or NEAR group in a segment, into out (room for m->n_words); their number,
 * 0 when it cannot occur there. */
uint32_t phrase_parts(const plan *p, const plan_matcher *m, uint32_t segment_index,
                      phrase_part *out);

/* Keep the starts, rising, for which a part at `offset` stands at start + offset; their number. */
static inline uint32_t phrase_keep_starts(uint32_t *starts, uint32_t n, uint32_t offset,
                                          const uint32_t *positions, uint32_t n_positions)
{
    uint32_t kept = 0, at = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t want = (uint64_t)starts[i] + offset;
        while (at < n_positions && positions[at] < want) at++;
        if (at == n_positions) break;
        if (positions[at] == want) starts[kept++] = starts[i];
    }
    return kept;
}

#endif
