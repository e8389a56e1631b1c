/* SPDX-License-Identifier: MIT
 *
 * plan.h - a query tree resolved against one snapshot: which posting lists are read, what
 * makes a leaf match, what scores.
 *
 *     leaf (of the tree) --> alternatives: matchers, any of which makes the leaf match
 *     term (of the score) --> one matcher, its weight and idf
 *     matcher --> one key, or the keys of a phrase or NEAR
 *     key --> a posting list for each segment, live df over all of them
 *
 * Keys, matchers and terms are each held once, however often the query names them.  All of
 * it lives in the query's arena.
 */
#ifndef PM_SEARCHER_PLAN_H
#define PM_SEARCHER_PLAN_H

#include "common/segment/snapshot.h"
#include "searcher/filter.h"
#include "searcher/split_cache.h"

/* Places where words of one query may be split; beyond these words are not looked at. */
enum { PLAN_SPLITS_MAX = 256 };

typedef struct plan_key {
    const uint8_t *key;
    uint32_t len;
    uint64_t hash;
    uint64_t df; /* live documents of all segments                           */
    double idf;
    term_entry *entries; /* one for each segment; df 0: not there                    */
} plan_key;

typedef enum matcher_kind {
    MATCH_KEY,
    MATCH_PHRASE,
    MATCH_NEAR,
    MATCH_DOCS,  /* the documents where a word stands as two; tf 1         */
    MATCH_FILTER /* the documents that pass a filter; never scored         */
} matcher_kind;

typedef struct plan_matcher {
    matcher_kind kind;
    bool title;
    uint32_t n_words;
    const uint32_t *words;      /* keys; MATCH_NEAR: distinct ones; MATCH_DOCS: pairs       */
    const uint32_t *needs;      /* MATCH_NEAR: occurrences wanted of each                   */
    const uint32_t *titles;     /* MATCH_NEAR with a window that could reach over the gap
                                   between title and body: the title keys, else NULL        */
    const uint32_t *pairs;      /* MATCH_PHRASE: keys of bigrams, each of a word and the next;
                                   UINT32_MAX: of no use anywhere.  NULL: none is         */
    const split_list *lists;    /* MATCH_DOCS: one for each segment                         */
    const query_filter *filter; /* MATCH_FILTER                                          */
    uint64_t window;            /* MATCH_NEAR: positions from first to last word, inclusive */
    uint64_t cost;              /* postings to walk, about                                  */
} plan_matcher;

typedef struct plan_leaf {
    const query_node *node;
    bool negated; /* some NOT stands above: never scored, never highlighted    */
    uint32_t n_alts, cap_alts;
    uint32_t *alts;     /* matchers; the first is the leaf itself                   */
    uint32_t scored_by; /* matcher of its term: an acronym scores by its marker     */
} plan_leaf;

typedef struct plan_term {
    uint32_t matcher;
    double weight, idf;
    uint64_t df; /* phrases and NEAR: of their rarest word, an upper bound   */
    pm_text label;
} plan_term;

typedef struct plan {
    snapshot *snap;
    arena *a;
    analyzer *words;
    split_cache *splits;
    const query *q;
    const query_node *core; /* the tree without the filters in `only`; NULL: nothing else   */
    const filter_set *only; /* one a segment: nothing else matches; NULL: no such filter   */
    pm_match match;
    double k1, b;
    bool snippets;  /* split forms are wanted for highlights, too               */
    plan_key *keys; /* all arrays are of the arena                               */
    plan_matcher *matchers;
    plan_leaf *leaves; /* by query_node.leaf                                       */
    plan_term *terms;  /* in order of first appearance                             */
    size_t n_keys, cap_keys, n_matchers, cap_matchers, n_terms, cap_terms;
    bool bigrams;    /* may answer phrases                                       */
    bool total_only; /* the matches with every word need not be counted             */
    bool narrow;     /* leave joined and split forms aside (rank_widened.c)       */
    bool *drivers;   /* by matcher: every match has one of these                 */
    uint64_t cost;   /* of all drivers together                                  */
    bool from_only;  /* what passes the filters is walked instead of the drivers  */
    uint32_t n_splits;
} plan;

/* PM_USAGE when the query needs positions and the index has none, or an option's filter is
 * none.  The plan is good until the caches are asked for another. */
pm_status plan_make(plan *p, snapshot *snap, arena *a, analyzer *words, split_cache *splits,
                    filter_cache *filters, const query *q, const pm_search_options *options,
                    pm_error *err);

/* The key of a term: a class byte (0: plain) and the term.  *out is its index. */
pm_status plan_add_key(plan *p, uint8_t class, pm_text term, uint32_t *out, pm_error *err);
/* A matcher of one key, or a phrase of n keys (copied). */
pm_status plan_add_key_matcher(plan *p, uint32_t key, uint32_t *out, pm_error *err);
pm_status plan_add_phrase(plan *p, const uint32_t *keys, uint32_t n, bool title, uint32_t *out,
                          pm_error *err);
pm_status plan_add_alt(plan *p, plan_leaf *leaf, uint32_t matcher, pm_error *err);
/* The documents that a word matches by its split forms (cost: their number). */
pm_status plan_add_docs(plan *p, const split_entry *entry, uint32_t *out, pm_error *err);
pm_status plan_split(plan *p, pm_text word, uint32_t word_key, const split_entry **out,
                     pm_error *err);
/* The same where the index is another engine's: its two halves as phrases. */
pm_status plan_split_elsewhere(plan *p, plan_leaf *leaf, pm_text word, pm_error *err);
/* Mark the drivers of a positive tree; their cost. */
uint64_t plan_drive(plan *p, const query_node *root);
/* Fill `core` and `only` (plan_filter.c); is a node at the top one of those taken out? */
pm_status plan_filter(plan *p, filter_cache *cache, const pm_search_options *options,
                      pm_error *err);
bool plan_is_clause(const query_node *node);
/* Is doc live, and let through? */
static inline bool plan_admits(const plan *p, uint32_t segment_index, uint32_t doc)
{
    return snapshot_live(&p->snap->segments[segment_index], doc) &&
           (!p->only || filter_has(&p->only[segment_index], doc));
}
/* Widen word leaves by joined and split forms (plan_joined.c). */
pm_status plan_join(plan *p, pm_error *err);

/* BM25's inverse document frequency (S. Robertson, H. Zaragoza, "The probabilistic relevance
 * framework: BM25 and beyond", 2009), with 1 added within the logarithm, so that it is above 0. */
double plan_idf(uint64_t n_docs, uint64_t df);
/* One term's part of a score; every score is a sum of these, in order of terms. */
static inline double plan_contribution(const plan *p, const plan_term *t, uint32_t tf, double norm)
{
    return t->weight * t->idf * tf * (p->k1 + 1.0) / (tf + norm);
}
static inline double plan_norm(const plan *p, uint32_t dl)
{
    return p->k1 * (1.0 - p->b + p->b * dl / p->snap->avgdl);
}

#endif
