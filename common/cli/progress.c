/* SPDX-License-Identifier: MIT
 *
 * progress.c - see progress.h.
 */
#include "common/cli/progress.h"

#include <stdio.h>

#include "common/cli/meter.h"
#include "common/cli/terminal.h"

enum { EVERY_NS = 100000000, TELLS_FROM_PERCENT = 2 };

void progress_begin(progress *p)
{
    *p = (progress){.on = terminal_is_stderr(), .start_ns = meter_now_ns()};
}

bool progress_due(progress *p, double *seconds)
{
    if (!p->on) return false;
    uint64_t now = meter_now_ns();
    if (now - (p->shown_ns ? p->shown_ns : p->start_ns) < EVERY_NS) return false;
    p->shown_ns = now;
    *seconds = (double)(now - p->start_ns) / 1e9;
    fputs("\r\033[K", stderr);
    return true;
}

void progress_clear(progress *p)
{
    if (p->shown_ns) fputs("\r\033[K", stderr);
    p->shown_ns = 0;
}

void progress_put_left(double part, double seconds)
{
    if (part * 100 < TELLS_FROM_PERCENT || part >= 1) return;
    fprintf(stderr, ", %.0f %%, %.0f s left", part * 100, seconds * (1 - part) / part);
}

void progress_put_phase(pm_phase phase)
{
    static const char *const names[] = {"reading", "writing", "merging", "committing"};
    char memory[24];
    fprintf(stderr, ", %s, %s", meter_bytes(meter_rss(), memory), names[phase]);
}
