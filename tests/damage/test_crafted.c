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
#include "tests/support/crafted_merge.h"
#include "tests/support/open_folder.h"
#include "tests/support/reseal.h"
#include "tests/support/segment_model.h"

static const char name[] = "1-00000001.seg";

static uint32_t below(uint64_t *random, uint64_t n)
{
    return n ? (uint32_t)(random_next(random) % n) : 0;
}

/* ---- every reader ------------------------------------------------------------------------ */

/* What one case may cost: a crafted cf can promise more than bytes can hold. */
enum {
    STEPS_MAX = 20000,
    SEEDS_EACH = 4, /* segments of which every byte of the dictionary is changed             */
};

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

/* Damage is sticky; taken off between the readers, so that each one meets the bytes. */
static void read_everything(segment *s, uint64_t *random)
{
    struct check_sink sink = {0};
    pm_error err;
    read_terms(s, random);
    atomic_store(&s->damaged, 0);
    read_docs(s);
    atomic_store(&s->damaged, 0);
    if (!crafted_merge(s, &where, random, &err)) fail_msg("%s", err.message);
    atomic_store(&s->damaged, 0);
    segment_check(s, true, &sink, &err);
}

/* ---- changes ------------------------------------------------------------------------------ */

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

/* The bytes, with right sums, through all readers; true when they were opened. */
static bool read_sealed(uint8_t *data, size_t len, const uint8_t uuid[16], uint64_t *random)
{
    segment *s;
    pm_error err;
    uint32_t crc = reseal_segment(data, len);
    folder_empty(folder);
    folder_write(folder, name, data, len);
    if (segment_open(&s, &where, name, uuid, len, crc, &err) != PM_OK) return false;
    read_everything(s, random);
    segment_close(s);
    return true;
}

static uint8_t *copy_of(const buf *sound)
{
    uint8_t *data = malloc(sound->len);
    assert_non_null(data);
    return memcpy(data, sound->data, sound->len);
}

/* One changed copy. */
static bool one_change(const buf *sound, const segment_info *info, const uint8_t uuid[16],
                       uint64_t *random)
{
    uint8_t *data = copy_of(sound);
    for (uint32_t n = 1 + below(random, 3); n--;) change_something(data, sound->len, info, random);
    bool opened = read_sealed(data, sound->len, uuid, random);
    free(data);
    return opened;
}

/* A copy for each byte of the dictionary, in which that byte's lowest bit is another: where it is
 * of a term's flags, the term has positions now if it had none, and none if it had. */
static unsigned long one_term_each(const buf *sound, const segment_info *info,
                                   const uint8_t uuid[16], uint64_t *random)
{
    unsigned long opened = 0;
    const section *dict = &info->sections[SECTION_TERMS];
    for (uint64_t at = dict->off; at < dict->off + dict->len; at++) {
        uint8_t *data = copy_of(sound);
        data[at] ^= TERM_POSITIONS;
        opened += read_sealed(data, sound->len, uuid, random);
        free(data);
    }
    return opened;
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
    if (seed <= SEEDS_EACH) opened += one_term_each(&sound, &info, m.config.uuid, &random);
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
