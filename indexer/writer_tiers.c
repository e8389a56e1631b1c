/* SPDX-License-Identifier: MIT
 * writer_tiers.c - few segments, however many commits made them; see writer.h.
 *
 * Takes the writer's segments, leaves at most WRITER_SEGMENTS_MAX of them: while there are more,
 * a run of neighbours is merged into one.  A run is balanced when its largest segment has no
 * more than a quarter of its bytes; of the balanced ones that run is taken which moves the fewest
 * bytes for each segment that it does away with, and when none is balanced, of all.  So an
 * article is moved about three times in 1,000 commits of the same size, and five times in 5,000.
 * A merge that is too large to go on beside the batches is of seven segments at most: it makes
 * everybody wait, and several smaller ones come to the same (of 50 segments that fill the memory
 * each is moved once either way).
 *
 * Rules that hold:
 *   - what is decided follows from counts and sizes of segments and from the limit of memory
 *     alone (INV-5);
 *   - a merge that would take more memory than is counted of the limit (writer_budget), by what
 *     merge_size.h says, keeps what is large in files while it goes on, and is not made where that
 *     is not enough, either, so that a huge index with a small limit may keep more segments;
 *   - within a transaction only segments of that transaction are merged: the last commit stays
 *     as it was for those who ask the writer about it;
 *   - neighbours stay neighbours, so order of ingest and all answers are as before.
 *
 * A commit that would leave eleven begins a merge beside the batches that follow (writer_beside.c),
 * which takes its place at the commit that would otherwise leave more than twelve, or that finds a
 * segment all dead.  What does not go beside is merged before the commit.
 *
 * A merge that the disk refuses, mostly for want of room, or whose result could not be one segment,
 * is left out, and the next commit tries it again: no article needs it, and whoever deletes some to
 * make room must be able to.
 *
 * A segment of which more than a fifth is dead is written anew by itself at a commit, unless the
 * dead are few: those go with a later merge.
 */
#include <stdio.h>

#include "indexer/merge_size.h"
#include "indexer/writer.h"

enum {
    WRITER_SEGMENTS_MAX = 10,
    BESIDE_SLACK = 2, /* more of them while a merge goes on beside                         */
    AT_ONCE_MAX = 7,  /* segments of a merge that everybody waits for                      */
    BALANCE = 4,
    EXPUNGE_SHARE = 5,
    EXPUNGE_DEAD_MIN = 1024,
};

/* A word's positions take 4 GiB at most: room for one in five tokens at a byte each, and hardly any
 * text has a word more frequent than one in ten. */
#define RUN_TOKENS_MAX (UINT64_C(1) << 34)

/* Neighbours [first, first + n). */
typedef struct run {
    size_t first, n;
    uint64_t bytes, largest; /* of what is live                                            */
    uint32_t live;           /* segments that have a live document                         */
    uint64_t docs;
    merge_size size;
    uint64_t memory; /* that the merge takes, by run_fits                                  */
} run;

static void run_add(run *r, const writer_segment *s)
{
    uint64_t docs = s->named.n_docs - s->n_dead;
    double share = (double)docs / (double)s->named.n_docs;
    uint64_t bytes = (uint64_t)((double)s->named.size * share);
    r->n++;
    r->bytes += bytes;
    if (bytes > r->largest) r->largest = bytes;
    merge_size_add(&r->size, &s->seg->info, s->n_dead);
    r->live += docs != 0;
    r->docs += docs;
}

static bool run_fits(pm_writer *w, run *r)
{
    if (r->docs > SEGMENT_DOCS_MAX || r->size.tokens > RUN_TOKENS_MAX) return false;
    merge_fit fit = writer_merge_fit(w, r->first, r->n, &r->size);
    r->memory = fit.memory;
    return fit.fits;
}

/* Bytes moved for each segment done away with: fewer are better. */
static bool run_better(const run *a, const run *b)
{
    if (!b->n) return true;
    return (double)a->bytes * (b->live - 1) < (double)b->bytes * (a->live - 1);
}

/* The run to merge among segments from `from` on; n 0: there is none. */
static run choose_run(pm_writer *w, size_t from)
{
    run balanced = {0}, any = {0};
    for (size_t first = from; first < w->n_segments; first++) {
        run r = {.first = first};
        for (size_t i = first; i < w->n_segments; i++) {
            run_add(&r, &w->segments[i]);
            if (!run_fits(w, &r)) break;
            if (r.live > AT_ONCE_MAX && !writer_beside_fits(w, r.memory)) break;
            if (r.live < 2) continue;
            if (run_better(&r, &any)) any = r;
            if (r.largest <= r.bytes / BALANCE && run_better(&r, &balanced)) balanced = r;
        }
    }
    return balanced.n ? balanced : any;
}

