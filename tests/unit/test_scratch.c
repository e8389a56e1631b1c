/* SPDX-License-Identifier: MIT
 * test_scratch.c - arrays in files without names (scratch.h) against arrays of the heap: whatever
 * grows, shrinks away, or is refused a file, holds what was written to it, and nothing is left in
 * the folder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/base/scratch.h"
#include "tests/support/folder.h"

enum { LEAST = 5000, WINDOW = 40000, ARRAYS = 6, MOST = 60000, STEPS = 400 };

static char root[FOLDER_PATH];
static dir folder;
static unsigned asked, fail_at;

static int set_up(void **state)
{
    (void)state;
    folder_make(root);
    folder = (dir)DIR_INIT;
    return dir_open(&folder, root, NULL, NULL) == PM_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    file_fault = NULL;
    mem_fail_at(0, false);
    dir_close(&folder);
    folder_remove(root);
    return 0;
}

static int refuse_from(const char *call, const char *path)
{
    (void)call;
    (void)path;
    return ++asked >= fail_at && fail_at ? ENOSPC : 0;
}

static int no_tmpfile(const char *call, const char *path)
{
    (void)path;
    return strcmp(call, "tmpfile") == 0 ? EOPNOTSUPP : 0;
}

static void assert_no_file(void)
{
    folder_image image;
    folder_load(root, &image);
    assert_int_equal(image.n, 0);
    folder_image_free(&image);
}

typedef struct twin {
    uint32_t *a; /* of the scratch                                                       */
    size_t cap, n;
    uint32_t is[MOST];
} twin;

static void compare(const twin *t)
{
    if (t->n) assert_memory_equal(t->a, t->is, t->n * sizeof *t->a);
}

/* Any mixture of new arrays, growth, change and passes. */
static uint64_t random_run(uint64_t seed)
{
    static twin twins[ARRAYS];
    memset(twins, 0, sizeof twins);
    scratch *s = scratch_open(&folder, "spare", LEAST, WINDOW, 0);
    assert_non_null(s);
    for (unsigned step = 0; step < STEPS; step++) {
        twin *t = &twins[random_next(&seed) % ARRAYS];
        size_t n = random_next(&seed) % (random_next(&seed) % 3 ? MOST : 2000);
        if (random_next(&seed) % 4 == 0) {
            scratch_free(s, t->a);
            t->a = scratch_array(s, n, sizeof *t->a);
            assert_non_null(t->a);
            for (size_t i = 0; i < n; i++) assert_int_equal(t->a[i], 0);
            memset(t->is, 0, n * sizeof *t->is);
            t->n = t->cap = n;
        } else if (n > t->n) {
            assert_true(scratch_grow(s, &t->a, &t->cap, n, sizeof *t->a));
            assert_true(t->cap >= n);
            for (; t->n < n; t->n++) t->a[t->n] = t->is[t->n] = (uint32_t)random_next(&seed);
        }
        for (unsigned i = 0; t->n && i < 20; i++) {
            size_t at = random_next(&seed) % t->n;
            t->a[at] = t->is[at] = (uint32_t)random_next(&seed);
        }
        scratch_pass(s, random_next(&seed) % (2 * WINDOW));
        compare(t);
        assert_no_file();
    }
    for (unsigned i = 0; i < ARRAYS; i++) {
        compare(&twins[i]);
        scratch_free(s, twins[i].a);
    }
    uint64_t peak = scratch_peak(s);
    scratch_close(s);
    return peak;
}

static void test_against_heap(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) assert_true(random_run(seed) >= LEAST);
    file_fault = no_tmpfile; /* a file that has a name for an instant                           */
    for (uint64_t seed = 1; seed <= 4; seed++) assert_true(random_run(seed) >= LEAST);
}

