/* SPDX-License-Identifier: MIT
 * open_fixture.h - a fresh fixture of ingest for each test: what cmocka calls before and after a
 * test, and the fixture, in each program that includes this.
 */
#ifndef PM_TESTS_OPEN_FIXTURE_H
#define PM_TESTS_OPEN_FIXTURE_H

#include "tests/support/ingest_fixture.h"

static ingest_fixture f;

static int open_fixture(void **state)
{
    (void)state;
    fixture_open(&f);
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

#endif
