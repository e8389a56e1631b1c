/* SPDX-License-Identifier: MIT
 *
 * test_refused_memory.c - the n-th allocation refused, for all n, once and from then on: those of
 * mem.c and those of the libraries that read JSON and YAML, deflate and stem.
 *
 * While articles are indexed, replaced and deleted, and segments merged: the status is
 * PM_NOMEM or PM_OK, and the folder then holds the state before or the whole one after, PM_OK
 * always meaning the one after.  While an index is opened and asked: PM_NOMEM, or PM_OK with
 * the sound answers.  Nothing crashes and (under sanitizers) nothing leaks.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/cli/emit_article.h"
#include "common/cli/queries.h"
#include "tests/support/folder.h"
#include "tests/support/probe.h"

static char folder[FOLDER_PATH];
static folder_image before;                      /* what each case begins with                    */
static transcript old_answers, new_answers;      /* old_answers empty: there is no index before */
static transcript first_answers, second_answers; /* of two commits                        */
static transcript answers;

/* ---- an allocator that says no: the linker sends here what the C library is asked ------ */

static _Atomic uint64_t asked; /* since the last refuse_at                                      */
static uint64_t refused_one;   /* 0: none                                                      */
static bool refused_since;

static void refuse_at(uint64_t n, bool sticky)
{
    refused_one = n;
    refused_since = sticky;
    asked = 0;
}

/* Not inside jansson's parser: json.c says why, and asks for memory before. */
static _Thread_local bool parsing;

static bool refuse(void)
{
    if (parsing) return false;
    uint64_t n = atomic_fetch_add(&asked, 1) + 1;
    bool no = refused_one && (n == refused_one || (refused_since && n > refused_one));
    if (no) errno = ENOMEM;
    return no;
}

#define WRAP(result, name, parameters, arguments)                                                  \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        return refuse() ? NULL : __real_##name arguments;                                          \
    }
WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, (void *ptr, size_t size), (ptr, size))
WRAP(void *, aligned_alloc, (size_t align, size_t size), (align, size))
WRAP(char *, strdup, (const char *text), (text))

json_t *__real_json_loadb(const char *text, size_t len, size_t flags, json_error_t *error);
json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags, json_error_t *error);
json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags, json_error_t *error)
{
    parsing = true;
    json_t *out = __real_json_loadb(text, len, flags, error);
    parsing = false;
    return out;
}

/* ---- what is done while memory is refused --------------------------------------------- */

static pm_status add_articles(pm_writer *writer, unsigned from, pm_error *err)
{
    const char *const articles[3][3] = {
        {"one", "Rare earths",
         "China tightens export controls on rare earth minerals, the US says."},
        {"two", "Talks",
         "Trump and Xi meet at the APEC summit; \"trade talks\" go on. TikTok waits."},
        {probe_article_id, "R\xc3\xa9sum\xc3\xa9",
         "Caf\xc3\xa9 owners\xe2\x80\x99 tariffs: 145% in U.S.-China trade."},
    };
    pm_status st = PM_OK;
    for (unsigned i = from; st == PM_OK && i < 3; i++) {
        const char *const *a = articles[i];
        pm_article article = {.id = {a[0], strlen(a[0])},
                              .title = {a[1], strlen(a[1])},
                              .text = {a[2], strlen(a[2])},
                              .date = {"2025-09-19", 10},
                              .source = {"Wire", 4},
                              .author = {"Ann Doe, Bob Roe", 16},
                              .tags = {a[0], strlen(a[0])},
                              .lang = {"en-GB", 5}};
        st = pm_writer_add(writer, &article, NULL, err);
    }
    return st;
}

static pm_status open_writer(unsigned threads, pm_writer **writer, pm_error *err)
{
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.threads = threads;
    options.memory_bytes = 16u << 20;
    options.commit_level = 2;
    return pm_writer_open(folder, &options, writer, err);
}

