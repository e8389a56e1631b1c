/* SPDX-License-Identifier: MIT
 *
 * cmd_batch.c - pressmark batch: run many queries.
 */
#include "common/cli/commands.h"
#include "common/cli/emit.h"

typedef struct batch_options {
    const char *index;
} batch_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(batch_options),
};

static int run(const void *given, const cli_args *args)
{
    (void)given;
    (void)args;
    return emit_usage("batch: not available yet");
}

const cli_command cmd_batch = {
    "batch", "QUERYFILE|-", "run many queries", NULL, CLI_TABLE(table), NULL, sizeof(batch_options), 0, SIZE_MAX, 0, run,
};
