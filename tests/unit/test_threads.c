/* SPDX-License-Identifier: MIT
 * test_threads.c - one process, many threads: searchers that share an index, a batch, all that
 * an index answers at once, and readers that open the index while a writer commits.
 *
 * What threads get must be what one thread alone gets.  The thread sanitizer watches the same
 * programs (make tsan), so each test begins with an index that nobody has touched: first looks at
 * a page, and first askers of a word that is kept for the next, are where threads meet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/thread.h"
#include "pressmark.h"
#include "tests/support/folder.h"
#include "tests/support/whole_index.h"

enum { THREADS = 6, ARTICLES = 1500, WORDS = 300, QUERIES = 80, HITS = 10 };

static char folder[FOLDER_PATH];
static char queries[QUERIES][64];

/* Words alone, and pairs that are also written as one word: `wa1 wb1` and `wa1wb1`. */
static size_t put_words(char *at, uint64_t *random)
{
    unsigned a = (unsigned)(random_next(random) % WORDS), b = (unsigned)(random_next(random) % 40);
    const char *gap = random_next(random) % 3 ? " " : random_next(random) % 2 ? "-" : "";
    return (size_t)sprintf(at, "the wa%u%swb%u ", b, gap, b) +
           (size_t)sprintf(at + strlen(at), "w%u ", a);
}

static void add_articles(pm_writer *writer, unsigned from, unsigned n)
{
    uint64_t random = 5 + from;
    pm_error err;
    for (unsigned i = from; i < from + n; i++) {
        char id[16], text[2000];
        size_t len = 0;
        for (uint64_t k = 4 + random_next(&random) % 40; k; k--)
            len += put_words(text + len, &random);
        pm_article a = {.id = {id, (size_t)sprintf(id, "d%u", i)}, .text = {text, len}};
        must(pm_writer_add(writer, &a, NULL, &err), &err);
    }
}

static pm_writer *open_writer(void)
{
    pm_writer *writer;
    pm_error err;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.threads = 2;
    options.commit_level = 2;
    options.block_size = 16;
    must(pm_writer_open(folder, &options, &writer, &err), &err);
    return writer;
}

/* Joined, split, a phrase, an intersection, an exclusion, ranked words. */
static void make_queries(void)
{
    for (unsigned i = 0; i < QUERIES; i += 5) {
        unsigned a = i * 7 % 40;
        snprintf(queries[i], sizeof queries[i], "wa%uwb%u", a, a);
        snprintf(queries[i + 1], sizeof queries[i], "\"wa%u wb%u\"", a, a);
        snprintf(queries[i + 2], sizeof queries[i], "+the +w%u wa%u-wb%u", a, a, a);
        snprintf(queries[i + 3], sizeof queries[i], "w%u -wa%u", a, a);
        snprintf(queries[i + 4], sizeof queries[i], "the w%u wa%u", a, a);
    }
}

static int set_up(void **state)
{
    (void)state;
    make_queries();
    folder_make(folder);
    pm_writer *writer = open_writer();
    for (unsigned part = 0; part < 3; part++) {
        add_articles(writer, part * (ARTICLES / 3), ARTICLES / 3);
        if (pm_writer_commit(writer, NULL, NULL) != PM_OK) return -1;
    }
    pm_writer_close(writer);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* ---- answers ------------------------------------------------------------------------------ */

typedef struct answer {
    uint64_t total, n, numbers[HITS];
    double scores[HITS];
    char snippet[32]; /* of the first hit                                                       */
} answer;

static void keep(answer *a, const pm_result *result)
{
    *a = (answer){.total = result->total, .n = result->n_hits};
    for (size_t i = 0; i < result->n_hits; i++) {
        a->numbers[i] = result->hits[i].number;
        a->scores[i] = result->hits[i].score;
    }
    if (a->n) snprintf(a->snippet, sizeof a->snippet, "%.30s", result->hits[0].snippet.data);
}

static void ask(pm_searcher *searcher, unsigned query, answer *a)
{
    const pm_result *result;
    pm_error err = {.status = PM_OK};
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    pm_status st = pm_searcher_search(searcher, queries[query], strlen(queries[query]), &options,
                                      &result, &err);
    folder_must(st == PM_OK, err.message, queries[query]);
    keep(a, result);
}

static void same(const answer *a, const answer *b, unsigned query)
{
    if (memcmp(a, b, sizeof *a) != 0)
        fail_msg("%s: %llu and %llu articles", queries[query], (unsigned long long)a->total,
                 (unsigned long long)b->total);
}

static answer alone[QUERIES];

static void ask_alone(void)
{
    pm_index *index;
    pm_searcher *searcher;
    pm_error err;
    uint64_t found = 0;
    must(pm_index_open(folder, &index, &err), &err);
    must(pm_searcher_open(index, &searcher, &err), &err);
    for (unsigned i = 0; i < QUERIES; i++) {
        ask(searcher, i, &alone[i]);
        found += alone[i].total;
    }
    assert_true(found > 10 * QUERIES);
    pm_searcher_close(searcher);
    pm_index_close(index);
}

/* ---- searchers that share an index ---------------------------------------------------------- */

static pm_index *shared_index;
static answer together[THREADS][QUERIES];

static void ask_all(void *ctx, unsigned number)
{
    pm_searcher *searcher;
    (void)ctx;
    folder_must(pm_searcher_open(shared_index, &searcher, NULL) == PM_OK, "search", folder);
    for (unsigned i = 0; i < QUERIES; i++) {
        unsigned query = number % 2 ? QUERIES - 1 - i : i;
        ask(searcher, query, &together[number][query]);
    }
    pm_searcher_close(searcher);
}

static void many_searchers(void **state)
{
    pm_error err;
    (void)state;
    must(pm_index_open(folder, &shared_index, &err), &err);
    must(thread_run(THREADS, ask_all, NULL, &err), &err);
    pm_index_close(shared_index);
    ask_alone();
    for (unsigned t = 0; t < THREADS; t++)
        for (unsigned i = 0; i < QUERIES; i++) same(&together[t][i], &alone[i], i);
}

static bool keep_next(void *ctx, size_t i, const pm_result *result, const pm_error *error)
{
    answer *answers = ctx;
    if (error) fail_msg("%s: %s", queries[i], error->message);
    keep(&answers[i], result);
    return true;
}

static void batch_of_threads(void **state)
{
    static answer answers[QUERIES];
    pm_batch_query batch[QUERIES];
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    pm_index *index;
    pm_error err;
    (void)state;
    for (unsigned i = 0; i < QUERIES; i++)
        batch[i] = (pm_batch_query){.query = {queries[i], strlen(queries[i])}};
    must(pm_index_open(folder, &index, &err), &err);
    must(pm_batch(index, batch, QUERIES, &options, THREADS, keep_next, answers, &err), &err);
    pm_index_close(index);
    ask_alone();
    for (unsigned i = 0; i < QUERIES; i++) same(&answers[i], &alone[i], i);
}

/* ---- what else one index answers on many threads ------------------------------------------ */

enum { ROUNDS_OF_ALL = 3 };

typedef struct read_all {
    pm_stats stats;
    uint64_t dumped; /* bytes                                                                   */
    char text[32];
    answer answers[QUERIES];
} read_all;

static bool count_bytes(void *ctx, const char *data, size_t len)
{
    uint64_t *n = ctx;
    (void)data;
    *n += len;
    return true;
}

static void read_everything(pm_index *index, read_all *out)
{
    pm_batch_query batch[QUERIES];
    pm_article *article = NULL;
    pm_error err = {.status = PM_OK};
    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < QUERIES; i++)
        batch[i] = (pm_batch_query){.query = {queries[i], strlen(queries[i])}};
    folder_must(pm_index_dump(index, count_bytes, &out->dumped, &err) == PM_OK, err.message,
                folder);
    folder_must(pm_index_article(index, "d7", 2, &article, &err) == PM_OK && article, err.message,
                folder);
    snprintf(out->text, sizeof out->text, "%.31s", article->text.data);
    pm_article_free(article);
    folder_must(pm_index_stats(index, &out->stats, &err) == PM_OK, err.message, folder);
    folder_must(pm_batch(index, batch, QUERIES, NULL, 2, keep_next, out->answers, &err) == PM_OK,
                err.message, folder);
}

