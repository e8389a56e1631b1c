/* SPDX-License-Identifier: MIT
 *
 * cmd_search.c - pressmark search: one query, its hits in one of six formats.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cli/commands.h"
#include "common/cli/emit.h"
#include "common/cli/emit_hits.h"
#include "common/cli/engine.h"
#include "common/cli/filters.h"
#include "common/cli/terminal.h"

enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_JSONL, FORMAT_TSV, FORMAT_TREC, FORMAT_IDS };

typedef struct search_options {
    const char *index;
    uint64_t limit, offset;
    unsigned format, match, color;
    double k1, b;
    int snippets;
    bool count, explain, strict, quiet, null;
    filter_options filters;
    engine_options engine;
} search_options;

static const search_options defaults = {
    .limit = 10,
    .k1 = -1,
    .b = -1,
    .snippets = 1,
    .match = PM_MATCH_AUTO,
};

#define FIELD(name) offsetof(search_options, name)
static const cli_option table[] = {
    CLI_OPTION_INDEX(search_options),
    {.name = "limit",
     .letter = 'k',
     .kind = CLI_NUMBER,
     .arg = "N",
     .offset = FIELD(limit),
     .high = 1000000000,
     .help = "print at most N hits (default 10)"},
    {.name = "offset",
     .kind = CLI_NUMBER,
     .arg = "N",
     .offset = FIELD(offset),
     .high = 1000000000,
     .help = "leave out the first N hits"},
    {.name = "match",
     .kind = CLI_CHOICE,
     .arg = "auto|all|any",
     .offset = FIELD(match),
     .help = "auto: articles with every word, then those with some (default); all: with every "
             "word only; any: with any word, in order of score alone"},
    {.name = "format",
     .kind = CLI_CHOICE,
     .arg = "text|json|jsonl|tsv|trec|ids",
     .offset = FIELD(format),
     .help = "how hits are printed (default text)"},
    {.name = "json",
     .kind = CLI_SET,
     .offset = FIELD(format),
     .low = FORMAT_JSON,
     .help = "the same as --format=json"},
    {.name = "null",
     .letter = '0',
     .kind = CLI_FLAG,
     .offset = FIELD(null),
     .help = "with --format ids: a NUL byte ends each id, so that ids may have line ends"},
    {.name = "count",
     .kind = CLI_FLAG,
     .offset = FIELD(count),
     .help = "print only the exact number of matching articles"},
    CLI_OPTIONS_FILTER(search_options, filters),
    CLI_OPTIONS_ENGINE(search_options, engine),
    {.name = "snippets",
     .kind = CLI_YESNO,
     .offset = FIELD(snippets),
     .help = "show where the words occur (default yes)"},
    {.name = "explain",
     .kind = CLI_FLAG,
     .offset = FIELD(explain),
     .help = "show each term's part of each score"},
    CLI_OPTIONS_BM25(search_options),
    {.name = "strict",
     .kind = CLI_FLAG,
     .offset = FIELD(strict),
     .help = "refuse a query that cannot be parsed, with a caret under the place"},
    {.name = "color",
     .kind = CLI_CHOICE,
     .arg = CLI_COLORS,
     .offset = FIELD(color),
     .help = "colour in text output (default auto; NO_COLOR is obeyed)"},
    {.name = "quiet",
     .kind = CLI_FLAG,
     .offset = FIELD(quiet),
     .help = "no summary on standard error; warnings and errors are still said"},
    {.name = "sort", .kind = CLI_LATER},
    {.name = "why-not", .kind = CLI_LATER},
    {.name = "timeline", .kind = CLI_LATER},
    {.name = "facet", .kind = CLI_LATER},
    {.name = "group", .kind = CLI_LATER},
};

/* The other formats print hits alone; that there is one is all that the exit code asks. */
static bool prints_total(unsigned format)
{
    return format == FORMAT_TEXT || format == FORMAT_JSON;
}

static pm_search_options to_search(const search_options *o)
{
    pm_search_options s = PM_SEARCH_OPTIONS_INIT;
    bool fields = o->format != FORMAT_IDS && o->format != FORMAT_TREC && !o->count;
    s.limit = o->count ? 0 : o->limit;
    s.offset = o->count ? 0 : o->offset;
    s.match = (pm_match)o->match;
    s.k1 = o->k1;
    s.b = o->b;
    s.strict = o->strict;
    s.xapian_weights = o->engine.weight == 1;
    s.want_explain = o->explain && !o->count;
    s.want_fields = fields;
    s.want_total = o->count || !o->limit || o->offset || prints_total(o->format);
    s.want_snippets = fields && o->snippets && o->format != FORMAT_TSV;
    return s;
}

static void emit_jsonl(const pm_result *result, bool explain)
{
    for (size_t i = 0; i < result->n_hits && !emit_broken(); i++) {
        emit_json(emit_hit_json(&result->hits[i], explain));
    }
}

static void emit_text(const pm_result *result, const search_options *o)
{
    text_style style = {
        .color = terminal_wants_color(o->color),
        .snippets = o->snippets,
        .explain = o->explain,
        .terminal = terminal_is_stdout(),
        .width = terminal_width(),
    };
    emit_hits_text(result, &style);
}

