/* SPDX-License-Identifier: MIT
 * test_merge_beside_memory.c - memory of merges beside commits (writer_beside.c): what they count,
 * what is refused to them at each allocation, and that none begins where there is too little.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fresh_folder.h"
#include "tests/support/small_commits.h"
#include "tests/support/whole_index.h"

static int set_up(void **state)
{
    setenv("PRESSMARK_SEED", "7", 1);
    return make_root(state);
}

enum { BEGINS = 10, ENDS = 12, FEW = 4, NEVER = 100 };

/* Four articles come and an old one goes, of those that are merged as soon as there is a merge. */
static pm_status add_few(pm_writer *w, uint32_t commit, pm_error *err)
{
    char id[16];
    pm_status st = PM_OK;
    uint32_t goes = commit > BEGINS ? (commit - BEGINS) * FEW + 1 : commit ? (commit - 1) * FEW : 0;
    int len = snprintf(id, sizeof id, "%u", (unsigned)goes);
    for (uint32_t i = 0; i < FEW && st == PM_OK; i++)
        st = small_add(w, commit * FEW + i, commit + i, err);
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
 * commit `at` is refused, sticky: and all after it; *was: there was an nth.  *text, owned by
 * the caller, is what is there then. */
static pm_status few_commits(pm_writer *w, uint32_t n, uint32_t at, uint64_t nth, bool sticky,
                             bool *was, buf *text)
{
    pm_error err;
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
    assert_sound(root);
    /* Where the collection of garbage had no memory, the next writer's goes on. */
    if (st == PM_OK && at != NEVER) pm_writer_close(small_open(root, 1, 0, NULL));
    small_no_orphan(root);
    *text = dump(root);
    folder_empty(root);
    return st;
}

static pm_writer *open_few(unsigned threads, bool keeps)
{
    pm_writer *w = small_open(root, threads, 0, NULL);
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
    buf before, after, text;
    few_commits(open_few(threads, keeps), at, NEVER, 0, false, NULL, &before);
    told_beside = 0;
    few_commits(open_few(threads, keeps), ENDS + 1, NEVER, 0, false, NULL, &after);
    assert_int_equal(told_beside, threads == 1);
    for (uint64_t nth = 1; was && done < DONE_MOST;) {
        pm_status st =
            few_commits(open_few(threads, keeps), ENDS + 1, at, nth, sticky, &was, &text);
        const buf *expected = st == PM_OK ? &after : &before;
        assert_same_text(&text, expected);
        buf_free(&text);
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
        uint64_t cost = 0;
        pm_writer *w = open_few(1, keeps);
        small_until_beside(w);
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
    pm_writer *w = small_open(root, 2, 64 << 10, NULL);
    must(small_build(w, &under, &merges, &err), &err);
    assert_int_equal(merges, 0);
    pm_writer_close(w);
    assert_sound(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_memory_counted, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_refused_memory, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_no_room, set_up, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
