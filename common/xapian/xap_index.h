/* SPDX-License-Identifier: MIT
 *
 * xap_index.h - what a Xapian index of pressmark looks like; writer and readers meet here.
 *
 *   folder/xapian     the marker: "pressmark xapian 1", then "shards N"
 *   folder/LOCK       the writer's lock, as of a native index
 *   folder/xapian.tmp the same before the first commit, empty or not whole
 *   folder/shard-0    a Xapian database, and so on; articles are spread by a hash of their ids
 *   folder/shard-0.new  its smaller copy while `optimize` works, then the old one until it is gone;
 *                     nobody reads it, and the next writer deletes what was left
 *
 * Each database carries the settings in its metadata, so that it can be served and searched
 * without the folder.  Its documents:
 *
 *   data     the stored record (store.h)
 *   terms    the keys of a native index, of the same classes and bytes: plain terms, counted, with
 *            positions; markers and title terms, not counted, whose positions say how often; field
 *            values; and the id.  So Xapian's length of a document is dl.
 *   values   the head: sequence number of ingest, dl and id; the date.  Numbers are big-endian, so
 *            that they sort as bytes.  Servers send the head with each hit, as what ties are sorted
 *            by: hits that are wanted with their ids alone cost no further question.
 *
 * Body tokens stand at 1, 2, ... (Xapian 1.4 forgets the first of the positions 0 and 1 where a
 * term has just those); those of the title from XAP_TITLE_BASE on, beyond the reach of any phrase
 * or NEAR.  A new version of an article is a new document, so that numbers rise in order of ingest
 * within a database.
 */
#ifndef PM_XAPIAN_XAP_INDEX_H
#define PM_XAPIAN_XAP_INDEX_H

#include "common/segment/manifest.h"
#include "common/xapian/xap_load.h"

#define XAP_ENGINE   "xapian"
#define XAP_MARKER   "xapian"
#define XAP_BEGUN    XAP_MARKER ".tmp"
#define XAP_SETTINGS "pressmark"
#define XAP_STATE    "state" /* next sequence number, and generation */

enum {
    XAP_MARKER_VERSION = 1,
    XAP_SHARDS_MAX = 1024,
    XAP_SHARD_NAME = 24,
    /* Slots of values. */
    XAP_SLOT_HEAD = 0,
    XAP_SLOT_DATE = 1,
    XAP_HEAD_BYTES = 12,  /* without the id                                                    */
    XAP_KEY_ID = 0x05,    /* a class of keys beside those of segment.h                      */
    XAP_FORM = 'f',       /* of metadata keys: surface forms, folded, that were ever written  */
    XAP_TERM_BYTES = 240, /* longer keys are cut, and a hash is put behind them             */
    XAP_WINDOW_MAX = 1 << 29, /* positions of a NEAR, at most                                */
};
#define XAP_BODY_BASE  1u
#define XAP_TITLE_BASE (UINT32_C(1) << 30)

/* A key as a term: its class (0: plain), then its bytes.  Two long keys may share a term. */
typedef struct xap_term {
    char bytes[XAP_TERM_BYTES + 16];
    size_t len;
} xap_term;
pm_text xap_term_make(xap_term *t, uint8_t class, const void *key, size_t len);
/* The same of a key that begins with its class, as plans have them. */
pm_text xap_term_of_key(xap_term *t, const void *key, size_t len);

/* Values. */
typedef struct xap_head {
    uint64_t seq;
    uint32_t dl;
    pm_text id;
} xap_head;
/* Into out; the number of bytes. */
size_t xap_put_head(char out[XAP_HEAD_BYTES + SEGMENT_ID_MAX], const xap_head *head);
/* The id borrows from value; false, and *out zero, when it is no head. */
bool xap_get_head(pm_text value, xap_head *out);
void xap_put_date(char out[8], int64_t seconds);
int64_t xap_get_date(pm_text value); /* INT64_MIN when there is none                         */

/* Is there a marker in the folder, be it damaged?  A file of its name that does not begin as one is
 * somebody's own, unless a database stands beside it and no native index does. */
bool xap_marker_there(const char *folder);
/* Are databases there, with the lock of their writer and no sign of a first run, but no marker?  It
 * was removed, unless the folder has a native index; and what to say then, PM_CORRUPT. */
bool xap_marker_lost(const char *folder);
pm_status xap_marker_missing(const char *folder, pm_error *err);
/* PM_IO when a marker can be read that xap_marker_there did not see, because the system refused or
 * it was not there yet: of a locked folder in which another engine is about to make an index. */
pm_status xap_marker_overlooked(const dir *d, pm_error *err);
/* PM_USAGE with *absent true when there is none, or when it is of a later version. */
pm_status xap_marker_read(const dir *d, uint32_t *shards, bool *absent, pm_error *err);
/* From the rename on there is an index: PM_NOT_DURABLE when the sync behind it failed. */
pm_status xap_marker_write(const dir *d, uint32_t shards, pm_error *err);
/* What stands in the folder from before the databases of a new index are made until its marker
 * does.  *begun: it is there, an earlier run came no further, and its databases may be made anew.
 */
pm_status xap_marker_begun(const dir *d, bool *begun, pm_error *err);
pm_status xap_marker_begin(const dir *d, pm_error *err);
/* Is there a lock, with what a first run makes before it commits? */
bool xap_is_begun(const char *folder);
void xap_shard_name(char out[XAP_SHARD_NAME], uint32_t shard);
void xap_shard_new_name(char out[XAP_SHARD_NAME], uint32_t shard);
/* Is it a name of the second kind? */
bool xap_is_new_name(const char *name);
/* Bytes of all files of the databases and the marker in the folder. */
pm_status xap_bytes(const char *folder, uint32_t shards, uint64_t *out, pm_error *err);
/* Which database an id goes to. */
uint32_t xap_shard_of(const char *id, size_t len, uint32_t shards);

/* Settings of the index as metadata; what a manifest says and Xapian does not. */
void xap_settings_encode(const manifest *m, buf *out);
/* PM_USAGE when the text is no such settings: somebody else's database. */
pm_status xap_settings_decode(pm_text text, manifest *out, const char *where, pm_error *err);

#endif
