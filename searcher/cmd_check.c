/* SPDX-License-Identifier: MIT
 *
 * cmd_check.c - pressmark check: verify every byte of the index.
 */
#include "common/cli/commands.h"
#include "common/cli/emit.h"

typedef struct check_options {
    const char *index;
} check_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(check_options),
};

static int run(const void *given, const cli_args *args)
{
    (void)given;
    (void)args;
    return emit_usage("check: not available yet");
}

const cli_command cmd_check = {
    "check", "", "verify every byte of the index", NULL, CLI_TABLE(table), NULL, sizeof(check_options), 0, SIZE_MAX, 0, run,
};
