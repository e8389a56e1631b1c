/* SPDX-License-Identifier: MIT
 * test_tombstones.c - what deletion takes from each term, counted anew; damage; snapshots.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/crc32c.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/cursor.h"
#include "common/segment/snapshot.h"
#include "tests/support/folder.h"

enum { DOCS = 700 }; /* more than one bucket of the bitmap                                  */

static char root[FOLDER_PATH];

static const char *const words[] = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta"};

static void add_documents(pm_writer *w, uint32_t n, uint64_t *seed)
{
    for (uint32_t i = 0; i < n; i++) {
        char id[16], text[256] = "";
        pm_article a = {.id = {id, (size_t)snprintf(id, sizeof id, "d%u", i)}};
        size_t len = 0;
        for (uint64_t k = random_next(seed) % 20; k; k--)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s ",
                                    words[random_next(seed) % 7 * (random_next(seed) % 2)]);
        a.text = (pm_text){text, len};
        assert_int_equal(pm_writer_add(w, &a, NULL, NULL), PM_OK);
    }
}

static int set_up(void **state)
{
    (void)state;
    uint64_t seed = 12;
    pm_writer *w;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    options.block_size = 8;
    folder_make(root);
    if (pm_writer_open(root, &options, &w, NULL) != PM_OK) return -1;
    add_documents(w, DOCS, &seed);
    pm_status st = pm_writer_commit(w, NULL, NULL);
    pm_writer_close(w);
    return st == PM_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    folder_remove(root);
    return 0;
}

/* A random set of deleted documents: one in `one_in`, at least one. */
static void random_set(uint64_t *bits, uint64_t one_in, uint64_t *seed)
{
    memset(bits, 0, (DOCS + 63) / 64 * 8);
    bits[1] |= 1u << 5;
    for (uint32_t doc = 0; doc < DOCS; doc++)
        if (random_next(seed) % one_in == 0) bits[doc / 64] |= UINT64_C(1) << doc % 64;
}

static void compare_term(segment *s, const dict_iter *it, const tombstones *t)
{
    static cursor c;
    uint32_t df = 0, df_minus;
    uint64_t cf = 0, cf_minus;
    cursor_open(&c, s, &it->term);
    while (cursor_next(&c) != CURSOR_END)
        if (tombstones_has(t, c.doc)) {
            df++;
            cf += cursor_tf(&c);
        }
    tombstones_correction(t, it->term.ordinal, &df_minus, &cf_minus);
    assert_int_equal(df_minus, df);
    assert_int_equal(cf_minus, cf);
}

static void test_corrections(void **state)
{
    (void)state;
    uint64_t seed = 5, bits[(DOCS + 63) / 64];
    snapshot *snap;
    assert_int_equal(snapshot_open(&snap, root, NULL), PM_OK);
    segment *s = snap->segments[0].seg;
    for (unsigned round = 0; round < 20; round++) {
        buf file = {0};
        uint32_t crc, n_deleted, want = 0;
        uint64_t deleted_tokens, tokens = 0;
        tombstones t;
        dict_iter it;
        random_set(bits, 1 + round * round, &seed);
        assert_int_equal(tombstones_encode(s, bits, &file, &crc, &n_deleted, &deleted_tokens, NULL),
                         PM_OK);
        folder_write(root, "t.del", file.data, file.len);
        assert_int_equal(tombstones_open(&t, &snap->folder, "t.del", s, file.len, crc, NULL),
                         PM_OK);
        for (uint32_t doc = 0; doc < DOCS; doc++) {
            bool dead = bits[doc / 64] >> doc % 64 & 1;
            assert_int_equal(tombstones_has(&t, doc), dead);
            want += dead;
            tokens += dead ? segment_dl(s, doc) : 0;
        }
        assert_false(tombstones_has(&t, DOCS) || tombstones_has(&t, UINT32_MAX));
        assert_int_equal(n_deleted, want);
        assert_int_equal(t.n_deleted, want);
        assert_int_equal(deleted_tokens, tokens);
        dict_iter_begin(&it, s, false, "", 0);
        while (dict_iter_next(&it)) compare_term(s, &it, &t);
        tombstones_close(&t);
        buf_free(&file);
    }
    snapshot_close(snap);
}

