/* SPDX-License-Identifier: MIT
 * test_writer_commit.c - what a commit leaves in the writer that made it, and what it reports:
 * deaths that are told once, bytes of the files, what is synced, the share of the limit that
 * batches keep, records of a segment that is gone, the phase that is told next, and when optimize
 * has nothing to do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "indexer/writer.h"
#include "tests/support/fresh_folder.h"
#include "tests/support/whole_index.h"

static pm_writer *open_writer(unsigned level, uint64_t memory)
{
    pm_error err;
    pm_writer *w;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.threads = 1;
    options.commit_level = level;
    options.memory_bytes = memory;
    must(pm_writer_open(root, &options, &w, &err), &err);
    return w;
}

static void add(pm_writer *w, unsigned number)
{
    pm_error err;
    char id[16], text[64];
    pm_article a = {.file_hash = number + 1};
    a.id = (pm_text){id, (size_t)snprintf(id, sizeof id, "%u", number)};
    a.text = (pm_text){text, (size_t)snprintf(text, sizeof text, "export controls w%u", number)};
    must(pm_writer_add(w, &a, NULL, &err), &err);
}

static void die(pm_writer *w, unsigned number)
{
    pm_error err;
    char id[16];
    bool found;
    int len = snprintf(id, sizeof id, "%u", number);
    must(pm_writer_delete(w, id, (size_t)len, &found, &err), &err);
    assert_true(found);
}

static pm_commit_info commit(pm_writer *w)
{
    pm_error err;
    pm_commit_info info;
    must(pm_writer_commit(w, &info, &err), &err);
    assert_int_equal(w->phase, PM_PHASE_STORE);
    return info;
}

/* As of the last commit. */
static bool is_there(pm_writer *w, unsigned number)
{
    pm_error err;
    char id[16];
    bool found;
    uint64_t size, hash;
    int64_t mtime;
    int len = snprintf(id, sizeof id, "%u", number);
    must(pm_writer_provenance(w, id, (size_t)len, &found, &size, &mtime, &hash, &err), &err);
    if (found) assert_int_equal(hash, number + 1);
    return found;
}

/* Deaths in a segment that lives on: committed once, and known to the next transaction. */
static void test_deaths(void **state)
{
    (void)state;
    pm_writer *w = open_writer(2, 0);
    for (unsigned i = 0; i < 4; i++) add(w, i);
    assert_int_equal(commit(w).generation, 1);
    die(w, 1);
    assert_true(is_there(w, 1));
    assert_int_equal(commit(w).generation, 2);
    assert_false(is_there(w, 1));
    assert_int_equal(commit(w).generation, 2);
    die(w, 2);
    assert_false(is_there(w, 1));
    assert_true(is_there(w, 2) && is_there(w, 3));
    assert_int_equal(commit(w).generation, 3);
    assert_true(!is_there(w, 1) && !is_there(w, 2) && is_there(w, 3));
    assert_int_equal(w->n_segments, 1);
    pm_writer_close(w);
}

/* Of all files that the commit names, and of the manifest. */
static void test_index_bytes(void **state)
{
    (void)state;
    folder_image image;
    uint64_t sum = 0;
    pm_writer *w = open_writer(2, 0);
    for (unsigned i = 0; i < 9; i++) {
        add(w, i);
        if (i % 3 == 2) commit(w);
    }
    die(w, 1);
    die(w, 7);
    uint64_t told = commit(w).index_bytes;
    pm_writer_close(w);
    folder_load(root, &image);
    assert_int_equal(image.n, 3 + 2 + 2); /* segments, tombstones, manifests                    */
    for (size_t i = 0; i < image.n; i++)
        if (strcmp(image.files[i].name, "manifest.prev") != 0) sum += image.files[i].len;
    assert_int_equal(told, sum);
    folder_image_free(&image);
}

static unsigned syncs;

static int count_syncs(const char *call, const char *path)
{
    (void)path;
    syncs += strcmp(call, "fsync") == 0;
    return 0;
}

/* Tombstones and merges are made durable where segments are. */
static void test_synced(void **state)
{
    (void)state;
    pm_error err;
    const unsigned want[] = {4, 3, 0}; /* tombstones or merge, manifest, folder, folder */
    for (unsigned level = 0; level < 3; level++) {
        pm_writer *w = open_writer(level, 0);
        for (unsigned i = 0; i < 4; i++) add(w, i);
        commit(w);
        die(w, 1);
        syncs = 0;
        file_fault = count_syncs;
        commit(w);
        assert_int_equal(syncs, want[level]);
        syncs = 0;
        must(pm_writer_optimize(w, NULL, &err), &err);
        file_fault = NULL;
        assert_int_equal(syncs, want[level]);
        pm_writer_close(w);
        folder_empty(root);
    }
}

