/* SPDX-License-Identifier: MIT
 * test_second_reader.c - the naive reader of FORMAT.md and the real reader see the same in
 * every segment: columns, records, lists with positions and forms, and the form dictionary.
 *
 * PM_TEST_SEED=n repeats one case, PM_TEST_ROUNDS=n makes fewer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/cursor.h"
#include "common/segment/layout.h"
#include "common/segment/store.h"
#include "tests/oracle/second_reader.h"
#include "tests/support/crash_script.h"
#include "tests/support/golden_segments.h"
#include "tests/support/open_folder.h"
#include "tests/support/segment_model.h"

enum { ROUNDS = 40 };

static const char name[] = "1-00000001.seg";

typedef struct both {
    segment *s;
    store_cache cache;
    dict_iter terms, forms;
    uint64_t docs, lists, postings, form_keys, marks;
    unsigned kinds[3], exceptions;
} both;

static void compare_doc(void *ctx, uint32_t doc, const second_doc *naive)
{
    both *b = ctx;
    slice record, id = segment_id(b->s, doc, (uint8_t[SEGMENT_ID_ROOM]){0});
    pm_error err;
    assert_int_equal(naive->dl, segment_dl(b->s, doc));
    assert_true(naive->seq == segment_seq(b->s, doc) && naive->date == segment_date(b->s, doc));
    assert_true(id.len == naive->id_len && !memcmp(id.data, naive->id, id.len));
    assert_int_equal(store_get(&b->cache, b->s, doc, &record, &err), PM_OK);
    assert_true(record.len == naive->record_len && !memcmp(record.data, naive->record, record.len));
    uint8_t mark = 0;
    assert_int_equal(store_mark(b->s, doc, &mark), naive->marked);
    assert_int_equal(mark, naive->mark);
    b->marks += naive->mark != 0;
    b->docs++;
}

static void compare_list(void *ctx, const second_list *naive)
{
    both *b = ctx;
    cursor c;
    form_stream forms;
    uint64_t at = 0;
    assert_true(dict_iter_next(&b->terms));
    const term_entry *entry = &b->terms.term;
    assert_true(b->terms.key_len == naive->key_len &&
                !memcmp(b->terms.key, naive->key, naive->key_len));
    assert_int_equal(entry->ordinal, naive->ordinal);
    assert_true(entry->df == naive->df && entry->cf == naive->cf &&
                entry->n_forms == naive->n_forms);
    assert_int_equal(entry->has_positions, naive->has_positions);
    cursor_open(&c, b->s, entry);
    form_stream_open(&forms, &c.list);
    uint32_t *positions = mem_array((size_t)naive->cf, sizeof *positions);
    assert_non_null(positions);
    for (uint32_t i = 0; i < naive->df; i++) {
        uint32_t tf = naive->tfs[i];
        assert_int_equal(cursor_next(&c), naive->docs[i]);
        assert_int_equal(cursor_tf(&c), tf);
        assert_int_equal(cursor_impact(&c), naive->impacts[i]);
        assert_int_equal(cursor_positions(&c, positions, tf), naive->has_positions ? tf : 0);
        if (naive->has_positions) assert_memory_equal(positions, naive->positions + at, tf * 4);
        for (uint32_t k = 0; k < tf; k++, at++)
            assert_int_equal(form_stream_next(&forms), naive->forms[at]);
        b->postings++;
    }
    assert_int_equal(cursor_next(&c), CURSOR_END);
    mem_free(positions);
    b->kinds[c.list.kind]++;
    b->exceptions += c.list.n_exceptions;
    b->lists++;
}

static void compare_form(void *ctx, const second_form *naive)
{
    both *b = ctx;
    assert_true(dict_iter_next(&b->forms));
    const form_entry *form = &b->forms.form;
    assert_true(b->forms.key_len == naive->key_len &&
                !memcmp(b->forms.key, naive->key, naive->key_len));
    assert_true(form->term == naive->term && form->index == naive->index && form->df == naive->df &&
                form->cf == naive->cf);
    b->form_keys++;
}

/* Adds what was compared to *sum. */
static void compare_file(const uint8_t uuid[16], const manifest_segment *made, both *sum)
{
    char path[FOLDER_PATH + 40];
    pm_error err;
    both b = {0};
    second_sink sink = {compare_doc, compare_list, compare_form, &b};
    snprintf(path, sizeof path, "%s/%s", folder, made->name);
    if (segment_open(&b.s, &where, made->name, uuid, made->size, made->footer_crc, &err) != PM_OK)
        fail_msg("%s", err.message);
    dict_iter_begin(&b.terms, b.s, false, NULL, 0);
    dict_iter_begin(&b.forms, b.s, true, NULL, 0);
    second_read(path, &sink);
    assert_false(dict_iter_next(&b.terms));
    assert_false(dict_iter_next(&b.forms));
    assert_int_equal(b.docs, b.s->info.n_docs);
    assert_int_equal(segment_status(b.s, &err), PM_OK);
    store_cache_free(&b.cache);
    segment_close(b.s);
    for (unsigned k = 0; k < 3; k++) sum->kinds[k] += b.kinds[k];
    sum->exceptions += b.exceptions;
    sum->postings += b.postings;
    sum->form_keys += b.form_keys;
    sum->marks += b.marks;
}

