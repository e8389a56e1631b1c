/* SPDX-License-Identifier: MIT
 * ingest_prune.c - delete articles whose files under a folder PATH of this run are gone.
 *
 * Deletes only what it can prove: an article that carries the provenance of a file found
 * under that same folder (by its absolute path, whichever way it was spelled), whose file was
 * not met in this run, neither indexed, unchanged nor skipped.  So articles of JSON Lines, of
 * files given by name, and of other folders stay; a folder of which a part could not be
 * listed is not pruned at all.
 */
#include "indexer/ingest.h"

typedef struct gone {
    const ingest *run;
    buf ids; /* u32 length, bytes, ...                                                   */
} gone;

static bool collect(void *ctx, const char *id, size_t len)
{
    gone *g = ctx;
    if (id_set_find(&g->run->present, id, len) || id_set_find(&g->run->seen, id, len)) return true;
    buf_u32(&g->ids, (uint32_t)len);
    buf_append(&g->ids, id, len);
    return !g->ids.failed;
}

static bool is_pruned_root(const ingest *run, uint32_t root)
{
    for (size_t at = 0; at + 4 <= run->pruned_roots.len; at += 4)
        if (load_u32(run->pruned_roots.data + at) == root) return true;
    return false;
}

static pm_status prune_id(ingest *run, pm_text id, pm_error *err)
{
    pm_status st = PM_OK;
    const ingest_sink *sink = run->sink;
    bool found = false;
    uint64_t size = 0, hash = 0;
    int64_t mtime_ns = 0;
    PM_TRY(sink->provenance(sink->ctx, id.data, id.len, &found, &size, &mtime_ns, &hash, err));
    if (!found || !hash || !is_pruned_root(run, ingest_stamp_root(hash))) goto out;
    PM_TRY(sink->remove(sink->ctx, id.data, id.len, &found, err));
    if (found) ingest_pruned(run, id);
out:
    return st;
}

pm_status ingest_prune(ingest *run, pm_error *err)
{
    pm_status st = PM_OK;
    gone g = {.run = run};
    if (!run->pruned_roots.len) goto out;
    PM_TRY(run->sink->each_id(run->sink->ctx, collect, &g, err));
    if (g.ids.failed) PM_TRY(error_nomem(err));
    for (size_t at = 0; at + 4 <= g.ids.len && !run->stopped;) {
        size_t len = load_u32(g.ids.data + at);
        PM_TRY(prune_id(run, (pm_text){(const char *)g.ids.data + at + 4, len}, err));
        at += 4 + len;
    }
out:
    buf_free(&g.ids);
    return st;
}
