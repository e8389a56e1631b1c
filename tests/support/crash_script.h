/* SPDX-License-Identifier: MIT
 *
 * crash_script.h - a few commits that follow from a seed, and which of them a folder shows.
 *
 * Takes a seed, gives a row of transactions: articles added, replaced and deleted, now and then
 * an optimize, now and then another writer.  Transaction k + 1 depends on nothing but the
 * commit k, so that a run that was broken off anywhere can be taken up again, by the same
 * program or by another, and must end in the same answers.
 */
#ifndef PM_TESTS_CRASH_SCRIPT_H
#define PM_TESTS_CRASH_SCRIPT_H

#include "tests/support/folder.h"
#include "tests/support/probe.h"

enum { SCRIPT_COMMITS_MAX = 15, SCRIPT_NAME = 64 };

typedef struct crash_script {
    uint64_t seed;
    unsigned n_commits, level; /* level as in pm_writer_options                            */
    bool steady; /* small commits by one writer and nothing else: so many that it merges beside   */
    /* Answers after commit k, for k <= n_commits + 1; k = 0: no index. */
    struct script_answers {
        char *text;
        size_t len;
    } expected[SCRIPT_COMMITS_MAX + 2];
} crash_script;

/* Run all of it once, undisturbed, in a folder of its own, and keep the answers.  Aborts when
 * that fails, or when two neighbouring commits cannot be told apart. */
void script_make(crash_script *s, uint64_t seed, unsigned n_commits, unsigned level);
/* The same, steady. */
void script_make_steady(crash_script *s, uint64_t seed, unsigned n_commits, unsigned level);
void script_free(crash_script *s);

/* Transactions from + 1 .. to on the index at path.  After each one that was reported durable,
 * acknowledged(ctx, k) (may be NULL).  PM_OK, or the first failure. */
pm_status script_run(const crash_script *s, const char *path, unsigned from, unsigned to,
                     void (*acknowledged)(void *ctx, unsigned k), void *ctx, pm_error *err);

/* The commit that the index at path shows, by all its answers; -1 when it is none of them, and
 * err says why.  Not for several threads. */
int script_seen(const crash_script *s, const char *path, pm_error *err);

/* True when the folder holds a file that neither the newest commit nor the one before names
 * (its name in orphan). */
bool script_orphan(const char *path, char orphan[SCRIPT_NAME]);

/* A new folder in memory (/dev/shm) where there is one, else of $TMPDIR or /tmp: where the
 * speed of a disk is not what is tested. */
void script_folder(char path[FOLDER_PATH]);
/* Delete an index folder in it, if there is one. */
void script_clear(const char *path);

/* A number from the environment, as PM_TEST_SEED=7. */
unsigned long script_setting(const char *name, unsigned long otherwise);
/* True when tests run under sanitizers, where samples are smaller. */
bool script_slow(void);
/* Seconds of a clock that only rises. */
double script_clock(void);

#endif
