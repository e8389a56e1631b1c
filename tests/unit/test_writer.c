/* SPDX-License-Identifier: MIT
 * test_writer.c - writing through the public contract: a model of what the index must hold.
 * An index that went through adding, replacing, deleting, committing, merging and reopening is
 * compared with one that was given its live articles in one go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/segment/snapshot.h"
#include "common/text/date.h"
#include "tests/support/folder.h"
#include "tests/support/made_articles.h"

static char root[FOLDER_PATH], other[FOLDER_PATH];

static int set_up(void **state)
{
    (void)state;
    folder_make(root);
    folder_make(other);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    file_fault = NULL;
    folder_remove(root);
    folder_remove(other);
    return 0;
}

/* ---- the model ----------------------------------------------------------------------- */

enum { NUMBERS = 60 };

typedef struct model {
    unsigned version[NUMBERS]; /* 0: absent                                                */
    uint64_t order[NUMBERS];   /* when it was last added                                   */
    uint64_t clock;
} model;

static void model_compare(const model *m, const char *path)
{
    folder_empty(other);
    pm_writer *w = open_writer(other, 1 << 30);
    for (uint64_t t = 1; t <= m->clock; t++)
        for (unsigned i = 0; i < NUMBERS; i++)
            if (m->version[i] && m->order[i] == t) add(w, i, m->version[i]);
    commit(w);
    pm_writer_close(w);
    assert_same_dump(path, other);
    assert_sound(path);
}

static void model_step(model *m, pm_writer *w, uint64_t r)
{
    unsigned i = (unsigned)(r >> 8) % NUMBERS;
    if (r % 8 < 6) {
        bool replaced = add(w, i, (unsigned)++m->clock);
        assert_int_equal(replaced, m->version[i] != 0);
        m->version[i] = (unsigned)m->clock;
        m->order[i] = m->clock;
    } else {
        assert_int_equal(remove_article(w, i), m->version[i] != 0);
        m->version[i] = 0;
    }
}

/* One life of an index: a few hundred changes, commits, merges and reopenings. */
static void run_model(uint64_t seed, uint64_t memory)
{
    model m = {0};
    model committed = m;
    printf("seed %llu, memory %llu\n", (unsigned long long)seed, (unsigned long long)memory);
    pm_writer *w = open_writer(root, memory);
    commit(w);
    for (unsigned step = 0; step < 300; step++) {
        uint64_t r = random_next(&seed);
        if (r % 40 == 0) {
            commit(w);
            committed = m;
        } else if (r % 97 == 1) {
            pm_error err;
            must(pm_writer_optimize(w, NULL, &err), &err);
            committed = m;
        } else if (r % 97 == 2) { /* what was not committed is gone                          */
            pm_writer_close(w);
            w = open_writer(root, memory);
            m = committed;
        } else {
            model_step(&m, w, r >> 16);
        }
        if (step % 100 == 50) model_compare(&committed, root);
    }
    commit(w);
    model_compare(&m, root);
    pm_error err;
    must(pm_writer_optimize(w, NULL, &err), &err);
    pm_writer_close(w);
    model_compare(&m, root);
    snapshot *s;
    must(snapshot_open(&s, root, &err), &err);
    assert_int_equal(s->meta.n_segments, 1);
    assert_int_equal(s->segments[0].dead.n_deleted, 0);
    assert_true(s->meta.avgdl_ref == s->avgdl);
    snapshot_close(s);
    folder_empty(root);
}

static void test_model(void **state)
{
    (void)state;
    const uint64_t memories[] = {1, 20000, 60000, 1 << 30};
    for (uint64_t seed = 1; seed <= 8; seed++) run_model(seed, memories[seed % 4]);
}

/* ---- what a commit is ---------------------------------------------------------------- */

