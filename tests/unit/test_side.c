/* SPDX-License-Identifier: MIT
 * test_side.c - articles analysed beside by a follower of the inverter's analyzer: the tokens,
 * forms and counts are those of one analyzer that meets all words in order, however far the
 * follower is ahead and whatever the leader learns or forgets meanwhile; tables that are looked at
 * stay; refused memory loses nothing.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "indexer/inverter_internal.h"
#include "indexer/inverter_side.h"

enum { ARTICLES = 3000, QUEUE = 8, TEXT = 4096 };

static pm_error err;

/* ---- articles ------------------------------------------------------------------------------ */

static const char *const odd[] = {"U.S.",
                                  "US",
                                  "us",
                                  "e.g.",
                                  "don\xe2\x80\x99t",
                                  "China\xe2\x80\x99s",
                                  "r\xc3\xa9sum\xc3\xa9",
                                  "\xe4\xb8\xad\xe5\x9b\xbd\xe6\x96\xb0",
                                  "\xc2\xbd", /* two forms */
                                  "\xc2\xad", /* none */
                                  "1,000.5",
                                  "Donaudampfschifffahrtsgesellschaft", /* more than 16 bytes */
                                  "\nNATO AND THE US\n",
                                  "\xff"};

static size_t put_words(char *out, uint64_t *random, unsigned n)
{
    size_t len = 0;
    for (; n && len + 80 < TEXT; n--) {
        uint64_t r = random_next(random);
        if (r % 9 == 0)
            len += (size_t)snprintf(out + len, TEXT - len, "%s ",
                                    odd[r / 9 % (sizeof odd / sizeof *odd)]);
        else
            len += (size_t)snprintf(out + len, TEXT - len, "%s%llu%s ", r % 5 ? "w" : "W",
                                    (unsigned long long)(r / 64 % (r % 3 ? 200 : 40000)),
                                    r % 7 ? "" : "thatislongerthansixteen");
    }
    return len;
}

typedef struct article {
    char title[TEXT], text[TEXT];
    pm_article a;
    side_stream stream;
} article;

static void make_article(article *out, uint32_t number)
{
    uint64_t random = hash_mix(number + 1);
    out->a = (pm_article){.id = {"id", 2}};
    unsigned n_title = (unsigned)(random_next(&random) % 9);
    out->a.title = (pm_text){out->title, put_words(out->title, &random, n_title)};
    unsigned n_text = number % 50 ? (unsigned)(random_next(&random) % 200) : 0;
    out->a.text = (pm_text){out->text, put_words(out->text, &random, n_text)};
    if (number % 11 == 0 && out->a.text.len) out->a.text.len--; /* a word ends the text          */
}

/* ---- a pair of inverters -------------------------------------------------------------------- */

typedef struct pair {
    analyzer *single, *leader;
    inverter *one, *two;
    side_reader side;
} pair;

static void pair_open(pair *p)
{
    assert_int_equal(analyzer_open(&p->single, "en", &err), PM_OK);
    assert_int_equal(analyzer_open(&p->leader, "en", &err), PM_OK);
    assert_int_equal(inverter_open(&p->one, p->single, true, &err), PM_OK);
    assert_int_equal(inverter_open(&p->two, p->leader, true, &err), PM_OK);
    assert_int_equal(side_open(&p->side, p->leader, &err), PM_OK);
}

static void pair_close(pair *p)
{
    side_close(&p->side);
    inverter_close(p->one);
    inverter_close(p->two);
    analyzer_close(p->single);
    analyzer_close(p->leader);
}

static void assert_equal(const pair *p)
{
    const inverter *x = p->one, *y = p->two;
    assert_int_equal(x->n_tokens, y->n_tokens);
    assert_int_equal(x->n_docs, y->n_docs);
    assert_memory_equal(x->tokens, y->tokens, x->n_tokens * sizeof *x->tokens);
    assert_memory_equal(x->docs, y->docs, x->n_docs * sizeof *x->docs);
    assert_int_equal(x->n_used, y->n_used);
    assert_memory_equal(x->used, y->used, x->n_used * sizeof *x->used);
    assert_int_equal(x->counted, y->counted);
    assert_int_equal(x->list.longest, y->list.longest);
    assert_int_equal(inverter_memory(x), inverter_memory(y));
    assert_int_equal(analyzer_form_count(p->single), analyzer_form_count(p->leader));
    for (uint32_t i = 0; i < analyzer_form_count(p->single); i++) {
        const form *f = analyzer_form_at(p->single, i), *g = analyzer_form_at(p->leader, i);
        assert_string_equal(f->exact, g->exact);
        assert_string_equal(f->marker, g->marker);
    }
}

