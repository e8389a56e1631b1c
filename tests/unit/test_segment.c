/* SPDX-License-Identifier: MIT
 * test_segment.c - what the writer is given is what the readers give back, for random segments
 * of every shape; the deep check finds them sound.  What a writer must refuse:
 * test_segment_writer.c.
 *
 * PM_TEST_SEED=n repeats one case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/cursor.h"
#include "common/segment/ids.h"
#include "common/segment/layout.h"
#include "common/segment/positions.h"
#include "common/segment/store.h"
#include "tests/support/open_folder.h"
#include "tests/support/segment_model.h"

static const char name[] = "1-00000001.seg";

static void sound(const segment *s)
{
    pm_error err;
    if (segment_status(s, &err) != PM_OK) fail_msg("%s", err.message);
}

static segment *make(const segment_model *m)
{
    manifest_segment made;
    segment *s;
    pm_error err;
    folder_empty(folder);
    if (model_write(m, &where, name, &made, &err) != PM_OK) fail_msg("%s", err.message);
    assert_int_equal(made.n_docs, m->n_docs);
    if (segment_open(&s, &where, name, m->config.uuid, made.size, made.footer_crc, &err) != PM_OK)
        fail_msg("%s", err.message);
    return s;
}

/* ---- comparisons ------------------------------------------------------------------------- */

static void compare_docs(const segment_model *m, segment *s)
{
    store_cache cache = {0};
    pm_error err;
    for (uint32_t i = 0; i < m->n_docs; i++) {
        const model_doc *doc = &m->docs[i];
        uint32_t last = i, found;
        slice record, id = segment_id(s, i, (uint8_t[SEGMENT_ID_ROOM]){0});
        pm_article article;
        assert_int_equal(segment_dl(s, i), doc->dl);
        assert_true(segment_seq(s, i) == doc->seq);
        assert_true(segment_date(s, i) == doc->date);
        assert_true(id.len == doc->id_len && !memcmp(id.data, doc->id, id.len));
        /* Ids are doubled at neighbours only. */
        if (i + 1 < m->n_docs && !strcmp(m->docs[i + 1].id, doc->id)) last = i + 1;
        assert_true(segment_find_id(s, doc->id, doc->id_len, &found));
        assert_true(found >= last && !strcmp(m->docs[found].id, doc->id));
        assert_int_equal(store_get(&cache, s, i, &record, &err), PM_OK);
        assert_int_equal(store_decode(record, &article, &err), PM_OK);
        assert_true(article.id.len == doc->id_len &&
                    !memcmp(article.id.data, doc->id, doc->id_len));
        assert_int_equal(article.text.len, m->config.has_text ? strlen(doc->text) : 0);
    }
    uint32_t found;
    assert_false(segment_find_id(s, "nobody", 6, &found));
    store_cache_free(&cache);
}

static void compare_list(const model_term *t, segment *s, const term_entry *entry)
{
    cursor c;
    form_stream forms;
    uint32_t out[1024], at = 0;
    cursor_open(&c, s, entry);
    form_stream_open(&forms, &c.list);
    for (uint32_t i = 0; i < t->df; i++) {
        assert_int_equal(cursor_next(&c), t->docs[i]);
        assert_int_equal(c.rank, i);
        assert_int_equal(cursor_tf(&c), t->tfs[i]);
        assert_int_equal(cursor_impact(&c),
                         impact_encode(t->tfs[i], segment_norm(&s->info, segment_dl(s, c.doc))));
        uint32_t n = cursor_positions(&c, out, 1024);
        assert_int_equal(n, t->has_positions ? t->tfs[i] : 0);
        for (uint32_t k = 0; k < n; k++) assert_int_equal(out[k], t->positions[at + k]);
        for (uint32_t k = 0; t->n_forms && k < t->tfs[i]; k++)
            assert_int_equal(form_stream_next(&forms), t->forms[at + k]);
        at += t->tfs[i];
    }
    assert_int_equal(cursor_next(&c), CURSOR_END);
    assert_int_equal(cursor_next(&c), CURSOR_END);
    assert_int_equal(cursor_seek(&c, 0), CURSOR_END);
}

/* Jumps by chance; positions only now and then, so that reading them starts anywhere. */
static void compare_seeks(const segment_model *m, const model_term *t, segment *s,
                          const term_entry *entry, uint64_t *random)
{
    cursor c;
    uint32_t out[1024];
    cursor_open(&c, s, entry);
    uint64_t target = 0;
    uint32_t i = 0, first = 0;
    while (target <= m->n_docs) {
        for (; i < t->df && t->docs[i] < target; i++) first += t->tfs[i];
        assert_int_equal(cursor_seek(&c, (uint32_t)target), i < t->df ? t->docs[i] : CURSOR_END);
        if (i < t->df && t->has_positions && random_next(random) % 3 == 0) {
            assert_int_equal(cursor_positions(&c, out, 1024), t->tfs[i]);
            for (uint32_t k = 0; k < t->tfs[i]; k++)
                assert_int_equal(out[k], t->positions[first + k]);
        }
        if (i < t->df && random_next(random) % 3 == 0) {
            first += t->tfs[i++];
            assert_int_equal(cursor_next(&c), i < t->df ? t->docs[i] : CURSOR_END);
        }
        target += random_next(random) % (random_next(random) % 4 ? 40 : m->n_docs / 2 + 1);
    }
}

