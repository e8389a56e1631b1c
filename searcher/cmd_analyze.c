/* SPDX-License-Identifier: MIT
 *
 * cmd_analyze.c - pressmark analyze: the terms of a text.
 */
#include "common/cli/commands.h"
#include "common/cli/emit.h"

typedef struct analyze_options {
    const char *index;
} analyze_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(analyze_options),
};

static int run(const void *given, const cli_args *args)
{
    (void)given;
    (void)args;
    return emit_usage("analyze: not available yet");
}

const cli_command cmd_analyze = {
    "analyze", "[TEXT|-]...", "the terms of a text", NULL, CLI_TABLE(table), NULL, sizeof(analyze_options), 0, SIZE_MAX, 0, run,
};
