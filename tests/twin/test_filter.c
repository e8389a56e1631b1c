/* SPDX-License-Identifier: MIT
 *
 * test_filter.c - filtered answers against brute force: every document's fields are known here, so
 * the exhaustive answer of the unfiltered query, with what does not pass struck out, is what
 * every loop must give: ids, scores to the bit, order and totals, at every level of kernels.
 *
 * Segments are in order of date or out of it, by day or by second, with undated articles,
 * deletions and several commits.  Filters come by options and inside queries, at the top,
 * negated, as alternatives, and deep in a tree (there: fast against exhaustive).
 *
 * PM_TEST_SEED repeats a run; PM_TEST_QUERIES makes it longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pressmark.h"
#include "searcher/prune_window.h"
#include "tests/support/folder.h"
#include "tests/support/twin.h"

enum { WORDS = 120, DOCS_MAX = 4000, DAYS = 700, START = 1704067200 /* 2024-01-01 */ };

static int64_t dates[DOCS_MAX];    /* by number; INT64_MIN undated                         */
static unsigned sources[DOCS_MAX]; /* 0: none                                              */
static unsigned authors[DOCS_MAX]; /* bit by author                                        */
static unsigned tags[DOCS_MAX];    /* bit by tag                                           */

static unsigned pick_word(uint64_t *seed)
{
    return pick_below(seed, WORDS, 4);
}

/* The C library's calendar, not ours. */
static size_t put_time(char *out, int64_t seconds, const char *format)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    gmtime_r(&t, &tm);
    if (!strcmp(format, "%Y")) return strftime(out, 40, "%Y", &tm);
    if (!strcmp(format, "%Y-%m")) return strftime(out, 40, "%Y-%m", &tm);
    if (!strcmp(format, "%Y%m%d")) return strftime(out, 40, "%Y%m%d", &tm);
    if (!strcmp(format, "%Y-%m-%d")) return strftime(out, 40, "%Y-%m-%d", &tm);
    return strftime(out, 40, "%Y-%m-%dT%H:%M:%S", &tm);
}

/* ---- collections ------------------------------------------------------------------------- */

typedef struct shape {
    bool rising, seconds, undated;
} shape;

static int64_t make_date(uint64_t *seed, const shape *s, unsigned number, unsigned n_docs)
{
    if (s->undated && pick(seed, 9) == 0) return INT64_MIN;
    int64_t day = s->rising ? (int64_t)number * DAYS / n_docs : pick(seed, DAYS);
    int64_t second = !s->seconds ? 0 : s->rising ? number % 86400 : pick(seed, 86400);
    return START + day * 86400 + second;
}

static size_t put_source(char *out, unsigned source)
{
    return source ? (size_t)sprintf(out, "Sourcé  %u", source) : 0;
}

static size_t put_bits(char *out, unsigned bits, const char *name, const char *between)
{
    size_t len = 0;
    for (unsigned i = 0; i < 8; i++)
        if (bits >> i & 1) len += (size_t)sprintf(out + len, "%s%s%u", len ? between : "", name, i);
    return len;
}

/* Every 250 neighbours share a topic, so that a word's best documents often pass no filter of
 * time that others pass. */
static void add_article(pm_writer *w, uint64_t *seed, const shape *s, unsigned number)
{
    char id[24], text[2048], date[40];
    size_t len = 0;
    for (unsigned i = 0, n = 1 + pick(seed, 60); i < n; i++)
        len += put_word(text + len, pick(seed, 4) ? pick_word(seed) : number / 250 % 12);
    pm_article a = {.id = {id, (size_t)sprintf(id, "%u", number)}, .text = {text, len}};
    if (dates[number] != INT64_MIN) {
        const char *format = s->seconds ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d";
        a.date = (pm_text){date, put_time(date, dates[number], format)};
    }
    char source[24], names[128], labels[128];
    a.source = (pm_text){source, put_source(source, sources[number])};
    a.author = (pm_text){names, put_bits(names, authors[number], "Jane N", ", ")};
    a.tags = (pm_text){labels, put_bits(labels, tags[number], "Tag", "\x1f")};
    pm_error err;
    assert_int_equal(pm_writer_add(w, &a, NULL, &err), PM_OK);
}

