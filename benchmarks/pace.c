/* SPDX-License-Identifier: MIT
 * pace.c - standard input to standard output, unchanged, and when its lines passed.
 *
 *   pace LINES [FILE] < input | program
 *
 * After every LINES lines, and at the end, a line `lines<TAB>bytes<TAB>seconds` goes to FILE
 * (default: standard error).  A pipe holds 64 KiB, so the times are those of whoever reads.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1 << 16 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int write_all(const char *p, size_t n)
{
    while (n) {
        ssize_t put = write(STDOUT_FILENO, p, n);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return -1;
        p += put;
        n -= (size_t)put;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static char block[BLOCK];
    uint64_t every = argc > 1 ? strtoull(argv[1], NULL, 10) : 0, lines = 0, bytes = 0;
    if (!every || argc > 3) {
        fprintf(stderr, "usage: pace LINES [FILE] < input\n");
        return 2;
    }
    FILE *log = argc > 2 ? fopen(argv[2], "w") : stderr;
    if (!log) {
        perror(argv[2]);
        return 2;
    }
    double begin = now();
    ssize_t n;
    while ((n = read(STDIN_FILENO, block, sizeof block)) != 0) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 || write_all(block, (size_t)n)) {
            perror("pace");
            return 1;
        }
        uint64_t before = lines;
        for (const char *p = block, *end = block + n; (p = memchr(p, '\n', (size_t)(end - p))); p++)
            lines++;
        bytes += (uint64_t)n;
        if (lines / every == before / every) continue;
        fprintf(log, "%ju\t%ju\t%.3f\n", (uintmax_t)lines, (uintmax_t)bytes, now() - begin);
        fflush(log);
    }
    fprintf(log, "%ju\t%ju\t%.3f\n", (uintmax_t)lines, (uintmax_t)bytes, now() - begin);
    return fclose(log) ? 1 : 0;
}