static int refuse_writes(const char *call, const char *path)
{
    (void)path;
    return strcmp(call, "write") == 0 ? ENOSPC : 0;
}

/* The reason of a failure is told to who asks for it, and again by the next call. */
static void test_reason(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        pm_error err = {0}, *asked = way % 2 ? NULL : &err;
        pm_writer *w = open_writer(2, 0);
        add(w, 0);
        add(w, 0); /* so that the batch has a bitmap of its dead                                */
        file_fault = refuse_writes;
        pm_status st =
            way / 2 ? pm_writer_optimize(w, NULL, asked) : pm_writer_commit(w, NULL, asked);
        file_fault = NULL;
        assert_int_equal(st, PM_IO);
        if (asked) assert_int_equal(err.os_errno, ENOSPC);
        err = (pm_error){0};
        assert_int_equal(pm_writer_commit(w, NULL, &err), PM_IO);
        assert_int_equal(err.os_errno, ENOSPC);
        pm_writer_close(w);
        folder_empty(root);
    }
}

static int refuse_fourth_sync(const char *call, const char *path)
{
    count_syncs(call, path);
    return strcmp(call, "fsync") == 0 && syncs == 4 ? EIO : 0;
}

/* A commit that is visible, but unproven, is told in full, and once more by the one that proves it.
 */
static void test_unproven(void **state)
{
    (void)state;
    pm_error err;
    pm_commit_info info = {0}, again;
    pm_writer *w = open_writer(0, 0);
    add(w, 0);
    add(w, 1);
    syncs = 0;
    file_fault = refuse_fourth_sync;
    assert_int_equal(pm_writer_commit(w, &info, &err), PM_NOT_DURABLE);
    file_fault = NULL;
    assert_int_equal(info.generation, 1);
    assert_int_equal(info.added, 2);
    assert_true(info.text_bytes > 0 && info.index_bytes > 0);
    again = commit(w);
    assert_int_equal(again.generation, 2);
    assert_int_equal(again.added, 2);
    assert_int_equal(again.index_bytes, info.index_bytes);
    assert_int_equal(commit(w).added, 0);
    pm_writer_close(w);
}

/* A commit whose last sync fails, by a writer that is gone then. */
static void leave_unproven(void)
{
    pm_error err;
    pm_writer *w = open_writer(0, 0);
    add(w, 0);
    commit(w);
    add(w, 1);
    syncs = 0;
    file_fault = refuse_fourth_sync;
    assert_int_equal(pm_writer_commit(w, NULL, &err), PM_NOT_DURABLE);
    file_fault = NULL;
    pm_writer_close(w);
}

static int refuse_each_sync(const char *call, const char *path)
{
    count_syncs(call, path);
    return strcmp(call, "fsync") == 0 ? EIO : 0;
}

/* "Run the commit again", in a process of its own: there is nothing to write, but to sync. */
static void test_unproven_by_others(void **state)
{
    (void)state;
    pm_error err;
    leave_unproven();
    for (unsigned level = 0; level < 3; level++) {
        pm_writer *w = open_writer(level, 0);
        syncs = 0;
        file_fault = count_syncs;
        for (unsigned turn = 0; turn < 2; turn++) {
            assert_int_equal(commit(w).generation, 2);
            assert_int_equal(syncs, level == 0); /* once is enough                            */
        }
        file_fault = NULL;
        pm_writer_close(w);
    }
    pm_writer *w = open_writer(0, 0);
    file_fault = refuse_each_sync;
    assert_int_equal(pm_writer_commit(w, NULL, &err), PM_NOT_DURABLE);
    file_fault = NULL;
    assert_non_null(strstr(err.message, "run the commit again"));
    assert_int_equal(pm_writer_delete(w, "0", 1, NULL, &err), PM_NOT_DURABLE);
    assert_int_equal(commit(w).generation, 3); /* a sync that has failed is not asked again       */
    pm_writer_close(w);
    /* What this writer has committed it need not prove. */
    w = open_writer(0, 0);
    add(w, 2);
    commit(w);
    syncs = 0;
    file_fault = count_syncs;
    commit(w);
    file_fault = NULL;
    assert_int_equal(syncs, 0);
    pm_writer_close(w);
}

static unsigned gone_before_sync, gone;

static void note_order(const file_event *event)
{
    if (strcmp(event->call, "fsync") == 0) syncs++;
    if (strcmp(event->call, "unlink") != 0) return;
    gone++;
    gone_before_sync += syncs == 0;
}

