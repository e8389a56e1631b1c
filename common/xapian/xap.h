/* SPDX-License-Identifier: MIT
 *
 * xap.h - Xapian in plain C: opaque handles, a table of functions, one error struct.
 *
 * Behind the table stands a plugin, pressmark-xapian.so (xap*.cc), the only C++ and the only part
 * that links libxapian; xap_load opens it when an index asks for it.  The core neither links it
 * nor libstdc++.  Licence: Xapian is GPL-2+, so the plugin, as a file that is given away, falls
 * under the GPL; this header and everything that includes it is MIT.
 *
 * Rules of every function of the table:
 *   - It throws nothing: whatever was thrown is told in *e (never NULL) and by the status.
 *   - Out-parameters are NULL or zero until it succeeds.
 *   - Texts are pointer and length.  Texts given out belong to the handle they came from, until
 *     its next call; handles are freed by their own function, and NULL may be freed.
 *   - Handles given to a builder stay the caller's, whether it succeeds or not.
 *   - A handle belongs to one thread at a time.
 */
#ifndef PM_XAPIAN_XAP_H
#define PM_XAPIAN_XAP_H

#include "pressmark.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { XAP_VERSION = 7 };

typedef struct xap_error {
    pm_status status;
    bool modified; /* DatabaseModifiedError: reopen, and what failed may work              */
    bool absent;   /* a database, or a file of it, is not there                             */
    bool network;  /* a remote database did not answer; `context` names it                 */
    int os_errno;  /* what the system said, where it did; else 0                           */
    char type[40]; /* "DatabaseLockError", "std::bad_alloc", ...                           */
    char context[200];
    char message[300];
} xap_error;

typedef struct xap_db xap_db;         /* one or several databases, read as one               */
typedef struct xap_writer xap_writer; /* one database, in a transaction                      */
typedef struct xap_doc xap_doc;       /* a document being made                               */
typedef struct xap_query xap_query;
typedef struct xap_hits xap_hits;

typedef enum xap_op { XAP_OR, XAP_AND, XAP_AND_NOT, XAP_AND_MAYBE, XAP_PHRASE, XAP_NEAR } xap_op;

typedef struct xap_stats {
    uint64_t n_docs, n_tokens;
    uint32_t last_docid;
} xap_stats;

typedef struct xap_spec {
    double k1, b;
    double quantum;          /* with own_weights: parts are multiples of this; 0: as they are */
    bool own_weights;        /* pressmark's formula; else Xapian's BM25Weight                */
    bool by_slot;            /* ties by a value, rising; else by document number             */
    uint32_t slot;           /* which                                                        */
    uint32_t limit;          /* hits wanted                                                  */
    uint32_t check_at_least; /* matches to look at: as many as documents make counts exact   */
} xap_spec;

typedef struct xap_hit {
    uint32_t docid;
    double score;
} xap_hit;

