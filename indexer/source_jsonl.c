/* SPDX-License-Identifier: MIT
 * source_jsonl.c - JSON Lines: one article a line, read as a stream.
 *
 * A line that cannot be read is skipped with its number and the rest goes on; a line longer
 * than INPUT_ARTICLE_MAX is skipped without being held.  Blank lines are nothing.  The bytes
 * of a line stay in one buffer, which moves only when a line is cut by its end.
 */
#include "indexer/fields.h"
#include "indexer/ingest.h"
#include "indexer/json_fields.h"
#include "indexer/json_line.h"

#include <stdio.h>

enum { LINES_CHUNK = 256 * 1024 };

typedef struct lines {
    input *in;
    buf data, raw;      /* text; bytes before decoding                                  */
    size_t at, scanned; /* start of the line; bytes known to hold no line end            */
    decoder decoder;    /* used when `decode`                                            */
    bool decode, ended, dropping; /* dropping: inside a line that is too long             */
    uint64_t number; /* of the line, from 1                                           */
} lines;

/* More text, or `ended`. */
static pm_status lines_fill(lines *l, pm_error *err)
{
    pm_status st = PM_OK;
    size_t got = 0;
    if (l->at) {
        memmove(l->data.data, l->data.data + l->at, l->data.len - l->at);
        l->data.len -= l->at;
        l->scanned -= l->at;
        l->at = 0;
    }
    buf *into = l->decode ? &l->raw : &l->data;
    l->raw.len = 0;
    if (!buf_reserve(into, LINES_CHUNK)) PM_TRY(error_nomem(err));
    PM_TRY(input_read(l->in, into->data + into->len, LINES_CHUNK, &got, err));
    into->len += got;
    l->ended = got == 0;
    if (l->decode) decoder_feed(&l->decoder, &l->data, l->raw.data, l->raw.len, l->ended);
    if (l->data.failed) PM_TRY(error_nomem(err));
out:
    return st;
}

/* The next line without its end; *too_long when it was dropped; *more false at the end. */
static pm_status lines_next(lines *l, slice *line, bool *too_long, bool *more, pm_error *err)
{
    pm_status st = PM_OK;
    l->dropping = false;
    for (;;) {
        const uint8_t *from = l->data.data + l->scanned, *end = NULL;
        if (l->data.len > l->scanned) end = memchr(from, '\n', l->data.len - l->scanned);
        size_t stop = end ? (size_t)(end - l->data.data) : l->data.len;
        if (l->dropping || stop - l->at > INPUT_ARTICLE_MAX) {
            l->dropping = true;
            l->at = stop;
        }
        l->scanned = stop;
        if (end || l->ended) {
            *line = (slice){l->data.data + l->at, stop - l->at};
            *too_long = l->dropping;
            *more = end || stop > l->at || l->dropping;
            l->at = l->scanned = stop + (end ? 1 : 0);
            l->number++;
            goto out;
        }
        PM_TRY(lines_fill(l, err));
    }
out:
    return st;
}

/* Decide the encoding and step over its mark. */
static pm_status lines_begin(lines *l, ingest *run, pm_error *err)
{
    slice head;
    encoding marked;
    char skip[4];
    size_t got = 0;
    pm_status st = PM_OK;
    PM_TRY(input_peek(l->in, 3, &head, err));
    size_t mark = encoding_mark((const char *)head.data, head.len, &marked);
    l->decoder.from = run->has_encoding ? run->encoding : marked;
    l->decode = l->decoder.from != ENCODING_UTF8;
    run->summary.converted += l->decode;
    if (mark && marked == l->decoder.from) PM_TRY(input_read(l->in, skip, mark, &got, err));
out:
    return st;
}

/* "FILE#LINE", for an article without an id. */
static pm_status make_id(ingest *run, const ingest_input *file, uint64_t number, pm_error *err)
{
    char suffix[24];
    int n = snprintf(suffix, sizeof suffix, "#%llu", (unsigned long long)number);
    char *id = arena_alloc(&run->doc.mem, file->id.len + (size_t)n);
    if (!id) return error_nomem(err);
    memcpy(id, file->id.data, file->id.len);
    memcpy(id + file->id.len, suffix, (size_t)n);
    run->doc.article.id = (pm_text){id, file->id.len + (size_t)n};
    return PM_OK;
}

/* What the scanner refuses or leaves: mended where it can be, else the reason why not. */
static pm_status read_odd_line(document *d, slice line, bool *is_article, char reason[160],
                               pm_error *err)
{
    pm_status st = PM_OK;
    json_t *object = NULL;
    PM_TRY(json_line_parse((const char *)line.data, line.len, &object, &d->repaired, reason, err));
    *is_article = object != NULL;
    if (!object) goto out;
    PM_TRY(fields_take(d, object, FIELDS_JSONL, err));
    PM_TRY(document_keep(d, err));
out:
    json_decref(object);
    return st;
}

/* The document of a line, or the reason why there is none. */
static pm_status read_line(document *d, slice line, bool *is_article, char reason[160],
                           pm_error *err)
{
    json_object_scan object;
    bool left = true;
    pm_status st = PM_OK;
    document_reset(d);
    *is_article = true;
    if (json_scan(&object, (const char *)line.data, line.len) == JSON_SCANNED)
        st = json_fields_take(d, &object, &left, err);
    if (st != PM_OK || !left) return st;
    document_reset(d);
    return read_odd_line(d, line, is_article, reason, err);
}

static pm_status take_line(ingest *run, const ingest_input *file, uint64_t number, slice line,
                           bool *sink_failed, pm_error *err)
{
    pm_status st = PM_OK;
    char reason[160];
    bool is_article;
    document *d = &run->doc;
    PM_TRY(read_line(d, line, &is_article, reason, err));
    if (!is_article) {
        ingest_skip(run, file->path, number, (pm_text){NULL, 0}, reason);
        goto out;
    }
    if (!d->article.id.len) PM_TRY(make_id(run, file, number, err));
    if (d->article.title.len) d->title_rule = "field";
    if (d->article.date.len) d->date_rule = "field";
    *sink_failed = true;
    PM_TRY(ingest_add(run, file->path, number, err));
    *sink_failed = false;
out:
    return st;
}

static bool is_blank(slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.data[i] != ' ' && (line.data[i] < '\t' || line.data[i] > '\r')) return false;
    return true;
}

pm_status source_jsonl_read(ingest *run, const ingest_input *file, input *in, bool *sink_failed,
                            pm_error *err)
{
    pm_status st = PM_OK;
    lines l = {.in = in};
    bool more = true, too_long;
    slice line;
    PM_TRY(lines_begin(&l, run, err));
    while (!run->stopped) {
        PM_TRY(lines_next(&l, &line, &too_long, &more, err));
        if (!more) break;
        if (too_long)
            ingest_skip(run, file->path, l.number, (pm_text){NULL, 0},
                        "the line is longer than 64 MiB");
        else if (!is_blank(line))
            PM_TRY(take_line(run, file, l.number, line, sink_failed, err));
    }
    run->summary.repaired += l.decoder.repaired;
out:
    buf_free(&l.data);
    buf_free(&l.raw);
    return st;
}
