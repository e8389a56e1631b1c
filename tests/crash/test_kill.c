/* SPDX-License-Identifier: MIT
 *
 * test_kill.c - a writer killed (SIGKILL) at every system call.
 *
 * A child runs a row of commits (crash_script.h) from an absent folder on: articles added,
 * replaced and deleted, optimize, several writers.  For every n it is killed
 *   before  the n-th system call, of all those that file.c makes;
 *   after   the n-th that changed something;
 *   amid    the n-th write: some bytes of it are in the file, the rest never is.
 * Then the index must show exactly the last acknowledged commit or the next one, by all its
 * answers; the next writer must get the lock, commit the next transaction to exactly the answers
 * of the undisturbed run, and leave no file that no commit names; pm_check finds it sound.
 *
 * The same for small commits by one writer, from the one on that begins a merge beside them.
 *
 * PM_TEST_SEED=n begins with another script, PM_CRASH_POINTS=n asks for so many points.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
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

enum { LANES = 2, LEVELS = 3, POINTS = 2400, POINTS_SLOW = 240, COMMITS = 3 };
/* Commits of a steady script: the next one after these begins a merge beside, the third takes it.  */
enum { BESIDE_AFTER = 10, BESIDE_COMMITS = 14 };

typedef enum kill_mode { KILL_BEFORE, KILL_AFTER, KILL_AMID, KILL_MODES } kill_mode;
static const char *const mode_names[] = {"before", "after", "amid"};

/* ---- the child ------------------------------------------------------------------------ */

/* Shared with the child: how far it came. */
typedef struct progress {
    unsigned acknowledged;
    bool finished;
} progress;

static struct {
    kill_mode mode;
    uint64_t at, calls;
    const progress *far; /* calls are counted from commit `from` on                */
    unsigned from;
    bool cut; /* the write has been cut short: die at the next call                        */
} trap;

static int on_call(const char *call, const char *path)
{
    (void)path;
    if (trap.mode == KILL_AFTER || trap.far->acknowledged < trap.from) return 0;
    if (trap.cut) raise(SIGKILL);
    if (trap.mode == KILL_AMID && strcmp(call, "write") != 0) return 0;
    if (++trap.calls != trap.at) return 0;
    if (trap.mode == KILL_BEFORE) raise(SIGKILL);
    trap.cut = true;
    return -(1 + (int)(hash_mix(trap.at) % 600));
}

static void on_done(const file_event *event)
{
    (void)event;
    if (trap.far->acknowledged < trap.from) return;
    if (trap.mode == KILL_AFTER && ++trap.calls == trap.at) raise(SIGKILL);
}

static void on_acknowledged(void *ctx, unsigned k)
{
    progress *p = ctx;
    p->acknowledged = k;
}

static void child(const crash_script *s, const char *path, progress *p)
{
    pm_error err = {.status = PM_OK};
    file_fault = on_call;
    file_done = on_done;
    pm_status st = script_run(s, path, 0, s->n_commits, on_acknowledged, p, &err);
    p->finished = st == PM_OK;
    _exit(0);
}

/* Run it to the n-th call; false when it came to its end before. */
static bool run_killed(const crash_script *s, const char *path, progress *p, kill_mode mode,
                       uint64_t at)
{
    int status = 0;
    memset(p, 0, sizeof *p);
    memset(&trap, 0, sizeof trap);
    trap.mode = mode;
    trap.at = at;
    trap.far = p;
    trap.from = s->steady ? BESIDE_AFTER : 0;
    pid_t pid = fork();
    folder_must(pid >= 0, "fork", path);
    if (pid == 0) child(s, path, p);
    folder_must(waitpid(pid, &status, 0) == pid, "wait", path);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return true;
    folder_must(WIFEXITED(status) && p->finished, "run undisturbed", path);
    return false;
}

/* ---- what must hold ------------------------------------------------------------------- */

typedef struct tally {
    unsigned long points[KILL_MODES], old, new, bad;
} tally;

/* NULL, or what is wrong with what a killed writer left; err has the detail. */
static const char *examine(const crash_script *s, const char *path, int acknowledged, int *seen,
                           pm_error *err)
{
    *seen = script_seen(s, path, err);
    if (*seen < 0) return "unreadable";
    if (*seen != acknowledged && *seen != acknowledged + 1) return "not the last commit, nor next";
    unsigned next = (unsigned)*seen + 1;
    if (script_run(s, path, next - 1, next, NULL, NULL, err) != PM_OK)
        return "the next writer fails";
    if (script_seen(s, path, err) != (int)next) return "the next commit is another";
    if (script_orphan(path, err->message)) return "a file is left over";
    return pm_check(path, true, NULL, NULL, NULL, err) == PM_OK ? NULL : "pm_check";
}

static void count(const crash_script *s, const char *path, const progress *p, tally *t)
{
    pm_error err = {.status = PM_OK};
    int seen, acknowledged = (int)p->acknowledged;
    const char *wrong = examine(s, path, acknowledged, &seen, &err);
    t->points[trap.mode]++;
    t->old += seen == acknowledged;
    t->new += seen == acknowledged + 1;
    if (wrong && t->bad++ < 5)
        printf("seed %lu, level %u, killed %s call %lu: %s: %s\n", (unsigned long)s->seed, s->level,
               mode_names[trap.mode], (unsigned long)trap.at, wrong, err.message);
}

