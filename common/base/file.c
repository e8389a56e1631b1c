/* SPDX-License-Identifier: MIT
 * file.c - system calls on files, which only file*.c make in the library (INV-3); see file.h.
 *
 * First the sys_ functions: one for each system call, each asking file_fault first and
 * retrying EINTR.  Then what the headers promise, in their order.  Rules that hold:
 *   - an fsync is made on the descriptor that wrote, before its close, and never repeated
 *     after it failed: the kernel may have marked the pages clean ("fsyncgate");
 *   - close is checked, and never retried: on Linux the descriptor is gone either way;
 *   - names in an index folder are opened relative to it, never through a symbolic link;
 *   - no file gets the number of standard input, output or error.
 */
#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"

int (*file_fault)(const char *call, const char *path);
void (*file_done)(const file_event *event);

/* The page cache keeps what one write brought in one piece, and a map of it comes and goes in such
 * pieces: small ones keep the memory of those who read here and there small. */
enum { OUTFILE_BUFFER = 128 << 10, READ_BYTES = 16 << 10 };

/* ---- system calls -------------------------------------------------------------------- */

/* True (and errno set) when a test refuses the call; *len falls when it cuts a transfer. */
static bool sys_refused_transfer(const char *call, const char *path, size_t *len)
{
    int answer = file_fault ? file_fault(call, path) : 0;
    if (answer > 0) errno = answer;
    if (answer < 0 && *len > (size_t) - (int64_t)answer) *len = (size_t) - (int64_t)answer;
    return answer > 0;
}

static bool sys_refused(const char *call, const char *path)
{
    size_t none = 0;
    return sys_refused_transfer(call, path, &none);
}

/* Tell a test what was done; errno stays. */
static void sys_done(int result, const file_event *event)
{
    if (result != -1 && file_done) file_done(event);
}

/* Evaluate a system call until it is not interrupted. */
#define SYS_RETRY(result, call, path, expr)                                                        \
    do {                                                                                           \
        result = sys_refused(call, path) ? -1 : (expr);                                            \
    } while (result == -1 && errno == EINTR)

int file_apart(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO) return fd;
    int apart = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), why = errno;
    close(fd);
    errno = why;
    return apart;
}

static int sys_open(int at, const char *name, int flags, mode_t mode)
{
    int fd;
    SYS_RETRY(fd, "open", name, file_apart(openat(at, name, flags | O_CLOEXEC, mode)));
    sys_done(fd, &(file_event){.call = "open", .path = name, .fd = fd, .flags = flags});
    return fd;
}

/* EINTR is no failure: nothing was promised that fsync did not already keep. */
static int sys_close(int fd, const char *path)
{
    bool refused = sys_refused("close", path);
    int refusal = errno;
    int result = close(fd);
    if (refused) {
        errno = refusal;
        result = -1;
    }
    return result == -1 && errno == EINTR ? 0 : result;
}

static int sys_fsync(int fd, const char *path)
{
    int result;
    SYS_RETRY(result, "fsync", path, fsync(fd));
    sys_done(result, &(file_event){.call = "fsync", .path = path, .fd = fd});
    return result;
}

static int sys_fstat(int fd, const char *path, struct stat *st)
{
    int result;
    SYS_RETRY(result, "fstat", path, fstat(fd, st));
    return result;
}

static ssize_t sys_read(int fd, const char *path, void *data, size_t len)
{
    ssize_t got;
    do got = sys_refused_transfer("read", path, &len) ? -1 : read(fd, data, len);
    while (got == -1 && errno == EINTR);
    return got;
}

/* All of it; on failure errno says why. */
static bool sys_write_all(int fd, const char *path, const uint8_t *data, size_t len)
{
    while (len) {
        size_t take = len;
        ssize_t put = sys_refused_transfer("write", path, &take) ? -1 : write(fd, data, take);
        if (put == -1 && errno == EINTR) continue;
        if (put <= 0) {
            if (put == 0) errno = ENOSPC;
            return false;
        }
        sys_done(0, &(file_event){
                        .call = "write", .path = path, .fd = fd, .data = data, .len = (size_t)put});
        data += put;
        len -= (size_t)put;
    }
    return true;
}

/* ---- an index folder ----------------------------------------------------------------- */

