/* SPDX-License-Identifier: MIT
 *
 * cmd_dump.c - pressmark dump: the whole index as text that can be compared.
 */
#include "common/cli/commands.h"
#include "common/cli/emit.h"

typedef struct dump_options {
    const char *index;
} dump_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(dump_options),
};

static int run(const void *given, const cli_args *args)
{
    (void)given;
    (void)args;
    return emit_usage("dump: not available yet");
}

const cli_command cmd_dump = {
    "dump", "", "the whole index as text that can be compared", NULL, CLI_TABLE(table), NULL, sizeof(dump_options), 0, SIZE_MAX, 0, run,
};
