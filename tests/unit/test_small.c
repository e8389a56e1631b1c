/* SPDX-License-Identifier: MIT
 * test_small.c - an index made with --small answers as one made without: the same articles, scores
 * and order, over several segments, after deletions and after merging; it is smaller, sound, holds
 * neither forms nor bigrams, stays small at later commits, and is not mistaken for the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/segment/snapshot.h"
#include "tests/support/folder.h"

enum { DOCS = 900, COMMITS = 3, WORDS = 40 };

static char paths[2][FOLDER_PATH]; /* without, with                                          */
static pm_error err;

static const char *const words[] = {"the",     "The",   "of",      "running", "runs",  "Harbour",
                                    "harbour", "city",  "cities",  "TikTok",  "tik",   "tok",
                                    "NATO",    "storm", "Storm's", "opened",  "gates", "U.S."};
enum { N_WORDS = sizeof words / sizeof *words };

static void add(pm_writer *w, uint32_t i)
{
    char id[32], text[WORDS * 12];
    size_t len = 0;
    uint64_t random = i;
    int n = snprintf(id, sizeof id, "news/%u", i * 7919 % 1000);
    for (unsigned k = 0; k < WORDS - i % 30; k++) {
        uint64_t r = random_next(&random) % (N_WORDS * N_WORDS);
        const char *word = words[r % N_WORDS * (r / N_WORDS) / N_WORDS]; /* early ones more often */
        len += (size_t)snprintf(text + len, sizeof text - len, "%s ", word);
    }
    pm_article article = {.id = {id, (size_t)n}, .text = {text, len}};
    assert_int_equal(pm_writer_add(w, &article, NULL, &err), PM_OK);
}

static pm_writer *open_writer(int which, int small)
{
    pm_writer *w;
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    o.small = small;
    o.commit_level = 2;
    o.block_size = 16;
    if (pm_writer_open(paths[which], &o, &w, &err) != PM_OK) fail_msg("%s", err.message);
    return w;
}

/* The first commit says what the index is, later ones leave it open. */
static void build(int which)
{
    for (uint32_t c = 0; c < COMMITS; c++) {
        bool deleted;
        pm_writer *w = open_writer(which, c ? -1 : which);
        for (uint32_t i = 0; i < DOCS / COMMITS; i++) add(w, c * DOCS / COMMITS + i);
        if (c) assert_int_equal(pm_writer_delete(w, "news/0", 6, &deleted, &err), PM_OK);
        assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
        pm_writer_close(w);
    }
}

static int setup(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        folder_make(paths[which]);
        build(which);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) folder_remove(paths[which]);
    return 0;
}

typedef struct opened {
    pm_index *index;
    pm_searcher *searcher;
    const pm_result *result;
} opened;

static void open_both(opened o[2])
{
    for (int i = 0; i < 2; i++) {
        if (pm_index_open(paths[i], &o[i].index, &err) != PM_OK) fail_msg("%s", err.message);
        assert_int_equal(pm_searcher_open(o[i].index, &o[i].searcher, &err), PM_OK);
    }
}

static void close_both(opened o[2])
{
    for (int i = 0; i < 2; i++) {
        pm_searcher_close(o[i].searcher);
        pm_index_close(o[i].index);
    }
}

static void compare_answers(opened o[2], const char *query)
{
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    options.limit = 50;
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            pm_searcher_search(o[i].searcher, query, strlen(query), &options, &o[i].result, &err),
            PM_OK);
    const pm_result *a = o[0].result, *b = o[1].result;
    assert_true(a->total == b->total && a->total_all == b->total_all && a->n_hits == b->n_hits);
    assert_true(a->n_hits > 0);
    for (size_t i = 0; i < a->n_hits; i++) {
        assert_true(a->hits[i].score == b->hits[i].score);
        assert_int_equal(a->hits[i].id.len, b->hits[i].id.len);
        assert_memory_equal(a->hits[i].id.data, b->hits[i].id.data, a->hits[i].id.len);
    }
}

static uint64_t part(const pm_stats *s, const char *name)
{
    for (unsigned i = 0; i < s->n_parts; i++)
        if (!strcmp(s->parts[i].name, name)) return s->parts[i].bytes;
    fail_msg("no part %s", name);
    return 0;
}

