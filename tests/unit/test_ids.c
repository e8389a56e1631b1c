/* SPDX-License-Identifier: MIT
 * test_ids.c - ids of every kind read back and found: numbered ones with and without zeros in
 * front, carries, gaps and jumps, runs that share everything or nothing, one document, ids of
 * all lengths up to the limit, the same id twice.  The twin is a plain array.
 *
 * PM_TEST_SEED=n repeats one case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/ids.h"
#include "common/segment/store.h"
#include "indexer/segment_writer.h"
#include "tests/oracle/second_reader.h"
#include "tests/support/open_folder.h"
#include "tests/support/reseal.h"

static const char name[] = "1-00000001.seg";
static uint8_t uuid[16];

typedef struct test_id {
    size_t len;
    char bytes[SEGMENT_ID_MAX + 1];
} test_id;

typedef struct id_set {
    test_id *ids;
    uint32_t n;
} id_set;

static id_set room(uint32_t n)
{
    id_set set = {mem_array(n, sizeof(test_id)), n};
    assert_non_null(set.ids);
    return set;
}

static segment *make(const id_set *set)
{
    segment_writer_config config = {.k1 = 1.2,
                                    .b = 0.75,
                                    .block_size = 8,
                                    .dense_shift = 5,
                                    .store_block_bytes = 20000,
                                    .deflate_level = 1};
    segment_writer *w;
    manifest_segment made;
    segment *s;
    buf record = {0};
    pm_error err;
    memcpy(config.uuid, uuid, sizeof config.uuid);
    folder_empty(folder);
    assert_int_equal(segment_writer_begin(&w, &where, name, &config, &err), PM_OK);
    for (uint32_t i = 0; i < set->n; i++) {
        pm_article article = {.id = {set->ids[i].bytes, set->ids[i].len}};
        buf_reset(&record);
        store_encode(&record, &article, false);
        segment_doc doc = {set->ids[i].bytes, set->ids[i].len,           0, i,
                           INT64_MIN,         {record.data, record.len}, 0};
        segment_writer_doc(w, &doc);
    }
    segment_writer_docs_done(w);
    if (segment_writer_finish(w, false, &made, &err) != PM_OK) fail_msg("%s", err.message);
    if (segment_open(&s, &where, name, uuid, made.size, made.footer_crc, &err) != PM_OK)
        fail_msg("%s", err.message);
    buf_free(&record);
    return s;
}

static void print_finding(void *ctx, const char *in, uint64_t offset, const char *what)
{
    (void)ctx;
    print_message("%s at %llu: %s\n", in, (unsigned long long)offset, what);
}

static void compare_naive(void *ctx, uint32_t doc, const second_doc *naive)
{
    const id_set *set = ctx;
    assert_true(naive->id_len == set->ids[doc].len &&
                !memcmp(naive->id, set->ids[doc].bytes, naive->id_len));
}

/* The highest document with these bytes, or n. */
static uint32_t last_with(const id_set *set, const test_id *id)
{
    for (uint32_t i = set->n; i-- > 0;)
        if (set->ids[i].len == id->len && !memcmp(set->ids[i].bytes, id->bytes, id->len)) return i;
    return set->n;
}

static void probe(const id_set *set, segment *s, const test_id *id)
{
    uint32_t want = last_with(set, id), doc = UINT32_MAX;
    bool found = segment_find_id(s, id->bytes, id->len, &doc);
    assert_int_equal(found, want < set->n);
    if (found) assert_int_equal(doc, want);
}

/* An id, and what is next to it. */
static void probe_near(const id_set *set, segment *s, test_id id)
{
    probe(set, s, &id);
    id.bytes[id.len - 1]++;
    probe(set, s, &id);
    id.bytes[id.len - 1] = (char)(id.bytes[id.len - 1] - 2);
    probe(set, s, &id);
    id.len--;
    probe(set, s, &id);
    id.len++;
    id.bytes[0]++;
    probe(set, s, &id);
}

static uint64_t varint_len(uint64_t n)
{
    return n < 128 ? 1 : 2;
}

/* Bytes of the ids where each gives what it shares with the one before, and no number is used: as
 * many are enough, and one a block for what all of it share. */
static uint64_t bytes_by_shared(const id_set *set)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < set->n; i++) {
        const test_id *id = &set->ids[i];
        if (i % ID_BLOCK == 0) {
            sum += 2 + varint_len(id->len) + id->len;
            continue;
        }
        const test_id *before = id - 1;
        size_t keep = 0;
        while (keep < before->len && keep < id->len && before->bytes[keep] == id->bytes[keep])
            keep++;
        sum += 1 + id->len - keep;
        if (keep >= 15) sum += varint_len(keep - 15);
        if (id->len - keep >= ID_LONG) sum += varint_len(id->len - keep - ID_LONG);
    }
    return sum;
}

