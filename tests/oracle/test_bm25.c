/* SPDX-License-Identifier: MIT
 *
 * test_bm25.c - searches of real indexes against bm25_oracle on random collections.
 *
 * Each round makes a collection of short documents over a small vocabulary whose words join
 * and split ("ka" "lo" "kalo"), writes it through pm_writer in several commits with
 * replacements and deletions and a geometry that makes a few postings cross every boundary,
 * and asks random queries, of the exhaustive loop and of whatever is chosen otherwise.  Totals,
 * order, parts and scores must agree.
 *
 * PM_TEST_SEED repeats a run; PM_TEST_ROUNDS makes it longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "tests/oracle/bm25_oracle.h"
#include "tests/support/folder.h"

enum {
    ROUNDS = 30,
    QUERIES = 90,
    DOCS_MAX = 160,
    IDS = 90,
    TITLE_MAX = 5,
    BODY_MAX = 30,
    NODES_MAX = 400
};

/* The first N_ACRONYMS may be written in capitals. */
enum { N_ACRONYMS = 6 };
static const char *const vocabulary[] = {
    "ka",     "lo",   "mi",      "tu",     "pe",    "sa",    "kalo",  "lomi",
    "kalomi", "mitu", "zorba",   "quill",  "vexil", "brand", "ofter", "zorbaquill",
    "peka",   "tusa", "sabrand", "brandy", "y",     "42",    "4",     "2"};
enum { N_WORDS = sizeof vocabulary / sizeof *vocabulary };

typedef struct round_state {
    uint64_t seed; /* generator                                              */
    char path[FOLDER_PATH];
    oracle_collection c;
    oracle_doc docs[DOCS_MAX];
    uint16_t titles[DOCS_MAX][TITLE_MAX], bodies[DOCS_MAX][BODY_MAX];
    uint64_t next_seq;
    oracle_node nodes[NODES_MAX];
    unsigned n_nodes;
    oracle_hit hits[DOCS_MAX];
} round_state;

static unsigned pick(round_state *r, unsigned n)
{
    return (unsigned)(random_next(&r->seed) % n);
}

/* Small numbers are common. */
static uint16_t pick_word(round_state *r)
{
    unsigned a = pick(r, N_WORDS), b = pick(r, N_WORDS), c = pick(r, N_WORDS);
    unsigned least = a < b ? a : b;
    return (uint16_t)(pick(r, 3) ? (least < c ? least : c) : a);
}

/* ---- documents -------------------------------------------------------------------------- */

static size_t render(char *out, const uint16_t *words, unsigned n)
{
    size_t len = 0;
    for (unsigned i = 0; i < n; i++) {
        const char *word = vocabulary[words[i] & ~(unsigned)ORACLE_MARK];
        if (i) out[len++] = ' ';
        for (; *word; word++) {
            bool capital = (words[i] & ORACLE_MARK) && *word >= 'a';
            out[len++] = (char)(capital ? *word - 32 : *word);
        }
    }
    return len;
}

static void make_doc(round_state *r, oracle_doc *d, uint16_t *title, uint16_t *body)
{
    d->n_title = pick(r, 4) ? pick(r, TITLE_MAX + 1) : 0;
    d->n_body = pick(r, BODY_MAX + 1);
    d->title = title;
    d->body = body;
    for (unsigned i = 0; i < d->n_title; i++) title[i] = pick_word(r);
    for (unsigned i = 0; i < d->n_body; i++) {
        body[i] = pick_word(r);
        if (body[i] < N_ACRONYMS && i && pick(r, 4) == 0) body[i] |= ORACLE_MARK;
    }
    /* A line without a lower-case letter would carry no markers. */
    if (d->n_body) body[0] = 10;
    d->live = true;
    d->seq = r->next_seq++;
}

static void kill_id(round_state *r, const char *id)
{
    for (unsigned i = 0; i < r->c.n_docs; i++)
        if (!strcmp(r->docs[i].id, id)) r->docs[i].live = false;
}

static void add_doc(round_state *r, pm_writer *w)
{
    char title[256], body[512];
    unsigned i = r->c.n_docs;
    oracle_doc d = {.live = true};
    snprintf(d.id, sizeof d.id, "d%u", pick(r, IDS));
    make_doc(r, &d, r->titles[i], r->bodies[i]);
    kill_id(r, d.id);
    r->docs[r->c.n_docs++] = d;
    pm_article a = {.id = {d.id, strlen(d.id)}};
    a.title = (pm_text){title, render(title, d.title, d.n_title)};
    a.text = (pm_text){body, render(body, d.body, d.n_body)};
    assert_int_equal(pm_writer_add(w, &a, NULL, NULL), PM_OK);
}

static void delete_doc(round_state *r, pm_writer *w)
{
    char id[16];
    bool found, expected = false;
    snprintf(id, sizeof id, "d%u", pick(r, IDS));
    for (unsigned i = 0; i < r->c.n_docs; i++)
        expected |= r->docs[i].live && !strcmp(r->docs[i].id, id);
    assert_int_equal(pm_writer_delete(w, id, strlen(id), &found, NULL), PM_OK);
    assert_int_equal(found, expected);
    kill_id(r, id);
}

