/* SPDX-License-Identifier: MIT
 * second_lists.c - one posting list of the second reader: postings, impacts, positions, forms,
 * as FORMAT.md, "Posting lists", has them.
 */
#include <math.h>
#include <stdlib.h>

#include "tests/oracle/second_parts.h"

/* ---- Posting lists ----------------------------------------------------------------------- */

typedef struct walk {
    file *f;
    second_list *list;
    bytes region;
    uint64_t n_blocks, block_of[4096]; /* postings of each block                              */
} walk;

static uint64_t field(const uint8_t *p, uint64_t at, uint64_t n)
{
    uint64_t v = 0;
    for (uint64_t i = 0; i < n; i++) v |= (uint64_t)second_bit(p, at + i) << i;
    return v;
}

static uint64_t log2_floor(uint64_t x)
{
    uint64_t h = 0;
    while (x >>= 1) h++;
    return h;
}

/* "Block of a sparse list": n documents from base to last out of the words at p. */
static uint64_t read_ef(const bytes *words, uint64_t at, uint64_t n, uint64_t base, uint64_t last,
                        uint32_t *docs)
{
    uint64_t range = last - base, l = range < n ? 0 : log2_floor(range / n), i = 0;
    uint64_t low = n == 256 ? 4 * l : second_groups(n * l, 64),
             high = second_groups(n + (range >> l), 64);
    bool bitmap = second_groups(range + 1, 64) <= 2 * (low + high);
    uint64_t used = bitmap ? second_groups(range + 1, 64) : low + high;
    bytes block = second_part(words, 8 * at, 8 * used);
    const uint8_t *ones = bitmap ? block.p : block.p + 8 * low;
    uint64_t n_bits = 64 * (bitmap ? used : high);
    for (uint64_t at_bit = 0; at_bit < n_bits; at_bit++) {
        if (!second_bit(ones, at_bit)) continue;
        EXPECT(i < n);
        uint64_t value = at_bit;
        if (!bitmap) {
            uint64_t lows = 0;
            for (uint64_t k = 0; k < l; k++) { /* bit k of value i                              */
                uint64_t in_lane = i / 8 * l + k;
                uint64_t where =
                    n == 256 ? 32 * (8 * (in_lane / 32) + i % 8) + in_lane % 32 : i * l + k;
                lows |= (uint64_t)second_bit(block.p, where) << k;
            }
            value = (at_bit - i) << l | lows;
        }
        docs[i++] = (uint32_t)(base + value);
    }
    EXPECT(i == n && docs[n - 1] == last);
    if (!bitmap && n != 256)
        EXPECT(field(block.p, n * l, 64 * low - n * l < 64 ? 64 * low - n * l : 0) == 0);
    return used;
}

static void read_sparse(walk *w, uint64_t n_words, uint64_t n_blocks)
{
    bytes *r = &w->region;
    EXPECT(n_blocks > 0 && n_blocks <= 4096);
    uint64_t start = r->at, words_at = second_align(start + 10 * n_blocks, 8), sum = 0, word = 0;
    EXPECT(start % 8 == 0);
    bytes words = second_part(r, words_at, 8 * n_words);
    for (uint64_t b = 0; b < n_blocks; b++) {
        bytes d = *r;
        uint64_t base = 0;
        if (b) {
            d.at = start + 4 * (b - 1);
            base = second_number(&d, 4) + 1;
        }
        d.at = start + 4 * b;
        uint64_t last = second_number(&d, 4);
        d.at = start + 4 * (n_blocks + b);
        EXPECT(second_number(&d, 4) == word);
        d.at = start + 8 * n_blocks + b;
        uint64_t n = second_number(&d, 1) + 1;
        EXPECT(sum + n <= w->list->df && last >= base && last < w->f->n_docs);
        word += read_ef(&words, word, n, base, last, w->list->docs + sum);
        w->block_of[b] = n;
        sum += n;
    }
    EXPECT(sum == w->list->df && word == n_words);
    w->n_blocks = n_blocks;
    r->at = start + 10 * n_blocks;
    second_zeros_to(r, 0, 8);
    r->at = words_at + 8 * n_words;
}

static void read_dense(walk *w)
{
    bytes *r = &w->region;
    uint64_t buckets = second_groups(w->f->n_docs, 512), n = 0;
    bytes bits = second_part(r, r->at, 64 * buckets);
    r->at += 64 * buckets;
    for (uint64_t b = 0; b < buckets; b++) {
        EXPECT(second_number(r, 4) == n);
        for (uint64_t doc = 512 * b; doc < 512 * (b + 1); doc++)
            if (second_bit(bits.p, doc)) {
                EXPECT(n < w->list->df && doc < w->f->n_docs);
                w->list->docs[n++] = (uint32_t)doc;
            }
    }
    EXPECT(n == w->list->df);
    r->at += buckets; /* maxima: compared when the impacts are known                        */
    second_zeros_to(r, 0, 8);
    w->n_blocks = second_groups(n, w->f->block_size);
    EXPECT(w->n_blocks <= 4096);
    for (uint64_t b = 0; b < w->n_blocks; b++)
        w->block_of[b] = n - b * w->f->block_size < w->f->block_size ? n - b * w->f->block_size
                                                                     : w->f->block_size;
}

