/* SPDX-License-Identifier: MIT
 * ingest_prune.c - delete articles that are gone from a PATH of this run.
 *
 * Deletes only what it can prove by what the article carries, and only ids not met in this run,
 * neither indexed, unchanged nor skipped:
 *   - of a file found under that same folder (by its absolute path, whichever way it was
 *     spelled), the file being gone;
 *   - of a file found under a folder below that one, or above it: by its hash that folder's path is
 *     known, with the id the file's, and nothing is there;
 *   - of a line of a JSON Lines file that was read to its end with no line skipped, or as a text;
 *   - of a file as a whole that was read as lines, to its end with none skipped.
 * Folders and files are known by 64 bits of their absolute paths: one is taken for another once
 * in 2^64 pairs.  A file given by name counts as found under its folder.  So articles from standard
 * input, of hidden files and links given by name, of other folders and of folders that are gone
 * themselves stay; a folder of which a part could not be listed is not pruned at all.
 */
#include <errno.h>

#include "indexer/ingest.h"

/* ---- folders by name --------------------------------------------------------------------- */

static bool add_name(folder_names *f, const void *path, size_t len)
{
    uint64_t hash = ingest_mark(path, len);
    buf_u64(&f->names, hash);
    buf_append(&f->names, path, len);
    buf_u8(&f->names, 0);
    return !f->names.failed && hash_set_add(&f->hashes, hash);
}

static const char *name_at(const folder_names *f, size_t at)
{
    return (const char *)f->names.data + at + 8;
}

/* NULL: no folder of this hash.  Most articles that are looked for are of the same one. */
static const char *find_name(folder_names *f, uint64_t hash)
{
    if (!hash_set_has(&f->hashes, hash)) return NULL;
    if (f->last < f->names.len && load_u64(f->names.data + f->last) == hash)
        return name_at(f, f->last);
    for (f->last = 0; f->last < f->names.len; f->last += 9 + strlen(name_at(f, f->last)))
        if (load_u64(f->names.data + f->last) == hash) return name_at(f, f->last);
    return NULL;
}

static bool is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    if (len == 1) return true; /* of everything                                              */
    return strncmp(path, folder, len) == 0 && path[len] == '/';
}

static bool is_below_a_root(const ingest *run, const char *path)
{
    const folder_names *f = &run->roots;
    for (size_t at = 0; at < f->names.len; at += 9 + strlen(name_at(f, at)))
        if (is_below(path, name_at(f, at))) return true;
    return false;
}

pm_status ingest_listed(ingest *run, pm_text below, pm_error *err)
{
    pm_status st = PM_OK;
    buf real = {0};
    if (!ingest_real_path(run, below, &real) || !add_name(&run->folders, real.data, real.len))
        st = error_nomem(err);
    buf_free(&real);
    return st;
}

pm_status ingest_prune_root(ingest *run, const char *path, size_t before, pm_error *err)
{
    const buf *root = &run->root_path;
    if (run->root_incomplete) {
        run->folders.names.len = before;
        ingest_warn(run, path, "not pruned, because a part of it could not be listed");
        return PM_OK;
    }
    bool ok =
        hash_set_add(&run->pruned_roots, run->root) && add_name(&run->roots, root->data, root->len);
    for (size_t len = root->len; ok && len > 1;) {
        while (root->data[len - 1] != '/') len--;
        if (len > 1) len--;
        ok = add_name(&run->folders, root->data, len);
    }
    return ok ? PM_OK : error_nomem(err);
}

void ingest_prune_free(ingest *run)
{
    hash_set_free(&run->pruned_files);
    hash_set_free(&run->pruned_roots);
    hash_set_free(&run->roots.hashes);
    hash_set_free(&run->folders.hashes);
    buf_free(&run->roots.names);
    buf_free(&run->folders.names);
}

/* ---- what is gone ------------------------------------------------------------------------ */

static bool is_absent(const char *path)
{
    file_info info;
    pm_error why = {0};
    return file_stat(path, &info, &why) != PM_OK && !info.is_link &&
           (why.os_errno == ENOENT || why.os_errno == ENOTDIR);
}

/* A file that is not met was found under another PATH, in `folder`. */
static pm_status look_there(const ingest *run, const char *folder, pm_text id, bool *gone,
                            pm_error *err)
{
    buf path = {0};
    buf_append_str(&path, folder);
    if (folder[1]) buf_u8(&path, '/');
    buf_append(&path, id.data, id.len);
    buf_u8(&path, 0);
    bool failed = path.failed;
    const char *name = (const char *)path.data;
    if (!failed) *gone = is_below_a_root(run, name) && is_absent(name);
    buf_free(&path);
    return failed ? error_nomem(err) : PM_OK;
}

/* A line is gone with its file, or from a file that was read to its end; any other article
 * with its file, whose id is its own. */
static pm_status is_gone(ingest *run, pm_text id, const ingest_known *known, bool *gone,
                         pm_error *err)
{
    bool root = known->folder && hash_set_has(&run->pruned_roots, known->folder);
    const char *folder = known->folder && !root ? find_name(&run->folders, known->folder) : NULL;
    *gone = root;
    if (!known->lines) return folder ? look_there(run, folder, id, gone, err) : PM_OK;
    root |= folder && is_below_a_root(run, folder);
    *gone = (root && !hash_set_has(&run->files, known->lines)) ||
            hash_set_has(&run->pruned_files, known->lines);
    return PM_OK;
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
    bool found = false, gone = false;
    PM_TRY(sink->known(sink->ctx, id.data, id.len, 0, &known, err));
    if (!known.found || is_kept(run, known.seq)) goto out;
    PM_TRY(is_gone(run, id, &known, &gone, err));
    if (gone) PM_TRY(sink->remove(sink->ctx, id.data, id.len, &found, err));
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
