/* SPDX-License-Identifier: MIT
 * clock.c - see clock.h.
 */
#include "common/base/clock.h"

#include <sys/resource.h>
#include <time.h>

static uint64_t clock_read(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0) return 0;
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t clock_ns(void)
{
    return clock_read(CLOCK_MONOTONIC);
}
uint64_t clock_cpu_ns(void)
{
    return clock_read(CLOCK_PROCESS_CPUTIME_ID);
}

/* The kernel keeps the maximum across exec, so a program started by a larger one reports
 * at least what that one had when it forked. */
uint64_t clock_peak_rss(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0 || usage.ru_maxrss < 0) return 0;
    return (uint64_t)usage.ru_maxrss * 1024;
}
