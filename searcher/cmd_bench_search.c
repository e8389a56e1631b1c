/* SPDX-License-Identifier: MIT
 *
 * cmd_bench_search.c - pressmark bench search: how long queries take, by command and class.
 *
 * One thread.  For each command: warm-up, then every query once, so many times over; a
 * query's time is its least.  Parsing is timed by the library and taken off (parse_us).  The
 * counts of all rounds must agree, or the run is an error: a time without its answer is void.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli/commands.h"
#include "common/cli/emit.h"
#include "common/cli/meter.h"
#include "searcher/cmd_bench.h"

typedef struct search_bench_options {
    const char *index, *queries, *commands;
    uint64_t repeat;
    double warmup;
    bool by_tag, json;
} search_bench_options;

static const search_bench_options defaults = {
    .commands = "TOP_10,TOP_100,TOP_1000,COUNT,TOP_10_COUNT,TOP_100_COUNT",
    .repeat = 10,
    .warmup = 1,
};

#define FIELD(name) offsetof(search_bench_options, name)
static const cli_option table[] = {
    CLI_OPTION_INDEX(search_bench_options),
    {.name = "queries",
     .kind = CLI_TEXT,
     .arg = "FILE",
     .offset = FIELD(queries),
     .help = "JSON Lines with query and tags, or plain lines"},
    {.name = "commands",
     .kind = CLI_TEXT,
     .arg = "LIST",
     .offset = FIELD(commands),
     .help = "TOP_k, COUNT, TOP_k_COUNT (default: the usual six)"},
    {.name = "repeat",
     .kind = CLI_NUMBER,
     .arg = "N",
     .offset = FIELD(repeat),
     .low = 1,
     .high = 1000000,
     .help = "rounds over all queries (default 10)"},
    {.name = "warmup",
     .kind = CLI_REAL,
     .arg = "SECONDS",
     .offset = FIELD(warmup),
     .low = 0,
     .high = 3600,
     .help = "before each command (default 1)"},
    {.name = "by-tag",
     .kind = CLI_FLAG,
     .offset = FIELD(by_tag),
     .help = "one line for every tag, not only for the first ones"},
    {.name = "json", .kind = CLI_FLAG, .offset = FIELD(json), .help = "print one JSON object"},
};
#undef FIELD

/* What was measured of one query under one command. */
typedef struct sample {
    double us, parse_us;
    uint64_t count;
} sample;

typedef struct bench {
    const search_bench_options *opt;
    pm_searcher *searcher;
    bench_queries queries;
    sample *samples; /* one for each query                                                 */
    double *sorted;  /* scratch of the same size                                           */
    json_t *rows;
} bench;

/* ---- measuring ------------------------------------------------------------------------ */

static int measure_query(bench *b, const bench_query *query, const pm_search_options *options,
                         sample *out)
{
    const pm_result *result;
    pm_error err = {.status = PM_OK};
    uint64_t start = meter_now_ns();
    pm_status st = pm_searcher_search(b->searcher, query->text, query->len, options, &result, &err);
    double us = (double)(meter_now_ns() - start) * 1e-3;
    if (st != PM_OK && st != PM_PARTIAL) return emit_error(&err);
    out->parse_us = (double)result->parse_ns * 1e-3;
    out->us = us > out->parse_us ? us - out->parse_us : 0;
    out->count = options->want_total ? result->total : result->n_hits;
    return EXIT_OK;
}

static int measure_warmup(bench *b, const pm_search_options *options)
{
    sample ignored;
    int code = EXIT_OK;
    uint64_t start = meter_now_ns();
    for (size_t i = 0; code == EXIT_OK && meter_seconds(start) < b->opt->warmup;
         i = (i + 1) % b->queries.n)
        code = measure_query(b, &b->queries.list[i], options, &ignored);
    return code;
}

static int measure_round(bench *b, const pm_search_options *options, bool first)
{
    for (size_t i = 0; i < b->queries.n; i++) {
        sample now, *best = &b->samples[i];
        int code = measure_query(b, &b->queries.list[i], options, &now);
        if (code != EXIT_OK) return code;
        if (first) *best = now;
        if (now.count != best->count) {
            pm_error err = {.status = PM_CORRUPT, .message = "two rounds gave different answers"};
            return emit_error(&err);
        }
        best->us = fmin(best->us, now.us);
        best->parse_us = fmin(best->parse_us, now.parse_us);
    }
    return EXIT_OK;
}

/* ---- reporting ------------------------------------------------------------------------ */

