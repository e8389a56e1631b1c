/* SPDX-License-Identifier: MIT
 * test_segment_writer.c - what a writer of segments must refuse is refused, with the rule or the
 * file named and nothing left behind; settings, lists and lengths at their ends are written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/cursor.h"
#include "common/segment/ids.h"
#include "common/segment/layout.h"
#include "common/segment/store.h"
#include "tests/support/open_folder.h"
#include "tests/support/segment_model.h"

static const char name[] = "1-00000001.seg";

static void sound(const segment *s)
{
    pm_error err;
    if (segment_status(s, &err) != PM_OK) fail_msg("%s", err.message);
}

static segment_writer *begin_documents(uint32_t n, bool positions)
{
    segment_writer_config config = {.k1 = 1.2,
                                    .b = 0.75,
                                    .block_size = 8,
                                    .dense_shift = 5,
                                    .store_block_bytes = 100,
                                    .deflate_level = 1,
                                    .has_positions = positions};
    segment_writer *w;
    pm_error err;
    folder_empty(folder);
    assert_int_equal(segment_writer_begin(&w, &where, name, &config, &err), PM_OK);
    for (uint32_t i = 0; i < n; i++) {
        segment_doc doc = {"id", 2, 1, i, INT64_MIN, {(const uint8_t *)"\x01\x02id", 4}, 0};
        segment_writer_doc(w, &doc);
    }
    segment_writer_docs_done(w);
    return w;
}

static segment_writer *begin_with_docs(uint32_t n)
{
    return begin_documents(n, true);
}

static void refused(segment_writer *w)
{
    manifest_segment made;
    pm_error err;
    map file;
    bool absent = false;
    assert_int_equal(segment_writer_finish(w, false, &made, &err), PM_USAGE);
    assert_non_null(strstr(err.message, "segment writer: ")); /* which rule                    */
    assert_int_equal(map_open(&file, &where, name, &absent, &err), PM_OK);
    assert_true(absent);
}

static void writer_refuses_disorder(void **state)
{
    (void)state;
    static const uint32_t rising[2] = {0, 1}, falling[2] = {1, 0}, far[2] = {0, 2},
                          ones[2] = {1, 1}, zeros[2] = {0, 0}, twos[2] = {2, 1},
                          same[3] = {4, 4, 5};
    const segment_term bad[] = {
        {"k", 1, 2, falling, ones, NULL, NULL, 0, FORM_LISTED},
        {"k", 1, 2, far, ones, NULL, NULL, 0, FORM_LISTED},
        {"k", 1, 2, zeros, ones, NULL, NULL, 0, FORM_LISTED},
        {"k", 1, 1, rising, zeros, NULL, NULL, 0, FORM_LISTED},
        {"k", 1, 1, far + 1, ones, NULL, NULL, 0, FORM_LISTED},
        {"k", 1, 2, rising, zeros, NULL, NULL, 0, FORM_LISTED},
        {"", 0, 2, rising, ones, NULL, NULL, 0, FORM_LISTED},
        {"k", 1, 0, rising, ones, NULL, NULL, 0, FORM_LISTED},
        {"k", 1, 2, rising, ones, NULL, NULL, 2, FORM_LISTED},
        {"k", 1, 2, rising, twos, same, NULL, 0, FORM_LISTED},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        segment_writer *w = begin_with_docs(2);
        segment_writer_term(w, &bad[i]);
        refused(w);
    }
    manifest_segment made;
    pm_error err;
    segment_writer *w = begin_with_docs(2);
    const segment_term good = {"k", 1, 2, rising, ones, NULL, NULL, 1, FORM_LISTED};
    segment_writer_term(w, &good);
    segment_writer_term(w, &good);
    refused(w);
    refused(begin_with_docs(0));
    const segment_term placed = {"k", 1, 2, rising, ones, same + 1, NULL, 0, FORM_LISTED};
    w = begin_documents(2, false); /* an index without positions                                */
    segment_writer_term(w, &placed);
    assert_int_equal(segment_writer_finish(w, false, &made, &err), PM_USAGE);
    assert_non_null(strstr(err.message, "a posting list or its key"));
}