static void build(const char *path, uint64_t *seed, unsigned n_docs, unsigned commits)
{
    static const unsigned blocks[] = {8, 16, 64, 256};
    shape s = {pick(seed, 2), pick(seed, 2), pick(seed, 3) == 0};
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    pm_writer *w = NULL;
    pm_error err = {0};
    options.block_size = blocks[pick(seed, 4)];
    options.dense_shift = 1 + pick(seed, 6);
    options.store = 0;
    assert_int_equal(pm_writer_open(path, &options, &w, &err), PM_OK);
    bool deletes = pick(seed, 3) > 0;
    for (unsigned number = 0; number < n_docs; number++) {
        dates[number] = make_date(seed, &s, number, n_docs);
        sources[number] = pick(seed, 1 + pick(seed, 60));
        authors[number] = pick(seed, 256) & pick(seed, 256);
        tags[number] = pick(seed, 256) & pick(seed, 256) & pick(seed, 256);
    }
    for (unsigned number = 0, c = 1; c <= commits; c++) {
        for (; number < n_docs * c / commits; number++) add_article(w, seed, &s, number);
        for (unsigned i = 0; deletes && i < number / 20; i++) {
            char id[24];
            int len = sprintf(id, "%u", pick(seed, number));
            assert_int_equal(pm_writer_delete(w, id, (size_t)len, NULL, &err), PM_OK);
        }
        assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
    }
    if (pick(seed, 3) == 0) assert_int_equal(pm_writer_optimize(w, NULL, &err), PM_OK);
    pm_writer_close(w);
}

static void show_finding(void *ctx, const char *file, const char *part, uint64_t offset,
                         const char *what)
{
    (void)ctx;
    print_error("%s, %s, %" PRIu64 ": %s\n", file, part, offset, what);
}

/* ---- filters ----------------------------------------------------------------------------- */

/* An interval of days, how it is said, and whether it is meant or its opposite. */
typedef struct spoken {
    int64_t from, to;
    bool negated;
    unsigned value; /* of the other fields                                                */
    char text[96];
    pm_filter_field field;
} spoken;

static int64_t month_start(unsigned month) /* from 2024-01 on */
{
    struct tm tm = {.tm_year = 124 + (int)month / 12, .tm_mon = (int)month % 12, .tm_mday = 1};
    return (int64_t)timegm(&tm);
}

static void speak_days(uint64_t *seed, spoken *f, unsigned day, unsigned n)
{
    char first[40], last[40];
    f->from = START + (int64_t)day * 86400;
    f->to = f->from + (int64_t)n * 86400;
    put_time(first, f->from, pick(seed, 2) ? "%Y-%m-%d" : "%Y%m%d");
    put_time(last, f->to - 1, "%Y-%m-%d");
    if (n == 1)
        sprintf(f->text, "%s", first);
    else
        sprintf(f->text, "%s..%s", first, last);
}

/* Spelled otherwise than in the articles. */
static spoken speak_value(uint64_t *seed)
{
    spoken f = {.field = (pm_filter_field)(PM_FILTER_SOURCE + pick(seed, 3))};
    f.value = f.field == PM_FILTER_SOURCE ? 1 + pick(seed, 30) : pick(seed, 8);
    const char *name = f.field == PM_FILTER_SOURCE   ? "source "
                       : f.field == PM_FILTER_AUTHOR ? "JANE  n"
                                                     : "tag";
    sprintf(f.text, "%s%u", name, f.value);
    return f;
}

static spoken speak(uint64_t *seed)
{
    spoken f = {.field = PM_FILTER_DATE};
    if (pick(seed, 4) == 0) return speak_value(seed);
    unsigned day = pick(seed, DAYS), month = pick(seed, 24);
    switch (pick(seed, 7)) {
    case 0:
        speak_days(seed, &f, day, 1);
        break;
    case 1:
        speak_days(seed, &f, day, 2 + pick(seed, 60));
        break;
    case 2:
        f.from = month_start(month);
        f.to = month_start(month + 1 + pick(seed, 3));
        put_time(f.text, f.from, "%Y-%m");
        strcat(f.text, "..");
        put_time(f.text + strlen(f.text), f.to - 1, "%Y-%m");
        break;
    case 3:
        f.from = month_start(12 * (month / 12));
        f.to = month_start(12 * (month / 12) + 12);
        put_time(f.text, f.from, "%Y");
        break;
    case 4:
        speak_days(seed, &f, day, 1);
        f.to = INT64_MAX;
        strcat(f.text, "..");
        break;
    case 5:
        speak_days(seed, &f, day, 1);
        f.field = PM_FILTER_AFTER;
        f.to = INT64_MAX;
        break;
    default:
        speak_days(seed, &f, day, 1);
        f.field = PM_FILTER_BEFORE;
        f.to = f.from;
        f.from = INT64_MIN;
    }
    return f;
}

