/* SPDX-License-Identifier: MIT
 * test_no_text.c - an index that keeps no text: snippets and articles are those of an index that
 * does while the files are unchanged, and without text, counted, when they are not.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sys/stat.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "tests/support/ingest_fixture.h"

enum { FILES = 7 };

static ingest_fixture f;
static char with[FOLDER_PATH + 16], without[FOLDER_PATH + 16], in[FOLDER_PATH + 16];

static const struct {
    const char *name, *bytes;
} files[FILES] = {
    {"a.txt", "Harbour reopens\n\nThe harbour city opened its gates after the storm.\n"},
    {"b.md", "---\ntitle: Front\ntags: [x]\n---\nA harbour behind front matter.\n"},
    {"c.txt", "\xef\xbb\xbfMarked text\n\nThe harbour behind a mark.\n"},
    {"d.txt", "Repaired\n\nA caf\xc3\xa9 at the harbour \xff of old.\n"},
    {"e.md", "---\ntitle: Bad \xff byte\n---\nA harbour \xc3\xa9 that nobody finds again.\n"},
    {"f.txt", "Foreign\n\nA caf\xe9 at the harbour.\n"},
    {"g.jsonl", "{\"id\":\"line\",\"text\":\"A harbour on a line.\"}\n"},
};

static pm_status index_files(const char *index, int store)
{
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    pm_ingest_options reading = PM_INGEST_OPTIONS_INIT;
    pm_writer *writer = NULL;
    const char *paths[] = {in};
    options.store = store;
    options.commit_level = 2;
    pm_status st = pm_writer_open(index, &options, &writer, &f.err);
    if (st == PM_OK) st = pm_ingest(writer, paths, 1, &reading, NULL, &f.err);
    if (st == PM_OK) st = pm_writer_commit(writer, NULL, &f.err);
    pm_writer_close(writer);
    return st;
}

static int setup(void **state)
{
    (void)state;
    fixture_open(&f);
    snprintf(with, sizeof with, "%s/with.idx", f.folder);
    snprintf(without, sizeof without, "%s/without.idx", f.folder);
    snprintf(in, sizeof in, "%s/in", f.folder);
    for (size_t i = 0; i < FILES; i++) {
        char name[32];
        snprintf(name, sizeof name, "in/%s", files[i].name);
        fixture_text(&f, name, files[i].bytes);
    }
    fixture_gzip(&f, "in/h.txt.gz", "Packed\n\nA harbour in an archive.\n", 34);
    assert_int_equal(index_files(with, 1), PM_OK);
    assert_int_equal(index_files(without, 0), PM_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

typedef struct opened {
    pm_index *index;
    pm_searcher *searcher;
    const pm_result *result;
} opened;

static pm_status ask(opened *o, const char *path)
{
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    options.limit = 20;
    *o = (opened){.index = NULL};
    pm_status st = pm_index_open(path, &o->index, &f.err);
    if (st == PM_OK) st = pm_searcher_open(o->index, &o->searcher, &f.err);
    if (st == PM_OK)
        st = pm_searcher_search(o->searcher, "harbour", 7, &options, &o->result, &f.err);
    return st;
}

static void done(opened *o)
{
    pm_searcher_close(o->searcher);
    pm_index_close(o->index);
}

/* Bytes that no span of the file says: converted, unpacked, repaired within the front matter,
 * or of a line. */
static bool is_lost(pm_text id)
{
    static const char *const lost[] = {"e.md", "f.txt", "h.txt.gz", "line"};
    for (size_t i = 0; i < 4; i++)
        if (id.len == strlen(lost[i]) && memcmp(id.data, lost[i], id.len) == 0) return true;
    return false;
}

