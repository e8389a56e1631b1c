/* SPDX-License-Identifier: MIT
 * source_jsonl.c - JSON Lines: one article a line, read as a stream.
 *
 * A line that cannot be read is skipped with its number and the rest goes on.
 *
 * With more than one thread, and a file that is not small, a thread beside reads: it makes
 * documents of lines, and while this thread has enough to do it analyses some of them too.
 * Which ones is left to chance and changes nothing but the time (inverter_side.h); documents
 * arrive in order.  Standard input is read on this thread, which may be asked to stop while
 * nothing comes.
 */
#include "indexer/ingest.h"
#include "indexer/json_lines.h"

#include "common/base/ring.h"
#include "common/base/thread.h"

#include <stdio.h>

enum {
    BESIDE_FILE_MIN = 1 << 20, /* bytes of file that are worth a thread                   */
    BESIDE_SLOTS = 256,        /* documents on their way                                 */
    BESIDE_WAKE = 32,
    BESIDE_TEXT_MAX = 1 << 20, /* bytes of text on their way                             */
    BESIDE_KEEP = 16 << 10,    /* of a slot whose document has been taken                */
    BESIDE_LEAD = 16 << 10,    /* bytes of text that keep this thread busy meanwhile      */
    BESIDE_RATIO = 8,          /* an analysed document takes so much less of its time     */
};

/* "FILE#LINE", for an article without an id. */
static pm_status make_id(document *d, const ingest_input *file, uint64_t number, pm_error *err)
{
    char suffix[24];
    int n = snprintf(suffix, sizeof suffix, "#%llu", (unsigned long long)number);
    char *id = arena_alloc(&d->mem, file->id.len + (size_t)n);
    if (!id) return error_nomem(err);
    memcpy(id, file->id.data, file->id.len);
    memcpy(id + file->id.len, suffix, (size_t)n);
    d->article.id = (pm_text){id, file->id.len + (size_t)n};
    return PM_OK;
}

/* A file and the hash of its absolute path; 0 for standard input. */
typedef struct jsonl_file {
    const ingest_input *input;
    uint64_t hash;
} jsonl_file;

/* Where the article came from.  *same: the number of what the index has from there, of the same
 * bytes, or SEQ_NONE. */
static pm_status set_provenance(ingest *run, const jsonl_file *from, json_line_text *line,
                                uint64_t *same, pm_error *err)
{
    pm_status st = PM_OK;
    ingest_known known;
    pm_article *a = &line->doc.article;
    *same = SEQ_NONE;
    if (!from->hash) goto out;
    a->file_size = from->input->info.size;
    a->file_mtime_ns = from->input->info.changed_ns;
    a->file_hash = ingest_line_hash(run, from->hash, line->hash);
    a->file_folder = run->root;
    a->file_lines = from->hash;
    PM_TRY(ingest_find(run, a->id, a->file_hash, &known, err));
    if (known.found && known.hash == a->file_hash && known.lines == a->file_lines)
        *same = known.seq;
out:
    return st;
}

static pm_status take_line(ingest *run, const jsonl_file *from, json_line_text *line,
                           const side_stream *stream, bool *sink_failed, pm_error *err)
{
    pm_status st = PM_OK;
    document *d = &line->doc;
    const ingest_input *file = from->input;
    uint64_t same;
    if (!line->is_article) {
        ingest_skip(run, file->path, line->number, (pm_text){NULL, 0}, line->reason);
        return PM_OK;
    }
    if (!d->article.id.len) PM_TRY(make_id(d, file, line->number, err));
    if (d->article.title.len) d->title_rule = "field";
    if (d->article.date.len) d->date_rule = "field";
    *sink_failed = true;
    PM_TRY(set_provenance(run, from, line, &same, err));
    if (same != SEQ_NONE)
        PM_TRY(ingest_leave(run, file->path, line->number, d->article.id, same, err));
    else
        PM_TRY(ingest_add(run, d, stream, file->path, line->number, err));
    *sink_failed = false;
out:
    return st;
}

static pm_status read_here(ingest *run, const jsonl_file *file, json_lines *lines,
                           bool *sink_failed, pm_error *err)
{
    pm_status st = PM_OK;
    json_line_text line = {.is_article = false};
    bool more = true;
    while (!run->stopped) {
        PM_TRY(json_lines_next(lines, &line, &more, err));
        if (!more) break;
        PM_TRY(take_line(run, file, &line, NULL, sink_failed, err));
    }
out:
    document_free(&line.doc);
    return st;
}

/* ---- beside ----------------------------------------------------------------------------- */

typedef struct beside_item {
    json_line_text line;
    side_stream stream;
    bool analysed;
    pm_status status; /* of reading; when not PM_OK the item is the last                 */
    pm_error err;
} beside_item;

