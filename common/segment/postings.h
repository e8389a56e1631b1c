/* SPDX-License-Identifier: MIT
 * postings.h - one posting list laid out in memory: pointers into the map, checked once when
 * it is opened.  Shapes by document frequency (FORMAT.md, "posting lists"):
 *   small   df <= block_size: LEB128 gaps and impact bytes, one block
 *   sparse  Elias-Fano blocks under a flat directory, impact bytes apart, by rank
 *   dense   one bitmap with ranks and maxima for each 512 documents, impact bytes by rank
 */
#ifndef PM_SEGMENT_POSTINGS_H
#define PM_SEGMENT_POSTINGS_H

#include "common/segment/dict.h"

typedef enum postings_kind { POSTINGS_SMALL, POSTINGS_SPARSE, POSTINGS_DENSE } postings_kind;

typedef struct postings {
    segment *s;
    postings_kind kind;
    uint32_t df, n_docs, n_blocks, block_size;
    uint64_t cf;
    uint64_t base; /* file offset of the region, for damage reports         */
    uint8_t impact_max,
        kth[3]; /* largest, and 10th, 100th, 1000th largest impact byte (0 when fewer) */
    /* sparse: one element a block.  Arrays from the map are 4- or 8-byte aligned there. */
    const uint32_t *last;     /* last document                                         */
    const uint32_t *off;      /* of the block in ef, in 8-byte words                   */
    const uint8_t *count_1;   /* postings - 1                                          */
    const uint8_t *block_max; /* largest impact                                        */
    const uint64_t *ef;
    uint64_t ef_words;
    bool uniform; /* every block but the last holds block_size postings    */
    /* dense: one element a 512-document bucket (bits: 8) */
    const uint64_t *bits; /* ceil(n_docs / 512) * 8 words                          */
    const uint32_t *rank; /* postings before the bucket                            */
    const uint8_t *bucket_max;
    uint32_t n_buckets;
    /* all */
    const uint8_t *impacts; /* df bytes by rank; small: borrowed from the region     */
    slice gaps;             /* small: LEB128 gaps                                    */
    uint32_t n_exceptions;  /* tf that the impact byte does not give back            */
    slice exceptions;       /* small: varint pairs; else u32 rank[n], u32 tf[n]      */
    bool has_positions;
    slice position_dir;   /* u32 offset a block (not small)                        */
    slice position_bytes; /* blocks of strings (codec/ef_string.h)                 */
    uint32_t n_forms;
    slice form_bits; /* not small: u64 number of bits in front; small with
                        positions: empty, they follow the positions           */
} postings;

/* False: damage was recorded and *out is an empty list.  Verifies all pages of the list but
 * positions and form bits, which are verified when they are first read. */
bool postings_open(postings *out, segment *s, const term_entry *entry);
/* Document numbers of block b (dense: of ranks [b * block_size, ...)), strictly increasing and
 * < n_docs; returns their number, or 0 on damage.  out holds SEGMENT_BLOCK_MAX.  In a crafted
 * file a block may start below the end of the one before: who needs documents to rise from
 * block to block compares the two (cursor.c does). */
uint32_t postings_decode_block(const postings *p, uint32_t b, uint32_t *out);
/* Rank of the first posting of block b. */
uint32_t postings_block_rank(const postings *p, uint32_t b);
/* tf of the posting with this rank, whose document has length dl. */
uint32_t postings_tf(const postings *p, uint32_t rank, uint32_t dl);
/* The same for ranks [rank, rank + n), n <= POSTINGS_TF_MAX, whose documents are docs[0, n):
 * several times as fast as one by one. */
enum { POSTINGS_TF_MAX = 16 };
void postings_tfs(const postings *p, uint32_t rank, uint32_t n, const uint32_t *docs,
                  uint32_t *out);
/* The same where the documents' lengths are known. */
void postings_tfs_of(const postings *p, uint32_t rank, uint32_t n, const uint32_t *lengths,
                     uint32_t *out);
/* Put the exceptions among ranks [rank, rank + n) into out[n].  *at: where the one before left
 * off, 0 at first; any value is right, the place of the last one asked for is quick. */
void postings_exceptions(const postings *p, uint32_t rank, uint32_t n, uint32_t *at, uint32_t *out);

#endif
