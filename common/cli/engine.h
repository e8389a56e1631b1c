/* SPDX-License-Identifier: MIT
 *
 * engine.h - options for indexes of other engines, and the way to the program that can open them.
 *
 * The program that people start is linked statically, so that a search in a new process is fast;
 * such a program cannot open plugins.  When a command asks for an engine that is one, it hands
 * over to pressmark-dynamic, the same program linked dynamically, with the same arguments, before
 * anything was read or printed.
 */
#ifndef PM_CLI_ENGINE_H
#define PM_CLI_ENGINE_H

#include "common/cli/options.h"

typedef struct engine_options {
    unsigned weight; /* 1: Xapian's                                                          */
    uint64_t timeout_ms;
    bool require_all;
} engine_options;

#define CLI_OPTIONS_ENGINE(type, field)                                                            \
    {.name = "weight",                                                                             \
     .kind = CLI_CHOICE,                                                                           \
     .arg = "native|xapian",                                                                       \
     .offset = offsetof(type, field.weight),                                                       \
     .help = "xapian: Xapian's own BM25Weight (a Xapian index; servers use it always)"},           \
        {.name = "timeout",                                                                        \
         .kind = CLI_NUMBER,                                                                       \
         .arg = "MS",                                                                              \
         .offset = offsetof(type, field.timeout_ms),                                               \
         .low = 1,                                                                                 \
         .high = 3600000,                                                                          \
         .help = "of an answer of a server, and of reaching it (default 10000, and 5000)"},        \
    {                                                                                              \
        .name = "require-all", .kind = CLI_FLAG, .offset = offsetof(type, field.require_all),      \
        .help = "a server that does not answer is an error, not a shorter list"                    \
    }

/* Open the index of a command with its options. */
pm_status engine_open(const char *path, const engine_options *o, pm_index **out, pm_error *err);

/* Does the command, as parsed, want another engine than the native one?  One system call. */
bool engine_is_plugin(const cli_command *command, const void *options);
/* Run the dynamic program in the place of this one; returns when it is not there. */
void engine_hand_over(char *const *argv);

#endif
