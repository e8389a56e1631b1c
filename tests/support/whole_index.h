/* SPDX-License-Identifier: MIT
 *
 * whole_index.h - indexes and folders compared as a whole: two hold the same when their dumps are
 * the same text, and are the same when their files are.
 *
 * What goes wrong in a function that returns no status fails the test.
 */
#ifndef PM_TESTS_WHOLE_INDEX_H
#define PM_TESTS_WHOLE_INDEX_H

#include "common/base/bytes.h"
#include "pressmark.h"
#include "tests/support/folder.h"

/* Fail the test unless PM_OK. */
void must(pm_status st, const pm_error *err);

/* The dump of the index; the caller frees. */
buf dump(const char *path);
void assert_same_text(const buf *a, const buf *b);
void assert_same_dump(const char *a, const char *b);
/* The same files with the same bytes. */
void assert_same_image(const folder_image *a, const folder_image *b);
/* A deep check finds nothing; findings are printed. */
void assert_sound(const char *path);
/* Files of the folder that end so. */
unsigned count_files(const char *path, const char *suffix);

#endif