/* What is refused, and what is closed, is empty. */
static pm_status open_or_say(snapshot *snap, slice bytes, uint32_t crc, pm_error *err)
{
    static const tombstones empty;
    tombstones t;
    memset(&t, 0xff, sizeof t);
    folder_write(root, "t.del", bytes.data, bytes.len);
    pm_status st =
        tombstones_open(&t, &snap->folder, "t.del", snap->segments[0].seg, bytes.len, crc, err);
    if (st == PM_OK) tombstones_close(&t);
    assert_memory_equal(&t, &empty, sizeof t);
    return st;
}

static pm_status open_bytes(snapshot *snap, slice bytes, uint32_t crc)
{
    return open_or_say(snap, bytes, crc, NULL);
}

/* With its sum made right. */
static pm_status open_sealed(snapshot *snap, buf *file, pm_error *err)
{
    uint32_t crc = crc32c(0, file->data, file->len - 4);
    store_u32(file->data + file->len - 4, crc);
    return open_or_say(snap, buf_slice(file), crc, err);
}

static buf sample(snapshot *snap, uint32_t *crc)
{
    uint64_t seed = 9, bits[(DOCS + 63) / 64], tokens;
    uint32_t n;
    buf file = {0};
    random_set(bits, 50, &seed);
    assert_int_equal(tombstones_encode(snap->segments[0].seg, bits, &file, crc, &n, &tokens, NULL),
                     PM_OK);
    return file;
}

static void test_damage(void **state)
{
    (void)state;
    snapshot *snap;
    uint32_t crc;
    assert_int_equal(snapshot_open(&snap, root, NULL), PM_OK);
    buf file = sample(snap, &crc);
    assert_int_equal(open_bytes(snap, buf_slice(&file), crc), PM_OK);
    assert_int_equal(open_bytes(snap, buf_slice(&file), crc + 1), PM_CORRUPT);
    for (size_t at = 0; at < file.len; at++) {
        file.data[at] ^= 0x10;
        assert_int_equal(open_bytes(snap, buf_slice(&file), crc), PM_CORRUPT);
        file.data[at] ^= 0x10;
    }
    for (size_t len = 0; len < file.len; len += 3)
        assert_int_equal(open_bytes(snap, (slice){file.data, len}, crc), PM_CORRUPT);
    buf_free(&file);
    snapshot_close(snap);
}

/* With a right checksum whatever stands in the file is defined, and no field of the head may
 * be changed unnoticed. */
static void test_crafted(void **state)
{
    (void)state;
    snapshot *snap;
    uint32_t crc;
    uint64_t seed = 77;
    assert_int_equal(snapshot_open(&snap, root, NULL), PM_OK);
    buf file = sample(snap, &crc);
    unsigned refused = 0;
    enum { ROUNDS = 4000 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t at = round < 64 ? round : random_next(&seed) % (file.len - 4);
        uint8_t old = file.data[at];
        file.data[at] = (uint8_t)(old ^ (1 + random_next(&seed) % 255));
        crc = crc32c(0, file.data, file.len - 4);
        store_u32(file.data + file.len - 4, crc);
        pm_status st = open_bytes(snap, buf_slice(&file), crc);
        assert_true(st == PM_CORRUPT || (st == PM_OK && at >= 48));
        refused += st == PM_CORRUPT;
        file.data[at] = old;
    }
    printf("seed 77: %u of %u refused\n", refused, (unsigned)ROUNDS);
    buf_free(&file);
    snapshot_close(snap);
}

static void test_nothing_stays_mapped(void **state)
{
    (void)state;
    snapshot *snap;
    uint32_t crc;
    assert_int_equal(folder_maps(root), 0);
    assert_int_equal(snapshot_open(&snap, root, NULL), PM_OK);
    assert_int_equal(folder_maps(root), 1);
    buf file = sample(snap, &crc);
    assert_int_equal(open_bytes(snap, buf_slice(&file), crc), PM_OK);
    assert_int_equal(open_bytes(snap, buf_slice(&file), crc + 1), PM_CORRUPT);
    assert_int_equal(folder_maps(root), 1);
    buf_free(&file);
    snapshot_close(snap);
    assert_int_equal(folder_maps(root), 0);
}

