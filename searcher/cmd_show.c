/* SPDX-License-Identifier: MIT
 *
 * cmd_show.c - pressmark show: print stored articles.
 */
#include "common/cli/commands.h"
#include "common/cli/emit.h"

typedef struct show_options {
    const char *index;
} show_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(show_options),
};

static int run(const void *given, const cli_args *args)
{
    (void)given;
    (void)args;
    return emit_usage("show: not available yet");
}

const cli_command cmd_show = {
    "show", "ID...", "print stored articles", NULL, CLI_TABLE(table), NULL, sizeof(show_options), 0, SIZE_MAX, 0, run,
};