static int compare_doubles(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* Nearest rank of n > 0 rising values. */
static double percentile(const double *sorted, size_t n, unsigned percent)
{
    size_t rank = (n * percent + 99) / 100;
    return sorted[rank ? rank - 1 : 0];
}

static bool in_class(const bench *b, const bench_query *query, size_t tag)
{
    if (query->tags[0] == tag) return true;
    for (size_t i = 1; b->opt->by_tag && i < query->n_tags; i++)
        if (query->tags[i] == tag) return true;
    return false;
}

/* What is printed of a class of queries under a command; microseconds. */
typedef struct class_times {
    const char *command, *class;
    size_t n;
    double mean, p50, p90, p99, max, parse;
    uint64_t hits;
} class_times;

/* r->n is 0 when no query is of the class. */
static void summarize(bench *b, size_t tag, class_times *r)
{
    double sum = 0, parse = 0;
    size_t n = 0;
    for (size_t i = 0; i < b->queries.n; i++) {
        if (!in_class(b, &b->queries.list[i], tag)) continue;
        b->sorted[n++] = b->samples[i].us;
        sum += b->samples[i].us;
        parse += b->samples[i].parse_us;
        r->hits += b->samples[i].count;
    }
    if (n == 0) return;
    qsort(b->sorted, n, sizeof *b->sorted, compare_doubles);
    r->n = n;
    r->mean = sum / (double)n;
    r->p50 = percentile(b->sorted, n, 50);
    r->p90 = percentile(b->sorted, n, 90);
    r->p99 = percentile(b->sorted, n, 99);
    r->max = b->sorted[n - 1];
    r->parse = parse / (double)n;
}

static void print_line(const class_times *r)
{
    emit_printf("%-14s %-24s %7zu %10.1f %10.1f %10.1f %10.1f %10.1f %8.1f %12" PRIu64 "\n",
                r->command, r->class, r->n, r->mean, r->p50, r->p90, r->p99, r->max, r->parse,
                r->hits);
}

static void add_json(bench *b, const class_times *r)
{
    json_t *row = json_object();
    emit_json_set(&row, "command", emit_json_text(r->command, strlen(r->command)));
    emit_json_set(&row, "class", emit_json_text(r->class, strlen(r->class)));
    emit_json_set(&row, "queries", json_integer((json_int_t)r->n));
    emit_json_set(&row, "mean_us", json_real(r->mean));
    emit_json_set(&row, "p50_us", json_real(r->p50));
    emit_json_set(&row, "p90_us", json_real(r->p90));
    emit_json_set(&row, "p99_us", json_real(r->p99));
    emit_json_set(&row, "max_us", json_real(r->max));
    emit_json_set(&row, "parse_us", json_real(r->parse));
    emit_json_set(&row, "hits", json_integer((json_int_t)r->hits));
    if (json_array_append_new(b->rows, row) != 0) {
        json_decref(b->rows);
        b->rows = NULL;
    }
}

static void report_row(bench *b, const char *command, size_t tag)
{
    class_times r = {.command = command, .class = b->queries.tags[tag]};
    summarize(b, tag, &r);
    if (r.n == 0) return;
    if (b->opt->json)
        add_json(b, &r);
    else
        print_line(&r);
}

static int bench_one(bench *b, const char *command, size_t len)
{
    pm_search_options options;
    char name[32];
    if (len >= sizeof name || !bench_command(command, len, &options)) return EXIT_USAGE;
    memcpy(name, command, len);
    name[len] = '\0';
    int code = measure_warmup(b, &options);
    for (uint64_t round = 0; code == EXIT_OK && round < b->opt->repeat; round++)
        code = measure_round(b, &options, round == 0);
    for (size_t tag = 0; code == EXIT_OK && tag < b->queries.n_tags; tag++)
        if (b->opt->by_tag || b->queries.first[tag]) report_row(b, name, tag);
    return code;
}

/* Before any time is spent. */
static int check_commands(const char *list)
{
    pm_search_options options;
    for (size_t len; *list; list += len + (list[len] == ',')) {
        len = strcspn(list, ",");
        if (!bench_command(list, len, &options))
            return emit_usage("bench search: unknown command '%.*s'; there are TOP_k, COUNT and "
                              "TOP_k_COUNT",
                              len > 40 ? 40 : (int)len, list);
    }
    return EXIT_OK;
}

static int bench_all(bench *b)
{
    int code = EXIT_OK;
    if (!b->opt->json)
        emit_printf("%-14s %-24s %7s %10s %10s %10s %10s %10s %8s %12s\n", "command", "class",
                    "queries", "mean us", "p50", "p90", "p99", "max", "parse", "hits");
    for (const char *at = b->opt->commands; code == EXIT_OK && *at;) {
        size_t len = strcspn(at, ",");
        code = bench_one(b, at, len);
        emit_flush();
        at += len + (at[len] == ',');
    }
    if (code != EXIT_OK || !b->opt->json) return code;
    json_t *report = json_object();
    emit_json_set(&report, "commands", b->rows);
    b->rows = NULL;
    emit_json_set(&report, "repeat", json_integer((json_int_t)b->opt->repeat));
    emit_json(report);
    return code;
}

static int run(const void *given, const cli_args *args)
{
    (void)args;
    bench b = {.opt = given};
    pm_index *index = NULL;
    if (!b.opt->queries) return emit_usage("bench search: --queries FILE is needed");
    int code = check_commands(b.opt->commands);
    if (code == EXIT_OK) code = bench_open(b.opt->index, &index, &b.searcher);
    if (code == EXIT_OK) code = bench_queries_read(&b.queries, b.opt->queries);
    if (code == EXIT_OK) {
        b.samples = calloc(b.queries.n, sizeof *b.samples);
        b.sorted = calloc(b.queries.n, sizeof *b.sorted);
        b.rows = json_array();
        code = b.samples && b.sorted && b.rows ? bench_all(&b) : emit_nomem();
    }
    json_decref(b.rows);
    free(b.samples);
    free(b.sorted);
    bench_queries_free(&b.queries);
    pm_searcher_close(b.searcher);
    pm_index_close(index);
    return code;
}

const cli_command cmd_bench_search = {
    .name = "bench search",
    .args = "",
    .summary = "time queries by command and class",
    .details =
        "Runs every query of the file with every command on one thread and prints, for each\n"
        "class of queries (their first tag), mean and percentiles of the times in\n"
        "microseconds, each query's time being the least of its rounds.  Parsing a query is\n"
        "not in its time; it stands in a column of its own.  TOP_k gives number and score of\n"
        "each hit; ids are not looked up.",
    .options = table,
    .n_options = sizeof(table) / sizeof(table[0]),
    .defaults = &defaults,
    .size = sizeof(search_bench_options),
    .run = run,
};
