/* SPDX-License-Identifier: MIT
 *
 * cmd_bench_index.c - pressmark bench index: how long indexing takes, and how big it gets.
 *
 * Builds an index in a temporary folder of $TMPDIR (else /var/tmp), with the durability of
 * an ordinary commit, and removes it whatever happens, an interrupt included; a second interrupt
 * ends the program at once.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cli/commands.h"
#include "common/cli/emit.h"
#include "common/cli/meter.h"
#include "common/cli/stream.h"
#include "common/cli/terminal.h"

typedef struct index_bench_options {
    uint64_t threads, memory;
    int positions, store;
    const char *lang;
    bool small, json;
} index_bench_options;

static const index_bench_options defaults = {0, 512u << 20, -1, -1, NULL, false, false};

#define FIELD(name) offsetof(index_bench_options, name)
static const cli_option table[] = {
    {.name = "threads",
     .kind = CLI_NUMBER,
     .arg = "N",
     .offset = FIELD(threads),
     .low = 1,
     .high = 1024,
     .help = "threads (default: as many as processors)"},
    {.name = "memory",
     .kind = CLI_SIZE,
     .arg = "SIZE",
     .offset = FIELD(memory),
     .low = 1u << 20,
     .high = UINT64_MAX >> 1,
     .help = "bound of the writer's memory (default 512M)"},
    {.name = "lang",
     .kind = CLI_TEXT,
     .arg = "L",
     .offset = FIELD(lang),
     .help = "language of the stemmer, or none (default en)"},
    {.name = "positions",
     .kind = CLI_YESNO,
     .arg = "yes|no",
     .offset = FIELD(positions),
     .help = "keep positions (default yes)"},
    {.name = "store",
     .kind = CLI_YESNO,
     .arg = "yes|no",
     .offset = FIELD(store),
     .help = "keep the text (default yes)"},
    {.name = "small", .kind = CLI_FLAG, .offset = FIELD(small), .help = "as index --small"},
    {.name = "json", .kind = CLI_FLAG, .offset = FIELD(json), .help = "print one JSON object"},
};
#undef FIELD

typedef struct measure {
    pm_ingest_summary ingest;
    pm_commit_info commit;
    pm_stats stats;
    double seconds, ingest_seconds, commit_seconds, cpu_seconds;
    uint64_t peak_rss;
} measure;

enum { WARNINGS_SHOWN = 10, PATH_SHOWN = 500 };

/* Says why something is not among what is measured. */
static bool go_on(void *ctx, const pm_ingest_event *event)
{
    unsigned *shown = ctx;
    bool is_loss = event->kind == PM_INGEST_SKIPPED || event->kind == PM_INGEST_DUPLICATE;
    if (is_loss && (*shown)++ < WARNINGS_SHOWN) {
        char line[32] = "";
        if (event->line) snprintf(line, sizeof line, ":%" PRIu64, event->line);
        emit_warning("%.*s%s: %s%s",
                     (int)(event->path.len < PATH_SHOWN ? event->path.len : PATH_SHOWN),
                     event->path.data, line, event->kind == PM_INGEST_SKIPPED ? "skipped: " : "",
                     event->reason ? event->reason : "its id was met before");
    }
    return !interrupt_seen();
}

/* ---- the temporary folder ------------------------------------------------------------- */

/* Makes it; gives an exit code. */
static int folder_make(char *path, size_t size)
{
    const char *parent = getenv("TMPDIR");
    if (!parent || !*parent) parent = access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp";
    int len = snprintf(path, size, "%s/pressmark-bench-XXXXXX", parent);
    if (len < 0 || (size_t)len >= size) return emit_usage("bench index: $TMPDIR is too long");
    if (mkdtemp(path)) return EXIT_OK;
    pm_error err = {.status = PM_IO, .os_errno = errno};
    snprintf(err.message, sizeof err.message,
             "%.200s: cannot make; name another folder in $TMPDIR: %s", path, strerror(errno));
    return emit_error(&err);
}

/* An index folder is flat. */
static void folder_remove(const char *path)
{
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder) closedir(folder);
    if (rmdir(path) != 0) emit_warning("%.200s: not removed: %s", path, strerror(errno));
}

/* ---- measuring ------------------------------------------------------------------------ */

static int fill(pm_writer *writer, const cli_args *args, measure *m)
{
    pm_error err = {.status = PM_OK};
    pm_ingest_options options = PM_INGEST_OPTIONS_INIT;
    unsigned shown = 0;
    options.event = go_on;
    options.ctx = &shown;
    uint64_t start = meter_now_ns();
    pm_status st = pm_ingest(writer, args->words, args->n, &options, &m->ingest, &err);
    m->ingest_seconds = meter_seconds(start);
    if (interrupt_seen())
        return EXIT_IO; /* and the signal will be said by how the program ends     */
    if (st != PM_OK && st != PM_PARTIAL) return emit_error(&err);
    if (shown > WARNINGS_SHOWN) /* not all were said                                          */
        emit_warning("%" PRIu64 " skipped, %" PRIu64 " met twice", m->ingest.skipped,
                     m->ingest.duplicates);
    start = meter_now_ns();
    pm_status committed = pm_writer_commit(writer, &m->commit, &err);
    m->commit_seconds = meter_seconds(start);
    if (committed != PM_OK) return emit_error(&err);
    return emit_exit_code(st);
}