typedef struct beside {
    json_lines *lines;
    side_reader reader;
    size_t article_max; /* longer ones are not analysed here                               */
    ring *ring;
    thread *thread;
    beside_item items[BESIDE_SLOTS];
} beside;

/* Whether this article is to be analysed beside: its weight in the ring says how. */
static uint64_t weigh(beside *b, beside_item *item)
{
    const pm_article *a = &item->line.doc.article;
    uint64_t bytes = article_bytes(a);
    item->analysed = item->line.is_article && bytes <= b->article_max &&
                     ring_weight(b->ring) >= 2 * bytes + BESIDE_LEAD;
    return 1 + (item->analysed ? bytes / BESIDE_RATIO : bytes);
}

static void read_beside(void *ctx)
{
    beside *b = ctx;
    unsigned slot;
    bool more = true;
    while (more && ring_room(b->ring, &slot)) {
        beside_item *item = &b->items[slot];
        item->status = json_lines_next(b->lines, &item->line, &more, &item->err);
        if (item->status == PM_OK && !more) break;
        uint64_t weight = item->status == PM_OK ? weigh(b, item) : 1;
        if (item->status == PM_OK && item->analysed)
            item->status =
                side_read(&b->reader, &item->line.doc.article, &item->stream, &item->err);
        more &= item->status == PM_OK;
        ring_give(b->ring, weight);
    }
    ring_end(b->ring);
}

static pm_status take_item(ingest *run, const jsonl_file *file, beside_item *item,
                           bool *sink_failed, pm_error *err)
{
    const side_stream *stream = item->analysed ? &item->stream : NULL;
    if (item->status != PM_OK) {
        if (err) *err = item->err;
        return item->status;
    }
    return take_line(run, file, &item->line, stream, sink_failed, err);
}

static bool beside_open(beside **out, const ingest_sink *sink, json_lines *lines)
{
    beside *b = mem_zalloc(sizeof *b);
    *out = b;
    if (!b) return false;
    b->lines = lines;
    b->article_max = sink->side_article_max;
    uint64_t on_way = sink->side_bytes < BESIDE_TEXT_MAX ? sink->side_bytes : BESIDE_TEXT_MAX;
    return side_open(&b->reader, sink->analyzer, NULL) == PM_OK &&
           ring_open(&b->ring, BESIDE_SLOTS, BESIDE_WAKE, on_way, NULL) == PM_OK &&
           thread_start(&b->thread, read_beside, b, NULL) == PM_OK;
}

static void beside_close(beside *b)
{
    if (!b) return;
    if (b->ring) ring_stop(b->ring);
    thread_join(b->thread);
    ring_close(b->ring);
    side_close(&b->reader);
    for (size_t i = 0; i < BESIDE_SLOTS; i++) {
        document_free(&b->items[i].line.doc);
        side_stream_free(&b->items[i].stream);
    }
    mem_free(b);
}

/* What has been taken keeps no more than is usual until its slot is filled again. */
static void shrink_item(beside_item *item)
{
    document_shrink(&item->line.doc, BESIDE_KEEP);
    if (item->stream.tokens_cap > BESIDE_KEEP / sizeof *item->stream.tokens ||
        item->stream.words_cap > BESIDE_KEEP / sizeof *item->stream.words)
        side_stream_free(&item->stream);
}

static pm_status take_all(ingest *run, const jsonl_file *file, beside *b, bool *sink_failed,
                          pm_error *err)
{
    pm_status st = PM_OK;
    unsigned slot;
    while (st == PM_OK && !run->stopped && ring_take(b->ring, &slot)) {
        st = take_item(run, file, &b->items[slot], sink_failed, err);
        shrink_item(&b->items[slot]);
        ring_free(b->ring);
    }
    return st;
}

pm_status source_jsonl_read(ingest *run, const ingest_input *file, uint64_t file_hash, input *in,
                            bool *sink_failed, pm_error *err)
{
    pm_status st = PM_OK;
    const jsonl_file from = {file, file_hash};
    beside *b = NULL;
    json_lines lines = {.in = in};
    PM_TRY(json_lines_begin(&lines, in, run->has_encoding ? &run->encoding : NULL, err));
    lines.tree_max = run->sink->tree_max;
    bool alone = run->sink->threads <= 1 || file->info.size < BESIDE_FILE_MIN;
    if (!alone && beside_open(&b, run->sink, &lines)) {
        st = take_all(run, &from, b, sink_failed, err);
    } else {
        beside_close(b); /* no memory for a second reader: then without */
        b = NULL;
        st = read_here(run, &from, &lines, sink_failed, err);
    }
out:
    beside_close(b);
    if (st == PM_OK) run->summary.repaired += lines.decoder.repaired + lines.n_repaired;
    if (st == PM_OK) run->summary.converted += lines.decode || lines.n_converted;
    json_lines_free(&lines);
    return st;
}
