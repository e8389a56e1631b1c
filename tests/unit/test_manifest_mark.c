/* SPDX-License-Identifier: MIT
 * test_manifest_mark.c - the line in LOCK by which an index that has lost its manifests is told
 * from one that has no commit yet: when it is written, what it protects, what of it may be broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/segment/manifest.h"
#include "tests/support/fresh_folder.h"
#include "tests/support/made_articles.h"

enum { LINE = 6 + 32 + 13 }; /* "index <uuid> has commits\n" */

/* ---- what is there ------------------------------------------------------------------------ */

static pm_writer *open_at(unsigned level)
{
    pm_error err;
    pm_writer *w;
    pm_writer_options o = made_options();
    o.commit_level = level;
    must(pm_writer_open(root, &o, &w, &err), &err);
    return w;
}

static void one_commit(unsigned level, unsigned number)
{
    pm_writer *w = open_at(level);
    add(w, number, 1);
    commit(w);
    pm_writer_close(w);
}

/* What LOCK says; the number of bytes. */
static size_t lock_text(char out[200])
{
    int fd = folder_open(root, "LOCK");
    ssize_t n = read(fd, out, 199);
    close(fd);
    assert_true(n >= 0);
    out[n] = 0;
    return (size_t)n;
}

static void lock_write(const char *text, size_t len)
{
    folder_write(root, "LOCK", text, len);
}

static void expected_line(char out[200])
{
    dir d;
    manifest m;
    pm_error err;
    must(dir_open(&d, root, NULL, &err), &err);
    must(manifest_read(&m, &d, NULL, &err), &err);
    int n = snprintf(out, 200, "index ");
    for (unsigned i = 0; i < 16; i++) n += snprintf(out + n, 200 - (size_t)n, "%02x", m.uuid[i]);
    snprintf(out + n, 200 - (size_t)n, " has commits\n");
    manifest_free(&m);
    dir_close(&d);
}

static void assert_marked(void)
{
    char is[200], expected[200];
    assert_int_equal(lock_text(is), LINE);
    expected_line(expected);
    assert_string_equal(is, expected);
}

static void assert_not_marked(void)
{
    char is[200];
    assert_int_equal(lock_text(is), 0);
}

/* ---- when it is written ------------------------------------------------------------------- */

static void test_first_commit(void **state)
{
    (void)state;
    pm_writer *w = open_at(0);
    add(w, 1, 1);
    assert_not_marked();
    commit(w);
    assert_marked();
    pm_writer_close(w);
    assert_sound(root);
}

/* Without the last sync the commit before the last is durable, of which the first has none. */
static void test_levels(void **state)
{
    (void)state;
    for (unsigned level = 1; level <= 2; level++) {
        folder_empty(root);
        one_commit(level, 1);
        assert_not_marked();
        one_commit(level, 2);
        assert_marked();
    }
}

static unsigned left; /* syncs before one is refused; 0: none is */

static int refuse_sync(const char *call, const char *path)
{
    (void)path;
    return strcmp(call, "fsync") == 0 && left && !--left ? EIO : 0;
}

static void test_unproven(void **state)
{
    (void)state;
    pm_error err;
    for (unsigned n = 1;; n++) {
        folder_empty(root);
        pm_writer *w = open_at(0);
        add(w, 1, 1);
        left = n;
        file_fault = refuse_sync;
        pm_status st = pm_writer_commit(w, NULL, &err);
        file_fault = NULL;
        if (st == PM_OK) assert_marked();
        if (st != PM_OK) assert_not_marked();
        if (st == PM_NOT_DURABLE) {
            commit(w);
            assert_marked();
        }
        pm_writer_close(w);
        if (left) break;
        assert_int_not_equal(st, PM_OK);
    }
}

/* An index of before there were marks gets its own from a commit, be there nothing to publish. */
static void test_older(void **state)
{
    (void)state;
    one_commit(0, 1);
    lock_write("", 0);
    pm_writer *w = open_at(0);
    commit(w);
    pm_writer_close(w);
    assert_marked();
    lock_write("", 0);
    one_commit(0, 2);
    assert_marked();
}

