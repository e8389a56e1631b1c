/* SPDX-License-Identifier: MIT
 * clock.c - see clock.h.
 */
#include "common/base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/base/file.h"

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

/* VmHWM of /proc/self/status, in KiB; 0 where there is no such line. */
static uint64_t status_peak(const char *status)
{
    const char *line = strstr(status, "\nVmHWM:");
    return line ? strtoull(line + 7, NULL, 10) * 1024 : 0;
}

/* The kernel keeps getrusage's maximum across exec, so a program started by a larger one would
 * report what that one had when it forked: it serves only where there is no /proc. */
uint64_t clock_peak_rss(void)
{
    char status[4096];
    infile f = INFILE_INIT;
    size_t got = 0;
    struct rusage usage;
    if (infile_open(&f, "/proc/self/status", NULL) == PM_OK &&
        infile_read(&f, status, sizeof status - 1, &got, NULL) != PM_OK)
        got = 0;
    infile_close(&f);
    status[got] = 0;
    uint64_t peak = status_peak(status);
    if (peak) return peak;
    if (getrusage(RUSAGE_SELF, &usage) != 0 || usage.ru_maxrss < 0) return 0;
    return (uint64_t)usage.ru_maxrss * 1024;
}
