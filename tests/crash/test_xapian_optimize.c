/* SPDX-License-Identifier: MIT
 *
 * test_xapian_optimize.c - a Xapian index while its databases are replaced by smaller copies: the
 * writer killed before and after each of its own system calls and amid Xapian's copying, each call
 * refused, a no at every question whether to go on.  Each time the index must have the same
 * content, for readers as it is, and for the next writer, which leaves nothing over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/file.h"
#include "tests/support/folder.h"
#include "tests/support/plugin.h"

enum { DOCS = 60, SHARDS = 2, KILLED = 77 };

/* ---- an index, and its content ------------------------------------------------------------ */

static pm_text text(const char *s)
{
    return (pm_text){s, strlen(s)};
}

static pm_writer *begin(const char *path, bool create,
                        bool (*progress)(void *ctx, pm_phase phase, uint64_t written))
{
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    pm_error err = {0};
    pm_writer *w = NULL;
    options.create = create;
    options.progress = progress;
    options.engine = "xapian";
    options.shards = create ? SHARDS : 0;
    if (pm_writer_open(path, &options, &w, &err) != PM_OK) fail_msg("%s", err.message);
    return w;
}

static void add(pm_writer *w, unsigned number, const char *words)
{
    char id[16], all[200];
    pm_error err = {0};
    snprintf(id, sizeof id, "d%u", number);
    snprintf(all, sizeof all, "%s in common, w%u and w%u", words, number % 7, number % 11);
    pm_article a = {.id = text(id), .title = text("US talks"), .text = text(all)};
    if (pm_writer_add(w, &a, NULL, &err) != PM_OK) fail_msg("%s", err.message);
}

static void commit(pm_writer *w)
{
    pm_error err = {0};
    if (pm_writer_commit(w, NULL, &err) != PM_OK) fail_msg("%s", err.message);
}

/* Updates and deletions, over three commits. */
static void make(const char *path)
{
    pm_error err = {0};
    pm_writer *w = begin(path, true, NULL);
    for (unsigned i = 0; i < DOCS; i++) add(w, i, "old words");
    commit(w);
    for (unsigned i = 0; i < DOCS; i += 2) add(w, i, "new words");
    commit(w);
    for (unsigned i = 0; i < DOCS; i += 5)
        if (pm_writer_delete(w, i % 2 ? "d3" : "d4", 2, NULL, &err) != PM_OK)
            fail_msg("%s", err.message);
    commit(w);
    pm_writer_close(w);
}

typedef struct content {
    char *data;
    size_t len;
} content;

static bool gather(void *ctx, const char *data, size_t len)
{
    content *c = ctx;
    c->data = realloc(c->data, c->len + len + 1);
    assert_non_null(c->data);
    memcpy(c->data + c->len, data, len);
    c->len += len;
    c->data[c->len] = 0;
    return true;
}

static content content_of(const char *path)
{
    content c = {0};
    pm_index *index = NULL;
    pm_error err = {0};
    if (pm_index_open(path, &index, &err) != PM_OK) fail_msg("%s", err.message);
    if (pm_index_dump(index, gather, &c, &err) != PM_OK) fail_msg("%s", err.message);
    pm_index_close(index);
    return c;
}

static bool left_over(const char *path)
{
    char name[FOLDER_PATH + 32];
    bool any = false;
    for (unsigned i = 0; i < SHARDS; i++) {
        snprintf(name, sizeof name, "%s/shard-%u.new", path, i);
        any |= access(name, F_OK) == 0;
    }
    return any;
}

static void must_be(const char *path, const content *expected, const char *what, unsigned at)
{
    content now = content_of(path);
    if (now.len != expected->len || memcmp(now.data, expected->data, now.len) != 0)
        fail_msg("%s %u: another content", what, at);
    free(now.data);
}