static pm_status index_by(unsigned threads, pm_error *err)
{
    pm_writer *writer = NULL;
    pm_status st = open_writer(threads, &writer, err);
    if (st == PM_OK) st = add_articles(writer, 0, err);
    if (st == PM_OK) st = pm_writer_commit(writer, NULL, err);
    pm_writer_close(writer);
    return st;
}

static pm_status index_three(pm_error *err)
{
    return index_by(1, err);
}
static pm_status index_three_threaded(pm_error *err)
{
    return index_by(2, err);
}

/* The last of three articles once more, in a commit of its own.  What refuses memory there must
 * leave the first commit as it was. */
static pm_status index_again_by(pm_status (*commit)(pm_writer *w, pm_commit_info *info,
                                                    pm_error *err),
                                pm_error *err)
{
    pm_writer *writer = NULL;
    pm_status st = open_writer(1, &writer, err);
    if (st == PM_OK) st = add_articles(writer, 0, err);
    if (st == PM_OK) st = pm_writer_commit(writer, NULL, err);
    if (st == PM_OK) {
        pm_status second = add_articles(writer, 2, err);
        if (second == PM_OK) second = commit(writer, NULL, err);
        if (second != PM_NOMEM) st = second;
    }
    pm_writer_close(writer);
    return st;
}

static pm_status index_again(pm_error *err)
{
    return index_again_by(pm_writer_commit, err);
}
/* The same, and what the writer keeps of both commits becomes one segment. */
static pm_status index_and_gather(pm_error *err)
{
    return index_again_by(pm_writer_finish, err);
}

static pm_status update(pm_error *err)
{
    pm_article article = {.id = {"two", 3}, .text = {"Rare earth talks ended.", 23}};
    pm_writer *writer = NULL;
    pm_status st = open_writer(1, &writer, err);
    if (st == PM_OK) st = pm_writer_add(writer, &article, NULL, err);
    if (st == PM_OK) st = pm_writer_delete(writer, "one", 3, NULL, err);
    if (st == PM_OK) st = pm_writer_commit(writer, NULL, err);
    pm_writer_close(writer);
    return st;
}

static pm_status optimize(pm_error *err)
{
    pm_writer *writer = NULL;
    pm_status st = open_writer(1, &writer, err);
    if (st == PM_OK) st = pm_writer_optimize(writer, NULL, err);
    pm_writer_close(writer);
    return st;
}

static pm_status ingest_from(const char *path, uint64_t articles, pm_error *err)
{
    pm_ingest_options options = PM_INGEST_OPTIONS_INIT;
    pm_ingest_summary sum;
    pm_writer *writer = NULL;
    pm_status st = open_writer(1, &writer, err);
    if (st == PM_OK) st = pm_ingest(writer, &path, 1, &options, &sum, err);
    if (st == PM_OK) st = pm_writer_commit(writer, NULL, err);
    pm_writer_close(writer);
    if (st == PM_OK) assert_int_equal(sum.added, articles);
    return st;
}
static pm_status ingest(pm_error *err)
{
    return ingest_from("corpus/articles", 5, err);
}

/* Front matter and lines of JSON that need the slow ways: numbers to be kept as they are spelled,
 * text to be mended, a block that is no YAML. */
static char inputs[FOLDER_PATH];

static void make_inputs(void)
{
    static const char lines[] =
        "{\"id\":\"j1\",\"title\":\"Caf\\u00e9\",\"text\":\"rare "
        "earth\",\"n\":123456789012345678901234567890,\"m\":[0.10,{}]}\n"
        "{\"id\":\"j2\",\"text\":\"tariffs \xff here \\ud800\",\"tags\":[\"a\",\"b\"]}\n";
    static const char yaml[] = "---\ntitle: Talks\ndate: 2025-10-30\ntags: [x, \"y z\"]\n"
                               "more: {deep: [1, ~]}\n---\nTikTok waits.\n";
    static const char plain[] = "---\ntitle: Xi: a visit\ntags:\n- one\n- two\nlist: [a, 'b, c']\n"
                                "---\nThe summit in Korea.\n";
    folder_make(inputs);
    folder_write(inputs, "a.jsonl", lines, sizeof lines - 1);
    folder_write(inputs, "b.md", yaml, sizeof yaml - 1);
    folder_write(inputs, "c.md", plain, sizeof plain - 1);
}

