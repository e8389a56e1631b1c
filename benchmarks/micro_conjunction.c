/* SPDX-License-Identifier: MIT
 * micro_conjunction.c - are the ways to look numbers up in sparse blocks chosen well?
 *
 * First the ways by the number of candidates a block, nanoseconds a block at every level of the
 * machine: what the constants of scan_costs.h are fitted to.  Then pairs of lists of many
 * lengths, spread evenly or in runs: each way alone, block by block, and as the model of the
 * costs chooses; how far its choices are from the best in hindsight, which is the cheapest
 * single way for the pair.  Lists are probed in turn, so that neither branches nor caches know
 * them.  --rounds N (default 15).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/cpu.h"
#include "common/base/hash.h"
#include "common/codec/kernels.h"
#include "common/codec/scan.h"

enum {
    LEVELS = 3,
    BLOCK = 256,
    DOCS = 1 << 20,
    LIST_MAX = DOCS / 32,
    BLOCKS_MAX = LIST_MAX / BLOCK,
    WORDS_MAX = 8 * LIST_MAX / 8,
    PAIRS_MAX = 64,
    ROUNDS_MAX = 99,
    WAYS = 4 /* of scan_way, and the model                                              */
};

static const codec_kernels *const codecs[LEVELS] = {&kernels_portable, &kernels_avx2,
                                                    &kernels_avx512};
static const scan_kernels *const scans[LEVELS] = {&scan_portable, &scan_avx2, &scan_avx512};
static const char *const way_names[WAYS] = {"find", "few", "merge", "model"};

/* A list, plain and in blocks. */
typedef struct list {
    uint32_t n, n_blocks;
    uint32_t numbers[LIST_MAX];
    uint32_t last[BLOCKS_MAX + 1], off[BLOCKS_MAX + 1];
    uint64_t words[WORDS_MAX];
} list;

static uint64_t random_state = 11;
static volatile uint64_t sink;
static uint32_t out[LIST_MAX + SCAN_SLACK], out_b[LIST_MAX + SCAN_SLACK];

static uint32_t below(uint32_t n)
{
    return (uint32_t)(random_next(&random_state) % n);
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, long n)
{
    qsort(values, (size_t)n, sizeof *values, by_size);
    return values[n / 2];
}

/* ---- lists ------------------------------------------------------------------------------- */

/* Some n of DOCS numbers: marks, evenly or in runs of 64 numbers of which one in four is taken. */
static void list_fill(list *l, uint32_t n, bool runs)
{
    static uint8_t marks[DOCS];
    memset(marks, 0, sizeof marks);
    for (uint32_t have = 0; have < n;) {
        uint32_t at = below(DOCS - 64);
        for (uint32_t i = 0; i < (runs ? 16 : 1) && have < n; i++) {
            uint32_t number = runs ? at + below(64) : at;
            have += !marks[number];
            marks[number] = 1;
        }
    }
    l->n = 0;
    for (uint32_t i = 0; i < DOCS; i++)
        if (marks[i]) l->numbers[l->n++] = i;
}

static uint32_t block_base(const list *l, uint32_t b)
{
    return b ? l->last[b - 1] + 1 : 0;
}

static uint32_t block_count(const list *l, uint32_t b)
{
    return b + 1 < l->n_blocks ? BLOCK : l->n - b * BLOCK;
}

static bool block_shape(const list *l, uint32_t b, ef_shape *shape)
{
    return ef_shape_of(block_count(l, b), l->last[b] - block_base(l, b), shape);
}

static void list_encode(list *l)
{
    uint32_t off = 0;
    l->n_blocks = (l->n + BLOCK - 1) / BLOCK;
    for (uint32_t b = 0; b < l->n_blocks; b++) {
        uint32_t n = block_count(l, b), values[BLOCK];
        ef_shape shape;
        l->last[b] = l->numbers[b * BLOCK + n - 1];
        for (uint32_t i = 0; i < n; i++) values[i] = l->numbers[b * BLOCK + i] - block_base(l, b);
        if (!block_shape(l, b, &shape) || off + shape.words > WORDS_MAX) abort();
        l->off[b] = off;
        ef_encode(&shape, values, l->words + off);
        off += shape.words;
    }
}

/* ---- one block, one list ----------------------------------------------------------------- */

static uint32_t probe_block(unsigned level, const list *l, uint32_t b, const uint32_t *numbers,
                            uint32_t n, unsigned way)
{
    uint32_t docs[BLOCK + SCAN_SLACK];
    const scan_kernels *scan = scans[level];
    ef_shape shape;
    float cost;
    if (way > SCAN_MERGE) way = scan_choose(&scan->costs, (float)n, false, &cost);
    if (!block_shape(l, b, &shape)) return 0;
    const uint64_t *words = l->words + l->off[b];
    if (way == SCAN_FIND)
        return scan->ef_find_many(&shape, words, block_base(l, b), numbers, n, out, out_b);
    uint32_t have = codecs[level]->ef_decode(&shape, words, block_base(l, b), docs);
    return way == SCAN_FEW ? scan->intersect_few(numbers, n, docs, have, out, out_b)
                           : scan->intersect(numbers, n, docs, have, out, out_b);
}

