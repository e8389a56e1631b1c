/* SPDX-License-Identifier: MIT
 *
 * cmd_analyze.c - pressmark analyze: what the index makes of a text.
 */
#include <string.h>

#include "common/cli/commands.h"
#include "common/cli/emit.h"
#include "common/cli/stream.h"
#include "common/cli/terminal.h"

typedef struct analyze_options {
    const char *lang;
} analyze_options;

static const analyze_options defaults = {"en"};
static const cli_option table[] = {
    {.name = "lang",
     .letter = 'l',
     .kind = CLI_TEXT,
     .arg = "LANG",
     .offset = offsetof(analyze_options, lang),
     .help = "language of the stemmer: en, de, fr, ... or none (default en)"},
};

static pm_status print_line(void *ctx, const char *line, size_t len, pm_error *err)
{
    pm_text terms;
    pm_status st = pm_analyzer_terms(ctx, line, len, &terms, err);
    if (st != PM_OK) return st;
    if (terminal_is_stdout())
        emit_safe(terms.data, terms.len);
    else
        emit_data(terms.data, terms.len);
    emit_str("\n");
    return emit_broken() ? PM_PARTIAL : PM_OK;
}

/* Each line of a text given as an argument. */
static pm_status print_text(pm_analyzer *analyzer, const char *text, pm_error *err)
{
    for (;;) {
        size_t n = strcspn(text, "\n");
        pm_status st = print_line(analyzer, text, n, err);
        if (st != PM_OK || !text[n] || !text[n + 1]) return st;
        text += n + 1;
    }
}

static int run(const void *given, const cli_args *args)
{
    const analyze_options *o = given;
    pm_error err = {0};
    pm_analyzer *analyzer = NULL;
    pm_status st = pm_analyzer_open(o->lang, &analyzer, &err);
    if (st == PM_OK && args->n == 0) st = stream_each_line("-", print_line, analyzer, &err);
    for (size_t i = 0; i < args->n && st == PM_OK; i++) {
        bool is_stdin = strcmp(args->words[i], "-") == 0;
        st = is_stdin ? stream_each_line("-", print_line, analyzer, &err)
                      : print_text(analyzer, args->words[i], &err);
    }
    pm_analyzer_close(analyzer);
    if (st == PM_OK || emit_broken()) return EXIT_OK;
    return emit_error(&err);
}

const cli_command cmd_analyze = {
    "analyze",
    "[TEXT|-]...",
    "the terms of a text",
    "One line for each line of TEXT (or of standard input): its terms in order of position; a "
    "marker stands after its term, joined by '|'.",
    CLI_TABLE(table),
    &defaults,
    sizeof(analyze_options),
    0,
    SIZE_MAX,
    0,
    run,
};
