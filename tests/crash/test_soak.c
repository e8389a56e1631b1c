/* SPDX-License-Identifier: MIT
 *
 * test_soak.c - random work on one index, broken off at random, against a model in memory.
 *
 * A child adds, replaces and deletes articles, commits and optimizes, closes and opens writers;
 * some of its system calls are refused; at a system call or at an instant chosen by chance it
 * is killed.  What it has acknowledged and what it is about to commit stands in memory shared
 * with the parent, which then looks at every article: all must be as in the one or all as
 * in the other.  The same index goes on through all rounds, so that it becomes old.
 * (The idea of an expected state beside the database is that of RocksDB's crash test.)
 *
 * PM_SOAK_SECONDS=n, PM_SOAK_KILLS=n (the longer of the two), PM_TEST_SEED=n.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "tests/support/script_place.h"

/* A round is short, a few commits, so that the time goes into kills. */
enum { IDS = 120, SECONDS = 3, OPERATIONS = 200, KILL_CALLS = 200, KILL_US = 10000 };

typedef uint32_t model[IDS]; /* version of each article, 0: not there                          */

static struct shared {
    model committed, next;
    bool committing; /* next may be visible already                                        */
    uint32_t version;
    unsigned long commits, operations, refused, unproven;
    char wrong[400]; /* the child found something itself                                   */
} * share;

/* ---- what an article is --------------------------------------------------------------- */

static size_t make_id(unsigned i, char id[32])
{
    return (size_t)snprintf(id, 32, "id-%u", i);
}

/* A text that follows from id and version, with one word of its own. */
static size_t make_text(unsigned i, uint32_t version, char text[900])
{
    static const char *const words[] = {"rare", "earth", "trade", "talks", "the", "tariffs"};
    uint64_t random = hash_mix((uint64_t)i << 32 | version);
    size_t len = (size_t)snprintf(text, 900, "w%ux%u", i, version);
    for (unsigned n = (unsigned)(random_next(&random) % 100); n; n--)
        len += (size_t)snprintf(text + len, 900 - len, " %s", words[random_next(&random) % 6]);
    return len;
}

/* ---- the child: work ------------------------------------------------------------------ */

static struct {
    uint64_t calls, kill_at, refuse_at;
    int error;
    bool sticky;
} fate;

static int on_call(const char *call, const char *name)
{
    (void)call;
    (void)name;
    fate.calls++;
    if (fate.calls == fate.kill_at) raise(SIGKILL);
    if (!fate.refuse_at || fate.calls < fate.refuse_at) return 0;
    if (!fate.sticky && fate.calls > fate.refuse_at) return 0;
    share->refused++;
    return fate.error;
}

static void arm(uint64_t *random)
{
    static const int errors[] = {EIO, ENOSPC, EDQUOT};
    fate.refuse_at = fate.calls + 1 + random_next(random) % 300;
    fate.error = errors[random_next(random) % 3];
    fate.sticky = random_next(random) % 2;
}

static void stop(const char *what, const pm_error *err)
{
    snprintf(share->wrong, sizeof share->wrong, "%s: %.300s", what, err->message);
    _exit(1);
}

/* Refusals are the only failures there may be. */
static bool went_well(pm_status st, const pm_error *err)
{
    if (st == PM_OK) return true;
    bool may = fate.refuse_at && fate.calls >= fate.refuse_at;
    if (!may || (st != PM_IO && st != PM_NOT_DURABLE && st != PM_NOMEM)) stop("failed", err);
    return false;
}

static pm_writer *open_writer(void)
{
    pm_error err = {.status = PM_OK};
    pm_writer *writer = NULL;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.threads = 1;
    options.memory_bytes = 16u << 20;
    pm_status st = pm_writer_open(path, &options, &writer, &err);
    if (!went_well(st, &err)) return NULL;
    memcpy(share->next, share->committed, sizeof share->next);
    return writer;
}

