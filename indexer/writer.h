/* SPDX-License-Identifier: MIT
 * writer.h - what the files of the writer share; the contract is pressmark.h, "writing".
 *
 *   writer.c          open, close, options against the index
 *   writer_article.c  an article made fit to keep: repaired texts, canonical date
 *   writer_batch.c    articles not yet in a segment: their ids, and which were replaced
 *   writer_update.c   add, delete, and what is there already
 *   writer_commit.c   flush, commit, optimize
 *   writer_tiers.c    merges, so that there are never many segments
 *   writer_fit.c      the memory that a merge takes
 *   writer_kept.c     tokens of new segments, which spare merges their reading
 *   writer_beside.c   a merge that goes on while articles come
 *   xapian_*.c        what is different where the engine is Xapian (xapian_writer.h)
 *
 * Articles go into a *batch*: stored records stream into a new segment file at once, tokens
 * into the inverter.  When the counted memory reaches its share, or at a commit, the batch is
 * flushed: the segment is finished and opened, still named by no manifest.  A commit names
 * all segments, with new tombstone files for those whose documents were deleted.
 *
 * Any failure of add, delete, commit or optimize (but an article refused with PM_USAGE, and
 * PM_NOT_DURABLE) discards the transaction: the files it made are
 * unlinked, the last commit stands, and the writer can only be closed.  That is the whole
 * recovery: nothing is half done that a later call could trip over.
 */
#ifndef PM_INDEXER_WRITER_H
#define PM_INDEXER_WRITER_H

#include "common/segment/snapshot.h"
#include "common/segment/store.h"
#include "indexer/inverter_kept.h"
#include "indexer/inverter_side.h"
#include "indexer/merge_size.h"
#include "indexer/segment_writer.h"
#include "indexer/seq_set.h"

/* ---- writer_article.c ---------------------------------------------------------------- */

/* Texts that had to be repaired, one buffer each; kept from article to article. */
typedef struct article_repair {
    buf texts[8];
    char date[32];
    uint64_t repaired, bad_dates; /* of the last article                                   */
    int64_t seconds;              /* of its date, INT64_MIN when undated                   */
} article_repair;

/* *out borrows from `in` and from r.  PM_USAGE when the article cannot be one. */
pm_status article_repair_all(article_repair *r, const pm_article *in, pm_article *out,
                             pm_error *err);
/* Buffers of more than `keep` bytes are given back. */
void article_repair_shrink(article_repair *r, size_t keep);
void article_repair_free(article_repair *r);

/* ---- writer_batch.c ------------------------------------------------------------------ */

/* Of the hash table of ids; free when doc is 0. */
typedef struct batch_place {
    uint32_t doc, hash; /* number of the document + 1                                      */
} batch_place;

typedef struct batch {
    segment_writer *out; /* NULL until the first article                            */
    char name[SEGMENT_NAME_MAX];
    buf ids, id_ends; /* bytes; u64 a document: where its id ends                */
    uint64_t *dead;   /* a bit a document                                        */
    size_t dead_cap;  /* words                                                   */
    uint32_t n_docs, n_dead;
    batch_place *places; /* open addressing                                          */
    size_t n_places;
    uint32_t next_hash; /* of the id that room was made for                          */
    uint8_t seed[16];   /* of the hash, so that no list of ids can be made slow    */
} batch;

/* The live document of the batch that carries the id. */
bool batch_find(const batch *b, const char *id, size_t len, uint32_t *doc);
/* Room for one more document with this id, whose place is asked for before it is needed. */
bool batch_reserve(batch *b, const char *id, size_t len);
/* Append a document, for which there is room.  An older one with this id must be dead. */
void batch_push(batch *b, const char *id, size_t len);
void batch_kill(batch *b, uint32_t doc);
uint64_t batch_memory(const batch *b);
void batch_reset(batch *b);
void batch_free(batch *b);

/* ---- the writer ---------------------------------------------------------------------- */

/* A finished segment, of the last commit or of this transaction. */
typedef struct writer_segment {
    manifest_segment named;
    segment *seg;
    uint64_t *dead;                /* a bit a document; NULL: none                            */
    uint64_t *committed_dead;      /* as of the last commit, when dirty; NULL: none           */
    kept_tokens *kept;             /* NULL: not kept                                            */
    struct id_ends *ends;          /* NULL: not yet known (writer_update.c)                      */
    struct merge_profile *profile; /* NULL: not yet known (writer_tiers.c)                  */
    uint32_t n_dead;
    bool dirty; /* `dead` is not what named.del_name says                  */
    bool committed;
} writer_segment;

