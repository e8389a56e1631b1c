/* SPDX-License-Identifier: MIT
 *
 * test_states.c - every state that a power cut may leave of a run of commits, opened.
 *
 * A run (crash_script.h) is traced call by call, and all legal states after each call are made
 * (crash_states.h).  Each must show the last acknowledged commit or the one under way, and
 * the next writer must go on from it to the answers of the undisturbed run.  Also:
 *   - a writer killed at each call of a commit, another writer after it, then the power cut;
 *   - the same where the file system has no hard links, so that there is no manifest.prev;
 *   - commit levels 1 and 2, where the last acknowledged commit may be lost, but none before.
 * Then the harness itself: the trace is changed into that of a faulty protocol, a mutant, and
 * each of them must be caught by at least one state.
 *
 * PM_TEST_SEED=n takes other scripts and samples, PM_CRASH_STATES=n so many states at a place.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "tests/support/crash_states.h"
#include "tests/support/script_place.h"

static crash_script script;

/* ---- judging states ------------------------------------------------------------------- */

enum { VERDICTS = 1 << 17 };

typedef struct verdict {
    uint64_t key;
    int seen;
    bool used;
} verdict;

typedef struct judge {
    const char *title;
    bool recover, stop_at_bad; /* let the next writer go on; one bad state is enough       */
    unsigned long states, distinct, old, new, bad;
    char first_bad[200];
    verdict known[VERDICTS];
} judge;

static void find_bad(judge *j, const crash_state *s, int seen, const char *what, const char *detail)
{
    if (j->bad++ == 0)
        snprintf(j->first_bad, sizeof j->first_bad,
                 "after operation %zu, commit %d of %u to %u: %s: %s", s->after, seen, s->low,
                 s->high, what, detail);
    if (!j->stop_at_bad && j->bad < 6) {
        printf("%s: %s\n", j->title, j->first_bad);
        for (unsigned i = 0; i < s->n; i++)
            printf("    %s: file %u, %zu of %zu bytes\n", s->names[i].name, s->names[i].file,
                   s->names[i].bytes.prefix, s->names[i].bytes.len);
    }
}

/* The next writer goes on from what is seen. */
static const char *go_on(int seen, pm_error *err)
{
    unsigned from = (unsigned)seen;
    if (from > script.n_commits) from = script.n_commits; /* there is no answer after it      */
    if (from != (unsigned)seen) return NULL;
    if (script_run(&script, path, from, from + 1, NULL, NULL, err) != PM_OK)
        return "the next writer fails";
    if (script_seen(&script, path, err) != seen + 1) return "the next commit is another";
    if (script_orphan(path, err->message)) return "a file is left over";
    return pm_check(path, true, NULL, NULL, NULL, err) == PM_OK ? NULL : "pm_check";
}

/* Which commit a state shows; each different folder is opened once. */
static int look(judge *j, const states_run *run, const crash_state *s, pm_error *err)
{
    size_t at = s->key % VERDICTS;
    while (j->known[at].used && j->known[at].key != s->key) at = (at + 1) % VERDICTS;
    verdict *v = &j->known[at];
    if (v->used) return v->seen;
    folder_must(++j->distinct < VERDICTS / 2, "remember so many states", "");
    states_materialise(run, s, path);
    *v = (verdict){.key = s->key, .used = true, .seen = script_seen(&script, path, err)};
    if (v->seen >= (int)s->low && v->seen <= (int)s->high && j->recover) {
        const char *wrong = go_on(v->seen, err);
        if (wrong) find_bad(j, s, v->seen, wrong, err->message);
    }
    folder_remove(path);
    return v->seen;
}

static bool judge_state(void *ctx, const states_run *run, const crash_state *s)
{
    judge *j = ctx;
    pm_error err = {.status = PM_OK};
    int seen = look(j, run, s, &err);
    j->states++;
    j->old += seen == (int)s->low;
    j->new += seen == (int)s->high;
    if (seen < (int)s->low || seen > (int)s->high)
        find_bad(j, s, seen, seen < 0 ? "unreadable" : "another commit", err.message);
    return !(j->stop_at_bad && j->bad);
}

