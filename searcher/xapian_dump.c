/* SPDX-License-Identifier: MIT
 *
 * xapian_dump.c - a Xapian index as text, in the words of dump.c, so that it can be compared with
 * a native one by diff: but for the engine's name and the surface forms, which it has no counts
 * of, the two are the same for the same articles.
 */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/segment/layout.h"
#include "searcher/dump.h"
#include "searcher/xapian.h"

typedef struct dump_doc {
    uint64_t seq;
    uint32_t docid, n_title; /* tokens of the title, counted as its terms are written         */
    pm_text id;              /* of the arena                                                 */
} dump_doc;

typedef struct dump_posting {
    uint64_t seq;
    dump_doc *doc;
    uint32_t wdf;
} dump_posting;

typedef struct dump_run {
    xapian_handle *h;
    dump_sink sink;
    arena ids;
    dump_doc *docs; /* in order of document numbers                                          */
    dump_posting *postings;
    uint32_t *positions;
    size_t n_docs, docs_cap, n_postings, postings_cap, n_positions, positions_cap;
    pm_status status;
    pm_error *err;
} dump_run;

static bool fail(dump_run *r, pm_status st)
{
    r->status = st;
    return st == PM_OK;
}

/* ---- documents --------------------------------------------------------------------------- */

static bool take_doc(void *ctx, uint32_t docid, uint32_t wdf)
{
    dump_run *r = ctx;
    const xap_api *api = r->h->of->api;
    pm_text text;
    xap_head head;
    (void)wdf;
    if (!mem_grow(&r->docs, &r->docs_cap, r->n_docs + 1, sizeof *r->docs))
        return fail(r, error_nomem(r->err));
    dump_doc *d = &r->docs[r->n_docs++];
    *d = (dump_doc){.docid = docid};
    if (api->db_value(r->h->db, docid, XAP_SLOT_HEAD, &text, &r->h->last) != PM_OK)
        return fail(r, xapian_failed(r->h, r->err));
    xap_get_head(text, &head);
    d->seq = head.seq;
    d->id = (pm_text){arena_strndup(&r->ids, head.id.data, head.id.len), head.id.len};
    return d->id.data || fail(r, error_nomem(r->err));
}

static int by_docid(const void *a, const void *b)
{
    const dump_doc *x = a, *y = b;
    return (x->docid > y->docid) - (x->docid < y->docid);
}

