/* SPDX-License-Identifier: MIT
 *
 * test_reorder.c - graph bisection finds planted groups, the same for any number of threads; and
 * an index whose documents changed places is the same index to everyone who asks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "indexer/reorder.h"
#include "pressmark.h"
#include "tests/support/folder.h"
#include "tests/support/whole_index.h"

/* ---- the division ------------------------------------------------------------------------- */

enum { GROUPS = 16, GROUP_TERMS = 30, COMMON_TERMS = 40, DOC_TERMS = 12, MANY = 4096 };

/* Document d is of group d mod GROUPS: so the first order is the worst. */
static void plant(forward_index *f, uint32_t n_docs, uint64_t seed)
{
    *f = (forward_index){.n_docs = n_docs, .n_terms = GROUPS * GROUP_TERMS + COMMON_TERMS};
    f->starts = calloc((size_t)n_docs + 1, sizeof *f->starts);
    f->terms = calloc((size_t)n_docs * DOC_TERMS + 1, sizeof *f->terms);
    assert_true(f->starts && f->terms);
    uint64_t at = 0;
    for (uint32_t doc = 0; doc < n_docs; doc++) {
        bool has[GROUPS * GROUP_TERMS + COMMON_TERMS] = {false};
        for (unsigned k = 0; k < DOC_TERMS; k++) {
            uint32_t own =
                doc % GROUPS * GROUP_TERMS + (uint32_t)(random_next(&seed) % GROUP_TERMS);
            uint32_t common = GROUPS * GROUP_TERMS + (uint32_t)(random_next(&seed) % COMMON_TERMS);
            has[k % 3 ? own : common] = true;
        }
        for (uint32_t term = 0; term < f->n_terms; term++)
            if (has[term]) f->terms[at++] = term;
        f->starts[doc + 1] = at;
    }
}

static void unplant(forward_index *f)
{
    free(f->starts);
    free(f->terms);
}

static bool go_on(void *ctx)
{
    const pthread_t *caller = ctx;
    assert_true(pthread_equal(*caller, pthread_self()));
    return true;
}

static void bisect(const forward_index *f, unsigned threads, uint32_t *order)
{
    pm_error err;
    pthread_t caller = pthread_self();
    bool *seen = calloc((size_t)f->n_docs + 1, sizeof *seen);
    assert_non_null(seen);
    for (uint32_t i = 0; i < f->n_docs; i++) order[i] = i;
    reorder_watch watch = {go_on, &caller};
    assert_int_equal(reorder_bisect(f, threads, threads % 2 ? &watch : NULL, order, &err), PM_OK);
    for (uint32_t i = 0; i < f->n_docs; i++) {
        assert_true(order[i] < f->n_docs && !seen[order[i]]);
        seen[order[i]] = true;
    }
    free(seen);
}

/* Neighbours of different groups. */
static uint32_t borders(const uint32_t *order, uint32_t n)
{
    uint32_t found = 0;
    for (uint32_t i = 1; i < n; i++) found += order[i] % GROUPS != order[i - 1] % GROUPS;
    return found;
}

static void test_groups(void **state)
{
    static uint32_t order[MANY];
    forward_index f;
    (void)state;
    plant(&f, MANY, 11);
    bisect(&f, 1, order);
    assert_true(borders(order, MANY) < MANY / 8);
    unplant(&f);
}

static void test_threads(void **state)
{
    static const unsigned threads[] = {2, 3, 7, 0};
    static uint32_t one[MANY], other[MANY];
    forward_index f;
    (void)state;
    for (uint32_t n = MANY; n > 900; n = n * 2 / 3 + 1) {
        plant(&f, n, n);
        bisect(&f, 1, one);
        for (unsigned i = 0; i < sizeof threads / sizeof *threads; i++) {
            bisect(&f, threads[i], other);
            assert_memory_equal(one, other, n * sizeof *one);
        }
        unplant(&f);
    }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static unsigned threads_allowed = UINT32_MAX; /* more are refused                            */

/* The C library's own, but that it refuses. */
int pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg)
{
    int (*own)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    void *symbol = dlsym(RTLD_NEXT, "pthread_create");
    memcpy(&own, &symbol, sizeof own);
    if (!threads_allowed) return EAGAIN;
    threads_allowed--;
    return own(id, attributes, fn, arg);
}

static bool count_calls(void *ctx)
{
    unsigned *calls = ctx;
    return ++*calls != 3;
}

