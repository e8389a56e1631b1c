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
#include "common/segment/cursor.h"
#include "common/segment/layout.h"
#include "common/segment/positions.h"
#include "tests/support/bare_segment.h"
#include "tests/support/odd_list.h"

/* ---- reading -------------------------------------------------------------------------------- */

/* The list as the only one of a segment, behind so many bytes; *entry names it. */
static segment *open_behind(bare_segment *bare, const odd_list *l, const buf *region, size_t behind,
                            term_entry *entry)
{
    buf filled = {0};
    bare_begin(bare, ODD_DOCS);
    bare->s.info.block_size = l->block_size;
    bare->s.info.dense_shift = l->sparse ? 0 : 31;
    bare_lengths(bare, odd_lengths);
    buf_zero(&filled, behind);
    buf_append(&filled, region->data, region->len);
    bare_section(bare, SECTION_POSTINGS, filled.data, filled.len);
    buf_free(&filled);
    *entry = (term_entry){.df = l->df,
                          .cf = l->cf,
                          .has_positions = l->positions,
                          .n_forms = l->n_forms,
                          .off = behind,
                          .len = region->len};
    return bare_done(bare);
}

static segment *open_list(bare_segment *bare, const odd_list *l, const buf *region,
                          term_entry *entry)
{
    return open_behind(bare, l, region, 0, entry);
}

static void expect_posting(const odd_list *l, cursor *c, uint32_t i)
{
    uint32_t out[ODD_TF_MAX + 1];
    assert_int_equal(c->doc, l->docs[i]);
    assert_int_equal(c->rank, i);
    assert_int_equal(cursor_tf(c), l->tfs[i]);
    assert_int_equal(cursor_impact(c), l->impacts[i]);
    if (!l->positions) return;
    assert_int_equal(cursor_positions(c, out, ODD_TF_MAX), l->tfs[i]);
    for (uint32_t k = 0; k < l->tfs[i]; k++) assert_int_equal(out[k], l->places[i][k]);
    assert_int_equal(cursor_tf(c), l->tfs[i]);
}

static void walk(const odd_list *l, segment *s, const term_entry *entry, uint32_t step)
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

static void seek(const odd_list *l, segment *s, const term_entry *entry, uint32_t most, bool look,
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
        target = want == CURSOR_END ? ODD_DOCS : want;
    }
}

/* All blocks but the last are of the writer's size, and the last is not larger. */
static bool is_uniform(const odd_list *l)
{
    for (uint32_t b = 0; b + 1 < l->n_blocks; b++)
        if (l->sizes[b] != l->block_size) return false;
    return l->n_blocks == 1 || l->sizes[l->n_blocks - 1] <= l->block_size;
}

static void blocks(const odd_list *l, segment *s, const term_entry *entry)
{
    postings p;
    uint32_t rank = 0, n;
    assert_true(postings_open(&p, s, entry));
    if (p.kind == POSTINGS_SPARSE) assert_int_equal(p.uniform, is_uniform(l));
    assert_int_equal(p.impact_max, odd_nth_largest(l, 1));
    assert_int_equal(p.kth[0], odd_nth_largest(l, 10));
    assert_int_equal(p.kth[1], odd_nth_largest(l, 100));
    assert_int_equal(p.kth[2], odd_nth_largest(l, 1000));
    for (uint32_t b = 0; b < p.n_blocks; b++, rank += n) {
        uint32_t out[SEGMENT_BLOCK_MAX];
        assert_int_equal(postings_block_rank(&p, b), rank);
        n = postings_decode_block(&p, b, out);
        assert_true(n > 0 && rank + n <= l->df);
        assert_int_equal(n, l->sparse ? l->sizes[b] : n);
        for (uint32_t i = 0; i < n; i++) assert_int_equal(out[i], l->docs[rank + i]);
    }
    assert_int_equal(rank, l->df);
    assert_int_equal(postings_block_rank(&p, p.n_blocks), l->df);
    for (uint32_t first = 0; first < l->df; first++) {
        uint32_t out[POSTINGS_TF_MAX], most = l->df - first, at = first % 7;
        n = most < POSTINGS_TF_MAX ? most : POSTINGS_TF_MAX;
        postings_tfs(&p, first, n, l->docs + first, out);
        for (uint32_t i = 0; i < n; i++) assert_int_equal(out[i], l->tfs[first + i]);
        assert_int_equal(postings_tf(&p, first, odd_lengths[l->docs[first]]), l->tfs[first]);
        memset(out, 0, sizeof out);
        postings_exceptions(&p, first, n, &at, out);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(out[i], odd_exception(l, first + i) ? l->tfs[first + i] : 0);
    }
    assert_int_equal(postings_tf(&p, l->df, 1), 0);
    assert_int_equal(postings_decode_block(&p, p.n_blocks, NULL), 0);
}

