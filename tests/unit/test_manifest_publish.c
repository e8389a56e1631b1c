/* SPDX-License-Identifier: MIT
 * test_manifest_publish.c - the manifest's publication, call by call, and what garbage collection
 * may take.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/support/open_folder.h"
#include "tests/support/sample_manifest.h"

static void publish(unsigned n_segments, uint64_t generation)
{
    manifest m = sample_manifest(n_segments, generation);
    assert_int_equal(manifest_publish(&m, &where, 0, NULL), PM_OK);
    manifest_free(&m);
}

/* 0: absent. */
static uint64_t generation_of(const char *name)
{
    manifest m;
    bool absent;
    assert_int_equal(manifest_read_named(&m, &where, name, &absent, NULL), PM_OK);
    uint64_t generation = m.generation;
    manifest_free(&m);
    return generation;
}

static bool exists(const char *name)
{
    char path[FOLDER_PATH + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void test_publish(void **state)
{
    (void)state;
    manifest m;
    bool absent = false;
    pm_error err;
    assert_int_equal(manifest_read(&m, &where, &absent, &err), PM_USAGE);
    assert_true(absent);
    assert_non_null(strstr(err.message, "pressmark index"));
    publish(1, 1);
    assert_int_equal(generation_of("manifest"), 1);
    assert_int_equal(generation_of("manifest.prev"), 0);
    publish(2, 2);
    /* What a crash between link and rename leaves: both names one file. */
    assert_int_equal(dir_link(&where, "manifest", "manifest.prev.tmp", NULL), PM_OK);
    publish(3, 3);
    assert_int_equal(generation_of("manifest"), 3);
    assert_int_equal(generation_of("manifest.prev"), 2);
    assert_false(exists("manifest.tmp") || exists("manifest.prev.tmp"));
    folder_unlink(folder, "manifest");
    assert_int_equal(manifest_read(&m, &where, &absent, &err), PM_CORRUPT);
    assert_false(absent);
    assert_non_null(strstr(err.message, "manifest.prev"));
}

/* What no reader would take is not published: the last commit stays. */
static void test_counters_end(void **state)
{
    (void)state;
    static const size_t counters[] = {offsetof(manifest, generation), offsetof(manifest, next_file),
                                      offsetof(manifest, next_seq)};
    pm_error err;
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        manifest m = sample_manifest(1, INT64_MAX);
        uint64_t end = (uint64_t)INT64_MAX + 1;
        assert_int_equal(manifest_publish(&m, &where, 0, &err), PM_OK);
        memcpy((char *)&m + counters[i], &end, sizeof end);
        assert_int_equal(manifest_publish(&m, &where, 0, &err), PM_CORRUPT);
        assert_non_null(strstr(err.message, "counter"));
        assert_false(exists("manifest.tmp"));
        assert_true(generation_of("manifest") == INT64_MAX);
        manifest_free(&m);
    }
}

/* One that is not there is empty; one that is damaged is told with its whole name. */
static void test_read(void **state)
{
    (void)state;
    manifest m;
    bool absent;
    pm_error err;
    char path[FOLDER_PATH + 16];
    memset(&m, 0xff, sizeof m);
    assert_int_equal(manifest_read_named(&m, &where, "manifest", &absent, &err), PM_OK);
    assert_true(absent);
    assert_int_equal(m.n_segments, 0);
    assert_null(m.segments);
    folder_write(folder, "manifest", "damaged", 7);
    assert_int_equal(manifest_read_named(&m, &where, "manifest", &absent, &err), PM_CORRUPT);
    snprintf(path, sizeof path, "%s/manifest", folder);
    assert_non_null(strstr(err.message, path));
}

static struct {
    const char *call;
    int nth, calls;
    char log[512];
} seam;

static int seam_fault(const char *call, const char *path)
{
    (void)path;
    size_t used = strlen(seam.log);
    snprintf(seam.log + used, sizeof seam.log - used, "%s ", call);
    if (strcmp(call, seam.call) != 0) return 0;
    return ++seam.calls == seam.nth ? EIO : 0;
}

static pm_status publish_refused(const char *call, int nth, uint64_t generation, pm_error *err)
{
    manifest m = sample_manifest(2, generation);
    memset(&seam, 0, sizeof seam);
    seam.call = call;
    seam.nth = nth;
    file_fault = seam_fault;
    pm_status st = manifest_publish(&m, &where, 0, err);
    file_fault = NULL;
    manifest_free(&m);
    return st;
}

/* The protocol, call by call. */
static void test_order_of_calls(void **state)
{
    (void)state;
    pm_error err;
    publish(1, 1);
    assert_int_equal(publish_refused("none", 0, 2, &err), PM_OK);
    assert_string_equal(seam.log,
                        "open write fsync close fsync unlink link rename unlink rename fsync ");
}

static void test_publish_refused(void **state)
{
    (void)state;
    pm_error err;
    publish(1, 1);
    const char *before[] = {"open", "write", "close"};
    for (size_t i = 0; i < 3; i++) assert_int_equal(publish_refused(before[i], 1, 2, &err), PM_IO);
    assert_int_equal(publish_refused("fsync", 1, 2, &err), PM_IO); /* of the file             */
    assert_int_equal(publish_refused("fsync", 2, 2, &err), PM_IO); /* of the folder, before   */
    assert_int_equal(publish_refused("rename", 2, 2, &err), PM_IO);
    assert_false(exists("manifest.tmp"));
    assert_int_equal(generation_of("manifest"), 1);
    assert_int_equal(publish_refused("fsync", 3, 2, &err), PM_NOT_DURABLE);
    assert_non_null(strstr(err.message, "(cannot sync folder "));
    assert_int_equal(generation_of("manifest"), 2);
    const char *ignored[] = {"unlink", "link", "rename"};
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(publish_refused(ignored[i], 1, 3 + i, &err), PM_OK);
    assert_int_equal(generation_of("manifest"), 5);
}

/* The sync alone: why it failed is said, to who wants to know. */
static void test_prove(void **state)
{
    (void)state;
    pm_error err = {0};
    assert_int_equal(manifest_prove(&where, &err), PM_OK);
    assert_int_equal(manifest_prove(&where, NULL), PM_OK);
    for (unsigned told = 0; told < 2; told++) {
        memset(&seam, 0, sizeof seam);
        seam.call = "fsync";
        seam.nth = 1;
        file_fault = seam_fault;
        assert_int_equal(manifest_prove(&where, told ? &err : NULL), PM_NOT_DURABLE);
        file_fault = NULL;
        assert_int_equal(seam.calls, 1);
    }
    assert_int_equal(err.status, PM_NOT_DURABLE);
    assert_non_null(strstr(err.message, "(cannot sync folder "));
}

static void test_garbage(void **state)
{
    (void)state;
    const char *files[] = {"1-00000abc.seg",
                           "2-00000abd.seg",
                           "101-00000005.del",
                           "3-00000abe.seg",
                           "103-00000005.del",
                           "4-00000abf.seg",
                           "manifest.tmp",
                           "manifest.prev.tmp",
                           "notes.txt",
                           "5-00000abc.seg.bak",
                           "LOCK"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        folder_write(folder, files[i], "x", 1);
    publish(3, 1); /* names 1, 2 with 101, 3                                                  */
    publish(1, 2); /* names 1; the one before it still 2, 101, 3                             */
    folder_write(folder, "manifest.tmp", "x", 1);
    manifest_collect_garbage(&where, NULL);
    assert_true(exists("1-00000abc.seg") && exists("2-00000abd.seg") && exists("101-00000005.del"));
    assert_true(exists("3-00000abe.seg"));
    assert_false(exists("4-00000abf.seg") || exists("103-00000005.del") || exists("manifest.tmp"));
    assert_false(exists("manifest.prev.tmp"));
    assert_true(exists("notes.txt") && exists("5-00000abc.seg.bak") && exists("LOCK"));
    publish(1, 3);
    folder_write(folder, "manifest.prev", "damaged", 7);
    manifest_collect_garbage(&where, NULL); /* cannot know what it names */
    assert_true(exists("2-00000abd.seg"));
    publish(1, 4);
    manifest_collect_garbage(&where, NULL);
    assert_true(exists("1-00000abc.seg"));
    assert_false(exists("2-00000abd.seg") || exists("101-00000005.del") ||
                 exists("3-00000abe.seg"));
}

/* The one before is not that of manifest.prev: only a sync makes sure that it cannot come back. */
static void test_garbage_of_others(void **state)
{
    (void)state;
    publish(1, 1);
    publish(1, 3);
    folder_write(folder, "4-00000abf.seg", "x", 1);
    memset(&seam, 0, sizeof seam);
    seam.call = "fsync";
    seam.nth = 1;
    file_fault = seam_fault;
    manifest_collect_garbage(&where, NULL);
    file_fault = NULL;
    assert_int_equal(seam.calls, 1);
    assert_true(exists("4-00000abf.seg"));
    manifest_collect_garbage(&where, NULL);
    assert_false(exists("4-00000abf.seg"));
}

/* Does what it then says has failed. */
static int rename_and_fail(const char *call, const char *path)
{
    char from[FOLDER_PATH + 16], to[FOLDER_PATH + 16];
    (void)path;
    if (strcmp(call, "rename") != 0 || !exists("manifest.tmp") || exists("manifest.prev.tmp"))
        return 0;
    snprintf(from, sizeof from, "%s/manifest.tmp", folder);
    snprintf(to, sizeof to, "%s/manifest", folder);
    assert_int_equal(rename(from, to), 0);
    return EIO;
}

static void test_rename_that_lies(void **state)
{
    (void)state;
    publish(1, 1);
    manifest m = sample_manifest(2, 2);
    file_fault = rename_and_fail;
    assert_int_equal(manifest_publish(&m, &where, 0, NULL), PM_NOT_DURABLE);
    file_fault = NULL;
    manifest_free(&m);
    assert_int_equal(generation_of("manifest"), 2);
}

static void test_refused_memory(void **state)
{
    (void)state;
    uint64_t n = 0;
    pm_status st;
    publish(4, 1);
    do {
        manifest m;
        mem_fail_at(++n, false);
        st = manifest_read(&m, &where, NULL, NULL);
        if (st == PM_OK) {
            m.generation = 2;
            st = manifest_publish(&m, &where, 0, NULL);
            manifest_free(&m);
        }
        mem_fail_at(0, false);
        assert_true(st == PM_OK || st == PM_NOMEM);
        assert_int_equal(generation_of("manifest"), st == PM_OK ? 2 : 1);
    } while (st != PM_OK);
    printf("%llu allocations refused\n", (unsigned long long)n - 1);
    assert_true(n > 5);
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, open_folder, close_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_read),
        IN_FOLDER(test_publish),
        IN_FOLDER(test_counters_end),
        IN_FOLDER(test_order_of_calls),
        IN_FOLDER(test_publish_refused),
        IN_FOLDER(test_prove),
        IN_FOLDER(test_garbage),
        IN_FOLDER(test_garbage_of_others),
        IN_FOLDER(test_rename_that_lies),
        IN_FOLDER(test_refused_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