/* The last term there is can be corrected, one behind it not; where that stands is said. */
static void test_number_of_a_term(void **state)
{
    (void)state;
    snapshot *snap;
    uint32_t crc;
    pm_error err;
    assert_int_equal(snapshot_open(&snap, root, NULL), PM_OK);
    buf file = sample(snap, &crc);
    uint64_t n = load_u64(file.data + 56), n_terms = snap->segments[0].seg->info.n_terms;
    uint64_t last = 64 + 64 * 2 + 8 * n + 4 * (n - 1);
    assert_true(n > 1 && load_u32(file.data + last) == n_terms - 1);
    store_u32(file.data + last, (uint32_t)n_terms);
    assert_int_equal(open_sealed(snap, &file, &err), PM_CORRUPT);
    assert_int_equal(err.offset, last);
    store_u32(file.data + last, (uint32_t)n_terms - 1);
    assert_int_equal(open_sealed(snap, &file, &err), PM_OK);
    buf_free(&file);
    snapshot_close(snap);
}

/* A file of these deleted documents, which is as long as FORMAT.md says and reads back. */
static buf made_of(snapshot *snap, const uint64_t *bits, uint32_t want)
{
    segment *s = snap->segments[0].seg;
    uint32_t n = s->info.n_docs, crc, n_deleted;
    uint64_t tokens;
    buf file = {0};
    tombstones t;
    assert_int_equal(tombstones_encode(s, bits, &file, &crc, &n_deleted, &tokens, NULL), PM_OK);
    assert_int_equal(n_deleted, want);
    assert_int_equal(file.len, 64 + 64 * ((n + 511) / 512) + 16 * load_u64(file.data + 56) + 4);
    folder_write(root, "t.del", file.data, file.len);
    assert_int_equal(tombstones_open(&t, &snap->folder, "t.del", s, file.len, crc, NULL), PM_OK);
    for (uint32_t doc = 0; doc < n; doc++)
        assert_int_equal(tombstones_has(&t, doc), bits[doc / 64] >> doc % 64 & 1);
    tombstones_close(&t);
    return file;
}

/* A list that cannot be read takes nothing away that anybody could believe: no file is made. */
static void test_damaged_list(void **state)
{
    (void)state;
    snapshot *snap;
    uint64_t bits[(DOCS + 63) / 64] = {6}, tokens;
    uint32_t crc, n;
    pm_error err;
    buf file = {0};
    buf_append(&file, "before", 6);
    assert_int_equal(snapshot_open(&snap, root, NULL), PM_OK);
    segment *s = snap->segments[0].seg;
    int fd = folder_open(root, snap->meta.segments[0].name);
    assert_int_equal(pwrite(fd, "xxxx", 4, (off_t)s->info.sections[SECTION_POSTINGS].off), 4);
    close(fd);
    assert_int_equal(tombstones_encode(s, bits, &file, &crc, &n, &tokens, &err), PM_CORRUPT);
    assert_non_null(strstr(err.message, snap->meta.segments[0].name));
    assert_int_equal(file.len, 6);
    buf_free(&file);
    snapshot_close(snap);
}

/* Segments that fill words and buckets of the bitmap just so: one document is deleted, or all are;
 * none behind the last can be. */
static void test_sizes(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 63, 64, 65, 511, 512, 513, 640};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint32_t n = sizes[i];
        uint64_t seed = 3, one[11] = {0}, all[11] = {0};
        pm_writer *w;
        snapshot *snap;
        pm_error err;
        folder_empty(root);
        assert_int_equal(pm_writer_open(root, NULL, &w, NULL), PM_OK);
        add_documents(w, n, &seed);
        assert_int_equal(pm_writer_commit(w, NULL, NULL), PM_OK);
        pm_writer_close(w);
        assert_int_equal(snapshot_open(&snap, root, NULL), PM_OK);
        for (uint32_t doc = 0; doc < n; doc++) all[doc / 64] |= UINT64_C(1) << doc % 64;
        buf file = made_of(snap, all, n);
        buf_free(&file);
        one[(n - 1) / 64] = UINT64_C(1) << (n - 1) % 64;
        file = made_of(snap, one, 1);
        file.data[64 + (n - 1) / 8] ^= (uint8_t)(1 << (n - 1) % 8);
        for (uint32_t doc = n; doc % 512; doc++) {
            file.data[64 + doc / 8] ^= (uint8_t)(1 << doc % 8);
            assert_int_equal(open_sealed(snap, &file, &err), PM_CORRUPT);
            assert_non_null(strstr(err.message, "no such document"));
            assert_int_equal(err.offset, 64 + doc / 64 * 8);
            file.data[64 + doc / 8] ^= (uint8_t)(1 << doc % 8);
        }
        assert_int_equal(open_sealed(snap, &file, &err), PM_CORRUPT); /* none is deleted      */
        buf_free(&file);
        snapshot_close(snap);
    }
}

