/* SPDX-License-Identifier: MIT
 * merge_internal.h - what the files of a merge share:
 *   merge.c            documents, forms
 *   merge_order.c      documents in another order
 *   merge_terms.c      keys, in order
 *   merge_list.c, merge_read.c (merge_list.h)     the list of a key
 *   merge_bigrams.c    lists of bigrams
 */
#ifndef PM_INDEXER_MERGE_INTERNAL_H
#define PM_INDEXER_MERGE_INTERNAL_H

#include "common/segment/cursor.h"
#include "indexer/list_tasks.h"
#include "indexer/merge.h"

#define MERGE_DEAD UINT32_MAX

/* Several sorted dictionaries read as one. */
typedef struct key_merge {
    dict_iter *iters; /* one an input                                                   */
    bool *more;       /* iters[i] stands on a key not yet given                         */
    uint64_t *begins; /* first eight bytes of those keys, as a number: most differ there   */
    bool *here;       /* iters[i] stands on the key just given                          */
    size_t n;
    size_t lead;     /* one that is here                                               */
    uint64_t passed; /* bytes of keys read since pages were given back (segment_pass)      */
} key_merge;

pm_status key_merge_open(key_merge *k, const merge_input *inputs, size_t n, bool forms,
                         pm_error *err);
/* The next distinct key, that of iters[lead]; false at the end. */
bool key_merge_next(key_merge *k);
void key_merge_close(key_merge *k);

/* One distinct surface form of all inputs; its number is its rank by key. */
typedef struct merge_form {
    uint64_t cf;
    uint32_t df, index;
    uint32_t term; /* the first form of its term that has occurrences                       */
    union {
        uint32_t last_doc; /* while the list is made: the last document with it, + 1            */
        uint32_t ordinal;  /* of that first form, when the list is written: of the term         */
    };
} merge_form;

/* How one input's numbers become the output's. */
typedef struct merge_map {
    uint32_t *doc; /* by document: new number or MERGE_DEAD; NULL: the old one and `base` */
    uint32_t base;
    uint32_t *form_base; /* by term ordinal: where its forms begin in `form`; n_terms + 1 */
    uint32_t *form;      /* number of the distinct form                                   */
    uint8_t *style;      /* by term ordinal: form_style of its only form                  */
} merge_map;

/* Where a document of the output comes from. */
typedef struct merge_source {
    uint32_t input, doc;
} merge_source;

typedef struct merger {
    const dir *folder; /* where the result goes; its watch may stop                     */
    const merge_input *inputs;
    merge_map *maps;
    merge_source *sources; /* by new number, when documents change places; else NULL   */
    uint32_t n_docs;       /* live                                                    */
    size_t n;
    segment_writer *w;
    bool has_positions;
    merge_form *forms;
    uint8_t *styles; /* by form: form_style, should it be the only one of its term  */
    uint32_t n_forms;
    size_t styles_cap;
    struct scratch *scratch; /* of what is by term, form or document; NULL: the heap           */
    uint64_t memory_bytes;   /* that the caller allows; 0: not said                          */
    unsigned threads;        /* that the caller allows                                       */
    _Atomic uint64_t passed; /* bytes read since pages were given back                     */
} merger;

/* The number that an input's document gets, or MERGE_DEAD. */
static inline uint32_t merge_doc(const merge_map *of, uint32_t doc)
{
    return of->doc ? of->doc[doc] : of->base + doc;
}

/* Bytes of the inputs were read, about: every few MB all pages go back (segment_pass). */
void merge_pass(merger *m, uint64_t bytes);

/* merge_order.c: choose the new order of the numbered documents: sources and maps. */
pm_status merge_reorder(merger *m, const merge_order *order, pm_error *err);
/* The documents in their new order, each block of the store made anew. */
pm_status merge_ordered_documents(merger *m, uint64_t cache_bytes, pm_error *err);
/* Hand one document to the writer. */
void merge_put_document(merger *m, segment *s, uint32_t doc, slice record);

/* Damage that an input has recorded, or PM_OK. */
pm_status merge_check(const merger *m, pm_error *err);

/* merge_list.c: a list being made by one worker, piece by piece: in order of the inputs. */
typedef struct list_merge list_merge;
list_merge *merge_list_of(list_merge *lists, unsigned worker);
void merge_list_begin(list_merge *l);
/* One input's list of the key, which has positions and no forms. */
pm_status merge_list_read(list_merge *l, size_t input, const term_entry *entry, pm_error *err);
/* A posting; doc: new number. */
pm_status merge_list_add(list_merge *l, uint32_t doc, uint32_t tf, const uint32_t *positions,
                         pm_error *err);
/* Encode the list, if anything is in it. */
pm_status merge_list_put(list_merge *l, slice key, list_task *out, pm_error *err);

/* merge_bigrams.c: the bigrams' lists. */
pm_status merge_bigrams(merger *m, list_merge *lists, pm_error *err);
/* merge_terms.c: all posting lists, in order of their keys. */
pm_status merge_terms(merger *m, pm_error *err);

#endif
