/* SPDX-License-Identifier: MIT
 * segment_model.c - see segment_model.h.
 */
#include "tests/support/segment_model.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/form_spelling.h"
#include "common/segment/store.h"

enum { FORMS_MAX = 6 };

static uint32_t below(uint64_t *random, uint32_t n)
{
    return (uint32_t)(random_next(random) % n);
}

static void *need(size_t n, size_t size)
{
    void *p = mem_array(n ? n : 1, size);
    if (!p) {
        fprintf(stderr, "segment_model: out of memory\n");
        abort();
    }
    return p;
}

const model_shape model_plain_shape = {.n_docs = 300,
                                       .n_terms = 40,
                                       .block_size = 16,
                                       .dense_shift = 3,
                                       .store_block_bytes = 500,
                                       .positions = true,
                                       .text = true,
                                       .dates = 1,
                                       .long_tf = 300};

void model_shape_random(model_shape *shape, uint64_t *random)
{
    static const uint32_t sizes[] = {8, 9, 16, 17, 40, 64, 128, 255, 256};
    *shape = (model_shape){
        .n_docs = 1 + below(random, below(random, 3) ? 3000 : 40),
        .n_terms = 1 + below(random, 120),
        .block_size = sizes[below(random, 9)],
        .dense_shift = below(random, 8),
        .store_block_bytes = 1 + below(random, 2000),
        .positions = below(random, 4) != 0,
        .text = below(random, 4) != 0,
        .dates = below(random, 4),
        .seqs = below(random, 3),
        .long_tf = below(random, 3) ? 3 : 700,
        .marks = below(random, 2) != 0,
    };
}

/* ---- keys ------------------------------------------------------------------------------------ */