static pm_status ingest_odd(pm_error *err)
{
    return ingest_from(inputs, 4, err);
}

static pm_status ask(pm_error *err)
{
    return probe_all(folder, &answers, err);
}

/* Each query of a batch has a result or an error of its own. */
static bool batch_each(void *ctx, size_t i, const pm_result *result, const pm_error *error)
{
    pm_status *worst = ctx;
    (void)i;
    if (!result && error->status != PM_OK) *worst = error->status;
    return true;
}

static pm_status batch(pm_error *err)
{
    const pm_batch_query queries[] = {{{"1", 1}, {"rare earth", 10}},
                                      {{"2", 1}, {"\"trade talks\" tiktok", 20}},
                                      {{"3", 1}, {"the", 3}}};
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    pm_index *index = NULL;
    pm_status worst = PM_OK, st = pm_index_open(folder, &index, err);
    if (st == PM_OK) st = pm_batch(index, queries, 3, &options, 2, batch_each, &worst, err);
    pm_index_close(index);
    if (st != PM_OK || worst == PM_OK) return st;
    err->status = worst;
    return worst;
}

static pm_status check(pm_error *err)
{
    return pm_check(folder, true, NULL, NULL, NULL, err);
}

/* ---- refusing ------------------------------------------------------------------------- */

/* The state before, or the whole one after. */
static void verify_folder(pm_status st, uint64_t n)
{
    pm_error err = {.status = PM_OK};
    pm_status seen = probe_all(folder, &answers, &err);
    bool is_new = seen == PM_OK && transcript_equal(&answers, &new_answers);
    bool is_old = old_answers.len ? seen == PM_OK && transcript_equal(&answers, &old_answers)
                                  : seen == PM_USAGE;
    if (!is_new && !is_old)
        fail_msg("allocation %lu refused: a third thing: %s", (unsigned long)n, err.message);
    if (st == PM_OK && !is_new)
        fail_msg("allocation %lu refused: PM_OK without a commit", (unsigned long)n);
    if (st != PM_OK && !is_old)
        fail_msg("allocation %lu refused: a commit without PM_OK", (unsigned long)n);
    folder_restore(folder, &before);
}

/* After index_and_gather: nothing, the first commit, or both, in one segment or, when memory to
 * keep tokens was refused, in two. */
static void verify_gathered(pm_status st, uint64_t n)
{
    pm_error err = {.status = PM_OK};
    pm_status seen = probe_all(folder, &answers, &err);
    bool first = seen == PM_OK && transcript_equal(&answers, &first_answers),
         both = seen == PM_OK && transcript_equal(&answers, &new_answers);
    both |= seen == PM_OK && transcript_equal(&answers, &second_answers);
    if (st == PM_OK ? !first && !both : seen != PM_USAGE)
        fail_msg("allocation %lu refused: a third thing: %s", (unsigned long)n, err.message);
    folder_restore(folder, &before);
}

static void verify_answers(pm_status st, uint64_t n)
{
    if (st == PM_OK && !transcript_equal(&answers, &new_answers))
        fail_msg("allocation %lu refused: another answer", (unsigned long)n);
}

static void verify_nothing(pm_status st, uint64_t n)
{
    (void)st;
    (void)n;
}

