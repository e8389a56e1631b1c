/* SPDX-License-Identifier: MIT
 * test_writer_refusals.c - what a writer refuses, and what is left when it is refused: options
 * and articles that cannot be, a lock that is held, system calls and allocations that fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/segment/layout.h"
#include "common/xapian/xap_index.h"
#include "indexer/writer.h"
#include "tests/support/fresh_folder.h"
#include "tests/support/made_articles.h"

static pm_status try_open(const pm_writer_options *o, pm_error *err)
{
    pm_writer *w;
    pm_status st = pm_writer_open(root, o, &w, err);
    pm_writer_close(w);
    return st;
}

static void test_contradicting_options(void **state)
{
    (void)state;
    pm_error err;
    pm_writer *w = open_writer(root, 1 << 30);
    add(w, 1, 1);
    commit(w);
    pm_writer_close(w);
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    o.lang = "german";
    assert_int_equal(try_open(&o, &err), PM_USAGE);
    assert_non_null(strstr(err.message, "german"));
    assert_non_null(strstr(err.message, "english"));
    o.lang = "en";
    o.positions = o.store = 1;
    assert_int_equal(try_open(&o, &err), PM_OK);
    o.positions = 0;
    assert_int_equal(try_open(&o, &err), PM_USAGE);
    assert_non_null(strstr(err.message, "--positions=yes"));
    o.positions = -1;
    o.store = 0;
    assert_int_equal(try_open(&o, &err), PM_USAGE);
    assert_non_null(strstr(err.message, "--store=yes"));
    o.store = -1;
    o.block_size = 7;
    assert_int_equal(try_open(&o, &err), PM_USAGE);
    o.block_size = 0;
    o.commit_level = 3;
    assert_int_equal(try_open(&o, &err), PM_USAGE);
    o.commit_level = 0;
    o.dense_shift = 32;
    assert_int_equal(try_open(&o, &err), PM_USAGE);
    o.dense_shift = 0;
    o.store_block_bytes = 1;
    assert_int_equal(try_open(&o, &err), PM_USAGE);
    o.store_block_bytes = 1u << 30;
    assert_int_equal(try_open(&o, &err), PM_USAGE);
    o.store_block_bytes = 0;
    o.lang = "klingon";
    assert_int_equal(try_open(&o, &err), PM_USAGE);
    assert_int_equal(try_open(NULL, &err), PM_OK);
}

/* An index of another engine, or whose words were made by other rules, is not added to. */
static void test_foreign_index(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        pm_error err;
        manifest m;
        dir d = DIR_INIT;
        pm_writer *w = open_writer(root, 1 << 30);
        add(w, 1, 1);
        commit(w);
        pm_writer_close(w);
        must(dir_open(&d, root, NULL, &err), &err);
        must(manifest_read(&m, &d, NULL, &err), &err);
        snprintf(i ? m.profile : m.engine, 10, "foreign");
        must(manifest_publish(&m, &d, 2, &err), &err);
        manifest_free(&m);
        dir_close(&d);
        assert_int_equal(try_open(NULL, &err), PM_USAGE);
        if (!strstr(err.message, "foreign")) fail_msg("%s", err.message);
        folder_empty(root);
    }
}

static void test_no_create(void **state)
{
    (void)state;
    pm_error err;
    pm_writer *w;
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    o.create = false;
    assert_int_equal(pm_writer_open("/nonexistent/x.idx", &o, &w, &err), PM_USAGE);
    assert_null(w);
    assert_int_equal(pm_writer_open(root, &o, &w, &err), PM_USAGE);
    assert_int_equal(access(root, F_OK), 0);
    char lock[FOLDER_PATH + 8];
    snprintf(lock, sizeof lock, "%s/LOCK", root);
    assert_int_not_equal(access(lock, F_OK), 0); /* no index, no trace                        */
}