static int falling(const void *a, const void *b)
{
    return *(const uint8_t *)b - *(const uint8_t *)a;
}

/* A longer list says which is its largest impact, and the 10th, 100th and 1000th largest; also
 * where all are as small as can be: what is left out of a search depends on it. */
static void largest_impacts(void **state)
{
    (void)state;
    enum { N = 1001, LENGTH = 3000000 };
    static const uint32_t dfs[] = {9, 10, 11, 99, 100, 999, 1000, N};
    static uint32_t docs[N], tfs[N];
    segment_writer_config config = {
        .k1 = 1.2, .b = 0.75, .avgdl_ref = 1, .block_size = 8, .dense_shift = 1};
    segment_writer *w;
    segment *s;
    manifest_segment made;
    pm_error err;
    char key[16];
    folder_empty(folder);
    assert_int_equal(segment_writer_begin(&w, &where, name, &config, &err), PM_OK);
    for (uint32_t i = 0; i < N; i++) {
        segment_doc doc = {
            key, (size_t)sprintf(key, "%04u", i), LENGTH, i, INT64_MIN, {(uint8_t *)key, 4}, 0};
        segment_writer_doc(w, &doc);
        docs[i] = i;
    }
    segment_writer_docs_done(w);
    for (unsigned strong = 0; strong < 2; strong++)
        for (size_t d = 0; d < sizeof dfs / sizeof *dfs; d++) {
            uint64_t random = d;
            for (uint32_t i = 0; i < dfs[d]; i++)
                tfs[i] = strong ? 1 + (uint32_t)(random_next(&random) % LENGTH) : 1;
            segment_term term = {key,        (size_t)sprintf(key, "%u-%04u", strong, dfs[d]),
                                 dfs[d],     docs,
                                 tfs,        NULL,
                                 NULL,       0,
                                 FORM_LISTED};
            segment_writer_term(w, &term);
        }
    assert_int_equal(segment_writer_finish(w, false, &made, &err), PM_OK);
    assert_int_equal(segment_open(&s, &where, name, config.uuid, made.size, made.footer_crc, &err),
                     PM_OK);
    for (unsigned strong = 0; strong < 2; strong++)
        for (size_t d = 0; d < sizeof dfs / sizeof *dfs; d++) {
            static postings list;
            uint8_t impacts[N + 1] = {0};
            uint64_t random = d;
            term_entry entry;
            for (uint32_t i = 0; i < dfs[d]; i++)
                impacts[i] =
                    impact_encode(strong ? 1 + (uint32_t)(random_next(&random) % LENGTH) : 1,
                                  segment_norm(&s->info, LENGTH));
            qsort(impacts, dfs[d], 1, falling);
            assert_true(dict_find(s, key, (size_t)sprintf(key, "%u-%04u", strong, dfs[d]), &entry));
            assert_true(postings_open(&list, s, &entry));
            assert_int_equal(list.impact_max, impacts[0]);
            assert_true(strong ? impacts[0] > 50 : impacts[0] == 1);
            for (uint32_t k = 0, nth = 10; k < 3; k++, nth *= 10)
                assert_int_equal(list.kth[k], dfs[d] < nth ? 0 : impacts[nth - 1]);
        }
    sound(s);
    segment_close(s);
}

/* Settings that a footer may hold are written and read; the next ones beyond are refused by the
 * writer, not by who reads what it has written. */
