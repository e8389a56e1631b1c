/* SPDX-License-Identifier: MIT
 *
 * plugin.h - for tests of the engine xapian: which plugin this program opens, and folders that
 * hold folders.
 */
#ifndef PM_TESTS_PLUGIN_H
#define PM_TESTS_PLUGIN_H

#include <stdbool.h>

/* The plugin of this build, or the one that throws what a test asks for.  Before the first use. */
void plugin_use(bool throwing);
/* Temporary folders in memory, where there is such a file system and none was named: tests that
 * commit thousands of times wait for no disk. */
void plugin_fast_folders(void);
/* What is allocated from now on may leak, until it may not again: libxapian loses the tables of a
 * compaction that an exception ends. */
void plugin_allow_leaks(bool allowed);
/* Delete a folder with all that is in it. */
void tree_remove(const char *path);

#endif
