/* SPDX-License-Identifier: MIT
 *
 * cmd_index.c - pressmark index: add or update articles.
 */
#include "common/cli/commands.h"
#include "common/cli/emit.h"

typedef struct index_options {
    const char *index;
} index_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(index_options),
};

static int run(const void *given, const cli_args *args)
{
    (void)given;
    (void)args;
    return emit_usage("index: not available yet");
}

const cli_command cmd_index = {
    "index", "PATH...", "add or update articles", NULL, CLI_TABLE(table), NULL, sizeof(index_options), 0, SIZE_MAX, 0, run,
};