/* The commit before goes when the last one is known to survive a power cut, not sooner. */
static void test_optimize_of_unproven(void **state)
{
    (void)state;
    pm_error err;
    pm_writer *w = open_writer(0, 0);
    add(w, 0);
    commit(w);
    add(w, 1);
    commit(w);
    syncs = 0;
    file_fault = refuse_fourth_sync;
    assert_int_equal(pm_writer_optimize(w, NULL, &err), PM_NOT_DURABLE);
    file_fault = NULL;
    pm_writer_close(w);

    w = open_writer(0, 0);
    file_fault = refuse_each_sync;
    file_done = note_order;
    gone = syncs = 0;
    assert_int_equal(pm_writer_optimize(w, NULL, &err), PM_NOT_DURABLE);
    file_fault = NULL;
    pm_writer_close(w);
    assert_int_equal(gone, 0);

    w = open_writer(0, 0);
    gone = syncs = gone_before_sync = 0;
    must(pm_writer_optimize(w, NULL, &err), &err);
    file_done = NULL;
    pm_writer_close(w);
    assert_int_equal(syncs, 1);
    assert_int_equal(gone_before_sync, 0);
    assert_int_equal(gone, 3); /* manifest.prev and both segments                                */
}

static unsigned parent_syncs;

static void note_parent(const file_event *event)
{
    size_t len = strlen(event->path);
    parent_syncs += strcmp(event->call, "fsync") == 0 && strcmp(event->path + len - 2, "..") == 0;
}

/* A folder without a commit may have been made by a writer that was killed before the sync. */
static void test_parent_synced(void **state)
{
    (void)state;
    file_done = note_parent;
    for (unsigned commits = 0; commits < 3; commits++) {
        parent_syncs = 0;
        pm_writer *w = open_writer(0, 0);
        assert_int_equal(parent_syncs, commits < 2);
        if (commits) add(w, commits);
        if (commits) commit(w);
        pm_writer_close(w);
    }
    file_done = NULL;
}

/* Whatever is held elsewhere, batches have a quarter of what is counted, and never more than that.
 */
static void test_budget(void **state)
{
    (void)state;
    enum { COUNTED = 50 << 20 };
    pm_writer *w = open_writer(2, 60 << 20);
    assert_int_equal(writer_budget(w), COUNTED);
    const uint64_t held[] = {1, 1 << 20, COUNTED / 4 * 3 - 1, COUNTED / 4 * 3};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) {
        w->held = held[i];
        assert_int_equal(writer_budget(w), COUNTED - held[i]);
    }
    w->held = COUNTED / 4 * 3 + 1;
    assert_int_equal(writer_budget(w), COUNTED / 4 + (COUNTED % 4 != 0));
    w->held = UINT64_C(1) << 40;
    assert_int_equal(writer_budget(w), COUNTED / 4 + (COUNTED % 4 != 0));
    pm_writer_close(w);
}

/* A record that was read is of its segment only: the next one may stand at the same address. */
static void test_records_of_gone_segments(void **state)
{
    (void)state;
    pm_writer *w = open_writer(2, 0);
    for (unsigned i = 0; i < 40; i++) {
        add(w, i);
        commit(w);
        assert_true(is_there(w, i));
        die(w, i);
        commit(w);
        assert_int_equal(w->n_segments, 0);
        assert_null(w->cache.s);
    }
    pm_writer_close(w);
}

/* Scores are by the average length of the articles that are left, of 64 and of 65 as of any number.
 */
static void test_average(void **state)
{
    (void)state;
    for (unsigned n = 63; n < 66; n++) {
        pm_error err;
        uint64_t tokens = 0;
        pm_writer *w = open_writer(2, 0);
        for (unsigned i = 0; i < n; i++) {
            char id[16], text[3 * 8] = "";
            for (unsigned k = 0; k <= i % 3; k++) strcat(text, "a b c ");
            pm_article a = {.text = {text, strlen(text)}};
            a.id = (pm_text){id, (size_t)snprintf(id, sizeof id, "%u", i)};
            must(pm_writer_add(w, &a, NULL, &err), &err);
            if (i != 0 && i != n - 1) tokens += 3 * (i % 3 + 1);
        }
        commit(w);
        pm_writer_close(w);
        w = open_writer(2, 0);
        die(w, 0);
        die(w, n - 1);
        must(pm_writer_optimize(w, NULL, &err), &err);
        assert_int_equal(w->n_segments, 1);
        assert_int_equal(w->segments[0].named.n_docs, n - 2);
        assert_true(w->meta.avgdl_ref == (double)tokens / (n - 2));
        pm_writer_close(w);
        folder_empty(root);
    }
}

