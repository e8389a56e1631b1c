/* SPDX-License-Identifier: MIT
 * tombstones.h - which documents of a segment are deleted, and by how much that lowers each
 * term's df and cf, so that N, df and avgdl are exact over live documents at every commit.
 */
#ifndef PM_SEGMENT_TOMBSTONES_H
#define PM_SEGMENT_TOMBSTONES_H

#include "common/segment/segment.h"

typedef struct tombstones {
    map file;
    uint32_t n_docs, n_deleted;
    uint64_t deleted_tokens;
    slice bits; /* u64 words, bit set = deleted; read through load_u64 */
    uint64_t n_corrections;
    slice ordinals, df_minus, cf_minus; /* u32, u32, u64 arrays, by rising ordinal        */
} tombstones;

/* Map and check a tombstone file of segment s, which has the size and the sum that the manifest
 * says; else PM_CORRUPT.  Owned by the caller: tombstones_close. */
pm_status tombstones_open(tombstones *t, const dir *d, const char *name, const segment *s,
                          uint64_t file_size, uint32_t expect_crc, pm_error *err);
void tombstones_close(tombstones *t);
static inline bool tombstones_has(const tombstones *t, uint32_t doc)
{
    return doc < t->n_docs && t->n_deleted && (t->bits.data[doc >> 3] >> (doc & 7) & 1);
}
/* How much df and cf of a term fall; zeros when it is not affected.  O(log n). */
void tombstones_correction(const tombstones *t, uint32_t ordinal, uint32_t *df_minus,
                           uint64_t *cf_minus);
/* Make the file's bytes for this set of deleted documents (n_docs bits): walks every posting
 * list of the segment, O(postings).  *crc as the manifest stores it. */
pm_status tombstones_encode(segment *s, const uint64_t *deleted, buf *out, uint32_t *crc,
                            uint32_t *n_deleted, uint64_t *deleted_tokens, pm_error *err);

#endif
