/* SPDX-License-Identifier: MIT
 *
 * stream_output.c - JSON Lines files to write (stream.h).
 *
 * They are written under a hidden name beside the one that was given, and renamed when they are
 * done: what is there stays until then, and who reads the folder meanwhile, as `index` may, does
 * not meet them.  Pipes and devices are written to as they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/cli/emit.h"
#include "common/cli/stream.h"

/* ---- where ------------------------------------------------------------------------------- */

/* The absolute path of what is there, or would be. */
static bool real_path(const char *path, char out[PATH_MAX])
{
    char folder[PATH_MAX];
    if (realpath(path, out)) return true;
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t len = (size_t)(base - path);
    if (len >= sizeof folder) return false;
    memcpy(folder, path, len);
    folder[len] = 0;
    if (!realpath(len ? folder : ".", out)) return false;
    size_t used = strcmp(out, "/") == 0 ? 0 : strlen(out);
    if (used + 1 + strlen(base) >= PATH_MAX) return false;
    out[used] = '/';
    strcpy(out + used + 1, base);
    return true;
}

bool stream_is_at(const char *path, const char *place, bool *is_below)
{
    char at[PATH_MAX], of[PATH_MAX];
    *is_below = false;
    if (!real_path(path, at) || !realpath(place, of)) return false;
    size_t len = strlen(of);
    *is_below = strncmp(at, of, len) == 0 && at[len] && (at[len] == '/' || len == 1);
    return *is_below || strcmp(at, of) == 0;
}

bool stream_begins_otherwise(const char *path, const char *start)
{
    char first[64];
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    size_t len = strlen(start), got = fread(first, 1, len < sizeof first ? len : 0, file);
    fclose(file);
    return got && (got < len || memcmp(first, start, len) != 0);
}

/* ---- opening ----------------------------------------------------------------------------- */

static mode_t usual_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* s->real and s->temp: the name behind the last link, and a hidden one beside it. */
static bool choose_names(json_stream *s)
{
    char real[PATH_MAX], temp[PATH_MAX + 16];
    if (!real_path(s->path, real)) return false;
    size_t folder = (size_t)(strrchr(real, '/') + 1 - real);
    memcpy(temp, real, folder);
    snprintf(temp + folder, sizeof temp - folder, ".%.200s.XXXXXX", real + folder);
    s->real = mem_strndup(real, strlen(real));
    s->temp = mem_strndup(temp, strlen(temp));
    if (!s->real || !s->temp) errno = ENOMEM;
    return s->real && s->temp;
}

static int open_beside(json_stream *s, mode_t mode)
{
    int fd = choose_names(s) ? mkstemp(s->temp) : -1;
    if (fd >= 0) {
        if (fchmod(fd, mode) == 0) return fd;
        close(fd);
        unlink(s->temp);
    }
    return -1;
}

static void forget_names(json_stream *s)
{
    mem_free(s->real);
    mem_free(s->temp);
    s->real = s->temp = NULL;
}

pm_status stream_create(json_stream *s, const char *path, pm_error *err)
{
    struct stat info;
    *s = (json_stream){.file = stdout, .path = path};
    if (strcmp(path, "-") == 0) return PM_OK;
    bool there = stat(path, &info) == 0;
    int fd = there && !S_ISREG(info.st_mode)
                 ? open(path, O_WRONLY | O_CLOEXEC)
                 : open_beside(s, there ? info.st_mode & 07777 : usual_mode());
    s->file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (s->file) return PM_OK;
    pm_status st = error_os(err, errno, "%s: cannot write; name another file", path);
    forget_names(s);
    return st;
}

/* ---- writing ----------------------------------------------------------------------------- */

void stream_put(json_stream *s, json_t *value)
{
    buf line = {0};
    if (!s->file) {
        json_decref(value);
        return;
    }
    errno = 0;
    bool ok = emit_json_to(value, &line);
    if (!ok) errno = ENOMEM;
    if (ok && s->file == stdout)
        emit_data((const char *)line.data, line.len);
    else if ((!ok || fwrite(line.data, 1, line.len, s->file) != line.len) && !s->os_errno)
        s->os_errno = errno ? errno : EIO;
    buf_free(&line);
}

static void note_failure(json_stream *s)
{
    if (!s->os_errno) s->os_errno = errno ? errno : EIO;
}

pm_status stream_finish(json_stream *s, pm_error *err)
{
    pm_status st = PM_OK;
    FILE *file = s->file;
    s->file = NULL;
    if (!file) return PM_OK;
    errno = 0;
    if (file != stdout && fclose(file) != 0) note_failure(s);
    if (s->temp && (s->os_errno || rename(s->temp, s->real) != 0)) {
        note_failure(s);
        unlink(s->temp);
    }
    if (s->os_errno)
        st = error_os(err, s->os_errno, "%s: cannot write; %s", s->path,
                      s->temp ? "it is as it was" : "it is incomplete");
    forget_names(s);
    return st;
}

void stream_abandon(json_stream *s)
{
    FILE *file = s->file;
    s->file = NULL;
    if (file && file != stdout) fclose(file);
    if (s->temp) unlink(s->temp);
    forget_names(s);
}
