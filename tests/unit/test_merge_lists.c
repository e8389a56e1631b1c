/* SPDX-License-Identifier: MIT
 * test_merge_lists.c - lists of a merge that are too long to be held: the bytes of the result are
 * those of a merge that holds them, and what fails on the way is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/snapshot.h"
#include "indexer/merge.h"
#include "indexer/merge_size.h"
#include "tests/support/folder.h"
#include "tests/support/whole_index.h"

enum { SEGMENTS = 3, DOCS = 700, TEXT = 40000, DAMAGE_STEP = 97 };

static char root[FOLDER_PATH], result[FOLDER_PATH];
static snapshot *index_of_three;
static bool spills; /* what is large goes to files                                           */

/* Words of several forms, of one, in one segment alone, in one document of each; short documents
 * and long ones, and one of almost one word. */
static size_t make_text(char *text, unsigned nth, unsigned doc, uint64_t *random)
{
    static const char *const words[] = {"the", "The",  "THE",   "the",    "export", "exports",
                                        "the", "rare", "earth", "Export", "the",    "x"};
    static const char *const own[] = {"alpha", "beta", "gamma"};
    size_t len = 0;
    unsigned n = (doc % 9 ? 3 : 200) + (unsigned)(random_next(random) % 12);
    if (doc == 5) n = 2500;
    for (unsigned i = 0; i < n; i++) {
        const char *word = words[random_next(random) % 12];
        if (doc == 5 && i > 3) word = nth == 1 ? "lonely" : "the";
        len += (size_t)snprintf(text + len, TEXT - len, "%s ", word);
        if (i % 3 == 0) len += (size_t)snprintf(text + len, TEXT - len, "%s ", own[nth]);
    }
    len += (size_t)snprintf(text + len, TEXT - len, "%s%u", doc % 3 ? "name" : "Name", doc);
    if (doc % 5 == nth) len += (size_t)snprintf(text + len, TEXT - len, " NAME%u", doc);
    return len;
}

static void make_index(const char *path, int positions)
{
    static char text[TEXT];
    uint64_t random = 9;
    pm_error err;
    pm_writer *w;
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    o.commit_level = 2;
    o.block_size = 64;
    o.positions = positions;
    must(pm_writer_open(path, &o, &w, &err), &err);
    for (unsigned s = 0; s < SEGMENTS; s++) {
        for (unsigned i = 0; i < DOCS; i++) {
            char id[24];
            pm_article a = {.file_size = 0};
            a.id = (pm_text){id, (size_t)snprintf(id, sizeof id, "%u", s * DOCS + i)};
            a.text = (pm_text){text, make_text(text, s, i, &random)};
            must(pm_writer_add(w, &a, NULL, &err), &err);
        }
        must(pm_writer_commit(w, NULL, &err), &err);
    }
    pm_writer_close(w);
    must(snapshot_open(&index_of_three, path, &err), &err);
    assert_int_equal(index_of_three->meta.n_segments, SEGMENTS);
}

static int set_up(void **state)
{
    (void)state;
    folder_make(root);
    folder_make(result);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    file_fault = NULL;
    spills = false;
    snapshot_close(index_of_three);
    index_of_three = NULL;
    folder_remove(root);
    folder_remove(result);
    return 0;
}

/* memory 1: lists of more than 1,024 occurrences are not held; 0: all are. */
static pm_status merge(uint64_t memory, unsigned threads, pm_reorder by, const uint64_t *dead,
                       pm_error *err)
{
    dir folder;
    bool absent;
    manifest_segment out;
    merge_input inputs[SEGMENTS];
    const segment_info *info = &index_of_three->segments[0].seg->info;
    segment_writer_config config = {.segment_id = 77,
                                    .k1 = info->k1,
                                    .b = info->b,
                                    .avgdl_ref = info->avgdl_ref,
                                    .block_size = info->block_size,
                                    .dense_shift = info->dense_shift,
                                    .bigram_words = 8,
                                    .has_positions = info->has_positions,
                                    .has_text = info->has_text,
                                    .deflate_level = 1};
    memcpy(config.uuid, info->uuid, sizeof config.uuid);
    for (unsigned i = 0; i < SEGMENTS; i++)
        inputs[i] = (merge_input){index_of_three->segments[i].seg, i == 1 ? dead : NULL};
    const merge_order order = {
        .by = by, .threads = threads, .memory_bytes = memory, .spills = spills};
    folder_empty(result);
    pm_status st = dir_open(&folder, result, &absent, err);
    if (st != PM_OK) return st;
    st = merge_segments(&folder, inputs, SEGMENTS, "merged.seg", &config, &order, false, &out, err);
    dir_close(&folder);
    return st;
}

static void load_merged(uint64_t memory, unsigned threads, pm_reorder by, const uint64_t *dead,
                        folder_image *image)
{
    pm_error err;
    must(merge(memory, threads, by, dead, &err), &err);
    folder_load(result, image);
    assert_int_equal(image->n, 1);
}

static void assert_same(const folder_image *a, const folder_image *b)
{
    assert_int_equal(a->files[0].len, b->files[0].len);
    assert_memory_equal(a->files[0].data, b->files[0].data, a->files[0].len);
}

/* Every fifth document of the second segment, and the one of almost one word, or not. */
static void bury(uint64_t dead[DOCS / 64 + 1], bool lonely)
{
    memset(dead, 0, (DOCS / 64 + 1) * sizeof *dead);
    for (unsigned i = 0; i < DOCS; i += 5)
        if (lonely || i != 5) dead[i / 64] |= UINT64_C(1) << i % 64;
}