static bool change(pm_writer *writer, uint64_t *random)
{
    pm_error err = {.status = PM_OK};
    char id[32], text[900];
    bool found = false;
    unsigned i = (unsigned)(random_next(random) % IDS);
    size_t id_len = make_id(i, id);
    bool was = share->next[i] != 0;
    share->operations++;
    if (random_next(random) % 4 == 0) {
        if (!went_well(pm_writer_delete(writer, id, id_len, &found, &err), &err)) return false;
        share->next[i] = 0;
    } else {
        uint32_t version = ++share->version;
        pm_article a = {.id = {id, id_len}, .text = {text, make_text(i, version, text)}};
        if (!went_well(pm_writer_add(writer, &a, &found, &err), &err)) return false;
        share->next[i] = version;
    }
    if (found != was) stop("an article was there, or not", &err);
    return true;
}

static bool commit(pm_writer *writer, uint64_t *random)
{
    pm_error err = {.status = PM_OK};
    share->committing = true;
    pm_status st = random_next(random) % 8 ? pm_writer_commit(writer, NULL, &err)
                                           : pm_writer_optimize(writer, NULL, &err);
    bool well = went_well(st, &err);
    if (st == PM_OK) memcpy(share->committed, share->next, sizeof share->next);
    if (st == PM_OK) share->commits++;
    if (st == PM_NOT_DURABLE) {
        share->unproven++;
        _exit(0); /* old or new: the parent looks                                           */
    }
    share->committing = false;
    return well;
}

static void work(uint64_t random)
{
    pm_writer *writer = NULL;
    fate.kill_at = random_next(&random) % 2 ? 1 + random_next(&random) % KILL_CALLS : 0;
    file_fault = on_call;
    for (unsigned n = 0; n < OPERATIONS; n++) {
        if (random_next(&random) % 64 == 0) arm(&random);
        if (!writer) {
            if (random_next(&random) % 2) fate.refuse_at = 0;
            writer = open_writer();
            continue;
        }
        bool well = random_next(&random) % 8 ? change(writer, &random) : commit(writer, &random);
        if (!well || random_next(&random) % 40 == 0) {
            pm_writer_close(writer);
            writer = NULL;
            if (!well) fate.refuse_at = 0;
        }
    }
    _exit(0); /* as it stands, with work uncommitted                                        */
}

/* ---- the parent: look ----------------------------------------------------------------- */

static uint32_t version_of(const pm_article *article, unsigned i)
{
    char text[900];
    unsigned of = 0, version = 0;
    if (!article) return 0;
    if (sscanf(article->text.data, "w%ux%u", &of, &version) != 2 || of != i) return UINT32_MAX;
    size_t len = make_text(i, version, text);
    bool same = article->text.len == len && memcmp(article->text.data, text, len) == 0;
    return same ? version : UINT32_MAX;
}

/* Its own word finds the article and nothing else. */
static void search_for(pm_searcher *searcher, unsigned i, uint32_t version)
{
    pm_error err = {.status = PM_OK};
    const pm_result *result = NULL;
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    char word[40], id[32];
    size_t len = (size_t)snprintf(word, sizeof word, "w%ux%u", i, version);
    make_id(i, id);
    if (pm_searcher_search(searcher, word, len, &options, &result, &err) != PM_OK)
        fail_msg("search: %s", err.message);
    if (result->total != 1 || strcmp(result->hits[0].id.data, id) != 0)
        fail_msg("%s: %lu articles", word, (unsigned long)result->total);
}

static void read_all(model seen, uint64_t random)
{
    pm_error err = {.status = PM_OK};
    pm_index *index = NULL;
    pm_searcher *searcher = NULL;
    char id[32];
    memset(seen, 0, sizeof(model));
    pm_status st = pm_index_open(path, &index, &err);
    if (st == PM_USAGE) return; /* not even the first commit                                */
    if (st == PM_OK) st = pm_searcher_open(index, &searcher, &err);
    for (unsigned i = 0; i < IDS && st == PM_OK; i++) {
        pm_article *article = NULL;
        st = pm_index_article(index, id, make_id(i, id), &article, &err);
        seen[i] = version_of(article, i);
        pm_article_free(article);
        if (seen[i] && (random_next(&random) & 7) == 0) search_for(searcher, i, seen[i]);
    }
    pm_searcher_close(searcher);
    pm_index_close(index);
    if (st != PM_OK) fail_msg("%s", err.message);
}

