/* SPDX-License-Identifier: MIT
 *
 * xapian_writer.c - open, commit and close a Xapian index for writing; see xapian_writer.h.
 *
 * The marker is written by the first commit, after the databases: without it there is no index.
 * Databases that a first run left behind are made anew; what else has articles is not touched.
 * Xapian renames its root file without syncing the folder; a commit here does that for it.
 */
#include "indexer/xapian_writer.h"

#include <stdio.h>

#include "common/base/mem.h"

/* ---- which engine ------------------------------------------------------------------------ */

/* Be it damaged, or without its manifest. */
static pm_status native_in(const dir *d, bool *yes, pm_error *err)
{
    manifest m;
    bool absent;
    pm_status st = manifest_read(&m, d, &absent, err);
    if (st == PM_OK) manifest_free(&m);
    *yes = st == PM_OK || st == PM_CORRUPT;
    return *yes || absent ? PM_OK : st;
}

static pm_status native_there(const char *path, bool *yes, pm_error *err)
{
    dir d;
    *yes = false;
    pm_status st = dir_open(&d, path, NULL, err);
    if (st == PM_USAGE) return PM_OK; /* no folder                                            */
    if (st == PM_OK) st = native_in(&d, yes, err);
    dir_close(&d);
    return st;
}

static pm_status refuse_engine(const char *path, const char *made_by, const char *asked,
                               pm_error *err)
{
    return error_set(err, PM_USAGE,
                     "the index at %s was made by engine %s, not %s; leave the option out, or "
                     "make another index",
                     path, made_by, asked);
}

pm_status xapian_wanted(const char *path, const char *engine, bool *yes, pm_error *err)
{
    if (!strncmp(path, "tcp:", 4))
        return error_set(err, PM_USAGE,
                         "%s: servers are for searching; index into the folder of their databases",
                         path);
    bool xapian = xap_marker_there(path), native = false;
    *yes = xapian;
    bool asked = engine && !strcmp(engine, XAP_ENGINE);
    bool lost = !xapian && xap_marker_lost(path);
    if ((asked && !xapian) || lost) {
        pm_status st = native_there(path, &native, err);
        if (st == PM_OK && lost && !native) st = xap_marker_missing(path, err);
        if (st != PM_OK) return st;
    }
    if (!engine) return PM_OK;
    if (!asked && strcmp(engine, "native") != 0)
        return error_set(err, PM_USAGE, "no engine is called %s; there are native and xapian",
                         engine);
    if (asked ? native : xapian)
        return refuse_engine(path, native ? "native" : XAP_ENGINE, engine, err);
    *yes = asked;
    return PM_OK;
}

/* ---- databases --------------------------------------------------------------------------- */

pm_status xapian_path(const pm_writer *w, const char *name, char out[XAPIAN_PATH], pm_error *err)
{
    const char *root = (const char *)w->xapian->root.data;
    int n = snprintf(out, XAPIAN_PATH, "%s/%s", root, name);
    if (n > 0 && n < XAPIAN_PATH) return PM_OK;
    return error_set(err, PM_USAGE, "%.200s...: the path is too long", root);
}

static pm_status shard_path(const pm_writer *w, uint32_t shard, char out[XAPIAN_PATH],
                            pm_error *err)
{
    char name[XAP_SHARD_NAME];
    xap_shard_name(name, shard);
    return xapian_path(w, name, out, err);
}

pm_status xapian_open_shard(pm_writer *w, uint32_t shard, pm_error *err)
{
    xapian_writer *x = w->xapian;
    char path[XAPIAN_PATH];
    xap_error e;
    pm_status st = shard_path(w, shard, path, err);
    if (st != PM_OK) return st;
    if (x->shards[shard]) x->api->writer_free(x->shards[shard]);
    st = x->api->writer_open(path, !w->exists, &x->shards[shard], &e);
    return st == PM_OK ? st : xap_failed_promised(&e, path, err);
}

/* Whose marker was lost, too. */
static pm_status refuse_articles(pm_writer *w, const char *path, pm_error *err)
{
    const xap_api *api = w->xapian->api;
    xap_db *db = NULL;
    xap_stats stats = {0};
    xap_error e;
    pm_status st = api->db_new(&db, &e);
    if (st == PM_OK) st = api->db_add_local(db, path, &e);
    if (st == PM_OK) st = api->db_stats(db, &stats, &e);
    if (db) api->db_free(db);
    if (st != PM_OK) return e.absent ? PM_OK : xap_failed(&e, path, err);
    if (!stats.n_docs) return PM_OK;
    return error_set(err, PM_USAGE,
                     "%s: a database with articles, but no marker '" XAP_MARKER
                     "' beside it; restore that, or make the index elsewhere",
                     path);
}

