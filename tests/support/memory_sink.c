/* SPDX-License-Identifier: MIT
 * memory_sink.c - see memory_sink.h.  Uses the C heap, so that refusing an allocation of the
 * library never refuses one of the test.
 */
#include "tests/support/memory_sink.h"

#include <stdlib.h>

static void copy_text(pm_text *text)
{
    char *copy = malloc(text->len + 1);
    if (!copy) abort();
    if (text->len) memcpy(copy, text->data, text->len);
    copy[text->len] = 0;
    text->data = copy;
}

static void free_text(pm_text *text)
{
    free((void *)(uintptr_t)text->data);
}

static void each_text(pm_article *a, void (*fn)(pm_text *))
{
    fn(&a->id);
    fn(&a->title);
    fn(&a->text);
    fn(&a->date);
    fn(&a->url);
    fn(&a->source);
    fn(&a->author);
    fn(&a->tags);
    fn(&a->lang);
    fn(&a->extra);
}

static sink_article *find(const memory_sink *m, const char *id, size_t len)
{
    for (size_t i = m->n; i-- > 0;) {
        pm_text have = m->items[i].article.id;
        if (have.len == len && memcmp(have.data, id, len) == 0)
            return m->items[i].deleted ? NULL : &m->items[i];
    }
    return NULL;
}

/* The place in the list is the ingest number. */
static uint64_t seq_of(const memory_sink *m, const sink_article *item)
{
    return item ? (uint64_t)(item - m->items) : SEQ_NONE;
}

static pm_status sink_add(void *ctx, const pm_article *article, uint64_t *replaced, pm_error *err)
{
    memory_sink *m = ctx;
    if (m->fail_add != PM_OK) return error_set(err, m->fail_add, "the sink failed");
    *replaced = seq_of(m, find(m, article->id.data, article->id.len));
    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 16;
        m->items = realloc(m->items, m->cap * sizeof *m->items);
        if (!m->items) abort();
    }
    m->items[m->n] = (sink_article){.article = *article};
    each_text(&m->items[m->n++].article, copy_text);
    return PM_OK;
}

static pm_status sink_remove(void *ctx, const char *id, size_t len, bool *found, pm_error *err)
{
    (void)err;
    sink_article *item = find(ctx, id, len);
    *found = item != NULL;
    if (item) item->deleted = true;
    return PM_OK;
}

/* The newest committed version. */
static const sink_article *find_committed(const memory_sink *m, const char *id, size_t len)
{
    for (size_t i = m->n; i-- > 0;) {
        pm_text have = m->items[i].article.id;
        if (m->items[i].committed && have.len == len && memcmp(have.data, id, len) == 0)
            return &m->items[i];
    }
    return NULL;
}

static pm_status sink_known(void *ctx, const char *id, size_t len, uint64_t hash, ingest_known *out,
                            pm_error *err)
{
    (void)err;
    (void)hash;
    const sink_article *item = find(ctx, id, len);
    *out = (ingest_known){.seq = seq_of(ctx, item), .found = item && item->committed};
    if (!out->found) return PM_OK;
    out->size = item->article.file_size;
    out->mtime_ns = item->article.file_mtime_ns;
    out->hash = item->article.file_hash;
    out->folder = item->article.file_folder;
    out->lines = item->article.file_lines;
    return PM_OK;
}

static pm_status sink_each_id(void *ctx, ingest_id_fn *fn, void *fn_ctx, pm_error *err)
{
    (void)err;
    const memory_sink *m = ctx;
    for (size_t i = 0; i < m->n; i++) {
        pm_text id = m->items[i].article.id;
        if (find_committed(m, id.data, id.len) != &m->items[i] || m->items[i].deleted) continue;
        if (!fn(fn_ctx, id.data, id.len, i)) break;
    }
    return PM_OK;
}

static pm_status sink_commit(void *ctx, pm_error *err)
{
    (void)err;
    memory_sink_commit(ctx);
    return PM_OK;
}

static bool sink_usable(void *ctx)
{
    const memory_sink *m = ctx;
    return m->usable;
}

ingest_sink memory_sink_of(memory_sink *m)
{
    return (ingest_sink){.ctx = m,
                         .add = sink_add,
                         .usable = sink_usable,
                         .remove = sink_remove,
                         .known = sink_known,
                         .each_id = sink_each_id,
                         .commit = sink_commit,
                         .article_max = m->article_max,
                         .first_seq = m->n};
}

const pm_article *memory_sink_find(const memory_sink *m, const char *id, size_t len)
{
    const sink_article *item = find(m, id, len);
    return item ? &item->article : NULL;
}

const pm_article *memory_sink_get(const memory_sink *m, const char *id)
{
    return memory_sink_find(m, id, strlen(id));
}

size_t memory_sink_count(const memory_sink *m)
{
    size_t live = 0;
    for (size_t i = 0; i < m->n; i++) {
        pm_text id = m->items[i].article.id;
        live += find(m, id.data, id.len) == &m->items[i];
    }
    return live;
}

void memory_sink_commit(memory_sink *m)
{
    for (size_t i = 0; i < m->n; i++) m->items[i].committed = true;
    m->commits++;
}

void memory_sink_free(memory_sink *m)
{
    for (size_t i = 0; i < m->n; i++) each_text(&m->items[i].article, free_text);
    free(m->items);
    *m = (memory_sink){0};
}
