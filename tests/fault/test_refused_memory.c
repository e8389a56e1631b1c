/* SPDX-License-Identifier: MIT
 *
 * test_refused_memory.c - the n-th allocation refused, for all n, once and from then on.
 *
 * While three articles are indexed and committed: the status is PM_NOMEM or PM_OK, and the
 * folder then holds no commit or the whole one, PM_OK always meaning the whole.  While an
 * index is opened and asked: PM_NOMEM, or PM_OK with the sound answers.  Nothing crashes and
 * (under sanitizers) nothing leaks.
 *
 *   PM_FAULT_STRIDE=N   every N-th allocation only (default 1; 7 under sanitizers)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "tests/support/folder.h"
#include "tests/support/probe.h"

static char folder[FOLDER_PATH];
static transcript sound, answers;

static uint64_t stride(void)
{
    const char *text = getenv("PM_FAULT_STRIDE"), *variant = getenv("PM_TEST_VARIANT");
    unsigned long n = text && *text ? strtoul(text, NULL, 10) : 0;
    if (n) return n;
    return !variant || !strcmp(variant, "release") || !strcmp(variant, "debug") ? 1 : 7;
}

/* ---- what is done while memory is refused --------------------------------------------- */

static pm_status add_three(pm_writer *writer, pm_error *err)
{
    const char *const articles[3][3] = {
        {"one", "Rare earths",
         "China tightens export controls on rare earth minerals, the US says."},
        {"two", "Talks",
         "Trump and Xi meet at the APEC summit; \"trade talks\" go on. TikTok waits."},
        {probe_article_id, "R\xc3\xa9sum\xc3\xa9",
         "Caf\xc3\xa9 owners\xe2\x80\x99 tariffs: 145% in U.S.-China trade."},
    };
    pm_status st = PM_OK;
    for (unsigned i = 0; st == PM_OK && i < 3; i++) {
        const char *const *a = articles[i];
        pm_article article = {.id = {a[0], strlen(a[0])},
                              .title = {a[1], strlen(a[1])},
                              .text = {a[2], strlen(a[2])},
                              .date = {"2025-09-19", 10}};
        st = pm_writer_add(writer, &article, NULL, err);
    }
    return st;
}

static pm_status index_three(pm_error *err)
{
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.threads = 1;
    options.memory_bytes = 16u << 20;
    options.commit_level = 2;
    pm_writer *writer = NULL;
    pm_status st = pm_writer_open(folder, &options, &writer, err);
    if (st == PM_OK) st = add_three(writer, err);
    if (st == PM_OK) st = pm_writer_commit(writer, NULL, err);
    pm_writer_close(writer);
    return st;
}

static pm_status ask(pm_error *err)
{
    return probe_all(folder, &answers, err);
}

static pm_status check(pm_error *err)
{
    return pm_check(folder, true, NULL, NULL, NULL, err);
}

/* ---- refusing ------------------------------------------------------------------------- */

/* No commit at all, or the whole one. */
static void verify_folder(pm_status st, uint64_t n)
{
    pm_error err = {.status = PM_OK};
    pm_status seen = probe_all(folder, &answers, &err);
    bool whole = seen == PM_OK && transcript_equal(&answers, &sound);
    if (!whole && seen != PM_USAGE)
        fail_msg("allocation %lu refused: a third thing: %s", (unsigned long)n, err.message);
    if (st == PM_OK && !whole)
        fail_msg("allocation %lu refused: PM_OK without a commit", (unsigned long)n);
    folder_empty(folder);
}

static void verify_answers(pm_status st, uint64_t n)
{
    if (st == PM_OK && !transcript_equal(&answers, &sound))
        fail_msg("allocation %lu refused: another answer", (unsigned long)n);
}

static void verify_nothing(pm_status st, uint64_t n)
{
    (void)st;
    (void)n;
}

/* Repeat `act`, each time refusing a later allocation, until it needs fewer than that. */
static void refuse_each(const char *title, pm_status (*act)(pm_error *err),
                        void (*verify)(pm_status st, uint64_t n), bool sticky)
{
    uint64_t n = 1, refused = 0, survived = 0;
    for (;; n += stride()) {
        pm_error err = {.status = PM_OK};
        mem_fail_at(n, sticky);
        pm_status st = act(&err);
        uint64_t asked = mem_count();
        mem_fail_at(0, false);
        if (st != PM_OK && st != PM_NOMEM)
            fail_msg("%s: allocation %lu refused: %s: %s", title, (unsigned long)n,
                     pm_status_name(st), err.message);
        if (st == PM_NOMEM && err.status != PM_NOMEM)
            fail_msg("%s: allocation %lu refused: the error says nothing", title, (unsigned long)n);
        verify(st, n);
        if (asked < n) {
            assert_int_equal(st, PM_OK);
            break;
        }
        if (st == PM_OK)
            survived++;
        else
            refused++;
    }
    printf("%s, %s: %lu allocations (every %lu.): %lu reported, %lu done without\n", title,
           sticky ? "sticky" : "once", (unsigned long)n - 1, (unsigned long)stride(),
           (unsigned long)refused, (unsigned long)survived);
    assert_true(refused > 0);
}

static int begin(void **state)
{
    (void)state;
    unsetenv("PRESSMARK_SEED");
    folder_make(folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static void learn(void)
{
    pm_error err = {.status = PM_OK};
    folder_empty(folder);
    if (index_three(&err) != PM_OK || probe_all(folder, &sound, &err) != PM_OK)
        fail_msg("nothing refused: %s", err.message);
}

static void test_indexing(void **state)
{
    (void)state;
    learn();
    for (int sticky = 0; sticky < 2; sticky++) {
        folder_empty(folder);
        refuse_each("index three articles", index_three, verify_folder, sticky);
    }
}

static void test_asking(void **state)
{
    (void)state;
    learn();
    for (int sticky = 0; sticky < 2; sticky++)
        refuse_each("open, search, article, stats, dump", ask, verify_answers, sticky);
}

static void test_checking(void **state)
{
    (void)state;
    learn();
    for (int sticky = 0; sticky < 2; sticky++) refuse_each("check", check, verify_nothing, sticky);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_indexing),
        cmocka_unit_test(test_asking),
        cmocka_unit_test(test_checking),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
