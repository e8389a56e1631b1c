/* SPDX-License-Identifier: MIT
 * cpu.c - see cpu.h.
 *
 * A level stands for all the instruction sets that its file suffix is compiled with
 * (Makefile): avx2 also needs bmi, bmi2, popcnt and lzcnt, avx512 six parts of AVX-512.
 */
#include "common/base/cpu.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* Asking the processor itself costs a trap on a virtual machine, some 2 us an instruction and
 * 60 us in all; the C library has asked already, where it tells. */
#if defined(__x86_64__) || defined(__i386__)
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
#include <sys/platform/x86.h>
#define CPU_HAS(glibc_name, gcc_name) cpu_active(x86_cpu_##glibc_name)
/* CPU_FEATURE_ACTIVE without its shift of a signed 1 by 31. */
static int cpu_active(unsigned index)
{
    const struct cpuid_feature *leaf = __x86_get_cpuid_feature_leaf(index / 128);
    return leaf->active_array[index % 128 / 32] >> index % 32 & 1;
}
#else
#define CPU_HAS(glibc_name, gcc_name) (__builtin_cpu_supports(gcc_name) != 0)
#endif
#endif

static pthread_once_t cpu_once = PTHREAD_ONCE_INIT;
static cpu_level cpu_machine, cpu_chosen;
static int cpu_crc32;

#ifdef CPU_HAS
static int cpu_has_avx2(void)
{
    return CPU_HAS(AVX2, "avx2") && CPU_HAS(BMI1, "bmi") && CPU_HAS(BMI2, "bmi2") &&
           CPU_HAS(POPCNT, "popcnt") && CPU_HAS(LZCNT, "lzcnt");
}

static int cpu_has_avx512(void)
{
    return CPU_HAS(AVX512F, "avx512f") && CPU_HAS(AVX512BW, "avx512bw") &&
           CPU_HAS(AVX512DQ, "avx512dq") && CPU_HAS(AVX512VL, "avx512vl") &&
           CPU_HAS(AVX512_VBMI, "avx512vbmi") && CPU_HAS(AVX512_VBMI2, "avx512vbmi2") &&
           CPU_HAS(AVX512_VPOPCNTDQ, "avx512vpopcntdq");
}

static void cpu_detect(void)
{
    cpu_crc32 = CPU_HAS(SSE4_2, "sse4.2");
    if (!cpu_has_avx2()) return;
    cpu_machine = cpu_has_avx512() ? CPU_AVX512 : CPU_AVX2;
}
#else
static void cpu_detect(void) {}
#endif

static void cpu_decide(void)
{
    cpu_detect();
    cpu_chosen = cpu_machine;
    const char *wish = getenv("PRESSMARK_CPU");
    for (int level = CPU_PORTABLE; wish && level < (int)cpu_machine; level++)
        if (strcmp(wish, cpu_level_name((cpu_level)level)) == 0) cpu_chosen = (cpu_level)level;
    if (wish && strcmp(wish, cpu_level_name(CPU_PORTABLE)) == 0) cpu_crc32 = 0;
}

cpu_level cpu_get_level(void)
{
    pthread_once(&cpu_once, cpu_decide);
    return cpu_chosen;
}

cpu_level cpu_machine_level(void)
{
    pthread_once(&cpu_once, cpu_decide);
    return cpu_machine;
}

int cpu_has_crc32(void)
{
    pthread_once(&cpu_once, cpu_decide);
    return cpu_crc32;
}

const char *cpu_level_name(cpu_level level)
{
    switch (level) {
    case CPU_AVX512:
        return "avx512";
    case CPU_AVX2:
        return "avx2";
    case CPU_PORTABLE:
        break;
    }
    return "portable";
}

unsigned cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}
