/* SPDX-License-Identifier: MIT
 *
 * cmd_index.c - pressmark index: files, folders and JSON Lines into an index.
 *
 * One commit at the end (or every --commit-every articles): whatever happens before it, the
 * index stays as the last commit left it.  Ctrl-C stops between two articles, or two pieces of
 * what is being written or merged, or the wait for standard input, removes the files and commits
 * nothing more.
 */
#include <string.h>

#include "common/cli/commands.h"
#include "common/cli/emit.h"
#include "common/cli/engine.h"
#include "common/cli/ingest_report.h"
#include "common/cli/meter.h"
#include "common/cli/terminal.h"

typedef struct index_options {
    const char *index, *lang, *encoding, *report;
    uint64_t threads, memory, commit_every, shards;
    unsigned input_format, engine, reorder;
    int positions, store;
    bool small, prune, json, quiet;
} index_options;

static const char *const engines[] = {NULL, "native", "xapian"};
static const index_options defaults = {.memory = 512u << 20, .positions = -1, .store = -1};

#define FIELD(name) offsetof(index_options, name)
static const cli_option table[] = {
    CLI_OPTION_INDEX(index_options),
    {.name = "input-format",
     .kind = CLI_CHOICE,
     .arg = "auto|text|markdown|jsonl",
     .later = "html|csv|trec",
     .offset = FIELD(input_format),
     .help = "what the inputs are (default auto: by name and content)"},
    {.name = "encoding",
     .kind = CLI_TEXT,
     .arg = "NAME",
     .offset = FIELD(encoding),
     .help = "utf-8, utf-16le, utf-16be or windows-1252 (default: detected)"},
    {.name = "lang",
     .letter = 'l',
     .kind = CLI_TEXT,
     .arg = "LANG",
     .offset = FIELD(lang),
     .help = "language of the stemmer: en, de, fr, ... or none (default en, or as the index)"},
    {.name = "prune",
     .kind = CLI_FLAG,
     .offset = FIELD(prune),
     .help = "delete articles whose files under PATH are gone"},
    {.name = "threads",
     .kind = CLI_NUMBER,
     .arg = "N",
     .offset = FIELD(threads),
     .high = 1024,
     .help = "threads (default 0: as many as processors)"},
    {.name = "memory",
     .kind = CLI_SIZE,
     .arg = "SIZE",
     .offset = FIELD(memory),
     .low = 1u << 20,
     .high = 1ull << 50,
     .help = "bound of memory used (default 512M); an article over a quarter of it is skipped"},
    {.name = "positions",
     .kind = CLI_YESNO,
     .offset = FIELD(positions),
     .help = "keep positions, which phrases need (default yes, or as the index)"},
    {.name = "store",
     .kind = CLI_YESNO,
     .offset = FIELD(store),
     .help =
         "keep the text, which snippets and show need (default yes, or as the index). Without it "
         "they read plain files again while these are unchanged; articles of JSON Lines, .gz "
         "and other encodings have none"},
    {.name = "small",
     .kind = CLI_FLAG,
     .offset = FIELD(small),
     .help = "a new index that is smaller and slower: no bigrams, no surface forms, fewer bitmaps"},
    {.name = "commit-every",
     .kind = CLI_NUMBER,
     .arg = "N",
     .offset = FIELD(commit_every),
     .high = 1ull << 40,
     .help = "commit after every N articles too (default: once, at the end)"},
    {.name = "report",
     .kind = CLI_TEXT,
     .arg = "FILE",
     .offset = FIELD(report),
     .help =
         "write what was found in each input, and by which rule, as JSON Lines; '-': to standard "
         "output. A file stays as it is when the run fails or is stopped"},
    {.name = "json",
     .kind = CLI_FLAG,
     .offset = FIELD(json),
     .help = "the summary as one JSON object on standard output"},
    {.name = "quiet",
     .letter = 'q',
     .kind = CLI_FLAG,
     .offset = FIELD(quiet),
     .help = "no progress and no summary"},
    {.name = "engine",
     .kind = CLI_CHOICE,
     .arg = "auto|native|xapian",
     .offset = FIELD(engine),
     .help = "of a new index; xapian is a plugin (default native, or as the index)"},
    {.name = "shards",
     .kind = CLI_NUMBER,
     .arg = "N",
     .offset = FIELD(shards),
     .low = 1,
     .high = 1024,
     .help = "of a new Xapian index: spread articles over N databases (default 1)"},
    {.name = "reorder", .kind = CLI_CHOICE, .arg = "none", .later = "bp", .offset = FIELD(reorder)},
};

