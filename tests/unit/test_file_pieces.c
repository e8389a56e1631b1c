/* SPDX-License-Identifier: MIT
 * test_file_pieces.c - transfers cut short, interrupted and refused, call by call; what is told of
 * those that were made; files at the limit of what may be read; nothing stays open or mapped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/support/open_folder.h"

enum { LEN = 300000 }; /* more than two buffers                                              */

static uint8_t content[LEN];

/* Calls of a name that are answered: the first `times` after `after`; times 0: all of those. */
static struct {
    const char *call;
    int answer;
    unsigned after, times, calls;
} seam;

static int answer(const char *call, const char *path)
{
    (void)path;
    if (strcmp(call, seam.call) != 0) return 0;
    unsigned n = seam.calls++;
    return n >= seam.after && (n - seam.after < seam.times || !seam.times) ? seam.answer : 0;
}

static void answer_with(const char *call, int with, unsigned after, unsigned times)
{
    seam.call = call;
    seam.answer = with;
    seam.after = after;
    seam.times = times;
    seam.calls = 0;
    file_fault = answer;
}

static int set_up(void **state)
{
    for (size_t i = 0; i < LEN; i++) content[i] = (uint8_t)(i * 7 + i / 251);
    return open_folder(state);
}

/* The lowest one that is free. */
static int next_descriptor(void)
{
    int fd = dup(STDIN_FILENO);
    assert_true(fd >= 0);
    close(fd);
    return fd;
}

static pm_status write_file(const char *name, size_t len, size_t piece, pm_error *err)
{
    outfile f;
    pm_status st = outfile_create(&f, &where, name, false, err);
    if (st != PM_OK) return st;
    for (size_t at = 0; at < len; at += piece)
        outfile_write(&f, content + at, len - at < piece ? len - at : piece);
    return outfile_finish(&f, true, err);
}

static void expect_content(const char *name, size_t len)
{
    buf read = {0};
    bool absent = true;
    assert_int_equal(dir_read(&where, name, len, &read, &absent, NULL), PM_OK);
    assert_false(absent);
    assert_int_equal(read.len, len);
    assert_memory_equal(read.data, content, len);
    buf_free(&read);
}

static void test_cut(void **state)
{
    (void)state;
    static const size_t lens[] = {1, 1000, (128 << 10) - 1, 128 << 10, (128 << 10) + 1, LEN};
    static const int cuts[] = {-1000, -4096, -65537, -131072, -1000000};
    char path[FOLDER_PATH + 8];
    snprintf(path, sizeof path, "%s/f", folder);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
        for (size_t k = 0; k < sizeof cuts / sizeof *cuts; k++) {
            size_t len = lens[i], most = (size_t)-cuts[k];
            answer_with("write", cuts[k], 0, 0);
            assert_int_equal(write_file("f", len, 999, NULL), PM_OK);
            assert_true(seam.calls >= (len + most - 1) / most);
            answer_with("read", cuts[k], 0, 0);
            expect_content("f", len);
            assert_true(seam.calls > (len + most - 1) / most);
            infile in;
            uint8_t bytes[7000];
            size_t at = 0, got = 1;
            assert_int_equal(infile_open(&in, path, NULL), PM_OK);
            while (got) {
                assert_int_equal(infile_read(&in, bytes, sizeof bytes, &got, NULL), PM_OK);
                assert_true(got <= most && at + got <= len);
                assert_memory_equal(bytes, content + at, got);
                at += got;
            }
            assert_int_equal(at, len);
            infile_close(&in);
        }
    file_fault = NULL;
    expect_content("f", LEN);
}

/* In pieces around the size of the buffer; the offset is that of the next byte. */
static void test_buffer(void **state)
{
    (void)state;
    static const size_t pieces[] = {1 << 16, (1 << 17) - 1, 1 << 17, (1 << 17) + 1, 150000, LEN};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        answer_with("write", 0, 0, 0);
        assert_int_equal(write_file("f", LEN, pieces[i], NULL), PM_OK);
        assert_true(seam.calls <= 2 + LEN / 65536);
        file_fault = NULL;
        expect_content("f", LEN);
    }
    assert_int_equal(write_file("f", 0, 1, NULL), PM_OK);
    expect_content("f", 0);
}

