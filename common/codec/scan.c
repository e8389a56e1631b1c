/* SPDX-License-Identifier: MIT
 * scan.c - choosing the row of scan kernels; see scan.h.
 */
#include "common/codec/scan.h"

#include "common/base/cpu.h"

const scan_kernels *scan_get(void)
{
    static const scan_kernels *const rows[] = {
        [CPU_PORTABLE] = &scan_portable,
        [CPU_AVX2] = &scan_avx2,
        [CPU_AVX512] = &scan_avx512,
    };
    return rows[cpu_get_level()];
}
