/* SPDX-License-Identifier: MIT
 *
 * index.h - an open index: one snapshot and what is known about it, shared by all searchers.
 */
#ifndef PM_SEARCHER_INDEX_H
#define PM_SEARCHER_INDEX_H

#include "common/segment/snapshot.h"
#include "searcher/split_cache.h"

struct pm_index {
    snapshot *snap;              /* of an index of another engine: its settings, no segments  */
    split_cache splits;          /* shared by searchers, has its own lock                    */
    struct xapian_index *xapian; /* NULL: the engine is the native one                       */
};

#endif