/* ---- refused ------------------------------------------------------------------------------ */

static pm_status nothing(void *ctx, const char *name, pm_error *err)
{
    (void)ctx;
    (void)name;
    (void)err;
    return PM_OK;
}

/* One operation, in which each of the calls is made. */
static pm_status operate(unsigned which, pm_error *err)
{
    char path[FOLDER_PATH + 8];
    buf b = {0};
    map m;
    infile in;
    file_info info;
    dir d;
    size_t got;
    uint8_t byte;
    pm_status st = PM_OK;
    snprintf(path, sizeof path, "%s/f", folder);
    switch (which) {
    case 0:
        return write_file("f", 10, 10, err);
    case 1:
        st = dir_read(&where, "f", 10, &b, NULL, err);
        buf_free(&b);
        return st;
    case 2:
        st = map_open(&m, &where, "f", NULL, err);
        if (st == PM_OK) map_close(&m);
        return st;
    case 3:
        st = infile_open(&in, path, err);
        if (st == PM_OK) {
            st = infile_read(&in, &byte, 1, &got, err);
            infile_close(&in);
        }
        return st;
    case 4:
        return file_stat(path, &info, err);
    case 5:
        return dir_each(&where, nothing, NULL, err);
    case 6:
        return file_each(folder, nothing, NULL, err);
    case 7:
        return dir_rename(&where, "f", "f", err);
    case 8:
        st = dir_link(&where, "f", "g", err);
        unlinkat(where.fd, "g", 0);
        return st;
    case 9:
        assert_int_equal(linkat(where.fd, "f", where.fd, "g", 0), 0);
        st = dir_unlink(&where, "g", err);
        unlinkat(where.fd, "g", 0);
        return st;
    case 10:
        return dir_sync(&where, err);
    case 11:
        return dir_sync_all(&where, err);
    case 12:
        st = dir_open(&d, folder, NULL, err);
        if (st == PM_OK) dir_close(&d);
        return st;
    case 13:
        st = dir_again(&d, &where, err);
        if (st == PM_OK) st = dir_lock(&d, err);
        dir_close(&d);
        return st;
    default:
        snprintf(path, sizeof path, "%s/new", folder);
        st = dir_create(path, err);
        rmdir(path);
        return st;
    }
}

/* Each call of each operation, refused for this reason and that, or interrupted three times; no
 * descriptor is left. */
static void test_refused(void **state)
{
    (void)state;
    static const char *const calls[] = {"open",  "close",  "fsync", "fstat",   "read",
                                        "write", "stat",   "mmap",  "readdir", "rename",
                                        "link",  "unlink", "lock",  "mkdir",   "syncfs"};
    static const int refusals[] = {EIO, EPERM};
    unsigned refused = 0, interrupted = 0;
    assert_int_equal(write_file("f", 10, 10, NULL), PM_OK);
    int fd = next_descriptor();
    for (unsigned which = 0; which < 15; which++)
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
            pm_error err;
            bool closes = !strcmp(calls[i], "close");
            for (size_t k = 0; k < 2; k++) {
                errno = EINTR; /* of something that was long ago */
                answer_with(calls[i], refusals[k], 0, 1);
                pm_status st = operate(which, &err);
                bool matters = seam.calls && (!closes || which == 0 || which == 14);
                file_fault = NULL;
                if (st != (matters ? PM_IO : PM_OK)) fail_msg("%u, %s: %d", which, calls[i], st);
                if (matters && err.os_errno != refusals[k])
                    fail_msg("%u, %s: %s", which, calls[i], err.message);
                refused += matters;
                assert_int_equal(next_descriptor(), fd);
            }
            if (!strcmp(calls[i], "mmap")) continue; /* which nothing interrupts                  */
            errno = EIO;
            answer_with(calls[i], EINTR, 0, closes ? 1 : 3);
            if (operate(which, &err) != PM_OK) fail_msg("%u, %s: %s", which, calls[i], err.message);
            assert_true(!seam.calls || closes || seam.calls >= 4);
            interrupted += seam.calls > 0;
            file_fault = NULL;
            assert_int_equal(next_descriptor(), fd);
        }
    print_message("%u refused, %u interrupted\n", refused, interrupted);
    assert_true(refused > 40 && interrupted > 30);
}

