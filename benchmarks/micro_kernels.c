/* SPDX-License-Identifier: MIT
 * micro_kernels.c - nanoseconds an integer of every kernel at every level of the machine,
 * beside memcpy of the same input: how far each is from reading memory.
 *
 * All runs of a round follow each other, kernel by kernel and level by level, so that slow and
 * fast phases of the machine fall on all alike; the table has the medians.  The data fit into
 * the second-level cache.  --rounds N (default 31).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/cpu.h"
#include "common/base/hash.h"
#include "common/codec/bits.h"
#include "common/codec/group.h"
#include "common/codec/kernels.h"
#include "common/codec/scan.h"

enum {
    LEVELS = 3,
    BLOCKS = 64,
    BLOCK = 256,
    LIST = BLOCKS * BLOCK,
    WORDS = 8192,
    ROUNDS_MAX = 999,
    REPEAT = 4
};

static const codec_kernels *const codecs[LEVELS] = {&kernels_portable, &kernels_avx2,
                                                    &kernels_avx512};
static const group_kernels *const groups[LEVELS] = {&group_portable, &group_avx2, &group_avx512};
static const scan_kernels *const scans[LEVELS] = {&scan_portable, &scan_avx2, &scan_avx512};

/* Input and output of all kernels; made once. */
static ef_shape shapes[2]; /* 256 values of 1 in 40 numbers; 200 of them  */
static uint64_t blocks[2][BLOCKS][256];
static uint64_t sparse_bits[WORDS], dense_bits[WORDS], target[WORDS]; /* 1 in 32, 1 in 4   */
static uint32_t sparse_ranks[WORDS / 8], dense_ranks[WORDS / 8];
static uint8_t impacts[64 * WORDS];
static uint32_t list_a[LIST], list_b[LIST], lengths[LIST], numbers[LIST], all[LIST];
/* Strings of positions: of 1 to 4 numbers, and of 64, in texts of 1000 tokens. */
enum { TOKENS = 1000, LONG = 64 };
static uint8_t strings[LIST * 4], long_strings[LIST * 4];
static uint32_t string_n[LIST / 4], string_bound[LIST / 4], string_at[LIST / 4 + 1];
static uint64_t long_at[LIST / LONG + 1];
static uint32_t seek_targets[LIST / 50];
static uint32_t out[64 * WORDS + SCAN_SLACK], out_b[LIST + SCAN_SLACK];
static uint8_t out_bytes[64 * WORDS + SCAN_SLACK];
static float scores[LIST], kept_scores[LIST + SCAN_SLACK];
static volatile uint64_t sink;

static uint64_t random_state = 7;
static uint32_t below(uint32_t n)
{
    return (uint32_t)(random_next(&random_state) % n);
}

static void make_blocks(unsigned which, uint32_t n)
{
    uint32_t values[BLOCK];
    for (unsigned b = 0; b < BLOCKS; b++) {
        for (uint32_t i = 0; i < n; i++) values[i] = i * 40 + below(40);
        values[n - 1] = n * 40;
        if (ef_shape_of(n, values[n - 1], &shapes[which]))
            ef_encode(&shapes[which], values, blocks[which][b]);
    }
}

static void make_bits(uint64_t *bits, uint32_t *ranks, uint32_t one_in)
{
    uint32_t rank = 0;
    for (uint32_t w = 0; w < WORDS; w++) {
        if (w % 8 == 0) ranks[w / 8] = rank;
        for (unsigned i = 0; i < 64; i++)
            if (below(one_in) == 0) bits[w] |= UINT64_C(1) << i;
        rank += bits_count(bits[w]);
    }
}

/* A string of n positions of a text of TOKENS, at a bit; the bit behind it. */
static uint64_t make_string(uint8_t *bytes, uint64_t at, uint32_t n)
{
    uint32_t row[LONG];
    for (uint32_t i = 0; i < n; i++) row[i] = i * (TOKENS / n) + below(TOKENS / n);
    ef_string_write(bytes, at, row, n, TOKENS + 1);
    return at + ef_string_size(n, TOKENS + 1);
}

static void make_strings(void)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < LIST / 4; i++) {
        string_n[i] = 1 + below(4);
        string_bound[i] = TOKENS;
        string_at[i] = (uint32_t)at;
        at = make_string(strings, at, string_n[i]);
    }
    at = 0;
    for (uint32_t i = 0; i < LIST / LONG; i++) {
        long_at[i] = at;
        at = make_string(long_strings, at, LONG);
    }
}

