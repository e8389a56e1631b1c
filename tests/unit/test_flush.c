/* SPDX-License-Identifier: MIT
 * test_flush.c - what only a large batch meets when it is written: two threads that scatter and
 * encode, terms with buckets of their own, one whose occurrences lie far apart, a term with more
 * spellings than 16 bits count.  The bytes are those of one thread (INV-5), whatever threads the
 * system refuses, and pm_check --deep finds them sound.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/dict.h"
#include "common/segment/snapshot.h"
#include "indexer/writer.h"
#include "tests/support/fresh_folder.h"
#include "tests/support/whole_index.h"

/* Article `number` of a collection: its text goes to `text`. */
typedef void write_article(buf *text, uint32_t number);

static bool titled = true;
/* Whether the batch's tokens stay while it is written; else its buckets take their memory. */
static bool kept = true;
static uint64_t commit_allocations; /* of the last one built                                  */

/* The index of n articles; refuse_from != 0: from that allocation of the commit on, one or all are
 * refused.  Returns what the commit says. */
static pm_status build_refused(write_article *write, uint32_t n, unsigned threads,
                               uint64_t refuse_from, bool sticky)
{
    pm_error err;
    pm_writer *w;
    buf text = {0};
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.create = true;
    options.threads = threads;
    options.commit_level = 2;
    options.lang = "none";
    assert_int_equal(pm_writer_open(root, &options, &w, &err), PM_OK);
    w->keeps_none = !kept;
    for (uint32_t i = 0; i < n; i++) {
        char id[16], title[32];
        pm_article a = {.id = {id, (size_t)snprintf(id, sizeof id, "%u", i)}};
        if (titled)
            a.title = (pm_text){
                title, (size_t)snprintf(title, sizeof title, "The title of the t%u", i % 50)};
        buf_reset(&text);
        if (titled &&
            i % 3 == 0) { /* the title stands in the body once more, between frequent words    */
            buf_append_str(&text, "in the ");
            a.title_in_body = true;
            a.title_start = text.len;
            buf_append_str(&text, title);
            a.title_end = text.len;
            buf_append_str(&text, " of the ");
        }
        write(&text, i);
        a.text = (pm_text){(const char *)text.data, text.len};
        assert_int_equal(pm_writer_add(w, &a, NULL, &err), PM_OK);
    }
    buf_free(&text);
    mem_fail_at(refuse_from, sticky);
    pm_status st = pm_writer_commit(w, NULL, &err);
    commit_allocations = mem_count();
    mem_fail_at(0, false);
    pm_writer_close(w);
    return st;
}

static void build(write_article *write, uint32_t n, unsigned threads)
{
    assert_int_equal(build_refused(write, n, threads, 0, false), PM_OK);
}

/* Built by one thread and by two, from tokens that stay and from tokens whose memory is taken, the
 * folder holds the same bytes, and they are sound. */
static void same_by_two(write_article *write, uint32_t n)
{
    folder_image one = {0}, other = {0};
    setenv("PRESSMARK_SEED", "11", 1);
    build(write, n, 1);
    folder_load(root, &one);
    for (unsigned way = 1; way < 4; way++) {
        folder_empty(root);
        kept = way % 2;
        build(write, n, way == 2 ? 1 : 2);
        kept = true;
        folder_load(root, &other);
        assert_same_image(&one, &other);
        folder_image_free(&other);
    }
    unsetenv("PRESSMARK_SEED");
    folder_image_free(&one);
    assert_sound(root);
}

/* ---- many tokens ------------------------------------------------------------------------- */

/* 500,000 tokens: two words with buckets of their own, one of them in three spellings, pairs of
 * frequent words, acronyms with markers and one that may have none, which is two forms of one
 * spelling, and rare words. */
static void common_text(buf *text, uint32_t number)
{
    uint64_t seed = hash_mix(number + 1);
    static const char *const frequent[] = {"the", "The", "THE", "of", "e.g.", "US", "eg", "in"};
    for (unsigned i = 0; i < 100; i++) {
        char word[32];
        uint64_t r = random_next(&seed);
        if (r % 3)
            buf_append_str(text, frequent[r / 3 % 8]);
        else
            buf_append(text, word,
                       (size_t)snprintf(word, sizeof word, "w%u", (unsigned)(r / 3 % 90000)));
        buf_append_str(text, r % 7 ? " " : "\n");
    }
}

static void test_many_tokens(void **state)
{
    (void)state;
    same_by_two(common_text, 5000);
}

/* ---- refused threads ------------------------------------------------------------------------ */

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static _Atomic unsigned threads_asked;
static unsigned refuse_at; /* 0: none is refused                                             */

