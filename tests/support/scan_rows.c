/* SPDX-License-Identifier: MIT
 * scan_rows.c - see scan_rows.h.
 */
#include "tests/support/scan_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cpu.h"
#include "tests/support/guard.h"

const scan_kernels *scan_rows[3];
unsigned n_scan_rows;
static guard areas[8];

int scan_rows_begin(void **state)
{
    (void)state;
    scan_rows[n_scan_rows++] = &scan_portable;
    if (cpu_machine_level() >= CPU_AVX2) scan_rows[n_scan_rows++] = &scan_avx2;
    if (cpu_machine_level() >= CPU_AVX512) scan_rows[n_scan_rows++] = &scan_avx512;
    for (unsigned i = 0; i < 8; i++) areas[i] = guard_open(32768);
    return 0;
}

int scan_rows_end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) guard_close(&areas[i]);
    return 0;
}

uint64_t scan_seed(void)
{
    const char *chosen = getenv("PM_TEST_SEED");
    uint64_t n = chosen ? strtoull(chosen, NULL, 10) : 31;
    print_message("PM_TEST_SEED=%llu, %u rows\n", (unsigned long long)n, n_scan_rows);
    return n;
}

void *scan_area(unsigned which, size_t len)
{
    void *p = guard_last(&areas[which], len);
    memset(p, 0x5a, len);
    return p;
}

void random_words(uint64_t *random, uint64_t *words, uint32_t n)
{
    unsigned kind = below(random, 8);
    for (uint32_t i = 0; i < n; i++) {
        words[i] = kind == 6 ? UINT64_MAX : kind == 7 ? 0 : random_next(random);
        for (unsigned k = 0; k < kind && kind < 6; k++) words[i] &= random_next(random);
    }
}