/* Of a new index: may its databases be made?  It is not begun before that is known. */
static pm_status look_at_shards(pm_writer *w, pm_error *err)
{
    xapian_writer *x = w->xapian;
    char path[XAPIAN_PATH], name[XAP_SHARD_NAME];
    bool *made = mem_array(x->n_shards, sizeof *made), begun = false, there = true;
    pm_status st;
    if (!made) return error_nomem(err);
    PM_TRY(xap_marker_begun(&w->folder, &begun, err));
    for (uint32_t i = 0; i < XAP_SHARDS_MAX && (there || i < x->n_shards); i++) {
        file_info info;
        PM_TRY(shard_path(w, i, path, err));
        there = file_stat(path, &info, NULL) == PM_OK;
        if (there && !begun) PM_TRY(refuse_articles(w, path, err));
        xap_shard_name(name, i);
        if (there && begun && i >= x->n_shards) dir_remove(&w->folder, name, NULL);
        if (i < x->n_shards) made[i] = begun || !there;
    }
    if (!begun) PM_TRY(xap_marker_begin(&w->folder, err));
    x->made = made;
    made = NULL;
out:
    mem_free(made);
    return st;
}

/* Where one could not be removed the sign stays, and the next run makes them anew. */
static void remove_made(pm_writer *w)
{
    char name[XAP_SHARD_NAME];
    bool gone = true;
    for (uint32_t i = 0; i < w->xapian->n_shards; i++) {
        xap_shard_name(name, i);
        if (w->xapian->made[i]) gone &= dir_remove(&w->folder, name, NULL) == PM_OK;
    }
    if (gone && dir_sync(&w->folder, NULL) == PM_OK) dir_unlink(&w->folder, XAP_BEGUN, NULL);
}

static pm_status open_shards(pm_writer *w, pm_error *err)
{
    xapian_writer *x = w->xapian;
    pm_status st = PM_OK;
    x->shards = mem_array(x->n_shards, sizeof *x->shards);
    if (!x->shards) return error_nomem(err);
    for (uint32_t i = 0; i < x->n_shards && st == PM_OK; i++) st = xapian_open_shard(w, i, err);
    return st;
}

pm_status xapian_open_committed(pm_writer *w, uint32_t shard, pm_error *err)
{
    xapian_writer *x = w->xapian;
    char path[XAPIAN_PATH];
    xap_error e;
    pm_status st = shard_path(w, shard, path, err);
    if (st != PM_OK) return st;
    if (x->committed[shard]) x->api->db_free(x->committed[shard]);
    x->committed[shard] = NULL;
    st = x->api->db_new(&x->committed[shard], &e);
    if (st == PM_OK) st = x->api->db_add_local(x->committed[shard], path, &e);
    if (st == PM_OK) return st;
    if (x->committed[shard]) x->api->db_free(x->committed[shard]);
    x->committed[shard] = NULL;
    return xap_failed_promised(&e, path, err);
}

pm_status xapian_committed(pm_writer *w, uint32_t shard, xap_db **out, pm_error *err)
{
    pm_status st = w->xapian->committed[shard] ? PM_OK : xapian_open_committed(w, shard, err);
    *out = w->xapian->committed[shard];
    return st;
}

static pm_status open_committed(pm_writer *w, pm_error *err)
{
    xapian_writer *x = w->xapian;
    pm_status st = PM_OK;
    x->committed = mem_array(x->n_shards, sizeof *x->committed);
    if (!x->committed) return error_nomem(err);
    for (uint32_t i = 0; w->exists && i < x->n_shards && st == PM_OK; i++)
        st = xapian_open_committed(w, i, err);
    return st;
}

/* The commit is there, so that this cannot fail: what does not follow is opened when it is asked.
 */
static void follow_commit(pm_writer *w)
{
    xapian_writer *x = w->xapian;
    xap_error e;
    for (uint32_t i = 0; i < x->n_shards; i++) {
        if (!x->committed[i] || x->api->db_reopen(x->committed[i], &e) == PM_OK) continue;
        x->api->db_free(x->committed[i]);
        x->committed[i] = NULL;
    }
}

/* ---- settings ---------------------------------------------------------------------------- */

static pm_status check_options(const pm_writer *w, pm_error *err)
{
    const pm_writer_options *o = &w->options;
    if (o->small == 1)
        return error_set(err, PM_USAGE, "--small is for the native engine; leave it out");
    if (o->shards > XAP_SHARDS_MAX)
        return error_set(err, PM_USAGE, "%u shards: at most %d", o->shards, XAP_SHARDS_MAX);
    if (w->exists && o->shards && o->shards != w->xapian->n_shards)
        return error_set(err, PM_USAGE,
                         "the index at %s has %u shards, not %u; leave the option out, or make "
                         "another index",
                         w->folder.path, w->xapian->n_shards, o->shards);
    return PM_OK;
}

