/* SPDX-License-Identifier: MIT
 * plugin.c - see plugin.h.
 */
#include "tests/support/plugin.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/folder.h"

/* Asked by the address sanitizer when it starts: libxapian deletes an object by the size of its
 * base class at the end of a check. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "new_delete_type_mismatch=0";
}

/* Of the leak sanitizer, where there is one. */
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);

void plugin_allow_leaks(bool allowed)
{
    if (!__lsan_disable || !__lsan_enable) return;
    if (allowed)
        __lsan_disable();
    else
        __lsan_enable();
}

/* Test programs are in BUILD/tests/KIND/. */
void plugin_use(bool throwing)
{
    char self[3000], path[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    folder_must(len > 0, "readlink", "/proc/self/exe");
    self[len] = 0;
    *strrchr(self, '/') = 0;
    snprintf(path, sizeof path, "%s/%s", self, throwing ? "../plugin" : "../..");
    setenv("PRESSMARK_PLUGINS", path, 1);
}

void plugin_fast_folders(void)
{
    if (access("/dev/shm", W_OK | X_OK) == 0) setenv("TMPDIR", "/dev/shm", 0);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

void tree_remove(const char *path)
{
    folder_must(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0, "remove", path);
}