/* Some postings of the list by rank, in several batches: all of a group, few, or one. */
static void compare_places(const model_term *t, segment *s, const term_entry *entry,
                           uint64_t *random)
{
    static postings list;
    static position_scratch scratch;
    position_reader r;
    position_place places[POSITION_BATCH];
    uint32_t small[SEGMENT_BLOCK_MAX], ranks[POSITION_BATCH], docs[POSITION_BATCH], out[1024];
    uint64_t firsts[POSITION_BATCH], first = 0;
    uint32_t n = 0, one_in = 1 + (uint32_t)(random_next(random) % 20);
    assert_true(postings_open(&list, s, entry));
    if (list.kind == POSTINGS_SMALL) postings_decode_block(&list, 0, small);
    position_reader_open(&r, &list, small);
    for (uint32_t i = 0; i < t->df; first += t->tfs[i++]) {
        if (random_next(random) % one_in == 0) {
            ranks[n] = i;
            docs[n] = t->docs[i];
            firsts[n++] = first;
        }
        if (n < POSITION_BATCH && i + 1 < t->df) continue;
        positions_find(&r, &scratch, ranks, docs, n, places);
        for (uint32_t k = 0; k < n; k++) {
            const uint32_t *want = t->positions + firsts[k];
            assert_int_equal(places[k].tf, t->tfs[ranks[k]]);
            assert_true(position_read(&r, &places[k], out));
            assert_memory_equal(out, want, places[k].tf * sizeof *out);
            assert_true(position_has(&r, &places[k], want[places[k].tf - 1]));
            bool neighbour = places[k].tf > 1 && want[1] == want[0] + 1;
            assert_int_equal(position_has(&r, &places[k], want[0] + 1), neighbour);
        }
        n = 0;
    }
}

static void compare_terms(const segment_model *m, segment *s, uint64_t *random)
{
    dict_iter it;
    term_entry found;
    buf key = {0};
    dict_iter_begin(&it, s, false, NULL, 0);
    for (uint32_t i = 0; i < m->n_terms; i++) {
        const model_term *t = &m->terms[i];
        assert_true(dict_iter_next(&it));
        assert_int_equal(it.key_len, t->key_len);
        assert_memory_equal(it.key, t->key, t->key_len);
        assert_true(dict_find(s, t->key, t->key_len, &found));
        assert_int_equal(found.ordinal, i);
        assert_int_equal(found.df, t->df);
        assert_true(found.cf == t->cf && found.n_forms == t->n_forms &&
                    found.has_positions == t->has_positions);
        assert_true(found.off == it.term.off && found.len == it.term.len);
        assert_true(dict_term_at(s, i, &found, &key) && key.len == t->key_len &&
                    found.off == it.term.off);
        compare_list(t, s, &found);
        compare_seeks(m, t, s, &found, random);
        if (t->has_positions) compare_places(t, s, &found, random);
    }
    assert_false(dict_iter_next(&it));
    assert_false(dict_term_at(s, m->n_terms, &found, &key));
    buf_free(&key);
}

/* Absent keys near present ones; ranges start at the first key that is not smaller. */
static void compare_absent(const segment_model *m, segment *s)
{
    for (uint32_t i = 0; i < m->n_terms; i++) {
        uint8_t key[80];
        term_entry entry;
        dict_iter it;
        const model_term *t = &m->terms[i];
        memcpy(key, t->key, t->key_len);
        key[t->key_len] = 0;
        assert_false(dict_find(s, key, t->key_len + 1, &entry));
        dict_iter_begin(&it, s, false, key, t->key_len + 1);
        assert_int_equal(dict_iter_next(&it), i + 1 < m->n_terms);
        if (i + 1 < m->n_terms) assert_int_equal(it.term.ordinal, i + 1);
        dict_iter_begin(&it, s, false, t->key, t->key_len);
        assert_true(dict_iter_next(&it) && it.term.ordinal == i);
    }
}

static void compare_forms(const segment_model *m, segment *s)
{
    dict_iter it;
    dict_iter_begin(&it, s, true, NULL, 0);
    for (uint32_t i = 0; i < m->n_forms; i++) {
        const model_form *f = &m->forms[i];
        assert_true(dict_iter_next(&it));
        assert_true(it.key_len == f->key_len && !memcmp(it.key, f->key, f->key_len));
        assert_int_equal(it.form.term, f->term);
        assert_int_equal(it.form.index, f->index);
        assert_int_equal(it.form.df, f->df);
        assert_true(it.form.cf == f->cf);
    }
    assert_false(dict_iter_next(&it));
}

