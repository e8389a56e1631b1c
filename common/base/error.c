/* SPDX-License-Identifier: MIT
 * error.c - see error.h.
 */
#include "common/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *pm_status_name(pm_status status)
{
    static const char *const names[] = {
        "ok",
        "out of memory",
        "read or write failed",
        "damaged index",
        "usage",
        "another writer holds the index",
        "incomplete",
        "durability unknown",
    };
    return (unsigned)status < sizeof names / sizeof *names ? names[status] : "unknown status";
}

/* A message may go to a terminal. */
static void sanitize(pm_error *err)
{
    for (char *p = err->message; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
}

PM_PRINTF(4, 0)
static void error_fill(pm_error *err, pm_status status, int os_errno, const char *fmt, va_list args)
{
    err->status = status;
    err->os_errno = os_errno;
    err->offset = 0;
    vsnprintf(err->message, sizeof err->message, fmt, args);
    sanitize(err);
}

pm_status error_set(pm_error *err, pm_status status, const char *fmt, ...)
{
    if (err) {
        va_list args;
        va_start(args, fmt);
        error_fill(err, status, 0, fmt, args);
        va_end(args);
    }
    return status;
}

/* What to do about what the system says.  Empty where that is silent, or was said to somebody who
 * stopped the run. */
static const char *advice_of(int os_errno)
{
    switch (os_errno) {
    case 0:
    case ECANCELED:
    case EPIPE:
        return "";
    case ENOSPC:
    case EDQUOT:
        return "; free some space there, then try again";
    case EACCES:
    case EPERM:
        return "; ask for permission, or run as somebody who has it";
    case EROFS:
        return "; choose a place that can be written to";
    case EIO:
        return "; the system's log says more of the disk";
    case EBADF:
        return "; start the program with it open";
    case EFBIG:
        return "; raise the limit of file sizes (ulimit -f)";
    case ENAMETOOLONG:
        return "; choose a shorter name";
    case EMFILE:
    case ENFILE:
        return "; raise the limit of open files (ulimit -n)";
    case ENOMEM:
        return "; give the process more memory, or less to do at once";
    case EISDIR:
    case ELOOP:
    case ENXIO:
        return "; move away what stands there";
    case ENOENT:
    case ENOTDIR:
        return "; look at the path";
    case ENOLCK:
    case ENOSYS:
    case EOPNOTSUPP:
        return "; choose a place on another file system";
    default:
        return "; try again, or choose another place";
    }
}

pm_status error_os(pm_error *err, int os_errno, const char *fmt, ...)
{
    if (err) {
        va_list args;
        va_start(args, fmt);
        error_fill(err, PM_IO, os_errno, fmt, args);
        va_end(args);
        size_t used = strlen(err->message);
        snprintf(err->message + used, sizeof err->message - used, ": %s%s", strerror(os_errno),
                 advice_of(os_errno));
    }
    return PM_IO;
}

pm_status error_nomem(pm_error *err)
{
    return error_set(err, PM_NOMEM, "out of memory: give the process more, or less to do at once");
}

static const char next_step[] =
    "; run 'pressmark check', restore a copy, or delete the folder and index again";

pm_status error_corrupt(pm_error *err, const char *path, uint64_t offset, const char *section,
                        const char *what)
{
    error_set(err, PM_CORRUPT, "%s: damaged at offset %llu (%s): %s%s", path,
              (unsigned long long)offset, section, what, next_step);
    if (err) err->offset = offset;
    return PM_CORRUPT;
}

void error_corrupt_parts(const pm_error *err, error_parts *out)
{
    char mark[48];
    snprintf(mark, sizeof mark, ": damaged at offset %llu (", (unsigned long long)err->offset);
    const char *section = strstr(err->message, mark), *end = NULL;
    if (section) section += strlen(mark);
    if (section) end = strstr(section, "): ");
    bool whole = end && (size_t)(end - section) < sizeof out->section;
    const char *what = whole ? end + 3 : err->message, *next = strstr(what, next_step);
    snprintf(out->section, sizeof out->section, "%.*s", whole ? (int)(end - section) : 4,
             whole ? section : "file");
    snprintf(out->what, sizeof out->what, "%.*s",
             (int)(next ? (size_t)(next - what) : strlen(what)), what);
}
