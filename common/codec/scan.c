/* SPDX-License-Identifier: MIT
 * scan.c - choosing the row of scan kernels; see scan.h.
 */
#include "common/codec/scan.h"

#include <stdatomic.h>

#include "common/base/cpu.h"

#ifdef __aarch64__
/* Every machine has NEON. */
static const scan_kernels *choose(void)
{
    return &scan_neon;
}
#else
static const scan_kernels *choose(void)
{
    static const scan_kernels *const rows[] = {
        [CPU_PORTABLE] = &scan_portable,
        [CPU_AVX2] = &scan_avx2,
        [CPU_AVX512] = &scan_avx512,
    };
    return rows[cpu_get_level()];
}
#endif

/* All threads choose the same row. */
const scan_kernels *scan_get(void)
{
    static _Atomic(const scan_kernels *) chosen;
    const scan_kernels *row = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (!row) {
        row = choose();
        atomic_store_explicit(&chosen, row, memory_order_relaxed);
    }
    return row;
}