/* Returns the bytes that ids take. */
static uint64_t compare_all(const id_set *set, bool table, uint32_t step)
{
    segment *s = make(set);
    struct check_sink sink = {.finding = print_finding};
    second_sink naive = {.doc = compare_naive, .ctx = (void *)(uintptr_t)set};
    char path[FOLDER_PATH + 40];
    pm_error err;
    uint8_t out[SEGMENT_ID_ROOM];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (uint32_t i = 0; i < set->n; i++) {
        slice id = segment_id(s, i, out);
        assert_int_equal(id.len, set->ids[i].len);
        assert_memory_equal(id.data, set->ids[i].bytes, id.len);
    }
    for (uint32_t i = 0; i < set->n; i += step) probe_near(set, s, set->ids[i]);
    assert_int_equal(s->info.sections[SECTION_ID_TABLE].len != 0, table);
    assert_int_equal(segment_status(s, &err), PM_OK);
    assert_int_equal(segment_check(s, true, &sink, &err), PM_OK);
    second_read(path, &naive);
    uint64_t bytes = s->info.sections[SECTION_IDS].len;
    assert_true(bytes <= bytes_by_shared(set));
    segment_close(s);
    return bytes;
}

/* ---- cases ---------------------------------------------------------------------------------- */

static void counted(void **state)
{
    (void)state;
    static const struct {
        const char *before, *behind;
        int digits;
    } kinds[] = {
        {"", "", 1}, {"news/", "", 1}, {"a-", "", 7}, {"", "#9", 1}, {"9999999999999", "", 8}};
    for (size_t f = 0; f < sizeof kinds / sizeof *kinds; f++)
        for (uint32_t step = 1; step < 20; step += step < 4 ? 1 : 7) {
            id_set set = room(2100);
            for (uint32_t i = 0; i < set.n; i++)
                set.ids[i].len = (size_t)sprintf(set.ids[i].bytes, "%s%0*u%s", kinds[f].before,
                                                 kinds[f].digits, 7 + i * step, kinds[f].behind);
            uint64_t bytes = compare_all(&set, false, 13);
            if (f < 3 && step == 1) assert_true(bytes < set.n);
            mem_free(set.ids);
        }
}

/* Any id of a kind. */
static void random_id(test_id *id, const test_id *before, unsigned kind, uint64_t *random)
{
    uint64_t r = random_next(random);
    size_t keep = before ? before->len : 0;
    if (!before || kind == 0) {
        id->len = (size_t)sprintf(id->bytes, "%llx", (unsigned long long)r);
    } else if (kind == 1) {
        id->len = (size_t)sprintf(id->bytes, "wiki/%llu#%u", (unsigned long long)r % 99999,
                                  (unsigned)(r >> 40) % 1000);
    } else if (kind == 2) { /* shares with the one before what chance says                   */
        *id = *before;
        keep = r % (keep + 1);
        size_t more = (r >> 32) % 40 + (keep == 0);
        if (keep + more > SEGMENT_ID_MAX) more = SEGMENT_ID_MAX - keep;
        for (size_t i = 0; i < more; i++)
            id->bytes[keep + i] = (char)"0129ab\xff\x01"[random_next(random) % 8];
        id->len = keep + more;
    } else { /* around the carries                                                            */
        static const int digits[] = {1, 3, 16, 5};
        id->len = (size_t)sprintf(id->bytes, "p%.*s", (int)(r % 20), "00000999999999999999");
        id->len += (size_t)sprintf(id->bytes + id->len, "%0*u", digits[r >> 8 & 3],
                                   (unsigned)(r >> 32) % 25 + 990 - (unsigned)(r >> 16) % 2 * 985);
        if ((r >> 24) % 3 == 0) {
            *id = *before;
            id_number n = id_number_of((const uint8_t *)id->bytes, id->len);
            id->len =
                n.stem + id_number_put((uint8_t *)id->bytes + n.stem, n.value + (r >> 50) % 19,
                                       (r >> 49 & 1) ? n.digits : 1);
        }
    }
}

static void random_sets(void **state)
{
    (void)state;
    const char *chosen = getenv("PM_TEST_SEED");
    uint64_t first = chosen ? strtoull(chosen, NULL, 10) : 1, last = chosen ? first : 60;
    for (uint64_t seed = first; seed <= last; seed++) {
        uint64_t random = seed;
        print_message("PM_TEST_SEED=%llu\n", (unsigned long long)seed);
        id_set set = room(1 + (uint32_t)(random_next(&random) % (seed % 4 ? 100 : 2000)));
        bool rise = true;
        for (uint32_t i = 0; i < set.n; i++) {
            random_id(&set.ids[i], i ? &set.ids[i - 1] : NULL,
                      (unsigned)((seed % 5 == 4 ? random_next(&random) : seed % 5) % 4), &random);
            slice a = {(const uint8_t *)set.ids[i - (i > 0)].bytes, set.ids[i - (i > 0)].len},
                  b = {(const uint8_t *)set.ids[i].bytes, set.ids[i].len};
            if (i && id_order(a, b) >= 0) rise = false;
        }
        compare_all(&set, !rise, 1);
        mem_free(set.ids);
    }
}

