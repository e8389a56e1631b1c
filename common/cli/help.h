/* SPDX-License-Identifier: MIT
 *
 * help.h - help, man page and shell completions, all made from the option tables.
 */
#ifndef PM_CLI_HELP_H
#define PM_CLI_HELP_H

#include <stdio.h>

#include "common/cli/options.h"

/* The commands of the program, in the order in which help lists them. */
typedef struct cli_program {
    const cli_command *const *commands;
    size_t n;
} cli_program;

static inline bool cli_is_listed(const cli_command *command)
{
    return command && !(command->flags & (CLI_SOON | CLI_HIDDEN));
}
static inline bool cli_option_is_listed(const cli_option *option)
{
    return option->kind != CLI_LATER && option->help;
}

/* The option as it is typed: "-k, --limit=N". Fits 79 bytes. */
void help_option_name(const cli_option *option, char out[80]);

void help_program(const cli_program *program);
void help_short(FILE *to); /* what a bare `pressmark` answers                            */
void help_command(const cli_command *command);
void help_man(const cli_program *program);  /* roff, man(7) macros                       */
void help_bash(const cli_program *program); /* completion script                         */
void help_zsh(const cli_program *program);

#endif
