/* SPDX-License-Identifier: MIT
 * guard.c - see guard.h.
 */
#include "tests/support/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

guard guard_open(size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), all = (len + page - 1) / page * page;
    unsigned char *p = mmap(NULL, all + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + page, all, PROT_READ | PROT_WRITE)) {
        perror("guard_open");
        exit(2);
    }
    return (guard){p + page, all};
}

void guard_close(guard *g)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(g->start - page, g->len + 2 * page);
    *g = (guard){NULL, 0};
}

void *guard_last(const guard *g, size_t len)
{
    if (len > g->len) abort();
    return g->start + g->len - len;
}
