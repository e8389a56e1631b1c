/* SPDX-License-Identifier: MIT
 *
 * own_mounts.c - see own_mounts.h.
 */
#include "tests/support/own_mounts.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static void put_file(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, text, strlen(text)) < 0) fprintf(stderr, "%s: no\n", name);
    if (fd >= 0) close(fd);
}

bool own_mounts(void)
{
    if (unshare(CLONE_NEWNS) != 0) {
        char map[64];
        snprintf(map, sizeof map, "0 %u 1", (unsigned)getuid());
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
        put_file("/proc/self/setgroups", "deny");
        put_file("/proc/self/uid_map", map);
    }
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}