/* Every length there is: rising, falling, and all but the last byte the same. */
static void lengths(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 3; kind++) {
        id_set set = room(SEGMENT_ID_MAX);
        for (uint32_t i = 0; i < set.n; i++) {
            test_id *id = &set.ids[i];
            id->len = kind == 0 ? i + 1 : kind == 1 ? set.n - i : (size_t)SEGMENT_ID_MAX;
            memset(id->bytes, kind ? 'x' : '9', id->len);
            if (kind == 2) sprintf(id->bytes + SEGMENT_ID_MAX - 4, "%04u", i * 7);
        }
        compare_all(&set, kind == 1, 97);
        mem_free(set.ids);
    }
}

static void few(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 70; n++) {
        id_set rising = room(n), falling = room(n), same = room(n);
        for (uint32_t i = 0; i < n; i++) {
            rising.ids[i].len = (size_t)sprintf(rising.ids[i].bytes, "%u", i);
            falling.ids[i].len = (size_t)sprintf(falling.ids[i].bytes, "%u", 1000 - i);
            same.ids[i].len = (size_t)sprintf(same.ids[i].bytes, "same%u", n);
        }
        compare_all(&rising, false, 1);
        compare_all(&falling, n > 1, 1);
        compare_all(&same, n > 1, 1);
        mem_free(rising.ids);
        mem_free(falling.ids);
        mem_free(same.ids);
    }
}

/* Ids that somebody has chosen, all of one bucket: hashes are keyed then, and no bucket is long. */
static void chosen_ids(void **state)
{
    (void)state;
    enum { N = 4096 };
    id_set set = room(N);
    /* 0: as many as may be, 1: one more, 2: all; 3, 4: of the first bucket, and of the last */
    for (unsigned way = 0; way < 5; way++) {
        uint32_t chosen = way < 2 ? ID_BUCKET_MOST + way : N, at = 0;
        uint32_t bucket = way < 3 ? id_buckets(N) / 3 : way == 3 ? 0 : id_buckets(N) - 1;
        uint64_t number = way * 1000;
        while (at < N) {
            test_id *id = &set.ids[at];
            id->len = (size_t)snprintf(id->bytes, sizeof id->bytes, "%llx-id",
                                       (unsigned long long)hash_mix(++number));
            bool in = id_bucket(hash_bytes(id->bytes, id->len), N) == bucket;
            if (in == (at < chosen)) at++;
        }
        for (unsigned i = 0; i < sizeof uuid; i++) uuid[i] = (uint8_t)(7 * i + way + 1);
        compare_all(&set, true, 1);
        segment *s = make(&set);
        assert_int_equal(s->info.ids_keyed, way > 0);
        segment_close(s);
    }
    memset(uuid, 0, sizeof uuid);
    mem_free(set.ids);
}

/* Ids of the greatest length that share most of it, each byte of their section that is not of the
 * long rows of x changed and the sums made right: an id has at most SEGMENT_ID_MAX bytes, is not
 * empty, or is damage that is found. */
static void crafted_long_ids(void **state)
{
    enum { IDS = 40 };
    (void)state;
    id_set set = room(IDS);
    for (uint32_t i = 0; i < IDS; i++) {
        test_id *id = &set.ids[i];
        id->len = i % 3 ? (size_t)SEGMENT_ID_MAX : (size_t)SEGMENT_ID_MAX - 20;
        memset(id->bytes, 'x', id->len);
        sprintf(id->bytes + SEGMENT_ID_MAX - 40 - i % 7, "%02u", i);
    }
    segment *s = make(&set);
    section ids = s->info.sections[SECTION_IDS];
    segment_close(s);
    folder_image sound;
    folder_load(folder, &sound);
    unsigned damaged = 0, other = 0;
    static const uint8_t masks[] = {0x01, 0x10, 0x7f, 0xf0};
    for (uint64_t at = 0; at < ids.len; at++)
        for (unsigned m = 0; m < 4 && sound.files[0].data[ids.off + at] != 'x'; m++) {
            uint32_t crc = 0;
            pm_error err;
            folder_restore(folder, &sound);
            reseal_changed(folder, name, ids.off + at, masks[m], &crc);
            assert_int_equal(segment_open(&s, &where, name, uuid, sound.files[0].len, crc, &err),
                             PM_OK);
            for (uint32_t doc = 0; doc < IDS; doc++) {
                uint8_t room_of_one[SEGMENT_ID_ROOM];
                slice id = segment_id(s, doc, room_of_one);
                assert_true(id.len <= SEGMENT_ID_MAX);
                if (!id.len) assert_int_equal(segment_status(s, NULL), PM_CORRUPT);
            }
            if (segment_status(s, NULL) == PM_OK)
                other++;
            else
                damaged++;
            segment_close(s);
        }
    print_message("%u changes: %u damaged, %u other ids\n", damaged + other, damaged, other);
    assert_true(damaged > 100 && other > 100 && ids.len > 3 * SEGMENT_ID_MAX);
    folder_image_free(&sound);
    mem_free(set.ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counted),          cmocka_unit_test(random_sets),
        cmocka_unit_test(lengths),          cmocka_unit_test(few),
        cmocka_unit_test(chosen_ids),       cmocka_unit_test(few),
        cmocka_unit_test(crafted_long_ids),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
