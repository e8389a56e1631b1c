/* SPDX-License-Identifier: MIT
 * test_odd_check.c - the deep check of one posting list: nothing is found in lists that FORMAT.md
 * allows, be they as no writer makes them; every byte of a list that says something of its postings
 * is missed when it is another one.
 *
 * PM_TEST_SEED=n repeats one case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/segment/check_parts.h"
#include "tests/support/bare_segment.h"
#include "tests/support/odd_list.h"

static char first_what[200];

static void note(void *ctx, const char *where, uint64_t offset, const char *what)
{
    (void)ctx;
    (void)offset;
    assert_string_equal(where, "postings");
    if (!first_what[0]) snprintf(first_what, sizeof first_what, "%s", what);
}

/* Findings in the list. */
static uint64_t findings(segment *s, const term_entry *entry)
{
    static check_form forms[32];
    struct check_sink sink = {.finding = note};
    check c = {.s = s, .sink = &sink};
    memset(forms, 0, sizeof forms);
    first_what[0] = 0;
    check_list(&c, entry, false, forms);
    return c.findings;
}

/* A list by chance, of any shape, and its bytes. */
static void make(odd_list *l, buf *region, uint64_t seed)
{
    static const uint32_t of_block[] = {8, 16, 24, 40};
    uint64_t random = seed;
    for (uint32_t doc = 0; doc < ODD_DOCS; doc++)
        odd_lengths[doc] = 40 + (uint32_t)(random_next(&random) % 60);
    bool small = seed % 3 == 0;
    odd_random(l,
               small ? 1 + (uint32_t)(seed * 5 % 90) : 41 + (uint32_t)(random_next(&random) % 200),
               (uint32_t)(seed % 2) * 1100, &random); /* or the first buckets are empty          */
    l->block_size = small ? 90 : of_block[seed % 4];
    l->sparse = seed % 3 == 1;
    if (seed % 5 < 2) odd_without_positions(l, &random);
    if (seed % 4 == 1) odd_with_forms(l, 2 + (uint32_t)(seed % 5), &random);
    if (l->sparse) odd_cut(l, 1, 60, &random);
    if (small)
        odd_put_small(region, l, seed % 2);
    else
        odd_put_large(region, l);
    assert_false(region->failed);
}

static segment *open_list(bare_segment *bare, const odd_list *l, const buf *region,
                          term_entry *entry)
{
    bare_begin(bare, ODD_DOCS);
    bare->s.info.block_size = l->block_size;
    bare->s.info.dense_shift = l->sparse ? 0 : 31;
    bare_lengths(bare, odd_lengths);
    bare_section(bare, SECTION_POSTINGS, region->data, region->len);
    *entry = (term_entry){.df = l->df,
                          .cf = l->cf,
                          .has_positions = l->positions,
                          .n_forms = l->n_forms,
                          .len = region->len};
    return bare_done(bare);
}

/* Bytes [from, end) of a list: any that changes is found, whatever it becomes. */
static void expect_found(bare_segment *bare, const odd_list *l, const term_entry *entry,
                         const uint8_t *from, const uint8_t *end, uint64_t *random)
{
    segment *s = &bare->s;
    uint8_t *at = bare->bytes.data + (from - bare->bytes.data);
    for (size_t i = 0; i < (size_t)(end - from); i++) {
        uint8_t is = at[i], others[] = {(uint8_t)(is + 1), (uint8_t)(is - 1), is ^ 0x80,
                                        (uint8_t)(is + 1 + random_next(random) % 255)};
        for (size_t k = 0; k < 4; k++) {
            at[i] = others[k];
            if (!findings(s, entry)) fail_msg("byte %zu of df %u: %u, was %u", i, l->df, at[i], is);
        }
        at[i] = is;
    }
    assert_int_equal(findings(s, entry), 0);
}

