/* SPDX-License-Identifier: MIT
 * test_file.c - the door to the file system: what it promises, and what it refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "tests/support/fresh_folder.h"

static dir open_root(void)
{
    dir d;
    assert_int_equal(dir_open(&d, root, NULL, NULL), PM_OK);
    return d;
}

static void test_absent_folder(void **state)
{
    (void)state;
    dir d;
    bool absent = false;
    pm_error err;
    assert_int_equal(dir_open(&d, "/nonexistent/place", &absent, &err), PM_USAGE);
    assert_true(absent);
    assert_non_null(strstr(err.message, "/nonexistent/place"));
    assert_non_null(strstr(err.message, "pressmark index"));
    assert_int_equal(dir_open(&d, "/dev/null", &absent, &err), PM_USAGE);
    assert_false(absent);
}

static void test_create_folder(void **state)
{
    (void)state;
    char path[FOLDER_PATH + 16];
    pm_error err;
    snprintf(path, sizeof path, "%s/new/", root);
    assert_int_equal(dir_create(path, &err), PM_OK);
    assert_int_equal(dir_create(path, &err), PM_OK);
    assert_int_equal(rmdir(path), 0);
    snprintf(path, sizeof path, "%s/no/such", root);
    assert_int_equal(dir_create(path, &err), PM_IO);
    assert_int_equal(err.os_errno, ENOENT);
    snprintf(path, sizeof path, "%s/link", root);
    assert_int_equal(symlink("nowhere", path), 0);
    assert_int_equal(dir_create(path, &err), PM_IO);
    assert_int_equal(err.os_errno, ENOENT);
    assert_non_null(strstr(err.message, "/link; make the one that this link names: "));
    assert_int_equal(unlink(path), 0);
}

static int fault_of_lock;

static int refuse_lock(const char *call, const char *path)
{
    return strcmp(call, "open") == 0 && strcmp(path, "LOCK") == 0 ? fault_of_lock : 0;
}

/* What the system says, and what is to be done about it. */
static void test_advice(void **state)
{
    (void)state;
    static const struct {
        int os_errno;
        const char *advice;
    } known[] = {{EACCES, "; ask for permission"}, {EPERM, "; ask for permission"},
                 {EROFS, "; choose a place"},      {ENOSPC, "; free some space"},
                 {EDQUOT, "; free some space"},    {EMFILE, "; raise the limit of open files"},
                 {EIO, "; the system's log"},      {EFBIG, "; raise the limit of file sizes"},
                 {EBADF, "; start the program"},   {ENAMETOOLONG, "; choose a shorter name"},
                 {EISDIR, "; move away"},          {ELOOP, "; move away"},
                 {ENXIO, "; move away"},           {ENOENT, "; look at the path"},
                 {ENOTDIR, "; look at the path"},  {ENOMEM, "; give the process more"},
                 {ENOLCK, "; choose a place on"},  {EOPNOTSUPP, "; choose a place on"},
                 {ENFILE, "; raise the limit"},    {EBUSY, "; try again"},
                 {ESTALE, "; try again"},          {EINVAL, "; try again"}};
    dir d;
    pm_error err;
    assert_int_equal(dir_open(&d, root, NULL, &err), PM_OK);
    file_fault = refuse_lock;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        fault_of_lock = known[i].os_errno;
        assert_int_equal(dir_lock(&d, &err), PM_IO);
        assert_int_equal(err.os_errno, known[i].os_errno);
        if (!strstr(err.message, "/LOCK: ") || !strstr(err.message, known[i].advice))
            fail_msg("%s", err.message);
    }
    file_fault = NULL;
    dir_close(&d);
}

/* The lock belongs to the open description: a second one, in the same process or in another,
 * does not get it, and it goes with its holder. */
