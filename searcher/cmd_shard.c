/* SPDX-License-Identifier: MIT
 *
 * cmd_shard.c - pressmark shard start|stop|status: the databases of a Xapian index served on this
 * machine by Debian's xapian-tcpsrv, to try out what is meant for several machines.
 *
 *   DIR/servers       a stub file of Xapian's: 'pressmark search -i DIR/servers' asks them
 *   DIR/servers.pid   a line for each: its process
 *
 * Each server leads a process group of its own: when it ends, it ends its group.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cli/commands.h"
#include "common/cli/emit.h"

#define SERVER "xapian-tcpsrv"

enum { PATH_ROOM = 4096, SERVERS_MAX = 1024, PORT_DEFAULT = 7700, WAIT_MS = 5000 };

extern char **environ;

typedef struct shard_options {
    uint64_t port, timeout_ms;
    bool quiet;
} shard_options;

static const shard_options defaults = {PORT_DEFAULT, 60000, false};

typedef struct servers {
    const char *folder;
    pid_t pids[SERVERS_MAX];
    unsigned ports[SERVERS_MAX];
    unsigned n;
} servers;

static bool path_of(char out[PATH_ROOM], const char *folder, const char *name)
{
    int n = snprintf(out, PATH_ROOM, "%s/%s", folder, name);
    return n > 0 && n < PATH_ROOM;
}

static void sleep_ms(unsigned ms)
{
    nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000}, NULL);
}

/* ---- what runs --------------------------------------------------------------------------- */

/* Is this process still such a server, and not another one with its number? */
static bool is_server(pid_t pid)
{
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
    FILE *f = fopen(path, "r");
    if (!f) return false;
    bool read = fgets(name, sizeof name, f) != NULL;
    fclose(f);
    return read && !strcmp(name, SERVER "\n");
}

static int lines_are_wrong(const char *path)
{
    return emit_usage("shard: %s: not written by 'pressmark shard start'; remove it", path);
}

/* EXIT_NONE when none were started. */
static int read_servers(servers *s)
{
    char path[PATH_ROOM];
    long pid;
    unsigned port;
    if (!path_of(path, s->folder, "servers.pid")) return emit_usage("shard: the path is too long");
    FILE *f = fopen(path, "r");
    if (!f && errno == ENOENT) return EXIT_NONE;
    if (!f) return emit_usage("shard: cannot read %s: %s", path, strerror(errno));
    int got = 2;
    while (s->n < SERVERS_MAX && (got = fscanf(f, "%ld %u", &pid, &port)) == 2 && pid > 1) {
        s->pids[s->n] = (pid_t)pid;
        s->ports[s->n++] = port;
    }
    fclose(f);
    return got == EOF && s->n ? EXIT_OK : lines_are_wrong(path);
}

static int write_file(const servers *s, const char *name, bool stub)
{
    char path[PATH_ROOM];
    if (!path_of(path, s->folder, name)) return emit_usage("shard: the path is too long");
    FILE *f = fopen(path, "w");
    bool failed = !f;
    for (unsigned i = 0; f && i < s->n; i++) {
        if (stub)
            fprintf(f, "remote 127.0.0.1:%u\n", s->ports[i]);
        else
            fprintf(f, "%ld %u\n", (long)s->pids[i], s->ports[i]);
    }
    if (f) failed = ferror(f) | fclose(f);
    if (!failed) return EXIT_OK;
    emit_note("pressmark: shard: cannot write %s: %s", path, strerror(errno));
    return EXIT_IO;
}

static void forget(const servers *s)
{
    char path[PATH_ROOM];
    if (path_of(path, s->folder, "servers")) unlink(path);
    if (path_of(path, s->folder, "servers.pid")) unlink(path);
}

/* ---- starting ---------------------------------------------------------------------------- */

static bool answers(unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    bool yes = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
    close(fd);
    return yes;
}

