/* SPDX-License-Identifier: MIT
 * test_tiers.c - which segments are merged (writer_tiers.c): after every one of many commits there
 * are at most ten (twelve while a merge goes on beside), in order of ingest, an article has not
 * been moved often, large segments are left alone while small ones come, and one that is mostly
 * dead is written anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "common/segment/snapshot.h"
#include "indexer/writer.h"
#include "tests/support/fresh_folder.h"

enum { COMMITS = 300, SEGMENTS_MAX = 10, BESIDE_MAX = 12, EACH = 2 };

/* memory_bytes 0: the default. */
static pm_writer *open_with(uint64_t memory_bytes)
{
    pm_error err;
    pm_writer *w;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.create = true;
    options.commit_level = 2;
    options.threads = 1;
    options.memory_bytes = memory_bytes;
    if (pm_writer_open(root, &options, &w, &err) != PM_OK) fail_msg("%s", err.message);
    return w;
}

static pm_writer *open_writer(void)
{
    return open_with(0);
}

static void add(pm_writer *w, uint32_t number)
{
    pm_error err;
    char id[16];
    pm_article a = {.text = {"rare earth export controls", 26}};
    a.id = (pm_text){id, (size_t)snprintf(id, sizeof id, "%u", (unsigned)number)};
    if (pm_writer_add(w, &a, NULL, &err) != PM_OK) fail_msg("%s", err.message);
}

static void commit(pm_writer *w)
{
    pm_error err;
    if (pm_writer_commit(w, NULL, &err) != PM_OK) fail_msg("%s", err.message);
}

/* The segments of the last commit: documents of each; *fresh: of those not in `names` before,
 * which then holds the names there are. */
typedef struct view {
    unsigned n;
    uint32_t docs[64], live[64];
    char names[64][SEGMENT_NAME_MAX];
    uint32_t fresh;
} view;

static void look(view *v)
{
    pm_error err;
    snapshot *s;
    view before = *v;
    if (snapshot_open(&s, root, &err) != PM_OK) fail_msg("%s", err.message);
    v->n = s->meta.n_segments;
    v->fresh = 0;
    assert_true(v->n <= 64);
    for (unsigned i = 0; i < v->n; i++) {
        const manifest_segment *named = &s->meta.segments[i];
        bool known = false;
        v->docs[i] = named->n_docs;
        v->live[i] = named->n_docs - named->n_deleted;
        snprintf(v->names[i], sizeof v->names[i], "%s", named->name);
        for (unsigned k = 0; k < before.n; k++) known |= !strcmp(before.names[k], named->name);
        if (!known) v->fresh += named->n_docs;
    }
    snapshot_close(s);
}

/* By one writer, whose tokens are kept, or by one for each commit. */
static void many_commits(bool reopen)
{
    view v = {.n = 0};
    uint64_t moved = 0;
    pm_writer *w = open_writer();
    for (uint32_t c = 0; c < COMMITS; c++) {
        for (uint32_t i = 0; i < EACH; i++) add(w, c * EACH + i);
        commit(w);
        look(&v);
        uint32_t sum = 0;
        for (unsigned i = 0; i < v.n; i++) sum += v.docs[i];
        assert_int_equal(sum, (c + 1) * EACH);
        assert_true(v.n <= (reopen ? SEGMENTS_MAX : BESIDE_MAX));
        if (c < SEGMENTS_MAX) assert_int_equal(v.fresh, EACH);
        moved += v.fresh - (v.fresh >= EACH ? EACH : 0);
        if (!reopen) continue;
        pm_writer_close(w);
        w = open_writer();
    }
    pm_writer_close(w);
    /* 300 commits in ten places: C(12, 2) = 66 can do with two moves each, C(13, 3) = 286 with
     * three; they take 2.93 on average. */
    if (moved * 10 > 32 * COMMITS * EACH) fail_msg("%lu articles were moved", (unsigned long)moved);
    assert_true(moved > COMMITS * EACH);
}

static void test_many_commits(void **state)
{
    (void)state;
    many_commits(false);
}

static void test_many_writers(void **state)
{
    (void)state;
    many_commits(true);
}

/* A segment of 3,000 articles is not taken up by what a hundred small commits merge. */
static void test_large_stays(void **state)
{
    (void)state;
    view v = {.n = 0};
    char name[SEGMENT_NAME_MAX];
    pm_writer *w = open_writer();
    for (uint32_t i = 0; i < 3000; i++) add(w, i);
    commit(w);
    look(&v);
    assert_int_equal(v.n, 1);
    snprintf(name, sizeof name, "%s", v.names[0]);
    for (uint32_t c = 0; c < 100; c++) {
        add(w, 3000 + c);
        commit(w);
    }
    look(&v);
    assert_true(v.n <= BESIDE_MAX);
    assert_string_equal(v.names[0], name);
    assert_int_equal(v.docs[0], 3000);
    pm_writer_close(w);
}