static read_all everything[THREADS];

static void read_shared(void *ctx, unsigned number)
{
    (void)ctx;
    for (unsigned i = 0; i < ROUNDS_OF_ALL; i++) read_everything(shared_index, &everything[number]);
}

static void everything_at_once(void **state)
{
    static read_all want;
    pm_error err;
    (void)state;
    must(pm_index_open(folder, &shared_index, &err), &err);
    must(thread_run(THREADS, read_shared, NULL, &err), &err);
    read_everything(shared_index, &want);
    pm_index_close(shared_index);
    for (unsigned t = 0; t < THREADS; t++) assert_memory_equal(&everything[t], &want, sizeof want);
}

/* ---- readers beside a writer -------------------------------------------------------------- */

enum { COMMITS = 25, ADDED = 20 };
static _Atomic unsigned commits_begun, commits_done, opens;

static void commit_all(void)
{
    pm_writer *writer = open_writer();
    for (unsigned i = 0; i < COMMITS; i++) {
        add_articles(writer, ARTICLES + i * ADDED, ADDED);
        atomic_store(&commits_begun, i + 1);
        folder_must(pm_writer_commit(writer, NULL, NULL) == PM_OK, "commit", folder);
        atomic_store(&commits_done, i + 1);
    }
    pm_writer_close(writer);
}

/* Every open shows a whole commit: not older than the last one that was reported before it, not
 * newer than the last one begun after it. */
static void open_often(void)
{
    for (unsigned done = 0; done < COMMITS;) {
        pm_index *index;
        pm_searcher *searcher;
        pm_error err = {.status = PM_OK};
        answer a;
        pm_stats stats;
        done = atomic_load(&commits_done);
        folder_must(pm_index_open(folder, &index, &err) == PM_OK, err.message, folder);
        folder_must(pm_searcher_open(index, &searcher, &err) == PM_OK, err.message, folder);
        folder_must(pm_index_stats(index, &stats, &err) == PM_OK, err.message, folder);
        ask(searcher, 3, &a);
        unsigned begun = atomic_load(&commits_begun);
        folder_must(stats.documents >= ARTICLES + done * ADDED &&
                        stats.documents <= ARTICLES + begun * ADDED &&
                        (stats.documents - ARTICLES) % ADDED == 0,
                    "see a whole commit in", folder);
        pm_searcher_close(searcher);
        pm_index_close(index);
        atomic_fetch_add(&opens, 1);
    }
}

static void write_or_read(void *ctx, unsigned number)
{
    (void)ctx;
    if (number == 0)
        commit_all();
    else
        open_often();
}

static void readers_beside_a_writer(void **state)
{
    pm_error err;
    (void)state;
    must(thread_run(4, write_or_read, NULL, &err), &err);
    assert_int_equal(atomic_load(&commits_done), COMMITS);
    assert_true(atomic_load(&opens) >= 3);
    print_message("%u opens beside %u commits\n", atomic_load(&opens), COMMITS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_searchers),
        cmocka_unit_test(batch_of_threads),
        cmocka_unit_test(everything_at_once),
        cmocka_unit_test(readers_beside_a_writer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
