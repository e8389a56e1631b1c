/* SPDX-License-Identifier: MIT
 *
 * cmd_search.c - pressmark search: find articles, best first.
 */
#include "common/cli/commands.h"
#include "common/cli/emit.h"

typedef struct search_options {
    const char *index;
} search_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(search_options),
};

static int run(const void *given, const cli_args *args)
{
    (void)given;
    (void)args;
    return emit_usage("search: not available yet");
}

const cli_command cmd_search = {
    "search", "QUERY...", "find articles, best first", NULL, CLI_TABLE(table), NULL, sizeof(search_options), 0, SIZE_MAX, 0, run,
};