static void build(round_state *r)
{
    static const unsigned sizes[] = {8, 9, 16, 64, 256};
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    pm_error err;
    pm_writer *w;
    unsigned total = 20 + pick(r, DOCS_MAX - 20), commits = 1 + pick(r, 5);
    o.lang = "none";
    o.commit_level = 2;
    o.threads = 1;
    o.block_size = sizes[pick(r, 5)];
    o.dense_shift = 1 + pick(r, 5);
    o.store_block_bytes = 512;
    if (pm_writer_open(r->path, &o, &w, &err) != PM_OK) fail_msg("%s", err.message);
    while (r->c.n_docs < total) {
        add_doc(r, w);
        if (pick(r, 6) == 0) delete_doc(r, w);
        if (pick(r, total) >= commits) continue;
        if (pm_writer_commit(w, NULL, &err) != PM_OK) fail_msg("%s", err.message);
    }
    if (pm_writer_commit(w, NULL, &err) != PM_OK) fail_msg("%s", err.message);
    pm_writer_close(w);
}

/* ---- queries ---------------------------------------------------------------------------- */

static oracle_node *make_leaf(round_state *r, oracle_node *q)
{
    unsigned shape = pick(r, 10);
    q->kind = shape < 7 ? ORACLE_WORD : shape < 9 ? ORACLE_PHRASE : ORACLE_NEAR;
    q->title = pick(r, 8) == 0;
    q->n = q->kind == ORACLE_WORD ? 1 : 2 + pick(r, 2);
    for (unsigned i = 0; i < q->n; i++) q->words[i] = pick_word(r);
    if (q->kind == ORACLE_WORD && !q->title && q->words[0] < N_ACRONYMS && pick(r, 5) == 0)
        q->words[0] |= ORACLE_MARK;
    if (q->kind == ORACLE_NEAR) q->slop = pick(r, 6) ? pick(r, 8) : 90 + pick(r, 60);
    return q;
}

static oracle_node *make_query(round_state *r, unsigned depth)
{
    oracle_node *q = &r->nodes[r->n_nodes++];
    *q = (oracle_node){.boost = pick(r, 8) ? 1.0 : 0.5 * pick(r, 6)};
    if (depth == 0 || pick(r, 3) == 0) return make_leaf(r, q);
    q->kind = pick(r, 2) ? ORACLE_LIST : pick(r, 2) ? ORACLE_AND : ORACLE_OR;
    q->n = 2 + pick(r, 3);
    for (unsigned i = 0; i < q->n; i++) {
        q->children[i] = make_query(r, depth - 1);
        unsigned sign = pick(r, 8);
        if (sign == 0) q->children[i]->sign = '-';
        if (sign == 1 && q->kind == ORACLE_LIST) q->children[i]->sign = '+';
    }
    return q;
}

static size_t put(char *out, size_t len, const char *text)
{
    memcpy(out + len, text, strlen(text));
    return len + strlen(text);
}

static size_t print_leaf(char *out, size_t len, const oracle_node *q)
{
    char slop[16];
    if (q->title) len = put(out, len, "title:");
    if (q->kind != ORACLE_WORD) len = put(out, len, "\"");
    len += render(out + len, q->words, q->n);
    if (q->kind != ORACLE_WORD) len = put(out, len, "\"");
    snprintf(slop, sizeof slop, "~%u", q->slop);
    return q->kind == ORACLE_NEAR ? put(out, len, slop) : len;
}

static size_t print_query(char *out, size_t len, const oracle_node *q, bool in_list)
{
    char boost[16];
    if (q->sign == '+') len = put(out, len, "+");
    if (q->sign == '-') len = put(out, len, in_list ? "-" : "NOT ");
    if (q->kind <= ORACLE_NEAR) {
        len = print_leaf(out, len, q);
    } else {
        len = put(out, len, "(");
        for (unsigned i = 0; i < q->n; i++) {
            if (i)
                len = put(out, len,
                          q->kind == ORACLE_LIST  ? " "
                          : q->kind == ORACLE_AND ? " AND "
                                                  : " OR ");
            len = print_query(out, len, q->children[i], q->kind == ORACLE_LIST);
        }
        len = put(out, len, ")");
    }
    snprintf(boost, sizeof boost, "^%g", q->boost);
    return q->boost == 1.0 ? len : put(out, len, boost);
}

/* ---- comparison ------------------------------------------------------------------------- */

typedef struct question {
    const char *text;
    pm_search_options options;
    uint64_t seed; /* of the round                                          */
} question;

static bool close_to(double a, double b)
{
    return fabs(a - b) <= 1e-12 * (fabs(a) + fabs(b));
}

static void differ(const question *q, const char *what)
{
    fail_msg("%s: %s\n  match %d k1 %g b %g joined %d exhaustive %d; repeat with "
             "PM_TEST_SEED=%llu",
             q->text, what, (int)q->options.match, q->options.k1, q->options.b, q->options.joined,
             q->options.exhaustive, (unsigned long long)q->seed);
}

