/* SPDX-License-Identifier: MIT
 * mem.c - see mem.h.
 */
#include "common/base/mem.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static _Atomic uint64_t mem_calls;
static _Atomic uint64_t mem_refuse_from; /* 0: never                                     */
static _Atomic bool mem_refuse_sticky;

void mem_fail_at(uint64_t n, bool sticky)
{
    atomic_store(&mem_calls, 0);
    atomic_store(&mem_refuse_sticky, sticky);
    atomic_store(&mem_refuse_from, n);
}

uint64_t mem_count(void)
{
    return atomic_load(&mem_calls);
}

static bool mem_refused(void)
{
    uint64_t call = atomic_fetch_add_explicit(&mem_calls, 1, memory_order_relaxed) + 1;
    uint64_t from = atomic_load_explicit(&mem_refuse_from, memory_order_relaxed);
    if (from == 0 || call < from) return false;
    return call == from || atomic_load_explicit(&mem_refuse_sticky, memory_order_relaxed);
}

void *mem_alloc(size_t size)
{
    return mem_refused() ? NULL : malloc(size ? size : 1);
}

enum { HUGE_PAGE = 2 << 20 };

void *mem_large(size_t size)
{
    if (size < 4 * HUGE_PAGE) return mem_alloc(size);
    if (mem_refused() || size > SIZE_MAX - HUGE_PAGE) return NULL;
    size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *large = aligned_alloc(HUGE_PAGE, size);
    if (large) madvise(large, size, MADV_HUGEPAGE);
    return large;
}

void *mem_table(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    void *table = mem_large(bytes);
    __asm__("" : "+r"(table)); /* or the compiler makes calloc of the two                      */
    return table ? memset(table, 0, bytes) : NULL;
}

void *mem_zalloc(size_t size)
{
    return mem_refused() ? NULL : calloc(1, size ? size : 1);
}

void *mem_realloc(void *ptr, size_t size)
{
    return mem_refused() ? NULL : realloc(ptr, size ? size : 1);
}

void *mem_array(size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : mem_zalloc(bytes);
}

void mem_free(void *ptr)
{
    free(ptr);
}

void mem_keep_little(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 2 * HUGE_PAGE);
    mallopt(M_TRIM_THRESHOLD, 2 * HUGE_PAGE);
#endif
}

void mem_give_back(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

char *mem_strndup(const char *data, size_t len)
{
    if (len == SIZE_MAX) return NULL;
    char *copy = mem_alloc(len + 1);
    if (!copy) return NULL;
    if (len) memcpy(copy, data, len);
    copy[len] = 0;
    return copy;
}

/* Capacity and bytes that `need` items of `size` bytes call for; false: more than can be. */
static bool grown_size(size_t cap, size_t need, size_t size, size_t *want, size_t *bytes)
{
    *want = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (*want < need) *want = need;
    if (*want < 16) *want = 16;
    return !__builtin_mul_overflow(*want, size, bytes);
}

bool mem_grow(void *ptr, size_t *cap, size_t need, size_t size)
{
    size_t want, bytes;
    void *old;
    if (need <= *cap) return true;
    if (!grown_size(*cap, need, size, &want, &bytes)) return false;
    memcpy(&old, ptr, sizeof old);
    void *grown = mem_realloc(old, bytes);
    if (!grown) return false;
    memcpy(ptr, &grown, sizeof grown);
    *cap = want;
    return true;
}

/* ---- arena --------------------------------------------------------------------------- */

enum { ARENA_CHUNK = 64 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of data                                                              */
    _Alignas(16) unsigned char data[];
};

static bool arena_add_chunk(arena *a, size_t size)
{
    size_t want = size > ARENA_CHUNK ? size : ARENA_CHUNK;
    if (want > SIZE_MAX - sizeof(struct arena_chunk)) return false;
    struct arena_chunk *chunk = mem_alloc(sizeof *chunk + want);
    if (!chunk) return false;
    chunk->size = want;
    chunk->next = a->current ? a->current->next : NULL;
    if (a->current)
        a->current->next = chunk;
    else
        a->first = chunk;
    a->current = chunk;
    a->used = 0;
    a->total += want;
    return true;
}

void *arena_alloc(arena *a, size_t size)
{
    if (size > SIZE_MAX - 15) return NULL;
    size = (size + 15) & ~(size_t)15;
    while (!a->current || a->current->size - a->used < size) {
        if (a->current && a->current->next) {
            a->current = a->current->next;
            a->used = 0;
        } else if (!arena_add_chunk(a, size)) {
            return NULL;
        }
    }
    void *ptr = a->current->data + a->used;
    a->used += size;
    return ptr;
}

void *arena_zalloc(arena *a, size_t size)
{
    void *ptr = arena_alloc(a, size);
    if (ptr) memset(ptr, 0, size);
    return ptr;
}

char *arena_strndup(arena *a, const char *data, size_t len)
{
    if (len == SIZE_MAX) return NULL;
    char *copy = arena_alloc(a, len + 1);
    if (!copy) return NULL;
    if (len) memcpy(copy, data, len);
    copy[len] = 0;
    return copy;
}

bool arena_grow(arena *a, void *ptr, size_t *cap, size_t need, size_t size)
{
    size_t want, bytes;
    void *old;
    if (need <= *cap) return true;
    if (!grown_size(*cap, need, size, &want, &bytes)) return false;
    memcpy(&old, ptr, sizeof old);
    void *grown = arena_alloc(a, bytes);
    if (!grown) return false;
    if (*cap) memcpy(grown, old, *cap * size);
    memcpy(ptr, &grown, sizeof grown);
    *cap = want;
    return true;
}

void arena_reset(arena *a)
{
    a->current = a->first;
    a->used = 0;
}

void arena_free(arena *a)
{
    for (struct arena_chunk *chunk = a->first; chunk;) {
        struct arena_chunk *next = chunk->next;
        mem_free(chunk);
        chunk = next;
    }
    memset(a, 0, sizeof *a);
}
