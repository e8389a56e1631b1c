/* SPDX-License-Identifier: MIT
 * odd_list.c - see odd_list.h.
 */
#include "tests/support/odd_list.h"

#include "common/base/hash.h"
#include "common/codec/ef.h"
#include "common/codec/ef_string.h"
#include "common/codec/runs.h"
#include "common/segment/layout.h"
#include "tests/support/folder.h"

/* ---- lists -------------------------------------------------------------------------------- */

uint32_t odd_lengths[ODD_DOCS + 1];

double odd_norm(uint32_t doc)
{
    static const segment_info info = {.k1 = 1.2, .b = 0.75, .avgdl_ref = 10};
    return segment_norm(&info, odd_lengths[doc]);
}

void odd_random(odd_list *l, uint32_t df, uint32_t first, uint64_t *random)
{
    uint32_t left = df, places = ODD_DOCS - first;
    *l = (odd_list){.df = df, .positions = true, .block_size = 8};
    for (uint32_t doc = first, i = 0; left; doc++, places--) {
        if (random_next(random) % places >= left) continue;
        l->docs[i] = doc;
        uint64_t kind = random_next(random) % 16, any = random_next(random);
        l->tfs[i] = (uint32_t)(kind == 0 ? ODD_TF_MAX - any % 10 : kind < 4 ? 1 + any % 5 : 1);
        for (uint32_t k = 0, at = 0; k < l->tfs[i]; k++, at++)
            l->places[i][k] = at += kind ? (uint32_t)(random_next(random) % 4) : 0;
        l->impacts[i] = impact_encode(l->tfs[i], odd_norm(doc));
        l->cf += l->tfs[i];
        left--;
        i++;
    }
    l->n_blocks = 1;
    l->sizes[0] = df;
}

void odd_without_positions(odd_list *l, uint64_t *random)
{
    l->positions = false;
    for (uint32_t i = 0; i < l->df; i++) {
        if (random_next(random) % 5) continue;
        l->cf -= l->tfs[i];
        l->tfs[i] = 1 + (uint32_t)(random_next(random) % (UINT64_C(1) << random_next(random) % 24));
        l->cf += l->tfs[i];
        l->impacts[i] = impact_encode(l->tfs[i], odd_norm(l->docs[i]));
    }
}

void odd_with_forms(odd_list *l, uint32_t n, uint64_t *random)
{
    if (l->cf > ODD_FORMS_MAX) return;
    l->n_forms = n;
    for (uint64_t i = 0; i < l->cf; i++)
        l->forms[i] = random_next(random) % 4 ? 0 : (uint32_t)(random_next(random) % n);
}

void odd_cut(odd_list *l, uint32_t least, uint32_t most, uint64_t *random)
{
    uint32_t left = l->df;
    for (l->n_blocks = 0; left; left -= l->sizes[l->n_blocks++]) {
        uint32_t n = least + (uint32_t)(random_next(random) % (most - least + 1));
        l->sizes[l->n_blocks] = n < left ? n : left;
    }
}

bool odd_exception(const odd_list *l, uint32_t i)
{
    return l->impacts[i] == 255 || impact_decode(l->impacts[i], odd_norm(l->docs[i])) != l->tfs[i];
}

/* ---- their bytes --------------------------------------------------------------------------- */

static void put_block(buf *out, const odd_list *l, uint32_t first, uint32_t n)
{
    uint8_t bits[SEGMENT_BLOCK_MAX * ODD_TF_MAX * 8 + 64] = {0};
    uint64_t at = 0;
    if (n > POSITION_GROUP) buf_u8(out, l->wide ? 4 : 2);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t most = layout_position_most(odd_lengths[l->docs[first + i]]);
        if (i && i % POSITION_GROUP == 0) buf_append(out, &at, l->wide ? 4 : 2);
        folder_must(ef_string_write(bits, at, l->places[first + i], l->tfs[first + i], most),
                    "list", "made");
        at += ef_string_size(l->tfs[first + i], most);
    }
    buf_append(out, bits, (size_t)layout_groups(at, 8));
}

static void put_exceptions(buf *out, const odd_list *l)
{
    for (unsigned of_tf = 0; of_tf < 2; of_tf++)
        for (uint32_t i = 0; i < l->df; i++)
            if (odd_exception(l, i)) buf_u32(out, of_tf ? l->tfs[i] : i);
}

static uint8_t maximum(const odd_list *l, uint32_t first, uint32_t n)
{
    uint8_t max = 0;
    for (uint32_t i = first; i < first + n; i++)
        if (l->impacts[i] > max) max = l->impacts[i];
    return max;
}

static uint32_t count_exceptions(const odd_list *l)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->df; i++) n += odd_exception(l, i);
    return n;
}

uint8_t odd_nth_largest(const odd_list *l, uint32_t nth)
{
    uint32_t above = 0;
    for (unsigned v = 255; v; v--) {
        for (uint32_t i = 0; i < l->df; i++) above += l->impacts[i] == v;
        if (above >= nth) return (uint8_t)v;
    }
    return 0;
}

