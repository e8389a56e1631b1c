/* SPDX-License-Identifier: MIT
 * gzip.c - see gzip.h.  zlib does headers, checksums and lengths; here are the members, the
 * end of input and the ratio.  zlib's memory comes from mem.h, so that refusals are tested.
 */
#include "common/base/gzip.h"

#include "common/base/mem.h"

#include <limits.h>
#include <zlib.h>

enum { GZIP_INPUT_BYTES = 64 * 1024 };

struct gzip {
    z_stream z;
    gzip_read_fn read;
    void *ctx;
    uint64_t in_total, out_total;
    bool input_ended, in_member, ended;
    unsigned char input[GZIP_INPUT_BYTES];
};

static voidpf gzip_alloc(voidpf opaque, uInt count, uInt size)
{
    (void)opaque;
    return mem_array(count, size);
}

static void gzip_release(voidpf opaque, voidpf ptr)
{
    (void)opaque;
    mem_free(ptr);
}

pm_status gzip_open(gzip **out, gzip_read_fn read, void *ctx, pm_error *err)
{
    *out = NULL;
    gzip *g = mem_zalloc(sizeof *g);
    if (!g) return error_nomem(err);
    g->read = read;
    g->ctx = ctx;
    g->in_member = true; /* an empty file is a truncated first member */
    g->z.zalloc = gzip_alloc;
    g->z.zfree = gzip_release;
    if (inflateInit2(&g->z, 16 + MAX_WBITS) != Z_OK) {
        mem_free(g);
        return error_nomem(err);
    }
    *out = g;
    return PM_OK;
}

void gzip_close(gzip *g)
{
    if (!g) return;
    inflateEnd(&g->z);
    mem_free(g);
}

static pm_status gzip_fail(const gzip *g, const char *what, pm_error *err)
{
    return error_set(err, PM_IO, "gzip data %s, near byte %llu of the file", what,
                     (unsigned long long)(g->in_total - g->z.avail_in));
}

static pm_status gzip_fill(gzip *g, pm_error *err)
{
    size_t got = 0;
    if (g->z.avail_in || g->input_ended) return PM_OK;
    pm_status st = g->read(g->ctx, g->input, sizeof g->input, &got, err);
    if (st != PM_OK) return st;
    g->input_ended = got == 0;
    g->z.next_in = g->input;
    g->z.avail_in = (uInt)got;
    g->in_total += got;
    return PM_OK;
}

/* Between members: skip padding, then begin the next member or end. */
static pm_status gzip_next_member(gzip *g, pm_error *err)
{
    for (;;) {
        pm_status st = gzip_fill(g, err);
        if (st != PM_OK) return st;
        while (g->z.avail_in && *g->z.next_in == 0) {
            g->z.next_in++;
            g->z.avail_in--;
        }
        if (g->z.avail_in) break;
        if (g->input_ended) {
            g->ended = true;
            return PM_OK;
        }
    }
    g->in_member = true;
    return inflateReset(&g->z) == Z_OK ? PM_OK : gzip_fail(g, "cannot be read", err);
}

static pm_status gzip_check_ratio(const gzip *g, pm_error *err)
{
    uint64_t used = g->in_total - g->z.avail_in;
    if (g->out_total <= GZIP_FREE_OUTPUT || g->out_total / GZIP_MAX_RATIO <= used) return PM_OK;
    return gzip_fail(g, "grows more than 200 times: refused as a bomb", err);
}

/* One step of inflate into the caller's space. */
static pm_status gzip_inflate(gzip *g, void *data, size_t cap, size_t *got, pm_error *err)
{
    uInt room = cap < UINT_MAX ? (uInt)cap : UINT_MAX;
    g->z.next_out = data;
    g->z.avail_out = room;
    int code = inflate(&g->z, Z_NO_FLUSH);
    *got = room - g->z.avail_out;
    g->out_total += *got;
    if (code == Z_MEM_ERROR) return error_nomem(err);
    if (code == Z_STREAM_END)
        g->in_member = false;
    else if (code == Z_BUF_ERROR && g->input_ended)
        return gzip_fail(g, "ends too early", err);
    else if (code != Z_OK && code != Z_BUF_ERROR)
        return gzip_fail(g, g->z.msg ? g->z.msg : "is damaged", err);
    return gzip_check_ratio(g, err);
}

pm_status gzip_read(gzip *g, void *data, size_t cap, size_t *got, pm_error *err)
{
    pm_status st = PM_OK;
    for (*got = 0; *got == 0 && !g->ended;) {
        PM_TRY(g->in_member ? gzip_fill(g, err) : gzip_next_member(g, err));
        if (!g->ended) PM_TRY(gzip_inflate(g, data, cap, got, err));
    }
out:
    return st;
}
