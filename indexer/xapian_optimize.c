/* SPDX-License-Identifier: MIT
 *
 * xapian_optimize.c - each database of a Xapian index replaced by a compacted copy of itself.
 *
 *   1. copy: Xapian writes shard-N.new from the last commit of shard-N; has it all tables?
 *   2. sync of the whole file system: Xapian syncs its files, but does not look whether it could
 *   3. exchange of the two names, in one step: visible
 *   4. sync of the folder: durable
 *   5. removal of shard-N.new, which is the old one now
 *
 * A reader keeps the files that it has open.  What a broken run leaves is called shard-N.new, the
 * copy before step 3 and the old one after it, and either is of no use: the next writer deletes it.
 * Documents keep their numbers, so an index of which some databases are copies and others are not
 * gives the same answers.
 */
#include <errno.h>
#include <stdio.h>

#include "common/xapian/xap_index.h"
#include "indexer/xapian_writer.h"

/* ---- leftovers --------------------------------------------------------------------------- */

static pm_status collect_one(void *ctx, const char *name, pm_error *err)
{
    (void)err;
    if (xap_is_new_name(name)) dir_remove(ctx, name, NULL);
    return PM_OK;
}

void xapian_collect(const pm_writer *w)
{
    dir folder = w->folder;
    dir_each(&folder, collect_one, &folder, NULL);
}

/* ---- one database ------------------------------------------------------------------------ */

typedef struct compaction {
    const pm_writer *w;
    bool stopped;
} compaction;

static bool go_on(void *ctx)
{
    compaction *c = ctx;
    const pm_writer_options *o = &c->w->options;
    c->stopped = o->progress && !o->progress(o->progress_ctx, PM_PHASE_MERGE, c->w->written);
    return !c->stopped;
}

static pm_status copy(pm_writer *w, uint32_t shard, const char *name, pm_error *err)
{
    const xapian_writer *x = w->xapian;
    char path[XAPIAN_PATH];
    xap_db *committed;
    xap_error e;
    compaction c = {w, false};
    pm_status st = xapian_path(w, name, path, err);
    if (st == PM_OK) st = dir_remove(&w->folder, name, err);
    if (st != PM_OK) return st;
    st = xapian_committed(w, shard, &committed, err);
    if (st != PM_OK) return st;
    st = x->api->db_compact(committed, path, go_on, &c, &e);
    if (c.stopped) return error_os(err, ECANCELED, "cannot write %s", path);
    return st == PM_OK ? st : xap_failed(&e, path, err);
}

static bool table_there(const char *folder, const char *table)
{
    char path[XAPIAN_PATH + 32];
    file_info info;
    snprintf(path, sizeof path, "%s/%s.glass", folder, table);
    return file_stat(path, &info, NULL) == PM_OK && info.size;
}

/* Xapian takes a table that does not open, be it for want of a descriptor, for one that was never
 * needed, and copies nothing of it: the old database must not give way to that. */
static pm_status check_copy(pm_writer *w, uint32_t shard, const char *name, const char *new_name,
                            pm_error *err)
{
    const xapian_writer *x = w->xapian;
    char old[XAPIAN_PATH], copied[XAPIAN_PATH];
    xap_stats stats;
    xap_error e;
    pm_status st = xapian_path(w, name, old, err);
    if (st == PM_OK) st = xapian_path(w, new_name, copied, err);
    if (st != PM_OK) return st;
    if (x->api->db_stats(x->api->writer_db(x->shards[shard]), &stats, &e) != PM_OK)
        return xap_failed(&e, old, err);
    const struct {
        const char *table;
        bool needed;
    } tables[] = {
        {"docdata", stats.n_docs},
        {"termlist", stats.n_docs},
        {"position", stats.n_tokens && w->meta.has_positions},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (!tables[i].needed || table_there(copied, tables[i].table)) continue;
        if (!table_there(old, tables[i].table))
            return error_corrupt(err, old, 0, tables[i].table, "the file of this table is missing");
        return error_set(err, PM_IO,
                         "%s: its table %s could not be opened; it is as it was; try again", old,
                         tables[i].table);
    }
    return PM_OK;
}

/* The writer holds the old database open, and with it Xapian's lock, until it is replaced. */
static pm_status replace(pm_writer *w, uint32_t shard, const char *new_name, pm_error *err)
{
    pm_status st;
    char name[XAP_SHARD_NAME];
    xap_shard_name(name, shard);
    PM_TRY(copy(w, shard, new_name, err));
    PM_TRY(check_copy(w, shard, name, new_name, err));
    PM_TRY(dir_sync_all(&w->folder, err));
    PM_TRY(dir_exchange(&w->folder, new_name, name, err));
    PM_TRY(dir_sync(&w->folder, err));
    PM_TRY(xapian_open_shard(w, shard, err));
    PM_TRY(xapian_open_committed(w, shard, err));
out:
    return st;
}

static pm_status compact(pm_writer *w, uint32_t shard, pm_error *err)
{
    char new_name[XAP_SHARD_NAME];
    xap_shard_new_name(new_name, shard);
    pm_status st = replace(w, shard, new_name, err);
    pm_status removed = dir_remove(&w->folder, new_name, st == PM_OK ? err : NULL);
    return st == PM_OK ? removed : st;
}

/* ---- all --------------------------------------------------------------------------------- */

pm_status xapian_writer_optimize(pm_writer *w, pm_reorder by, pm_commit_info *info, pm_error *err)
{
    if (by == PM_REORDER_BP)
        return error_set(
            err, PM_USAGE,
            "%s: documents of the engine xapian stand in order of ingest and cannot be "
            "reordered; leave --reorder out",
            w->folder.path);
    pm_status st = xapian_publish(w, err);
    w->phase = PM_PHASE_MERGE;
    for (uint32_t i = 0; i < w->xapian->n_shards && st == PM_OK; i++) st = compact(w, i, err);
    w->phase = PM_PHASE_STORE;
    return xapian_report(w, st, info, err);
}