static int spawn_server(const char *database, unsigned port, uint64_t timeout_ms, pid_t *pid)
{
    char port_text[16], timeout_text[24], path[PATH_ROOM];
    snprintf(port_text, sizeof port_text, "%u", port);
    snprintf(timeout_text, sizeof timeout_text, "%llu", (unsigned long long)timeout_ms);
    snprintf(path, sizeof path, "%s", database);
    char name[] = SERVER, quiet[] = "--quiet", interface[] = "--interface", here[] = "127.0.0.1";
    char at[] = "--port", timeout[] = "--timeout";
    char *argv[] = {name, quiet, interface, here, at, port_text, timeout, timeout_text, path, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", 0, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", 1, 0);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", 1, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    int why = posix_spawnp(pid, SERVER, &files, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return why;
}

static bool wait_for(pid_t pid, unsigned port)
{
    for (unsigned ms = 0; ms < WAIT_MS; ms += 10) {
        if (waitpid(pid, NULL, WNOHANG) == pid) return false;
        if (answers(port)) return true;
        sleep_ms(10);
    }
    return false;
}

static void end_all(const servers *s)
{
    for (unsigned i = 0; i < s->n; i++)
        if (is_server(s->pids[i])) kill(s->pids[i], SIGTERM);
    for (unsigned i = 0; i < s->n; i++)
        for (unsigned ms = 0; ms < WAIT_MS && is_server(s->pids[i]); ms += 10) {
            waitpid(s->pids[i], NULL, WNOHANG);
            sleep_ms(10);
        }
}

static int start_one(servers *s, const char *database, unsigned port, uint64_t timeout_ms)
{
    if (answers(port)) return emit_usage("shard: port %u is taken; name others by --port", port);
    int why = spawn_server(database, port, timeout_ms, &s->pids[s->n]);
    if (why == ENOENT)
        return emit_usage("shard: " SERVER " is not installed (Debian: xapian-tools)");
    s->ports[s->n++] = port;
    if (!why && wait_for(s->pids[s->n - 1], port)) return EXIT_OK;
    emit_note("pressmark: shard: the server of %s does not answer at port %u%s%s; is that a "
              "database, and the port free?",
              database, port, why ? ": " : "", why ? strerror(why) : "");
    return EXIT_IO;
}

/* How many databases the index has, by its marker. */
static int count_shards(const servers *s, unsigned *n)
{
    char path[PATH_ROOM];
    unsigned version = 0;
    if (!path_of(path, s->folder, "xapian")) return emit_usage("shard: the path is too long");
    FILE *f = fopen(path, "r");
    int got = f ? fscanf(f, "pressmark xapian %u shards %u", &version, n) : 0;
    if (f) fclose(f);
    if (got == 2 && version == 1 && *n && *n <= SERVERS_MAX) return EXIT_OK;
    return emit_usage("shard: %s is no index of the engine xapian", s->folder);
}

/* The databases are DIR/shard-0, DIR/shard-1, ...  Without one of them answers would be of a part.
 */
static int start_all(servers *s, const shard_options *o)
{
    char name[32], path[PATH_ROOM];
    unsigned n = 0;
    struct stat info;
    int code = count_shards(s, &n);
    for (unsigned i = 0; code == EXIT_OK && i < n; i++) {
        snprintf(name, sizeof name, "shard-%u", i);
        if (!path_of(path, s->folder, name)) return emit_usage("shard: the path is too long");
        if (o->port + i > 65535) return emit_usage("shard: ports end at 65535");
        if (stat(path, &info) == 0) {
            code = start_one(s, path, (unsigned)o->port + i, o->timeout_ms);
            continue;
        }
        int why = errno;
        emit_note("pressmark: shard: %s: %s; restore this database of the index", path,
                  strerror(why));
        code = why == ENOENT ? EXIT_DAMAGED : EXIT_IO;
    }
    return code;
}