/* Repeat `act`, each time refusing a later allocation, until it needs fewer than that. */
static void refuse_each(const char *title, pm_status (*act)(pm_error *err),
                        void (*verify)(pm_status st, uint64_t n), bool sticky)
{
    uint64_t n = 1, refused = 0, survived = 0;
    for (;; n++) {
        pm_error err = {.status = PM_OK};
        refuse_at(n, sticky);
        pm_status st = act(&err);
        uint64_t needed = asked;
        refuse_at(0, false);
        if (st != PM_OK && st != PM_NOMEM)
            fail_msg("%s: allocation %lu refused: %s: %s", title, (unsigned long)n,
                     pm_status_name(st), err.message);
        if (st == PM_NOMEM && err.status != PM_NOMEM)
            fail_msg("%s: allocation %lu refused: the error says nothing", title, (unsigned long)n);
        verify(st, n);
        if (needed < n) {
            assert_int_equal(st, PM_OK);
            break;
        }
        if (st == PM_OK)
            survived++;
        else
            refused++;
    }
    printf("%s, %s: %lu allocations: %lu reported, %lu done without\n", title,
           sticky ? "sticky" : "once", (unsigned long)n - 1, (unsigned long)refused,
           (unsigned long)survived);
    assert_true(refused > 0);
}

static int begin(void **state)
{
    (void)state;
    unsetenv("PRESSMARK_SEED");
    folder_make(folder);
    make_inputs();
    return 0;
}

static int end(void **state)
{
    (void)state;
    folder_image_free(&before);
    folder_remove(folder);
    folder_remove(inputs);
    return 0;
}

/* The folder as it is becomes the state before; what `act` makes of it the one after. */
static void learn(pm_status (*act)(pm_error *err))
{
    pm_error err = {.status = PM_OK};
    folder_image_free(&before);
    folder_load(folder, &before);
    old_answers.len = 0;
    if (before.n && probe_all(folder, &old_answers, &err) != PM_OK) fail_msg("%s", err.message);
    if (act(&err) != PM_OK || probe_all(folder, &new_answers, &err) != PM_OK)
        fail_msg("nothing refused: %s", err.message);
}

static void refuse_in_writing(const char *title, pm_status (*act)(pm_error *err))
{
    learn(act);
    for (int sticky = 0; sticky < 2; sticky++) {
        folder_restore(folder, &before);
        refuse_each(title, act, verify_folder, sticky);
    }
    folder_restore(folder, &before);
}

static void test_indexing(void **state)
{
    (void)state;
    folder_empty(folder);
    refuse_in_writing("index three articles", index_three);
    refuse_in_writing("index three articles, two threads", index_three_threaded);
    refuse_in_writing("ingest five files", ingest);
    refuse_in_writing("ingest JSON and front matter", ingest_odd);
}

static void test_changing(void **state)
{
    pm_error err = {.status = PM_OK};
    (void)state;
    folder_empty(folder);
    assert_int_equal(index_three(&err), PM_OK);
    refuse_in_writing("replace and delete", update);
    assert_int_equal(update(&err), PM_OK);
    refuse_in_writing("merge two segments", optimize);
}

static void test_gathering(void **state)
{
    (void)state;
    folder_empty(folder);
    learn(index_three);
    first_answers = new_answers;
    folder_restore(folder, &before);
    learn(index_again);
    second_answers = new_answers;
    folder_restore(folder, &before);
    learn(index_and_gather);
    assert_false(transcript_equal(&new_answers, &second_answers));
    for (int sticky = 0; sticky < 2; sticky++) {
        folder_restore(folder, &before);
        refuse_each("index, and merge what is kept", index_and_gather, verify_gathered, sticky);
    }
}

static void test_reading(void **state)
{
    pm_error err = {.status = PM_OK};
    (void)state;
    folder_empty(folder);
    assert_int_equal(index_three(&err), PM_OK);
    learn(update);
    for (int sticky = 0; sticky < 2; sticky++) {
        refuse_each("open, search, article, stats, dump", ask, verify_answers, sticky);
        refuse_each("check", check, verify_nothing, sticky);
        refuse_each("batch on two threads", batch, verify_nothing, sticky);
    }
}

