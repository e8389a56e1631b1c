/* SPDX-License-Identifier: MIT
 *
 * cmd_dump.c - pressmark dump: the whole index as text, made for diff.
 */
#include "common/cli/commands.h"
#include "common/cli/emit.h"
#include "common/cli/terminal.h"

typedef struct dump_options {
    const char *index;
} dump_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(dump_options),
};

static bool write_raw(void *ctx, const char *data, size_t len)
{
    (void)ctx;
    emit_data(data, len);
    return !emit_broken();
}

static bool write_safe(void *ctx, const char *data, size_t len)
{
    (void)ctx;
    emit_safe(data, len);
    return !emit_broken();
}

static int run(const void *given, const cli_args *args)
{
    const dump_options *o = given;
    pm_error err = {0};
    pm_index *index = NULL;
    (void)args;
    if (pm_index_open(cli_index_path(o->index), &index, &err) != PM_OK) return emit_error(&err);
    pm_status st = pm_index_dump(index, terminal_is_stdout() ? write_safe : write_raw, NULL, &err);
    pm_index_close(index);
    if (st == PM_OK || emit_broken()) return EXIT_OK; /* a broken output is told at the end */
    return emit_error(&err);
}

const cli_command cmd_dump = {
    "dump",
    "",
    "the whole index as text",
    "In order of terms, then articles, whatever the segments: two indexes of the same articles "
    "give the same text.",
    CLI_TABLE(table),
    NULL,
    sizeof(dump_options),
    0,
    0,
    0,
    run,
};
