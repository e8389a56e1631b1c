/* SPDX-License-Identifier: MIT
 * merge.h - several segments to one, without the documents that are deleted.
 *
 * Takes neighbouring segments in order of ingest; gives the segment that a fresh index of
 * their live documents would hold: same documents in the same order with the same ingest
 * numbers, same terms, postings, positions and forms, impacts recomputed for the
 * configuration's reference length.
 *
 * Memory: 4 bytes a document of the inputs, 4 a key and a form of each input, 24 a distinct
 * form, the longest posting list with its occurrences (12 bytes each), and what the segment
 * writer holds.
 */
#ifndef PM_INDEXER_MERGE_H
#define PM_INDEXER_MERGE_H

#include "indexer/segment_writer.h"

typedef struct merge_input {
    segment *seg;
    const uint64_t *dead; /* a bit a document; NULL: none                                 */
} merge_input;

/* At least one document must be live. */
pm_status merge_segments(const dir *d, const merge_input *inputs, size_t n_inputs, const char *name,
                         const segment_writer_config *config, bool sync, manifest_segment *out,
                         pm_error *err);

#endif