static pm_status read_metadata(pm_writer *w, const char *name, pm_text *out, pm_error *err)
{
    xapian_writer *x = w->xapian;
    xap_error e;
    pm_status st = x->api->db_metadata(x->api->writer_db(x->shards[0]),
                                       (pm_text){name, strlen(name)}, out, &e);
    return st == PM_OK ? st : xap_failed(&e, w->folder.path, err);
}

/* Settings, sequence number and generation of an index that is there. */
static pm_status read_settings(pm_writer *w, pm_error *err)
{
    pm_status st;
    pm_text text;
    char state[64];
    unsigned long long seq = 0, generation = 0;
    PM_TRY(read_metadata(w, XAP_SETTINGS, &text, err));
    PM_TRY(xap_settings_decode(text, &w->meta, w->folder.path, err));
    PM_TRY(read_metadata(w, XAP_STATE, &text, err));
    snprintf(state, sizeof state, "%.*s", (int)(text.len < 63 ? text.len : 63), text.data);
    if (sscanf(state, "%llu %llu", &seq, &generation) != 2)
        st = error_corrupt(err, w->folder.path, 0, "metadata",
                           "the state of the writer is not whole");
    w->meta.next_seq = seq;
    w->meta.generation = generation;
out:
    return st;
}

static pm_status write_metadata(pm_writer *w, const char *name, pm_text value, pm_error *err)
{
    xapian_writer *x = w->xapian;
    xap_error e;
    for (uint32_t i = 0; i < x->n_shards; i++)
        if (x->api->writer_metadata(x->shards[i], (pm_text){name, strlen(name)}, value, &e) !=
            PM_OK)
            return xap_failed(&e, w->folder.path, err);
    return PM_OK;
}

static pm_status write_settings(pm_writer *w, pm_error *err)
{
    buf text = {0};
    xap_settings_encode(&w->meta, &text);
    pm_status st = text.failed ? error_nomem(err)
                               : write_metadata(w, XAP_SETTINGS,
                                                (pm_text){(const char *)text.data, text.len}, err);
    buf_free(&text);
    return st;
}

/* ---- open -------------------------------------------------------------------------------- */

/* A file in the marker's place that is none would be lost to the first commit. */
static pm_status marker_read(pm_writer *w, bool *absent, pm_error *err)
{
    const char *path = w->folder.path;
    pm_status st = xap_marker_read(&w->folder, &w->xapian->n_shards, absent, err);
    if (st != PM_CORRUPT || xap_marker_there(path)) return st;
    return error_set(err, PM_USAGE,
                     "%s: its file '" XAP_MARKER "' is not of an index; make the index elsewhere",
                     path);
}

static pm_status learn_root(pm_writer *w, pm_error *err)
{
    buf *root = &w->xapian->root;
    pm_status st = file_real_path(w->folder.path, root, err);
    buf_u8(root, 0);
    return st == PM_OK && root->failed ? error_nomem(err) : st;
}

static pm_status open_folder(pm_writer *w, const char *path, pm_error *err)
{
    bool absent;
    pm_status st = dir_open(&w->folder, path, &absent, err);
    if (absent && w->options.create) {
        st = dir_create(path, err);
        if (st == PM_OK) st = dir_open(&w->folder, path, NULL, err);
    }
    if (st != PM_OK) return st;
    st = marker_read(w, &absent, err);
    if (absent && w->options.create) st = PM_OK;
    if (st == PM_OK) st = dir_lock(&w->folder, err);
    return st == PM_OK ? learn_root(w, err) : st;
}

/* Under the lock: what another writer may have made meanwhile. */
static pm_status read_marker(pm_writer *w, pm_error *err)
{
    bool absent, native = false;
    xapian_writer *x = w->xapian;
    pm_status st = marker_read(w, &absent, err);
    w->exists = st == PM_OK;
    if (absent) st = native_in(&w->folder, &native, err);
    if (native) return refuse_engine(w->folder.path, "native", XAP_ENGINE, err);
    if (st != PM_OK) return st;
    if (!w->exists) x->n_shards = w->options.shards ? w->options.shards : 1;
    return check_options(w, err);
}

