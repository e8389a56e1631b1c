/* SPDX-License-Identifier: MIT
 *
 * test_xapian.c - the native engine against Xapian's matcher: two indexes of the same articles,
 * random queries of the whole language, the same match sets, totals and parts of an auto list for
 * all of them; and for queries of words the same scores, to 1e-6, in the same order.
 *
 * Collections have titles (some of them inside the text), dates, sources and tags, acronyms, words
 * that are written as one and as two, updates and deletions over several commits; Xapian's side is
 * in one to three databases, some of which are flushed within commits, or compacted after them. The
 * two lists' contents are also compared as dumps.
 *
 * PM_TEST_SEED repeats a run; PM_TEST_QUERIES makes it longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pressmark.h"
#include "tests/support/folder.h"
#include "tests/support/plugin.h"
#include "tests/support/twin.h"

enum { WORDS = 60, TEXT_MAX = 8192, QUERY_MAX = 2048, ODD = 16, DOCS_LEAST = 40 };

/* Written as one and as two, in capitals and not, and of one stem. */
static const char *const odd_words[ODD] = {"tik",   "tok",    "TikTok", "e-mail", "email", "mail",
                                           "mails", "US",     "us",     "U.S.",   "APEC",  "apec",
                                           "e",     "emails", "run",    "running"};

static size_t put_any_word(char *at, uint64_t *seed)
{
    if (pick(seed, 4)) return put_word(at, pick_below(seed, WORDS, 4));
    return (size_t)sprintf(at, "%s ", odd_words[pick(seed, ODD)]);
}

static size_t put_words(char *at, uint64_t *seed, unsigned n)
{
    size_t len = 0;
    for (unsigned i = 0; i < n && len + 32 < TEXT_MAX; i++) len += put_any_word(at + len, seed);
    return len;
}

/* ---- collections ------------------------------------------------------------------------- */

typedef struct pair {
    pm_writer *native, *xapian;
} pair;

static void add(pair *w, const pm_article *a)
{
    pm_error err = {0};
    bool replaced[2];
    assert_int_equal(pm_writer_add(w->native, a, &replaced[0], &err), PM_OK);
    if (pm_writer_add(w->xapian, a, &replaced[1], &err) != PM_OK) fail_msg("%s", err.message);
    assert_int_equal(replaced[0], replaced[1]);
}

static void put_fields(pm_article *a, uint64_t *seed, char *date)
{
    static const char *const sources[] = {"", "AP", "Reuters", "(ap)"};
    static const char *const tags[] = {"", "trade", "trade\x1fmetal", "Trade  War"};
    static const char *const langs[] = {"", "en", "en-GB", "de"};
    static const char *const authors[] = {"", "Jane Doe", "Jane Doe and John Roe", "José Pérez"};
    const char *source = sources[pick(seed, 4)], *tag = tags[pick(seed, 4)];
    const char *lang = langs[pick(seed, 4)], *author = authors[pick(seed, 4)];
    a->source = (pm_text){source, strlen(source)};
    a->tags = (pm_text){tag, strlen(tag)};
    a->lang = (pm_text){lang, strlen(lang)};
    a->author = (pm_text){author, strlen(author)};
    if (pick(seed, 4))
        a->date = (pm_text){date, (size_t)sprintf(date, "%u-%02u-%02u", 1960 + pick(seed, 90),
                                                  1 + pick(seed, 12), 1 + pick(seed, 28))};
}

static void add_article(pair *w, uint64_t *seed, unsigned number)
{
    char id[32], title[256], text[TEXT_MAX], date[40];
    size_t len = put_words(text, seed, pick(seed, 8) ? pick(seed, 60) : pick(seed, 600));
    size_t title_len = put_words(title, seed, pick(seed, 6));
    pm_article a = {.id = {id, (size_t)sprintf(id, "d%u", number)}, .text = {text, len}};
    put_fields(&a, seed, date);
    if (pick(seed, 3)) {
        a.title = (pm_text){title, title_len};
    } else if (len) { /* a part of the text                                                  */
        a.title_in_body = true;
        a.title_start = pick(seed, (unsigned)len);
        a.title_end = a.title_start + pick(seed, (unsigned)(len - a.title_start) + 1);
        a.title = (pm_text){text + a.title_start, a.title_end - a.title_start};
    }
    add(w, &a);
}