/* One run, from the options to the summary. */
typedef struct ingest {
    const index_options *options;
    const char *path; /* of the index                                                    */
    ingest_report report;
    pm_ingest_summary summary;
    pm_commit_info info;
    uint64_t start_ns;
    uint64_t temp_bytes; /* of files at most, beside those of the last commit                 */
    bool temp_unknown;   /* another engine's are not counted                                  */
} ingest;

static bool on_event(void *ctx, const pm_ingest_event *event)
{
    ingest *run = ctx;
    if (interrupt_seen()) return false; /* a line may have been cut by it                   */
    report_event(&run->report, event);
    return true;
}

static bool on_progress(void *ctx, pm_phase phase, uint64_t written)
{
    ingest *run = ctx;
    (void)written;
    report_phase(&run->report, phase);
    return !interrupt_seen();
}

static pm_status open_writer(ingest *run, pm_writer **writer, pm_error *err)
{
    const index_options *o = run->options;
    pm_writer_options w = PM_WRITER_OPTIONS_INIT;
    w.lang = o->lang;
    w.memory_bytes = o->memory;
    w.threads = (unsigned)o->threads;
    w.positions = o->positions;
    w.store = o->store;
    w.small = o->small ? 1 : -1;
    w.progress = on_progress;
    w.progress_ctx = run;
    w.engine = engines[o->engine];
    w.shards = (unsigned)o->shards;
    return pm_writer_open(run->path, &w, writer, err);
}

static pm_status feed(ingest *run, pm_writer *writer, const cli_args *args, pm_error *err)
{
    const index_options *o = run->options;
    pm_ingest_options in = PM_INGEST_OPTIONS_INIT;
    in.format = (pm_input_format)o->input_format;
    in.encoding = o->encoding;
    in.prune = o->prune;
    in.commit_every = o->commit_every;
    in.event = on_event;
    in.ctx = run;
    return pm_ingest(writer, args->words, args->n, &in, &run->summary, err);
}

/* "skipped" is all that was passed over: unchanged, or refused for a reason (which gives
 * exit code 3). */
static void print_json(const ingest *run, double seconds)
{
    const pm_ingest_summary *s = &run->summary;
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"added", s->added},
        {"updated", s->updated},
        {"unchanged", s->unchanged},
        {"skipped", s->unchanged + s->skipped},
        {"refused", s->skipped},
        {"duplicates", s->duplicates},
        {"deleted", s->pruned},
        {"text_bytes", s->text_bytes},
        {"input_bytes", s->input_bytes},
        {"repaired", s->repaired},
        {"converted", s->converted},
        {"bad_dates", s->bad_dates},
        {"peak_rss_bytes", meter_peak_rss()},
        {"temp_bytes", run->temp_bytes},
        {"index_bytes", run->info.index_bytes},
        {"generation", run->info.generation},
    };
    json_t *o = json_object();
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        emit_json_set(&o, numbers[i].key, json_integer((json_int_t)numbers[i].value));
    }
    if (run->temp_unknown) emit_json_set(&o, "temp_bytes", json_null());
    emit_json_set(&o, "seconds", json_real(seconds));
    emit_json(o);
}

static void print_odd(const pm_ingest_summary *s)
{
    if (s->repaired)
        emit_note("%llu invalid UTF-8 sequences repaired", (unsigned long long)s->repaired);
    if (s->converted) emit_note("%llu inputs converted to UTF-8", (unsigned long long)s->converted);
    if (s->bad_dates)
        emit_note("%llu dates not understood and left out", (unsigned long long)s->bad_dates);
}

static void print_text(const ingest *run, double seconds)
{
    const pm_ingest_summary *s = &run->summary;
    char text[24], peak[24], temporary[24], size[24];
    emit_note("%llu added, %llu updated, %llu unchanged, %llu deleted, %llu skipped",
              (unsigned long long)s->added, (unsigned long long)s->updated,
              (unsigned long long)s->unchanged, (unsigned long long)s->pruned,
              (unsigned long long)s->skipped);
    print_odd(s);
    emit_note("%s of text in %.2f s, %.1f MB/s; peak memory %s%s%s; index %s in %s",
              meter_bytes(s->text_bytes, text), seconds,
              seconds > 0 ? (double)s->text_bytes / 1e6 / seconds : 0,
              meter_bytes(meter_peak_rss(), peak), run->temp_unknown ? "" : ", temporary disk ",
              run->temp_unknown ? "" : meter_bytes(run->temp_bytes, temporary),
              meter_bytes(run->info.index_bytes, size), run->path);
}

