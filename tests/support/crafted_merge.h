/* SPDX-License-Identifier: MIT
 * crafted_merge.h - a merge of a segment that somebody made to deceive: its sums are right, its
 * bytes may say anything.
 */
#ifndef PM_TESTS_CRAFTED_MERGE_H
#define PM_TESTS_CRAFTED_MERGE_H

#include "common/segment/segment.h"

/* Merges it, alone or with itself, some documents dead or none, with lists that are held or not,
 * that keeps its documents' order or not; *random says which.  False, with the error of it: what
 * was made cannot be opened.  A merge that fails is no fault. */
bool crafted_merge(segment *s, const dir *where, uint64_t *random, pm_error *err);

#endif
