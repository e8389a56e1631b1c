/* SPDX-License-Identifier: MIT
 * seq_set.c - see seq_set.h.
 */
#include "indexer/seq_set.h"

#include <string.h>

#include "common/base/mem.h"

enum { PAGE_SHIFT = 15, PAGE_WORDS = (1 << PAGE_SHIFT) / 64 };

typedef struct seq_page {
    uint64_t number; /* of its first bit, shifted                                          */
    uint64_t *bits;
} seq_page;

/* How many pages come before that number. */
static size_t pages_before(const seq_set *set, uint64_t number)
{
    size_t low = 0, high = set->n;
    if (high && set->pages[high - 1].number < number) return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->pages[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static seq_page *page_of(const seq_set *set, uint64_t seq)
{
    size_t at = pages_before(set, seq >> PAGE_SHIFT);
    return at < set->n && set->pages[at].number == seq >> PAGE_SHIFT ? &set->pages[at] : NULL;
}

static seq_page *insert_page(seq_set *set, uint64_t number)
{
    seq_page page = {number, NULL};
    if (!mem_grow(&set->pages, &set->cap, set->n + 1, sizeof *set->pages)) return NULL;
    page.bits = mem_array(PAGE_WORDS, sizeof *page.bits);
    if (!page.bits) return NULL;
    size_t at = pages_before(set, number);
    memmove(&set->pages[at + 1], &set->pages[at], (set->n - at) * sizeof page);
    set->pages[at] = page;
    set->n++;
    return &set->pages[at];
}

static uint64_t mask_of(uint64_t seq)
{
    return UINT64_C(1) << (seq & 63);
}

static size_t word_of(uint64_t seq)
{
    return seq / 64 % PAGE_WORDS;
}

bool seq_set_add(seq_set *set, uint64_t seq)
{
    seq_page *page = page_of(set, seq);
    if (!page) page = insert_page(set, seq >> PAGE_SHIFT);
    if (page) page->bits[word_of(seq)] |= mask_of(seq);
    return page != NULL;
}

bool seq_set_has(const seq_set *set, uint64_t seq)
{
    const seq_page *page = page_of(set, seq);
    return page && page->bits[word_of(seq)] & mask_of(seq);
}

uint64_t seq_set_memory(const seq_set *set)
{
    return set->n * PAGE_WORDS * sizeof *set->pages->bits + set->cap * sizeof *set->pages;
}

void seq_set_free(seq_set *set)
{
    for (size_t i = 0; i < set->n; i++) mem_free(set->pages[i].bits);
    mem_free(set->pages);
    *set = (seq_set){0};
}