static void delete_many(pm_writer *w, uint32_t from, uint32_t to)
{
    pm_error err;
    for (uint32_t i = from; i < to; i++) {
        char id[16];
        bool found;
        int len = snprintf(id, sizeof id, "%u", (unsigned)i);
        if (pm_writer_delete(w, id, (size_t)len, &found, &err) != PM_OK)
            fail_msg("%s", err.message);
        assert_true(found);
    }
}

/* More than a fifth dead, and more than a thousand: written anew.  Less: left. */
static void test_expunge(void **state)
{
    (void)state;
    view v = {.n = 0};
    pm_writer *w = open_writer();
    for (uint32_t i = 0; i < 6000; i++) add(w, i);
    commit(w);
    delete_many(w, 0, 1200); /* a fifth                                                          */
    commit(w);
    look(&v);
    assert_int_equal(v.docs[0], 6000);
    assert_int_equal(v.live[0], 4800);
    delete_many(w, 1200, 1300);
    commit(w);
    look(&v);
    assert_int_equal(v.docs[0], 4700);
    assert_int_equal(v.live[0], 4700);
    for (uint32_t i = 6000; i < 7000; i++) add(w, i);
    commit(w);
    delete_many(w, 6000, 6900);
    commit(w);
    look(&v);
    assert_int_equal(v.docs[1], 1000);
    assert_int_equal(v.live[1], 100);
    for (uint32_t i = 7000; i < 9000; i++) add(w, i);
    commit(w);
    delete_many(w, 7000, 8023);
    commit(w);
    look(&v);
    assert_int_equal(v.docs[2], 2000);
    delete_many(w, 8023, 8024); /* the 1,024th                                                   */
    commit(w);
    look(&v);
    assert_int_equal(v.docs[2], 976);
    pm_writer_close(w);
}

/* Segments of which each is half as large again as the one before: no run is balanced, and the
 * smallest are merged all the same. */
static void test_none_balanced(void **state)
{
    (void)state;
    view v = {.n = 0};
    uint32_t size = 100, number = 0;
    for (unsigned c = 0; c < SEGMENTS_MAX + 1; c++, size += size / 2) {
        pm_writer *w = open_writer();
        for (uint32_t i = 0; i < size; i++) add(w, number++);
        commit(w);
        pm_writer_close(w);
        look(&v);
        assert_int_equal(v.docs[v.n - 1], size);
        if (c < SEGMENTS_MAX) assert_int_equal(v.n, c + 1);
    }
    assert_true(v.n <= SEGMENTS_MAX);
    assert_true(v.docs[0] < 1000);
}

/* A writer of this memory commits documents [first, first + n) and is closed. */
static void commit_docs(uint64_t memory_bytes, uint32_t first, uint32_t n, view *v)
{
    pm_writer *w = open_with(memory_bytes);
    for (uint32_t i = 0; i < n; i++) add(w, first + i);
    commit(w);
    pm_writer_close(w);
    look(v);
}

/* A merge that would take more memory than there is is not made: of eleven segments some are
 * merged, and none when there is next to none. */
static void test_little_memory(void **state)
{
    (void)state;
    view v = {.n = 0};
    enum { DOCS = 8000 };
    uint32_t number = 0, largest = 0;
    for (; number <= SEGMENTS_MAX * DOCS; number += DOCS) {
        commit_docs(1 << 20, number, DOCS, &v);
        assert_true(v.n <= SEGMENTS_MAX);
    }
    assert_true(v.n > 1);
    for (unsigned i = 0; i < v.n; i++)
        if (v.docs[i] > largest) largest = v.docs[i];
    assert_true(largest > DOCS && largest < SEGMENTS_MAX * DOCS);
    for (; v.n < SEGMENTS_MAX; number += DOCS) commit_docs(1 << 20, number, DOCS, &v);
    commit_docs(64 << 10, number, DOCS, &v);
    assert_true(v.n > SEGMENTS_MAX);
}

