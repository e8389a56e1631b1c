/* SPDX-License-Identifier: MIT
 * test_id_codes.c - blocks of ids byte by byte (FORMAT.md, "ids"): every kind of code, at its
 * limits and beyond them; read one after the other, and one by its number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/segment/ids.h"
#include "tests/support/bare_segment.h"

/* A block, and the ids that it gives, separated by spaces: as many as there are, then damage or the
 * end. */
typedef struct block {
    const char *bytes;
    size_t len;
    const char *ids;
    bool exact; /* nothing is behind the last of them, and none is missing                */
} block;
#define BLOCK(bytes, ids, exact)                                                                   \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, ids, exact                                                       \
    }

/* clang-format off */
static const block blocks[] = {
    BLOCK("\0\1a", "a", true),
    BLOCK("\0\3abc\x10z", "abc z", true),
    BLOCK("\2\3abc\x10z\x21xy\2", "abc abz abzxy abzx", true),
    BLOCK("\2\3abc\x10z\x11y", "abc abz abzy", true),
    BLOCK("\0\3abc\x12z\x11y\x01", "abc abz ay a", true),
    BLOCK("\2\3abc\x10z\x10y\x20xy", "abc abz aby abxy", true),
    BLOCK("\2\3abc\x11z", "abc abcz", true),
    BLOCK("\2\3abc\x12z", "abc !", false),       /* keeps more than there is        */
    BLOCK("\0\3abc\x00", "abc !", false),        /* is empty                        */
    BLOCK("\0\3abc\x20z", "abc !", false),       /* is cut                          */
    BLOCK("\0\0", "!", false),
    BLOCK("\0\2a", "!", false),
    BLOCK("", "!", false),
    BLOCK("\0\1a\x10z", "a z", true),
    /* 15 and more in common, 12 and more behind */
    BLOCK("\0\x11" "abcdefghijklmnopq" "\x1f\0z\x1f\1y",
          "abcdefghijklmnopq abcdefghijklmnoz abcdefghijklmnozy", true),
    BLOCK("\0\1a\xc0\0" "abcdefghijkl", "a abcdefghijkl", true),
    BLOCK("\0\1a\xc1\5" "abcdefghijklmnopq", "a aabcdefghijklmnopq", true),
    BLOCK("\0\1a\xc1\4" "abcdefghijklmnop", "a aabcdefghijklmnop", true),
    BLOCK("\0\1a\xc1\3" "abcdefghijklmno", "a aabcdefghijklmno", true),
    BLOCK("\0\1a\xc1\5" "abcdefghijklmnop", "a !", false),
    /* another number: low - 8 digits at least, or none */
    BLOCK("\0\4a007\xd0\x09", "a007 a9", true),
    BLOCK("\0\4a007\xd8\x09", "a007 a009", true),
    BLOCK("\0\4a007\xd9\x10\x27", "a007 a10000", true),
    BLOCK("\0\4a007\xd1\0\1\xd8\0", "a007 a256 a000", true),
    BLOCK("\0\2a7\xd6\1\0\0\0\0\0\1", "a7 a281474976710657", true),
    BLOCK("\0\2a7\xd7\1\0\0\0\0\0\0\1", "a7 !", false), /* eight bytes            */
    BLOCK("\0\2a7\xdf\1\0\0\0\0\0\0\1", "a7 !", false),
    BLOCK("\0\2a7\xd1\1", "a7 !", false),
    BLOCK("\0\2ab\xd0\1", "ab !", false),
    /* the number and 2 to 17 */
    BLOCK("\0\2a7\xe0\xe0\xef", "a7 a9 a11 a28", true),
    BLOCK("\0\3a99\xe0", "a99 a101", true),
    BLOCK("\0\2ab\xe0", "ab !", false),
    BLOCK("\0\2a/\xe0", "a/ !", false),
    BLOCK("\0\2a:\xe0", "a: !", false),
    /* the next ones */
    BLOCK("\0\2a7\xf0", "a7 a8", true),
    BLOCK("\0\2a7\xf1", "a7 a8 a9", true),
    BLOCK("\0\2a7\xf2\xf1", "a7 a8 a9 a10 a11 a12", true),
    BLOCK("\0\3a08\xf2", "a08 a09 a10 a11", true),
    BLOCK("\0\3a:0\xf2\x20xy\xf0", "a:0 a:1 a:2 a:3 xy !", false),
    BLOCK("\0\2a/\xf0", "a/ !", false),
    BLOCK("\0\2a:\xf0", "a: !", false),
    BLOCK("\0\1" "0\xf9\xe0\xf0", "0 1 2 3 4 5 6 7 8 9 10 12 13", true),
    /* 15 digits count */
    BLOCK("\0\x10" "9999999999999999\xf0", "9999999999999999 91000000000000000", true),
};
/* clang-format on */

