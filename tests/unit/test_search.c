/* SPDX-License-Identifier: MIT
 *
 * test_search.c - the public search interface: options, errors, paging, batches, articles,
 * statistics, dumps, refused memory.  Whether answers are right is tests/oracle's matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "pressmark.h"
#include "tests/support/folder.h"

enum { ARTICLES = 40 };

typedef struct fixture {
    char path[FOLDER_PATH];
    pm_index *index;
    pm_searcher *searcher;
} fixture;

static pm_text text_of(const char *s)
{
    return (pm_text){s, strlen(s)};
}

static void add(pm_writer *w, unsigned i, const char *suffix)
{
    static const char *const words[] = {"rare",  "earth",  "trade", "China",
                                        "talks", "export", "US",    "chips"};
    char id[16], title[64], text[256];
    uint64_t seed = i;
    snprintf(id, sizeof id, "a%u", i);
    snprintf(title, sizeof title, "%s news %s", words[random_next(&seed) % 8],
             words[random_next(&seed) % 8]);
    size_t len = (size_t)snprintf(text, sizeof text, "common%s", suffix);
    for (unsigned k = 0; k < 6 + i % 7; k++)
        len +=
            (size_t)snprintf(text + len, sizeof text - len, " %s", words[random_next(&seed) % 8]);
    pm_article a = {.id = text_of(id), .title = text_of(title), .text = text_of(text)};
    a.date = text_of(i % 3 ? "2025-10-09" : "");
    a.source = text_of("wire");
    a.url = text_of("https://example.org/");
    a.extra = text_of("{\"k\":1}");
    assert_int_equal(pm_writer_add(w, &a, NULL, NULL), PM_OK);
}

/* Articles 0 .. ARTICLES - 1 in the given number of commits, some deleted and replaced. */
static void build(const char *path, unsigned commits, int positions)
{
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    pm_writer *w;
    bool found;
    o.commit_level = 2;
    o.positions = positions;
    o.block_size = 8;
    assert_int_equal(pm_writer_open(path, &o, &w, NULL), PM_OK);
    for (unsigned i = 0; i < ARTICLES; i++) {
        add(w, i, i % 5 ? "" : " old");
        if ((i + 1) % (ARTICLES / commits) == 0)
            assert_int_equal(pm_writer_commit(w, NULL, NULL), PM_OK);
    }
    for (unsigned i = 0; i < ARTICLES; i += 5) add(w, i, " new");
    assert_int_equal(pm_writer_delete(w, "a7", 2, &found, NULL), PM_OK);
    assert_int_equal(pm_writer_commit(w, NULL, NULL), PM_OK);
    pm_writer_close(w);
}

static void open_fixture(fixture *f, unsigned commits, int positions)
{
    folder_make(f->path);
    build(f->path, commits, positions);
    assert_int_equal(pm_index_open(f->path, &f->index, NULL), PM_OK);
    assert_int_equal(pm_searcher_open(f->index, &f->searcher, NULL), PM_OK);
}

static void close_fixture(fixture *f)
{
    pm_searcher_close(f->searcher);
    pm_index_close(f->index);
    folder_remove(f->path);
}

static int setup(void **state)
{
    static fixture f;
    open_fixture(&f, 4, 1);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    close_fixture(*state);
    return 0;
}

static pm_status search(fixture *f, const char *query, const pm_search_options *o,
                        const pm_result **out, pm_error *err)
{
    return pm_searcher_search(f->searcher, query, strlen(query), o, out, err);
}

/* ---- options ---------------------------------------------------------------------------- */

