/* SPDX-License-Identifier: MIT
 * fresh_folder.h - a fresh folder for each test, not opened (open_folder.h opens it, too); deleted
 * afterwards.  No call and no allocation is refused any more then, and PRESSMARK_SEED is not set.
 * What cmocka calls before and after a test, and the folder's name, in each program that includes
 * this.
 */
#ifndef PM_TESTS_FRESH_FOLDER_H
#define PM_TESTS_FRESH_FOLDER_H

#include <stdlib.h>

#include "common/base/file.h"
#include "common/base/mem.h"
#include "tests/support/folder.h"

static char root[FOLDER_PATH];

static int make_root(void **state)
{
    (void)state;
    folder_make(root);
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    file_fault = NULL;
    file_done = NULL;
    mem_fail_at(0, false);
    unsetenv("PRESSMARK_SEED");
    folder_remove(root);
    return 0;
}

#endif
