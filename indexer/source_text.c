/* SPDX-License-Identifier: MIT
 * source_text.c - a text or Markdown file, with or without front matter, to one document.
 *
 * The stored text is the file behind its front matter, byte for byte but for its encoding.
 * The title is that of the front matter, else found in the text (title.h); then it is a span
 * of the text and is not indexed a second time.
 */
#include "indexer/fields.h"
#include "indexer/front_matter.h"
#include "indexer/ingest.h"
#include "indexer/title.h"

/* data behind its mark, which ends at *start, as UTF-8. */
static pm_status decode(ingest *run, const buf *data, size_t *start, pm_text *out, pm_error *err)
{
    document *d = &run->doc;
    encoding marked;
    const char *text = (const char *)data->data;
    size_t mark = encoding_mark(text, data->len, &marked);
    decoder dec = {.from = run->has_encoding ? run->encoding : marked};
    if (mark && marked == dec.from) text += mark;
    *start = (size_t)(text - (const char *)data->data);
    size_t len = data->len - (size_t)(text - (const char *)data->data);
    if (!run->has_encoding && !mark) dec.from = encoding_guess(text, len, ENCODING_ODDS);
    d->converted = dec.from != ENCODING_UTF8;
    decoder_feed(&dec, &d->text, text, len, true);
    d->repaired = dec.repaired;
    *out = text_of_buf(&d->text);
    return d->text.failed ? error_nomem(err) : PM_OK;
}

/* Fields of the front matter, if there is any; the text becomes what stands behind it. */
static pm_status take_front_matter(document *d, pm_text *text, size_t *body, json_t **object,
                                   pm_error *err)
{
    pm_status st = PM_OK;
    front_matter_span span;
    *body = 0;
    if (!front_matter_find(text->data, text->len, &span)) goto out;
    PM_TRY(front_matter_parse(text->data + span.start, span.end - span.start, object, err));
    if (!json_object_size(*object) && span.end > span.start) goto out; /* prose between rules */
    PM_TRY(fields_take(d, *object, NULL, FIELDS_FRONT_MATTER, err));
    if (d->article.title.len) d->title_rule = "front-matter";
    if (d->article.date.len) d->date_rule = "front-matter";
    document_add_span(d, 0, span.body, "front matter");
    *body = span.body;
    *text = (pm_text){text->data + span.body, text->len - span.body};
out:
    return st;
}

/* Title and date that the text says; `body` is where it starts in the file. */
static pm_status take_title(document *d, size_t body, bool markdown, pm_error *err)
{
    pm_article *a = &d->article;
    title t;
    if (a->title.len && a->date.len) return PM_OK;
    title_find(a->text.data, a->text.len, markdown, &t);
    for (size_t i = 0; i < t.n_spans; i++)
        document_add_span(d, body + t.spans[i].start, body + t.spans[i].end, t.spans[i].why);
    if (!a->date.len && t.date[0]) {
        const char *date = arena_strndup(&d->mem, t.date, strlen(t.date));
        if (!date) return error_nomem(err);
        a->date = text_of(date);
        d->date_rule = "first-line";
    }
    if (a->title.len || t.start == t.end) return PM_OK;
    title_copy(&d->title, a->text.data, &t);
    if (d->title.failed) return error_nomem(err);
    a->title = text_of_buf(&d->title);
    a->title_in_body = true;
    a->title_start = t.start;
    a->title_end = t.end;
    d->title_rule = t.rule;
    return PM_OK;
}

/* Copy the texts that borrow from the front matter, which is freed before the document. */
static pm_status keep_texts(document *d, pm_error *err)
{
    pm_article *a = &d->article;
    pm_text *const texts[] = {&a->title,  &a->date, &a->url, &a->source,
                              &a->author, &a->tags, &a->lang};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!texts[i]->len) continue;
        texts[i]->data = arena_strndup(&d->mem, texts[i]->data, texts[i]->len);
        if (!texts[i]->data) return error_nomem(err);
    }
    return PM_OK;
}

/* Say where in the file the text stands: behind `start` and the front matter, which must not
 * have been changed by repairing, else nobody knows how long it is there. */
static void find_span(document *d, const buf *data, size_t start, size_t body)
{
    d->verbatim = !d->converted && start + body <= data->len &&
                  (!body || memcmp(data->data + start, d->text.data, body) == 0);
    if (!d->verbatim) return;
    d->article.file_text_start = start + body;
    d->article.file_text_len = data->len - start - body;
}

pm_status source_text_read(ingest *run, const buf *data, bool markdown, pm_error *err)
{
    pm_status st = PM_OK;
    document *d = &run->doc;
    json_t *front = NULL;
    pm_text text;
    size_t body, start;
    document_reset(d);
    PM_TRY(decode(run, data, &start, &text, err));
    PM_TRY(take_front_matter(d, &text, &body, &front, err));
    PM_TRY(keep_texts(d, err));
    d->article.text = text;
    find_span(d, data, start, body);
    PM_TRY(take_title(d, body, markdown || body, err));
out:
    json_decref(front);
    return st;
}
