/* SPDX-License-Identifier: MIT
 *
 * topk.c - a bounded binary heap of hits; see topk.h.
 */
#include "searcher/topk.h"

#include "common/base/mem.h"

/* True when a stands before b in the list. */
static bool better(const topk *t, const hit *a, const hit *b)
{
    if (t->parts && a->in_all != b->in_all) return a->in_all;
    if (a->score != b->score) return a->score > b->score;
    return a->seq < b->seq;
}

bool topk_begin(topk *t, uint64_t k, uint64_t matches, bool parts)
{
    uint64_t room = k < matches ? k : matches;
    if (room > SIZE_MAX / sizeof *t->hits) return false;
    if (!mem_grow(&t->hits, &t->cap, (size_t)room, sizeof *t->hits)) return false;
    t->k = (size_t)room;
    t->n = 0;
    t->parts = parts;
    return true;
}

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

static void rise(topk *t, size_t at)
{
    hit moving = t->hits[at];
    while (at) {
        size_t parent = (at - 1) / 2;
        if (!better(t, &t->hits[parent], &moving)) break;
        t->hits[at] = t->hits[parent];
        at = parent;
    }
    t->hits[at] = moving;
}

bool topk_admits(const topk *t, const hit *h)
{
    return t->n < t->k || (t->k && better(t, h, &t->hits[0]));
}

void topk_push(topk *t, const hit *h)
{
    if (t->n < t->k) {
        t->hits[t->n] = *h;
        rise(t, t->n++);
    } else if (topk_admits(t, h)) {
        t->hits[0] = *h;
        sink(t, 0, t->n);
    }
}

void topk_sort(topk *t)
{
    for (size_t n = t->n; n > 1; n--) {
        hit worst = t->hits[0];
        t->hits[0] = t->hits[n - 1];
        t->hits[n - 1] = worst;
        sink(t, 0, n - 1);
    }
}

void topk_free(topk *t)
{
    mem_free(t->hits);
    *t = (topk){0};
}
