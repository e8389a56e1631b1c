/* SPDX-License-Identifier: MIT
 *
 * campaign.c - see campaign.h.
 */
#include "tests/support/campaign.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/folder.h"

enum { WORKERS_MAX = 8, FINDINGS_PRINTED = 10, ASLEEP_FACTOR = 15 };

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoul(text, NULL, 10) : otherwise;
}

unsigned long campaign_stride(void)
{
    const char *variant = getenv("PM_TEST_VARIANT");
    bool fast = !variant || !strcmp(variant, "release") || !strcmp(variant, "debug");
    unsigned long n = from_environment("PM_DAMAGE_STRIDE", fast ? 1 : 5);
    return n ? n : 1;
}

static unsigned long now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned long)t.tv_sec * 1000000 + (unsigned long)t.tv_nsec / 1000;
}

/* Of processor time, so that a busy machine is no finding; and of time, for one that sleeps. */
static void set_patience(unsigned seconds)
{
    struct itimerval most = {.it_value = {.tv_sec = (time_t)seconds}};
    setitimer(ITIMER_PROF, &most, NULL);
    alarm(seconds * ASLEEP_FACTOR);
}

void campaign_begin(campaign_tally *tally, const char *file, unsigned long place, unsigned change)
{
    tally->file = file;
    tally->place = place;
    tally->change = change;
    tally->begun_us = now_us();
    set_patience(CAMPAIGN_HANG_SECONDS);
}

void campaign_finding(campaign_tally *tally, const char *what, const char *detail)
{
    if (tally->findings++ < FINDINGS_PRINTED)
        printf("%s, place %lu, change %02x: %s: %s\n", tally->file, tally->place, tally->change,
               what, detail);
}

void campaign_end(campaign_tally *tally)
{
    unsigned long took_us = now_us() - tally->begun_us;
    set_patience(0);
    tally->cases++;
    if (took_us <= tally->slowest_us) return;
    tally->slowest_us = took_us;
    tally->slowest_place = tally->place;
}

static unsigned workers(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 1 ? 1 : processors > WORKERS_MAX ? WORKERS_MAX : (unsigned)processors;
}

/* Wait for a child; false when it did not come to its end. */
static bool collect(pid_t pid, const campaign_tally *tally)
{
    int status = 0;
    folder_must(waitpid(pid, &status, 0) == pid, "wait for", "a child");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    printf("%s, place %lu, change %02x: %s (status %x)\n", tally->file ? tally->file : "at first",
           tally->place, tally->change,
           sig == SIGALRM || sig == SIGPROF ? "hangs"
           : sig                            ? "crashes"
                                            : "fails",
           (unsigned)status);
    return false;
}

void campaign_run(const char *title, unsigned long every, campaign_work *work, void *ctx)
{
    unsigned long first = every > 1 ? from_environment("PM_DAMAGE_FIRST", 0) : 0, dead = 0;
    unsigned n = workers();
    size_t size = WORKERS_MAX * sizeof(campaign_tally);
    campaign_tally sum = {.cases = 0}, *tally = mmap(NULL, size, PROT_READ | PROT_WRITE,
                                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[WORKERS_MAX];
    folder_must(tally != MAP_FAILED, "map", "");
    fflush(stdout);
    for (unsigned i = 0; i < n; i++) {
        pids[i] = fork();
        folder_must(pids[i] >= 0, "fork", "");
        if (pids[i] > 0) continue;
        work(ctx, &tally[i], first + i * every, n * every);
        exit(0);
    }
    for (unsigned i = 0; i < n; i++) {
        dead += !collect(pids[i], &tally[i]);
        sum.cases += tally[i].cases;
        sum.same += tally[i].same;
        sum.corrupt += tally[i].corrupt;
        sum.other += tally[i].other;
        sum.checked += tally[i].checked;
        sum.findings += tally[i].findings;
        if (tally[i].slowest_us <= sum.slowest_us) continue;
        sum.slowest_us = tally[i].slowest_us;
        sum.slowest_place = tally[i].slowest_place;
    }
    munmap(tally, size);
    printf("%s: %lu cases (every %lu. from %lu): %lu corrupt, %lu same answers", title, sum.cases,
           every, first, sum.corrupt, sum.same);
    if (sum.other) printf(", %lu other answers", sum.other);
    if (sum.checked) printf(", %lu found by pm_check", sum.checked);
    printf(", %lu findings, %lu crashes; the slowest case %lu us, at place %lu\n", sum.findings,
           dead, sum.slowest_us, sum.slowest_place);
    assert_int_equal(sum.findings, 0);
    assert_int_equal(dead, 0);
    assert_true(sum.cases > 0);
}