static void test_bad_articles(void **state)
{
    (void)state;
    pm_error err;
    made_article m;
    static char long_id[1026];
    memset(long_id, 'i', sizeof long_id);
    pm_writer *w = open_writer(root, 1 << 30);
    const pm_text bad[] = {{"", 0}, {"a\0b", 3}, {long_id, 1025}};
    for (size_t i = 0; i < 3; i++) {
        make_article(&m, 1, 1);
        m.a.id = bad[i];
        assert_int_equal(pm_writer_add(w, &m.a, NULL, &err), PM_USAGE);
    }
    make_article(&m, 1, 1);
    m.a.title_in_body = true;
    m.a.title_end = m.a.text.len + 1;
    assert_int_equal(pm_writer_add(w, &m.a, NULL, &err), PM_USAGE);
    char *huge = malloc(STORE_RECORD_MAX);
    assert_non_null(huge);
    memset(huge, ' ', STORE_RECORD_MAX);
    make_article(&m, 1, 1);
    m.a.title = (pm_text){huge, 1}; /* by one byte                                           */
    m.a.text = (pm_text){huge, STORE_RECORD_MAX};
    assert_int_equal(pm_writer_add(w, &m.a, NULL, &err), PM_USAGE);
    m.a.title.len = 0; /* by what a record has around its text                               */
    assert_int_equal(pm_writer_add(w, &m.a, NULL, &err), PM_USAGE);
    free(huge);
    assert_int_equal(pm_writer_optimize_with(w, &(pm_optimize_options){0}, NULL, &err), PM_USAGE);
    make_article(&m, 1, 1);
    m.a.id = (pm_text){long_id, 1024};
    must(pm_writer_add(w, &m.a, NULL, &err), &err); /* the writer goes on                     */
    make_article(&m, 2, 1);
    m.a = (pm_article){.id = m.a.id}; /* nothing but an id                                    */
    must(pm_writer_add(w, &m.a, NULL, &err), &err);
    assert_int_equal(commit(w).added, 2);
    pm_writer_close(w);
    assert_sound(root);
}