static void read_impacts(walk *w)
{
    for (uint32_t i = 0; i < w->list->df; i++)
        w->list->impacts[i] = (uint8_t)second_number(&w->region, 1);
}

/* tf from impact and length; 0 for 255, which needs an exception. */
static void recover_tfs(walk *w)
{
    const file *f = w->f;
    for (uint32_t i = 0; i < w->list->df; i++) {
        double dl = f->dl[w->list->docs[i]],
               norm = f->k1 * ((1 - f->b) + (f->b * dl) / f->avgdl_ref);
        double impact = w->list->impacts[i], tf = floor((norm * impact) / (255 - impact) + 0.5);
        w->list->tfs[i] = impact == 255 ? 0 : tf < 1 ? 1 : (uint32_t)tf;
    }
}

static void set_exception(walk *w, uint64_t rank, uint64_t tf)
{
    EXPECT(rank < w->list->df && tf > 0 && tf != w->list->tfs[rank]);
    w->list->tfs[rank] = (uint32_t)tf;
}

static void read_small(walk *w)
{
    bytes *r = &w->region;
    uint64_t next = 0;
    for (uint32_t i = 0; i < w->list->df; i++) {
        next += second_varint(r);
        EXPECT(next < w->f->n_docs);
        w->list->docs[i] = (uint32_t)next++;
    }
    read_impacts(w);
    recover_tfs(w);
    next = 0;
    for (uint64_t n = second_varint(r); n--; next++) {
        next += second_varint(r);
        set_exception(w, next, second_varint(r));
    }
    w->n_blocks = 1;
    w->block_of[0] = w->list->df;
}

/* k-th largest impact, 0 when there are fewer. */
static unsigned kth_impact(const second_list *list, uint32_t k)
{
    for (unsigned v = 255; v > 0; v--) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < list->df; i++) n += list->impacts[i] >= v;
        if (n >= k) return v;
    }
    return 0;
}

/* Maxima of the blocks (sparse) or buckets (dense), which stand at `at`. */
static void compare_maxima(walk *w, bool dense, uint64_t at, uint64_t n)
{
    uint64_t rank = 0;
    for (uint64_t b = 0; b < n; b++) {
        uint8_t max = 0;
        for (uint64_t i = 0;
             dense ? rank < w->list->df && w->list->docs[rank] / 512 == b : i < w->block_of[b];
             i++, rank++)
            if (w->list->impacts[rank] > max) max = w->list->impacts[rank];
        EXPECT(w->region.p[at + b] == max);
    }
}

static void read_large(walk *w, bool dense)
{
    static const uint32_t wanted[4] = {1, 10, 100, 1000};
    bytes *r = &w->region;
    uint64_t buckets = second_groups(w->f->n_docs, 512);
    bytes maxima = second_part(r, 0, 4);
    r->at = 4;
    uint64_t n_exceptions = second_number(r, 4), n_words = second_number(r, 4),
             n_blocks = second_number(r, 4);
    if (dense) {
        EXPECT(n_words == 0 && n_blocks == 0);
        read_dense(w);
    } else {
        read_sparse(w, n_words, n_blocks);
    }
    read_impacts(w);
    second_zeros_to(r, 0, 8);
    recover_tfs(w);
    bytes ranks = second_part(r, r->at, 4 * n_exceptions),
          tfs = second_part(r, r->at + 4 * n_exceptions, 4 * n_exceptions);
    while (ranks.at < ranks.len) {
        uint64_t rank = second_number(&ranks, 4);
        set_exception(w, rank, second_number(&tfs, 4));
    }
    r->at += 8 * n_exceptions;
    for (unsigned k = 0; k < 4; k++)
        EXPECT(second_number(&maxima, 1) == kth_impact(w->list, wanted[k]));
    if (dense)
        compare_maxima(w, true, 16 + 68 * buckets, buckets);
    else
        compare_maxima(w, false, 16 + 9 * n_blocks, n_blocks);
}

/* ---- Positions, Forms --------------------------------------------------------------------- */

/* The string of n positions at bit `at`; the bit behind it. */
static uint64_t read_string(const bytes *b, uint64_t at, uint64_t n, uint64_t dl, uint32_t *out)
{
    uint64_t most = dl + 1, l = 0, width = 0;
    EXPECT(n <= most + 1);
    if (n == 1) {
        while (most >> width) width++;
        EXPECT(at + width <= 8 * b->len);
        out[0] = (uint32_t)field(b->p, at, width);
        EXPECT(out[0] <= most);
        return at + width;
    }
    while (most / n >> (l + 1)) l++;
    uint64_t high = at + n * l, end = high + n + (most >> l), i = 0;
    EXPECT(end <= 8 * b->len);
    for (uint64_t bit = high; bit < end; bit++) {
        if (!second_bit(b->p, bit)) continue;
        EXPECT(i < n);
        uint64_t position = (bit - high - i) << l | field(b->p, at + i * l, l);
        EXPECT(position <= most && (i == 0 || position > out[i - 1]));
        out[i++] = (uint32_t)position;
    }
    EXPECT(i == n);
    return end;
}