typedef struct beside_merge beside_merge;

struct pm_writer {
    dir folder;
    unsigned forks; /* of this process, when it was opened                                 */
    int pid;        /* of it                                                                */
    pm_writer_options options;
    pm_phase phase;
    uint64_t written; /* bytes, as options.progress is told                          */
    bool stopped;     /* it said no, and is not asked again                          */
    manifest meta;    /* of the next commit but for its list of segments         */
    bool exists;      /* there is a commit                                       */
    bool goes_on;     /* this writer has made one: more may come                 */
    analyzer *a;
    inverter *iv;
    batch batch;
    writer_segment *segments; /* in order of ingest                                      */
    size_t n_segments, segments_cap;
    char (*made)[SEGMENT_NAME_MAX]; /* files that no commit names yet                      */
    size_t n_made, made_cap;
    pm_commit_info pending;
    pm_status status; /* why the transaction was discarded                       */
    pm_error first;
    bool not_durable; /* the last commit is visible but unproven                 */
    bool proven;      /* this writer has synced the folder since it became visible            */
    article_repair repair;
    buf record;
    store_cache cache;
    beside_merge *beside; /* NULL: none is under way                                        */
    bool keeps_none;      /* for tests: tokens are not kept                                  */
    bool waits;           /* for tests: no merge goes on beside                               */
    uint64_t held;        /* bytes of the limit that whoever fills the writer takes           */
    uint64_t replaced;    /* bytes of committed segments that merges have replaced              */
    uint64_t previous;    /* of those that only the commit before the last has               */
    uint64_t most_bytes;  /* as pm_writer_most_bytes                                         */
    uint64_t looked_up;   /* segments asked for an id since their pages were given back      */
    struct xapian_writer *xapian; /* NULL: the engine is the native one                      */
};

/* PM_OK when the writer takes changes (commit: or a repeated commit).  PM_USAGE in a process that
 * was forked from the one that opened it. */
pm_status writer_ready(const pm_writer *w, bool commit, pm_error *err);
/* The same of however it was forked, for what is rare: a call to the system. */
pm_status writer_is_ours(const pm_writer *w, pm_error *err);
/* w->a in the language that the index has, or gets, and w->meta of an index that is to be made;
 * PM_USAGE when the options contradict one that is there. */
pm_status writer_open_analyzer(pm_writer *w, pm_error *err);
/* Discard the transaction because of `st`; returns it. */
pm_status writer_discard(pm_writer *w, pm_status st, const pm_error *err);
/* Remember a file to unlink if the transaction is discarded.  There must be room. */
bool writer_reserve_made(pm_writer *w);
void writer_made(pm_writer *w, const char *name);

/* Bytes of an id in a message, which is to have room for what is wrong. */
static inline int writer_said_len(size_t len)
{
    return len < 100 ? (int)len : 100;
}

/* Bytes (article_bytes); longer articles are analysed by the writer, which sees to it that their
 * words fit into memory. */
size_t writer_large_article(const pm_writer *w);
/* pm_writer_add of an article that may have been analysed beside; `stream` NULL: it was not.
 * *replaced: the ingest number of the article whose place it takes, or SEQ_NONE. */
pm_status writer_add_stream(pm_writer *w, const pm_article *article, const side_stream *stream,
                            uint64_t *replaced, pm_error *err);

typedef struct stored_article {
    uint64_t seq; /* SEQ_NONE: no article of the id is live                               */
    bool found;   /* it is in a finished segment, and was read                              */
    pm_article article;
} stored_article;

/* The live article of an id; texts borrow from w until its next call.  With a hash that is not 0 an
 * article of another file_hash may be left unfound: then its record is not inflated. */
pm_status writer_find_live(pm_writer *w, const char *id, size_t len, uint64_t hash,
                           stored_article *out, pm_error *err);
/* pm_writer_each_id, with ingest numbers. */
pm_status writer_each_committed(pm_writer *w,
                                bool (*fn)(void *ctx, const char *id, size_t len, uint64_t seq),
                                void *ctx, pm_error *err);
