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

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

static pthread_once_t cpu_once = PTHREAD_ONCE_INIT;
static cpu_level cpu_machine, cpu_chosen;
static int cpu_crc32;

#if defined(__x86_64__) || defined(__i386__)
static int cpu_has_lzcnt(void)
{
    unsigned a, b, c = 0, d;
    return __get_cpuid(0x80000001u, &a, &b, &c, &d) && (c >> 5 & 1);
}

static void cpu_detect(void)
{
    __builtin_cpu_init();
    cpu_crc32 = __builtin_cpu_supports("sse4.2") != 0;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") ||
        !__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("popcnt") || !cpu_has_lzcnt())
        return;
    cpu_machine = CPU_AVX2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
        __builtin_cpu_supports("avx512vpopcntdq"))
        cpu_machine = CPU_AVX512;
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
