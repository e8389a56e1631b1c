/* SPDX-License-Identifier: MIT
 * merge_size.h - the memory that a merge would take, before it is made.
 *
 * Two estimates.  The first asks nothing of the inputs but their footers, and takes their
 * dictionaries for disjoint and an eighth of all occurrences for one word's.  The second walks each
 * dictionary once, for the longest list and a sketch of the forms, of which neighbours share most:
 * the k least of their hashes, by which the union of several can be counted (Z. Bar-Yossef et al.,
 * "Counting distinct elements in a data stream", 2002).  Both follow from the inputs alone (INV-5).
 */
#ifndef PM_INDEXER_MERGE_SIZE_H
#define PM_INDEXER_MERGE_SIZE_H

#include "common/segment/segment.h"

enum { MERGE_SKETCH = 1024 }; /* hashes; a count is 3 % off, one time in three             */

/* Hashes of forms, rising, all different; when there are fewer than MERGE_SKETCH, of all forms. */
typedef struct merge_sketch {
    uint64_t hashes[MERGE_SKETCH];
    uint32_t n;
} merge_sketch;

void merge_sketch_add(merge_sketch *sketch, uint64_t hash);
/* How many different hashes were added, about: exact below MERGE_SKETCH. */
uint64_t merge_sketch_count(const merge_sketch *sketch);

/* Of the dictionaries of a segment, or of several.  Valid when zeroed: of none. */
typedef struct merge_profile {
    uint64_t longest; /* occurrences of the most frequent word, or of more                   */
    uint64_t bytes;   /* of memory for the list that takes the most, should it be large        */
    merge_sketch forms;
} merge_profile;

/* Walks both dictionaries: some 50 ns a key.  False on damage, which the segment then says, or when
 * memory is refused. */
bool merge_profile_make(segment *s, merge_profile *out);
/* *all is of one more segment. */
void merge_profile_join(merge_profile *all, const merge_profile *one);

/* Of the inputs so far, by their footers.  Valid when zeroed: there are none. */
typedef struct merge_size {
    uint64_t docs, live, terms, forms, tokens, id_bytes, dict_bytes;
    uint64_t next_seq;          /* behind the last input's, while they count up                */
    bool dead, dated, numbered; /* which columns there will be                                */
} merge_size;

/* Another input, behind the others. */
void merge_size_add(merge_size *size, const segment_info *info, uint32_t n_dead);
/* Bytes, by the first estimate. */
uint64_t merge_size_most(const merge_size *size);
/* By the second; memory_bytes: the limit that the merge is told. */
uint64_t merge_size_likely(const merge_size *size, const merge_profile *profile,
                           uint64_t memory_bytes);

/* The same of a merge that spills (merge.h): tables and dictionaries are at hand in part. */
uint64_t merge_size_spilled(const merge_size *size, const merge_profile *profile,
                            uint64_t memory_bytes);

/* A list with more occurrences has the memory for itself: it is made while no other such list is.
 */
uint64_t merge_large_list(uint64_t memory_bytes);

#endif