static void one_case(const model_shape *shape, uint64_t seed, both *sum)
{
    segment_model m;
    manifest_segment made;
    pm_error err;
    print_message("PM_TEST_SEED=%llu docs %u terms %u block %u shift %u\n",
                  (unsigned long long)seed, shape->n_docs, shape->n_terms, shape->block_size,
                  shape->dense_shift);
    model_make(&m, shape, seed);
    folder_empty(folder);
    if (model_write(&m, &where, name, &made, &err) != PM_OK) fail_msg("%s", err.message);
    compare_file(m.config.uuid, &made, sum);
    model_free(&m);
}

static void random_segments(void **state)
{
    (void)state;
    both sum = {0};
    const char *chosen = getenv("PM_TEST_SEED");
    unsigned long rounds = script_setting("PM_TEST_ROUNDS", ROUNDS);
    uint64_t first = chosen ? strtoull(chosen, NULL, 10) : 1001,
             last = chosen ? first : 1000 + rounds;
    for (uint64_t seed = first; seed <= last; seed++) {
        uint64_t random = seed;
        model_shape shape;
        model_shape_random(&shape, &random);
        one_case(&shape, seed, &sum);
    }
    print_message("%llu postings; small %u, sparse %u, dense %u lists; %u exceptions; %llu forms\n",
                  (unsigned long long)sum.postings, sum.kinds[0], sum.kinds[1], sum.kinds[2],
                  sum.exceptions, (unsigned long long)sum.form_keys);
    assert_true(chosen || rounds < ROUNDS ||
                (sum.kinds[0] && sum.kinds[1] && sum.kinds[2] && sum.exceptions && sum.form_keys &&
                 sum.marks));
}

/* Many documents, blocks of 256: Elias-Fano blocks with lanes, wide gaps, several buckets. */
static void full_blocks(void **state)
{
    (void)state;
    both sum = {0};
    bool few = script_setting("PM_TEST_ROUNDS", ROUNDS) < ROUNDS;
    const model_shape shape = {.n_docs = few ? 30000 : 120000,
                               .n_terms = 24,
                               .block_size = 256,
                               .dense_shift = 3,
                               .store_block_bytes = 60000,
                               .positions = true,
                               .dates = 2,
                               .seqs = 1,
                               .long_tf = 300};
    for (uint64_t seed = 1; seed <= (few ? 1 : 2); seed++) one_case(&shape, seed, &sum);
    print_message("small %u, sparse %u, dense %u lists; %u exceptions\n", sum.kinds[0],
                  sum.kinds[1], sum.kinds[2], sum.exceptions);
    assert_true(sum.kinds[1] && sum.kinds[2]);
}

/* So many positions that a block's groups start beyond 65535 bits. */
static void wide_groups(void **state)
{
    (void)state;
    both sum = {0};
    const model_shape shape = {.n_docs = 60,
                               .n_terms = 12,
                               .block_size = 64,
                               .dense_shift = 2,
                               .store_block_bytes = 100,
                               .positions = true,
                               .least_tf = 4000,
                               .long_tf = 2};
    one_case(&shape, 1, &sum);
    assert_true(sum.exceptions > 0);
}

static void golden_segments(void **state)
{
    (void)state;
    both sum = {0};
    manifest_segment made;
    pm_error err;
    folder_empty(folder);
    assert_int_equal(golden_tiny(&where, "1-00000001.seg", &made, &err), PM_OK);
    compare_file(golden_uuid, &made, &sum);
    assert_int_equal(golden_lists(&where, "2-00000002.seg", &made, &err), PM_OK);
    compare_file(golden_uuid, &made, &sum);
    assert_int_equal(golden_marks(&where, "3-00000003.seg", &made, &err), PM_OK);
    compare_file(golden_uuid, &made, &sum);
    assert_int_equal(sum.marks, 2);
    assert_int_equal(sum.kinds[POSTINGS_SMALL], 7);
    assert_int_equal(sum.kinds[POSTINGS_SPARSE], 1);
    assert_int_equal(sum.kinds[POSTINGS_DENSE], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_segments),
        cmocka_unit_test(random_segments),
        cmocka_unit_test(full_blocks),
        cmocka_unit_test(wide_groups),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
