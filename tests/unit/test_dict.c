/* SPDX-License-Identifier: MIT
 * test_dict.c - look-up and ranges in dictionaries that are hard to search: thousands of keys
 * with the same first 8 bytes, keys that are prefixes of each other, zero bytes, the longest
 * keys, one key, none; forms in two parts, memory refused to them, forms left out.  The twin is a
 * sorted array.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/form_spelling.h"
#include "common/segment/layout.h"
#include "indexer/segment_writer.h"
#include "tests/support/open_folder.h"

static const char name[] = "1-00000001.seg";
static const uint8_t uuid[16] = {0};

/* ---- keys --------------------------------------------------------------------------------- */

typedef struct test_key {
    size_t len;
    uint8_t bytes[DICT_KEY_MAX];
} test_key;

typedef struct key_set {
    test_key *keys, *forms; /* one form a key, in the same order                               */
    uint32_t n;
} key_set;

static int compare(const test_key *a, const test_key *b)
{
    size_t n = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->bytes, b->bytes, n);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int by_key(const void *a, const void *b)
{
    return compare(a, b);
}

/* Sorted, without doubles. */
static void settle(key_set *set)
{
    uint32_t n = 0;
    qsort(set->keys, set->n, sizeof *set->keys, by_key);
    for (uint32_t i = 0; i < set->n; i++)
        if (n == 0 || compare(&set->keys[n - 1], &set->keys[i])) set->keys[n++] = set->keys[i];
    set->n = n;
}

static key_set room(uint32_t n)
{
    key_set set = {mem_array(n + 1, sizeof(test_key)), mem_array(n + 1, sizeof(test_key)), n};
    assert_non_null(set.keys);
    assert_non_null(set.forms);
    return set;
}

static void forget(key_set *set)
{
    mem_free(set->keys);
    mem_free(set->forms);
}

/* The key and a zero byte; some Capitalised, in CAPITALS, or otherwise, where there is room. */
static form_style make_form(const test_key *key, uint32_t i, test_key *form)
{
    size_t n = key->len;
    bool zero = memchr(key->bytes, 0, n), letter = form_small_letter(key->bytes[0]);
    slice folded = {key->bytes, n};
    *form = *key;
    form->bytes[form->len++] = 0;
    if (zero) return FORM_LISTED;
    if (2 * n + 1 <= DICT_KEY_MAX && letter && i % 5 > 1) {
        form->len += n;
        assert_true(form_put_exact(form->bytes + n + 1, folded, i % 5 == 2 ? 1 : FORM_MASK_ALL));
        if (i % 5 == 4) form->bytes[n + 1 + n / 2] = '-';
    }
    if (i % 7 == 0) return FORM_LISTED;
    return form_style_only(folded, folded, (slice){form->bytes + n + 1, form->len - n - 1});
}

static void put_forms(segment_writer *w, const key_set *set, uint32_t from, uint32_t to,
                      bool behind)
{
    for (uint32_t i = from; i < to; i++)
        (behind ? segment_writer_form_behind : segment_writer_form)(w, set->forms[i].bytes,
                                                                    set->forms[i].len, i, 0, 1, 1);
}

static uint64_t refuse_at, asked; /* allocations, from the forms on; 0: none is refused        */
static bool no_forms;

/* A segment of one document, its terms the keys, and a form of each: those before `cut`, and from
 * `behind` on those behind. */