static bool passes(const spoken *f, unsigned long number)
{
    int64_t date = dates[number];
    bool in = date != INT64_MIN && date >= f->from && date < f->to;
    if (f->field == PM_FILTER_SOURCE) in = sources[number] == f->value;
    if (f->field == PM_FILTER_AUTHOR) in = authors[number] >> f->value & 1;
    if (f->field == PM_FILTER_TAG) in = tags[number] >> f->value & 1;
    return in != f->negated;
}

static void put_filter(char *out, const spoken *f)
{
    static const char *const names[] = {"date", "after", "before", "source", "author", "tag"};
    const char *quote = f->field >= PM_FILTER_SOURCE ? "\"" : "";
    sprintf(out + strlen(out), "%s:%s%s%s", names[f->field], quote, f->text, quote);
}

/* ---- queries ----------------------------------------------------------------------------- */

typedef struct question {
    char words[1024], filtered[2048]; /* without filters, and with those said in the query   */
    spoken asked[3];
    unsigned n_asked; /* by the query                                                     */
    spoken given[2];
    unsigned n_given; /* by options                                                       */
    pm_search_options options;
    pm_filter filters[2];
} question;

static size_t make_words(uint64_t *seed, char *text)
{
    static const char *const signs[] = {"", "+", "-"};
    size_t len = 0;
    unsigned style = pick(seed, 6);
    unsigned n = 1 + pick(seed, pick(seed, 8) ? 4 : 12);
    if (style == 5) len += (size_t)sprintf(text, "+\"");
    for (unsigned i = 0; i < n; i++) {
        unsigned sign = style == 1 ? 1 : pick(seed, style == 2 || !i ? 2 : 3);
        if (style == 0 || style == 5) sign = 0;
        if (style == 4 && i) len += (size_t)sprintf(text + len, "OR ");
        len += (size_t)sprintf(text + len, "%s", style == 4 ? "" : signs[sign]);
        len += put_word(text + len, pick_word(seed));
        if (style == 5 && i == 1) len += (size_t)sprintf(text + len - 1, "\" ") - 1;
    }
    if (style == 5 && n == 1) len += (size_t)sprintf(text + len - 1, "\" ") - 1;
    return len;
}

/* (words) with filters before and behind, each of which binds. */
static void add_asked(uint64_t *seed, question *q)
{
    static const char *const joins[] = {" ", " +", " AND "};
    bool and_form = pick(seed, 3) == 0;
    sprintf(q->filtered, "(%s)", q->words);
    q->n_asked = pick(seed, 3);
    for (unsigned i = 0; i < q->n_asked; i++) {
        spoken *f = &q->asked[i];
        *f = speak(seed);
        f->negated = pick(seed, 4) == 0;
        const char *join = joins[and_form ? 2 : f->negated ? 0 : pick(seed, 2)];
        sprintf(q->filtered + strlen(q->filtered), "%s%s", join,
                !f->negated ? ""
                : and_form  ? "NOT "
                            : "-");
        put_filter(q->filtered, f);
    }
}

static void make_question(uint64_t *seed, question *q)
{
    static const unsigned limits[] = {1, 3, 10, 100, 1000};
    memset(q, 0, sizeof *q);
    make_words(seed, q->words);
    add_asked(seed, q);
    q->n_given = q->n_asked ? pick(seed, 2) : 1 + pick(seed, 2);
    q->options = (pm_search_options)PM_SEARCH_OPTIONS_INIT;
    for (unsigned i = 0; i < q->n_given; i++) {
        q->given[i] = speak(seed);
        q->filters[i] =
            (pm_filter){q->given[i].field, {q->given[i].text, strlen(q->given[i].text)}};
    }
    q->options.want_fields = q->options.want_snippets = q->options.joined = false;
    q->options.limit = limits[pick(seed, 5)];
    q->options.match = (pm_match)pick(seed, 3);
    q->options.want_total = pick(seed, 4) > 0;
}