static void test_two_runs_two_segments(void **state)
{
    (void)state;
    for (unsigned run = 0; run < 2; run++) {
        pm_writer *w = open_writer(root, 1 << 30);
        for (unsigned i = 0; i < 10; i++) assert_false(add(w, 10 * run + i, 1));
        pm_commit_info info = commit(w);
        assert_int_equal(info.generation, run + 1);
        assert_int_equal(info.added, 10);
        assert_int_equal(info.updated, 0);
        assert_true(info.text_bytes > 100 && info.index_bytes > 1000);
        pm_writer_close(w);
    }
    assert_int_equal(count_files(root, ".seg"), 2);
    pm_writer *w = open_writer(other, 1 << 30);
    for (unsigned i = 0; i < 20; i++) add(w, i, 1);
    commit(w);
    pm_writer_close(w);
    assert_same_dump(root, other);
}

/* ---- merges -------------------------------------------------------------------------- */

static size_t assert_few_segments(const pm_writer *w, unsigned commits_made)
{
    size_t most = w->beside ? 12 : 10; /* while a merge goes on beside, two more              */
    if (w->n_segments > most)
        fail_msg("%zu segments after %u commits", w->n_segments, commits_made);
    return w->n_segments;
}

static void test_few_segments(void **state)
{
    (void)state;
    unsigned merges = 0;
    size_t before = 0;
    for (unsigned i = 0; i < 60; i++) {
        pm_writer *w = open_writer(root, 1 << 30);
        for (unsigned k = 0; k < 3; k++) assert_false(add(w, 3 * i + k, 1));
        commit(w);
        size_t n = assert_few_segments(w, i + 1);
        merges += n <= before;
        before = n;
        pm_writer_close(w);
    }
    assert_true(merges > 1 && merges < 20);
    assert_sound(root);
    pm_writer *w = open_writer(other, 1 << 30);
    for (unsigned i = 0; i < 180; i++) add(w, i, 1);
    commit(w);
    pm_writer_close(w);
    assert_same_dump(root, other);
}

static void test_few_segments_with_deletes(void **state)
{
    (void)state;
    pm_writer *w = open_writer(root, 1 << 30);
    for (unsigned i = 0; i < 60; i++) {
        for (unsigned k = 0; k < 3; k++) add(w, 3 * i + k, 1);
        if (i > 2) assert_true(remove_article(w, 3 * (i - 3)));
        if (i % 4 == 3) assert_true(add(w, 3 * i - 1, 2));
        commit(w);
        assert_few_segments(w, i + 1);
    }
    pm_writer_close(w);
    assert_sound(root);
    w = open_writer(other, 1 << 30);
    for (unsigned i = 0; i < 60; i++)
        for (unsigned k = 0; k < 3; k++) {
            unsigned number = 3 * i + k;
            if (k == 0 && i < 57) continue;
            if (!(i % 4 == 2 && k == 2)) add(w, number, 1);
            if (i % 4 == 3 && k == 2) add(w, 3 * i - 1, 2);
        }
    commit(w);
    pm_writer_close(w);
    assert_same_dump(root, other);
}

/* One transaction through a writer whose memory is full again and again. */
static void test_few_segments_of_one_commit(void **state)
{
    (void)state;
    pm_writer *w = open_writer(root, 60000);
    uint64_t most = 0;
    for (unsigned i = 0; i < 900; i++) {
        add(w, i % 800, i);
        if (w->n_segments > most) most = w->n_segments;
    }
    assert_int_equal(most, 10);
    commit(w);
    assert_few_segments(w, 1);
    pm_writer_close(w);
    assert_sound(root);
    w = open_writer(other, 1 << 30);
    for (unsigned i = 100; i < 900; i++) add(w, i % 800, i);
    commit(w);
    pm_writer_close(w);
    assert_same_dump(root, other);
}

/* No merge is made that is counted to take more than the limit. */
static void test_merge_within_memory(void **state)
{
    (void)state;
    pm_writer *w = open_writer(root, 1000);
    for (unsigned i = 0; i < 60; i++) {
        for (unsigned k = 0; k < 3; k++) add(w, 3 * i + k, 1);
        commit(w);
    }
    assert_true(w->n_segments > 10);
    pm_writer_close(w);
    w = open_writer(root, 1 << 30);
    add(w, 1000, 1);
    commit(w);
    assert_true(w->n_segments <= 10);
    pm_writer_close(w);
    assert_sound(root);
}

