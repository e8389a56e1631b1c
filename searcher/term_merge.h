/* SPDX-License-Identifier: MIT
 *
 * term_merge.h - the dictionaries of all segments as one: each key once, in bytewise order,
 * with its entry in every segment that has it.  Takes dictionary iterators, gives keys.
 */
#ifndef PM_SEARCHER_TERM_MERGE_H
#define PM_SEARCHER_TERM_MERGE_H

#include "common/segment/snapshot.h"

typedef struct term_merge {
    snapshot *snap;
    dict_iter *iters; /* one for each segment                                     */
    uint32_t *heap;   /* segments that still have keys, least key first           */
    uint32_t n_heap;
    uint32_t *at; /* segments that have the current key, rising               */
    uint32_t n_at;
    const uint8_t *key; /* current key, until the next call                         */
    size_t key_len;
} term_merge;

/* From the first key >= from; forms: the form dictionary. */
pm_status term_merge_open(term_merge *m, snapshot *snap, bool forms, const void *from,
                          size_t from_len, pm_error *err);
/* False at the end or on damage (snapshot_status tells).  The entry in segment m->at[i] is
 * m->iters[m->at[i]].term (or .form). */
bool term_merge_next(term_merge *m);
void term_merge_close(term_merge *m);
/* Live df and cf of the current key (term dictionary only). */
void term_merge_live(const term_merge *m, uint64_t *df, uint64_t *cf);

#endif
