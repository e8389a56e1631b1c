/* SPDX-License-Identifier: MIT
 * file_folder.c - an index folder once more, and folders inside it: one in the place of another,
 * and removal; see file.h.
 */
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/mem.h"

static bool refused(const char *call, const char *path)
{
    int answer = file_fault ? file_fault(call, path) : 0;
    if (answer > 0) errno = answer;
    return answer > 0;
}

pm_status dir_exchange(const dir *d, const char *a, const char *b, pm_error *err)
{
    int result;
    do result = refused("exchange", b) ? -1 : renameat2(d->fd, a, d->fd, b, RENAME_EXCHANGE);
    while (result == -1 && errno == EINTR);
    if (result == 0 && file_done)
        file_done(&(file_event){.call = "exchange", .path = b, .from = a, .fd = -1});
    if (result == 0) return PM_OK;
    return error_os(err, errno, "cannot exchange the folders %s/%s and %s", d->path, a, b);
}

pm_status dir_again(dir *d, const dir *folder, pm_error *err)
{
    *d = (dir)DIR_INIT;
    d->path = mem_strndup(folder->path, strlen(folder->path));
    if (!d->path) return error_nomem(err);
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    do d->fd = refused("open", ".") ? -1 : file_apart(openat(folder->fd, ".", flags));
    while (d->fd == -1 && errno == EINTR);
    if (d->fd >= 0) return PM_OK;
    pm_status st = error_os(err, errno, "cannot open folder %s", d->path);
    dir_close(d);
    return st;
}

/* Not through a symbolic link.  sub->fd is -1 when there is nothing of that name. */
static pm_status open_inside(const dir *d, const char *name, dir *sub, pm_error *err)
{
    *sub = (dir)DIR_INIT;
    size_t room = strlen(d->path) + strlen(name) + 2;
    sub->path = mem_alloc(room);
    if (!sub->path) return error_nomem(err);
    snprintf(sub->path, room, "%s/%s", d->path, name);
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    do sub->fd = refused("open", name) ? -1 : file_apart(openat(d->fd, name, flags));
    while (sub->fd == -1 && errno == EINTR);
    if (sub->fd >= 0 || errno == ENOENT) return PM_OK;
    return error_os(err, errno, "cannot open folder %s", sub->path);
}

static pm_status remove_file(void *ctx, const char *name, pm_error *err)
{
    return dir_unlink(ctx, name, err);
}

pm_status dir_remove(const dir *d, const char *name, pm_error *err)
{
    dir sub;
    int result = 0;
    pm_status st = open_inside(d, name, &sub, err);
    bool there = sub.fd >= 0;
    if (st == PM_OK && there) st = dir_each(&sub, remove_file, &sub, err);
    dir_close(&sub);
    if (st != PM_OK || !there) return st;
    do result = refused("rmdir", name) ? -1 : unlinkat(d->fd, name, AT_REMOVEDIR);
    while (result == -1 && errno == EINTR);
    if (result == 0 && file_done) file_done(&(file_event){.call = "rmdir", .path = name, .fd = -1});
    if (result == 0) return PM_OK;
    return error_os(err, errno, "cannot delete folder %s/%s", d->path, name);
}