static void make_data(void)
{
    make_blocks(0, BLOCK);
    make_blocks(1, 200);
    make_bits(sparse_bits, sparse_ranks, 32);
    make_bits(dense_bits, dense_ranks, 4);
    for (uint32_t i = 0; i < sizeof impacts; i++)
        impacts[i] = (uint8_t)(1 + below(100) + (below(100) == 0 ? 100 : 0));
    for (uint32_t i = 0, a = 0, b = 0; i < LIST; i++) {
        list_a[i] = a += 1 + below(30);
        list_b[i] = b += 1 + below(30);
        numbers[i] = below(64 * WORDS);
        all[i] = i;
        lengths[i] = 20 + below(1000);
        scores[i] = (float)below(1000);
        if (i % 50 == 0) seek_targets[i / 50] = a + below(900);
    }
    make_strings();
}

/* ---- one pass of each kernel over its input ------------------------------------------------- */

static void run_ef_256(unsigned l)
{
    for (unsigned b = 0; b < BLOCKS; b++)
        sink += codecs[l]->ef_decode(&shapes[0], blocks[0][b], b, out);
}
static void run_ef_200(unsigned l)
{
    for (unsigned b = 0; b < BLOCKS; b++)
        sink += codecs[l]->ef_decode(&shapes[1], blocks[1][b], b, out);
}
static void run_expand_sparse(unsigned l)
{
    sink += codecs[l]->bits_expand(sparse_bits, WORDS, 0, 5, 64 * WORDS, out);
}
static void run_expand_dense(unsigned l)
{
    sink += codecs[l]->bits_expand(dense_bits, WORDS, 0, 5, 64 * WORDS, out);
}
static void run_bits_total(unsigned l)
{
    sink += codecs[l]->bits_total(dense_bits, WORDS);
}
static void run_bucket_rank(unsigned l)
{
    for (uint32_t i = 0; i < LIST; i++)
        sink +=
            codecs[l]->bucket_rank(dense_bits + (size_t)(numbers[i] / 512) * 8, numbers[i] % 512);
}
static void run_starts(unsigned l)
{
    for (uint32_t i = 0; i < LIST / 4; i += GROUP_MAX) {
        groups[l]->string_starts(string_n + i, string_bound + i, 1, GROUP_MAX, out);
        sink += out[GROUP_MAX - 1];
    }
}
static void run_read(unsigned l)
{
    for (uint32_t i = 0; i < LIST / 4; i++)
        sink += groups[l]->string_read(strings, string_at[i], string_n[i], TOKENS + 1, out, 4);
}
static void run_read_long(unsigned l)
{
    for (uint32_t i = 0; i < LIST / LONG; i++)
        sink += groups[l]->string_read(long_strings, long_at[i], LONG, TOKENS + 1, out, LONG);
}
static void run_has_long(unsigned l)
{
    for (uint32_t i = 0; i < LIST / LONG; i++)
        sink += groups[l]->string_has(long_strings, long_at[i], LONG, TOKENS + 1, lengths[i]);
}
static void run_ef_group(unsigned l)
{
    for (unsigned b = 0; b < BLOCKS; b++)
        sink += groups[l]->ef_group(&shapes[0], blocks[0][b], b, 16 * (b % 16), 16, out);
}
static void run_bits_group(unsigned l)
{
    for (uint32_t i = 1000; i < LIST; i++)
        if (dense_bits[numbers[i] / 64] >> numbers[i] % 64 & 1)
            sink += groups[l]->bits_group(dense_bits, numbers[i], 1 + i % 15, out);
}
static void run_group_tfs(unsigned l)
{
    static uint32_t tfs[GROUP_MAX];
    const group_scale scale = group_scale_of(1.2, 0.75, 300);
    const group_lengths from = {(const uint8_t *)lengths, 4};
    for (uint32_t i = 0; i < LIST; i += GROUP_MAX) {
        groups[l]->group_tfs(impacts + i, all + i, GROUP_MAX, i, i + 15, from, &scale, out, tfs);
        sink += tfs[0];
    }
}
static void run_impact_tf(unsigned l)
{
    const norm_scale scale = {1.2, 0.75, 300};
    for (uint32_t i = 0; i < LIST; i += 16)
        codecs[l]->impact_tf(impacts + i, lengths + i, 16, &scale, out);
}
static void run_in_range(unsigned l)
{
    for (uint32_t i = 0; i < LIST; i += BLOCK)
        sink += scans[l]->bytes_in_range(impacts + i, BLOCK, 100, 255, 0, out);
}
static void run_in_range_many(unsigned l)
{
    for (uint32_t i = 0; i < LIST; i += BLOCK)
        sink += scans[l]->bytes_in_range(impacts + i, BLOCK, 75, 255, 0, out);
}
static void bucket_pass(unsigned l, const uint64_t *bits, const uint32_t *ranks, uint8_t low)
{
    for (uint32_t b = 0; b + 1 < WORDS / 8; b++)
        sink +=
            scans[l]->bucket_in_range(bits + 8 * b, NULL, impacts + ranks[b],
                                      ranks[b + 1] - ranks[b], low, 255, 512 * b, out, out_bytes);
}
static void run_bucket_sparse(unsigned l)
{
    bucket_pass(l, sparse_bits, sparse_ranks, 90);
}
static void run_bucket_dense(unsigned l)
{
    bucket_pass(l, dense_bits, dense_ranks, 100);
}
static void run_bucket_many(unsigned l)
{
    bucket_pass(l, dense_bits, dense_ranks, 0);
}
static void run_intersect(unsigned l)
{
    sink += scans[l]->intersect(list_a, LIST, list_b, LIST, out, out_b);
}
static void run_probe(unsigned l)
{
    for (uint32_t i = 0; i < LIST; i += 512)
        sink += scans[l]->bitmap_probe(dense_bits, WORDS, numbers + i, 512, out);
}
static void run_ranks(unsigned l)
{
    scans[l]->bucket_ranks(dense_bits, dense_ranks, numbers, all, LIST, out);
}
static void run_and_total(unsigned l)
{
    sink += scans[l]->and_total(sparse_bits, dense_bits, WORDS);
}
static void run_and_into(unsigned l)
{
    scans[l]->and_into(target, dense_bits, WORDS);
}
static void run_keep_least(unsigned l)
{
    for (uint32_t i = 0; i < LIST; i += 512) {
        memcpy(out_b, list_a + i, 512 * sizeof *out_b);
        memcpy(kept_scores, scores + i, 512 * sizeof *scores);
        sink += scans[l]->keep_least(out_b, kept_scores, 512, 700);
    }
}
static void run_seek(unsigned l)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < LIST / 50; i++)
        sink += at = scans[l]->seek(list_a, at, LIST, seek_targets[i]);
}
static void run_select(unsigned l)
{
    for (uint32_t i = 0; i < LIST; i++)
        sink += scans[l]->ef_select(&shapes[0], blocks[0][i % BLOCKS], numbers[i] % BLOCK);
}
static void run_find(unsigned l)
{
    for (uint32_t i = 0; i < LIST; i++)
        sink += scans[l]->ef_find(&shapes[0], blocks[0][i % BLOCKS], numbers[i] % shapes[0].range);
}

