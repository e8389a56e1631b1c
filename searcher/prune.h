/* SPDX-License-Identifier: MIT
 *
 * prune.h - the pruned ranking loops: the same best hits as rank_exhaustive, found by looking
 * at impact bytes first and at documents only where the bytes say that they can matter.
 *
 * Each posting's byte w bounds its share x = tf / (tf + K) of BM25 from both sides (FORMAT.md,
 * "impacts"), so weight * up[w] >= contribution >= weight * down[w].  A loop keeps every
 * document whose upper bound reaches the threshold: the k-th largest lower bound seen.
 * What is left at the end, some 80 documents, is scored exactly, in query order, and ranked
 * as the exhaustive loop ranks.  So ids and scores are equal to its own, bit for bit.
 *
 *   plan -> prune_query (flat lists by role) -> candidates in batches -> pool -> exact hits
 *
 * Disjunctions follow MaxScore (H. Turtle, J. Flood, "Query evaluation: strategies and
 * optimizations", 1995) term at a time, impacts first, and where lists are many add them up in
 * windows of documents (prune_window.h);
 * conjunctions take the rarest list as lead.  Lists are opened once for each segment; the
 * pool and its threshold go over all segments, because statistics are global.
 */
#ifndef PM_SEARCHER_PRUNE_H
#define PM_SEARCHER_PRUNE_H

#include "common/codec/scan.h"
#include "searcher/prune_phrase.h"
#include "searcher/rank.h"

enum {
    PRUNE_LISTS_MAX = 64, /* longer queries go to the exhaustive loop                   */
    PRUNE_BATCH = 512,    /* candidates probed together                                 */
    PRUNE_BATCH_CAP = PRUNE_BATCH + 512 + SCAN_SLACK,
};

typedef enum prune_role { PRUNE_MUST, PRUNE_SHOULD, PRUNE_NOT } prune_role;

/* A list of the query, in all segments. */
typedef struct prune_word {
    uint32_t matcher, key, term; /* of the plan; term UINT32_MAX under NOT                */
    bool phrase;                 /* or a NEAR group: key says nothing                      */
    prune_role role;
    double weight; /* weight * idf * (k1 + 1)                                */
} prune_word;

/* A flat query: words by role, musts and shoulds in no order yet. */
typedef struct prune_query {
    plan *p;
    prune_word words[PRUNE_LISTS_MAX];
    uint32_t n_words, n_must, n_should, n_not, n_phrases, n_parts;
    bool ranked;       /* the pruned loop can rank it, not only count it         */
    bool one_suffices; /* an OR: one word is as good as all                      */
} prune_query;

/* False when the plan is not a flat query of words, and of phrases and NEAR groups that are
 * required or forbidden.  all: plain neighbours are required. */
bool prune_query_of(prune_query *q, plan *p, bool all);

/* A list opened in one segment. */
typedef struct prune_list {
    postings p; /* df 0: not in this segment                              */
    const prune_word *word;
    float weight;
    float most;       /* no posting here contributes more                       */
    uint32_t phrase;  /* of prune_phrases.must, where positions decide;
                         UINT32_MAX: a list like any other                      */
    uint32_t decoded; /* block held in docs; UINT32_MAX none                    */
    uint32_t n_docs;
    uint32_t block; /* where the next probe starts                            */
    uint32_t docs[SEGMENT_BLOCK_MAX + SCAN_SLACK];
} prune_list;

/* Candidates with the sum of the upper bounds found so far. */
typedef struct prune_batch {
    uint32_t n;
    uint32_t docs[PRUNE_BATCH_CAP];
    float scores[PRUNE_BATCH_CAP];
} prune_batch;

typedef struct prune_hit {
    float most, least; /* bounds of the score                                    */
    uint32_t segment, doc;
    size_t tfs; /* of its phrases, in prune_phrases.tfs                   */
} prune_hit;

