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

/* The lowest one that is free. */
static int next_descriptor(void)
{
    int fd = dup(STDIN_FILENO);
    assert_true(fd >= 0);
    close(fd);
    return fd;
}

/* A snapshot of two segments and tombstones keeps a map of each and one descriptor, and nothing
 * when it is closed or could not be opened. */
static void test_kept_and_given_back(void **state)
{
    (void)state;
    snapshot *s;
    uint64_t df, cf;
    pm_error err;
    int free_fd = next_descriptor();
    write_commit("first first two", 2);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(snapshot_open(&s, root, &err), PM_OK);
        assert_int_equal(s->meta.n_segments, 2);
        assert_int_equal(folder_maps(root), 3);
        assert_true(next_descriptor() > free_fd);
        assert_int_equal(s->n_docs, 5);
        assert_int_equal(s->n_tokens, 9);
        assert_true(s->avgdl == 9.0 / 5);
        snapshot_df(s, "first", 5, &df, &cf);
        assert_true(df == 5 && cf == 7);
        snapshot_df(s, "two", 3, &df, &cf);
        assert_true(df == 2 && cf == 2);
        if (i == 2) folder_unlink(root, s->meta.segments[0].del_name);
        snapshot_close(s);
        assert_int_equal(folder_maps(root), 0);
        assert_int_equal(next_descriptor(), free_fd);
    }
    assert_int_equal(snapshot_open(&s, root, &err), PM_CORRUPT);
    assert_null(s);
    assert_int_equal(folder_maps(root), 0);
    assert_int_equal(next_descriptor(), free_fd);
    snapshot_close(NULL);
}

static void test_empty(void **state)
{
    (void)state;
    pm_writer *w;
    snapshot *s;
    assert_int_equal(pm_writer_open(root, NULL, &w, NULL), PM_OK);
    for (unsigned i = 0; i < 5; i++) {
        char id[] = {'d', (char)('0' + i), 0};
        bool found = false;
        assert_int_equal(pm_writer_delete(w, id, 2, &found, NULL), PM_OK);
        assert_true(found);
    }
    assert_int_equal(pm_writer_commit(w, NULL, NULL), PM_OK);
    pm_writer_close(w);
    assert_int_equal(snapshot_open(&s, root, NULL), PM_OK);
    assert_int_equal(s->meta.n_segments, 0);
    assert_int_equal(s->n_docs, 0);
    assert_true(s->avgdl == 1);
    snapshot_close(s);
}

/* What is left of a term of df documents and cf occurrences, of which tombstones take some away;
 * no more than there are, and each document that stays keeps one at least. */
static void expect_left(uint32_t df, uint64_t cf, uint32_t df_minus, uint64_t cf_minus)
{
    static const uint32_t ordinals[] = {3, 7};
    const uint32_t dfs[] = {1, df_minus};
    const uint64_t cfs[] = {1, cf_minus};
    const term_entry entry = {.ordinal = 7, .df = df, .cf = cf};
    bool fits = df_minus <= df && cf_minus <= cf && cf - cf_minus >= df - df_minus;
    uint64_t df_left, cf_left;
    snapshot *s;
    assert_int_equal(snapshot_open(&s, root, NULL), PM_OK);
    snapshot_segment at = {.seg = s->segments[0].seg};
    at.dead = (tombstones){.n_docs = 5,
                           .n_deleted = 4,
                           .n_corrections = 2,
                           .ordinals = {(const uint8_t *)ordinals, sizeof ordinals},
                           .df_minus = {(const uint8_t *)dfs, sizeof dfs},
                           .cf_minus = {(const uint8_t *)cfs, sizeof cfs}};
    snapshot_segment_df(&at, &entry, &df_left, &cf_left);
    assert_int_equal(df_left, fits ? df - df_minus : df);
    assert_int_equal(cf_left, fits ? cf - cf_minus : cf);
    assert_int_equal(snapshot_status(s, NULL), fits ? PM_OK : PM_CORRUPT);
    snapshot_close(s);
}

static void test_what_is_left(void **state)
{
    (void)state;
    for (uint32_t df = 1; df <= 3; df++)
        for (uint64_t cf = df; cf <= 5; cf++)
            for (uint32_t df_minus = 1; df_minus <= 4; df_minus++)
                for (uint64_t cf_minus = df_minus; cf_minus <= 6; cf_minus++)
                    expect_left(df, cf, df_minus, cf_minus);
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
        TEST(test_overtaken),           TEST(test_overtaken_check), TEST(test_missing_file),
        TEST(test_kept_and_given_back), TEST(test_empty),           TEST(test_what_is_left),
        TEST(test_beside_a_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
