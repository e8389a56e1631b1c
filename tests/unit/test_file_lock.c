/* SPDX-License-Identifier: MIT
 * test_file_lock.c - a folder's lock while it is held: whether it still is, and what LOCK says,
 * read and written in pieces, refused, and where descriptor 0 is free.
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

#include "tests/support/open_folder.h"

/* A call of LOCK that is answered `times` times; 0: always. */
static struct {
    const char *call;
    int answer;
    unsigned times, calls;
} seam;

static int answer(const char *call, const char *path)
{
    if (strcmp(path, "LOCK") != 0 || strcmp(call, seam.call) != 0) return 0;
    return seam.calls++ < seam.times || !seam.times ? seam.answer : 0;
}

static void answer_with(const char *call, int with, unsigned times)
{
    seam.call = call;
    seam.answer = with;
    seam.times = times;
    seam.calls = 0;
    file_fault = answer;
}

/* What LOCK says to a reader with so much room, and nothing is written behind that. */
static void expect_text(const char *text, size_t room)
{
    char out[40];
    size_t len = 77, want = strlen(text) < room ? strlen(text) : room;
    memset(out, '~', sizeof out);
    assert_true(dir_lock_read(&where, out, room, &len));
    assert_int_equal(len, want);
    assert_memory_equal(out, text, want);
    for (size_t i = room; i < sizeof out; i++) assert_int_equal(out[i], '~');
}

static void test_text(void **state)
{
    (void)state;
    char out[4];
    size_t len = 77;
    assert_false(dir_lock_read(&where, out, sizeof out, &len));
    assert_int_equal(len, 0);
    dir_lock_write(&where, "x", 1);
    assert_int_equal(access("LOCK", F_OK), -1);
    assert_int_equal(dir_lock(&where, NULL), PM_OK);
    expect_text("", 8);
    dir_lock_write(&where, "0123456789", 10);
    for (size_t room = 0; room < 20; room++) expect_text("0123456789", room);
    dir_lock_write(&where, "ab", 2);
    expect_text("ab23456789", 30);
    dir_lock_write(&where, "", 0);
    expect_text("ab23456789", 30);
}

static char told[64];
static size_t n_told;

static void hear(const file_event *event)
{
    assert_string_equal(event->call, "write");
    assert_string_equal(event->path, "LOCK");
    assert_int_equal(event->fd, where.lock_fd);
    memcpy(told + n_told, event->data, event->len);
    n_told += event->len;
}

/* So many bytes at a time, with interruptions at first. */
static void test_pieces(void **state)
{
    (void)state;
    static const char text[] = "index of nothing at all";
    enum { LEN = sizeof text - 1 };
    char out[LEN];
    size_t len;
    assert_int_equal(dir_lock(&where, NULL), PM_OK);
    for (unsigned piece = 1; piece <= LEN + 1; piece++) {
        unsigned pieces = (LEN + piece - 1) / piece;
        n_told = 0;
        file_done = hear;
        answer_with("write", -(int)piece, 0);
        dir_lock_write(&where, text, LEN);
        file_done = NULL;
        assert_int_equal(seam.calls, pieces);
        assert_int_equal(n_told, LEN);
        assert_memory_equal(told, text, LEN);
        answer_with("read", -(int)piece, 0);
        memset(out, 0, LEN);
        assert_true(dir_lock_read(&where, out, LEN, &len) && len == LEN);
        assert_int_equal(seam.calls, pieces);
        assert_memory_equal(out, text, LEN);
        answer_with("read", -(int)piece, 0);
        expect_text(text, LEN + 3);
        assert_int_equal(seam.calls, pieces + 1);
        answer_with("write", -(int)piece, 0);
        dir_lock_write(&where, "INDEX", 5);
        expect_text("INDEX of nothing at all", LEN);
    }
    answer_with("read", -3, 1); /* no more than there is room for behind a short piece            */
    expect_text("INDEX of nothing at all", 10);
    answer_with("write", EINTR, 3);
    dir_lock_write(&where, "abc", 3);
    assert_int_equal(seam.calls, 4);
    answer_with("read", EINTR, 3);
    expect_text("abcEX", 5);
    assert_int_equal(seam.calls, 4);
}

/* The first piece is there, the next one is refused: that is all. */
static int after_one(const char *call, const char *path)
{
    if (strcmp(path, "LOCK") != 0 || strcmp(call, seam.call) != 0) return 0;
    return seam.calls++ ? seam.answer : -2;
}

