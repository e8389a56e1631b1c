/* SPDX-License-Identifier: MIT
 *
 * cmd_bench_protocol.c - pressmark bench protocol: the engine's side of the
 * search-benchmark-game.
 *
 * Takes "COMMAND<TAB>query" lines, gives one line each, flushed: the number of matching
 * articles, 1 for TOP_k, UNSUPPORTED for a command that is not known.
 */
#include <inttypes.h>
#include <string.h>

#include "common/cli/commands.h"
#include "common/cli/emit.h"
#include "common/cli/stream.h"
#include "searcher/cmd_bench.h"

typedef struct protocol_options {
    const char *index;
} protocol_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(protocol_options),
};

/* Answer one line; a line reader of stream.h. */
static pm_status answer(void *ctx, const char *line, size_t len, pm_error *err)
{
    pm_searcher *searcher = ctx;
    const char *tab = memchr(line, '\t', len);
    pm_search_options options;
    if (!tab || !bench_command(line, (size_t)(tab - line), &options)) {
        emit_str("UNSUPPORTED\n");
    } else {
        const char *query = tab + 1;
        const pm_result *result;
        pm_status st = pm_searcher_search(searcher, query, len - (size_t)(query - line), &options,
                                          &result, err);
        if (st != PM_OK && st != PM_PARTIAL) return st;
        emit_printf("%" PRIu64 "\n", options.want_total ? result->total : 1);
    }
    emit_flush();
    return emit_broken() ? PM_PARTIAL : PM_OK; /* nobody reads any more                         */
}

static int run(const void *given, const cli_args *args)
{
    const protocol_options *options = given;
    (void)args;
    pm_index *index;
    pm_searcher *searcher;
    pm_error err = {.status = PM_OK};
    int code = bench_open(options->index, &index, &searcher);
    if (code == EXIT_OK && stream_each_line("-", answer, searcher, &err) != PM_OK &&
        !emit_broken()) /* which is told at the end                                           */
        code = emit_error(&err);
    pm_searcher_close(searcher);
    pm_index_close(index);
    return code;
}

const cli_command cmd_bench_protocol = {
    .name = "bench protocol",
    .args = "",
    .summary = "answer COMMAND<TAB>query lines with counts",
    .details = "Reads lines of a command (TOP_10, COUNT, TOP_10_COUNT, ...), a tab and a query on\n"
               "standard input and answers each with one line at once: the number of matching\n"
               "articles, 1 for TOP_k, UNSUPPORTED for a command that is not known.  TOP_k ranks\n"
               "numbers and scores; ids are not looked up.  This is the protocol of the\n"
               "search-benchmark-game.",
    .options = table,
    .n_options = sizeof(table) / sizeof(table[0]),
    .size = sizeof(protocol_options),
    .run = run,
};