/* Files that this process has open. */
static unsigned n_open(void)
{
    unsigned n = 0;
    for (int fd = 0; fd < 400; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* Two arrays; `files`: whether they are files, and not of the heap. */
static void open_and_close(bool files)
{
    unsigned open_before = n_open();
    scratch *s = scratch_open(&folder, "spare", LEAST, WINDOW, 0);
    unsigned char *a = scratch_array(s, LEAST, 1), *b = NULL;
    size_t cap = 0;
    assert_non_null(a);
    assert_true(scratch_grow(s, &b, &cap, 3 * LEAST, 1));
    assert_int_equal(n_open(), open_before + 2 * files);
    assert_int_equal(folder_maps(root), 2 * files);
    assert_true(files ? scratch_peak(s) >= 4 * LEAST : scratch_peak(s) == 0);
    scratch_free(s, a);
    assert_int_equal(n_open(), open_before + files);
    scratch_free(s, b);
    scratch_close(s);
    assert_int_equal(n_open(), open_before);
    assert_int_equal(folder_maps(root), 0);
}

static int no_unlink(const char *call, const char *path)
{
    return strcmp(call, "unlink") == 0 ? EROFS : no_tmpfile(call, path);
}

static void test_all_is_closed(void **state)
{
    (void)state;
    open_and_close(true);
    file_fault = no_unlink;
    open_and_close(false);
    file_fault = NULL;
    folder_empty(root);
    file_fault = no_tmpfile; /* a file that has a name for an instant                           */
    open_and_close(true);
    assert_no_file();
    /* Somebody else's file of that name stays what it is. */
    outfile f = OUTFILE_INIT;
    assert_int_equal(outfile_create(&f, &folder, "spare", true, NULL), PM_OK);
    outfile_write(&f, "kept", 4);
    assert_int_equal(outfile_finish(&f, false, NULL), PM_OK);
    open_and_close(false);
    buf kept = {0};
    assert_int_equal(dir_read(&folder, "spare", 16, &kept, NULL, NULL), PM_OK);
    assert_true(kept.len == 4 && memcmp(kept.data, "kept", 4) == 0);
    buf_free(&kept);
}

/* So much of the disk is left for others that there is nothing for files. */
static void test_leaves_room(void **state)
{
    (void)state;
    for (unsigned much = 0; much < 2; much++) {
        scratch *s = scratch_open(&folder, "spare", LEAST, WINDOW, much ? UINT64_C(1) << 60 : 0);
        unsigned char *a = scratch_array(s, LEAST, 1);
        assert_non_null(a);
        assert_int_equal(scratch_peak(s) == 0, much);
        scratch_free(s, a);
        scratch_close(s);
    }
    assert_int_equal(scratch_peak(NULL), 0);
}

/* From any call on the disk is full: arrays are of the heap, or go there. */
static void test_no_room(void **state)
{
    (void)state;
    unsigned open_before = n_open();
    file_fault = refuse_from;
    for (fail_at = 1;; fail_at += 1 + fail_at / 8) {
        asked = 0;
        random_run(3);
        if (asked < fail_at) break;
    }
    assert_true(fail_at > 100);
    assert_int_equal(n_open(), open_before);
}

/* What grows by little, so that no growth is large. */
static void test_appending(void **state)
{
    (void)state;
    scratch *s = scratch_open(&folder, "spare", LEAST, WINDOW, 0);
    buf in = {.scratch = s}, plain = {0};
    for (uint32_t i = 0; i < 100000; i++) {
        buf_u32(&in, i * 7);
        buf_u32(&plain, i * 7);
        scratch_pass(s, 4);
    }
    assert_false(in.failed);
    assert_int_equal(in.len, plain.len);
    assert_memory_equal(in.data, plain.data, in.len);
    assert_true(scratch_peak(s) >= in.len && scratch_peak(s) < 2 * in.len);
    buf_free(&in);
    assert_null(in.data);
    assert_null(in.scratch);
    buf_free(&plain);
    scratch_close(s);
    assert_no_file();
}

/* More large arrays than there are files at a time: the others are of the heap. */
static void test_many(void **state)
{
    (void)state;
    enum { MANY = 300 };
    uint8_t *all[MANY];
    scratch *s = scratch_open(&folder, "spare", LEAST, WINDOW, 0);
    for (unsigned i = 0; i < MANY; i++) {
        all[i] = scratch_array(s, LEAST, 1);
        assert_non_null(all[i]);
        memset(all[i], (int)i, LEAST);
        if (i % 50 == 0) scratch_pass(s, WINDOW);
    }
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(all[i][0], (uint8_t)i);
        assert_int_equal(all[i][LEAST - 1], (uint8_t)i);
        scratch_free(s, all[i]);
    }
    scratch_close(s);
}

/* Below the limit it is the heap's, whatever becomes of it. */
static void test_small(void **state)
{
    (void)state;
    scratch *s = scratch_open(&folder, "spare", LEAST, WINDOW, 0);
    uint8_t *a = scratch_array(s, LEAST - 1, 1);
    size_t cap = LEAST - 1;
    assert_non_null(a);
    assert_int_equal(scratch_peak(s), 0);
    uint8_t *b = scratch_array(s, LEAST, 1);
    assert_true(scratch_peak(s) >= LEAST);
    uint64_t peak = scratch_peak(s);
    scratch_free(s, b);
    b = scratch_array(s, LEAST, 1); /* in the place of the other                                */
    assert_int_equal(scratch_peak(s), peak);
    scratch_free(s, b);
    assert_true(scratch_grow(s, &a, &cap, LEAST, 1));
    scratch_free(s, a);
    scratch_close(s);
}

/* After a pass no page is the process's any more, and what was in them comes back. */
static void test_pages_go(void **state)
{
    (void)state;
    enum { BYTES = 1 << 20 };
    char line[256];
    scratch *s = scratch_open(&folder, "spare", LEAST, WINDOW, 0);
    uint8_t *a = scratch_array(s, BYTES, 1);
    memset(a, 7, BYTES);
    scratch_pass(s, WINDOW);
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    unsigned long rss = 1, begin = 0, from;
    bool here = false;
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-", &from) == 1 && strchr(line, '-') && strstr(line, " rw-s ")) {
            begin = from;
            here = (uintptr_t)a == begin;
        }
        if (here && sscanf(line, "Rss: %lu kB", &rss) == 1) break;
    }
    fclose(maps);
    assert_true(here);
    assert_int_equal(rss, 0);
    for (size_t i = 0; i < BYTES; i += 999) assert_int_equal(a[i], 7);
    scratch_free(s, a);
    scratch_close(s);
}

