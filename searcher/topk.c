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
#include "common/base/sort.h"

enum {
    MERGED_MAX = 4096, /* more hits than these are sorted as a heap, in place                */
    PLACE_BITS = 12,   /* of a key                                                           */
    PLACE_MASK = (1 << PLACE_BITS) - 1,
};

/* True when a stands before b in the list. */
static bool better(const topk *t, const hit *a, const hit *b)
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
    size_t merged = room < MERGED_MAX ? (size_t)room : MERGED_MAX;
    if (!grow(&t->spare, &t->spare_cap, merged)) return false;
    if (!mem_grow(&t->keys, &t->keys_cap, 2 * (merged + 4), sizeof *t->keys)) return false;
    t->k = (size_t)most;
    t->room = (size_t)room;
    t->n = 0;
    t->parts = parts;
    t->heap = false;
    return true;
}

/* ---- order by merging ---------------------------------------------------------------------- */

/* Keys fall as hits get worse, but for the place in the row, which is their last PLACE_BITS: the
 * sign is free, scores are not negative. */
static void make_keys(const topk *t, uint64_t *keys)
{
    for (size_t i = 0; i < t->n; i++) {
        uint64_t bits;
        memcpy(&bits, &t->hits[i].score, sizeof bits);
        bits >>= PLACE_BITS;
        if (t->parts && t->hits[i].in_all) bits |= UINT64_C(1) << (63 - PLACE_BITS);
        keys[i] = bits << PLACE_BITS | (PLACE_MASK - i);
    }
}

static void sort_four(uint64_t *v)
{
    static const uint8_t pairs[5][2] = {{0, 1}, {2, 3}, {0, 2}, {1, 3}, {1, 2}};
    for (size_t i = 0; i < 5; i++) {
        uint64_t a = v[pairs[i][0]], b = v[pairs[i][1]];
        v[pairs[i][0]] = a > b ? a : b;
        v[pairs[i][1]] = a > b ? b : a;
    }
}

/* Two rows of n_a and n_b keys, one behind the other, into one. */
static void merge(const uint64_t *a, size_t n_a, size_t n_b, uint64_t *to)
{
    const uint64_t *end_a = a + n_a, *b = end_a, *end_b = b + n_b;
    while (a < end_a && b < end_b) {
        uint64_t x = *a, y = *b;
        *to++ = x > y ? x : y;
        a += x > y;
        b += x < y;
    }
    while (a < end_a) *to++ = *a++;
    while (b < end_b) *to++ = *b++;
}

/* Keys are distinct, and there is room for three more: returns where they are then. */
static uint64_t *sort_keys(uint64_t *keys, uint64_t *spare, size_t n)
{
    for (size_t i = n; i % 4; i++) keys[i] = 0;
    for (size_t i = 0; i < n; i += 4) sort_four(keys + i);
    for (size_t run = 4; run < n; run *= 2) {
        for (size_t at = 0, next; at < n; at = next) {
            size_t left = n - at, first = left < run ? left : run;
            size_t second = left - first < run ? left - first : run;
            merge(keys + at, first, second, spare + at);
            next = at + first + second;
        }
        uint64_t *swap = keys;
        keys = spare;
        spare = swap;
    }
    return keys;
}

static int by_rank(const void *a, const void *b)
{
    const hit *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

/* Sort rows of hits that their keys do not tell apart; mostly they came in order. */
static void mend_order(hit *v, const uint64_t *keys, size_t n)
{
    for (size_t i = 0, end; i < n; i = end) {
        bool falls = false;
        for (end = i + 1; end < n && keys[end] >> PLACE_BITS == keys[i] >> PLACE_BITS; end++)
            falls |= by_rank(&v[end - 1], &v[end]) > 0;
        if (falls) sort_items(v + i, end - i, sizeof *v, by_rank);
    }
}

static void merge_sort(topk *t)
{
    make_keys(t, t->keys);
    const uint64_t *keys = sort_keys(t->keys, t->keys + t->n + 4, t->n);
    for (size_t i = 0; i < t->n; i++) t->spare[i] = t->hits[PLACE_MASK - (keys[i] & PLACE_MASK)];
    hit *swap = t->hits;
    size_t cap = t->cap;
    t->hits = t->spare;
    t->cap = t->spare_cap;
    t->spare = swap;
    t->spare_cap = cap;
    mend_order(t->hits, keys, t->n);
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
    mem_free(t->keys);
    *t = (topk){0};
}
