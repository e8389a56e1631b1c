/* SPDX-License-Identifier: MIT
 *
 * conductor.c - asks every engine the same queries, in turns, and keeps the fastest answers.
 *
 *   conductor [-r ROUNDS] [-b BUDGET_MS] [-w WARMUP_S] -c COMMAND,... QUERIES RESULTS
 *             NAME written|terms 'SHELL COMMAND' ...
 *
 * Takes QUERIES (class TAB query as written TAB query in terms) and starts one process for
 * each engine, which speaks peer_protocol.h; `written` or `terms` says which form it reads.
 * Every engine first warms up on all commands together (a virtual machine compiles what it
 * meets).  Then for each command: every engine answers the set until its warm-up time is
 * over, and come ROUNDS rounds, in each of which the engines answer the whole set one after another
 * (A B C D, A B C D, ...), so that a slow minute of the machine meets all of them.  A query
 * is asked at least once and no more once its answers took BUDGET_MS on that engine.
 *
 * Gives RESULTS, a line each, in the order of commands, queries, engines:
 *   command TAB class TAB query number TAB engine TAB count TAB least ns TAB runs
 * with "-" for count and ns where the engine cannot express the query.  An engine whose
 * count changes from run to run is an error.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ENGINES_MAX = 8, COMMANDS_MAX = 16 };

typedef struct question {
    char *class, *written, *terms;
} question;

typedef struct answer {
    uint64_t count, least_ns, spent_ns;
    unsigned runs;
    bool asked, unsupported;
} answer;

typedef struct engine {
    const char *name;
    bool reads_terms;
    pid_t pid;
    FILE *to, *from;
    answer *answers; /* to the command at hand, one for each question */
} engine;

static question *questions;
static size_t n_questions;
static engine engines[ENGINES_MAX];
static size_t n_engines;
static unsigned rounds = 5;
static double budget_ms = 1000, warmup_s = 5;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "conductor: %s: %s\n", what, why);
    exit(1);
}

static void *grow(void *list, size_t bytes)
{
    list = realloc(list, bytes);
    if (list == NULL) die("list", "out of memory");
    return list;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- questions --------------------------------------------------------------------------- */

static void questions_read(const char *path)
{
    FILE *in = fopen(path, "r");
    if (in == NULL) die(path, "cannot be read");
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, in) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *written = strchr(line, '\t');
        char *terms = written != NULL ? strchr(written + 1, '\t') : NULL;
        if (terms == NULL) die(path, "not an analysed query file");
        *written++ = *terms++ = '\0';
        questions = grow(questions, (n_questions + 1) * sizeof *questions);
        questions[n_questions++] = (question){line, written, terms};
        line = NULL;
        capacity = 0;
    }
    free(line);
    fclose(in);
    if (n_questions == 0) die(path, "no queries");
}

/* ---- engines -------------------------------------------------------------------------------- */

static void engine_start(engine *e, const char *command)
{
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0) die(e->name, "no pipe");
    e->pid = fork();
    if (e->pid < 0) die(e->name, "cannot be started");
    if (e->pid == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        for (int fd = STDERR_FILENO + 1; fd < 64; fd++) close(fd);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    e->to = fdopen(to[1], "w");
    e->from = fdopen(from[0], "r");
    e->answers = grow(NULL, n_questions * sizeof *e->answers);
}

static void engine_stop(engine *e)
{
    fclose(e->to);
    fclose(e->from);
    int status;
    waitpid(e->pid, &status, 0);
    if (status != 0) die(e->name, "ended badly");
}

/* Ask question q once.  A warm-up answer is only checked, a timed one also kept. */
static void engine_ask(engine *e, const char *command, size_t q, bool timed)
{
    char line[128];
    answer *a = &e->answers[q];
    fprintf(e->to, "%s\t%s\n", command, e->reads_terms ? questions[q].terms : questions[q].written);
    if (fflush(e->to) != 0 || fgets(line, sizeof line, e->from) == NULL)
        die(e->name, "gives no answer");
    if (line[0] == '-') {
        a->unsupported = true;
        return;
    }
    unsigned long long count, ns;
    if (sscanf(line, "%llu\t%llu", &count, &ns) != 2) die(e->name, line);
    if (a->asked && a->count != count) die(questions[q].written, "another count in another run");
    a->asked = true;
    a->count = count;
    a->runs += timed;
    if (!timed) return;
    a->spent_ns += ns;
    if (a->runs == 1 || ns < a->least_ns) a->least_ns = ns;
}

