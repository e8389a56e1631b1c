/* SPDX-License-Identifier: MIT
 *
 * xapian_check.c - is a Xapian index sound?  Xapian's own check of each database, which reads all
 * of its tables that are there; and what pressmark relies on beyond, of the first document or, if
 * deep, of each: it has a record that decodes, an id that finds it, its length as a value, a place
 * in the order of ingest, and terms and positions that make up its length.
 *
 * A writer beside may overwrite what the commit before its last one had, which is no damage: a
 * database in which something was found is checked again when it has moved on meanwhile.  So
 * findings are kept until the database is done with.
 */
#include <errno.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "searcher/xapian.h"

enum {
    FINDINGS_MOST = 100
}; /* in documents of one database: where a table is lost, all have one */

typedef struct xapian_checker {
    xapian_index *x;
    xapian_handle *h;
    const xapian_place *place;
    void (*finding)(void *ctx, const char *file, const char *part, uint64_t offset,
                    const char *what);
    void *ctx;
    buf found;         /* of the database at hand: part, where, NUL-terminated words           */
    uint64_t revision; /* the newest commit before it is checked                               */
    pm_check_summary sum;
    uint64_t last_seq;
    bool has_last, deep;
    uint64_t most; /* findings, where documents are looked at no longer                        */
    pm_status status;
    pm_error *err;
} xapian_checker;

static void keep(xapian_checker *c, const char *part, uint64_t at, const char *what)
{
    buf_u64(&c->found, at);
    buf_append(&c->found, part, strlen(part) + 1);
    buf_append(&c->found, what, strlen(what) + 1);
}

static void tell(xapian_checker *c, const char *part, uint64_t at, const char *what)
{
    c->sum.findings++;
    keep(c, part, at, what);
}

static void take_line(void *ctx, const char *text)
{
    if (*text) keep(ctx, "xapian", 0, text);
}

/* To the caller, what was kept. */
static pm_status give_findings(xapian_checker *c)
{
    if (c->found.failed) return error_nomem(c->err);
    for (size_t at = 0; at < c->found.len && c->finding;) {
        const char *part = (const char *)c->found.data + at + 8, *what = part + strlen(part) + 1;
        c->finding(c->ctx, c->place->name, part, load_u64(c->found.data + at), what);
        at = (size_t)(what + strlen(what) + 1 - (const char *)c->found.data);
    }
    buf_reset(&c->found);
    return PM_OK;
}

/* Xapian's check; what it throws is a finding where it speaks of damage. */
static pm_status check_tables(xapian_checker *c)
{
    uint64_t findings;
    xap_error e;
    pm_status st = c->x->api->check(c->place->name, take_line, c, &findings, &e);
    c->sum.findings += findings;
    if (st == PM_CORRUPT || (e.absent && c->x->is_folder)) {
        tell(c, "xapian", 0, e.message);
        return PM_OK;
    }
    return st == PM_OK ? st : xap_failed(&e, c->place->name, c->err);
}

static pm_status count_file(void *ctx, const char *name, pm_error *err)
{
    xapian_checker *c = ctx;
    char path[4096];
    file_info info;
    int n = snprintf(path, sizeof path, "%s/%s", c->place->name, name);
    if (n < 0 || (size_t)n >= sizeof path) return PM_OK;
    if (file_stat(path, &info, err) != PM_OK || !info.is_regular) return PM_OK;
    c->sum.files++;
    c->sum.bytes += info.size;
    return PM_OK;
}

/* ---- documents --------------------------------------------------------------------------- */

static pm_status check_id(xapian_checker *c, uint32_t docid, pm_text id)
{
    xap_found found;
    pm_status st = xap_find_id(c->x->api, c->h->db, id.data, id.len, c->place->name, &found,
                               &c->h->last, c->err);
    if (st == PM_OK && found.docid != docid)
        tell(c, "ids", docid, "the document is not found by its id");
    return st;
}

static pm_status check_head(xapian_checker *c, uint32_t docid, pm_text id, uint32_t dl)
{
    const xap_api *api = c->x->api;
    pm_text text;
    xap_head head;
    if (api->db_value(c->h->db, docid, XAP_SLOT_HEAD, &text, &c->h->last) != PM_OK)
        return xapian_failed(c->h, c->err);
    if (!xap_get_head(text, &head)) tell(c, "values", docid, "a document without its head");
    if (c->has_last && head.seq <= c->last_seq)
        tell(c, "values", docid, "the order of ingest is not that of the documents");
    if (head.dl != dl)
        tell(c, "values", docid, "a document's length is not its number of occurrences");
    if (head.id.len != id.len || memcmp(head.id.data, id.data, id.len) != 0)
        tell(c, "values", docid, "a document has two ids");
    c->last_seq = head.seq;
    c->has_last = true;
    return PM_OK;
}

