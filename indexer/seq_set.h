/* SPDX-License-Identifier: MIT
 * seq_set.h - a set of ingest numbers: a bit each, in pages of those that were ever near one.
 *
 * An index numbers its articles in order of ingest, so a set of those that it holds takes an
 * eighth of a byte for each article that was ever added, at most.
 */
#ifndef PM_INDEXER_SEQ_SET_H
#define PM_INDEXER_SEQ_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of no article; in no set. */
#define SEQ_NONE UINT64_MAX

struct seq_page;

typedef struct seq_set {
    struct seq_page *pages; /* in order of their numbers                                     */
    size_t n, cap;
} seq_set; /* valid when zeroed */

/* False when memory was refused; then the set is as it was.  O(log pages), a page in the middle
 * O(pages). */
bool seq_set_add(seq_set *set, uint64_t seq);
bool seq_set_has(const seq_set *set, uint64_t seq);
/* Bytes. */
uint64_t seq_set_memory(const seq_set *set);
void seq_set_free(seq_set *set);

#endif
