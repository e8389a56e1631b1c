/* SPDX-License-Identifier: MIT
 * target_codec.c - every decoder on any bytes, every row of kernels against the portable one
 * (INV-7).
 *
 * The first bytes of an input say which decoder and how it is called, the rest is what it reads,
 * in memory that ends where the input ends.
 */
#include <stdlib.h>

#include "common/base/cpu.h"
#include "common/codec/group.h"
#include "common/codec/kernels.h"
#include "common/codec/runs.h"
#include "common/codec/scan.h"
#include "tests/fuzz/targets.h"

enum { VALUES = 600, ROWS = 3 };

static const codec_kernels *rows[ROWS];
static const scan_kernels *scans[ROWS];
static const group_kernels *groups[ROWS];
static unsigned n_rows;

static void find_rows(void)
{
    if (n_rows) return;
    rows[0] = &kernels_portable;
    groups[0] = &group_portable;
    scans[n_rows++] = &scan_portable;
    if (cpu_machine_level() >= CPU_AVX2) {
        rows[n_rows] = &kernels_avx2;
        groups[n_rows] = &group_avx2;
        scans[n_rows++] = &scan_avx2;
    }
    if (cpu_machine_level() >= CPU_AVX512) {
        rows[n_rows] = &kernels_avx512;
        groups[n_rows] = &group_avx512;
        scans[n_rows++] = &scan_avx512;
    }
}

/* Words of the input, in memory of exactly their size. */
static uint64_t *words_of(const uint8_t *data, size_t len, size_t n_words)
{
    uint64_t *words = calloc(n_words ? n_words : 1, sizeof *words);
    fuzz_must(words != NULL);
    size_t bytes = n_words * sizeof *words;
    memcpy(words, data, len < bytes ? len : bytes);
    return words;
}

static void blocks(reader *r)
{
    ef_shape shape;
    uint32_t n = 1u + read_u8(r), range = read_u32(r), base = read_u32(r), want = 0;
    uint32_t k = read_u8(r), value = read_u32(r);
    if (!ef_shape_of(n, range, &shape) || base > UINT32_MAX - range) return;
    uint64_t *words = words_of(r->p, reader_left(r), shape.words);
    uint32_t plain[EF_BLOCK_MAX], out[EF_BLOCK_MAX];
    uint32_t at = scans[0]->ef_find(&shape, words, value);
    for (unsigned row = 0; row < n_rows; row++) {
        uint32_t got = rows[row]->ef_decode(&shape, words, base, row ? out : plain);
        if (row == 0) want = got;
        fuzz_must(got == want);
        fuzz_must(row == 0 || memcmp(out, plain, want * sizeof *out) == 0);
        fuzz_must(scans[row]->ef_find(&shape, words, value) == at);
        if (k < n && want) fuzz_must(scans[row]->ef_select(&shape, words, k) == plain[k] - base);
        if (k < n && !want) scans[row]->ef_select(&shape, words, k);
    }
    for (uint32_t i = 1; i < want; i++) fuzz_must(plain[i] > plain[i - 1]);
    free(words);
}

static void bitmaps(reader *r)
{
    uint32_t skip = read_u16(r), cap = read_u16(r) % VALUES, n_bits = read_u16(r) % 513;
    uint32_t n_words = (uint32_t)(reader_left(r) / 8), want = 0;
    if (n_words > 64) n_words = 64;
    uint64_t *words = words_of(r->p, reader_left(r), n_words);
    uint32_t plain[VALUES], out[VALUES];
    for (unsigned row = 0; row < n_rows; row++) {
        uint32_t got = rows[row]->bits_expand(words, n_words, 5, skip, cap, row ? out : plain);
        if (row == 0) want = got;
        fuzz_must(got == want && got <= cap);
        fuzz_must(row == 0 || memcmp(out, plain, want * sizeof *out) == 0);
        fuzz_must(rows[row]->bits_total(words, n_words) == rows[0]->bits_total(words, n_words));
        fuzz_must(scans[row]->total(words, n_words) == rows[0]->bits_total(words, n_words));
        if (n_words >= 8)
            fuzz_must(rows[row]->bucket_rank(words, n_bits) == rows[0]->bucket_rank(words, n_bits));
    }
    free(words);
}

/* Strings of any bytes: rows agree, numbers rise, and those that are read are found. */
static void strings(reader *r)
{
    uint64_t at = read_u8(r);
    uint32_t n = read_u16(r) % VALUES + 1u, most = read_u32(r), plain[VALUES], out[VALUES];
    uint64_t end = at + ef_string_size(n, most);
    if (end + 8 * EF_STRING_SLACK > 8 * (uint64_t)reader_left(r)) return;
    bool want = groups[0]->string_read(r->p, at, n, most, plain, n);
    for (uint32_t i = 0; want && i < n; i++)
        fuzz_must(plain[i] <= most && (i == 0 || plain[i] > plain[i - 1]));
    for (unsigned row = 0; row < n_rows; row++) {
        fuzz_must(groups[row]->string_read(r->p, at, n, most, out, n) == want);
        fuzz_must(!want || memcmp(out, plain, n * sizeof *out) == 0);
        for (uint32_t i = 0; i < n; i += 7) {
            uint32_t number = want ? plain[i] : most / (i + 1);
            bool has = groups[row]->string_has(r->p, at, n, most, number);
            fuzz_must(has == groups[0]->string_has(r->p, at, n, most, number));
        }
    }
}

