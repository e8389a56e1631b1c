/* SPDX-License-Identifier: MIT
 *
 * test_full_disk.c - a disk that really is full: small file systems in memory, of growing size.
 *
 * A run of commits (crash_script.h) goes on until one is refused.  That must be PM_IO with
 * ENOSPC, the index must show the last acknowledged commit, and once there is room the next
 * writer goes on and leaves nothing over.  The same with few inodes.  Mounting needs root or a
 * user namespace; without either the test says so and is skipped.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/crash_script.h"
#include "tests/support/own_mounts.h"

enum { COMMITS = 12, SKIPPED = 77 };

typedef struct tally {
    unsigned long sizes, full, whole, bad;
    char first_bad[300];
} tally;

static crash_script script;
static char base[FOLDER_PATH], path[FOLDER_PATH + 8];
static tally *count;

static unsigned acknowledged;

static void on_acknowledged(void *ctx, unsigned k)
{
    (void)ctx;
    acknowledged = k;
}

static void bad(const char *size, const char *what, const char *detail)
{
    if (count->bad++ == 0)
        snprintf(count->first_bad, sizeof count->first_bad, "%s, after commit %u: %s: %.150s", size,
                 acknowledged, what, detail);
}

/* What a commit that was refused must leave. */
static void examine(const char *size, pm_status st, pm_error *err)
{
    char orphan[SCRIPT_NAME];
    if (st != PM_IO || err->os_errno != ENOSPC) bad(size, pm_status_name(st), err->message);
    if (script_seen(&script, path, err) != (int)acknowledged)
        bad(size, "not the last commit", err->message);
    folder_must(mount("none", base, "tmpfs", MS_REMOUNT, "size=4m,nr_inodes=100") == 0, "enlarge",
                size);
    unsigned next = acknowledged + 1;
    if (script_run(&script, path, acknowledged, next, NULL, NULL, err) != PM_OK)
        bad(size, "with room again", err->message);
    if (script_seen(&script, path, err) != (int)next) bad(size, "the next commit", err->message);
    if (script_orphan(path, orphan)) bad(size, "a file is left over", orphan);
    if (pm_check(path, true, NULL, NULL, NULL, err) != PM_OK) bad(size, "check", err->message);
}

static void try_size(const char *size)
{
    pm_error err = {.status = PM_OK};
    folder_must(mount("none", base, "tmpfs", 0, size) == 0, "mount", size);
    acknowledged = 0;
    pm_status st = script_run(&script, path, 0, COMMITS, on_acknowledged, NULL, &err);
    count->sizes++;
    if (st != PM_OK) {
        count->full++;
        examine(size, st, &err);
    } else {
        count->whole++;
        if (script_seen(&script, path, &err) != COMMITS) bad(size, "not the last", err.message);
    }
    folder_must(umount(base) == 0, "unmount", base);
}

static void all_sizes(void)
{
    char size[64];
    if (!own_mounts()) _exit(SKIPPED);
    unsigned step = script_slow() ? 16 : 4;
    for (unsigned kib = 4; kib <= 320; kib += step) {
        snprintf(size, sizeof size, "size=%uk", kib);
        try_size(size);
    }
    for (unsigned inodes = 2; inodes <= 24; inodes++) {
        snprintf(size, sizeof size, "size=4m,nr_inodes=%u", inodes);
        try_size(size);
    }
    _exit(0);
}

static void small_disks(void **state)
{
    (void)state;
    int status = 0;
    double begun = script_clock();
    script_make(&script, script_setting("PM_TEST_SEED", 1), COMMITS, 0);
    folder_make(base);
    snprintf(path, sizeof path, "%s/idx", base);
    count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    folder_must(count != MAP_FAILED, "map", "");
    fflush(stdout);
    pid_t pid = fork();
    folder_must(pid >= 0, "fork", "");
    if (pid == 0) all_sizes();
    folder_must(waitpid(pid, &status, 0) == pid, "wait", "");
    rmdir(base);
    script_free(&script);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
        printf("full disk: skipped: neither root nor user namespaces, so nothing can be mounted\n");
        munmap(count, sizeof *count);
        return;
    }
    printf("full disk: %lu sizes, %lu full, %lu with room for all, %lu bad, %.1f s\n", count->sizes,
           count->full, count->whole, count->bad, script_clock() - begun);
    tally sum = *count;
    munmap(count, sizeof *count);
    assert_int_equal(status, 0);
    if (sum.bad) fail_msg("%s", sum.first_bad);
    assert_true(sum.full > 5 && sum.whole > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(small_disks)};
    unsetenv("PRESSMARK_SEED");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