/* ---- what it protects --------------------------------------------------------------------- */

static void lose_manifests(void)
{
    char path[FOLDER_PATH + 16];
    folder_unlink(root, "manifest");
    snprintf(path, sizeof path, "%s/manifest.prev", root);
    unlink(path); /* there after a second commit                                               */
}

static void assert_refused(void)
{
    pm_error err;
    pm_index *index;
    pm_writer *w;
    pm_writer_options o = made_options();
    for (int create = 0; create < 2; create++) {
        o.create = create;
        assert_int_equal(pm_writer_open(root, &o, &w, &err), PM_CORRUPT);
        assert_non_null(strstr(err.message, "segments of the index are there"));
    }
    assert_int_equal(pm_index_open(root, &index, &err), PM_CORRUPT);
    assert_int_equal(pm_check(root, false, NULL, NULL, NULL, &err), PM_CORRUPT);
}

static void test_lost(void **state)
{
    (void)state;
    folder_image before, after;
    bool yes = false;
    pm_error err;
    one_commit(0, 1);
    one_commit(0, 2);
    folder_load(root, &before);
    lose_manifests();
    assert_refused();
    folder_load(root, &after);
    assert_int_equal(after.n, before.n - 2);
    for (size_t i = 0; i < after.n; i++)
        assert_string_equal(after.files[i].name, before.files[i].name);
    must(manifest_is_in(root, &yes, &err), &err);
    assert_true(yes); /* no folder of articles, be there other files                            */
    folder_write(root, "notes.txt", "notes", 5);
    must(manifest_is_in(root, &yes, &err), &err);
    assert_true(yes);
    for (size_t i = 0; i < before.n; i++)
        if (strcmp(before.files[i].name, "manifest") == 0)
            folder_write(root, "manifest", before.files[i].data, before.files[i].len);
    one_commit(0, 3);
    assert_sound(root);
    folder_image_free(&before);
    folder_image_free(&after);
}

static pm_writer *first_run;
static const char *commit_at; /* a file; its first commit comes when this is opened: NULL: never  */

static int commit_beside(const char *call, const char *path)
{
    bool now = commit_at && strcmp(call, "open") == 0 && strcmp(path, commit_at) == 0;
    if (now) commit_at = NULL;
    if (now) commit(first_run);
    return 0;
}

/* The first commit may come while somebody looks for a manifest and what is there without one. */
static void test_first_commit_beside(void **state)
{
    (void)state;
    static const char *const moments[] = {"manifest.prev", "LOCK"};
    pm_error err;
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        pm_index *index;
        folder_empty(root);
        first_run = open_at(0);
        add(first_run, 1, 1);
        commit_at = moments[i];
        file_fault = commit_beside;
        must(pm_index_open(root, &index, &err), &err);
        file_fault = NULL;
        assert_null(commit_at);
        pm_index_close(index);
        pm_writer_close(first_run);
    }
}

/* Where none of its segments is there, an index may be made; and what the first run of that one
 * leaves when it is killed is no index that was lost. */
static void test_begun_again(void **state)
{
    (void)state;
    char other[FOLDER_PATH];
    folder_image made;
    pm_error err;
    folder_make(other);
    pm_writer *w = open_writer(other, 0);
    add(w, 1, 1);
    commit(w);
    pm_writer_close(w);
    folder_load(other, &made);
    one_commit(0, 1);
    lose_manifests();
    folder_image old;
    folder_load(root, &old);
    for (size_t i = 0; i < old.n; i++) folder_unlink(root, old.files[i].name);
    for (size_t i = 0; i < made.n; i++)
        if (strstr(made.files[i].name, ".seg"))
            folder_write(root, made.files[i].name, made.files[i].data, made.files[i].len);
    folder_write(root, "77-00000000.seg", "short", 5);
    assert_int_equal(count_files(root, ".seg"), 2);
    pm_index *index;
    assert_int_equal(pm_index_open(root, &index, &err), PM_USAGE);
    one_commit(0, 1);
    assert_int_equal(count_files(root, ".seg"), 1);
    assert_marked(); /* which is another one's now                                              */
    assert_sound(root);
    folder_image_free(&made);
    folder_image_free(&old);
    folder_remove(other);
}

