/* SPDX-License-Identifier: MIT
 * snapshot.h - the set of segments that a search looks at: one commit, opened.
 *
 * Document numbers are local to a segment; a hit is (segment, doc).  Statistics are global
 * over live documents, so scores do not depend on how documents are spread.
 */
#ifndef PM_SEGMENT_SNAPSHOT_H
#define PM_SEGMENT_SNAPSHOT_H

#include "common/segment/cursor.h"
#include "common/segment/manifest.h"
#include "common/segment/tombstones.h"

typedef struct snapshot_segment {
    segment *seg;
    tombstones dead; /* zeroed when nothing is deleted                    */
} snapshot_segment;

typedef struct snapshot {
    dir folder;
    manifest meta;
    snapshot_segment *segments; /* meta.n_segments of them                           */
    uint64_t n_docs;            /* live                                              */
    uint64_t n_tokens;          /* sum of dl over live documents                     */
    double avgdl;               /* n_tokens / n_docs; 1 when empty, never 0          */
} snapshot;

/* Retries while the generation advances under it (RELIABILITY (b), readers). */
pm_status snapshot_open(snapshot **out, const char *path, pm_error *err);
void snapshot_close(snapshot *s);

/* Live df and cf of a key over all segments. */
void snapshot_df(snapshot *s, const void *key, size_t len, uint64_t *df, uint64_t *cf);
/* Live df and cf of one segment's entry. */
void snapshot_segment_df(const snapshot_segment *s, const term_entry *entry, uint64_t *df,
                         uint64_t *cf);
/* Where the live version of an id is. */
bool snapshot_find_id(snapshot *s, const char *id, size_t len, uint32_t *segment_index,
                      uint32_t *doc);
static inline bool snapshot_live(const snapshot_segment *s, uint32_t doc)
{
    return !tombstones_has(&s->dead, doc);
}
/* First damage recorded in any segment, or PM_OK. */
pm_status snapshot_status(const snapshot *s, pm_error *err);

#endif
