/* SPDX-License-Identifier: MIT
 * ingest_prune.c - delete articles that are gone from a PATH of this run.
 *
 * Deletes only what it can prove by what the article carries, and only ids not met in this run,
 * neither indexed, unchanged nor skipped:
 *   - of a file found under that same folder (by its absolute path, whichever way it was
 *     spelled), the file being gone;
 *   - of a line of a JSON Lines file that was read to its end with no line skipped.
 * Folders and files are known by 64 bits of their absolute paths: one is taken for another once
 * in 2^64 pairs.  So articles from standard input, of text files given by name, and of other
 * folders stay; a folder of which a part could not be listed is not pruned at all.
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

/* A line is gone with its file, or from a file that was read to its end; any other article
 * with its file, whose id is its own. */
static bool is_gone(const ingest *run, const ingest_known *known)
{
    bool root = known->folder && ingest_set_has(&run->pruned_roots, known->folder);
    if (!known->lines) return root;
    return (root && !ingest_set_has(&run->files, known->lines)) ||
           ingest_set_has(&run->pruned_files, known->lines);
}

static pm_status prune_id(ingest *run, pm_text id, pm_error *err)
{
    pm_status st = PM_OK;
    const ingest_sink *sink = run->sink;
    ingest_known known;
    bool found = false;
    PM_TRY(sink->known(sink->ctx, id.data, id.len, 0, &known, err));
    if (!known.found || !is_gone(run, &known)) goto out;
    PM_TRY(sink->remove(sink->ctx, id.data, id.len, &found, err));
    if (found) ingest_pruned(run, id);
out:
    return st;
}

pm_status ingest_prune(ingest *run, pm_error *err)
{
    pm_status st = PM_OK;
    gone g = {.run = run};
    if (!run->pruned_roots.count && !run->pruned_files.count) goto out;
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