pm_status dir_open(dir *d, const char *path, bool *absent, pm_error *err)
{
    *d = (dir)DIR_INIT;
    if (absent) *absent = false;
    d->fd = sys_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    if (d->fd < 0 && errno == ENOENT) {
        if (absent) *absent = true;
        return error_set(err, PM_USAGE, "no index at %s; make one with 'pressmark index'", path);
    }
    if (d->fd < 0 && errno == ENOTDIR)
        return error_set(err, PM_USAGE, "%s is not a folder, so it is no index", path);
    if (d->fd < 0) return error_os(err, errno, "cannot open folder %s", path);
    d->path = mem_strndup(path, strlen(path));
    if (d->path) return PM_OK;
    dir_close(d);
    return error_nomem(err);
}

void dir_close(dir *d)
{
    struct flock none = {.l_type = F_UNLCK};
    if (d->lock_fd >= 0 && d->locked_by == getpid()) fcntl(d->lock_fd, F_OFD_SETLK, &none);
    if (d->lock_fd >= 0) sys_close(d->lock_fd, "LOCK");
    if (d->fd >= 0) sys_close(d->fd, d->path);
    mem_free(d->path);
    *d = (dir)DIR_INIT;
}

/* fsync the folder that holds the folder `path`, also when that is "." or a link.  A folder that
 * may not be read cannot be synced: that is an error only when `must`. */
static pm_status parent_sync(const char *path, bool must, pm_error *err)
{
    size_t len = strlen(path);
    char *parent = mem_alloc(len + sizeof "/..");
    if (!parent) return error_nomem(err);
    memcpy(parent, path, len);
    memcpy(parent + len, "/..", sizeof "/..");
    pm_status st = PM_OK;
    int fd = sys_open(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) {
        if (must) st = error_os(err, errno, "cannot open folder %s", parent);
    } else {
        if (sys_fsync(fd, parent) != 0) st = error_os(err, errno, "cannot sync folder %s", parent);
        if (sys_close(fd, parent) != 0 && st == PM_OK)
            st = error_os(err, errno, "cannot close folder %s", parent);
    }
    mem_free(parent);
    return st;
}

pm_status dir_create(const char *path, pm_error *err)
{
    int result;
    SYS_RETRY(result, "mkdir", path, mkdir(path, 0777));
    sys_done(result, &(file_event){.call = "mkdir", .path = path, .fd = -1});
    if (result == 0) return parent_sync(path, true, err);
    if (errno == ENOENT)
        return error_os(err, errno, "cannot make folder %s; make the one above it first", path);
    if (errno != EEXIST) return error_os(err, errno, "cannot make folder %s", path);
    file_info info;
    pm_error lost;
    if (file_stat(path, &info, &lost) != PM_OK && lost.os_errno == ENOENT)
        return error_os(err, ENOENT, "cannot make folder %s; make the one that this link names",
                        path);
    /* Made by a run that may not have come as far as its sync. */
    return parent_sync(path, false, err);
}

pm_status dir_lock(dir *d, pm_error *err)
{
    d->lock_fd = sys_open(d->fd, "LOCK", O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0644);
    if (d->lock_fd < 0) return error_os(err, errno, "cannot open %s/LOCK", d->path);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int result;
    SYS_RETRY(result, "lock", "LOCK", fcntl(d->lock_fd, F_OFD_SETLK, &lock));
    d->locked_by = getpid();
    if (result == 0) return PM_OK;
    int why = errno;
    sys_close(d->lock_fd, "LOCK");
    d->lock_fd = -1;
    if (why == EAGAIN || why == EACCES)
        return error_set(err, PM_BUSY, "another writer holds %s/LOCK; try again when it is done",
                         d->path);
    return error_os(err, why, "cannot lock %s/LOCK", d->path);
}

pm_status dir_sync(const dir *d, pm_error *err)
{
    if (sys_fsync(d->fd, d->path) == 0) return PM_OK;
    return error_os(err, errno, "cannot sync folder %s", d->path);
}

pm_status dir_sync_all(const dir *d, pm_error *err)
{
    int result;
    SYS_RETRY(result, "syncfs", d->path, syncfs(d->fd));
    sys_done(result, &(file_event){.call = "syncfs", .path = d->path, .fd = d->fd});
    if (result == 0) return PM_OK;
    return error_os(err, errno, "cannot sync the file system of %s", d->path);
}

