/* SPDX-License-Identifier: MIT
 * test_merge_beside.c - merges that go on while articles come (writer_beside.c): the same bytes
 * with one thread and with several, articles that die before the merge and under it, a merge that
 * cannot write, memory that is refused to it, a caller who stops, a writer that closes amid one.
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

#include "common/base/file.h"
#include "common/base/mem.h"
#include "indexer/writer.h"
#include "tests/support/crash_script.h"

enum { COMMITS = 80, EACH = 30, SEGMENTS_MOST = 12 };

static char root[FOLDER_PATH];

static int set_up(void **state)
{
    (void)state;
    setenv("PRESSMARK_SEED", "7", 1);
    folder_make(root);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    file_fault = NULL;
    unsetenv("PRESSMARK_SEED");
    folder_remove(root);
    return 0;
}

static pm_writer *open_writer(unsigned threads, uint64_t memory,
                              bool (*progress)(void *ctx, pm_phase phase, uint64_t written))
{
    pm_error err;
    pm_writer *w;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.create = true;
    options.commit_level = 2;
    options.threads = threads;
    options.memory_bytes = memory;
    options.progress = progress;
    if (pm_writer_open(root, &options, &w, &err) != PM_OK) fail_msg("%s", err.message);
    return w;
}

static pm_status add(pm_writer *w, uint32_t id_number, uint32_t seed, pm_error *err)
{
    char id[16], text[400];
    size_t len = 0;
    for (uint32_t i = 0; i < 20; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "w%u ",
                                (unsigned)((seed + i * i * 7919) % 997));
    pm_article a = {.text = {text, len}};
    a.id = (pm_text){id, (size_t)snprintf(id, sizeof id, "%u", (unsigned)id_number)};
    return pm_writer_add(w, &a, NULL, err);
}

/* New articles, some that replace older ones here and there, one that goes.  *under counts changes
 * to segments that are being merged. */
static pm_status change(pm_writer *w, uint32_t commit, unsigned *under, pm_error *err)
{
    pm_status st = PM_OK;
    uint32_t all = (commit + 1) * EACH;
    for (uint32_t i = 0; i < EACH && st == PM_OK; i++)
        st = add(w, commit * EACH + i, commit * 31 + i, err);
    for (uint32_t i = 0; i < 5 && st == PM_OK; i++)
        st = add(w, (commit * 7919 + i * 104729) % all, commit + i, err);
    char id[16];
    int len = snprintf(id, sizeof id, "%u", (unsigned)((commit * 5381) % all));
    if (st == PM_OK) st = pm_writer_delete(w, id, (size_t)len, NULL, err);
    for (size_t i = 0; i < w->n_segments; i++)
        *under += w->segments[i].dirty && writer_beside_holds(w, i);
    return st;
}

static pm_status build(pm_writer *w, unsigned *under, unsigned *merges, pm_error *err)
{
    pm_status st = PM_OK;
    char last[SEGMENT_NAME_MAX] = "";
    for (uint32_t commit = 0; commit < COMMITS && st == PM_OK; commit++) {
        st = change(w, commit, under, err);
        if (st == PM_OK) st = pm_writer_commit(w, NULL, err);
        const char *name = writer_beside_name(w);
        *merges += name && strcmp(name, last) != 0;
        snprintf(last, sizeof last, "%s", name ? name : "");
        if (!w->options.memory_bytes || w->options.memory_bytes > 1 << 20)
            assert_true(w->n_segments <= SEGMENTS_MOST);
    }
    return st;
}

static void assert_sound(void)
{
    pm_check_summary summary;
    pm_error err;
    if (pm_check(root, true, NULL, NULL, &summary, &err) != PM_OK) fail_msg("%s", err.message);
}

static bool keep_text(void *ctx, const char *data, size_t len)
{
    buf_append(ctx, data, len);
    return true;
}

static void dump(buf *out)
{
    pm_error err;
    pm_index *index;
    assert_int_equal(pm_index_open(root, &index, &err), PM_OK);
    assert_int_equal(pm_index_dump(index, keep_text, out, &err), PM_OK);
    pm_index_close(index);
}

static void build_all(unsigned threads, bool keeps, bool waits, folder_image *image, buf *text)
{
    pm_error err;
    unsigned under = 0, merges = 0;
    pm_writer *w = open_writer(threads, 0, NULL);
    w->keeps_none = !keeps;
    if (waits) w->waits = true;
    if (build(w, &under, &merges, &err) != PM_OK) fail_msg("%s", err.message);
    if (!waits) {
        assert_true(merges > 10);
        assert_true(under > merges);
    }
    pm_writer_close(w);
    assert_sound();
    folder_load(root, image);
    dump(text);
    folder_empty(root);
}

