/* SPDX-License-Identifier: MIT
 * cpu.h - which kernels this machine may run.  PRESSMARK_CPU=portable|avx2|avx512 lowers
 * the level; it never raises it.  Decided once, at first use.
 */
#ifndef PM_BASE_CPU_H
#define PM_BASE_CPU_H

typedef enum cpu_level { CPU_PORTABLE, CPU_AVX2, CPU_AVX512 } cpu_level;

/* What may be used: the machine's level, lowered by PRESSMARK_CPU. */
cpu_level cpu_get_level(void);
/* What the machine has. */
cpu_level cpu_machine_level(void);
const char *cpu_level_name(cpu_level level);
/* True when the crc32 instruction (SSE4.2) may be used; lowered by PRESSMARK_CPU=portable. */
int cpu_has_crc32(void);
/* Processors this process may run on, at least 1. */
unsigned cpu_count(void);

#endif
