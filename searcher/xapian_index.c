/* SPDX-License-Identifier: MIT
 *
 * xapian_index.c - handles of a Xapian index: opening, lending, reopening; see xapian.h.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "searcher/xapian.h"

static const char *where(const xapian_handle *h)
{
    return h->of->view.folder.path;
}

pm_status xapian_failed(xapian_handle *h, pm_error *err)
{
    return xap_failed(&h->last, where(h), err);
}

/* ---- a handle ---------------------------------------------------------------------------- */

/* Over servers each question waits for each of them, so none is asked that Xapian answers itself:
 * of words it knows df when it ranks.  Only whether the index has an acronym decides a query. */
static pm_status term_df(void *ctx, const void *key, size_t len, uint64_t *df, pm_error *err)
{
    xapian_handle *h = ctx;
    bool acronym = len && *(const uint8_t *)key == KEY_MARKER;
    *df = 1;
    if (h->of->remote && !h->wants_df && !acronym) return PM_OK;
    xap_term term;
    uint64_t cf;
    pm_text name = xap_term_of_key(&term, key, len);
    if (h->of->api->db_term(h->db, name, df, &cf, &h->last) == PM_OK) return PM_OK;
    return xapian_failed(h, err);
}

static pm_status form_there(void *ctx, const char *folded, size_t len, bool *yes, pm_error *err)
{
    xapian_handle *h = ctx;
    xap_term term;
    pm_text key = xap_term_make(&term, XAP_FORM, folded, len), value;
    pm_status st = h->of->api->db_metadata(h->db, key, &value, &h->last);
    *yes = st == PM_OK && value.len;
    return st == PM_OK ? PM_OK : xapian_failed(h, err);
}

static pm_status read_numbers(xapian_handle *h, pm_error *err)
{
    xap_stats stats;
    if (h->of->api->db_stats(h->db, &stats, &h->last) != PM_OK) return xapian_failed(h, err);
    h->view = h->of->view;
    h->view.n_docs = stats.n_docs;
    h->view.n_tokens = stats.n_tokens;
    h->view.avgdl = stats.n_tokens ? (double)stats.n_tokens / (double)stats.n_docs : 1;
    h->terms = (snapshot_terms){term_df, form_there, h};
    h->view.elsewhere = &h->terms;
    return PM_OK;
}

static bool rests(xapian_index *x, const xapian_place *place)
{
    pthread_mutex_lock(&x->lock);
    bool yes =
        place->dead_ns && clock_ns() - place->dead_ns < (uint64_t)XAPIAN_REST_S * 1000000000u;
    pthread_mutex_unlock(&x->lock);
    return yes;
}

static void lay_to_rest(xapian_index *x, xapian_place *place)
{
    pthread_mutex_lock(&x->lock);
    place->dead_ns = clock_ns();
    pthread_mutex_unlock(&x->lock);
}

static pm_status open_place(xapian_handle *h, const xapian_place *place, bool ask)
{
    const pm_index_options *o = &h->of->options;
    if (!place->host) return h->of->api->db_add_local(h->db, place->name, &h->last);
    return h->of->api->db_add_remote(h->db, place->host, place->port, o->timeout_ms,
                                     o->connect_timeout_ms, ask, &h->last);
}

/* A server that does not answer is left out, unless all are wanted.  `ask` has each of them answer
 * a message, where it is not known which of them did not. */
static pm_status open_places(xapian_handle *h, bool ask, pm_error *err)
{
    xapian_index *x = h->of;
    for (size_t i = 0; i < x->n_places; i++) {
        xapian_place *place = &x->places[i];
        bool skip = place->host && !x->options.require_all && rests(x, place);
        if (!skip && open_place(h, place, ask) == PM_OK) continue;
        bool silent = skip || (place->host && h->last.network);
        if (!skip && silent) lay_to_rest(x, place);
        if (!silent || (!skip && x->options.require_all))
            return (x->is_folder ? xap_failed_promised : xap_failed)(&h->last, place->name, err);
        h->missing[i] = true;
        h->n_missing++;
    }
    if (h->n_missing < x->n_places) return PM_OK;
    return error_set(err, PM_IO, "%s: no server answers; start them, or name others",
                     x->view.folder.path);
}

