/* SPDX-License-Identifier: MIT
 *
 * test_readers.c - readers that open the index all the time while a writer commits flat out, and
 * the writer lock.
 *
 * Every open must succeed and show exactly one commit (its number of articles and the text of
 * one of them follow from its generation), and generations never fall.  A second writer is
 * refused while the first lives, whatever else opens and closes the same files; when the
 * first is killed the next one gets the lock at once.
 *
 * PM_CRASH_OPENS=n asks for so many opens of each reader.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/script_place.h"

enum {
    READERS = 3,
    OPENS = 2000,
    OPENS_SLOW = 150,
    KEPT = 20,
    OPTIMIZE_EVERY = 12,
    COMMITS_LEAST = 30
};

typedef struct shared {
    _Atomic unsigned long opens[READERS], newer[READERS], bad;
    _Atomic unsigned long commits;
    _Atomic int readers_left;
    char first_bad[400];
} shared;

static shared *share;

static pm_writer *must_open(void)
{
    pm_error err = {.status = PM_OK};
    pm_writer *writer = NULL;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.threads = 1;
    options.memory_bytes = 16u << 20;
    folder_must(pm_writer_open(path, &options, &writer, &err) == PM_OK, err.message, path);
    return writer;
}

static void put(pm_writer *writer, const char *id, unsigned long version)
{
    pm_error err = {.status = PM_OK};
    char text[80];
    int len = snprintf(text, sizeof text, "trade talks number v%lu", version);
    pm_article a = {.id = {id, strlen(id)}, .text = {text, (size_t)len}};
    folder_must(pm_writer_add(writer, &a, NULL, &err) == PM_OK, err.message, path);
}

/* Commit g is the g-th: `head` says so, and min(g, KEPT) other articles are there. */
static void commit(pm_writer *writer, unsigned long g)
{
    pm_error err = {.status = PM_OK};
    pm_commit_info info;
    char id[32];
    put(writer, "head", g);
    snprintf(id, sizeof id, "n-%lu", g);
    put(writer, id, g);
    snprintf(id, sizeof id, "n-%lu", g > KEPT ? g - KEPT : 0);
    folder_must(pm_writer_delete(writer, id, strlen(id), NULL, &err) == PM_OK, err.message, id);
    pm_status st = g % OPTIMIZE_EVERY ? pm_writer_commit(writer, &info, &err)
                                      : pm_writer_optimize(writer, &info, &err);
    folder_must(st == PM_OK && info.generation == g, err.message, path);
}

/* ---- readers -------------------------------------------------------------------------- */

static void bad(const char *what, const char *detail, unsigned long generation)
{
    if (atomic_fetch_add(&share->bad, 1) == 0)
        snprintf(share->first_bad, sizeof share->first_bad, "generation %lu: %s: %.300s",
                 generation, what, detail);
}

/* What an open index must show; its generation, 0 when that fails. */
static unsigned long examine(pm_index *index)
{
    pm_error err = {.status = PM_OK};
    pm_stats stats = {.generation = 0};
    pm_article *head = NULL;
    char text[80];
    if (pm_index_stats(index, &stats, &err) != PM_OK ||
        pm_index_article(index, "head", 4, &head, &err) != PM_OK) {
        bad("reading", err.message, (unsigned long)stats.generation);
        return 0;
    }
    unsigned long g = (unsigned long)stats.generation;
    snprintf(text, sizeof text, "trade talks number v%lu", g);
    if (stats.documents != 1 + (g < KEPT ? g : KEPT)) bad("articles", "another number", g);
    if (!head || strcmp(head->text.data, text) != 0) bad("head", "another text", g);
    pm_article_free(head);
    return g;
}

static void reader(unsigned which, unsigned long opens)
{
    unsigned long last = 0;
    for (unsigned long i = 0; i < opens || share->commits < COMMITS_LEAST; i++) {
        pm_error err = {.status = PM_OK};
        pm_index *index = NULL;
        if (pm_index_open(path, &index, &err) != PM_OK) {
            bad("open", err.message, last);
            continue;
        }
        unsigned long g = examine(index);
        pm_index_close(index);
        if (g < last) bad("older than before", "", g);
        share->newer[which] += g > last;
        share->opens[which]++;
        last = g;
    }
    share->readers_left--;
    _exit(0);
}

