/* SPDX-License-Identifier: MIT
 * ingest_walk.c - a folder to its files, in bytewise order of names, depth first.
 *
 * Hidden names and folders that are an index are left out; the folder given may not be one.
 * Symbolic links are not followed below the folder given, so that no loop can be and nothing
 * outside is read; depth is bounded all the same.
 */
#include "common/segment/manifest.h"
#include "common/xapian/xap_index.h"
#include "indexer/ingest.h"

enum { WALK_MAX_DEPTH = 64 };

typedef struct walk {
    ingest *run;
    buf path;     /* NUL-terminated path of the entry at hand                            */
    size_t id_at; /* where its part below the root begins                                */
    unsigned depth;
    bool failed; /* an entry ended the run: not a failure to list its folder            */
} walk;

static pm_status walk_folder(walk *w, pm_error *err);

/* Make the path "folder/name" behind the folder's own. */
static bool set_path(walk *w, const char *name)
{
    if (w->path.len && w->path.data[w->path.len - 1] != '/') buf_u8(&w->path, '/');
    buf_append(&w->path, name, strlen(name) + 1);
    if (!w->path.failed) w->path.len--;
    return !w->path.failed;
}

static ingest_input entry_of(const walk *w)
{
    const char *path = (const char *)w->path.data;
    size_t at = w->id_at < w->path.len ? w->id_at : w->path.len;
    return (ingest_input){.path = path, .id = {path + at, w->path.len - at}, .walked = true};
}

/* An entry whose kind cannot be told; it may be a folder, so its articles must stay. */
static void skip_entry(walk *w, const ingest_input *entry, const char *reason)
{
    w->run->root_incomplete = true;
    ingest_skip(w->run, entry->path, 0, entry->id, reason);
}

static bool is_same(const char *a, const char *b)
{
    pm_error err;
    buf x = {0}, y = {0};
    bool same = file_real_path(a, &x, &err) == PM_OK && file_real_path(b, &y, &err) == PM_OK &&
                x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
    buf_free(&x);
    buf_free(&y);
    return same;
}

/* An index below the folder holds no articles; the one that is being made may have no manifest
 * yet. */
static pm_status is_index(const walk *w, const file_info *folder, bool *yes, pm_error *err)
{
    pm_error problem;
    file_info made;
    const char *path = (const char *)w->path.data, *own = w->run->sink->folder;
    pm_status st = manifest_is_in(path, yes, err);
    if (st == PM_OK && !*yes) *yes = xap_marker_there(path) || xap_is_begun(path);
    if (st == PM_OK && !*yes)
        *yes = own && file_stat(own, &made, &problem) == PM_OK && made.number == folder->number &&
               is_same(own, path);
    return st;
}

/* A folder below the root. */
static pm_status walk_below(walk *w, const file_info *folder, pm_error *err)
{
    bool index;
    pm_status st = is_index(w, folder, &index, err);
    return st != PM_OK || index ? st : walk_folder(w, err);
}

static pm_status walk_entry(void *ctx, const char *name, pm_error *err)
{
    walk *w = ctx;
    pm_error problem = {0};
    size_t len = w->path.len;
    pm_status st = PM_OK;
    if (w->run->stopped) goto out;
    if (!set_path(w, name)) PM_TRY(error_nomem(err));
    ingest_input file = entry_of(w);
    bool known = file_stat(file.path, &file.info, &problem) == PM_OK;
    if (!known && !file.info.is_link)
        skip_entry(w, &file, problem.message);
    else if (file.info.is_dir && !file.info.is_link)
        PM_TRY(walk_below(w, &file.info, err));
    else
        PM_TRY(ingest_file(w->run, &file, err));
out:
    w->failed |= st != PM_OK;
    w->path.len = len;
    if (w->path.data) w->path.data[len] = 0;
    return st;
}

/* The folder at w->path.  One that cannot be listed is skipped. */
static pm_status walk_folder(walk *w, pm_error *err)
{
    pm_error problem = {0};
    ingest_input here = entry_of(w);
    if (w->depth == WALK_MAX_DEPTH) {
        skip_entry(w, &here, "folders nested deeper than 64");
        return PM_OK;
    }
    if (w->run->options.prune && ingest_listed(w->run, here.id, err) != PM_OK) {
        w->failed = true;
        return PM_NOMEM;
    }
    w->depth++;
    pm_status st = file_each(here.path, walk_entry, w, &problem);
    w->depth--;
    if (st == PM_OK) return PM_OK;
    if (st == PM_IO && !w->failed) {
        here = entry_of(w); /* the path may have moved */
        skip_entry(w, &here, problem.message);
        return PM_OK;
    }
    if (err) *err = problem;
    return st;
}

pm_status ingest_walk(ingest *run, const char *root, pm_error *err)
{
    walk w = {.run = run};
    size_t len = strlen(root);
    buf_append(&w.path, root, len + 1);
    if (w.path.failed) return error_nomem(err);
    w.path.len = len;
    w.id_at = len + (len && root[len - 1] != '/');
    file_info info;
    pm_error problem;
    bool index = false;
    pm_status st = PM_OK;
    ingest_input here = entry_of(&w);
    if (file_stat(root, &info, &problem) == PM_OK) PM_TRY(is_index(&w, &info, &index, err));
    if (index)
        skip_entry(&w, &here, "an index is no input; keep articles in a folder of their own");
    else
        PM_TRY(walk_folder(&w, err));
out:
    buf_free(&w.path);
    return st;
}
