/* SPDX-License-Identifier: MIT
 * test_manifest.c - the manifest's bytes, and which names are ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/crc32c.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "tests/support/sample_manifest.h"

static buf encoded(unsigned n_segments)
{
    manifest m = sample_manifest(n_segments, 9);
    buf b = {0};
    manifest_encode(&m, &b);
    assert_false(b.failed);
    manifest_free(&m);
    return b;
}

static void seal(buf *b)
{
    store_u32(b->data + b->len - 4, crc32c(0, b->data, b->len - 4));
}

static pm_status decode(slice bytes, pm_error *err)
{
    manifest m;
    pm_status st = manifest_decode(&m, bytes, "manifest", err);
    if (st == PM_OK) manifest_free(&m);
    return st;
}

static void test_round_trip(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 5; n++) {
        buf b = encoded(n), again = {0};
        manifest m;
        assert_int_equal(b.len, manifest_size(n));
        assert_int_equal(manifest_decode(&m, buf_slice(&b), "manifest", NULL), PM_OK);
        assert_int_equal(m.generation, 9);
        assert_int_equal(m.n_segments, n);
        assert_true(m.has_positions && !m.has_text && m.avgdl_ref == 123.5);
        assert_string_equal(m.profile, "pressmark-1 for tests");
        manifest_encode(&m, &again);
        assert_int_equal(again.len, b.len);
        assert_memory_equal(again.data, b.data, b.len);
        manifest_free(&m);
        buf_free(&b);
        buf_free(&again);
    }
}

/* A copy has the segments of its own, and takes more. */
static void test_copy(void **state)
{
    (void)state;
    manifest m = sample_manifest(5, 9), copy;
    manifest_segment more = sample_segment(7);
    buf b = {0}, again = {0};
    m.n_segments = 3; /* of more that there is room for                                       */
    assert_int_equal(manifest_copy(&copy, &m, NULL), PM_OK);
    manifest_encode(&m, &b);
    buf_append(&again, "first", 5); /* the sum is that of the manifest alone                  */
    manifest_encode(&copy, &again);
    assert_int_equal(again.len, b.len + 5);
    assert_memory_equal(again.data + 5, b.data, b.len);
    assert_int_equal(manifest_add_segment(&copy, &more, NULL), PM_OK);
    assert_string_equal(copy.segments[3].name, more.name);
    manifest_free(&copy);
    mem_fail_at(1, false);
    assert_int_equal(manifest_copy(&copy, &m, NULL), PM_NOMEM);
    mem_fail_at(0, false);
    assert_int_equal(copy.n_segments, 0);
    manifest_free(&m);
    buf_free(&b);
    buf_free(&again);
}

/* Each flag by itself. */
static void test_flags(void **state)
{
    (void)state;
    for (unsigned flag = 0; flag < 3; flag++) {
        manifest m = sample_manifest(0, 9), decoded;
        buf b = {0};
        m.has_positions = flag == 0;
        m.has_text = flag == 1;
        m.small = flag == 2;
        manifest_encode(&m, &b);
        assert_int_equal(manifest_decode(&decoded, buf_slice(&b), "manifest", NULL), PM_OK);
        assert_int_equal(decoded.has_positions, m.has_positions);
        assert_int_equal(decoded.has_text, m.has_text);
        assert_int_equal(decoded.small, m.small);
        manifest_free(&decoded);
        manifest_free(&m);
        buf_free(&b);
    }
}

static void test_every_flip_and_cut(void **state)
{
    (void)state;
    buf b = encoded(3);
    unsigned long n = 0;
    for (size_t at = 0; at < b.len; at++)
        for (unsigned bit = 0; bit < 8; bit++, n++) {
            b.data[at] ^= (uint8_t)(1u << bit);
            assert_int_equal(decode(buf_slice(&b), NULL), PM_CORRUPT);
            b.data[at] ^= (uint8_t)(1u << bit);
        }
    for (size_t len = 0; len < b.len; len++, n++)
        assert_int_equal(decode((slice){b.data, len}, NULL), PM_CORRUPT);
    printf("%lu damaged manifests refused\n", n);
    buf_free(&b);
}

/* Bytes that carry a right checksum all the same must give a manifest or PM_CORRUPT. */
static void test_crafted(void **state)
{
    (void)state;
    uint64_t seed = 4711;
    unsigned long refused = 0, taken = 0;
    for (unsigned round = 0; round < 20000; round++) {
        buf b = encoded(round % 4);
        for (unsigned k = 0; k < 1 + round % 3; k++)
            b.data[random_next(&seed) % b.len] = (uint8_t)random_next(&seed);
        seal(&b);
        pm_status st = decode(buf_slice(&b), NULL);
        assert_true(st == PM_OK || st == PM_CORRUPT);
        if (st == PM_OK)
            taken++;
        else
            refused++;
        buf_free(&b);
    }
    printf("seed 4711: %lu refused, %lu taken\n", refused, taken);
    assert_true(refused > 1000 && taken > 1000);
}

