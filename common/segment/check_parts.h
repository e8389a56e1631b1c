/* SPDX-License-Identifier: MIT
 * check_parts.h - what the files of the deep check share, and nobody else sees:
 *   check.c            pages, slack, driver of one segment
 *   check_columns.c    document columns
 *   check_ids.c        ids and the id table
 *   check_dict.c       both dictionaries and what they say of each other
 *   check_bigrams.c    bigrams against positions
 *   check_list.c       one posting list
 *   check_streams.c    its positions and forms
 *   check_places.c     positions of all words of a document against each other
 *   check_store.c      stored records
 *   check_index.c      a whole index folder
 *
 * The readers decode; the check compares what they give with what FORMAT.md says must hold,
 * and looks at the bytes that no reader needs (padding).  A finding does not end the check:
 * damage that a reader recorded is taken off the segment, so the segment must not be in use
 * by anybody else.
 */
#ifndef PM_SEGMENT_CHECK_PARTS_H
#define PM_SEGMENT_CHECK_PARTS_H

#include "common/segment/cursor.h"
#include "common/segment/layout.h"

/* Counts of one surface form. */
typedef struct check_form {
    uint64_t cf;
    uint32_t df, last_doc_1; /* last_doc_1: document of the last occurrence + 1       */
    bool named;              /* met in the form dictionary                            */
} check_form;

typedef struct check {
    segment *s;
    struct check_sink *sink;
    uint64_t findings;
    uint64_t *tokens;    /* occurrences of plain terms, by document               */
    uint64_t *form_base; /* forms of the terms before, by ordinal; n_terms + 1    */
    check_form *forms;   /* by form_base + index                                  */
    uint8_t *filter;     /* what the filter of plain terms must be                */
    uint64_t plain_terms, plain_postings, plain_positions;
    uint64_t list_positions, list_forms; /* bytes of the list checked last               */
    uint64_t parts[PART_COUNT];
    uint64_t passed; /* bytes read since pages were given back (segment_pass)     */
} check;

/* Report, with an offset in the file. */
void check_finding(check *c, const char *where, uint64_t off, const char *what);
/* Report with an offset in the section. */
void check_section(check *c, section_id id, uint64_t off, const char *what);
/* Report and clear what a reader recorded; true when there was damage. */
bool check_reader_damage(check *c);
/* Report unless all bytes of the file's [off, off + len) are zero. */
void check_zeros(check *c, const char *where, uint64_t off, uint64_t len);

pm_status check_columns(check *c, pm_error *err);
void check_ids(check *c);
pm_status check_store(check *c, pm_error *err);
/* Allocates and fills tokens, form_base and forms. */
pm_status check_terms(check *c, pm_error *err);
void check_forms(check *c);
/* The n positions at a cursor into *out[*cap], which grows; 0 when there are none, or when the
 * list is damaged, or (err) when memory is refused. */
uint32_t check_row(check *c, cursor *at, uint32_t **out, size_t *cap, pm_error *err);
/* Positions of all words against each other; uses up tokens. */
pm_status check_places(check *c, pm_error *err);
/* Bigrams against the positions of their words. */
pm_status check_bigrams(check *c, pm_error *err);
/* One list; forms are counted into form_counts[entry->n_forms] when there are several. */
void check_list(check *c, const term_entry *entry, bool plain, check_form *form_counts);

/* One block of positions and the forms, walked beside check_list. */
typedef struct check_streams {
    slice block, strings; /* of the current block                                  */
    uint64_t at;          /* bit                                                   */
    uint32_t block_n;
    uint64_t bytes_at; /* where the next block must start                       */
    form_stream forms;
    bool broken;
} check_streams;
void check_streams_begin(check_streams *st, const postings *p);
/* A block of n postings begins. */
void check_streams_block(check *c, check_streams *st, const postings *p, uint32_t b, uint32_t n);
/* The i-th posting of the block: tf positions and tf forms. */
void check_streams_posting(check *c, check_streams *st, const postings *p, uint32_t i, uint32_t doc,
                           uint32_t tf, check_form *form_counts);
void check_streams_block_end(check *c, check_streams *st, const postings *p);
void check_streams_end(check *c, check_streams *st, const postings *p);
/* Bytes that the forms take, of a list with several. */
uint64_t check_streams_form_bytes(const check_streams *st, const postings *p);

#endif
