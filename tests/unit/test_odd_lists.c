/* SPDX-License-Identifier: MIT
 * test_odd_lists.c - posting lists that FORMAT.md allows and no writer makes: blocks of any sizes,
 * gaps with needless bytes; and ones that end too early, too late or lead elsewhere.  Lists are
 * made here from FORMAT.md, in a segment in memory, and read by every reader of lists.
 *
 * PM_TEST_SEED=n repeats one case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/codec/ef.h"
#include "common/segment/cursor.h"
#include "common/segment/layout.h"
#include "common/segment/positions.h"
#include "tests/support/bare_segment.h"

enum { DOCS = 3000, DF_MAX = 900, TF_MAX = 40, BLOCKS_MAX = DF_MAX };

/* ---- lists -------------------------------------------------------------------------------- */

typedef struct list {
    uint32_t df, docs[DF_MAX], tfs[DF_MAX], places[DF_MAX][TF_MAX];
    uint8_t impacts[DF_MAX];
    uint64_t cf;
    uint32_t n_blocks, sizes[BLOCKS_MAX]; /* together df                                   */
    bool sparse, positions;
    uint32_t block_size;
} list;

static uint32_t lengths[DOCS];

static double norm_of(uint32_t doc)
{
    static const segment_info info = {.k1 = 1.2, .b = 0.75, .avgdl_ref = 10};
    return segment_norm(&info, lengths[doc]);
}

/* df of the documents from `first` on. */
static void random_list(list *l, uint32_t df, uint32_t first, uint64_t *random)
{
    uint32_t left = df, places = DOCS - first;
    *l = (list){.df = df, .positions = true, .block_size = 8};
    for (uint32_t doc = first, i = 0; left; doc++, places--) {
        if (random_next(random) % places >= left) continue;
        l->docs[i] = doc;
        uint64_t kind = random_next(random) % 16, any = random_next(random);
        l->tfs[i] = (uint32_t)(kind == 0 ? TF_MAX - any % 10 : kind < 4 ? 1 + any % 5 : 1);
        for (uint32_t k = 0, at = 0; k < l->tfs[i]; k++, at++)
            l->places[i][k] = at += kind ? (uint32_t)(random_next(random) % 4) : 0;
        l->impacts[i] = impact_encode(l->tfs[i], norm_of(doc));
        l->cf += l->tfs[i];
        left--;
        i++;
    }
    l->n_blocks = 1;
    l->sizes[0] = df;
}

/* Without positions a word may be anywhere any number of times. */
static void without_positions(list *l, uint64_t *random)
{
    l->positions = false;
    for (uint32_t i = 0; i < l->df; i++) {
        if (random_next(random) % 5) continue;
        l->cf -= l->tfs[i];
        l->tfs[i] = 1 + (uint32_t)(random_next(random) % (UINT64_C(1) << random_next(random) % 24));
        l->cf += l->tfs[i];
        l->impacts[i] = impact_encode(l->tfs[i], norm_of(l->docs[i]));
    }
}

static void cut(list *l, uint32_t least, uint32_t most, uint64_t *random)
{
    uint32_t left = l->df;
    for (l->n_blocks = 0; left; left -= l->sizes[l->n_blocks++]) {
        uint32_t n = least + (uint32_t)(random_next(random) % (most - least + 1));
        l->sizes[l->n_blocks] = n < left ? n : left;
    }
}

static bool is_exception(const list *l, uint32_t i)
{
    return l->impacts[i] == 255 || impact_decode(l->impacts[i], norm_of(l->docs[i])) != l->tfs[i];
}

/* ---- their bytes --------------------------------------------------------------------------- */

static void put_block(buf *out, const list *l, uint32_t first, uint32_t n)
{
    uint8_t bits[SEGMENT_BLOCK_MAX * TF_MAX * 8 + 64] = {0};
    uint64_t at = 0;
    if (n > POSITION_GROUP) buf_u8(out, 2);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t most = layout_position_most(lengths[l->docs[first + i]]);
        if (i && i % POSITION_GROUP == 0) buf_u16(out, (uint16_t)at);
        assert_true(ef_string_write(bits, at, l->places[first + i], l->tfs[first + i], most));
        at += ef_string_size(l->tfs[first + i], most);
    }
    buf_append(out, bits, (size_t)layout_groups(at, 8));
}