static const pm_result *search(pm_searcher *s, const char *text, const pm_search_options *options)
{
    const pm_result *result;
    pm_error err = {0};
    pm_status st = pm_searcher_search(s, text, strlen(text), options, &result, &err);
    if (st != PM_OK) fail_msg("%s: %s", text, err.message);
    return result;
}

static void same_hit(const pm_hit *want, const pm_hit *got, size_t at)
{
    if (got->id.len != want->id.len || memcmp(got->id.data, want->id.data, want->id.len) != 0 ||
        memcmp(&got->score, &want->score, sizeof(double)) != 0)
        fail_msg("hit %zu: %s %.17g, wanted %s %.17g", at, got->id.data, got->score, want->id.data,
                 want->score);
}

/* Dates all bind; of another field one value suffices. */
static bool given_pass(const question *q, unsigned long number)
{
    const spoken *a = &q->given[0], *b = &q->given[1];
    if (q->n_given == 2 && a->field == b->field && a->field >= PM_FILTER_SOURCE)
        return passes(a, number) || passes(b, number);
    return (q->n_given < 1 || passes(a, number)) && (q->n_given < 2 || passes(b, number));
}

/* The unfiltered list, struck through. */
static void against_brute_force(const question *q, const pm_result *all, const pm_result *got)
{
    size_t n = 0;
    uint64_t total = 0, in_all = 0;
    for (size_t i = 0; i < all->n_hits; i++) {
        unsigned long number = strtoul(all->hits[i].id.data, NULL, 10);
        bool in = given_pass(q, number);
        for (unsigned k = 0; k < q->n_asked; k++) in &= passes(&q->asked[k], number);
        if (!in) continue;
        total++;
        in_all += all->hits[i].in_all;
        if (n < q->options.limit) {
            if (n >= got->n_hits) fail_msg("only %zu hits", got->n_hits);
            same_hit(&all->hits[i], &got->hits[n], n);
            n++;
        }
    }
    assert_int_equal(got->n_hits, n);
    if (!got->total_is_exact) return;
    assert_int_equal(got->total, total);
    if (q->options.match == PM_MATCH_AUTO) assert_int_equal(got->total_all, in_all);
}

static void ask_top(pm_searcher **s, uint64_t *seed)
{
    question q;
    make_question(seed, &q);
    pm_search_options unfiltered = q.options;
    unfiltered.exhaustive = true;
    unfiltered.limit = DOCS_MAX;
    const pm_result *all = search(s[0], q.words, &unfiltered);
    q.options.filters = q.filters;
    q.options.n_filters = q.n_given;
    print_message("%s | %s %s (match %d, k %u)\n", q.filtered, q.n_given ? q.given[0].text : "",
                  q.n_given > 1 ? q.given[1].text : "", (int)q.options.match,
                  (unsigned)q.options.limit);
    against_brute_force(&q, all, search(s[1], q.filtered, &q.options));
    q.options.exhaustive = q.options.want_total = true;
    against_brute_force(&q, all, search(s[1], q.filtered, &q.options));
}

