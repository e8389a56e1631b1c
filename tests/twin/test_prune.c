/* SPDX-License-Identifier: MIT
 *
 * test_prune.c - the pruned ranking and counting loops against the exhaustive loop: ids, scores
 * to the bit, order and totals, over several segments with deletions, at every level of
 * kernels that this machine has.
 *
 * Collections are drawn so that lists of every shape meet: a Zipfian vocabulary, runs of
 * documents that share a topic, and what pruned_twin.h does.
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
#include "searcher/prune_count.h"
#include "searcher/search.h"
#include "tests/support/pruned_twin.h"
#include "tests/support/twin.h"

enum { WORDS = 300, TEXT_MAX = 4096 };

static unsigned pick_word(uint64_t *seed)
{
    return pick_below(seed, WORDS, 4);
}

static void add_article(pm_writer *w, uint64_t *seed, unsigned number, unsigned length)
{
    char id[24], text[TEXT_MAX];
    size_t len = 0;
    unsigned topic = number / 40 % WORDS;
    unsigned others = pick(seed, 30) ? 6 : 2 + pick(seed, 40); /* some harp on one word      */
    if (others != 6) length = 50 + pick(seed, 450);
    for (unsigned i = 0; i < length && len + 16 < sizeof text; i++)
        len += put_word(text + len, others == 6          ? pick(seed, 6) ? pick_word(seed) : topic
                                    : pick(seed, others) ? topic % 7
                                                         : pick_word(seed));
    pm_article a = {.id = {id, (size_t)sprintf(id, "d%u", number)}, .text = {text, len}};
    pm_error err;
    assert_int_equal(pm_writer_add(w, &a, NULL, &err), PM_OK);
}

static size_t make_query(uint64_t *seed, char text[PRUNED_QUERY])
{
    static const char *const signs[] = {"", "+", "-"};
    size_t len = 0;
    unsigned shape = pick(seed, 4); /* all plain, all must, plain and must, anything          */
    unsigned n = 1 + pick(seed, pick(seed, 4) ? 5 : pick(seed, 4) ? 20 : 40);
    bool frequent = pick(seed, 5) == 0; /* the longest lists alone                         */
    for (unsigned i = 0; i < n; i++) {
        unsigned sign = shape == 0 ? 0 : shape == 1 ? 1 : pick(seed, shape == 2 ? 2 : 3);
        len += (size_t)sprintf(text + len, "%s", signs[sign]);
        len += put_word(text + len, frequent ? pick(seed, 8) : pick_word(seed));
        if (pick(seed, 12) == 0)
            len += (size_t)sprintf(text + len - 1, "^%u ", 2 + pick(seed, 3)) - 1;
    }
    return len;
}

/* Both ways to count a disjunction, of which a search takes the one that costs less, on the plan
 * of the search before. */
static void same_counts(pm_searcher *searcher)
{
    prune_state *s = &searcher->prune;
    prune_query any;
    if (!prune_query_of(&any, &searcher->p, false) || any.n_must || any.n_not) return;
    assert_true(prune_state_ready(s, searcher->p.snap));
    for (uint32_t i = 0; i < searcher->p.snap->meta.n_segments; i++)
        if (prune_open(s, &any, i)) {
            uint64_t apart = count_or_apart(s);
            assert_true(prune_open(s, &any, i));
            assert_int_equal(apart, count_or_bitmap(s));
        }
}

static const pruned_twin twin = {
    .positions = 0, .add = add_article, .make_query = make_query, .asked = same_counts};

static void run_collection(uint64_t seed, unsigned n_queries)
{
    pruned_collection(&twin, seed, n_queries);
}

int main(void)
{
    const twin_plan twins = {"prune", run_collection, 20251124, 3000, 100};
    return twin_run(&twins);
}
