/* SPDX-License-Identifier: MIT
 *
 * cmd_stats.c - pressmark stats: numbers of the index.
 */
#include "common/cli/commands.h"
#include "common/cli/emit.h"

typedef struct stats_options {
    const char *index;
} stats_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(stats_options),
};

static int run(const void *given, const cli_args *args)
{
    (void)given;
    (void)args;
    return emit_usage("stats: not available yet");
}

const cli_command cmd_stats = {
    "stats", "", "numbers of the index", NULL, CLI_TABLE(table), NULL, sizeof(stats_options), 0, SIZE_MAX, 0, run,
};