/* Where standard input is closed no file that is opened has its descriptor, or keeps it. */
static void test_descriptor_0(void **state)
{
    (void)state;
    assert_int_equal(write_file("f", 10, 10, NULL), PM_OK);
    int kept = dup(STDIN_FILENO);
    assert_true(kept > 0);
    for (unsigned which = 0; which < 15; which++) {
        pm_error err;
        close(STDIN_FILENO);
        errno = ENOTDIR; /* of something that was long ago */
        pm_status st = operate(which, &err);
        bool closed = fcntl(STDIN_FILENO, F_GETFD) < 0;
        dup2(kept, STDIN_FILENO);
        if (st != PM_OK) fail_msg("%u: %s", which, err.message);
        if (!closed) fail_msg("%u: descriptor 0 is left open", which);
    }
    infile in; /* standard input itself is not closed */
    assert_int_equal(infile_open(&in, "-", NULL), PM_OK);
    infile_close(&in);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
    close(kept);
}

/* ---- what is told ------------------------------------------------------------------------- */

static char told[2000];

static void hear(const file_event *e)
{
    size_t used = strlen(told);
    snprintf(told + used, sizeof told - used, "%s %s %s%s|", e->call, e->path ? e->path : "-",
             e->from ? e->from : "", e->fd >= 0 ? "fd" : "");
    if (!strcmp(e->call, "write")) assert_true(e->len == 10 && !memcmp(e->data, content, 10));
}

static void test_told(void **state)
{
    (void)state;
    char expected[2000];
    file_done = hear;
    told[0] = 0;
    pm_status st = write_file("f", 10, 10, NULL);
    if (st == PM_OK) st = dir_rename(&where, "f", "g", NULL);
    if (st == PM_OK) st = dir_link(&where, "g", "h", NULL);
    if (st == PM_OK) st = dir_unlink(&where, "h", NULL);
    if (st == PM_OK) st = dir_unlink(&where, "h", NULL); /* nothing is there */
    if (st == PM_OK) st = dir_sync(&where, NULL);
    if (st == PM_OK) st = dir_sync_all(&where, NULL);
    if (dir_rename(&where, "f", "g", NULL) != PM_IO) st = PM_IO; /* nor of that name */
    file_done = NULL;
    assert_int_equal(st, PM_OK);
    snprintf(expected, sizeof expected,
             "open f fd|write %s/f fd|fsync %s/f fd|rename g f|link h g|unlink h |"
             "fsync %s fd|syncfs %s fd|",
             folder, folder, folder, folder);
    assert_string_equal(told, expected);
}

/* ---- limits ------------------------------------------------------------------------------- */

/* At most so many bytes, behind what the buffer had before. */
static void test_most(void **state)
{
    (void)state;
    static const size_t lens[] = {1, 100, 16 << 10, (16 << 10) + 1, 100000};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
        for (unsigned before = 0; before < 2; before++)
            for (unsigned less = 0; less < 2; less++) {
                buf b = {0};
                pm_error err;
                assert_int_equal(write_file("f", lens[i], 999, NULL), PM_OK);
                if (before) buf_append(&b, "before", 6);
                pm_status st = dir_read(&where, "f", lens[i] - less, &b, NULL, &err);
                assert_int_equal(st, less ? PM_CORRUPT : PM_OK);
                if (less) assert_non_null(strstr(err.message, "larger than it can be"));
                if (!less) {
                    assert_int_equal(b.len, lens[i] + before * 6);
                    assert_memory_equal(b.data + before * 6, content, lens[i]);
                }
                buf_free(&b);
            }
}