static void assert_same_image(const folder_image *a, const folder_image *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_string_equal(a->files[i].name, b->files[i].name);
        assert_int_equal(a->files[i].len, b->files[i].len);
        assert_memory_equal(a->files[i].data, b->files[i].data, a->files[i].len);
    }
}

/* Kept tokens and lists, one thread and three: all the same; and the articles are those of a writer
 * that waits for each merge. */
static void test_same_bytes(void **state)
{
    (void)state;
    folder_image first, other;
    buf text = {0}, other_text = {0};
    build_all(1, true, false, &first, &text);
    for (unsigned way = 1; way < 4; way++) {
        buf_reset(&other_text);
        build_all(way & 1 ? 3 : 1, way < 2, false, &other, &other_text);
        assert_same_image(&first, &other);
        folder_image_free(&other);
    }
    buf_reset(&other_text);
    build_all(1, true, true, &other, &other_text);
    assert_int_equal(text.len, other_text.len);
    assert_memory_equal(text.data, other_text.data, text.len);
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
    pm_writer *w = open_writer(2, 0, NULL);
    uint32_t commit = 0;
    for (; !w->beside; commit++) {
        assert_true(commit < 20);
        for (uint32_t i = 0; i < EACH; i++)
            assert_int_equal(add(w, commit * EACH + i, i, &err), PM_OK);
        assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
    }
    for (uint32_t i = 0; i < commit * EACH; i++) {
        char id[16];
        bool found;
        int len = snprintf(id, sizeof id, "%u", (unsigned)i);
        assert_int_equal(pm_writer_delete(w, id, (size_t)len, &found, &err), PM_OK);
        assert_true(found);
    }
    assert_int_equal(add(w, 1000000, 1, &err), PM_OK);
    assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
    assert_int_equal(w->n_segments, 1);
    assert_null(w->beside);
    pm_writer_close(w);
    assert_sound();
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
    pm_writer *w = open_writer(2, 0, NULL);
    for (uint32_t commit = 0; commit < COMMITS / 2; commit++) {
        assert_int_equal(change(w, commit, &under, &err), PM_OK);
        if (pm_writer_commit(w, NULL, &err) != PM_OK) fail_msg("%s", err.message);
        merges += w->beside != NULL;
    }
    atomic_store(&refuses, false);
    assert_true(merges > 0);
    assert_in_range(atomic_load(&refused), 1, COMMITS);
    assert_int_equal(pm_writer_finish(w, NULL, &err), PM_OK);
    pm_writer_close(w);
    assert_sound();
    char orphan[SCRIPT_NAME];
    if (script_orphan(root, orphan)) fail_msg("%s is left over", orphan);
}

/* Closed amid a merge: its file goes. */
static void test_close(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads < 3; threads++) {
        pm_error err;
        char orphan[SCRIPT_NAME];
        unsigned under = 0;
        pm_writer *w = open_writer(threads, 0, NULL);
        for (uint32_t commit = 0; !w->beside; commit++) {
            assert_true(commit < 20);
            assert_int_equal(change(w, commit, &under, &err), PM_OK);
            assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
        }
        pm_writer_close(w);
        if (script_orphan(root, orphan)) fail_msg("%s is left over", orphan);
        assert_sound();
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
        char orphan[SCRIPT_NAME];
        unsigned under = 0;
        uint32_t commit = 0;
        pm_writer *w = open_writer(way % 2 + 1, 0, NULL);
        for (; !w->beside; commit++) {
            assert_true(commit < 20);
            assert_int_equal(change(w, commit, &under, &err), PM_OK);
            assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
        }
        assert_int_equal(change(w, commit, &under, &err), PM_OK);
        pm_status st =
            way / 2 ? pm_writer_optimize(w, NULL, &err) : pm_writer_finish(w, NULL, &err);
        if (st != PM_OK) fail_msg("%s", err.message);
        assert_null(w->beside);
        assert_int_equal(w->n_segments, 1);
        assert_sound();
        assert_int_equal(change(w, commit + 1, &under, &err), PM_OK);
        assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
        pm_writer_close(w);
        assert_sound();
        if (script_orphan(root, orphan)) fail_msg("%s is left over", orphan);
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
    pm_writer *w = open_writer(1, 0, say_no);
    assert_int_equal(build(w, &under, &merges, &err), PM_IO);
    assert_int_equal(asked, no_at);
    pm_writer_close(w);
    assert_sound();
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
        char orphan[SCRIPT_NAME], name[SEGMENT_NAME_MAX] = "";
        unsigned under = 0;
        bool begun = false;
        pm_status st = PM_OK;
        goes_on = !no;
        written_beside = 0;
        atomic_store(&waited, 0);
        pm_writer *w = open_writer(2, 0, NULL);
        w->folder.watch = answer;
        w->folder.watch_ctx = w;
        file_fault = hold_beside;
        for (uint32_t commit = 0; st == PM_OK && !(begun && !w->beside); commit++) {
            assert_true(commit < 20);
            assert_int_equal(change(w, commit, &under, &err), PM_OK);
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
        assert_sound();
        if (script_orphan(root, orphan)) fail_msg("%s is left over", orphan);
        folder_empty(root);
    }
}