/* What the command line reads and writes of JSON: all of it, or nothing and the reason. */
static pm_status write_article(void)
{
    static const char extra[] = "{\"series\": \"minerals\", \"pages\": [1, 2, 3]}";
    const pm_article article = {.id = {"one", 3}, .extra = {extra, sizeof extra - 1}};
    json_t *out = emit_article_json(&article);
    if (!out) return PM_NOMEM;
    assert_string_equal(json_string_value(json_object_get(out, "series")), "minerals");
    assert_int_equal(json_array_size(json_object_get(out, "pages")), 3);
    json_decref(out);
    return PM_OK;
}

static pm_status read_queries(void)
{
    static const char lines[] = "{\"qid\": \"q1\", \"query\": \"rare earth\"}\n"
                                "{\"qid\": 2, \"text\": \"export controls\"}\n"
                                "{\"_id\": 12345678901234567890123, \"query\": \"trade\"}\n"
                                "{\"id\": 2, \"query\": \"talks\"}\n";
    query_list list = {0};
    pm_error err = {.status = PM_OK};
    pm_status st = PM_NOMEM;
    if (buf_reserve(&list.text, sizeof lines)) {
        buf_append(&list.text, lines, sizeof lines - 1);
        st = queries_parse(&list, "queries", 1, &err);
    }
    size_t repeated = 0;
    pm_text example;
    if (st == PM_OK) st = queries_repeated(&list, &repeated, &example, &err);
    if (st == PM_OK) assert_int_equal(list.n, 4);
    if (st == PM_OK) assert_int_equal(repeated, 1);
    if (st == PM_OK) assert_memory_equal(list.items[2].qid.data, "12345678901234567890123", 23);
    queries_free(&list);
    return st;
}

static char topics[FOLDER_PATH + 16]; /* a gzipped file of them                           */

static void write_topics(const char *where)
{
    /* <top><num>1<title>rare <b>earth</b></top> */
    static const unsigned char bytes[] = {
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xb3, 0x29, 0xc9, 0x2f, 0xb0,
        0xb3, 0xc9, 0x2b, 0xcd, 0xb5, 0x33, 0xb4, 0x29, 0xc9, 0x2c, 0xc9, 0x49, 0xb5, 0x2b, 0x4a,
        0x2c, 0x4a, 0x55, 0xb0, 0x49, 0xb2, 0x4b, 0x4d, 0x2c, 0x2a, 0xc9, 0xb0, 0xd1, 0x4f, 0xb2,
        0xb3, 0xd1, 0x07, 0xa9, 0xe1, 0x02, 0x00, 0xa1, 0xe1, 0x30, 0xa5, 0x2a, 0x00, 0x00, 0x00};
    folder_write(where, "topics.gz", bytes, sizeof bytes);
    snprintf(topics, sizeof topics, "%s/topics.gz", where);
}

static pm_status read_gzipped(void)
{
    query_list list = {0};
    pm_error err = {.status = PM_OK};
    pm_status st = queries_read(&list, topics, TOPIC_TITLE, &err);
    if (st == PM_OK) assert_int_equal(list.n, 1);
    if (st == PM_OK) assert_int_equal(list.items[0].query.len, 10);
    queries_free(&list);
    return st;
}

static void test_command_line(void **state)
{
    pm_status (*const work[])(void) = {write_article, read_queries, read_gzipped};
    char where[FOLDER_PATH];
    (void)state;
    folder_make(where);
    write_topics(where);
    for (size_t i = 0; i < sizeof work / sizeof *work; i++) {
        for (int sticky = 0; sticky < 2; sticky++) {
            uint64_t n = 0;
            bool over = false;
            while (!over) {
                refuse_at(++n, sticky);
                pm_status st = work[i]();
                over = asked < n;
                refuse_at(0, false);
                assert_true(st == PM_NOMEM || st == PM_OK);
                if (over) assert_int_equal(st, PM_OK);
            }
            assert_true(n > 5);
        }
    }
    folder_remove(where);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_indexing),     cmocka_unit_test(test_changing),
        cmocka_unit_test(test_gathering),    cmocka_unit_test(test_reading),
        cmocka_unit_test(test_command_line),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