static unsigned long judge_trace(judge *j, const io_trace *t)
{
    states_options options = {
        .seed = script_setting("PM_TEST_SEED", 1),
        .at_each = (unsigned)script_setting("PM_CRASH_STATES", script_slow() ? 32 : 256)};
    memset(j->known, 0, sizeof j->known);
    return states_explore(t, &options, judge_state, j);
}

static void report(const judge *j, double begun)
{
    printf("%s: %lu states, %lu different folders, %.1f s: %lu show the oldest allowed commit, %lu "
           "the newest, %lu bad\n",
           j->title, j->states, j->distinct, script_clock() - begun, j->old, j->new, j->bad);
}

/* ---- tracing runs --------------------------------------------------------------------- */

static struct {
    bool no_links;
    uint64_t calls, dead_from; /* calls are refused from this one on: as if killed         */
} fate;

static int on_call(const char *call, const char *name)
{
    (void)name;
    if (fate.dead_from && ++fate.calls >= fate.dead_from) return EIO;
    return fate.no_links && strcmp(call, "link") == 0 ? EPERM : 0;
}

typedef struct tracing {
    io_trace *trace;
    unsigned slack; /* commits before the last that may be lost                            */
    unsigned acknowledged;
} tracing;

static void on_acknowledged(void *ctx, unsigned k)
{
    tracing *t = ctx;
    t->acknowledged = k;
    trace_bounds(t->trace, k > t->slack ? k - t->slack : 0, k + 1);
}

static void trace_run(io_trace *trace)
{
    pm_error err = {.status = PM_OK};
    tracing t = {.trace = trace, .slack = script.level ? 1 : 0};
    trace_begin(trace, path);
    file_fault = on_call;
    pm_status st = script_run(&script, path, 0, script.n_commits, on_acknowledged, &t, &err);
    file_fault = NULL;
    trace_stop();
    folder_must(st == PM_OK, err.message, path);
    folder_remove(path);
}

/* A writer that stops at a call, as if killed, and another one that goes on.  False when the
 * first one came to its end. */
static bool trace_killed(io_trace *trace, uint64_t at)
{
    pm_error err = {.status = PM_OK};
    tracing t = {.trace = trace, .slack = script.level ? 1 : 0};
    trace_begin(trace, path);
    fate.calls = 0;
    fate.dead_from = at;
    file_fault = on_call;
    pm_status st = script_run(&script, path, 0, script.n_commits, on_acknowledged, &t, &err);
    bool died = fate.calls >= at;
    fate.dead_from = 0;
    trace_stop();
    int seen = script_seen(&script, path, &err);
    folder_must(seen >= 0, err.message, path);
    unsigned low = t.acknowledged > t.slack ? t.acknowledged - t.slack : 0;
    trace_bounds(trace, low, (unsigned)seen + 1);
    trace_continue();
    if (died && (unsigned)seen <= script.n_commits)
        st = script_run(&script, path, (unsigned)seen, (unsigned)seen + 1, on_acknowledged, &t,
                        &err);
    file_fault = NULL;
    trace_stop();
    script_clear(path);
    folder_must(!died || st == PM_OK, err.message, path);
    return died;
}

/* ---- the product ---------------------------------------------------------------------- */

static uint64_t first_seed(void)
{
    uint64_t seed = script_setting("PM_TEST_SEED", 1);
    printf("PM_TEST_SEED=%lu\n", (unsigned long)seed);
    return seed;
}

static judge the_judge;

static judge *new_judge(const char *title)
{
    memset(&the_judge, 0, sizeof the_judge);
    the_judge.title = title;
    the_judge.recover = true;
    return &the_judge;
}

static void all_states(const char *title, unsigned n_scripts, unsigned level, bool no_links)
{
    judge *j = new_judge(title);
    double begun = script_clock();
    uint64_t seed = first_seed();
    io_trace trace;
    fate.no_links = no_links;
    for (unsigned i = 0; i < n_scripts; i++) {
        script_make(&script, seed + i, 3, level);
        trace_run(&trace);
        judge_trace(j, &trace);
        trace_free(&trace);
        script_free(&script);
    }
    report(j, begun);
    assert_int_equal(j->bad, 0);
    assert_true(j->states > 100 && j->old > 0 && j->new > 0);
}

