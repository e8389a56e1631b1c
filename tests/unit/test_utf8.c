/* SPDX-License-Identifier: MIT
 *
 * test_utf8.c - decoding against a second decoder that knows only the definition: a
 * sequence is well-formed when it is the shortest encoding of a scalar value.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/text/analyzer.h"

static bool is_scalar(uint32_t cp)
{
    return cp < 0xd800 || (cp > 0xdfff && cp < 0x110000);
}

/* Bytes of every scalar value, by arithmetic alone. */
static size_t encode_plainly(uint32_t cp, char out[4])
{
    if (cp < 0x80) return out[0] = (char)cp, 1;
    if (cp < 0x800) return out[0] = (char)(0xc0 + cp / 64), out[1] = (char)(0x80 + cp % 64), 2;
    size_t n = cp < 0x10000 ? 3 : 4;
    out[n - 1] = (char)(0x80 + cp % 64);
    out[n - 2] = (char)(0x80 + cp / 64 % 64);
    if (n == 3) return out[0] = (char)(0xe0 + cp / 4096), 3;
    out[1] = (char)(0x80 + cp / 4096 % 64);
    out[0] = (char)(0xf0 + cp / 262144);
    return 4;
}

static void test_all_scalars(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        if (!is_scalar(cp)) continue;
        char want[4], got[4];
        size_t n = encode_plainly(cp, want), at = 0;
        assert_int_equal(utf8_put(got, cp), n);
        assert_memory_equal(got, want, n);
        assert_int_equal(utf8_next(want, n, &at), cp);
        assert_int_equal(at, n);
    }
}

/* Whether the n bytes begin the encoding of some scalar value; *whole when they are one. */
static bool begins_scalar(const char *p, size_t n, bool *whole)
{
    static const uint32_t first[] = {0, 0, 0x80, 0x800, 0x10000};
    static const uint32_t last[] = {0, 0x7f, 0x7ff, 0xffff, 0x10ffff};
    uint8_t lead = (uint8_t)p[0];
    size_t want = lead < 0x80   ? 1
                  : lead < 0xc0 ? 0
                  : lead < 0xe0 ? 2
                  : lead < 0xf0 ? 3
                  : lead < 0xf8 ? 4
                                : 0;
    if (!want || n > want) return false;
    uint32_t low = want == 1 ? lead : lead & (0x7fu >> want);
    for (size_t i = 1; i < n; i++) {
        if (((uint8_t)p[i] & 0xc0) != 0x80) return false;
        low = low << 6 | ((uint8_t)p[i] & 0x3f);
    }
    uint32_t span = 1u << (6 * (want - n)), high;
    low *= span;
    high = low + span - 1;
    *whole = n == want;
    if (low < first[want]) low = first[want];
    if (high > last[want]) high = last[want];
    return low <= high && !(low >= 0xd800 && high <= 0xdfff);
}

/* The maximal subpart at p: the longest prefix that begins a scalar, at least one byte. */
static size_t subpart(const char *p, size_t len, bool *whole)
{
    size_t best = 1;
    *whole = false;
    for (size_t n = 1; n <= len && n <= 4; n++) {
        bool w;
        if (!begins_scalar(p, n, &w)) break;
        best = n;
        *whole = w;
    }
    return best;
}

/* Of a copy whose end sanitizers see. */
static void check_bytes(const char *bytes, size_t len)
{
    char *p = malloc(len ? len : 1);
    assert_non_null(p);
    memcpy(p, bytes, len);
    size_t at = 0, repairs = 0, good = 0;
    bool valid = true;
    buf want = {0}, got = {0};
    while (at < len) {
        bool whole;
        size_t n = subpart(p + at, len - at, &whole), next = at;
        uint32_t cp = utf8_next(p, len, &next);
        assert_int_equal(next - at, n);
        if (!whole) assert_int_equal(cp, 0xfffd);
        bool keep = whole && cp;
        buf_append(&want, keep ? p + at : "\xef\xbf\xbd", keep ? n : 3);
        repairs += !keep;
        valid = valid && whole;
        if (valid) good = next;
        at = next;
    }
    assert_int_equal(utf8_valid_prefix(p, len), good);
    assert_int_equal(utf8_repair(&got, p, len), repairs);
    assert_int_equal(got.len, want.len);
    if (want.len) assert_memory_equal(got.data, want.data, want.len);
    buf_free(&want);
    buf_free(&got);
    free(p);
}

/* Every sequence of two bytes, and of four from the values at which table 3-7 turns. */
static void test_short_sequences(void **state)
{
    (void)state;
    static const uint8_t turns[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                    0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
                                    0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
    enum { N = sizeof turns };
    char p[4];
    for (unsigned i = 0; i < 65536; i++) {
        p[0] = (char)(i >> 8);
        p[1] = (char)i;
        check_bytes(p, 2);
    }
    for (unsigned i = 0; i < N * N * N * N; i++) {
        for (unsigned k = 0, left = i; k < 4; k++, left /= N) p[k] = (char)turns[left % N];
        check_bytes(p, 4);
    }
}

static void test_random_bytes(void **state)
{
    (void)state;
    uint64_t seed = 20251124;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 20000; round++) {
        char p[40];
        size_t len = random_next(&seed) % sizeof p;
        for (size_t i = 0; i < len; i++) {
            uint64_t r = random_next(&seed);
            p[i] = (char)(r & 256 ? 0x80 | (r & 0x7f) : r & 512 ? 0xe0 | (r & 0x1f) : r & 0x7f);
        }
        check_bytes(p, len);
    }
}

static void test_repair_refused(void **state)
{
    (void)state;
    buf out = {0};
    mem_fail_at(1, false);
    assert_int_equal(utf8_repair(&out, "a\xff", 2), 1);
    mem_fail_at(0, false);
    assert_true(out.failed);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_scalars),
        cmocka_unit_test(test_short_sequences),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_repair_refused),
    };
    return cmocka_run_group_tests_name("unit/utf8", tests, NULL, NULL);
}