static uint32_t probe_list(unsigned level, const list *a, const list *b, unsigned way)
{
    uint32_t met = 0, block = 0;
    for (uint32_t i = 0, end; i < a->n; i = end) {
        block = scans[level]->seek(b->last, block, b->n_blocks, a->numbers[i]);
        if (block == b->n_blocks) break;
        end = scans[level]->seek(a->numbers, i + 1, a->n, b->last[block] + 1);
        met += probe_block(level, b, block, a->numbers + i, end - i, way);
    }
    return met;
}

/* ---- by the number of candidates --------------------------------------------------------- */

static void print_blocks(unsigned levels, long rounds, list *lists)
{
    static const uint32_t counts[] = {1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256};
    enum { COUNTS = sizeof counts / sizeof *counts };
    static double ns[COUNTS][LEVELS][WAYS][ROUNDS_MAX];
    list *b = &lists[0], *a = &lists[1];
    list_fill(b, LIST_MAX, false);
    list_encode(b);
    for (unsigned c = 0; c < COUNTS; c++) {
        uint32_t n = counts[c] * b->n_blocks;
        list_fill(a, n < LIST_MAX ? n : LIST_MAX, false);
        for (long r = 0; r < rounds; r++)
            for (unsigned level = 0; level < levels; level++)
                for (unsigned way = 0; way < WAYS; way++) {
                    double start = now_ns();
                    sink += probe_list(level, a, b, way);
                    ns[c][level][way][r] = (now_ns() - start) / b->n_blocks;
                }
    }
    for (unsigned level = 0; level < levels; level++) {
        printf("%-10s", cpu_level_name((cpu_level)level));
        for (unsigned c = 0; c < COUNTS; c++) printf(" %7u", counts[c]);
        printf("   candidates a block\n");
        for (unsigned way = 0; way < WAYS; way++) {
            printf("  %-8s", way_names[way]);
            for (unsigned c = 0; c < COUNTS; c++)
                printf(" %7.0f", median(ns[c][level][way], rounds));
            printf("   ns a block\n");
        }
    }
}

/* ---- against hindsight ------------------------------------------------------------------- */

typedef struct pair {
    const list *a, *b;
    bool runs;
    double ns[LEVELS][WAYS][ROUNDS_MAX];
} pair;

static void report(pair *pairs, unsigned n, unsigned level, long rounds)
{
    double sum = 0, worst = 0, spent = 0, least = 0, alone[SCAN_MERGE + 1] = {0};
    const pair *at = NULL;
    for (unsigned i = 0; i < n; i++) {
        double best = 1e300, model = median(pairs[i].ns[level][SCAN_MERGE + 1], rounds);
        for (unsigned way = 0; way <= SCAN_MERGE; way++) {
            double ns = median(pairs[i].ns[level][way], rounds);
            alone[way] += ns;
            if (ns < best) best = ns;
        }
        sum += model / best;
        spent += model;
        least += best;
        if (model / best <= worst) continue;
        worst = model / best;
        at = &pairs[i];
    }
    printf("%-10s model / best way of the pair: mean %.3f, worst %.3f (%u in %u%s), all time %.3f;",
           cpu_level_name((cpu_level)level), sum / n, worst, at->a->n, at->b->n,
           at->runs ? ", in runs" : "", spent / least);
    for (unsigned way = 0; way <= SCAN_MERGE; way++)
        printf(" %s alone %.2f%s", way_names[way], alone[way] / least,
               way < SCAN_MERGE ? "," : "\n");
}

static void print_pairs(unsigned levels, long rounds, list *lists)
{
    static const uint32_t dfs[] = {300, 1000, 2500, 6000, 13000, 32000};
    enum { DFS = sizeof dfs / sizeof *dfs };
    static pair pairs[PAIRS_MAX];
    unsigned n = 0;
    for (unsigned runs = 0; runs < 2; runs++)
        for (unsigned side = 0; side < 2; side++)
            for (unsigned d = 0; d < DFS; d++) {
                list *l = &lists[(2 * runs + side) * DFS + d];
                list_fill(l, dfs[d], runs);
                list_encode(l);
            }
    for (unsigned runs = 0; runs < 2; runs++)
        for (unsigned a = 0; a < DFS; a++)
            for (unsigned b = a; b < DFS; b++, n++)
                pairs[n] = (pair){.a = &lists[2 * runs * DFS + a],
                                  .b = &lists[(2 * runs + 1) * DFS + b],
                                  .runs = runs};
    for (long r = 0; r < rounds; r++)
        for (unsigned level = 0; level < levels; level++)
            for (unsigned way = 0; way < WAYS; way++)
                for (unsigned i = 0; i < n; i++) {
                    double start = now_ns();
                    sink += probe_list(level, pairs[i].a, pairs[i].b, way);
                    pairs[i].ns[level][way][r] = now_ns() - start;
                }
    for (unsigned level = 0; level < levels; level++) report(pairs, n, level, rounds);
}

int main(int argc, char **argv)
{
    long rounds = argc == 3 && !strcmp(argv[1], "--rounds") ? strtol(argv[2], NULL, 10) : 15;
    if (argc != 1 && (argc != 3 || rounds < 1 || rounds > ROUNDS_MAX)) {
        fputs("usage: micro_conjunction [--rounds 1..99]\n", stderr);
        return 2;
    }
    unsigned levels = (unsigned)cpu_machine_level() + 1;
    list *lists = calloc(24, sizeof *lists);
    if (!lists) return 1;
    print_blocks(levels, rounds, lists);
    print_pairs(levels, rounds, lists);
    free(lists);
    return 0;
}
