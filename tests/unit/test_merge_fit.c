/* SPDX-License-Identifier: MIT
 * test_merge_fit.c - how a writer decides that a merge fits (writer_fit.c): which of the three
 * estimates it goes by, just below and just above each of them, and what is told when dictionaries
 * cannot be walked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "indexer/merge_size.h"
#include "indexer/writer.h"
#include "tests/support/folder.h"
#include "tests/support/whole_index.h"

enum { SEGMENTS = 4, ARTICLES = 600, WORDS = 40 };

static char root[FOLDER_PATH];
static pm_writer *w;

/* Articles of words that all segments share, or that none of them does. */
static void add(unsigned number, bool shared)
{
    pm_error err;
    char id[16], text[16 * WORDS];
    size_t len = 0;
    for (unsigned i = 0; i < WORDS; i++) {
        unsigned word = (number * WORDS + i) % (shared ? ARTICLES * WORDS : UINT32_MAX);
        len += (size_t)snprintf(text + len, sizeof text - len, "w%u ", word);
    }
    pm_article a = {.text = {text, len}};
    a.id = (pm_text){id, (size_t)snprintf(id, sizeof id, "%u", number)};
    must(pm_writer_add(w, &a, NULL, &err), &err);
}

static void make_segments(bool shared)
{
    pm_error err;
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    o.commit_level = 2;
    folder_empty(root);
    must(pm_writer_open(root, &o, &w, &err), &err);
    w->keeps_none = true;
    for (unsigned i = 0; i < SEGMENTS * ARTICLES; i++) {
        add(i, shared);
        if ((i + 1) % ARTICLES == 0) must(pm_writer_commit(w, NULL, &err), &err);
    }
    assert_int_equal(w->n_segments, SEGMENTS);
    inverter_reset(w->iv, true);
    assert_int_equal(inverter_forms_memory(w->iv), 0);
}

