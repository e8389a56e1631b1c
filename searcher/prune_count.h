/* SPDX-License-Identifier: MIT
 *
 * prune_count.h - what counting of conjunctions and of disjunctions share: for prune_count.c and
 * prune_count_or.c (live postings of a list: for the disjunctive loop, too).  All take a
 * segment that prune_open has opened.
 */
#ifndef PM_SEARCHER_PRUNE_COUNT_H
#define PM_SEARCHER_PRUNE_COUNT_H

#include "searcher/prune.h"

enum { COUNT_CHUNK_WORDS = 1024 }; /* of bitmaps that are combined: they fit the first cache    */

/* Words of a bitmap of the segment. */
size_t count_words(const prune_state *s);
/* Clear dead documents in the n words from `first` on. */
void count_keep_live(const prune_state *s, uint64_t *words, size_t first, size_t n);
/* Documents of a list that are live. */
uint64_t count_live_df(const prune_state *s, const prune_list *list);
/* Documents of the batch that are live. */
uint64_t count_batch_live(const prune_state *s);
/* Live documents that stand in all lists, given by rising df, and in none of s->not. */
uint64_t count_and(prune_state *s, prune_list **lists, uint32_t n);
/* Live documents that stand in one of s->should and in none of s->not. */
uint64_t count_or(prune_state *s);
/* The two ways of it, the first one for queries that forbid nothing: both give the same. */
uint64_t count_or_apart(prune_state *s);
uint64_t count_or_bitmap(prune_state *s);

#endif
