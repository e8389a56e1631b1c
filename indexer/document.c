/* SPDX-License-Identifier: MIT
 * document.c - see document.h.
 */
#include "indexer/document.h"

/* Memory kept from one document to the next; an unusual one gives its memory back. */
enum { DOCUMENT_KEEP_BYTES = 1 << 20 };

static void keep_or_free(buf *b, size_t keep)
{
    if (b->cap > keep || b->failed) buf_free(b);
    b->len = 0;
}

void document_shrink(document *d, size_t keep)
{
    if (d->mem.total > keep)
        arena_free(&d->mem);
    else
        arena_reset(&d->mem);
    keep_or_free(&d->title, keep);
    keep_or_free(&d->text, keep);
    keep_or_free(&d->extra, keep);
    d->article = (pm_article){0};
    d->title_rule = d->date_rule = "none";
    d->n_spans = 0;
    d->repaired = 0;
    d->converted = d->verbatim = false;
}

void document_reset(document *d)
{
    document_shrink(d, DOCUMENT_KEEP_BYTES);
}

void document_free(document *d)
{
    arena_free(&d->mem);
    buf_free(&d->title);
    buf_free(&d->text);
    buf_free(&d->extra);
    *d = (document){0};
}

pm_status document_keep(document *d, pm_error *err)
{
    pm_article *a = &d->article;
    pm_text *const texts[] = {&a->id,     &a->title,  &a->text, &a->date, &a->url,
                              &a->source, &a->author, &a->tags, &a->lang};
    size_t room = 1;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) room += texts[i]->len;
    if (!buf_reserve(&d->text, room)) return error_nomem(err);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *copy = (const char *)d->text.data + d->text.len;
        buf_append(&d->text, texts[i]->data, texts[i]->len);
        texts[i]->data = copy;
    }
    return PM_OK;
}

void document_add_span(document *d, size_t start, size_t end, const char *why)
{
    if (d->n_spans == DOCUMENT_SPANS_MAX || start >= end) return;
    d->spans[d->n_spans++] = (struct pm_span){start, end, why};
}
