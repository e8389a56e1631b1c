/* SPDX-License-Identifier: MIT
 * manifest.h - the file that names a snapshot: index-wide settings and the segments with
 * their tombstones.  An index changes only by a new manifest (INV-4); the commit protocol is
 * FORMAT.md, "Commit protocol".
 */
#ifndef PM_SEGMENT_MANIFEST_H
#define PM_SEGMENT_MANIFEST_H

#include "common/segment/segment.h"

enum { MANIFEST_VERSION = 1, MANIFEST_SEGMENTS_MAX = 65536 };

typedef struct manifest_segment {
    char name[SEGMENT_NAME_MAX]; /* <seq>-<rand32>.seg                                */
    uint64_t size;
    uint32_t footer_crc;
    uint32_t n_docs;
    char del_name[SEGMENT_NAME_MAX]; /* <seq>-<rand32>.del, or empty                      */
    uint64_t del_size;
    uint32_t del_crc;
    uint32_t n_deleted;
    uint64_t live_tokens; /* sum of dl over live documents                     */
} manifest_segment;

typedef struct manifest {
    uint8_t uuid[16];
    uint64_t generation;          /* rises by one with each commit                     */
    uint64_t next_file, next_seq; /* next file number and ingest sequence number       */
    char engine[16], lang[16], profile[96];
    bool has_positions, has_text;
    bool small;              /* no bigrams, no surface forms                                   */
    double k1, b, avgdl_ref; /* avgdl_ref 0 until the first article is committed  */
    uint32_t block_size, dense_shift;
    manifest_segment *segments; /* owned, in order of ingest                         */
    uint32_t n_segments;
    uint32_t segments_cap; /* not stored                                        */
} manifest;

/* Whether a folder has a file that begins as a manifest does, of whatever version, or is one that a
 * writer has locked and left without a commit: LOCK, and at most files that would be garbage.  An
 * error only when memory is refused. */
pm_status manifest_is_in(const char *folder, bool *yes, pm_error *err);
/* PM_USAGE with *absent (may be NULL) true when the folder has no manifest; PM_CORRUPT. */
pm_status manifest_read(manifest *m, const dir *d, bool *absent, pm_error *err);
/* Decode from bytes (the target of a fuzzer); every byte string is defined. */
pm_status manifest_decode(manifest *m, slice bytes, const char *path, pm_error *err);
void manifest_encode(const manifest *m, buf *out);
void manifest_free(manifest *m);
/* Bytes of an encoded manifest with this many segments. */
uint64_t manifest_size(uint32_t n_segments);
/* True when a commit newer than *m is there, which *m becomes: for readers whose files are gone. */
bool manifest_advance(manifest *m, const dir *d);
/* As manifest_read, from another name ("manifest.prev"); *absent is required, and an absent
 * file is PM_OK. */
pm_status manifest_read_named(manifest *m, const dir *d, const char *name, bool *absent,
                              pm_error *err);
/* A copy of its own. */
pm_status manifest_copy(manifest *out, const manifest *m, pm_error *err);
/* Append; PM_USAGE when there are MANIFEST_SEGMENTS_MAX already. */
pm_status manifest_add_segment(manifest *m, const manifest_segment *s, pm_error *err);
/* <number>-<random>.seg or .del: a name that no file of this index ever had. */
void manifest_make_name(char out[SEGMENT_NAME_MAX], uint64_t number, const char *suffix);
/* True for names this project makes: what GC may delete. */
bool manifest_own_name(const char *name);

/* Whether generation and numbers are below the end, from which on a manifest is refused. */
bool manifest_counters_fit(const manifest *m);
/* Publish *m as the new state: steps 2 to 5 of the protocol (segment and tombstone files are
 * already synced).  level: 0 full, 1 atomic, 2 none.  PM_NOT_DURABLE when the rename took
 * place but the final sync failed. */
pm_status manifest_publish(const manifest *m, const dir *d, unsigned level, pm_error *err);
/* Step 5 for a commit that somebody else published, who may not have come as far or have been told
 * that it failed.  PM_NOT_DURABLE as above. */
pm_status manifest_prove(const dir *d, pm_error *err);
/* PM_NOT_DURABLE, and *err, which says why a sync failed, says that. */
pm_status manifest_not_durable(const dir *d, pm_error *err);
/* A commit of the index of this UUID is durable: LOCK is made to say so, if it can. */
void manifest_mark(const dir *d, const uint8_t uuid[16]);
/* Of a folder without manifest and manifest.prev: does LOCK say that there were commits, and is a
 * segment of that index there? */
pm_status manifest_is_lost(const dir *d, bool *lost, pm_error *err);
/* LOCK is there, and says nothing or what a mark says. */
pm_status manifest_lock_is_ours(const dir *d, bool *is, pm_error *err);
/* Step 6: delete files of our own name pattern that neither manifest names.  Errors are
 * ignored.  Only under the writer lock; nothing goes when LOCK was deleted.  `spared`: a file that
 * is being written; NULL: none. */
void manifest_collect_garbage(const dir *d, const char *spared);
/* After a durable commit: give back the space of the commit before it, too. */
void manifest_forget_previous(const dir *d);

#endif