static void compare_all(int positions)
{
    static folder_image held, fed;
    uint64_t some[DOCS / 64 + 1], more[DOCS / 64 + 1];
    static const pm_reorder orders[] = {PM_REORDER_KEEP, PM_REORDER_NONE};
    const uint64_t *deads[] = {NULL, some, more};
    merge_profile p;
    make_index(root, positions);
    bury(some, false);
    bury(more, true);
    assert_true(merge_profile_make(index_of_three->segments[1].seg, &p));
    assert_true(p.longest > 2 * merge_large_list(1));
    for (unsigned d = 0; d < 3; d++)
        for (unsigned o = 0; o < 2; o++) {
            load_merged(0, 1, orders[o], deads[d], &held);
            for (unsigned i = 0; i < 4; i++) {
                spills = i / 2;
                load_merged(1, 1 + i % 2, orders[o], deads[d], &fed);
                assert_same(&held, &fed);
                folder_image_free(&fed);
            }
            spills = false;
            folder_image_free(&held);
        }
}

static void bytes_are_the_same(void **state)
{
    (void)state;
    compare_all(1);
}

static void bytes_are_the_same_without_positions(void **state)
{
    (void)state;
    compare_all(0);
}

/* Each allocation of a merge refused; how many of them were. */
static unsigned refuse_each(uint64_t memory, const folder_image *want)
{
    static folder_image image;
    pm_error err;
    for (unsigned n = 1;; n++) {
        mem_fail_at(n, false);
        pm_status st = merge(memory, 1, PM_REORDER_KEEP, NULL, &err);
        bool over = mem_count() < n;
        mem_fail_at(0, false);
        if (over) return n - 1;
        folder_load(result, &image);
        if (st == PM_OK) { /* what was refused could be done without                            */
            assert_same(want, &image);
        } else {
            assert_int_equal(st, PM_NOMEM);
            assert_int_equal(image.n, 0);
        }
        folder_image_free(&image);
    }
}

static void refused_memory_is_said(void **state)
{
    (void)state;
    static folder_image want;
    make_index(root, 1);
    load_merged(1, 1, PM_REORDER_KEEP, NULL, &want);
    assert_true(refuse_each(1, &want) > 50);
    assert_true(refuse_each(0, &want) > 50);
    spills = true;
    assert_true(refuse_each(1, &want) > 50);
    spills = false;
    folder_image_free(&want);
}

/* ---- files of what is large ---------------------------------------------------------------- */

static unsigned asked, fail_at, n_calls[5];
static bool for_good;
static const char *const scratch_calls[] = {"tmpfile", "unlink", "fallocate", "mmap", "mremap"};

/* Refuse the fail_at-th call that is of such a file, and with for_good all that follow. */
static int refuse_scratch(const char *call, const char *path)
{
    bool ours = strstr(path, ".del") != NULL;
    for (unsigned i = 0; ours && i < 5; i++) n_calls[i] += !strcmp(call, scratch_calls[i]);
    if (!ours) return 0;
    asked++;
    return asked == fail_at || (for_good && fail_at && asked > fail_at) ? ENOSPC : 0;
}

/* Whatever is refused, the heap takes its place. */
static void refused_files_are_done_without(void **state)
{
    (void)state;
    static folder_image want, image;
    pm_error err;
    make_index(root, 1);
    load_merged(1, 1, PM_REORDER_KEEP, NULL, &want);
    spills = true;
    file_fault = refuse_scratch;
    for (unsigned i = 0; i < 2; i++) {
        for_good = i;
        for (fail_at = 1;; fail_at++) {
            asked = 0;
            must(merge(1, 1, PM_REORDER_KEEP, NULL, &err), &err);
            if (asked < fail_at) break;
            folder_load(result, &image);
            assert_int_equal(image.n, 1);
            assert_same(&want, &image);
            folder_image_free(&image);
        }
        printf("%u calls refused\n", fail_at - 1);
        assert_true(for_good || fail_at > 12);
    }
    for (unsigned i = 0; i < 5; i++) assert_true(n_calls[i] > 0);
    folder_image_free(&want);
}

/* A byte of the second segment's lists is another one. */
static void damage_is_said(void **state)
{
    (void)state;
    static folder_image before;
    pm_error err;
    make_index(root, 1);
    const segment_info *info = &index_of_three->segments[1].seg->info;
    const section lists = info->sections[SECTION_POSTINGS];
    char name[SEGMENT_NAME_MAX];
    snprintf(name, sizeof name, "%s", index_of_three->meta.segments[1].name);
    folder_load(root, &before);
    unsigned found = 0, tried = 0;
    for (uint64_t at = lists.off; at < lists.off + lists.len; at += DAMAGE_STEP, tried++) {
        snapshot_close(index_of_three);
        for (size_t i = 0; i < before.n; i++)
            if (!strcmp(before.files[i].name, name)) before.files[i].data[at] ^= 0x10;
        folder_restore(root, &before);
        must(snapshot_open(&index_of_three, root, &err), &err);
        pm_status st = merge(1, 1, PM_REORDER_KEEP, NULL, &err);
        assert_int_equal(st, PM_CORRUPT);
        found++;
        for (size_t i = 0; i < before.n; i++)
            if (!strcmp(before.files[i].name, name)) before.files[i].data[at] ^= 0x10;
    }
    assert_true(found == tried && tried > 100);
    folder_image_free(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_are_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_are_the_same_without_positions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_memory_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_files_are_done_without, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
