/* SPDX-License-Identifier: MIT
 * test_form_live.c - forms of live documents (form_live.h) against a plain list of words: every
 * segment of random indexes from which articles are deleted; and what is found by a word that
 * stands as two does not change when a merge forgets the dead.
 *
 * PM_TEST_SEED=n repeats one case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/ids.h"
#include "searcher/form_live.h"
#include "tests/support/fresh_folder.h"
#include "tests/support/whole_index.h"

enum { ARTICLES = 60, WORDS_MOST = 4, CASES = 60 };

/* Of three stems: a form alone, forms that share a stem, capitals, and parts of one another. */
static const char *const words[] = {"mail", "Mail", "MAIL",  "mails", "mailed", "Mailed",
                                    "e",    "box",  "Boxes", "email", "mailbox"};
enum { N_WORDS = sizeof words / sizeof *words };

typedef struct model {
    unsigned n[ARTICLES];
    unsigned char word[ARTICLES][WORDS_MOST];
    bool dead[ARTICLES];
} model;

static pm_writer *open_writer(void)
{
    pm_error err;
    pm_writer *w;
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    o.commit_level = 2;
    must(pm_writer_open(root, &o, &w, &err), &err);
    return w;
}

static void add(pm_writer *w, model *m, unsigned i, uint64_t *seed)
{
    pm_error err;
    char id[16], text[128] = "";
    m->n[i] = (unsigned)(random_next(seed) % (WORDS_MOST + 1));
    for (unsigned k = 0; k < m->n[i]; k++) {
        m->word[i][k] = (unsigned char)(random_next(seed) % N_WORDS);
        strcat(strcat(text, words[m->word[i][k]]), " ");
    }
    pm_article a = {.text = {text, strlen(text)}};
    a.id = (pm_text){id, (size_t)snprintf(id, sizeof id, "%u", i)};
    must(pm_writer_add(w, &a, NULL, &err), &err);
}

static void kill_some(pm_writer *w, model *m, uint64_t *seed)
{
    pm_error err;
    unsigned share = 1 + (unsigned)(random_next(seed) % 4);
    for (unsigned i = 0; i < ARTICLES; i++) {
        char id[16];
        m->dead[i] = random_next(seed) % 5 < share;
        size_t len = (size_t)snprintf(id, sizeof id, "%u", i);
        if (m->dead[i]) must(pm_writer_delete(w, id, len, NULL, &err), &err);
    }
    must(pm_writer_commit(w, NULL, &err), &err);
}

/* In three segments. */
static void make(model *m, uint64_t seed)
{
    pm_error err;
    *m = (model){.n = {0}};
    folder_empty(root);
    pm_writer *w = open_writer();
    for (unsigned i = 0; i < ARTICLES; i++) {
        add(w, m, i, &seed);
        if (i % 20 == 19) must(pm_writer_commit(w, NULL, &err), &err);
    }
    kill_some(w, m, &seed);
    pm_writer_close(w);
}

static bool has(const model *m, unsigned article, const char *folded)
{
    for (unsigned k = 0; k < m->n[article]; k++)
        if (!strcasecmp(words[m->word[article][k]], folded)) return true;
    return false;
}

static bool expected(const model *m, segment *s, const char *folded)
{
    uint8_t room[SEGMENT_ID_ROOM];
    for (uint32_t doc = 0; doc < s->info.n_docs; doc++) {
        char id[16] = "";
        slice bytes = segment_id(s, doc, room);
        memcpy(id, bytes.data, bytes.len);
        unsigned article = (unsigned)atoi(id);
        if (!m->dead[article] && has(m, article, folded)) return true;
    }
    return false;
}

/* Live articles of the segment with this very spelling, and how often. */
static void count_spelling(const model *m, segment *s, const char *exact, uint64_t *df,
                           uint64_t *cf)
{
    uint8_t room[SEGMENT_ID_ROOM];
    *df = *cf = 0;
    for (uint32_t doc = 0; doc < s->info.n_docs; doc++) {
        char id[16] = "";
        slice bytes = segment_id(s, doc, room);
        memcpy(id, bytes.data, bytes.len);
        unsigned article = (unsigned)atoi(id), n = 0;
        for (unsigned k = 0; k < m->n[article] && !m->dead[article]; k++)
            n += !strcmp(words[m->word[article][k]], exact);
        *df += n != 0;
        *cf += n;
    }
}

