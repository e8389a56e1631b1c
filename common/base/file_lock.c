/* SPDX-License-Identifier: MIT
 * file_lock.c - of a folder that is locked: whether it still is, and what LOCK says; see file.h.
 */
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* True (and errno set) when a test refuses the call; *len falls when it cuts a transfer. */
static bool refused(const char *call, size_t *len)
{
    int answer = file_fault ? file_fault(call, "LOCK") : 0;
    if (answer > 0) errno = answer;
    if (answer < 0 && *len > (size_t) - (int64_t)answer) *len = (size_t) - (int64_t)answer;
    return answer > 0;
}

/* What is open when fd is not -1, else what has the name. */
static int look(int fd, const dir *d, struct stat *info)
{
    int result;
    size_t none = 0;
    do
        if (refused(fd >= 0 ? "fstat" : "stat", &none))
            result = -1;
        else
            result = fd >= 0 ? fstat(fd, info) : fstatat(d->fd, "LOCK", info, AT_SYMLINK_NOFOLLOW);
    while (result == -1 && errno == EINTR);
    return result;
}

pm_status dir_lock_holds(const dir *d, pm_error *err)
{
    struct stat held, there;
    if (d->lock_fd < 0) return PM_OK;
    bool known = look(d->lock_fd, d, &held) == 0 && look(-1, d, &there) == 0;
    if (!known && errno != ENOENT) return error_os(err, errno, "cannot look at %s/LOCK", d->path);
    if (known && held.st_ino == there.st_ino && held.st_dev == there.st_dev) return PM_OK;
    return error_set(
        err, PM_BUSY,
        "%s/LOCK was deleted while it was held, which lets a second writer in; nothing "
        "more is committed by this one; try again",
        d->path);
}

bool dir_lock_read(const dir *d, void *text, size_t room, size_t *len)
{
    *len = 0;
    while (d->lock_fd >= 0 && *len < room) {
        size_t take = room - *len;
        ssize_t got = refused("read", &take)
                          ? -1
                          : pread(d->lock_fd, (uint8_t *)text + *len, take, (off_t)*len);
        if (got == 0) return true;
        if (got > 0) *len += (size_t)got;
        if (got == -1 && errno != EINTR) return false;
    }
    return d->lock_fd >= 0;
}

void dir_lock_write(const dir *d, const void *text, size_t len)
{
    for (size_t done = 0; d->lock_fd >= 0 && done < len;) {
        const uint8_t *from = (const uint8_t *)text + done;
        size_t take = len - done;
        ssize_t put = refused("write", &take) ? -1 : pwrite(d->lock_fd, from, take, (off_t)done);
        if (put == 0 || (put == -1 && errno != EINTR)) return;
        if (put == -1) continue;
        if (file_done)
            file_done(&(file_event){.call = "write",
                                    .path = "LOCK",
                                    .fd = d->lock_fd,
                                    .data = from,
                                    .len = (size_t)put});
        done += (size_t)put;
    }
}
