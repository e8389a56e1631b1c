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
#include "tests/support/pruned_twin.h"
#include "tests/support/twin.h"

enum { WORDS = 40, TEXT_MAX = 4096 };

static unsigned pick_word(uint64_t *seed)
{
    return pick_below(seed, WORDS, 2);
}

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

static size_t make_query(uint64_t *seed, char text[PRUNED_QUERY])
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

static const pruned_twin twin = {.positions = -1, .add = add_article, .make_query = make_query};

static void run_collection(uint64_t seed, unsigned n_queries)
{
    pruned_collection(&twin, seed, n_queries);
}

int main(void)
{
    const twin_plan twins = {"prune_phrase", run_collection, 20251125, 1500, 100};
    return twin_run(&twins);
}