static void delete_some(pair *w, uint64_t *seed, unsigned n_docs)
{
    char id[32];
    pm_error err;
    for (unsigned i = 0; i < n_docs / 10; i++) {
        bool found[2];
        size_t len = (size_t)sprintf(id, "d%u", pick(seed, n_docs));
        assert_int_equal(pm_writer_delete(w->native, id, len, &found[0], &err), PM_OK);
        assert_int_equal(pm_writer_delete(w->xapian, id, len, &found[1], &err), PM_OK);
        assert_int_equal(found[0], found[1]);
    }
}

static void open_writers(pair *w, char paths[2][FOLDER_PATH], uint64_t *seed)
{
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    pm_error err = {0};
    options.lang = pick(seed, 4) ? "en" : "none";
    options.positions = pick(seed, 6) != 0;
    options.block_size = 8u << pick(seed, 4);
    assert_int_equal(pm_writer_open(paths[0], &options, &w->native, &err), PM_OK);
    options.engine = "xapian";
    options.shards = 1 + pick(seed, 3);
    if (pick(seed, 2)) options.memory_bytes = 64 << 10;
    if (pm_writer_open(paths[1], &options, &w->xapian, &err) != PM_OK) fail_msg("%s", err.message);
}

/* Which words are looked for as two follows from the surface forms that were ever written. A native
 * index forgets those of deleted articles where it merges, or leaves out a segment of which nothing
 * lives; Xapian's never does.  So there is no merge here, and no commit that few updates could
 * kill. */
static void build(char paths[2][FOLDER_PATH], uint64_t *seed)
{
    pair w;
    pm_error err = {0};
    unsigned n_docs = DOCS_LEAST + pick(seed, 400), commits = 1 + pick(seed, 3),
             deletes = pick(seed, 2);
    open_writers(&w, paths, seed);
    for (unsigned c = 0; c < commits; c++) {
        for (unsigned i = 0; i < n_docs / commits + 1; i++)
            add_article(&w, seed, pick(seed, n_docs));
        if (deletes && c + 1 < commits) delete_some(&w, seed, n_docs);
        assert_int_equal(pm_writer_commit(w.native, NULL, &err), PM_OK);
        if (pm_writer_commit(w.xapian, NULL, &err) != PM_OK) fail_msg("%s", err.message);
        if (!pick(seed, 4) && pm_writer_optimize(w.xapian, NULL, &err) != PM_OK)
            fail_msg("%s", err.message);
    }
    pm_writer_close(w.native);
    pm_writer_close(w.xapian);
}

/* ---- queries ----------------------------------------------------------------------------- */

typedef struct asked {
    char text[QUERY_MAX];
    size_t len;
    bool words; /* no phrase, no NEAR: scores are the same                                    */
} asked;

static size_t room(const asked *q)
{
    return sizeof q->text - q->len;
}

static void put(asked *q, const char *text)
{
    q->len += (size_t)snprintf(q->text + q->len, room(q), "%s", text);
}

static void put_phrase(asked *q, uint64_t *seed)
{
    char slop[16];
    unsigned n = 2 + pick(seed, 3);
    q->words = false;
    if (pick(seed, 5) == 0) put(q, "title:");
    put(q, "\"");
    for (unsigned i = 0; i < n; i++) {
        q->len += put_any_word(q->text + q->len, seed);
    }
    put(q, "\"");
    snprintf(slop, sizeof slop, "~%u", pick(seed, pick(seed, 4) ? 6 : 400));
    if (pick(seed, 2)) put(q, slop);
}

static void put_filter(asked *q, uint64_t *seed)
{
    static const char *const filters[] = {"source:ap",
                                          "source:reuters",
                                          "tag:trade",
                                          "tag:\"trade war\"",
                                          "lang:en",
                                          "author:\"jane doe\"",
                                          "author:\"jose perez\"",
                                          "date:2001..2010",
                                          "after:1999-06",
                                          "before:1970",
                                          "date:1985",
                                          "date:..1965-03",
                                          "lang:en-gb"};
    put(q, filters[pick(seed, sizeof filters / sizeof *filters)]);
}

static void put_item(asked *q, uint64_t *seed, unsigned depth);

static void put_group(asked *q, uint64_t *seed, unsigned depth)
{
    static const char *const joins[] = {" ", " ", " AND ", " OR ", " NOT "};
    unsigned n = 1 + pick(seed, 4);
    for (unsigned i = 0; i < n; i++) {
        if (i) put(q, joins[pick(seed, 5)]);
        put_item(q, seed, depth);
    }
}