/* Every form of the segment. */
static void compare_counts(const model *m, const snapshot_segment *part)
{
    dict_iter it;
    buf key = {0};
    unsigned n = 0;
    dict_iter_begin(&it, part->seg, true, "", 0);
    for (; dict_iter_next(&it); n++) {
        char spelled[DICT_KEY_MAX + 1] = "";
        uint64_t df = 7, cf = 9, want_df, want_cf;
        memcpy(spelled, it.key, it.key_len);
        char *exact = strchr(spelled, 0) + 1;
        form_live_counts(part, &it.form, &key, &df, &cf);
        count_spelling(m, part->seg, *exact ? exact : spelled, &want_df, &want_cf);
        assert_int_equal(df, want_df + 7);
        assert_int_equal(cf, want_cf + 9);
    }
    assert_true(n >= 3 && !key.failed);
    buf_free(&key);
}

static void compare(const model *m)
{
    static const char *const asked[] = {"mail",  "mails", "mailed",  "e",   "box",
                                        "boxes", "email", "mailbox", "mai", "mailedx"};
    pm_error err;
    snapshot *s;
    must(snapshot_open(&s, root, &err), &err);
    for (uint32_t i = 0; i < s->meta.n_segments; i++) {
        compare_counts(m, &s->segments[i]);
        for (size_t k = 0; k < sizeof asked / sizeof *asked; k++) {
            bool yes;
            slice folded = {(const uint8_t *)asked[k], strlen(asked[k])};
            must(form_live_folded(&s->segments[i], folded, &yes, &err), &err);
            if (yes != expected(m, s->segments[i].seg, asked[k]))
                fail_msg("segment %u, %s: %d", (unsigned)i, asked[k], yes);
        }
    }
    assert_int_equal(snapshot_status(s, &err), PM_OK);
    snapshot_close(s);
}

/* Matches of each word that may stand as two. */
static void count(uint64_t out[3])
{
    static const char *const queries[] = {"email", "mailbox", "emails"};
    pm_error err;
    pm_index *index;
    pm_searcher *searcher;
    must(pm_index_open(root, &index, &err), &err);
    must(pm_searcher_open(index, &searcher, &err), &err);
    for (unsigned i = 0; i < 3; i++) {
        const pm_result *result;
        must(pm_searcher_search(searcher, queries[i], strlen(queries[i]), NULL, &result, &err),
             &err);
        out[i] = result->total;
    }
    pm_searcher_close(searcher);
    pm_index_close(index);
}

static void as_if_the_dead_had_never_been(void **state)
{
    (void)state;
    const char *only = getenv("PM_TEST_SEED");
    uint64_t found = 0;
    for (uint64_t seed = 1; seed <= CASES; seed++) {
        model m;
        pm_error err;
        uint64_t before[3], after[3];
        if (only && strtoull(only, NULL, 10) != seed) continue;
        make(&m, seed);
        compare(&m);
        count(before);
        pm_writer *w = open_writer();
        must(pm_writer_optimize(w, NULL, &err), &err);
        pm_writer_close(w);
        compare(&m);
        count(after);
        for (unsigned i = 0; i < 3; i++) {
            if (before[i] != after[i]) fail_msg("seed %llu", (unsigned long long)seed);
            found += after[i];
        }
    }
    assert_true(found > 0);
}

static void refused_memory(void **state)
{
    (void)state;
    model m;
    pm_error err;
    snapshot *s;
    bool yes;
    unsigned refused = 0;
    make(&m, 3);
    must(snapshot_open(&s, root, &err), &err);
    for (uint64_t n = 1;; n++) {
        mem_fail_at(n, true);
        pm_status st =
            form_live_folded(&s->segments[0], (slice){(const uint8_t *)"mail", 4}, &yes, &err);
        mem_fail_at(0, false);
        if (st == PM_OK) break;
        assert_int_equal(st, PM_NOMEM);
        refused++;
    }
    assert_true(refused > 0);
    assert_int_equal(yes, expected(&m, s->segments[0].seg, "mail"));
    snapshot_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(as_if_the_dead_had_never_been, make_root, remove_root),
        cmocka_unit_test_setup_teardown(refused_memory, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