static void lists(void **state)
{
    (void)state;
    const char *chosen = getenv("PM_TEST_SEED");
    uint64_t from = chosen ? strtoull(chosen, NULL, 10) : 1, last = chosen ? from : 60;
    static odd_list l;
    for (uint64_t seed = from; seed <= last; seed++) {
        bare_segment bare;
        term_entry entry;
        postings p;
        uint64_t random = seed;
        buf region = {0};
        print_message("PM_TEST_SEED=%llu\n", (unsigned long long)seed);
        make(&l, &region, seed);
        segment *s = open_list(&bare, &l, &region, &entry);
        if (findings(s, &entry)) fail_msg("found: %s", first_what);
        entry.cf++;
        assert_int_equal(findings(s, &entry), 1);
        assert_string_equal(first_what, "term frequencies do not add up");
        entry.cf--;
        assert_true(postings_open(&p, s, &entry));
        /* Documents, positions and forms may be others and still be some. */
        const uint8_t *start = s->file.data + s->info.sections[SECTION_POSTINGS].off,
                      *end = p.exceptions.data + p.exceptions.len;
        bool dense = p.kind == POSTINGS_DENSE;
        const void *docs = dense ? (const void *)p.bits : p.ef, *behind = dense ? p.rank : NULL;
        if (p.kind != POSTINGS_SMALL) expect_found(&bare, &l, &entry, start, docs, &random);
        expect_found(&bare, &l, &entry, behind ? behind : p.impacts, end, &random);
        bare_free(&bare);
        if (p.kind == POSTINGS_SMALL && (l.positions || l.n_forms > 1)) { /* a byte of nothing    */
            buf_u8(&region, 0);
            s = open_list(&bare, &l, &region, &entry);
            assert_true(findings(s, &entry) > 0);
            assert_non_null(strstr(first_what, "behind the last"));
            bare_free(&bare);
        }
        buf_free(&region);
    }
}

/* Offsets of four bytes where two would do. */
static void wide_offsets(void **state)
{
    (void)state;
    static odd_list l;
    uint64_t random = 6;
    for (uint32_t doc = 0; doc < ODD_DOCS; doc++) odd_lengths[doc] = 40;
    for (unsigned small = 0; small < 2; small++) {
        bare_segment bare;
        term_entry entry;
        buf region = {0};
        odd_random(&l, 60, 0, &random);
        l.wide = true;
        l.block_size = small ? 60 : 24;
        if (small)
            odd_put_small(&region, &l, 0);
        else
            odd_put_large(&region, &l);
        segment *s = open_list(&bare, &l, &region, &entry);
        assert_int_equal(findings(s, &entry), 1);
        assert_string_equal(first_what, "group offsets are wider than needed");
        bare_free(&bare);
        buf_free(&region);
    }
}

/* An impact that tells no frequency, and no exception that does: 1 is taken, and it is said. */
static void missing_frequencies(void **state)
{
    (void)state;
    enum { DF = POSTINGS_TF_MAX };
    for (uint32_t doc = 0; doc < ODD_DOCS; doc++) odd_lengths[doc] = 40;
    for (uint32_t lost = 0; lost <= DF; lost++) {
        odd_list l = {.df = DF, .cf = DF, .block_size = DF};
        bare_segment bare;
        term_entry entry;
        postings p;
        uint32_t docs[DF], out[DF];
        buf region = {0};
        buf_zero(&region, DF); /* gaps */
        for (uint32_t i = 0; i < DF; i++) buf_u8(&region, i == lost ? 255 : (uint8_t)(90 + i));
        buf_u8(&region, 0);
        segment *s = open_list(&bare, &l, &region, &entry);
        assert_true(postings_open(&p, s, &entry));
        assert_int_equal(postings_decode_block(&p, 0, docs), DF);
        for (uint32_t from = 0; from < DF; from++) {
            memset(out, 0xff, sizeof out);
            postings_tfs(&p, from, DF - from, docs + from, out);
            for (uint32_t i = from; i < DF; i++)
                assert_int_equal(out[i - from],
                                 i == lost ? 1 : impact_decode(p.impacts[i], odd_norm(docs[i])));
            assert_int_equal(bare_damaged(&bare), lost >= from && lost < DF);
        }
        for (uint32_t i = 0; i < DF; i++) {
            postings_tf(&p, i, 40);
            assert_int_equal(bare_damaged(&bare), i == lost);
        }
        bare_free(&bare);
        buf_free(&region);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(wide_offsets),
        cmocka_unit_test(missing_frequencies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
