/* SPDX-License-Identifier: MIT
 * writer_update.c - add and delete articles, and look at what is there; see writer.h.
 *
 * An id has at most one live document.  It is looked for in the batch, then in the segments,
 * newest first; where it is found it dies before its replacement is born.
 */
#include "common/base/mem.h"
#include "common/segment/ids.h"
#include "common/segment/layout.h"
#include "indexer/document.h"
#include "indexer/segment_writer_store.h"
#include "indexer/writer.h"
#include "indexer/xapian_writer.h"

enum {
    LARGE_SHARE = 1024, /* a part of the limit, of which a text is large                      */
    LARGE_MOST = 256 << 10,
    TEXT_COPIES = 3,       /* as read, decoded and encoded; a fourth where it was repaired       */
    LIVE_COPIES = 5,       /* with what it is deflated to                                        */
    TEXTS_FREE = 40 << 20, /* bytes of them that fit beside what is counted                      */
    ALONE_FREE = 24 << 20, /* and of words, where nothing else is in the batch                   */
    RECORD_KEEP = 1 << 20, /* a larger buffer is not kept for the next article                   */
    LOOKUP_SHARE = 8,      /* a part of the limit, for pages of segments                  */
    LOOKUP_BYTES = 128 << 10, /* that a look-up makes the process's, about                   */
};

bool writer_segment_kill(writer_segment *s, uint32_t doc)
{
    size_t words = bit_words(s->named.n_docs);
    if (!s->dirty) {
        uint64_t *bits = mem_array(words, sizeof *bits);
        if (!bits) return false;
        if (s->dead) memcpy(bits, s->dead, words * sizeof *bits);
        s->committed_dead = s->dead;
        s->dead = bits;
        s->dirty = true;
    }
    bit_set(s->dead, doc);
    s->n_dead++;
    return true;
}

/* Look-ups read here and there.  When all that they may read is more than a share of the limit,
 * the pages go back after so many look-ups as may have read that much. */
static void give_back(pm_writer *w, uint64_t lookups)
{
    uint64_t share = w->options.memory_bytes / LOOKUP_SHARE, may = 0;
    w->looked_up += lookups;
    if (w->looked_up < share / LOOKUP_BYTES) return;
    w->looked_up = 0;
    for (size_t i = 0; i < w->n_segments; i++) {
        const segment_info *info = &w->segments[i].seg->info;
        may += info->sections[SECTION_ID_OFFSETS].len + info->sections[SECTION_IDS].len +
               info->sections[SECTION_ID_TABLE].len + layout_marks(info) + 4 * LOOKUP_BYTES;
    }
    for (size_t i = 0; i < w->n_segments && may > share; i++)
        map_release(&w->segments[i].seg->file);
}

/* The first and the last id of a segment whose ids rise. */
struct id_ends {
    size_t first_len, last_len;
    uint8_t bytes[]; /* the first, the last                                                 */
};

static struct id_ends *learn_ends(segment *seg)
{
    uint8_t first_room[SEGMENT_ID_ROOM], last_room[SEGMENT_ID_ROOM];
    slice first = segment_id(seg, 0, first_room);
    slice last = segment_id(seg, seg->info.n_docs - 1, last_room);
    if (!first.len || !last.len) return NULL;
    struct id_ends *ends = mem_alloc(sizeof *ends + first.len + last.len);
    if (!ends) return NULL;
    ends->first_len = first.len;
    ends->last_len = last.len;
    memcpy(ends->bytes, first.data, first.len);
    memcpy(ends->bytes + first.len, last.data, last.len);
    return ends;
}

/* False when the ids rise and this one is beyond them: most that are new are, in any segment, and
 * then no block is walked. */
static bool may_have(writer_segment *s, slice id)
{
    if (s->seg->info.sections[SECTION_ID_TABLE].len) return true;
    if (!s->ends) s->ends = learn_ends(s->seg);
    if (!s->ends) return true;
    slice first = {s->ends->bytes, s->ends->first_len};
    slice last = {s->ends->bytes + first.len, s->ends->last_len};
    return id_order(first, id) <= 0 && id_order(id, last) <= 0;
}

/* Where the live document of an id is among finished segments.  `committed`: as of the last
 * commit.  Damage found on the way is a failure: an id that cannot be looked up must not be
 * taken for a new one. */
