/* SPDX-License-Identifier: MIT
 * test_stopping.c - a caller who says stop while a writer writes, at every place where it is asked:
 * in the middle of a batch, of a merge, of optimize, of a commit.
 *
 * The call in progress fails with PM_IO; then the folder holds what it held, byte for byte, or a
 * later commit of the same run, and nothing else.  The next writer goes on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "pressmark.h"
#include "tests/support/crash_script.h"
#include "tests/support/folder.h"

static char folder[FOLDER_PATH];

typedef struct stopper {
    unsigned long calls, stop_at; /* 0: never                                             */
    unsigned long phases[4];
    uint64_t last;
} stopper;

static bool count_calls(void *ctx, pm_phase phase, uint64_t written)
{
    stopper *s = ctx;
    assert_true(written >= s->last);
    s->last = written;
    s->phases[phase]++;
    return ++s->calls != s->stop_at;
}

static pm_writer *begin(stopper *s)
{
    pm_writer *writer;
    pm_error err;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.threads = 1;
    options.memory_bytes = 24u << 20; /* so that a commit is of several batches */
    options.commit_level = 2;
    options.progress = count_calls;
    options.progress_ctx = s;
    if (pm_writer_open(folder, &options, &writer, &err) != PM_OK) fail_msg("%s", err.message);
    return writer;
}

static pm_status add_many(pm_writer *writer, unsigned from, unsigned n, pm_error *err)
{
    pm_status st = PM_OK;
    uint64_t random = from;
    for (unsigned i = from; i < from + n && st == PM_OK; i++) {
        char id[16], text[1200];
        size_t len = 0;
        while (len < 1100)
            len += (size_t)sprintf(text + len, "w%x ", (unsigned)(random_next(&random) % 5000));
        pm_article a = {.id = {id, (size_t)sprintf(id, "d%u", i % 900)}, .text = {text, len}};
        st = pm_writer_add(writer, &a, NULL, err);
    }
    return st;
}

/* Three commits, the last by optimize. */
static pm_status write_all(stopper *s, pm_error *err)
{
    pm_writer *writer = begin(s);
    pm_status st = add_many(writer, 0, 900, err);
    if (st == PM_OK) st = pm_writer_commit(writer, NULL, err);
    if (st == PM_OK) st = add_many(writer, 700, 1500, err);
    if (st == PM_OK) st = pm_writer_commit(writer, NULL, err);
    if (st == PM_OK) st = pm_writer_optimize(writer, NULL, err);
    pm_writer_close(writer);
    return st;
}

static int set_up(void **state)
{
    (void)state;
    setenv("PRESSMARK_SEED", "5", 1);
    folder_make(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unsetenv("PRESSMARK_SEED");
    folder_remove(folder);
    return 0;
}

/* Files of the folder that no commit names, or less than a sound index. */
static void must_be_whole(unsigned long at)
{
    folder_image image;
    pm_error err;
    pm_check_summary sum;
    pm_status st = pm_check(folder, true, NULL, NULL, &sum, &err);
    folder_load(folder, &image);
    if (st == PM_USAGE) { /* before the first commit                                        */
        assert_int_equal(image.n, 0);
    } else {
        if (st != PM_OK) fail_msg("stopped at %lu: %s", at, err.message);
        size_t others = 0;
        for (size_t i = 0; i < image.n; i++)
            others += !strcmp(image.files[i].name, "manifest.prev");
        if (others == 0) assert_int_equal(image.n, sum.files);
        for (size_t i = 0; i < image.n; i++) assert_null(strstr(image.files[i].name, ".tmp"));
    }
    folder_image_free(&image);
}

static void every_place(void **state)
{
    (void)state;
    stopper whole = {0};
    pm_error err;
    folder_empty(folder);
    if (write_all(&whole, &err) != PM_OK) fail_msg("%s", err.message);
    print_message("%lu calls: %lu store, %lu write, %lu merge, %lu commit\n", whole.calls,
                  whole.phases[0], whole.phases[1], whole.phases[2], whole.phases[3]);
    for (unsigned phase = 0; phase < 4; phase++) assert_true(whole.phases[phase] > 0);
    for (unsigned long at = 1; at <= whole.calls; at += script_slow() ? 4 : 1) {
        stopper s = {.stop_at = at};
        folder_empty(folder);
        assert_int_equal(write_all(&s, &err), PM_IO);
        assert_int_equal(s.calls, at); /* nobody is asked after a no                         */
        must_be_whole(at);
    }
    print_message("stopped at %lu places: %lu store, %lu write, %lu merge, %lu commit\n",
                  whole.calls, whole.phases[0], whole.phases[1], whole.phases[2], whole.phases[3]);
}

static pm_status optimize(stopper *s, pm_reorder by, pm_error *err)
{
    pm_optimize_options how = PM_OPTIMIZE_OPTIONS_INIT;
    how.reorder = by;
    pm_writer *writer = begin(s);
    pm_status st = pm_writer_optimize_with(writer, &how, NULL, err);
    if (st != PM_OK) assert_int_equal(pm_writer_commit(writer, NULL, NULL), PM_IO); /* sticky */
    pm_writer_close(writer);
    return st;
}

static void must_be(const folder_image *before)
{
    folder_image after;
    folder_load(folder, &after);
    assert_int_equal(after.n, before->n);
    for (size_t i = 0; i < after.n; i++) {
        assert_string_equal(after.files[i].name, before->files[i].name);
        assert_int_equal(after.files[i].len, before->files[i].len);
        assert_memory_equal(after.files[i].data, before->files[i].data, after.files[i].len);
    }
    folder_image_free(&after);
}

/* A stopped optimize leaves the folder as it was, byte for byte, and another one succeeds.  Of
 * one that puts articles in another order, before anything is written, too. */
static void stopped_optimize(void **state)
{
    (void)state;
    stopper never = {0};
    pm_error err;
    folder_image before;
    folder_empty(folder);
    pm_writer *writer = begin(&never);
    assert_int_equal(add_many(writer, 0, 2000, &err), PM_OK);
    assert_int_equal(pm_writer_commit(writer, NULL, &err), PM_OK);
    pm_writer_close(writer);
    folder_load(folder, &before);
    for (unsigned by = PM_REORDER_KEEP; by <= PM_REORDER_BP; by++) {
        for (unsigned long at = 1; at < (by == PM_REORDER_BP ? 3000 : 5); at += at < 5 ? 1 : 397) {
            stopper s = {.stop_at = at};
            assert_int_equal(optimize(&s, (pm_reorder)by, &err), PM_IO);
            assert_int_equal(s.calls, at);
            must_be(&before);
        }
    }
    folder_image_free(&before);
    never = (stopper){0};
    assert_int_equal(optimize(&never, PM_REORDER_BP, &err), PM_OK);
    assert_true(never.calls > 3000);
    assert_int_equal(pm_check(folder, true, NULL, NULL, NULL, &err), PM_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place),
        cmocka_unit_test(stopped_optimize),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