static void must_be_sound(const char *path, const content *expected, const char *what, unsigned at)
{
    pm_error err = {0};
    must_be(path, expected, what, at);
    pm_writer_close(begin(path, false, NULL));
    if (left_over(path)) fail_msg("%s %u: the next writer leaves something over", what, at);
    must_be(path, expected, what, at);
    if (pm_check(path, true, NULL, NULL, NULL, &err) != PM_OK)
        fail_msg("%s %u: %s", what, at, err.message);
}

/* ---- accidents ---------------------------------------------------------------------------- */

static unsigned until; /* calls, or questions, before it happens; 0: never                   */
static unsigned seen;

static bool strikes(void)
{
    seen++;
    return until && !--until;
}

static int kill_before(const char *call, const char *path)
{
    (void)call;
    (void)path;
    if (strikes()) _exit(KILLED);
    return 0;
}

static void kill_after(const file_event *event)
{
    (void)event;
    if (strikes()) _exit(KILLED);
}

static bool kill_amid(void *ctx, pm_phase phase, uint64_t written)
{
    (void)ctx;
    (void)phase;
    (void)written;
    if (strikes()) _exit(KILLED);
    return true;
}

static int refuse(const char *call, const char *path)
{
    (void)path;
    return strikes() ? strcmp(call, "exchange") ? EIO : EINVAL : 0;
}

static bool say_no(void *ctx, pm_phase phase, uint64_t written)
{
    (void)ctx;
    (void)phase;
    (void)written;
    return !strikes();
}

typedef struct accident {
    const char *what;
    int (*fault)(const char *call, const char *path);
    void (*done)(const file_event *event);
    bool (*progress)(void *ctx, pm_phase phase, uint64_t written);
} accident;

static pm_status optimize(const char *path, const accident *a, pm_error *err)
{
    pm_writer *w = begin(path, false, a->progress);
    file_fault = a->fault;
    file_done = a->done;
    plugin_allow_leaks(true);
    pm_status st = pm_writer_optimize(w, NULL, err);
    plugin_allow_leaks(false);
    file_fault = NULL;
    file_done = NULL;
    pm_writer_close(w);
    return st;
}

/* False when there was nothing left to be killed at. */
static bool killed_at(const char *path, const accident *a, unsigned at)
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    folder_must(child >= 0, "fork", path);
    if (child == 0) {
        pm_error err = {0};
        until = at;
        _exit(optimize(path, a, &err) == PM_OK ? 0 : 1);
    }
    folder_must(waitpid(child, &status, 0) == child, "wait", path);
    if (!WIFEXITED(status) || (WEXITSTATUS(status) && WEXITSTATUS(status) != KILLED))
        fail_msg("%s %u: wait status %d", a->what, at, status);
    return WEXITSTATUS(status) == KILLED;
}

static void kill_everywhere(const char *path, const content *expected, const accident *a)
{
    unsigned at = 1, left = 0;
    for (; killed_at(path, a, at); at++) {
        left += left_over(path);
        must_be_sound(path, expected, a->what, at);
    }
    print_message("%s: %u kills, %u leave a copy\n", a->what, at - 1, left);
    assert_true(at > 10 && left > 0);
    must_be_sound(path, expected, a->what, at);
}

static void refuse_everywhere(const char *path, const content *expected, const accident *a)
{
    unsigned failed = 0, at = 1;
    for (;; at++) {
        pm_error err = {0};
        until = at;
        pm_status st = optimize(path, a, &err);
        if (until) break;
        failed += st != PM_OK;
        if (st != PM_OK && st != PM_IO) fail_msg("%s %u: %s", a->what, at, err.message);
        must_be_sound(path, expected, a->what, at);
    }
    until = 0;
    print_message("%s: %u times, %u runs fail\n", a->what, at - 1, failed);
    assert_true(at > 10 && failed > 5);
}

