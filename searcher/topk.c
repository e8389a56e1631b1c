/* SPDX-License-Identifier: MIT
 *
 * topk.c - the best k hits; see topk.h.
 *
 * Hits are only appended until there are half as many again as wanted; then the best k become a
 * binary heap, which every further one is held against.  The pruned loops deliver few more
 * than k, so mostly all order is made by the sort at the end: by merging, without a branch
 * on what a comparison says.
 */
#include "searcher/topk.h"

#include <string.h>

#include "common/base/mem.h"

enum {
    MERGED_MAX = 4096, /* more hits than these are sorted as a heap, in place                */
    FEW = 4,           /* so many are sorted by insertion                                    */
};

/* True when a stands before b in the list. */
static inline bool better(const topk *t, const hit *a, const hit *b)
{
    if (t->parts && a->in_all != b->in_all) return a->in_all;
    return (a->score > b->score) | ((a->score == b->score) & (a->seq < b->seq));
}

static bool grow(hit **row, size_t *cap, uint64_t room)
{
    return room <= SIZE_MAX / sizeof **row && mem_grow(row, cap, (size_t)room, sizeof **row);
}

bool topk_begin(topk *t, uint64_t k, uint64_t matches, bool parts)
{
    uint64_t most = k < matches ? k : matches, room = most;
    if (room < MERGED_MAX / 2) room = k + k / 2 + 32 < matches ? k + k / 2 + 32 : matches;
    if (!grow(&t->hits, &t->cap, room)) return false;
    if (!grow(&t->spare, &t->spare_cap, room < MERGED_MAX ? room : MERGED_MAX)) return false;
    t->k = (size_t)most;
    t->room = (size_t)room;
    t->n = 0;
    t->parts = parts;
    t->heap = false;
    return true;
}

/* ---- order by merging ---------------------------------------------------------------------- */

static void sort_few(const topk *t, hit *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        hit moving = v[i];
        size_t at = i;
        for (; at && better(t, &moving, &v[at - 1]); at--) v[at] = v[at - 1];
        v[at] = moving;
    }
}

/* Two rows of n_a and n_b hits, one behind the other, into one. */
static void merge(const topk *t, const hit *a, size_t n_a, size_t n_b, hit *to)
{
    const hit *end_a = a + n_a, *b = end_a, *end_b = b + n_b;
    while (a < end_a && b < end_b) {
        bool second = better(t, b, a);
        *to++ = second ? *b : *a;
        b += second;
        a += !second;
    }
    while (a < end_a) *to++ = *a++;
    while (b < end_b) *to++ = *b++;
}

static void merge_sort(topk *t)
{
    for (size_t at = 0; at < t->n; at += FEW)
        sort_few(t, t->hits + at, t->n - at < FEW ? t->n - at : FEW);
    for (size_t run = FEW; run < t->n; run *= 2) {
        for (size_t at = 0, next; at < t->n; at = next) {
            size_t left = t->n - at, first = left < run ? left : run;
            size_t second = left - first < run ? left - first : run;
            merge(t, t->hits + at, first, second, t->spare + at);
            next = at + first + second;
        }
        hit *swap = t->hits;
        size_t cap = t->cap;
        t->hits = t->spare;
        t->cap = t->spare_cap;
        t->spare = swap;
        t->spare_cap = cap;
    }
}

/* ---- the worst hit on top -------------------------------------------------------------------- */

/* Let the hit at `at` sink until both its children are better. */
static void sink(topk *t, size_t at, size_t n)
{
    hit moving = t->hits[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n) break;
        if (child + 1 < n && better(t, &t->hits[child], &t->hits[child + 1])) child++;
        if (!better(t, &moving, &t->hits[child])) break;
        t->hits[at] = t->hits[child];
        at = child;
    }
    t->hits[at] = moving;
}

static void heap_sort(topk *t)
{
    for (size_t n = t->n; n > 1; n--) {
        hit worst = t->hits[0];
        t->hits[0] = t->hits[n - 1];
        t->hits[n - 1] = worst;
        sink(t, 0, n - 1);
    }
}

/* At least k hits have come: the best k of them as a heap. */
static void make_heap(topk *t)
{
    if (t->n > t->k) merge_sort(t);
    t->n = t->k;
    for (size_t at = t->n / 2; at-- > 0;) sink(t, at, t->n);
    t->heap = true;
}

bool topk_admits(topk *t, const hit *h)
{
    if (t->n < t->k) return true;
    if (!t->heap) make_heap(t);
    return t->k && better(t, h, &t->hits[0]);
}

void topk_push(topk *t, const hit *h)
{
    if (!t->heap && t->n < t->room) {
        t->hits[t->n++] = *h;
    } else if (topk_admits(t, h)) {
        t->hits[0] = *h;
        sink(t, 0, t->n);
    }
}

void topk_sort(topk *t)
{
    if (t->n > MERGED_MAX) {
        if (!t->heap) make_heap(t);
        heap_sort(t);
    } else {
        merge_sort(t);
    }
    if (t->n > t->k) t->n = t->k;
}

void topk_free(topk *t)
{
    mem_free(t->hits);
    mem_free(t->spare);
    *t = (topk){0};
}