static void compare_check(const segment_model *m, segment *s)
{
    struct check_sink sink = {.finding = model_print_finding};
    pm_error err = {0};
    if (segment_check(s, true, &sink, &err) != PM_OK) fail_msg("%s", err.message);
    assert_int_equal(sink.terms, m->n_terms);
    assert_int_equal(sink.pages, s->n_pages);
}

static void one_case(uint64_t seed, unsigned *kinds)
{
    uint64_t random = seed;
    model_shape shape;
    segment_model m;
    model_shape_random(&shape, &random);
    model_make(&m, &shape, seed);
    print_message("PM_TEST_SEED=%llu docs %u terms %u block %u shift %u\n",
                  (unsigned long long)seed, shape.n_docs, shape.n_terms, shape.block_size,
                  shape.dense_shift);
    segment *s = make(&m);
    compare_docs(&m, s);
    compare_terms(&m, s, &random);
    compare_absent(&m, s);
    compare_forms(&m, s);
    compare_check(&m, s);
    sound(s);
    for (uint32_t i = 0; i < m.n_terms; i++) {
        uint32_t df = m.terms[i].df;
        kinds[df <= shape.block_size ? 0 : layout_is_dense(&s->info, df) ? 2 : 1]++;
    }
    segment_close(s);
    model_free(&m);
}

static void random_segments(void **state)
{
    (void)state;
    unsigned kinds[3] = {0};
    const char *chosen = getenv("PM_TEST_SEED");
    if (chosen) {
        one_case(strtoull(chosen, NULL, 10), kinds);
        return;
    }
    for (uint64_t seed = 1; seed <= 40; seed++) one_case(seed, kinds);
    print_message("small %u, sparse %u, dense %u lists\n", kinds[0], kinds[1], kinds[2]);
    assert_true(kinds[0] && kinds[1] && kinds[2]);
}

/* ---- opening ----------------------------------------------------------------------------- */

static void other_files_are_refused(void **state)
{
    (void)state;
    segment_model m;
    manifest_segment made;
    segment *s;
    pm_error err;
    uint8_t uuid[16] = {0};
    model_make(&m, &model_plain_shape, 5);
    folder_empty(folder);
    assert_int_equal(model_write(&m, &where, name, &made, &err), PM_OK);
    assert_int_equal(segment_open(&s, &where, name, uuid, made.size, made.footer_crc, &err),
                     PM_CORRUPT);
    assert_int_equal(
        segment_open(&s, &where, name, m.config.uuid, made.size, made.footer_crc + 1, &err),
        PM_CORRUPT);
    assert_int_equal(
        segment_open(&s, &where, name, m.config.uuid, made.size - 1, made.footer_crc, &err),
        PM_CORRUPT);
    assert_int_equal(segment_open(&s, &where, "2-00000001.seg", uuid, 1, 1, &err), PM_CORRUPT);
    assert_int_equal(
        segment_open(&s, &where, name, m.config.uuid, made.size, made.footer_crc, &err), PM_OK);
    segment_close(s);
    model_free(&m);
}

static void readers_answer_any_argument(void **state)
{
    (void)state;
    segment_model m;
    model_make(&m, &model_plain_shape, 6);
    segment *s = make(&m);
    store_cache cache = {0};
    slice record;
    pm_error err;
    term_entry entry;
    uint8_t long_key[DICT_KEY_MAX + 1] = {0};
    assert_int_equal(segment_dl(s, m.n_docs), 0);
    assert_true(segment_date(s, UINT32_MAX) == INT64_MIN);
    assert_int_equal(segment_id(s, m.n_docs, (uint8_t[SEGMENT_ID_ROOM]){0}).len, 0);
    assert_int_equal(store_get(&cache, s, m.n_docs, &record, &err), PM_USAGE);
    assert_false(dict_find(s, "", 0, &entry));
    assert_false(dict_find(s, long_key, sizeof long_key, &entry));
    sound(s);
    segment_close(s);
    model_free(&m);
}

/* The same for reading: a refusal is PM_NOMEM, never damage. */
static void check_survives_refused_memory(void **state)
{
    (void)state;
    segment_model m;
    model_make(&m, &model_plain_shape, 8);
    segment *s = make(&m);
    for (uint64_t n = 1;; n++) {
        struct check_sink sink = {.finding = model_print_finding};
        pm_error err;
        mem_fail_at(n, false);
        pm_status st = segment_check(s, true, &sink, &err);
        uint64_t asked = mem_count();
        mem_fail_at(0, false);
        assert_int_equal(st, asked < n ? PM_OK : PM_NOMEM);
        if (asked < n) break;
    }
    segment_close(s);
    model_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_segments),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(readers_answer_any_argument),
        cmocka_unit_test(check_survives_refused_memory),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
