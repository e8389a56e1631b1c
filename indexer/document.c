/* SPDX-License-Identifier: MIT
 * document.c - see document.h.
 */
#include "indexer/document.h"

/* Memory kept from one document to the next; an unusual one gives its memory back. */
enum { DOCUMENT_KEEP_BYTES = 1 << 20 };

static void keep_or_free(buf *b)
{
    if (b->cap > DOCUMENT_KEEP_BYTES || b->failed) buf_free(b);
    b->len = 0;
}

void document_reset(document *d)
{
    if (d->mem.total > DOCUMENT_KEEP_BYTES)
        arena_free(&d->mem);
    else
        arena_reset(&d->mem);
    keep_or_free(&d->title);
    keep_or_free(&d->text);
    keep_or_free(&d->extra);
    d->article = (pm_article){0};
    d->title_rule = d->date_rule = "none";
    d->n_spans = 0;
    d->repaired = 0;
    d->converted = false;
}

void document_free(document *d)
{
    arena_free(&d->mem);
    buf_free(&d->title);
    buf_free(&d->text);
    buf_free(&d->extra);
    *d = (document){0};
}

void document_add_span(document *d, size_t start, size_t end, const char *why)
{
    if (d->n_spans == DOCUMENT_SPANS_MAX || start >= end) return;
    d->spans[d->n_spans++] = (struct pm_span){start, end, why};
}
