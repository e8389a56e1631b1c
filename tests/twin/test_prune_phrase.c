/* SPDX-License-Identifier: MIT
 *
 * test_prune_phrase.c - phrases and NEAR groups in the pruned loops against the exhaustive loop:
 * ids, scores to the bit, order and totals, over several segments with deletions, at every
 * level of kernels that this machine has.
 *
 * Few words, so that phrases of frequent, rare and repeated words occur; titles that are part
 * of the text and titles that are not; small blocks, so that lists of all shapes meet.
 *
 * PM_TEST_SEED repeats a run; PM_TEST_QUERIES makes it longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pressmark.h"
#include "tests/support/folder.h"
#include "tests/support/twin.h"

enum { WORDS = 40, TEXT_MAX = 4096 };

static unsigned pick_word(uint64_t *seed)
{
    return pick_below(seed, WORDS, 2);
}

/* ---- collections ------------------------------------------------------------------------- */

static void add_article(pm_writer *w, uint64_t *seed, unsigned number, unsigned length)
{
    char id[24], text[TEXT_MAX];
    size_t len = 0;
    unsigned topic = number / 40 % WORDS;
    for (unsigned i = 0; i < length && len + 16 < sizeof text; i++)
        len += put_word(text + len, pick(seed, 6) ? pick_word(seed) : topic);
    pm_article a = {.id = {id, (size_t)sprintf(id, "d%u", number)}, .text = {text, len}};
    char title[64];
    size_t title_len = 0;
    for (unsigned i = pick(seed, 4); i < 3; i++)
        title_len += put_word(title + title_len, pick_word(seed));
    if (pick(seed, 3) == 0) a.title = (pm_text){title, title_len};
    pm_error err;
    assert_int_equal(pm_writer_add(w, &a, NULL, &err), PM_OK);
}

static void delete_some(pm_writer *w, uint64_t *seed, unsigned n_docs)
{
    char id[24];
    for (unsigned i = 0; i < n_docs / 20; i++) {
        int len = sprintf(id, "d%u", pick(seed, n_docs));
        pm_error err;
        assert_int_equal(pm_writer_delete(w, id, (size_t)len, NULL, &err), PM_OK);
    }
}

static void build(const char *path, uint64_t *seed, unsigned n_docs, unsigned commits)
{
    static const unsigned blocks[] = {8, 16, 64, 256};
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    pm_writer *w = NULL;
    pm_error err = {0};
    options.block_size = blocks[pick(seed, 4)];
    options.dense_shift = 1 + pick(seed, 6);
    options.store = 0;
    assert_int_equal(pm_writer_open(path, &options, &w, &err), PM_OK);
    bool deletes = pick(seed, 3) > 0;
    for (unsigned c = 0, number = 0; c < commits; c++) {
        for (unsigned i = 0; i < n_docs / commits; i++, number++)
            add_article(w, seed, number, 1 + pick(seed, 8) * pick(seed, 10 + 10 * c));
        if (deletes) delete_some(w, seed, number);
        assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
        if (pick(seed, 5) == 0) assert_int_equal(pm_writer_optimize(w, NULL, &err), PM_OK);
    }
    pm_writer_close(w);
}

/* ---- queries ------------------------------------------------------------------------------ */

static size_t put_phrase(uint64_t *seed, char *text)
{
    size_t len = (size_t)sprintf(text, "%s\"", pick(seed, 8) ? "" : "title:");
    unsigned n = 2 + pick(seed, pick(seed, 3) ? 2 : 4), last = pick_word(seed);
    for (unsigned i = 0; i < n; i++) {
        len += put_word(text + len, last);
        if (pick(seed, 4)) last = pick_word(seed);
    }
    len += (size_t)sprintf(text + len - 1, "\"") - 1;
    if (pick(seed, 6) == 0)
        len += (size_t)sprintf(text + len, "~%u", pick(seed, 2) ? pick(seed, 12) : pick(seed, 200));
    if (pick(seed, 12) == 0) len += (size_t)sprintf(text + len, "^%u", 2 + pick(seed, 3));
    return len + (size_t)sprintf(text + len, " ");
}