static int by_seq(const void *a, const void *b)
{
    const dump_doc *x = a, *y = b;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static pm_status write_doc(dump_run *r, const dump_doc *d)
{
    const xap_api *api = r->h->of->api;
    pm_status st;
    pm_text text;
    pm_article article;
    if (api->db_value(r->h->db, d->docid, XAP_SLOT_DATE, &text, &r->h->last) != PM_OK)
        return xapian_failed(r->h, r->err);
    int64_t date = xap_get_date(text);
    uint32_t dl;
    if (api->db_length(r->h->db, d->docid, &dl, &r->h->last) != PM_OK ||
        api->db_record(r->h->db, d->docid, &text, &r->h->last) != PM_OK)
        return xapian_failed(r->h, r->err);
    PM_TRY(store_decode(xap_slice(text), &article, r->err));
    dump_article(&r->sink, d->id, dl, date, &article);
    PM_TRY(dump_flush(&r->sink, false, r->err));
out:
    return st;
}

static pm_status write_docs(dump_run *r)
{
    pm_status st = PM_OK;
    if (r->n_docs) qsort(r->docs, r->n_docs, sizeof *r->docs, by_seq);
    for (size_t i = 0; i < r->n_docs; i++) PM_TRY(write_doc(r, &r->docs[i]));
out:
    return st;
}

/* ---- postings ---------------------------------------------------------------------------- */

static bool take_posting(void *ctx, uint32_t docid, uint32_t wdf)
{
    dump_run *r = ctx;
    dump_doc wanted = {.docid = docid};
    dump_doc *doc =
        r->n_docs ? bsearch(&wanted, r->docs, r->n_docs, sizeof wanted, by_docid) : NULL;
    if (!doc)
        return fail(r, error_corrupt(r->err, r->h->of->view.folder.path, 0, "postings",
                                     "a document that is not there"));
    if (!mem_grow(&r->postings, &r->postings_cap, r->n_postings + 1, sizeof *r->postings))
        return fail(r, error_nomem(r->err));
    r->postings[r->n_postings++] = (dump_posting){doc->seq, doc, wdf};
    return true;
}

static bool take_position(void *ctx, uint32_t position)
{
    dump_run *r = ctx;
    if (!mem_grow(&r->positions, &r->positions_cap, r->n_positions + 1, sizeof *r->positions))
        return fail(r, error_nomem(r->err));
    r->positions[r->n_positions++] = position;
    return true;
}

static int by_ingest(const void *a, const void *b)
{
    const dump_posting *x = a, *y = b;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

/* The title comes first, with a gap behind it. */
static uint32_t shown(uint32_t position, const dump_doc *doc)
{
    if (position >= XAP_TITLE_BASE) return position - XAP_TITLE_BASE;
    return position - XAP_BODY_BASE + (doc->n_title ? doc->n_title + FIELD_GAP : 0);
}

static void write_positions(dump_run *r, const dump_doc *doc)
{
    size_t title = r->n_positions;
    while (title && r->positions[title - 1] >= XAP_TITLE_BASE) title--;
    for (size_t i = 0; i < r->n_positions; i++) {
        size_t at = (title + i) % r->n_positions;
        dump_format(&r->sink, "%c%u", i ? ',' : ':', shown(r->positions[at], doc));
    }
}

static pm_status read_positions(dump_run *r, pm_text term, const dump_doc *doc)
{
    r->n_positions = 0;
    if (r->h->of->api->db_each_position(r->h->db, term, doc->docid, take_position, r,
                                        &r->h->last) != PM_OK)
        return xapian_failed(r->h, r->err);
    return r->status;
}

static uint32_t tf_of(const dump_run *r, const dump_posting *p)
{
    if (p->wdf) return p->wdf;
    return r->n_positions ? (uint32_t)r->n_positions : 1;
}

/* Occurrences in all of them: by positions where the term is not counted. */
static pm_status count_occurrences(dump_run *r, pm_text term, uint64_t *cf)
{
    pm_status st = PM_OK;
    *cf = 0;
    for (size_t i = 0; i < r->n_postings; i++) {
        PM_TRY(read_positions(r, term, r->postings[i].doc));
        *cf += tf_of(r, &r->postings[i]);
    }
out:
    return st;
}

static pm_status write_postings(dump_run *r, pm_text term)
{
    pm_status st = PM_OK;
    uint8_t class = (uint8_t)term.data[0];
    bool positions = r->h->view.meta.has_positions && !key_is_flat(class);
    for (size_t i = 0; i < r->n_postings; i++) {
        const dump_posting *p = &r->postings[i];
        PM_TRY(read_positions(r, term, p->doc));
        buf_u8(&r->sink.text, ' ');
        dump_escaped(&r->sink, p->doc->id.data, p->doc->id.len);
        dump_format(&r->sink, ":%u", tf_of(r, p));
        if (positions) write_positions(r, p->doc);
        if (class == KEY_TITLE) p->doc->n_title += tf_of(r, p);
        buf_u8(&r->sink.text, '\n');
        PM_TRY(dump_flush(&r->sink, false, r->err));
    }
out:
    return st;
}

static pm_status write_term(dump_run *r, pm_text term, uint64_t df)
{
    pm_status st;
    uint64_t cf;
    r->n_postings = 0;
    if (r->h->of->api->db_each_posting(r->h->db, term, take_posting, r, &r->h->last) != PM_OK)
        return xapian_failed(r->h, r->err);
    if (r->status != PM_OK) return r->status;
    qsort(r->postings, r->n_postings, sizeof *r->postings, by_ingest);
    PM_TRY(count_occurrences(r, term, &cf));
    buf_append_str(&r->sink.text, "term ");
    dump_key(&r->sink, (const uint8_t *)term.data, term.len);
    dump_format(&r->sink, " %llu %llu\n", (unsigned long long)df, (unsigned long long)cf);
    PM_TRY(write_postings(r, term));
out:
    return st;
}

static bool take_term(void *ctx, pm_text term, uint64_t df)
{
    dump_run *r = ctx;
    if (!term.len || term.data[0] == XAP_KEY_ID) return true;
    return fail(r, write_term(r, term, df));
}

/* ---- the whole --------------------------------------------------------------------------- */

static pm_status dump_all(dump_run *r)
{
    const xap_api *api = r->h->of->api;
    pm_status st = PM_OK;
    dump_settings(&r->sink, &r->h->view);
    if (api->db_each_posting(r->h->db, (pm_text){"", 0}, take_doc, r, &r->h->last) != PM_OK)
        return xapian_failed(r->h, r->err);
    PM_TRY(r->status);
    if (api->db_each_term(r->h->db, take_term, r, &r->h->last) != PM_OK)
        return xapian_failed(r->h, r->err);
    PM_TRY(r->status);
    PM_TRY(write_docs(r));
    PM_TRY(dump_flush(&r->sink, true, r->err));
out:
    return st;
}

/* A dump that was begun cannot be begun again: no second try when the index changes. */
pm_status xapian_dump(xapian_index *x, bool (*write)(void *ctx, const char *data, size_t len),
                      void *ctx, pm_error *err)
{
    dump_run r = {.sink = {.write = write, .ctx = ctx}, .err = err};
    pm_status st = xapian_take(x, &r.h, err);
    if (st != PM_OK) return st;
    st = dump_all(&r);
    if (st == PM_OK) st = xapian_whole(r.h, err);
    xapian_drop(r.h);
    mem_free(r.docs);
    mem_free(r.postings);
    mem_free(r.positions);
    arena_free(&r.ids);
    buf_free(&r.sink.text);
    return st;
}
