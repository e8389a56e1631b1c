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
    PLACE_BITS = 20, /* of a key                                                             */
    PLACE_MASK = (1 << PLACE_BITS) - 1,
    MERGED_MAX = 1 << PLACE_BITS, /* so many hits are sorted as a heap, without more memory  */
};

/* True when a stands before b in the list. */
static bool better(const topk *t, const hit *a, const hit *b)
{
    if (t->parts && a->in_all != b->in_all) return a->in_all;
    return (a->score > b->score) | ((a->score == b->score) & (a->seq < b->seq));
}

bool topk_begin(topk *t, uint64_t k, uint64_t matches, bool parts)
{
    uint64_t most = k < matches ? k : matches, room = most;
    if (room < MERGED_MAX / 2) room += room / 2 + 32;
    if (room > matches) room = matches;
    size_t merged = room < MERGED_MAX ? (size_t)room : 0;
    if (room > SIZE_MAX / sizeof *t->hits) return false;
    if (!mem_grow(&t->hits, &t->cap, (size_t)room, sizeof *t->hits)) return false;
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

/* Two rows of `run` keys, one behind the other, into one: from both ends, because each end is a
 * chain of loads that wait for each other. */
__attribute__((noinline)) static void merge_even(const uint64_t *a, size_t run, uint64_t *to)
{
    const uint64_t *b = a + run, *last_a = b - 1, *last_b = b + run - 1;
    uint64_t *last = to + 2 * run - 1;
    for (size_t i = 0; i < run; i++) {
        uint64_t x = *a, y = *b, u = *last_a, v = *last_b;
        *to++ = x > y ? x : y;
        a += x > y;
        b += x < y;
        *last-- = u > v ? v : u;
        last_a -= u < v;
        last_b -= u > v;
    }
}

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
            if (second == run)
                merge_even(keys + at, run, spare + at);
            else
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

/* Move every hit to where its key stands; keys are used up. */
static void move_hits(hit *v, uint64_t *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hit moving = v[i];
        for (size_t at = i;;) {
            size_t from = PLACE_MASK - (keys[at] & PLACE_MASK);
            keys[at] = keys[at] >> PLACE_BITS << PLACE_BITS | (PLACE_MASK - at);
            if (from == i) {
                v[at] = moving;
                break;
            }
            v[at] = v[from];
            at = from;
        }
    }
}

static void merge_sort(topk *t)
{
    make_keys(t, t->keys);
    uint64_t *keys = sort_keys(t->keys, t->keys + t->n + 4, t->n);
    move_hits(t->hits, keys, t->n);
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
    if (t->room >= MERGED_MAX) {
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
    mem_free(t->keys);
    *t = (topk){0};
}