static void put_head(buf *out, const odd_list *l, uint32_t words)
{
    for (uint32_t nth = 1; nth <= 1000; nth *= 10) buf_u8(out, odd_nth_largest(l, nth));
    buf_u32(out, count_exceptions(l));
    buf_u32(out, words);
    buf_u32(out, l->sparse ? l->n_blocks : 0);
}

static void put_sparse(buf *out, const odd_list *l)
{
    buf words = {0};
    uint32_t starts[ODD_DF_MAX], first = 0, base = 0;
    for (uint32_t b = 0; b < l->n_blocks; first += l->sizes[b++]) {
        ef_shape shape;
        uint32_t values[EF_BLOCK_MAX], n = l->sizes[b];
        uint64_t room[256] = {0};
        for (uint32_t i = 0; i < n; i++) values[i] = l->docs[first + i] - base;
        folder_must(ef_shape_of(n, values[n - 1], &shape), "list", "made");
        ef_encode(&shape, values, room);
        starts[b] = (uint32_t)(words.len / 8);
        buf_append(&words, room, 8 * (size_t)shape.words);
        base = l->docs[first + n - 1] + 1;
    }
    put_head(out, l, (uint32_t)(words.len / 8));
    first = 0;
    for (uint32_t b = 0; b < l->n_blocks; b++) buf_u32(out, l->docs[(first += l->sizes[b]) - 1]);
    for (uint32_t b = 0; b < l->n_blocks; b++) buf_u32(out, starts[b]);
    for (uint32_t b = 0; b < l->n_blocks; b++) buf_u8(out, (uint8_t)(l->sizes[b] - 1));
    first = 0;
    for (uint32_t b = 0; b < l->n_blocks; first += l->sizes[b++])
        buf_u8(out, maximum(l, first, l->sizes[b]));
    buf_pad(out, 8);
    buf_append(out, words.data, words.len);
    buf_free(&words);
}

static void put_dense(buf *out, const odd_list *l)
{
    enum { BUCKETS = (ODD_DOCS + 511) / 512 };
    uint64_t bits[BUCKETS * 8] = {0};
    uint32_t rank[BUCKETS + 1] = {0};
    uint8_t max[BUCKETS] = {0};
    for (uint32_t i = 0; i < l->df; i++) {
        uint32_t doc = l->docs[i];
        bits[doc / 64] |= UINT64_C(1) << doc % 64;
        for (uint32_t k = doc / 512 + 1; k <= BUCKETS; k++) rank[k]++;
        if (l->impacts[i] > max[doc / 512]) max[doc / 512] = l->impacts[i];
    }
    put_head(out, l, 0);
    buf_append(out, bits, sizeof bits);
    buf_append(out, rank, 4 * BUCKETS);
    buf_append(out, max, BUCKETS);
    buf_pad(out, 8);
}

void odd_put_large(buf *out, const odd_list *l)
{
    buf blocks = {0};
    uint32_t starts[ODD_DF_MAX], n_blocks = 0;
    if (l->sparse)
        put_sparse(out, l);
    else
        put_dense(out, l);
    buf_append(out, l->impacts, l->df);
    buf_pad(out, 8);
    put_exceptions(out, l);
    for (uint32_t first = 0; l->positions && first < l->df; n_blocks++) {
        uint32_t left = l->df - first, n = l->sparse ? l->sizes[n_blocks] : l->block_size;
        starts[n_blocks] = (uint32_t)blocks.len;
        put_block(&blocks, l, first, n < left ? n : left);
        first += n < left ? n : left;
    }
    if (l->positions) buf_u64(out, blocks.len);
    buf_append(out, starts, 4 * (size_t)n_blocks);
    buf_append(out, blocks.data, blocks.len);
    buf_reset(&blocks);
    if (l->n_forms > 1) buf_u64(out, runs_encode(&blocks, l->forms, l->cf, l->n_forms));
    buf_append(out, blocks.data, blocks.len);
    buf_free(&blocks);
}

void odd_put_small(buf *out, const odd_list *l, unsigned needless)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < l->df; next = l->docs[i++] + 1) {
        uint8_t gap[16] = {0};
        unsigned n = varint_encode(gap, l->docs[i] - next);
        if (needless) gap[n - 1] |= 128;
        for (unsigned k = 1; k < needless; k++) gap[n++] = 128;
        buf_append(out, gap, n + (needless > 0));
    }
    buf_append(out, l->impacts, l->df);
    buf_varint(out, count_exceptions(l));
    next = 0;
    for (uint32_t i = 0; i < l->df; i++) {
        if (!odd_exception(l, i)) continue;
        buf_varint(out, i - next);
        buf_varint(out, l->tfs[i]);
        next = i + 1;
    }
    if (l->positions) put_block(out, l, 0, l->df);
    if (l->n_forms > 1) runs_encode(out, l->forms, l->cf, l->n_forms);
}