static bool same(const model a, const model b)
{
    return memcmp(a, b, sizeof(model)) == 0;
}

/* Committed, or what was being committed: that is then the state. */
static bool settle(uint64_t random)
{
    model seen;
    if (*share->wrong) fail_msg("%s", share->wrong);
    read_all(seen, random);
    bool is_new = share->committing && same(seen, share->next);
    if (!is_new && !same(seen, share->committed)) {
        for (unsigned i = 0; i < IDS; i++)
            if (seen[i] != share->committed[i] && !(share->committing && seen[i] == share->next[i]))
                printf("id-%u: version %u, committed %u, next %u\n", i, seen[i],
                       share->committed[i], share->next[i]);
        fail_msg("neither the last commit nor the next one");
    }
    bool unseen = is_new && !same(seen, share->committed);
    memcpy(share->committed, seen, sizeof seen);
    share->committing = false;
    return unseen;
}

/* The next writer leaves nothing over, and all is sound. */
static void tidy(void)
{
    pm_error err = {.status = PM_OK};
    char orphan[SCRIPT_NAME];
    pm_writer *writer = NULL;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    if (pm_writer_open(path, &options, &writer, &err) != PM_OK) fail_msg("%s", err.message);
    pm_writer_close(writer);
    pm_status st = pm_check(path, true, NULL, NULL, NULL, &err);
    if (st != PM_OK && st != PM_USAGE) fail_msg("pm_check: %s", err.message);
    if (st == PM_OK && script_orphan(path, orphan)) fail_msg("%s is left over", orphan);
}

/* Run a child and kill it, unless it dies of its own.  True when a kill met it. */
static bool round_of_work(uint64_t *random)
{
    int status = 0;
    uint64_t seed = random_next(random);
    bool by_time = random_next(random) % 2;
    fflush(stdout);
    pid_t pid = fork();
    folder_must(pid >= 0, "fork", "");
    if (pid == 0) work(seed);
    if (by_time) {
        usleep((useconds_t)(random_next(random) % KILL_US));
        kill(pid, SIGKILL);
    }
    folder_must(waitpid(pid, &status, 0) == pid, "wait", "");
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
        fail_msg("the writer crashed by signal %d", WTERMSIG(status));
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        fail_msg("the writer ended with %d: %s", WEXITSTATUS(status), share->wrong);
    return WIFSIGNALED(status);
}

static void soak(void **state)
{
    (void)state;
    uint64_t seed = script_setting("PM_TEST_SEED", 1), random = seed;
    double seconds = (double)script_setting("PM_SOAK_SECONDS", SECONDS), begun = script_clock();
    unsigned long rounds = 0, kills = 0, in_between = 0, aim = script_setting("PM_SOAK_KILLS", 0);
    printf("PM_TEST_SEED=%lu\n", (unsigned long)seed);
    while (kills < aim || script_clock() - begun < seconds) {
        kills += round_of_work(&random);
        in_between += settle(random);
        if (rounds++ % 4 == 0) tidy();
    }
    tidy();
    printf("soak: %lu rounds, %lu killed, %lu ended in a commit not yet reported, %lu "
           "calls refused, %lu commits unproven, %lu commits of %lu changes, %.0f s, 0 bad\n",
           rounds, kills, in_between, share->refused, share->unproven, share->commits,
           share->operations, script_clock() - begun);
    assert_true(kills > 0 && share->commits > 0);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(soak)};
    return cmocka_run_group_tests(tests, begin, end);
}
