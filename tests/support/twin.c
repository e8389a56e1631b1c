/* SPDX-License-Identifier: MIT
 * twin.c - see twin.h.  The level is decided at first use, so each runs in a process of its own.
 */
#include "tests/support/twin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cpu.h"

static const twin_plan *plan;

static _Noreturn void run_level(cpu_level level, uint64_t seed, unsigned n_queries)
{
    setenv("PRESSMARK_CPU", cpu_level_name(level), 1);
    if (!getenv("PM_TEST_SHOW") && !freopen("/dev/null", "w", stdout)) _exit(2);
    for (unsigned done = 0; done < n_queries; done += plan->at_a_time)
        plan->run(random_next(&seed), plan->at_a_time);
    _exit(0);
}

static void at_level(cpu_level level)
{
    const char *only = getenv("PRESSMARK_CPU");
    if (level > cpu_machine_level() || (only && strcmp(only, cpu_level_name(level)) != 0)) skip();
    const char *given = getenv("PM_TEST_SEED"), *more = getenv("PM_TEST_QUERIES");
    uint64_t seed = given ? strtoull(given, NULL, 10) : plan->seed;
    unsigned n_queries = more ? (unsigned)strtoul(more, NULL, 10) : plan->n_queries;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) run_level(level, seed, n_queries);
    int status = 0;
    assert_true(waitpid(child, &status, 0) == child);
    if (status != 0)
        fail_msg("PRESSMARK_CPU=%s PM_TEST_SEED=%" PRIu64 " fails", cpu_level_name(level), seed);
    print_message("%s: %u queries equal, seed %" PRIu64 "\n", cpu_level_name(level), n_queries,
                  seed);
}

static void test_portable(void **state)
{
    (void)state;
    at_level(CPU_PORTABLE);
}
static void test_avx2(void **state)
{
    (void)state;
    at_level(CPU_AVX2);
}
static void test_avx512(void **state)
{
    (void)state;
    at_level(CPU_AVX512);
}

int twin_run(const twin_plan *given)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_portable),
        cmocka_unit_test(test_avx2),
        cmocka_unit_test(test_avx512),
    };
    plan = given;
    return cmocka_run_group_tests_name(given->name, tests, NULL, NULL);
}