static void summarize(const ingest *run)
{
    double seconds = meter_seconds(run->start_ns);
    if (run->options->json)
        print_json(run, seconds);
    else if (!run->options->quiet)
        print_text(run, seconds);
}

/* Everything but the summary.  PM_PARTIAL: committed, but something was left out. */
static pm_status ingest_all(ingest *run, const cli_args *args, pm_error *err)
{
    pm_writer *writer = NULL;
    pm_error why = {0};
    pm_status fed = PM_OK, st = open_writer(run, &writer, err);
    if (st == PM_OK) {
        fed = feed(run, writer, args, &why);
        if (interrupt_seen()) fed = PM_OK;
        st = fed == PM_PARTIAL ? PM_OK : fed;
        if (st != PM_OK) *err = why;
        if (st == PM_OK && !interrupt_seen()) st = pm_writer_finish(writer, &run->info, err);
        uint64_t most = pm_writer_most_bytes(writer), is = run->info.index_bytes;
        run->temp_bytes = most > is ? most - is : 0;
        run->temp_unknown = engine_is_plugin(&cmd_index, run->options);
    }
    pm_writer_close(writer);
    report_end(&run->report);
    return st == PM_OK ? fed : st;
}

static pm_status prepare(ingest *run, const cli_args *args, pm_error *err)
{
    pm_status st = PM_OK;
    for (size_t i = 0; i < args->n && st == PM_OK; i++)
        st = stream_check_exists(args->words[i], err);
    if (st == PM_OK && run->options->report) {
        st = report_open(&run->report, run->options->report, run->path, args->words, args->n, err);
    }
    interrupt_catch();
    if (st == PM_OK && !run->options->quiet && terminal_is_stderr())
        report_progress(&run->report, args->words, args->n);
    return st;
}

static int run_index(const void *given, const cli_args *args)
{
    ingest run = {.options = given, .start_ns = meter_now_ns()};
    pm_error err = {0}, report_err = {0};
    run.path = cli_index_path(run.options->index);
    pm_status st = prepare(&run, args, &err);
    if (st == PM_OK) st = ingest_all(&run, args, &err);
    bool stopped = interrupt_seen() && run.info.generation == 0;
    pm_status written = PM_OK;
    if (stopped || (st != PM_OK && st != PM_PARTIAL && st != PM_NOT_DURABLE))
        stream_abandon(&run.report.file); /* not all of what it says has happened */
    else
        written = stream_finish(&run.report.file, &report_err);
    if (stopped) {
        emit_note("pressmark: interrupted; what was not committed is left out of %s", run.path);
        interrupt_raise();
    }
    if (st != PM_OK && st != PM_PARTIAL) return emit_error(&err);
    summarize(&run);
    if (written != PM_OK) return emit_error(&report_err);
    if (st == PM_OK) return EXIT_OK;
    emit_note("pressmark: %llu inputs were skipped and %llu ids met twice; the rest is committed "
              "(--report FILE says why)",
              (unsigned long long)run.summary.skipped, (unsigned long long)run.summary.duplicates);
    return EXIT_PARTIAL;
}

const cli_command cmd_index = {
    "index",
    "PATH...",
    "add or update articles",
    "PATH is a file, a folder (read with all its folders, but for hidden names, symbolic links and "
    "indexes in it) or '-' (JSON Lines on standard input). "
    "Text, Markdown with front matter and JSON Lines are understood, each also as .gz. An "
    "article is known by its id: the path below PATH, or the field 'id'; an id that is there "
    "already is updated, and an unchanged file is passed over.\n\n"
    "Merges take disk for a while, as much as the index at most and what does not fit into "
    "--memory; the summary says how much it was (not of an index of the engine xapian).\n\n"
    "Everything becomes visible in one commit at the end; before it, and after Ctrl-C, searches "
    "see the index as it was.\n\n"
    "With --prune an article goes when its file under PATH is gone, whether it was added by this "
    "PATH, by one below or above, or by its name. Those of a PATH that is gone itself stay, unless "
    "a PATH above it had added them: delete them by id.",
    CLI_TABLE(table),
    &defaults,
    sizeof(index_options),
    1,
    SIZE_MAX,
    CLI_WRITES,
    run_index,
};
