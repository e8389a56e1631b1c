/* SPDX-License-Identifier: MIT
 * twin.h - the frame of the tests that ask random queries of random collections at every level of
 * kernels: where a run starts, how words are drawn, and a process for each level.
 *
 * PRESSMARK_CPU runs that level alone, PM_TEST_SEED repeats a run, PM_TEST_QUERIES
 * makes it longer, PM_TEST_SHOW shows what the processes print.
 */
#ifndef PM_TESTS_TWIN_H
#define PM_TESTS_TWIN_H

#include <stdint.h>
#include <stdio.h>

#include "common/base/hash.h"

/* Build a collection and ask this many queries; cmocka's assertions end the process. */
typedef void twin_collection(uint64_t seed, unsigned n_queries);

typedef struct twin_plan {
    const char *name;
    twin_collection *run;
    uint64_t seed;      /* of the first collection                                          */
    unsigned n_queries; /* of a level                                                       */
    unsigned at_a_time; /* of a collection                                                  */
} twin_plan;

/* A test for each level that this machine has; returns as a cmocka group does. */
int twin_run(const twin_plan *plan);

static inline unsigned pick(uint64_t *seed, unsigned n)
{
    return (unsigned)(random_next(seed) % n);
}

/* A word's number below `words`, with a tail like Zipf's: the range is halved, down to `least`. */
static inline unsigned pick_below(uint64_t *seed, unsigned words, unsigned least)
{
    while (words > least && pick(seed, 3)) words /= 2;
    return pick(seed, words);
}

/* Its spelling and a space; the number of bytes. */
static inline size_t put_word(char *at, unsigned word)
{
    return (size_t)sprintf(at, "w%cq%c ", 'a' + word % 26, 'a' + word / 26);
}

#endif