static pm_status find_segment(pm_writer *w, const char *id, size_t len, bool committed,
                              writer_segment **at, uint32_t *doc, pm_error *err)
{
    *at = NULL;
    give_back(w, w->n_segments);
    for (size_t i = w->n_segments; i-- > 0;) {
        writer_segment *s = &w->segments[i];
        if (committed && !s->committed) continue;
        bool found =
            may_have(s, (slice){(const uint8_t *)id, len}) && segment_find_id(s->seg, id, len, doc);
        pm_status st = segment_status(s->seg, err);
        if (st != PM_OK) return st;
        const uint64_t *dead = committed && s->dirty ? s->committed_dead : s->dead;
        if (!found || (dead && bit_get(dead, *doc))) continue;
        *at = s;
        return PM_OK;
    }
    return PM_OK;
}

/* A live document and its ingest number. */
typedef struct live_doc {
    writer_segment *at; /* NULL: it is in the batch                                          */
    uint32_t doc;
    uint64_t seq; /* SEQ_NONE: there is none                                                 */
} live_doc;

static pm_status find_live(pm_writer *w, const char *id, size_t len, live_doc *out, pm_error *err)
{
    *out = (live_doc){.seq = SEQ_NONE};
    if (batch_find(&w->batch, id, len, &out->doc)) {
        out->seq = w->meta.next_seq - w->batch.n_docs + out->doc;
        return PM_OK;
    }
    pm_status st = find_segment(w, id, len, false, &out->at, &out->doc, err);
    if (st != PM_OK || !out->at) return st;
    out->seq = segment_seq(out->at->seg, out->doc);
    return segment_status(out->at->seg, err);
}

/* The live document of an id, if any, dies; *seq is its number, or SEQ_NONE. */
static pm_status kill_id(pm_writer *w, const char *id, size_t len, uint64_t *seq, pm_error *err)
{
    live_doc live;
    pm_status st = find_live(w, id, len, &live, err);
    *seq = live.seq;
    if (st != PM_OK || live.seq == SEQ_NONE) return st;
    if (live.at) return writer_segment_kill(live.at, live.doc) ? PM_OK : error_nomem(err);
    batch_kill(&w->batch, live.doc);
    return PM_OK;
}

static pm_status encode_record(pm_writer *w, const pm_article *article, pm_error *err)
{
    buf_reset(&w->record);
    store_encode(&w->record, article, w->meta.has_text);
    if (w->record.failed) return error_nomem(err);
    if (w->record.len > STORE_RECORD_MAX)
        return error_set(err, PM_USAGE, "article %.*s has %zu bytes; at most %u can be stored",
                         writer_said_len(article->id.len), article->id.data, w->record.len,
                         (unsigned)STORE_RECORD_MAX);
    return PM_OK;
}

/* ---- tokens ----------------------------------------------------------------------------- */

size_t writer_large_article(const pm_writer *w)
{
    uint64_t large = w->options.memory_bytes / LARGE_SHARE;
    return large < LARGE_MOST ? (size_t)large : LARGE_MOST;
}

/* What may be counted of the inverter with this article. */
static uint64_t most_tokens(const pm_writer *w, const pm_article *article, bool alone)
{
    uint64_t bytes = article_bytes(article);
    uint64_t most = writer_budget(w) + (alone ? ALONE_FREE : 0);
    uint64_t texts = (w->repair.repaired ? TEXT_COPIES + 1 : TEXT_COPIES) * bytes;
    uint64_t other = batch_memory(&w->batch) + writer_kept_memory(w);
    if (bytes <= writer_large_article(w)) return UINT64_MAX; /* it is counted when it is there    */
    if (texts > TEXTS_FREE) other += texts - TEXTS_FREE;
    return most > other ? most - other : 0;
}

/* A large article and its copies stand beside the batch, which goes first where that is much. */
static pm_status make_room(pm_writer *w, const pm_article *article, pm_error *err)
{
    uint64_t bytes = article_bytes(article);
    uint64_t other = batch_memory(&w->batch) + writer_kept_memory(w) + LIVE_COPIES * bytes;
    uint64_t most = writer_budget(w) + TEXTS_FREE;
    if (bytes <= writer_large_article(w) || !w->batch.n_docs ||
        (other <= most && !inverter_exceeds(w->iv, most - other)))
        return PM_OK;
    pm_status st = writer_flush(w, err);
    return st == PM_OK ? writer_tidy(w, false, false, err) : st;
}

static pm_status open_batch(pm_writer *w, const pm_article *article, pm_error *err)
{
    pm_status st = writer_begin_batch(w, err);
    if (st != PM_OK) return st;
    if (w->options.threads > 1) segment_writer_deflate_beside(w->batch.out);
    return batch_reserve(&w->batch, article->id.data, article->id.len) ? PM_OK : error_nomem(err);
}

/* The tokens of an article to the inverter.  One that does not fit beside what is there gets a
 * batch of its own; *fits false: that is not enough, and nothing is changed by it. */
