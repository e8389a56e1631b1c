/* SPDX-License-Identifier: MIT
 *
 * small_commits.h - a writer that commits so little and so often that it merges beside its commits
 * (writer_beside.c).  What a commit does follows from its number.
 */
#ifndef PM_TESTS_SMALL_COMMITS_H
#define PM_TESTS_SMALL_COMMITS_H

#include "indexer/writer.h"

enum { SMALL_COMMITS = 80, SMALL_NEW = 30 }; /* commits; new articles of each              */

typedef bool small_progress(void *ctx, pm_phase phase, uint64_t written);

/* memory 0: the default; progress NULL: none.  Fails the test where it cannot. */
pm_writer *small_open(const char *path, unsigned threads, uint64_t memory,
                      small_progress *progress);
/* One article of twenty words. */
pm_status small_add(pm_writer *w, uint32_t id_number, uint32_t seed, pm_error *err);
/* New articles, some that replace older ones here and there, one that goes.  *under counts changes
 * to segments that are being merged. */
pm_status small_change(pm_writer *w, uint32_t commit, unsigned *under, pm_error *err);
/* The same and the commit; fails the test unless both are done. */
void small_commit(pm_writer *w, uint32_t commit);
/* Commits from 0 on until one has begun a merge; returns how many that were. */
uint32_t small_until_beside(pm_writer *w);
/* All commits; *merges counts those that were begun. */
pm_status small_build(pm_writer *w, unsigned *under, unsigned *merges, pm_error *err);
/* Fail the test when the folder holds a file that no commit names. */
void small_no_orphan(const char *path);

#endif
