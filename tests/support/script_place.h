/* SPDX-License-Identifier: MIT
 * script_place.h - a folder in memory with room for one index, `path`, in the programs that run
 * scripts of commits (crash_script.h): what cmocka calls before and after all tests.  A program
 * that leaves an index there clears it first (script_clear), else it has failed.
 */
#ifndef PM_TESTS_SCRIPT_PLACE_H
#define PM_TESTS_SCRIPT_PLACE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/crash_script.h"

static char base[FOLDER_PATH], path[FOLDER_PATH + 8];

static int make_place(void **state)
{
    (void)state;
    unsetenv("PRESSMARK_SEED");
    script_folder(base);
    snprintf(path, sizeof path, "%s/idx", base);
    return 0;
}

static int remove_place(void **state)
{
    (void)state;
    return rmdir(base);
}

#endif
