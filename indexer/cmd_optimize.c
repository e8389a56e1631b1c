/* SPDX-License-Identifier: MIT
 *
 * cmd_optimize.c - pressmark optimize: merge all segments into one.
 */
#include "common/cli/commands.h"
#include "common/cli/emit.h"

typedef struct optimize_options {
    const char *index;
} optimize_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(optimize_options),
};

static int run(const void *given, const cli_args *args)
{
    (void)given;
    (void)args;
    return emit_usage("optimize: not available yet");
}

const cli_command cmd_optimize = {
    "optimize", "", "merge all segments into one", NULL, CLI_TABLE(table), NULL, sizeof(optimize_options), 0, SIZE_MAX, 0, run,
};
