/* SPDX-License-Identifier: MIT
 *
 * test_lost_map.c - mapped files that can no longer be read, under a writer and on a bad disk.
 *
 * A writer that merges has its segments cut short by someone else at the n-th of its system
 * calls, for all n and several lengths.  It dies by the signal, or fails, or is already done with
 * them; once the bytes are back the index must be the commit before or the new one, and the next
 * writer goes on.  (The library has no handler; the program's is tried in tests/cli/lost.bats.)
 *
 * A disk that refuses every read from one moment on (logged_disk.h) makes the program end
 * with one line and exit code 5, whether it reads, maps or writes; nothing is lost when the disk
 * is well again.  Needs root, FUSE and loop devices; says so where one is missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "tests/support/crash_script.h"
#include "tests/support/logged_disk.h"

static char base[FOLDER_PATH], path[FOLDER_PATH + 8];
static transcript old_answers, new_answers, answers;

static pm_status optimize(pm_error *err)
{
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    pm_writer *writer = NULL;
    options.threads = 1;
    options.memory_bytes = 16u << 20;
    pm_status st = pm_writer_open(path, &options, &writer, err);
    if (st == PM_OK) st = pm_writer_optimize(writer, NULL, err);
    pm_writer_close(writer);
    return st;
}

/* ---- segments cut short under a writer -------------------------------------------------- */

static folder_image two;
static struct {
    uint64_t calls, at;
    off_t left;
} cut;

/* Cut every segment of the commit at the n-th call. */
static int on_call(const char *call, const char *name)
{
    (void)call;
    (void)name;
    if (++cut.calls != cut.at) return 0;
    for (size_t i = 0; i < two.n; i++) {
        const folder_file *f = &two.files[i];
        if (!strstr(f->name, ".seg") || (size_t)cut.left > f->len) continue;
        char full[FOLDER_PATH + 80];
        snprintf(full, sizeof full, "%s/%s", path, f->name);
        folder_must(truncate(full, cut.left) == 0 || errno == ENOENT, "cut", full);
    }
    return 0;
}

typedef struct ends {
    unsigned long died, failed, done;
} ends;

/* 0 when the writer came to its end before the n-th call. */
static bool cut_at(uint64_t at, off_t left, ends *e)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    folder_must(pid >= 0, "fork", "");
    if (pid == 0) {
        pm_error err = {.status = PM_OK};
        signal(SIGBUS, SIG_DFL); /* sanitizers have a handler of their own                  */
        cut.at = at;
        cut.left = left;
        file_fault = on_call;
        pm_status st = optimize(&err);
        _exit(cut.calls < at ? 2 : st != PM_OK);
    }
    folder_must(waitpid(pid, &status, 0) == pid, "wait for", "a writer");
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGBUS)
        fail_msg("call %lu: signal %d", (unsigned long)at, WTERMSIG(status));
    e->died += WIFSIGNALED(status);
    e->failed += WIFEXITED(status) && WEXITSTATUS(status) == 1;
    e->done += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return !WIFEXITED(status) || WEXITSTATUS(status) != 2;
}

/* What was cut and is still there gets its bytes back. */
static void give_back(void)
{
    for (size_t i = 0; i < two.n; i++) {
        char full[FOLDER_PATH + 80];
        const folder_file *f = &two.files[i];
        snprintf(full, sizeof full, "%s/%s", path, f->name);
        if (strstr(f->name, ".seg") && access(full, F_OK) == 0)
            folder_write(path, f->name, f->data, f->len);
    }
}

static void verify(uint64_t at, off_t left)
{
    pm_error err = {.status = PM_OK};
    char orphan[SCRIPT_NAME] = "";
    pm_status st = probe_all(path, &answers, &err);
    bool known =
        transcript_equal(&answers, &old_answers) || transcript_equal(&answers, &new_answers);
    if (st != PM_OK || !known)
        fail_msg("cut to %ld at call %lu: neither the old commit nor the new: %s", (long)left,
                 (unsigned long)at, err.message);
    st = optimize(&err);
    if (st == PM_OK) st = probe_all(path, &answers, &err);
    if (st == PM_OK) st = pm_check(path, true, NULL, NULL, NULL, &err);
    if (st != PM_OK || !transcript_equal(&answers, &new_answers) || script_orphan(path, orphan))
        fail_msg("cut to %ld at call %lu: the next writer: %s%s", (long)left, (unsigned long)at,
                 err.message, orphan);
}

static void test_cut_under_a_merge(void **state)
{
    static const off_t lengths[] = {0, 4096, 8192};
    ends e = {0, 0, 0};
    pm_error err = {.status = PM_OK};
    (void)state;
    folder_make(base);
    snprintf(path, sizeof path, "%s/idx", base);
    probe_build(path);
    probe_change(path);
    folder_load(path, &two);
    assert_int_equal(probe_all(path, &old_answers, &err), PM_OK);
    assert_int_equal(optimize(&err), PM_OK);
    assert_int_equal(probe_all(path, &new_answers, &err), PM_OK);
    for (unsigned i = 0; i < 3; i++)
        for (uint64_t at = 1;; at += script_slow() ? 7 : 1) {
            folder_restore(path, &two);
            if (!cut_at(at, lengths[i], &e)) break;
            give_back();
            verify(at, lengths[i]);
        }
    folder_image_free(&two);
    folder_remove(path);
    rmdir(base);
    printf("segments cut under a merge: %lu cases: %lu writers died, %lu failed, %lu were done; 0 "
           "bad\n",
           e.died + e.failed + e.done, e.died, e.failed, e.done);
    assert_true(e.died > 0 && e.failed > 0 && e.done > 0);
}

