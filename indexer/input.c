/* SPDX-License-Identifier: MIT
 * input.c - see input.h.
 */
#include "indexer/input.h"

#include <stdio.h>

enum { INPUT_CHUNK = 256 * 1024 };

static pm_status read_compressed(void *ctx, void *data, size_t cap, size_t *got, pm_error *err)
{
    return infile_read(ctx, data, cap, got, err);
}

pm_status input_open(input *in, const char *path, bool compressed, size_t article_max,
                     pm_error *err)
{
    *in = (input){.file = INFILE_INIT, .article_max = INPUT_ARTICLE_MAX};
    if (article_max && article_max < INPUT_ARTICLE_MAX) in->article_max = article_max;
    pm_status st = infile_open(&in->file, path, err);
    if (st == PM_OK && compressed) st = gzip_open(&in->gz, read_compressed, &in->file, err);
    if (st != PM_OK) input_close(in);
    return st;
}

void input_say_too_long(const input *in, const char *what, char *out, size_t cap)
{
    if (in->article_max == INPUT_ARTICLE_MAX)
        snprintf(out, cap, "%slonger than 64 MiB", what);
    else
        snprintf(out, cap, "%slonger than --memory allows, %zu bytes", what, in->article_max);
}

void input_close(input *in)
{
    gzip_close(in->gz);
    infile_close(&in->file);
    buf_free(&in->ahead);
    *in = (input){.file = INFILE_INIT};
}

static pm_status read_source(input *in, void *data, size_t cap, size_t *got, pm_error *err)
{
    return in->gz ? gzip_read(in->gz, data, cap, got, err)
                  : infile_read(&in->file, data, cap, got, err);
}

pm_status input_read(input *in, void *data, size_t cap, size_t *got, pm_error *err)
{
    size_t left = in->ahead.len - in->ahead_at;
    pm_status st = PM_OK;
    if (left) {
        *got = left < cap ? left : cap;
        memcpy(data, in->ahead.data + in->ahead_at, *got);
        in->ahead_at += *got;
    } else {
        st = read_source(in, data, cap, got, err);
    }
    if (st == PM_OK) in->bytes += *got;
    return st;
}

pm_status input_peek(input *in, size_t max, slice *out, pm_error *err)
{
    size_t got = 1;
    pm_status st = PM_OK;
    while (got && in->ahead.len < max) {
        size_t want = max - in->ahead.len;
        if (!buf_reserve(&in->ahead, want)) PM_TRY(error_nomem(err));
        PM_TRY(read_source(in, in->ahead.data + in->ahead.len, want, &got, err));
        in->ahead.len += got;
    }
    *out = buf_slice(&in->ahead);
out:
    return st;
}

pm_status input_read_all(input *in, buf *out, bool *too_long, pm_error *err)
{
    size_t got = 1, start = out->len;
    pm_status st = PM_OK;
    *too_long = false;
    while (got && !*too_long) {
        if (!buf_reserve(out, INPUT_CHUNK)) PM_TRY(error_nomem(err));
        PM_TRY(input_read(in, out->data + out->len, INPUT_CHUNK, &got, err));
        out->len += got;
        *too_long = out->len - start > in->article_max;
    }
out:
    return st;
}