static void test_lock(void **state)
{
    (void)state;
    pm_error err;
    dir a = open_root(), b = open_root();
    assert_int_equal(dir_lock(&a, &err), PM_OK);
    assert_int_equal(dir_lock(&b, &err), PM_BUSY);
    assert_non_null(strstr(err.message, "LOCK"));
    dir_close(&a);
    assert_int_equal(dir_lock(&b, &err), PM_OK);
    dir_close(&b);
    folder_unlink(root, "LOCK");
}

static void test_write_and_read(void **state)
{
    (void)state;
    static uint8_t bytes[3 << 20];
    uint64_t seed = 7;
    pm_error err;
    dir d = open_root();
    outfile f;
    size_t at = 0;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)random_next(&seed);
    assert_int_equal(outfile_create(&f, &d, "data", true, &err), PM_OK);
    while (at < sizeof bytes) {
        size_t n = random_next(&seed) % (at < 100000 ? 500 : 2 << 20);
        if (n > sizeof bytes - at) n = sizeof bytes - at;
        outfile_write(&f, bytes + at, n);
        at += n;
        assert_int_equal(f.len, at);
    }
    assert_int_equal(outfile_finish(&f, true, &err), PM_OK);

    map m;
    assert_int_equal(map_open(&m, &d, "data", NULL, &err), PM_OK);
    assert_int_equal(m.len, sizeof bytes);
    assert_memory_equal(m.data, bytes, sizeof bytes);
    map_close(&m);

    buf read = {0};
    assert_int_equal(dir_read(&d, "data", sizeof bytes, &read, NULL, &err), PM_OK);
    assert_int_equal(read.len, sizeof bytes);
    assert_memory_equal(read.data, bytes, sizeof bytes);
    buf_reset(&read);
    assert_int_equal(dir_read(&d, "data", sizeof bytes - 1, &read, NULL, &err), PM_CORRUPT);
    buf_free(&read);

    assert_int_equal(outfile_create(&f, &d, "data", true, &err), PM_IO);
    assert_int_equal(err.os_errno, EEXIST);
    assert_int_equal(outfile_create(&f, &d, "data", false, &err), PM_OK);
    assert_int_equal(outfile_finish(&f, false, &err), PM_OK);
    assert_int_equal(map_open(&m, &d, "data", NULL, &err), PM_OK);
    assert_int_equal(m.len, 0);
    map_close(&m);
    dir_close(&d);
}

static void test_absent_and_strange_files(void **state)
{
    (void)state;
    dir d = open_root();
    pm_error err;
    map m;
    buf b = {0};
    bool absent = false;
    char path[FOLDER_PATH + 16];
    assert_int_equal(map_open(&m, &d, "gone", &absent, &err), PM_OK);
    assert_true(absent);
    assert_int_equal(map_open(&m, &d, "gone", NULL, &err), PM_CORRUPT);
    assert_int_equal(dir_read(&d, "gone", 10, &b, &absent, &err), PM_OK);
    assert_true(absent);
    assert_int_equal(dir_unlink(&d, "gone", &err), PM_OK);

    folder_write(root, "target", "x", 1);
    snprintf(path, sizeof path, "%s/link", root);
    assert_int_equal(symlink("target", path), 0);
    assert_int_equal(map_open(&m, &d, "link", &absent, &err), PM_CORRUPT);
    assert_int_equal(dir_read(&d, "link", 10, &b, &absent, &err), PM_CORRUPT);
    snprintf(path, sizeof path, "%s/pipe", root);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(map_open(&m, &d, "pipe", &absent, &err), PM_CORRUPT);
    infile in;
    assert_int_equal(infile_open(&in, path, &err), PM_IO);
    buf_free(&b);
    dir_close(&d);
}

typedef struct seen {
    char names[8][32];
    size_t n, stop_at;
} seen;

static pm_status see(void *ctx, const char *name, pm_error *err)
{
    seen *s = ctx;
    if (s->n == s->stop_at) return error_set(err, PM_USAGE, "stopped");
    snprintf(s->names[s->n++], sizeof s->names[0], "%.31s", name);
    return PM_OK;
}

