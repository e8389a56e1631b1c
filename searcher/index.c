/* SPDX-License-Identifier: MIT
 *
 * index.c - opening an index for reading, and single articles by their ids.
 */
#include "searcher/index.h"

#include "common/base/mem.h"
#include "searcher/source.h"

static pm_status known_engine(const manifest *meta, const char *path, pm_error *err)
{
    if (!strcmp(meta->engine, "native")) return PM_OK;
    return error_set(err, PM_USAGE, "%s: made by engine \"%s\", which this program does not have",
                     path, meta->engine);
}

pm_status pm_index_open(const char *path, pm_index **out, pm_error *err)
{
    pm_status st = PM_OK;
    *out = NULL;
    pm_index *index = mem_zalloc(sizeof *index);
    if (!index) return error_nomem(err);
    split_cache_init(&index->splits);
    PM_TRY(snapshot_open(&index->snap, path, err));
    PM_TRY(known_engine(&index->snap->meta, path, err));
    *out = index;
out:
    if (st != PM_OK) pm_index_close(index);
    return st;
}

void pm_index_close(pm_index *index)
{
    if (!index) return;
    if (index->snap) snapshot_close(index->snap);
    split_cache_free(&index->splits);
    mem_free(index);
}

/* ---- articles --------------------------------------------------------------------------- */

static pm_text *const *article_texts(pm_article *a, pm_text *out[10])
{
    pm_text *const texts[10] = {&a->id,     &a->title,  &a->text, &a->date, &a->url,
                                &a->source, &a->author, &a->tags, &a->lang, &a->extra};
    memcpy(out, texts, sizeof texts);
    return out;
}

/* One allocation: the struct, then each text with a NUL behind it. */
static pm_article *copy_article(const pm_article *from)
{
    pm_article source = *from;
    pm_text *texts[10];
    size_t bytes = sizeof source;
    article_texts(&source, texts);
    for (size_t i = 0; i < 10; i++) bytes += texts[i]->len + 1;
    pm_article *copy = mem_alloc(bytes);
    if (!copy) return NULL;
    char *at = (char *)(copy + 1);
    for (size_t i = 0; i < 10; i++) {
        if (texts[i]->len) memcpy(at, texts[i]->data, texts[i]->len);
        at[texts[i]->len] = 0;
        texts[i]->data = at;
        at += texts[i]->len + 1;
    }
    *copy = source;
    return copy;
}

pm_status pm_index_article(pm_index *index, const char *id, size_t id_len, pm_article **out,
                           pm_error *err)
{
    pm_status st = PM_OK;
    store_cache cache = {0};
    buf text = {0};
    uint32_t segment_index, doc;
    slice record;
    pm_article article;
    *out = NULL;
    if (!snapshot_find_id(index->snap, id, id_len, &segment_index, &doc))
        return snapshot_status(index->snap, err);
    PM_TRY(store_get(&cache, index->snap->segments[segment_index].seg, doc, &record, err));
    PM_TRY(store_decode(record, &article, err));
    if (!index->snap->meta.has_text) PM_TRY(source_text(record, &article, &text, err));
    *out = copy_article(&article);
    if (!*out) st = error_nomem(err);
out:
    store_cache_free(&cache);
    buf_free(&text);
    return st;
}

void pm_article_free(pm_article *article)
{
    mem_free(article);
}