static void refuse_field(size_t at, const void *bytes, size_t len)
{
    buf b = encoded(2);
    memcpy(b.data + at, bytes, len);
    seal(&b);
    assert_int_equal(decode(buf_slice(&b), NULL), PM_CORRUPT);
    buf_free(&b);
}

static void test_refused_fields(void **state)
{
    (void)state;
    double nan_value = strtod("nan", NULL), inf = strtod("inf", NULL), minus = -1, above_1 = 1.5;
    uint32_t many = UINT32_MAX, seven = 7, shift = 32, flags = 8, larger = 257;
    uint64_t zero = 0;
    enum { FIRST = 224, SECOND = 344 };
    refuse_field(32, &zero, 8);
    refuse_field(40, &zero, 8);
    refuse_field(56, &zero, 8);
    refuse_field(56, &nan_value, 8);
    refuse_field(56, &inf, 8);
    refuse_field(64, &minus, 8);
    refuse_field(64, &above_1, 8);
    refuse_field(72, &nan_value, 8);
    refuse_field(80, &seven, 4);
    refuse_field(80, &larger, 4);
    refuse_field(84, &zero, 4);
    refuse_field(84, &shift, 4);
    refuse_field(88, &flags, 4);
    refuse_field(92, &many, 4);
    refuse_field(96, "0123456789abcdef", 16);
    refuse_field(96, "\x01", 1);
    refuse_field(96, "\x7f", 1);
    refuse_field(96, "\x1f", 1);
    refuse_field(96 + 8, "x", 1); /* behind the string's end                                   */
    refuse_field(FIRST + 20, "x", 1);
    refuse_field(SECOND + 56 + 20, "x", 1);
    refuse_field(FIRST, "../../etc/passwd", 17);
    refuse_field(FIRST, "/etc/passwd", 12);
    refuse_field(FIRST, "1-00000ABC.seg", 15);
    refuse_field(FIRST, "2000-00000abc.seg", 18);
    refuse_field(SECOND, "1-00000abc.seg", 15); /* the first one's name                     */
    refuse_field(SECOND, "1-00000fff.seg", 15); /* its number                               */
    refuse_field(SECOND + 56, "1-00000005.del", 15);
    refuse_field(SECOND + 56, "101-00000005.seg", 17);
    refuse_field(SECOND + 56, "2000-00000005.del", 18);
    refuse_field(FIRST + 52, &zero, 4);
    refuse_field(SECOND + 108, &larger, 4); /* more deleted than there are               */
    refuse_field(FIRST + 56, "101-00000005.del", 17); /* of nothing                        */
    refuse_field(FIRST + 96, &larger, 4);
    refuse_field(FIRST + 104, &larger, 4);
}

static void accept_field(size_t at, const void *bytes, size_t len)
{
    buf b = encoded(2);
    memcpy(b.data + at, bytes, len);
    seal(&b);
    assert_int_equal(decode(buf_slice(&b), NULL), PM_OK);
    buf_free(&b);
}