static void test_listing(void **state)
{
    (void)state;
    dir d = open_root();
    pm_error err;
    seen all = {.stop_at = 8}, shown = {.stop_at = 8}, few = {.stop_at = 1};
    folder_write(root, "b", "", 0);
    folder_write(root, ".hidden", "", 0);
    folder_write(root, "\xc3\xa9", "", 0);
    folder_write(root, "B", "", 0);
    assert_int_equal(dir_each(&d, see, &all, &err), PM_OK);
    assert_int_equal(all.n, 4);
    assert_string_equal(all.names[0], ".hidden");
    assert_string_equal(all.names[1], "B");
    assert_string_equal(all.names[2], "b");
    assert_string_equal(all.names[3], "\xc3\xa9");
    assert_int_equal(file_each(root, see, &shown, &err), PM_OK);
    assert_int_equal(shown.n, 3);
    assert_int_equal(file_each(root, see, &few, &err), PM_USAGE);
    assert_int_equal(few.n, 1);
    dir_close(&d);
}

static void test_stat(void **state)
{
    (void)state;
    file_info info;
    pm_error err;
    char path[FOLDER_PATH + 16], link[FOLDER_PATH + 16];
    assert_int_equal(file_stat(root, &info, &err), PM_OK);
    assert_true(info.is_dir && !info.is_regular && !info.is_link);
    folder_write(root, "five", "12345", 5);
    snprintf(path, sizeof path, "%s/five", root);
    snprintf(link, sizeof link, "%s/link", root);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(file_stat(path, &info, &err), PM_OK);
    assert_true(info.is_regular && !info.is_link && info.size == 5 && info.changed_ns > 0);
    assert_int_equal(file_stat(link, &info, &err), PM_OK);
    assert_true(info.is_regular && info.is_link && info.size == 5);
    assert_int_equal(file_stat("/nonexistent", &info, &err), PM_IO);
}

/* ---- refusals ------------------------------------------------------------------------ */

static struct {
    const char *call;
    int error, after, times; /* refuse `times` calls after the first `after`                */
    int calls;
} refusal;

static int refuse(const char *call, const char *path)
{
    (void)path;
    if (strcmp(call, refusal.call) != 0) return 0;
    int n = refusal.calls++;
    return n >= refusal.after && n < refusal.after + refusal.times ? refusal.error : 0;
}

static void refuse_next(const char *call, int error, int after, int times)
{
    refusal.call = call;
    refusal.error = error;
    refusal.after = after;
    refusal.times = times;
    refusal.calls = 0;
    file_fault = refuse;
}

static pm_status write_two_mebibytes(pm_error *err)
{
    static uint8_t bytes[512 << 10];
    dir d;
    outfile f;
    pm_status st = dir_open(&d, root, NULL, err);
    if (st != PM_OK) return st;
    st = outfile_create(&f, &d, "out", false, err);
    if (st == PM_OK) {
        for (int i = 0; i < 4; i++) outfile_write(&f, bytes, sizeof bytes);
        st = outfile_finish(&f, true, err);
    }
    dir_close(&d);
    return st;
}

static void test_interrupted(void **state)
{
    (void)state;
    pm_error err;
    const char *calls[] = {"open", "write", "fsync", "close"};
    for (size_t i = 0; i < 4; i++) {
        refuse_next(calls[i], EINTR, 0, strcmp(calls[i], "close") ? 3 : 1);
        assert_int_equal(write_two_mebibytes(&err), PM_OK);
        assert_true(refusal.calls > 0);
    }
}

/* A failure is reported at the end, with the system's reason; a failed sync is not tried
 * again, and nothing is written after a failed write. */
