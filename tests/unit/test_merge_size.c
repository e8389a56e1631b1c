/* SPDX-License-Identifier: MIT
 * test_merge_size.c - what a merge is expected to take: the sketch of forms against exact counts,
 * profiles of real segments, and how the estimates follow them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/segment/snapshot.h"
#include "indexer/merge.h"
#include "indexer/merge_size.h"
#include "tests/support/fresh_folder.h"
#include "tests/support/whole_index.h"

/* ---- sketches ----------------------------------------------------------------------------- */

/* Numbers [from, to), each added twice, in an order of no sense. */
static void fill(merge_sketch *k, uint32_t from, uint32_t to)
{
    uint32_t n = to - from, step = 7919;
    for (uint32_t i = 0; i < 2 * n; i++) {
        uint32_t number = from + (uint32_t)((uint64_t)i * step % n);
        merge_sketch_add(k, hash_bytes(&number, sizeof number));
    }
}

static void assert_near(uint64_t count, double want)
{
    if ((double)count < 0.9 * want || (double)count > 1.1 * want)
        fail_msg("%llu instead of %.0f", (unsigned long long)count, want);
}

static void few_are_counted(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < MERGE_SKETCH; n += 1 + n / 3) {
        merge_sketch k = {.n = 0};
        if (n) fill(&k, 5, 5 + n);
        assert_int_equal(merge_sketch_count(&k), n);
    }
}

static void many_are_estimated(void **state)
{
    (void)state;
    for (uint32_t n = MERGE_SKETCH; n < 3000000; n = n * 2 + 1) {
        merge_sketch k = {.n = 0};
        fill(&k, 0, n);
        assert_near(merge_sketch_count(&k), n);
        for (uint32_t i = 1; i < k.n; i++) assert_true(k.hashes[i - 1] < k.hashes[i]);
    }
}

/* What neighbours share is counted once, and the order of joining changes nothing. */
static void a_union_is_that_of_all(void **state)
{
    (void)state;
    static merge_profile a, b, both, other_way, whole;
    a.longest = 5;
    b.longest = 9;
    b.bytes = 7;
    fill(&a.forms, 0, 60000);
    fill(&b.forms, 40000, 100000);
    fill(&whole.forms, 0, 100000);
    merge_profile_join(&both, &a);
    merge_profile_join(&both, &b);
    merge_profile_join(&other_way, &b);
    merge_profile_join(&other_way, &a);
    assert_int_equal(both.longest, 14);
    assert_int_equal(both.bytes, 7);
    assert_memory_equal(&both, &other_way, sizeof both);
    assert_memory_equal(&both.forms, &whole.forms, sizeof whole.forms);
    assert_near(merge_sketch_count(&both.forms), 100000);
}

/* ---- segments ----------------------------------------------------------------------------- */

/* Articles [from, to): "the" three times each, a word of its own, and one of ten. */
static snapshot *make_index(unsigned from, unsigned to, bool dated)
{
    pm_writer *w;
    pm_error err;
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    snapshot *s;
    o.commit_level = 2;
    folder_empty(root);
    must(pm_writer_open(root, &o, &w, &err), &err);
    for (unsigned i = from; i < to; i++) {
        char id[16], text[64];
        pm_article a = {.file_size = 0};
        a.id = (pm_text){id, (size_t)snprintf(id, sizeof id, "%u", i)};
        a.text =
            (pm_text){text, (size_t)snprintf(text, sizeof text, "the the x%u the y%u", i, i % 10)};
        if (dated) a.date = (pm_text){"2025-11-29", 10};
        must(pm_writer_add(w, &a, NULL, &err), &err);
    }
    must(pm_writer_commit(w, NULL, &err), &err);
    pm_writer_close(w);
    must(snapshot_open(&s, root, &err), &err);
    assert_int_equal(s->meta.n_segments, 1);
    return s;
}

static void a_profile_is_of_the_dictionaries(void **state)
{
    (void)state;
    merge_profile p;
    snapshot *s = make_index(0, 900, false);
    assert_true(merge_profile_make(s->segments[0].seg, &p));
    assert_int_equal(p.longest, 2700);
    assert_int_equal(p.bytes, 8 * 900 + 4 * 2700);
    assert_int_equal(merge_sketch_count(&p.forms), 1 + 10 + 900);
    assert_int_equal(s->segments[0].seg->info.n_forms, 1 + 10 + 900);
    snapshot_close(s);
}

static merge_size size_of(const segment_info *info, unsigned times, uint32_t n_dead)
{
    merge_size size = {.docs = 0};
    for (unsigned i = 0; i < times; i++) {
        segment_info next = *info;
        next.seq_base += (uint64_t)i * info->n_docs;
        merge_size_add(&size, &next, n_dead);
    }
    return size;
}

static void estimates_follow_the_inputs(void **state)
{
    (void)state;
    enum { DOCS = 5000 };
    static merge_profile one, two, other;
    snapshot *s = make_index(0, DOCS, false);
    segment_info info = s->segments[0].seg->info;
    assert_true(merge_profile_make(s->segments[0].seg, &one));
    merge_profile_join(&two, &one);
    merge_profile_join(&two, &one); /* the same vocabulary twice                                */
    merge_size once = size_of(&info, 1, 0), twice = size_of(&info, 2, 0),
               dead = size_of(&info, 2, 9);
    assert_false(once.numbered || once.dated || once.dead || twice.numbered || twice.dated);
    assert_true(dead.numbered && dead.dead);
    assert_int_equal(dead.live, 2 * (DOCS - 9));
    /* One segment is not thought smaller than what is in it. */
    assert_true(merge_size_likely(&once, &one, 64 << 20) > (8 + 4 * 3) * DOCS + 25 * DOCS);
    uint64_t likely = merge_size_likely(&twice, &two, 64 << 20);
    assert_true(likely > merge_size_likely(&once, &one, 64 << 20));
    assert_true(likely < 2 * merge_size_likely(&once, &one, 64 << 20));
    assert_true(merge_size_likely(&dead, &two, 64 << 20) > likely);
    snapshot_close(s);

    /* Other words, and the same number of documents: more is expected. */
    s = make_index(DOCS, 2 * DOCS, true);
    other = one;
    static merge_profile last;
    assert_true(merge_profile_make(s->segments[0].seg, &last));
    merge_profile_join(&other, &last);
    assert_true(merge_size_likely(&twice, &other, 64 << 20) > likely);
    assert_true(size_of(&s->segments[0].seg->info, 1, 0).dated);
    /* Numbers that do not follow one another. */
    merge_size gap = size_of(&info, 1, 0);
    segment_info next = info;
    next.seq_base += DOCS + 1;
    merge_size_add(&gap, &next, 0);
    assert_true(gap.numbered);
    assert_true(merge_size_most(&gap) == merge_size_most(&twice) + 8 * 2 * DOCS);
    snapshot_close(s);
}

static void large_lists(void **state)
{
    (void)state;
    assert_int_equal(merge_large_list(0), 1 << 20);
    assert_int_equal(merge_large_list(UINT64_C(1) << 40), 1 << 20);
    assert_int_equal(merge_large_list(64 << 20), 1 << 17);
    assert_int_equal(merge_large_list(1), 1 << 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_are_counted),
        cmocka_unit_test(many_are_estimated),
        cmocka_unit_test(a_union_is_that_of_all),
        cmocka_unit_test_setup_teardown(a_profile_is_of_the_dictionaries, make_root, remove_root),
        cmocka_unit_test_setup_teardown(estimates_follow_the_inputs, make_root, remove_root),
        cmocka_unit_test(large_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