static pm_status add_tokens(pm_writer *w, const pm_article *article, const side_stream *stream,
                            uint32_t *dl, bool *fits, pm_error *err)
{
    pm_status st = PM_OK;
    *fits = true;
    for (int tries = 0; tries < 2; tries++) {
        PM_TRY(open_batch(w, article, err));
        if (stream && inverter_knows(w->iv, stream))
            return inverter_add_stream(w->iv, stream, article, dl, err);
        st = inverter_add(w->iv, article, most_tokens(w, article, tries > 0), dl, err);
        if (st != PM_USAGE) return st;
        PM_TRY(writer_flush(w, err));
        writer_forget(w);
        PM_TRY(writer_tidy(w, false, false, err));
    }
    *fits = false;
    st =
        error_set(err, PM_USAGE,
                  "article %.*s: its words take more than --memory allows; allow more, or split it",
                  writer_said_len(article->id.len), article->id.data);
out:
    return st;
}

/* ---- articles --------------------------------------------------------------------------- */

/* What an unusual article has made large. */
static void drop_large(pm_writer *w)
{
    article_repair_shrink(&w->repair, RECORD_KEEP);
    if (w->record.cap > RECORD_KEEP) buf_free(&w->record);
}

/* An article of dl tokens, which the inverter has.  Everything that may fail comes before the first
 * change that cannot be taken back. */
static pm_status add_article(pm_writer *w, const pm_article *article, uint32_t dl,
                             uint64_t *replaced, pm_error *err)
{
    pm_status st;
    PM_TRY(kill_id(w, article->id.data, article->id.len, replaced, err));
    batch_push(&w->batch, article->id.data, article->id.len);
    segment_doc doc = {
        .id = article->id.data,
        .id_len = article->id.len,
        .dl = dl,
        .seq = w->meta.next_seq++,
        .date = w->repair.seconds,
        .record = buf_slice(&w->record),
        .mark = (uint8_t)article->file_hash,
    };
    segment_writer_doc(w->batch.out, &doc);
    drop_large(w);
    if (writer_batch_full(w)) {
        PM_TRY(writer_flush(w, err));
        PM_TRY(writer_tidy(w, false, false, err));
    }
out:
    return st;
}

static bool is_same(pm_text a, pm_text b)
{
    return a.len == b.len && (!a.len || a.data == b.data);
}

pm_status pm_writer_add(pm_writer *w, const pm_article *article, bool *replaced, pm_error *err)
{
    uint64_t was;
    pm_status st = writer_add_stream(w, article, NULL, &was, err);
    if (st == PM_OK && replaced) *replaced = was != SEQ_NONE;
    return st;
}

/* *fits becomes false as by add_tokens. */
static pm_status add_clean(pm_writer *w, const pm_article *clean, const side_stream *stream,
                           uint64_t *replaced, bool *fits, pm_error *err)
{
    uint32_t dl = 0;
    if (w->xapian) return xapian_add(w, clean, replaced, err);
    pm_status st = add_tokens(w, clean, stream, &dl, fits, err);
    return st == PM_OK && *fits ? add_article(w, clean, dl, replaced, err) : st;
}

static void count_added(pm_writer *w, const pm_article *clean, uint64_t replaced)
{
    w->pending.added += replaced == SEQ_NONE;
    w->pending.updated += replaced != SEQ_NONE;
    w->pending.text_bytes += clean->title.len + clean->text.len;
    w->pending.repaired += w->repair.repaired;
    w->pending.bad_dates += w->repair.bad_dates;
}

pm_status writer_add_stream(pm_writer *w, const pm_article *article, const side_stream *stream,
                            uint64_t *replaced, pm_error *err)
{
    pm_article clean;
    pm_error own = {0};
    bool fits = true;
    if (!err) err = &own;
    pm_status st = writer_ready(w, false, err);
    if (st != PM_OK) return st;
    st = article_repair_all(&w->repair, article, &clean, err);
    if (st == PM_USAGE) return st; /* nothing was changed                                    */
    if (st == PM_OK && !w->xapian) st = make_room(w, &clean, err);
    if (st != PM_OK) return writer_discard(w, st, err);
    st = encode_record(w, &clean, err);
    if (st == PM_USAGE) return st;
    if (!is_same(clean.title, article->title) || !is_same(clean.text, article->text))
        stream = NULL; /* it is of what was repaired                                            */
    if (st == PM_OK) st = add_clean(w, &clean, stream, replaced, &fits, err);
    if (!fits) return st;
    if (st != PM_OK) return writer_discard(w, st, err);
    count_added(w, &clean, *replaced);
    return PM_OK;
}

