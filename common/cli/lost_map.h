/* SPDX-License-Identifier: MIT
 *
 * lost_map.h - what to say when a file that is mapped can no longer be read (SIGBUS).
 *
 * Index files are read through maps.  Where one is cut short by someone else, or the disk
 * refuses to read it, the kernel knows no other way to say so than a signal.  The library installs
 * no handlers; the program's is in main.c and says this line.
 */
#ifndef PM_CLI_LOST_MAP_H
#define PM_CLI_LOST_MAP_H

#include <stddef.h>

/* The message, naming the file that is mapped at `address`, one line with its newline; *len its
 * length.  NULL when no file is mapped there for sharing, as index files are: then the signal
 * means something else.  Safe in a signal handler; static, for one thread. */
const char *lost_map_line(const void *address, size_t *len);

#endif