typedef struct occurrences {
    uint64_t counted, positions;
} occurrences;

static bool add_up(void *ctx, pm_text term, uint32_t wdf, uint32_t n_positions)
{
    occurrences *sum = ctx;
    if (!term.len || !key_is_plain((uint8_t)term.data[0])) return true;
    sum->counted += wdf;
    sum->positions += n_positions;
    return true;
}

static pm_status check_terms(xapian_checker *c, uint32_t docid, uint32_t dl)
{
    occurrences sum = {0};
    pm_status st = c->x->api->db_each_term_of(c->h->db, docid, add_up, &sum, &c->h->last);
    if (st != PM_OK && st != PM_CORRUPT) return xapian_failed(c->h, c->err);
    if (st == PM_CORRUPT)
        tell(c, "termlist", docid, c->h->last.message);
    else if (sum.counted != dl)
        tell(c, "termlist", docid, "a document's terms do not make up its length");
    else if (c->x->view.meta.has_positions && sum.positions != dl)
        tell(c, "position", docid, "a document's positions do not make up its length");
    return PM_OK;
}

/* The texts of the article are of the shim's last answer: they are kept while others are asked for.
 */
static pm_status check_record(xapian_checker *c, uint32_t docid, const pm_article *article)
{
    pm_status st = PM_OK;
    uint32_t dl;
    char *id = mem_strndup(article->id.data, article->id.len);
    if (!id) return error_nomem(c->err);
    PM_TRY(check_id(c, docid, (pm_text){id, article->id.len}));
    if (c->x->api->db_length(c->h->db, docid, &dl, &c->h->last) != PM_OK)
        PM_TRY(xapian_failed(c->h, c->err));
    PM_TRY(check_head(c, docid, (pm_text){id, article->id.len}, dl));
    PM_TRY(check_terms(c, docid, dl));
out:
    mem_free(id);
    return st;
}

static pm_status check_document(xapian_checker *c, uint32_t docid)
{
    pm_status st;
    pm_text record;
    pm_article article;
    if (c->x->api->db_record(c->h->db, docid, &record, &c->h->last) != PM_OK)
        return xapian_failed(c->h, c->err);
    if (store_decode(xap_slice(record), &article, NULL) != PM_OK) {
        tell(c, "docdata", docid, "a stored record does not decode");
        return PM_OK;
    }
    PM_TRY(check_record(c, docid, &article));
    c->sum.documents += c->deep;
out:
    return st;
}

static bool visit(void *ctx, uint32_t docid, uint32_t wdf)
{
    xapian_checker *c = ctx;
    (void)wdf;
    c->status = check_document(c, docid);
    return c->status == PM_OK && c->deep && c->sum.findings < c->most;
}

static bool count_term(void *ctx, pm_text term, uint64_t df)
{
    xapian_checker *c = ctx;
    if (!term.len || !key_is_plain((uint8_t)term.data[0])) return true;
    c->sum.terms++;
    c->sum.postings += df;
    return true;
}

/* Xapian takes a table that is lost for one that was never needed. */
static pm_status check_positions(xapian_checker *c)
{
    bool there;
    xap_stats stats;
    if (c->x->api->db_stats(c->h->db, &stats, &c->h->last) != PM_OK ||
        c->x->api->db_has_positions(c->h->db, &there, &c->h->last) != PM_OK)
        return xapian_failed(c->h, c->err);
    if (c->x->view.meta.has_positions && stats.n_tokens && !there)
        tell(c, "position", 0, "the positions are missing");
    return PM_OK;
}

static pm_status check_opened(xapian_checker *c)
{
    const xap_api *api = c->x->api;
    uint64_t before = c->sum.findings;
    c->most = before + FINDINGS_MOST;
    pm_status st = check_positions(c);
    if (st != PM_OK || c->sum.findings != before) return st;
    if (api->db_each_posting(c->h->db, (pm_text){"", 0}, visit, c, &c->h->last) != PM_OK)
        return xapian_failed(c->h, c->err);
    if (c->status != PM_OK || !c->deep) return c->status;
    if (api->db_each_term(c->h->db, count_term, c, &c->h->last) != PM_OK)
        return xapian_failed(c->h, c->err);
    return PM_OK;
}

/* One database by itself. */
static pm_status check_content(xapian_checker *c)
{
    pm_status st;
    const xap_api *api = c->x->api;
    xapian_handle h = {.of = c->x};
    c->h = &h;
    c->has_last = false;
    if (api->db_new(&h.db, &h.last) != PM_OK ||
        api->db_add_local(h.db, c->place->name, &h.last) != PM_OK)
        st = xapian_failed(&h, c->err);
    else
        st = check_opened(c);
    if (h.db) api->db_free(h.db);
    return st;
}

