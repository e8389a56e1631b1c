/* SPDX-License-Identifier: MIT
 *
 * cmd_stats.c - pressmark stats: what is in the index, and what each part of it weighs.
 */
#include "common/cli/commands.h"
#include "common/cli/emit.h"
#include "common/cli/meter.h"

typedef struct stats_options {
    const char *index;
    bool json;
} stats_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(stats_options),
    {.name = "json",
     .kind = CLI_FLAG,
     .offset = offsetof(stats_options, json),
     .help = "one JSON object"},
};

/* One row of both outputs: whole numbers by offset. */
static const struct row {
    const char *key;
    size_t offset;
} counts[] = {
    {"documents", offsetof(pm_stats, documents)},
    {"deleted", offsetof(pm_stats, deleted)},
    {"terms", offsetof(pm_stats, terms)},
    {"postings", offsetof(pm_stats, postings)},
    {"positions", offsetof(pm_stats, positions)},
    {"tokens", offsetof(pm_stats, tokens)},
    {"index_bytes", offsetof(pm_stats, index_bytes)},
    {"bare_bytes", offsetof(pm_stats, bare_bytes)},
    {"generation", offsetof(pm_stats, generation)},
};
enum { N_COUNTS = sizeof(counts) / sizeof(counts[0]) };

static uint64_t count_of(const pm_stats *s, size_t row)
{
    uint64_t value;
    memcpy(&value, (const char *)s + counts[row].offset, sizeof(value));
    return value;
}

static json_t *bytes_json(const pm_section_bytes *list, unsigned n)
{
    json_t *o = json_object();
    for (unsigned i = 0; i < n; i++)
        emit_json_set(&o, list[i].name, json_integer((json_int_t)list[i].bytes));
    return o;
}

static void print_bytes(const char *title, const pm_section_bytes *list, unsigned n)
{
    char size[24];
    emit_printf("%s\n", title);
    for (unsigned i = 0; i < n; i++)
        emit_printf("  %-22s%14llu  %s\n", list[i].name, (unsigned long long)list[i].bytes,
                    meter_bytes(list[i].bytes, size));
}

static void print_json(const pm_stats *s)
{
    json_t *o = json_object();
    for (size_t i = 0; i < N_COUNTS; i++) {
        emit_json_set(&o, counts[i].key, json_integer((json_int_t)count_of(s, i)));
    }
    emit_json_set(&o, "avgdl", json_real(s->avgdl));
    emit_json_set(&o, "k1", json_real(s->k1));
    emit_json_set(&o, "b", json_real(s->b));
    emit_json_set(&o, "segments", json_integer(s->segments));
    emit_json_set(&o, "format_version", json_integer(s->format_version));
    emit_json_set(&o, "engine", json_string(s->engine));
    emit_json_set(&o, "analyzer", json_string(s->analyzer));
    emit_json_set(&o, "lang", json_string(s->lang));
    emit_json_set(&o, "has_positions", json_boolean(s->has_positions));
    emit_json_set(&o, "has_text", json_boolean(s->has_text));
    emit_json_set(&o, "small", json_boolean(s->small));
    emit_json_set(&o, "sections", bytes_json(s->sections, s->n_sections));
    emit_json_set(&o, "parts", bytes_json(s->parts, s->n_parts));
    emit_json(o);
}

static void print_text(const pm_stats *s)
{
    for (size_t i = 0; i < N_COUNTS; i++) {
        emit_printf("%-16s%llu\n", counts[i].key, (unsigned long long)count_of(s, i));
    }
    emit_printf("%-16s%.6g\n%-16s%g\n%-16s%g\n%-16s%u\n", "avgdl", s->avgdl, "k1", s->k1, "b", s->b,
                "segments", s->segments);
    emit_printf("%-16s%s (format %u%s%s%s)\n%-16s%s\n%-16s%s\n", "engine", s->engine,
                s->format_version, s->has_positions ? ", positions" : "",
                s->has_text ? ", text" : "", s->small ? ", small" : "", "analyzer", s->analyzer,
                "lang", s->lang);
    print_bytes("bytes by section", s->sections, s->n_sections);
    print_bytes("bytes by what they are for", s->parts, s->n_parts);
}

static int run(const void *given, const cli_args *args)
{
    const stats_options *o = given;
    pm_error err = {0};
    pm_index *index = NULL;
    pm_stats stats;
    (void)args;
    pm_status st = pm_index_open(cli_index_path(o->index), &index, &err);
    if (st == PM_OK) st = pm_index_stats(index, &stats, &err);
    if (st != PM_OK) emit_error(&err);
    if ((st == PM_OK || st == PM_PARTIAL) && o->json) print_json(&stats);
    if ((st == PM_OK || st == PM_PARTIAL) && !o->json) print_text(&stats);
    pm_index_close(index);
    return emit_exit_code(st);
}

const cli_command cmd_stats = {
    "stats",
    "",
    "what is in the index",
    "Counts are exact and speak of live articles; sections and parts are bytes on disk.\n"
    "bare_bytes is the index without stored articles and without bigrams.",
    CLI_TABLE(table),
    NULL,
    sizeof(stats_options),
    0,
    0,
    0,
    run,
};
