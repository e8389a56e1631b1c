/* SPDX-License-Identifier: MIT
 *
 * split_cache.h - where a word was written as two: for a word, the live documents that do not
 * have it but have its two parts as neighbours ("email": those with "e-mail").
 *
 * Such documents are few, finding them is not cheap, and the answer is the same for as long as
 * the index is open.  So they are found once for each word asked for and kept with the
 * index, shared by its searchers, up to SPLIT_CACHE_BYTES; beyond that they are found anew.
 */
#ifndef PM_SEARCHER_SPLIT_CACHE_H
#define PM_SEARCHER_SPLIT_CACHE_H

#include <pthread.h>

#include "common/text/analyzer.h"

enum { SPLIT_CACHE_BYTES = 64 << 20 };

typedef struct split_list {
    const uint32_t *docs; /* rising                                                   */
    uint32_t n;
} split_list;

/* Immutable; of the cache (until it is freed) or of a query's arena. */
typedef struct split_entry split_entry;
struct split_entry {
    const char *word; /* folded                                                   */
    size_t word_len;
    uint32_t n_tried;  /* places where both parts were written as words            */
    uint64_t n_docs;   /* in all lists                                             */
    split_list *lists; /* one for each segment                                     */
    pm_text *pairs;    /* 2 * n_pairs terms: parts that stand in live documents   */
    uint32_t n_pairs;
    split_entry *next; /* in its slot                                              */
};

typedef struct split_cache {
    pthread_mutex_t lock;
    split_entry **slots; /* n_slots, a power of two, at least as many as entries where memory
                            was there; NULL until the first one                       */
    size_t n_slots, n_entries;
    size_t bytes; /* of the entries                                           */
} split_cache;

/* The struct is zeroed already. */
void split_cache_init(split_cache *c);
void split_cache_free(split_cache *c);
/* NULL when the word is not there. */
const split_entry *split_cache_find(split_cache *c, const char *word, size_t len);
/* Keep a copy, unless the cache is full; false when memory is refused. */
bool split_cache_add(split_cache *c, const split_entry *entry, uint32_t n_segments);

#endif