static size_t make_query(uint64_t *seed, char *text)
{
    static const char *const signs[] = {"", "+", "-"};
    size_t len = 0;
    unsigned shape = pick(seed, 4); /* a phrase, all must, plain and must, anything          */
    unsigned n = shape == 0 ? 1 : 1 + pick(seed, 4);
    for (unsigned i = 0; i < n; i++) {
        unsigned sign = shape == 0 ? 0 : shape == 1 ? 1 : pick(seed, shape == 2 ? 2 : 3);
        len += (size_t)sprintf(text + len, "%s", signs[sign]);
        if (shape == 0 || pick(seed, 2))
            len += put_phrase(seed, text + len);
        else
            len += put_word(text + len, pick_word(seed));
    }
    return len;
}

static void same_result(const pm_result *slow, pm_searcher *searcher, const char *text, size_t len,
                        const pm_search_options *options)
{
    const pm_result *fast;
    pm_error err = {0};
    assert_int_equal(pm_searcher_search(searcher, text, len, options, &fast, &err), PM_OK);
    if (options->want_total) {
        assert_int_equal(fast->total, slow->total);
        assert_int_equal(fast->total_all, slow->total_all);
    }
    assert_int_equal(fast->n_hits, slow->n_hits);
    for (size_t i = 0; i < slow->n_hits; i++) {
        if (fast->hits[i].id.len != slow->hits[i].id.len ||
            memcmp(fast->hits[i].id.data, slow->hits[i].id.data, slow->hits[i].id.len) != 0 ||
            memcmp(&fast->hits[i].score, &slow->hits[i].score, sizeof(double)) != 0)
            fail_msg("hit %zu of %zu: %s %.17g, exhaustive %s %.17g", i, slow->n_hits,
                     fast->hits[i].id.data, fast->hits[i].score, slow->hits[i].id.data,
                     slow->hits[i].score);
    }
}

/* Two searchers, so that the exhaustive result lives while the other one is made. */
static void compare(pm_searcher *slow_searcher, pm_searcher *fast_searcher, uint64_t *seed)
{
    static const unsigned limits[] = {1, 3, 10, 100, 1000};
    char text[1024];
    size_t len = make_query(seed, text);
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    options.want_fields = options.want_snippets = options.joined = false;
    options.limit = limits[pick(seed, 5)];
    options.match = (pm_match)pick(seed, 3);
    options.want_total = pick(seed, 2);
    options.exhaustive = true;
    const pm_result *slow;
    pm_error err = {0};
    assert_int_equal(pm_searcher_search(slow_searcher, text, len, &options, &slow, &err), PM_OK);
    options.exhaustive = false;
    print_message("%s (match %d, k %u)\n", text, (int)options.match, (unsigned)options.limit);
    same_result(slow, fast_searcher, text, len, &options);
}

static void run_collection(uint64_t seed, unsigned n_queries)
{
    char path[FOLDER_PATH];
    pm_index *index = NULL;
    pm_searcher *slow = NULL, *fast = NULL;
    pm_error err = {0};
    folder_make(path);
    build(path, &seed, 200 + pick(&seed, 3000), 1 + pick(&seed, 3));
    assert_int_equal(pm_index_open(path, &index, &err), PM_OK);
    assert_int_equal(pm_searcher_open(index, &slow, &err), PM_OK);
    assert_int_equal(pm_searcher_open(index, &fast, &err), PM_OK);
    assert_int_equal(pm_check(path, true, NULL, NULL, NULL, &err), PM_OK);
    for (unsigned i = 0; i < n_queries; i++) compare(slow, fast, &seed);
    pm_searcher_close(slow);
    pm_searcher_close(fast);
    pm_index_close(index);
    folder_remove(path);
}

int main(void)
{
    const twin_plan twins = {"prune_phrase", run_collection, 20251125, 1500, 100};
    return twin_run(&twins);
}
