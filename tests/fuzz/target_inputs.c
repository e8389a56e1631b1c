/* SPDX-License-Identifier: MIT
 * target_inputs.c - fuzz targets of files that are read: gzip, encodings, articles as plain text or
 * Markdown, files of queries.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/gzip.h"
#include "common/cli/queries.h"
#include "common/text/analyzer.h"
#include "indexer/ingest.h"
#include "tests/fuzz/targets.h"

/* ---- gzip ----------------------------------------------------------------------------- */

typedef struct feed {
    const uint8_t *data;
    size_t len, at, step;
} feed;

static pm_status read_feed(void *ctx, void *data, size_t cap, size_t *got, pm_error *err)
{
    feed *f = ctx;
    size_t n = f->len - f->at;
    (void)err;
    if (n > cap) n = cap;
    if (n > f->step) n = f->step;
    if (n) memcpy(data, f->data + f->at, n);
    f->at += n;
    *got = n;
    return PM_OK;
}

/* All that comes out, `step` bytes in and `cap` bytes out at a time. */
static pm_status inflate_all(const uint8_t *data, size_t len, size_t step, size_t cap, buf *out)
{
    static uint8_t part[1 << 16];
    feed f = {data, len, 0, step};
    gzip *g;
    size_t got = 1;
    fuzz_must(gzip_open(&g, read_feed, &f, NULL) == PM_OK);
    pm_status st = PM_OK;
    while (st == PM_OK && got) {
        st = gzip_read(g, part, cap, &got, NULL);
        if (st != PM_OK) break;
        fuzz_must(got <= cap);
        buf_append(out, part, got);
    }
    fuzz_must(st == PM_OK || st == PM_IO);
    fuzz_must(out->len <= GZIP_FREE_OUTPUT + (1 << 16) + GZIP_MAX_RATIO * len);
    gzip_close(g);
    return st;
}

/* However it is cut into pieces, the same comes out. */
void fuzz_gzip(const uint8_t *data, size_t len)
{
    buf whole = {0}, pieces = {0};
    size_t step = len ? 1 + data[len - 1] : 1;
    pm_status st = inflate_all(data, len, SIZE_MAX, 1 << 16, &whole);
    pm_status again = inflate_all(data, len, step, 1 + step * 37 % 5000, &pieces);
    fuzz_must(st == again);
    if (st == PM_OK)
        fuzz_must(whole.len == pieces.len &&
                  (!whole.len || memcmp(whole.data, pieces.data, whole.len) == 0));
    buf_free(&whole);
    buf_free(&pieces);
}

/* ---- encodings ------------------------------------------------------------------------ */

/* Valid UTF-8 without zero bytes; the same in one piece and, but for UTF-8, in many. */
void fuzz_encoding(const uint8_t *data, size_t len)
{
    if (!len) return;
    const uint8_t *text = data + 1;
    buf whole = {0}, pieces = {0};
    encoding marked, guess = encoding_guess((const char *)text, len - 1, ENCODING_ODDS);
    fuzz_must(encoding_mark((const char *)text, len - 1, &marked) <= len - 1);
    fuzz_must(guess == ENCODING_UTF8 || guess == ENCODING_WINDOWS_1252);
    decoder one = {.from = (encoding)(data[0] % 4)}, many = one;
    decoder_feed(&one, &whole, text, len - 1, true);
    size_t step = one.from == ENCODING_UTF8 ? len : data[0] / 4 % 8 + 1u;
    for (size_t at = 0; at < len - 1; at += step)
        decoder_feed(&many, &pieces, text + at, len - 1 - at < step ? len - 1 - at : step, false);
    decoder_feed(&many, &pieces, text, 0, true);
    fuzz_must(utf8_valid_prefix((const char *)whole.data, whole.len) == whole.len);
    fuzz_must(!whole.len || !memchr(whole.data, 0, whole.len));
    fuzz_must(one.repaired == many.repaired && whole.len == pieces.len);
    fuzz_must(!whole.len || memcmp(whole.data, pieces.data, whole.len) == 0);
    buf_free(&whole);
    buf_free(&pieces);
}

/* ---- articles ------------------------------------------------------------------------- */

static void check_spans(const document *d, size_t len)
{
    for (size_t i = 0; i < d->n_spans; i++)
        fuzz_must(d->spans[i].start <= d->spans[i].end && d->spans[i].end <= len);
}

/* Text or Markdown (by the first byte) to a document whose spans lie in it. */
void fuzz_article(const uint8_t *data, size_t len)
{
    static ingest run; /* its document keeps its memory, as in a run over many files      */
    if (!len) return;
    buf file = {0};
    buf_append(&file, data + 1, len - 1);
    fuzz_must(!file.failed && source_text_read(&run, &file, data[0] & 1, NULL) == PM_OK);
    const pm_article *a = &run.doc.article;
    fuzz_must(utf8_valid_prefix(a->text.data, a->text.len) == a->text.len);
    fuzz_must(utf8_valid_prefix(a->title.data, a->title.len) == a->title.len);
    if (a->title_in_body) fuzz_must(a->title_start <= a->title_end && a->title_end <= a->text.len);
    if (run.doc.verbatim) fuzz_must(a->file_text_start + a->file_text_len == file.len);
    check_spans(&run.doc, run.doc.text.len);
    buf_free(&file);
}

/* ---- files of queries ----------------------------------------------------------------- */

/* Lines, JSON Lines or TREC topics: every query lies within the text or in the arena. */
void fuzz_queries(const uint8_t *data, size_t len)
{
    query_list list = {0};
    pm_error err = {.status = PM_OK};
    buf_append(&list.text, data, len);
    fuzz_must(!list.text.failed);
    pm_status st = queries_parse(&list, "fuzz", 1 + (unsigned)len % 7, &err);
    fuzz_must(st == PM_OK || (st == PM_USAGE && err.message[0]));
    size_t sum = 0;
    for (size_t i = 0; st == PM_OK && i < list.n; i++) {
        pm_text q = list.items[i].query;
        for (size_t k = 0; k < q.len; k++) sum += (unsigned char)q.data[k];
        fuzz_must(list.items[i].qid.len > 0);
    }
    fuzz_must(sum <= 255 * 8 * (len + 1));
    queries_free(&list);
}
