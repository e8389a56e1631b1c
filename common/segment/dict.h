/* SPDX-License-Identifier: MIT
 * dict.h - sorted keys to entries: the term dictionary and the surface form dictionary.
 *
 * Both are front-coded blocks of 16 keys (I. Witten, A. Moffat, T. Bell, "Managing gigabytes",
 * 1999) under two levels of 8-byte big-endian key prefixes (dict_index.h; FORMAT.md,
 * "dictionaries").  A look-up is a binary search in each level and a walk of one block; order is
 * bytewise.
 *
 * The only form of a term is seldom listed: where it is the term's key, as it is, Capitalised
 * or in CAPITALS, the term's entry says so.  An iteration over forms gives both kinds in order.
 */
#ifndef PM_SEGMENT_DICT_H
#define PM_SEGMENT_DICT_H

#include "common/segment/segment.h"

enum { DICT_KEY_MAX = 1024 };

/* How a form is written, seen from its folded form. */
typedef enum form_style {
    FORM_LISTED,      /* it is in the form dictionary                                  */
    FORM_SAME,        /* nothing behind the zero byte                                  */
    FORM_CAPITALISED, /* the first byte, a to z, as a capital                          */
    FORM_CAPITALS,    /* every byte of a to z as a capital                             */
} form_style;

typedef struct term_entry {
    uint32_t ordinal;   /* rank of the key in the dictionary                         */
    uint32_t df;        /* documents, deleted ones included                          */
    uint64_t cf;        /* occurrences                                               */
    uint32_t n_forms;   /* surface forms of a plain term; 0 when not recorded        */
    form_style style;   /* of its only form, when that is not listed                 */
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

/* One dictionary as it stands in the file, key by key. */
typedef struct dict_walk {
    segment *s;
    bool forms; /* which dictionary                                          */
    uint64_t block, n_blocks;
    reader at;        /* rest of the current block                                 */
    uint32_t left;    /* keys left in the current block                            */
    uint64_t region;  /* offset of the next term's region                          */
    uint64_t ordinal; /* of the next key                                           */
    size_t key_len;
    size_t front_len; /* what the next key may share: the key; of forms the folded form   */
    uint8_t key[DICT_KEY_MAX]; /* the current key                                          */
    term_entry term;           /* when !forms                                               */
    form_entry form;           /* when forms                                                */
} dict_walk;

void dict_walk_begin(dict_walk *w, segment *s, bool forms);
/* To the first key >= from, which becomes the current one; false when there is none. */
bool dict_walk_seek(dict_walk *w, segment *s, bool forms, slice from);
/* True with the next key and entry; false at the end or on damage. */
bool dict_walk_next(dict_walk *w);

/* Bytewise: < 0, 0, > 0. */
int dict_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

/* In-order iteration over all terms or all forms, from the first key >= `from`.  Not to be
 * copied: key points into it. */
typedef struct dict_iter {
    segment *s;
    bool forms;
    size_t key_len;
    const uint8_t *key; /* the current key                                              */
    term_entry term;    /* when !forms                                                  */
    form_entry form;    /* when forms                                                   */
    bool started;       /* what is ahead has been looked up                             */
    bool more;          /* the walk stands on a key not yet given                       */
    bool more_implied;  /* so does `terms`, on a term with a form that is not listed    */
    dict_walk walk;     /* terms, or listed forms                                       */
    dict_walk terms;    /* when forms                                                   */
    size_t implied_len;
    uint8_t implied[DICT_KEY_MAX]; /* key of the form that `terms` stands on               */
} dict_iter;

void dict_iter_begin(dict_iter *it, segment *s, bool forms, const void *from, size_t from_len);
/* True with the next key and entry; false at the end or on damage. */
bool dict_iter_next(dict_iter *it);
/* False when there is certainly no such plain term; one look at 64 bytes.  False also on
 * damage. */
bool dict_may_have(segment *s, slice word);
/* Is there a form that is folded like this?  Two look-ups at most; false also on damage. */
bool dict_folded_there(segment *s, slice folded);
/* The key with this ordinal (forms' entries name terms so); false on damage. */
bool dict_term_at(segment *s, uint32_t ordinal, term_entry *out, buf *key);

#endif
