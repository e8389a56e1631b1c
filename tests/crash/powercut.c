/* SPDX-License-Identifier: MIT
 *
 * powercut.c - power cuts under the file systems of the kernel, on a disk that keeps a log.
 *
 * A row of commits (crash_script.h) runs on a logged disk (logged_disk.h), which notes when each
 * is acknowledged.  Then the disk is made again as a power cut may have left it, at moments
 * chosen by chance.  Every such state must mount, show the last acknowledged commit or the one
 * under way, and let the next writer go on from it.  At last the harness itself is tried:
 * commits without their last sync must be caught.
 *
 *   powercut STATES [SEED [FILE-SYSTEM [MOUNT-OPTIONS]]]
 *
 * Without a file system all of them are tried, each by so many states, and the mutant.  What
 * cannot be tried here is named with the reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/crash_script.h"
#include "tests/support/logged_disk.h"

enum { COMMITS = 8 };

static const disk_kind kinds[] = {{"ext4", "data=ordered"},
                                  {"ext4", "data=writeback"},
                                  {"ext4", "data=journal"},
                                  {"xfs", ""},
                                  {"btrfs", ""}};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Of one file system; in memory shared with the child that tries it. */
typedef struct tally {
    unsigned long states, old, new, bad, unmounted;
    bool skipped;
} tally;

static crash_script script;
static char index_path[FOLDER_PATH + 16];
static bool is_mutant;

/* ---- one file system ------------------------------------------------------------------- */

static void on_acknowledged(void *ctx, unsigned k)
{
    (void)ctx;
    disk_acknowledge(k);
}

static void run_commits(void *ctx)
{
    (void)ctx;
    pm_error err = {.status = PM_OK};
    pm_status st = script_run(&script, index_path, 0, COMMITS, on_acknowledged, NULL, &err);
    folder_must(st == PM_OK, err.message, index_path);
}

/* NULL, or what is wrong with the state, which shows commit `seen`. */
static const char *judge(int seen, int low, pm_error *err)
{
    unsigned next = (unsigned)seen + 1;
    if (seen != low && seen != low + 1) return "another commit";
    if (next > COMMITS + 1) return NULL;
    bool well = script_run(&script, index_path, next - 1, next, NULL, NULL, err) == PM_OK &&
                script_seen(&script, index_path, err) == (int)next;
    return well ? NULL : "the next writer";
}

static void try_state(const disk_cut *c, tally *t)
{
    pm_error err = {.status = PM_OK};
    int low = (int)disk_cut_acknowledged(c);
    t->states++;
    if (!disk_mount(c)) {
        t->unmounted++;
        return;
    }
    int seen = script_seen(&script, index_path, &err);
    const char *wrong = judge(seen, low, &err);
    t->old += seen == low;
    t->new += seen == low + 1;
    if (wrong && t->bad++ < 5 && !is_mutant)
        printf("after write %zu (kind %u, flushed %zu): commit %d of %d: %s: %s\n", c->after,
               c->kind, c->flushed, seen, low, wrong, err.message);
    disk_unmount();
}

static void report(const disk_kind *kind, const tally *t, uint64_t seed, double begun)
{
    disk_counts n = disk_count();
    printf("powercut%s %s%s%s: %zu writes and %zu flushes of %u commits; %lu states from seed "
           "%lu, %.0f s: %lu show the last commit, %lu the next, %lu not mountable, %lu bad\n",
           is_mutant ? ", last sync left out," : "", kind->type, *kind->options ? " " : "",
           kind->options, n.writes, n.flushes, COMMITS, t->states, (unsigned long)seed,
           script_clock() - begun, t->old, t->new, t->unmounted, t->bad);
}

static void try_kind(const disk_kind *kind, unsigned long states, uint64_t seed, tally *t)
{
    double begun = script_clock();
    uint64_t random = seed;
    const char *why = disk_open(kind);
    if (!why) {
        snprintf(index_path, sizeof index_path, "%s/idx", disk_folder());
        script_make(&script, seed, COMMITS, is_mutant ? 1 : 0);
        why = disk_record(run_commits, NULL);
        while (!why && t->states < states) {
            disk_cut c = disk_cut_random(&random);
            try_state(&c, t);
        }
        if (!why) report(kind, t, seed, begun);
        disk_close();
    }
    t->skipped = why != NULL;
    if (why) printf("powercut %s %s: skipped: %s\n", kind->type, kind->options, why);
}

/* ---- all of them ----------------------------------------------------------------------- */

/* In a child, whose mounts are its own. */
static tally try_apart(const disk_kind *kind, unsigned long states, uint64_t seed)
{
    int status = 0;
    tally *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    folder_must(t != MAP_FAILED, "map", "");
    fflush(stdout);
    pid_t pid = fork();
    folder_must(pid >= 0, "fork", "");
    if (pid == 0) {
        try_kind(kind, states, seed, t);
        fflush(stdout);
        _exit(0);
    }
    folder_must(waitpid(pid, &status, 0) == pid, "wait for", kind->type);
    tally result = *t;
    result.bad += status != 0;
    munmap(t, sizeof *t);
    return result;
}

/* Returns the exit code. */
static int sum_up(const tally *t, unsigned n, const tally *mutant)
{
    unsigned long states = 0, bad = 0;
    unsigned tried = 0;
    for (unsigned i = 0; i < n; i++) {
        states += t[i].states;
        bad += t[i].bad + t[i].unmounted;
        tried += !t[i].skipped;
    }
    bool caught = mutant && mutant->bad > 0, missed = mutant && !mutant->skipped && !caught;
    printf("powercut: %lu states under %u file systems, %u skipped, %lu bad%s\n", states, tried,
           n - tried, bad,
           caught   ? "; the mutant is caught"
           : missed ? "; the mutant is NOT caught"
                    : "");
    return bad || missed;
}

int main(int argc, char **argv)
{
    unsigned long states = argc > 1 ? strtoul(argv[1], NULL, 10) : 300;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    disk_kind given = {argc > 3 ? argv[3] : "", argc > 4 ? argv[4] : ""};
    tally t[KINDS], mutant = {.states = 0};
    unsetenv("PRESSMARK_SEED");
    if (*given.type) {
        t[0] = try_apart(&given, states, seed);
        return sum_up(t, 1, NULL);
    }
    for (unsigned i = 0; i < KINDS; i++) t[i] = try_apart(&kinds[i], states, seed + i);
    is_mutant = true;
    mutant = try_apart(&kinds[0], states, seed + KINDS);
    return sum_up(t, KINDS, &mutant);
}