static void put_item(asked *q, uint64_t *seed, unsigned depth)
{
    static const char *const signs[] = {"", "", "", "+", "-"};
    char boost[16];
    if (room(q) < 400) return;
    put(q, signs[pick(seed, 5)]);
    unsigned kind = pick(seed, 12);
    if (kind == 0 && depth) {
        put(q, "(");
        put_group(q, seed, depth - 1);
        put(q, ")");
    } else if (kind == 1) {
        put_phrase(q, seed);
    } else if (kind == 2) {
        put_filter(q, seed);
    } else {
        if (kind == 3) put(q, "title:");
        q->len += put_any_word(q->text + q->len, seed) - 1;
    }
    snprintf(boost, sizeof boost, "^%u ", 2 + pick(seed, 3));
    put(q, pick(seed, 12) ? " " : boost);
}

static const pm_filter option_filters[] = {
    {PM_FILTER_SOURCE, {"AP", 2}},  {PM_FILTER_SOURCE, {"reuters", 7}},
    {PM_FILTER_AFTER, {"1980", 4}}, {PM_FILTER_BEFORE, {"2020-05", 7}},
    {PM_FILTER_TAG, {"trade", 5}},
};

/* ---- comparing --------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    return strcmp((*(const pm_hit *const *)a)->id.data, (*(const pm_hit *const *)b)->id.data);
}

static const pm_hit **sorted(const pm_result *r)
{
    const pm_hit **hits = malloc((r->n_hits + 1) * sizeof *hits);
    assert_non_null(hits);
    for (size_t i = 0; i < r->n_hits; i++) hits[i] = &r->hits[i];
    qsort(hits, r->n_hits, sizeof *hits, by_id);
    return hits;
}

static bool near(double a, double b, double bound)
{
    return fabs(a - b) <= bound * (1 + fabs(a));
}

static void same_sets(const pm_result *n, const pm_result *x, const asked *q, bool parts)
{
    const pm_hit **a = sorted(n), **b = sorted(x);
    for (size_t i = 0; i < n->n_hits && i < x->n_hits; i++) {
        if (strcmp(a[i]->id.data, b[i]->id.data) != 0)
            fail_msg("%s: native has %s, xapian %s", q->text, a[i]->id.data, b[i]->id.data);
        if (parts && a[i]->in_all != b[i]->in_all)
            fail_msg("%s: %s is in another part of the list", q->text, a[i]->id.data);
        if (q->words && !near(a[i]->score, b[i]->score, 1e-6))
            fail_msg("%s: %s scores %.17g, and by xapian %.17g", q->text, a[i]->id.data,
                     a[i]->score, b[i]->score);
    }
    if (n->n_hits != x->n_hits) fail_msg("%s: %zu and %zu hits", q->text, n->n_hits, x->n_hits);
    if (n->total != x->total || n->total_all != x->total_all)
        fail_msg("%s: totals %llu, %llu and %llu, %llu", q->text, (unsigned long long)n->total,
                 (unsigned long long)n->total_all, (unsigned long long)x->total,
                 (unsigned long long)x->total_all);
    free(a);
    free(b);
}

/* The same order, but where two scores are as good as equal. */
static void same_order(const pm_result *n, const pm_result *x, const asked *q)
{
    for (size_t i = 0; q->words && i < n->n_hits; i++)
        if (strcmp(n->hits[i].id.data, x->hits[i].id.data) != 0 &&
            !near(n->hits[i].score, x->hits[i].score, 1e-12))
            fail_msg("%s: rank %zu is %s, and by xapian %s", q->text, i + 1, n->hits[i].id.data,
                     x->hits[i].id.data);
}

/* Where phrases score by their words, each of the first scores is still the sum of its parts,
 * which are asked for one by one. */
static void parts_add_up(pm_searcher *xapian, const asked *q, pm_search_options options,
                         uint64_t *seed)
{
    const pm_result *x;
    pm_error err = {0};
    options.limit = 1 + pick(seed, 4);
    options.want_total = pick(seed, 2);
    options.want_explain = true;
    if (pm_searcher_search(xapian, q->text, q->len, &options, &x, &err) != PM_OK)
        fail_msg("%s: %s", q->text, err.message);
    for (size_t i = 0; i < x->n_hits; i++) {
        double sum = 0;
        for (size_t j = 0; j < x->hits[i].n_explain; j++) sum += x->hits[i].explain[j].contribution;
        if (!near(sum, x->hits[i].score, 1e-9))
            fail_msg("%s: %s scores %.17g, its parts %.17g", q->text, x->hits[i].id.data,
                     x->hits[i].score, sum);
    }
}

