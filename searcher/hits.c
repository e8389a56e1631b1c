/* SPDX-License-Identifier: MIT
 *
 * hits.c - ranked hits to what a caller sees: ids, fields, snippets, explanations.
 *
 * Hits are filled in order of (segment, document): neighbours share an inflated store block,
 * and cursors for explanations only move forward.
 */
#include "common/base/sort.h"
#include "searcher/search.h"

enum { FORMS_BYTES_MAX = 16 << 20 };

typedef struct fill {
    const hit *from;
    pm_hit *to;
} fill;

static int by_place(const void *a, const void *b)
{
    const hit *x = ((const fill *)a)->from, *y = ((const fill *)b)->from;
    if (x->segment != y->segment) return x->segment < y->segment ? -1 : 1;
    return (x->doc > y->doc) - (x->doc < y->doc);
}

/* A copy in the arena, repaired should the stored bytes not be UTF-8. */
static pm_status copy_text(arena *a, pm_text from, pm_text *to, pm_error *err)
{
    buf repaired = {0};
    pm_text valid = from;
    if (from.len && utf8_valid_prefix(from.data, from.len) != from.len) {
        utf8_repair(&repaired, from.data, from.len);
        valid = (pm_text){repaired.failed ? NULL : (const char *)repaired.data, repaired.len};
    }
    to->data = repaired.failed ? NULL : arena_strndup(a, valid.data, valid.len);
    to->len = valid.len;
    buf_free(&repaired);
    return to->data ? PM_OK : error_nomem(err);
}

static pm_status copy_id(pm_searcher *s, pm_text id, pm_hit *to, pm_error *err)
{
    to->id = (pm_text){arena_strndup(&s->a, id.data, id.len), id.len};
    return to->id.data ? PM_OK : error_nomem(err);
}

/* Ids of all hits: first where they are, so that the misses overlap. */
static pm_status fill_ids(pm_searcher *s, const fill *fills, size_t n, pm_error *err)
{
    uint8_t room[SEGMENT_ID_ROOM];
    for (size_t i = 0; i < n; i++) {
        const hit *h = fills[i].from;
        segment_id_ahead(s->index->snap->segments[h->segment].seg, h->doc);
    }
    for (size_t i = 0; i < n; i++) {
        const hit *h = fills[i].from;
        slice id = segment_id(s->index->snap->segments[h->segment].seg, h->doc, room);
        pm_status st = copy_id(s, (pm_text){(const char *)id.data, id.len}, fills[i].to, err);
        if (st != PM_OK) return st;
    }
    return PM_OK;
}

pm_status hits_fields(pm_searcher *s, slice record, pm_article *article, pm_hit *to, pm_error *err)
{
    pm_status st = PM_OK;
    PM_TRY(copy_text(&s->a, article->title, &to->title, err));
    PM_TRY(copy_text(&s->a, article->date, &to->date, err));
    PM_TRY(copy_text(&s->a, article->source, &to->source, err));
    PM_TRY(copy_text(&s->a, article->url, &to->url, err));
    if (!s->options.want_snippets) goto out;
    if (!s->index->snap->meta.has_text) PM_TRY(source_text(record, article, &s->source, err));
    s->result.n_without_text += article->text_missing;
    if (analyzer_memory(s->words) > FORMS_BYTES_MAX) {
        analyzer_reset_forms(s->words);
        snippet_forget_forms(&s->snippets);
    }
    PM_TRY(snippet_make(&s->snippets, s->words, &s->a, article, to, err));
out:
    return st;
}

static pm_status fill_fields(pm_searcher *s, segment *seg, const fill *f, pm_error *err)
{
    pm_status st;
    slice record;
    pm_article article;
    PM_TRY(store_get(&s->records, seg, f->from->doc, &record, err));
    PM_TRY(store_decode(record, &article, err));
    PM_TRY(hits_fields(s, record, &article, f->to, err));
out:
    return st;
}

void hits_begin(pm_hit *to, uint64_t rank)
{
    to->rank = rank;
    to->id.data = to->title.data = to->date.data = to->source.data = to->url.data = "";
    to->snippet.data = "";
}

static void begin_hit(pm_hit *to, const hit *h, uint64_t rank)
{
    hits_begin(to, rank);
    to->number = (uint64_t)h->segment << 32 | h->doc;
    to->score = h->score;
    to->in_all = h->in_all;
    to->dl = h->dl;
}

/* The parts of a hit's score, and its fields.  *open: the segment that `set` is open in. */
static pm_status fill_one(pm_searcher *s, match_set *set, uint32_t *open, const fill *f,
                          pm_error *err)
{
    pm_status st = PM_OK;
    const hit *h = f->from;
    if (s->options.want_explain) {
        if (*open != h->segment) match_set_open(set, h->segment);
        *open = h->segment;
        PM_TRY(explain_hit(set, h->doc, &s->a, f->to, err));
    }
    if (s->options.want_fields)
        PM_TRY(fill_fields(s, s->index->snap->segments[h->segment].seg, f, err));
out:
    return st;
}

static pm_status fill_all(pm_searcher *s, fill *fills, size_t n, pm_error *err)
{
    pm_status st = PM_OK;
    match_set set = {0};
    uint32_t open = UINT32_MAX;
    s->scratch.no_memory = false;
    if (s->options.want_explain && n) PM_TRY(match_set_init(&set, &s->p, &s->scratch, err));
    if (s->options.want_ids) PM_TRY(fill_ids(s, fills, n, err));
    if (!s->options.want_explain && !s->options.want_fields) goto out;
    sort_items(fills, n, sizeof *fills, by_place);
    if (s->options.want_snippets && n)
        PM_TRY(snippet_begin(&s->snippets, &s->p, s->options.snippet_bytes, err));
    for (size_t i = 0; i < n; i++) PM_TRY(fill_one(s, &set, &open, &fills[i], err));
    if (s->options.want_explain && s->scratch.no_memory) st = error_nomem(err);
out:
    return st;
}

pm_status hits_build(pm_searcher *s, pm_error *err)
{
    size_t skip = s->options.offset < s->best.n ? (size_t)s->options.offset : s->best.n;
    size_t n = s->best.n - skip;
    if (n > s->options.limit) n = (size_t)s->options.limit;
    if (n > SIZE_MAX / sizeof(pm_hit)) return error_nomem(err);
    pm_hit *hits = arena_zalloc(&s->a, n * sizeof *hits);
    fill *fills = arena_alloc(&s->a, n * sizeof *fills);
    if (!hits || !fills) return error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        const hit *h = &s->best.hits[skip + i];
        begin_hit(&hits[i], h, skip + i + 1);
        fills[i] = (fill){h, &hits[i]};
    }
    s->result.hits = hits;
    s->result.n_hits = n;
    return fill_all(s, fills, n, err);
}
