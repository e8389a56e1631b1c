/* SPDX-License-Identifier: MIT
 *
 * index.h - an open index: one snapshot, shared by all searchers.
 */
#ifndef PM_SEARCHER_INDEX_H
#define PM_SEARCHER_INDEX_H

#include "common/segment/snapshot.h"

struct pm_index {
    snapshot *snap;
};

#endif