static void compare_hit(const question *q, const round_state *r, const pm_hit *got,
                        const oracle_hit *want)
{
    const oracle_doc *d = &r->docs[want->doc];
    double sum = 0;
    if (got->id.len != strlen(d->id) || memcmp(got->id.data, d->id, got->id.len))
        differ(q, "another document");
    if (!close_to(got->score, want->score)) differ(q, "another score");
    if (got->in_all != want->in_all) differ(q, "another part");
    if (got->dl != d->n_title + d->n_body) differ(q, "another length");
    for (size_t i = 0; i < got->n_explain; i++) sum += got->explain[i].contribution;
    if (sum != got->score) differ(q, "parts do not sum to the score");
}

static void compare(const question *q, const round_state *r, const pm_result *got,
                    const oracle_answer *want)
{
    uint64_t limit = q->options.limit, offset = q->options.offset;
    uint64_t left = want->n > offset ? want->n - offset : 0;
    if (got->total != want->n) differ(q, "another total");
    if (got->total_all != want->n_all) differ(q, "another total of the first part");
    if (got->n_hits != (left < limit ? left : limit)) differ(q, "another number of hits");
    for (size_t i = 0; i < got->n_hits; i++) {
        if (got->hits[i].rank != offset + i + 1) differ(q, "another rank");
        compare_hit(q, r, &got->hits[i], &want->hits[offset + i]);
    }
}

static void pick_options(round_state *r, pm_search_options *o)
{
    *o = (pm_search_options)PM_SEARCH_OPTIONS_INIT;
    o->match = (pm_match)pick(r, 3);
    o->joined = pick(r, 3) != 0;
    o->want_explain = true;
    o->want_snippets = pick(r, 4) == 0;
    o->limit = pick(r, 5) ? 1 + pick(r, 20) : pick(r, 2) ? UINT64_MAX : 0;
    o->offset = pick(r, 3) ? 0 : pick(r, 40);
    if (pick(r, 3) == 0) o->k1 = 0.25 * pick(r, 9);
    if (pick(r, 3) == 0) o->b = 0.125 * pick(r, 9);
}

static void ask(round_state *r, pm_searcher *s, uint64_t seed)
{
    static char text[65536];
    question q = {.text = text, .seed = seed};
    oracle_answer want = {.hits = r->hits};
    const pm_result *got;
    pm_error err;
    r->n_nodes = 0;
    oracle_node *root = make_query(r, pick(r, 4));
    root->sign = 0;
    text[print_query(text, 0, root, true)] = 0;
    pick_options(r, &q.options);
    double k1 = q.options.k1 < 0 ? 1.2 : q.options.k1, b = q.options.b < 0 ? 0.75 : q.options.b;
    oracle_search(&r->c, root, q.options.match, k1, b, q.options.joined, &want);
    for (unsigned exhaustive = 0; exhaustive < 2; exhaustive++) {
        q.options.exhaustive = exhaustive;
        if (pm_searcher_search(s, text, strlen(text), &q.options, &got, &err) != PM_OK)
            differ(&q, err.message);
        compare(&q, r, got, &want);
    }
}

static void check_stats(const round_state *r, pm_index *index)
{
    pm_stats stats;
    uint64_t live = 0, tokens = 0;
    assert_int_equal(pm_index_stats(index, &stats, NULL), PM_OK);
    for (unsigned i = 0; i < r->c.n_docs; i++)
        if (r->docs[i].live) live++, tokens += r->docs[i].n_title + r->docs[i].n_body;
    assert_int_equal(stats.documents, live);
    assert_int_equal(stats.tokens, tokens);
    assert_int_equal(stats.positions, tokens);
}

static void run_round(uint64_t seed)
{
    round_state *r = calloc(1, sizeof *r);
    pm_index *index;
    pm_searcher *s;
    pm_error err;
    assert_non_null(r);
    r->seed = seed;
    r->c = (oracle_collection){vocabulary, N_WORDS, r->docs, 0};
    folder_make(r->path);
    build(r);
    if (pm_index_open(r->path, &index, &err) != PM_OK) fail_msg("%s", err.message);
    if (pm_searcher_open(index, &s, &err) != PM_OK) fail_msg("%s", err.message);
    check_stats(r, index);
    for (unsigned i = 0; i < QUERIES; i++) ask(r, s, seed);
    pm_searcher_close(s);
    pm_index_close(index);
    folder_empty(r->path);
    folder_remove(r->path);
    free(r);
}

static void test_random_queries(void **state)
{
    (void)state;
    const char *given = getenv("PM_TEST_SEED"), *more = getenv("PM_TEST_ROUNDS");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20251124;
    unsigned rounds = more ? (unsigned)strtoul(more, NULL, 10) : given ? 1 : ROUNDS;
    print_message("seed %llu, %u rounds of %d queries\n", (unsigned long long)seed, rounds,
                  QUERIES);
    for (unsigned i = 0; i < rounds; i++) run_round(seed + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_queries)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
