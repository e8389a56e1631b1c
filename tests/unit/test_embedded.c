/* SPDX-License-Identifier: MIT
 * test_embedded.c - what a server that the library lives in may do to it: standard descriptors that
 * are closed, another folder to work in, links that lead elsewhere, no descriptor left, a disk that
 * does not sync.
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/file.h"
#include "tests/support/folder.h"
#include "tests/support/plugin.h"

static char root[FOLDER_PATH], home[4096];
static pm_error err;

static int set_up(void **state)
{
    (void)state;
    folder_make(root);
    return getcwd(home, sizeof home) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    file_fault = NULL;
    int back = chdir(home);
    tree_remove(root);
    return back;
}

static pm_status open_writer(const char *path, const char *engine, pm_writer **out)
{
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.engine = engine;
    options.threads = 1;
    return pm_writer_open(path, &options, out, &err);
}

static pm_status add(pm_writer *w, const char *id)
{
    const pm_article a = {.id = {id, strlen(id)}, .text = {"rare earth", 10}};
    return pm_writer_add(w, &a, NULL, &err);
}

static void must(pm_status st)
{
    if (st != PM_OK) fail_msg("%s: %s", pm_status_name(st), err.message);
}

/* How many articles a reader sees; 0: no index. */
static uint64_t count(const char *path)
{
    pm_index *index;
    pm_stats stats;
    pm_status st = pm_index_open(path, &index, &err);
    if (st == PM_USAGE) return 0;
    must(st);
    must(pm_index_stats(index, &stats, &err));
    pm_index_close(index);
    return stats.documents;
}

/* An index of n articles. */
static void make(const char *path, const char *engine, unsigned n)
{
    pm_writer *w;
    char id[16];
    must(open_writer(path, engine, &w));
    for (unsigned i = 0; i < n; i++) {
        snprintf(id, sizeof id, "%u", i);
        must(add(w, id));
    }
    must(pm_writer_commit(w, NULL, &err));
    pm_writer_close(w);
}

/* ---- standard descriptors ------------------------------------------------------------------ */

/* True when none of the three is open. */
static bool are_closed(void)
{
    return fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0 && fcntl(2, F_GETFD) < 0;
}

/* In a child: the descriptors closed, everything that opens files is done.  0: nothing took their
 * places. */
static int live_without(const char *path)
{
    pm_writer *w = NULL;
    pm_index *index = NULL;
    pm_article *article = NULL;
    dir folder = DIR_INIT, again = DIR_INIT;
    const char *input = "corpus/articles";
    int step = 1;
    for (int fd = 0; fd <= 2; fd++) close(fd);
    if (open_writer(path, NULL, &w) != PM_OK || !are_closed()) return step;
    step++;
    if (add(w, "a") != PM_OK || !are_closed()) return step;
    step++; /* what a program says to nobody                                               */
    if (write(2, "oh\n", 3) == 3 || write(1, "yes\n", 4) == 4) return step;
    step++;
    if (pm_ingest(w, &input, 1, NULL, NULL, &err) != PM_OK || !are_closed()) return step;
    step++;
    if (pm_writer_commit(w, NULL, &err) != PM_OK || !are_closed()) return step;
    step++;
    if (add(w, "b") != PM_OK || pm_writer_optimize(w, NULL, &err) != PM_OK) return step;
    pm_writer_close(w);
    step++;
    if (pm_index_open(path, &index, &err) != PM_OK || !are_closed()) return step;
    step++;
    if (pm_index_article(index, "a", 1, &article, &err) != PM_OK || !article) return step;
    pm_article_free(article);
    pm_index_close(index);
    step++;
    if (pm_check(path, true, NULL, NULL, NULL, &err) != PM_OK || !are_closed()) return step;
    step++;
    if (dir_open(&folder, path, NULL, &err) != PM_OK || dir_again(&again, &folder, &err) != PM_OK ||
        !are_closed())
        return step;
    dir_close(&again);
    dir_close(&folder);
    return are_closed() ? 0 : step + 1;
}