pm_status dir_rename(const dir *d, const char *from, const char *to, pm_error *err)
{
    int result;
    SYS_RETRY(result, "rename", to, renameat(d->fd, from, d->fd, to));
    sys_done(result, &(file_event){.call = "rename", .path = to, .from = from, .fd = -1});
    if (result == 0) return PM_OK;
    return error_os(err, errno, "cannot rename %s/%s to %s", d->path, from, to);
}

pm_status dir_link(const dir *d, const char *from, const char *to, pm_error *err)
{
    int result;
    SYS_RETRY(result, "link", to, linkat(d->fd, from, d->fd, to, 0));
    sys_done(result, &(file_event){.call = "link", .path = to, .from = from, .fd = -1});
    if (result == 0) return PM_OK;
    return error_os(err, errno, "cannot link %s/%s to %s", d->path, from, to);
}

pm_status dir_unlink(const dir *d, const char *name, pm_error *err)
{
    int result;
    SYS_RETRY(result, "unlink", name, unlinkat(d->fd, name, 0));
    sys_done(result, &(file_event){.call = "unlink", .path = name, .fd = -1});
    if (result == 0 || errno == ENOENT) return PM_OK;
    return error_os(err, errno, "cannot delete %s/%s", d->path, name);
}

/* ---- listing ------------------------------------------------------------------------- */

typedef struct name_list {
    char **names;
    size_t n, cap;
} name_list;

static void name_list_free(name_list *list)
{
    for (size_t i = 0; i < list->n; i++) mem_free(list->names[i]);
    mem_free(list->names);
}

