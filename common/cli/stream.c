/* SPDX-License-Identifier: MIT
 *
 * stream.c - see stream.h.
 */
#include "common/cli/stream.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/base/error.h"
#include "common/base/gzip.h"
#include "common/base/json.h"

enum { CHUNK = 1 << 16 };

pm_status stream_check_exists(const char *path, pm_error *err)
{
    struct stat info;
    if (strcmp(path, "-") == 0 || stat(path, &info) == 0) return PM_OK;
    if (errno != ENOENT && errno != ENOTDIR) return PM_OK;
    return error_set(err, PM_USAGE, "%s: no such file or folder; nothing was changed", path);
}

static uint64_t tree_bytes; /* nftw hands no context to its callback */

static int add_bytes(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    if (at->level > 0 && path[at->base] == '.') return FTW_SKIP_SUBTREE;
    if (kind == FTW_F && S_ISREG(info->st_mode)) tree_bytes += (uint64_t)info->st_size;
    return FTW_CONTINUE;
}

uint64_t stream_tree_bytes(const char *path)
{
    enum { OPEN_FOLDERS = 16 };
    char real[PATH_MAX]; /* a link that is named is followed, those below are not            */
    tree_bytes = 0;
    const char *from = realpath(path, real) ? real : path;
    int failed = nftw(from, add_bytes, OPEN_FOLDERS, FTW_PHYS | FTW_ACTIONRETVAL);
    return failed ? 0 : tree_bytes;
}

uint64_t stream_free_bytes(const char *path)
{
    struct statvfs info;
    return statvfs(path, &info) == 0 ? (uint64_t)info.f_bavail * info.f_frsize : UINT64_MAX;
}

json_t *stream_json(const char *line, size_t len, bool *refused)
{
    return json_read(line, len, NULL, refused);
}

static pm_status open_input(const char *path, FILE **out, pm_error *err)
{
    bool is_standard = strcmp(path, "-") == 0;
    struct stat info;
    *out = is_standard ? stdin : fopen(path, "rb");
    if (*out && fstat(fileno(*out), &info) == 0 && S_ISDIR(info.st_mode)) {
        return error_set(err, PM_USAGE, "%s: a folder; name a file%s",
                         is_standard ? "standard input" : path,
                         is_standard ? "" : ", or '-' for standard input");
    }
    if (*out) return PM_OK;
    if (errno == ENOENT || errno == ENOTDIR) {
        return error_set(err, PM_USAGE, "%s: no such file; '-' reads standard input", path);
    }
    return error_os(err, errno, "%s: cannot open", path);
}

static pm_status close_input(FILE *file, const char *path, int failed, pm_status st, pm_error *err)
{
    if (st == PM_OK && failed) st = error_os(err, failed, "%s: cannot read", path);
    if (file && file != stdin) fclose(file);
    return st;
}

static pm_status feed(void *ctx, void *data, size_t cap, size_t *got, pm_error *err)
{
    slice *left = ctx;
    (void)err;
    *got = left->len < cap ? left->len : cap;
    if (*got) memcpy(data, left->data, *got);
    left->data += *got;
    left->len -= *got;
    return PM_OK;
}

/* What is gzip data becomes what it holds. */
static pm_status inflate_all(const char *path, buf *text, pm_error *err)
{
    pm_status st = PM_OK;
    pm_error why = {.status = PM_OK};
    slice left = buf_slice(text);
    buf plain = {0};
    gzip *gz = NULL;
    size_t got = 1;
    if (text->len < 2 || text->data[0] != 0x1f || text->data[1] != 0x8b) return PM_OK;
    PM_TRY(gzip_open(&gz, feed, &left, err));
    while (got > 0) {
        if (!buf_reserve(&plain, CHUNK)) PM_TRY(error_nomem(err));
        st = gzip_read(gz, plain.data + plain.len, CHUNK, &got, &why);
        if (st == PM_NOMEM) PM_TRY(error_nomem(err));
        if (st != PM_OK) PM_TRY(error_set(err, st, "%s: %s", path, why.message));
        plain.len += got;
    }
    buf_free(text);
    *text = plain;
    plain = (buf){0};
out:
    gzip_close(gz);
    buf_free(&plain);
    return st;
}

pm_status stream_read_all(const char *path, buf *out, pm_error *err)
{
    FILE *file = NULL;
    int failed = 0;
    pm_status st = open_input(path, &file, err);
    size_t got = 1;
    while (st == PM_OK && got > 0) {
        if (!buf_reserve(out, CHUNK)) {
            st = error_nomem(err);
            break;
        }
        errno = 0;
        got = fread(out->data + out->len, 1, CHUNK, file);
        out->len += got;
        if (got == 0 && ferror(file)) failed = errno ? errno : EIO;
    }
    st = close_input(file, path, failed, st, err);
    return st == PM_OK ? inflate_all(path, out, err) : st;
}

static pm_status each_line_of(const buf *text, stream_line_fn *fn, void *ctx, pm_error *err)
{
    pm_status st = PM_OK;
    for (size_t at = 0, end; st == PM_OK && at < text->len; at = end + 1) {
        const char *line = (const char *)text->data + at;
        const char *newline = memchr(line, '\n', text->len - at);
        end = newline ? at + (size_t)(newline - line) : text->len;
        size_t len = end - at;
        if (len && line[len - 1] == '\r') len--;
        st = fn(ctx, line, len, err);
    }
    return st;
}

/* Pieces of standard input that end with `delimiter`, or where the input does. */
static pm_status each_piece(char delimiter, stream_line_fn *fn, void *ctx, pm_error *err)
{
    FILE *file = NULL;
    char *piece = NULL;
    size_t cap = 0;
    int failed = 0;
    pm_status st = open_input("-", &file, err);
    while (st == PM_OK) {
        errno = 0;
        ssize_t got = getdelim(&piece, &cap, delimiter, file);
        if (got < 0) {
            if (!feof(file)) failed = errno ? errno : EIO;
            break;
        }
        size_t len = (size_t)got;
        if (len && piece[len - 1] == delimiter) len--;
        if (len && piece[len - 1] == '\r' && delimiter == '\n') len--;
        st = fn(ctx, piece, len, err);
    }
    free(piece);
    return close_input(file, "-", failed, st, err);
}

pm_status stream_each_line(const char *path, stream_line_fn *fn, void *ctx, pm_error *err)
{
    if (strcmp(path, "-") == 0) return each_piece('\n', fn, ctx, err);
    buf text = {0};
    pm_status st = stream_read_all(path, &text, err);
    if (st == PM_OK) st = each_line_of(&text, fn, ctx, err);
    buf_free(&text);
    return st;
}

pm_status stream_each_record(stream_line_fn *fn, void *ctx, pm_error *err)
{
    return each_piece('\0', fn, ctx, err);
}