static int start(const void *given, const cli_args *args)
{
    const shard_options *o = given;
    servers s = {.folder = args->words[0]}, old = s;
    int code = read_servers(&old);
    for (unsigned i = 0; code == EXIT_OK && i < old.n; i++)
        if (is_server(old.pids[i]))
            return emit_usage("shard: servers of %s run already; 'pressmark shard stop' ends them",
                              s.folder);
    if (code > EXIT_NONE) return code;
    code = start_all(&s, o);
    if (code == EXIT_OK) code = write_file(&s, "servers", true);
    if (code == EXIT_OK) code = write_file(&s, "servers.pid", false);
    if (code != EXIT_OK) {
        end_all(&s);
        return code;
    }
    if (o->quiet) return EXIT_OK;
    emit_note("%u servers at 127.0.0.1:%u to %u; ask them by: pressmark search -i %s/servers QUERY",
              s.n, s.ports[0], s.ports[s.n - 1], s.folder);
    return EXIT_OK;
}

/* ---- stopping, looking -------------------------------------------------------------------- */

static int stop(const void *given, const cli_args *args)
{
    servers s = {.folder = args->words[0]};
    (void)given;
    int code = read_servers(&s);
    if (code == EXIT_NONE) emit_note("pressmark: shard: no servers of %s were started", s.folder);
    if (code != EXIT_OK) return code;
    end_all(&s);
    for (unsigned i = 0; i < s.n; i++)
        if (is_server(s.pids[i])) {
            emit_note("pressmark: shard: process %ld does not end", (long)s.pids[i]);
            return EXIT_IO;
        }
    forget(&s);
    return EXIT_OK;
}

static int status(const void *given, const cli_args *args)
{
    servers s = {.folder = args->words[0]};
    unsigned up = 0;
    (void)given;
    int code = read_servers(&s);
    if (code > EXIT_NONE) return code;
    for (unsigned i = 0; i < s.n; i++) {
        bool runs = is_server(s.pids[i]);
        up += runs;
        emit_printf("%u\t127.0.0.1:%u\t%ld\t%s\n", i, s.ports[i], (long)s.pids[i],
                    runs ? "up" : "down");
    }
    if (!s.n) emit_note("pressmark: shard: no servers of %s were started", s.folder);
    return !up ? EXIT_NONE : up < s.n ? EXIT_PARTIAL : EXIT_OK;
}

/* ---- the commands ------------------------------------------------------------------------ */

#define FIELD(name) offsetof(shard_options, name)
static const cli_option start_table[] = {
    {.name = "port",
     .kind = CLI_NUMBER,
     .arg = "N",
     .offset = FIELD(port),
     .low = 1,
     .high = 65535,
     .help = "of the first server; the others follow (default 7700)"},
    {.name = "timeout",
     .kind = CLI_NUMBER,
     .arg = "MS",
     .offset = FIELD(timeout_ms),
     .low = 1,
     .high = 3600000,
     .help = "a server ends a connection that is silent for this long (default 60000)"},
    {.name = "quiet", .kind = CLI_FLAG, .offset = FIELD(quiet), .help = "no summary"},
};

const cli_command cmd_shard_start = {
    .name = "shard start",
    .args = "DIR",
    .summary = "serve the databases of a Xapian index on this machine, for trial",
    .details = "Runs Debian's xapian-tcpsrv for each database of the index DIR, on the loopback "
               "interface. 'pressmark search -i DIR/servers' asks them as one index. On several "
               "machines, run xapian-tcpsrv there and name them: -i tcp:HOST:PORT,tcp:HOST:PORT. "
               "The protocol knows no passwords: keep it in a network of your own.",
    .options = start_table,
    .n_options = sizeof start_table / sizeof *start_table,
    .defaults = &defaults,
    .size = sizeof(shard_options),
    .min_words = 1,
    .max_words = 1,
    .run = start,
};

const cli_command cmd_shard_stop = {
    .name = "shard stop",
    .args = "DIR",
    .summary = "end the servers that 'shard start' began",
    .size = sizeof(shard_options),
    .min_words = 1,
    .max_words = 1,
    .run = stop,
};

const cli_command cmd_shard_status = {
    .name = "shard status",
    .args = "DIR",
    .summary = "which of them run",
    .details = "A line for each: number, address, process, up or down. Exit code 0 when all run, 3 "
               "when some do, 1 when none does.",
    .size = sizeof(shard_options),
    .min_words = 1,
    .max_words = 1,
    .run = status,
};
