/* SPDX-License-Identifier: MIT
 *
 * measure.c - run one command and say what it cost, the same way for every engine.
 *
 *   measure OUT COMMAND ARG...
 *
 * Appends to OUT: wall_seconds, cpu_seconds (all threads, children included) and
 * peak_rss_bytes, as NAME TAB VALUE lines.  The command's own output passes through; its
 * exit status is given on.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: measure OUT COMMAND ARG...\n");
        return 2;
    }
    double start = now();
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status;
    struct rusage used;
    if (child < 0 || wait4(child, &status, 0, &used) != child) {
        perror("measure");
        return 1;
    }
    double wall = now() - start;
    FILE *out = fopen(argv[1], "a");
    if (out == NULL) {
        perror(argv[1]);
        return 1;
    }
    fprintf(out, "wall_seconds\t%.3f\ncpu_seconds\t%.3f\npeak_rss_bytes\t%lld\n", wall,
            seconds(used.ru_utime) + seconds(used.ru_stime), (long long)used.ru_maxrss * 1024);
    fclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