static void settings_are_those_of_readers(void **state)
{
    (void)state;
    static const segment_writer_config plain = {
        .k1 = 1.2, .b = 0.75, .block_size = 8, .dense_shift = 5, .store_block_bytes = 100};
    enum { N = 24 };
    segment_writer_config tried[N];
    for (unsigned i = 0; i < N; i++) tried[i] = plain;
    static const unsigned n_good = 10;
    tried[0].k1 = 0;
    tried[1].k1 = 1e6;
    tried[2].b = 0;
    tried[3].b = 1;
    tried[4].avgdl_ref = 1e-6;
    tried[5].avgdl_ref = 1e12;
    tried[6].block_size = SEGMENT_BLOCK_MAX;
    tried[7].dense_shift = 31;
    tried[8].dense_shift = 0;
    tried[9].store_block_bytes = STORE_RECORD_MAX;
    tried[10].k1 = -1e-9;
    tried[11].k1 = 1.1e6;
    tried[12].k1 = INFINITY;
    tried[13].k1 = NAN;
    tried[14].b = -1e-9;
    tried[15].b = 1.001;
    tried[16].b = NAN;
    tried[17].avgdl_ref = 9e-7;
    tried[18].avgdl_ref = 1.1e12;
    tried[19].avgdl_ref = NAN;
    tried[20].block_size = 7;
    tried[21].block_size = SEGMENT_BLOCK_MAX + 1;
    tried[22].dense_shift = 32;
    tried[23].store_block_bytes = STORE_RECORD_MAX + 1;
    int input = fcntl(STDIN_FILENO, F_GETFD); /* a file that was never opened is not closed   */
    pm_error err;
    for (unsigned i = 0; i < N; i++) {
        segment_writer *w = (segment_writer *)(void *)&err;
        manifest_segment made;
        segment *s;
        folder_empty(folder);
        pm_status st = segment_writer_begin(&w, &where, name, &tried[i], &err);
        assert_int_equal(st, i < n_good ? PM_OK : PM_USAGE);
        assert_int_equal(w == NULL, st != PM_OK);
        if (st != PM_OK) continue;
        segment_doc doc = {"id", 2, 0, 0, INT64_MIN, {(const uint8_t *)"\x01\x02id", 4}, 0};
        segment_writer_doc(w, &doc);
        segment_writer_docs_done(w);
        segment_writer_docs_done(w); /* which they are                                       */
        assert_int_equal(segment_writer_finish(w, false, &made, &err), PM_OK);
        assert_int_equal(
            segment_open(&s, &where, name, plain.uuid, made.size, made.footer_crc, &err), PM_OK);
        assert_int_equal(store_block_count(s), 1);
        segment_close(s);
    }
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), input);
}

/* More than a million documents without a word and one with one: a mean length that no footer may
 * hold. */
static void hardly_a_word(void **state)
{
    (void)state;
    enum { N = 1000001 };
    segment_writer_config config = {.k1 = 1.2,
                                    .b = 0.75,
                                    .block_size = 8,
                                    .dense_shift = 5,
                                    .store_block_bytes = 1 << 20,
                                    .deflate_level = 1};
    segment_writer *w;
    manifest_segment made;
    segment *s;
    pm_error err;
    char id[16];
    folder_empty(folder);
    assert_int_equal(segment_writer_begin(&w, &where, name, &config, &err), PM_OK);
    for (uint32_t i = 0; i < N; i++) {
        segment_doc doc = {
            id, (size_t)sprintf(id, "%07u", i), i == 7, i, INT64_MIN, {(uint8_t *)id, 7}, 0};
        segment_writer_doc(w, &doc);
    }
    segment_writer_docs_done(w);
    assert_int_equal(segment_writer_finish(w, false, &made, &err), PM_OK);
    if (segment_open(&s, &where, name, config.uuid, made.size, made.footer_crc, &err) != PM_OK)
        fail_msg("%s", err.message);
    assert_true(s->info.avgdl_ref == 1e-6 && s->info.sum_dl == 1);
    struct check_sink sink = {
        .finding = model_print_finding}; /* of pages, whose sums fill more than one  */
    assert_true(s->n_pages > 1024);
    assert_int_equal(segment_check(s, false, &sink, &err), PM_OK);
    segment_close(s);
    assert_true(segment_reference(1, N) == 1e-6 && segment_reference(2, N) == 2.0 / N);
    assert_true(segment_reference(0, N) == 1 && segment_reference(9, 2) == 4.5);
}

