/* SPDX-License-Identifier: MIT
 *
 * engine.c - see engine.h.
 */
#include "common/cli/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DYNAMIC "pressmark-dynamic"

enum { PATH_ROOM = 4096 };

pm_status engine_open(const char *path, const engine_options *o, pm_index **out, pm_error *err)
{
    pm_index_options options = PM_INDEX_OPTIONS_INIT;
    options.require_all = o->require_all;
    if (o->timeout_ms) options.timeout_ms = options.connect_timeout_ms = (unsigned)o->timeout_ms;
    return pm_index_open_with(path, &options, out, err);
}

static const cli_option *find(const cli_command *command, const char *name)
{
    for (size_t i = 0; i < command->n_options; i++)
        if (!strcmp(command->options[i].name, name)) return &command->options[i];
    return NULL;
}

/* The value of a choice is the word at its number. */
static bool chosen(const cli_option *option, const void *options, const char *value)
{
    unsigned number;
    const char *at = option->arg;
    memcpy(&number, (const char *)options + option->offset, sizeof number);
    while (number-- && at) at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL;
    return at && !strncmp(at, value, strlen(value));
}

bool engine_is_plugin(const cli_command *command, const void *options)
{
    const cli_option *index = find(command, "index"), *engine = find(command, "engine");
    char path[PATH_ROOM];
    const char *given;
    if (engine && chosen(engine, options, "xapian")) return true;
    if (!index) return false;
    memcpy(&given, (const char *)options + index->offset, sizeof given);
    given = cli_index_path(given);
    if (!strncmp(given, "tcp:", 4)) return true;
    int n = snprintf(path, sizeof path, "%s/xapian", given);
    if (n < 0 || (size_t)n >= sizeof path) return false;
    return access(path, F_OK) == 0 || errno == ENOTDIR; /* a file in the place of a folder     */
}

/* `below` the folder, of which len bytes count. */
static void try_program(const char *folder, size_t len, const char *below, char *const *argv)
{
    char path[PATH_ROOM];
    int n = snprintf(path, sizeof path, "%.*s/%s" DYNAMIC, (int)len, folder, below);
    if (n > 0 && (size_t)n < sizeof path) execv(path, argv);
}

void engine_hand_over(char *const *argv)
{
    char self[PATH_ROOM];
    const char *given = getenv("PRESSMARK_PLUGINS");
    if (given && *given) try_program(given, strlen(given), "", argv);
    ssize_t len = readlink("/proc/self/exe", self, sizeof self);
    if (len <= 0 || (size_t)len == sizeof self) return;
    while (len && self[len - 1] != '/') len--;
    if (!len) return;
    try_program(self, (size_t)len - 1, "", argv);
    try_program(self, (size_t)len - 1, "../lib/pressmark/", argv);
}
