/* SPDX-License-Identifier: MIT
 *
 * xapian_update.c - add and delete articles of a Xapian index, and look at what is there.
 */
#include "common/xapian/xap_find.h"
#include "indexer/xapian_writer.h"

enum {
    FORMS_SHARE = 8, /* a part of the limit, for the analyzer's forms                        */
};

static uint32_t shard_of(const pm_writer *w, const char *id, size_t len)
{
    return xap_shard_of(id, len, w->xapian->n_shards);
}

/* Xapian flushes by documents; this flushes by what they weigh. */
static pm_status keep_memory(pm_writer *w, pm_error *err)
{
    xapian_writer *x = w->xapian;
    xap_error e;
    uint64_t pending = 0;
    for (uint32_t i = 0; i < x->n_shards; i++) pending += x->api->writer_pending(x->shards[i]);
    if (pending < w->options.memory_bytes / 4 * 3) return PM_OK;
    for (uint32_t i = 0; i < x->n_shards; i++)
        if (x->api->writer_flush(x->shards[i], &e) != PM_OK)
            return xap_failed(&e, w->folder.path, err);
    return PM_OK;
}

pm_status xapian_kill(pm_writer *w, const char *id, size_t len, uint64_t *seq, pm_error *err)
{
    const xap_api *api = w->xapian->api;
    xap_writer *shard = w->xapian->shards[shard_of(w, id, len)];
    xap_found found;
    xap_error e;
    *seq = SEQ_NONE;
    pm_status st =
        xap_find_id(api, api->writer_db(shard), id, len, w->folder.path, &found, &e, err);
    if (st != PM_OK || !found.docid) return st;
    if (api->writer_delete(shard, found.docid, &e) != PM_OK)
        return xap_failed(&e, w->folder.path, err);
    *seq = found.seq;
    w->xapian->changed = true;
    return keep_memory(w, err);
}

/* A form that is there already costs a look, and no write. */
static pm_status keep_form(pm_writer *w, xap_writer *shard, const form *f, pm_error *err)
{
    const xap_api *api = w->xapian->api;
    xap_term term;
    pm_text key = xap_term_make(&term, XAP_FORM, f->folded, f->folded_len), there;
    xap_error e;
    pm_status st = api->db_metadata(api->writer_db(shard), key, &there, &e);
    if (st == PM_OK && !there.len) st = api->writer_metadata(shard, key, (pm_text){"1", 1}, &e);
    return st == PM_OK ? PM_OK : xap_failed(&e, w->folder.path, err);
}

/* Those that the analyzer met since it was asked last. */
static pm_status keep_forms(pm_writer *w, pm_error *err)
{
    pm_status st = PM_OK;
    xapian_writer *x = w->xapian;
    uint32_t n = analyzer_form_count(w->a);
    for (; x->forms_seen < n; x->forms_seen++)
        for (uint32_t i = 0; i < x->n_shards; i++)
            PM_TRY(keep_form(w, x->shards[i], analyzer_form_at(w->a, x->forms_seen), err));
    if (analyzer_memory(w->a) > w->options.memory_bytes / FORMS_SHARE) {
        analyzer_reset_forms(w->a);
        x->forms_seen = 0;
    }
out:
    return st;
}

pm_status xapian_add(pm_writer *w, const pm_article *article, uint64_t *replaced, pm_error *err)
{
    pm_status st = PM_OK;
    xapian_writer *x = w->xapian;
    uint32_t docid, shard = shard_of(w, article->id.data, article->id.len);
    xap_error e;
    PM_TRY(xapian_document(w, article, err));
    PM_TRY(keep_forms(w, err));
    PM_TRY(xapian_kill(w, article->id.data, article->id.len, replaced, err));
    x->changed = true;
    if (x->api->writer_add(x->shards[shard], x->doc, &docid, &e) != PM_OK)
        return xap_failed(&e, w->folder.path, err);
    w->meta.next_seq++;
    PM_TRY(keep_memory(w, err));
out:
    return st;
}

/* The article of an id in one view of the index. */
static pm_status read_from(pm_writer *w, xap_db *db, const char *id, size_t len,
                           stored_article *out, pm_error *err)
{
    const xap_api *api = w->xapian->api;
    xap_found found;
    pm_text record;
    xap_error e;
    *out = (stored_article){.seq = SEQ_NONE};
    pm_status st = xap_find_id(api, db, id, len, w->folder.path, &found, &e, err);
    if (st != PM_OK || !found.docid) return st;
    if (api->db_record(db, found.docid, &record, &e) != PM_OK)
        return xap_failed(&e, w->folder.path, err);
    out->seq = found.seq;
    st = store_decode(xap_slice(record), &out->article, err);
    out->found = st == PM_OK;
    return st;
}

pm_status xapian_find_live(pm_writer *w, const char *id, size_t len, stored_article *out,
                           pm_error *err)
{
    const xapian_writer *x = w->xapian;
    return read_from(w, x->api->writer_db(x->shards[shard_of(w, id, len)]), id, len, out, err);
}

pm_status xapian_find_committed(pm_writer *w, const char *id, size_t len, bool *found,
                                pm_article *out, pm_error *err)
{
    stored_article stored;
    xap_db *db;
    *found = false;
    if (!w->exists) return PM_OK;
    pm_status st = xapian_committed(w, shard_of(w, id, len), &db, err);
    if (st != PM_OK) return st;
    st = read_from(w, db, id, len, &stored, err);
    *found = stored.found;
    *out = stored.article;
    return st;
}

/* ---- all ids ----------------------------------------------------------------------------- */

typedef struct id_walk {
    const pm_writer *w;
    xap_db *db;
    bool (*fn)(void *ctx, const char *id, size_t len, uint64_t seq);
    void *ctx;
    bool stopped;
    pm_status status;
    pm_error *err;
} id_walk;

static bool hand_over(void *ctx, uint32_t docid, uint32_t wdf)
{
    id_walk *walk = ctx;
    const char *where = walk->w->folder.path;
    xap_head head;
    pm_text value;
    xap_error e;
    (void)wdf;
    if (walk->w->xapian->api->db_value(walk->db, docid, XAP_SLOT_HEAD, &value, &e) != PM_OK)
        walk->status = xap_failed(&e, where, walk->err);
    else if (!xap_get_head(value, &head))
        walk->status =
            error_corrupt(walk->err, where, docid, "values", "a document without its head");
    if (walk->status != PM_OK) return false;
    walk->stopped = !walk->fn(walk->ctx, head.id.data, head.id.len, head.seq);
    return !walk->stopped;
}

pm_status xapian_each_id(pm_writer *w,
                         bool (*fn)(void *ctx, const char *id, size_t len, uint64_t seq), void *ctx,
                         pm_error *err)
{
    const xapian_writer *x = w->xapian;
    xap_error e;
    id_walk walk = {w, NULL, fn, ctx, false, PM_OK, err};
    for (uint32_t i = 0; w->exists && i < x->n_shards && !walk.stopped; i++) {
        pm_status st = xapian_committed(w, i, &walk.db, err);
        if (st != PM_OK) return st;
        if (x->api->db_each_posting(walk.db, (pm_text){"", 0}, hand_over, &walk, &e) != PM_OK)
            return xap_failed(&e, w->folder.path, err);
        if (walk.status != PM_OK) return walk.status;
    }
    return PM_OK;
}