static void test_maps(void **state)
{
    (void)state;
    map m;
    assert_int_equal(write_file("f", LEN, 999, NULL), PM_OK);
    assert_int_equal(map_open(&m, &where, "f", NULL, NULL), PM_OK);
    assert_int_equal(m.len, LEN);
    assert_int_equal(folder_maps(folder), 1);
    map_release(&m);
    assert_memory_equal(m.data, content, LEN);
    map_close(&m);
    assert_true(!m.data && !m.len);
    assert_int_equal(folder_maps(folder), 0);
    map_close(&m);
    map_release(&m);
    m = (map){content, 5};
    bool absent = false;
    assert_int_equal(map_open(&m, &where, "g", &absent, NULL), PM_OK);
    assert_true(absent && !m.data && !m.len);
}

static pm_status count_names(void *ctx, const char *name, pm_error *err)
{
    (void)err;
    assert_true(name[0] && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
    ++*(unsigned *)ctx;
    return PM_OK;
}

/* What could not be opened or locked has no descriptor, and closing it takes none from others. */
static void test_given_back(void **state)
{
    (void)state;
    dir d;
    pm_error err;
    int fd = next_descriptor();
    mem_fail_at(1, false);
    pm_status st = dir_open(&d, folder, NULL, &err);
    mem_fail_at(0, false);
    assert_int_equal(st, PM_NOMEM);
    assert_int_equal(next_descriptor(), fd);
    assert_int_equal(dir_lock(&where, &err), PM_OK);
    assert_int_equal(dir_again(&d, &where, &err), PM_OK);
    assert_int_equal(dir_lock(&d, &err), PM_BUSY);
    int others = dup(STDIN_FILENO); /* has the number that LOCK had                            */
    dir_close(&d);
    assert_true(fcntl(others, F_GETFD) >= 0);
    close(others);
    char path[FOLDER_PATH + 16];
    snprintf(path, sizeof path, "%s/no/such", folder);
    assert_int_equal(dir_create(path, &err), PM_IO);
    assert_non_null(strstr(err.message, "make the one above it first"));
}

/* One close a file: the number may be another's by the second. */
static void test_closed_once(void **state)
{
    (void)state;
    outfile f;
    answer_with("close", 0, 0, 0);
    assert_int_equal(write_file("f", 10, 10, NULL), PM_OK);
    assert_int_equal(seam.calls, 1);
    answer_with("close", EIO, 0, 1);
    assert_int_equal(write_file("f", 10, 10, NULL), PM_IO);
    assert_int_equal(seam.calls, 1);
    answer_with("close", 0, 0, 0);
    assert_int_equal(outfile_create(&f, &where, "f", false, NULL), PM_OK);
    outfile_abandon(&f);
    outfile_abandon(&f);
    assert_int_equal(seam.calls, 1);
}

static void test_stat(void **state)
{
    (void)state;
    char path[FOLDER_PATH + 8];
    snprintf(path, sizeof path, "%s/f", folder);
    for (size_t len = 0; len < 3; len++) {
        file_info info;
        struct stat is;
        memset(&info, 0xff, sizeof info);
        assert_int_equal(write_file("f", len, 1, NULL), PM_OK);
        assert_int_equal(file_stat(path, &info, NULL), PM_OK);
        assert_int_equal(stat(path, &is), 0);
        assert_true(info.size == len && info.number == is.st_ino && !info.is_link);
        assert_true(info.changed_ns ==
                    (int64_t)is.st_ctim.tv_sec * 1000000000 + (int64_t)is.st_ctim.tv_nsec);
    }
    file_info info;
    memset(&info, 0xff, sizeof info);
    assert_int_equal(file_stat("/nonexistent", &info, NULL), PM_IO);
    assert_true(!info.size && !info.number && !info.is_regular && !info.is_dir);
}

/* Standard input ends when there is something to read from the other descriptor; a file does not,
 * and without one, or while nothing is there, nor does standard input. */
static void test_stop(void **state)
{
    (void)state;
    infile in;
    char path[FOLDER_PATH + 8];
    uint8_t bytes[16];
    size_t got = 77;
    int input[2], stop[2], kept = dup(STDIN_FILENO);
    snprintf(path, sizeof path, "%s/f", folder);
    assert_int_equal(write_file("f", 10, 10, NULL), PM_OK);
    assert_true(kept > 0 && pipe(input) == 0 && pipe(stop) == 0);
    dup2(input[0], STDIN_FILENO);
    infile_stop_fd = stop[0];
    assert_int_equal(write(input[1], "abc", 3), 3);
    assert_int_equal(infile_open(&in, "-", NULL), PM_OK);
    pm_status st = infile_read(&in, bytes, 2, &got, NULL);
    assert_true(st == PM_OK && got == 2 && !memcmp(bytes, "ab", 2));
    assert_int_equal(write(stop[1], "!", 1), 1);
    got = 77;
    st = infile_read(&in, bytes, 2, &got, NULL);
    assert_true(st == PM_OK && got == 0);
    infile_close(&in);
    assert_true(in.fd == -1 && !in.path);
    assert_int_equal(infile_open(&in, path, NULL), PM_OK);
    st = infile_read(&in, bytes, 16, &got, NULL);
    assert_true(st == PM_OK && got == 10);
    infile_close(&in);
    infile_stop_fd = -1;
    assert_int_equal(infile_open(&in, "-", NULL), PM_OK);
    st = infile_read(&in, bytes, 2, &got, NULL);
    assert_true(st == PM_OK && got == 1 && bytes[0] == 'c');
    infile_close(&in);
    dup2(kept, STDIN_FILENO);
    const int all[] = {kept, input[0], input[1], stop[0], stop[1]};
    for (size_t i = 0; i < 5; i++) close(all[i]);
}

/* All names but those of the folder itself and of the one above. */
static void test_dots(void **state)
{
    (void)state;
    static const char *const names[] = {".a", "..a", "...", ".ab", "a", "a.", "a.."};
    unsigned all = 0, shown = 0;
    for (size_t i = 0; i < 7; i++) folder_write(folder, names[i], "", 0);
    assert_int_equal(dir_each(&where, count_names, &all, NULL), PM_OK);
    assert_int_equal(file_each(folder, count_names, &shown, NULL), PM_OK);
    assert_int_equal(all, 7);
    assert_int_equal(shown, 3);
}

/* The watch is asked before bytes are written, of how many; a no is a failed write. */
static unsigned asked, yes;
static uint64_t of_bytes;

static bool watch(void *ctx, uint64_t bytes)
{
    assert_ptr_equal(ctx, &asked);
    of_bytes += bytes;
    return ++asked <= yes;
}

static void test_watch(void **state)
{
    (void)state;
    where.watch = watch;
    where.watch_ctx = &asked;
    for (yes = 0; yes < 4; yes++) {
        pm_error err;
        asked = 0;
        of_bytes = 0;
        answer_with("write", 0, 0, 0);
        pm_status st = write_file("f", LEN, 65536, &err);
        assert_int_equal(st, yes < 3 ? PM_IO : PM_OK);
        assert_int_equal(seam.calls, yes < 3 ? yes : 3);
        if (st != PM_OK) { /* at the end of what had been taken until then                      */
            assert_int_equal(err.os_errno, ECANCELED);
            assert_int_equal(err.offset, yes < 2 ? (yes + 1) * 131072 : LEN);
        }
        if (st == PM_OK) assert_int_equal(of_bytes, LEN);
        file_fault = NULL;
    }
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, close_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_cut),          IN_FOLDER(test_buffer), IN_FOLDER(test_refused),
        IN_FOLDER(test_descriptor_0), IN_FOLDER(test_told),   IN_FOLDER(test_most),
        IN_FOLDER(test_maps),         IN_FOLDER(test_dots),   IN_FOLDER(test_closed_once),
        IN_FOLDER(test_stat),         IN_FOLDER(test_stop),   IN_FOLDER(test_given_back),
        IN_FOLDER(test_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
