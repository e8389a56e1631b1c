/* SPDX-License-Identifier: MIT
 *
 * test_prune_window.c - the line that stands for a table of values; windows as a whole are tested
 * against the exhaustive loop (tests/twin/test_prune.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

#include "common/base/hash.h"
#include "searcher/prune_window.h"

static double draw(uint64_t *seed)
{
    return (double)(random_next(seed) % 1000000) / 1e6;
}

/* Values as bounds give them: a share of x = (byte + 0.5) / 255 at a drifted average length. */
static bool line_bounds(uint64_t *seed, double drift, unsigned most)
{
    uint16_t value[256] = {0}, slope = 0, offset = 0;
    double steps = 1 + 59999 * draw(seed);
    for (unsigned byte = 1; byte <= most; byte++) {
        double x = fmin(1, (byte + 0.5) / 255);
        value[byte] = (uint16_t)(steps * x / (x + drift * (1 - x)) + 1);
    }
    bool good = prune_window_line(value, most, &slope, &offset);
    for (unsigned byte = 1; byte <= most && good; byte++) {
        uint32_t line = offset + ((uint32_t)byte * slope >> 8);
        assert_true(line >= value[byte]);
        assert_true(line <= (uint32_t)value[byte] + PRUNE_LINE_OFF);
    }
    return good;
}

static void test_line(void **state)
{
    (void)state;
    uint64_t seed = 3;
    unsigned straight = 0, bent = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned round = 0; round < 2000; round++) {
        unsigned most = 1 + (unsigned)(random_next(&seed) % 254);
        straight += line_bounds(&seed, 1, most);
        bent += line_bounds(&seed, 0.5 + draw(&seed), most);
    }
    assert_true(straight > 1900); /* without drift it nearly always will do                       */
    assert_true(bent < 1500);     /* a curve is no line                                           */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
    };
    return cmocka_run_group_tests_name("prune_window", tests, NULL, NULL);
}
