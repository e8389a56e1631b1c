/* SPDX-License-Identifier: MIT
 * test_crafted.c - segments changed by chance, with every checksum made right afterwards: what
 * somebody who hands us an index can do.  Whatever the bytes, every reader ends, soon, with a
 * value or damage; the sanitizers watch what it reads and writes (INV-6).
 *
 * PM_TEST_SEED=n repeats one segment's cases; PM_TEST_ROUNDS=n makes n changes of each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/segment/cursor.h"
#include "common/segment/layout.h"
#include "common/segment/positions.h"
#include "common/segment/store.h"
#include "indexer/merge.h"
#include "tests/support/folder.h"
#include "tests/support/reseal.h"
#include "tests/support/segment_model.h"

static char folder[FOLDER_PATH];
static dir where = DIR_INIT;
static const char name[] = "1-00000001.seg";

static int open_folder(void **state)
{
    pm_error err;
    (void)state;
    folder_make(folder);
    return dir_open(&where, folder, NULL, &err) == PM_OK ? 0 : -1;
}

static int close_folder(void **state)
{
    (void)state;
    dir_close(&where);
    folder_remove(folder);
    return 0;
}

static uint32_t below(uint64_t *random, uint64_t n)
{
    return n ? (uint32_t)(random_next(random) % n) : 0;
}

/* ---- every reader ------------------------------------------------------------------------ */

/* What one case may cost: a crafted cf can promise more than bytes can hold. */
enum { STEPS_MAX = 20000 };

static void read_list(segment *s, const term_entry *entry, uint64_t *random)
{
    cursor c;
    form_stream forms;
    uint32_t positions[64], steps = 0, before = 0;
    cursor_open(&c, s, entry);
    form_stream_open(&forms, &c.list);
    while (cursor_next(&c) != CURSOR_END && steps++ < STEPS_MAX) {
        assert_true(c.doc < s->info.n_docs && (c.rank == 0 || c.doc > before));
        before = c.doc;
        uint32_t tf = cursor_tf(&c), n = cursor_positions(&c, positions, 64);
        assert_true(n == 0 || n == tf);
        for (uint32_t k = 1; k < n && k < 64; k++) assert_true(positions[k] > positions[k - 1]);
        for (uint32_t k = 0; k < tf && k < 8; k++)
            assert_true(form_stream_next(&forms) < (entry->n_forms ? entry->n_forms : 1));
        (void)cursor_impact(&c);
    }
    cursor_open(&c, s, entry);
    for (uint64_t target = 0; target < s->info.n_docs;
         target += 1 + below(random, s->info.n_docs / 3)) {
        uint32_t doc = cursor_seek(&c, (uint32_t)target);
        assert_true(doc == CURSOR_END || (doc >= target && doc < s->info.n_docs));
        if (below(random, 2)) cursor_positions(&c, positions, 64);
    }
}

/* Positions by rank, of ranks and documents that belong together and of any. */
static void read_places(segment *s, const term_entry *entry, uint64_t *random)
{
    static postings list;
    static position_scratch scratch;
    position_reader r;
    position_place places[POSITION_BATCH];
    uint32_t block[SEGMENT_BLOCK_MAX] = {0}, ranks[POSITION_BATCH], docs[POSITION_BATCH];
    if (!postings_open(&list, s, entry)) return;
    for (uint32_t b = 0; b < list.n_blocks && b < 8; b++) {
        uint32_t n = postings_decode_block(&list, b, block), count = 0;
        uint32_t first = postings_block_rank(&list, b);
        position_reader_open(&r, &list, block);
        for (uint32_t i = 0; i < n && count < POSITION_BATCH; i += 1 + below(random, 4)) {
            ranks[count] = below(random, 30) ? first + i : below(random, UINT64_C(1) << 32);
            docs[count++] = below(random, 30) ? block[i] : below(random, UINT64_C(1) << 32);
        }
        positions_find(&r, &scratch, ranks, docs, count, places);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t *out = places[i].tf ? malloc((size_t)places[i].tf * sizeof *out) : NULL;
            if (!out) continue;
            (void)position_has(&r, &places[i], below(random, UINT64_C(1) << 32));
            bool good = position_read(&r, &places[i], out);
            for (uint32_t k = 1; good && k < places[i].tf; k++) assert_true(out[k] > out[k - 1]);
            free(out);
        }
    }
}