static int name_order(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

static pm_status name_list_read(name_list *list, DIR *stream, const char *path, bool hidden,
                                pm_error *err)
{
    for (;;) {
        errno = 0;
        struct dirent *entry = sys_refused("readdir", path) ? NULL : readdir(stream);
        if (!entry && errno == EINTR) continue;
        if (!entry && errno) return error_os(err, errno, "cannot read folder %s", path);
        if (!entry) break;
        const char *name = entry->d_name;
        if (name[0] == '.' && (!hidden || !name[1] || (name[1] == '.' && !name[2]))) continue;
        if (!mem_grow(&list->names, &list->cap, list->n + 1, sizeof *list->names))
            return error_nomem(err);
        list->names[list->n] = mem_strndup(name, strlen(name));
        if (!list->names[list->n]) return error_nomem(err);
        list->n++;
    }
    if (list->n) qsort(list->names, list->n, sizeof *list->names, name_order);
    return PM_OK;
}

/* Takes over fd. */
static pm_status each_name(int fd, const char *path, bool hidden,
                           pm_status (*fn)(void *ctx, const char *name, pm_error *err), void *ctx,
                           pm_error *err)
{
    DIR *stream = fdopendir(fd);
    if (!stream) {
        int why = errno;
        sys_close(fd, path);
        return error_os(err, why, "cannot read folder %s", path);
    }
    name_list list = {0};
    pm_status st = name_list_read(&list, stream, path, hidden, err);
    closedir(stream);
    for (size_t i = 0; i < list.n && st == PM_OK; i++) st = fn(ctx, list.names[i], err);
    name_list_free(&list);
    return st;
}

pm_status dir_each(const dir *d, pm_status (*fn)(void *ctx, const char *name, pm_error *err),
                   void *ctx, pm_error *err)
{
    int fd = sys_open(d->fd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return error_os(err, errno, "cannot open folder %s", d->path);
    return each_name(fd, d->path, true, fn, ctx, err);
}

pm_status file_each(const char *folder, pm_status (*fn)(void *ctx, const char *name, pm_error *err),
                    void *ctx, pm_error *err)
{
    int fd = sys_open(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0);
    if (fd < 0) return error_os(err, errno, "cannot open folder %s", folder);
    return each_name(fd, folder, false, fn, ctx, err);
}

/* ---- reading in an index folder ------------------------------------------------------ */

static pm_status corrupt_file(const dir *d, const char *name, const char *what, pm_error *err)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", d->path, name);
    return error_corrupt(err, path, 0, "file", what);
}

/* Open a regular file and stat it.  Where it may be absent (absent is not NULL) and is, *fd is -1.
 */
static pm_status dir_open_file(const dir *d, const char *name, bool *absent, int *fd,
                               struct stat *info, pm_error *err)
{
    *fd = sys_open(d->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    bool missing = *fd < 0 && errno == ENOENT;
    if (absent) *absent = missing;
    if (missing) return absent ? PM_OK : corrupt_file(d, name, "is missing", err);
    if (*fd < 0 && errno == ELOOP) return corrupt_file(d, name, "is a symbolic link", err);
    if (*fd < 0) return error_os(err, errno, "cannot open %s/%s", d->path, name);
    pm_status st = PM_OK;
    if (sys_fstat(*fd, name, info) != 0)
        st = error_os(err, errno, "cannot stat %s/%s", d->path, name);
    else if (!S_ISREG(info->st_mode))
        st = corrupt_file(d, name, "is not a regular file", err);
    if (st != PM_OK) sys_close(*fd, name);
    return st;
}

pm_status dir_read(const dir *d, const char *name, uint64_t max, buf *out, bool *absent,
                   pm_error *err)
{
    struct stat info;
    int fd;
    pm_status st = dir_open_file(d, name, absent, &fd, &info, err);
    if (st != PM_OK || fd < 0) return st;
    size_t begin = out->len;
    for (;;) {
        if (!buf_reserve(out, READ_BYTES)) {
            st = error_nomem(err);
            break;
        }
        ssize_t got = sys_read(fd, name, out->data + out->len, READ_BYTES);
        if (got < 0) st = error_os(err, errno, "cannot read %s/%s", d->path, name);
        if (got <= 0) break;
        out->len += (size_t)got;
        if (out->len - begin > max) {
            st = corrupt_file(d, name, "is larger than it can be", err);
            break;
        }
    }
    sys_close(fd, name);
    return st;
}

pm_status map_open(map *m, const dir *d, const char *name, bool *absent, pm_error *err)
{
    struct stat info;
    int fd;
    *m = (map){0};
    pm_status st = dir_open_file(d, name, absent, &fd, &info, err);
    if (st != PM_OK || fd < 0) return st;
    if (info.st_size > 0) {
        void *data = MAP_FAILED;
        if (!sys_refused("mmap", name))
            data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (data == MAP_FAILED)
            st = error_os(err, errno, "cannot map %s/%s", d->path, name);
        else
            *m = (map){data, (size_t)info.st_size};
    }
    sys_close(fd, name);
    return st;
}

void map_close(map *m)
{
    union {
        const uint8_t *mapped;
        void *any;
    } at = {m->data};
    if (m->data) munmap(at.any, m->len);
    *m = (map){0};
}

void map_release(const map *m)
{
    union {
        const uint8_t *mapped;
        void *any;
    } at = {m->data};
    if (!m->data) return;
    /* Advice: when it is refused nothing is lost.  Huge pages would come back by the megabyte. */
    madvise(at.any, m->len, MADV_NOHUGEPAGE);
    madvise(at.any, m->len, MADV_DONTNEED);
}

/* ---- write-once files ---------------------------------------------------------------- */

static void outfile_fail(outfile *f, const char *verb)
{
    if (f->failed) return;
    f->failed = true;
    error_os(&f->first, errno, "cannot %s %s at offset %llu", verb, f->path,
             (unsigned long long)f->len);
    f->first.offset = f->len;
}

pm_status outfile_create(outfile *f, const dir *d, const char *name, bool exclusive, pm_error *err)
{
    *f = (outfile)OUTFILE_INIT;
    size_t len = strlen(d->path) + strlen(name) + 2;
    f->path = mem_alloc(len);
    f->buffer = mem_alloc(OUTFILE_BUFFER);
    if (!f->path || !f->buffer) {
        outfile_abandon(f);
        return error_nomem(err);
    }
    snprintf(f->path, len, "%s/%s", d->path, name);
    f->watch = d->watch;
    f->watch_ctx = d->watch_ctx;
    int flags = O_CREAT | O_WRONLY | O_NOFOLLOW | (exclusive ? O_EXCL : O_TRUNC);
    f->fd = sys_open(d->fd, name, flags, 0644);
    if (f->fd >= 0) return PM_OK;
    pm_status st = error_os(err, errno, "cannot create %s", f->path);
    outfile_abandon(f);
    return st;
}

static void outfile_put(outfile *f, const uint8_t *data, size_t len)
{
    if (f->failed) return;
    bool go_on = !f->watch || f->watch(f->watch_ctx, len);
    if (!go_on) errno = ECANCELED;
    if (!go_on || !sys_write_all(f->fd, f->path, data, len)) outfile_fail(f, "write");
}

static void outfile_flush(outfile *f)
{
    outfile_put(f, f->buffer, f->buffered);
    f->buffered = 0;
}

void outfile_write(outfile *f, const void *data, size_t len)
{
    if (f->failed || !len) return;
    if (len > OUTFILE_BUFFER - f->buffered) outfile_flush(f);
    if (f->failed) return;
    if (len >= OUTFILE_BUFFER) {
        outfile_put(f, data, len);
    } else {
        memcpy(f->buffer + f->buffered, data, len);
        f->buffered += len;
    }
    f->len += len;
}

pm_status outfile_finish(outfile *f, bool sync, pm_error *err)
{
    outfile_flush(f);
    if (sync && !f->failed && sys_fsync(f->fd, f->path) != 0) outfile_fail(f, "sync");
    int fd = f->fd;
    f->fd = -1;
    if (fd >= 0 && sys_close(fd, f->path) != 0) outfile_fail(f, "close");
    pm_status st = f->failed ? f->first.status : PM_OK;
    if (st != PM_OK && err) *err = f->first;
    outfile_abandon(f);
    return st;
}

void outfile_abandon(outfile *f)
{
    if (f->fd >= 0) sys_close(f->fd, f->path);
    mem_free(f->buffer);
    mem_free(f->path);
    *f = (outfile)OUTFILE_INIT;
}

/* ---- inputs -------------------------------------------------------------------------- */

pm_status file_stat(const char *path, file_info *out, pm_error *err)
{
    struct stat info;
    int result;
    *out = (file_info){0};
    SYS_RETRY(result, "stat", path, lstat(path, &info));
    if (result == 0 && S_ISLNK(info.st_mode)) {
        out->is_link = true;
        SYS_RETRY(result, "stat", path, stat(path, &info));
    }
    if (result != 0) return error_os(err, errno, "cannot read %s", path);
    out->is_dir = S_ISDIR(info.st_mode);
    out->is_regular = S_ISREG(info.st_mode);
    out->size = info.st_size > 0 ? (uint64_t)info.st_size : 0;
    out->number = info.st_ino;
    if (__builtin_mul_overflow((int64_t)info.st_ctim.tv_sec, (int64_t)1000000000,
                               &out->changed_ns) ||
        __builtin_add_overflow(out->changed_ns, (int64_t)info.st_ctim.tv_nsec, &out->changed_ns))
        out->changed_ns = 0;
    return PM_OK;
}

pm_status infile_open(infile *f, const char *path, pm_error *err)
{
    struct stat info;
    bool is_stdin = strcmp(path, "-") == 0;
    *f = (infile)INFILE_INIT;
    f->path = mem_strndup(path, strlen(path));
    if (!f->path) return error_nomem(err);
    f->fd = is_stdin ? STDIN_FILENO : sys_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    pm_status st = PM_OK;
    if (f->fd < 0 || sys_fstat(f->fd, path, &info) != 0)
        st = error_os(err, errno, "cannot open %s", path);
    else if (!is_stdin && !S_ISREG(info.st_mode))
        st = error_set(err, PM_IO, "%s is not a regular file", path);
    if (st != PM_OK) infile_close(f);
    return st;
}

int infile_stop_fd = -1;

/* Waits for standard input, where somebody may end that; true when he did. */
static bool is_stopped(const infile *f)
{
    struct pollfd wait[] = {{f->fd, POLLIN, 0}, {infile_stop_fd, POLLIN, 0}};
    if (f->fd != STDIN_FILENO || infile_stop_fd < 0) return false;
    while (poll(wait, 2, -1) < 0 && errno == EINTR) continue;
    return wait[1].revents != 0;
}

pm_status infile_read(infile *f, void *data, size_t cap, size_t *got, pm_error *err)
{
    *got = 0;
    for (;;) {
        if (is_stopped(f)) return PM_OK;
        ssize_t n = sys_read(f->fd, f->path, data, cap);
        if (n >= 0) {
            *got = (size_t)n;
            return PM_OK;
        }
        struct pollfd wait = {f->fd, POLLIN, 0}; /* of a pipe left non-blocking            */
        if (errno != EAGAIN || (poll(&wait, 1, -1) < 0 && errno != EINTR))
            return error_os(err, errno, "cannot read %s", f->path);
    }
}

void infile_close(infile *f)
{
    if (f->fd > STDIN_FILENO) sys_close(f->fd, f->path);
    mem_free(f->path);
    *f = (infile)INFILE_INIT;
}