static void test_expunge(void **state)
{
    (void)state;
    const unsigned n = 6000, few = n / 5;
    pm_writer *w = open_writer(root, 1 << 30);
    for (unsigned i = 0; i < n; i++) add(w, i, 1);
    commit(w);
    for (unsigned i = 0; i < few; i++) assert_true(remove_article(w, i));
    commit(w);
    assert_int_equal(w->n_segments, 1);
    assert_int_equal(w->segments[0].named.n_deleted, few); /* a fifth: stays                  */
    assert_true(remove_article(w, few));
    commit(w);
    assert_int_equal(w->n_segments, 1);
    assert_int_equal(w->segments[0].named.n_deleted, 0);
    assert_int_equal(w->segments[0].named.n_docs, n - few - 1);
    assert_int_equal(w->segments[0].named.del_size, 0);
    pm_writer_close(w);
    assert_sound(root);
    w = open_writer(other, 1 << 30);
    for (unsigned i = few + 1; i < n; i++) add(w, i, 1);
    commit(w);
    pm_writer_close(w);
    assert_same_dump(root, other);
}

static void test_counts(void **state)
{
    (void)state;
    made_article m;
    pm_error err;
    pm_writer *w = open_writer(root, 1 << 30);
    assert_false(add(w, 1, 1));
    assert_true(add(w, 1, 2)); /* in the batch                                               */
    assert_true(remove_article(w, 1));
    assert_false(remove_article(w, 1));
    assert_false(add(w, 1, 3));
    make_article(&m, 2, 1);
    m.a.date = (pm_text){"some day", 8};
    m.a.text = (pm_text){"a\xff"
                         "b\xc3 c",
                         6};
    m.a.title_in_body = false;
    must(pm_writer_add(w, &m.a, NULL, &err), &err);
    pm_commit_info info = commit(w);
    assert_int_equal(info.added, 3);
    assert_int_equal(info.updated, 1);
    assert_int_equal(info.deleted, 1);
    assert_int_equal(info.repaired, 2);
    assert_int_equal(info.bad_dates, 1);
    info = commit(w);
    assert_int_equal(info.added + info.updated + info.deleted + info.text_bytes, 0);
    pm_writer_close(w);
    assert_sound(root);
}

static unsigned calls_seen;
static int count_changes(const char *call, const char *path)
{
    (void)path;
    const char *changing[] = {"write", "fsync", "rename", "link", "unlink", "mkdir", "syncfs"};
    for (size_t i = 0; i < sizeof changing / sizeof *changing; i++)
        calls_seen += strcmp(call, changing[i]) == 0;
    return 0;
}

static void test_nothing_to_commit(void **state)
{
    (void)state;
    pm_writer *w = open_writer(root, 1 << 30);
    assert_int_equal(commit(w).generation, 1); /* an empty index is an index                 */
    assert_sound(root);
    add(w, 1, 1);
    assert_int_equal(commit(w).generation, 2);
    calls_seen = 0;
    file_fault = count_changes;
    assert_int_equal(commit(w).generation, 2);
    assert_false(remove_article(w, 99));
    assert_int_equal(commit(w).generation, 2);
    file_fault = NULL;
    assert_int_equal(calls_seen, 0);
    pm_writer_close(w);
}

/* Same articles, options and memory: same bytes, file names and all. */
static void test_same_bytes(void **state)
{
    (void)state;
    folder_image a = {0}, b = {0};
    setenv("PRESSMARK_SEED", "7", 1);
    for (unsigned run = 0; run < 2; run++) {
        pm_writer *w = open_writer(run ? other : root, 30000);
        for (unsigned i = 0; i < 80; i++) add(w, i % 60, i);
        commit(w);
        for (unsigned i = 30; i < 50; i++) remove_article(w, i);
        commit(w);
        pm_writer_close(w);
    }
    unsetenv("PRESSMARK_SEED");
    folder_load(root, &a);
    folder_load(other, &b);
    assert_int_equal(a.n, b.n);
    assert_true(a.n > 4);
    for (size_t i = 0; i < a.n; i++) {
        assert_string_equal(a.files[i].name, b.files[i].name);
        assert_int_equal(a.files[i].len, b.files[i].len);
        assert_memory_equal(a.files[i].data, b.files[i].data, a.files[i].len);
    }
    folder_image_free(&a);
    folder_image_free(&b);
}

