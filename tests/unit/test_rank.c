/* SPDX-License-Identifier: MIT
 *
 * test_rank.c - the bounded heap of hits against a full sort, and idf's values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "searcher/plan.h"
#include "searcher/topk.h"

enum { HITS = 300, MANY_HITS = 6000, HUGE_HITS = 1100000 };

static bool with_parts;

static int by_order(const void *a, const void *b)
{
    const hit *x = a, *y = b;
    if (with_parts && x->in_all != y->in_all) return x->in_all ? -1 : 1;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static void check_topk(uint64_t *seed, size_t n, uint64_t k, topk *t)
{
    static hit hits[HUGE_HITS];
    for (size_t i = 0; i < n; i++)
        hits[i] = (hit){
            .score = (double)(random_next(seed) % 7), .seq = i, .in_all = random_next(seed) % 2};
    for (size_t i = n; i > 1; i--) { /* arrival in any order */
        size_t j = (size_t)(random_next(seed) % i);
        hit swap = hits[i - 1];
        hits[i - 1] = hits[j];
        hits[j] = swap;
    }
    assert_true(topk_begin(t, k, n, with_parts));
    for (size_t i = 0; i < n; i++) topk_push(t, &hits[i]);
    topk_sort(t);
    qsort(hits, n, sizeof *hits, by_order);
    assert_int_equal(t->n, k < n ? k : n);
    for (size_t i = 0; i < t->n; i++) assert_int_equal(t->hits[i].seq, hits[i].seq);
}

static void test_topk(void **state)
{
    (void)state;
    uint64_t seed = 7;
    topk t = {0};
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned round = 0; round < 2000; round++) {
        with_parts = round % 2;
        size_t n = (size_t)(random_next(&seed) % HITS);
        uint64_t k =
            round % 10 ? random_next(&seed) % 40 : UINT64_MAX / (1 + random_next(&seed) % 3);
        if (round % 30 == 0) k = UINT64_MAX / 3 * 2 - 20; /* half as many again would wrap        */
        check_topk(&seed, n, k, &t);
    }
    topk_free(&t);
}

/* Around the numbers at which rows grow, heaps are made and sorts change. */
static void test_topk_many(void **state)
{
    static const unsigned limits[] = {90, 1000, 2047, 2048, 3000, 4096, 4097, MANY_HITS};
    (void)state;
    uint64_t seed = 11;
    topk t = {0};
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned round = 0; round < 80; round++) {
        with_parts = round % 2;
        size_t n = limits[random_next(&seed) % 8] - (size_t)(random_next(&seed) % 3);
        check_topk(&seed, n, limits[random_next(&seed) % 8], &t);
    }
    topk_free(&t);
}

/* More than keys can tell apart: in place. */
static void test_topk_huge(void **state)
{
    (void)state;
    uint64_t seed = 13;
    topk t = {0};
    with_parts = true;
    check_topk(&seed, HUGE_HITS, HUGE_HITS - 1000, &t);
    check_topk(&seed, HUGE_HITS, HUGE_HITS, &t);
    check_topk(&seed, HUGE_HITS, HUGE_HITS / 3, &t);
    topk_free(&t);
}

/* Scores that differ in their last bits only. */
static void test_topk_close(void **state)
{
    (void)state;
    topk t = {0};
    hit hits[HITS];
    double score = 5;
    for (size_t i = 0; i < HITS; i++, score = nextafter(score, 9))
        hits[i] = (hit){.score = score, .seq = i};
    assert_true(topk_begin(&t, HITS / 2, HITS, false));
    for (size_t i = 0; i < HITS; i++) topk_push(&t, &hits[i * 7 % HITS]);
    topk_sort(&t);
    assert_int_equal(t.n, HITS / 2);
    for (size_t i = 0; i < t.n; i++) assert_int_equal(t.hits[i].seq, HITS - 1 - i);
    topk_free(&t);
}

static void test_topk_admits(void **state)
{
    (void)state;
    topk t = {0};
    hit h = {.score = 1, .seq = 5};
    assert_true(topk_begin(&t, 1, 10, false));
    assert_true(topk_admits(&t, &h));
    topk_push(&t, &h);
    assert_false(topk_admits(&t, &h));
    h.seq = 4;
    assert_true(topk_admits(&t, &h));
    assert_true(topk_begin(&t, 0, 10, false));
    assert_false(topk_admits(&t, &h));
    topk_free(&t);
}

static void test_topk_refused(void **state)
{
    (void)state;
    topk t = {0};
    mem_fail_at(1, true);
    assert_false(topk_begin(&t, 100, 100, false));
    mem_fail_at(0, false);
    assert_false(topk_begin(&t, UINT64_MAX, UINT64_MAX, false));
    topk_free(&t);
}

static void test_idf(void **state)
{
    (void)state;
    assert_true(plan_idf(5, 5) == log(1.0 + 0.5 / 5.5));
    assert_true(plan_idf(1000000, 1) == log(1.0 + 999999.5 / 1.5));
    assert_true(plan_idf(10, 0) > plan_idf(10, 1));
    assert_true(plan_idf(0, 0) == log(2.0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topk),        cmocka_unit_test(test_topk_many),
        cmocka_unit_test(test_topk_huge),   cmocka_unit_test(test_topk_close),
        cmocka_unit_test(test_topk_admits), cmocka_unit_test(test_topk_refused),
        cmocka_unit_test(test_idf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
