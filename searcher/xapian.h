/* SPDX-License-Identifier: MIT
 *
 * xapian.h - an index of the engine xapian, opened for reading, behind pm_index.
 *
 *   xapian_places.c   a folder, a list of servers or a stub file: the databases it stands for
 *   xapian_index.c    opening them; handles, each used by one thread at a time
 *   xapian_query.c    a plan as a Xapian query
 *   xapian_search.c   asking it, and what becomes of it when a database changes or dies
 *   xapian_hits.c     hits: records, snippets, explanations
 *   xapian_stats.c, xapian_dump.c, xapian_check.c
 *
 * A native index is a snapshot.  Xapian's readers follow the newest commit instead: a handle keeps
 * the one it was opened at for as long as Xapian keeps its blocks, and another is opened when they
 * are gone or overwritten, at most XAPIAN_TRIES times a search.  Reopening it would do nothing
 * where a compacted database stands at the old one's path, with the same revision number by chance.
 */
#ifndef PM_SEARCHER_XAPIAN_H
#define PM_SEARCHER_XAPIAN_H

#include <pthread.h>

#include "common/segment/store.h"
#include "common/xapian/xap_find.h"
#include "searcher/index.h"

enum {
    XAPIAN_TRIES = 64,
    XAPIAN_REST_S = 5, /* a server that did not answer is left alone for this long           */
};

/* One database. */
typedef struct xapian_place {
    char *name; /* for messages: the path, or tcp:HOST:PORT                             */
    char *host; /* NULL: local, and name is its path                                    */
    uint32_t port;
    uint64_t dead_ns; /* when it did not answer last; 0: never.  Under the index's lock      */
} xapian_place;

typedef struct xapian_handle xapian_handle;

typedef struct xapian_index {
    const xap_api *api;
    pm_index_options options;
    xapian_place *places;
    size_t n_places, places_cap;
    bool remote;    /* some database is behind a server                                 */
    bool is_folder; /* of pressmark's making; n_places shards                           */
    char *root;     /* its absolute path; else NULL                                     */
    pthread_mutex_t lock;
    xapian_handle *idle;
    snapshot view; /* settings, and the numbers of the first handle; no segments       */
} xapian_index;

struct xapian_handle {
    xapian_index *of;
    xap_db *db;
    bool *missing; /* by place                                                               */
    size_t n_missing;
    snapshot view; /* as the index's, with the numbers of this commit                        */
    snapshot_terms terms;
    bool wants_df;  /* of every term, for an explanation                                     */
    xap_error last; /* what failed last, for who decides whether to try again                */
    xapian_handle *next;
};

/* ---- xapian_places.c ---- */

/* Does the path name such an index: a marker in a folder, tcp:..., a file? */
bool xapian_named(const char *path);
pm_status xapian_places_read(xapian_index *x, const char *path, pm_error *err);
void xapian_places_free(xapian_index *x);

/* ---- xapian_index.c ---- */

/* index->snap is x's view then. */
pm_status xapian_open(pm_index *index, const char *path, const pm_index_options *options,
                      pm_error *err);
void xapian_close(xapian_index *x);
/* A handle for one thread; give it back, or drop it when it failed. */
pm_status xapian_take(xapian_index *x, xapian_handle **out, pm_error *err);
void xapian_give(xapian_handle *h);
void xapian_drop(xapian_handle *h);
/* Fill *err from h's `last` and give its status. */
pm_status xapian_failed(xapian_handle *h, pm_error *err);
/* PM_OK, or PM_PARTIAL and who is missing. */
pm_status xapian_whole(const xapian_handle *h, pm_error *err);

/* Run `what` with a handle, again while it may help.  PM_PARTIAL when it succeeded without all. */
pm_status xapian_with(xapian_index *x,
                      pm_status (*what)(xapian_handle *h, void *ctx, pm_error *err), void *ctx,
                      pm_error *err);

/* ---- what pm_index and pm_searcher ask for ---- */

struct pm_searcher;
pm_status xapian_answer(struct pm_searcher *s, pm_error *err);
/* The record of an id, appended to out; *found false when there is none. */
pm_status xapian_record(xapian_index *x, const char *id, size_t len, buf *out, bool *found,
                        pm_error *err);
pm_status xapian_stats(xapian_index *x, pm_stats *out, pm_error *err);
pm_status xapian_dump(xapian_index *x, bool (*write)(void *ctx, const char *data, size_t len),
                      void *ctx, pm_error *err);
pm_status xapian_check(const char *path, bool deep,
                       void (*finding)(void *ctx, const char *file, const char *section,
                                       uint64_t offset, const char *what),
                       void *ctx, pm_check_summary *summary, pm_error *err);

#endif