static void test_full(void **state)
{
    (void)state;
    all_states("power cut, level full", script_slow() ? 1 : 3, 0, false);
}

static void test_no_links(void **state)
{
    (void)state;
    all_states("power cut, no hard links", 1, 0, true);
}

static void test_other_levels(void **state)
{
    (void)state;
    all_states("power cut, level atomic", 1, 1, false);
    all_states("power cut, level atomic, no hard links", 1, 1, true);
    all_states("power cut, level none", 1, 2, false);
}

static void killed_states(const char *title, unsigned level, bool no_links)
{
    judge *j = new_judge(title);
    double begun = script_clock();
    io_trace trace;
    unsigned long kills = 0;
    fate.no_links = no_links;
    script_make(&script, first_seed(), 2, level);
    j->recover = false;
    for (uint64_t at = 1;; at += script_slow() ? 17 : 1) {
        bool died = trace_killed(&trace, at);
        if (died) judge_trace(j, &trace);
        trace_free(&trace);
        if (!died) break;
        kills++;
    }
    script_free(&script);
    printf("%lu writers killed\n", kills);
    report(j, begun);
    assert_int_equal(j->bad, 0);
    assert_true(kills > 5 && j->states > 100);
}

static void test_killed_before(void **state)
{
    (void)state;
    killed_states("kill, next writer, power cut", 0, false);
    killed_states("kill, next writer, power cut, no hard links", 0, true);
}

/* ---- faulty protocols ----------------------------------------------------------------- */

static bool is_publish(const trace_op *op)
{
    return op->kind == TRACE_RENAME && strcmp(op->name, "manifest") == 0;
}

static void no_sync_after_rename(io_trace *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (is_publish(&t->ops[i]))
            for (size_t k = i + 1; k < t->n; k++)
                if (t->ops[k].kind == TRACE_SYNC_FOLDER) {
                    trace_remove(t, k);
                    break;
                }
}

static void no_sync_before_rename(io_trace *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (is_publish(&t->ops[i]))
            for (size_t k = i; k-- > 0;)
                if (t->ops[k].kind == TRACE_SYNC_FOLDER) {
                    trace_remove(t, k);
                    i--;
                    break;
                }
}

static void no_sync_of(io_trace *t, const char *suffix)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->ops[i].kind == TRACE_SYNC && trace_created_as(t, t->ops[i].file, suffix))
            trace_remove(t, i--);
}

static void no_segment_sync(io_trace *t)
{
    no_sync_of(t, ".seg");
}

static void no_tombstone_sync(io_trace *t)
{
    no_sync_of(t, ".del");
}

static void no_manifest_sync(io_trace *t)
{
    no_sync_of(t, "manifest.tmp");
}

static void rename_before_manifest_sync(io_trace *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (!is_publish(&t->ops[i])) continue;
        size_t k = i;
        while (k > 0 && !(t->ops[k].kind == TRACE_SYNC && t->ops[k].file == t->ops[i].file)) k--;
        trace_move(t, i, k);
    }
}

/* A file is deleted two commits after it was last named: one that this commit gives up goes
 * with the collection after the next.  Move each to the commit that gives it up, `before` its
 * rename or right after it. */
static void unlink_early(io_trace *t, bool before)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->ops[i].kind != TRACE_UNLINK) continue;
        if (!trace_ends_with(t->ops[i].name, ".seg") && !trace_ends_with(t->ops[i].name, ".del"))
            continue;
        size_t publish = trace_last(t, i, TRACE_RENAME, "manifest");
        if (publish != SIZE_MAX) publish = trace_last(t, publish, TRACE_RENAME, "manifest");
        if (publish == SIZE_MAX) continue;
        trace_move(t, i, before ? publish : publish + 1);
    }
}

