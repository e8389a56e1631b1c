/* SPDX-License-Identifier: MIT
 * test_bytes.c - slices and readers never leave their bytes, whatever sizes they are asked for;
 * integers come back; a buffer that could not grow stays as it was and says so ever after.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/bytes.h"
#include "common/base/mem.h"

static const uint64_t edges[] = {0,
                                 1,
                                 2,
                                 7,
                                 8,
                                 9,
                                 127,
                                 128,
                                 16383,
                                 16384,
                                 UINT32_MAX,
                                 UINT64_C(1) << 32,
                                 (UINT64_C(1) << 63) - 1,
                                 UINT64_C(1) << 63,
                                 UINT64_MAX - 8,
                                 UINT64_MAX - 1,
                                 UINT64_MAX};
enum { EDGES = sizeof edges / sizeof *edges };

static void test_slices(void **state)
{
    (void)state;
    const uint8_t bytes[8] = {0};
    const slice whole = {bytes, sizeof bytes};
    for (unsigned i = 0; i < EDGES; i++)
        for (unsigned k = 0; k < EDGES; k++) {
            uint64_t off = edges[i], len = edges[k];
            bool fits = off <= 8 && len <= 8 && off + len <= 8;
            slice part = whole;
            assert_int_equal(slice_sub(whole, off, len, &part), fits);
            assert_ptr_equal(part.data, fits ? bytes + off : NULL);
            assert_int_equal(part.len, fits ? len : 0);
        }
}

/* One that was bad gives zeros and stands at the end. */
static void test_readers(void **state)
{
    (void)state;
    const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (unsigned i = 0; i < EDGES; i++) {
        reader r = reader_of((slice){bytes, sizeof bytes});
        slice got = read_slice(&r, edges[i]);
        bool fits = edges[i] <= 8;
        assert_int_equal(r.bad, !fits);
        assert_int_equal(got.len, fits ? edges[i] : 0);
        assert_int_equal(reader_left(&r), fits ? 8 - edges[i] : 0);
    }
    for (size_t len = 0; len < 8; len++) {
        reader r = reader_of((slice){bytes, len});
        assert_int_equal(read_u64(&r), 0);
        assert_true(r.bad && reader_left(&r) == 0);
        assert_int_equal(read_u8(&r), 0);
        assert_true(r.bad);
    }
    reader r = reader_of((slice){bytes, sizeof bytes});
    assert_int_equal(read_u8(&r), 1);
    assert_int_equal(read_u16(&r), 0x0302);
    assert_int_equal(read_u32(&r), 0x07060504);
    assert_true(!r.bad && reader_left(&r) == 1);
    assert_int_equal(read_u16(&r), 0);
    assert_true(r.bad && read_f64(&r) == 0);
}

static void test_varints(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EDGES; i++) {
        uint8_t bytes[10];
        unsigned n = varint_encode(bytes, edges[i]);
        assert_int_equal(n, varint_size(edges[i]));
        for (size_t len = 0; len <= n; len++) {
            reader r = reader_of((slice){bytes, len});
            assert_true(read_varint(&r) == (len == n ? edges[i] : 0));
            assert_int_equal(r.bad, len < n);
        }
        for (unsigned k = 0; k < EDGES; k++) {
            reader r = reader_of((slice){bytes, n});
            bool allowed = edges[i] <= edges[k];
            assert_true(read_varint_max(&r, edges[k]) == (allowed ? edges[i] : 0));
            assert_int_equal(r.bad, !allowed);
        }
    }
    static const uint8_t most[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
    static const uint8_t over[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};
    static const uint8_t longer[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                     0x80, 0x80, 0x80, 0x81, 0x00};
    static const uint8_t not_shortest[] = {0x81, 0x00};
    reader r = reader_of((slice){most, sizeof most});
    assert_true(read_varint(&r) == UINT64_MAX && !r.bad);
    r = reader_of((slice){over, sizeof over});
    assert_true(read_varint(&r) == 0 && r.bad);
    r = reader_of((slice){longer, sizeof longer});
    assert_true(read_varint(&r) == 0 && r.bad && reader_left(&r) == 0);
    r = reader_of((slice){not_shortest, sizeof not_shortest});
    assert_true(read_varint(&r) == 1 && !r.bad);
}

static void put_all(buf *b)
{
    buf_u8(b, 1);
    buf_u16(b, 0x0302);
    buf_u32(b, 0x07060504);
    buf_u64(b, UINT64_C(0x0f0e0d0c0b0a0908));
    buf_f64(b, 0.5);
    buf_varint(b, 300);
    buf_append_str(b, "xyz");
    buf_pad(b, 8);
    buf_pad(b, 8);
    buf_zero(b, 0);
    buf_zero(b, 3);
    buf_append(b, NULL, 0);
}

static const uint8_t all[] = {1,  2,   3,   4,   5, 6, 7, 8, 9, 10,   11,   12,
                              13, 14,  15,  0,   0, 0, 0, 0, 0, 0xe0, 0x3f, 0xac,
                              2,  'x', 'y', 'z', 0, 0, 0, 0, 0, 0,    0};

static void test_buffers(void **state)
{
    (void)state;
    for (unsigned in_arena = 0; in_arena < 2; in_arena++) {
        arena a = {0};
        buf b = {.arena = in_arena ? &a : NULL};
        put_all(&b);
        assert_false(b.failed);
        assert_int_equal(b.len, sizeof all);
        assert_memory_equal(b.data, all, sizeof all);
        assert_int_equal(a.total > 0, in_arena);
        buf_free(&b); /* an arena's memory stays the arena's                                  */
        assert_true(!b.data && !b.len && !b.cap && !b.arena);
        buf_u8(&b, 7);
        assert_int_equal(b.len, 1);
        assert_int_equal(b.data[0], 7);
        buf_free(&b);
        arena_free(&a);
    }
}

/* More than there can be, and more than there is. */
static void test_refused(void **state)
{
    (void)state;
    buf b = {0};
    buf_append_str(&b, "kept");
    assert_false(buf_reserve(&b, SIZE_MAX - 3));
    assert_true(b.failed);
    buf_append_str(&b, "lost");
    buf_zero(&b, 1);
    assert_false(buf_reserve(&b, 0));
    assert_int_equal(b.len, 4);
    assert_memory_equal(b.data, "kept", 4);
    buf_free(&b);
    for (unsigned in_arena = 0; in_arena < 2; in_arena++) {
        arena a = {0};
        b = (buf){.arena = in_arena ? &a : NULL};
        mem_fail_at(1, false);
        buf_append_str(&b, "refused");
        mem_fail_at(0, false);
        assert_true(b.failed && b.len == 0);
        buf_u8(&b, 1); /* there is memory again, but the text would have a hole              */
        assert_true(b.failed && b.len == 0);
        buf_free(&b);
        assert_false(b.failed);
        arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slices),  cmocka_unit_test(test_readers),
        cmocka_unit_test(test_varints), cmocka_unit_test(test_buffers),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
