/* SPDX-License-Identifier: MIT
 * keysort.h - sort items by byte strings, the first twelve bytes kept beside the pointer.
 *
 * First by those bytes alone, without touching a string or a branch that depends on them; then
 * runs of items that agree in them, which are short, by what they stand for.  A bottom-up merge
 * sort: n log n on any input, its scratch given by the caller, so that the memory of a flush
 * is known beforehand (the C library's qsort would take it from where nothing counts it).
 */
#ifndef PM_INDEXER_KEYSORT_H
#define PM_INDEXER_KEYSORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct keysort_item {
    uint64_t prefix; /* a number, or the first bytes of a string: keysort_string              */
    uint32_t id;
    uint32_t more; /* of the string; 0 behind a number                                      */
} keysort_item;

/* How items are ordered that agree in prefix and more. */
typedef struct keysort_order {
    int (*compare)(const void *ctx, uint32_t a, uint32_t b);
    /* Ask for what compare will look at, before its turn; NULL: nothing need be. */
    void (*ask)(const void *ctx, uint32_t id);
    const void *ctx;
} keysort_order;

/* First twelve bytes, big-endian, padded with zeros: they order as the bytes do. */
keysort_item keysort_string(const void *data, size_t len, uint32_t id);
/* Bytewise, a prefix before what it begins: <0, 0, >0. */
int keysort_compare(const void *a, size_t a_len, const void *b, size_t b_len);
/* Whether two items agree in all that stands in them: their order is compare's. */
static inline bool keysort_tied(const keysort_item *a, const keysort_item *b)
{
    return a->prefix == b->prefix && a->more == b->more;
}
/* Sort by prefix and more, then by `order`, or by id where that is NULL.  `scratch` holds n items,
 * too. */
void keysort(keysort_item *items, keysort_item *scratch, size_t n, const keysort_order *order);
/* The same on two threads when `threads` are more than one. */
void keysort_threads(unsigned threads, keysort_item *items, keysort_item *scratch, size_t n,
                     const keysort_order *order);

#endif