static pm_status write_keys(const key_set *set, uint32_t cut, uint32_t behind,
                            manifest_segment *made, pm_error *err)
{
    static const uint32_t doc[1] = {0}, tf[1] = {1};
    segment_writer_config config = {.k1 = 1.2,
                                    .b = 0.75,
                                    .block_size = 8,
                                    .dense_shift = 5,
                                    .store_block_bytes = 100,
                                    .deflate_level = 1,
                                    .no_forms = no_forms};
    segment_writer *w;
    segment_doc column = {"id", 2, set->n, 0, INT64_MIN, {(const uint8_t *)"\x01\x02id", 4}, 0};
    folder_empty(folder);
    assert_int_equal(segment_writer_begin(&w, &where, name, &config, err), PM_OK);
    segment_writer_doc(w, &column);
    segment_writer_docs_done(w);
    for (uint32_t i = 0; i < set->n; i++) {
        segment_term term = {set->keys[i].bytes,
                             set->keys[i].len,
                             1,
                             doc,
                             tf,
                             NULL,
                             NULL,
                             1,
                             make_form(&set->keys[i], i, &set->forms[i])};
        assert_int_equal(segment_writer_term(w, &term), i);
    }
    mem_fail_at(refuse_at, false);
    put_forms(w, set, 0, cut, false);
    put_forms(w, set, behind, set->n, true);
    pm_status st = segment_writer_finish(w, false, made, err);
    asked = mem_count();
    mem_fail_at(0, false);
    return st;
}

static segment *make(const key_set *set)
{
    manifest_segment made;
    segment *s;
    pm_error err;
    if (write_keys(set, set->n, set->n, &made, &err) != PM_OK) fail_msg("%s", err.message);
    if (segment_open(&s, &where, name, uuid, made.size, made.footer_crc, &err) != PM_OK)
        fail_msg("%s", err.message);
    return s;
}

/* ---- comparisons -------------------------------------------------------------------------- */

/* Index of the first key >= want. */
static uint32_t first_from(const test_key *keys, uint32_t n, const test_key *want)
{
    uint32_t i = 0;
    while (i < n && compare(&keys[i], want) < 0) i++;
    return i;
}

/* Is there a form whose folded part is `want`? */
static void compare_folded(const key_set *set, segment *s, const test_key *want)
{
    test_key from = *want;
    if (from.len >= DICT_KEY_MAX) return;
    from.bytes[from.len++] = 0;
    uint32_t at = first_from(set->forms, set->n, &from);
    bool there = at < set->n && set->forms[at].len >= from.len &&
                 !memcmp(set->forms[at].bytes, from.bytes, from.len);
    assert_int_equal(dict_folded_there(s, (slice){want->bytes, want->len}), there);
}

static void compare_probe(const key_set *set, segment *s, const test_key *want)
{
    compare_folded(set, s, want);
    uint32_t at = first_from(set->keys, set->n, want);
    bool there = at < set->n && compare(&set->keys[at], want) == 0;
    term_entry entry;
    dict_iter it;
    assert_int_equal(dict_find(s, want->bytes, want->len, &entry), there);
    if (there) assert_int_equal(entry.ordinal, at);
    for (unsigned forms = 0; forms < 2; forms++) {
        const test_key *keys = forms ? set->forms : set->keys;
        at = first_from(keys, set->n, want);
        dict_iter_begin(&it, s, forms, want->bytes, want->len);
        for (uint32_t i = at; i < at + 20 && i < set->n; i++) {
            assert_true(dict_iter_next(&it));
            assert_true(it.key_len == keys[i].len && !memcmp(it.key, keys[i].bytes, it.key_len));
            assert_int_equal(forms ? it.form.term : it.term.ordinal, i);
        }
        if (at + 20 >= set->n) assert_false(dict_iter_next(&it));
    }
}

/* Every form, from the beginning. */
static void compare_forms(const key_set *set, segment *s)
{
    dict_iter it;
    uint32_t n = 0;
    for (dict_iter_begin(&it, s, true, NULL, 0); dict_iter_next(&it); n++)
        assert_true(n < set->n && it.key_len == set->forms[n].len && it.form.term == n &&
                    !memcmp(it.key, set->forms[n].bytes, it.key_len));
    assert_int_equal(n, set->n);
    assert_int_equal(s->info.n_forms, n);
}