static void test_defaults(void **state)
{
    const pm_result *r;
    assert_int_equal(search(*state, "common", NULL, &r, NULL), PM_OK);
    assert_int_equal(r->total, ARTICLES - 1);
    assert_int_equal(r->total_all, ARTICLES - 1);
    assert_int_equal(r->n_hits, 10);
    assert_int_equal(r->match, PM_MATCH_AUTO);
    assert_int_equal(r->n_docs, ARTICLES - 1);
    assert_true(r->total_is_exact && !r->truncated);
    assert_true(r->k1 == 1.2 && r->b == 0.75);
    assert_string_equal(r->query.data, "common");
    assert_string_equal(r->hits[0].source.data, "wire");
    assert_true(r->hits[0].n_highlights >= 1);
    assert_true(r->took_ns >= r->parse_ns);
}

static void test_an_older_callers_options(void **state)
{
    pm_search_options o = PM_SEARCH_OPTIONS_INIT;
    const pm_result *r;
    o.limit = 3;
    o.match = PM_MATCH_ANY;
    o.snippet_bytes = 0;
    o.size = offsetof(pm_search_options, match);
    assert_int_equal(search(*state, "common", &o, &r, NULL), PM_OK);
    assert_int_equal(r->n_hits, 3);
    assert_int_equal(r->match, PM_MATCH_AUTO);
    o.size = 0;
    assert_int_equal(search(*state, "common", &o, &r, NULL), PM_USAGE);
    assert_null(r);
}

static void test_refused_options(void **state)
{
    const double bad_k1[] = {NAN, INFINITY, 1e300}, bad_b[] = {NAN, 1.5, INFINITY};
    const pm_result *r;
    pm_error err;
    for (size_t i = 0; i < 3; i++) {
        pm_search_options o = PM_SEARCH_OPTIONS_INIT;
        o.k1 = bad_k1[i];
        assert_int_equal(search(*state, "common", &o, &r, &err), PM_USAGE);
        assert_int_equal(err.status, PM_USAGE);
        o.k1 = 0;
        o.b = bad_b[i];
        assert_int_equal(search(*state, "common", &o, &r, &err), PM_USAGE);
    }
}

static void test_paging(void **state)
{
    pm_search_options o = PM_SEARCH_OPTIONS_INIT;
    const pm_result *r;
    char ids[ARTICLES][16];
    o.limit = UINT64_MAX;
    o.offset = UINT64_MAX;
    assert_int_equal(search(*state, "rare trade", &o, &r, NULL), PM_OK);
    assert_int_equal(r->n_hits, 0);
    o.offset = 0;
    assert_int_equal(search(*state, "rare trade", &o, &r, NULL), PM_OK);
    size_t n = r->n_hits;
    assert_int_equal(n, r->total);
    for (size_t i = 0; i < n; i++) snprintf(ids[i], sizeof *ids, "%s", r->hits[i].id.data);
    o.limit = 3;
    for (o.offset = 0; o.offset < n + 2; o.offset++) {
        assert_int_equal(search(*state, "rare trade", &o, &r, NULL), PM_OK);
        assert_int_equal(r->n_hits, o.offset >= n ? 0 : n - o.offset < 3 ? n - o.offset : 3);
        for (size_t i = 0; i < r->n_hits; i++) {
            assert_string_equal(r->hits[i].id.data, ids[o.offset + i]);
            assert_int_equal(r->hits[i].rank, o.offset + i + 1);
        }
    }
    o.limit = 0;
    assert_int_equal(search(*state, "rare trade", &o, &r, NULL), PM_OK);
    assert_int_equal(r->n_hits, 0);
    assert_int_equal(r->total, n);
}

static void test_only_what_is_asked(void **state)
{
    pm_search_options o = PM_SEARCH_OPTIONS_INIT;
    const pm_result *r;
    o.want_fields = o.want_snippets = false;
    assert_int_equal(search(*state, "common", &o, &r, NULL), PM_OK);
    const pm_hit *h = &r->hits[0];
    assert_true(h->id.len > 0);
    assert_true(h->title.len == 0 && h->title.data && h->snippet.len == 0 && h->snippet.data);
    assert_int_equal(h->n_explain, 0);
}

