/* SPDX-License-Identifier: MIT
 * keysort.c - see keysort.h.
 *
 * Equal halves are merged from both ends at once: neither end can run out before the middle, so
 * that no step looks for an end, and the two chains of loads go side by side.  (O. R. L. Peters
 * describes such merges in "Glidesort", 2023.)
 */
#include "indexer/keysort.h"

#include <string.h>

#include "common/base/thread.h"

enum {
    RUN = 8,               /* sorted by insertion before merging                              */
    HALVES_MIN = 16 << 10, /* items that are worth a thread                                   */
    TIES_AHEAD = 8,
};

keysort_item keysort_string(const void *data, size_t len, uint32_t id)
{
    uint8_t bytes[12] = {0};
    keysort_item item = {.id = id};
    if (len) memcpy(bytes, data, len < sizeof bytes ? len : sizeof bytes);
    memcpy(&item.prefix, bytes, 8);
    memcpy(&item.more, bytes + 8, 4);
    item.prefix = __builtin_bswap64(item.prefix);
    item.more = __builtin_bswap32(item.more);
    return item;
}

int keysort_compare(const void *a, size_t a_len, const void *b, size_t b_len)
{
    size_t common = a_len < b_len ? a_len : b_len;
    int order = common ? memcmp(a, b, common) : 0;
    if (order) return order;
    return (a_len > b_len) - (a_len < b_len);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- by what stands in the items ------------------------------------------------------------ */

__extension__ typedef unsigned __int128 item_key;

static inline item_key key_of(const keysort_item *item)
{
    return (item_key)item->prefix << 64 | (uint64_t)item->more << 32 | item->id;
}

static void sort_run(keysort_item *items, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        keysort_item item = items[i];
        item_key key = key_of(&item);
        size_t at = i;
        for (; at > 0 && key_of(&items[at - 1]) > key; at--) items[at] = items[at - 1];
        items[at] = item;
    }
}

/* The lesser of two items, past which its run moves on. */
static inline const keysort_item *step_up(const keysort_item **a, const keysort_item **b)
{
    bool take_b = key_of(*a) > key_of(*b);
    const keysort_item *taken = take_b ? *b : *a;
    *a += !take_b;
    *b += take_b;
    return taken;
}

/* The greater one, past which its run moves back. */
static inline const keysort_item *step_down(const keysort_item **a, const keysort_item **b)
{
    bool take_a = key_of(*a) > key_of(*b);
    const keysort_item *taken = take_a ? *a : *b;
    *a -= take_a;
    *b -= !take_a;
    return taken;
}

/* Two runs of n items that follow one another in `from`: 2 n merged. */
static void merge_equal(const keysort_item *from, size_t n, keysort_item *out)
{
    const keysort_item *a = from, *b = from + n;
    const keysort_item *a_last = b - 1, *b_last = b + n - 1;
    keysort_item *last = out + 2 * n - 1;
    for (size_t i = 0; i < n; i++) {
        *out++ = *step_up(&a, &b);
        *last-- = *step_down(&a_last, &b_last);
    }
}

static void merge_any(const keysort_item *a, size_t a_n, const keysort_item *b, size_t b_n,
                      keysort_item *out)
{
    const keysort_item *a_end = a + a_n, *b_end = b + b_n;
    while (a < a_end && b < b_end) *out++ = *step_up(&a, &b);
    memcpy(out, a, (size_t)(a_end - a) * sizeof *a);
    memcpy(out + (a_end - a), b, (size_t)(b_end - b) * sizeof *b);
}

static void sort_keys(keysort_item *items, keysort_item *scratch, size_t n)
{
    keysort_item *from = items, *to = scratch;
    for (size_t at = 0; at < n; at += RUN) sort_run(items + at, least(RUN, n - at));
    for (size_t width = RUN; width < n; width *= 2) {
        for (size_t at = 0; at < n; at += 2 * width) {
            size_t a_n = least(width, n - at), b_n = least(width, n - at - a_n);
            if (a_n == b_n)
                merge_equal(from + at, a_n, to + at);
            else
                merge_any(from + at, a_n, from + at + a_n, b_n, to + at);
        }
        keysort_item *swap = from;
        from = to;
        to = swap;
    }
    if (from != items && n) memcpy(items, from, n * sizeof *items);
}