/* Fewer threads than asked for, or none: the same order, and the caller is still asked. */
static void test_refused_threads(void **state)
{
    static uint32_t one[MANY], other[MANY];
    forward_index f;
    pm_error err = {0};
    (void)state;
    plant(&f, MANY, 11);
    bisect(&f, 1, one);
    for (unsigned threads = 1; threads < 5; threads++)
        for (unsigned allowed = 0; allowed < 12; allowed++) {
            threads_allowed = allowed;
            bisect(&f, threads, other);
            assert_memory_equal(one, other, sizeof one);
        }
    unsigned calls = 0;
    reorder_watch watch = {count_calls, &calls};
    threads_allowed = 0;
    assert_int_equal(reorder_bisect(&f, 2, &watch, other, &err), PM_IO);
    assert_int_equal(err.os_errno, ECANCELED);
    assert_int_equal(calls, 3);
    threads_allowed = UINT32_MAX;
    unplant(&f);
}
#else /* which make pthread_create their own                                                   */
static void test_refused_threads(void **state)
{
    (void)state;
}
#endif

/* What says no after some calls; the division of so many takes seconds. */
typedef struct stopper {
    pthread_t caller;
    unsigned calls, stop_at;
} stopper;

static bool stop_later(void *ctx)
{
    stopper *s = ctx;
    assert_true(pthread_equal(s->caller, pthread_self()));
    return ++s->calls < s->stop_at;
}

static void test_stopped(void **state)
{
    enum { HUGE = 100000 };
    uint32_t *order = malloc(HUGE * sizeof *order);
    forward_index f;
    (void)state;
    assert_non_null(order);
    plant(&f, HUGE, 3);
    for (unsigned i = 0; i < 6; i++) {
        pm_error err = {0};
        stopper s = {.caller = pthread_self(), .stop_at = 1 + i / 3};
        reorder_watch watch = {stop_later, &s};
        for (uint32_t doc = 0; doc < HUGE; doc++) order[doc] = doc;
        assert_int_equal(reorder_bisect(&f, 1 + i % 3, &watch, order, &err), PM_IO);
        assert_int_equal(err.os_errno, ECANCELED);
        assert_int_equal(s.calls, s.stop_at); /* nobody is asked after a no                  */
    }
    unplant(&f);
    free(order);
}

static void test_few(void **state)
{
    static uint32_t order[200];
    forward_index f;
    (void)state;
    for (uint32_t n = 0; n < 120; n++) {
        plant(&f, n, n);
        bisect(&f, n % 5, order);
        unplant(&f);
    }
}

/* ---- the index ---------------------------------------------------------------------------- */

enum { ARTICLES = 1200, TOPICS = 6 };

static const char *const queries[] = {
    "common",
    "common t0x1",
    "+common +t1x2",
    "t0x0 t1x0 t2x0",
    "\"common news\"",
    "\"t2x1 t2x2\"",
    "t3x1 -common",
    "title:news",
    "NEWS",
    "\"t4x1 common\"~5",
    "t5x3^2 common",
    "absent",
    "+t0x1 t0x2",
    "(t1x1 OR t2x2) t3x3",
};
enum { QUERIES = sizeof queries / sizeof *queries };

static void add(pm_writer *w, unsigned i, uint64_t seed)
{
    char id[16], text[1024], date[16];
    size_t len = (size_t)snprintf(text, sizeof text, "Common news of NEWS");
    seed += i;
    for (unsigned k = 0; k < 8 + i % 5; k++)
        len += (size_t)snprintf(text + len, sizeof text - len, " t%ux%u", i % TOPICS,
                                (unsigned)(random_next(&seed) % 7));
    size_t id_len = (size_t)snprintf(id, sizeof id, "a%u", i);
    size_t date_len = (size_t)snprintf(date, sizeof date, "2025-%02u-01", 1 + i / 100 % 12);
    pm_article a = {.id = {id, id_len}, .title = {"Daily news", 10}, .text = {text, len}};
    a.date = (pm_text){date, date_len};
    assert_int_equal(pm_writer_add(w, &a, NULL, NULL), PM_OK);
}

static pm_writer *writer(const char *path, unsigned threads, uint64_t memory)
{
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    pm_writer *w = NULL;
    pm_error err;
    o.commit_level = 2;
    o.block_size = 16;
    o.store_block_bytes = 2048;
    o.threads = threads;
    if (memory) o.memory_bytes = memory;
    if (pm_writer_open(path, &o, &w, &err) != PM_OK) fail_msg("%s", err.message);
    return w;
}

