/* SPDX-License-Identifier: MIT
 *
 * test_refused_calls.c - the n-th system call refused, for all n, once and from then on.
 *
 * While a second batch is committed: the folder then holds exactly the old commit or exactly
 * the new one.  PM_OK means the new one, with every fsync done; PM_NOT_DURABLE means the new
 * one (or, when not even a look is possible, that nobody knows); PM_IO means the old one, and
 * names the errno.  After each case another writer commits the batch and leaves no file that no
 * commit names.  The same for a first commit and for a merge.
 *
 * While an index is opened and asked: PM_IO with the errno, or the sound answers.
 * An interrupted call (EINTR) is made again and changes nothing; not so mmap, readdir and
 * close, which Linux does not interrupt, or whose descriptor is gone even then.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/segment/manifest.h"
#include "tests/support/folder.h"
#include "tests/support/probe.h"

/* ---- the seam ------------------------------------------------------------------------- */

static struct {
    uint64_t calls, at; /* refuse the at-th; 0: none                                       */
    bool sticky, sync_refused, rename_refused;
    int error;
    char call[16]; /* the first one refused                                                */
} seam;

static int seam_fault(const char *call, const char *path)
{
    (void)path;
    seam.calls++;
    bool refuse = seam.at && (seam.calls == seam.at || (seam.sticky && seam.calls > seam.at));
    if (!refuse) return 0;
    if (!*seam.call) snprintf(seam.call, sizeof seam.call, "%s", call);
    if (strstr(call, "sync")) seam.sync_refused = true;
    if (strcmp(call, "rename") == 0) seam.rename_refused = true;
    return seam.error;
}

static void seam_arm(uint64_t at, int error, bool sticky)
{
    memset(&seam, 0, sizeof seam);
    seam.at = at;
    seam.error = error;
    seam.sticky = sticky;
    file_fault = seam_fault;
}

static void seam_disarm(void)
{
    file_fault = NULL;
}

/* ---- the index: one batch, then another ----------------------------------------------- */

static char folder[FOLDER_PATH];
static folder_image before;
static transcript old_answers, new_answers, answers;

static pm_status add(pm_writer *writer, const char *id, const char *text, pm_error *err)
{
    pm_article article = {
        .id = {id, strlen(id)}, .title = {"Trade talks", 11}, .text = {text, strlen(text)}};
    return pm_writer_add(writer, &article, NULL, err);
}

static pm_status first_batch(pm_writer *writer, pm_error *err)
{
    pm_status st = add(writer, "one", "China tightens export controls on rare earths.", err);
    if (st == PM_OK) st = add(writer, "two", "Xi and Trump meet; TikTok waits.", err);
    if (st == PM_OK) st = add(writer, "three", "The U.S. answers with tariffs.", err);
    return st;
}

static pm_status second_batch(pm_writer *writer, pm_error *err)
{
    pm_status st = add(writer, "four", "The tariffs on rare earth minerals fall.", err);
    if (st == PM_OK) st = add(writer, probe_article_id, "APEC ends with export controls.", err);
    if (st == PM_OK) st = add(writer, "two", "Xi and Trump met, and TikTok is sold.", err);
    if (st == PM_OK) st = pm_writer_delete(writer, "one", 3, NULL, err);
    return st;
}

static pm_status commit(pm_status (*batch)(pm_writer *writer, pm_error *err), pm_error *err)
{
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.threads = 1;
    options.memory_bytes = 16u << 20;
    pm_writer *writer = NULL;
    pm_status st = pm_writer_open(folder, &options, &writer, err);
    if (st == PM_OK) st = batch(writer, err);
    if (st == PM_OK) st = pm_writer_commit(writer, NULL, err);
    pm_writer_close(writer);
    return st;
}

static int begin(void **state)
{
    pm_error err = {.status = PM_OK};
    (void)state;
    unsetenv("PRESSMARK_SEED");
    folder_make(folder);
    if (commit(first_batch, &err) != PM_OK || probe_all(folder, &old_answers, &err) != PM_OK) {
        printf("first batch: %s\n", err.message);
        return -1;
    }
    folder_load(folder, &before);
    if (commit(second_batch, &err) != PM_OK || probe_all(folder, &new_answers, &err) != PM_OK) {
        printf("second batch: %s\n", err.message);
        return -1;
    }
    return transcript_equal(&old_answers, &new_answers) ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    folder_image_free(&before);
    folder_remove(folder);
    return 0;
}

