/* SPDX-License-Identifier: MIT
 * mem.h - the only door to the heap (INV-3).
 *
 * Three lifetimes: *mapped* (borrowed from a file), *arena* (reset, not freed), *owned*
 * (init/free).  Every allocation may be refused; tests refuse each one in turn with
 * mem_fail_at.  Nothing here aborts.
 */
#ifndef PM_BASE_MEM_H
#define PM_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL on refusal; size 0 gives a valid pointer.  Owned by the caller: mem_free. */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
/* For megabytes that are touched out of order: in huge pages where the system has them. */
void *mem_large(size_t size);
/* The same, zeroed by writing, for tables that are read in places that were never written: pages
 * from calloc are mapped twice then, and the second time every other thread is interrupted. */
void *mem_table(size_t count, size_t size);
void *mem_realloc(void *ptr, size_t size);
/* count * size with overflow check, zeroed. */
void *mem_array(size_t count, size_t size);
void mem_free(void *ptr);
/* From now on what is large and freed goes back to the system.  The C library else keeps blocks of
 * up to 32 MiB once such have been freed, beside what is counted of a limit.  Process-wide, so for
 * a program's main alone. */
void mem_keep_little(void);
/* What is free of the heap goes back to the system, after something made of very many small pieces.
 */
void mem_give_back(void);
/* A NUL-terminated copy of len bytes. */
char *mem_strndup(const char *data, size_t len);

/* Grow *ptr (elements of `size` bytes) so that it holds at least `need`; doubles.
 * False on refusal: *ptr and *cap stay as they were. */
bool mem_grow(void *ptr, size_t *cap, size_t need, size_t size);

/* Test seam: refuse the n-th allocation from now (1 = the next one), once or from then
 * on; 0 turns it off.  Process-wide, thread-safe. */
void mem_fail_at(uint64_t n, bool sticky);
/* Allocations asked for since start (or since the last mem_fail_at). */
uint64_t mem_count(void);

/* Arena: bump allocation, 16-byte aligned, reset in O(1) keeping its memory.  Valid when
 * zeroed.  Not thread-safe. */
typedef struct arena {
    struct arena_chunk *first, *current;
    size_t used;  /* in current                                                      */
    size_t total; /* bytes held in all chunks                                        */
} arena;

void *arena_alloc(arena *a, size_t size); /* NULL on refusal; not zeroed                 */
void *arena_zalloc(arena *a, size_t size);
char *arena_strndup(arena *a, const char *data, size_t len); /* NUL-terminated copy      */
/* As mem_grow, in the arena: the old block stays behind until the reset. */
bool arena_grow(arena *a, void *ptr, size_t *cap, size_t need, size_t size);
void arena_reset(arena *a);
void arena_free(arena *a);

#endif