static void test_bounds(void **state)
{
    (void)state;
    double zero = 0, tenth = 0.1, one = 1, beyond = 1.01;
    accept_field(56, &tenth, 8);
    refuse_field(56, &zero, 8);
    accept_field(64, &zero, 8);
    accept_field(64, &one, 8);
    refuse_field(64, &beyond, 8);
    accept_field(72, &zero, 8);
    uint64_t last = INT64_MAX, end = last + 1, all = UINT64_MAX;
    for (size_t at = 32; at < 56; at += 8) { /* generation, next_file, next_seq                 */
        accept_field(at, &last, 8);
        refuse_field(at, &end, 8);
        refuse_field(at, &all, 8);
    }
    const struct {
        size_t at;
        uint32_t least, most;
    } numbers[] = {{80, 8, SEGMENT_BLOCK_MAX}, {84, 1, 31}, {92, 2, 2}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint32_t below = numbers[i].least - 1, above = numbers[i].most + 1;
        accept_field(numbers[i].at, &numbers[i].least, 4);
        accept_field(numbers[i].at, &numbers[i].most, 4);
        refuse_field(numbers[i].at, &below, 4);
        refuse_field(numbers[i].at, &above, 4);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    buf b = encoded(0);
    uint32_t other = (uint32_t)b.len + 1;
    refuse_field(12, &other, 4);
    for (uint32_t len = 20; len <= b.len; len++) {
        buf cut = {0};
        buf_append(&cut, b.data, len);
        store_u32(cut.data + 12, len);
        seal(&cut);
        assert_int_equal(decode(buf_slice(&cut), NULL), len < b.len ? PM_CORRUPT : PM_OK);
        buf_free(&cut);
    }
    buf_free(&b);
}

/* Numbers that are not neighbours, in as much memory as there can be numbers. */
static void test_named_twice(void **state)
{
    (void)state;
    for (unsigned twice = 0; twice < 8; twice++) {
        manifest m = sample_manifest(8, 9);
        buf b = {0};
        for (unsigned i = 0; i < 8; i++) {
            manifest_segment *s = &m.segments[i];
            s->n_deleted = 1;
            snprintf(s->name, sizeof s->name, "%u-00000abc.seg", 1 + i * 5 % 8);
            snprintf(s->del_name, sizeof s->del_name, "%u-00000abc.del", 100 - i);
        }
        if (twice) snprintf(m.segments[twice].del_name, SEGMENT_NAME_MAX, "1-00000abc.del");
        manifest_encode(&m, &b);
        assert_int_equal(decode(buf_slice(&b), NULL), twice ? PM_CORRUPT : PM_OK);
        buf_free(&b);
        manifest_free(&m);
    }
}

/* Of ten documents none to ten are dead, and nothing is said of a file where none is. */
static void test_dead_counts(void **state)
{
    (void)state;
    enum { FIRST = 224, SECOND = 344, DOCS = 52, DEL_NAME = 56, DEL_SIZE = 96, DEL_CRC = 104 };
    enum { DELETED = 108 };
    uint32_t none = 0, all = 10, more = 11;
    refuse_field(FIRST + DOCS, &none, 4);
    accept_field(SECOND + DELETED, &all, 4);
    refuse_field(SECOND + DELETED, &more, 4);
    refuse_field(SECOND + DELETED, &none, 4);
    refuse_field(FIRST + DEL_NAME, "500-00000005.del", 17);
    refuse_field(FIRST + DEL_SIZE, &more, 4);
    refuse_field(FIRST + DEL_CRC, &more, 4);
}

/* As many segments as there may be, and one more. */
static void test_most_segments(void **state)
{
    (void)state;
    pm_error err;
    manifest m = sample_manifest(0, 9);
    buf b = {0};
    manifest_segment s = {.size = 1000, .n_docs = 10};
    m.next_file = MANIFEST_SEGMENTS_MAX + 2;
    for (unsigned i = 0; i < MANIFEST_SEGMENTS_MAX; i++) {
        snprintf(s.name, sizeof s.name, "%u-00000abc.seg", i + 1);
        assert_int_equal(manifest_add_segment(&m, &s, &err), PM_OK);
    }
    assert_int_equal(manifest_add_segment(&m, &s, &err), PM_USAGE);
    assert_non_null(strstr(err.message, "pressmark optimize"));
    manifest_encode(&m, &b);
    assert_int_equal(decode(buf_slice(&b), NULL), PM_OK);
    buf_reset(&b);
    snprintf(s.name, sizeof s.name, "%u-00000abc.seg", MANIFEST_SEGMENTS_MAX + 1);
    m.segments = mem_realloc(m.segments, (m.n_segments + 1) * sizeof *m.segments);
    m.segments[m.n_segments++] = s;
    manifest_encode(&m, &b);
    assert_int_equal(decode(buf_slice(&b), NULL), PM_CORRUPT);
    manifest_free(&m);
    buf_free(&b);
}

static void test_newer_version(void **state)
{
    (void)state;
    pm_error err;
    buf b = encoded(1);
    store_u32(b.data + 8, 2);
    assert_int_equal(decode(buf_slice(&b), &err), PM_CORRUPT);
    assert_null(strstr(err.message, "version"));
    seal(&b);
    assert_int_equal(decode(buf_slice(&b), &err), PM_CORRUPT);
    assert_non_null(strstr(err.message, "version 2"));
    assert_non_null(strstr(err.message, "newer"));
    buf_free(&b);
}

static void test_names(void **state)
{
    (void)state;
    const char *ours[] = {"1-00000000.seg", "12-89abcdef.del", "manifest.tmp", "manifest.prev.tmp",
                          "18446744073709551615-00000000.seg"};
    const char *foreign[] = {"LOCK",
                             "manifest",
                             "manifest.prev",
                             "1-0000000.seg",
                             "1-000000000.seg",
                             "-00000000.seg",
                             "01-00000000.seg",
                             "1-00000000.seg~",
                             "1-0000000G.seg",
                             "1-0000000A.seg",
                             "notes.txt",
                             "",
                             "18446744073709551616-00000000.seg",
                             "184467440737095516150-00000000.seg",
                             "1-00000000.sega",
                             "x1-00000000.seg",
                             "1",
                             "1.seg",
                             "1_00000000.seg",
                             "2025-11-02.seg"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) assert_true(manifest_own_name(ours[i]));
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        assert_false(manifest_own_name(foreign[i]));
    char name[SEGMENT_NAME_MAX];
    manifest_make_name(name, UINT64_MAX, ".seg");
    assert_true(manifest_own_name(name));
    bool differ = false;
    for (unsigned i = 0; i < 4; i++) {
        char other[SEGMENT_NAME_MAX];
        manifest_make_name(other, UINT64_MAX, ".seg");
        differ |= strcmp(name, other) != 0;
    }
    assert_true(differ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_copy),
        cmocka_unit_test(test_flags),         cmocka_unit_test(test_every_flip_and_cut),
        cmocka_unit_test(test_crafted),       cmocka_unit_test(test_refused_fields),
        cmocka_unit_test(test_bounds),        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_named_twice),   cmocka_unit_test(test_dead_counts),
        cmocka_unit_test(test_most_segments), cmocka_unit_test(test_newer_version),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