/* One block of n postings, the first of which has this rank; r stands behind it. */
static void read_position_block(walk *w, bytes *r, uint64_t rank, uint64_t n, uint32_t *out)
{
    uint64_t width = n > 16 ? second_number(r, 1) : 0, header = r->at, at = 0;
    EXPECT(n <= 16 || width == 2 || width == 4);
    if (n > 16) r->at += width * (second_groups(n, 16) - 1);
    bytes strings = second_part(r, r->at, r->len - r->at);
    for (uint64_t i = 0; i < n; i++) {
        if (i && i % 16 == 0) {
            bytes entry = second_part(r, header + width * (i / 16 - 1), width);
            EXPECT(second_number(&entry, (unsigned)width) == at);
        }
        uint32_t tf = w->list->tfs[rank + i];
        at = read_string(&strings, at, tf, w->f->dl[w->list->docs[rank + i]], out);
        out += tf;
    }
    if (at % 8) EXPECT(field(strings.p, at, 8 - at % 8) == 0);
    r->at += second_groups(at, 8);
}

static void read_positions(walk *w, bool small)
{
    bytes *r = &w->region;
    uint64_t rank = 0, at = 0, len = small ? 0 : second_number(r, 8), offsets = r->at;
    if (!small) r->at += 4 * w->n_blocks;
    uint64_t start = r->at;
    for (uint64_t b = 0; b < w->n_blocks; b++) {
        if (!small) {
            bytes entry = second_part(r, offsets + 4 * b, 4);
            EXPECT(second_number(&entry, 4) == r->at - start);
        }
        read_position_block(w, r, rank, w->block_of[b], w->list->positions + at);
        for (uint64_t i = 0; i < w->block_of[b]; i++) at += w->list->tfs[rank++];
    }
    EXPECT(small || r->at - start == len);
}

/* Bits of the forms, one at a time. */
typedef struct bit_walk {
    bytes codes;
    uint64_t at;
} bit_walk;

static uint64_t next_bits(bit_walk *b, uint64_t n)
{
    EXPECT(b->at + n <= 8 * b->codes.len);
    b->at += n;
    return field(b->codes.p, b->at - n, n);
}

static uint64_t next_zeros(bit_walk *b)
{
    uint64_t n = 0;
    while (!next_bits(b, 1)) n++;
    return n;
}

static uint64_t next_gamma(bit_walk *b)
{
    uint64_t h = next_zeros(b);
    EXPECT(h <= 32);
    return UINT64_C(1) << h | next_bits(b, h);
}

/* Zeros, and the number behind them unless the list ends; returns how many forms. */
static uint64_t read_run(bit_walk *b, uint64_t k, const second_list *list, uint64_t i)
{
    uint64_t zeros = next_zeros(b) << k;
    zeros += next_bits(b, k);
    EXPECT(zeros <= list->cf - i);
    if (i + zeros == list->cf) return zeros; /* forms are zeros already                      */
    list->forms[i + zeros] = list->n_forms > 2 ? (uint32_t)next_gamma(b) : 1;
    return zeros + 1;
}

static void read_form_codes(walk *w, bool small)
{
    bytes *r = &w->region;
    uint64_t n_bits = small ? 0 : second_number(r, 8);
    bit_walk b = {second_part(r, r->at, r->len - r->at), 0};
    uint64_t k = next_bits(&b, 4);
    for (uint64_t i = 0; i < w->list->cf;) {
        if (k < 15)
            i += read_run(&b, k, w->list, i);
        else
            w->list->forms[i++] = (uint32_t)(next_gamma(&b) - 1);
    }
    for (uint64_t i = 0; i < w->list->cf; i++) EXPECT(w->list->forms[i] < w->list->n_forms);
    EXPECT(small || b.at == n_bits);
    EXPECT(second_groups(b.at, 8) == b.codes.len &&
           field(b.codes.p, b.at, 8 * b.codes.len - b.at) == 0);
    r->at = r->len;
}

void second_read_list(file *f, second_list *list, bytes region)
{
    walk *w = second_room(1, sizeof *w);
    bool small = list->df <= f->block_size,
         dense = !small && list->df >= f->n_docs >> f->dense_shift;
    uint64_t cf = 0;
    w->f = f;
    w->list = list;
    w->region = region;
    list->docs = second_room(list->df, 4);
    list->tfs = second_room(list->df, 4);
    list->impacts = second_room(list->df, 1);
    if (small)
        read_small(w);
    else
        read_large(w, dense);
    for (uint32_t i = 0; i < list->df; i++) cf += list->tfs[i];
    EXPECT(cf == list->cf);
    list->positions = list->has_positions ? second_room(cf, 4) : NULL;
    list->forms = second_room(cf, 4);
    uint64_t positions_at = w->region.at;
    if (list->has_positions) read_positions(w, small);
    list->position_bytes = w->region.at - positions_at;
    list->form_bytes = w->region.len - w->region.at;
    if (list->n_forms > 1) read_form_codes(w, small);
    EXPECT(w->region.at == w->region.len);
    free(w);
}
