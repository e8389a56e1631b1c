/* SPDX-License-Identifier: MIT
 * dict.h - sorted keys to entries: the term dictionary and the surface form dictionary.
 *
 * Both are front-coded blocks of 16 keys under a sorted array of 8-byte big-endian key
 * prefixes (FORMAT.md, "dictionaries").  A look-up is a binary search of the prefixes and a
 * walk of one block; order is bytewise.
 */
#ifndef PM_SEGMENT_DICT_H
#define PM_SEGMENT_DICT_H

#include "common/segment/segment.h"

enum { DICT_KEY_MAX = 1024 };

typedef struct term_entry {
    uint32_t ordinal;   /* rank of the key in the dictionary                         */
    uint32_t df;        /* documents, deleted ones included                          */
    uint64_t cf;        /* occurrences                                               */
    uint32_t n_forms;   /* surface forms of a plain term; 0 when not recorded        */
    bool has_positions; /* the list carries them                                     */
    uint64_t off, len;  /* region in SECTION_POSTINGS                                */
} term_entry;

/* True when the key is there.  False: absent, or damage (segment_status tells). */
bool dict_find(segment *s, const void *key, size_t len, term_entry *out);

/* A form of the form dictionary: key = folded, 0x00, exact (exact empty when equal). */
typedef struct form_entry {
    uint32_t term;  /* ordinal in the term dictionary                            */
    uint32_t index; /* of this form among the term's forms, 0 = most frequent    */
    uint32_t df;    /* documents with this very form, deleted ones included      */
    uint64_t cf;
} form_entry;

/* In-order iteration over either dictionary, from the first key >= `from`. */
typedef struct dict_iter {
    segment *s;
    bool forms; /* which dictionary                                          */
    uint64_t block, n_blocks;
    reader at;        /* rest of the current block                                 */
    uint32_t left;    /* keys left in the current block                            */
    uint64_t region;  /* offset of the next term's region                          */
    uint64_t ordinal; /* of the next key                                           */
    size_t key_len;
    uint8_t key[DICT_KEY_MAX]; /* the current key                                          */
    term_entry term;           /* when !forms                                               */
    form_entry form;           /* when forms                                                */
    bool pending;              /* the current key was found by the seek, not yet returned   */
} dict_iter;

void dict_iter_begin(dict_iter *it, segment *s, bool forms, const void *from, size_t from_len);
/* True with the next key and entry; false at the end or on damage. */
bool dict_iter_next(dict_iter *it);
/* The key with this ordinal (forms' entries name terms so); false on damage. */
bool dict_term_at(segment *s, uint32_t ordinal, term_entry *out, buf *key);

#endif
