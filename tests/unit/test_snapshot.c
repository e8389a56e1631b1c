/* SPDX-License-Identifier: MIT
 * test_snapshot.c - readers beside a writer: no lock, no failure, never an older commit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/segment/snapshot.h"
#include "tests/support/folder.h"

static char root[FOLDER_PATH];

/* Add (or replace) `n` articles that all say `word`, and commit. */
static void write_commit(const char *word, unsigned n)
{
    pm_writer *w;
    pm_error err;
    if (pm_writer_open(root, NULL, &w, &err) != PM_OK) fail_msg("%s", err.message);
    for (unsigned i = 0; i < n; i++) {
        char id[16];
        pm_article a = {.id = {id, (size_t)snprintf(id, sizeof id, "d%u", i)},
                        .text = {word, strlen(word)}};
        assert_int_equal(pm_writer_add(w, &a, NULL, &err), PM_OK);
    }
    assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
    pm_writer_close(w);
}

static int set_up(void **state)
{
    (void)state;
    folder_make(root);
    write_commit("first", 5);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    file_fault = NULL;
    folder_remove(root);
    return 0;
}

static unsigned overtakings;

/* Between a reader's manifest and its segments a writer commits twice, so that the segments
 * are deleted under it. */
static int overtake(const char *call, const char *path)
{
    size_t len = strlen(path);
    if (!overtakings || strcmp(call, "open") != 0 || len < 4 || strcmp(path + len - 4, ".seg") != 0)
        return 0;
    overtakings--;
    file_fault = NULL;
    write_commit("second", 5);
    write_commit("third", 5);
    file_fault = overtake;
    return 0;
}

static void test_overtaken(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 3; n++) {
        snapshot *before, *s;
        pm_error err;
        uint64_t df, cf;
        assert_int_equal(snapshot_open(&before, root, &err), PM_OK);
        overtakings = n;
        file_fault = overtake;
        pm_status st = snapshot_open(&s, root, &err);
        file_fault = NULL;
        if (st != PM_OK) fail_msg("%s", err.message);
        assert_int_equal(overtakings, 0);
        assert_int_equal(s->meta.generation, before->meta.generation + 2 * n);
        snapshot_df(s, "third", 5, &df, &cf);
        assert_int_equal(df, 5);
        snapshot_close(s);
        /* What was opened before is still whole, though its files have no name any more. */
        assert_int_equal(before->n_docs, 5);
        assert_int_equal(segment_dl(before->segments[0].seg, 4), 1);
        assert_int_equal(snapshot_status(before, &err), PM_OK);
        snapshot_close(before);
    }
}

/* A check is overtaken as any reader is: that is no damage, in a segment or in tombstones. */
static void test_overtaken_check(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 3; n++) {
        pm_error err;
        pm_check_summary summary;
        overtakings = n;
        file_fault = overtake;
        pm_status st = pm_check(root, true, NULL, NULL, &summary, &err);
        file_fault = NULL;
        if (st != PM_OK) fail_msg("%s", err.message);
        assert_int_equal(overtakings, 0);
        assert_int_equal(summary.findings, 0);
        assert_int_equal(summary.documents, 5);
    }
}

/* The same commit failing twice is no race. */
static void test_missing_file(void **state)
{
    (void)state;
    folder_image image = {0};
    snapshot *s;
    pm_error err;
    folder_load(root, &image);
    for (size_t i = 0; i < image.n; i++)
        if (strstr(image.files[i].name, ".seg")) folder_unlink(root, image.files[i].name);
    folder_image_free(&image);
    assert_int_equal(snapshot_open(&s, root, &err), PM_CORRUPT);
    assert_non_null(strstr(err.message, ".seg"));
    assert_null(s);
}

static void write_flat_out(void)
{
    for (unsigned i = 0; i < 60; i++) write_commit(i % 2 ? "odd" : "even", 1 + i % 4);
    _exit(0);
}

static void test_beside_a_writer(void **state)
{
    (void)state;
    unsigned long opened = 0;
    uint64_t last = 0;
    int status;
    pid_t child = fork();
    if (child == 0) write_flat_out();
    do {
        snapshot *s;
        pm_error err;
        if (snapshot_open(&s, root, &err) != PM_OK) fail_msg("%s", err.message);
        assert_true(s->meta.generation >= last);
        last = s->meta.generation;
        assert_int_equal(s->n_docs, 5);
        assert_int_equal(s->n_tokens, 5);
        snapshot_close(s);
        opened++;
    } while (waitpid(child, &status, WNOHANG) == 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    printf("%lu opens beside 60 commits\n", opened);
    assert_true(opened > 10);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_overtaken),
        TEST(test_overtaken_check),
        TEST(test_missing_file),
        TEST(test_beside_a_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