/* What is dead when a merge begins is not in what it makes. */
static void test_dead_before(void **state)
{
    (void)state;
    for (unsigned keeps = 0; keeps < 2; keeps++) {
        pm_error err;
        unsigned under = 0;
        uint32_t docs = 0, live = 0;
        size_t first = 0;
        pm_writer *w = open_writer(1, 0, NULL);
        w->keeps_none = !keeps;
        for (uint32_t commit = 0; !docs || w->beside; commit++) {
            assert_true(commit < 20);
            assert_int_equal(change(w, commit, &under, &err), PM_OK);
            assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
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
        pm_error err;
        unsigned under = 0;
        pm_writer *w = open_writer(2, 0, NULL);
        w->options.commit_level = level;
        atomic_store(&synced, 0);
        file_fault = count_syncs;
        for (uint32_t commit = 0; !w->beside; commit++) {
            assert_true(commit < 20);
            assert_int_equal(change(w, commit, &under, &err), PM_OK);
            assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
        }
        writer_beside_forget(w); /* waits for it                                              */
        file_fault = NULL;
        assert_int_equal(w->phase, PM_PHASE_STORE);
        assert_int_equal(atomic_load(&synced), level < 2);
        pm_writer_close(w);
        folder_empty(root);
    }
}

/* ---- memory --------------------------------------------------------------------------------- */

enum { BEGINS = 10, ENDS = 12, FEW = 4, NEVER = 100 };

/* Four articles come and an old one goes, of those that are merged as soon as there is a merge. */
static pm_status add_few(pm_writer *w, uint32_t commit, pm_error *err)
{
    char id[16];
    pm_status st = PM_OK;
    uint32_t goes = commit > BEGINS ? (commit - BEGINS) * FEW + 1 : commit ? (commit - 1) * FEW : 0;
    int len = snprintf(id, sizeof id, "%u", (unsigned)goes);
    for (uint32_t i = 0; i < FEW && st == PM_OK; i++)
        st = add(w, commit * FEW + i, commit + i, err);
    return st == PM_OK ? pm_writer_delete(w, id, (size_t)len, NULL, err) : st;
}

/* Calls of the writer while it merges; how many merges that it began by itself, as it does with one
 * thread, and where no second one can be had. */
static unsigned told, told_beside;

static bool tell(void *ctx, uint64_t bytes)
{
    const pm_writer *w = ctx;
    (void)bytes;
    told += w->phase == PM_PHASE_MERGE;
    return true;
}

/* n commits, of which one begins a merge and another one takes what it made.  The nth allocation of
 * commit `at` is refused, sticky: and all after it; *was: there was an nth.  *text gets the
 * articles that are there then.
 */
static pm_status few_commits(pm_writer *w, uint32_t n, uint32_t at, uint64_t nth, bool sticky,
                             bool *was, buf *text)
{
    pm_error err;
    char orphan[SCRIPT_NAME];
    pm_status st = PM_OK;
    for (uint32_t commit = 0; commit < n && st == PM_OK; commit++) {
        assert_int_equal(add_few(w, commit, &err), PM_OK);
        if (commit == at) mem_fail_at(nth, sticky);
        told = 0;
        st = pm_writer_commit(w, NULL, &err);
        if (commit == at) *was = mem_count() >= nth;
        mem_fail_at(0, false);
        assert_true(st == PM_OK || (st == PM_NOMEM && commit == at));
        if (commit == BEGINS && st == PM_OK && w->beside) told_beside += told != 0;
        if (at == NEVER) assert_true((w->beside != NULL) == (commit >= BEGINS && commit < ENDS));
    }
    pm_writer_close(w);
    assert_sound();
    /* Where the collection of garbage had no memory, the next writer's goes on. */
    if (st == PM_OK && at != NEVER) pm_writer_close(open_writer(1, 0, NULL));
    if (script_orphan(root, orphan)) fail_msg("%s is left over", orphan);
    dump(text);
    folder_empty(root);
    return st;
}

static pm_writer *open_few(unsigned threads, bool keeps)
{
    pm_writer *w = open_writer(threads, 0, NULL);
    w->keeps_none = !keeps;
    w->folder.watch = tell;
    w->folder.watch_ctx = w;
    return w;
}

/* The commit is whole, or it has not been.  Many a refusal before a merge begins is nothing to it,
 * and what merge_segments is refused is like the rest of that. */
static void refuse_each(unsigned threads, bool keeps, uint32_t at, bool sticky)
{
    enum { STEP = 4, DONE_MOST = 100 };
    bool was = true;
    unsigned failed = 0, done = 0;
    buf before = {0}, after = {0}, text = {0};
    few_commits(open_few(threads, keeps), at, NEVER, 0, false, NULL, &before);
    told_beside = 0;
    few_commits(open_few(threads, keeps), ENDS + 1, NEVER, 0, false, NULL, &after);
    assert_int_equal(told_beside, threads == 1);
    for (uint64_t nth = 1; was && done < DONE_MOST;) {
        buf_reset(&text);
        pm_status st =
            few_commits(open_few(threads, keeps), ENDS + 1, at, nth, sticky, &was, &text);
        const buf *expected = st == PM_OK ? &after : &before;
        assert_int_equal(text.len, expected->len);
        assert_memory_equal(text.data, expected->data, text.len);
        bool first = at == BEGINS && st == PM_OK && !done && nth > STEP;
        failed += st != PM_OK;
        done += was && st == PM_OK;
        nth += at == BEGINS && st != PM_OK ? STEP : 1;
        if (first) nth -= STEP;
    }
    printf("commit %u, threads %u, %s: %u failed%s, %u were done all the same\n", (unsigned)at,
           threads, keeps ? "tokens" : "lists", failed, sticky ? " for good" : "", done);
    assert_true(failed > 0 && (done > 0 || sticky));
    if (threads > 1) assert_true(told_beside > 0);
    buf_free(&before);
    buf_free(&after);
    buf_free(&text);
}

static void test_refused_memory(void **state)
{
    (void)state;
    refuse_each(1, false, BEGINS, false);
    refuse_each(1, true, BEGINS, false);
    refuse_each(2, true, BEGINS, false);
    refuse_each(1, true, ENDS, false);
    refuse_each(1, true, BEGINS, true);
}

/* It counts from begin to end. */
static void test_memory_counted(void **state)
{
    (void)state;
    for (unsigned keeps = 0; keeps < 2; keeps++) {
        pm_error err;
        unsigned under = 0;
        uint64_t cost = 0;
        pm_writer *w = open_few(1, keeps);
        for (uint32_t commit = 0; !w->beside; commit++) {
            assert_true(commit < 20);
            assert_int_equal(change(w, commit, &under, &err), PM_OK);
            assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
        }
        for (size_t i = 0; keeps && i < w->n_segments; i++)
            if (writer_beside_holds(w, i))
                cost +=
                    kept_tokens_cost(w->segments[i].kept) + kept_tokens_memory(w->segments[i].kept);
        uint64_t memory = writer_beside_memory(w), budget = writer_budget(w);
        if (keeps) assert_int_equal(memory, cost + inverter_frozen_memory(w->iv));
        assert_true(memory > 0);
        writer_beside_cancel(w);
        assert_int_equal(writer_beside_memory(w), 0);
        assert_int_equal(writer_budget(w), budget + memory);
        pm_writer_close(w);
        folder_empty(root);
    }
}

/* Too little memory for any: then none is begun. */
static void test_no_room(void **state)
{
    (void)state;
    pm_error err;
    unsigned under = 0, merges = 0;
    pm_writer *w = open_writer(2, 64 << 10, NULL);
    if (build(w, &under, &merges, &err) != PM_OK) fail_msg("%s", err.message);
    assert_int_equal(merges, 0);
    pm_writer_close(w);
    assert_sound();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_die, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_disk_full_beside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_close, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_called_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_asked_while_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dead_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_synced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_room, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