static void put_exceptions(buf *out, const list *l)
{
    for (unsigned of_tf = 0; of_tf < 2; of_tf++)
        for (uint32_t i = 0; i < l->df; i++)
            if (is_exception(l, i)) buf_u32(out, of_tf ? l->tfs[i] : i);
}

static uint8_t maximum(const list *l, uint32_t first, uint32_t n)
{
    uint8_t max = 0;
    for (uint32_t i = first; i < first + n; i++)
        if (l->impacts[i] > max) max = l->impacts[i];
    return max;
}

static uint32_t count_exceptions(const list *l)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->df; i++) n += is_exception(l, i);
    return n;
}

/* The i-th largest impact, from 1; 0 when there are fewer. */
static uint8_t nth_largest(const list *l, uint32_t nth)
{
    uint32_t above = 0;
    for (unsigned v = 255; v; v--) {
        for (uint32_t i = 0; i < l->df; i++) above += l->impacts[i] == v;
        if (above >= nth) return (uint8_t)v;
    }
    return 0;
}

static void put_head(buf *out, const list *l, uint32_t words)
{
    for (uint32_t nth = 1; nth <= 1000; nth *= 10) buf_u8(out, nth_largest(l, nth));
    buf_u32(out, count_exceptions(l));
    buf_u32(out, words);
    buf_u32(out, l->sparse ? l->n_blocks : 0);
}