/* A segment of one document, whose record is what no deflating makes smaller. */
static segment *make_of_one(const uint8_t *record, size_t len)
{
    segment_writer_config config = {.k1 = 1.2, .b = 0.75, .block_size = 8, .deflate_level = 1};
    const segment_doc doc = {"d", 1, 0, 0, INT64_MIN, {record, len}, 0};
    segment_writer *w;
    manifest_segment made;
    segment *s;
    pm_error err;
    folder_empty(folder);
    assert_int_equal(segment_writer_begin(&w, &where, name, &config, &err), PM_OK);
    segment_writer_doc(w, &doc);
    segment_writer_docs_done(w);
    assert_int_equal(segment_writer_finish(w, false, &made, &err), PM_OK);
    if (segment_open(&s, &where, name, config.uuid, made.size, made.footer_crc, &err) != PM_OK)
        fail_msg("%s", err.message);
    return s;
}

/* Sums of pages that fill two pages of their own but for one, to the last byte, and by one more. */
static void sums_that_fill_a_page(void **state)
{
    (void)state;
    enum { FILL = 2048, PAGE = 4096, ROOM = (FILL + 8) * PAGE };
    uint8_t *record = malloc(ROOM);
    uint64_t random = 11;
    assert_non_null(record);
    for (size_t i = 0; i < ROOM; i += 8) {
        uint64_t r = random_next(&random);
        memcpy(record + i, &r, 8);
    }
    size_t len = (FILL - 8) * PAGE;
    for (size_t wanted = FILL - 1; wanted <= FILL + 1; wanted++) {
        struct check_sink sink = {.finding = model_print_finding};
        pm_error err;
        segment *s = make_of_one(record, len);
        for (unsigned tries = 0; s->n_pages != wanted && tries < 8; tries++) {
            len += (wanted - s->n_pages) * PAGE;
            segment_close(s);
            s = make_of_one(record, len);
        }
        assert_int_equal(s->n_pages, wanted);
        assert_int_equal(segment_check(s, false, &sink, &err), PM_OK);
        assert_int_equal(sink.pages, wanted);
        segment_close(s);
    }
    free(record);
}

/* Calls out of turn: each is refused, with the first fault named, whatever comes after it. */
static void writer_refuses_calls_out_of_turn(void **state)
{
    (void)state;
    static const uint32_t one[1] = {0}, tf[1] = {1};
    static const segment_term term = {"k", 1, 1, one, tf, NULL, NULL, 1, FORM_LISTED};
    static const segment_doc late = {"x", 1, 0, 9, INT64_MIN, {(const uint8_t *)"\x01\x01x", 3}, 0};
    for (unsigned way = 0; way < 9; way++) {
        segment_writer *w = way < 2 ? NULL : begin_with_docs(2);
        manifest_segment made;
        pm_error err;
        if (!w) {
            segment_writer_config config = {.k1 = 1.2, .b = 0.75, .block_size = 8};
            folder_empty(folder);
            assert_int_equal(segment_writer_begin(&w, &where, name, &config, &err), PM_OK);
            segment_writer_doc(w, &late);
        }
        if (way == 0) segment_writer_term(w, &term); /* before the documents are done         */
        if (way == 2) segment_writer_doc(w, &late);
        if (way == 3) segment_writer_raw_block(w, 1, 3, late.record);
        if (way > 3) segment_writer_term(w, &term);
        if (way == 4) segment_writer_form(w, "k\0", 2, 0, 0, 0, 1); /* no document             */
        if (way == 5) segment_writer_form(w, "k\0", 2, 0, 0, 2, 1); /* fewer than documents   */
        if (way == 6) segment_writer_form(w, "k\0", 2, 1, 0, 1, 1); /* of a term not there    */
        if (way == 7) segment_writer_form_behind(w, "k\0", 2, 1, 0, 1, 1);
        if (way == 8) segment_writer_form(w, "k", 1, 0, 0, 1, 1);
        assert_int_equal(segment_writer_failed(w), way != 1 && way != 7);
        segment_writer_docs_done(w);
        if (way == 2) segment_writer_term(w, &term);
        if (way == 1) segment_writer_abandon(w);
        if (way == 1) continue;
        assert_int_equal(segment_writer_finish(w, false, &made, &err), PM_USAGE);
        assert_non_null(strstr(err.message, way == 0   ? "posting list"
                                            : way == 2 ? "after the last one"
                                            : way == 3 ? "raw block"
                                                       : "a form or its key"));
        map file;
        bool absent = false;
        assert_int_equal(map_open(&file, &where, name, &absent, &err), PM_OK);
        assert_true(absent);
    }
}