/* Bitmap of a segment for changing; NULL on refusal. */
bool writer_segment_kill(writer_segment *s, uint32_t doc);
static inline bool bit_get(const uint64_t *bits, uint32_t i)
{
    return bits[i >> 6] >> (i & 63) & 1;
}
static inline void bit_set(uint64_t *bits, uint32_t i)
{
    bits[i >> 6] |= UINT64_C(1) << (i & 63);
}
static inline size_t bit_words(uint32_t n)
{
    return ((size_t)n + 63) / 64;
}
void writer_segment_close(writer_segment *s);

/* writer_commit.c */
/* Files are what they are, and so many bytes more that no segment counts yet. */
void writer_note_bytes(pm_writer *w, uint64_t more);
pm_status writer_begin_batch(pm_writer *w, pm_error *err);
bool writer_batch_full(const pm_writer *w);
pm_status writer_flush(pm_writer *w, pm_error *err);
/* The batch is empty: so is the table of forms, and no file is begun. */
void writer_forget(pm_writer *w);
/* What is counted of the memory that the caller allows. */
uint64_t writer_budget(const pm_writer *w);
segment_writer_config writer_config(const pm_writer *w, uint64_t segment_id);
/* Segments [first, first + n), of which a document is live, to one file; `merged` gets its name
 * and the tokens kept of it. */
pm_status writer_merge(pm_writer *w, size_t first, size_t n, pm_reorder by, double avgdl,
                       writer_segment *merged, pm_error *err);

/* writer_kept.c: memory of what is kept; forget it all, as the inverter forgets its forms. */
uint64_t writer_kept_memory(const pm_writer *w);
void writer_drop_kept(pm_writer *w);
/* Keep what the inverter holds when it is written, unless that is much; then it is s's. */
void writer_keep(const pm_writer *w, inverter *iv);
void writer_take_kept(pm_writer *w, writer_segment *s);
/* Whether the tokens of segments [first, first + n) are kept, and no more than a batch may have. */
bool writer_kept_all(const pm_writer *w, size_t first, size_t n);
/* And memory is there to invert them; then they can be added to the inverter, which is empty. */
bool writer_kept_run(const pm_writer *w, size_t first, size_t n);
pm_status writer_add_kept(pm_writer *w, size_t first, size_t n, pm_error *err);

/* writer_beside.c: begin to merge segments [first, first + n), which takes `memory` bytes where
 * their tokens are not kept; they stay where they are until it ends.  False: that is much, or
 * memory is refused, and nothing is begun. */
bool writer_beside_begin(pm_writer *w, size_t first, size_t n, uint64_t memory);
/* A merge that takes so much goes on beside; what takes more is made while everybody waits. */
bool writer_beside_fits(const pm_writer *w, uint64_t memory);
/* Bytes that count from begin to end; whether segment i is being merged; the file that is written,
 * NULL: none. */
uint64_t writer_beside_memory(const pm_writer *w);
bool writer_beside_holds(const pm_writer *w, size_t i);
const char *writer_beside_name(const pm_writer *w);
/* Wait, for forms are about to be forgotten. */
void writer_beside_forget(pm_writer *w);
/* Wait for the result, which is the caller's: it is to take the place of segments [*first, *first +
 * *n); *n 0: there is none.  After a failure there is nothing to end any more. */
pm_status writer_beside_end(pm_writer *w, size_t *first, size_t *n, writer_segment *merged,
                            pm_error *err);
/* As if it had never begun. */
void writer_beside_cancel(pm_writer *w);

/* writer_fit.c */
typedef struct merge_fit {
    uint64_t memory; /* bytes that it takes                                                 */
    bool spills;     /* when what is large goes to files                                    */
    bool fits;       /* beside what is held of the limit                                     */
} merge_fit;

/* How to merge segments [first, first + n), whose sizes are summed up. */
merge_fit writer_merge_fit(pm_writer *w, size_t first, size_t n, const merge_size *size);

/* writer_tiers.c: merge until there are few.  `commit`: those of the last commit, too; `beside`:
 * more batches may come, so that a merge may go on beside them. */
pm_status writer_tidy(pm_writer *w, bool commit, bool beside, pm_error *err);
/* The newest segments, as far as their tokens are kept, to one. */
pm_status writer_gather(pm_writer *w, pm_error *err);

#endif
