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

/* A line is gone with its file, or from a file that was read to its end; any other article
 * with its file, whose id is its own. */
static bool is_gone(const ingest *run, const ingest_known *known)
{
    bool root = known->folder && hash_set_has(&run->pruned_roots, known->folder);
    if (!known->lines) return root;
    return (root && !hash_set_has(&run->files, known->lines)) ||
           hash_set_has(&run->pruned_files, known->lines);
}

static bool is_kept(const ingest *run, uint64_t seq)
{
    return ingest_met(run, seq) || seq_set_has(&run->present, seq);
}

static pm_status prune_id(ingest *run, pm_text id, pm_error *err)
{
    pm_status st = PM_OK;
    const ingest_sink *sink = run->sink;
    ingest_known known;
    bool found = false;
    PM_TRY(sink->known(sink->ctx, id.data, id.len, 0, &known, err));
    if (!known.found || is_kept(run, known.seq) || !is_gone(run, &known)) goto out;
    PM_TRY(sink->remove(sink->ctx, id.data, id.len, &found, err));
    if (found) ingest_pruned(run, id);
out:
    return st;
}

typedef struct pruning {
    ingest *run;
    pm_status status;
    pm_error *err;
} pruning;

static bool look_at(void *ctx, const char *id, size_t len, uint64_t seq)
{
    pruning *p = ctx;
    char copy[DOCUMENT_ID_MAX]; /* of what the sink may use again                            */
    if (is_kept(p->run, seq) || len > sizeof copy) return true;
    memcpy(copy, id, len);
    p->status = prune_id(p->run, (pm_text){copy, len}, p->err);
    return p->status == PM_OK && !p->run->stopped;
}

pm_status ingest_prune(ingest *run, pm_error *err)
{
    pruning p = {run, PM_OK, err};
    if (!run->pruned_roots.count && !run->pruned_files.count) return PM_OK;
    pm_status st = run->sink->each_id(run->sink->ctx, look_at, &p, err);
    return p.status != PM_OK ? p.status : st;
}