static uint64_t optimize(pm_writer *w, pm_reorder by)
{
    pm_error err;
    pm_commit_info info;
    pm_optimize_options how = PM_OPTIMIZE_OPTIONS_INIT;
    how.reorder = by;
    must(pm_writer_optimize_with(w, &how, &info, &err), &err);
    return info.generation;
}

/* One segment is made anew where it is to stand in another order, and only there. */
static void test_in_order(void **state)
{
    (void)state;
    pm_error err;
    pm_writer *w = open_writer(2, 0);
    for (unsigned i = 0; i < 200; i++) {
        char id[16];
        pm_article a = {.text = {i % 2 ? "rare earth minerals" : "trade talks fail", 16}};
        a.id = (pm_text){id, (size_t)snprintf(id, sizeof id, "%u", i)};
        must(pm_writer_add(w, &a, NULL, &err), &err);
        if (i == 100) commit(w);
    }
    uint64_t first = optimize(w, PM_REORDER_KEEP);
    assert_int_equal(optimize(w, PM_REORDER_KEEP), first);
    assert_int_equal(optimize(w, PM_REORDER_NONE), first);
    assert_int_equal(optimize(w, PM_REORDER_BP), first + 1);
    assert_int_equal(optimize(w, PM_REORDER_KEEP), first + 1);
    assert_int_equal(optimize(w, PM_REORDER_NONE), first + 2);
    assert_int_equal(optimize(w, PM_REORDER_NONE), first + 2);
    /* Options of which a caller knows nothing but the size are those that there are otherwise. */
    pm_optimize_options how = {.size = sizeof how.size, .reorder = PM_REORDER_BP};
    must(pm_writer_optimize_with(w, &how, NULL, &err), &err);
    assert_int_equal(w->meta.generation, first + 2);
    how.size--;
    assert_int_equal(pm_writer_optimize_with(w, &how, NULL, &err), PM_USAGE);
    pm_writer_close(w);
}

/* The space of the commit before is given back once one segment of all is durable, and else kept.
 */
static void test_previous(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        pm_error err;
        folder_image image;
        unsigned level = way < 3 ? way : 0;
        pm_writer *w = open_writer(level, 0);
        for (unsigned i = 0; i < 4; i++) {
            add(w, i);
            if (i % 2) commit(w);
        }
        syncs = 0;
        file_fault = way == 3 ? refuse_fourth_sync : NULL;
        pm_status st = pm_writer_optimize(w, NULL, &err);
        file_fault = NULL;
        assert_int_equal(st, way == 3 ? PM_NOT_DURABLE : PM_OK);
        folder_load(root, &image);
        /* The segment and the manifest; the one before, and two segments that it names. */
        assert_int_equal(image.n, way ? 5 : 2);
        folder_image_free(&image);
        pm_writer_close(w);
        folder_empty(root);
    }
}

/* What is written after a batch that was full, and after a merge that this brought about, is told
 * as the store of the next one. */
static void test_phase(void **state)
{
    (void)state;
    pm_writer *w = open_writer(2, 60000);
    for (unsigned i = 0; i < 5000; i++) {
        add(w, i);
        assert_int_equal(w->phase, PM_PHASE_STORE);
    }
    assert_true(w->meta.next_file > w->n_segments + 20); /* merges                             */
    pm_writer_close(w);
}

static int refuse_manifest(const char *call, const char *path)
{
    return strcmp(call, "open") == 0 && strstr(path, "manifest") ? ENOSPC : 0;
}

/* Of a commit that cannot be named no file stays: segment, tombstones. */
static void test_discarded(void **state)
{
    (void)state;
    pm_error err;
    folder_image before, after;
    pm_writer *w = open_writer(2, 0);
    add(w, 0);
    add(w, 1);
    commit(w);
    folder_load(root, &before);
    add(w, 2);
    die(w, 1);
    file_fault = refuse_manifest;
    assert_int_equal(pm_writer_commit(w, NULL, &err), PM_IO);
    file_fault = NULL;
    pm_writer_close(w);
    folder_load(root, &after);
    assert_int_equal(before.n, after.n);
    for (size_t i = 0; i < after.n; i++)
        assert_string_equal(before.files[i].name, after.files[i].name);
    folder_image_free(&before);
    folder_image_free(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_deaths, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_index_bytes, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_synced, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_unproven, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_unproven_by_others, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_optimize_of_unproven, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_parent_synced, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_reason, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_discarded, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_budget, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_records_of_gone_segments, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_phase, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_average, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_in_order, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_previous, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