static void test_nothing_found(void **state)
{
    static const char *const queries[] = {
        "", "   ", "-common", "NOT common", "absent", "\"common absent\"", "()", "-a -b"};
    const pm_result *r;
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        assert_int_equal(search(*state, queries[i], NULL, &r, NULL), PM_OK);
        assert_int_equal(r->total, 0);
        assert_int_equal(r->n_hits, 0);
    }
}

static void expect_total(fixture *f, const char *query, const pm_search_options *o, uint64_t total,
                         const char *interpreted)
{
    const pm_result *r;
    assert_int_equal(search(f, query, o, &r, NULL), PM_OK);
    assert_int_equal(r->total, total);
    assert_string_equal(r->interpreted.data, interpreted);
}

/* Filters of the options are a search where the query is none, as filters in the query are. */
static void test_filters_alone(void **state)
{
    const pm_filter both[] = {{PM_FILTER_SOURCE, {"WIRE", 4}},
                              {PM_FILTER_SOURCE, {"ap", 2}},
                              {PM_FILTER_AFTER, {"2025", 4}},
                              {PM_FILTER_BEFORE, {"2025-10-10", 10}}};
    const pm_filter bad = {PM_FILTER_TAG, {"'", 1}};
    fixture *f = *state;
    pm_search_options o = PM_SEARCH_OPTIONS_INIT;
    const pm_result *r;
    pm_error err;
    o.strict = true;
    o.filters = both;
    o.n_filters = 1;
    expect_total(f, "", &o, ARTICLES - 1, "source:wire");
    assert_int_equal(pm_searcher_search(f->searcher, NULL, 0, &o, &r, NULL), PM_OK);
    assert_int_equal(r->total, ARTICLES - 1);
    o.n_filters = 2;
    expect_total(f, " ", &o, ARTICLES - 1, "source:wire OR source:ap");
    o.n_filters = 4;
    o.limit = 3;
    expect_total(f, "", &o, ARTICLES - (ARTICLES + 2) / 3 - 1,
                 "after:2025 before:2025-10-10 (source:wire OR source:ap)");
    expect_total(f, "-new -common", &o, 0,
                 "after:2025 before:2025-10-10 (source:wire OR source:ap) -new -common");
    expect_total(f, "-(a OR common)", &o, 0,
                 "after:2025 before:2025-10-10 (source:wire OR source:ap) -(a OR common)");
    o.filters = &bad;
    o.n_filters = 1;
    assert_int_equal(search(f, "", &o, &r, &err), PM_USAGE);
    assert_non_null(strstr(err.message, "tag: without a value"));
}

static void test_strict(void **state)
{
    pm_search_options o = PM_SEARCH_OPTIONS_INIT;
    const pm_result *r;
    pm_error err;
    o.strict = true;
    assert_int_equal(search(*state, "common \"trade", &o, &r, &err), PM_USAGE);
    assert_null(r);
    assert_int_equal(err.offset, 7);
    assert_non_null(strstr(err.message, "column 8"));
    assert_int_equal(search(*state, "common trade", &o, &r, &err), PM_OK);
}

static void test_no_positions(void **state)
{
    (void)state;
    fixture f;
    const pm_result *r;
    pm_error err;
    open_fixture(&f, 2, 0);
    assert_int_equal(search(&f, "\"rare earth\" -\"zz yy\"~3", NULL, &r, &err), PM_OK);
    assert_string_equal(r->interpreted.data,
                        "(rare AND earth) -(zz AND yy) [phrases taken as words: "
                        "the index has no positions]");
    uint64_t words = r->total;
    assert_int_equal(search(&f, "rare AND earth", NULL, &r, &err), PM_OK);
    assert_int_equal(r->total, words);
    pm_search_options strict = PM_SEARCH_OPTIONS_INIT;
    strict.strict = true;
    assert_int_equal(search(&f, "\"rare earth\"", &strict, &r, &err), PM_USAGE);
    assert_non_null(strstr(err.message, "--positions"));
    assert_int_equal(search(&f, "rare-earth \"trade\" commonchips", NULL, &r, &err), PM_OK);
    assert_true(r->total > 0);
    close_fixture(&f);
}

