/* SPDX-License-Identifier: MIT
 * scan_rows.h - what the twins of the scan kernels share: the rows that the machine has, seeds, and
 * arrays that end at a page that may not be touched.
 *
 * PM_TEST_SEED=n changes the cases.
 */
#ifndef PM_TESTS_SCAN_ROWS_H
#define PM_TESTS_SCAN_ROWS_H

#include "common/base/hash.h"
#include "common/codec/scan.h"

extern const scan_kernels *scan_rows[3]; /* the portable one first                            */
extern unsigned n_scan_rows;

/* Set up and tear down of a group of tests. */
int scan_rows_begin(void **state);
int scan_rows_end(void **state);

/* The seed of a test, printed. */
uint64_t scan_seed(void);

static inline uint32_t below(uint64_t *random, uint64_t n)
{
    return (uint32_t)(random_next(random) % n);
}

/* n elements that end where area `which` of eight does, filled with 0x5a; an area has 32 KiB, and
 * its elements stay until the next call for it. */
#define ROOM(type, which, n)   ((type *)scan_area((which), (size_t)(n) * sizeof(type)))
#define OUTPUT(type, which, n) ROOM(type, which, (n) + SCAN_SLACK)
void *scan_area(unsigned which, size_t len);

/* From dense to sparse, all ones and all zeros among them. */
void random_words(uint64_t *random, uint64_t *words, uint32_t n);

#endif