/* Three commits, some articles replaced, some deleted. */
static void build(const char *path)
{
    pm_writer *w = writer(path, 1, 0);
    char id[16];
    for (unsigned i = 0; i < ARTICLES; i++) {
        add(w, i, 1);
        if (i % 400 == 399) assert_int_equal(pm_writer_commit(w, NULL, NULL), PM_OK);
    }
    for (unsigned i = 0; i < ARTICLES; i += 37) add(w, i, 99);
    for (unsigned i = 5; i < ARTICLES; i += 53) {
        size_t len = (size_t)snprintf(id, sizeof id, "a%u", i);
        assert_int_equal(pm_writer_delete(w, id, len, NULL, NULL), PM_OK);
    }
    assert_int_equal(pm_writer_commit(w, NULL, NULL), PM_OK);
    pm_writer_close(w);
}

static pm_status optimize(const char *path, pm_reorder by, unsigned threads, uint64_t memory,
                          pm_error *err)
{
    pm_optimize_options o = PM_OPTIMIZE_OPTIONS_INIT;
    pm_writer *w = writer(path, threads, memory);
    o.reorder = by;
    pm_status st = pm_writer_optimize_with(w, &o, NULL, err);
    pm_writer_close(w);
    return st;
}

static void put_answers(pm_searcher *s, const char *query, pm_match match, buf *out)
{
    pm_search_options o = PM_SEARCH_OPTIONS_INIT;
    const pm_result *r;
    static const uint64_t limits[] = {3, 40, 5000};
    o.match = match;
    o.want_snippets = false;
    for (unsigned k = 0; k < 6; k++) {
        o.limit = limits[k % 3];
        o.exhaustive = k > 2;
        assert_int_equal(pm_searcher_search(s, query, strlen(query), &o, &r, NULL), PM_OK);
        buf_u64(out, r->total);
        buf_u64(out, r->n_hits);
        for (size_t i = 0; i < r->n_hits; i++) {
            buf_append(out, r->hits[i].id.data, r->hits[i].id.len);
            buf_f64(out, r->hits[i].score);
            buf_append(out, r->hits[i].date.data, r->hits[i].date.len);
        }
    }
}

/* Everything that a reader can be told: answers, then the dump. */
static void listen(const char *path, buf *answers, buf *text)
{
    pm_index *index;
    pm_searcher *s;
    buf_reset(answers);
    buf_free(text);
    assert_sound(path);
    assert_int_equal(pm_index_open(path, &index, NULL), PM_OK);
    assert_int_equal(pm_searcher_open(index, &s, NULL), PM_OK);
    for (unsigned i = 0; i < QUERIES; i++)
        for (unsigned match = PM_MATCH_AUTO; match <= PM_MATCH_ANY; match++)
            put_answers(s, queries[i], (pm_match)match, answers);
    assert_false(answers->failed);
    pm_searcher_close(s);
    pm_index_close(index);
    *text = dump(path);
}

static void test_answers(void **state)
{
    static const pm_reorder orders[] = {PM_REORDER_BP, PM_REORDER_KEEP, PM_REORDER_NONE};
    char path[FOLDER_PATH];
    buf answers = {0}, text = {0}, after = {0}, text_after = {0};
    (void)state;
    folder_make(path);
    build(path);
    listen(path, &answers, &text);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(optimize(path, orders[i], 2, 0, NULL), PM_OK);
        listen(path, &after, &text_after);
        assert_same_text(&answers, &after);
        assert_same_text(&text, &text_after);
    }
    buf_free(&answers);
    buf_free(&text);
    buf_free(&after);
    buf_free(&text_after);
    folder_remove(path);
}