/* Filters anywhere in a tree: fast against exhaustive. */
static void ask_deep(pm_searcher **s, uint64_t *seed)
{
    char text[2048] = "";
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    for (unsigned i = 0, n = 1 + pick(seed, 3); i < n; i++) {
        static const char *const joins[] = {" ", " OR ", " AND "};
        char words[1024];
        spoken f = speak(seed), g = speak(seed);
        make_words(seed, words);
        if (i) strcat(text, joins[pick(seed, 3)]);
        size_t len = strlen(text);
        switch (pick(seed, 5)) {
        case 0:
            sprintf(text + len, "%s", words);
            break;
        case 1:
            sprintf(text + len, "(%s %s", words, pick(seed, 2) ? "-" : "");
            put_filter(text, &f);
            strcat(text, ")");
            break;
        case 2:
            put_filter(text, &f);
            break;
        case 3:
            strcat(text, "(");
            put_filter(text, &f);
            strcat(text, " OR ");
            put_filter(text, &g);
            strcat(text, ")");
            break;
        default:
            strcat(text, "-(");
            put_filter(text, &f);
            sprintf(text + strlen(text), " OR (%s))", words);
        }
    }
    options.want_fields = options.want_snippets = options.joined = false;
    options.limit = 1 + pick(seed, 50);
    options.match = (pm_match)pick(seed, 3);
    options.exhaustive = true;
    print_message("%s (match %d)\n", text, (int)options.match);
    const pm_result *slow = search(s[0], text, &options);
    options.exhaustive = false;
    const pm_result *fast = search(s[1], text, &options);
    assert_int_equal(fast->total, slow->total);
    assert_int_equal(fast->total_all, slow->total_all);
    assert_int_equal(fast->n_hits, slow->n_hits);
    for (size_t i = 0; i < slow->n_hits; i++) same_hit(&slow->hits[i], &fast->hits[i], i);
}

/* The same filter by an option, beside no words. */
static void same_by_option(pm_searcher *s, const spoken *f, pm_search_options options,
                           const pm_result *want)
{
    const pm_filter filter = {f->field, {f->text, strlen(f->text)}};
    options.filters = &filter;
    options.n_filters = 1;
    for (int i = 0; i < 2; i++) {
        options.exhaustive = i;
        const pm_result *got = search(s, i ? " ?! " : "", &options);
        assert_string_equal(got->interpreted.data, want->interpreted.data);
        assert_int_equal(got->n_hits, want->n_hits);
        assert_int_equal(got->total, want->total);
        assert_int_equal(got->total_all, want->total_all);
        for (size_t k = 0; k < want->n_hits; k++) same_hit(&want->hits[k], &got->hits[k], k);
    }
}

/* A filter by itself lists what passes, in order of ingest. */
static void ask_alone(pm_searcher **s, uint64_t *seed, unsigned n_docs)
{
    char text[128] = "";
    spoken f = speak(seed);
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    options.want_fields = options.want_snippets = false;
    options.limit = DOCS_MAX;
    options.match = (pm_match)pick(seed, 3);
    put_filter(text, &f);
    print_message("%s\n", text);
    const pm_result *r = search(s[0], text, &options);
    unsigned long last = 0, most = 0;
    for (unsigned number = 0; number < n_docs; number++) most += passes(&f, number);
    assert_true(r->n_hits <= most);
    assert_int_equal(r->total, r->n_hits);
    assert_int_equal(r->total_all, r->n_hits);
    for (size_t i = 0; i < r->n_hits; i++) {
        unsigned long number = strtoul(r->hits[i].id.data, NULL, 10);
        assert_true(passes(&f, number));
        assert_true(r->hits[i].score == 0);
        assert_true(!i || number > last);
        last = number;
    }
    same_by_option(s[1], &f, options, r);
}

static void run_collection(uint64_t seed, unsigned n_queries)
{
    char path[FOLDER_PATH];
    pm_index *index = NULL;
    pm_searcher *s[2] = {NULL, NULL};
    pm_error err = {0};
    unsigned n_docs = 200 + pick(&seed, DOCS_MAX - 200);
    folder_make(path);
    build(path, &seed, n_docs, 1 + pick(&seed, 3));
    prune_window_shrink(pick(&seed, 3) * 512);
    pm_check_summary summary;
    assert_int_equal(pm_check(path, true, show_finding, NULL, &summary, &err), PM_OK);
    assert_int_equal(pm_index_open(path, &index, &err), PM_OK);
    for (int i = 0; i < 2; i++) assert_int_equal(pm_searcher_open(index, &s[i], &err), PM_OK);
    for (unsigned i = 0; i < n_queries; i++) {
        ask_top(s, &seed);
        if (i % 4 == 0) ask_deep(s, &seed);
        if (i % 8 == 0) ask_alone(s, &seed, n_docs);
    }
    for (int i = 0; i < 2; i++) pm_searcher_close(s[i]);
    pm_index_close(index);
    folder_remove(path);
}

int main(void)
{
    const twin_plan twins = {"filter", run_collection, 20251124, 1200, 60};
    return twin_run(&twins);
}