static void readers_and_a_writer(void **state)
{
    (void)state;
    unsigned long opens = script_setting("PM_CRASH_OPENS", script_slow() ? OPENS_SLOW : OPENS);
    unsigned long g = 1, n = 0, newer = 0;
    double begun = script_clock();
    pid_t pids[READERS];
    pm_writer *writer = must_open();
    commit(writer, g);
    share->readers_left = READERS;
    fflush(stdout);
    for (unsigned i = 0; i < READERS; i++) {
        pids[i] = fork();
        folder_must(pids[i] >= 0, "fork", "");
        if (pids[i] == 0) reader(i, opens);
    }
    while (share->readers_left > 0 && script_clock() - begun < 120) {
        commit(writer, ++g);
        share->commits = g;
    }
    share->commits = COMMITS_LEAST; /* or the clock has run out                               */
    pm_writer_close(writer);
    for (unsigned i = 0; i < READERS; i++) {
        int status = 0;
        folder_must(waitpid(pids[i], &status, 0) == pids[i], "wait", "");
        if (status) bad("a reader", "did not come to its end", g);
        n += share->opens[i];
        newer += share->newer[i];
    }
    printf("readers: %lu opens by %d processes during %lu commits, %.1f s: %lu saw a newer commit, "
           "%lu failures\n",
           n, READERS, g, script_clock() - begun, newer, share->bad);
    if (share->bad) fail_msg("%s", share->first_bad);
    assert_true(n >= opens * READERS && newer > READERS && g >= COMMITS_LEAST);
}

/* ---- the lock ------------------------------------------------------------------------- */

static pm_status try_open(pm_writer **writer)
{
    pm_error err = {.status = PM_OK};
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    return pm_writer_open(path, &options, writer, &err);
}

/* Things that would drop a classic POSIX lock of this process. */
static void touch_lock(void)
{
    char name[FOLDER_PATH + 16];
    pm_index *index = NULL;
    snprintf(name, sizeof name, "%s/LOCK", path);
    int fd = open(name, O_RDWR | O_CLOEXEC);
    folder_must(fd >= 0, "open", name);
    close(fd);
    if (pm_index_open(path, &index, NULL) == PM_OK) pm_index_close(index);
}

static void one_writer_in_a_process(void **state)
{
    (void)state;
    pm_writer *second = NULL, *first = must_open();
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(try_open(&second), PM_BUSY);
        touch_lock();
    }
    pm_writer_close(first);
    assert_int_equal(try_open(&second), PM_OK);
    pm_writer_close(second);
}

/* A child that holds the lock, with something uncommitted, until it is killed. */
static pid_t holder(void)
{
    int ready[2];
    char byte = 0;
    folder_must(pipe(ready) == 0, "pipe", "");
    fflush(stdout);
    pid_t pid = fork();
    folder_must(pid >= 0, "fork", "");
    if (pid == 0) {
        put(must_open(), "uncommitted", 0);
        folder_must(write(ready[1], "x", 1) == 1, "write", "");
        for (;;) pause();
    }
    close(ready[1]);
    folder_must(read(ready[0], &byte, 1) == 1, "read", "");
    close(ready[0]);
    return pid;
}

static void killed_holder(void **state)
{
    (void)state;
    enum { TIMES = 40 };
    pm_writer *writer = NULL;
    char orphan[SCRIPT_NAME];
    for (unsigned i = 0; i < TIMES; i++) {
        pid_t pid = holder();
        assert_int_equal(try_open(&writer), PM_BUSY);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(try_open(&writer), PM_OK);
        pm_writer_close(writer);
        if (script_orphan(path, orphan)) fail_msg("%s is left over", orphan);
    }
    printf("lock: %d holders killed, the next writer got it at once each time\n", TIMES);
}

static int begin(void **state)
{
    share = mmap(NULL, sizeof *share, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return share == MAP_FAILED ? -1 : make_place(state);
}

static int end(void **state)
{
    munmap(share, sizeof *share);
    script_clear(path);
    return remove_place(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_and_a_writer),
        cmocka_unit_test(one_writer_in_a_process),
        cmocka_unit_test(killed_holder),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
