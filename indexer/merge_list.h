/* SPDX-License-Identifier: MIT
 * merge_list.h - one posting list of a merge being made, by one thread; what merge_read.c (the
 * inputs), merge_list.c (lists) and merge_terms.c (keys) share.
 */
#ifndef PM_INDEXER_MERGE_LIST_H
#define PM_INDEXER_MERGE_LIST_H

#include "common/base/bytes.h"
#include "indexer/keysort.h"
#include "indexer/merge_internal.h"

enum { MERGE_TASK_KEYS = 256 };
#define MERGE_NO_FORM UINT32_MAX /* tag of a list without forms */

typedef struct u32_list {
    uint32_t *data;
    size_t n, cap;
} u32_list;

/* Positions of postings, as the bits that they are in a segment (codec/ef_string.h). */
typedef struct string_list {
    buf bytes;  /* EF_STRING_SLACK zeros and more behind the bits                               */
    uint64_t n; /* bits                                                                      */
} string_list;

/* What is kept of the postings that are read. */
typedef struct list_wants {
    bool docs, lengths, positions, forms; /* docs: with frequencies                        */
    bool counts; /* of forms: each occurrence is counted once                */
} list_wants;

/* Where the occurrences of a posting begin, and their positions' bits. */
typedef struct list_start {
    uint64_t occurrence, bit;
} list_start;

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
    u32_list docs, tfs, lengths, forms; /* of the list being made                          */
    string_list strings;                /* its positions                                   */
    uint64_t fed;                       /* bits or forms that were given, when they are fed       */
    u32_list present;                   /* its distinct forms                              */
    u32_list spare;                     /* while a list is sorted                          */
    string_list spare_strings;
    list_start *starts; /* by posting                                                      */
    size_t starts_cap;
    keysort_item *items, *scratch;
    size_t items_cap, scratch_cap;
    /* The list has one form, of which no occurrence need be written down. */
    bool one_form;
};

/* merge_read.c.  Room for more elements, or for n more bits, all zero; false: memory was refused.
 */
bool u32_room(u32_list *l, size_t more);
bool strings_room(string_list *l, uint64_t n);
void strings_reset(string_list *l);
/* n bits from bit `at` on, appended; EF_STRING_SLACK bytes more can be read.  False: as above. */
bool strings_add(string_list *l, const uint8_t *bytes, uint64_t at, uint64_t n);
/* Start at the first posting of a key, whose entries are one an input. */
void merge_read_begin(list_merge *l, const term_entry *entries, list_wants wants);
/* One more block is appended; *more false: there was none.  False: memory was refused. */
bool merge_read_next(list_merge *l, bool *more);
/* From the first posting to the last. */
pm_status merge_read_all(list_merge *l, const term_entry *entries, list_wants wants, pm_error *err);

/* merge_list.c.  The list of a key, whose entries are one an input.  large: it is too long for its
 * occurrences to be held, so that they are read again when they are encoded. */
pm_status merge_list_make(list_merge *l, slice key, const term_entry *entries, bool large,
                          list_task *out, pm_error *err);
/* Give back the arrays of a list, which are as long as it is. */
void merge_list_forget(list_merge *l);
void merge_list_free(list_merge *l);

#endif
