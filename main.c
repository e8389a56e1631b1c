/* SPDX-License-Identifier: MIT
 *
 * main.c - front door: the table of commands, and the way from argv to one of them.
 *
 * Nothing heavy happens here: a search of a small index takes less time than loading the
 * program.  A closed pipe must end the program silently and with success, so SIGPIPE is
 * ignored and EPIPE is dealt with by emit_finish.  A mapped file that can no longer be read ends
 * it with one line and EXIT_IO: a writer then has published nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/cli/commands.h"
#include "common/cli/emit.h"
#include "common/cli/engine.h"
#include "common/cli/help.h"
#include "common/cli/lost_map.h"
#include "common/cli/terminal.h"
#include "common/xapian/xap_load.h"

/* Reserved names: they answer "not available yet". */
static const cli_command soon_eval = {.name = "eval", .args = "", .flags = CLI_SOON};
static const cli_command soon_serve = {.name = "serve", .args = "", .flags = CLI_SOON};

static const cli_command *const commands[] = {
    &cmd_index,        &cmd_search,         &cmd_show,        &cmd_batch,       &cmd_delete,
    &cmd_optimize,     &cmd_stats,          &cmd_check,       &cmd_dump,        &cmd_analyze,
    &cmd_bench_search, &cmd_bench_protocol, &cmd_bench_index, &cmd_shard_start, &cmd_shard_stop,
    &cmd_shard_status, &soon_eval,          &soon_serve,
};
static const cli_program program = {commands, sizeof(commands) / sizeof(commands[0])};

/* The command whose name argv begins with; *taken is set to the words of its name. */
static const cli_command *find_command(int argc, char **argv, int *taken)
{
    for (size_t i = 0; i < program.n; i++) {
        const cli_command *c = program.commands[i];
        const char *second = strchr(c->name, ' ');
        size_t first = second ? (size_t)(second - c->name) : strlen(c->name);
        if (strlen(argv[0]) != first || memcmp(argv[0], c->name, first) != 0) continue;
        *taken = second ? 2 : 1;
        if (!second || (argc > 1 && strcmp(argv[1], second + 1) == 0)) return c;
    }
    return NULL;
}

/* What the command is called within the family `name`, such as "search" in "bench"; else NULL. */
static const char *within_family(const cli_command *c, const char *name)
{
    size_t len = strlen(name);
    if (!cli_is_listed(c) || strncmp(c->name, name, len) != 0) return NULL;
    return c->name[len] == ' ' ? c->name + len + 1 : NULL;
}

/* True when `name` is the first word of a family such as "bench"; then says what is there, or what
 * its second word, NULL when there is none, may have been. */
static bool answer_family(const char *name, const char *second, bool as_help)
{
    bool found = false;
    const char *near = NULL;
    unsigned best = 3;
    for (size_t i = 0; i < program.n; i++) {
        const cli_command *c = program.commands[i];
        const char *own = within_family(c, name);
        if (!own) continue;
        if (as_help) emit_printf("  %-16s%s\n", c->name, c->summary);
        found = true;
        unsigned distance = second ? cli_name_distance(own, second) : best;
        if (distance >= best) continue;
        best = distance;
        near = own;
    }
    if (found && near && !as_help)
        emit_usage("%s: unknown command '%.60s'; did you mean '%s %s'?", name, second, name, near);
    else if (found && !as_help)
        emit_usage("%s: which? see 'pressmark help %s'", name, name);
    return found;
}

static int unknown_command(const char *name)
{
    const char *near = NULL;
    unsigned best = 3;
    for (size_t i = 0; i < program.n; i++) {
        const cli_command *c = program.commands[i];
        if (!cli_is_listed(c)) continue;
        unsigned distance = cli_name_distance(c->name, name);
        if (distance < best) {
            best = distance;
            near = c->name;
        }
    }
    if (name[0] == '-') {
        return emit_usage("'%.60s': the command comes first, then its options: 'pressmark help'",
                          name);
    }
    if (near) return emit_usage("unknown command '%.60s'; did you mean '%s'?", name, near);
    return emit_usage("unknown command '%.60s'; 'pressmark help' lists them", name);
}

static int not_yet(const cli_command *c)
{
    return emit_usage("%s: not available yet; 'pressmark help' lists the commands", c->name);
}