/* *why: what the shim said, where that was it. */
static pm_status make_handle(xapian_index *x, bool ask, xapian_handle **out, xap_error *why,
                             pm_error *err)
{
    pm_status st = PM_OK;
    *out = NULL;
    memset(why, 0, sizeof *why);
    xapian_handle *h = mem_zalloc(sizeof *h);
    if (!h) return error_nomem(err);
    h->of = x;
    h->missing = mem_array(x->n_places, sizeof *h->missing);
    if (!h->missing) PM_TRY(error_nomem(err));
    if (x->api->db_new(&h->db, &h->last) != PM_OK) PM_TRY(xapian_failed(h, err));
    PM_TRY(open_places(h, ask, err));
    PM_TRY(read_numbers(h, err));
    *out = h;
out:
    *why = h->last;
    if (st != PM_OK) xapian_drop(h);
    return st;
}

/* Which folders stand where the databases are looked for, as one number. */
static uint64_t folders_now(const xapian_index *x)
{
    uint64_t sum = 0;
    file_info info;
    for (size_t i = 0; i < x->n_places; i++)
        if (!x->places[i].host && file_stat(x->places[i].name, &info, NULL) == PM_OK)
            sum = hash_mix(sum ^ info.number);
    return sum;
}

/* The newest commits of the local databases, as one number; 0 where there are none. */
static uint64_t commits_now(const xapian_index *x)
{
    uint64_t sum = 0, revision;
    xap_error e;
    for (size_t i = 0; i < x->n_places; i++) {
        if (x->places[i].host) continue;
        x->api->revision(x->places[i].name, &revision, &e);
        sum = hash_mix(sum ^ (revision + 1));
    }
    return sum;
}

/* What a writer overwrites looks like damage to a reader.  It is damage where it is met twice with
 * no commit in between; *commits keeps what was seen the first time. */
static bool has_moved(const xapian_index *x, uint64_t *commits)
{
    uint64_t before = *commits;
    *commits = commits_now(x);
    return *commits != before;
}

static pm_status too_fast(const xapian_index *x, pm_error *err)
{
    return error_set(err, PM_IO, "%s: the index changes faster than it can be read, try again",
                     x->view.folder.path);
}

/* Xapian opens a database's files one by one, by name.  Where `optimize` has put another folder in
 * its place meanwhile, they are of two databases: once more; and so where a commit fell into it. */
static pm_status new_handle(xapian_index *x, bool ask, xapian_handle **out, pm_error *err)
{
    uint64_t commits = 0;
    for (unsigned tries = 0;; tries++) {
        xap_error why;
        uint64_t before = folders_now(x);
        pm_status st = make_handle(x, ask, out, &why, err);
        if (folders_now(x) == before && !why.modified &&
            (st != PM_CORRUPT || !has_moved(x, &commits)))
            return st;
        if (st == PM_OK) xapian_drop(*out);
        *out = NULL;
        if (tries == XAPIAN_TRIES) return too_fast(x, err);
    }
}

void xapian_drop(xapian_handle *h)
{
    if (!h) return;
    if (h->db) h->of->api->db_free(h->db);
    mem_free(h->missing);
    mem_free(h);
}

/* ---- lending ----------------------------------------------------------------------------- */

/* A server that was missing may be back. */
static bool is_stale(const xapian_handle *h)
{
    for (size_t i = 0; h->n_missing && i < h->of->n_places; i++)
        if (h->missing[i] && !rests(h->of, &h->of->places[i])) return true;
    return false;
}

pm_status xapian_take(xapian_index *x, xapian_handle **out, pm_error *err)
{
    pthread_mutex_lock(&x->lock);
    xapian_handle *h = x->idle;
    if (h) x->idle = h->next;
    pthread_mutex_unlock(&x->lock);
    if (h && is_stale(h)) {
        xapian_drop(h);
        h = NULL;
    }
    *out = h;
    return h ? PM_OK : new_handle(x, false, out, err);
}

void xapian_give(xapian_handle *h)
{
    if (!h) return;
    pthread_mutex_lock(&h->of->lock);
    h->next = h->of->idle;
    h->of->idle = h;
    pthread_mutex_unlock(&h->of->lock);
}

