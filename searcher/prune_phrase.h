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
#include "searcher/matcher.h"

struct prune_list;
struct prune_word;
struct prune_state;

enum {
    PRUNE_PHRASES_MAX = 4,  /* required and forbidden ones each; more: exhaustive loop */
    PRUNE_PARTS_MAX = 64,   /* words of all phrases                                   */
    PRUNE_CANDIDATES = 8192 /* bounded documents that wait for their positions        */
};

/* A phrase that positions decide, in the open segment. */
typedef struct prune_phrase {
    const struct prune_word *word;
    float weight;
    float most; /* no share here is above                                 */
    bool near;
    matcher m;
} prune_phrase;

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
    match_scratch scratch;
    prune_candidate *candidates; /* owned                                                  */
    uint32_t n_candidates;
    float *order;  /* owned: scratch of the selection                        */
    uint32_t *tfs; /* owned: of the pool's hits, n_must each                 */
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