static void test_closed_descriptors(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) _exit(live_without(root));
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status) fail_msg("status %d", WIFEXITED(status) ? WEXITSTATUS(status) : -status);
    assert_int_equal(count(root), 7);
}

/* ---- where the program is -------------------------------------------------------------------- */

static void go(const char *folder)
{
    char path[FOLDER_PATH + 16];
    snprintf(path, sizeof path, "%s/%s", root, folder);
    if (chdir(path) != 0) fail_msg("%s: %s", path, strerror(errno));
}

/* Two folders, each with an index of the same name; the program is in the first. */
static void make_two(const char *engine)
{
    go(".");
    assert_int_equal(mkdir("one", 0700) | mkdir("two", 0700), 0);
    go("two");
    make("x.idx", engine, 30);
    go("one");
    make("x.idx", engine, 3);
}

static void assert_two(uint64_t one, uint64_t two)
{
    go("one");
    assert_int_equal(count("x.idx"), one);
    must(pm_check("x.idx", true, NULL, NULL, NULL, &err));
    go("two");
    assert_int_equal(count("x.idx"), two);
    must(pm_check("x.idx", true, NULL, NULL, NULL, &err));
}

/* A writer and a reader that were opened by relative names stay with what they opened. */
static void stay(const char *engine)
{
    pm_writer *w;
    pm_index *index;
    pm_article *article;
    pm_stats stats;
    pm_commit_info info;
    make_two(engine);
    must(open_writer("x.idx", engine, &w));
    must(pm_index_open("x.idx", &index, &err));
    must(add(w, "new"));
    go("two");
    must(pm_writer_commit(w, &info, &err));
    assert_true(info.index_bytes > 0);
    must(pm_writer_optimize(w, NULL, &err));
    for (unsigned i = 0; i < 3; i++) { /* a reader of Xapian's opens its files again         */
        must(add(w, i ? "more" : "new"));
        must(pm_writer_commit(w, NULL, &err));
        must(pm_index_article(index, "0", 1, &article, &err));
        assert_non_null(article);
        pm_article_free(article);
        must(pm_index_stats(index, &stats, &err));
        assert_true(stats.documents >= 3 && stats.documents <= 5);
    }
    pm_writer_close(w);
    pm_index_close(index);
    assert_two(5, 30);
}

static void test_native_elsewhere(void **state)
{
    (void)state;
    stay("native");
}

static void test_xapian_elsewhere(void **state)
{
    (void)state;
    stay("xapian");
}

/* So it is when the name is a link which another index is put behind. */
static void test_link_elsewhere(void **state)
{
    (void)state;
    pm_writer *w;
    make_two("xapian");
    go(".");
    assert_int_equal(symlink("one/x.idx", "now"), 0);
    must(open_writer("now", "xapian", &w));
    must(add(w, "new"));
    assert_int_equal(unlink("now"), 0);
    assert_int_equal(symlink("two/x.idx", "now"), 0);
    must(pm_writer_commit(w, NULL, &err));
    pm_writer_close(w);
    assert_two(4, 30);
}

/* A stub file's databases are named relative to it. */
static void test_stub_elsewhere(void **state)
{
    (void)state;
    pm_index *index;
    pm_stats stats;
    make_two("xapian");
    go(".");
    folder_write(root, "stub", "auto one/x.idx/shard-0\nauto two/x.idx/shard-0\n", 46);
    must(pm_index_open("stub", &index, &err));
    go("two");
    must(pm_index_stats(index, &stats, &err));
    assert_int_equal(stats.documents, 33);
    pm_index_close(index);
}

/* ---- no descriptor left ---------------------------------------------------------------------- */

static rlim_t allow(rlim_t n)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = n;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

static pm_status try_with(rlim_t n, const char *path)
{
    pm_writer *w;
    rlim_t before = allow(n);
    err.os_errno = 0;
    pm_status st = open_writer(path, "xapian", &w);
    if (st == PM_OK) st = add(w, "a");
    if (st == PM_OK) st = pm_writer_commit(w, NULL, &err);
    allow(before);
    pm_writer_close(w);
    return st;
}

