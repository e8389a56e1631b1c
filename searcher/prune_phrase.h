/* SPDX-License-Identifier: MIT
 *
 * prune_phrase.h - required and forbidden phrases and NEAR groups inside the pruned loops.
 *
 *   lists of all required words -> documents that have them all, with an upper bound
 *       -> the most promising first -> positions -> exact tf -> pool
 *
 * No occurrence of a phrase shares its place of a word with another one, so its tf is at most
 * each word's tf, in a text of the same length: its share x is at most the least of the words'
 * shares, which impact bytes bound (prune.h).  Each window of a NEAR group ends at another
 * occurrence, so its tf is at most the sum of the words'; with x = tf / (tf + K) sums of tf
 * are sums of x / (1 - x).  Positions are read only of documents whose bound reaches the
 * threshold.  Where a segment answers a phrase by one list, the phrase is a word there.
 */
#ifndef PM_SEARCHER_PRUNE_PHRASE_H
#define PM_SEARCHER_PRUNE_PHRASE_H

#include "common/codec/scan.h"
#include "common/segment/positions.h"
#include "searcher/matcher.h"

struct prune_list;
struct prune_word;
struct prune_state;

enum {
    PRUNE_PHRASES_MAX = 4,         /* required and forbidden ones each; more: exhaustive loop */
    PRUNE_PARTS_MAX = 64,          /* words of all phrases                                   */
    PRUNE_CANDIDATES = 8192,       /* bounded documents that wait for their positions       */
    PRUNE_WAITING_RANKS = 1 << 17, /* of their postings                                */
    PRUNE_VERIFY = POSITION_BATCH, /* of them verified together                       */
};

/* A phrase that positions decide, in the open segment. */
typedef struct prune_phrase {
    const struct prune_word *word;
    float weight;
    float most; /* no share here is above                                 */
    bool near;
    matcher m;
    uint32_t n_parts;          /* must, not near: the parts, rarest first ...               */
    struct prune_list **lists; /* ... the list of each, ...                                */
    position_reader *readers;  /* ... and its positions                                  */
} prune_phrase;

/* A document in which a phrase may be: its starts so far. */
typedef struct prune_meeting {
    uint32_t at;  /* index of the document in the caller's row                      */
    uint32_t n;   /* starts left                                                    */
    size_t start; /* the first of them                                              */
} prune_meeting;

/* A list that every candidate must have: of a word, or of a phrase's word. */
typedef struct prune_need {
    struct prune_list *list;
    uint32_t phrase; /* in must; UINT32_MAX: a word                            */
} prune_need;

typedef struct prune_candidate {
    uint32_t doc;
    float most;  /* bound of the whole score                               */
    float words; /* bound of what words give                               */
    float shares[PRUNE_PHRASES_MAX];
} prune_candidate;

/* All of a searcher's memory for phrases.  Valid when zeroed. */
typedef struct prune_phrases {
    prune_phrase must[PRUNE_PHRASES_MAX], not [PRUNE_PHRASES_MAX];
    uint32_t n_must, n_not;
    struct prune_list *lists; /* owned: of the phrases' words                           */
    uint32_t n_lists;
    prune_need needs[PRUNE_PARTS_MAX + 64];
    uint32_t n_needs;
    cursor *cursors;    /* owned                                                  */
    phrase_part *parts; /* owned                                                  */
    uint32_t n_parts;
    struct prune_list **part_lists; /* owned, by part                                   */
    position_reader *readers;       /* owned, by part                                   */
    prune_meeting *meetings;        /* owned                                            */
    uint32_t *meeting_docs;         /* owned: their documents                           */
    position_scratch *finding;      /* owned                                            */
    position_place *places;         /* owned                                            */
    size_t n_starts;
    /* Ranks of the documents' postings in the phrases' lists, a row for each list: of the
     * batch (rows of PRUNE_BATCH_CAP), where a list has been asked; of the candidates (a row for
     * each candidate); of those that are verified together (rows of PRUNE_VERIFY). */
    uint32_t *ranks, *waiting_ranks, *verify_ranks; /* owned                             */
    uint32_t ranked[PRUNE_PARTS_MAX], n_ranked;     /* lists whose row of the batch is filled */
    bool lead_ranked;                               /* the lead's is                     */
    match_scratch scratch;
    prune_candidate *candidates; /* owned                                                  */
    uint32_t n_candidates;
    bool counting;    /* the loop verifies all, and counts what matches                 */
    uint64_t counted; /* so far                                                         */
    float *order;     /* owned: scratch of the selection                        */
    uint32_t *tfs;    /* owned: of the pool's hits, n_must each                 */
    size_t n_tfs, tfs_cap;
    float *shares; /* owned: of the batch, a row for each phrase             */
} prune_phrases;

void prune_phrases_free(prune_phrases *f);
/* Memory for a query with phrases; false: refused. */
bool prune_phrases_ready(prune_phrases *f);
/* Forget the segment's phrases. */
void prune_phrases_clear(prune_phrases *f);

/* A phrase in the open segment.  *one: the entry of the one list that answers it, or NULL
 * when positions must be asked.  False: it is nowhere there. */
bool prune_phrase_open(struct prune_state *s, const struct prune_word *w, const term_entry **one);
/* The lists that every candidate must have, rarest first, once all are open. */
void prune_phrase_needs(struct prune_state *s);

/* ---- the batch's ranks (prune_phrase.c) ------------------------------------------------------ */

/* A walk of the lead that fills the batch, and what it knows of ranks. */
struct prune_walk;
void prune_phrase_walk(struct prune_state *s, struct prune_walk *w);
/* Fill the empty batch with what has an impact of `low` or more; false at the end of the lead.  0:
 * with everything, and no scores. */
bool prune_phrase_fill(struct prune_state *s, struct prune_walk *w, unsigned low);
/* Keep the documents of the batch that are in the list, *n of them; s->at: their indexes before;
 * returns their ranks. */
const uint32_t *prune_phrase_ask(struct prune_state *s, const prune_need *need, uint32_t *n);
/* Keep the documents at[0, n) of the batch, and their ranks. */
void prune_phrase_keep(struct prune_state *s, const uint32_t *at, uint32_t n);
/* Drop the documents of the batch that are in the list: indexes of the others to s->at_b; their
 * number, the batch's when nothing has to be dropped. */
uint32_t prune_phrase_others(struct prune_state *s, struct prune_list *list);
/* Know all ranks of what is left. */
void prune_phrase_finish(struct prune_state *s);

/* ---- asking ------------------------------------------------------------------------------- */

/* Occurrences of a required phrase in each of n <= PRUNE_VERIFY rising documents that have all
 * its words, at ranks[list * row + i] of its lists. */
void prune_phrase_tfs(struct prune_state *s, prune_phrase *f, const uint32_t *docs, uint32_t n,
                      const uint32_t *ranks, size_t row, uint32_t *tfs);
/* Occurrences of a phrase in doc; cheapest where doc rises. */
uint32_t prune_phrase_tf(struct prune_state *s, prune_phrase *f, uint32_t doc);
/* Does a forbidden phrase match doc? */
bool prune_phrase_forbids(struct prune_state *s, uint32_t doc);
/* Drop what forbidden phrases match from the batch. */
void prune_phrase_exclude(struct prune_state *s);

/* ---- loops (prune_phrase_rank.c, prune_phrase_count.c) -------------------------------------- */

void prune_phrase_rank(struct prune_state *s);
uint64_t prune_phrase_count(struct prune_state *s);

#endif