/* Some postings at a time: ranks that rise by chance, none, or one that is not there. */
static void places(const odd_list *l, segment *s, const term_entry *entry, uint64_t *random)
{
    static position_scratch scratch;
    postings p;
    position_reader r;
    uint32_t ranks[POSITION_BATCH], docs[POSITION_BATCH], out[ODD_TF_MAX];
    position_place found[POSITION_BATCH];
    assert_true(postings_open(&p, s, entry));
    memset(&r, 0xff, sizeof r);
    position_reader_open(&r, &p, l->docs);
    for (unsigned round = 0; round < 30; round++) {
        uint32_t n = 0, step = 1 + (uint32_t)(random_next(random) % 40);
        for (uint32_t rank = (uint32_t)(random_next(random) % 20); n < POSITION_BATCH;
             rank += (uint32_t)(random_next(random) % step + (round % 4 > 0))) {
            if (rank > l->df + 2) break;
            bool wrong = random_next(random) % 10 == 0; /* no document                        */
            ranks[n] = rank;
            docs[n++] = rank < l->df && !wrong ? l->docs[rank] : ODD_DOCS;
        }
        positions_find(&r, &scratch, ranks, docs, n, found);
        for (uint32_t i = 0; i < n; i++) {
            assert_int_equal(found[i].tf, docs[i] < ODD_DOCS ? l->tfs[ranks[i]] : 0);
            if (!found[i].tf) continue;
            assert_true(position_read(&r, &found[i], out));
            for (uint32_t k = 0; k < found[i].tf; k++)
                assert_int_equal(out[k], l->places[ranks[i]][k]);
        }
    }
}

/* One by one, and some at a time. */
static void forms(const odd_list *l, segment *s, const term_entry *entry)
{
    static uint32_t out[ODD_FORMS_MAX];
    postings p;
    form_stream f;
    assert_true(postings_open(&p, s, entry));
    form_stream_open(&f, &p);
    for (uint64_t i = 0; i < l->cf; i++) assert_int_equal(form_stream_next(&f), l->forms[i]);
    form_stream_open(&f, &p);
    for (uint64_t i = 0, n; i < l->cf; i += n) {
        n = l->cf - i < 1 + i / 2 ? l->cf - i : 1 + i / 2;
        memset(out, 0xff, sizeof out);
        assert_true(form_stream_read(&f, out, n));
        assert_memory_equal(out, l->forms + i, n * sizeof *out);
    }
}

static void expect_list(const odd_list *l, const buf *region, uint64_t *random)
{
    bare_segment bare;
    term_entry entry;
    segment *s = open_list(&bare, l, region, &entry);
    blocks(l, s, &entry);
    for (uint32_t step = 1; step < 40; step += 6) walk(l, s, &entry, step);
    for (uint32_t most = 1; most < 2 * ODD_DOCS; most *= 4) {
        seek(l, s, &entry, most, true, random);
        seek(l, s, &entry, most, false, random);
    }
    if (l->positions) places(l, s, &entry, random);
    if (l->n_forms) forms(l, s, &entry);
    assert_false(bare_damaged(&bare));
    bare_free(&bare);
}

