/* SPDX-License-Identifier: MIT
 * id_set.h - which ids one run has met, 16 bytes an id on average.
 *
 * Keeps only 64-bit hashes, so that millions of ids fit: two of n ids are taken for one with
 * probability n^2 / 2^65.  Whoever asks must be able to live with that.  Slots are chosen by
 * a seed drawn at the first use, so that chosen ids cannot make probing slow.
 */
#ifndef PM_INDEXER_ID_SET_H
#define PM_INDEXER_ID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ID_SET_PARTS = 64, ID_SET_BYTES = 24 /* an id, at most */ };

typedef struct id_part {
    uint64_t *slots; /* 0: empty                                                         */
    size_t cap, count;
} id_part;

/* In parts that grow one at a time, so that growing takes little memory besides. */
typedef struct id_set {
    id_part parts[ID_SET_PARTS];
    size_t count;
    uint64_t seed; /* 0: not drawn yet                                                   */
} id_set;          /* valid when zeroed */

/* Add an id; *had tells whether it was there.  False when memory was refused. */
bool id_set_add(id_set *set, const char *id, size_t len, bool *had);
bool id_set_find(const id_set *set, const char *id, size_t len);
void id_set_free(id_set *set);

#endif
