/* SPDX-License-Identifier: MIT
 *
 * cmd_optimize.c - pressmark optimize: all segments become one; deleted articles go.
 */
#include <stdio.h>

#include "common/cli/commands.h"
#include "common/cli/emit.h"
#include "common/cli/engine.h"
#include "common/cli/meter.h"
#include "common/cli/progress.h"
#include "common/cli/stream.h"
#include "common/cli/terminal.h"

typedef struct optimize_options {
    const char *index;
    uint64_t memory, threads;
    unsigned reorder;
    bool quiet;
} optimize_options;

/* What a process takes beside --memory at most (RELIABILITY.md). */
enum { MEMORY_BESIDE = 64 << 20 };

static const optimize_options defaults = {.memory = 512u << 20};

#define FIELD(name) offsetof(optimize_options, name)
static const cli_option table[] = {
    CLI_OPTION_INDEX(optimize_options),
    {.name = "memory",
     .kind = CLI_SIZE,
     .arg = "SIZE",
     .offset = FIELD(memory),
     .low = 1u << 20,
     .high = 1ull << 50,
     .help = "bound of memory used (default 512M)"},
    {.name = "threads",
     .kind = CLI_NUMBER,
     .arg = "N",
     .offset = FIELD(threads),
     .high = 1024,
     .help = "threads (default 0: as many as processors)"},
    {.name = "reorder",
     .kind = CLI_CHOICE,
     .arg = "keep|none|bp",
     .offset = FIELD(reorder),
     .help = "bp: articles with the same words side by side, for a smaller and faster index; "
             "none: in order of ingest; keep: as they are (default). Answers stay the same"},
    {.name = "quiet",
     .letter = 'q',
     .kind = CLI_FLAG,
     .offset = FIELD(quiet),
     .help = "no progress and no summary"},
};

/* What is to be written is about what the folder holds. */
typedef struct merging {
    progress line;
    uint64_t total_bytes, most_bytes; /* of files: before, and at any time                  */
    bool most_unknown;                /* another engine's are not counted                   */
} merging;

static bool on_progress(void *ctx, pm_phase phase, uint64_t written)
{
    merging *m = ctx;
    double seconds;
    if (progress_due(&m->line, &seconds)) {
        fprintf(stderr, "%.0f MB written, %.0f MB/s", (double)written / 1e6,
                (double)written / 1e6 / seconds);
        if (m->total_bytes) progress_put_left((double)written / (double)m->total_bytes, seconds);
        progress_put_phase(phase);
    }
    return !interrupt_seen();
}

/* What does not fit goes to files, but only where there is room for them, and not all of it can. */
static void warn_of_memory(uint64_t limit)
{
    char took[24], is[24];
    if (meter_peak_rss() <= limit + MEMORY_BESIDE) return;
    emit_note(
        "pressmark: warning: optimize took %s of memory, more than --memory=%s says; what does not "
        "fit goes to files where the disk has room for them",
        meter_bytes(meter_peak_rss(), took), meter_bytes(limit, is));
}

/* The folder is asked, so that what only takes space there counts, too. */
static void summarize(const char *path, const merging *m, double seconds)
{
    char size[24], freed[24], peak[24], temporary[24];
    uint64_t now = stream_tree_bytes(path), before = m->total_bytes;
    emit_note("%s in %s, %s freed, %.2f s; peak memory %s%s%s", meter_bytes(now, size), path,
              meter_bytes(before > now ? before - now : 0, freed), seconds,
              meter_bytes(meter_peak_rss(), peak), m->most_unknown ? "" : ", temporary disk ",
              m->most_unknown
                  ? ""
                  : meter_bytes(m->most_bytes > now ? m->most_bytes - now : 0, temporary));
}

/* The result stands beside what there is until it is committed. */
static void warn_of_room(const char *path, uint64_t needed)
{
    char needs[24], is[24];
    uint64_t room = stream_free_bytes(path);
    if (room >= needed) return;
    emit_note(
        "pressmark: warning: optimize writes up to %s beside what is in %s, where %s are free",
        meter_bytes(needed, needs), path, meter_bytes(room, is));
}

static pm_status optimize(const char *path, const optimize_options *o, merging *m, pm_error *err)
{
    pm_writer *writer = NULL;
    pm_commit_info info = {0};
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.create = false;
    options.memory_bytes = o->memory;
    options.threads = (unsigned)o->threads;
    options.progress = on_progress;
    options.progress_ctx = m;
    pm_optimize_options how = PM_OPTIMIZE_OPTIONS_INIT;
    how.reorder = (pm_reorder)o->reorder;
    pm_status st = pm_writer_open(path, &options, &writer, err);
    if (st == PM_OK) st = pm_writer_optimize_with(writer, &how, &info, err);
    if (writer) m->most_bytes = pm_writer_most_bytes(writer);
    m->most_unknown = engine_is_plugin(&cmd_optimize, o);
    pm_writer_close(writer);
    return st;
}

static int run(const void *given, const cli_args *args)
{
    const optimize_options *o = given;
    pm_error err = {0};
    merging m = {.total_bytes = 0};
    (void)args;
    uint64_t start = meter_now_ns();
    const char *path = cli_index_path(o->index);
    interrupt_catch();
    if (!o->quiet) {
        progress_begin(&m.line);
        m.total_bytes = stream_tree_bytes(path);
        warn_of_room(path, m.total_bytes);
    }
    pm_status st = optimize(path, o, &m, &err);
    progress_clear(&m.line);
    if (st != PM_OK && st != PM_NOT_DURABLE && interrupt_seen()) {
        emit_note("pressmark: interrupted; %s is as it was", path);
        interrupt_raise();
    }
    if (st != PM_OK) return emit_error(&err);
    if (!o->quiet) {
        warn_of_memory(o->memory);
        summarize(path, &m, meter_seconds(start));
    }
    return EXIT_OK;
}

const cli_command cmd_optimize = {
    "optimize",
    "",
    "merge all segments into one",
    "Answers and scores stay the same; searches become faster and the space of deleted articles "
    "is given back. Searches go on meanwhile, and the folder takes up to twice its space, and "
    "where "
    "there is room what does not fit into --memory. The databases of an index of the engine xapian "
    "become compacted copies of themselves, one after the other.",
    CLI_TABLE(table),
    &defaults,
    sizeof(optimize_options),
    0,
    0,
    CLI_WRITES,
    run,
};