pm_status pm_writer_delete(pm_writer *w, const char *id, size_t id_len, bool *found, pm_error *err)
{
    uint64_t seq;
    pm_error own = {0};
    if (!err) err = &own;
    pm_status st = writer_ready(w, false, err);
    if (st != PM_OK) return st;
    st = w->xapian ? xapian_kill(w, id, id_len, &seq, err) : kill_id(w, id, id_len, &seq, err);
    if (st != PM_OK) return writer_discard(w, st, err);
    w->pending.deleted += seq != SEQ_NONE;
    if (found) *found = seq != SEQ_NONE;
    return PM_OK;
}

/* The document's mark says that its record has another hash. */
static bool marked_otherwise(segment *s, uint32_t doc, uint64_t hash)
{
    uint8_t mark;
    return store_mark(s, doc, &mark) && mark != (uint8_t)hash;
}

static pm_status read_stored(pm_writer *w, segment *s, uint32_t doc, pm_article *out, pm_error *err)
{
    slice record;
    pm_status st = store_get(&w->cache, s, doc, &record, err);
    return st == PM_OK ? store_decode(record, out, err) : st;
}

pm_status writer_find_live(pm_writer *w, const char *id, size_t len, uint64_t hash,
                           stored_article *out, pm_error *err)
{
    live_doc live;
    pm_status st;
    *out = (stored_article){.seq = SEQ_NONE};
    PM_TRY(writer_ready(w, false, err));
    if (w->xapian) return xapian_find_live(w, id, len, out, err);
    PM_TRY(find_live(w, id, len, &live, err));
    out->seq = live.seq;
    if (!live.at || (hash && marked_otherwise(live.at->seg, live.doc, hash))) goto out;
    PM_TRY(segment_status(live.at->seg, err));
    PM_TRY(read_stored(w, live.at->seg, live.doc, &out->article, err));
    out->found = true;
out:
    return st;
}

static pm_status find_committed(pm_writer *w, const char *id, size_t len, bool *found,
                                pm_article *out, pm_error *err)
{
    writer_segment *at;
    uint32_t doc;
    *found = false;
    pm_status st = find_segment(w, id, len, true, &at, &doc, err);
    if (st == PM_OK && at) st = read_stored(w, at->seg, doc, out, err);
    *found = st == PM_OK && at;
    return st;
}

pm_status pm_writer_provenance(pm_writer *w, const char *id, size_t id_len, bool *found,
                               uint64_t *file_size, int64_t *file_mtime_ns, uint64_t *file_hash,
                               pm_error *err)
{
    pm_article article;
    pm_status st;
    *found = false;
    PM_TRY(writer_ready(w, false, err));
    PM_TRY(w->xapian ? xapian_find_committed(w, id, id_len, found, &article, err)
                     : find_committed(w, id, id_len, found, &article, err));
    if (!*found) goto out;
    if (file_size) *file_size = article.file_size;
    if (file_mtime_ns) *file_mtime_ns = article.file_mtime_ns;
    if (file_hash) *file_hash = article.file_hash;
out:
    return st;
}

/* fn may call pm_writer_delete: segments stay where they are until the next add, commit or
 * optimize. */
pm_status writer_each_committed(pm_writer *w,
                                bool (*fn)(void *ctx, const char *id, size_t len, uint64_t seq),
                                void *ctx, pm_error *err)
{
    uint8_t room[SEGMENT_ID_ROOM];
    pm_status st = writer_ready(w, false, err);
    if (st == PM_OK && w->xapian) return xapian_each_id(w, fn, ctx, err);
    for (size_t i = 0; i < w->n_segments && st == PM_OK; i++) {
        writer_segment *s = &w->segments[i];
        if (!s->committed) continue;
        for (uint32_t doc = 0; doc < s->named.n_docs; doc++) {
            const uint64_t *dead = s->dirty ? s->committed_dead : s->dead;
            if (dead && bit_get(dead, doc)) continue;
            slice id = segment_id(s->seg, doc, room);
            uint64_t seq = segment_seq(s->seg, doc);
            if (!id.len) break;
            if (!fn(ctx, (const char *)id.data, id.len, seq)) return PM_OK;
        }
        st = segment_status(s->seg, err);
    }
    return st;
}

typedef struct id_call {
    bool (*fn)(void *ctx, const char *id, size_t id_len);
    void *ctx;
} id_call;

static bool call_with_id(void *ctx, const char *id, size_t len, uint64_t seq)
{
    const id_call *call = ctx;
    (void)seq;
    return call->fn(call->ctx, id, len);
}

pm_status pm_writer_each_id(pm_writer *w, bool (*fn)(void *ctx, const char *id, size_t id_len),
                            void *ctx, pm_error *err)
{
    id_call call = {fn, ctx};
    return writer_each_committed(w, call_with_id, &call, err);
}