/* ---- batches ---------------------------------------------------------------------------- */

typedef struct batch_log {
    size_t n, stop_at, failures;
    double scores[400];
    char ids[400][16];
} batch_log;

static bool take(void *ctx, size_t i, const pm_result *result, const pm_error *error)
{
    batch_log *log = ctx;
    assert_int_equal(i, log->n);
    if (error) assert_int_equal(error->status, PM_USAGE);
    log->failures += error != NULL;
    log->scores[i] = result && result->n_hits ? result->hits[0].score : 0;
    snprintf(log->ids[i], sizeof log->ids[i], "%s",
             result && result->n_hits ? result->hits[0].id.data : "");
    return ++log->n != log->stop_at;
}

static void test_batch(void **state)
{
    fixture *f = *state;
    static const char *const queries[] = {"rare",      "trade china", "\"rare earth\"",
                                          "(unclosed", "chips -us",   "US"};
    static pm_batch_query batch[400];
    static batch_log one, many, stopped;
    pm_search_options o = PM_SEARCH_OPTIONS_INIT;
    o.strict = true;
    for (size_t i = 0; i < 400; i++) batch[i].query = text_of(queries[i * 7 % 6]);
    memset(&one, 0, sizeof one);
    memset(&many, 0, sizeof many);
    assert_int_equal(pm_batch(f->index, batch, 400, &o, 1, take, &one, NULL), PM_OK);
    assert_int_equal(pm_batch(f->index, batch, 400, &o, 3, take, &many, NULL), PM_OK);
    assert_int_equal(one.n, 400);
    assert_int_equal(many.n, 400);
    assert_true(one.failures > 50 && one.failures == many.failures);
    for (size_t i = 0; i < 400; i++) {
        assert_true(one.scores[i] == many.scores[i]);
        assert_string_equal(one.ids[i], many.ids[i]);
    }
    stopped = (batch_log){.stop_at = 101};
    assert_int_equal(pm_batch(f->index, batch, 400, &o, 2, take, &stopped, NULL), PM_OK);
    assert_int_equal(stopped.n, 101);
    assert_int_equal(pm_batch(f->index, batch, 0, &o, 2, take, &stopped, NULL), PM_OK);
}

/* ---- articles, statistics, dumps -------------------------------------------------------- */

static void test_article(void **state)
{
    fixture *f = *state;
    pm_article *a;
    assert_int_equal(pm_index_article(f->index, "a5", 2, &a, NULL), PM_OK);
    assert_non_null(a);
    assert_string_equal(a->id.data, "a5");
    assert_non_null(strstr(a->text.data, "common new"));
    assert_string_equal(a->extra.data, "{\"k\":1}");
    pm_article_free(a);
    assert_int_equal(pm_index_article(f->index, "a7", 2, &a, NULL), PM_OK);
    assert_null(a);
    assert_int_equal(pm_index_article(f->index, "", 0, &a, NULL), PM_OK);
    assert_null(a);
    pm_article_free(NULL);
}

static bool gather(void *ctx, const char *data, size_t len)
{
    buf_append(ctx, data, len);
    return true;
}

static bool refuse(void *ctx, const char *data, size_t len)
{
    (void)ctx, (void)data, (void)len;
    return false;
}

static void test_spread_does_not_show(void **state)
{
    fixture *f = *state, other;
    static const unsigned commits[] = {1, 2, 10};
    buf want = {0};
    pm_stats a, b;
    assert_int_equal(pm_index_dump(f->index, gather, &want, NULL), PM_OK);
    assert_int_equal(pm_index_stats(f->index, &a, NULL), PM_OK);
    for (size_t i = 0; i < sizeof commits / sizeof *commits; i++) {
        buf got = {0};
        open_fixture(&other, commits[i], 1);
        assert_int_equal(pm_index_dump(other.index, gather, &got, NULL), PM_OK);
        assert_int_equal(pm_index_stats(other.index, &b, NULL), PM_OK);
        assert_int_equal(want.len, got.len);
        assert_memory_equal(want.data, got.data, want.len);
        assert_true(a.documents == b.documents && a.terms == b.terms && a.postings == b.postings);
        assert_true(a.positions == b.positions && a.tokens == b.tokens && a.avgdl == b.avgdl);
        buf_free(&got);
        close_fixture(&other);
    }
    buf_free(&want);
    assert_int_equal(pm_index_dump(f->index, refuse, NULL, NULL), PM_IO);
}