/* Who reads all of a list has looked at each of its pages, wherever one begins. */
static void expect_touched(const odd_list *l, const buf *region, size_t step)
{
    for (size_t behind = 0; behind < 4096; behind += step) {
        bare_segment bare;
        term_entry entry;
        segment *s = open_behind(&bare, l, region, behind, &entry);
        uint64_t start = s->info.sections[SECTION_POSTINGS].off + behind, end = start + region->len;
        for (uint64_t page = segment_page_of(&s->info, start);
             page <= segment_page_of(&s->info, end - 1); page++) {
            cursor c;
            form_stream f;
            uint32_t out[ODD_TF_MAX];
            bare_page(&bare, page, false);
            cursor_open(&c, s, &entry);
            while (cursor_next(&c) != CURSOR_END) cursor_positions(&c, out, ODD_TF_MAX);
            form_stream_open(&f, &c.list);
            for (uint64_t i = 0; l->n_forms && i < l->cf; i++) form_stream_next(&f);
            assert_true(bare_damaged(&bare));
            bare_page(&bare, page, true);
        }
        bare_free(&bare);
    }
}

/* As it is, and cut at any length or longer: nothing else is taken for it. */
static void expect_whole(const odd_list *l, buf *region)
{
    if (l->n_forms > 1) return; /* whose bits are not counted before they are read                */
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
        if (!opened) assert_true(!p.df && !p.n_blocks && p.s == s && p.n_docs == ODD_DOCS);
        assert_int_equal(bare_damaged(&bare), !opened);
    }
    bare_free(&bare);
    buf_u8(region, 0);
    s = open_list(&bare, l, region, &entry);
    bool may = l->positions && l->df <= l->block_size;
    for (uint32_t n = 0; n < 2; n++) {
        entry.n_forms = n;
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
    static odd_list l;
    for (uint64_t seed = first; seed <= last; seed++) {
        static const uint32_t sizes[][2] = {{1, 256}, {1, 8}, {1, 16}, {8, 8}, {7, 7}, {17, 40}};
        static const uint32_t of_block[] = {8, 16, 24, 40, 256, 15, 31};
        uint64_t random = seed;
        buf region = {0};
        for (uint32_t doc = 0; doc < ODD_DOCS; doc++)
            odd_lengths[doc] = 40 + (uint32_t)(random_next(&random) % 60);
        print_message("PM_TEST_SEED=%llu\n", (unsigned long long)seed);
        uint32_t block = of_block[seed / 3 % 7], df = 41 + (uint32_t)(random_next(&random) % 800);
        if (df <= block) block = 8;
        if (seed % 7 == 2) df = 3 * block + 1;
        if (seed % 8 == 4)
            df = 960; /* all of the last documents: a bucket is full                */
        odd_random(&l, df, df == 960 ? ODD_DOCS - df : (uint32_t)(seed % 3) * 600, &random);
        l.sparse = seed % 4 != 0;
        l.wide = seed % 2;
        l.block_size = block;
        if (seed % 5 == 0) odd_without_positions(&l, &random);
        if (l.sparse) odd_cut(&l, sizes[seed % 6][0], sizes[seed % 6][1], &random);
        if (seed % 7 == 1) odd_cut(&l, l.block_size, l.block_size, &random);
        if (seed % 7 == 2 && block < 256) { /* the last is larger than the others */
            odd_cut(&l, l.block_size, l.block_size, &random);
            l.n_blocks--;
            l.sizes[l.n_blocks - 1] += l.sizes[l.n_blocks];
        }
        if (seed % 3 == 1) odd_with_forms(&l, 1 + (uint32_t)(seed % 4) * 7, &random);
        odd_put_large(&region, &l);
        assert_false(region.failed);
        expect_list(&l, &region, &random);
        expect_touched(&l, &region, seed < 9 ? 64 : 2048);
        expect_whole(&l, &region);
        buf_free(&region);
    }
}

