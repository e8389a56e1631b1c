/* SPDX-License-Identifier: MIT
 *
 * ingest_report.h - what `index` tells while it reads: warnings, progress, report.
 *
 * Takes pm_ingest_events.  Warnings are lines on standard error, at most WARNINGS_SHOWN of
 * them, then a count; progress is one line rewritten in place, on a terminal only; the
 * report is JSON Lines with everything.
 */
#ifndef PM_CLI_INGEST_REPORT_H
#define PM_CLI_INGEST_REPORT_H

#include "common/cli/progress.h"
#include "common/cli/stream.h"

enum { WARNINGS_SHOWN = 50 };

typedef struct ingest_report {
    json_stream file; /* zeroed: no report */
    progress line;
    pm_phase phase;
    uint64_t total_bytes; /* of all inputs, 0 when unknown: then no time left is told */
    uint64_t read_before; /* bytes the process had read at the start */
    uint64_t done;        /* articles added, updated or unchanged */
    uint64_t warnings;
} ingest_report;

/* The report goes to `file`, which may be neither in the index nor, unless it is an older report,
 * an input: PM_USAGE. */
pm_status report_open(ingest_report *r, const char *file, const char *index,
                      const char *const *paths, size_t n, pm_error *err);
/* Begin to show progress; `paths` tell how much there is to read. */
void report_progress(ingest_report *r, const char *const *paths, size_t n);
void report_event(ingest_report *r, const pm_ingest_event *event);
/* What the writer is about. */
void report_phase(ingest_report *r, pm_phase phase);
/* Removes the progress line and counts the warnings that were not shown. */
void report_end(ingest_report *r);

#endif
