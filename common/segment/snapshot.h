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

/* Where terms are looked up that are not in segments: in the index of another engine. */
typedef struct snapshot_terms {
    /* Live documents with a key. */
    pm_status (*df)(void *ctx, const void *key, size_t len, uint64_t *df, pm_error *err);
    /* Was this folded surface form ever written? */
    pm_status (*form)(void *ctx, const char *folded, size_t len, bool *yes, pm_error *err);
    void *ctx;
} snapshot_terms;

typedef struct snapshot {
    dir folder;
    manifest meta;
    snapshot_segment *segments;      /* meta.n_segments of them                           */
    uint64_t n_docs;                 /* live                                              */
    uint64_t n_tokens;               /* sum of dl over live documents                     */
    double avgdl;                    /* n_tokens / n_docs; 1 when empty, never 0          */
    const snapshot_terms *elsewhere; /* NULL: in the segments; else there are none       */
} snapshot;

/* Owned by the caller: snapshot_close, until which all that is borrowed from its maps stays.
 * Retries while the generation advances under it (FORMAT.md, "Commit protocol").  PM_USAGE: no
 * index.
 */
pm_status snapshot_open(snapshot **out, const char *path, pm_error *err);
/* The same of a folder that is open, and may have been moved since; it is borrowed for the call. */
pm_status snapshot_open_in(snapshot **out, const dir *folder, pm_error *err);
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
/* check_index.c: pm_check of a native index. */
pm_status snapshot_check(const char *path, bool deep,
                         void (*finding)(void *ctx, const char *file, const char *section,
                                         uint64_t offset, const char *what),
                         void *ctx, pm_check_summary *summary, pm_error *err);
/* What a check with findings ends with: PM_CORRUPT. */
pm_status snapshot_damaged(const char *path, uint64_t findings, pm_error *err);

#endif
