/* SPDX-License-Identifier: MIT
 * test_merge_beside.c - merges that go on while articles come (writer_beside.c): the same bytes
 * with one thread and with several, articles that die before the merge and under it, a merge that
 * cannot write, a caller who stops, a writer that closes amid one.  Memory that it counts and that
 * is refused to it: test_merge_beside_memory.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "tests/support/fresh_folder.h"
#include "tests/support/small_commits.h"
#include "tests/support/whole_index.h"

static int set_up(void **state)
{
    setenv("PRESSMARK_SEED", "7", 1);
    return make_root(state);
}

static buf build_all(unsigned threads, bool keeps, bool waits, folder_image *image)
{
    pm_error err;
    unsigned under = 0, merges = 0;
    pm_writer *w = small_open(root, threads, 0, NULL);
    w->keeps_none = !keeps;
    if (waits) w->waits = true;
    must(small_build(w, &under, &merges, &err), &err);
    if (!waits) {
        assert_true(merges > 10);
        assert_true(under > merges);
    }
    pm_writer_close(w);
    assert_sound(root);
    folder_load(root, image);
    buf text = dump(root);
    folder_empty(root);
    return text;
}

/* Kept tokens and lists, one thread and three: all the same; and the articles are those of a writer
 * that waits for each merge. */
static void test_same_bytes(void **state)
{
    (void)state;
    folder_image first, other;
    buf text = build_all(1, true, false, &first), other_text;
    for (unsigned way = 1; way < 4; way++) {
        other_text = build_all(way & 1 ? 3 : 1, way < 2, false, &other);
        assert_same_image(&first, &other);
        folder_image_free(&other);
        buf_free(&other_text);
    }
    other_text = build_all(1, true, true, &other);
    assert_same_text(&text, &other_text);
    folder_image_free(&first);
    folder_image_free(&other);
    buf_free(&text);
    buf_free(&other_text);
}

/* All articles of all inputs go while they are merged. */
static void test_all_die(void **state)
{
    (void)state;
    pm_error err;
    pm_writer *w = small_open(root, 2, 0, NULL);
    uint32_t commit = 0;
    for (; !w->beside; commit++) {
        assert_true(commit < 20);
        for (uint32_t i = 0; i < SMALL_NEW; i++)
            assert_int_equal(small_add(w, commit * SMALL_NEW + i, i, &err), PM_OK);
        assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
    }
    for (uint32_t i = 0; i < commit * SMALL_NEW; i++) {
        char id[16];
        bool found;
        int len = snprintf(id, sizeof id, "%u", (unsigned)i);
        assert_int_equal(pm_writer_delete(w, id, (size_t)len, &found, &err), PM_OK);
        assert_true(found);
    }
    assert_int_equal(small_add(w, 1000000, 1, &err), PM_OK);
    assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
    assert_int_equal(w->n_segments, 1);
    assert_null(w->beside);
    pm_writer_close(w);
    assert_sound(root);
}

/* Writes on any thread but the test's are refused, so many that a writer who tries the same again
 * and again comes to an end. */
enum { REFUSED_MOST = 1000 };
static pthread_t own;
static atomic_uint refused;
static atomic_bool refuses;

static int refuse_beside(const char *call, const char *path)
{
    (void)path;
    if (!atomic_load(&refuses) || pthread_equal(pthread_self(), own) || strcmp(call, "write") != 0)
        return 0;
    return atomic_fetch_add(&refused, 1) < REFUSED_MOST ? ENOSPC : 0;
}

/* A merge that cannot write leaves its inputs, and no file; the commits go on. */
static void test_disk_full_beside(void **state)
{
    (void)state;
    pm_error err;
    unsigned under = 0, merges = 0;
    own = pthread_self();
    atomic_store(&refused, 0);
    atomic_store(&refuses, true);
    file_fault = refuse_beside;
    pm_writer *w = small_open(root, 2, 0, NULL);
    for (uint32_t commit = 0; commit < SMALL_COMMITS / 2; commit++) {
        assert_int_equal(small_change(w, commit, &under, &err), PM_OK);
        must(pm_writer_commit(w, NULL, &err), &err);
        merges += w->beside != NULL;
    }
    atomic_store(&refuses, false);
    assert_true(merges > 0);
    assert_in_range(atomic_load(&refused), 1, SMALL_COMMITS);
    assert_int_equal(pm_writer_finish(w, NULL, &err), PM_OK);
    pm_writer_close(w);
    assert_sound(root);
    small_no_orphan(root);
}

/* Closed amid a merge: its file goes. */
static void test_close(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads < 3; threads++) {
        pm_writer *w = small_open(root, threads, 0, NULL);
        small_until_beside(w);
        pm_writer_close(w);
        small_no_orphan(root);
        assert_sound(root);
        folder_empty(root);
    }
}

/* Optimize and the last commit amid a merge: they make one segment of all, and what went on beside
 * is called off. */
static void test_called_off(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        pm_error err;
        unsigned under = 0;
        pm_writer *w = small_open(root, way % 2 + 1, 0, NULL);
        uint32_t commit = small_until_beside(w);
        assert_int_equal(small_change(w, commit, &under, &err), PM_OK);
        pm_status st =
            way / 2 ? pm_writer_optimize(w, NULL, &err) : pm_writer_finish(w, NULL, &err);
        must(st, &err);
        assert_null(w->beside);
        assert_int_equal(w->n_segments, 1);
        assert_sound(root);
        small_commit(w, commit + 1);
        pm_writer_close(w);
        assert_sound(root);
        small_no_orphan(root);
        folder_empty(root);
    }
}