/* Neither is another writer made up, nor a commit that is there taken for one that failed. */
static void test_few_descriptors(void **state)
{
    (void)state;
    char path[FOLDER_PATH + 16];
    unsigned refused = 0, numbered = 0;
    pm_status st = PM_IO;
    int next = dup(0);
    assert_true(next >= 0);
    close(next);
    snprintf(path, sizeof path, "%s/x.idx", root);
    make(path, "xapian", 1); /* all that is opened once                                      */
    tree_remove(path);
    for (rlim_t more = 2; st != PM_OK && more < 60; more++) {
        st = try_with((rlim_t)next + more, path);
        if (st != PM_OK && (st != PM_IO || !strstr(err.message, "oo many open files")))
            fail_msg("%s: %s", pm_status_name(st), err.message);
        refused += st != PM_OK;
        numbered += st != PM_OK && err.os_errno == EMFILE;
        assert_int_equal(count(path), st == PM_OK);
    }
    assert_int_equal(st, PM_OK);
    assert_true(refused > 5 && numbered > refused / 2); /* some have words alone              */
}

/* ---- a disk that does not sync ------------------------------------------------------------------
 */

static const char *unsynced; /* how the path of the folder ends                               */

static int refuse_sync(const char *call, const char *path)
{
    size_t len = strlen(path), end = strlen(unsynced);
    bool is = !strcmp(call, "fsync") && len >= end && !strcmp(path + len - end, unsynced);
    return is ? EIO : 0;
}

/* A commit of a Xapian index that is visible is not said to have failed; it is proven by the next
 * one. */
static void prove_again(pm_writer *w, const char *path, uint64_t seen)
{
    pm_commit_info info = {0};
    assert_int_equal(pm_writer_commit(w, &info, &err), PM_NOT_DURABLE);
    assert_int_equal(err.os_errno, EIO);
    assert_int_equal(count(path), seen);
    uint64_t generation = info.generation, added = info.added;
    assert_int_equal(add(w, "later"), PM_NOT_DURABLE);
    assert_int_equal(pm_writer_optimize(w, NULL, &err), PM_NOT_DURABLE);
    assert_int_equal(pm_writer_commit(w, NULL, &err), PM_NOT_DURABLE);
    file_fault = NULL;
    must(pm_writer_commit(w, &info, &err));
    assert_int_equal(info.generation, generation + 2);
    assert_int_equal(info.added, added);
    assert_int_equal(count(path), seen);
}

static void test_unsynced_commits(void **state)
{
    (void)state;
    pm_writer *w;
    char path[FOLDER_PATH + 16];
    snprintf(path, sizeof path, "%s/x.idx", root);
    must(open_writer(path, "xapian", &w));
    must(add(w, "a"));
    unsynced = "/shard-0";
    file_fault = refuse_sync; /* before the marker is there, nobody sees anything             */
    assert_int_equal(pm_writer_commit(w, NULL, &err), PM_IO);
    assert_int_equal(count(path), 0);
    assert_int_equal(pm_ingest(w, NULL, 0, NULL, NULL, &err), PM_IO); /* it says so again     */
    file_fault = NULL;
    pm_writer_close(w);
    must(open_writer(path, "xapian", &w));
    must(add(w, "a"));
    unsynced = "/x.idx";
    file_fault = refuse_sync;
    prove_again(w, path, 1);
    must(add(w, "b"));
    unsynced = "/shard-0";
    file_fault = refuse_sync;
    prove_again(w, path, 2);
    must(add(w, "c"));
    must(pm_writer_commit(w, NULL, &err));
    pm_writer_close(w);
    assert_int_equal(count(path), 3);
}

int main(void)
{
    plugin_use(false);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_closed_descriptors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_native_elsewhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_xapian_elsewhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_link_elsewhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stub_elsewhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_few_descriptors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unsynced_commits, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