/* Segments [first, first + n) give way to `by`. */
static void replace_segments(pm_writer *w, size_t first, size_t n, const writer_segment *by)
{
    store_cache_free(&w->cache); /* it may be of a segment that goes                           */
    for (size_t i = first; i < first + n; i++) {
        writer_segment *s = &w->segments[i];
        char name[SEGMENT_NAME_MAX] = "";
        if (!s->committed)
            snprintf(name, sizeof name, "%s", s->named.name);
        else
            w->replaced += s->named.size + s->named.del_size;
        writer_segment_close(s);
        /* If it cannot be unlinked, the collection of garbage does. */
        if (name[0]) dir_unlink(&w->folder, name, NULL);
    }
    w->segments[first] = *by;
    size_t rest = w->n_segments - first - n;
    memmove(&w->segments[first + 1], &w->segments[first + n], rest * sizeof *w->segments);
    w->n_segments -= n - 1;
}

static pm_status open_merged(const pm_writer *w, writer_segment *merged, pm_error *err)
{
    const manifest_segment *named = &merged->named;
    pm_status st = segment_open(&merged->seg, &w->folder, named->name, w->meta.uuid, named->size,
                                named->footer_crc, err);
    if (st == PM_OK) map_release(&merged->seg->file);
    return st;
}

static pm_status merge_run(pm_writer *w, const run *r, pm_error *err)
{
    writer_segment merged = {0};
    pm_status st =
        writer_merge(w, r->first, r->n, PM_REORDER_KEEP, w->meta.avgdl_ref, &merged, err);
    if (st == PM_OK) st = open_merged(w, &merged, err);
    if (st == PM_OK)
        replace_segments(w, r->first, r->n, &merged);
    else
        kept_tokens_free(merged.kept);
    return st;
}

static pm_status take_beside(pm_writer *w, pm_error *err)
{
    writer_segment merged = {0};
    size_t first, n;
    pm_status st = writer_beside_end(w, &first, &n, &merged, err);
    if (st != PM_OK || !n) return st;
    writer_note_bytes(w, merged.named.size);
    st = open_merged(w, &merged, err);
    if (st == PM_OK)
        replace_segments(w, first, n, &merged);
    else
        writer_segment_close(&merged);
    return st;
}

static pm_status expunge(pm_writer *w, pm_error *err)
{
    pm_status st = PM_OK;
    for (size_t i = 0; i < w->n_segments && st == PM_OK; i++) {
        const writer_segment *s = &w->segments[i];
        if (writer_beside_holds(w, i)) continue;
        run r = {.first = i};
        run_add(&r, s);
        bool many =
            s->n_dead >= EXPUNGE_DEAD_MIN && (uint64_t)s->n_dead * EXPUNGE_SHARE > s->named.n_docs;
        if (many && r.live && run_fits(w, &r)) st = merge_run(w, &r, err);
    }
    return st;
}

static size_t count_live(const pm_writer *w, size_t from)
{
    size_t n = 0;
    for (size_t i = from; i < w->n_segments; i++)
        n += w->segments[i].n_dead < w->segments[i].named.n_docs;
    return n;
}

/* More than that are merged, or waited for. */
static size_t segments_most(const pm_writer *w, bool commit)
{
    return WRITER_SEGMENTS_MAX + (commit && w->beside ? BESIDE_SLACK : 0);
}

/* Not at a writer's first commit, which may be its last.  Places must stay what they are, which a
 * commit does not see to when a segment is all dead. */
static bool begin_beside(pm_writer *w, const run *r)
{
    return w->goes_on && !w->waits && count_live(w, 0) == w->n_segments &&
           writer_beside_begin(w, r->first, r->n, r->memory);
}

/* The end of merges, all or some of which were made.  Where the caller has said stop, the next
 * write fails as well, and with it the commit.  PM_USAGE: the result could not be one segment. */
static pm_status tidied(pm_status st)
{
    return st == PM_IO || st == PM_USAGE ? PM_OK : st;
}

pm_status writer_tidy(pm_writer *w, bool commit, bool beside, pm_error *err)
{
    size_t from = 0;
    while (!commit && from < w->n_segments && w->segments[from].committed) from++;
    pm_status st = PM_OK;
    if (commit && w->beside && count_live(w, 0) < w->n_segments) st = take_beside(w, err);
    if (commit && st == PM_OK) st = expunge(w, err);
    while (st == PM_OK && count_live(w, from) > segments_most(w, commit)) {
        if (commit && w->beside) {
            size_t had = w->n_segments;
            st = take_beside(w, err);
            beside = beside && w->n_segments < had; /* it has failed: here it is told why    */
            continue;
        }
        run r = choose_run(w, from);
        if (!r.n) break;
        if (!(beside && begin_beside(w, &r))) st = merge_run(w, &r, err);
    }
    return tidied(st);
}

pm_status writer_gather(pm_writer *w, pm_error *err)
{
    size_t first = w->n_segments;
    while (first && w->segments[first - 1].kept) first--;
    run r = {.first = first};
    for (size_t i = first; i < w->n_segments; i++) run_add(&r, &w->segments[i]);
    bool gain = r.n > 1 && r.live && r.docs <= SEGMENT_DOCS_MAX;
    pm_status st = gain && writer_kept_run(w, r.first, r.n) ? merge_run(w, &r, err) : PM_OK;
    return tidied(st);
}
