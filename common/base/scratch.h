/* SPDX-License-Identifier: MIT
 * scratch.h - memory that may leave: large arrays that are built and read about in order.
 *
 * They are mapped files without names, in a folder that has room for them, so that their pages can
 * be given back (scratch_pass): what is not at hand is in the system's cache or on the disk.  An
 * array that is small, or for which the system refuses a file, is of the heap, as if there were no
 * scratch; nothing ever fails for want of disk alone.  A file's room is reserved before it is
 * touched, and its name is gone before anything is in it, so nothing is left behind.
 *
 * One thread allocates, grows and frees; others may read, write and pass meanwhile.
 */
#ifndef PM_BASE_SCRATCH_H
#define PM_BASE_SCRATCH_H

#include "common/base/file.h"

typedef struct scratch scratch;

/* Arrays of `least` bytes or more are files of the folder, which is borrowed; pages go back after
 * `window` bytes of scratch_pass; `leave` bytes of the disk are left for others.  `name`: of
 * nothing in the folder, for file systems that know no files without names; a file of it is there
 * for an instant.  NULL: memory is refused. */
scratch *scratch_open(const dir *folder, const char *name, size_t least, uint64_t window,
                      uint64_t leave);
/* Every array must have been freed.  NULL is allowed. */
void scratch_close(scratch *s);

/* As mem_array, mem_grow and mem_free, which they are where s is NULL. */
void *scratch_array(scratch *s, size_t count, size_t size);
bool scratch_grow(scratch *s, void *ptr, size_t *cap, size_t need, size_t size);
void scratch_free(scratch *s, void *ptr);

/* So many bytes of arrays were read or written, about. */
void scratch_pass(scratch *s, uint64_t bytes);
/* Bytes of files at most until now. */
uint64_t scratch_peak(const scratch *s);

#endif
