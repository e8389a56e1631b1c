/* SPDX-License-Identifier: MIT
 *
 * rank_passing.c - a query of filters alone: what passes them, all of it with every word there is
 * and score 0, so in order of ingest.  Counts are those of the sets; hits are the first ones.
 */
#include "searcher/rank.h"

/* Documents that pass, less the deleted ones among them. */
static uint64_t count_segment(const snapshot_segment *part, const filter_set *f)
{
    const tombstones *dead = &part->dead;
    uint64_t n = f->n;
    if (!dead->n_deleted) return n;
    for (uint32_t doc = filter_from(f, f->lo); doc != UINT32_MAX; doc = filter_from(f, doc + 1))
        n -= tombstones_has(dead, doc);
    return n;
}

/* Where sequence numbers rise with documents, the first k are enough. */
static void take_segment(const plan *p, uint32_t segment_index, topk *best)
{
    const snapshot_segment *part = &p->snap->segments[segment_index];
    const filter_set *f = &p->only[segment_index];
    bool rising = part->seg->info.seq_width == 0;
    size_t taken = 0;
    for (uint32_t doc = filter_from(f, f->lo); doc != UINT32_MAX && taken < best->k;
         doc = filter_from(f, doc + 1)) {
        if (!snapshot_live(part, doc)) continue;
        hit h = {.segment = segment_index, .doc = doc, .in_all = true};
        h.seq = segment_seq(part->seg, doc);
        h.dl = segment_dl(part->seg, doc);
        topk_push(best, &h);
        taken += rising;
    }
}

pm_status rank_passing(const plan *p, uint64_t k, topk *best, rank_totals *totals, pm_error *err)
{
    uint64_t n = 0;
    for (uint32_t s = 0; s < p->snap->meta.n_segments; s++)
        n += count_segment(&p->snap->segments[s], &p->only[s]);
    *totals = (rank_totals){n, n};
    if (!topk_begin(best, k, n, p->match == PM_MATCH_AUTO)) return error_nomem(err);
    for (uint32_t s = 0; k && s < p->snap->meta.n_segments; s++) take_segment(p, s, best);
    topk_sort(best);
    return snapshot_status(p->snap, err);
}