/* Of eleven segments whose merge is too large to go on beside, seven are merged. */
static void test_at_once(void **state)
{
    (void)state;
    enum { DOCS = 4000, AT_ONCE = 7 };
    view v = {.n = 0};
    for (unsigned c = 0; c <= SEGMENTS_MAX; c++) commit_docs(2 << 20, c * DOCS, DOCS, &v);
    assert_int_equal(v.n, SEGMENTS_MAX + 1 - AT_ONCE + 1);
    assert_int_equal(v.docs[0], AT_ONCE * DOCS);
}

/* ---- no room ----------------------------------------------------------------------------- */

static const pm_writer *narrow;

/* Merges find the disk full, everything else finds room. */
static int full_for_merges(const char *call, const char *path)
{
    (void)path;
    return narrow->phase == PM_PHASE_MERGE && !strcmp(call, "write") ? ENOSPC : 0;
}

static unsigned count_files(void)
{
    folder_image image;
    folder_load(root, &image);
    unsigned n = (unsigned)image.n;
    folder_image_free(&image);
    return n;
}

/* 25 commits, then one that finds room; and a writer's last one. */
static void narrow_commits(bool keeps, bool waits)
{
    view v = {.n = 0};
    pm_error err;
    pm_writer *w = open_writer();
    w->keeps_none = !keeps;
    w->waits = waits;
    narrow = w;
    file_fault = full_for_merges;
    for (uint32_t c = 0; c < 25; c++) {
        add(w, c);
        commit(w);
    }
    add(w, 25);
    if (pm_writer_finish(w, NULL, &err) != PM_OK) fail_msg("%s", err.message);
    look(&v);
    assert_int_equal(v.n, 26);
    file_fault = NULL;
    add(w, 26);
    commit(w);
    add(w, 27);
    commit(w);
    look(&v);
    assert_true(v.n <= BESIDE_MAX);
    pm_writer_close(w);
    look(&v);
    assert_int_equal(count_files(), v.n + 2); /* and two manifests                                */
    if (pm_check(root, true, NULL, NULL, NULL, &err) != PM_OK) fail_msg("%s", err.message);
    folder_empty(root);
}

static void test_no_room(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) narrow_commits(i % 2, i / 2);
}

/* A segment of which most is deleted is to be written anew: it stays, and they are deleted. */
static void test_no_room_to_expunge(void **state)
{
    (void)state;
    enum { DOCS = 1500, DEAD = 1200 };
    view v = {.n = 0};
    pm_error err;
    pm_writer *w = open_writer();
    for (uint32_t i = 0; i < DOCS; i++) add(w, i);
    commit(w);
    narrow = w;
    file_fault = full_for_merges;
    for (uint32_t i = 0; i < DEAD; i++) {
        char id[16];
        size_t len = (size_t)snprintf(id, sizeof id, "%u", (unsigned)i);
        if (pm_writer_delete(w, id, len, NULL, &err) != PM_OK) fail_msg("%s", err.message);
    }
    commit(w);
    look(&v);
    assert_int_equal(v.n, 1);
    assert_int_equal(v.docs[0], DOCS);
    assert_int_equal(v.live[0], DOCS - DEAD);
    file_fault = NULL;
    add(w, DOCS);
    commit(w);
    look(&v);
    assert_int_equal(v.docs[0], DOCS - DEAD);
    pm_writer_close(w);
}

/* ---- bytes of files ------------------------------------------------------------------------- */

/* Segments that together are more than one can hold: they stay apart, by their tokens, or because
 * the merge finds out; no commit fails for it. */
static void test_too_much_for_one(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 2; way++) {
        view v = {.n = 0};
        folder_empty(root);
        pm_writer *w = open_with(UINT64_C(1) << 42);
        w->waits = w->keeps_none = true;
        uint64_t tokens[SEGMENTS_MAX], forms[SEGMENTS_MAX];
        for (uint32_t c = 0; c < SEGMENTS_MAX; c++) {
            add(w, c);
            commit(w);
            segment_info *info = &w->segments[c].seg->info;
            tokens[c] = info->sum_dl;
            forms[c] = info->n_forms;
            if (way == 0) info->sum_dl = UINT64_C(1) << 34;
            if (way == 1) info->n_forms = UINT32_MAX;
        }
        for (uint32_t c = SEGMENTS_MAX; c < SEGMENTS_MAX + 3; c++) {
            add(w, c);
            commit(w);
        }
        look(&v);
        assert_true(v.n > SEGMENTS_MAX && v.docs[0] == 1 && v.docs[SEGMENTS_MAX - 1] == 1);
        for (uint32_t c = 0; c < SEGMENTS_MAX; c++) {
            w->segments[c].seg->info.sum_dl = tokens[c];
            w->segments[c].seg->info.n_forms = forms[c];
        }
        add(w, SEGMENTS_MAX + 3);
        commit(w);
        look(&v);
        assert_true(v.n <= SEGMENTS_MAX);
        pm_writer_close(w);
    }
}

