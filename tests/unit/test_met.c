/* SPDX-License-Identifier: MIT
 * test_met.c - what a run of pm_ingest takes for met, unchanged, updated or gone, without a list of
 * ids: against a list of ids.  And the two sets that it does keep, against arrays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/bytes.h"
#include "common/base/hash.h"
#include "indexer/hash_set.h"
#include "indexer/seq_set.h"
#include "pressmark.h"
#include "tests/support/fresh_folder.h"
#include "tests/support/ingest_fixture.h"
#include "tests/support/plugin.h"

/* ---- sets --------------------------------------------------------------------------------- */

static void numbers_are_kept(void **state)
{
    (void)state;
    static const uint64_t bases[] = {1 << 15,           0,       UINT64_C(1) << 40,
                                     UINT64_MAX - 5000, 3 << 15, 90000};
    enum { SPAN = 4000, N_BASES = sizeof bases / sizeof *bases };
    static bool model[N_BASES][SPAN];
    seq_set set = {0};
    uint64_t random = 3;
    assert_false(seq_set_has(&set, 0));
    assert_false(seq_set_has(&set, SEQ_NONE));
    assert_int_equal(seq_set_memory(&set), 0);
    for (unsigned i = 0; i < 20000; i++) {
        size_t base = random_next(&random) % N_BASES, at = random_next(&random) % SPAN;
        assert_true(seq_set_add(&set, bases[base] + at));
        model[base][at] = true;
    }
    for (size_t base = 0; base < N_BASES; base++)
        for (size_t at = 0; at < SPAN; at++)
            assert_true(seq_set_has(&set, bases[base] + at) == model[base][at]);
    assert_false(seq_set_has(&set, SEQ_NONE) || seq_set_has(&set, UINT64_C(1) << 39));
    assert_true(seq_set_memory(&set) < 11 * 4200); /* five bases within one page, or two         */
    seq_set_free(&set);
    assert_false(seq_set_has(&set, bases[0]));
}

static void hashes_are_kept(void **state)
{
    (void)state;
    hash_set set = {0};
    assert_false(hash_set_has(&set, 1));
    for (uint64_t i = 1; i <= 30000; i++) {
        assert_true(hash_set_add(&set, i * 3));
        assert_true(hash_set_add(&set, i * 3));
        assert_int_equal(set.count, i);
    }
    for (uint64_t i = 1; i <= 90000; i++) assert_true(hash_set_has(&set, i) == (i % 3 == 0));
    hash_set_free(&set);
    assert_false(hash_set_has(&set, 3));
}

/* ---- runs against a list of ids ----------------------------------------------------------- */

enum {
    IDS = 24,
    LINES_MAX = 40,
    LINE_BYTES = 48,
    NONE = -1,
    LINE_MIN = 100, /* versions below come from pm_writer_add, not from a line                */
};

/* Version of each id: as it is now, and whether it is a line of the file. */
typedef struct model {
    int now[IDS];
    bool met[IDS];  /* in the run that goes on                                                 */
    bool left[IDS]; /* of those, found as they are                                             */
    uint64_t added, updated, unchanged, duplicates, pruned;
} model;

static const char *path_of_index = root;
static ingest_fixture f;
static const char file_name[] = "a.jsonl";

static int set_up(void **state)
{
    fixture_open(&f);
    return make_root(state);
}

static int tear_down(void **state)
{
    fixture_close(&f);
    return remove_root(state);
}

static void must(pm_status st, const pm_error *err)
{
    if (st != PM_OK && st != PM_PARTIAL) fail_msg("%s: %s", pm_status_name(st), err->message);
}

static pm_writer *open_writer(const char *engine, bool create, unsigned seed)
{
    pm_writer *w = NULL;
    pm_error err;
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    o.create = create;
    o.engine = engine;
    o.memory_bytes = seed % 2 ? 16000 : 64 << 20; /* a segment an article, or one              */
    o.threads = 1 + seed % 2;
    o.commit_level = 2;
    must(pm_writer_open(path_of_index, &o, &w, &err), &err);
    return w;
}

/* What was left as it is and is met again is updated by that. */
static void model_line(model *m, unsigned id, int version)
{
    bool left = !m->met[id] && m->now[id] == version, changed = m->met[id] && m->left[id];
    m->unchanged += left;
    m->unchanged -= changed;
    m->updated += changed || (!m->met[id] && !left && m->now[id] != NONE);
    m->added += !m->met[id] && m->now[id] == NONE;
    m->duplicates += m->met[id];
    m->left[id] = left;
    m->met[id] = true;
    m->now[id] = version;
}