static void add_both(pair *p, article *a, bool read)
{
    uint32_t x, y;
    assert_int_equal(inverter_add(p->one, &a->a, UINT64_MAX, &x, &err), PM_OK);
    if (read && inverter_knows(p->two, &a->stream))
        assert_int_equal(inverter_add_stream(p->two, &a->stream, &a->a, &y, &err), PM_OK);
    else
        assert_int_equal(inverter_add(p->two, &a->a, UINT64_MAX, &y, &err), PM_OK);
    assert_int_equal(x, y);
}

/* The follower is up to QUEUE articles ahead; some it leaves to the leader; now and then all forms
 * are forgotten. */
static void test_same_tokens(void **state)
{
    (void)state;
    static article queue[QUEUE];
    bool read[QUEUE] = {false};
    pair p;
    uint64_t random = 3;
    uint32_t made = 0, stale = 0;
    pair_open(&p);
    for (uint32_t taken = 0; taken < ARTICLES; taken++) {
        uint32_t ahead = taken + (uint32_t)(random_next(&random) % QUEUE);
        for (; made <= ahead && made < ARTICLES; made++) {
            article *a = &queue[made % QUEUE];
            make_article(a, made);
            read[made % QUEUE] = random_next(&random) % 4 != 0;
            if (read[made % QUEUE])
                assert_int_equal(side_read(&p.side, &a->a, &a->stream, &err), PM_OK);
        }
        article *a = &queue[taken % QUEUE];
        stale += read[taken % QUEUE] && !inverter_knows(p.two, &a->stream);
        add_both(&p, a, read[taken % QUEUE]);
        if (taken % 700 == 650) {
            assert_equal(&p);
            inverter_reset(p.one, true);
            inverter_reset(p.two, true);
        }
    }
    assert_equal(&p);
    assert_true(stale > 0);
    for (unsigned i = 0; i < QUEUE; i++) side_stream_free(&queue[i].stream);
    pair_close(&p);
}

/* ---- tables that are looked at ------------------------------------------------------------ */

static void learn_many(analyzer *a, unsigned from, unsigned n)
{
    token t;
    char word[32];
    for (unsigned i = from; i < from + n; i++) {
        size_t len =
            (size_t)snprintf(word, sizeof word, i % 2 ? "m%u" : "much-too-long-for-it%u", i);
        analyzer_begin(a, word, len, false);
        while (analyzer_next(a, &t)) {
        }
        assert_false(analyzer_failed(a));
    }
}

/* How many of the words of a text are known. */
static size_t count_known(analyzer *follower, const char *text)
{
    uint32_t ids[16];
    analyzer_word words[16];
    size_t n_words, n, known = 0;
    analyzer_begin(follower, text, strlen(text), false);
    do known += n = analyzer_fill_known(follower, ids, 16, 0, words, &n_words);
    while (n || n_words);
    return known;
}

/* A table that has grown many times since it was entered is still there, without what came since.
 */
static void test_growth_within(void **state)
{
    (void)state;
    analyzer *leader, *follower;
    assert_int_equal(analyzer_open(&leader, "en", &err), PM_OK);
    learn_many(leader, 0, 100);
    assert_int_equal(analyzer_follow(&follower, leader, &err), PM_OK);
    for (unsigned from = 100; from < 50000; from *= 4) {
        char text[64];
        snprintf(text, sizeof text, "m%u m%u", from - 1, 4 * from - 1);
        assert_int_equal(analyzer_follow_enter(follower), 1);
        learn_many(leader, from, 3 * from);
        assert_int_equal(count_known(follower, text), 1);
        analyzer_follow_leave(follower);
        assert_int_equal(analyzer_follow_enter(follower), 1);
        assert_int_equal(count_known(follower, text), 2);
        analyzer_follow_leave(follower);
    }
    analyzer_close(follower);
    learn_many(leader, 190000, 4000);
    assert_int_equal(analyzer_follow(&follower, leader, &err), PM_OK); /* once more */
    assert_int_equal(analyzer_follow_enter(follower), 1);
    assert_int_equal(count_known(follower, "m99 m193999 m194001"), 2);
    analyzer_follow_leave(follower);
    analyzer_close(follower);
    analyzer_close(leader);
}

/* What is made ready for a table that then does not grow, because forms are forgotten or nobody
 * follows any more, is given back. */