static void engine_forget(engine *e)
{
    memset(e->answers, 0, n_questions * sizeof *e->answers);
}

static void engine_warm(engine *e, const char *command, double seconds)
{
    double end = now() + seconds;
    while (now() < end)
        for (size_t q = 0; q < n_questions && now() < end; q++) engine_ask(e, command, q, false);
}

static void engine_round(engine *e, const char *command)
{
    for (size_t q = 0; q < n_questions; q++) {
        const answer *a = &e->answers[q];
        bool enough = a->runs > 0 && (double)a->spent_ns / 1e6 >= budget_ms;
        if (!a->unsupported && !enough) engine_ask(e, command, q, true);
    }
}

/* ---- one command ------------------------------------------------------------------------- */

static void write_answers(FILE *out, const char *command)
{
    for (size_t q = 0; q < n_questions; q++)
        for (size_t i = 0; i < n_engines; i++) {
            const answer *a = &engines[i].answers[q];
            fprintf(out, "%s\t%s\t%zu\t%s\t", command, questions[q].class, q + 1, engines[i].name);
            if (a->unsupported)
                fprintf(out, "-\t-\t0\n");
            else
                fprintf(out, "%llu\t%llu\t%u\n", (unsigned long long)a->count,
                        (unsigned long long)a->least_ns, a->runs);
        }
}

static void run_command(FILE *out, const char *command)
{
    fprintf(stderr, "    %s:", command);
    for (size_t i = 0; i < n_engines; i++) {
        engine_forget(&engines[i]);
        engine_warm(&engines[i], command, warmup_s);
    }
    double start = now();
    for (unsigned round = 0; round < rounds; round++) {
        for (size_t i = 0; i < n_engines; i++) engine_round(&engines[i], command);
        fprintf(stderr, " %u", round + 1);
    }
    fprintf(stderr, " (%.0f s)\n", now() - start);
    write_answers(out, command);
}

static void warm_all(char *const *commands, size_t n)
{
    for (size_t i = 0; i < n_engines; i++)
        for (size_t c = 0; c < n; c++) {
            engine_forget(&engines[i]);
            engine_warm(&engines[i], commands[c], warmup_s / (double)n);
        }
}

static size_t commands_split(char *list, char *commands[COMMANDS_MAX])
{
    size_t n = 0;
    char *save = NULL;
    for (char *c = strtok_r(list, ",", &save); c != NULL; c = strtok_r(NULL, ",", &save)) {
        if (n == COMMANDS_MAX) die(c, "too many commands");
        commands[n++] = c;
    }
    return n;
}

/* NAME, form, command, three by three up to NULL. */
static void engines_start(char *const *arg)
{
    for (; *arg != NULL; arg += 3) {
        engine *e = &engines[n_engines++];
        e->name = arg[0];
        e->reads_terms = strcmp(arg[1], "terms") == 0;
        engine_start(e, arg[2]);
    }
}

static int usage(void)
{
    fprintf(stderr, "usage: conductor [-r N] [-b MS] [-w S] -c COMMAND,... QUERIES RESULTS "
                    "NAME written|terms 'SHELL COMMAND' ...\n");
    return 2;
}

int main(int argc, char **argv)
{
    char *list = NULL, *commands[COMMANDS_MAX];
    for (int option; (option = getopt(argc, argv, "r:b:w:c:")) != -1;) {
        if (option == 'r')
            rounds = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'b')
            budget_ms = strtod(optarg, NULL);
        else if (option == 'w')
            warmup_s = strtod(optarg, NULL);
        else if (option == 'c')
            list = optarg;
        else
            return usage();
    }
    int rest = argc - optind;
    if (list == NULL || rounds == 0 || rest < 5 || (rest - 2) % 3 != 0 ||
        (rest - 2) / 3 > ENGINES_MAX)
        return usage();
    signal(SIGPIPE, SIG_IGN);
    questions_read(argv[optind]);
    FILE *out = fopen(argv[optind + 1], "w");
    if (out == NULL) die(argv[optind + 1], "cannot be written");
    engines_start(argv + optind + 2);
    size_t n = commands_split(list, commands);
    warm_all(commands, n);
    for (size_t i = 0; i < n; i++) run_command(out, commands[i]);
    for (size_t i = 0; i < n_engines; i++) engine_stop(&engines[i]);
    return fclose(out) == 0 ? 0 : 1;
}