/* ---- looking at what is there -------------------------------------------------------- */

static uint64_t ids_seen;
static bool see_id(void *ctx, const char *id, size_t len)
{
    char copy[24];
    snprintf(copy, sizeof copy, "%.*s", (int)len, id);
    ids_seen |= UINT64_C(1) << atoi(copy + 1);
    pm_writer *w = ctx;
    return !w || pm_writer_delete(w, id, len, NULL, NULL) == PM_OK;
}

static uint64_t committed_ids(pm_writer *w)
{
    pm_error err;
    ids_seen = 0;
    must(pm_writer_each_id(w, see_id, NULL, &err), &err);
    return ids_seen;
}

/* Provenance: of the last commit, whatever has happened since. */
static int64_t committed_version(pm_writer *w, const char *id)
{
    bool found;
    uint64_t size, hash;
    int64_t mtime;
    pm_error err;
    must(pm_writer_provenance(w, id, strlen(id), &found, &size, &mtime, &hash, &err), &err);
    if (!found) return -1;
    assert_int_equal(size, (uint64_t)atoi(id + 1) + 1);
    assert_int_equal(hash, 7 * (uint64_t)atoi(id + 1));
    return mtime;
}

static void test_as_of_last_commit(void **state)
{
    (void)state;
    pm_error err;
    pm_writer *w = open_writer(root, 1);
    for (unsigned i = 0; i < 4; i++) add(w, i, 1);
    assert_int_equal(committed_ids(w), 0);
    assert_int_equal(committed_version(w, "a1"), -1);
    commit(w);
    assert_int_equal(committed_ids(w), 15);
    add(w, 1, 2);
    add(w, 1, 3);
    add(w, 9, 1);
    remove_article(w, 2);
    assert_int_equal(committed_ids(w), 15);
    assert_int_equal(committed_version(w, "a1"), 1);
    assert_int_equal(committed_version(w, "a2"), 1);
    assert_int_equal(committed_version(w, "a9"), -1);
    commit(w);
    assert_int_equal(committed_ids(w), 1 << 0 | 1 << 1 | 1 << 3 | 1 << 9);
    assert_int_equal(committed_version(w, "a1"), 3);
    assert_int_equal(committed_version(w, "a2"), -1);
    must(pm_writer_each_id(w, see_id, w, &err), &err); /* deleting as it goes                */
    assert_int_equal(commit(w).deleted, 4);
    assert_int_equal(committed_ids(w), 0);
    add(w, 2, 5);
    commit(w);
    pm_writer_close(w);
    assert_sound(root);
}

/* ---- levels -------------------------------------------------------------------------- */

static unsigned syncs;
static int count_syncs(const char *call, const char *path)
{
    (void)path;
    syncs += strcmp(call, "fsync") == 0;
    return 0;
}

static void test_levels(void **state)
{
    (void)state;
    const unsigned want[] = {4, 3, 0}; /* segment, manifest, folder, folder                   */
    for (unsigned level = 0; level < 3; level++) {
        pm_error err;
        pm_writer *w;
        pm_writer_options o = made_options();
        o.commit_level = level;
        must(pm_writer_open(root, &o, &w, &err), &err);
        add(w, level, 1);
        syncs = 0;
        file_fault = count_syncs;
        commit(w);
        file_fault = NULL;
        assert_int_equal(syncs, want[level]);
        pm_writer_close(w);
    }
    assert_sound(root);
}

/* ---- articles ------------------------------------------------------------------------ */