static int compare_keys(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    size_t n = a_len < b_len ? a_len : b_len;
    int order = memcmp(a, b, n);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int by_key(const void *a, const void *b)
{
    const model_term *x = a, *y = b;
    return compare_keys(x->key, x->key_len, y->key, y->key_len);
}

static int by_form_key(const void *a, const void *b)
{
    const model_form *x = a, *y = b;
    return compare_keys(x->key, x->key_len, y->key, y->key_len);
}

/* Distinct by the number at the end; a third share their first 8 bytes. */
static void make_key(model_term *t, uint32_t i, uint64_t *random)
{
    static const char *const heads[] = {"a",         "abstract", "abstractabstract",
                                        "z\xc3\xa9", "",         "\xff\xff"};
    static const char *const classes[] = {"", "", "", "", "", "", "\x01", "\x05"};
    /* One after the other: arguments are evaluated in an order that is the compiler's choice. */
    const char *head = heads[below(random, 6)], *class = classes[below(random, 8)];
    int n = snprintf((char *)t->key, sizeof t->key, "%s%s%u", class, head, i);
    t->key_len = (size_t)n;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static uint32_t make_docs(model_term *t, uint32_t n_docs, uint64_t *random)
{
    uint32_t *docs = need(n_docs, sizeof *docs), n = 0;
    uint32_t step = 1 + below(random, 1 + below(random, 3) * n_docs / 2),
             clump = 1 + below(random, 40);
    for (uint64_t doc = below(random, n_docs); doc < n_docs; n++) {
        docs[n] = (uint32_t)doc;
        doc += below(random, clump) ? 1 + below(random, 3) : 1 + below(random, step);
    }
    t->docs = docs;
    return n;
}

static void make_tfs(model_term *t, const model_shape *shape, uint64_t *random)
{
    t->tfs = need(t->df, sizeof *t->tfs);
    for (uint32_t i = 0; i < t->df; i++) {
        t->tfs[i] = below(random, 3) ? 1 : 1 + below(random, 4);
        if (below(random, 300) == 0) t->tfs[i] = 1 + below(random, shape->long_tf);
        t->tfs[i] += shape->least_tf;
        t->cf += t->tfs[i];
    }
}

/* A row below dl + 2, with large gaps and small ones. */
static void make_row(uint32_t dl, uint32_t *out, uint32_t n, uint64_t *random)
{
    uint32_t next = 0, left = dl + 2 - n; /* to be passed over                           */
    for (uint32_t k = 0; k < n; k++) {
        uint32_t gap = below(random, below(random, 3) ? left / n + 2 : left + 1);
        if (gap > left) gap = left;
        left -= gap;
        out[k] = next + gap;
        next += gap + 1;
    }
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* n of the document's places that no word has yet. */
static void deal_row(model_doc *doc, uint32_t *out, uint32_t n, uint64_t *random)
{
    if (!doc->places) {
        doc->n_places = doc->dl + 2;
        doc->places = need(doc->n_places, sizeof *doc->places);
        for (uint32_t i = 0; i < doc->n_places; i++) doc->places[i] = i;
    }
    for (uint32_t k = 0; k < n; k++) {
        uint32_t at = below(random, doc->n_places);
        out[k] = doc->places[at];
        doc->places[at] = doc->places[--doc->n_places];
    }
    qsort(out, n, sizeof *out, by_number);
}

/* Words stand at places of their own; a list that is of no word stands anywhere, and has no more
 * occurrences than there is room for. */
static void make_positions(const segment_model *m, model_term *t, uint64_t *random)
{
    t->cf = 0;
    for (uint32_t i = 0; i < t->df; i++) {
        uint32_t room = m->docs[t->docs[i]].dl + 2;
        if (t->tfs[i] > room) t->tfs[i] = room;
        t->cf += t->tfs[i];
    }
    t->positions = need(t->cf, sizeof *t->positions);
    uint64_t at = 0;
    for (uint32_t i = 0; i < t->df; i++) {
        model_doc *doc = &m->docs[t->docs[i]];
        if (t->key[0] >= 0x20)
            deal_row(doc, t->positions + at, t->tfs[i], random);
        else
            make_row(doc->dl, t->positions + at, t->tfs[i], random);
        at += t->tfs[i];
    }
}

/* Raw forms by chance, renumbered from the most frequent on; unused ones vanish. */
static void make_forms(model_term *t, uint64_t *random)
{
    uint64_t counts[FORMS_MAX] = {0};
    uint32_t rank[FORMS_MAX], most = 1 + below(random, FORMS_MAX);
    t->forms = need(t->cf, sizeof *t->forms);
    for (uint64_t i = 0; i < t->cf; i++) {
        uint32_t a = below(random, most), b = below(random, most);
        t->forms[i] = a < b ? a : b;
        counts[t->forms[i]]++;
    }
    for (uint32_t f = 0; f < most; f++) {
        rank[f] = 0;
        for (uint32_t g = 0; g < most; g++)
            rank[f] += counts[g] > counts[f] || (counts[g] == counts[f] && g < f);
        t->n_forms += counts[f] > 0;
    }
    for (uint64_t i = 0; i < t->cf; i++) t->forms[i] = rank[t->forms[i]];
}

static void make_term(segment_model *m, model_term *t, const model_shape *shape, uint64_t *random)
{
    bool plain = t->key[0] >= 0x20;
    t->df = make_docs(t, m->n_docs, random);
    make_tfs(t, shape, random);
    t->has_positions = shape->positions && t->key[0] != KEY_MARKER;
    if (!plain) return;
    make_forms(t, random);
    for (uint32_t i = 0; i < t->df; i++) m->docs[t->docs[i]].dl += t->tfs[i];
}

/* ---- the form dictionary ----------------------------------------------------------------- */

static void count_form(const model_term *t, model_form *form)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < t->df; i++) {
        bool here = false;
        for (uint32_t k = 0; k < t->tfs[i]; k++, at++) {
            if (t->forms[at] != form->index) continue;
            form->cf++;
            here = true;
        }
        form->df += here;
    }
}

/* Every way to write a form; half of the terms with one form are written as their keys are. */
static void spell_form(model_term *t, model_form *form)
{
    uint32_t f = form->index, how = f + t->df;
    bool only = t->n_forms == 1 && t->df % 2 && !memchr(t->key, 0, t->key_len);
    size_t n = t->key_len;
    memcpy(form->key, t->key, n);
    if (!only) n += (size_t)sprintf((char *)form->key + n, "form%u", f / 2);
    slice folded = {form->key, n};
    form->key[n] = 0;
    form->key_len = n + 1;
    static const uint32_t masks[] = {0, 1, FORM_MASK_ALL, 9u << 1};
    uint32_t mask = masks[how % 4];
    if (f % 2)
        form->key[form->key_len++] = 'X';
    else if (form_put_exact(form->key + n + 1, folded, mask) && mask)
        form->key_len += n;
    if (only)
        t->style =
            form_style_only(folded, folded, (slice){form->key + n + 1, form->key_len - n - 1});
}

static void list_forms(segment_model *m)
{
    uint32_t n = 0;
    for (uint32_t t = 0; t < m->n_terms; t++) m->n_forms += m->terms[t].n_forms;
    m->forms = need(m->n_forms, sizeof *m->forms);
    for (uint32_t t = 0; t < m->n_terms; t++)
        for (uint32_t f = 0; f < m->terms[t].n_forms; f++) {
            model_form *form = &m->forms[n++];
            form->term = t;
            form->index = f;
            spell_form(&m->terms[t], form);
            count_form(&m->terms[t], form);
        }
    qsort(m->forms, m->n_forms, sizeof *m->forms, by_form_key);
}

/* ---- documents --------------------------------------------------------------------------- */

static void make_doc(model_doc *doc, uint32_t i, const model_shape *shape, uint64_t *random)
{
    doc->id_len = (size_t)snprintf(doc->id, sizeof doc->id, "id-%u", below(random, 20) ? i : i / 2);
    snprintf(doc->text, sizeof doc->text, "text of %u and %u", i, below(random, 1000));
    doc->seq = shape->seqs == 0   ? 1000 + i
               : shape->seqs == 1 ? (uint64_t)below(random, 1u << 12) << 18 | i
                                  : random_next(random) >> 4;
    int64_t day = (int64_t)below(random, 40000) - 10000;
    doc->date = INT64_MIN;
    doc->hash = i % 5 ? hash_bytes(doc->text, strlen(doc->text)) : 0;
    if (shape->dates == 3)
        doc->date = (int64_t)i * 86400;
    else if (shape->dates && below(random, 5))
        doc->date = day * 86400 + (shape->dates == 2 ? below(random, 86400) : 0);
}

void model_make(segment_model *m, const model_shape *shape, uint64_t seed)
{
    uint64_t random = seed;
    *m = (segment_model){.n_docs = shape->n_docs, .n_terms = shape->n_terms};
    m->config = (segment_writer_config){.segment_id = 1 + below(&random, 1000),
                                        .k1 = 1.2,
                                        .b = 0.75,
                                        .block_size = shape->block_size,
                                        .dense_shift = shape->dense_shift,
                                        .store_block_bytes = shape->store_block_bytes,
                                        .deflate_level = 1,
                                        .has_positions = shape->positions,
                                        .has_text = shape->text,
                                        .has_marks = shape->marks};
    for (unsigned i = 0; i < 16; i++) m->config.uuid[i] = (uint8_t)random_next(&random);
    m->docs = need(m->n_docs, sizeof *m->docs);
    m->terms = need(m->n_terms, sizeof *m->terms);
    for (uint32_t i = 0; i < m->n_docs; i++) make_doc(&m->docs[i], i, shape, &random);
    for (uint32_t i = 0; i < m->n_terms; i++) make_key(&m->terms[i], i, &random);
    qsort(m->terms, m->n_terms, sizeof *m->terms, by_key);
    for (uint32_t i = 0; i < m->n_terms; i++) make_term(m, &m->terms[i], shape, &random);
    for (uint32_t i = 0; i < m->n_terms; i++)
        if (m->terms[i].has_positions) make_positions(m, &m->terms[i], &random);
    list_forms(m);
}

void model_free(segment_model *m)
{
    for (uint32_t i = 0; i < m->n_terms; i++) {
        mem_free(m->terms[i].docs);
        mem_free(m->terms[i].tfs);
        mem_free(m->terms[i].positions);
        mem_free(m->terms[i].forms);
    }
    for (uint32_t i = 0; i < m->n_docs; i++) mem_free(m->docs[i].places);
    mem_free(m->terms);
    mem_free(m->docs);
    mem_free(m->forms);
    *m = (segment_model){0};
}

/* ---- writing ----------------------------------------------------------------------------- */

/* False when memory was refused to the record, which is the test's own. */
static bool write_docs(const segment_model *m, segment_writer *w)
{
    buf record = {0};
    const char *title = m->title ? m->title : "a title";
    for (uint32_t i = 0; i < m->n_docs && !record.failed; i++) {
        const model_doc *doc = &m->docs[i];
        pm_article article = {.id = {doc->id, doc->id_len},
                              .text = {doc->text, strlen(doc->text)},
                              .title = {title, strlen(title)},
                              .file_hash = doc->hash};
        buf_reset(&record);
        store_encode(&record, &article, m->config.has_text);
        segment_doc columns = {doc->id,   doc->id_len,        doc->dl,           doc->seq,
                               doc->date, buf_slice(&record), (uint8_t)doc->hash};
        segment_writer_doc(w, &columns);
    }
    bool complete = !record.failed;
    buf_free(&record);
    return complete;
}

static void write_terms(const segment_model *m, segment_writer *w)
{
    for (uint32_t i = 0; i < m->n_terms; i++) {
        const model_term *t = &m->terms[i];
        segment_term term = {t->key,
                             t->key_len,
                             t->df,
                             t->docs,
                             t->tfs,
                             t->positions,
                             t->n_forms > 1 ? t->forms : NULL,
                             t->n_forms,
                             t->style};
        segment_writer_term(w, &term);
    }
    for (uint32_t i = 0; i < m->n_forms; i++) {
        const model_form *f = &m->forms[i];
        segment_writer_form(w, f->key, f->key_len, f->term, f->index, f->df, f->cf);
    }
}

pm_status model_write(const segment_model *m, const dir *d, const char *name, manifest_segment *out,
                      pm_error *err)
{
    segment_writer *w;
    pm_status st = segment_writer_begin(&w, d, name, &m->config, err);
    if (st != PM_OK) return st;
    if (!write_docs(m, w)) {
        segment_writer_abandon(w);
        return error_nomem(err);
    }
    segment_writer_docs_done(w);
    write_terms(m, w);
    return segment_writer_finish(w, false, out, err);
}

void model_print_finding(void *ctx, const char *part, uint64_t off, const char *what)
{
    (void)ctx;
    fprintf(stderr, "finding: %s at %llu: %s\n", part, (unsigned long long)off, what);
}