/* Each key, and what is next to it: one byte more, less, greater, smaller. */
static void compare_all(const key_set *set, uint32_t step)
{
    segment *s = make(set);
    pm_error err;
    compare_forms(set, s);
    for (uint32_t i = 0; i < set->n; i += step) {
        test_key probe = set->forms[i];
        compare_probe(set, s, &probe);
        probe.bytes[probe.len - 1]++;
        compare_probe(set, s, &probe);
        probe = set->keys[i];
        compare_probe(set, s, &probe);
        if (probe.len < DICT_KEY_MAX) probe.bytes[probe.len++] = 0;
        compare_probe(set, s, &probe);
        probe = set->keys[i];
        probe.bytes[probe.len - 1]++;
        compare_probe(set, s, &probe);
        probe.bytes[probe.len - 1] = (uint8_t)(probe.bytes[probe.len - 1] - 2);
        compare_probe(set, s, &probe);
        if (probe.len > 1) {
            probe.len--;
            compare_probe(set, s, &probe);
        }
    }
    assert_int_equal(segment_status(s, &err), PM_OK);
    segment_close(s);
}

/* ---- cases -------------------------------------------------------------------------------- */

static void equal_prefixes(void **state)
{
    (void)state;
    key_set set = room(14000); /* 875 blocks: a prefix that several groups of the index share   */
    for (uint32_t i = 0; i < set.n; i++)
        set.keys[i].len =
            (size_t)sprintf((char *)set.keys[i].bytes, "%s%u", i % 3 ? "internation" : "inter", i);
    settle(&set);
    compare_all(&set, 101);
    forget(&set);
}

static void nested_and_zero_keys(void **state)
{
    (void)state;
    uint64_t random = 31;
    key_set set = room(2000);
    for (uint32_t i = 0; i < set.n; i++) {
        set.keys[i].len = 1 + random_next(&random) % 12;
        for (size_t k = 0; k < set.keys[i].len; k++)
            set.keys[i].bytes[k] = (uint8_t) "\x20\x00\x01\xff"[random_next(&random) % 4];
        set.keys[i].bytes[0] = 0x20;
    }
    settle(&set);
    compare_all(&set, 11);
    forget(&set);
}

static void longest_keys(void **state)
{
    (void)state;
    key_set set = room(40);
    for (uint32_t i = 0; i < set.n; i++) {
        set.keys[i].len = DICT_KEY_MAX - 1 - i % 2;
        memset(set.keys[i].bytes, 'x', DICT_KEY_MAX);
        set.keys[i].bytes[DICT_KEY_MAX - 3] = (uint8_t)('A' + i);
    }
    settle(&set);
    assert_int_equal(set.n, 40);
    compare_all(&set, 1);
    forget(&set);
}

static void few_keys(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 40; n++) {
        key_set set = room(n);
        for (uint32_t i = 0; i < n; i++)
            set.keys[i].len =
                (size_t)sprintf((char *)set.keys[i].bytes, "%c%c", 'a' + i / 20, 'a' + i);
        settle(&set);
        compare_all(&set, 1);
        forget(&set);
    }
}

/* Forms [from, to) that are listed: the style of their term does not stand for them. */
static uint32_t listed(const key_set *set, uint32_t from, uint32_t to)
{
    uint32_t n = 0;
    for (uint32_t i = from; i < to; i++)
        n += make_form(&set->keys[i], i, &set->forms[i]) == FORM_LISTED;
    return n;
}

/* Wherever the forms are cut in two: the same bytes, or no segment when a block is cut or the parts
 * overlap. */
