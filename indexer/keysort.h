/* SPDX-License-Identifier: MIT
 * keysort.h - sort items by byte strings, the first twelve bytes kept beside the pointer.
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
    uint64_t prefix; /* a number, or the first bytes of a string: keysort_string              */
    uint32_t id;
    uint32_t more; /* of the string; 0 behind a number                                      */
} keysort_item;

/* First twelve bytes, big-endian, padded with zeros: they order as the bytes do. */
keysort_item keysort_string(const void *data, size_t len, uint32_t id);
/* Bytewise, a prefix before what it begins: <0, 0, >0. */
int keysort_compare(const void *a, size_t a_len, const void *b, size_t b_len);
/* Sort by prefix, then by compare(ctx, a, b) < 0.  `scratch` holds n items, too. */
void keysort(keysort_item *items, keysort_item *scratch, size_t n,
             int (*compare)(const void *ctx, uint32_t a, uint32_t b), const void *ctx);
/* The same on two threads when `threads` are more than one. */
void keysort_threads(unsigned threads, keysort_item *items, keysort_item *scratch, size_t n,
                     int (*compare)(const void *ctx, uint32_t a, uint32_t b), const void *ctx);

#endif