/* ---- what must hold afterwards ------------------------------------------------------------ */

static void wrong(const char *what, const char *detail)
{
    fail_msg("call %lu (%s) refused with %s%s: %s%s%s", (unsigned long)seam.at, seam.call,
             strerror(seam.error), seam.sticky ? " from then on" : "", what, *detail ? ": " : "",
             detail);
}

/* PM_IO with the errno; a refused map may also be a lack of memory. */
static void verify_error(pm_status st, const pm_error *err)
{
    if (st == PM_NOMEM && strcmp(seam.call, "mmap") == 0) return;
    if (st != PM_IO && st != PM_NOT_DURABLE) wrong(pm_status_name(st), err->message);
    if (err->status != st) wrong("the error names another status", err->message);
    if (st == PM_IO && err->os_errno != seam.error) wrong("the error has no errno", err->message);
}

/* Old or new, as the status promises. */
static bool verify_commit(pm_status st, const pm_error *op_err, const transcript *old)
{
    pm_error err = {.status = PM_OK};
    pm_status seen = probe_all(folder, &answers, &err);
    bool is_new = seen == PM_OK && transcript_equal(&answers, &new_answers);
    bool is_old = old ? seen == PM_OK && transcript_equal(&answers, old) : seen == PM_USAGE;
    if (!is_new && !is_old) wrong("neither the old commit nor the new", err.message);
    if (st == PM_OK && !is_new) wrong("PM_OK, but the old commit is there", "");
    if (st == PM_OK && seam.sync_refused) wrong("PM_OK without its fsync", "");
    /* A rename that failed, on a disk that cannot be read either, may have happened or not. */
    bool unknown = seam.sticky && seam.rename_refused;
    if (st == PM_NOT_DURABLE && !is_new && !unknown)
        wrong("PM_NOT_DURABLE, but the old commit is there", "");
    if (st == PM_IO && is_new) wrong("PM_IO, but the new commit is there", op_err->message);
    if (st != PM_OK) verify_error(st, op_err);
    return is_new;
}

static bool names(const manifest *m, const char *name)
{
    for (uint32_t i = 0; i < m->n_segments; i++)
        if (!strcmp(m->segments[i].name, name) || !strcmp(m->segments[i].del_name, name))
            return true;
    return false;
}

/* Every file is one that the newest commit or the one before names. */
static void verify_no_orphans(void)
{
    dir d = DIR_INIT;
    buf bytes = {0};
    bool absent = false;
    manifest now, prev = {.n_segments = 0};
    folder_image image;
    assert_int_equal(dir_open(&d, folder, NULL, NULL), PM_OK);
    assert_int_equal(manifest_read(&now, &d, NULL, NULL), PM_OK);
    assert_int_equal(dir_read(&d, "manifest.prev", 1 << 20, &bytes, &absent, NULL), PM_OK);
    if (!absent) assert_int_equal(manifest_decode(&prev, buf_slice(&bytes), "prev", NULL), PM_OK);
    folder_load(folder, &image);
    for (size_t i = 0; i < image.n; i++) {
        const char *name = image.files[i].name;
        if (strcmp(name, "manifest") == 0 || strcmp(name, "manifest.prev") == 0) continue;
        if (!names(&now, name) && !names(&prev, name)) wrong("a file is left over", name);
    }
    folder_image_free(&image);
    manifest_free(&now);
    manifest_free(&prev);
    buf_free(&bytes);
    dir_close(&d);
}

/* The next writer makes good. */
static void verify_recovery(void)
{
    pm_error err = {.status = PM_OK};
    pm_index *index = NULL;
    pm_stats stats;
    if (commit(second_batch, &err) != PM_OK) wrong("the next writer fails", err.message);
    if (pm_index_open(folder, &index, &err) != PM_OK) wrong("the next commit", err.message);
    assert_int_equal(pm_index_stats(index, &stats, &err), PM_OK);
    pm_index_close(index);
    assert_int_equal(stats.documents, 4);
    if (pm_check(folder, true, NULL, NULL, NULL, &err) != PM_OK) wrong("pm_check", err.message);
    verify_no_orphans();
}