static void test_growth_in_vain(void **state)
{
    (void)state;
    for (unsigned n = 46000; n < 90000; n += 4000) {
        analyzer *leader, *follower;
        assert_int_equal(analyzer_open(&leader, "none", &err), PM_OK);
        assert_int_equal(analyzer_follow(&follower, leader, &err), PM_OK);
        learn_many(leader, 0, n);
        if (n / 4000 % 2) analyzer_reset_forms(leader);
        learn_many(leader, 0, 100);
        assert_int_equal(analyzer_follow_enter(follower), 1 + n / 4000 % 2);
        assert_int_equal(count_known(follower, "m1 m99"), 2);
        analyzer_follow_leave(follower);
        analyzer_close(follower);
        learn_many(leader, n, 100);
        analyzer_close(leader);
    }
}

typedef struct visit {
    analyzer *follower;
    atomic_bool within, leaving;
    size_t known;
} visit;

static void *visit_main(void *ctx)
{
    visit *v = ctx;
    assert_int_equal(analyzer_follow_enter(v->follower), 1);
    v->within = true;
    for (unsigned i = 0; i < 2000; i++) {
        v->known += count_known(v->follower, "m1 m99");
        sched_yield();
    }
    v->leaving = true;
    analyzer_follow_leave(v->follower);
    return NULL;
}

/* Forms are not forgotten while somebody looks at them. */
static void test_forgets_when_left(void **state)
{
    (void)state;
    analyzer *leader;
    visit v = {.known = 0};
    pthread_t thread;
    assert_int_equal(analyzer_open(&leader, "en", &err), PM_OK);
    learn_many(leader, 0, 100);
    assert_int_equal(analyzer_epoch(leader), 1);
    assert_int_equal(analyzer_follow(&v.follower, leader, &err), PM_OK);
    assert_int_equal(pthread_create(&thread, NULL, visit_main, &v), 0);
    while (!v.within) sched_yield();
    analyzer_reset_forms(leader);
    assert_true(v.leaving);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(v.known, 4000);
    assert_int_equal(analyzer_epoch(leader), 2);
    assert_int_equal(analyzer_follow_enter(v.follower), 2);
    assert_int_equal(count_known(v.follower, "m1 m99"), 0);
    analyzer_follow_leave(v.follower);
    analyzer_close(v.follower);
    analyzer_close(leader);
}

/* ---- refused memory ------------------------------------------------------------------------- */

static void test_follow_refused(void **state)
{
    (void)state;
    analyzer *leader, *follower;
    assert_int_equal(analyzer_open(&leader, "en", &err), PM_OK);
    for (uint64_t at = 1; at <= 2; at++) {
        mem_fail_at(at, true);
        assert_int_equal(analyzer_follow(&follower, leader, &err), PM_NOMEM);
        mem_fail_at(0, false);
        assert_null(follower);
        learn_many(leader, 1000 * (unsigned)at, 500);
    }
    analyzer_close(leader);
}

/* Whichever allocation of an article's way is refused, nothing of it stays but forms, and the next
 * time it comes through. */
static void test_refused(void **state)
{
    (void)state;
    static article a[2];
    uint64_t refused = 0;
    make_article(&a[0], 7);
    make_article(&a[1], 8);
    for (uint64_t at = 1;; at++) {
        pair p;
        uint32_t x, y;
        bool done = true;
        pair_open(&p);
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(inverter_add(p.one, &a[i].a, UINT64_MAX, &x, &err), PM_OK);
            mem_fail_at(at, false);
            pm_status st = side_read(&p.side, &a[i].a, &a[i].stream, &err);
            if (st == PM_OK) st = inverter_add_stream(p.two, &a[i].stream, &a[i].a, &y, &err);
            mem_fail_at(0, false);
            if (st == PM_OK) continue;
            assert_int_equal(st, PM_NOMEM);
            assert_int_equal(p.two->n_docs, i);
            done = false;
            refused++;
            assert_int_equal(side_read(&p.side, &a[i].a, &a[i].stream, &err), PM_OK);
            assert_int_equal(inverter_add_stream(p.two, &a[i].stream, &a[i].a, &y, &err), PM_OK);
            assert_int_equal(x, y);
        }
        assert_equal(&p);
        pair_close(&p);
        for (unsigned i = 0; i < 2; i++) side_stream_free(&a[i].stream);
        if (done) break;
    }
    assert_true(refused > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_tokens),    cmocka_unit_test(test_growth_within),
        cmocka_unit_test(test_growth_in_vain), cmocka_unit_test(test_forgets_when_left),
        cmocka_unit_test(test_follow_refused), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