static void short_lists(void **state)
{
    (void)state;
    static odd_list l;
    uint64_t random = 5;
    for (uint32_t doc = 0; doc < ODD_DOCS; doc++) odd_lengths[doc] = 40 + doc % 60;
    for (uint32_t i = 1; i <= 40; i++)
        for (unsigned needless = 0; needless < 9; needless++) {
            static const uint32_t longer[] = {99, 100, 101, 255, 256};
            uint32_t df = i <= 35 ? i : longer[i - 36];
            buf region = {0};
            odd_random(&l, df, needless % 2 ? ODD_DOCS - df : 0, &random);
            l.docs[0] = needless % 2 ? l.docs[0] : 0; /* the first document, and the last */
            l.impacts[0] = impact_encode(l.tfs[0], odd_norm(l.docs[0]));
            l.block_size = df < 8 ? 8 : df;
            if (df % 3 == 0) odd_without_positions(&l, &random);
            if (needless % 3 == 1) odd_with_forms(&l, 1 + i % 4, &random);
            odd_put_small(&region, &l, needless);
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
        odd_list l = {.df = 2, .cf = 2, .block_size = 8};
        buf region = {0};
        buf_append(&region, way < 2 ? "\0" : "\x80\x80\x80\x80\x80\x80\x80\0", way < 2 ? 1 : 8);
        buf_varint(&region, ODD_DOCS - 2 + way % 2); /* document ODD_DOCS - 1, or ODD_DOCS */
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
    static odd_list l;
    uint64_t random = 9;
    for (uint32_t doc = 0; doc < ODD_DOCS; doc++) odd_lengths[doc] = 30;
    for (unsigned kind = 0; kind < 3; kind++) {
        bare_segment bare;
        term_entry entry;
        postings p;
        buf region = {0};
        odd_random(&l, 40, 0, &random);
        l.sparse = kind == 1;
        l.block_size = kind ? 8 : 40;
        l.positions = false;
        odd_cut(&l, 8, 8, &random);
        if (kind)
            odd_put_large(&region, &l);
        else
            odd_put_small(&region, &l, 0);
        segment *s = open_list(&bare, &l, &region, &entry);
        const term_entry good = entry;
        for (unsigned way = 0; way < 10; way++) {
            entry = good;
            if (way == 1) entry.off = good.len + 1;
            if (way == 2) entry.len++;
            if (way == 3) entry.off = UINT64_MAX;
            if (way == 4) entry.len = UINT64_MAX;
            if (way == 5) entry.df = 0;
            if (way == 6) entry.cf = entry.df - 1u;
            if (way == 7) entry.df = ODD_DOCS + 1, entry.cf = 2 * ODD_DOCS;
            if (way == 8) entry.off = entry.len, entry.len = 0;
            if (way == 9) entry.off = 8;
            assert_int_equal(postings_open(&p, s, &entry), way == 0);
            assert_int_equal(bare_damaged(&bare), way != 0);
            assert_true(way == 0 || (!p.df && !p.n_blocks));
        }
        bare_free(&bare);
        buf_free(&region);
    }
}

/* Where the third group of a block begins. */
static void put_offset(const odd_list *l, uint32_t first, uint8_t *out)
{
    uint64_t at = 0;
    for (uint32_t i = first; i < first + 32; i++)
        at += ef_string_size(l->tfs[i], layout_position_most(odd_lengths[l->docs[i]]));
    store_u16(out, (uint16_t)at);
}

/* None of the postings [first, end) has positions that can be read; of the others all can. */
static void expect_lost(bare_segment *bare, const odd_list *l, const term_entry *entry,
                        uint32_t first, uint32_t end)
{
    static position_scratch scratch;
    cursor c;
    postings p;
    position_reader r;
    segment *s = &bare->s;
    assert_true(postings_open(&p, s, entry));
    position_reader_open(&r, &p, l->docs);
    cursor_open(&c, s, entry);
    for (uint32_t i = 0; i < l->df; i++) {
        uint32_t out[ODD_TF_MAX];
        bool lost = i >= first && i < end;
        position_place place = {.tf = 77};
        cursor_next(&c);
        assert_int_equal(cursor_positions(&c, out, ODD_TF_MAX), lost ? 0 : l->tfs[i]);
        assert_int_equal(bare_damaged(bare), lost);
        positions_find(&r, &scratch, &i, &l->docs[i], 1, &place);
        assert_int_equal(place.tf, lost ? 0 : l->tfs[i]);
        assert_int_equal(bare_damaged(bare), lost);
    }
}

/* Offsets of blocks, and widths and offsets of their groups, that lead elsewhere. */
static void positions_elsewhere(void **state)
{
    (void)state;
    enum { BLOCK = 40, DF = 200, BLOCKS = DF / BLOCK };
    static odd_list l;
    uint64_t random = 3;
    for (uint32_t doc = 0; doc < ODD_DOCS; doc++) odd_lengths[doc] = 40 + doc % 60;
    for (unsigned sparse = 0; sparse < 2; sparse++) {
        bare_segment bare;
        term_entry entry;
        buf region = {0};
        odd_random(&l, DF, 0, &random);
        l.sparse = sparse;
        l.block_size = BLOCK;
        odd_cut(&l, BLOCK, BLOCK, &random);
        odd_put_large(&region, &l);
        segment *s = open_list(&bare, &l, &region, &entry);
        postings p;
        assert_true(postings_open(&p, s, &entry));
        uint8_t *all = bare.bytes.data;
        uint64_t offsets = (uint64_t)(p.position_dir.data - all),
                 bytes = (uint64_t)(p.position_bytes.data - all), len = p.position_bytes.len;
        expect_lost(&bare, &l, &entry, 0, 0);
        for (uint32_t b = 0; b < BLOCKS; b++) {
            uint32_t *offset = (uint32_t *)(void *)(all + offsets + 4 * b), is = *offset;
            uint32_t next = b + 1 < BLOCKS ? offset[1] : (uint32_t)len, first = b * BLOCK;
            const uint32_t beyond[] = {(uint32_t)len + 1, UINT32_MAX};
            for (size_t i = 0; i < 2; i++) { /* the block before ends there, too: too late        */
                *offset = beyond[i];
                expect_lost(&bare, &l, &entry, b ? first - BLOCK : first, first + BLOCK);
            }
            *offset = is;
            uint8_t *width = all + bytes + is;
            for (unsigned other = 0; other < 256; other++) {
                *width = (uint8_t)other;
                if (other != 2 && other != 4) expect_lost(&bare, &l, &entry, first, first + BLOCK);
                other += other > 5 && other < 250 ? 17 : 0;
            }
            *width = 2;
            uint32_t bits = 8 * (next - is - 5); /* of the strings of the block                   */
            store_u16(width + 3, (uint16_t)bits); /* the last group begins where all ends         */
            expect_lost(&bare, &l, &entry, first + 32, first + BLOCK);
            store_u16(width + 3, UINT16_MAX);
            expect_lost(&bare, &l, &entry, first + 32, first + BLOCK);
            put_offset(&l, first, width + 3);
            expect_lost(&bare, &l, &entry, 0, 0);
        }
        bare_free(&bare);
        buf_free(&region);
    }
}

/* Nothing that is given is of a document that there is not; the positions of the last one asked
 * for, as of one that there is, are not given. */
static void expect_stop(bare_segment *bare, const odd_list *l, const term_entry *entry)
{
    static position_scratch scratch;
    static const uint32_t known = ODD_DOCS - 1;
    segment *s = &bare->s;
    postings p;
    position_reader r;
    position_place place = {.tf = 77};
    cursor c;
    uint32_t last = l->df - 1, out[SEGMENT_BLOCK_MAX];
    cursor_open(&c, s, entry);
    for (uint32_t i = 0; cursor_next(&c) != CURSOR_END; i++)
        assert_true(c.doc == l->docs[i] && c.doc < ODD_DOCS);
    assert_true(bare_damaged(bare));
    cursor_open(&c, s, entry);
    assert_int_equal(cursor_seek(&c, l->docs[last - 1] + 1), CURSOR_END);
    bare_damaged(bare); /* where no document is wanted that is not there, it may be none */
    assert_true(postings_open(&p, s, entry));
    assert_int_equal(postings_decode_block(&p, p.n_blocks - 1, out), 0);
    assert_true(bare_damaged(bare));
    if (p.kind == POSTINGS_SMALL) return;
    position_reader_open(&r, &p, l->docs);
    positions_find(&r, &scratch, &last, &known, 1, &place);
    if (p.kind == POSTINGS_SPARSE) assert_true(!place.tf && bare_damaged(bare));
    bare_damaged(bare);
}

/* The last document of a list is the first that there is not. */
static void one_document_more(void **state)
{
    (void)state;
    static odd_list l;
    uint64_t random = 4;
    for (uint32_t doc = 0; doc <= ODD_DOCS; doc++) odd_lengths[doc] = 40 + doc % 60;
    for (unsigned kind = 0; kind < 3; kind++)
        for (uint32_t df = 33; df < 80; df++) {
            bare_segment bare;
            term_entry entry;
            buf region = {0};
            odd_random(&l, df, ODD_DOCS - 500, &random);
            l.docs[df - 1] = ODD_DOCS;
            l.impacts[df - 1] = impact_encode(l.tfs[df - 1], odd_norm(ODD_DOCS));
            l.sparse = kind == 1;
            l.block_size = kind ? 16 : 80;
            odd_cut(&l, 16, 16, &random);
            if (kind)
                odd_put_large(&region, &l);
            else
                odd_put_small(&region, &l, df % 9);
            open_list(&bare, &l, &region, &entry);
            expect_stop(&bare, &l, &entry);
            bare_free(&bare);
            buf_free(&region);
        }
}

/* A directory of blocks that do not rise, or are not there. */
static void blocks_elsewhere(void **state)
{
    (void)state;
    enum { BLOCK = 20, DF = 200, BLOCKS = DF / BLOCK };
    static odd_list l;
    uint64_t random = 8;
    for (uint32_t doc = 0; doc < ODD_DOCS; doc++) odd_lengths[doc] = 40 + doc % 60;
    odd_random(&l, DF, 0, &random);
    l.sparse = true;
    l.block_size = BLOCK;
    odd_cut(&l, BLOCK, BLOCK, &random);
    bare_segment bare;
    term_entry entry;
    postings p;
    buf region = {0};
    odd_put_large(&region, &l);
    segment *s = open_list(&bare, &l, &region, &entry);
    assert_true(postings_open(&p, s, &entry));
    uint8_t *all = bare.bytes.data;
    uint64_t lasts = (uint64_t)((const uint8_t *)p.last - all),
             offsets = (uint64_t)((const uint8_t *)p.off - all);
    for (uint32_t b = 0; b < BLOCKS; b++) {
        uint32_t last = p.last[b], off = p.off[b], out[SEGMENT_BLOCK_MAX];
        const uint32_t words = (uint32_t)p.ef_words, before = b ? p.last[b - 1] : 0;
        const uint32_t wrong_last[] = {before, before - 1, 0, ODD_DOCS, ODD_DOCS + 1, UINT32_MAX},
                       wrong_off[] = {words, words + 1, words - 1, UINT32_MAX};
        for (size_t i = 0; i < 10; i++) {
            store_u32(all + lasts + 4 * b, i < 6 ? wrong_last[i] : last);
            store_u32(all + offsets + 4 * b, i < 6 ? off : wrong_off[i - 6]);
            bool same = i == 8 && off == words - 1;
            assert_int_equal(postings_decode_block(&p, b, out), same ? BLOCK : 0);
            assert_int_equal(bare_damaged(&bare), !same);
        }
        store_u32(all + lasts + 4 * b, last);
        store_u32(all + offsets + 4 * b, off);
        assert_int_equal(postings_decode_block(&p, b, out), BLOCK);
    }
    bare_free(&bare);
    buf_free(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_blocks),           cmocka_unit_test(short_lists),
        cmocka_unit_test(beyond_the_documents), cmocka_unit_test(entries),
        cmocka_unit_test(positions_elsewhere),  cmocka_unit_test(one_document_more),
        cmocka_unit_test(blocks_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
