/* SPDX-License-Identifier: MIT
 * test_large_article.c - articles whose words do not fit into what a writer may take: those that
 * fit alone get a batch of their own, others are refused, and the writer goes on as if they had
 * never come.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "indexer/merge.h"
#include "tests/support/folder.h"
#include "tests/support/made_articles.h"

enum { LIMIT = 1 << 20, WORD = 8, ALONE_WORDS = 40000, FAR_TOO_MANY = 400000 };

static char one[FOLDER_PATH], two[FOLDER_PATH];

static int set_up(void **state)
{
    (void)state;
    folder_make(one);
    folder_make(two);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_fail_at(0, false);
    folder_remove(one);
    folder_remove(two);
    return 0;
}

static pm_writer *open_threads(const char *path, unsigned threads)
{
    pm_error err;
    pm_writer *w;
    pm_writer_options o = made_options();
    o.memory_bytes = LIMIT;
    o.threads = threads;
    must(pm_writer_open(path, &o, &w, &err), &err);
    return w;
}

/* An article of so many words, none of them twice. */
static pm_status add_words(pm_writer *w, const char *id, uint32_t n, pm_error *err)
{
    char *text = malloc((size_t)n * WORD + 1);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t left = i;
        for (unsigned k = 0; k < WORD - 1; k++, left /= 10)
            text[i * WORD + k] = (char)('b' + left % 10);
        text[i * WORD + WORD - 1] = ' ';
    }
    const pm_article a = {.id = {id, strlen(id)}, .text = {text, (size_t)n * WORD}};
    pm_status st = pm_writer_add(w, &a, NULL, err);
    free(text);
    return st;
}

static void test_refused(void **state)
{
    (void)state;
    pm_error err;
    for (unsigned threads = 1; threads <= 2; threads++) {
        const char *path = threads == 1 ? one : two;
        pm_writer *w = open_threads(path, threads);
        for (unsigned i = 0; i < 60; i++) {
            if (i % 20 == 0) { /* the first of a writer, and amid a batch                       */
                assert_int_equal(add_words(w, "far", FAR_TOO_MANY, &err), PM_USAGE);
                assert_non_null(strstr(err.message, "far"));
                assert_non_null(strstr(err.message, "--memory"));
            }
            add(w, i, 1);
        }
        assert_int_equal(add_words(w, "far", FAR_TOO_MANY, &err), PM_USAGE);
        pm_commit_info info = commit(w);
        assert_int_equal(info.added, 60);
        assert_int_equal(add_words(w, "far", FAR_TOO_MANY, &err), PM_USAGE);
        info = commit(w); /* of nothing                                                         */
        assert_int_equal(info.added, 0);
        add(w, 3, 2);
        commit(w);
        pm_writer_close(w);
        assert_sound(path);
        assert_int_equal(count_files(path, "tmp"), 0);
    }
    assert_same_dump(one, two);
    assert_int_equal(count_files(one, ".seg"), count_files(two, ".seg"));
}

/* An older article of the same id stays when the new one is refused. */
static void test_refused_update(void **state)
{
    (void)state;
    pm_error err;
    pm_writer *w = open_threads(one, 1);
    add(w, 1, 1);
    assert_int_equal(add_words(w, "a1", FAR_TOO_MANY, &err), PM_USAGE);
    commit(w);
    assert_int_equal(add_words(w, "a1", FAR_TOO_MANY, &err), PM_USAGE);
    commit(w);
    assert_true(remove_article(w, 1));
    pm_writer_close(w);
}

static uint64_t n_documents(const char *path)
{
    pm_error err;
    snapshot *s;
    uint64_t n = 0;
    must(snapshot_open(&s, path, &err), &err);
    for (uint32_t i = 0; i < s->meta.n_segments; i++) n += s->meta.segments[i].n_docs;
    snapshot_close(s);
    return n;
}

static void test_alone(void **state)
{
    (void)state;
    pm_error err;
    pm_writer *w = open_threads(one, 1);
    for (unsigned i = 0; i < 20; i++) add(w, i, 1);
    assert_true(w->batch.n_docs == 20);
    must(add_words(w, "big", ALONE_WORDS, &err), &err);
    assert_int_equal(w->batch.n_docs, 0); /* the twenty went before it, and it goes at once */
    assert_int_equal(w->n_segments, 2);
    assert_int_equal(w->segments[0].named.n_docs, 20);
    assert_int_equal(w->segments[1].named.n_docs, 1);
    add(w, 20, 1);
    commit(w);
    pm_writer_close(w);
    assert_sound(one);
    assert_int_equal(n_documents(one), 22);
}

static pm_status index_some(pm_error *err)
{
    pm_writer *w;
    pm_writer_options o = made_options();
    o.memory_bytes = LIMIT;
    o.threads = 1;
    pm_status st = pm_writer_open(one, &o, &w, err);
    if (st != PM_OK) return st;
    made_article m;
    make_article(&m, 1, 1);
    st = pm_writer_add(w, &m.a, NULL, err);
    if (st == PM_OK) st = add_words(w, "far", FAR_TOO_MANY / 2, err);
    if (st == PM_USAGE) st = add_words(w, "big", ALONE_WORDS, err);
    if (st == PM_OK) st = pm_writer_commit(w, NULL, err);
    pm_writer_close(w);
    return st;
}

/* Memory refused on the way: nothing, or all but what does not fit. */
static void test_memory_refused(void **state)
{
    (void)state;
    pm_error err;
    bool struck = true;
    uint64_t n = 0;
    for (uint64_t step = 1; struck; n += step, step = 1 + n / 40) {
        mem_fail_at(n + 1, false);
        pm_status st = index_some(&err);
        struck = mem_count() > n;
        mem_fail_at(0, false);
        assert_true(st == PM_OK || st == PM_NOMEM);
        if (st == PM_OK)
            assert_int_equal(n_documents(one), 2);
        else
            assert_int_equal(count_files(one, "manifest"), 0);
        folder_empty(one);
    }
    printf("%llu allocations\n", (unsigned long long)n);
    assert_true(n > 100);
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_refused),
        IN_FOLDER(test_refused_update),
        IN_FOLDER(test_alone),
        IN_FOLDER(test_memory_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