static int build(const char *path, const index_bench_options *opt, const cli_args *args, measure *m)
{
    pm_error err = {.status = PM_OK};
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.lang = opt->lang;
    options.memory_bytes = opt->memory;
    options.threads = (unsigned)opt->threads;
    options.positions = opt->positions;
    options.store = opt->store;
    options.small = opt->small ? 1 : -1;
    pm_writer *writer = NULL;
    uint64_t start = meter_now_ns(), cpu = meter_cpu_ns();
    int code = pm_writer_open(path, &options, &writer, &err) == PM_OK ? fill(writer, args, m)
                                                                      : emit_error(&err);
    pm_writer_close(writer);
    m->seconds = meter_seconds(start);
    m->cpu_seconds = (double)(meter_cpu_ns() - cpu) * 1e-9;
    m->peak_rss = meter_peak_rss();
    return code;
}

static int weigh(const char *path, measure *m)
{
    pm_error err = {.status = PM_OK};
    pm_index *index = NULL;
    pm_status st = pm_index_open(path, &index, &err);
    if (st == PM_OK) st = pm_index_stats(index, &m->stats, &err);
    pm_index_close(index);
    return st == PM_OK ? EXIT_OK : emit_error(&err);
}

/* ---- reporting ------------------------------------------------------------------------ */

static double megabytes_per_second(const measure *m)
{
    return m->seconds > 0 ? (double)m->ingest.text_bytes / 1e6 / m->seconds : 0;
}

static void report_text(const measure *m)
{
    const pm_stats *s = &m->stats;
    emit_printf("documents    %" PRIu64 " (%.0f a second)\n", s->documents,
                m->seconds > 0 ? (double)s->documents / m->seconds : 0);
    emit_printf("text         %.3f MB (%.1f MB/s)\n", (double)m->ingest.text_bytes / 1e6,
                megabytes_per_second(m));
    emit_printf("tokens       %" PRIu64 " (%.2f million a second)\n", s->tokens,
                m->seconds > 0 ? (double)s->tokens / 1e6 / m->seconds : 0);
    emit_printf("seconds      %.3f (ingest %.3f, commit %.3f, processor %.3f)\n", m->seconds,
                m->ingest_seconds, m->commit_seconds, m->cpu_seconds);
    emit_printf("peak memory  %.1f MB\n", (double)m->peak_rss / 1e6);
    emit_printf(
        "index        %.3f MB (%.1f%% of the text), segments: %u\n", (double)s->index_bytes / 1e6,
        m->ingest.text_bytes ? 100.0 * (double)s->index_bytes / (double)m->ingest.text_bytes : 0,
        s->segments);
    for (unsigned i = 0; i < s->n_sections; i++)
        emit_printf("  %-22s %12.3f MB\n", s->sections[i].name, (double)s->sections[i].bytes / 1e6);
}

static void report_json(const measure *m)
{
    const pm_stats *s = &m->stats;
    json_t *out = json_object(), *sections = json_object(), *stages = json_object();
    for (unsigned i = 0; i < s->n_sections; i++)
        emit_json_set(&sections, s->sections[i].name,
                      json_integer((json_int_t)s->sections[i].bytes));
    emit_json_set(&stages, "ingest_seconds", json_real(m->ingest_seconds));
    emit_json_set(&stages, "commit_seconds", json_real(m->commit_seconds));
    emit_json_set(&out, "documents", json_integer((json_int_t)s->documents));
    emit_json_set(&out, "text_bytes", json_integer((json_int_t)m->ingest.text_bytes));
    emit_json_set(&out, "tokens", json_integer((json_int_t)s->tokens));
    emit_json_set(&out, "seconds", json_real(m->seconds));
    emit_json_set(&out, "cpu_seconds", json_real(m->cpu_seconds));
    emit_json_set(&out, "mb_per_s", json_real(megabytes_per_second(m)));
    emit_json_set(&out, "peak_rss_bytes", json_integer((json_int_t)m->peak_rss));
    emit_json_set(&out, "index_bytes", json_integer((json_int_t)s->index_bytes));
    emit_json_set(&out, "segments", json_integer(s->segments));
    emit_json_set(&out, "sections", sections);
    emit_json_set(&out, "stages", stages);
    emit_json(out);
}

static int run(const void *given, const cli_args *args)
{
    const index_bench_options *opt = given;
    char path[4096];
    measure m = {.seconds = 0};
    pm_error err = {.status = PM_OK};
    for (size_t i = 0; i < args->n; i++)
        if (stream_check_exists(args->words[i], &err) != PM_OK) return emit_error(&err);
    int code = folder_make(path, sizeof path);
    if (code != EXIT_OK) return code;
    interrupt_catch();
    code = build(path, opt, args, &m);
    int weighed = code == EXIT_OK || code == EXIT_PARTIAL ? weigh(path, &m) : code;
    folder_remove(path);
    if (interrupt_seen()) interrupt_raise();
    if (weighed != EXIT_OK) return weighed;
    if (opt->json)
        report_json(&m);
    else
        report_text(&m);
    return code;
}

const cli_command cmd_bench_index = {
    .name = "bench index",
    .args = "INPUT...",
    .summary = "time the building of an index",
    .details =
        "Indexes the inputs (JSON Lines, or whatever 'pressmark index' takes) into a temporary\n"
        "folder of $TMPDIR, else /var/tmp, commits, prints rates, memory and bytes by section,\n"
        "and removes the folder.",
    .options = table,
    .n_options = sizeof(table) / sizeof(table[0]),
    .defaults = &defaults,
    .size = sizeof(index_bench_options),
    .min_words = 1,
    .max_words = SIZE_MAX,
    .flags = CLI_WRITES,
    .run = run,
};
