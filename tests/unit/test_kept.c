/* SPDX-License-Identifier: MIT
 * test_kept.c - tokens that a writer keeps for its merges (inverter_kept.h): an index of many
 * commits has the bytes of one whose writer keeps none and so reads every segment that it merges,
 * with articles replaced and deleted on the way.  Memory is refused to such a merge, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "indexer/inverter_internal.h"
#include "indexer/writer.h"
#include "tests/support/crash_script.h"
#include "tests/support/fresh_folder.h"
#include "tests/support/whole_index.h"

enum { COMMITS = 60, ARTICLES = 20 };

static int set_up(void **state)
{
    setenv("PRESSMARK_SEED", "7", 1);
    return make_root(state);
}

/* ---- the collection ------------------------------------------------------------------------- */

static pm_text pick(const char *const *from, size_t n, uint64_t r)
{
    const char *text = from[r % n];
    return (pm_text){text, strlen(text)};
}

/* Words in several spellings, acronyms, frequent pairs, now and then a title inside the text. */
static void write_text(buf *text, uint64_t *seed)
{
    static const char *const words[] = {"the", "The",  "of",     "US",   "us",    "it’s",
                                        "ran", "Runs", "runner", "AT&T", "C++",   "naïve",
                                        "a",   "rare", "earth",  "IT",   "export"};
    unsigned n = 5 + (unsigned)(random_next(seed) % 60);
    for (unsigned i = 0; i < n; i++) {
        char word[24];
        uint64_t r = random_next(seed);
        if (r % 4)
            buf_append_str(text, words[r / 4 % (sizeof words / sizeof *words)]);
        else
            buf_append(text, word,
                       (size_t)snprintf(word, sizeof word, "w%u", (unsigned)(r / 4 % 900)));
        buf_append_str(text, r % 11 ? " " : "\n");
    }
}

static void add(pm_writer *w, uint32_t number, uint64_t *seed)
{
    static const char *const sources[] = {"", "Agency", "The Paper", "agency"};
    static const char *const authors[] = {"", "Ann Lee", "Ann Lee and Bob Roe", "Cy"};
    static const char *const tags[] = {"", "trade", "trade\x1fmetals", "metals"};
    static const char *const langs[] = {"", "en", "en-GB"};
    pm_error err;
    buf text = {0};
    char id[16];
    write_text(&text, seed);
    uint64_t r = random_next(seed);
    pm_article a = {.text = {(const char *)text.data, text.len}};
    a.id = (pm_text){id, (size_t)snprintf(id, sizeof id, "%u", number)};
    a.title_in_body = r % 5 == 0;
    a.title_start = a.title_in_body ? text.len / 3 : 0;
    a.title_end = a.title_in_body ? text.len / 3 * 2 : 0;
    a.title = a.title_in_body ? (pm_text){a.text.data + a.title_start, a.title_end - a.title_start}
                              : pick(authors, 4, r);
    a.source = pick(sources, 4, r / 5);
    a.author = pick(authors, 4, r / 20);
    a.tags = pick(tags, 4, r / 80);
    a.lang = pick(langs, 3, r / 320);
    must(pm_writer_add(w, &a, NULL, &err), &err);
    buf_free(&text);
}

/* Articles of one commit: new ones, one that replaces an older one, one that goes. */
static void change(pm_writer *w, uint32_t commit)
{
    uint64_t seed = commit * UINT64_C(0x9e3779b97f4a7c15) + 1;
    pm_error err;
    for (uint32_t i = 0; i < ARTICLES; i++) add(w, commit * ARTICLES + i, &seed);
    uint32_t all = (commit + 1) * ARTICLES;
    add(w, (uint32_t)(random_next(&seed) % all), &seed);
    char id[16];
    int len = snprintf(id, sizeof id, "%u", (unsigned)(random_next(&seed) % all));
    must(pm_writer_delete(w, id, (size_t)len, NULL, &err), &err);
}

static pm_writer *open_writer(uint64_t memory)
{
    pm_error err;
    pm_writer *w;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.create = true;
    options.commit_level = 2;
    options.memory_bytes = memory;
    options.block_size = 8; /* so that words are frequent enough for bigrams, and lists long  */
    must(pm_writer_open(root, &options, &w, &err), &err);
    return w;
}