/* Shell completions: `pressmark help --completions bash|zsh`. */
static int completions(const char *shell)
{
    if (shell && strcmp(shell, "bash") == 0)
        help_bash(&program);
    else if (shell && strcmp(shell, "zsh") == 0)
        help_zsh(&program);
    else
        return emit_usage("help: --completions: write bash or zsh");
    return EXIT_OK;
}

static bool asks_for_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int help(int argc, char **argv)
{
    int taken = 0;
    if (argc == 0 || asks_for_help(argv[0]))
        help_program(&program);
    else if (strcmp(argv[0], "--man") == 0)
        help_man(&program);
    else if (strcmp(argv[0], "--completions") == 0)
        return completions(argv[1]);
    else {
        const cli_command *c = find_command(argc, argv, &taken);
        if (c && (c->flags & CLI_SOON)) return not_yet(c);
        if (c)
            help_command(c);
        else if (!answer_family(argv[0], NULL, true))
            return unknown_command(argv[0]);
    }
    return EXIT_OK;
}

/* The command line as it was given: parsing turns its words round. */
static char **as_given; /* NULL: this program opens plugins itself                              */

static bool keep_given(int argc, char **argv)
{
    if (xap_can_load()) return true;
    as_given = mem_array((size_t)argc + 1, sizeof *as_given);
    if (as_given && argc) memcpy(as_given, argv, (size_t)argc * sizeof *argv);
    return as_given != NULL;
}

static int run(const cli_command *c, int argc, char **argv)
{
    if (c->flags & CLI_SOON) return not_yet(c);
    cli_args args;
    pm_error err;
    void *options = mem_zalloc(c->size);
    if (!options) return emit_nomem();
    if (c->defaults) memcpy(options, c->defaults, c->size);
    int code = EXIT_OK;
    if (cli_parse(c, argc, argv, options, &args, &err) != PM_OK)
        code = emit_error(&err);
    else if (args.help)
        help_command(c);
    else {
        if (as_given && engine_is_plugin(c, options)) engine_hand_over(as_given);
        if (c->flags & CLI_WRITES) mem_keep_little();
        code = c->run(options, &args);
    }
    mem_free(options);
    return code;
}

static int dispatch(int argc, char **argv)
{
    if (argc == 0) {
        help_short(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[0], "help") == 0) return help(argc - 1, argv + 1);
    if (asks_for_help(argv[0])) return help(0, argv);
    if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "-V") == 0) {
        emit_printf("pressmark %s\n", pm_version());
        return EXIT_OK;
    }
    int taken = 0;
    const cli_command *c = find_command(argc, argv, &taken);
    if (c) return run(c, argc - taken, argv + taken);
    bool asks = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if (asks) return help(1, argv);
    if (answer_family(argv[0], argc > 1 ? argv[1] : NULL, false)) return EXIT_USAGE;
    return unknown_command(argv[0]);
}

/* SIGBUS.  The first thread speaks, the others wait for the end; where no index file is mapped it
 * is a fault of the program's own, which ends it by the signal. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
    static atomic_flag speaking = ATOMIC_FLAG_INIT;
    size_t len = 0;
    (void)context;
    while (atomic_flag_test_and_set(&speaking)) pause();
    const char *line = info->si_code == BUS_ADRERR ? lost_map_line(info->si_addr, &len) : NULL;
    if (!line) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    static const char clear[] = "\r\033[K"; /* a progress line                               */
    if (terminal_is_stderr() && write(STDERR_FILENO, clear, sizeof clear - 1) < 0) _exit(EXIT_IO);
    if (write(STDERR_FILENO, line, len) < 0) _exit(EXIT_IO);
    _exit(EXIT_IO);
}

static void catch_bus_error(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

/* A standard stream that is closed must not become a file of the index: its place is taken by
 * something that can be neither written nor, for standard input, read. */
static void keep_standard_places(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY); /* the lowest place free */
}

int main(int argc, char **argv)
{
    keep_standard_places();
    catch_bus_error();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is a failed write                     */
    if (!keep_given(argc, argv)) return emit_finish(emit_nomem());
    int code = emit_finish(dispatch(argc > 0 ? argc - 1 : 0, argv + (argc > 0)));
    mem_free(as_given);
    return code;
}
