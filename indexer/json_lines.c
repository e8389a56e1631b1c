/* SPDX-License-Identifier: MIT
 * json_lines.c - see json_lines.h.
 */
#include "indexer/json_lines.h"

#include "common/base/hash.h"
#include "indexer/fields.h"
#include "indexer/json_fields.h"
#include "indexer/json_line.h"

#include <stdio.h>

enum { LINES_CHUNK = 256 * 1024, LINES_KEEP = 8 * LINES_CHUNK, TREE_LARGE = 512 * 1024 };

/* ---- lines ------------------------------------------------------------------------------ */

/* Guess the encoding by the first bytes from one on that is not ASCII, however they come in.  A
 * character cut by their end counts as one that is invalid; there are others. */
static void guess_encoding(json_lines *l, const uint8_t *data, size_t len)
{
    buf *seen = &l->seen;
    size_t at = 0;
    while (!seen->len && at < len && data[at] < 0x80) at++;
    size_t room = LINES_CHUNK - seen->len;
    buf_append(seen, data + at, len - at < room ? len - at : room);
    if (seen->failed || (seen->len < LINES_CHUNK && !l->ended)) return;
    l->guessed = true;
    l->is_1252 =
        encoding_guess((const char *)seen->data, seen->len, ENCODING_ODDS) == ENCODING_WINDOWS_1252;
    buf_free(seen);
}

/* After a long line its room goes back. */
static void shrink(json_lines *l)
{
    buf rest = {0};
    if (l->data.cap <= LINES_KEEP || l->data.len > LINES_CHUNK) return;
    buf_append(&rest, l->data.data, l->data.len);
    if (rest.failed) return;
    buf_free(&l->data);
    l->data = rest;
}

/* More text, or `ended`. */
static pm_status lines_fill(json_lines *l, pm_error *err)
{
    pm_status st = PM_OK;
    size_t got = 0;
    if (l->at) {
        memmove(l->data.data, l->data.data + l->at, l->data.len - l->at);
        l->data.len -= l->at;
        l->scanned -= l->at;
        l->at = 0;
        shrink(l);
    }
    buf *into = l->decode ? &l->raw : &l->data;
    l->raw.len = 0;
    if (!buf_reserve(into, LINES_CHUNK)) PM_TRY(error_nomem(err));
    PM_TRY(input_read(l->in, into->data + into->len, LINES_CHUNK, &got, err));
    into->len += got;
    l->ended = got == 0;
    if (l->decode) decoder_feed(&l->decoder, &l->data, l->raw.data, l->raw.len, l->ended);
    if (!l->guessed) guess_encoding(l, l->data.data + l->data.len - got, got);
    if (l->data.failed || l->raw.failed || l->seen.failed) PM_TRY(error_nomem(err));
out:
    return st;
}

/* The next line without its end, from l->at on; *too_long when it was dropped; *more false at the
 * end. */
static pm_status lines_next(json_lines *l, slice *line, bool *too_long, bool *more, pm_error *err)
{
    pm_status st = PM_OK;
    l->dropping = false;
    l->at = l->scanned;
    for (;;) {
        const uint8_t *from = l->data.data + l->scanned, *end = NULL;
        if (l->data.len > l->scanned) end = memchr(from, '\n', l->data.len - l->scanned);
        size_t stop = end ? (size_t)(end - l->data.data) : l->data.len;
        if (l->dropping || stop - l->at > l->in->article_max) {
            l->dropping = true;
            l->at = stop;
        }
        l->scanned = stop;
        if (end || l->ended) {
            *line = (slice){l->data.data + l->at, stop - l->at};
            *too_long = l->dropping;
            *more = end || stop > l->at || l->dropping;
            l->scanned = stop + (end ? 1 : 0);
            l->number++;
            goto out;
        }
        PM_TRY(lines_fill(l, err));
    }
out:
    return st;
}

/* The encoding that is said or marked; step over its mark. */
pm_status json_lines_begin(json_lines *l, input *in, const encoding *said, pm_error *err)
{
    slice head;
    encoding marked;
    char skip[4];
    size_t got = 0;
    pm_status st = PM_OK;
    *l = (json_lines){.in = in};
    PM_TRY(input_peek(l->in, 3, &head, err));
    size_t mark = encoding_mark((const char *)head.data, head.len, &marked);
    l->decoder.from = said ? *said : marked;
    l->decode = l->decoder.from != ENCODING_UTF8;
    l->guessed = said || mark;
    if (mark && marked == l->decoder.from) PM_TRY(input_read(l->in, skip, mark, &got, err));
out:
    return st;
}

void json_lines_free(json_lines *l)
{
    buf_free(&l->data);
    buf_free(&l->raw);
    buf_free(&l->line);
    buf_free(&l->seen);
}