static void test_busy(void **state)
{
    (void)state;
    pm_error err;
    static pm_writer *w; /* where valgrind finds it in a child that leaves by _exit, too      */
    w = open_writer(root, 1 << 30);
    assert_int_equal(try_open(NULL, &err), PM_BUSY);
    pid_t child = fork();
    if (child == 0) {
        pm_writer *second;
        _exit(pm_writer_open(root, NULL, &second, NULL) == PM_BUSY ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    pm_writer_close(w);
    assert_int_equal(try_open(NULL, &err), PM_OK);
}

static bool join_ids(void *ctx, const char *id, size_t len)
{
    buf_append(ctx, id, len);
    return true;
}

/* A holder that is killed leaves no lock, and what it wrote goes with the next writer. */
static void test_killed_writer(void **state)
{
    (void)state;
    pm_writer *w = open_writer(root, 1 << 30);
    add(w, 1, 1);
    commit(w);
    pm_writer_close(w);
    pid_t child = fork();
    if (child == 0) {
        w = open_writer(root, 1);
        for (unsigned i = 0; i < 5; i++) add(w, i, 2);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(count_files(root, ".seg"), 6);
    folder_write(root, "foreign.seg", "mine", 4);
    w = open_writer(root, 1 << 30);
    assert_int_equal(count_files(root, ".seg"), 2);
    buf ids = {0};
    pm_error err;
    must(pm_writer_each_id(w, join_ids, &ids, &err), &err);
    assert_int_equal(ids.len, 2);
    assert_memory_equal(ids.data, "a1", 2);
    buf_free(&ids);
    pm_writer_close(w);
}

static struct {
    unsigned long nth, calls;
    int error;
} seam;

static int refuse_nth(const char *call, const char *path)
{
    (void)call;
    (void)path;
    return ++seam.calls == seam.nth ? seam.error : 0;
}

/* The second commit: adds, replaces, deletes; two flushes and tombstones. */
static pm_status change_index(pm_writer *w, pm_error *err)
{
    pm_status st = PM_OK;
    for (unsigned i = 5; i < 25 && st == PM_OK; i++) {
        made_article m;
        make_article(&m, i, 2);
        st = pm_writer_add(w, &m.a, NULL, err);
    }
    if (st == PM_OK) st = pm_writer_delete(w, "a1", 2, NULL, err);
    if (st == PM_OK) st = pm_writer_commit(w, NULL, err);
    return st;
}

static void first_state(void)
{
    pm_writer *w = open_writer(root, 1 << 30);
    for (unsigned i = 0; i < 12; i++) add(w, i, 1);
    commit(w);
    pm_writer_close(w);
}

/* Every system call of a second commit refused in turn: PM_IO and the old commit, or
 * PM_NOT_DURABLE and the new one, which a second try proves. */
static void test_refused_calls(void **state)
{
    (void)state;
    unsigned long refused = 0, unproven = 0, harmless = 0, calls;
    first_state();
    folder_image old = {0};
    folder_load(root, &old);
    buf old_dump = dump(root);
    pm_error err;
    for (seam.nth = 1;; seam.nth++) {
        folder_restore(root, &old);
        pm_writer *w = open_writer(root, 16000);
        seam.calls = 0;
        seam.error = seam.nth % 2 ? EIO : ENOSPC;
        file_fault = refuse_nth;
        pm_status st = change_index(w, &err);
        file_fault = NULL;
        calls = seam.calls;
        if (st == PM_NOT_DURABLE) {
            unproven++;
            assert_int_equal(pm_writer_delete(w, "a2", 2, NULL, &err), PM_NOT_DURABLE);
            assert_int_equal(commit(w).added, 13);
            st = PM_OK;
        } else if (st == PM_OK) {
            harmless++;
        } else {
            refused++;
            assert_int_equal(st, PM_IO);
            assert_int_equal(pm_writer_commit(w, NULL, NULL), PM_IO); /* closed to all but close */
        }
        pm_writer_close(w);
        buf now = dump(root);
        bool is_old = now.len == old_dump.len && !memcmp(now.data, old_dump.data, now.len);
        assert_int_equal(is_old, st != PM_OK);
        buf_free(&now);
        if (st != PM_OK) assert_int_equal(count_files(root, ".seg"), 1);
        if (calls < seam.nth) break;
    }
    printf("%lu calls refused: %lu old, %lu unproven, %lu harmless\n", seam.nth - 1, refused,
           unproven, harmless - 1);
    assert_true(refused > 10 && unproven == 1);
    buf_free(&old_dump);
    folder_image_free(&old);
}

static pm_status open_change_optimize(pm_error *err)
{
    pm_writer *w;
    pm_writer_options o = made_options();
    o.memory_bytes = 16000;
    pm_status st = pm_writer_open(root, &o, &w, err);
    if (st == PM_OK) st = change_index(w, err);
    if (st == PM_OK) st = pm_writer_optimize(w, NULL, err);
    pm_writer_close(w);
    return st;
}

static void test_refused_memory(void **state)
{
    (void)state;
    pm_error err;
    uint64_t n = 0,
             stride = getenv("PM_FAULT_STRIDE") ? strtoull(getenv("PM_FAULT_STRIDE"), NULL, 10) : 1;
    first_state();
    folder_image old = {0};
    folder_load(root, &old);
    for (n = 1;; n += stride ? stride : 1) {
        folder_restore(root, &old);
        mem_fail_at(n, false);
        pm_status st = open_change_optimize(&err);
        bool met = mem_count() >= n;
        mem_fail_at(0, false);
        if (st != PM_OK && st != PM_NOMEM)
            fail_msg("allocation %llu: %s", (unsigned long long)n, err.message);
        if (st != PM_OK) assert_sound(root);
        if (!met) break;
    }
    printf("%llu allocations refused\n", (unsigned long long)n - 1);
    assert_true(n > 300);
    folder_image_free(&old);
}

static int refuse_stat(const char *call, const char *path)
{
    return strcmp(call, "stat") == 0 && strcmp(path, "LOCK") != 0 ? EIO : 0;
}

/* A marker that the system does not let look at is not taken for none. */
static void test_marker_overlooked(void **state)
{
    (void)state;
    static const char *const others[] = {"some text", "pressmark xapian", ""};
    static const char marker[] = "pressmark xapian 1\nshards 1\n";
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    pm_error err;
    folder_write(root, "xapian", marker, sizeof marker - 1);
    file_fault = refuse_stat;
    assert_int_equal(try_open(&o, &err), PM_IO);
    file_fault = NULL;
    assert_non_null(strstr(err.message, "try again"));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        folder_write(root, "xapian", others[i], strlen(others[i]));
        assert_int_equal(try_open(&o, &err), PM_OK);
    }
}

static int delete_lock(const char *call, const char *path)
{
    if (strcmp(call, "lock") == 0 && strcmp(path, "LOCK") == 0) folder_unlink(root, "LOCK");
    return 0;
}

/* Whoever deletes LOCK lets another writer in: what that one commits, the first must not undo, nor
 * commit files that it has deleted. */
static void test_lock_deleted(void **state)
{
    (void)state;
    pm_error err;
    for (int flushed = 0; flushed < 2; flushed++) {
        folder_empty(root);
        pm_writer *first = open_writer(root, 1 << 30), *second;
        add(first, 1, 1);
        commit(first);
        add(first, 2, 1);
        if (flushed) must(writer_flush(first, &err), &err);
        folder_unlink(root, "LOCK");
        second = open_writer(root, 1 << 30);
        add(second, 3, 1);
        commit(second);
        buf before = dump(root);
        assert_int_equal(pm_writer_commit(first, NULL, &err), PM_BUSY);
        pm_writer_close(first);
        buf after = dump(root);
        assert_true(after.len == before.len && !memcmp(after.data, before.data, after.len));
        assert_sound(root);
        buf_free(&after);
        add(second, 4, 1);
        assert_int_equal(commit(second).generation, 3);
        pm_writer_close(second);
        assert_sound(root);
        buf_free(&before);
    }
    folder_empty(root);
    file_fault = delete_lock;
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    assert_int_equal(try_open(&o, &err), PM_BUSY);
}

static pm_writer *unlocked;

static int commit_unlocked(const char *call, const char *path)
{
    pm_error err;
    if (!unlocked || strcmp(call, "rename") != 0 || strcmp(path, "manifest") != 0) return 0;
    pm_writer *w = unlocked;
    unlocked = NULL;
    assert_int_equal(pm_writer_commit(w, NULL, &err), PM_BUSY);
    pm_writer_close(w);
    return 0;
}

/* Nor does it touch the manifest that the second writer is about to publish, */
static void test_lock_deleted_beside(void **state)
{
    (void)state;
    pm_writer *first = open_writer(root, 1 << 30);
    add(first, 1, 1);
    commit(first);
    assert_true(remove_article(first, 1));
    folder_unlink(root, "LOCK");
    pm_writer *second = open_writer(root, 1 << 30);
    add(second, 2, 1);
    unlocked = first;
    file_fault = commit_unlocked;
    assert_int_equal(commit(second).generation, 2);
    file_fault = NULL;
    assert_null(unlocked);
    pm_writer_close(second);
    assert_sound(root);
}

/* or files that the second one's manifest will name. */
static void test_lock_deleted_optimized(void **state)
{
    (void)state;
    pm_error err;
    pm_writer *first = open_writer(root, 1 << 30);
    add(first, 1, 1);
    commit(first);
    must(pm_writer_optimize(first, NULL, &err), &err);
    folder_unlink(root, "LOCK");
    pm_writer *second = open_writer(root, 1 << 30);
    add(second, 2, 1);
    must(writer_flush(second, &err), &err);
    must(pm_writer_optimize(first, NULL, &err), &err);
    pm_writer_close(first);
    commit(second);
    pm_writer_close(second);
    assert_sound(root);
}

enum { ENDS_WITH_MARKER, ENDS_WITHOUT };

static int first_run_end;

static int end_first_run(const char *call, const char *path)
{
    char marker[FOLDER_PATH + 40], begun[FOLDER_PATH + 40], shard[FOLDER_PATH + 40];
    size_t len = strlen(path), n = strlen("/xapian.tmp");
    if (strcmp(call, "stat") != 0 || len < n || strcmp(path + len - n, "/xapian.tmp") != 0)
        return 0;
    snprintf(marker, sizeof marker, "%s/xapian", root);
    snprintf(begun, sizeof begun, "%s/xapian.tmp", root);
    snprintf(shard, sizeof shard, "%s/shard-0/iamglass", root);
    if (first_run_end == ENDS_WITH_MARKER)
        assert_int_equal(rename(begun, marker), 0);
    else
        assert_int_equal(unlink(shard) | unlink(begun), 0);
    return 0;
}

/* A first run of the engine xapian that ends while somebody looks has not lost its marker. */
static void test_marker_comes(void **state)
{
    (void)state;
    char shard[FOLDER_PATH + 40];
    snprintf(shard, sizeof shard, "%s/shard-0", root);
    for (int end = ENDS_WITH_MARKER; end <= ENDS_WITHOUT; end++) {
        folder_empty(root);
        folder_write(root, "LOCK", "", 0);
        folder_write(root, "xapian.tmp", "", 0);
        assert_int_equal(mkdir(shard, 0777), 0);
        folder_write(shard, "iamglass", "", 0);
        bool before = xap_marker_lost(root);
        first_run_end = end;
        file_fault = end_first_run;
        bool meanwhile = xap_marker_lost(root);
        file_fault = NULL;
        folder_write(shard, "iamglass", "", 0);
        if (end == ENDS_WITH_MARKER) folder_unlink(root, "xapian");
        bool lost = xap_marker_lost(root);
        folder_remove(shard);
        assert_false(before);
        assert_false(meanwhile);
        assert_true(lost);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)
    const struct CMUnitTest tests[] = {
        TEST(test_contradicting_options),
        TEST(test_no_create),
        TEST(test_foreign_index),
        TEST(test_bad_articles),
        TEST(test_busy),
        TEST(test_killed_writer),
        TEST(test_refused_calls),
        TEST(test_refused_memory),
        TEST(test_marker_overlooked),
        TEST(test_lock_deleted),
        TEST(test_lock_deleted_beside),
        TEST(test_lock_deleted_optimized),
        TEST(test_marker_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