static void compare(pm_searcher *native, pm_searcher *xapian, uint64_t *seed)
{
    asked q = {.words = true};
    const pm_result *n, *x;
    pm_error err = {0};
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    put_group(&q, seed, 3);
    options.want_snippets = false;
    options.limit = pick(seed, 4) ? 100000 : 1 + pick(seed, 5);
    options.match = (pm_match)pick(seed, 3);
    options.joined = pick(seed, 2);
    options.filters = option_filters + pick(seed, 5);
    options.n_filters = pick(seed, 4) ? 0 : 1;
    if (options.filters == option_filters && options.n_filters) options.n_filters += pick(seed, 4);
    if (options.n_filters && !pick(seed, 4)) q.text[q.len = 0] = 0;
    print_message("%s (match %d, joined %d, limit %u, filters %zu)\n", q.text, (int)options.match,
                  (int)options.joined, (unsigned)options.limit, options.n_filters);
    assert_int_equal(pm_searcher_search(native, q.text, q.len, &options, &n, &err), PM_OK);
    if (pm_searcher_search(xapian, q.text, q.len, &options, &x, &err) != PM_OK)
        fail_msg("%s: %s", q.text, err.message);
    if (n->interpreted.len && strstr(n->interpreted.data, "\"")) q.words = false;
    if (options.limit == 100000 || q.words) same_order(n, x, &q);
    if (options.limit == 100000) same_sets(n, x, &q, options.match == PM_MATCH_AUTO);
    assert_int_equal(n->total, x->total);
    if (!q.words) parts_add_up(xapian, &q, options, seed);
}

/* ---- dumps ------------------------------------------------------------------------------- */

typedef struct text {
    char *data;
    size_t len, cap;
} text;

static bool gather(void *ctx, const char *data, size_t len)
{
    text *t = ctx;
    if (t->len + len + 1 > t->cap) {
        t->cap = 2 * (t->len + len + 1);
        t->data = realloc(t->data, t->cap);
        assert_non_null(t->data);
    }
    memcpy(t->data + t->len, data, len);
    t->len += len;
    t->data[t->len] = 0;
    return true;
}

/* The next line that both engines write, NULL at the end. */
static char *next_line(char **at)
{
    for (;;) {
        char *line = *at, *end = strchr(line, '\n');
        if (!end) return NULL;
        *end = 0;
        *at = end + 1;
        if (strncmp(line, "form ", 5) != 0 && strncmp(line, "setting engine", 14) != 0) return line;
    }
}

static void same_dumps(pm_index *native, pm_index *xapian)
{
    text n = {0}, x = {0};
    pm_error err = {0};
    assert_int_equal(pm_index_dump(native, gather, &n, &err), PM_OK);
    if (pm_index_dump(xapian, gather, &x, &err) != PM_OK) fail_msg("%s", err.message);
    char *a = n.data, *b = x.data;
    for (;;) {
        char *one = next_line(&a), *other = next_line(&b);
        if (!one && !other) break;
        if (!one || !other || strcmp(one, other) != 0)
            fail_msg("dumps differ: '%.200s' and '%.200s'", one ? one : "", other ? other : "");
    }
    free(n.data);
    free(x.data);
}

static void same_check(const char *path)
{
    pm_error err = {0};
    pm_check_summary sum;
    if (pm_check(path, true, NULL, NULL, &sum, &err) != PM_OK) fail_msg("%s", err.message);
}

static void run_collection(uint64_t seed, unsigned n_queries)
{
    char paths[2][FOLDER_PATH];
    pm_index *index[2] = {NULL, NULL};
    pm_searcher *searcher[2] = {NULL, NULL};
    pm_error err = {0};
    for (int i = 0; i < 2; i++) folder_make(paths[i]);
    build(paths, &seed);
    for (int i = 0; i < 2; i++) {
        if (pm_index_open(paths[i], &index[i], &err) != PM_OK) fail_msg("%s", err.message);
        assert_int_equal(pm_searcher_open(index[i], &searcher[i], &err), PM_OK);
    }
    same_dumps(index[0], index[1]);
    same_check(paths[1]);
    for (unsigned i = 0; i < n_queries; i++) compare(searcher[0], searcher[1], &seed);
    for (int i = 0; i < 2; i++) {
        pm_searcher_close(searcher[i]);
        pm_index_close(index[i]);
        tree_remove(paths[i]);
    }
}

int main(void)
{
    const char *variant = getenv("PM_TEST_VARIANT");
    bool slow = variant && strcmp(variant, "release") != 0; /* sanitizers                     */
    const twin_plan twins = {"xapian", run_collection, 20251124, slow ? 200 : 1000, 100};
    plugin_use(false);
    plugin_fast_folders();
    setenv("XAPIAN_FLUSH_THRESHOLD", "300", 1); /* reached by flushing, soon                     */
    return twin_run(&twins);
}
