/* SPDX-License-Identifier: MIT
 * sort.h - sorting in place, without a byte of memory beyond a few on the stack.
 *
 * qsort of some C libraries allocates for more than a kilobyte; a query must not.  Not
 * stable: where that matters the comparison must be total.
 */
#ifndef PM_BASE_SORT_H
#define PM_BASE_SORT_H

#include <stddef.h>

enum { SORT_ITEM_MAX = 256 }; /* bytes of an item at most                                 */

/* O(n log n) in the worst case: quicksort that gives up to heapsort (Musser, "Introspective
 * sorting and selection algorithms", 1997). */
void sort_items(void *items, size_t n, size_t size, int (*compare)(const void *, const void *));

#endif