static void test_failures_stick(void **state)
{
    (void)state;
    pm_error err;
    refuse_next("write", ENOSPC, 1, 1);
    assert_int_equal(write_two_mebibytes(&err), PM_IO);
    assert_int_equal(err.os_errno, ENOSPC);
    assert_int_equal(refusal.calls, 2);
    refuse_next("fsync", EIO, 0, 1);
    assert_int_equal(write_two_mebibytes(&err), PM_IO);
    assert_int_equal(err.os_errno, EIO);
    assert_int_equal(refusal.calls, 1);
    refuse_next("close", EIO, 0, 1);
    assert_int_equal(write_two_mebibytes(&err), PM_IO);
}

/* A new folder counts when its name is synced, too: each call of that is refused in turn. */
static void test_refused_folder(void **state)
{
    (void)state;
    static const char *const calls[] = {"mkdir", "open", "fsync", "close"};
    char path[FOLDER_PATH + 8];
    pm_error err;
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/new%zu//", root, i);
        refuse_next(calls[i], EIO, 0, 1);
        assert_int_equal(dir_create(path, &err), PM_IO);
        assert_int_equal(err.os_errno, EIO);
        refuse_next(calls[i], EINTR, 0, i < 3 ? 3 : 0);
        assert_int_equal(dir_create(path, &err), PM_OK);
        file_fault = NULL;
    }
    refuse_next("open", EACCES, 0, 1); /* of one that is there: it may be another's            */
    assert_int_equal(dir_create(path, &err), PM_OK);
    file_fault = NULL;
    assert_int_equal(dir_create("/", &err), PM_OK);
    int back = open(".", O_RDONLY | O_DIRECTORY);
    assert_int_equal(chdir(root), 0);
    assert_int_equal(dir_create("here", &err), PM_OK);
    assert_int_equal(rmdir("here"), 0);
    assert_int_equal(fchdir(back), 0);
    close(back);
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/new%zu", root, i);
        assert_int_equal(rmdir(path), 0);
    }
}

static void test_sync_all(void **state)
{
    (void)state;
    pm_error err;
    dir d = open_root();
    refuse_next("syncfs", EINTR, 0, 3);
    assert_int_equal(dir_sync_all(&d, &err), PM_OK);
    refuse_next("syncfs", EIO, 0, 1);
    assert_int_equal(dir_sync_all(&d, &err), PM_IO);
    assert_int_equal(err.os_errno, EIO);
    file_fault = NULL;
    dir_close(&d);
}

