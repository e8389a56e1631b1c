/* SPDX-License-Identifier: MIT
 * test_list_tasks.c - lists made in tasks, by one thread and by two: the file is the one that a
 * writer makes of the same lists one after the other (INV-5), those of more than a mebibyte too,
 * whose memory is handed on and not copied; what fails is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "indexer/list_tasks.h"
#include "tests/support/open_folder.h"

enum { DOCS_MOST = 140000, KEYS = 36, KEYS_A_TASK = 3, TASKS = KEYS / KEYS_A_TASK };

/* ---- lists ------------------------------------------------------------------------------- */

static uint32_t n_docs, all_docs[DOCS_MOST], all_tfs[DOCS_MOST];

/* Every fifth list is of all documents: the first, second and third of a task. */
static segment_term list_of(uint32_t key, char name[16])
{
    uint32_t df = key % 5 == 0 ? n_docs : 1 + key * 7 % 50;
    return (segment_term){
        name,       (size_t)sprintf(name, "k%02u", key), df, all_docs, all_tfs, NULL, NULL, 0,
        FORM_LISTED};
}

/* Documents of one length, in which frequencies are what no impact tells: eight bytes each. */
static segment_writer *begin(uint32_t docs)
{
    segment_writer_config config = {
        .k1 = 1.2, .b = 0.75, .block_size = 128, .dense_shift = 5, .store_block_bytes = 60000};
    segment_writer *w;
    pm_error err;
    uint64_t random = 5;
    n_docs = docs;
    folder_empty(folder);
    assert_int_equal(segment_writer_begin(&w, &where, "1-00000001.seg", &config, &err), PM_OK);
    for (uint32_t i = 0; i < docs; i++) {
        char id[16];
        segment_doc doc = {
            id, (size_t)sprintf(id, "%06u", i), 100, i, INT64_MIN, {(uint8_t *)id, 6}, 0};
        segment_writer_doc(w, &doc);
        all_docs[i] = i;
        all_tfs[i] = 1000 + (uint32_t)(random_next(&random) % 100000);
    }
    segment_writer_docs_done(w);
    return w;
}

static pm_status end(segment_writer *w, uint32_t *crc)
{
    manifest_segment made;
    pm_error err;
    pm_status st = segment_writer_finish(w, false, &made, &err);
    if (st == PM_OK) *crc = made.footer_crc;
    return st;
}

/* The sum of the footer, which has those of all pages. */
static uint32_t one_after_the_other(uint32_t docs)
{
    uint32_t crc = 0;
    segment_writer *w = begin(docs);
    for (uint32_t key = 0; key < KEYS; key++) {
        char name[16];
        segment_term term = list_of(key, name);
        assert_int_equal(segment_writer_term(w, &term), key);
    }
    assert_int_equal(end(w, &crc), PM_OK);
    return crc;
}

/* ---- tasks ------------------------------------------------------------------------------- */

typedef struct tasks {
    uint32_t asked, written; /* tasks of `next`, lists of `written`                             */
    uint32_t fails_at;       /* this task cannot be done                                        */
    bool wrong;
} tasks;

static bool next_task(void *ctx, unsigned worker, uint32_t task)
{
    tasks *t = ctx;
    if (worker >= LIST_WORKERS_MAX || task != t->asked) t->wrong = true;
    return t->asked++ < TASKS;
}

static void make_task(void *ctx, unsigned worker, uint32_t task, list_task *out)
{
    const tasks *t = ctx;
    (void)worker;
    for (uint32_t key = task * KEYS_A_TASK; key < (task + 1) * KEYS_A_TASK; key++) {
        char name[16];
        segment_term term = list_of(key, name);
        list_task_put(out, &term, NULL, key + 1);
    }
    if (task != t->fails_at) return;
    pm_error err;
    list_task_fail(out, error_set(&err, PM_IO, "the disk is gone"), &err);
    list_task_fail(out, error_nomem(&err), &err); /* the first is kept                          */
}

static void list_written(void *ctx, uint32_t tag, uint32_t ordinal)
{
    tasks *t = ctx;
    if (ordinal != t->written || tag != ordinal + 1) t->wrong = true;
    t->written++;
}

static pm_status run(segment_writer *w, tasks *t, unsigned threads, bool counted, pm_error *err)
{
    const list_job job = {.w = w,
                          .n_tasks = counted ? TASKS : UINT32_MAX,
                          .ctx = t,
                          .next = counted ? NULL : next_task,
                          .make = make_task,
                          .written = list_written};
    return list_tasks_run(&job, threads, err);
}

static void threads_change_no_byte(void **state)
{
    (void)state;
    static const uint32_t docs[] = {200, DOCS_MOST};
    for (unsigned i = 0; i < 2; i++) {
        uint32_t whole = one_after_the_other(docs[i]), crc = 0;
        for (unsigned way = 0; way < 6; way++) {
            tasks t = {.fails_at = UINT32_MAX};
            pm_error err;
            segment_writer *w = begin(docs[i]);
            assert_int_equal(run(w, &t, way % 3, way / 3, &err), PM_OK);
            assert_int_equal(t.written, KEYS);
            assert_false(t.wrong);
            assert_int_equal(end(w, &crc), PM_OK);
            assert_int_equal(crc, whole);
        }
    }
}

static void a_failure_is_the_first(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 2; threads++)
        for (uint32_t at = 0; at < TASKS; at++) {
            tasks t = {.fails_at = at};
            pm_error err;
            segment_writer *w = begin(200);
            assert_int_equal(run(w, &t, threads, true, &err), PM_IO);
            assert_string_equal(err.message, "the disk is gone");
            assert_int_equal(t.written, at * KEYS_A_TASK); /* what comes before it is written */
            segment_writer_abandon(w);
        }
}

/* Nothing is asked of a writer that has failed. */
static void a_failed_writer_gets_nothing(void **state)
{
    (void)state;
    tasks t = {.fails_at = UINT32_MAX};
    pm_error err;
    uint32_t crc;
    segment_writer *w = begin(200);
    segment_writer_form(w, "k\0", 2, 99, 0, 1, 1);
    assert_int_equal(run(w, &t, 2, false, &err), PM_OK);
    assert_int_equal(t.asked + t.written, 0);
    assert_int_equal(end(w, &crc), PM_USAGE);
}

static void memory_is_refused(void **state)
{
    (void)state;
    uint32_t whole = one_after_the_other(200), crc = 0;
    for (unsigned threads = 1; threads <= 2; threads++)
        for (unsigned sticky = 0; sticky < 2; sticky++)
            for (uint64_t n = 1;; n++) {
                tasks t = {.fails_at = UINT32_MAX};
                pm_error err;
                segment_writer *w = begin(200);
                mem_fail_at(n, sticky);
                pm_status st = run(w, &t, threads, true, &err);
                bool refused = mem_count() >= n;
                mem_fail_at(0, false);
                pm_status ended = end(w, &crc);
                if (st == PM_OK && ended == PM_OK) assert_int_equal(crc, whole);
                if (st != PM_OK) assert_int_equal(st, PM_NOMEM);
                if (st == PM_OK && ended != PM_OK) assert_int_equal(ended, PM_NOMEM);
                if (!refused) assert_true(st == PM_OK && ended == PM_OK);
                if (!refused) break;
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_change_no_byte),
        cmocka_unit_test(a_failure_is_the_first),
        cmocka_unit_test(a_failed_writer_gets_nothing),
        cmocka_unit_test(memory_is_refused),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
