/* SPDX-License-Identifier: MIT
 * positions.h - positions by rank: who has met a document in a list, and so knows the posting's
 * rank, reads its positions without walking there.
 *
 *     position_reader r;
 *     position_reader_open(&r, &list, docs);
 *     positions_find(&r, scratch, ranks, docs, n, found);
 *     if (found[i].tf && position_read(&r, &found[i], out)) ...
 *
 * A posting's positions are a string whose length follows from its frequency and the length of
 * its document (codec/ef_string.h).  So where a string begins in its group of 16 is a sum of
 * lengths, and no byte of the others is read; frequencies follow from impact bytes and lengths
 * of documents.  So the documents of the group are needed, and only they: from the bits of a
 * dense list or a part of an Elias-Fano block, never a whole block.
 *
 * Many postings are asked for at once, and each step is done for all of them before the next: a
 * step waits for memory and for the step before, but not for its neighbours.
 *
 * Damage is recorded in the segment and answered by tf 0 (INV-6).
 */
#ifndef PM_SEGMENT_POSITIONS_H
#define PM_SEGMENT_POSITIONS_H

#include "common/codec/group.h"
#include "common/segment/postings.h"

enum { POSITION_BATCH = 128 };

typedef struct position_reader {
    const postings *list;
    const uint32_t *docs; /* all documents of a small list; else NULL                     */
    const group_kernels *group;
    group_scale scale;
    group_lengths lengths;
    unsigned block_shift;   /* log2 of the postings a block, 0 when that is no whole number    */
    uint32_t exceptions_at; /* from which the next one is looked for                       */
} position_reader;

/* A group of postings of which some are asked for. */
typedef struct position_slot {
    uint32_t first, n;       /* ranks that are known: of the group's first ones              */
    uint32_t block, block_n; /* its block, and postings there                                */
    uint32_t group;          /* which one of the block                                      */
    bool sound;
    slice strings;               /* of the block                                                 */
    uint64_t start;              /* bit where the group begins                                */
    uint32_t numbers[GROUP_MAX]; /* documents, then frequencies                                */
    uint32_t lengths[GROUP_MAX]; /* of the documents                                           */
    uint32_t starts[GROUP_MAX];  /* bits of the strings before                                 */
} position_slot;

typedef struct position_scratch {
    position_slot slots[POSITION_BATCH];
    uint32_t n_slots, slot_of[POSITION_BATCH];
} position_scratch;

/* Where a posting's positions are. */
typedef struct position_place {
    const uint8_t *bytes;
    uint64_t at;       /* bit                                                              */
    uint32_t tf, most; /* tf 0: damage                                                     */
} position_place;

/* docs: of a small list, as postings_decode_block gives them; else it is not looked at.  All
 * are borrowed. */
void position_reader_open(position_reader *r, const postings *list, const uint32_t *docs);
/* Places of n <= POSITION_BATCH postings, whose documents are docs[n]; quick where ranks rise.  No
 * tf exceeds the positions that its document has room for. */
void positions_find(position_reader *r, position_scratch *scratch, const uint32_t *ranks,
                    const uint32_t *docs, uint32_t n, position_place *out);
/* All positions of a posting, tf of them, rising; false on damage. */
bool position_read(const position_reader *r, const position_place *place, uint32_t *out);
/* Is a position among them?  Quicker than reading them, where there are many. */
static inline bool position_has(const position_reader *r, const position_place *place,
                                uint32_t position)
{
    return r->group->string_has(place->bytes, place->at, place->tf, place->most, position);
}

/* ---- what cursors share (positions.c) ----------------------------------------------------- */

/* Strings of block b of n postings, verified, and the bit where group g starts. */
bool position_group(const postings *p, uint32_t b, uint32_t n, uint32_t g, slice *strings,
                    uint64_t *at);
/* Strings of a block behind its header, likewise. */
bool position_group_in(const postings *p, slice block, uint32_t n, uint32_t g, slice *strings,
                       uint64_t *at);
bool positions_damaged(const postings *p, slice at);

#endif
