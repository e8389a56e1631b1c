/* SPDX-License-Identifier: MIT
 * ids.h - the ids of a segment's documents in blocks of 16 (FORMAT.md, "ids"): what the writer
 * and the readers of them share.
 *
 *   block: common | length, first id | code, code, ...
 *   code:  the next id, or the next few, as what differs from the id before
 *
 * Collections number their documents, so most ids are the one before with another number at
 * its end, and most numbers are the next one: a whole block of them is one byte.
 */
#ifndef PM_SEGMENT_IDS_H
#define PM_SEGMENT_IDS_H

#include "common/base/hash.h"
#include "common/segment/layout.h"

enum {
    ID_BLOCK = 16,       /* ids                                                           */
    ID_DIGITS_MAX = 15,  /* of the number at an id's end; digits before it are text         */
    ID_BLOCK_SLACK = 16, /* bytes that are read behind a block (ids_block_each)            */
    ID_BUCKET = 32,      /* documents a bucket of the id table, on average                  */
    /* The upper half of a code's first byte; below ID_LONG it is the number of new bytes. */
    ID_LONG = 12,   /* as many new bytes, and more                                   */
    ID_NUMBER = 13, /* another number                                                */
    ID_SKIP = 14,   /* the number, and 2 to 17                                       */
    ID_COUNT = 15,  /* the next 1 to 16 numbers                                      */
    ID_NUMBER_BYTES = 7,
    ID_NUMBER_WIDE = 8, /* flag of ID_NUMBER: as many digits as the id before, at least  */
};

/* The decimal number at the end of an id: id[stem .. stem + digits). */
typedef struct id_number {
    size_t stem;
    unsigned digits; /* 0: the id does not end in a digit                             */
    uint64_t value;
} id_number;

id_number id_number_of(const uint8_t *id, size_t len);
/* The number in decimal, of `digits` digits at least; returns their count, 20 at most. */
unsigned id_number_put(uint8_t *out, uint64_t value, unsigned digits);

/* < 0, 0, > 0: shorter ids first, those of one length by their bytes. */
int id_order(slice a, slice b);

/* Where an id belongs in the table of n documents. */
static inline uint32_t id_buckets(uint32_t n_docs)
{
    return n_docs / ID_BUCKET + (n_docs % ID_BUCKET != 0);
}
static inline uint32_t id_bucket(uint64_t hash, uint32_t n_docs)
{
    return (uint32_t)((hash >> 32) * id_buckets(n_docs) >> 32);
}
/* More documents in a bucket than chance puts there: then hashes are keyed.  (Of 2^26 buckets with
 * 32 each on the average the fullest has some 80.) */
enum { ID_BUCKET_MOST = 256 };
/* The hash that leads to an id: by hash_bytes or, where that was chosen by somebody (ids_keyed), by
 * a key that is in the index's uuid. */
uint64_t id_hash(const segment_info *info, const void *id, size_t len);
/* Bits of a document number there. */
unsigned id_doc_bits(uint32_t n_docs);
/* Bytes of the table: ends of buckets, a byte of each hash, document numbers. */
uint64_t id_table_bytes(uint32_t n_docs);
/* Entry i < n_docs: its document, which may be out of range; false on damage. */
bool id_table_doc(segment *s, uint32_t i, uint32_t *doc);
/* Call fn with each of the n ids of a block; `bytes` begin there and are readable for
 * ID_BLOCK_SLACK bytes more than they say.  The id is fn's until it returns.  False on damage. */
bool ids_block_each(slice bytes, uint32_t n, void (*fn)(void *ctx, slice id), void *ctx);
/* False when the block's codes do not give as many ids as it must hold, with its last byte; true
 * when a reader recorded damage. */
bool ids_block_exact(segment *s, uint32_t block);

#endif