/* Candidates that may be among the best k.  Valid when zeroed; keeps its memory. */
typedef struct prune_pool {
    prune_hit *hits;
    float *order;     /* heap of the best lower bounds, or scratch of their selection */
    prune_hit *spare; /* scratch of the sort                                    */
    size_t n, cap, n_heap, order_cap, spare_cap, k;
    size_t tighten_at; /* number of hits from which it pays to tighten           */
    float threshold;   /* k-th largest lower bound so far                        */
    bool no_memory;
} prune_pool;
void prune_pool_begin(prune_pool *pool, uint64_t k);
void prune_pool_add(prune_pool *pool, prune_hit one);
/* A batch of one segment whose lower bounds are `margin` below the upper ones. */
void prune_pool_add_batch(prune_pool *pool, const prune_batch *b, float margin,
                          uint32_t segment_index);
/* Are there k hits that surely score `least` or more?  False where that is not known. */
bool prune_pool_holds(const prune_pool *pool, float least);
/* Raise the threshold, where adding does not, and drop what it excludes. */
void prune_pool_tighten(prune_pool *pool);
/* The same after lower bounds of hits have risen. */
void prune_pool_select(prune_pool *pool);
/* Drop the hits of a segment, the latest one, but keep the threshold: they will come again. */
void prune_pool_forget(prune_pool *pool, uint32_t segment);
void prune_pool_free(prune_pool *pool);
/* The k-th largest of v[n], 1 <= k <= n; reorders v. */
float prune_select_largest(float *v, size_t n, size_t k);

/* Bounds of x = tf / (tf + K) by impact byte, in one segment of one snapshot. */
typedef struct prune_bounds {
    bool made;
    float up[256], down[256];
    float gap; /* largest difference                                     */
} prune_bounds;

/* Everything a pruned search needs; one for each searcher, kept between queries. */
typedef struct prune_state {
    const prune_query *q;
    const scan_kernels *scan;
    prune_list *lists; /* owned, PRUNE_LISTS_MAX of them                         */
    prune_list *must[PRUNE_LISTS_MAX], *should[PRUNE_LISTS_MAX], *not [PRUNE_LISTS_MAX];
    uint32_t n_must, n_should, n_not;
    uint32_t segment; /* the one that is open                                   */
    const snapshot_segment *part;
    const filter_set *only;     /* what passes the filters there; NULL: everything             */
    const prune_bounds *bounds; /* of the open segment                              */
    prune_bounds *all_bounds;   /* owned, one a segment, made when first needed      */
    prune_pool pool;
    prune_batch batch;
    prune_phrases phrases;
    uint64_t *bitmap; /* counting: zero between queries                         */
    size_t bitmap_words;
    struct prune_window *window; /* owned (prune_window.h)                                     */
    uint32_t at[PRUNE_BATCH_CAP], at_b[PRUNE_BATCH_CAP], ranks[PRUNE_BATCH_CAP];
    uint8_t bytes[PRUNE_BATCH_CAP];
} prune_state;
void prune_state_free(prune_state *s);
/* For searches of this snapshot from now on; false: memory is refused. */
bool prune_state_ready(prune_state *s, const snapshot *snap);

/* Open the words of q in a segment: fills must, should and not, sorted for the loops.  False
 * when nothing can match there. */
bool prune_open(prune_state *s, const prune_query *q, uint32_t segment_index);
/* One list of the open segment; false when it cannot be read. */
bool prune_list_open(prune_state *s, const prune_word *w, const term_entry *entry,
                     prune_list *list);

/* ---- probing (prune_probe.c) ------------------------------------------------------------- */

/* Which of the n rising documents are in the list: indexes to at, ranks of their postings to
 * ranks (may be NULL). */
uint32_t prune_probe(prune_state *s, prune_list *list, const uint32_t *docs, uint32_t n,
                     uint32_t *at, uint32_t *ranks);
/* Drop the candidates that are (in: are not) in the list. */
void prune_exclude(prune_state *s, prune_list *list);
void prune_require(prune_state *s, prune_list *list);
/* Add the list's contributions to the candidates that have it. */
void prune_add(prune_state *s, prune_list *list);

/* ---- walking (prune_walk.c) ---------------------------------------------------------------- */

