/* SPDX-License-Identifier: MIT
 *
 * cmd_delete.c - pressmark delete: articles leave the index, by id.
 */
#include <string.h>

#include "common/cli/commands.h"
#include "common/cli/emit.h"
#include "common/cli/stream.h"
#include "common/cli/terminal.h"

typedef struct delete_options {
    const char *index;
    bool quiet, null;
} delete_options;

static const cli_option table[] = {
    CLI_OPTION_INDEX(delete_options),
    {.name = "quiet",
     .letter = 'q',
     .kind = CLI_FLAG,
     .offset = offsetof(delete_options, quiet),
     .help = "no summary"},
    {.name = "null",
     .letter = '0',
     .kind = CLI_FLAG,
     .offset = offsetof(delete_options, null),
     .help = "ids on standard input end with a NUL byte, as 'search --format ids -0' prints them"},
};

typedef struct deletion {
    pm_writer *writer;
    uint64_t found, unknown;
} deletion;

static pm_status delete_one(void *ctx, const char *id, size_t len, pm_error *err)
{
    deletion *d = ctx;
    bool found = false;
    pm_status st = pm_writer_delete(d->writer, id, len, &found, err);
    if (st != PM_OK) return st;
    if (found)
        d->found++;
    else
        d->unknown++;
    int shown = (int)(len < 300 ? len : 300);
    if (!found) emit_note("pressmark: delete: no article '%.*s' in the index", shown, id);
    return PM_OK;
}

/* Ids are not empty; a line that is says nothing. */
static pm_status delete_line(void *ctx, const char *id, size_t len, pm_error *err)
{
    return len ? delete_one(ctx, id, len, err) : PM_OK;
}

static pm_status delete_all(deletion *d, const cli_args *args, bool null, pm_error *err)
{
    pm_status st = PM_OK;
    for (size_t i = 0; i < args->n && st == PM_OK; i++) {
        const char *id = args->words[i];
        if (strcmp(id, "-") != 0)
            st = delete_one(d, id, strlen(id), err);
        else if (null)
            st = stream_each_record(delete_line, d, err);
        else
            st = stream_each_line("-", delete_line, d, err);
    }
    return st;
}

static bool on_progress(void *ctx, pm_phase phase, uint64_t written)
{
    (void)ctx;
    (void)phase;
    (void)written;
    return !interrupt_seen();
}

static int run(const void *given, const cli_args *args)
{
    const delete_options *o = given;
    const char *path = cli_index_path(o->index);
    pm_error err = {0};
    pm_commit_info info;
    deletion d = {0};
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.create = false;
    options.progress = on_progress;
    pm_status st = pm_writer_open(path, &options, &d.writer, &err);
    if (st == PM_OK) st = delete_all(&d, args, o->null, &err);
    /* Until here a signal ends the program, and nothing was written.  A commit may write segments
     * anew without what is dead: it hears the signal, and its files are removed. */
    interrupt_catch();
    if (st == PM_OK) st = pm_writer_commit(d.writer, &info, &err);
    pm_writer_close(d.writer);
    if (st != PM_OK && st != PM_NOT_DURABLE && interrupt_seen()) {
        emit_note("pressmark: interrupted; %s is as it was", path);
        interrupt_raise();
    }
    if (st != PM_OK) return emit_error(&err);
    if (!o->quiet)
        emit_note("%llu deleted, %llu unknown", (unsigned long long)d.found,
                  (unsigned long long)d.unknown);
    return d.unknown ? EXIT_NONE : EXIT_OK;
}

const cli_command cmd_delete = {
    "delete",
    "ID...|-",
    "delete articles by id",
    "'-' reads ids from standard input, one a line. An unknown id gives exit code 1; the others "
    "are still deleted. Ids made for lines of standard input begin with '-': write '--' before "
    "them ('delete -- -#3'). 'pressmark optimize' gives their space back.",
    CLI_TABLE(table),
    NULL,
    sizeof(delete_options),
    1,
    SIZE_MAX,
    0,
    run,
};