typedef struct given {
    char text[2048];
    size_t len, n;
} given;

static void give(void *ctx, slice id)
{
    given *g = ctx;
    g->len += (size_t)snprintf(g->text + g->len, sizeof g->text - g->len, "%s%.*s",
                               g->n++ ? " " : "", (int)id.len, (const char *)id.data);
}

/* How many ids, and whether damage is behind them. */
static uint32_t count(const char *ids, bool *damage)
{
    uint32_t n = 1;
    for (const char *p = ids; *p; p++) n += *p == ' ';
    *damage = ids[strlen(ids) - 1] == '!' && (n == 1 || ids[strlen(ids) - 2] == ' ');
    return n - *damage;
}

static void one_by_one(const block *b)
{
    bool damage;
    uint32_t n = count(b->ids, &damage);
    for (uint32_t want = 1; want <= n + damage; want++) {
        given g = {.len = 0};
        uint8_t bytes[64] = {0};
        memcpy(bytes, b->bytes, b->len);
        bool whole = ids_block_each((slice){bytes, b->len}, want, give, &g);
        if (whole != (want <= n) || g.n != (whole ? want : n) ||
            strncmp(g.text, b->ids, g.len) != 0)
            fail_msg("%u of \"%s\": \"%s\"", want, b->ids, g.text);
    }
}

/* A segment of one block: each id by its number, and what the check says of its end. */
static void by_number(const block *b)
{
    static const uint32_t start = 0;
    bool damage;
    uint32_t n = count(b->ids, &damage);
    const char *at = b->ids;
    bare_segment bare;
    bare_begin(&bare, n + damage);
    bare_section(&bare, SECTION_ID_OFFSETS, &start, sizeof start);
    bare_section(&bare, SECTION_IDS, b->bytes, b->len);
    segment *s = bare_done(&bare);
    for (uint32_t doc = 0; doc < n + damage; doc++) {
        uint8_t room[SEGMENT_ID_ROOM];
        size_t len = strcspn(at, " ");
        slice id = segment_id(s, doc, room);
        if (doc == n) {
            assert_true(!id.data && !id.len && bare_damaged(&bare));
        } else {
            if (id.len != len || memcmp(id.data, at, len) != 0)
                fail_msg("%u of \"%s\": \"%.*s\"", doc, b->ids, (int)id.len, (char *)room);
            assert_false(bare_damaged(&bare));
        }
        at += len + 1;
    }
    assert_int_equal(segment_id(s, n + damage, (uint8_t[SEGMENT_ID_ROOM]){0}).len, 0);
    bool first = ids_block_exact(s, 0), recorded = bare_damaged(&bare);
    if (first != (b->exact || recorded)) fail_msg("the end of \"%s\"", b->ids);
    bare_free(&bare);
}

static void kinds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        one_by_one(&blocks[i]);
        by_number(&blocks[i]);
    }
}

/* Of an id as long as may be: a number that carries makes it longer. */
static void longest(void **state)
{
    (void)state;
    for (size_t len = SEGMENT_ID_MAX - 2; len <= SEGMENT_ID_MAX + 1; len++)
        for (unsigned kind = 0; kind < 4; kind++) {
            static const struct {
                const char *codes;
                size_t more; /* bytes that the second id has more                         */
            } kinds_of[] = {
                {"\xf0", 1}, {"\xe8", 1}, {"\xd1\xff\xff", 4}, {"\xcf\0\0xxxxxxxxxxxx", 0}};
            uint8_t bytes[SEGMENT_ID_MAX + 64] = {0};
            given g = {.len = 0};
            size_t at = 1, n_codes = kind == 3 ? 15 : strlen(kinds_of[kind].codes);
            at += varint_encode(bytes + at, len);
            memset(bytes + at, 'x', len);
            bytes[at + len - 1] = '9';
            at += len;
            memcpy(bytes + at, kinds_of[kind].codes, n_codes);
            bool whole = ids_block_each((slice){bytes, at + n_codes}, 2, give, &g);
            size_t first = len <= SEGMENT_ID_MAX;
            size_t second = first && (kind == 3 || len + kinds_of[kind].more <= SEGMENT_ID_MAX);
            assert_int_equal(g.n, first + second);
            assert_int_equal(whole, second);
        }
}