/* Standard input that is a pipe left non-blocking, and a writer who takes his time. */
static void test_slow_pipe(void **state)
{
    (void)state;
    int ends[2], kept = dup(STDIN_FILENO);
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        for (int i = 0; i < 3; i++) {
            usleep(20000);
            if (write(ends[1], "word ", 5) != 5) _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    infile f;
    pm_error err;
    char text[64];
    size_t len = 0, got = 1;
    assert_int_equal(infile_open(&f, "-", &err), PM_OK);
    while (got) {
        assert_int_equal(infile_read(&f, text + len, sizeof text - len, &got, &err), PM_OK);
        len += got;
    }
    infile_close(&f);
    assert_int_equal(len, 15);
    assert_memory_equal(text, "word word word ", 15);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    dup2(kept, STDIN_FILENO);
    close(kept);
}

/* A folder of the root with one file. */
static void make_folder(const char *name, const char *file)
{
    char path[FOLDER_PATH + 32];
    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(dir_create(path, NULL), PM_OK);
    folder_write(path, file, "x", 1);
}

static bool holds(const char *name, const char *file)
{
    char path[FOLDER_PATH + 64];
    snprintf(path, sizeof path, "%s/%s/%s", root, name, file);
    return access(path, F_OK) == 0;
}

static void test_exchanged_folders(void **state)
{
    (void)state;
    pm_error err;
    dir d = open_root();
    make_folder("a", "of-a");
    make_folder("b", "of-b");
    refuse_next("exchange", EINTR, 0, 2);
    assert_int_equal(dir_exchange(&d, "a", "b", &err), PM_OK);
    assert_int_equal(refusal.calls, 3);
    assert_true(holds("a", "of-b") && holds("b", "of-a"));
    refuse_next("exchange", EINVAL, 0, 1);
    assert_int_equal(dir_exchange(&d, "a", "b", &err), PM_IO);
    assert_non_null(strstr(err.message, "exchange"));
    file_fault = NULL;
    assert_int_equal(dir_exchange(&d, "a", "gone", &err), PM_IO);
    assert_true(holds("a", "of-b"));
    assert_int_equal(dir_remove(&d, "a", &err), PM_OK);
    assert_int_equal(dir_remove(&d, "b", &err), PM_OK);
    dir_close(&d);
}

/* Not what a link leads to, and nothing that holds folders. */
static void test_removed_folders(void **state)
{
    (void)state;
    char link[FOLDER_PATH + 32];
    pm_error err;
    dir d = open_root();
    make_folder("a", "one");
    make_folder("a/inner", "two");
    assert_int_equal(dir_remove(&d, "a", &err), PM_IO);
    assert_true(holds("a/inner", "two"));
    snprintf(link, sizeof link, "%s/link", root);
    assert_int_equal(symlink("a/inner", link), 0);
    assert_int_equal(dir_remove(&d, "link", &err), PM_IO);
    assert_true(holds("a/inner", "two"));
    assert_int_equal(dir_unlink(&d, "link", &err), PM_OK);
    assert_int_equal(dir_remove(&d, "a/inner", &err), PM_OK);
    refuse_next("rmdir", EIO, 0, 1);
    assert_int_equal(dir_remove(&d, "a", &err), PM_IO);
    file_fault = NULL;
    assert_int_equal(dir_remove(&d, "a", &err), PM_OK);
    assert_int_equal(dir_remove(&d, "a", &err), PM_OK);
    assert_false(holds("a", ""));
    dir_close(&d);
}

static void test_refused_memory(void **state)
{
    (void)state;
    pm_error err;
    uint64_t n = 0;
    pm_status st;
    do {
        seen names = {.stop_at = 8};
        buf b = {0};
        dir d;
        mem_fail_at(++n, false);
        st = dir_open(&d, root, NULL, &err);
        if (st == PM_OK) st = write_two_mebibytes(&err);
        if (st == PM_OK) st = dir_each(&d, see, &names, &err);
        if (st == PM_OK) st = dir_read(&d, "out", 4 << 20, &b, NULL, &err);
        mem_fail_at(0, false);
        if (st != PM_OK) assert_int_equal(st, PM_NOMEM);
        buf_free(&b);
        dir_close(&d);
    } while (st != PM_OK && n < 100);
    printf("%llu allocations refused\n", (unsigned long long)n - 1);
    assert_true(n > 6 && n < 100);
}

static void test_random(void **state)
{
    (void)state;
    uint8_t a[16], b[16], c[16];
    unsetenv("PRESSMARK_SEED");
    file_random(a);
    file_random(b);
    assert_memory_not_equal(a, b, 16);
    setenv("PRESSMARK_SEED", "42", 1);
    file_random(a);
    file_random(b);
    setenv("PRESSMARK_SEED", "43", 1);
    file_random(c);
    unsetenv("PRESSMARK_SEED");
    assert_memory_equal(a, b, 16);
    assert_memory_not_equal(a, c, 16);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)
    const struct CMUnitTest tests[] = {
        TEST(test_absent_folder),
        TEST(test_create_folder),
        TEST(test_lock),
        TEST(test_advice),
        TEST(test_write_and_read),
        TEST(test_absent_and_strange_files),
        TEST(test_listing),
        TEST(test_stat),
        TEST(test_interrupted),
        TEST(test_failures_stick),
        TEST(test_exchanged_folders),
        TEST(test_removed_folders),
        TEST(test_refused_memory),
        TEST(test_refused_folder),
        TEST(test_sync_all),
        TEST(test_slow_pipe),
        TEST(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
