/* SPDX-License-Identifier: MIT
 * pruned_twin.h - the pruned loops against the exhaustive one on a random collection: ids, scores
 * to the bit, order and totals.  Takes how articles and queries are drawn; twin.h has the frame.
 *
 * A collection has several commits with deletions, now and then merged, blocks of 8 to 256
 * postings, and lengths that drift from commit to commit, so that the average leaves the reference
 * of the impact bytes.  Windows of sums are shrunk so that a segment has several of them.
 */
#ifndef PM_TESTS_PRUNED_TWIN_H
#define PM_TESTS_PRUNED_TWIN_H

#include "pressmark.h"

enum { PRUNED_QUERY = 1024 }; /* bytes of a query at most                                  */

typedef struct pruned_twin {
    int positions; /* as in pm_writer_options                                             */
    /* Add article `number`, of some `length` words. */
    void (*add)(pm_writer *w, uint64_t *seed, unsigned number, unsigned length);
    size_t (*make_query)(uint64_t *seed, char text[PRUNED_QUERY]);
    void (*asked)(pm_searcher *fast); /* after each query; NULL: nothing more               */
} pruned_twin;

/* Fails the test where one answer differs. */
void pruned_collection(const pruned_twin *t, uint64_t seed, unsigned n_queries);

#endif