pm_status xapian_writer_open(pm_writer *w, const char *path, pm_error *err)
{
    pm_status st = PM_OK;
    xap_error e;
    xapian_writer *x = w->xapian = mem_zalloc(sizeof *x);
    if (!x) return error_nomem(err);
    PM_TRY(xap_load(&x->api, err));
    PM_TRY(open_folder(w, path, err));
    PM_TRY(read_marker(w, err));
    xapian_collect(w);
    if (!w->exists) PM_TRY(look_at_shards(w, err));
    PM_TRY(open_shards(w, err));
    if (w->exists) PM_TRY(read_settings(w, err));
    PM_TRY(writer_open_analyzer(w, err));
    if (!w->exists) {
        snprintf(w->meta.engine, sizeof w->meta.engine, XAP_ENGINE);
        PM_TRY(write_settings(w, err));
    }
    PM_TRY(open_committed(w, err));
    if (x->api->doc_new(&x->doc, &e) != PM_OK) st = xap_failed(&e, path, err);
out:
    return st;
}

void xapian_writer_close(pm_writer *w)
{
    xapian_writer *x = w->xapian;
    if (!x) return;
    for (uint32_t i = 0; x->shards && i < x->n_shards; i++)
        if (x->shards[i]) x->api->writer_free(x->shards[i]);
    for (uint32_t i = 0; x->committed && i < x->n_shards; i++)
        if (x->committed[i]) x->api->db_free(x->committed[i]);
    if (x->doc) x->api->doc_free(x->doc);
    if (x->made) remove_made(w);
    mem_free(x->made);
    mem_free(x->shards);
    mem_free(x->committed);
    buf_free(&x->root);
    inverter_fields_free(&x->fields);
    mem_free(x);
    w->xapian = NULL;
}

/* ---- commit ------------------------------------------------------------------------------ */

static pm_status sync_shards(const pm_writer *w, pm_error *err)
{
    char path[XAPIAN_PATH];
    for (uint32_t i = 0; i < w->xapian->n_shards; i++) {
        dir d;
        pm_status st = shard_path(w, i, path, err);
        if (st != PM_OK) return st;
        st = dir_open(&d, path, NULL, err);
        if (st == PM_OK) st = dir_sync(&d, err);
        dir_close(&d);
        if (st != PM_OK) return st;
    }
    return PM_OK;
}

static pm_status commit_shards(pm_writer *w, pm_error *err)
{
    xapian_writer *x = w->xapian;
    char path[XAPIAN_PATH];
    xap_error e;
    for (uint32_t i = 0; i < x->n_shards; i++) {
        if (x->api->writer_commit(x->shards[i], &e) == PM_OK) continue;
        pm_status st = shard_path(w, i, path, err);
        return st == PM_OK ? xap_failed(&e, path, err) : st;
    }
    return PM_OK;
}

/* Of a new index nothing is seen before its marker is there; it is written again where the sync
 * behind it may have been the one that failed. */
static pm_status make_durable(pm_writer *w, pm_error *err)
{
    xapian_writer *x = w->xapian;
    pm_status st = sync_shards(w, err);
    if (st == PM_OK && (!w->exists || w->not_durable)) {
        mem_free(x->made); /* from here on they may be those of an index                     */
        x->made = NULL;
        st = xap_marker_write(&w->folder, x->n_shards, err);
    }
    if (st == PM_OK || st == PM_NOT_DURABLE || !w->exists) return st;
    return manifest_not_durable(&w->folder, err);
}

static pm_status publish(pm_writer *w, pm_error *err)
{
    pm_status st;
    char state[64];
    int len = snprintf(state, sizeof state, "%llu %llu", (unsigned long long)w->meta.next_seq,
                       (unsigned long long)w->meta.generation + 1);
    PM_TRY(write_metadata(w, XAP_STATE, (pm_text){state, (size_t)len}, err));
    PM_TRY(commit_shards(w, err));
    st = make_durable(w, err);
    if (st != PM_OK && st != PM_NOT_DURABLE) goto out;
    w->exists = true;
    w->not_durable = st != PM_OK;
    w->meta.generation++;
    w->xapian->changed = false;
    follow_commit(w);
out:
    return st;
}

/* What is visible and unproven is written as another commit: a sync that has failed is not asked
 * again. */
pm_status xapian_publish(pm_writer *w, pm_error *err)
{
    bool to_do = w->xapian->changed || !w->exists || w->not_durable;
    return to_do ? publish(w, err) : PM_OK;
}

pm_status xapian_report(pm_writer *w, pm_status st, pm_commit_info *info, pm_error *err)
{
    if (st != PM_OK && st != PM_NOT_DURABLE) return writer_discard(w, st, err);
    if (info) {
        *info = w->pending;
        info->generation = w->meta.generation;
        xap_bytes((const char *)w->xapian->root.data, w->xapian->n_shards, &info->index_bytes,
                  NULL); /* of what can be looked at                                         */
    }
    if (st == PM_OK) w->pending = (pm_commit_info){0};
    return st;
}

pm_status xapian_writer_commit(pm_writer *w, pm_commit_info *info, pm_error *err)
{
    return xapian_report(w, xapian_publish(w, err), info, err);
}
