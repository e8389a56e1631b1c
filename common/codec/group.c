/* SPDX-License-Identifier: MIT
 * group.c - choosing the row of group kernels; see group.h.
 */
#include "common/codec/group.h"

#include <stdatomic.h>

#include "common/base/cpu.h"

#ifdef __aarch64__
static const group_kernels *choose(void)
{
    return &group_portable;
}
#else
static const group_kernels *choose(void)
{
    static const group_kernels *const rows[] = {
        [CPU_PORTABLE] = &group_portable,
        [CPU_AVX2] = &group_avx2,
        [CPU_AVX512] = &group_avx512,
    };
    return rows[cpu_get_level()];
}
#endif

/* All threads choose the same row. */
const group_kernels *group_get(void)
{
    static _Atomic(const group_kernels *) chosen;
    const group_kernels *row = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (!row) {
        row = choose();
        atomic_store_explicit(&chosen, row, memory_order_relaxed);
    }
    return row;
}

group_scale group_scale_of(double k1, double b, double mean)
{
    return (group_scale){
        .exact = {k1, b, mean}, .fixed = (float)(k1 * (1 - b)), .slope = (float)(k1 * b / mean)};
}
