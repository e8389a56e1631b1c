/* SPDX-License-Identifier: MIT
 *
 * xapian_document.c - an article as a Xapian document (xap_index.h): the tokens, keys and columns
 * that the inverter and the segment writer would make of it.
 */
#include "indexer/xapian_writer.h"

typedef struct doc_maker {
    xapian_writer *x;
    const xap_api *api;
    analyzer *a;
    const char *where;
    bool positions;
    uint32_t n_title, n_body; /* tokens so far                                                */
    xap_error e;
} doc_maker;

static pm_status put_position(doc_maker *m, uint8_t class, const char *key, size_t len,
                              uint32_t position, bool counted)
{
    xap_term term;
    return m->api->doc_position(m->x->doc, xap_term_make(&term, class, key, len), position, counted,
                                &m->e);
}

static pm_status put_plain(doc_maker *m, const form *f, uint32_t position)
{
    xap_term term;
    if (m->positions) return put_position(m, 0, f->stem, f->stem_len, position, true);
    return m->api->doc_term(m->x->doc, xap_term_make(&term, 0, f->stem, f->stem_len), 1, &m->e);
}

/* The plain term, and the keys that are not counted into the length. */
static pm_status put_token(doc_maker *m, const token *t, uint32_t position, bool title)
{
    const form *f = t->form;
    pm_status st = put_plain(m, f, position);
    if (st == PM_OK && t->marked)
        st = put_position(m, KEY_MARKER, f->marker, f->marker_len, position, false);
    if (st == PM_OK && title)
        st = put_position(m, KEY_TITLE, f->stem, f->stem_len, position, false);
    return st;
}

static pm_status put_title(doc_maker *m, const pm_article *article)
{
    token t;
    pm_status st = PM_OK;
    analyzer_begin(m->a, article->title.data, article->title.len, false);
    while (st == PM_OK && analyzer_next(m->a, &t))
        st = put_token(m, &t, XAP_TITLE_BASE + m->n_title++, true);
    return st;
}

/* Without the tokens inside the title's span; a position stands for them (inverter.h). */
static pm_status put_body(doc_maker *m, const pm_article *article)
{
    token t;
    pm_status st = PM_OK;
    bool cut = false;
    size_t from = article->title_in_body ? article->title_start : 0;
    size_t to = article->title_in_body ? article->title_end : 0;
    analyzer_begin(m->a, article->text.data, article->text.len, false);
    while (st == PM_OK && analyzer_next(m->a, &t)) {
        if (t.start >= from && t.end <= to) {
            cut = m->n_body != 0;
            continue;
        }
        st = put_token(m, &t, XAP_BODY_BASE + m->n_body + cut, false);
        m->n_body++;
    }
    return st;
}

static pm_status put_fields(doc_maker *m, const pm_article *article, pm_error *err)
{
    xap_term term;
    inverter_fields *f = &m->x->fields;
    inverter_fields_reset(f);
    if (!inverter_fields_add(f, article, 0, UINT64_MAX)) return error_nomem(err);
    for (size_t i = 0; i < f->n_values; i++) {
        const uint8_t *key = f->bytes.data + f->values[i].off;
        pm_text name = xap_term_make(&term, 0, key, f->values[i].len);
        if (m->api->doc_term(m->x->doc, name, 0, &m->e) != PM_OK)
            return xap_failed(&m->e, m->where, err);
    }
    return PM_OK;
}

static pm_status put_values(doc_maker *m, pm_text id, uint64_t seq, int64_t seconds)
{
    char value[XAP_HEAD_BYTES + SEGMENT_ID_MAX];
    xap_head head = {seq, m->n_title + m->n_body, id};
    size_t len = xap_put_head(value, &head);
    pm_status st = m->api->doc_value(m->x->doc, XAP_SLOT_HEAD, (pm_text){value, len}, &m->e);
    xap_put_date(value, seconds);
    if (st == PM_OK && seconds != INT64_MIN)
        st = m->api->doc_value(m->x->doc, XAP_SLOT_DATE, (pm_text){value, 8}, &m->e);
    return st;
}

static pm_status put_record(doc_maker *m, const pm_article *article, const buf *record)
{
    xap_term term;
    pm_text id = xap_term_make(&term, XAP_KEY_ID, article->id.data, article->id.len);
    pm_status st = m->api->doc_term(m->x->doc, id, 0, &m->e);
    if (st != PM_OK) return st;
    return m->api->doc_record(m->x->doc, (pm_text){(const char *)record->data, record->len}, &m->e);
}

pm_status xapian_document(pm_writer *w, const pm_article *article, pm_error *err)
{
    doc_maker m = {w->xapian, w->xapian->api, w->a, w->folder.path, w->meta.has_positions, 0, 0,
                   {0}};
    if (article->title.len > UINT32_MAX || article->text.len > UINT32_MAX)
        return error_set(err, PM_USAGE, "an article's text is longer than 4 GiB");
    pm_status st = m.api->doc_clear(w->xapian->doc, &m.e);
    if (st == PM_OK) st = put_title(&m, article);
    if (st == PM_OK) st = put_body(&m, article);
    if (st == PM_OK && analyzer_failed(w->a)) return error_nomem(err);
    if (st == PM_OK) st = put_values(&m, article->id, w->meta.next_seq, w->repair.seconds);
    if (st == PM_OK) st = put_record(&m, article, &w->record);
    if (st != PM_OK) return xap_failed(&m.e, m.where, err);
    return put_fields(&m, article, err);
}
