/* SPDX-License-Identifier: MIT
 * merge_list.h - one posting list of a merge being made, by one thread; what merge_list.c (lists)
 * and merge_terms.c (keys) share.
 */
#ifndef PM_INDEXER_MERGE_LIST_H
#define PM_INDEXER_MERGE_LIST_H

#include "indexer/keysort.h"
#include "indexer/merge_internal.h"

enum { MERGE_TASK_KEYS = 256, MERGE_NO_FORM = UINT32_MAX /* tag of a list without forms */ };

typedef struct u32_list {
    uint32_t *data;
    size_t n, cap;
} u32_list;

/* What is kept of the postings that are read. */
typedef struct list_wants {
    bool docs, positions, forms; /* docs: with frequencies                                 */
    bool counts;                 /* of forms: each occurrence is counted once                */
} list_wants;

/* Where reading is: the lists of one key, input by input. */
typedef struct list_reader {
    const term_entry *entries; /* one an input; df 0: it has none                           */
    size_t input;
    bool open;               /* the cursor is in that input's list                          */
    const uint32_t *numbers; /* of its forms; NULL: the key has none                          */
    form_stream stream;
} list_reader;

/* One thread's keys and the list that it makes. */
struct list_merge {
    merger *m;
    cursor *c;
    buf keys;
    uint32_t n_keys, key_ends[MERGE_TASK_KEYS];
    term_entry *entries; /* [n_keys][inputs]; df 0: not there                                 */
    list_reader at;
    list_wants wants;
    u32_list docs, tfs, positions, forms; /* of the list being made                        */
    size_t fed;                           /* of positions or forms, when they are fed           */
    u32_list present;                     /* its distinct forms                            */
    u32_list spare;                       /* while a list is sorted, or has dead documents    */
    size_t *starts;                       /* by posting: where its occurrences begin       */
    size_t starts_cap;
    keysort_item *items, *scratch;
    size_t items_cap, scratch_cap;
    /* The list has one form, of which no occurrence need be written down. */
    bool one_form;
};

/* The list of a key, whose entries are one an input.  large: it is too long for its occurrences to
 * be held, so that they are read again when they are encoded. */
pm_status merge_list_make(list_merge *l, slice key, const term_entry *entries, bool large,
                          list_task *out, pm_error *err);
/* Give back the arrays of a list, which are as long as it is. */
void merge_list_forget(list_merge *l);
void merge_list_free(list_merge *l);

#endif