static int set_up(void **state)
{
    folder_make(root);
    make_segments(*state != NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_fail_at(0, false);
    pm_writer_close(w);
    folder_remove(root);
    return 0;
}

static merge_size size_of_all(void)
{
    merge_size size = {.docs = 0};
    for (size_t i = 0; i < w->n_segments; i++)
        merge_size_add(&size, &w->segments[i].seg->info, w->segments[i].n_dead);
    return size;
}

static void forget_profiles(void)
{
    for (size_t i = 0; i < w->n_segments; i++) {
        mem_free(w->segments[i].profile);
        w->segments[i].profile = NULL;
    }
}

static unsigned count_profiles(void)
{
    unsigned n = 0;
    for (size_t i = 0; i < w->n_segments; i++) n += w->segments[i].profile != NULL;
    return n;
}

/* With the least limit under which `memory` bytes are in the budget, or with one byte less. */
static merge_fit ask(uint64_t memory, bool less)
{
    merge_size size = size_of_all();
    w->options.memory_bytes = memory;
    while (writer_budget(w) < memory) w->options.memory_bytes++;
    while (less && writer_budget(w) >= memory) w->options.memory_bytes--;
    return writer_merge_fit(w, 0, w->n_segments, &size);
}

/* What the dictionaries say, asked for here by itself. */
static merge_profile profile_of_all(void)
{
    static merge_profile one;
    merge_profile all = {.longest = 0};
    for (size_t i = 0; i < w->n_segments; i++) {
        assert_true(merge_profile_make(w->segments[i].seg, &one));
        merge_profile_join(&all, &one);
    }
    return all;
}

static void by_footers_where_that_is_enough(void **state)
{
    (void)state;
    merge_size size = size_of_all();
    uint64_t most = merge_size_most(&size);
    merge_fit fit = ask(most, false);
    assert_true(fit.fits && !fit.spills);
    assert_int_equal(fit.memory, most);
    assert_int_equal(count_profiles(), 0);

    fit = ask(most, true);
    assert_int_equal(count_profiles(), SEGMENTS);
    assert_true(fit.memory < most);
}

/* Words that all share: the footers count them four times, the dictionaries once. */
static void by_dictionaries_where_footers_say_too_much(void **state)
{
    (void)state;
    merge_size size = size_of_all();
    merge_profile all = profile_of_all();
    uint64_t limit = 1;
    while (limit - limit / 6 < merge_size_likely(&size, &all, limit)) limit += 4096;
    while (limit - limit / 6 >= merge_size_likely(&size, &all, limit)) limit--;
    uint64_t likely = merge_size_likely(&size, &all, ++limit);
    assert_true(likely < merge_size_most(&size));
    w->options.memory_bytes = limit;
    for (unsigned turn = 0; turn < 2; turn++) { /* the second time from what is remembered */
        merge_fit fit = writer_merge_fit(w, 0, w->n_segments, &size);
        assert_true(fit.fits && !fit.spills);
        assert_int_equal(fit.memory, likely);
        assert_int_equal(count_profiles(), SEGMENTS);
        mem_fail_at(1, true);
    }
    mem_fail_at(0, false);

    /* What the writer holds beside it counts: forms, and tokens of the newest segment. */
    pm_error err;
    w->keeps_none = false;
    add(SEGMENTS * ARTICLES, false);
    must(pm_writer_commit(w, NULL, &err), &err);
    assert_true(inverter_forms_memory(w->iv) > 0);
    assert_true(writer_kept_memory(w) > 0);
    merge_fit fit = writer_merge_fit(w, 0, SEGMENTS, &size);
    assert_false(fit.fits && !fit.spills);
    inverter_reset(w->iv, true);
    assert_int_equal(inverter_forms_memory(w->iv), 0);
    fit = writer_merge_fit(w, 0, SEGMENTS, &size);
    assert_false(fit.fits && !fit.spills);
    writer_drop_kept(w);
    fit = writer_merge_fit(w, 0, SEGMENTS, &size);
    assert_true(fit.fits && !fit.spills);
}

static void in_files_where_that_is_less(void **state)
{
    (void)state;
    merge_size size = size_of_all();
    merge_profile all = profile_of_all();
    uint64_t limit = 1 << 20, spilled = merge_size_spilled(&size, &all, limit);
    assert_true(spilled < merge_size_likely(&size, &all, limit));
    w->options.memory_bytes = limit;
    while (writer_budget(w) < merge_size_spilled(&size, &all, w->options.memory_bytes))
        w->options.memory_bytes++;
    limit = w->options.memory_bytes;
    merge_fit fit = writer_merge_fit(w, 0, w->n_segments, &size);
    assert_true(fit.fits && fit.spills);
    assert_int_equal(fit.memory, merge_size_spilled(&size, &all, limit));

    /* One byte less, and it fits in no way; it would be done in files all the same. */
    while (writer_budget(w) >= merge_size_spilled(&size, &all, w->options.memory_bytes))
        w->options.memory_bytes--;
    fit = writer_merge_fit(w, 0, w->n_segments, &size);
    assert_true(!fit.fits && fit.spills);
    assert_int_equal(fit.memory, merge_size_spilled(&size, &all, w->options.memory_bytes));
}

/* Some of the segments, not those before and behind them. */
static void of_the_run_alone(void **state)
{
    (void)state;
    merge_size size = {.docs = 0};
    w->options.memory_bytes = 1;
    merge_size_add(&size, &w->segments[1].seg->info, 0);
    merge_size_add(&size, &w->segments[2].seg->info, 0);
    merge_fit fit = writer_merge_fit(w, 1, 2, &size);
    assert_false(fit.fits);
    assert_null(w->segments[0].profile);
    assert_non_null(w->segments[1].profile);
    assert_non_null(w->segments[2].profile);
    assert_null(w->segments[3].profile);
    static merge_profile both;
    both = *w->segments[1].profile;
    merge_profile_join(&both, w->segments[2].profile);
    uint64_t spilled = merge_size_spilled(&size, &both, 1),
             likely = merge_size_likely(&size, &both, 1);
    assert_int_equal(fit.memory, spilled < likely ? spilled : likely);
}

/* Footers alone, then. */
static void without_memory_for_it(void **state)
{
    (void)state;
    merge_size size = size_of_all();
    uint64_t most = merge_size_most(&size);
    w->options.memory_bytes = 1;
    mem_fail_at(0, false);
    (void)writer_merge_fit(w, 0, w->n_segments, &size);
    uint64_t needed = mem_count();
    forget_profiles();
    assert_true(needed >= SEGMENTS);
    for (uint64_t n = 1; n <= needed; n++) {
        mem_fail_at(n, true);
        merge_fit fit = writer_merge_fit(w, 0, w->n_segments, &size);
        mem_fail_at(0, false);
        assert_true(!fit.fits && !fit.spills);
        assert_int_equal(fit.memory, most);
        assert_true(count_profiles() < SEGMENTS);
        forget_profiles();
    }
}

int main(void)
{
    static bool shared = true;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(by_footers_where_that_is_enough, set_up, tear_down),
        cmocka_unit_test_prestate_setup_teardown(by_dictionaries_where_footers_say_too_much, set_up,
                                                 tear_down, &shared),
        cmocka_unit_test_setup_teardown(in_files_where_that_is_less, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_the_run_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory_for_it, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