/* ---- snapshots: the same statistics, however documents are spread -------------------- */

static void test_snapshot_statistics(void **state)
{
    (void)state;
    pm_writer *w;
    snapshot *snap;
    uint64_t seed = 12, seed_2 = 13, df, cf, n_docs, n_tokens;
    uint32_t at, doc;
    double avgdl;
    assert_int_equal(snapshot_open(&snap, root, NULL), PM_OK);
    n_docs = snap->n_docs;
    n_tokens = snap->n_tokens;
    avgdl = snap->avgdl;
    assert_int_equal(n_docs, DOCS);
    snapshot_df(snap, "alpha", 5, &df, &cf);
    snapshot_close(snap);

    /* Every document replaced by another, then in two more commits by what it was. */
    assert_int_equal(pm_writer_open(root, NULL, &w, NULL), PM_OK);
    add_documents(w, DOCS, &seed_2);
    assert_int_equal(pm_writer_commit(w, NULL, NULL), PM_OK);
    add_documents(w, DOCS, &seed);
    assert_int_equal(pm_writer_commit(w, NULL, NULL), PM_OK);
    seed = 12;
    add_documents(w, DOCS / 2, &seed);
    assert_int_equal(pm_writer_commit(w, NULL, NULL), PM_OK);
    pm_writer_close(w);

    uint64_t df_now, cf_now;
    assert_int_equal(snapshot_open(&snap, root, NULL), PM_OK);
    assert_int_equal(snap->meta.n_segments, 2); /* the others have no live document          */
    assert_int_equal(snap->n_docs, n_docs);
    assert_int_equal(snap->n_tokens, n_tokens);
    assert_true(snap->avgdl == avgdl);
    snapshot_df(snap, "alpha", 5, &df_now, &cf_now);
    assert_int_equal(df_now, df);
    assert_int_equal(cf_now, cf);
    assert_true(snapshot_find_id(snap, "d3", 2, &at, &doc) && at == 1);
    assert_true(snapshot_find_id(snap, "d600", 4, &at, &doc) && at == 0);
    assert_true(snapshot_live(&snap->segments[at], doc));
    assert_false(snapshot_find_id(snap, "d9999", 5, &at, &doc));
    assert_int_equal(snapshot_status(snap, NULL), PM_OK);
    snapshot_close(snap);
}

static void test_refused_memory(void **state)
{
    (void)state;
    uint64_t n = 0, tokens;
    pm_status st;
    snapshot *snap;
    uint32_t crc, n_deleted;
    const uint64_t bits[(DOCS + 63) / 64] = {6};
    buf whole = {0};
    assert_int_equal(snapshot_open(&snap, root, NULL), PM_OK);
    assert_int_equal(
        tombstones_encode(snap->segments[0].seg, bits, &whole, &crc, &n_deleted, &tokens, NULL),
        PM_OK);
    snapshot_close(snap);
    do {
        buf file = {0};
        mem_fail_at(++n, false);
        st = snapshot_open(&snap, root, NULL);
        if (st == PM_OK)
            st = tombstones_encode(snap->segments[0].seg, bits, &file, &crc, &n_deleted, &tokens,
                                   NULL);
        mem_fail_at(0, false);
        assert_true(st == PM_OK || st == PM_NOMEM);
        if (st == PM_OK) { /* all of it */
            assert_int_equal(file.len, whole.len);
            assert_memory_equal(file.data, whole.data, whole.len);
        }
        buf_free(&file);
        snapshot_close(snap);
    } while (st != PM_OK);
    buf_free(&whole);
    printf("%llu allocations refused\n", (unsigned long long)n - 1);
    assert_true(n > 8);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_corrections),
        TEST(test_damage),
        TEST(test_crafted),
        TEST(test_nothing_stays_mapped),
        TEST(test_number_of_a_term),
        TEST(test_damaged_list),
        TEST(test_sizes),
        TEST(test_snapshot_statistics),
        TEST(test_refused_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