/* ---- campaigns ---------------------------------------------------------------------------- */

typedef struct counts {
    unsigned long cases, ok, io, not_durable, is_new;
} counts;

static void count(counts *c, pm_status st, bool is_new)
{
    c->cases++;
    c->ok += st == PM_OK;
    c->io += st == PM_IO;
    c->not_durable += st == PM_NOT_DURABLE;
    c->is_new += is_new;
}

static void print_counts(const char *title, const counts *c)
{
    printf("%s: %lu cases: %lu ok, %lu refused, %lu not durable; %lu show the new commit\n", title,
           c->cases, c->ok, c->io, c->not_durable, c->is_new);
}

static void refuse_in_commit(int error, bool sticky, counts *c)
{
    for (uint64_t n = 1;; n++) {
        pm_error err = {.status = PM_OK};
        folder_restore(folder, &before);
        seam_arm(n, error, sticky);
        pm_status st = commit(second_batch, &err);
        seam_disarm();
        bool done = seam.calls < n;
        bool is_new = verify_commit(st, &err, &old_answers);
        if (done && st != PM_OK) wrong("nothing was refused", err.message);
        verify_recovery();
        if (done) return;
        count(c, st, is_new);
    }
}

static void test_commit(void **state)
{
    static const int errors[] = {EIO, ENOSPC};
    counts c = {0, 0, 0, 0, 0};
    (void)state;
    for (unsigned e = 0; e < 2; e++)
        for (int sticky = 0; sticky < 2; sticky++) refuse_in_commit(errors[e], sticky, &c);
    print_counts("second commit, EIO and ENOSPC, once and sticky", &c);
    assert_true(c.io > 0 && c.ok > 0 && c.not_durable > 0);
}

static pm_status optimize(pm_error *err)
{
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    pm_writer *writer = NULL;
    pm_status st = pm_writer_open(folder, &options, &writer, err);
    if (st == PM_OK) st = pm_writer_optimize(writer, NULL, err);
    pm_writer_close(writer);
    return st;
}

/* Merging the two commits' segments: the old state is the second commit. */
static void test_merge(void **state)
{
    static transcript kept;
    folder_image two;
    counts c = {0, 0, 0, 0, 0};
    pm_error err = {.status = PM_OK};
    (void)state;
    folder_restore(folder, &before);
    assert_int_equal(commit(second_batch, &err), PM_OK);
    folder_load(folder, &two);
    assert_int_equal(probe_all(folder, &kept, &err), PM_OK);
    assert_int_equal(optimize(&err), PM_OK);
    assert_int_equal(probe_all(folder, &new_answers, &err), PM_OK);
    for (int sticky = 0; sticky < 2; sticky++)
        for (uint64_t n = 1;; n++) {
            folder_restore(folder, &two);
            seam_arm(n, EIO, sticky);
            pm_status st = optimize(&err);
            seam_disarm();
            bool is_new = verify_commit(st, &err, &kept);
            verify_recovery();
            if (seam.calls < n) break;
            count(&c, st, is_new);
        }
    print_counts("merge, EIO, once and sticky", &c);
    folder_image_free(&two);
    assert_true(c.io > 0 && c.ok > 0 && c.not_durable > 0);
}

/* Only writes are refused: a full disk.  What LOCK says is no part of a commit. */
static int full_disk(const char *call, const char *path)
{
    bool matters = strcmp(call, "write") == 0 && strcmp(path, "LOCK") != 0;
    return matters ? seam_fault(call, path) : 0;
}

static void test_full_disk(void **state)
{
    counts c = {0, 0, 0, 0, 0};
    (void)state;
    for (uint64_t n = 1;; n++) {
        pm_error err = {.status = PM_OK};
        folder_restore(folder, &before);
        seam_arm(n, ENOSPC, true);
        file_fault = full_disk;
        pm_status st = commit(second_batch, &err);
        seam_disarm();
        bool is_new = verify_commit(st, &err, &old_answers);
        verify_recovery();
        if (seam.calls < n) break;
        count(&c, st, is_new);
        assert_int_equal(st, PM_IO);
    }
    print_counts("second commit, disk full from the n-th write on", &c);
    assert_true(c.cases > 0);
}