/* Some lines to a file, and what has to become of them. */
static void make_run(model *m, uint64_t *random, bool prune)
{
    char all[LINES_MAX * LINE_BYTES];
    size_t len = 0;
    unsigned n = (unsigned)(random_next(random) % LINES_MAX);
    memset(m->met, 0, sizeof m->met);
    memset(m->left, 0, sizeof m->left);
    m->added = m->updated = m->unchanged = m->duplicates = m->pruned = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned id = (unsigned)(random_next(random) % IDS);
        int version = LINE_MIN + (int)(random_next(random) % 3);
        len += (size_t)snprintf(all + len, LINE_BYTES, "{\"id\":\"i%u\",\"text\":\"version %d\"}\n",
                                id, version);
        model_line(m, id, version);
    }
    for (unsigned id = 0; prune && id < IDS; id++) {
        if (m->met[id] || m->now[id] < LINE_MIN) continue;
        m->now[id] = NONE;
        m->pruned++;
    }
    fixture_write(&f, file_name, all, len);
}

/* What a program does by itself before it hands the writer to a run, in the same transaction. */
static void change(pm_writer *w, model *m, uint64_t *random)
{
    char id[8], text[32];
    pm_error err;
    bool was;
    for (uint64_t n = random_next(random) % 4; n; n--) {
        unsigned number = (unsigned)(random_next(random) % IDS);
        snprintf(id, sizeof id, "i%u", number);
        if (random_next(random) % 2) {
            must(pm_writer_delete(w, id, strlen(id), &was, &err), &err);
            assert_true(was == (m->now[number] != NONE));
            m->now[number] = NONE;
            continue;
        }
        int version = (int)(random_next(random) % LINE_MIN);
        snprintf(text, sizeof text, "version %d", version);
        pm_article a = {.file_size = 0};
        a.id = (pm_text){id, strlen(id)};
        a.text = (pm_text){text, strlen(text)};
        must(pm_writer_add(w, &a, &was, &err), &err);
        assert_true(was == (m->now[number] != NONE));
        m->now[number] = version;
    }
}

static void compare_index(const model *m)
{
    pm_index *index;
    pm_error err;
    must(pm_check(path_of_index, true, NULL, NULL, NULL, &err), &err);
    must(pm_index_open(path_of_index, &index, &err), &err);
    for (unsigned id = 0; id < IDS; id++) {
        char name[8], text[32];
        pm_article *a = NULL;
        snprintf(name, sizeof name, "i%u", id);
        snprintf(text, sizeof text, "version %d", m->now[id]);
        pm_status st = pm_index_article(index, name, strlen(name), &a, &err);
        must(st, &err);
        assert_true((a != NULL) == (m->now[id] != NONE));
        if (!a) continue;
        assert_int_equal(a->text.len, strlen(text));
        assert_memory_equal(a->text.data, text, strlen(text));
        pm_article_free(a);
    }
    pm_index_close(index);
}

static void run_once(pm_writer *w, model *m, uint64_t *random)
{
    pm_error err;
    pm_ingest_options o = PM_INGEST_OPTIONS_INIT;
    pm_ingest_summary sum;
    const char *path = fixture_path(&f, file_name);
    if (random_next(random) % 2) change(w, m, random);
    o.prune = random_next(random) % 3 == 0;
    o.commit_every = random_next(random) % 3 ? 0 : 1 + random_next(random) % 9;
    make_run(m, random, o.prune);
    must(pm_ingest(w, &path, 1, &o, &sum, &err), &err);
    assert_int_equal(sum.added, m->added);
    assert_int_equal(sum.updated, m->updated);
    assert_int_equal(sum.unchanged, m->unchanged);
    assert_int_equal(sum.duplicates, m->duplicates);
    assert_int_equal(sum.pruned, m->pruned);
    assert_int_equal(sum.skipped, 0);
}

static void compare_runs(const char *engine, unsigned seed)
{
    uint64_t random = seed;
    model m = {.added = 0};
    pm_error err;
    for (unsigned id = 0; id < IDS; id++) m.now[id] = NONE;
    pm_writer *w = open_writer(engine, true, seed);
    for (unsigned i = 0; i < 12; i++) {
        run_once(w, &m, &random);
        must(pm_writer_commit(w, NULL, &err), &err);
        compare_index(&m);
        if (random_next(&random) % 2) continue;
        pm_writer_close(w);
        w = open_writer(NULL, false, seed);
    }
    pm_writer_close(w);
}

static void as_with_a_list_of_ids(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 40; seed++) {
        folder_empty(root);
        compare_runs("native", seed);
    }
}

static void as_with_a_list_of_ids_on_xapian(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 4; seed++) {
        char path[FOLDER_PATH + 16];
        snprintf(path, sizeof path, "%s/index%u", f.folder, seed);
        path_of_index = path;
        compare_runs("xapian", seed);
        path_of_index = root;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_kept),
        cmocka_unit_test(hashes_are_kept),
        cmocka_unit_test_setup_teardown(as_with_a_list_of_ids, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_with_a_list_of_ids_on_xapian, set_up, tear_down),
    };
    plugin_use(false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