/* ---- what of it may be broken ------------------------------------------------------------- */

/* What a power cut leaves of it is no mark, and written anew; so is one of another index. */
static void test_torn(void **state)
{
    (void)state;
    char line[200];
    pm_index *index;
    pm_error err;
    one_commit(0, 1);
    lock_text(line);
    for (size_t len = 0; len <= LINE; len++)
        for (int zeros = 0; zeros < 2; zeros++) {
            char torn[LINE] = {0};
            memcpy(torn, line, len);
            lock_write(torn, zeros ? LINE : len);
            one_commit(0, 1);
            assert_marked();
        }
    memset(line + 6, 'a', 32);
    lock_write(line, LINE);
    lose_manifests();
    assert_int_equal(pm_index_open(root, &index, &err), PM_USAGE);
    one_commit(0, 1);
    assert_marked();
}

/* What somebody else has written there stays, and protects nothing. */
static void test_foreign(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "an article about locks", "index of locks",
        "index 0123456789abcdef0123456789abcdef has commits\nand more",
        "index 0123456789ABCDEF0123456789abcdef has commits\n",
        "a text that is longer than the line could be, and not one that a program would read\n"};
    char is[200];
    pm_index *index;
    pm_error err;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bool yes = true;
        folder_empty(root);
        lock_write(texts[i], strlen(texts[i]));
        must(manifest_is_in(root, &yes, &err), &err);
        assert_false(yes);
        one_commit(0, 1);
        lock_text(is);
        assert_string_equal(is, texts[i]);
        lose_manifests();
        assert_int_equal(pm_index_open(root, &index, &err), PM_USAGE);
        one_commit(0, 1);
    }
}

static dir folder_of_root(void)
{
    dir d;
    pm_error err;
    must(dir_open(&d, root, NULL, &err), &err);
    return d;
}

/* What this text in LOCK is to the folder, in which a segment of a lost index is. */
static void expect_text(const dir *d, const char *text, size_t len, bool want_ours, bool want_lost)
{
    bool ours = !want_ours, lost = !want_lost;
    pm_error err;
    lock_write(text, len);
    must(manifest_lock_is_ours(d, &ours, &err), &err);
    must(manifest_is_lost(d, &lost, &err), &err);
    if (ours != want_ours || lost != want_lost) fail_msg("%.*s", (int)len, text);
}

/* Every byte at every place of the line. */
static void test_each_byte(void **state)
{
    (void)state;
    char line[200];
    dir d = folder_of_root();
    one_commit(0, 1);
    assert_int_equal(lock_text(line), LINE);
    lose_manifests();
    for (unsigned at = 0; at < LINE; at++)
        for (unsigned v = 0; v < 256; v++) {
            char text[LINE];
            memcpy(text, line, LINE);
            text[at] = (char)v;
            bool same = text[at] == line[at], digit = v && strchr("0123456789abcdef", (int)v);
            bool in_uuid = at >= 6 && at < 6 + 32;
            expect_text(&d, text, LINE, same || !v || (in_uuid && digit), same);
        }
    for (unsigned len = 0; len < LINE; len++) expect_text(&d, line, len, true, false);
    line[LINE] = 0;
    expect_text(&d, line, LINE + 1, false, false);
    dir_close(&d);
}

/* A header alone is enough of a segment, less is not; no text is no UUID of zeros. */
static void test_header_alone(void **state)
{
    (void)state;
    enum { HEADER = 64 };
    char line[200];
    folder_image image;
    dir d = folder_of_root();
    one_commit(0, 1);
    lock_text(line);
    lose_manifests();
    folder_load(root, &image);
    assert_int_equal(image.n, 1);
    folder_file *f = &image.files[0];
    folder_write(root, f->name, f->data, HEADER);
    expect_text(&d, line, LINE, true, true);
    folder_write(root, f->name, f->data, HEADER - 1);
    expect_text(&d, line, LINE, true, false);
    memset(f->data + 16, 0, 16);
    folder_write(root, f->name, f->data, f->len);
    expect_text(&d, "", 0, true, false);
    expect_text(&d, line, LINE, true, false);
    memset(line + 6, '0', 32);
    expect_text(&d, line, LINE, true, true);
    assert_int_equal(folder_maps(root), 0);
    folder_image_free(&image);
    dir_close(&d);
}