/* For a person only: what was asked, how it was read, how much there is. */
static void summarize(const pm_result *result)
{
    if (!terminal_is_stderr() || !terminal_is_stdout()) return;
    emit_flush();
    int shown = (int)(result->interpreted.len < 600 ? result->interpreted.len : 600);
    emit_note("%zu of %s%llu articles, %.2f ms; read as: %.*s", result->n_hits,
              result->total_is_exact ? "" : "at least ", (unsigned long long)result->total,
              (double)result->took_ns / 1e6, shown, result->interpreted.data);
}

static void print(const pm_result *result, const search_options *o)
{
    if (o->count) {
        emit_printf("%llu\n", (unsigned long long)result->total);
        return;
    }
    switch (o->format) {
    case FORMAT_JSON:
        emit_json(emit_hits_json(result, o->explain));
        break;
    case FORMAT_JSONL:
        emit_jsonl(result, o->explain);
        break;
    case FORMAT_TSV:
        emit_hits_tsv(result, (pm_text){"", 0});
        break;
    case FORMAT_TREC:
        emit_hits_trec(result, (pm_text){"1", 1}, "pressmark");
        break;
    case FORMAT_IDS:
        emit_hits_ids(result, o->null);
        break;
    default:
        emit_text(result, o);
        if (result->truncated) emit_warning("the query is too long; it was cut");
        if (!o->quiet) summarize(result);
    }
}

/* The words joined by blanks; NULL when memory is refused. */
static char *join_words(const cli_args *args)
{
    size_t len = 1;
    for (size_t i = 0; i < args->n; i++) len += strlen(args->words[i]) + 1;
    char *query = malloc(len), *p = query;
    if (!query) return NULL;
    for (size_t i = 0; i < args->n; i++) {
        if (i) *p++ = ' ';
        p = stpcpy(p, args->words[i]);
    }
    *p = '\0';
    return query;
}

static void warn_of_text(const pm_result *result)
{
    if (!result->n_without_text) return;
    emit_flush();
    emit_warning(
        "snippets are empty: the index keeps no text, and the source of %llu hits is gone, has "
        "changed, or cannot be read back (JSON Lines, .gz, another encoding)",
        (unsigned long long)result->n_without_text);
}

static int answer(pm_searcher *searcher, const char *query, const search_options *o)
{
    pm_error err = {0};
    const pm_result *result = NULL;
    pm_search_options search = to_search(o);
    filter_list filters;
    filters_take(&o->filters, &filters, &search);
    pm_status st = pm_searcher_search(searcher, query, strlen(query), &search, &result, &err);
    if (st != PM_OK && st != PM_PARTIAL) {
        int code = emit_error(&err);
        if (st == PM_USAGE && o->strict) emit_caret(query, err.offset);
        return code;
    }
    print(result, o);
    warn_of_text(result);
    if (st == PM_PARTIAL) return emit_error(&err);
    return result->n_hits || result->total ? EXIT_OK : EXIT_NONE;
}

static int run(const void *given, const cli_args *args)
{
    const search_options *o = given;
    pm_error err = {0};
    pm_index *index = NULL;
    pm_searcher *searcher = NULL;
    int code = EXIT_OK;
    if (!args->n && !filters_given(&o->filters))
        return emit_usage("search: QUERY is missing, or a filter such as --after; see 'pressmark "
                          "help search'");
    if (o->null && o->format != FORMAT_IDS)
        return emit_usage(
            "search: -0, --null goes with --format ids; behind '--' it is a word of the query");
    char *query = join_words(args);
    if (!query) return emit_nomem();
    pm_status st = engine_open(cli_index_path(o->index), &o->engine, &index, &err);
    if (st == PM_OK) st = pm_searcher_open(index, &searcher, &err);
    code = st == PM_OK ? answer(searcher, query, o) : emit_error(&err);
    pm_searcher_close(searcher);
    pm_index_close(index);
    free(query);
    return code;
}

const cli_command cmd_search = {
    "search",
    "[QUERY...]",
    "find articles, best first",
    "QUERY is words; several arguments are joined by blanks. \"a phrase\", +must, -not, "
    "AND OR NOT, ( ), \"a b\"~5 (within 5 words), title:word and word^2 narrow and weigh it. "
    "Words side by side bind tighter than AND, and AND tighter than OR: rare AND kirk meet is "
    "rare AND (kirk meet). "
    "date:2025-09-19, date:2025-09..2025-11, after:2025 and before:2025-09 keep to articles of "
    "that time, source:ap author:\"jane doe\" tag:trade lang:en to those with just that value. "
    "An article whose date has a zone is filtered by its day in UTC, another by the day as "
    "written. "
    "What cannot be understood is taken as words. Without words filters, or the options "
    "that say the same, list what passes them.\n\n"
    "Options may follow the query; what is no option is query text there, so that "
    "'search trump -tiktok' leaves out articles on TikTok. '--' ends the options.",
    CLI_TABLE(table),
    &defaults,
    sizeof(search_options),
    0,
    SIZE_MAX,
    CLI_QUERY,
    run,
};
