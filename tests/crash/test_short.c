/* SPDX-License-Identifier: MIT
 *
 * test_short.c - reads and writes that transfer less than was asked for.
 *
 * Once at each of them, and at all of them, down to single bytes: the run of commits
 * (crash_script.h) must end as if nothing had happened.  And a disk that takes a part of a
 * write and then is full: PM_IO with ENOSPC, the last commit stays, the next writer goes on.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "tests/support/script_place.h"

enum { COMMITS = 3 };

static crash_script script;

static struct {
    uint64_t at, calls; /* the transfer to cut; 0: all                                     */
    int most;           /* bytes of it                                                     */
    bool then_full;     /* later writes fail with ENOSPC                                   */
} cut;

static int on_call(const char *call, const char *name)
{
    (void)name;
    bool is_write = strcmp(call, "write") == 0;
    if (!is_write && (cut.then_full || strcmp(call, "read") != 0)) return 0;
    cut.calls++;
    if (cut.then_full && cut.calls > cut.at) return ENOSPC;
    return cut.at && cut.calls != cut.at ? 0 : -cut.most;
}

static pm_status run(unsigned from, unsigned to, uint64_t at, int most, bool then_full,
                     pm_error *err)
{
    cut.at = at;
    cut.calls = 0;
    cut.most = most;
    cut.then_full = then_full;
    file_fault = on_call;
    pm_status st = script_run(&script, path, from, to, NULL, NULL, err);
    file_fault = NULL;
    return st;
}

static void expect(int commit, pm_status st, pm_error *err)
{
    if (st != PM_OK) fail_msg("transfer %lu: %s", (unsigned long)cut.at, err->message);
    int seen = script_seen(&script, path, err);
    if (seen != commit)
        fail_msg("transfer %lu cut to %d: commit %d, not %d: %s", (unsigned long)cut.at, cut.most,
                 seen, commit, err->message);
}

static void once_and_always(void **state)
{
    static const int mosts[] = {1, 7, 300, 4096};
    unsigned long n = 0;
    uint64_t transfers = UINT64_MAX;
    (void)state;
    for (uint64_t at = 0; at <= transfers; at++) {
        pm_error err = {.status = PM_OK};
        int most = mosts[hash_mix(at) % 4];
        for (unsigned i = 0; i < (at ? 1 : 4); i++) {
            pm_status st = run(0, COMMITS, at, at ? most : mosts[i], false, &err);
            expect(COMMITS, st, &err);
            script_clear(path);
            n++;
        }
        if (at) transfers = cut.calls; /* of a run with one cut                             */
    }
    printf("short transfers: %lu runs of %d commits, %lu transfers each, all as if uncut\n", n,
           COMMITS, (unsigned long)transfers);
    assert_true(n > 20);
}

static void then_full(void **state)
{
    unsigned long n = 0, whole = 0;
    (void)state;
    for (uint64_t at = 1;; at++) {
        pm_error err = {.status = PM_OK};
        char orphan[SCRIPT_NAME];
        assert_int_equal(script_run(&script, path, 0, 1, NULL, NULL, &err), PM_OK);
        pm_status st = run(1, 2, at, 1 + (int)(hash_mix(at) % 500), true, &err);
        bool refused = cut.calls > cut.at;
        if (refused) {
            if (st != PM_IO || err.os_errno != ENOSPC) fail_msg("%d: %s", st, err.message);
            expect(1, PM_OK, &err);
            expect(2, script_run(&script, path, 1, 2, NULL, NULL, &err), &err);
            if (script_orphan(path, orphan)) fail_msg("%s is left over", orphan);
            n++;
        } else {
            expect(2, st, &err);
            whole++;
        }
        script_clear(path);
        if (cut.calls < at) break;
    }
    printf("short writes, then a full disk: %lu refused, %lu whole\n", n, whole);
    assert_true(n > 1);
}

static int begin(void **state)
{
    int made = make_place(state);
    script_make(&script, script_setting("PM_TEST_SEED", 1), COMMITS, 0);
    return made;
}

static int end(void **state)
{
    script_free(&script);
    return remove_place(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_and_always),
        cmocka_unit_test(then_full),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