/* A file of that name is not the writer's: it stays as it is. */
static void a_taken_name_is_left_alone(void **state)
{
    (void)state;
    segment_model m;
    manifest_segment made;
    pm_error err;
    folder_image image;
    model_make(&m, &model_plain_shape, 9);
    folder_empty(folder);
    folder_write(folder, name, "another's", 9);
    assert_int_equal(model_write(&m, &where, name, &made, &err), PM_IO);
    folder_load(folder, &image);
    assert_true(image.n == 1 && image.files[0].len == 9);
    assert_memory_equal(image.files[0].data, "another's", 9);
    folder_image_free(&image);
    model_free(&m);
}

/* Says no to the n-th piece that is written, and to all after it. */
static bool refuse_from(void *ctx, uint64_t bytes)
{
    unsigned *left = ctx;
    (void)bytes;
    if (*left) --*left;
    return *left > 0;
}

/* A write refused, at each of them: PM_IO with the file named, and the file is gone. */
static void writer_survives_refused_writes(void **state)
{
    (void)state;
    static uint8_t record[100000];
    pm_status st = PM_IO;
    unsigned n = 0;
    for (uint64_t random = 3, i = 0; i < sizeof record; i++)
        record[i] = (uint8_t)random_next(&random);
    while (st != PM_OK) {
        segment_writer_config config = {.k1 = 1.2, .b = 0.75, .block_size = 8, .deflate_level = 1};
        segment_writer *w;
        manifest_segment made;
        pm_error err = {.status = PM_OK};
        folder_image image;
        unsigned left = ++n;
        folder_empty(folder);
        where.watch = refuse_from;
        where.watch_ctx = &left;
        assert_int_equal(segment_writer_begin(&w, &where, name, &config, &err), PM_OK);
        for (uint32_t i = 0; i < 5; i++) {
            char id[2] = {(char)('a' + i), 0};
            segment_doc doc = {id, 1, 0, i, INT64_MIN, {record, sizeof record}, 0};
            segment_writer_doc(w, &doc);
        }
        segment_writer_docs_done(w);
        st = segment_writer_finish(w, false, &made, &err);
        where.watch = NULL;
        folder_load(folder, &image);
        assert_int_equal(image.n, st == PM_OK);
        folder_image_free(&image);
        if (st == PM_OK) break;
        assert_int_equal(st, PM_IO);
        assert_int_equal(err.status, PM_IO);
        assert_non_null(strstr(err.message, name));
    }
    assert_true(n > 4);
}

/* Lists of one document, which have a way of their own: each tf comes back, whatever the impact
 * says of it, as from a list of two. */