/* ---- the whole --------------------------------------------------------------------------- */

static pm_status check_once(xapian_checker *c)
{
    pm_status st;
    uint64_t before = c->sum.findings;
    PM_TRY(file_each(c->place->name, count_file, c, c->err));
    PM_TRY(check_tables(c));
    if (c->sum.findings == before) PM_TRY(check_content(c));
out:
    return st;
}

/* Another database in its place, or another commit of it, than the one that was checked? */
static pm_status has_moved(xapian_checker *c, uint64_t folder, bool *yes)
{
    file_info info;
    xap_error e;
    uint64_t now;
    if (c->x->api->revision(c->place->name, &now, &e) != PM_OK)
        return xap_failed(&e, c->place->name, c->err);
    *yes = now != c->revision ||
           (file_stat(c->place->name, &info, NULL) == PM_OK && info.number != folder);
    return PM_OK;
}

static pm_status begin(xapian_checker *c, file_info *info)
{
    xap_error e;
    buf_reset(&c->found);
    if (c->x->api->revision(c->place->name, &c->revision, &e) != PM_OK)
        return xap_failed(&e, c->place->name, c->err);
    c->status = file_stat(c->place->name, info, c->err);
    return PM_OK;
}

static pm_status check_local(xapian_checker *c)
{
    const pm_check_summary before = c->sum;
    for (unsigned tries = 0; tries < XAPIAN_TRIES; tries++) {
        file_info info = {0};
        bool moved = false;
        c->sum = before;
        pm_status st = begin(c, &info);
        if (st != PM_OK) return st;
        if (c->status == PM_OK) c->status = check_once(c);
        if (c->status == PM_IO && c->x->is_folder && c->err->os_errno == ENOENT) {
            tell(c, "xapian", 0, "the database is missing");
            c->status = PM_OK;
        }
        if (c->status == PM_NOMEM || (c->status == PM_OK && c->sum.findings == before.findings))
            return c->status;
        st = has_moved(c, info.number, &moved);
        if (st != PM_OK) return st;
        if (!moved) {
            st = give_findings(c);
            return st == PM_OK ? c->status : st;
        }
    }
    c->sum = before;
    return error_set(c->err, PM_IO,
                     "%s: commits come faster than it can be checked; check it while nothing "
                     "writes, or a copy",
                     c->place->name);
}

static pm_status check_place(xapian_checker *c)
{
    if (!c->place->host) return check_local(c);
    return error_set(c->err, PM_USAGE, "%s: check the database where it is, not over the network",
                     c->place->name);
}

static pm_status read_count(xapian_checker *c)
{
    xapian_handle *h;
    pm_status st = xapian_take(c->x, &h, c->err);
    if (st != PM_OK) return st;
    c->sum.documents = h->view.n_docs;
    xapian_give(h);
    return PM_OK;
}

static pm_status check_all(xapian_checker *c)
{
    pm_status st = PM_OK;
    for (size_t i = 0; i < c->x->n_places; i++) {
        c->place = &c->x->places[i];
        PM_TRY(check_place(c));
    }
    if (!c->deep && !c->sum.findings) PM_TRY(read_count(c));
out:
    return st;
}

/* Where the index does not even open, that is the finding. */
static pm_status refused(xapian_checker *c, pm_status st, const pm_error *err)
{
    xapian_place whole = {.name = c->x && c->x->view.folder.path ? c->x->view.folder.path : NULL};
    if (st != PM_CORRUPT || !whole.name || c->sum.findings) return st;
    error_parts parts;
    error_corrupt_parts(err, &parts);
    c->place = &whole;
    tell(c, parts.section, err->offset, parts.what);
    pm_status given = give_findings(c);
    return given == PM_OK ? st : given;
}

pm_status xapian_check(const char *path, bool deep,
                       void (*finding)(void *ctx, const char *file, const char *part,
                                       uint64_t offset, const char *what),
                       void *ctx, pm_check_summary *summary, pm_error *err)
{
    pm_index index = {0};
    pm_index_options options = PM_INDEX_OPTIONS_INIT;
    pm_error own = {0};
    if (!err) err = &own;
    xapian_checker c = {.finding = finding, .ctx = ctx, .deep = deep, .err = err};
    pm_status opened = xapian_open(&index, path, &options, err), st = opened;
    c.x = index.xapian;
    /* Places are known by then where opening failed at a database. */
    if (st == PM_OK || (st == PM_CORRUPT && c.x && c.x->n_places)) st = check_all(&c);
    if (st == PM_OK && !c.sum.findings) st = opened;
    st = refused(&c, st, err);
    if (st == PM_OK && c.sum.findings) st = snapshot_damaged(path, c.sum.findings, err);
    buf_free(&c.found);
    xapian_close(index.xapian);
    if (summary) *summary = c.sum;
    return st;
}
