/* SPDX-License-Identifier: MIT
 * open_folder.h - a fresh folder for each test, open; deleted afterwards, and no call refused any
 * more: what cmocka calls before and after a test, and the folder's names, in each program that
 * includes this.
 */
#ifndef PM_TESTS_OPEN_FOLDER_H
#define PM_TESTS_OPEN_FOLDER_H

#include "common/base/file.h"
#include "tests/support/folder.h"

static char folder[FOLDER_PATH];
static dir where = DIR_INIT;

static int open_folder(void **state)
{
    (void)state;
    folder_make(folder);
    return dir_open(&where, folder, NULL, NULL) == PM_OK ? 0 : -1;
}

static int close_folder(void **state)
{
    (void)state;
    file_fault = NULL;
    dir_close(&where);
    folder_remove(folder);
    return 0;
}

#endif