static uint64_t most_seen;

static void look_at_sizes(const file_event *event)
{
    folder_image image;
    uint64_t sum = 0;
    if (strcmp(event->call, "rename") && strcmp(event->call, "fsync")) return;
    folder_load(root, &image);
    for (size_t i = 0; i < image.n; i++) sum += image.files[i].len;
    if (sum > most_seen) most_seen = sum;
    folder_image_free(&image);
}

/* What is said of files is what the folder held: at every sync, which ends a file, and rename. */
static void test_most_bytes(void **state)
{
    (void)state;
    pm_error err;
    pm_commit_info info;
    pm_writer *w;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.create = true;
    options.threads = 1;
    if (pm_writer_open(root, &options, &w, &err) != PM_OK) fail_msg("%s", err.message);
    most_seen = 0;
    file_done = look_at_sizes;
    for (uint32_t c = 0; c < 40; c++) {
        for (uint32_t i = 0; i < 50; i++) add(w, c * 30 + i); /* some replace others            */
        commit(w);
    }
    uint64_t most = pm_writer_most_bytes(w);
    assert_in_range(most, most_seen - most_seen / 10, most_seen + most_seen / 10);
    if (pm_writer_optimize(w, &info, &err) != PM_OK) fail_msg("%s", err.message);
    file_done = NULL;
    most = pm_writer_most_bytes(w);
    assert_in_range(most, most_seen - most_seen / 10, most_seen + most_seen / 10);
    assert_true(most > info.index_bytes + info.index_bytes / 2);
    pm_writer_close(w);
}

/* Of another writer, what only its commit before the last has is there until the next one. */
static void test_most_bytes_of_others(void **state)
{
    (void)state;
    enum { ALL = 3000, DEAD = 2000 };
    pm_error err;
    pm_commit_info info;
    pm_writer *w;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.create = true;
    options.threads = 1;
    if (pm_writer_open(root, &options, &w, &err) != PM_OK) fail_msg("%s", err.message);
    for (uint32_t i = 0; i < ALL; i++) add(w, i);
    commit(w);
    for (uint32_t i = 0; i < DEAD; i++) {
        char id[16];
        size_t len = (size_t)snprintf(id, sizeof id, "%u", (unsigned)i);
        if (pm_writer_delete(w, id, len, NULL, &err) != PM_OK) fail_msg("%s", err.message);
    }
    commit(w); /* writes the third that lives anew                                          */
    pm_writer_close(w);
    if (pm_writer_open(root, &options, &w, &err) != PM_OK) fail_msg("%s", err.message);
    most_seen = 0;
    file_done = look_at_sizes;
    add(w, ALL);
    if (pm_writer_optimize(w, &info, &err) != PM_OK) fail_msg("%s", err.message);
    file_done = NULL;
    assert_true(most_seen > 3 * info.index_bytes);
    assert_in_range(pm_writer_most_bytes(w), most_seen - most_seen / 10,
                    most_seen + most_seen / 10);
    pm_writer_close(w);
}

static bool stop_at_merge(void *ctx, pm_phase phase, uint64_t bytes)
{
    (void)ctx;
    (void)bytes;
    return phase != PM_PHASE_MERGE;
}

/* A caller who says stop amid a merge does not get a commit without it. */
static void test_stop_is_no_want_of_room(void **state)
{
    (void)state;
    pm_error err;
    view v = {.n = 0};
    pm_writer *w;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.create = true;
    options.commit_level = 2;
    options.threads = 1;
    options.progress = stop_at_merge;
    if (pm_writer_open(root, &options, &w, &err) != PM_OK) fail_msg("%s", err.message);
    w->waits = true;
    for (uint32_t c = 0; c < SEGMENTS_MAX; c++) {
        add(w, c);
        commit(w);
    }
    add(w, SEGMENTS_MAX);
    assert_int_not_equal(pm_writer_commit(w, NULL, &err), PM_OK);
    pm_writer_close(w);
    look(&v);
    assert_int_equal(v.n, SEGMENTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_many_commits, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_many_writers, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_large_stays, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_expunge, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_none_balanced, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_little_memory, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_at_once, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_too_much_for_one, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_most_bytes, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_most_bytes_of_others, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_no_room, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_no_room_to_expunge, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_stop_is_no_want_of_room, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
