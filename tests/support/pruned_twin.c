/* SPDX-License-Identifier: MIT
 * pruned_twin.c - see pruned_twin.h.
 */
#include "tests/support/pruned_twin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "searcher/prune_window.h"
#include "tests/support/folder.h"
#include "tests/support/twin.h"
#include "tests/support/whole_index.h"

static void delete_some(pm_writer *w, uint64_t *seed, unsigned n_docs)
{
    char id[24];
    for (unsigned i = 0; i < n_docs / 20; i++) {
        int len = sprintf(id, "d%u", pick(seed, n_docs));
        pm_error err;
        must(pm_writer_delete(w, id, (size_t)len, NULL, &err), &err);
    }
}

static void build(const pruned_twin *t, const char *path, uint64_t *seed, unsigned n_docs,
                  unsigned commits)
{
    static const unsigned blocks[] = {8, 16, 64, 256};
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    pm_writer *w = NULL;
    pm_error err = {0};
    options.block_size = blocks[pick(seed, 4)];
    options.dense_shift = 1 + pick(seed, 6);
    options.positions = t->positions;
    options.store = 0;
    must(pm_writer_open(path, &options, &w, &err), &err);
    bool deletes = pick(seed, 3) > 0;
    for (unsigned c = 0, number = 0; c < commits; c++) {
        for (unsigned i = 0; i < n_docs / commits; i++, number++)
            t->add(w, seed, number, 1 + pick(seed, 8) * pick(seed, 10 + 10 * c));
        if (deletes) delete_some(w, seed, number);
        must(pm_writer_commit(w, NULL, &err), &err);
        if (pick(seed, 5) == 0) must(pm_writer_optimize(w, NULL, &err), &err);
    }
    pm_writer_close(w);
}

static void same_result(const pm_result *slow, pm_searcher *searcher, const char *text, size_t len,
                        const pm_search_options *options)
{
    const pm_result *fast;
    pm_error err = {0};
    must(pm_searcher_search(searcher, text, len, options, &fast, &err), &err);
    if (options->want_total) assert_int_equal(fast->total, slow->total);
    if (options->want_total && (options->match != PM_MATCH_ANY || !options->total_only))
        assert_int_equal(fast->total_all, slow->total_all);
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
static void compare(const pruned_twin *t, pm_searcher *slow_searcher, pm_searcher *fast_searcher,
                    uint64_t *seed)
{
    static const unsigned limits[] = {1, 3, 10, 100, 1000};
    char text[PRUNED_QUERY];
    size_t len = t->make_query(seed, text);
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    options.want_fields = options.want_snippets = options.joined = false;
    options.limit = limits[pick(seed, 5)];
    options.match = (pm_match)pick(seed, 3);
    options.total_only = pick(seed, 2);
    options.want_total = pick(seed, 2); /* some loops are others when all are counted      */
    options.exhaustive = true;
    const pm_result *slow;
    pm_error err = {0};
    must(pm_searcher_search(slow_searcher, text, len, &options, &slow, &err), &err);
    options.exhaustive = false;
    print_message("%s (match %d, k %u)\n", text, (int)options.match, (unsigned)options.limit);
    same_result(slow, fast_searcher, text, len, &options);
    if (t->asked) t->asked(fast_searcher);
}

void pruned_collection(const pruned_twin *t, uint64_t seed, unsigned n_queries)
{
    char path[FOLDER_PATH];
    pm_index *index = NULL;
    pm_searcher *slow = NULL, *fast = NULL;
    pm_error err = {0};
    folder_make(path);
    build(t, path, &seed, 200 + pick(&seed, 3000), 1 + pick(&seed, 3));
    prune_window_shrink(pick(&seed, 3) * 512);
    assert_sound(path);
    must(pm_index_open(path, &index, &err), &err);
    must(pm_searcher_open(index, &slow, &err), &err);
    must(pm_searcher_open(index, &fast, &err), &err);
    for (unsigned i = 0; i < n_queries; i++) compare(t, slow, fast, &seed);
    pm_searcher_close(slow);
    pm_searcher_close(fast);
    pm_index_close(index);
    folder_remove(path);
}
