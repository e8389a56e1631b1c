/* SPDX-License-Identifier: MIT
 *
 * faultlib.c - a library to preload, which makes one system call or allocation fail.
 *
 * FAULT=CALL:N[+]:ERRNO  the N-th CALL (from 1) fails with ERRNO; with '+' all later ones
 * fail too.  An ERRNO of -2 sends signal 2 instead, and the call is made; 5-2 does both.  CALL is fsync,
 * fdatasync, write, rename, link, open or malloc (also calloc, realloc). write counts only files on
 * disk, so that messages still come out; open only tables of Xapian that are there.  When FAULT_LOG
 * names a file, it is created when the fault was struck.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *ptr, size_t size);

static char call[16];
static long at;
static bool onwards;
static int code, signal_sent;
static _Atomic long seen;
static _Atomic bool ready;

__attribute__((constructor)) static void setup(void)
{
    const char *spec = getenv("FAULT");
    if (!spec) return;
    size_t n = strcspn(spec, ":");
    if (n >= sizeof(call) || !spec[n]) return;
    memcpy(call, spec, n);
    char *end;
    at = strtol(spec + n + 1, &end, 10);
    if (*end == '+') {
        onwards = true;
        end++;
    }
    code = *end == ':' ? (int)strtol(end + 1, &end, 10) : EIO;
    signal_sent = code < 0 ? -code : *end == '-' ? atoi(end + 1) : 0;
    ready = true;
}

static bool strikes(const char *name)
{
    if (!ready || strcmp(call, name) != 0) return false;
    long now = atomic_fetch_add(&seen, 1) + 1;
    if (now != at && !(onwards && now > at)) return false;
    const char *log = getenv("FAULT_LOG");
    if (log) {
        long fd = syscall(SYS_openat, AT_FDCWD, log, O_CREAT | O_WRONLY, 0600);
        if (fd >= 0) syscall(SYS_close, fd);
    }
    if (signal_sent) raise(signal_sent);
    errno = code;
    return code > 0;
}

int fsync(int fd)
{
    return strikes("fsync") ? -1 : (int)syscall(SYS_fsync, fd);
}
int fdatasync(int fd)
{
    return strikes("fdatasync") ? -1 : (int)syscall(SYS_fdatasync, fd);
}
ssize_t write(int fd, const void *data, size_t len)
{
    struct stat info;
    bool on_disk = ready && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && fd > 2;
    return on_disk && strikes("write") ? -1 : syscall(SYS_write, fd, data, len);
}
static int open_file(const char *path, int flags, mode_t mode)
{
    size_t len = strlen(path);
    bool table = len > 6 && strcmp(path + len - 6, ".glass") == 0;
    if (ready && table && access(path, F_OK) == 0 && strikes("open")) return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_file(path, flags, mode);
}
int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_file(path, flags, mode);
}
int rename(const char *from, const char *to)
{
    return strikes("rename") ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
int renameat(int a, const char *from, int b, const char *to)
{
    return strikes("rename") ? -1 : (int)syscall(SYS_renameat2, a, from, b, to, 0);
}
int linkat(int a, const char *from, int b, const char *to, int flags)
{
    return strikes("link") ? -1 : (int)syscall(SYS_linkat, a, from, b, to, flags);
}

#ifndef NO_MALLOC
void *malloc(size_t size)
{
    return strikes("malloc") ? NULL : __libc_malloc(size);
}
void *calloc(size_t count, size_t size)
{
    return strikes("malloc") ? NULL : __libc_calloc(count, size);
}
void *realloc(void *ptr, size_t size)
{
    return strikes("malloc") ? NULL : __libc_realloc(ptr, size);
}
#endif
