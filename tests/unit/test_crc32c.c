/* SPDX-License-Identifier: MIT
 * test_crc32c.c - published values, a bitwise twin, and both kernels against each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cpu.h"
#include "common/base/crc32c.h"
#include "common/base/hash.h"

static uint32_t crc_bitwise(uint32_t crc, const uint8_t *p, size_t len)
{
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    }
    return ~crc;
}

/* RFC 3720, B.4, and the check value of the usual catalogues. */
static void test_published(void **state)
{
    (void)state;
    uint8_t bytes[32];
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283u);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, 32), 0x8a9136aau);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, 32), 0x62a8ab43u);
    for (unsigned i = 0; i < 32; i++) bytes[i] = (uint8_t)i;
    assert_int_equal(crc32c(0, bytes, 32), 0x46dd794eu);
    for (unsigned i = 0; i < 32; i++) bytes[i] = (uint8_t)(31 - i);
    assert_int_equal(crc32c(0, bytes, 32), 0x113fdb5cu);
    assert_int_equal(crc32c(0, NULL, 0), 0);
}

static uint8_t noise[20000];

static void test_kernels_agree(void **state)
{
    (void)state;
    uint64_t seed = 20251101;
    printf("seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)random_next(&seed);
    for (unsigned round = 0; round < 400; round++) {
        size_t from = random_next(&seed) % 64;
        size_t len = random_next(&seed) % (round < 200 ? 200 : sizeof noise - 64);
        uint32_t start = (uint32_t)random_next(&seed);
        uint32_t want = crc_bitwise(start, noise + from, len);
        assert_int_equal(crc32c_portable(start, noise + from, len), want);
        if (cpu_has_crc32()) assert_int_equal(crc32c_sse42(start, noise + from, len), want);
    }
}

/* The sum of a whole is that of its first part continued over the second, at every cut. */
static void test_continues(void **state)
{
    (void)state;
    uint32_t whole = crc32c(0, noise, 7000);
    for (size_t cut = 0; cut <= 7000; cut += 7)
        assert_int_equal(crc32c(crc32c(0, noise, cut), noise + cut, 7000 - cut), whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_kernels_agree),
        cmocka_unit_test(test_continues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