/* Parts of blocks of any words, and the bits below one. */
static void parts(reader *r)
{
    uint32_t n = read_u8(r) + 1u, range = read_u32(r), from = read_u8(r) / GROUP_MAX * GROUP_MAX;
    uint32_t plain[GROUP_MAX], out[GROUP_MAX];
    ef_shape shape;
    if (from >= n || !ef_shape_of(n, range, &shape) || reader_left(r) < 8 * shape.words) return;
    uint64_t *words = malloc(8 * (size_t)shape.words);
    fuzz_must(words != NULL);
    memcpy(words, r->p, 8 * (size_t)shape.words);
    n = n - from < GROUP_MAX ? n - from : GROUP_MAX;
    uint32_t at = range % (64 * shape.words), before = range % GROUP_MAX;
    uint32_t want = groups[0]->ef_group(&shape, words, 7, from, n, plain);
    for (unsigned row = 1; row < n_rows; row++) {
        fuzz_must(groups[row]->ef_group(&shape, words, 7, from, n, out) == want);
        fuzz_must(memcmp(out, plain, want * sizeof *out) == 0);
    }
    bool there = groups[0]->bits_group(words, at, before, plain);
    for (unsigned row = 1; row < n_rows; row++) {
        fuzz_must(groups[row]->bits_group(words, at, before, out) == there);
        fuzz_must(!there || memcmp(out, plain, (before + 1) * sizeof *out) == 0);
    }
    free(words);
}

static void runs(reader *r)
{
    unsigned cut = read_u8(r) % 8;
    uint32_t distinct = read_u8(r) + 2u, value;
    slice bits = {r->p, reader_left(r)};
    uint64_t n_bits = 8 * (uint64_t)bits.len;
    runs_reader codes;
    if (n_bits) n_bits -= cut;
    if (!runs_open(&codes, bits, n_bits, distinct)) return;
    for (unsigned n = 0; n < 10000 && runs_next(&codes, &value); n++)
        fuzz_must(value < distinct && codes.at <= n_bits);
}

static void impacts(reader *r)
{
    norm_scale scale = {read_u8(r) / 64.0, read_u8(r) / 255.0, 1.0 + read_u16(r)};
    uint32_t n = (uint32_t)(reader_left(r) / 5), plain[VALUES], out[VALUES];
    if (n > VALUES) n = VALUES;
    uint32_t lengths[VALUES];
    for (uint32_t i = 0; i < n; i++) lengths[i] = load_u32(r->p + n + 4 * i);
    for (unsigned row = 0; row < n_rows; row++) {
        rows[row]->impact_tf(r->p, lengths, n, &scale, row ? out : plain);
        fuzz_must(row == 0 || memcmp(out, plain, n * sizeof *out) == 0);
    }
}

/* Lists, rising or not: rows agree where the contract says, and stay in bounds elsewhere. */
static void lists(reader *r)
{
    uint32_t a[VALUES + SCAN_SLACK], b[VALUES], na = 0, nb = 0, step;
    uint32_t plain[2][VALUES + SCAN_SLACK], out[2][VALUES + SCAN_SLACK], want = 0;
    uint32_t limit = read_u8(r), target = read_u32(r);
    for (uint32_t at = 0; na < limit && reader_left(r); at += step + 1) {
        step = read_u8(r);
        a[na++] = at + step;
    }
    for (uint32_t at = 0; nb < VALUES && reader_left(r); at += step + 1) {
        step = read_u8(r);
        b[nb++] = at + step;
    }
    for (unsigned row = 0; row < n_rows; row++) {
        uint32_t(*to)[VALUES + SCAN_SLACK] = row ? out : plain;
        uint32_t got = scans[row]->intersect(a, na, b, nb, to[0], to[1]);
        if (row == 0) want = got;
        fuzz_must(got == want && got <= na);
        for (unsigned k = 0; row && k < 2; k++)
            fuzz_must(memcmp(out[k], plain[k], want * sizeof *out[k]) == 0);
        fuzz_must(scans[row]->seek(b, 0, nb, target) == scans[0]->seek(b, 0, nb, target));
    }
}

void fuzz_codec(const uint8_t *data, size_t len)
{
    find_rows();
    if (!len) return;
    uint8_t *copy = malloc(len); /* so that a sanitizer sees its end                          */
    fuzz_must(copy != NULL);
    memcpy(copy, data, len);
    reader r = reader_of((slice){copy, len});
    switch (read_u8(&r) % 7) {
    case 0:
        blocks(&r);
        break;
    case 1:
        bitmaps(&r);
        break;
    case 2:
        strings(&r);
        break;
    case 3:
        parts(&r);
        break;
    case 4:
        runs(&r);
        break;
    case 5:
        impacts(&r);
        break;
    default:
        lists(&r);
        break;
    }
    free(copy);
}