/* The C library's own, but for one call that fails. */
int pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*fn)(void *), void *arg)
{
    int (*own)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    void *symbol = dlsym(RTLD_NEXT, "pthread_create");
    memcpy(&own, &symbol, sizeof own);
    return ++threads_asked == refuse_at ? EAGAIN : own(id, attributes, fn, arg);
}

static void test_refused_threads(void **state)
{
    (void)state;
    folder_image one = {0}, two = {0};
    setenv("PRESSMARK_SEED", "11", 1);
    build(common_text, 5000, 1);
    folder_load(root, &one);
    for (refuse_at = 1;; refuse_at++) {
        folder_empty(root);
        threads_asked = 0;
        kept = refuse_at % 2;
        build(common_text, 5000, 2);
        kept = true;
        folder_load(root, &two);
        assert_same_image(&one, &two);
        folder_image_free(&two);
        if (threads_asked < refuse_at) break;
    }
    unsetenv("PRESSMARK_SEED");
    folder_image_free(&one);
    printf("%u threads refused, one at a time\n", refuse_at - 1);
    assert_true(refuse_at > 12);
    refuse_at = 0;
}
#else /* which make pthread_create their own                                                   */
static void test_refused_threads(void **state)
{
    (void)state;
}
#endif

/* ---- refused memory ------------------------------------------------------------------------- */

#ifdef __SANITIZE_THREAD__ /* takes a second each, and has seen them all                       */
enum { STEP = 64, SORTING_STEP = 16, FORMS_STEP = 32, SPELLINGS_AT_ONCE = 6 };
#else
enum { STEP = 16, SORTING_STEP = 1, FORMS_STEP = 1, SPELLINGS_AT_ONCE = 60 };
#endif

/* 40,000 words of which each is written in a way of its own, so that all their forms are listed, by
 * two threads, and no title before them: what is known of a term may be nothing when memory was
 * refused. */
static void listed_text(buf *text, uint32_t number)
{
    for (uint32_t i = 0; i < 1000; i++) {
        static const char letters[] = "bcdfghjklmnpqrstvwxz";
        uint32_t rest = number * 1000 + i;
        for (unsigned k = 0; k < 6; k++, rest /= 20) {
            uint8_t letter = (uint8_t)letters[rest % 20];
            buf_u8(text, k % 2 || k > 2 ? letter : (uint8_t)(letter - 'a' + 'A'));
        }
        buf_u8(text, ' ');
    }
}

static void test_refused_memory_of_forms(void **state)
{
    (void)state;
    unsigned tried = 0, refused = 0;
    titled = false;
    build(listed_text, 40, 2);
    uint64_t all = commit_allocations;
    for (uint64_t at = 1; at <= all; at += FORMS_STEP, tried++) {
        folder_empty(root);
        pm_status st = build_refused(listed_text, 40, 2, at, true);
        if (st != PM_OK) assert_int_equal(st, PM_NOMEM);
        refused += st != PM_OK;
    }
    titled = true;
    printf("%u of %u commits refused\n", refused, tried);
    assert_true(refused > tried / 2);
}

/* Two threads that go on for a while after a refusal: the commit says so or is made.  Of all its
 * allocations some; between a quarter and two fifths, where the first buckets are sorted,
 * each: PM_FLUSH_ALL=1 asks for all. */
static void test_refused_memory(void **state)
{
    (void)state;
    bool every = getenv("PM_FLUSH_ALL") != NULL;
    unsigned tried = 0, refused = 0;
    build(common_text, 2500, 2);
    uint64_t all = commit_allocations;
    for (uint64_t at = 1; at <= all; at++) {
        bool sorting = at >= all / 4 && at <= all * 2 / 5;
        if (!every && at % (sorting ? SORTING_STEP : STEP)) continue;
        folder_empty(root);
        kept = at % 4 < 2;
        pm_status st = build_refused(common_text, 2500, 2, at, at % 2);
        kept = true;
        if (st != PM_OK) assert_int_equal(st, PM_NOMEM);
        refused += st != PM_OK;
        tried++;
    }
    printf("%u of %u commits refused, of %llu allocations each\n", refused, tried,
           (unsigned long long)all);
    assert_true(refused > tried / 2);
}

/* ---- far apart --------------------------------------------------------------------------- */

enum { FAR_ARTICLES = 300, FAR_TOKENS = 1000, FAR_AT = 66, FAR_TOKEN = 534 };

/* Between two words that have buckets of their own one that occurs in the first article, in the
 * last and on both sides of the middle, where two threads meet. */
