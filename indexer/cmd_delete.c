/* SPDX-License-Identifier: MIT
 *
 * cmd_delete.c - pressmark delete: delete articles by id.
 */
#include "common/cli/commands.h"
#include "common/cli/emit.h"

typedef struct delete_options {
    const char *index;
} delete_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(delete_options),
};

static int run(const void *given, const cli_args *args)
{
    (void)given;
    (void)args;
    return emit_usage("delete: not available yet");
}

const cli_command cmd_delete = {
    "delete", "ID...", "delete articles by id", NULL, CLI_TABLE(table), NULL, sizeof(delete_options), 0, SIZE_MAX, 0, run,
};
