/* SPDX-License-Identifier: MIT
 *
 * index.c - opening an index for reading, and single articles by their ids.
 */
#include "searcher/index.h"

#include "common/base/mem.h"
#include "searcher/source.h"
#include "searcher/xapian.h"

static pm_status known_engine(const manifest *meta, const char *path, pm_error *err)
{
    if (!strcmp(meta->engine, "native")) return PM_OK;
    return error_set(err, PM_USAGE, "%s: made by engine \"%s\", which this program does not have",
                     path, meta->engine);
}

static pm_status open_native(pm_index *index, const char *path, pm_error *err)
{
    pm_status st = snapshot_open(&index->snap, path, err);
    return st == PM_OK ? known_engine(&index->snap->meta, path, err) : st;
}

static pm_status take_options(pm_index_options *out, const pm_index_options *in, pm_error *err)
{
    *out = (pm_index_options)PM_INDEX_OPTIONS_INIT;
    if (!in) return PM_OK;
    if (in->size < sizeof in->size)
        return error_set(err, PM_USAGE, "index options are not initialised");
    memcpy(out, in, in->size < sizeof *out ? in->size : sizeof *out);
    if (out->timeout_ms && out->connect_timeout_ms) return PM_OK;
    return error_set(err, PM_USAGE, "a timeout must be 1 ms or more");
}

pm_status pm_index_open(const char *path, pm_index **out, pm_error *err)
{
    return pm_index_open_with(path, NULL, out, err);
}

/* Another engine is looked for where there is no native index, which so opens as fast as ever. */
pm_status pm_index_open_with(const char *path, const pm_index_options *options, pm_index **out,
                             pm_error *err)
{
    pm_status st = PM_OK;
    pm_index_options o;
    *out = NULL;
    PM_TRY(take_options(&o, options, err));
    pm_index *index = mem_zalloc(sizeof *index);
    if (!index) return error_nomem(err);
    split_cache_init(&index->splits);
    st = open_native(index, path, err);
    if (st == PM_USAGE && !index->snap && xapian_named(path))
        st = xapian_open(index, path, &o, err);
    else if (st == PM_USAGE && !index->snap && xap_marker_lost(path))
        st = xap_marker_missing(path, err);
    if (st == PM_OK)
        *out = index;
    else
        pm_index_close(index);
out:
    return st;
}

void pm_index_close(pm_index *index)
{
    if (!index) return;
    if (index->xapian)
        xapian_close(index->xapian);
    else if (index->snap)
        snapshot_close(index->snap);
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

static pm_status article_of(const pm_index *index, slice record, pm_article **out, pm_error *err)
{
    pm_status st;
    buf text = {0};
    pm_article article;
    PM_TRY(store_decode(record, &article, err));
    if (!index->snap->meta.has_text) PM_TRY(source_text(record, &article, &text, err));
    *out = copy_article(&article);
    if (!*out) st = error_nomem(err);
out:
    buf_free(&text);
    return st;
}

static pm_status native_article(pm_index *index, const char *id, size_t id_len, pm_article **out,
                                pm_error *err)
{
    pm_status st;
    store_cache cache = {0};
    uint32_t segment_index, doc;
    slice record;
    if (!snapshot_find_id(index->snap, id, id_len, &segment_index, &doc))
        return snapshot_status(index->snap, err);
    PM_TRY(store_get(&cache, index->snap->segments[segment_index].seg, doc, &record, err));
    PM_TRY(article_of(index, record, out, err));
out:
    store_cache_free(&cache);
    return st;
}

static pm_status xapian_article(pm_index *index, const char *id, size_t id_len, pm_article **out,
                                pm_error *err)
{
    buf record = {0};
    bool found;
    pm_status st = xapian_record(index->xapian, id, id_len, &record, &found, err), made = PM_OK;
    if ((st == PM_OK || st == PM_PARTIAL) && found)
        made = article_of(index, buf_slice(&record), out, err);
    buf_free(&record);
    if (made != PM_OK) return made;
    return found && st == PM_PARTIAL ? PM_OK : st; /* nobody else can have it                 */
}

pm_status pm_index_article(pm_index *index, const char *id, size_t id_len, pm_article **out,
                           pm_error *err)
{
    *out = NULL;
    return index->xapian ? xapian_article(index, id, id_len, out, err)
                         : native_article(index, id, id_len, out, err);
}

void pm_article_free(pm_article *article)
{
    mem_free(article);
}
