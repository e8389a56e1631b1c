/* SPDX-License-Identifier: MIT
 * test_writer_owner.c - what a program may expect of a writer that it has forked beside, that
 * refused something, or that it did not initialise the options of.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pressmark.h"
#include "tests/support/fresh_folder.h"

static pm_error err;

static pm_writer *open_writer(uint64_t memory)
{
    pm_writer *w;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.create = true;
    options.memory_bytes = memory;
    assert_int_equal(pm_writer_open(root, &options, &w, &err), PM_OK);
    return w;
}

static void add(pm_writer *w, const char *id, const char *text)
{
    const pm_article a = {.id = {id, strlen(id)}, .text = {text, strlen(text)}};
    assert_int_equal(pm_writer_add(w, &a, NULL, &err), PM_OK);
}

static void assert_count(const char *query, uint64_t n)
{
    pm_index *index;
    pm_searcher *searcher;
    const pm_result *result;
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    options.want_total = true;
    assert_int_equal(pm_index_open(root, &index, &err), PM_OK);
    assert_int_equal(pm_searcher_open(index, &searcher, &err), PM_OK);
    assert_int_equal(pm_searcher_search(searcher, query, strlen(query), &options, &result, &err),
                     PM_OK);
    assert_int_equal(result->total, n);
    pm_searcher_close(searcher);
    pm_index_close(index);
}

/* ---- fork --------------------------------------------------------------------------------- */

/* Closing gives the lock back although a process that was forked meanwhile has it open. */
static void test_lock_after_fork(void **state)
{
    (void)state;
    pm_writer *w = open_writer(0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        pause();
        _exit(0);
    }
    pm_writer_close(w);
    w = open_writer(0);
    pm_writer_close(w);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static bool never(void *ctx, const char *id, size_t len)
{
    (void)ctx;
    (void)id;
    (void)len;
    return false;
}

/* What a forked process does to the writer changes nothing for the one that opened it. */
static void test_forked_close(void **state)
{
    (void)state;
    int status;
    pm_writer *w = open_writer(0), *other;
    add(w, "1", "rare earth");
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        const pm_article a = {.id = {"3", 1}, .text = {"rare", 4}};
        const char *path = __FILE__;
        bool found;
        alarm(10); /* for a thread that the child does not have                               */
        bool refused =
            pm_writer_add(w, &a, NULL, &err) == PM_USAGE &&
            pm_writer_delete(w, "1", 1, &found, &err) == PM_USAGE &&
            pm_writer_each_id(w, never, NULL, &err) == PM_USAGE &&
            pm_writer_provenance(w, "1", 1, &found, NULL, NULL, NULL, &err) == PM_USAGE &&
            pm_ingest(w, &path, 1, NULL, NULL, &err) == PM_USAGE &&
            pm_writer_commit(w, NULL, &err) == PM_USAGE &&
            pm_writer_optimize(w, NULL, &err) == PM_USAGE;
        pm_writer_close(w);
        _exit(refused ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    child = _Fork(); /* which tells nobody: what is rare asks whose process it is             */
    assert_true(child >= 0);
    if (!child) {
        bool refused = pm_writer_commit(w, NULL, &err) == PM_USAGE &&
                       pm_writer_optimize(w, NULL, &err) == PM_USAGE;
        pm_writer_close(w);
        _exit(refused ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(pm_writer_open(root, NULL, &other, &err), PM_BUSY); /* still ours */
    add(w, "2", "rare books");
    assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
    pm_writer_close(w);
    assert_count("rare", 2);
}

/* ---- refusals ----------------------------------------------------------------------------- */

/* An order that takes more memory than there is leaves what was added to be committed. */
static void test_refused_order(void **state)
{
    (void)state;
    char id[16], text[200];
    pm_optimize_options bp = PM_OPTIMIZE_OPTIONS_INIT;
    folder_image files = {0};
    bp.reorder = PM_REORDER_BP;
    pm_writer *w = open_writer(1 << 20);
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(id, sizeof id, "%u", i);
        snprintf(text, sizeof text, "common w%u w%u w%u w%u w%u w%u w%u w%u", i % 97, i % 89,
                 i % 83, i % 79, i % 73, i % 71, i % 67, i % 61);
        add(w, id, text);
    }
    assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
    add(w, "pending", "common pending");
    assert_int_equal(pm_writer_optimize_with(w, &bp, NULL, &err), PM_USAGE);
    assert_non_null(strstr(err.message, "leave the order as it is"));
    assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
    assert_int_equal(pm_writer_optimize(w, NULL, &err), PM_OK);
    pm_writer_close(w);
    assert_count("pending", 1);
    assert_count("common", 20001);
    folder_load(root, &files); /* one segment and its manifest: nothing was left lying      */
    assert_int_equal(files.n, 2);
    folder_image_free(&files);
}

static void test_long_id(void **state)
{
    (void)state;
    char id[1025];
    pm_writer *w = open_writer(0);
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = 0;
    const pm_article a = {.id = {id, sizeof id - 1},
                          .title = {"title", 5},
                          .text = {"text", 4},
                          .title_in_body = true,
                          .title_end = 1000};
    assert_int_equal(pm_writer_add(w, &a, NULL, &err), PM_USAGE);
    assert_non_null(strstr(err.message, "title"));
    pm_writer_close(w);
}

/* Options without a size are not taken for none. */
static void test_sizes(void **state)
{
    (void)state;
    const char *path = root;
    pm_writer_options options = {0};
    pm_ingest_options ingest = {0};
    pm_ingest_summary sum;
    pm_writer *w;
    assert_int_equal(pm_writer_open(root, &options, &w, &err), PM_USAGE);
    assert_null(w);
    w = open_writer(0);
    assert_int_equal(pm_ingest(w, &path, 1, &ingest, &sum, &err), PM_USAGE);
    pm_writer_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lock_after_fork, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_forked_close, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_refused_order, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_long_id, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_sizes, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