/* ---- the table ---------------------------------------------------------------------------- */

typedef struct kernel {
    const char *name;
    void (*run)(unsigned level);
    double integers; /* a pass                                                    */
    const void *input;
    size_t bytes; /* of input a pass                                           */
    double ns[LEVELS + 1][ROUNDS_MAX]; /* the last one: memcpy                            */
} kernel;

static kernel kernels[] = {
    {.name = "ef_decode, 256", .run = run_ef_256, .integers = LIST, .input = blocks[0]},
    {.name = "ef_decode, 200", .run = run_ef_200, .integers = 200 * BLOCKS, .input = blocks[1]},
    {.name = "bits_expand, 1/32",
     .run = run_expand_sparse,
     .integers = 2 * WORDS,
     .input = sparse_bits,
     .bytes = 8 * WORDS},
    {.name = "bits_expand, 1/4",
     .run = run_expand_dense,
     .integers = 16 * WORDS,
     .input = dense_bits,
     .bytes = 8 * WORDS},
    {.name = "bits_total, a word",
     .run = run_bits_total,
     .integers = WORDS,
     .input = dense_bits,
     .bytes = 8 * WORDS},
    {.name = "bucket_rank",
     .run = run_bucket_rank,
     .integers = LIST,
     .input = numbers,
     .bytes = sizeof numbers},
    {.name = "string_starts",
     .run = run_starts,
     .integers = LIST / 4,
     .input = string_n,
     .bytes = LIST},
    {.name = "string_read, 1-4", .run = run_read, .integers = 2.5 * LIST / 4, .input = strings},
    {.name = "string_read, 64",
     .run = run_read_long,
     .integers = LIST,
     .input = long_strings,
     .bytes = LIST},
    {.name = "string_has, 64",
     .run = run_has_long,
     .integers = LIST / LONG,
     .input = long_strings,
     .bytes = LIST / 64},
    {.name = "ef_group", .run = run_ef_group, .integers = 16 * BLOCKS, .input = blocks},
    {.name = "bits_group, 1/4",
     .run = run_bits_group,
     .integers = LIST / 4,
     .input = dense_bits,
     .bytes = LIST},
    {.name = "group_tfs",
     .run = run_group_tfs,
     .integers = LIST,
     .input = lengths,
     .bytes = sizeof lengths},
    {.name = "impact_tf, 16",
     .run = run_impact_tf,
     .integers = LIST,
     .input = lengths,
     .bytes = sizeof lengths},
    {.name = "bytes_in_range, 1%",
     .run = run_in_range,
     .integers = LIST,
     .input = impacts,
     .bytes = LIST},
    {.name = "bytes_in_range, 25%",
     .run = run_in_range_many,
     .integers = LIST,
     .input = impacts,
     .bytes = LIST},
    {.name = "bucket 1/32, 10%",
     .run = run_bucket_sparse,
     .integers = 2 * WORDS,
     .input = sparse_bits,
     .bytes = 8 * WORDS},
    {.name = "bucket 1/4, 1%",
     .run = run_bucket_dense,
     .integers = 16 * WORDS,
     .input = dense_bits,
     .bytes = 8 * WORDS},
    {.name = "bucket 1/4, all",
     .run = run_bucket_many,
     .integers = 16 * WORDS,
     .input = dense_bits,
     .bytes = 8 * WORDS},
    {.name = "intersect",
     .run = run_intersect,
     .integers = 2 * LIST,
     .input = list_a,
     .bytes = sizeof list_a},
    {.name = "bitmap_probe",
     .run = run_probe,
     .integers = LIST,
     .input = numbers,
     .bytes = sizeof numbers},
    {.name = "bucket_ranks",
     .run = run_ranks,
     .integers = LIST,
     .input = numbers,
     .bytes = sizeof numbers},
    {.name = "and_total, a word",
     .run = run_and_total,
     .integers = WORDS,
     .input = dense_bits,
     .bytes = 8 * WORDS},
    {.name = "and_into, a word",
     .run = run_and_into,
     .integers = WORDS,
     .input = dense_bits,
     .bytes = 8 * WORDS},
    {.name = "keep_least, 30%",
     .run = run_keep_least,
     .integers = LIST,
     .input = scores,
     .bytes = sizeof scores},
    {.name = "seek, 50 on",
     .run = run_seek,
     .integers = LIST / 50,
     .input = list_a,
     .bytes = LIST / 50 * 4},
    {.name = "ef_select",
     .run = run_select,
     .integers = LIST,
     .input = numbers,
     .bytes = sizeof numbers},
    {.name = "ef_find",
     .run = run_find,
     .integers = LIST,
     .input = numbers,
     .bytes = sizeof numbers},
};
enum { KERNELS = sizeof kernels / sizeof *kernels };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_one(const kernel *k, unsigned level)
{
    double start = now_ns();
    for (unsigned i = 0; i < REPEAT; i++) {
        if (level < LEVELS)
            k->run(level);
        else
            memcpy(out, k->input, k->bytes);
        __asm__ volatile("" ::: "memory");
    }
    return (now_ns() - start) / REPEAT / k->integers;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, unsigned n)
{
    qsort(values, n, sizeof *values, by_size);
    return values[n / 2];
}

