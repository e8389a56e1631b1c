/* SPDX-License-Identifier: MIT
 *
 * test_refused_script.c - every system call of a row of commits refused, in every way there is.
 *
 * The row (crash_script.h) has deletes, replacements and merges; at its n-th call, for all n:
 * EIO, ENOSPC, EDQUOT and EMFILE, once and from then on; three EINTR in a row; one transfer cut
 * short, and all from then on.  An error ends the run: PM_IO with the errno and the last
 * commit in place, or PM_NOT_DURABLE and the next one visible; PM_OK means that no sync was
 * refused.  Interrupted and short calls change nothing.  Afterwards the next writer makes the
 * row complete and leaves no file over.
 *
 * PM_FAULT_STRIDE=n takes every n-th call (default 4, and 29 under sanitizers), PM_FAULT_POINTS=n
 * so many points at least, of as many rows as that needs, PM_TEST_SEED=n other rows.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "tests/support/crash_script.h"

enum { COMMITS = 3, LANES = 2, STRIDE = 4, STRIDE_SLOW = 29, EINTR_ROW = 3, ROWS_MOST = 8 };

/* A way to be refused; error 0: the transfer is cut. */
typedef struct way {
    int error;
    bool sticky;
} way;

static const way ways[] = {{EIO, false},    {EIO, true},    {ENOSPC, false}, {ENOSPC, true},
                           {EDQUOT, false}, {EDQUOT, true}, {EMFILE, false}, {EMFILE, true},
                           {EINTR, false},  {0, false},     {0, true}};
enum { WAYS = sizeof ways / sizeof *ways };

typedef struct tally {
    unsigned long points, done, refused, unproven, bad;
} tally;

static crash_script script;
static char base[FOLDER_PATH], path[FOLDER_PATH + 8];

/* ---- the seam ------------------------------------------------------------------------- */

static struct {
    uint64_t calls, at;
    way how;
    bool struck, needs_sync, sync_refused, rename_refused;
    unsigned interrupted;
    char call[16]; /* the first one refused                                                */
} seam;

static bool is_transfer(const char *call)
{
    return strcmp(call, "read") == 0 || strcmp(call, "write") == 0;
}

/* Linux does not interrupt these, or the descriptor is gone even then. */
static bool is_interrupted(const char *call)
{
    if (strcmp(call, "mmap") == 0 || strcmp(call, "readdir") == 0 || strcmp(call, "close") == 0)
        return false;
    return ++seam.interrupted <= EINTR_ROW;
}

/* The folder is also synced for nothing but the deletion of old files, which may fail: it needs
 * to be while it holds a new manifest that it does not yet hold for sure. */
static void on_done(const file_event *e)
{
    bool made = strcmp(e->call, "open") == 0 && strcmp(e->path, "manifest.tmp") == 0;
    bool renamed = strcmp(e->call, "rename") == 0 && strcmp(e->path, "manifest") == 0;
    if (made || (renamed && script.level == 0)) seam.needs_sync = true;
    if (strstr(e->call, "sync") && strcmp(e->path, path) == 0) seam.needs_sync = false;
}

static int on_call(const char *call, const char *name)
{
    seam.calls++;
    bool due = seam.calls == seam.at || (seam.calls > seam.at && seam.how.sticky);
    if (seam.how.error == EINTR && seam.calls > seam.at) due = seam.interrupted > 0;
    if (!due || (!seam.how.error && !is_transfer(call))) return 0;
    if (seam.how.error == EINTR && !is_interrupted(call)) return 0;
    if (!seam.struck) snprintf(seam.call, sizeof seam.call, "%s", call);
    seam.struck = true;
    if (!seam.how.error) return -(int)(1 + hash_mix(seam.calls) % 300);
    if (strstr(call, "sync")) seam.sync_refused |= strcmp(name, path) != 0 || seam.needs_sync;
    seam.rename_refused |= strcmp(call, "rename") == 0;
    return seam.how.error;
}

/* ---- one point ------------------------------------------------------------------------ */

static unsigned acknowledged;

static void on_acknowledged(void *ctx, unsigned k)
{
    (void)ctx;
    acknowledged = k;
}

/* NULL, or what is wrong with the status and the commit that is seen. */
static const char *judge(pm_status st, const pm_error *err, int seen)
{
    bool harmless = seam.how.error == EINTR || !seam.how.error;
    /* A rename that failed, on a disk that cannot be read either, may have happened or not. */
    bool unknown = seam.how.sticky && seam.rename_refused;
    int last = (int)acknowledged;
    if (st == PM_OK && (seen != COMMITS || (seam.sync_refused && !harmless)))
        return "PM_OK without all that it promises";
    if (st != PM_OK && harmless) return "an interruption or a short transfer is an error";
    if (st == PM_NOMEM) return strcmp(seam.call, "mmap") ? "PM_NOMEM" : NULL;
    if (st == PM_NOT_DURABLE)
        return seen == last + 1 || (unknown && seen == last) ? NULL : "PM_NOT_DURABLE, not visible";
    if (st == PM_OK) return NULL;
    if (st != PM_IO || err->os_errno != seam.how.error) return "another error";
    return seen == last ? NULL : "PM_IO, but not the last commit";
}

