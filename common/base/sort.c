/* SPDX-License-Identifier: MIT
 * sort.c - see sort.h.
 */
#include "common/base/sort.h"

#include <string.h>

enum { SORT_FEW = 12 }; /* so few are sorted by insertion                                */

typedef struct sorter {
    unsigned char *items;
    size_t size;
    int (*compare)(const void *, const void *);
} sorter;

static unsigned char *item(const sorter *s, size_t i)
{
    return s->items + i * s->size;
}

static int compare_at(const sorter *s, size_t i, size_t k)
{
    return s->compare(item(s, i), item(s, k));
}

static void swap(const sorter *s, size_t i, size_t k)
{
    unsigned char moving[SORT_ITEM_MAX];
    memcpy(moving, item(s, i), s->size);
    memcpy(item(s, i), item(s, k), s->size);
    memcpy(item(s, k), moving, s->size);
}

static void insertion(const sorter *s, size_t from, size_t end)
{
    unsigned char moving[SORT_ITEM_MAX];
    for (size_t i = from + 1; i < end; i++) {
        size_t at = i;
        memcpy(moving, item(s, i), s->size);
        while (at > from && s->compare(item(s, at - 1), moving) > 0) at--;
        if (at == i) continue;
        memmove(item(s, at + 1), item(s, at), (i - at) * s->size);
        memcpy(item(s, at), moving, s->size);
    }
}

/* Let the item at `at` of the heap [from, from + n) sink. */
static void sink(const sorter *s, size_t from, size_t at, size_t n)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && compare_at(s, from + child, from + child + 1) < 0) child++;
        if (compare_at(s, from + at, from + child) >= 0) return;
        swap(s, from + at, from + child);
    }
}

static void heap(const sorter *s, size_t from, size_t end)
{
    size_t n = end - from;
    for (size_t at = n / 2; at-- > 0;) sink(s, from, at, n);
    while (n-- > 1) {
        swap(s, from, from + n);
        sink(s, from, 0, n);
    }
}

/* The median of first, middle and last becomes the first. */
static void choose_pivot(const sorter *s, size_t from, size_t end)
{
    size_t middle = from + (end - from) / 2, last = end - 1;
    if (compare_at(s, middle, last) > 0) swap(s, middle, last);
    if (compare_at(s, from, last) > 0) swap(s, from, last);
    if (compare_at(s, from, middle) < 0) swap(s, from, middle);
}

/* Around the pivot: returns its place. */
static size_t partition(const sorter *s, size_t from, size_t end)
{
    size_t low = from + 1, high = end - 1;
    choose_pivot(s, from, end);
    for (;;) {
        while (low <= high && compare_at(s, low, from) < 0) low++;
        while (low <= high && compare_at(s, high, from) > 0) high--;
        if (low >= high) break;
        swap(s, low++, high--);
    }
    swap(s, from, high);
    return high;
}

/* The shorter side by recursion, so its depth is at most log2 n. */
static void quick(const sorter *s, size_t from, size_t end, unsigned tries)
{
    while (end - from > SORT_FEW) {
        if (tries-- == 0) {
            heap(s, from, end);
            return;
        }
        size_t at = partition(s, from, end);
        if (at - from < end - at - 1) {
            quick(s, from, at, tries);
            from = at + 1;
        } else {
            quick(s, at + 1, end, tries);
            end = at;
        }
    }
    insertion(s, from, end);
}

void sort_items(void *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    sorter s = {items, size, compare};
    unsigned tries = 0;
    for (size_t left = n; left; left >>= 1) tries += 2;
    if (n > 1) quick(&s, 0, n, tries);
}