static void compare_sizes(opened o[2])
{
    pm_stats s[2];
    for (int i = 0; i < 2; i++) {
        uint64_t sum = 0;
        assert_int_equal(pm_index_stats(o[i].index, &s[i], &err), PM_OK);
        for (unsigned p = 0; p < s[i].n_parts; p++) sum += s[i].parts[p].bytes;
        assert_true(sum == s[i].index_bytes && s[i].small == (i == 1));
        assert_true(s[i].bare_bytes ==
                    s[i].index_bytes - part(&s[i], "stored") - part(&s[i], "bigrams"));
    }
    assert_true(s[0].documents == s[1].documents && s[0].postings == s[1].postings);
    assert_true(s[1].bare_bytes < s[0].bare_bytes);
    assert_true(part(&s[0], "form streams") > 0);
    assert_int_equal(part(&s[1], "form streams"), 0);
    assert_int_equal(part(&s[1], "bigrams"), 0);
}

static void compare_all(void)
{
    static const char *const queries[] = {"harbour",         "running storm",      "+the +city",
                                          "\"the harbour\"", "\"of the\"~4",       "tiktok",
                                          "tik tok",         "U.S. storm -of",     "NATO",
                                          "the of",          "\"the of the\" city"};
    opened o[2] = {{0}};
    pm_check_summary summary;
    open_both(o);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) compare_answers(o, queries[i]);
    compare_sizes(o);
    close_both(o);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pm_check(paths[i], true, NULL, NULL, &summary, &err), PM_OK);
}

static void answers_are_the_same(void **state)
{
    (void)state;
    compare_all();
    for (int which = 0; which < 2; which++) {
        pm_writer *w = open_writer(which, -1);
        assert_int_equal(pm_writer_optimize(w, NULL, &err), PM_OK);
        pm_writer_close(w);
    }
    compare_all();
}

static void nothing_but_terms(void **state)
{
    (void)state;
    snapshot *snap;
    assert_int_equal(snapshot_open(&snap, paths[1], &err), PM_OK);
    assert_true(snap->meta.small);
    for (uint32_t i = 0; i < snap->meta.n_segments; i++) {
        const segment_info *info = &snap->segments[i].seg->info;
        assert_int_equal(info->n_forms, 0);
        assert_int_equal(info->sections[SECTION_FORMS].len, 0);
        assert_int_equal(info->bigram_min, 0);
        assert_int_equal(info->dense_shift, 4);
    }
    snapshot_close(snap);
}

static void find_forms(void *ctx, const char *file, const char *where, uint64_t offset,
                       const char *what)
{
    (void)file;
    (void)where;
    (void)offset;
    *(unsigned *)ctx += strstr(what, "small index") != NULL;
}

/* The usual index, said to be small. */
static void forms_of_a_small_index_are_found(void **state)
{
    (void)state;
    snapshot *snap;
    buf bytes = {0};
    unsigned found = 0;
    assert_int_equal(snapshot_open(&snap, paths[0], &err), PM_OK);
    for (unsigned wrong = 0; wrong < 2; wrong++) {
        snap->meta.small = !wrong;
        buf_reset(&bytes);
        manifest_encode(&snap->meta, &bytes);
        folder_write(paths[0], "manifest", bytes.data, bytes.len);
        assert_int_equal(pm_check(paths[0], true, find_forms, &found, NULL, &err),
                         wrong ? PM_OK : PM_CORRUPT);
    }
    assert_int_equal(found, snap->meta.n_segments);
    snapshot_close(snap);
    buf_free(&bytes);
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        pm_writer *w = NULL;
        pm_writer_options o = PM_WRITER_OPTIONS_INIT;
        o.small = !which;
        assert_int_equal(pm_writer_open(paths[which], &o, &w, &err), PM_USAGE);
        assert_non_null(strstr(err.message, which ? "made with --small" : "made without --small"));
        pm_writer_close(w);
        o.small = which;
        assert_int_equal(pm_writer_open(paths[which], &o, &w, &err), PM_OK);
        pm_writer_close(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_the_same),
        cmocka_unit_test(nothing_but_terms),
        cmocka_unit_test(forms_of_a_small_index_are_found),
        cmocka_unit_test(contradictions_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
