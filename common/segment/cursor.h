/* SPDX-License-Identifier: MIT
 * cursor.h - a cursor walks one posting list in document order: the portable way to read
 * postings, used by the exhaustive ranking loop, phrases, merging, check and dump.  Faster
 * loops read the same bytes through postings.h.
 *
 *     cursor c;
 *     cursor_open(&c, segment, &entry);
 *     while (cursor_next(&c) != CURSOR_END) use(c.doc, cursor_tf(&c));
 *
 * No status in the loop: damage ends the cursor and marks the segment (INV-6).
 */
#ifndef PM_SEGMENT_CURSOR_H
#define PM_SEGMENT_CURSOR_H

#include "common/codec/runs.h"
#include "common/segment/dict.h"
#include "common/segment/postings.h"

#define CURSOR_END UINT32_MAX

typedef struct cursor {
    postings list;
    uint32_t doc;         /* current document; CURSOR_END before the first and after the last */
    uint32_t rank;        /* of the current posting in the list                        */
    uint32_t block;       /* decoded block, UINT32_MAX when none                       */
    uint32_t block_n;     /* postings in it                                            */
    uint32_t block_first; /* rank of its first posting                                 */
    /* where the positions of the posting pos_rank start, so that reading on is cheap     */
    uint32_t pos_rank; /* UINT32_MAX when not known                                 */
    uint64_t pos_at;   /* bit in the block's strings                                */
    slice pos_bytes;   /* the strings of pos_rank's block                           */
    /* term frequencies of one group of positions, so far as they are known               */
    bool wants_groups;       /* positions have been read: frequencies come by the group   */
    uint32_t tf_first, tf_n; /* rank of the group's first posting; how many are known     */
    uint32_t tfs[POSTINGS_TF_MAX];
    uint32_t docs[SEGMENT_BLOCK_MAX];
} cursor;

/* Never fails: a damaged list is an empty cursor and a marked segment.  The cursor borrows
 * from the segment's map and allocates nothing. */
void cursor_open(cursor *c, segment *s, const term_entry *entry);
/* Advance to the next posting; returns c->doc. */
uint32_t cursor_next(cursor *c);
/* Advance to the first posting with doc >= target (never moves back); returns c->doc. */
uint32_t cursor_seek(cursor *c, uint32_t target);
/* Term frequency of the current posting, exact. */
uint32_t cursor_tf(cursor *c);
/* Impact byte of the current posting. */
uint8_t cursor_impact(const cursor *c);
/* Positions of the current posting, strictly ascending: writes the first min(tf, cap) of them
 * and returns tf; 0 when the list has none or is damaged. */
uint32_t cursor_positions(cursor *c, uint32_t *out, uint32_t cap);

/* Block by block, for who reads all of a list: to the last posting of the next block, whose
 * documents are docs[0, n); returns n, 0 at the end.  Not to be mixed with cursor_next. */
uint32_t cursor_next_block(cursor *c);
/* Frequencies of all postings of the block, whose documents have these lengths; returns their sum.
 */
uint64_t cursor_block_tfs(const cursor *c, const uint32_t *lengths, uint32_t *tfs);
/* Where the positions of the block's posting i, the first one of a group of 16, begin: bit *at of
 * *strings (codec/ef_string.h), of which EF_STRING_SLACK more bytes can be read.  Those of the
 * group follow each other.  False on damage. */
bool cursor_block_strings(const cursor *c, uint32_t i, slice *strings, uint64_t *at);

/* Forms: walk a list from its start and give each occurrence's form index.  Sequential
 * only.  form_stream_next must be called for every occurrence in list order. */
typedef struct form_stream {
    segment *s;
    uint32_t n_forms; /* 1: every index is 0; 0 from damage on                     */
    runs_reader codes;
} form_stream;
void form_stream_open(form_stream *f, const postings *list);
uint32_t form_stream_next(form_stream *f);
/* The indexes of the next n occurrences; false on damage, and then some of out is not set. */
bool form_stream_read(form_stream *f, uint32_t *out, uint64_t n);

#endif