static void read_terms(segment *s, uint64_t *random)
{
    dict_iter it;
    uint32_t steps = 0;
    dict_iter_begin(&it, s, false, NULL, 0);
    while (dict_iter_next(&it) && steps++ < STEPS_MAX) {
        term_entry found;
        dict_find(s, it.key, it.key_len, &found);
        dict_term_at(s, it.term.ordinal, &found, NULL);
        read_list(s, &it.term, random);
        read_places(s, &it.term, random);
    }
    dict_iter_begin(&it, s, true, "m", 1);
    for (steps = 0; dict_iter_next(&it) && steps < STEPS_MAX; steps++)
        assert_true(it.key_len <= DICT_KEY_MAX);
}

static void read_docs(segment *s)
{
    store_cache cache = {0};
    for (uint32_t doc = 0; doc < s->info.n_docs && doc < 200; doc++) {
        slice record, id = segment_id(s, doc, (uint8_t[SEGMENT_ID_ROOM]){0});
        pm_article article;
        uint32_t found;
        (void)segment_dl(s, doc);
        (void)segment_seq(s, doc);
        (void)segment_date(s, doc);
        if (id.len && segment_find_id(s, (const char *)id.data, id.len, &found))
            assert_true(found < s->info.n_docs);
        if (store_get(&cache, s, doc, &record, NULL) == PM_OK) store_decode(record, &article, NULL);
    }
    store_cache_free(&cache);
}

/* A merge of it, once or twice, with lists that are held or not, that keeps its documents' order or
 * not.  What is made of it, if anything, is a segment. */
static void merge_it(segment *s, uint64_t *random)
{
    static const pm_reorder orders[] = {PM_REORDER_KEEP, PM_REORDER_NONE};
    static const char result[] = "2-00000002.seg";
    pm_error err;
    segment *merged;
    manifest_segment made;
    merge_input inputs[2] = {{s, NULL}, {s, NULL}};
    uint64_t dead[16];
    for (size_t i = 0; i < sizeof dead / sizeof *dead; i++)
        dead[i] = random_next(random) & random_next(random);
    dead[0] &= ~UINT64_C(1);
    if (below(random, 2) && s->info.n_docs <= 64 * sizeof dead / sizeof *dead)
        inputs[0].dead = dead;
    segment_writer_config config = {.segment_id = 2,
                                    .k1 = s->info.k1,
                                    .b = s->info.b,
                                    .avgdl_ref = s->info.avgdl_ref,
                                    .block_size = s->info.block_size,
                                    .dense_shift = s->info.dense_shift,
                                    .bigram_words = 8,
                                    .has_positions = s->info.has_positions,
                                    .has_text = s->info.has_text,
                                    .zlib_level = 1};
    memcpy(config.uuid, s->info.uuid, sizeof config.uuid);
    const merge_order order = {
        .by = orders[below(random, 2)], .threads = 1, .memory_bytes = below(random, 2)};
    pm_status st = merge_segments(&where, inputs, 1 + below(random, 2), result, &config, &order,
                                  false, &made, &err);
    if (st != PM_OK) return;
    st = segment_open(&merged, &where, result, config.uuid, made.size, made.footer_crc, &err);
    if (st != PM_OK) fail_msg("%s", err.message);
    segment_close(merged);
}

/* Damage is sticky; taken off between the readers, so that each one meets the bytes. */
static void read_everything(segment *s, uint64_t *random)
{
    struct check_sink sink = {0};
    pm_error err;
    read_terms(s, random);
    atomic_store(&s->damaged, 0);
    read_docs(s);
    atomic_store(&s->damaged, 0);
    merge_it(s, random);
    atomic_store(&s->damaged, 0);
    segment_check(s, true, &sink, &err);
}

