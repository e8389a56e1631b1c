/* SPDX-License-Identifier: MIT
 *
 * xapian_writer.h - the writer of an index of the engine xapian, behind pm_writer: what differs
 * from the native one, and nothing else.
 *
 *   xapian_writer.c    open, options against the index, commit, close
 *   xapian_update.c    add, delete, and what is there already
 *   xapian_document.c  an article as a Xapian document
 *   xapian_optimize.c  each database replaced by a smaller copy
 *
 * Each database is in a transaction between two commits.  A commit of several databases is one
 * commit after the other: when it fails in the middle, those before are ahead of the others.
 */
#ifndef PM_INDEXER_XAPIAN_WRITER_H
#define PM_INDEXER_XAPIAN_WRITER_H

#include "common/xapian/xap_index.h"
#include "indexer/inverter_fields.h"
#include "indexer/writer.h"

enum { XAPIAN_PATH = 4096 };

typedef struct xapian_writer {
    const xap_api *api;
    buf root;            /* absolute path of the folder, with a NUL                          */
    xap_writer **shards; /* n_shards of them, NULL where not open                            */
    xap_db **committed;  /* the same as of the last commit, by xapian_committed; NULL: not open */
    uint32_t n_shards;
    xap_doc *doc;
    inverter_fields fields;
    uint32_t forms_seen; /* of the analyzer, kept as metadata already                        */
    bool changed;        /* since the last commit                                            */
    bool *made;          /* by shard: its folder is of this run, which has not committed yet */
} xapian_writer;

/* Is the index at path, or the one to be made there, of this engine?  PM_USAGE when the option
 * contradicts what is there. */
pm_status xapian_wanted(const char *path, const char *engine, bool *yes, pm_error *err);
/* w->options are taken; fills the rest of *w. */
pm_status xapian_writer_open(pm_writer *w, const char *path, pm_error *err);
void xapian_writer_close(pm_writer *w);
pm_status xapian_writer_commit(pm_writer *w, pm_commit_info *info, pm_error *err);

/* The two parts of a commit: what was changed becomes visible, and what that was.  PM_NOT_DURABLE
 * from when it is; the second takes the status of what came before and gives it back. */
pm_status xapian_publish(pm_writer *w, pm_error *err);
pm_status xapian_report(pm_writer *w, pm_status st, pm_commit_info *info, pm_error *err);

/* A commit, then each database becomes a smaller copy of itself.  When that fails the commit
 * stands, and so do copies that had taken their place: nothing can be told from answers. */
pm_status xapian_writer_optimize(pm_writer *w, pm_reorder by, pm_commit_info *info, pm_error *err);
/* Delete copies that a writer left behind; what cannot be deleted stays. */
void xapian_collect(const pm_writer *w);

/* The absolute path of a name in the index's folder; PM_USAGE when it is too long.  Xapian opens
 * files by name all the time: one that begins at the folder that the program is in, or at a link,
 * may lead into another index by then. */
pm_status xapian_path(const pm_writer *w, const char *name, char out[XAPIAN_PATH], pm_error *err);
/* Open a database for writing, and as of the last commit; instead of one that is open. */
pm_status xapian_open_shard(pm_writer *w, uint32_t shard, pm_error *err);
pm_status xapian_open_committed(pm_writer *w, uint32_t shard, pm_error *err);
/* Of an index that has had a commit: a database as of the last one. */
pm_status xapian_committed(pm_writer *w, uint32_t shard, xap_db **out, pm_error *err);

/* The article is clean, its record in w->record, its date in w->repair. */
pm_status xapian_add(pm_writer *w, const pm_article *article, uint64_t *replaced, pm_error *err);
/* *seq: the ingest number of what dies, or SEQ_NONE. */
pm_status xapian_kill(pm_writer *w, const char *id, size_t len, uint64_t *seq, pm_error *err);
/* As it is now, as writer_find_live; and as of the last commit. */
pm_status xapian_find_live(pm_writer *w, const char *id, size_t len, stored_article *out,
                           pm_error *err);
pm_status xapian_find_committed(pm_writer *w, const char *id, size_t len, bool *found,
                                pm_article *out, pm_error *err);
/* fn may look for ids and delete. */
pm_status xapian_each_id(pm_writer *w,
                         bool (*fn)(void *ctx, const char *id, size_t len, uint64_t seq), void *ctx,
                         pm_error *err);

/* Into w->xapian->doc. */
pm_status xapian_document(pm_writer *w, const pm_article *article, pm_error *err);

#endif