/* The first commit of a folder: afterwards there is no index, or the whole one. */
static pm_status both_batches(pm_writer *writer, pm_error *err)
{
    pm_status st = first_batch(writer, err);
    return st == PM_OK ? second_batch(writer, err) : st;
}

static void test_first_commit(void **state)
{
    counts c = {0, 0, 0, 0, 0};
    pm_error err = {.status = PM_OK};
    (void)state;
    folder_empty(folder);
    assert_int_equal(commit(both_batches, &err), PM_OK);
    assert_int_equal(probe_all(folder, &new_answers, &err), PM_OK);
    for (int sticky = 0; sticky < 2; sticky++)
        for (uint64_t n = 1;; n++) {
            folder_empty(folder);
            seam_arm(n, EIO, sticky);
            pm_status st = commit(both_batches, &err);
            seam_disarm();
            bool is_new = verify_commit(st, &err, NULL);
            if (seam.calls < n) break;
            if (commit(both_batches, &err) != PM_OK) wrong("the next writer fails", err.message);
            verify_no_orphans();
            count(&c, st, is_new);
        }
    print_counts("first commit, EIO, once and sticky", &c);
    assert_true(c.io > 0);
}

static int interrupted(const char *call, const char *path)
{
    if (!strcmp(call, "mmap") || !strcmp(call, "readdir") || !strcmp(call, "close")) return 0;
    return seam_fault(call, path);
}

/* Interrupt the n-th call; false when there are not so many. */
static bool interrupt_commit(uint64_t n)
{
    pm_error err = {.status = PM_OK};
    folder_restore(folder, &before);
    seam_arm(n, EINTR, false);
    file_fault = interrupted;
    pm_status st = commit(second_batch, &err);
    seam_disarm();
    bool struck = seam.calls >= n;
    if (st != PM_OK) wrong(pm_status_name(st), err.message);
    if (probe_all(folder, &answers, &err) != PM_OK || !transcript_equal(&answers, &new_answers))
        wrong("not the new commit", err.message);
    return struck;
}

static bool interrupt_reading(uint64_t n)
{
    pm_error err = {.status = PM_OK};
    seam_arm(n, EINTR, false);
    file_fault = interrupted;
    pm_status st = probe_all(folder, &answers, &err);
    seam_disarm();
    bool struck = seam.calls >= n;
    if (st != PM_OK) wrong(pm_status_name(st), err.message);
    if (!transcript_equal(&answers, &new_answers)) wrong("another answer", "");
    return struck;
}

static void test_interrupted_calls(void **state)
{
    unsigned long cases = 0;
    (void)state;
    for (uint64_t n = 1; interrupt_commit(n); n++) cases++;
    for (uint64_t n = 1; interrupt_reading(n); n++) cases++;
    printf("second commit, open and ask, EINTR once: %lu cases, all as if undisturbed, 0 bad\n",
           cases);
    assert_true(cases > 40);
}

static void test_reading(void **state)
{
    static const int errors[] = {EIO, EMFILE};
    unsigned long refused = 0, same = 0;
    (void)state;
    folder_restore(folder, &before);
    for (unsigned e = 0; e < 2; e++)
        for (int sticky = 0; sticky < 2; sticky++)
            for (uint64_t n = 1;; n++) {
                pm_error err = {.status = PM_OK};
                seam_arm(n, errors[e], sticky);
                pm_status st = probe_all(folder, &answers, &err);
                seam_disarm();
                if (st != PM_OK)
                    verify_error(st, &err);
                else if (!transcript_equal(&answers, &old_answers))
                    wrong("another answer", "");
                if (seam.calls < n) break;
                if (st == PM_OK)
                    same++;
                else
                    refused++;
            }
    printf(
        "open and ask, EIO and EMFILE, once and sticky: %lu cases: %lu refused, %lu same answers\n",
        refused + same, refused, same);
    assert_true(refused > 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_commit),
        CASE(test_merge),
        CASE(test_full_disk),
        CASE(test_first_commit),
        CASE(test_interrupted_calls),
        CASE(test_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