static unsigned writes_of_lock;

static int count_writes(const char *call, const char *path)
{
    writes_of_lock += !strcmp(path, "LOCK") && !strcmp(call, "write");
    return 0;
}

/* What it says already is not written again. */
static void test_written_once(void **state)
{
    (void)state;
    pm_writer *w = open_at(0);
    file_fault = count_writes;
    writes_of_lock = 0;
    for (unsigned i = 0; i < 3; i++) {
        add(w, i, 1);
        commit(w);
        assert_int_equal(writes_of_lock, 1);
    }
    pm_writer_close(w);
    one_commit(0, 4);
    assert_int_equal(writes_of_lock, 1);
    file_fault = NULL;
    assert_marked();
}

/* A LOCK that is none cannot be locked; readers see no index. */
static void test_no_file(void **state)
{
    (void)state;
    char path[FOLDER_PATH + 16];
    pm_index *index;
    pm_error err;
    snprintf(path, sizeof path, "%s/LOCK", root);
    one_commit(0, 1);
    lose_manifests();
    unlink(path);
    assert_int_equal(pm_index_open(root, &index, &err), PM_USAGE);
    folder_must(symlink("elsewhere", path) == 0, "symlink", path);
    assert_int_equal(pm_index_open(root, &index, &err), PM_USAGE);
    unlink(path);
}

static const char *refused_call;
static int refusal;

static int refuse_lock(const char *call, const char *path)
{
    return !strcmp(path, "LOCK") && !strcmp(call, refused_call) ? refusal : 0;
}

static int refuse_segments(const char *call, const char *path)
{
    return strstr(path, ".seg") && !strcmp(call, refused_call) ? refusal : 0;
}

/* A commit does without; one byte at a time is enough. */
static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *call;
        int answer;
        bool marked;
    } ways[] = {
        {"write", ENOSPC, false}, {"write", -1, true}, {"read", EIO, false}, {"read", -1, true}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        folder_empty(root);
        pm_writer *w = open_at(0);
        add(w, 1, 1);
        refused_call = ways[i].call;
        refusal = ways[i].answer;
        file_fault = refuse_lock;
        commit(w);
        file_fault = NULL;
        if (ways[i].marked)
            assert_marked();
        else
            assert_not_marked();
        commit(w); /* nothing to publish, and proven: it stays as it is                        */
        add(w, 2, 1);
        commit(w);
        assert_marked();
        pm_writer_close(w);
    }
}

/* What cannot be read may be what is looked for: an error, and nothing is deleted. */
static void test_unreadable(void **state)
{
    (void)state;
    static const char *const calls[] = {"open", "read", "fstat", "mmap"};
    pm_error err;
    pm_writer *w;
    pm_writer_options o = made_options();
    one_commit(0, 1);
    lose_manifests();
    refusal = EIO;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        for (int of_segments = 0; of_segments < 2; of_segments++) {
            refused_call = calls[i];
            file_fault = of_segments ? refuse_segments : refuse_lock;
            pm_status st = pm_writer_open(root, &o, &w, &err);
            file_fault = NULL;
            assert_true(st == PM_IO || st == PM_CORRUPT);
            assert_int_equal(count_files(root, ".seg"), 1);
        }
    assert_refused();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_commit, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_levels, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_unproven, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_older, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_lost, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_first_commit_beside, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_begun_again, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_torn, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_foreign, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_each_byte, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_header_alone, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_written_once, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_no_file, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_refused, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_unreadable, make_root, remove_root),
    };
    return cmocka_run_group_tests_name("manifest mark", tests, NULL, NULL);
}