static void test_kills(void **state)
{
    static const accident kills[] = {
        {"before a call", kill_before, NULL, NULL},
        {"after a call", NULL, kill_after, NULL},
        {"amid copying", NULL, NULL, kill_amid},
    };
    char path[FOLDER_PATH];
    (void)state;
    folder_make(path);
    make(path);
    content expected = content_of(path);
    for (size_t i = 0; i < sizeof kills / sizeof *kills; i++)
        kill_everywhere(path, &expected, &kills[i]);
    free(expected.data);
    tree_remove(path);
}

static void test_refusals(void **state)
{
    static const accident refusals[] = {
        {"a call refused", refuse, NULL, NULL},
        {"stopped", NULL, NULL, say_no},
    };
    char path[FOLDER_PATH];
    (void)state;
    folder_make(path);
    make(path);
    content expected = content_of(path);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        refuse_everywhere(path, &expected, &refusals[i]);
    free(expected.data);
    tree_remove(path);
}

/* ---- beside it ---------------------------------------------------------------------------- */

static uint64_t matches(pm_searcher *s, const char *query)
{
    const pm_result *result;
    pm_error err = {0};
    if (pm_searcher_search(s, query, strlen(query), NULL, &result, &err) != PM_OK)
        fail_msg("%s", err.message);
    return result->total;
}

/* The same writer goes on; a reader of the old files, too, and one opened since sees the new. */
static void test_goes_on(void **state)
{
    char path[FOLDER_PATH];
    pm_index *index = NULL;
    pm_searcher *before, *after;
    pm_error err = {0};
    (void)state;
    folder_make(path);
    make(path);
    assert_int_equal(pm_index_open(path, &index, &err), PM_OK);
    assert_int_equal(pm_searcher_open(index, &before, &err), PM_OK);
    uint64_t common = matches(before, "common");
    pm_writer *w = begin(path, false, NULL);
    for (unsigned round = 1; round < 4; round++) {
        pm_commit_info info;
        if (pm_writer_optimize(w, &info, &err) != PM_OK) fail_msg("%s", err.message);
        assert_true(info.index_bytes > 0);
        assert_int_equal(matches(before, "common"), common);
        add(w, 1000 + round, "later words");
        commit(w);
    }
    add(w, 2000, "last words"); /* committed by it                                            */
    if (pm_writer_optimize(w, NULL, &err) != PM_OK) fail_msg("%s", err.message);
    pm_writer_close(w);
    pm_searcher_close(before);
    pm_index_close(index);
    assert_int_equal(pm_index_open(path, &index, &err), PM_OK);
    assert_int_equal(pm_searcher_open(index, &after, &err), PM_OK);
    assert_int_equal(matches(after, "common"), common + 4);
    pm_searcher_close(after);
    pm_index_close(index);
    if (pm_check(path, true, NULL, NULL, NULL, &err) != PM_OK) fail_msg("%s", err.message);
    tree_remove(path);
}

/* Nothing in it, and nothing but folders that are no index's. */
static void test_odd(void **state)
{
    char path[FOLDER_PATH], name[FOLDER_PATH + 32];
    pm_error err = {0};
    (void)state;
    folder_make(path);
    pm_writer *w = begin(path, true, NULL);
    if (pm_writer_optimize(w, NULL, &err) != PM_OK) fail_msg("%s", err.message);
    pm_writer_close(w);
    snprintf(name, sizeof name, "%s/shard-0.new", path);
    folder_must(symlink("/nonexistent", name) == 0, "symlink", name);
    w = begin(path, false, NULL);
    assert_int_equal(pm_writer_optimize(w, NULL, &err), PM_IO);
    pm_writer_close(w);
    assert_true(unlink(name) == 0);
    assert_int_equal(pm_check(path, true, NULL, NULL, NULL, &err), PM_OK);
    tree_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kills),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_odd),
    };
    plugin_use(false);
    plugin_fast_folders();
    return cmocka_run_group_tests_name("xapian optimize", tests, NULL, NULL);
}
