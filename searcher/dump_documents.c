/* SPDX-License-Identifier: MIT
 *
 * dump_documents.c - the dump's documents in order of ingest: columns and stored articles.
 */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/segment/store.h"
#include "searcher/dump.h"

typedef struct dump_place {
    uint64_t seq;
    uint32_t segment, doc;
} dump_place;

static int by_seq(const void *a, const void *b)
{
    const dump_place *x = a, *y = b;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static pm_status gather(snapshot *snap, dump_place **out, size_t *n, pm_error *err)
{
    size_t cap = 0;
    for (uint32_t s = 0; s < snap->meta.n_segments; s++) {
        const snapshot_segment *part = &snap->segments[s];
        for (uint32_t doc = 0; doc < part->seg->info.n_docs; doc++) {
            if (!snapshot_live(part, doc)) continue;
            if (!mem_grow(out, &cap, *n + 1, sizeof **out)) return error_nomem(err);
            (*out)[(*n)++] = (dump_place){segment_seq(part->seg, doc), s, doc};
        }
    }
    if (*n) qsort(*out, *n, sizeof **out, by_seq);
    return PM_OK;
}

static void write_text(dump_sink *s, const char *name, pm_text text)
{
    if (!text.len) return;
    dump_format(s, " %s \"", name);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '\n')
            buf_append_str(&s->text, "\\n");
        else if (c < 0x20 || c == 0x7f || c == '"' || c == '\\')
            dump_format(s, "\\x%02x", c);
        else
            buf_u8(&s->text, c);
    }
    buf_append_str(&s->text, "\"\n");
}

static void write_fields(dump_sink *s, const pm_article *a)
{
    write_text(s, "title", a->title);
    write_text(s, "date", a->date);
    write_text(s, "url", a->url);
    write_text(s, "source", a->source);
    write_text(s, "author", a->author);
    write_text(s, "tags", a->tags);
    write_text(s, "lang", a->lang);
    write_text(s, "extra", a->extra);
    if (a->title_in_body) dump_format(s, " title-span %zu %zu\n", a->title_start, a->title_end);
    write_text(s, "text", a->text);
}

void dump_article(dump_sink *s, pm_text id, uint64_t dl, int64_t date, const pm_article *article)
{
    buf_append_str(&s->text, "document ");
    dump_escaped(s, id.data, id.len);
    dump_format(s, " %llu ", (unsigned long long)dl);
    if (date == INT64_MIN)
        buf_append_str(&s->text, "undated\n");
    else
        dump_format(s, "%lld\n", (long long)date);
    write_fields(s, article);
}

pm_status dump_documents(dump_sink *s, snapshot *snap, pm_error *err)
{
    pm_status st = PM_OK;
    dump_place *places = NULL;
    size_t n = 0;
    store_cache cache = {0};
    PM_TRY(gather(snap, &places, &n, err));
    for (size_t i = 0; i < n; i++) {
        segment *seg = snap->segments[places[i].segment].seg;
        uint8_t room[SEGMENT_ID_ROOM];
        slice id = segment_id(seg, places[i].doc, room), record;
        pm_article article;
        PM_TRY(store_get(&cache, seg, places[i].doc, &record, err));
        PM_TRY(store_decode(record, &article, err));
        dump_article(s, (pm_text){(const char *)id.data, id.len}, segment_dl(seg, places[i].doc),
                     segment_date(seg, places[i].doc), &article);
        PM_TRY(dump_flush(s, false, err));
    }
out:
    store_cache_free(&cache);
    mem_free(places);
    return st;
}