int main(int argc, char **argv)
{
    long rounds = argc == 3 && !strcmp(argv[1], "--rounds") ? strtol(argv[2], NULL, 10) : 31;
    if (argc != 1 && (argc != 3 || rounds < 1 || rounds > ROUNDS_MAX)) {
        fputs("usage: micro_kernels [--rounds 1..999]\n", stderr);
        return 2;
    }
    unsigned levels = (unsigned)cpu_machine_level() + 1;
    make_data();
    for (unsigned i = 0; i < KERNELS; i++) {
        if (kernels[i].run == run_ef_group) kernels[i].bytes = 16 * BLOCKS * 4;
        if (kernels[i].input == strings) kernels[i].bytes = string_at[LIST / 4 - 1] / 8;
        if (kernels[i].run != run_ef_group && kernels[i].input == blocks[0])
            kernels[i].bytes = BLOCKS * 8 * shapes[0].words;
        if (kernels[i].input == blocks[1]) kernels[i].bytes = BLOCKS * 8 * shapes[1].words;
    }
    for (long r = 0; r < rounds; r++)
        for (unsigned i = 0; i < KERNELS; i++)
            for (unsigned level = 0; level <= LEVELS; level++)
                if (level < levels || level == LEVELS)
                    kernels[i].ns[level][r] = time_one(&kernels[i], level);
    printf("%-20s %9s %9s %9s %9s\n", "ns an integer", "portable", "avx2", "avx512", "memcpy");
    for (unsigned i = 0; i < KERNELS; i++) {
        printf("%-20s", kernels[i].name);
        for (unsigned level = 0; level <= LEVELS; level++)
            if (level < levels || level == LEVELS)
                printf(" %9.3f", median(kernels[i].ns[level], (unsigned)rounds));
            else
                printf(" %9s", "-");
        putchar('\n');
    }
    return 0;
}