static void put_sparse(buf *out, const list *l)
{
    buf words = {0};
    uint32_t starts[BLOCKS_MAX], first = 0, base = 0;
    for (uint32_t b = 0; b < l->n_blocks; first += l->sizes[b++]) {
        ef_shape shape;
        uint32_t values[EF_BLOCK_MAX], n = l->sizes[b];
        uint64_t room[256] = {0};
        for (uint32_t i = 0; i < n; i++) values[i] = l->docs[first + i] - base;
        assert_true(ef_shape_of(n, values[n - 1], &shape));
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

static void put_dense(buf *out, const list *l)
{
    enum { BUCKETS = (DOCS + 511) / 512 };
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

static void put_large(buf *out, const list *l)
{
    buf blocks = {0};
    uint32_t starts[BLOCKS_MAX], n_blocks = 0;
    if (l->sparse)
        put_sparse(out, l);
    else
        put_dense(out, l);
    buf_append(out, l->impacts, l->df);
    buf_pad(out, 8);
    put_exceptions(out, l);
    if (!l->positions) return;
    for (uint32_t first = 0; first < l->df; n_blocks++) {
        uint32_t left = l->df - first, n = l->sparse ? l->sizes[n_blocks] : l->block_size;
        starts[n_blocks] = (uint32_t)blocks.len;
        put_block(&blocks, l, first, n < left ? n : left);
        first += n < left ? n : left;
    }
    buf_u64(out, blocks.len);
    buf_append(out, starts, 4 * (size_t)n_blocks);
    buf_append(out, blocks.data, blocks.len);
    buf_free(&blocks);
}

/* needless: bytes more in each gap. */
static void put_small(buf *out, const list *l, unsigned needless)
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
        if (!is_exception(l, i)) continue;
        buf_varint(out, i - next);
        buf_varint(out, l->tfs[i]);
        next = i + 1;
    }
    if (l->positions) put_block(out, l, 0, l->df);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* The list as the only one of a segment; *entry names it. */
static segment *open_list(bare_segment *bare, const list *l, const buf *region, term_entry *entry)
{
    bare_begin(bare, DOCS);
    bare->s.info.block_size = l->block_size;
    bare->s.info.dense_shift = l->sparse ? 0 : 31;
    bare_lengths(bare, lengths);
    bare_section(bare, SECTION_POSTINGS, region->data, region->len);
    *entry =
        (term_entry){.df = l->df, .cf = l->cf, .has_positions = l->positions, .len = region->len};
    return bare_done(bare);
}

static void expect_posting(const list *l, cursor *c, uint32_t i)
{
    uint32_t out[TF_MAX + 1];
    assert_int_equal(c->doc, l->docs[i]);
    assert_int_equal(c->rank, i);
    assert_int_equal(cursor_tf(c), l->tfs[i]);
    assert_int_equal(cursor_impact(c), l->impacts[i]);
    if (!l->positions) return;
    assert_int_equal(cursor_positions(c, out, TF_MAX), l->tfs[i]);
    for (uint32_t k = 0; k < l->tfs[i]; k++) assert_int_equal(out[k], l->places[i][k]);
    assert_int_equal(cursor_tf(c), l->tfs[i]);
}

static void walk(const list *l, segment *s, const term_entry *entry, uint32_t step)
{
    cursor c;
    cursor_open(&c, s, entry);
    for (uint32_t i = 0; i < l->df; i++) {
        assert_int_equal(cursor_next(&c), l->docs[i]);
        if (i % step == 0) expect_posting(l, &c, i);
    }
    assert_int_equal(cursor_next(&c), CURSOR_END);
    assert_int_equal(cursor_next(&c), CURSOR_END);
    assert_int_equal(cursor_tf(&c), 0);
}

static void seek(const list *l, segment *s, const term_entry *entry, uint32_t most, bool look,
                 uint64_t *random)
{
    cursor c;
    cursor_open(&c, s, entry);
    for (uint32_t i = 0, target = 0; c.doc != CURSOR_END || !target;) {
        target += (uint32_t)(random_next(random) % most) + 1;
        while (i < l->df && l->docs[i] < target) i++;
        uint32_t want = i < l->df ? l->docs[i] : CURSOR_END;
        assert_int_equal(cursor_seek(&c, target), want);
        assert_int_equal(cursor_seek(&c, target / 2), want);
        if (i == l->df) return;
        if (look) expect_posting(l, &c, i);
        if (random_next(random) % 3) continue;
        want = ++i < l->df ? l->docs[i] : CURSOR_END;
        assert_int_equal(cursor_next(&c), want);
        if (i < l->df) expect_posting(l, &c, i);
        target = want == CURSOR_END ? DOCS : want;
    }
}

static void blocks(const list *l, segment *s, const term_entry *entry)
{
    postings p;
    uint32_t rank = 0, n;
    assert_true(postings_open(&p, s, entry));
    assert_int_equal(p.impact_max, nth_largest(l, 1));
    assert_int_equal(p.kth[0], nth_largest(l, 10));
    assert_int_equal(p.kth[1], nth_largest(l, 100));
    assert_int_equal(p.kth[2], nth_largest(l, 1000));
    for (uint32_t b = 0; b < p.n_blocks; b++, rank += n) {
        uint32_t out[SEGMENT_BLOCK_MAX];
        assert_int_equal(postings_block_rank(&p, b), rank);
        n = postings_decode_block(&p, b, out);
        assert_true(n > 0 && rank + n <= l->df);
        assert_int_equal(n, l->sparse ? l->sizes[b] : n);
        for (uint32_t i = 0; i < n; i++) assert_int_equal(out[i], l->docs[rank + i]);
    }
    assert_int_equal(rank, l->df);
    if (p.kind != POSTINGS_SMALL) assert_int_equal(postings_block_rank(&p, p.n_blocks), l->df);
    for (uint32_t first = 0; first < l->df; first++) {
        uint32_t out[POSTINGS_TF_MAX], most = l->df - first, at = first % 7;
        n = most < POSTINGS_TF_MAX ? most : POSTINGS_TF_MAX;
        postings_tfs(&p, first, n, l->docs + first, out);
        for (uint32_t i = 0; i < n; i++) assert_int_equal(out[i], l->tfs[first + i]);
        assert_int_equal(postings_tf(&p, first, lengths[l->docs[first]]), l->tfs[first]);
        memset(out, 0, sizeof out);
        postings_exceptions(&p, first, n, &at, out);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(out[i], is_exception(l, first + i) ? l->tfs[first + i] : 0);
    }
    assert_int_equal(postings_tf(&p, l->df, 1), 0);
    assert_int_equal(postings_decode_block(&p, p.n_blocks, NULL), 0);
}

/* Some postings at a time: ranks that rise by chance, none, or one that is not there. */
static void places(const list *l, segment *s, const term_entry *entry, uint64_t *random)
{
    static position_scratch scratch;
    postings p;
    position_reader r;
    uint32_t ranks[POSITION_BATCH], docs[POSITION_BATCH], out[TF_MAX];
    position_place found[POSITION_BATCH];
    assert_true(postings_open(&p, s, entry));
    position_reader_open(&r, &p, l->docs);
    for (unsigned round = 0; round < 30; round++) {
        uint32_t n = 0, step = 1 + (uint32_t)(random_next(random) % 40);
        for (uint32_t rank = (uint32_t)(random_next(random) % 20); n < POSITION_BATCH;
             rank += (uint32_t)(random_next(random) % step + (round % 4 > 0))) {
            if (rank > l->df + 2) break;
            ranks[n] = rank;
            docs[n++] = rank < l->df ? l->docs[rank] : DOCS;
        }
        positions_find(&r, &scratch, ranks, docs, n, found);
        for (uint32_t i = 0; i < n; i++) {
            assert_int_equal(found[i].tf, ranks[i] < l->df ? l->tfs[ranks[i]] : 0);
            if (!found[i].tf) continue;
            assert_true(position_read(&r, &found[i], out));
            for (uint32_t k = 0; k < found[i].tf; k++)
                assert_int_equal(out[k], l->places[ranks[i]][k]);
        }
    }
}

static void expect_list(const list *l, const buf *region, uint64_t *random)
{
    bare_segment bare;
    term_entry entry;
    segment *s = open_list(&bare, l, region, &entry);
    blocks(l, s, &entry);
    for (uint32_t step = 1; step < 40; step += 6) walk(l, s, &entry, step);
    for (uint32_t most = 1; most < 2 * DOCS; most *= 4) {
        seek(l, s, &entry, most, true, random);
        seek(l, s, &entry, most, false, random);
    }
    if (l->positions) places(l, s, &entry, random);
    assert_false(bare_damaged(&bare));
    bare_free(&bare);
}

/* Who reads all of a list has looked at each of its pages. */
static void expect_touched(const list *l, const buf *region)
{
    bare_segment bare;
    term_entry entry;
    segment *s = open_list(&bare, l, region, &entry);
    uint64_t start = s->info.sections[SECTION_POSTINGS].off, end = start + region->len;
    for (uint64_t page = segment_page_of(&s->info, start);
         page <= segment_page_of(&s->info, end - 1); page++) {
        cursor c;
        uint32_t out[TF_MAX];
        bare_page(&bare, page, false);
        cursor_open(&c, s, &entry);
        while (cursor_next(&c) != CURSOR_END) cursor_positions(&c, out, TF_MAX);
        assert_true(bare_damaged(&bare));
        bare_page(&bare, page, true);
    }
    bare_free(&bare);
}

/* As it is, and cut at any length or longer: nothing else is taken for it. */
static void expect_whole(const list *l, buf *region)
{
    bare_segment bare;
    term_entry entry;
    postings p;
    segment *s = open_list(&bare, l, region, &entry);
    uint64_t whole = entry.len;
    for (entry.len = 0; entry.len <= whole; entry.len++) {
        bool opened = postings_open(&p, s, &entry);
        bool may = l->positions && l->df <= l->block_size; /* positions are not counted yet  */
        if (entry.len == whole)
            assert_true(opened);
        else if (!may)
            assert_false(opened);
        if (!opened) assert_true(!p.df && !p.n_blocks && p.s == s && p.n_docs == DOCS);
        assert_int_equal(bare_damaged(&bare), !opened);
    }
    bare_free(&bare);
    buf_u8(region, 0);
    s = open_list(&bare, l, region, &entry);
    bool may = l->positions && l->df <= l->block_size;
    for (uint32_t forms = 0; forms < 2; forms++) {
        entry.n_forms = forms;
        assert_int_equal(postings_open(&p, s, &entry), may);
        assert_int_equal(bare_damaged(&bare), !may);
    }
    bare_free(&bare);
}

static void any_blocks(void **state)
{
    (void)state;
    const char *chosen = getenv("PM_TEST_SEED");
    uint64_t first = chosen ? strtoull(chosen, NULL, 10) : 1, last = chosen ? first : 40;
    static list l;
    for (uint64_t seed = first; seed <= last; seed++) {
        static const uint32_t sizes[][2] = {{1, 256}, {1, 8}, {1, 16}, {8, 8}, {7, 7}, {17, 40}};
        static const uint32_t of_block[] = {8, 16, 24, 40, 256};
        uint64_t random = seed;
        buf region = {0};
        for (uint32_t doc = 0; doc < DOCS; doc++)
            lengths[doc] = 40 + (uint32_t)(random_next(&random) % 60);
        print_message("PM_TEST_SEED=%llu\n", (unsigned long long)seed);
        random_list(&l, 41 + (uint32_t)(random_next(&random) % 800), (uint32_t)(seed % 3) * 600,
                    &random);
        l.sparse = seed % 4 != 0;
        if (seed % 5 == 0) without_positions(&l, &random);
        l.block_size = of_block[seed / 3 % 5];
        if (l.df <= l.block_size) l.block_size = 8;
        if (l.sparse) cut(&l, sizes[seed % 6][0], sizes[seed % 6][1], &random);
        if (seed % 7 == 1) cut(&l, l.block_size, l.block_size, &random);
        if (seed % 7 == 2 && l.block_size <= 40) { /* all of one size, but the last is larger */
            cut(&l, l.block_size, l.block_size, &random);
            l.n_blocks--;
            l.sizes[l.n_blocks - 1] += l.sizes[l.n_blocks];
        }
        put_large(&region, &l);
        assert_false(region.failed);
        expect_list(&l, &region, &random);
        expect_touched(&l, &region);
        expect_whole(&l, &region);
        buf_free(&region);
    }
}

static void short_lists(void **state)
{
    (void)state;
    static list l;
    uint64_t random = 5;
    for (uint32_t doc = 0; doc < DOCS; doc++) lengths[doc] = 40 + doc % 60;
    for (uint32_t i = 1; i <= 40; i++)
        for (unsigned needless = 0; needless < 9; needless++) {
            static const uint32_t longer[] = {99, 100, 101, 255, 256};
            uint32_t df = i <= 35 ? i : longer[i - 36];
            buf region = {0};
            random_list(&l, df, needless % 2 ? DOCS - df : 0, &random);
            l.docs[0] = needless % 2 ? l.docs[0] : 0; /* the first document, and the last */
            l.impacts[0] = impact_encode(l.tfs[0], norm_of(l.docs[0]));
            l.block_size = df < 8 ? 8 : df;
            if (df % 3 == 0) without_positions(&l, &random);
            put_small(&region, &l, needless);
            assert_false(region.failed);
            expect_list(&l, &region, &random);
            expect_whole(&l, &region);
            buf_free(&region);
        }
}

/* Gaps that lead to a document that there is not, with or without needless bytes. */
static void beyond_the_documents(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        bare_segment bare;
        term_entry entry;
        postings p;
        uint32_t out[SEGMENT_BLOCK_MAX];
        list l = {.df = 2, .cf = 2, .block_size = 8};
        buf region = {0};
        buf_append(&region, way < 2 ? "\0" : "\x80\x80\x80\x80\x80\x80\x80\0", way < 2 ? 1 : 8);
        buf_varint(&region, DOCS - 2 + way % 2); /* document DOCS - 1, or DOCS */
        buf_append(&region, "\x01\x01", 2);
        buf_u8(&region, 0);
        segment *s = open_list(&bare, &l, &region, &entry);
        assert_true(postings_open(&p, s, &entry));
        assert_int_equal(postings_decode_block(&p, 0, out), way % 2 ? 0 : 2);
        assert_int_equal(bare_damaged(&bare), way % 2);
        bare_free(&bare);
        buf_free(&region);
    }
}

/* What a dictionary may say of a list, and what it may not. */
static void entries(void **state)
{
    (void)state;
    static list l;
    uint64_t random = 9;
    for (uint32_t doc = 0; doc < DOCS; doc++) lengths[doc] = 30;
    for (unsigned kind = 0; kind < 3; kind++) {
        bare_segment bare;
        term_entry entry;
        postings p;
        buf region = {0};
        random_list(&l, 40, 0, &random);
        l.sparse = kind == 1;
        l.block_size = kind ? 8 : 40;
        l.positions = false;
        cut(&l, 8, 8, &random);
        if (kind)
            put_large(&region, &l);
        else
            put_small(&region, &l, 0);
        segment *s = open_list(&bare, &l, &region, &entry);
        const term_entry good = entry;
        for (unsigned way = 0; way < 9; way++) {
            entry = good;
            if (way == 1) entry.off = good.len + 1;
            if (way == 2) entry.len++;
            if (way == 3) entry.off = UINT64_MAX;
            if (way == 4) entry.len = UINT64_MAX;
            if (way == 5) entry.df = 0;
            if (way == 6) entry.cf = entry.df - 1u;
            if (way == 7) entry.df = DOCS + 1, entry.cf = 2 * DOCS;
            if (way == 8) entry.off = entry.len, entry.len = 0;
            assert_int_equal(postings_open(&p, s, &entry), way == 0);
            assert_int_equal(bare_damaged(&bare), way != 0);
            assert_true(way == 0 || (!p.df && !p.n_blocks));
        }
        bare_free(&bare);
        buf_free(&region);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_blocks),
        cmocka_unit_test(short_lists),
        cmocka_unit_test(beyond_the_documents),
        cmocka_unit_test(entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
