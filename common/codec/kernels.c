/* SPDX-License-Identifier: MIT
 * kernels.c - choosing the row; see kernels.h.
 */
#include "common/codec/kernels.h"

#include "common/base/cpu.h"

const codec_kernels *kernels_get(void)
{
    static const codec_kernels *const rows[] = {
        [CPU_PORTABLE] = &kernels_portable,
        [CPU_AVX2] = &kernels_avx2,
        [CPU_AVX512] = &kernels_avx512,
    };
    return rows[cpu_get_level()];
}