static void test_sections_add_up(void **state)
{
    fixture *f = *state;
    pm_stats s;
    uint64_t sum = 0;
    folder_image image;
    assert_int_equal(pm_index_stats(f->index, &s, NULL), PM_OK);
    for (unsigned i = 0; i < s.n_sections; i++) sum += s.sections[i].bytes;
    assert_int_equal(sum, s.index_bytes);
    folder_load(f->path, &image);
    for (size_t i = 0; i < image.n; i++)
        if (strcmp(image.files[i].name, "manifest.prev")) sum -= image.files[i].len;
    folder_image_free(&image);
    assert_int_equal(sum, 0);
    assert_int_equal(s.deleted, 8 + 1);
    assert_string_equal(s.engine, "native");
}

static void test_no_index(void **state)
{
    (void)state;
    pm_index *index;
    pm_error err;
    assert_int_equal(pm_index_open("/nonexistent/pressmark", &index, &err), PM_USAGE);
    assert_null(index);
    pm_index_close(NULL);
    pm_searcher_close(NULL);
}

/* ---- refused memory --------------------------------------------------------------------- */

static pm_status open_and_search(const char *path)
{
    static const char query[] =
        "rare \"earth trade\" OR \"us chips\"~120 -talks title:news common US";
    pm_search_options o = PM_SEARCH_OPTIONS_INIT;
    pm_index *index = NULL;
    pm_searcher *s = NULL;
    pm_stats stats;
    const pm_result *r;
    pm_article *a = NULL;
    buf dump = {0};
    o.want_explain = true;
    pm_status st = pm_index_open(path, &index, NULL);
    if (st == PM_OK) st = pm_searcher_open(index, &s, NULL);
    if (st == PM_OK) st = pm_searcher_search(s, query, sizeof query - 1, &o, &r, NULL);
    if (st == PM_OK) st = pm_index_stats(index, &stats, NULL);
    if (st == PM_OK) st = pm_index_article(index, "a5", 2, &a, NULL);
    if (st == PM_OK) st = pm_index_dump(index, gather, &dump, NULL);
    if (st == PM_OK && dump.failed) st = PM_NOMEM;
    buf_free(&dump);
    pm_article_free(a);
    pm_searcher_close(s);
    pm_index_close(index);
    return st;
}

static void test_refused_memory(void **state)
{
    fixture *f = *state;
    uint64_t n = 1;
    for (bool reached = true; reached; n++) {
        mem_fail_at(n, false);
        pm_status st = open_and_search(f->path);
        reached = mem_count() >= n;
        mem_fail_at(0, false);
        if (st != (reached ? PM_NOMEM : PM_OK))
            fail_msg("allocation %llu: status %d", (unsigned long long)n, (int)st);
    }
    print_message("%llu allocations refused\n", (unsigned long long)n - 2);
    assert_true(n > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_an_older_callers_options),
        cmocka_unit_test(test_refused_options),
        cmocka_unit_test(test_paging),
        cmocka_unit_test(test_only_what_is_asked),
        cmocka_unit_test(test_nothing_found),
        cmocka_unit_test(test_filters_alone),
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_no_positions),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_article),
        cmocka_unit_test(test_spread_does_not_show),
        cmocka_unit_test(test_sections_add_up),
        cmocka_unit_test(test_no_index),
        cmocka_unit_test(test_refused_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
