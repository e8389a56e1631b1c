/* SPDX-License-Identifier: MIT
 * merge.h - several segments to one, without the documents that are deleted.
 *
 * Takes neighbouring segments in order of ingest; gives the segment that a fresh index of
 * their live documents would hold: same documents in the same order (or a better one) with
 * the same ingest numbers, same terms, postings, positions and forms, impacts recomputed for the
 * configuration's reference length.
 *
 * Memory: 4 bytes a document of the inputs where one is dead, 5 a key and 4 a form of each input,
 * 25 a distinct form, 8 a posting and some 4 an occurrence of the longest posting list, and what
 * the segment writer holds; merge_size.h tells beforehand.  Pages of the inputs are given back
 * behind the pass, a few MB stay.
 */
#ifndef PM_INDEXER_MERGE_H
#define PM_INDEXER_MERGE_H

#include "indexer/inverter.h"

typedef struct merge_input {
    segment *seg;
    const uint64_t *dead; /* a bit a document; NULL: none                                 */
} merge_input;

/* Of memory, while a list is made.  Most are held: for each occurrence what is read, and what it is
 * encoded to, twice.  Large ones are not: two numbers a posting, and what occurrences are encoded
 * to.
 */
enum { MERGE_OCCURRENCE_BYTES = 24, MERGE_POSTING_BYTES = 8, MERGE_CODE_BYTES = 4 };

/* In which order the documents of the output stand.  PM_REORDER_KEEP: input by input, as they
 * are.  Otherwise stored blocks are taken apart and lists sorted, which takes 24 bytes more
 * a document, 16 a posting of the longest list, and a quarter of memory_bytes for stored
 * blocks; PM_REORDER_BP takes in addition what reorder.h says, and refuses with PM_USAGE
 * when that is more than memory_bytes.  The result does not depend on `threads`. */
typedef struct merge_order {
    pm_reorder by;
    unsigned threads; /* 0: as many as processors                                        */
    uint64_t memory_bytes;
    bool spills; /* what is by key, form or document goes to files (scratch.h): see merge_size.h */
    uint64_t *spilled; /* bytes of those files at most; NULL: nobody asks                     */
    /* With PM_REORDER_KEEP: the tokens and fields of all live documents, input by input
     * (inverter_kept.h), which are then inverted instead of reading the inputs' lists; NULL: none.
     */
    inverter *tokens;
} merge_order;

/* At least one document must be live.  order NULL: PM_REORDER_KEEP. */
pm_status merge_segments(const dir *d, const merge_input *inputs, size_t n_inputs, const char *name,
                         const segment_writer_config *config, const merge_order *order, bool sync,
                         manifest_segment *out, pm_error *err);

#endif