static bool same(pm_text a, pm_text b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static void snippets_come_from_the_files(void **state)
{
    (void)state;
    opened a, b;
    unsigned lost = 0;
    assert_int_equal(ask(&a, with), PM_OK);
    assert_int_equal(ask(&b, without), PM_OK);
    assert_int_equal(a.result->n_hits, FILES + 1);
    assert_int_equal(b.result->n_hits, FILES + 1);
    for (size_t i = 0; i < FILES + 1; i++) {
        const pm_hit *x = &a.result->hits[i], *y = &b.result->hits[i];
        assert_true(same(x->id, y->id) && same(x->title, y->title) && x->score == y->score);
        assert_true(x->snippet.len && x->n_highlights);
        if (is_lost(y->id)) {
            assert_int_equal(y->snippet.len, 0);
            lost++;
            continue;
        }
        assert_true(same(x->snippet, y->snippet));
        assert_int_equal(x->n_highlights, y->n_highlights);
    }
    assert_int_equal(lost, 4);
    assert_int_equal(a.result->n_without_text, 0);
    assert_int_equal(b.result->n_without_text, lost);
    done(&a);
    done(&b);
}

static void articles_come_from_the_files(void **state)
{
    (void)state;
    opened a, b;
    assert_int_equal(ask(&a, with), PM_OK);
    assert_int_equal(ask(&b, without), PM_OK);
    for (size_t i = 0; i < FILES + 1; i++) {
        pm_article *x, *y;
        pm_text id = a.result->hits[i].id;
        assert_int_equal(pm_index_article(a.index, id.data, id.len, &x, &f.err), PM_OK);
        assert_int_equal(pm_index_article(b.index, id.data, id.len, &y, &f.err), PM_OK);
        assert_false(x->text_missing);
        assert_true(y->text_missing == is_lost(id));
        if (!y->text_missing) {
            assert_true(same(x->text, y->text) && x->title_in_body == y->title_in_body);
            assert_true(x->title_start == y->title_start && x->title_end == y->title_end);
        } else {
            assert_int_equal(y->text.len, 0);
        }
        pm_article_free(x);
        pm_article_free(y);
    }
    done(&a);
    done(&b);
}

static void a_changed_file_is_no_source(void **state)
{
    (void)state;
    opened o;
    fixture_text(&f, "in/a.txt", "Something else\n\nof another size, with no such words.\n");
    assert_int_equal(remove(fixture_path(&f, "in/c.txt")), 0);
    assert_int_equal(ask(&o, without), PM_OK);
    assert_int_equal(o.result->n_without_text, 6);
    for (size_t i = 0; i < o.result->n_hits; i++) {
        bool has = o.result->hits[i].snippet.len != 0;
        bool kept = same(o.result->hits[i].id, (pm_text){"b.md", 4}) ||
                    same(o.result->hits[i].id, (pm_text){"d.txt", 5});
        assert_true(has == kept);
    }
    done(&o);
}

static void set_time(const char *name, long seconds)
{
    struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, fixture_path(&f, name), times, 0), 0);
}

/* Copied, or checked out anew: the time is another one, and the bytes decide. */
static void a_file_of_another_time(void **state)
{
    (void)state;
    opened o;
    char changed[128];
    int len = snprintf(changed, sizeof changed, "%s", files[2].bytes);
    changed[len - 2] = '!';
    fixture_text(&f, "in/c.txt", changed);
    set_time("in/a.txt", 1000000000);
    set_time("in/b.md", 1000000001);
    set_time("in/c.txt", 1000000002);
    for (unsigned turn = 0; turn < 2; turn++) {
        assert_int_equal(ask(&o, without), PM_OK);
        for (size_t i = 0; i < o.result->n_hits; i++) {
            bool has = o.result->hits[i].snippet.len != 0;
            bool kept = !is_lost(o.result->hits[i].id) &&
                        (turn || !same(o.result->hits[i].id, (pm_text){"c.txt", 5}));
            assert_true(has == kept);
        }
        done(&o);
        assert_int_equal(index_files(without, -1), PM_OK); /* takes c.txt, leaves the others     */
    }
}

static int refuse_inputs(const char *call, const char *path)
{
    return strcmp(call, "read") == 0 && strstr(path, "/in/") ? 5 : 0;
}

static void an_unreadable_file_is_no_source(void **state)
{
    (void)state;
    opened o;
    file_fault = refuse_inputs;
    pm_status st = ask(&o, without);
    file_fault = NULL;
    assert_int_equal(st, PM_OK);
    assert_int_equal(o.result->n_without_text, FILES + 1);
    done(&o);
}

static void refused_memory(void **state)
{
    (void)state;
    pm_status st = PM_NOMEM;
    unsigned refusals = 0;
    for (uint64_t n = 1; st != PM_OK; n++) {
        opened o;
        pm_article *a = NULL;
        mem_fail_at(n, n % 2);
        st = ask(&o, without);
        if (st == PM_OK) st = pm_index_article(o.index, "a.txt", 5, &a, &f.err);
        mem_fail_at(0, false);
        assert_true(st == PM_OK || st == PM_NOMEM);
        if (st == PM_OK) {
            assert_int_equal(o.result->n_without_text, 4);
            assert_false(a->text_missing);
        }
        refusals += st != PM_OK;
        pm_article_free(a);
        done(&o);
    }
    assert_true(refusals > 20);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(snippets_come_from_the_files),    CASE(articles_come_from_the_files),
        CASE(a_changed_file_is_no_source),     CASE(a_file_of_another_time),
        CASE(an_unreadable_file_is_no_source), CASE(refused_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