/* ---- a disk that refuses to read -------------------------------------------------------- */

enum { SKIPPED = 77, LINE = 600, ENDS_IO = 5 };

/* What a cmocka program cannot do in a child: fail with a message. */
static void must(bool ok, const char *what, const char *detail)
{
    if (ok) return;
    printf("bad disk: %s: %s\n", what, detail);
    fflush(stdout);
    _exit(1);
}

/* Forget what the kernel has cached of the files whose names end so. */
static void forget(const char *suffix)
{
    folder_image image;
    folder_load(path, &image);
    for (size_t i = 0; i < image.n; i++) {
        const char *dot = strstr(image.files[i].name, suffix);
        if (!dot || strcmp(dot, suffix) != 0) continue;
        int fd = folder_open(path, image.files[i].name);
        folder_must(fsync(fd) == 0, "sync", suffix);
        folder_must(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0, "forget", suffix);
        close(fd);
    }
    folder_image_free(&image);
}

/* The program of the same build as this test, which lies three folders below it. */
static void run_program(const char *command, const char *word, int out)
{
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 40);
    folder_must(len > 0, "find", "/proc/self/exe");
    program[len] = 0;
    for (unsigned up = 0; up < 3; up++) *strrchr(program, '/') = 0;
    strcat(program, "/tests/cli/pressmark");
    dup2(out, STDERR_FILENO);
    dup2(out, STDOUT_FILENO);
    execl(program, program, command, "-i", path, word, (char *)NULL);
    perror(program);
    _exit(127);
}

/* Its exit code, and what it says. */
static int say(const char *command, const char *word, char said[LINE])
{
    int pipe_fds[2], status = 0;
    size_t len = 0;
    folder_must(pipe(pipe_fds) == 0, "make", "a pipe");
    fflush(stdout);
    pid_t pid = fork();
    folder_must(pid >= 0, "fork", "");
    if (pid == 0) run_program(command, word, pipe_fds[1]);
    close(pipe_fds[1]);
    for (ssize_t got; (got = read(pipe_fds[0], said + len, LINE - 1 - len)) > 0;)
        len += (size_t)got;
    said[len] = 0;
    close(pipe_fds[0]);
    folder_must(waitpid(pid, &status, 0) == pid, "wait for", command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void refuse_and_say(const char *suffix, const char *command, const char *word,
                           const char *expected)
{
    char said[LINE];
    forget(suffix);
    disk_refuse_reads(true);
    int code = say(command, word, said);
    disk_refuse_reads(false);
    const char *newline = strchr(said, '\n');
    must(code == ENDS_IO, "not exit code 5", said);
    must(strstr(said, expected) && strncmp(said, "pressmark: ", 11) == 0, "says", said);
    must(newline && !newline[1], "not one line", said);
}

static void work_on_bad_disk(void *ctx)
{
    static const char lost[] = ".seg: cannot be read any more";
    pm_error err = {.status = PM_OK};
    (void)ctx;
    snprintf(path, sizeof path, "%s/idx", disk_folder());
    probe_build(path);
    probe_change(path);
    must(probe_all(path, &old_answers, &err) == PM_OK, "sound", err.message);
    refuse_and_say(".seg", "search", "tariffs", lost);
    refuse_and_say(".seg", "show", probe_article_id, lost);
    refuse_and_say(".seg", "check", "--deep", lost);
    refuse_and_say(".seg", "optimize", "-q", lost);
    refuse_and_say(".seg", "delete", probe_article_id, lost);
    refuse_and_say("manifest", "search", "tariffs", "manifest: ");
    must(probe_all(path, &answers, &err) == PM_OK, "with the disk well again", err.message);
    must(transcript_equal(&answers, &old_answers), "with the disk well again", "other answers");
    must(pm_check(path, true, NULL, NULL, NULL, &err) == PM_OK, "check", err.message);
    must(optimize(&err) == PM_OK, "the next writer", err.message);
}

static void try_bad_disk(void)
{
    disk_kind ext4 = {"ext4", ""};
    const char *why = disk_open(&ext4);
    if (!why) {
        why = disk_record(work_on_bad_disk, NULL);
        disk_close();
    }
    if (why) printf("bad disk: skipped: %s\n", why);
    fflush(stdout);
    _exit(why ? SKIPPED : 0);
}

static void test_bad_disk(void **state)
{
    int status = 0;
    (void)state;
    fflush(stdout);
    pid_t pid = fork();
    folder_must(pid >= 0, "fork", "");
    if (pid == 0) try_bad_disk();
    folder_must(waitpid(pid, &status, 0) == pid, "wait for", "the disk");
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) return;
    assert_int_equal(status, 0);
    printf("bad disk: 6 cases: reads refused under search, show, check, optimize, delete; 0 bad\n");
}

int main(void)
{
    unsetenv("PRESSMARK_SEED");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_under_a_merge),
        cmocka_unit_test(test_bad_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