static void test_refused_memory(void **state)
{
    (void)state;
    mem_fail_at(1, true);
    assert_null(scratch_open(&folder, "spare", LEAST, WINDOW, 0));
    mem_fail_at(0, false);
    scratch *s = scratch_open(&folder, "spare", LEAST, WINDOW, 0);
    uint32_t *a = scratch_array(s, LEAST, sizeof *a);
    size_t cap = LEAST;
    a[LEAST - 1] = 77;
    fail_at = 1; /* neither a file nor memory: it stays as it was                               */
    file_fault = refuse_from;
    mem_fail_at(1, true);
    assert_false(scratch_grow(s, &a, &cap, 3 * LEAST, sizeof *a));
    assert_null(scratch_array(s, LEAST, sizeof *a));
    mem_fail_at(0, false);
    assert_int_equal(cap, LEAST);
    assert_int_equal(a[LEAST - 1], 77);
    assert_true(scratch_grow(s, &a, &cap, 3 * LEAST, sizeof *a));
    assert_int_equal(a[LEAST - 1], 77);
    scratch_free(s, a);
    scratch_close(s);
    a = scratch_array(NULL, 10, sizeof *a); /* none: the heap                                   */
    cap = 10;
    assert_true(scratch_grow(NULL, &a, &cap, 20, sizeof *a));
    scratch_pass(NULL, 1 << 30);
    scratch_free(NULL, a);
    assert_null(scratch_array(NULL, SIZE_MAX, 2));
    scratch_close(NULL);
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_against_heap), IN_FOLDER(test_all_is_closed), IN_FOLDER(test_leaves_room),
        IN_FOLDER(test_no_room),      IN_FOLDER(test_appending),     IN_FOLDER(test_many),
        IN_FOLDER(test_small),        IN_FOLDER(test_pages_go),      IN_FOLDER(test_refused_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