/* ---- when it fails ----------------------------------------------------------------------- */

/* The context of a network error names the server as Xapian was told it. */
static xapian_place *culprit(const xapian_handle *h)
{
    char name[300];
    for (size_t i = 0; i < h->of->n_places; i++) {
        xapian_place *place = &h->of->places[i];
        if (!place->host || h->missing[i]) continue;
        snprintf(name, sizeof name, "%s:%u", place->host, place->port);
        const char *at = strstr(h->last.context, name);
        size_t len = strlen(name);
        if (at && (at[len] < '0' || at[len] > '9')) return place;
    }
    return NULL;
}

/* Of one question to a handle. */
typedef struct retries {
    unsigned n;
    uint64_t commits; /* has_moved                                                           */
    pm_status status; /* of the last try                                                     */
} retries;

static bool renew(xapian_handle **h, bool ask, retries *r, pm_error *err)
{
    xapian_index *x = (*h)->of;
    xapian_drop(*h);
    pm_status st = new_handle(x, ask, h, err);
    if (st != PM_OK) r->status = st;
    return st == PM_OK;
}

/* Of a connection closed between two messages Xapian does not say whose it was. */
static bool without_culprit(xapian_handle **h, retries *r, pm_error *err)
{
    xapian_index *x = (*h)->of;
    xapian_place *place = culprit(*h);
    if (!place) return x->remote && renew(h, true, r, err);
    if (x->options.require_all) return false;
    lay_to_rest(x, place);
    return renew(h, false, r, err);
}

/* After a failure: may another try succeed?  Then *h is good for it: a new one, or without the
 * server that did not answer. */
static bool again(xapian_handle **h, retries *r, pm_error *err)
{
    xapian_index *x = (*h)->of;
    bool network = (*h)->last.network;
    bool moved = (*h)->last.modified || (r->status == PM_CORRUPT && has_moved(x, &r->commits));
    if (!network && !moved) return false;
    if (++r->n < XAPIAN_TRIES + (unsigned)x->n_places)
        return network ? without_culprit(h, r, err) : renew(h, false, r, err);
    if (moved) r->status = too_fast(x, err);
    return false;
}

pm_status xapian_whole(const xapian_handle *h, pm_error *err)
{
    const xapian_index *x = h->of;
    size_t first = 0;
    char more[40] = "";
    if (!h->n_missing) return PM_OK;
    while (!h->missing[first]) first++;
    if (h->n_missing > 1) snprintf(more, sizeof more, " and %zu more", h->n_missing - 1);
    return error_set(err, PM_PARTIAL,
                     "%.200s%s: no answer; the results are those of the other %zu of %zu servers",
                     x->places[first].name, more, x->n_places - h->n_missing, x->n_places);
}

pm_status xapian_with(xapian_index *x,
                      pm_status (*what)(xapian_handle *h, void *ctx, pm_error *err), void *ctx,
                      pm_error *err)
{
    xapian_handle *h = NULL;
    retries r = {0};
    pm_status st = xapian_take(x, &h, err);
    if (st != PM_OK) return st;
    do {
        memset(&h->last, 0, sizeof h->last);
        r.status = what(h, ctx, err);
    } while (r.status != PM_OK && again(&h, &r, err));
    if (r.status != PM_OK) {
        xapian_drop(h);
        return r.status;
    }
    st = xapian_whole(h, err);
    xapian_give(h);
    return st;
}

/* ---- the index --------------------------------------------------------------------------- */

static pm_status read_settings(xapian_handle *h, void *ctx, pm_error *err)
{
    xapian_index *x = ctx;
    pm_text text, key = {XAP_SETTINGS, strlen(XAP_SETTINGS)};
    if (x->api->db_metadata(h->db, key, &text, &h->last) != PM_OK) return xapian_failed(h, err);
    pm_status st = xap_settings_decode(text, &x->view.meta, x->view.folder.path, err);
    if (st == PM_OK) st = read_numbers(h, err); /* with the settings                         */
    if (st != PM_OK) return st;
    x->view.n_docs = h->view.n_docs;
    x->view.n_tokens = h->view.n_tokens;
    x->view.avgdl = h->view.avgdl;
    return PM_OK;
}