/* A walk over the postings of a list whose impact byte is in a range. */
typedef struct prune_walk {
    prune_list *list;
    const uint64_t *also; /* a second bitmap in which a document of a dense list must be */
    uint32_t *ranks;      /* NULL, or where ranks go beside the batch; not of a dense list */
    uint32_t next;        /* block or bucket                                        */
    uint32_t rank;        /* of its first posting                                   */
    uint32_t end;         /* block or bucket to stop before; set at the first fill  */
} prune_walk;
/* Append to the batch until it is full or the list ends; false at the end.  Gives only what
 * passes the filters. */
bool prune_walk_fill(prune_state *s, prune_walk *w, uint8_t low, uint8_t high);
/* The same for all postings, whose scores are not wanted (and not written for a list that is
 * not dense). */
bool prune_walk_docs(prune_state *s, prune_walk *w);
/* Rank of the first posting of a bucket of a dense list, and their number; false on damage. */
bool prune_bucket(const prune_list *list, uint32_t bucket, uint32_t *first, uint32_t *n);
/* Documents of a bucket of a dense list whose byte is in the range, bytes to s->bytes; also: NULL
 * or eight words of other bitmaps.  Room for BUCKET and the slack. */
uint32_t prune_bucket_take(prune_state *s, const prune_list *list, const uint64_t *also,
                           uint32_t bucket, uint8_t low, uint8_t high, uint32_t *docs);
/* The least byte whose contribution reaches `need`, 256 when none does. */
unsigned prune_least_byte(const prune_state *s, const prune_list *list, float need);

/* ---- filters (prune_filter.c, prune_filter_count.c) ------------------------------------------ */

/* Start a walk at the first block or bucket with a document that passes, and end it behind the
 * last. */
void prune_walk_begin(const prune_state *s, prune_walk *w);
/* Drop what does not pass from batch [from, n). */
void prune_keep_passing(prune_state *s, uint32_t from);
/* The impact byte of the posting with this rank by impact, from 1, about; 0: not known. */
uint8_t prune_byte_of_rank(const prune_list *list, double rank);
/* Words of a filter's bitmap. */
uint32_t prune_filter_words(const prune_state *s);
/* Is it cheaper to start a disjunction from the documents that pass?  It then is ranked by
 * prune_or_few. */
bool prune_few_pass(const prune_state *s);
void prune_or_few(prune_state *s);
/* prune_or, from a threshold that is likely where no stored impact is a bound. */
void prune_or_guessing(prune_state *s);
/* Live documents of the open segment that match and pass; the query has no phrases there. */
uint64_t prune_count_passing(prune_state *s);

/* ---- loops ------------------------------------------------------------------------------- */

void prune_or(prune_state *s);
void prune_and(prune_state *s);
/* Does prune_and count all matches on its way (to s->phrases.counted)? */
bool prune_and_counts(const prune_state *s);
/* Move the batch's survivors to the pool; margin: upper minus lower bound. */
void prune_deliver(prune_state *s, float margin);

/* Score the pool exactly and rank it into *best; others: only documents that lack some word
 * (prune_exact.c). */
void prune_push_exact(prune_state *s, topk *best, bool others);
/* Bound the hits of the open segment by their exact scores, and tighten: for when so many
 * are within the bytes' margin of each other that keeping them costs more. */
void prune_sharpen(prune_state *s);
/* Live documents of the open segment that match. */
uint64_t prune_count_open(prune_state *s);
/* Live documents that match a flat query. */
pm_status prune_count(prune_state *s, const prune_query *q, uint64_t *out, pm_error *err);

/* Ranks and counts where the pruned loops can, else says so (*done false): the caller goes
 * to rank_exhaustive. */
pm_status rank_pruned(plan *p, uint64_t k, bool want_total, topk *best, prune_state *s,
                      rank_totals *totals, bool *done, pm_error *err);
/* The same for words with joined or split forms, by way of rank_pruned. */
pm_status rank_widened(plan *p, uint64_t k, bool want_total, topk *best, match_scratch *scratch,
                       prune_state *s, rank_totals *totals, bool *done, pm_error *err);

#endif
