/* SPDX-License-Identifier: MIT
 *
 * capacity.c - how long a search over many shards takes: the slowest of n, drawn many times.
 *
 *   capacity [--base-us F] [--per-million-us F] [--sigma F] [--hiccup F] [--hiccup-us F]
 *            [--round-trip-us F] [--per-shard-us F] [--fan-out N] [--draws N] [--seed N]
 *
 * A shard of d million documents answers in a log-normal time with median base + d * per-million
 * and the given sigma; with the probability `hiccup` something stands in its way (a disk, a
 * neighbour), which costs that much more.  Who asks n servers waits for the slowest, two round
 * trips (statistics, then hits), and for its own work, once a server.  More than `fan-out` servers
 * are asked by a tree: servers that ask servers, each level with its round trips and its work.
 *
 * For each size of collection and of shard: shards, levels, median and 99th percentile in
 * milliseconds, and what a second copy of each shard makes of the 99th when the faster of the two
 * is taken.  Defaults: a shard's slope from Xapian's unions on 582,661 paragraphs (README.md, "Speed"),
 * base and cost of asking from benchmarks/engines.sh on loopback, a network's round trip, and guesses
 * of what a shared machine does to one answer in a thousand.
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"

typedef struct model {
    double base_us, per_million_us, sigma, hiccup, hiccup_us, round_trip_us, per_shard_us;
    double fan_out, draws, seed;
} model;

static const struct {
    const char *name;
    size_t offset;
} options[] = {
    {"--base-us", offsetof(model, base_us)},
    {"--per-million-us", offsetof(model, per_million_us)},
    {"--sigma", offsetof(model, sigma)},
    {"--hiccup", offsetof(model, hiccup)},
    {"--hiccup-us", offsetof(model, hiccup_us)},
    {"--round-trip-us", offsetof(model, round_trip_us)},
    {"--per-shard-us", offsetof(model, per_shard_us)},
    {"--fan-out", offsetof(model, fan_out)},
    {"--draws", offsetof(model, draws)},
    {"--seed", offsetof(model, seed)},
};

static double uniform(uint64_t *seed)
{
    return ((double)(random_next(seed) >> 11) + 0.5) / 9007199254740992.0;
}

/* Box and Muller. */
static double normal(uint64_t *seed)
{
    return sqrt(-2 * log(uniform(seed))) * cos(6.283185307179586 * uniform(seed));
}

static double one_shard(const model *m, double median_us, uint64_t *seed)
{
    double us = median_us * exp(m->sigma * normal(seed));
    return uniform(seed) < m->hiccup ? us + m->hiccup_us : us;
}

/* The slowest of n, of `copies` each. */
static double slowest(const model *m, double median_us, double n, int copies, uint64_t *seed)
{
    double worst = 0;
    for (double i = 0; i < n; i++) {
        double us = one_shard(m, median_us, seed);
        for (int c = 1; c < copies; c++) us = fmin(us, one_shard(m, median_us, seed));
        worst = fmax(worst, us);
    }
    return worst;
}

static int levels_of(const model *m, double shards)
{
    int levels = 1;
    for (double reach = m->fan_out; reach < shards; reach *= m->fan_out) levels++;
    return levels;
}

/* What asking costs beside waiting: each level asks as many as it must. */
static double asking(const model *m, double shards, int levels)
{
    double each = ceil(pow(shards, 1.0 / levels));
    return levels * (2 * m->round_trip_us + each * m->per_shard_us);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void draw(const model *m, double shards, double millions, int copies, double *times,
                 size_t n)
{
    uint64_t seed = (uint64_t)m->seed;
    double median_us = m->base_us + millions * m->per_million_us;
    double fixed = asking(m, shards, levels_of(m, shards));
    for (size_t i = 0; i < n; i++)
        times[i] = (slowest(m, median_us, shards, copies, &seed) + fixed) / 1000;
    qsort(times, n, sizeof *times, by_size);
}

static void row(const model *m, double documents, double millions, double *times)
{
    double shards = ceil(documents / (millions * 1e6));
    size_t n = (size_t)(shards > 1000 ? m->draws / 10 : m->draws);
    draw(m, shards, millions, 1, times, n);
    double p50 = times[n / 2], p99 = times[n * 99 / 100];
    draw(m, shards, millions, 2, times, n);
    printf("| %.0f M | %.0f M | %.0f | %d | %.1f | %.1f | %.1f |\n", documents / 1e6, millions,
           shards, levels_of(m, shards), p50, p99, times[n * 99 / 100]);
}

static int parse(model *m, int argc, char **argv)
{
    for (int i = 1; i < argc; i += 2) {
        size_t which = 0, n = sizeof options / sizeof *options;
        char *end = NULL;
        while (which < n && strcmp(options[which].name, argv[i]) != 0) which++;
        double value = i + 1 < argc ? strtod(argv[i + 1], &end) : -1;
        if (which == n || i + 1 == argc || *end || value < 0) {
            fprintf(stderr, "capacity: %s: see the head of benchmarks/capacity.c\n", argv[i]);
            return 2;
        }
        memcpy((char *)m + options[which].offset, &value, sizeof value);
    }
    return m->fan_out < 2 || m->draws < 100 || m->draws > 1e6 ? 2 : 0;
}

int main(int argc, char **argv)
{
    static const double collections[] = {10e6, 1e9, 100e9}, sizes[] = {1, 5, 10, 50};
    model m = {.base_us = 200,
               .per_million_us = 3000,
               .sigma = 0.6,
               .hiccup = 0.001,
               .hiccup_us = 20000,
               .round_trip_us = 200,
               .per_shard_us = 20,
               .fan_out = 128,
               .draws = 10000,
               .seed = 1};
    if (parse(&m, argc, argv)) return 2;
    double *times = malloc((size_t)m.draws * sizeof *times);
    if (!times) return 5;
    puts("| documents | a shard | shards | levels | p50 ms | p99 ms | p99, faster of two |\n"
         "|--:|--:|--:|--:|--:|--:|--:|");
    for (size_t c = 0; c < 3; c++)
        for (size_t s = 0; s < 4; s++)
            if (collections[c] / (sizes[s] * 1e6) <= 20000)
                row(&m, collections[c], sizes[s], times);
    free(times);
    return 0;
}