static void far_text(buf *text, uint32_t number)
{
    uint32_t middle = FAR_ARTICLES / 2;
    for (uint32_t i = 0; i < FAR_TOKENS; i++) {
        bool here = number == FAR_AT && i == FAR_TOKEN; /* 65,535 behind the first article's last */
        buf_append_str(text, here ? "bbb " : i % 2 ? "aaa " : "ccc ");
    }
    if (number == 0 || number == FAR_ARTICLES - 1 || number - middle + 1 < 2)
        buf_append_str(text, "aaa aaa bbb ccc ccc bbb");
}

static void test_far_apart(void **state)
{
    (void)state;
    pm_error err;
    pm_index *index;
    pm_searcher *searcher;
    const pm_result *result;
    static const char phrase[] = "\"aaa aaa bbb ccc ccc bbb\"";
    static const uint32_t in[] = {0, FAR_ARTICLES / 2 - 1, FAR_ARTICLES / 2, FAR_ARTICLES - 1};
    titled = false;
    same_by_two(far_text, FAR_ARTICLES);
    titled = true;
    assert_int_equal(pm_index_open(root, &index, &err), PM_OK);
    assert_int_equal(pm_searcher_open(index, &searcher, &err), PM_OK);
    assert_int_equal(pm_searcher_search(searcher, phrase, sizeof phrase - 1, NULL, &result, &err),
                     PM_OK);
    assert_int_equal(result->n_hits, 4);
    for (size_t i = 0; i < 4; i++) {
        char id[16];
        snprintf(id, sizeof id, "%u", in[i]);
        assert_string_equal(result->hits[i].id.data, id);
    }
    assert_int_equal(pm_searcher_search(searcher, "bbb", 3, NULL, &result, &err), PM_OK);
    assert_int_equal(result->n_hits, 5);
    pm_searcher_close(searcher);
    pm_index_close(index);
}

/* ---- many spellings ---------------------------------------------------------------------- */

enum { SPELLINGS = 70000, SPELLINGS_EACH = 100 };

/* One word of 18 letters, each time with other capitals, and every hundredth time an old one. */
static void spellings_text(buf *text, uint32_t number)
{
    if (number == 0) buf_append_str(text, "aa "); /* a term before it                           */
    for (uint32_t i = 0; i < SPELLINGS_EACH; i++) {
        uint32_t bits = number * SPELLINGS_EACH + i;
        if (i == 99) bits = 5;
        for (unsigned k = 0; k < 18; k++)
            buf_u8(text, (uint8_t)((bits >> k & 1 ? 'A' : 'a') + (int)k));
        buf_append_str(text, " other ");
    }
}

static void test_many_spellings(void **state)
{
    (void)state;
    snapshot *s;
    term_entry term;
    dict_iter it;
    uint64_t forms = 0, sum = 0;
    same_by_two(spellings_text, SPELLINGS / SPELLINGS_EACH);
    assert_int_equal(snapshot_open(&s, root, NULL), PM_OK);
    segment *seg = s->segments[0].seg;
    assert_true(dict_find(seg, "abcdefghijklmnopqr", 18, &term));
    assert_int_equal(term.n_forms, SPELLINGS - SPELLINGS / SPELLINGS_EACH);
    assert_int_equal(term.cf, SPELLINGS);
    dict_iter_begin(&it, seg, true, "abcdefghijklmnopqr", 18);
    while (dict_iter_next(&it) && it.form.term == term.ordinal) {
        /* The old one is the most frequent; all others occur once. */
        assert_int_equal(it.form.cf, it.form.index ? 1 : SPELLINGS / SPELLINGS_EACH + 1);
        sum += it.form.cf;
        forms++;
    }
    assert_int_equal(forms, term.n_forms);
    assert_int_equal(sum, term.cf);
    snapshot_close(s);
}

/* Tokens of that word take two words of a bucket, so that more pieces are asked for than the stream
 * has: the last allocations of the scatter. */
static void test_refused_spellings(void **state)
{
    (void)state;
    enum { N = 1500 };
    unsigned tried = 0, refused = 0;
    kept = false;
    build(spellings_text, N, 2);
    uint64_t all = commit_allocations;
    for (uint64_t at = 1; at <= all; at += all / SPELLINGS_AT_ONCE + 1, tried++) {
        folder_empty(root);
        pm_status st = build_refused(spellings_text, N, 2, at, tried % 2);
        if (st != PM_OK) assert_int_equal(st, PM_NOMEM);
        refused += st != PM_OK;
    }
    kept = true;
    printf("%u of %u commits refused, of %llu allocations each\n", refused, tried,
           (unsigned long long)all);
    assert_true(refused > tried / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_many_tokens, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_refused_threads, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_refused_memory, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_refused_memory_of_forms, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_far_apart, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_many_spellings, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_refused_spellings, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