/* One commit beyond the row, so that there is always a next writer. */
static const char *go_on(int seen, pm_error *err)
{
    if (script_run(&script, path, (unsigned)seen, COMMITS + 1, NULL, NULL, err) != PM_OK)
        return "the next writer fails";
    if (script_seen(&script, path, err) != COMMITS + 1) return "the next writer's commits";
    if (script_orphan(path, err->message)) return "a file is left over";
    return pm_check(path, true, NULL, NULL, NULL, err) == PM_OK ? NULL : "pm_check";
}

/* False when the run came to its end before the n-th call. */
static bool try_point(uint64_t at, way how, tally *t)
{
    pm_error err = {.status = PM_OK};
    memset(&seam, 0, sizeof seam);
    seam.at = at;
    seam.how = how;
    acknowledged = 0;
    file_fault = on_call;
    file_done = on_done;
    pm_status st = script_run(&script, path, 0, COMMITS, on_acknowledged, NULL, &err);
    file_fault = NULL;
    file_done = NULL;
    pm_error later = err;
    int seen = script_seen(&script, path, &later);
    const char *wrong = judge(st, &err, seen);
    if (!wrong) wrong = seen < 0 ? "unreadable" : go_on(seen, &later);
    if (wrong && t->bad++ < 5)
        printf("seed %lu, call %lu (%s), %s%s: commit %d of %u: %s: %s\n",
               (unsigned long)script.seed, (unsigned long)at, seam.call,
               how.error ? strerror(how.error) : "cut short", how.sticky ? " from then on" : "",
               seen, acknowledged, wrong, later.message);
    t->points += seam.struck;
    t->done += seam.struck && st == PM_OK;
    t->refused += st == PM_IO || st == PM_NOMEM;
    t->unproven += st == PM_NOT_DURABLE;
    script_clear(path);
    return seam.calls >= at;
}

/* ---- all points ------------------------------------------------------------------------ */

/* Every LANES * stride-th call of one row in every way, beginning somewhere else in each. */
static void sweep(unsigned lane, uint64_t stride, tally *t)
{
    script_folder(base);
    snprintf(path, sizeof path, "%s/idx", base);
    for (uint64_t i = 0; i < WAYS; i++)
        for (uint64_t at = 1 + lane + hash_mix(script.seed + i) % stride * LANES;
             try_point(at, ways[i], t);)
            at += LANES * stride;
    rmdir(base);
}

static void sweep_in_lanes(uint64_t stride, tally *t)
{
    pid_t pids[LANES];
    fflush(stdout);
    for (unsigned lane = 0; lane < LANES; lane++) {
        pids[lane] = fork();
        folder_must(pids[lane] >= 0, "fork", "");
        if (pids[lane] > 0) continue;
        sweep(lane, stride, &t[lane]);
        fflush(stdout);
        _exit(0);
    }
    for (unsigned lane = 0; lane < LANES; lane++) {
        int status = 0;
        folder_must(waitpid(pids[lane], &status, 0) == pids[lane], "wait", "");
        folder_must(status == 0, "sweep in", "a child");
    }
}

static tally total(const tally *t)
{
    tally sum = t[0];
    for (unsigned lane = 1; lane < LANES; lane++) {
        sum.points += t[lane].points;
        sum.done += t[lane].done;
        sum.refused += t[lane].refused;
        sum.unproven += t[lane].unproven;
        sum.bad += t[lane].bad;
    }
    return sum;
}

static void every_call_in_every_way(void **state)
{
    (void)state;
    uint64_t first = script_setting("PM_TEST_SEED", 1), seed = first;
    uint64_t stride = script_setting("PM_FAULT_STRIDE", script_slow() ? STRIDE_SLOW : STRIDE);
    unsigned long aim = script_setting("PM_FAULT_POINTS", 1);
    double begun = script_clock();
    tally *t = mmap(NULL, LANES * sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                    0),
          sum = {.points = 0};
    folder_must(t != MAP_FAILED, "map", "");
    /* A sample of one row may miss the call behind the rename: up to ROWS_MOST until one does not.
     */
    for (; sum.points < aim || seed == first || (!sum.unproven && seed < first + ROWS_MOST);
         seed++, sum = total(t)) {
        script_make(&script, seed, COMMITS, (unsigned)(seed - first) % 3);
        sweep_in_lanes(stride, t);
        script_free(&script);
    }
    munmap(t, LANES * sizeof *t);
    printf("refused calls of %lu rows: %lu points from PM_TEST_SEED=%lu, %.1f s: %lu done without "
           "it, %lu refused, %lu not durable, %lu bad\n",
           (unsigned long)(seed - first), sum.points, (unsigned long)first, script_clock() - begun,
           sum.done, sum.refused, sum.unproven, sum.bad);
    assert_int_equal(sum.bad, 0);
    assert_true(sum.done > 0 && sum.refused > 0 && sum.unproven > 0);
}

int main(void)
{
    unsetenv("PRESSMARK_SEED");
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_call_in_every_way)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