/* Where blocks start: side by side, rising, within the section; else it is said of which. */
static void offsets(void **state)
{
    (void)state;
    enum { DOCS = 3 * ID_BLOCK };
    static const char bytes[] = "\0\2a0\xfe\0\2b0\xfe\0\2c0\xfe";
    static const struct {
        uint32_t start[3];
        unsigned bad; /* bits of blocks                                                  */
    } cases[] = {{{0, 5, 10}, 0},  {{0, 0, 10}, 1},  {{0, 10, 10}, 2},
                 {{0, 11, 10}, 2}, {{0, 5, 15}, 4},  {{0, 5, 16}, 6},
                 {{1, 5, 10}, 1},  {{10, 5, 10}, 1}, {{15, 16, 10}, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bare_segment bare;
        bare_begin(&bare, DOCS);
        bare_section(&bare, SECTION_ID_OFFSETS, cases[i].start, sizeof cases[i].start);
        bare_section(&bare, SECTION_IDS, bytes, sizeof bytes - 1);
        segment *s = bare_done(&bare);
        for (uint32_t doc = 0; doc < DOCS; doc++) {
            uint8_t room[SEGMENT_ID_ROOM];
            pm_error err;
            bool bad = cases[i].bad >> doc / ID_BLOCK & 1;
            slice id = segment_id(s, doc, room);
            if (bad != (segment_status(s, &err) != PM_OK)) fail_msg("case %zu, %u", i, doc);
            if (bad)
                assert_int_equal(err.offset,
                                 s->info.sections[SECTION_ID_OFFSETS].off + 4 * (doc / ID_BLOCK));
            else if (!cases[i].bad)
                assert_true(id.len == 2 + (doc % ID_BLOCK > 9));
            assert_int_equal(bare_damaged(&bare), bad);
        }
        bare_free(&bare);
    }
}

/* Ids on many pages, of which one is bad: those of blocks that have bytes on it are not given. */
static void bad_pages(void **state)
{
    (void)state;
    enum { BLOCKS = 60, DOCS = BLOCKS * ID_BLOCK, LEN = 40, PAGE = 4096 };
    uint32_t starts[BLOCKS];
    buf ids = {0};
    for (uint32_t doc = 0; doc < DOCS; doc++) {
        if (doc % ID_BLOCK == 0) {
            starts[doc / ID_BLOCK] = (uint32_t)ids.len;
            buf_u8(&ids, 0);
            buf_varint(&ids, LEN);
        } else {
            buf_append(&ids, "\xc0\x1c", 2);
        }
        for (uint32_t i = 0; i < LEN; i++) buf_u8(&ids, (uint8_t)('a' + (doc + i) % 26));
    }
    bare_segment bare;
    bare_begin(&bare, DOCS);
    bare_section(&bare, SECTION_ID_OFFSETS, starts, sizeof starts);
    bare_section(&bare, SECTION_IDS, ids.data, ids.len);
    segment *s = bare_done(&bare);
    uint64_t at = s->info.sections[SECTION_IDS].off;
    assert_true(s->n_pages > 8);
    for (uint64_t page = 0; page < s->n_pages; page++) {
        bare_page(&bare, page, false);
        for (uint32_t doc = 0; doc < DOCS; doc++) {
            uint32_t in = doc / ID_BLOCK;
            uint64_t first = at + starts[in],
                     end = at + (in + 1 < BLOCKS ? starts[in + 1] : ids.len);
            uint64_t offset = s->info.sections[SECTION_ID_OFFSETS].off + 4 * in;
            bool bad = (first < (page + 1) * PAGE && end > page * PAGE) || offset / PAGE == page;
            uint8_t room[SEGMENT_ID_ROOM];
            slice id = segment_id(s, doc, room);
            assert_int_equal(id.len, bad ? 0 : LEN);
            assert_int_equal(bare_damaged(&bare), bad);
        }
        bare_page(&bare, page, true);
    }
    bare_free(&bare);
    buf_free(&ids);
}

static void order(void **state)
{
    (void)state;
    static const char *const rising[] = {"", "9", "a", "b", "09", "10", "a0", "aaa"};
    enum { N = sizeof rising / sizeof *rising };
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            slice a = {(const uint8_t *)rising[i], strlen(rising[i])},
                  b = {(const uint8_t *)rising[k], strlen(rising[k])};
            int is = id_order(a, b);
            assert_int_equal((is > 0) - (is < 0), (i > k) - (i < k));
        }
    assert_int_equal(id_order((slice){NULL, 0}, (slice){NULL, 0}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),     cmocka_unit_test(longest), cmocka_unit_test(offsets),
        cmocka_unit_test(bad_pages), cmocka_unit_test(order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