static void test_seconds(void **state)
{
    (void)state;
    const struct {
        const char *date;
        int64_t seconds;
    } cases[] = {
        {"1970-01-01", 0},
        {"1970-01-02", 86400},
        {"1969-12-31", -86400},
        {"2000-02-29", 951782400},
        {"2000-03-01", 951868800},
        {"2025-11-24T23:03:34", 1764025414},
        {"2025-11-24T23:03:34+01:00", 1764021814},
        {"2025-11-24T23:03:34-05:30", 1764045214},
        {"0001-01-01", -62135596800},
        {"9999-12-31", 253402214400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pm_text date = {cases[i].date, strlen(cases[i].date)};
        assert_true(date_seconds(date) == cases[i].seconds);
    }
    assert_true(date_seconds((pm_text){"", 0}) == INT64_MIN);
    assert_true(date_seconds((pm_text){"2025-11-24T23:03", 16}) == INT64_MIN);
}

/* Repairs before the title's span move it along. */
static void test_repaired_span(void **state)
{
    (void)state;
    article_repair r = {0};
    pm_article out, in = {.id = {"x", 1},
                          .text = {"a\xff"
                                   "b Title\xfe here",
                                   15},
                          .title_in_body = true,
                          .title_start = 4,
                          .title_end = 9};
    assert_int_equal(article_repair_all(&r, &in, &out, NULL), PM_OK);
    assert_int_equal(r.repaired, 2);
    assert_memory_equal(out.text.data + out.title_start, "Title", 5);
    assert_int_equal(out.title_end - out.title_start, 5);
    in.text = (pm_text){"nul \0 here", 10};
    in.title_in_body = false;
    assert_int_equal(article_repair_all(&r, &in, &out, NULL), PM_OK);
    assert_int_equal(r.repaired, 1);
    assert_null(memchr(out.text.data, 0, out.text.len));
    article_repair_free(&r);
}

static char moved[FOLDER_PATH + 8];

static int exchange_at_lock(const char *call, const char *path)
{
    (void)path;
    if (strcmp(call, "lock") != 0) return 0;
    assert_int_equal(rename(root, moved), 0);
    assert_int_equal(rename(other, root), 0);
    return 0;
}

static void add_one(const char *index, const char *id)
{
    pm_error err;
    pm_writer *w;
    const pm_article a = {.id = {id, strlen(id)}, .text = {"words", 5}};
    assert_int_equal(pm_writer_open(index, NULL, &w, &err), PM_OK);
    file_fault = NULL;
    assert_int_equal(pm_writer_add(w, &a, NULL, &err), PM_OK);
    assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
    pm_writer_close(w);
}

static uint64_t count_documents(const char *index)
{
    snapshot *s;
    assert_int_equal(snapshot_open(&s, index, NULL), PM_OK);
    uint64_t n = s->n_docs;
    snapshot_close(s);
    return n;
}

/* Another folder gets the path while a writer opens: it writes to the one that it has locked, and
 * to nothing else. */
static void test_exchanged_folder(void **state)
{
    (void)state;
    snprintf(moved, sizeof moved, "%s.moved", root);
    add_one(root, "a");
    add_one(other, "b");
    add_one(other, "c");
    file_fault = exchange_at_lock;
    add_one(root, "d");
    assert_sound(moved);
    assert_sound(root);
    assert_int_equal(count_documents(moved), 2);
    assert_int_equal(count_documents(root), 2);
    assert_int_equal(rename(moved, other), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_model),
        TEST(test_two_runs_two_segments),
        TEST(test_few_segments),
        TEST(test_few_segments_with_deletes),
        TEST(test_few_segments_of_one_commit),
        TEST(test_merge_within_memory),
        TEST(test_expunge),
        TEST(test_counts),
        TEST(test_nothing_to_commit),
        TEST(test_same_bytes),
        TEST(test_as_of_last_commit),
        TEST(test_levels),
        TEST(test_exchanged_folder),
        cmocka_unit_test(test_seconds),
        cmocka_unit_test(test_repaired_span),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