/* The absolute path of a folder, or of something in one; memory of the caller's. */
static pm_status absolute(const char *folder, size_t len, const char *name, char **out,
                          pm_error *err)
{
    buf real = {0};
    *out = NULL;
    char *given = len ? mem_strndup(folder, len) : mem_strndup(".", 1);
    pm_status st = given ? file_real_path(given, &real, err) : error_nomem(err);
    if (*name) buf_u8(&real, '/');
    buf_append_str(&real, name);
    if (st == PM_OK && !real.failed) *out = mem_strndup((const char *)real.data, real.len);
    if (st == PM_OK && !*out) st = error_nomem(err);
    mem_free(given);
    buf_free(&real);
    return st;
}

/* Databases are opened again by name when they have changed: where the program is by then, and what
 * links lead to, must not matter.  The last part of a name stays, since `optimize` puts another
 * folder in its place.  What is not there is told where it is opened. */
static pm_status fix_names(xapian_index *x, const char *path, pm_error *err)
{
    pm_status st = x->is_folder ? absolute(path, strlen(path), "", &x->root, err) : PM_OK;
    if (st != PM_OK) return st;
    for (size_t i = 0; i < x->n_places; i++) {
        xapian_place *place = &x->places[i];
        char *name;
        if (place->host) continue;
        const char *slash = strrchr(place->name, '/'), *last = slash ? slash + 1 : place->name;
        size_t folder = slash == place->name ? 1 : slash ? (size_t)(slash - place->name) : 0;
        st = absolute(place->name, folder, last, &name, NULL);
        if (st == PM_NOMEM) return error_nomem(err);
        if (st != PM_OK) continue;
        mem_free(place->name);
        place->name = name;
    }
    return PM_OK;
}

pm_status xapian_open(pm_index *index, const char *path, const pm_index_options *options,
                      pm_error *err)
{
    pm_status st = PM_OK;
    xapian_index *x = index->xapian = mem_zalloc(sizeof *x);
    if (!x) return error_nomem(err);
    pthread_mutex_init(&x->lock, NULL);
    x->options = *options;
    x->view.folder = (dir)DIR_INIT;
    x->view.folder.path = mem_strndup(path, strlen(path));
    if (!x->view.folder.path) PM_TRY(error_nomem(err));
    index->snap = &x->view;
    PM_TRY(xap_load(&x->api, err));
    PM_TRY(xapian_places_read(x, path, err));
    PM_TRY(fix_names(x, path, err));
    st = xapian_with(x, read_settings, x, err);
    if (st == PM_PARTIAL) st = PM_OK; /* who is missing is said with each answer              */
out:
    return st;
}

void xapian_close(xapian_index *x)
{
    if (!x) return;
    while (x->idle) {
        xapian_handle *h = x->idle;
        x->idle = h->next;
        xapian_drop(h);
    }
    xapian_places_free(x);
    mem_free(x->root);
    mem_free(x->view.folder.path);
    pthread_mutex_destroy(&x->lock);
    mem_free(x);
}

/* ---- single articles --------------------------------------------------------------------- */

typedef struct record_search {
    const char *id;
    size_t len;
    buf *out;
    bool found;
} record_search;

static pm_status find_record(xapian_handle *h, void *ctx, pm_error *err)
{
    record_search *r = ctx;
    const xap_api *api = h->of->api;
    xap_found at;
    pm_text record;
    pm_status st = xap_find_id(api, h->db, r->id, r->len, where(h), &at, &h->last, err);
    r->found = st == PM_OK && at.docid;
    if (!r->found) return st;
    if (api->db_record(h->db, at.docid, &record, &h->last) != PM_OK) return xapian_failed(h, err);
    buf_reset(r->out);
    buf_append(r->out, record.data, record.len);
    return r->out->failed ? error_nomem(err) : PM_OK;
}

pm_status xapian_record(xapian_index *x, const char *id, size_t len, buf *out, bool *found,
                        pm_error *err)
{
    record_search r = {id, len, out, false};
    pm_status st = xapian_with(x, find_record, &r, err);
    *found = r.found;
    return st;
}