/* ---- changes
 * ------------------------------------------------------------------------------------- */

static void change_number(uint8_t *data, size_t at, size_t end, uint64_t *random)
{
    static const uint64_t hard[] = {
        0,         1,          0x7f,       0x80,       0xff,
        0xffff,    0x7fffffff, 0x80000000, 0xffffffff, UINT64_C(0x100000000),
        INT64_MAX, UINT64_MAX};
    size_t width = (size_t)1 << below(random, 4);
    uint64_t value = hard[below(random, sizeof hard / sizeof *hard)];
    if (at + width <= end) memcpy(data + at, &value, width);
}

static void change_something(uint8_t *data, size_t len, const segment_info *info, uint64_t *random)
{
    const section *sec = &info->sections[below(random, SECTION_COUNT)];
    bool footer = below(random, 12) == 0;
    size_t start = footer ? len - LAYOUT_FOOTER_BYTES : (size_t)sec->off,
           n = footer ? 428 : (size_t)sec->len;
    if (!n) return;
    size_t at = start + below(random, n);
    switch (below(random, 4)) {
    case 0:
        data[at] ^= (uint8_t)(1u << below(random, 8));
        break;
    case 1:
        data[at] = (uint8_t)random_next(random);
        break;
    case 2:
        change_number(data, at, start + n, random);
        break;
    default: {
        size_t from = start + below(random, n), most = start + n - (from > at ? from : at);
        memmove(data + at, data + from, 1 + below(random, most < 64 ? most : 64));
    }
    }
}

/* One changed copy through all readers; true when it was opened. */
static bool one_change(const buf *sound, const segment_info *info, const uint8_t uuid[16],
                       uint64_t *random)
{
    segment *s;
    pm_error err;
    uint8_t *data = malloc(sound->len);
    assert_non_null(data);
    memcpy(data, sound->data, sound->len);
    for (uint32_t n = 1 + below(random, 3); n--;) change_something(data, sound->len, info, random);
    uint32_t crc = reseal_segment(data, sound->len);
    folder_empty(folder);
    folder_write(folder, name, data, sound->len);
    free(data);
    if (segment_open(&s, &where, name, uuid, sound->len, crc, &err) != PM_OK) return false;
    read_everything(s, random);
    segment_close(s);
    return true;
}

static unsigned long rounds(void)
{
    const char *chosen = getenv("PM_TEST_ROUNDS");
    return chosen ? strtoul(chosen, NULL, 10) : 150;
}

static unsigned long one_segment(uint64_t seed)
{
    uint64_t random = seed;
    model_shape shape;
    segment_model m;
    manifest_segment made;
    segment *s;
    pm_error err;
    bool absent;
    buf sound = {0};
    unsigned long opened = 0;
    model_shape_random(&shape, &random);
    if (shape.n_docs > 900) shape.n_docs = 900;
    if (shape.n_terms > 30) shape.n_terms = 30;
    model_make(&m, &shape, seed);
    folder_empty(folder);
    if (model_write(&m, &where, name, &made, &err) != PM_OK) fail_msg("%s", err.message);
    assert_int_equal(
        segment_open(&s, &where, name, m.config.uuid, made.size, made.footer_crc, &err), PM_OK);
    assert_int_equal(dir_read(&where, name, 1 << 26, &sound, &absent, &err), PM_OK);
    segment_info info = s->info;
    segment_close(s);
    for (unsigned long i = rounds(); i--;)
        opened += one_change(&sound, &info, m.config.uuid, &random);
    print_message("PM_TEST_SEED=%llu: %lu changes opened\n", (unsigned long long)seed, opened);
    buf_free(&sound);
    model_free(&m);
    return opened;
}

static void crafted_segments(void **state)
{
    (void)state;
    const char *chosen = getenv("PM_TEST_SEED");
    uint64_t first = chosen ? strtoull(chosen, NULL, 10) : 1, last = chosen ? first : 12;
    unsigned long opened = 0;
    for (uint64_t seed = first; seed <= last; seed++) opened += one_segment(seed);
    assert_true(opened > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(crafted_segments)};
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
