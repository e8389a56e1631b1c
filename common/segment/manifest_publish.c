/* SPDX-License-Identifier: MIT
 * manifest_publish.c - how a manifest becomes the current one, and what may then go.
 *
 * Steps 2 to 6 of the commit protocol (FORMAT.md, "Commit protocol").  Takes a manifest
 * whose segment and tombstone files are written and synced; gives a commit.  What holds:
 *   - the rename of manifest.tmp is the one instant at which a commit appears, and every
 *     byte and every name it needs is durable before it (steps 1 to 3);
 *   - the folder is synced again after it (step 5): without that sync a power cut may take
 *     back a commit that was reported;
 *   - before the rename nothing is visible and the files may be removed; after it, nothing
 *     may be deleted until step 5 has succeeded.
 */
#include "common/segment/manifest.h"

#include <stdlib.h>

#include "common/base/mem.h"

/* Step 2. */
static pm_status write_tmp(const manifest *m, const dir *d, bool sync, pm_error *err)
{
    buf bytes = {0};
    outfile f = OUTFILE_INIT;
    manifest_encode(m, &bytes);
    pm_status st = bytes.failed ? error_nomem(err) : PM_OK;
    if (st == PM_OK) st = outfile_create(&f, d, "manifest.tmp", false, err);
    if (st == PM_OK) {
        outfile_write(&f, bytes.data, bytes.len);
        st = outfile_finish(&f, sync, err);
    }
    buf_free(&bytes);
    return st;
}

/* Step 4, first part: keep the old commit beside the new one.  A convenience; failures are
 * ignored.  The first unlink matters: after a crash both names can be one file, and renaming
 * one name of a file onto another does nothing. */
static void keep_previous(const dir *d)
{
    dir_unlink(d, "manifest.prev.tmp", NULL);
    if (dir_link(d, "manifest", "manifest.prev.tmp", NULL) != PM_OK) return;
    dir_rename(d, "manifest.prev.tmp", "manifest.prev", NULL);
    dir_unlink(d, "manifest.prev.tmp", NULL);
}

/* A rename that failed has not happened, unless the system that reported it is broken
 * enough to have done both: then the commit is visible, and its files must stay. */
static bool is_current(const manifest *m, const dir *d)
{
    manifest now;
    bool absent = false;
    pm_status st = manifest_read(&now, d, &absent, NULL);
    bool current = absent ? false : st != PM_OK || now.generation == m->generation;
    if (st == PM_OK) manifest_free(&now);
    return current;
}

pm_status manifest_not_durable(const dir *d, pm_error *err)
{
    pm_error why = {0};
    if (err) why = *err;
    error_set(err, PM_NOT_DURABLE,
              "%s: the commit is visible, but not known to survive a power cut; "
              "run the commit again (%.200s)",
              d->path, why.message);
    if (err) err->os_errno = why.os_errno;
    return PM_NOT_DURABLE;
}

/* Before anything is written: what nobody could read does not become current, and where another
 * writer was let in manifest.tmp may be the one of its commit. */
static pm_status can_publish(const manifest *m, const dir *d, pm_error *err)
{
    if (manifest_counters_fit(m)) return dir_lock_holds(d, err);
    return error_corrupt(err, d->path, 0, "manifest", "a counter cannot rise any further");
}

pm_status manifest_publish(const manifest *m, const dir *d, unsigned level, pm_error *err)
{
    pm_error own = {0};
    if (!err) err = &own;
    pm_status st = can_publish(m, d, err);
    if (st != PM_OK) return st;
    PM_TRY(write_tmp(m, d, level < 2, err));
    PM_TRY(level < 2 ? dir_sync(d, err) : dir_sync_all(d, err)); /* step 3 */
    PM_TRY(dir_lock_holds(d, err));
    keep_previous(d);
    st = dir_rename(d, "manifest.tmp", "manifest", err);
    if (st != PM_OK && is_current(m, d)) return manifest_not_durable(d, err);
    if (st != PM_OK) goto out;
    if (level == 0 && dir_sync(d, err) != PM_OK) return manifest_not_durable(d, err); /* step 5 */
    /* Without step 5 it is the commit before that is durable, by step 3. */
    if (level == 0 || m->generation > 1) manifest_mark(d, m->uuid);
    return PM_OK;
out:
    if (st != PM_BUSY) dir_unlink(d, "manifest.tmp", NULL); /* which may be another writer's    */
    return st;
}

pm_status manifest_prove(const dir *d, pm_error *err)
{
    pm_error own = {0};
    if (!err) err = &own;
    return dir_sync(d, err) == PM_OK ? PM_OK : manifest_not_durable(d, err);
}

/* ---- step 6 -------------------------------------------------------------------------- */

typedef struct collector {
    const dir *d;
    const char **kept; /* names of both manifests, sorted                                   */
    size_t n_kept;
    const char *spared; /* NULL: none                                                       */
} collector;

static int kept_order(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

static pm_status collect_one(void *ctx, const char *name, pm_error *err)
{
    (void)err;
    collector *c = ctx;
    if (c->spared && !strcmp(name, c->spared)) return PM_OK;
    if (manifest_own_name(name) &&
        !(c->n_kept && bsearch(&name, c->kept, c->n_kept, sizeof *c->kept, kept_order)))
        dir_unlink(c->d, name, NULL);
    return PM_OK;
}

static void keep_names(collector *c, const manifest *m)
{
    for (uint32_t i = 0; i < m->n_segments; i++) {
        c->kept[c->n_kept++] = m->segments[i].name;
        if (m->segments[i].del_name[0]) c->kept[c->n_kept++] = m->segments[i].del_name;
    }
}

/* Until the newest rename is durable a power cut may bring back the commit before it, whose
 * files must then be there.  They are, as long as manifest.prev names them; where it could not
 * be kept (no hard links, no room) the folder is synced first.  False: nothing may go. */
static bool predecessor_is_safe(const dir *d, const manifest *now, const manifest *prev)
{
    bool kept = now->generation <= 1 || prev->generation + 1 == now->generation;
    return kept || dir_sync(d, NULL) == PM_OK;
}

/* `durable`: the newest commit is, so nothing can bring back the one before it. */
static void collect(const dir *d, const char *spared, bool durable)
{
    manifest now = {0}, prev = {0};
    bool absent = false, no_prev = false;
    if (dir_lock_holds(d, NULL) != PM_OK) return; /* files may be those of a commit that comes    */
    pm_status st = manifest_read(&now, d, &absent, NULL);
    /* Whatever cannot be read may name anything: then nothing is deleted. */
    if (st != PM_OK && !absent) return;
    if (manifest_read_named(&prev, d, "manifest.prev", &no_prev, NULL) == PM_OK &&
        (durable || predecessor_is_safe(d, &now, &prev))) {
        collector c = {.d = d, .spared = spared};
        size_t n = (size_t)now.n_segments + prev.n_segments;
        c.kept = mem_array(n, 2 * sizeof *c.kept);
        if (c.kept) {
            keep_names(&c, &now);
            keep_names(&c, &prev);
            if (c.n_kept) qsort(c.kept, c.n_kept, sizeof *c.kept, kept_order);
            dir_each(d, collect_one, &c, NULL);
        }
        mem_free(c.kept);
    }
    manifest_free(&now);
    manifest_free(&prev);
}

void manifest_collect_garbage(const dir *d, const char *spared)
{
    collect(d, spared, false);
}

void manifest_forget_previous(const dir *d)
{
    if (dir_lock_holds(d, NULL) == PM_OK && dir_unlink(d, "manifest.prev", NULL) == PM_OK)
        collect(d, NULL, true);
}