/* ---- documents -------------------------------------------------------------------------- */

/* What the scanner refuses or leaves: mended where it can be, else the reason why not. */
static pm_status read_odd_line(document *d, slice line, bool *is_article,
                               char reason[JSON_LINE_REASON_MAX], pm_error *err)
{
    pm_status st = PM_OK;
    json_t *object = NULL;
    buf numbers = {0};
    PM_TRY(json_line_parse((const char *)line.data, line.len, &object, &numbers, &d->repaired,
                           reason, err));
    *is_article = object != NULL;
    if (!object) goto out;
    PM_TRY(fields_take(d, object, &numbers, FIELDS_JSONL, err));
    PM_TRY(document_keep(d, err));
out:
    json_decref(object);
    buf_free(&numbers);
    if (line.len > TREE_LARGE) mem_give_back();
    return st;
}

/* Whether a line can be read within tree_max while it is held `copies` times more. */
static bool is_modest(const json_lines *l, slice line, size_t copies)
{
    size_t most = l->tree_max, strings = copies * line.len;
    return !most ||
           (strings <= most && json_line_fits((const char *)line.data, line.len, most - strings));
}

/* What the scanner takes; *left otherwise. */
static pm_status scan_line(const json_lines *l, slice line, size_t copies, json_line_text *out,
                           bool *left, pm_error *err)
{
    json_object_scan object;
    pm_status st = PM_OK;
    *left = true;
    document_reset(&out->doc);
    out->is_article = is_modest(l, line, copies);
    if (out->is_article && json_scan(&object, (const char *)line.data, line.len) == JSON_SCANNED)
        st = json_fields_take(&out->doc, &object, left, err);
    return st;
}

/* A line of Windows-1252, the one at l->at, to l->line; *is false: it is none. */
static pm_status convert_line(json_lines *l, slice *line, bool *is, pm_error *err)
{
    decoder d = {.from = ENCODING_WINDOWS_1252};
    pm_status st = PM_OK;
    *is = encoding_guess((const char *)line->data, line->len, ENCODING_ODDS_AGAIN) == d.from;
    if (!*is) goto out;
    while (!l->guessed) PM_TRY(lines_fill(l, err));
    *line = (slice){l->data.data + l->at, line->len};
    *is = l->is_1252;
    if (!*is) goto out;
    buf_reset(&l->line);
    decoder_feed(&d, &l->line, line->data, line->len, true);
    l->n_converted++;
    l->n_repaired += d.repaired;
    if (l->line.failed) PM_TRY(error_nomem(err));
out:
    return st;
}

/* The document of a line, or the reason why there is none. */
static pm_status read_line(json_lines *l, slice line, json_line_text *out, pm_error *err)
{
    bool left, converted = false;
    size_t copies = 0;
    pm_status st = PM_OK;
    PM_TRY(scan_line(l, line, copies, out, &left, err));
    if (!left) goto out;
    if (out->is_article) PM_TRY(convert_line(l, &line, &converted, err));
    if (converted) {
        line = buf_slice(&l->line);
        out->is_article = line.len <= l->in->article_max;
        if (!out->is_article) {
            input_say_too_long(l->in, "the line is ", out->reason, sizeof out->reason);
            goto out;
        }
        PM_TRY(scan_line(l, line, ++copies, out, &left, err));
        if (!left) goto out;
    }
    document_reset(&out->doc);
    copies += 2; /* mended, and as the library's tree */
    out->is_article = out->is_article && is_modest(l, line, copies);
    if (out->is_article) {
        PM_TRY(read_odd_line(&out->doc, line, &out->is_article, out->reason, err));
        goto out;
    }
    snprintf(out->reason, sizeof out->reason,
             "the line takes more than --memory allows, %zu bytes; allow more, or split it",
             l->tree_max);
out:
    if (l->line.cap > LINES_KEEP) buf_free(&l->line);
    return st;
}

static bool is_blank(slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.data[i] != ' ' && (line.data[i] < '\t' || line.data[i] > '\r')) return false;
    return true;
}

pm_status json_lines_next(json_lines *l, json_line_text *out, bool *more, pm_error *err)
{
    pm_status st = PM_OK;
    slice line = {NULL, 0};
    bool too_long = false;
    do PM_TRY(lines_next(l, &line, &too_long, more, err));
    while (*more && !too_long && is_blank(line));
    out->number = l->number;
    out->is_article = *more && !too_long;
    if (out->is_article) out->hash = hash_text(line.data, line.len);
    if (too_long) input_say_too_long(l->in, "the line is ", out->reason, sizeof out->reason);
    if (out->is_article) PM_TRY(read_line(l, line, out, err));
out:
    return st;
}