/* A caller who says no while a merge is made or waited for: nobody asks again, and the next call
 * that writes fails. */
static unsigned asked, no_at;

static bool say_no(void *ctx, pm_phase phase, uint64_t written)
{
    (void)ctx;
    (void)written;
    if (phase == PM_PHASE_MERGE && !no_at) no_at = asked + 1;
    return ++asked != no_at;
}

static void test_stopped(void **state)
{
    (void)state;
    pm_error err;
    unsigned under = 0, merges = 0;
    asked = no_at = 0;
    pm_writer *w = small_open(root, 1, 0, say_no);
    assert_int_equal(small_build(w, &under, &merges, &err), PM_IO);
    assert_int_equal(asked, no_at);
    pm_writer_close(w);
    assert_sound(root);
}

/* A merge that has not begun to write until its writer, which waits for it, has asked twice whether
 * to go on. */
static bool goes_on;
static atomic_uint waited;
static unsigned written_beside;

static bool answer(void *ctx, uint64_t bytes)
{
    const pm_writer *w = ctx;
    if (!w->beside || w->phase != PM_PHASE_MERGE) return true;
    assert_int_equal(bytes, 0);
    atomic_fetch_add(&waited, 1);
    return goes_on;
}

static int hold_beside(const char *call, const char *path)
{
    (void)path;
    if (pthread_equal(pthread_self(), own)) return 0;
    for (unsigned i = 0; strcmp(call, "open") == 0 && i < 20000 && atomic_load(&waited) < 2; i++)
        usleep(1000);
    written_beside += strcmp(call, "write") == 0;
    return 0;
}

static bool has_segment(const pm_writer *w, const char *name)
{
    for (size_t i = 0; i < w->n_segments; i++)
        if (!strcmp(w->segments[i].named.name, name)) return true;
    return false;
}

/* A caller who says no while the writer waits stops the merge, who says yes has it. */
static void test_asked_while_waiting(void **state)
{
    (void)state;
    own = pthread_self();
    for (unsigned no = 0; no < 2; no++) {
        pm_error err;
        char name[SEGMENT_NAME_MAX] = "";
        unsigned under = 0;
        bool begun = false;
        pm_status st = PM_OK;
        goes_on = !no;
        written_beside = 0;
        atomic_store(&waited, 0);
        pm_writer *w = small_open(root, 2, 0, NULL);
        w->folder.watch = answer;
        w->folder.watch_ctx = w;
        file_fault = hold_beside;
        for (uint32_t commit = 0; st == PM_OK && !(begun && !w->beside); commit++) {
            assert_true(commit < 20);
            assert_int_equal(small_change(w, commit, &under, &err), PM_OK);
            st = pm_writer_commit(w, NULL, &err);
            begun = begun || w->beside;
            if (w->beside) snprintf(name, sizeof name, "%s", writer_beside_name(w));
        }
        file_fault = NULL;
        assert_true(atomic_load(&waited) >= 2);
        assert_int_equal(st, PM_OK);
        assert_true(no ? written_beside == 0 : written_beside > 0);
        assert_int_equal(has_segment(w, name), !no);
        pm_writer_close(w);
        assert_sound(root);
        small_no_orphan(root);
        folder_empty(root);
    }
}

/* What is dead when a merge begins is not in what it makes. */
static void test_dead_before(void **state)
{
    (void)state;
    for (unsigned keeps = 0; keeps < 2; keeps++) {
        uint32_t docs = 0, live = 0;
        size_t first = 0;
        pm_writer *w = small_open(root, 1, 0, NULL);
        w->keeps_none = !keeps;
        for (uint32_t commit = 0; !docs || w->beside; commit++) {
            assert_true(commit < 20);
            small_commit(w, commit);
            if (docs || !w->beside) continue;
            while (!writer_beside_holds(w, first)) first++;
            for (size_t i = first; i < w->n_segments && writer_beside_holds(w, i); i++) {
                docs += w->segments[i].named.n_docs;
                live += w->segments[i].named.n_docs - w->segments[i].n_dead;
            }
        }
        assert_true(live < docs);
        assert_int_equal(w->segments[first].named.n_docs, live);
        assert_true(w->segments[first].n_dead > 0);
        pm_writer_close(w);
        folder_empty(root);
    }
}

/* What a merge writes beside is made durable where what the writer writes is. */
static atomic_uint synced;

static int count_syncs(const char *call, const char *path)
{
    (void)path;
    if (!pthread_equal(pthread_self(), own) && strcmp(call, "fsync") == 0)
        atomic_fetch_add(&synced, 1);
    return 0;
}

static void test_synced(void **state)
{
    (void)state;
    own = pthread_self();
    for (unsigned level = 0; level < 3; level++) {
        pm_writer *w = small_open(root, 2, 0, NULL);
        w->options.commit_level = level;
        atomic_store(&synced, 0);
        file_fault = count_syncs;
        small_until_beside(w);
        writer_beside_forget(w); /* waits for it                                              */
        file_fault = NULL;
        assert_int_equal(w->phase, PM_PHASE_STORE);
        assert_int_equal(atomic_load(&synced), level < 2);
        pm_writer_close(w);
        folder_empty(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_bytes, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_all_die, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_disk_full_beside, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_close, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_called_off, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_stopped, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_asked_while_waiting, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_dead_before, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_synced, set_up, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