static void test_refused(void **state)
{
    (void)state;
    static const int refusals[] = {EIO, EPERM, ENOSPC};
    char out[8];
    size_t len;
    assert_int_equal(dir_lock(&where, NULL), PM_OK);
    for (size_t i = 0; i < 3; i++) {
        errno = EINTR; /* of something that was long ago */
        dir_lock_write(&where, "......", 6);
        answer_with("write", refusals[i], 1);
        dir_lock_write(&where, "abcdef", 6);
        assert_int_equal(seam.calls, 1);
        expect_text("......", 6);
        answer_with("write", refusals[i], 0);
        file_fault = after_one;
        dir_lock_write(&where, "abcdef", 6);
        assert_int_equal(seam.calls, 2);
        expect_text("ab....", 6);
        errno = EINTR;
        answer_with("read", refusals[i], 1);
        assert_false(dir_lock_read(&where, out, sizeof out, &len));
        answer_with("read", refusals[i], 0);
        file_fault = after_one;
        assert_false(dir_lock_read(&where, out, sizeof out, &len));
        assert_int_equal(len, 2);
    }
}

/* ---- is it still held? -------------------------------------------------------------------- */

static void test_holds(void **state)
{
    (void)state;
    pm_error err;
    assert_int_equal(dir_lock_holds(&where, &err), PM_OK); /* not locked */
    assert_int_equal(dir_lock(&where, &err), PM_OK);
    assert_int_equal(dir_lock_holds(&where, &err), PM_OK);
    folder_unlink(folder, "LOCK");
    errno = 0;
    assert_int_equal(dir_lock_holds(&where, &err), PM_BUSY);
    assert_non_null(strstr(err.message, "LOCK was deleted"));
    folder_write(folder, "LOCK", "", 0);
    assert_int_equal(dir_lock_holds(&where, &err), PM_BUSY);
    folder_unlink(folder, "LOCK");
    char path[FOLDER_PATH + 8];
    snprintf(path, sizeof path, "%s/LOCK", folder);
    folder_must(symlink("elsewhere", path) == 0, "symlink", path);
    assert_int_equal(dir_lock_holds(&where, &err), PM_BUSY);
}

static void test_look_refused(void **state)
{
    (void)state;
    static const char *const looks[] = {"fstat", "stat"};
    static const int refusals[] = {EIO, EPERM, EACCES};
    pm_error err;
    assert_int_equal(dir_lock(&where, &err), PM_OK);
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 3; k++) {
            errno = ENOENT; /* of something that was long ago */
            answer_with(looks[i], refusals[k], 1);
            assert_int_equal(dir_lock_holds(&where, &err), PM_IO);
            assert_int_equal(err.os_errno, refusals[k]);
            assert_int_equal(seam.calls, 1);
        }
        answer_with(looks[i], EINTR, 3);
        assert_int_equal(dir_lock_holds(&where, &err), PM_OK);
        assert_int_equal(seam.calls, 4);
        answer_with(looks[i], ENOENT, 1);
        assert_int_equal(dir_lock_holds(&where, &err), PM_BUSY);
    }
}

/* A program that was started without standard input: nothing of the lock gets its number. */
static void test_descriptor_0(void **state)
{
    (void)state;
    pm_error err;
    int kept = dup(STDIN_FILENO);
    assert_true(kept > 0);
    close(STDIN_FILENO);
    pm_status st = dir_lock(&where, &err);
    int fd = where.lock_fd;
    dir_lock_write(&where, "text", 4);
    expect_text("text", 9);
    expect_text("text", 4);
    pm_status held = dir_lock_holds(&where, &err);
    folder_unlink(folder, "LOCK");
    pm_status lost = dir_lock_holds(&where, &err);
    dir_close(&where);
    bool closed = lseek(STDIN_FILENO, 0, SEEK_CUR) < 0 && errno == EBADF;
    dup2(kept, STDIN_FILENO);
    close(kept);
    assert_int_equal(dir_open(&where, folder, NULL, &err), PM_OK);
    assert_int_equal(st, PM_OK);
    assert_true(fd > STDERR_FILENO);
    assert_int_equal(held, PM_OK);
    assert_int_equal(lost, PM_BUSY);
    assert_true(closed);
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, open_folder, close_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_text),  IN_FOLDER(test_pieces),       IN_FOLDER(test_refused),
        IN_FOLDER(test_holds), IN_FOLDER(test_look_refused), IN_FOLDER(test_descriptor_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