static void one_document_each(void **state)
{
    (void)state;
    enum { MOST = 700, DOCS = 3 };
    static const uint32_t dl[DOCS] = {1, 40, 3000000};
    segment_writer_config config = {.k1 = 1.2, .b = 0.75, .block_size = 8, .dense_shift = 5};
    segment_writer *w;
    segment *s;
    manifest_segment made;
    pm_error err;
    char key[16];
    folder_empty(folder);
    assert_int_equal(segment_writer_begin(&w, &where, name, &config, &err), PM_OK);
    for (uint32_t i = 0; i < DOCS; i++) {
        segment_doc doc = {key,       (size_t)sprintf(key, "%u", i),     dl[i], i,
                           INT64_MIN, {(const uint8_t *)"\x01\x01x", 3}, 0};
        segment_writer_doc(w, &doc);
    }
    segment_writer_docs_done(w);
    for (uint32_t i = 0; i < DOCS; i++)
        for (uint32_t tf = 1; tf <= MOST; tf++) {
            uint32_t docs[2] = {i, DOCS - 1}, tfs[2] = {tf, tf};
            segment_term term = {
                key,        (size_t)sprintf(key, "%u-%03u-1", i, tf), 1, docs, tfs, NULL, NULL, 0,
                FORM_LISTED};
            segment_writer_term(w, &term);
            term.key_len = (size_t)sprintf(key, "%u-%03u-2", i, tf);
            term.df = 2;
            if (i < DOCS - 1) segment_writer_term(w, &term);
        }
    assert_int_equal(segment_writer_finish(w, false, &made, &err), PM_OK);
    assert_int_equal(segment_open(&s, &where, name, config.uuid, made.size, made.footer_crc, &err),
                     PM_OK);
    unsigned inexact = 0;
    for (uint32_t i = 0; i < DOCS; i++)
        for (uint32_t tf = 1; tf <= MOST; tf++)
            for (uint32_t df = 1; df <= 1 + (i < DOCS - 1); df++) {
                term_entry entry;
                cursor c;
                assert_true(
                    dict_find(s, key, (size_t)sprintf(key, "%u-%03u-%u", i, tf, df), &entry));
                assert_true(entry.df == df && entry.cf == (uint64_t)tf * df);
                cursor_open(&c, s, &entry);
                assert_int_equal(cursor_next(&c), i);
                assert_int_equal(cursor_tf(&c), tf);
                assert_int_equal(cursor_impact(&c),
                                 impact_encode(tf, segment_norm(&s->info, dl[i])));
                assert_int_equal(cursor_next(&c), df == 1 ? CURSOR_END : DOCS - 1);
                inexact += df == 1 && entry.len > 3;
            }
    assert_true(inexact > 100);
    sound(s);
    segment_close(s);
}

/* Every allocation refused once: no leak, no file, PM_NOMEM. */
static void refuse_each_allocation(const model_shape *shape)
{
    segment_model m;
    model_make(&m, shape, 7);
    uint64_t n = 1;
    for (;; n++) {
        manifest_segment made;
        pm_error err;
        folder_empty(folder);
        mem_fail_at(n, false);
        pm_status st = model_write(&m, &where, name, &made, &err);
        uint64_t asked = mem_count();
        mem_fail_at(0, false);
        if (asked < n) {
            assert_int_equal(st, PM_OK);
            break;
        }
        if (st != PM_NOMEM)
            fail_msg("allocation %llu refused gave %s", (unsigned long long)n, pm_status_name(st));
        assert_int_equal(err.status, PM_NOMEM);
        assert_non_null(strstr(err.message, "out of memory"));
    }
    print_message("%llu allocations refused\n", (unsigned long long)n - 1);
    model_free(&m);
}

static void writer_survives_refused_memory(void **state)
{
    (void)state;
    model_shape shape = model_plain_shape;
    shape.marks = true;
    refuse_each_allocation(&shape);
    shape.dense_shift = 0; /* no dense list but of all documents, and no sparse one              */
    refuse_each_allocation(&shape);
    shape.dense_shift = 31;
    refuse_each_allocation(&shape);
    for (shape.n_docs = 8 * ID_BLOCK + 3; shape.n_docs < 1000; shape.n_docs = 2 * shape.n_docs - 3)
        refuse_each_allocation(&shape); /* the last block of ids has no room                    */
    shape.n_docs = 1; /* and lists of one document                                             */
    refuse_each_allocation(&shape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writer_refuses_disorder),
        cmocka_unit_test(one_document_each),
        cmocka_unit_test(largest_impacts),
        cmocka_unit_test(settings_are_those_of_readers),
        cmocka_unit_test(hardly_a_word),
        cmocka_unit_test(sums_that_fill_a_page),
        cmocka_unit_test(writer_refuses_calls_out_of_turn),
        cmocka_unit_test(a_taken_name_is_left_alone),
        cmocka_unit_test(writer_survives_refused_writes),
        cmocka_unit_test(writer_survives_refused_memory),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