/* Articles come and go after a reordering; the next merge keeps it or takes it back. */
static void test_later_changes(void **state)
{
    char path[FOLDER_PATH], twin[FOLDER_PATH];
    const char *const paths[] = {path, twin};
    buf answers[2] = {{0}, {0}}, text[2] = {{0}, {0}};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        folder_make(i ? twin : path);
        build(paths[i]);
    }
    assert_int_equal(optimize(path, PM_REORDER_BP, 1, 0, NULL), PM_OK);
    for (unsigned i = 0; i < 2; i++) {
        pm_writer *w = writer(paths[i], 1, 0);
        for (unsigned k = 600; k < 1500; k += 3) add(w, k, 5);
        assert_int_equal(pm_writer_delete(w, "a61", 3, NULL, NULL), PM_OK);
        assert_int_equal(pm_writer_commit(w, NULL, NULL), PM_OK);
        pm_writer_close(w);
    }
    for (unsigned by = PM_REORDER_KEEP; by <= PM_REORDER_BP; by++) {
        listen(paths[0], &answers[0], &text[0]);
        listen(paths[1], &answers[1], &text[1]);
        assert_same_text(&answers[0], &answers[1]);
        assert_same_text(&text[0], &text[1]);
        assert_int_equal(optimize(path, (pm_reorder)by, 3, 0, NULL), PM_OK);
    }
    for (unsigned i = 0; i < 2; i++) {
        buf_free(&answers[i]);
        buf_free(&text[i]);
        folder_remove(paths[i]);
    }
}

static const folder_file *newest_segment(const folder_image *image)
{
    const folder_file *found = NULL;
    long best = -1;
    for (size_t i = 0; i < image->n; i++) {
        long number = strtol(image->files[i].name, NULL, 10);
        if (!strstr(image->files[i].name, ".seg") || number <= best) continue;
        best = number;
        found = &image->files[i];
    }
    return found;
}

/* The same bytes for any number of threads. */
static void test_bytes(void **state)
{
    static const unsigned threads[] = {1, 2, 5};
    folder_image images[3];
    (void)state;
    setenv("PRESSMARK_SEED", "5", 1);
    for (unsigned i = 0; i < 3; i++) {
        char path[FOLDER_PATH];
        folder_make(path);
        build(path);
        assert_int_equal(optimize(path, PM_REORDER_BP, threads[i], 0, NULL), PM_OK);
        folder_load(path, &images[i]);
        folder_remove(path);
    }
    unsetenv("PRESSMARK_SEED");
    const folder_file *first = newest_segment(&images[0]);
    for (unsigned i = 1; i < 3; i++) {
        const folder_file *file = newest_segment(&images[i]);
        assert_non_null(file);
        assert_int_equal(file->len, first->len);
        assert_memory_equal(file->data, first->data, first->len);
    }
    for (unsigned i = 0; i < 3; i++) folder_image_free(&images[i]);
}

static void test_memory(void **state)
{
    char path[FOLDER_PATH];
    pm_error err;
    buf answers = {0}, text = {0}, after = {0}, text_after = {0};
    (void)state;
    folder_make(path);
    build(path);
    listen(path, &answers, &text);
    assert_int_equal(optimize(path, PM_REORDER_BP, 1, 30000, &err), PM_USAGE);
    assert_non_null(strstr(err.message, "--memory="));
    listen(path, &after, &text_after);
    assert_same_text(&answers, &after);
    assert_same_text(&text, &text_after);
    assert_int_equal(optimize(path, PM_REORDER_NONE, 1, 30000, &err), PM_OK);
    buf_free(&answers);
    buf_free(&text);
    buf_free(&after);
    buf_free(&text_after);
    folder_remove(path);
}

/* Every allocation of a reordering refused in turn: the last commit stands. */
static void test_refused(void **state)
{
    char path[FOLDER_PATH];
    folder_image before;
    (void)state;
    folder_make(path);
    build(path);
    folder_load(path, &before);
    bool done = false;
    for (uint64_t n = 1; !done; n += 1 + n / 8) {
        pm_optimize_options o = PM_OPTIMIZE_OPTIONS_INIT;
        pm_error err;
        pm_writer *w = writer(path, 1, 0);
        o.reorder = PM_REORDER_BP;
        mem_fail_at(n, false);
        pm_status st = pm_writer_optimize_with(w, &o, NULL, &err);
        done = mem_count() < n;
        mem_fail_at(0, false);
        pm_writer_close(w);
        /* Garbage is collected after the commit, and may as well stay. */
        assert_true(st == PM_OK || (st == PM_NOMEM && !done));
        if (!done) folder_restore(path, &before);
    }
    folder_image_free(&before);
    folder_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),  cmocka_unit_test(test_threads),
        cmocka_unit_test(test_stopped), cmocka_unit_test(test_few),
        cmocka_unit_test(test_answers), cmocka_unit_test(test_later_changes),
        cmocka_unit_test(test_bytes),   cmocka_unit_test(test_memory),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_refused_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