static void forms_in_two_parts(void **state)
{
    (void)state;
    key_set set = room(330);
    manifest_segment whole, made;
    pm_error err;
    unsigned same = 0;
    for (uint32_t i = 0; i < set.n; i++)
        set.keys[i].len = (size_t)sprintf((char *)set.keys[i].bytes, "k%c%u", i % 2 ? 'a' : 'b', i);
    settle(&set);
    assert_int_equal(write_keys(&set, set.n, set.n, &whole, &err), PM_OK);
    for (uint32_t cut = 0; cut <= set.n; cut++) {
        bool good = listed(&set, 0, cut) % DICT_BLOCK_KEYS == 0 || !listed(&set, cut, set.n);
        assert_int_equal(write_keys(&set, cut, cut, &made, &err), good ? PM_OK : PM_USAGE);
        same += good;
        if (good) assert_int_equal(made.footer_crc, whole.footer_crc);
        if (cut && good && listed(&set, cut - 1, cut))
            assert_int_equal(write_keys(&set, cut, cut - 1, &made, &err), PM_USAGE);
    }
    assert_true(same > 10 && same < set.n / 2);
    forget(&set);
}

/* Each allocation refused from the first form on, in two parts: PM_NOMEM, or the same bytes. */
static void two_parts_survive_refused_memory(void **state)
{
    (void)state;
    key_set set = room(3000);
    manifest_segment whole, made;
    pm_error err;
    uint32_t cut = set.n / 2;
    for (uint32_t i = 0; i < set.n; i++)
        set.keys[i].len = (size_t)sprintf((char *)set.keys[i].bytes, "k%u", i);
    settle(&set);
    while (listed(&set, 0, cut) % DICT_BLOCK_KEYS) cut++;
    assert_int_equal(write_keys(&set, set.n, set.n, &whole, &err), PM_OK);
    for (refuse_at = 1;; refuse_at++) {
        pm_status st = write_keys(&set, cut, cut, &made, &err);
        assert_int_equal(st, refuse_at > asked ? PM_OK : PM_NOMEM);
        if (st == PM_OK) break;
    }
    assert_int_equal(made.footer_crc, whole.footer_crc);
    assert_true(refuse_at > 20);
    refuse_at = 0;
    forget(&set);
}

/* Forms that are given though none are to be recorded. */
static void forms_are_left_out(void **state)
{
    (void)state;
    key_set set = room(200);
    manifest_segment made;
    pm_error err;
    for (uint32_t i = 0; i < set.n; i++)
        set.keys[i].len = (size_t)sprintf((char *)set.keys[i].bytes, "k%u", i);
    settle(&set);
    no_forms = true;
    for (uint32_t cut = 0; cut <= set.n; cut += 100) {
        segment *s;
        dict_iter it;
        assert_int_equal(write_keys(&set, cut, cut, &made, &err), PM_OK);
        assert_int_equal(segment_open(&s, &where, name, uuid, made.size, made.footer_crc, &err),
                         PM_OK);
        assert_int_equal(s->info.n_forms, 0);
        dict_iter_begin(&it, s, true, NULL, 0);
        assert_false(dict_iter_next(&it));
        for (uint32_t i = 0; i < set.n; i++) {
            term_entry entry;
            assert_true(dict_find(s, set.keys[i].bytes, set.keys[i].len, &entry));
            assert_int_equal(entry.n_forms, 0);
        }
        segment_close(s);
    }
    no_forms = false;
    forget(&set);
}

static void no_keys(void **state)
{
    (void)state;
    key_set set = room(0);
    segment *s = make(&set);
    term_entry entry;
    dict_iter it;
    assert_false(dict_find(s, "a", 1, &entry));
    assert_false(dict_term_at(s, 0, &entry, NULL));
    dict_iter_begin(&it, s, false, "a", 1);
    assert_false(dict_iter_next(&it));
    dict_iter_begin(&it, s, true, NULL, 0);
    assert_false(dict_iter_next(&it));
    segment_close(s);
    forget(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_prefixes),
        cmocka_unit_test(nested_and_zero_keys),
        cmocka_unit_test(longest_keys),
        cmocka_unit_test(few_keys),
        cmocka_unit_test(no_keys),
        cmocka_unit_test(forms_in_two_parts),
        cmocka_unit_test(two_parts_survive_refused_memory),
        cmocka_unit_test(forms_are_left_out),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