/* Every LANES-th point of one script. */
static void sweep(const crash_script *s, const char *path, progress *p, unsigned lane, tally *t)
{
    for (kill_mode mode = 0; mode < KILL_MODES; mode++) {
        bool killed = true;
        for (uint64_t at = 1 + lane; killed; at += LANES) {
            killed = run_killed(s, path, p, mode, at);
            if (killed) count(s, path, p, t);
            script_clear(path);
        }
    }
}

/* ---- the campaign --------------------------------------------------------------------- */

typedef struct shared {
    progress progress[LANES];
    tally tally[LANES];
} shared;

static shared *share;

static unsigned long points_of(const tally *t)
{
    return t->points[KILL_BEFORE] + t->points[KILL_AFTER] + t->points[KILL_AMID];
}

/* All points of one script, by LANES children that each fork the writers they kill. */
static void sweep_in_lanes(const crash_script *s)
{
    pid_t pids[LANES];
    fflush(stdout);
    for (unsigned lane = 0; lane < LANES; lane++) {
        pids[lane] = fork();
        folder_must(pids[lane] >= 0, "fork", "");
        if (pids[lane] > 0) continue;
        char base[FOLDER_PATH], path[FOLDER_PATH + 8];
        script_folder(base);
        snprintf(path, sizeof path, "%s/idx", base);
        sweep(s, path, &share->progress[lane], lane, &share->tally[lane]);
        rmdir(base);
        fflush(stdout);
        _exit(0);
    }
    for (unsigned lane = 0; lane < LANES; lane++) {
        int status = 0;
        folder_must(waitpid(pids[lane], &status, 0) == pids[lane], "wait", "");
        folder_must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "sweep in", "a child");
    }
}

static unsigned long total(tally *sum)
{
    memset(sum, 0, sizeof *sum);
    for (unsigned lane = 0; lane < LANES; lane++) {
        const tally *t = &share->tally[lane];
        for (unsigned mode = 0; mode < KILL_MODES; mode++) sum->points[mode] += t->points[mode];
        sum->old += t->old;
        sum->new += t->new;
        sum->bad += t->bad;
    }
    return points_of(sum);
}

/* After twelve commits there are twelve segments only while a merge goes on beside. */
static void must_merge_beside(const crash_script *s)
{
    char path[FOLDER_PATH];
    pm_error err;
    pm_index *index;
    pm_stats stats;
    script_folder(path);
    folder_must(script_run(s, path, 0, BESIDE_AFTER + 2, NULL, NULL, &err) == PM_OK, "run", path);
    assert_int_equal(pm_index_open(path, &index, &err), PM_OK);
    assert_int_equal(pm_index_stats(index, &stats, &err), PM_OK);
    pm_index_close(index);
    folder_remove(path);
    assert_int_equal(stats.segments, BESIDE_AFTER + 2);
}

static void report(const char *what, const tally *sum, unsigned long scripts, uint64_t first,
                   double begun)
{
    printf("%s: %lu points (%lu before a call, %lu after, %lu amid a write) in %lu scripts from "
           "PM_TEST_SEED=%lu, %.1f s: %lu show the last commit, %lu the next, %lu bad\n",
           what, points_of(sum), sum->points[0], sum->points[1], sum->points[2], scripts,
           (unsigned long)first, script_clock() - begun, sum->old, sum->new, sum->bad);
    assert_int_equal(sum->bad, 0);
    assert_true(sum->old > 0 && sum->new > 0 && sum->points[KILL_AMID] > 0);
}

/* Where a merge goes on beside commits; with one thread, so that calls have an order. */
static void merges_beside(void **state)
{
    (void)state;
    static crash_script script;
    tally sum;
    uint64_t seed = script_setting("PM_TEST_SEED", 1);
    double begun = script_clock();
    unsetenv("PRESSMARK_SEED");
    share = mmap(NULL, sizeof *share, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    folder_must(share != MAP_FAILED, "map", "");
    script_make_steady(&script, seed, BESIDE_COMMITS, (unsigned)seed % LEVELS);
    must_merge_beside(&script);
    sweep_in_lanes(&script);
    script_free(&script);
    total(&sum);
    munmap(share, sizeof *share);
    report("kill beside a merge", &sum, 1, seed, begun);
}

static void every_call(void **state)
{
    (void)state;
    static crash_script script;
    tally sum;
    uint64_t seed = script_setting("PM_TEST_SEED", 1), first = seed;
    unsigned long aim = script_setting("PM_CRASH_POINTS", script_slow() ? POINTS_SLOW : POINTS);
    double begun = script_clock();
    unsetenv("PRESSMARK_SEED");
    share = mmap(NULL, sizeof *share, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    folder_must(share != MAP_FAILED, "map", "");
    for (unsigned round = 0; round == 0 || total(&sum) < aim; round++, seed++) {
        script_make(&script, seed, COMMITS + round % 3, round % LEVELS);
        sweep_in_lanes(&script);
        script_free(&script);
    }
    munmap(share, sizeof *share);
    report("kill", &sum, (unsigned long)(seed - first), first, begun);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_call), cmocka_unit_test(merges_beside)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
