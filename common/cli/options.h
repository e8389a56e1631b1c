/* SPDX-License-Identifier: MIT
 *
 * options.h - a command of the program as a table: its name, its options, its words.
 *
 * One table feeds the parser, the help text, the man page and the shell completions, so
 * that they cannot disagree.  A command defines `const cli_command cmd_NAME` (declared in
 * commands.h) beside a struct of its options; main.c copies the defaults, parses into the
 * copy and calls `run`.
 *
 *     typedef struct show_options { const char *index; bool json; } show_options;
 *     static const show_options defaults = { NULL, false };
 *     static const cli_option table[] = {
 *         CLI_OPTION_INDEX(show_options),
 *         { .name = "json", .kind = CLI_FLAG, .offset = offsetof(show_options, json),
 *           .help = "print one JSON object" },
 *     };
 *
 * Accepted forms: --name value, --name=value, -x value, -xvalue, -x=value, and `--` to end options.
 * --color=auto|always|never and --quiet are taken by every command, also by those whose table
 * lacks them.
 * Takes argv, gives a filled struct and the remaining words.
 */
#ifndef PM_CLI_OPTIONS_H
#define PM_CLI_OPTIONS_H

#include <stddef.h>

#include "pressmark.h"

/* What an option takes, and the type of the field it is stored in. */
typedef enum cli_kind {
    CLI_FLAG,   /* bool: true when given                                                 */
    CLI_SET,    /* unsigned: set to `low` (--json is --format=json)                      */
    CLI_YESNO,  /* int: 1 for yes, 0 for no                                              */
    CLI_TEXT,   /* const char *: borrowed from argv                                      */
    CLI_LIST,   /* cli_list: one more each time it is given                              */
    CLI_NUMBER, /* uint64_t: decimal, in [low, high]                                     */
    CLI_SIZE,   /* uint64_t: bytes, 4096, 512k, 64M, 1G; in [low, high]                  */
    CLI_REAL,   /* double: in [low, high]                                                */
    CLI_DATE,   /* const char *: a day, month or year that pm_date_range takes            */
    CLI_CHOICE, /* unsigned: position in `arg`, names separated by '|'                   */
    CLI_LATER   /* reserved: answers "not available yet", takes no field, is not listed  */
} cli_kind;

enum { CLI_LIST_MAX = 32 };
typedef struct cli_list {
    const char *items[CLI_LIST_MAX]; /* borrowed from argv                                */
    size_t n;
} cli_list;

typedef struct cli_option {
    const char *name; /* long name without dashes                                      */
    char letter;      /* short name, or 0                                              */
    cli_kind kind;
    const char *arg;    /* what the help calls the value: "N"; for CLI_CHOICE its names  */
    const char *later;  /* values of a CLI_CHOICE that answer "not available yet"        */
    size_t offset;      /* of the field in the command's options                         */
    uint64_t low, high; /* inclusive; both 0: no bound                                   */
    const char *help;   /* one line, or NULL: accepted but not listed                    */
} cli_option;

#define CLI_OPTION_INDEX(type)                                                                     \
    {                                                                                              \
        .name = "index", .letter = 'i', .kind = CLI_TEXT, .arg = "DIR",                            \
        .offset = offsetof(type, index),                                                           \
        .help = "the index (default: $PRESSMARK_INDEX, else ./pressmark.idx)"                      \
    }

/* Fields k1 and b, whose default is below 0: as the index. */
#define CLI_OPTIONS_BM25(type)                                                                     \
    {.name = "k1",                                                                                 \
     .kind = CLI_REAL,                                                                             \
     .arg = "F",                                                                                   \
     .offset = offsetof(type, k1),                                                                 \
     .high = 1000,                                                                                 \
     .help = "BM25 k1 (default: as the index, 1.2)"},                                              \
    {                                                                                              \
        .name = "b", .kind = CLI_REAL, .arg = "F", .offset = offsetof(type, b), .high = 1,         \
        .help = "BM25 b (default: as the index, 0.75)"                                             \
    }

/* The words of the command line that are neither options nor their values. */
typedef struct cli_args {
    const char *const *words;
    size_t n;
    bool help; /* --help was given: nothing else was checked                             */
} cli_args;

enum {
    CLI_QUERY = 1,  /* after the first word, what is no known option is a word (-tiktok)  */
    CLI_SOON = 2,   /* reserved: answers "not available yet", is not listed               */
    CLI_HIDDEN = 4, /* works, is not listed                                              */
    CLI_WRITES = 8  /* keeps to a limit of memory: what is freed goes back to the system  */
};

typedef struct cli_command {
    const char *name;    /* "search"; two words for one of a family: "bench search"      */
    const char *args;    /* "QUERY..."                                                   */
    const char *summary; /* one line without a full stop                                 */
    const char *details; /* paragraphs separated by an empty line, or NULL               */
    const cli_option *options;
    size_t n_options;
    const void *defaults; /* size bytes, copied before parsing; NULL: zeros              */
    size_t size;
    size_t min_words, max_words; /* max 0 with min 0: none are taken                     */
    unsigned flags;
    int (*run)(const void *options, const cli_args *args); /* gives the exit code        */
} cli_command;

#define CLI_TABLE(array) (array), sizeof(array) / sizeof((array)[0])

/* Parse argv[0..argc) (the command's name already taken off) into `options` and *args.
 * argv is reordered; words point into it.  PM_USAGE with a one-line message and a hint. */
pm_status cli_parse(const cli_command *command, int argc, char **argv, void *options,
                    cli_args *args, pm_error *err);

/* The i-th of the options that are listed: the command's own, then those that every command takes;
 * NULL beyond the last. */
const cli_option *cli_option_listed(const cli_command *command, size_t i);

/* A number by itself; false when the text is none. */
bool cli_parse_number(const char *text, uint64_t *out);

/* The index to use: `given`, else $PRESSMARK_INDEX, else ./pressmark.idx. */
const char *cli_index_path(const char *given);

/* Edits (insert, delete, change, swap neighbours) between two names; 99 beyond 31 bytes.
 * Optimal string alignment distance. */
unsigned cli_name_distance(const char *a, const char *b);

#endif
