/* SPDX-License-Identifier: MIT
 *
 * source.c - see source.h.  The file is read from its start: text begins behind a byte-order
 * mark and front matter at most.
 */
#include "searcher/source.h"

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/layout.h"
#include "common/text/analyzer.h"

/* Bytes that are read of a file: front matter and text are no longer. */
enum { SOURCE_MOST = 2 * STORE_RECORD_MAX };

/* False: it is not there, or of another size. */
static bool look_at(const char *path, const store_source *source, file_info *info)
{
    pm_error ignored;
    return file_stat(path, info, &ignored) == PM_OK && info->is_regular &&
           info->size == source->file_size;
}

/* The first `want` bytes of a file; fewer when it ends before, or cannot be read. */
static pm_status read_start(const char *path, size_t want, buf *out, pm_error *err)
{
    pm_error problem = {.status = PM_OK};
    infile f = INFILE_INIT;
    size_t got = 1;
    if (!buf_reserve(out, want + 1)) return error_nomem(err);
    pm_status st = infile_open(&f, path, &problem);
    while (st == PM_OK && got && out->len < want) {
        st = infile_read(&f, out->data + out->len, want - out->len, &got, &problem);
        if (st == PM_OK) out->len += got;
    }
    infile_close(&f);
    return st == PM_NOMEM ? error_nomem(err) : PM_OK;
}

/* Valid UTF-8 of the span, in *text. */
static pm_status keep_span(const buf *raw, const store_source *source, buf *text, pm_error *err)
{
    utf8_repair(text, (const char *)raw->data + source->start, (size_t)source->len);
    return text->failed ? error_nomem(err) : PM_OK;
}

static pm_status read_text(const char *path, const store_source *source, buf *text, bool *found,
                           pm_error *err)
{
    pm_status st = PM_OK;
    buf raw = {0};
    file_info before, after;
    uint64_t end = source->start + source->len;
    if (source->len > STORE_RECORD_MAX || source->start > STORE_RECORD_MAX) goto out;
    if (end > source->file_size || !look_at(path, source, &before)) goto out;
    bool same_time = before.changed_ns == source->file_mtime_ns;
    uint64_t want = same_time ? end : source->file_size; /* all, for its hash                   */
    if (want > SOURCE_MOST) goto out;
    PM_TRY(read_start(path, (size_t)want, &raw, err));
    *found =
        raw.len == want && look_at(path, source, &after) && after.changed_ns == before.changed_ns;
    if (!same_time) *found &= hash_content(raw.data, raw.len) == source->file_hash >> 32;
    if (*found) PM_TRY(keep_span(&raw, source, text, err));
out:
    buf_free(&raw);
    return st;
}

static void take_text(pm_article *article, const store_source *source, const buf *text)
{
    if (text->len) article->text = (pm_text){(const char *)text->data, text->len};
    article->title_in_body = source->title_in_body && source->title_end <= text->len;
    if (!article->title_in_body) return;
    article->title_start = (size_t)source->title_start;
    article->title_end = (size_t)source->title_end;
}

pm_status source_text(slice record, pm_article *article, buf *text, pm_error *err)
{
    pm_status st = PM_OK;
    store_source source;
    char *path = NULL;
    bool found = false;
    if (text->failed) buf_free(text);
    buf_reset(text);
    store_decode_source(record, &source);
    if (!source.path.len) goto out;
    path = mem_alloc(source.path.len + 1);
    if (!path) PM_TRY(error_nomem(err));
    memcpy(path, source.path.data, source.path.len);
    path[source.path.len] = 0;
    PM_TRY(read_text(path, &source, text, &found, err));
    if (found) take_text(article, &source, text);
out:
    article->text_missing = !found;
    mem_free(path);
    return st;
}
