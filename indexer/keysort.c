/* SPDX-License-Identifier: MIT
 * keysort.c - see keysort.h.
 */
#include "indexer/keysort.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/thread.h"

enum {
    RUN = 8,               /* sorted by insertion before merging                              */
    HALVES_MIN = 16 << 10, /* items that are worth a thread                                   */
};

typedef struct key_order {
    int (*compare)(const void *ctx, uint32_t a, uint32_t b);
    const void *ctx;
} key_order;

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

static bool comes_after(const key_order *order, const keysort_item *a, const keysort_item *b)
{
    if (a->prefix != b->prefix) return a->prefix > b->prefix;
    if (a->more != b->more) return a->more > b->more;
    return order->compare(order->ctx, a->id, b->id) > 0;
}

static void sort_run(const key_order *order, keysort_item *items, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        keysort_item item = items[i];
        size_t at = i;
        for (; at > 0 && comes_after(order, &items[at - 1], &item); at--) items[at] = items[at - 1];
        items[at] = item;
    }
}

static void merge_runs(const key_order *order, const keysort_item *a, size_t a_n,
                       const keysort_item *b, size_t b_n, keysort_item *out)
{
    while (a_n && b_n) {
        if (comes_after(order, a, b)) {
            *out++ = *b++;
            b_n--;
        } else {
            *out++ = *a++;
            a_n--;
        }
    }
    if (a_n) memcpy(out, a, a_n * sizeof *a);
    if (b_n) memcpy(out, b, b_n * sizeof *b);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void keysort(keysort_item *items, keysort_item *scratch, size_t n,
             int (*compare)(const void *ctx, uint32_t a, uint32_t b), const void *ctx)
{
    const key_order order = {compare, ctx};
    keysort_item *from = items, *to = scratch;
    for (size_t at = 0; at < n; at += RUN) sort_run(&order, items + at, least(RUN, n - at));
    for (size_t width = RUN; width < n; width *= 2) {
        for (size_t at = 0; at < n; at += 2 * width) {
            size_t a_n = least(width, n - at), b_n = least(width, n - at - a_n);
            merge_runs(&order, from + at, a_n, from + at + a_n, b_n, to + at);
        }
        keysort_item *swap = from;
        from = to;
        to = swap;
    }
    if (from != items && n) memcpy(items, from, n * sizeof *items);
}

/* ---- two threads ------------------------------------------------------------------------- */

typedef struct halves {
    key_order order;
    keysort_item *items, *scratch;
    size_t n;
} halves;

static void sort_half(void *ctx, unsigned half)
{
    halves *h = ctx;
    size_t middle = h->n / 2, at = half ? middle : 0, n = half ? h->n - middle : middle;
    keysort(h->items + at, h->scratch + at, n, h->order.compare, h->order.ctx);
}

void keysort_threads(unsigned threads, keysort_item *items, keysort_item *scratch, size_t n,
                     int (*compare)(const void *ctx, uint32_t a, uint32_t b), const void *ctx)
{
    halves h = {.order = {compare, ctx}, .items = items, .scratch = scratch, .n = n};
    if (threads < 2 || n < HALVES_MIN || thread_run(2, sort_half, &h, NULL) != PM_OK) {
        keysort(items, scratch, n, compare, ctx);
        return;
    }
    size_t middle = n / 2;
    merge_runs(&h.order, items, middle, items + middle, n - middle, scratch);
    memcpy(items, scratch, n * sizeof *items);
}
