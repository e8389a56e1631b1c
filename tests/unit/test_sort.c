/* SPDX-License-Identifier: MIT
 *
 * test_sort.c - sort_items against the C library's qsort, on orders that are hard for quicksort.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/base/sort.h"

enum { MANY = 5000 };

typedef struct wide {
    uint64_t key;
    uint8_t tail[33]; /* its bytes must travel with the key                               */
} wide;

static unsigned compared;

static int by_key(const void *a, const void *b)
{
    uint64_t x, y;
    compared++;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static uint64_t key_of(unsigned kind, size_t i, size_t n, uint64_t *seed)
{
    switch (kind) {
    case 0:
        return random_next(seed);
    case 1:
        return i;
    case 2:
        return n - i;
    case 3:
        return 7;
    case 4:
        return random_next(seed) % 5;
    case 5:
        return i < n / 2 ? i : n - i;
    case 6:
        return i % 2 ? i : n - i;
    default:
        return (i * 7919) % (n / 3 + 1);
    }
}

static void try_wide(unsigned kind, size_t n, uint64_t *seed)
{
    static wide items[MANY];
    static uint64_t keys[MANY];
    for (size_t i = 0; i < n; i++) {
        keys[i] = items[i].key = key_of(kind, i, n, seed);
        for (size_t k = 0; k < sizeof items[i].tail; k++)
            items[i].tail[k] = (uint8_t)(items[i].key * 31 + k);
    }
    qsort(keys, n, sizeof *keys, by_key);
    compared = 0;
    sort_items(items, n, sizeof *items, by_key);
    assert_true(compared <= 40 * n + 200);
    for (size_t i = 0; i < n; i++) {
        assert_true(items[i].key == keys[i]);
        for (size_t k = 0; k < sizeof items[i].tail; k++)
            assert_int_equal(items[i].tail[k], (uint8_t)(items[i].key * 31 + k));
    }
}

static void test_orders(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 3, 12, 13, 14, 40, 100, 1000, MANY};
    uint64_t seed = 20261122;
    (void)state;
    for (unsigned kind = 0; kind < 8; kind++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) try_wide(kind, sizes[i], &seed);
}

/* An adversary who answers so that the pivot is always nearly the least (McIlroy, "A killer
 * adversary for quicksort", 1999). */
static struct {
    unsigned solid, candidate, gas;
    unsigned value[MANY];
} foe;

static int foe_compare(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    compared++;
    if (foe.value[x] == foe.gas && foe.value[y] == foe.gas)
        foe.value[x == foe.candidate ? x : y] = foe.solid++;
    if (foe.value[x] == foe.gas)
        foe.candidate = x;
    else if (foe.value[y] == foe.gas)
        foe.candidate = y;
    return (foe.value[x] > foe.value[y]) - (foe.value[x] < foe.value[y]);
}

static void test_adversary(void **state)
{
    static unsigned items[MANY];
    (void)state;
    foe.gas = MANY;
    for (unsigned i = 0; i < MANY; i++) {
        items[i] = i;
        foe.value[i] = foe.gas;
    }
    compared = 0;
    sort_items(items, MANY, sizeof *items, foe_compare);
    assert_true(compared < 100 * MANY);
    for (unsigned i = 1; i < MANY; i++) assert_true(foe.value[items[i - 1]] <= foe.value[items[i]]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_adversary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