/* ---- those that agree ------------------------------------------------------------------------ */

static bool comes_after(const keysort_order *order, const keysort_item *a, const keysort_item *b)
{
    return order->compare(order->ctx, a->id, b->id) > 0;
}

static void insert_ties(const keysort_order *order, keysort_item *items, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        keysort_item item = items[i];
        size_t at = i;
        for (; at > 0 && comes_after(order, &items[at - 1], &item); at--) items[at] = items[at - 1];
        items[at] = item;
    }
}

static void merge_ties(const keysort_order *order, const keysort_item *a, size_t a_n,
                       const keysort_item *b, size_t b_n, keysort_item *out)
{
    const keysort_item *a_end = a + a_n, *b_end = b + b_n;
    while (a < a_end && b < b_end) *out++ = comes_after(order, a, b) ? *b++ : *a++;
    memcpy(out, a, (size_t)(a_end - a) * sizeof *a);
    memcpy(out + (a_end - a), b, (size_t)(b_end - b) * sizeof *b);
}

/* One run of items that agree. */
static void sort_run_ties(const keysort_order *order, keysort_item *items, keysort_item *scratch,
                          size_t n)
{
    keysort_item *from = items, *to = scratch;
    for (size_t at = 0; at < n; at += RUN) insert_ties(order, items + at, least(RUN, n - at));
    for (size_t width = RUN; width < n; width *= 2) {
        for (size_t at = 0; at < n; at += 2 * width) {
            size_t a_n = least(width, n - at), b_n = least(width, n - at - a_n);
            merge_ties(order, from + at, a_n, from + at + a_n, b_n, to + at);
        }
        keysort_item *swap = from;
        from = to;
        to = swap;
    }
    if (from != items) memcpy(items, from, n * sizeof *items);
}

static void sort_ties(const keysort_order *order, keysort_item *items, keysort_item *scratch,
                      size_t n)
{
    for (size_t at = 0, end; at < n; at = end) {
        size_t ahead = at + TIES_AHEAD;
        for (end = at + 1; end < n && keysort_tied(&items[at], &items[end]);) end++;
        for (; order->ask && ahead < end + TIES_AHEAD && ahead + 1 < n; ahead++) {
            if (!keysort_tied(&items[ahead], &items[ahead + 1])) continue;
            order->ask(order->ctx, items[ahead].id);
            order->ask(order->ctx, items[ahead + 1].id);
        }
        if (end - at > 1) sort_run_ties(order, items + at, scratch + at, end - at);
    }
}

void keysort(keysort_item *items, keysort_item *scratch, size_t n, const keysort_order *order)
{
    sort_keys(items, scratch, n);
    if (order) sort_ties(order, items, scratch, n);
}

/* ---- two threads ------------------------------------------------------------------------- */

typedef struct halves {
    const keysort_order *order;
    keysort_item *items, *scratch;
    size_t n, middle;
} halves;

static void sort_half(void *ctx, unsigned half)
{
    halves *h = ctx;
    size_t at = half ? h->middle : 0, n = half ? h->n - h->middle : h->middle;
    sort_keys(h->items + at, h->scratch + at, n);
}

static void ties_half(void *ctx, unsigned half)
{
    halves *h = ctx;
    size_t at = half ? h->middle : 0, n = half ? h->n - h->middle : h->middle;
    sort_ties(h->order, h->items + at, h->scratch + at, n);
}

void keysort_threads(unsigned threads, keysort_item *items, keysort_item *scratch, size_t n,
                     const keysort_order *order)
{
    halves h = {.order = order, .items = items, .scratch = scratch, .n = n, .middle = n / 2};
    if (threads < 2 || n < HALVES_MIN || thread_run(2, sort_half, &h, NULL) != PM_OK) {
        keysort(items, scratch, n, order);
        return;
    }
    merge_any(items, h.middle, items + h.middle, n - h.middle, scratch);
    memcpy(items, scratch, n * sizeof *items);
    while (h.middle < n && keysort_tied(&items[h.middle - 1], &items[h.middle])) h.middle++;
    if (order && thread_run(2, ties_half, &h, NULL) != PM_OK) sort_ties(order, items, scratch, n);
}