typedef struct xap_api {
    uint32_t version;
    const char *engine; /* "1.4.22"                                                          */

    /* ---- reading ---- */
    pm_status (*db_new)(xap_db **out, xap_error *e);
    pm_status (*db_add_local)(xap_db *db, const char *path, xap_error *e);
    /* ask: have it answer a message, one round trip more than its greeting. */
    pm_status (*db_add_remote)(xap_db *db, const char *host, uint32_t port, uint32_t timeout_ms,
                               uint32_t connect_ms, bool ask, xap_error *e);
    void (*db_free)(xap_db *db);
    /* To the newest commit. */
    pm_status (*db_reopen)(xap_db *db, xap_error *e);
    pm_status (*db_stats)(xap_db *db, xap_stats *out, xap_error *e);
    /* Documents, and occurrences, of a term. */
    pm_status (*db_term)(xap_db *db, pm_text term, uint64_t *df, uint64_t *cf, xap_error *e);
    /* Of the first database; empty when there is none. */
    pm_status (*db_metadata)(xap_db *db, pm_text key, pm_text *out, xap_error *e);
    pm_status (*db_record)(xap_db *db, uint32_t docid, pm_text *out, xap_error *e);
    pm_status (*db_value)(xap_db *db, uint32_t docid, uint32_t slot, pm_text *out, xap_error *e);
    pm_status (*db_length)(xap_db *db, uint32_t docid, uint32_t *out, xap_error *e);
    /* Occurrences of a term in a document: as counted, and as positions. */
    pm_status (*db_occurrences)(xap_db *db, pm_text term, uint32_t docid, uint32_t *wdf,
                                uint32_t *n_positions, xap_error *e);
    /* False, too, where the file of positions is lost. */
    pm_status (*db_has_positions)(xap_db *db, bool *out, xap_error *e);
    /* Each calls fn in rising order until it returns false.  Each posting of an empty term: each
     * document. */
    pm_status (*db_each_term)(xap_db *db, bool (*fn)(void *ctx, pm_text term, uint64_t df),
                              void *ctx, xap_error *e);
    pm_status (*db_each_term_of)(xap_db *db, uint32_t docid,
                                 bool (*fn)(void *ctx, pm_text term, uint32_t wdf,
                                            uint32_t n_positions),
                                 void *ctx, xap_error *e);
    pm_status (*db_each_posting)(xap_db *db, pm_text term,
                                 bool (*fn)(void *ctx, uint32_t docid, uint32_t wdf), void *ctx,
                                 xap_error *e);
    pm_status (*db_each_position)(xap_db *db, pm_text term, uint32_t docid,
                                  bool (*fn)(void *ctx, uint32_t position), void *ctx,
                                  xap_error *e);
    pm_status (*db_each_metadata)(xap_db *db, pm_text prefix, bool (*fn)(void *ctx, pm_text key),
                                  void *ctx, xap_error *e);
    /* A smaller copy in a new folder; documents keep their numbers.  go_on is asked before and
     * after each table, some ten times; false ends it with an error.  What was written by then is
     * left. */
    pm_status (*db_compact)(xap_db *db, const char *folder, bool (*go_on)(void *ctx), void *ctx,
                            xap_error *e);
    /* The newest commit of the database at a path: a number that rises, 0 where it does not open.
     */
    pm_status (*revision)(const char *path, uint64_t *out, xap_error *e);
    /* Xapian's own check of the database at a path: a line for each finding, and their number. What
     * a commit meanwhile overwrites looks like damage. */
    pm_status (*check)(const char *path, void (*line)(void *ctx, const char *text), void *ctx,
                       uint64_t *findings, xap_error *e);

    /* ---- queries ---- */
    pm_status (*query_term)(pm_text term, xap_query **out, xap_error *e);
    pm_status (*query_everything)(xap_query **out, xap_error *e);
    /* XAP_AND_NOT and XAP_AND_MAYBE take two.  `window`: positions, of XAP_PHRASE and XAP_NEAR. */
    pm_status (*query_group)(xap_op op, const xap_query *const *parts, size_t n, uint32_t window,
                             xap_query **out, xap_error *e);
    /* Weights of a query times a factor; with 0 it only matches. */
    pm_status (*query_scale)(const xap_query *query, double factor, xap_query **out, xap_error *e);
    /* A value from `low` on, to `high` unless that is empty, both inclusive. */
    pm_status (*query_between)(uint32_t slot, pm_text low, pm_text high, xap_query **out,
                               xap_error *e);
    /* A term whose positions, not its count, are what is scored: factor * tf * (k1 + 1) / (tf +
     * norm), a multiple of quantum.  Local databases only. */
    pm_status (*query_by_positions)(pm_text term, double factor, double k1, double b, double avgdl,
                                    double quantum, xap_query **out, xap_error *e);
    void (*query_free)(xap_query *query);

    /* ---- searching ---- */
    pm_status (*search)(xap_db *db, const xap_query *query, const xap_spec *spec, xap_hits **out,
                        xap_error *e);
    void (*hits_free)(xap_hits *hits);
    uint32_t (*hits_n)(const xap_hits *hits);
    uint64_t (*hits_matches)(const xap_hits *hits);
    pm_status (*hits_get)(const xap_hits *hits, uint32_t i, xap_hit *out, xap_error *e);
    /* The documents' records come together at the first call. */
    pm_status (*hits_record)(xap_hits *hits, uint32_t i, pm_text *out, xap_error *e);
    /* A value, of what came with the hit where ties were sorted by that slot. */
    pm_status (*hits_value)(xap_hits *hits, uint32_t i, uint32_t slot, pm_text *out, xap_error *e);

    /* ---- writing ---- */
    pm_status (*doc_new)(xap_doc **out, xap_error *e);
    pm_status (*doc_clear)(xap_doc *doc, xap_error *e);
    pm_status (*doc_record)(xap_doc *doc, pm_text record, xap_error *e);
    pm_status (*doc_value)(xap_doc *doc, uint32_t slot, pm_text value, xap_error *e);
    /* Add `count` occurrences without a position, which may be 0. */
    pm_status (*doc_term)(xap_doc *doc, pm_text term, uint32_t count, xap_error *e);
    /* Add a position, counted or not. */
    pm_status (*doc_position)(xap_doc *doc, pm_text term, uint32_t position, bool counted,
                              xap_error *e);
    void (*doc_free)(xap_doc *doc);

    /* Open a database for writing, or make an empty one in the place of whatever is there; PM_BUSY
     * when somebody else writes. */
    pm_status (*writer_open)(const char *path, bool make, xap_writer **out, xap_error *e);
    /* The database with what was not committed yet; borrowed. */
    xap_db *(*writer_db)(xap_writer *writer);
    pm_status (*writer_add)(xap_writer *writer, const xap_doc *doc, uint32_t *docid, xap_error *e);
    pm_status (*writer_delete)(xap_writer *writer, uint32_t docid, xap_error *e);
    pm_status (*writer_metadata)(xap_writer *writer, pm_text key, pm_text value, xap_error *e);
    /* Bytes of memory, about, that changes take which are in no table yet. */
    uint64_t (*writer_pending)(const xap_writer *writer);
    /* Give them back; nothing becomes visible. */
    pm_status (*writer_flush)(xap_writer *writer, xap_error *e);
    pm_status (*writer_commit)(xap_writer *writer, xap_error *e);
    /* What was not committed is discarded. */
    void (*writer_free)(xap_writer *writer);
} xap_api;

/* The plugin's one symbol: its table, or NULL when it was built for another version. */
typedef const xap_api *xap_api_get(uint32_t version);
PM_API xap_api_get pressmark_xapian;

#ifdef __cplusplus
}
#endif
#endif
