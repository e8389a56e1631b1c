/* SPDX-License-Identifier: MIT
 * kernels.c - choosing the row; see kernels.h.
 */
#include "common/codec/kernels.h"

#include <stdatomic.h>

#include "common/base/cpu.h"

#ifdef __aarch64__
/* Every machine has NEON. */
static const codec_kernels *choose(void)
{
    return &kernels_neon;
}
#else
static const codec_kernels *choose(void)
{
    static const codec_kernels *const rows[] = {
        [CPU_PORTABLE] = &kernels_portable,
        [CPU_AVX2] = &kernels_avx2,
        [CPU_AVX512] = &kernels_avx512,
    };
    return rows[cpu_get_level()];
}
#endif

/* All threads choose the same row. */
const codec_kernels *kernels_get(void)
{
    static _Atomic(const codec_kernels *) chosen;
    const codec_kernels *row = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (!row) {
        row = choose();
        atomic_store_explicit(&chosen, row, memory_order_relaxed);
    }
    return row;
}
