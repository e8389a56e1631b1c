/* SPDX-License-Identifier: MIT
 * hash_set.h - a set of 64-bit hashes, 16 bytes each on average.
 *
 * Slots are chosen by a seed drawn at the first use, so that whoever chooses what is hashed
 * cannot make probing slow.
 */
#ifndef PM_INDEXER_HASH_SET_H
#define PM_INDEXER_HASH_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HASH_SET_PARTS = 64, HASH_SET_BYTES = 24 /* a hash, at most */ };

typedef struct hash_part {
    uint64_t *slots; /* 0: empty                                                         */
    size_t cap, count;
} hash_part;

/* In parts that grow one at a time, so that growing takes little memory besides. */
typedef struct hash_set {
    hash_part parts[HASH_SET_PARTS];
    size_t count;
    uint64_t seed; /* 0: not drawn yet                                                   */
} hash_set;        /* valid when zeroed */

/* Add a hash that is not 0.  False when memory was refused. */
bool hash_set_add(hash_set *set, uint64_t hash);
bool hash_set_has(const hash_set *set, uint64_t hash);
void hash_set_free(hash_set *set);

#endif
