/* SPDX-License-Identifier: MIT
 *
 * filter.h - the documents that a query's filters let through, in each segment.
 *
 *   clauses (all bind) --filter_find--> a set for each segment: [lo, hi), or bits within it
 *
 * Where a segment's documents stand in order of date, a date filter is an interval, found by
 * two binary searches; every loop then walks that part of its lists alone.  Anything else is a
 * bitmap, made by one pass over the dates column or from posting lists of values, and kept with
 * the searcher while the same filters are asked again.  Deleted documents may be in a set: who asks
 * for live ones asks snapshot_live, too.
 */
#ifndef PM_SEARCHER_FILTER_H
#define PM_SEARCHER_FILTER_H

#include "common/segment/snapshot.h"
#include "searcher/query.h"

enum { FILTER_FEW = 64 };

/* What passes in a segment. */
typedef struct filter_set {
    uint32_t lo, hi;      /* nothing outside [lo, hi)                                         */
    uint32_t n;           /* documents that pass                                              */
    const uint64_t *bits; /* NULL: all of [lo, hi); else one bit a document, zero beyond, up to
                             whole buckets of 512                                        */
    const uint32_t *docs; /* the n of a bitmap, where they are few (1 in FILTER_FEW or less);
                             else NULL                                                   */
} filter_set;

static inline bool filter_has(const filter_set *f, uint32_t doc)
{
    return doc >= f->lo && doc < f->hi && (!f->bits || f->bits[doc / 64] >> doc % 64 & 1);
}

/* A document passes by one of the atoms; negated: by none of them. */
typedef struct filter_clause {
    const query_filter **atoms;
    uint32_t n;
    bool negated;
} filter_clause;

/* The first document that passes and is not before doc, UINT32_MAX when none is. */
uint32_t filter_from(const filter_set *f, uint32_t doc);

enum { FILTERS_KEPT = 4 };

typedef struct filter_room {
    uint64_t *words;
    uint32_t *docs;
    size_t words_cap, docs_cap;
} filter_room;

typedef struct filter_entry {
    buf key;            /* the clauses, spelled out; empty: holds nothing                   */
    filter_set *sets;   /* one a segment                                                   */
    filter_room *rooms; /* one a segment: what the sets point to                           */
    uint32_t n_segments;
    uint64_t used; /* when, by the cache's clock                                        */
} filter_entry;
/* Sets of the filters asked last; one for each searcher, for one snapshot.  Valid when zeroed. */
typedef struct filter_cache {
    filter_entry entries[FILTERS_KEPT];
    uint64_t clock;
    buf key; /* of the clauses at hand                                                  */
    uint64_t *scratch;
    size_t scratch_cap;
} filter_cache;
void filter_cache_free(filter_cache *c);

/* The sets of these clauses, one a segment, until the next call; NULL: memory is refused.
 * Damage is recorded in the segment. */
const filter_set *filter_find(filter_cache *c, snapshot *snap, const filter_clause *clauses,
                              uint32_t n);

/* ---- one atom in one segment --------------------------------------------------------------- */

/* True when exactly [*lo, *hi) passes a date atom; else what passes lies in it. */
bool filter_interval(segment *s, const query_filter *f, uint32_t *lo, uint32_t *hi);
/* Does doc pass a date atom? */
bool filter_passes(segment *s, const query_filter *f, uint32_t doc);

#endif