static void build(bool keeps, uint64_t memory)
{
    pm_error err;
    pm_writer *w = open_writer(memory);
    w->keeps_none = !keeps;
    for (uint32_t commit = 0; commit < COMMITS; commit++) {
        change(w, commit);
        must(pm_writer_commit(w, NULL, &err), &err);
    }
    pm_writer_close(w);
}

/* Bytes of bigrams' lists. */
static uint64_t bigrams(void)
{
    pm_error err;
    pm_index *index;
    pm_stats stats;
    uint64_t sum = 0;
    assert_int_equal(pm_index_open(root, &index, &err), PM_OK);
    assert_int_equal(pm_index_stats(index, &stats, &err), PM_OK);
    for (unsigned i = 0; i < stats.n_parts; i++)
        if (!strcmp(stats.parts[i].name, "bigrams")) sum = stats.parts[i].bytes;
    pm_index_close(index);
    return sum;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void test_same_bytes(void **state)
{
    (void)state;
    folder_image kept = {0}, read = {0};
    build(true, 0);
    folder_load(root, &kept);
    assert_sound(root);
    assert_true(bigrams());
    folder_empty(root);
    build(false, 0);
    folder_load(root, &read);
    assert_true(kept.n > 3);
    assert_same_image(&kept, &read);
    folder_image_free(&kept);
    folder_image_free(&read);
}

/* Statistics and dump of the index, which the caller frees; returns the number of segments. */
static unsigned look(pm_stats *stats, buf *text)
{
    pm_error err;
    pm_index *index;
    must(pm_index_open(root, &index, &err), &err);
    must(pm_index_stats(index, stats, &err), &err);
    pm_index_close(index);
    *text = dump(root);
    return stats->segments;
}

/* So little memory that the oldest tokens are let go; then other merges find room beside. */
static void test_some_kept(void **state)
{
    (void)state;
    pm_stats stats;
    buf some, none;
    build(true, 1 << 20);
    assert_sound(root);
    assert_true(look(&stats, &some) > 3);
    folder_empty(root);
    build(false, 1 << 20);
    look(&stats, &none);
    assert_same_text(&some, &none);
    buf_free(&some);
    buf_free(&none);
}

/* The last commit leaves one segment of what one writer made, with the same articles.  `waits`: of
 * what merges made before their commits, tokens are kept, too. */
static void finish(bool waits)
{
    pm_error err;
    pm_stats stats;
    buf before, after;
    pm_writer *w = open_writer(0);
    w->waits = waits;
    for (uint32_t commit = 0; commit < COMMITS; commit++) {
        change(w, commit);
        must(pm_writer_commit(w, NULL, &err), &err);
    }
    assert_true(look(&stats, &before) > 3);
    must(pm_writer_finish(w, NULL, &err), &err);
    assert_int_equal(look(&stats, &after), 1);
    assert_int_equal(stats.deleted, 0);
    assert_same_text(&before, &after);
    buf_free(&before);
    buf_free(&after);
    assert_sound(root);
    /* The writer goes on, and has nothing more to do when it is asked again. */
    must(pm_writer_finish(w, NULL, &err), &err);
    change(w, COMMITS);
    must(pm_writer_finish(w, NULL, &err), &err);
    pm_writer_close(w);
    assert_sound(root);
    folder_empty(root);
}

static void test_finish(void **state)
{
    (void)state;
    finish(false);
    finish(true);
}

/* Articles are put in another order from the lists, for tokens stand in the order of ingest. */
static void test_other_order(void **state)
{
    (void)state;
    for (int by = PM_REORDER_NONE; by <= PM_REORDER_BP; by++) {
        pm_error err;
        folder_image images[2];
        pm_optimize_options how = PM_OPTIMIZE_OPTIONS_INIT;
        how.reorder = (pm_reorder)by;
        for (unsigned keeps = 0; keeps < 2; keeps++) {
            pm_writer *w = open_writer(0);
            w->keeps_none = !keeps;
            for (uint32_t commit = 0; commit < 4; commit++) {
                change(w, commit);
                must(pm_writer_commit(w, NULL, &err), &err);
            }
            assert_true((w->segments[0].kept != NULL) == keeps);
            must(pm_writer_optimize_with(w, &how, NULL, &err), &err);
            pm_writer_close(w);
            assert_sound(root);
            folder_load(root, &images[keeps]);
            folder_empty(root);
        }
        assert_same_image(&images[0], &images[1]);
        folder_image_free(&images[0]);
        folder_image_free(&images[1]);
    }
}

/* Ten commits, and one that merges, of whose allocations the nth is refused; how many there were.
 */
static uint64_t merge_refused(uint64_t nth, unsigned *failed)
{
    enum { MERGES_AT = 10 };
    pm_error err;
    pm_writer *w = open_writer(0);
    w->options.threads = 1;
    w->waits = true;
    for (uint32_t commit = 0; commit < MERGES_AT; commit++) {
        change(w, commit);
        must(pm_writer_commit(w, NULL, &err), &err);
    }
    assert_int_equal(w->n_segments, MERGES_AT);
    change(w, MERGES_AT);
    mem_fail_at(nth, false);
    pm_status st = pm_writer_commit(w, NULL, &err);
    uint64_t count = mem_count();
    mem_fail_at(0, false);
    assert_true(st == PM_OK || (count >= nth && st == PM_NOMEM));
    if (st == PM_OK) assert_true(w->n_segments <= MERGES_AT);
    *failed += st != PM_OK;
    pm_writer_close(w);
    assert_sound(root);
    char orphan[SCRIPT_NAME];
    if (st != PM_OK && script_orphan(root, orphan)) fail_msg("%s is left over", orphan);
    folder_empty(root);
    return count;
}

/* Tokens of more than a batch are read, however much memory there is. */
static void test_more_than_a_batch(void **state)
{
    (void)state;
    pm_error err;
    pm_writer *w = open_writer(UINT64_C(1) << 40);
    for (uint32_t commit = 0; commit < 3; commit++) {
        change(w, commit);
        must(pm_writer_commit(w, NULL, &err), &err);
    }
    assert_true(writer_kept_run(w, 0, 3));
    kept_tokens *k = w->segments[1].kept;
    size_t n = k->n_tokens, others = w->segments[0].kept->n_tokens + w->segments[2].kept->n_tokens;
    k->n_tokens = INVERTER_TOKENS_MAX - others;
    assert_true(writer_kept_run(w, 0, 3));
    k->n_tokens++;
    assert_false(writer_kept_run(w, 0, 3) || writer_kept_all(w, 0, 3));
    k->n_tokens = n;
    uint32_t docs = w->segments[1].named.n_docs;
    w->segments[1].named.n_docs = INVERTER_DOCS_MAX;
    assert_false(writer_kept_run(w, 0, 3) || writer_kept_all(w, 0, 3));
    w->segments[1].named.n_docs = docs;
    pm_writer_close(w);
}

/* Memory that is refused to a merge of tokens, and to whoever opens what it made: the commit is
 * whole, or it has not been, and what was taken is given back, which sanitizers see.  Each one of
 * the last, for they are of what comes after the merge, and some of those before. */
static void test_refused_memory(void **state)
{
    (void)state;
    enum { LAST = 80, STEP = 16 };
    unsigned failed = 0;
    uint64_t all = merge_refused(UINT32_MAX, &failed);
    assert_true(all > LAST && !failed);
    for (uint64_t nth = 1; nth <= all; nth += nth + LAST < all ? STEP : 1)
        merge_refused(nth, &failed);
    printf("%u refusals of %u allocations made it fail\n", failed, (unsigned)all);
    assert_true(failed > 50);
}

/* Articles without a word have no tokens to keep, to copy or to add. */
static void test_no_words(void **state)
{
    (void)state;
    pm_error err;
    pm_writer *w;
    pm_commit_info info;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.create = true;
    options.commit_level = 2;
    must(pm_writer_open(root, &options, &w, &err), &err);
    for (unsigned i = 0; i < 30; i++) {
        char id[16];
        const pm_article a = {.id = {id, (size_t)snprintf(id, sizeof id, "%u", i)}};
        must(pm_writer_add(w, &a, NULL, &err), &err);
        pm_status st = i < 29 ? pm_writer_commit(w, &info, &err) : pm_writer_finish(w, &info, &err);
        if (st != PM_OK) fail_msg("%s", err.message);
    }
    pm_writer_close(w);
    assert_sound(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_bytes, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_some_kept, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_finish, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_other_order, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_refused_memory, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_more_than_a_batch, set_up, remove_root),
        cmocka_unit_test_setup_teardown(test_no_words, set_up, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