static void unlink_before_rename(io_trace *t)
{
    unlink_early(t, true);
}

static void unlink_before_last_sync(io_trace *t)
{
    unlink_early(t, false);
}

/* The manifest overwritten where it is: manifest.tmp and all renames are left out. */
static void manifest_in_place(io_trace *t)
{
    unsigned manifest = 0, tmp = 0;
    for (size_t i = 0; i < t->n; i++) {
        trace_op *op = &t->ops[i];
        if (op->kind == TRACE_CREATE && strcmp(op->name, "manifest.tmp") == 0) {
            tmp = op->file;
            snprintf(op->name, sizeof op->name, "manifest");
            if (manifest) op->kind = TRACE_TRUNCATE;
            if (!manifest) manifest = tmp;
        }
        bool gone = op->kind == TRACE_RENAME || op->kind == TRACE_LINK ||
                    (op->kind == TRACE_UNLINK && !trace_ends_with(op->name, ".seg"));
        if (gone) {
            trace_remove(t, i--);
            continue;
        }
        if (op->file == tmp && tmp) op->file = manifest;
    }
}

/* What LOCK says of a commit, before there is one. */
static void mark_before_rename(io_trace *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->ops[i].kind != TRACE_WRITE || !trace_created_as(t, t->ops[i].file, "LOCK")) continue;
        size_t publish = trace_last(t, i, TRACE_RENAME, "manifest");
        if (publish != SIZE_MAX) trace_move(t, i, publish);
    }
}

static const struct mutant {
    const char *name;
    void (*change)(io_trace *t);
} mutants[] = {
    {"no sync of the folder after the rename", no_sync_after_rename},
    {"no sync of the folder before the rename", no_sync_before_rename},
    {"no sync of segments", no_segment_sync},
    {"no sync of tombstones", no_tombstone_sync},
    {"no sync of the manifest", no_manifest_sync},
    {"rename before the manifest's sync", rename_before_manifest_sync},
    {"old files deleted before the rename", unlink_before_rename},
    {"old files deleted between rename and sync", unlink_before_last_sync},
    {"manifest written in place", manifest_in_place},
    {"LOCK says so before the rename", mark_before_rename},
};

/* True when some state of the mutant is bad. */
static bool is_caught(const struct mutant *m, const io_trace *trace, judge *j)
{
    io_trace changed;
    trace_copy(&changed, trace);
    m->change(&changed);
    memset(j, 0, sizeof *j);
    j->title = m->name;
    j->stop_at_bad = true;
    judge_trace(j, &changed);
    trace_free(&changed);
    return j->bad > 0;
}

/* Not every script deletes and merges, so a mutant may need another one. */
static void test_mutants(void **state)
{
    (void)state;
    enum { N = sizeof mutants / sizeof *mutants, SCRIPTS = 8 };
    judge *j = &the_judge;
    bool caught[N] = {false};
    unsigned n_caught = 0;
    uint64_t seed = first_seed();
    io_trace trace;
    fate.no_links = false;
    for (unsigned i = 0; i < SCRIPTS && n_caught < N; i++) {
        script_make(&script, seed + i, 4, 0);
        trace_run(&trace);
        for (unsigned m = 0; m < N; m++) {
            if (caught[m] || !is_caught(&mutants[m], &trace, j)) continue;
            printf("caught: %s: state %lu: %s\n", mutants[m].name, j->states, j->first_bad);
            caught[m] = true;
            n_caught++;
        }
        trace_free(&trace);
        script_free(&script);
    }
    printf("mutants: %u of %u caught\n", n_caught, (unsigned)N);
    for (unsigned m = 0; m < N; m++)
        if (!caught[m]) printf("NOT caught: %s\n", mutants[m].name);
    assert_int_equal(n_caught, N);
}

/* ---- all ------------------------------------------------------------------------------ */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),         cmocka_unit_test(test_no_links),
        cmocka_unit_test(test_other_levels), cmocka_unit_test(test_killed_before),
        cmocka_unit_test(test_mutants),
    };
    return cmocka_run_group_tests(tests, make_place, remove_place);
}
