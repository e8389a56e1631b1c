/* SPDX-License-Identifier: MIT
 *
 * test_neighbours.c - what else may be in an index folder, and an index that nobody may write.
 *
 * Files, folders and links that are not the index's own stay as they are while a row of commits
 * (crash_script.h) runs, is broken off at its n-th call, and is taken up by the next writer, for
 * many n.  Names that look like the index's own but are no commit's are collected: that is how
 * orphans go.
 *
 * On a file system mounted read-only every question is answered as before, and a writer is
 * refused with EROFS and changes nothing.  Mounting needs root or a user namespace; without
 * either the test says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "tests/support/own_mounts.h"
#include "tests/support/script_place.h"

enum { COMMITS = 3, SKIPPED = 77 };

static crash_script script;

/* ---- foreign files ---------------------------------------------------------------------- */

static const char *const foreign[] = {"notes.txt",
                                      "manifest.bak",
                                      "manifest.tmp~",
                                      "1-0badcafe.seg.bak",
                                      ".hidden",
                                      "1-XYZ.seg",
                                      "LOCK.old",
                                      "a name\nof two lines",
                                      "seg",
                                      "manifest.prev1",
                                      "-rf"};
enum { FOREIGN = sizeof foreign / sizeof *foreign };

static void full_name(char out[FOLDER_PATH + 80], const char *name)
{
    snprintf(out, FOLDER_PATH + 80, "%s/%s", path, name);
}

/* Files that hold their own names, a folder with the name of a segment, a link to nowhere. */
static void put_neighbours(void)
{
    char full[FOLDER_PATH + 80];
    folder_must(mkdir(path, 0700) == 0, "make", path);
    for (unsigned i = 0; i < FOREIGN; i++)
        folder_write(path, foreign[i], foreign[i], strlen(foreign[i]));
    full_name(full, "7-00000007.seg");
    folder_must(mkdir(full, 0700) == 0, "make", full);
    full_name(full, "link");
    folder_must(symlink("/nowhere", full) == 0, "link", full);
}

/* NULL, or the name of one that is no longer as it was. */
static const char *neighbour_lost(void)
{
    char full[FOLDER_PATH + 80], bytes[100];
    struct stat info;
    for (unsigned i = 0; i < FOREIGN; i++) {
        full_name(full, foreign[i]);
        int fd = open(full, O_RDONLY | O_CLOEXEC);
        ssize_t got = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
        if (fd >= 0) close(fd);
        if (got != (ssize_t)strlen(foreign[i]) || memcmp(bytes, foreign[i], (size_t)got) != 0)
            return foreign[i];
    }
    full_name(full, "7-00000007.seg");
    if (stat(full, &info) != 0 || !S_ISDIR(info.st_mode)) return "7-00000007.seg";
    full_name(full, "link");
    return readlink(full, bytes, sizeof bytes) == 8 ? NULL : "link";
}

static void remove_all(void)
{
    char full[FOLDER_PATH + 80];
    full_name(full, "7-00000007.seg");
    folder_must(rmdir(full) == 0, "remove", full);
    folder_remove(path);
}

static struct {
    uint64_t calls, dead_from;
} fate;

static int on_call(const char *call, const char *name)
{
    (void)call;
    (void)name;
    return ++fate.calls >= fate.dead_from ? EIO : 0;
}

/* False when the run came to its end before the n-th call. */
static bool break_off(uint64_t at)
{
    pm_error err = {.status = PM_OK};
    put_neighbours();
    folder_write(path, "9-12345678.seg", "an orphan", 9);
    fate.calls = 0;
    fate.dead_from = at;
    file_fault = on_call;
    script_run(&script, path, 0, COMMITS, NULL, NULL, &err);
    file_fault = NULL;
    int seen = script_seen(&script, path, &err);
    pm_status st = seen < 0
                       ? PM_CORRUPT
                       : script_run(&script, path, (unsigned)seen, COMMITS + 1, NULL, NULL, &err);
    const char *lost = neighbour_lost();
    if (st != PM_OK || lost)
        fail_msg("call %lu: commit %d: %s %s", (unsigned long)at, seen, err.message,
                 lost ? lost : "");
    char full[FOLDER_PATH + 80];
    full_name(full, "9-12345678.seg");
    if (access(full, F_OK) == 0) fail_msg("call %lu: the orphan is still there", (unsigned long)at);
    remove_all();
    return fate.calls >= at;
}

static void foreign_files(void **state)
{
    (void)state;
    unsigned long n = 0;
    script_make(&script, script_setting("PM_TEST_SEED", 1), COMMITS, 0);
    for (uint64_t at = 1; break_off(at); at += script_slow() ? 23 : 3) n++;
    script_free(&script);
    printf("foreign files: %lu runs broken off and taken up beside %d files, a folder and a link; "
           "0 bad\n",
           n, FOREIGN);
    assert_true(n > 5);
}

/* ---- read-only media -------------------------------------------------------------------- */

static transcript before, after;

static void must(bool ok, const char *what, const char *detail)
{
    if (ok) return;
    printf("read-only: %s: %s\n", what, detail);
    fflush(stdout);
    _exit(1);
}

static void read_and_try_to_write(void)
{
    pm_error err = {.status = PM_OK};
    pm_writer *writer = NULL;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    if (!own_mounts()) _exit(SKIPPED);
    folder_must(mount("none", base, "tmpfs", 0, "size=4m") == 0, "mount", base);
    probe_build(path);
    probe_change(path);
    must(probe_all(path, &before, &err) == PM_OK, "before", err.message);
    folder_must(mount("none", base, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) == 0, "remount", base);
    must(probe_all(path, &after, &err) == PM_OK, "reading", err.message);
    must(transcript_equal(&before, &after), "reading", "other answers");
    must(pm_check(path, true, NULL, NULL, NULL, &err) == PM_OK, "check", err.message);
    pm_status st = pm_writer_open(path, &options, &writer, &err);
    must(st == PM_IO && err.os_errno == EROFS && !writer, "a writer", err.message);
    must(strstr(err.message, path) != NULL, "a writer's message", err.message);
    must(probe_all(path, &after, &err) == PM_OK, "afterwards", err.message);
    must(transcript_equal(&before, &after), "afterwards", "other answers");
    _exit(0);
}

static void read_only_media(void **state)
{
    (void)state;
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    folder_must(pid >= 0, "fork", "");
    if (pid == 0) read_and_try_to_write();
    folder_must(waitpid(pid, &status, 0) == pid, "wait", "");
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
        printf("read-only: skipped: neither root nor user namespaces, so nothing can be mounted\n");
        return;
    }
    assert_int_equal(status, 0);
    printf("read-only: 3 cases: all answers as before, the writer refused; 0 bad\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_files),
        cmocka_unit_test(read_only_media),
    };
    return cmocka_run_group_tests(tests, make_place, remove_place);
}
