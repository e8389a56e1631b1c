/* SPDX-License-Identifier: MIT
 * keysort.h - sort items by byte strings, the first eight bytes kept beside the pointer.
 *
 * Most comparisons end at the prefix, without touching the strings.  A bottom-up merge sort:
 * n log n on any input, its scratch given by the caller, so that the memory of a flush is
 * known beforehand (the C library's qsort would take it from where nothing counts it).
 */
#ifndef PM_INDEXER_KEYSORT_H
#define PM_INDEXER_KEYSORT_H

#include <stddef.h>
#include <stdint.h>

typedef struct keysort_item {
    uint64_t prefix; /* keysort_prefix of the string that is compared first               */
    uint32_t id;
} keysort_item;

/* First eight bytes, big-endian, padded with zeros: orders as the bytes do. */
uint64_t keysort_prefix(const void *data, size_t len);
/* Bytewise, a prefix before what it begins: <0, 0, >0. */
int keysort_compare(const void *a, size_t a_len, const void *b, size_t b_len);
/* Sort by prefix, then by compare(ctx, a, b) < 0.  `scratch` holds n items, too. */
void keysort(keysort_item *items, keysort_item *scratch, size_t n,
             int (*compare)(const void *ctx, uint32_t a, uint32_t b), const void *ctx);

#endif
