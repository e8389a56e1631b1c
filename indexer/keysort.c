/* SPDX-License-Identifier: MIT
 * keysort.c - see keysort.h.
 *
 * Many strings are first dealt out by their first two bytes, so that what is sorted fits into a
 * core's cache (one step of a most significant digit radix sort).
 *
 * Equal halves are merged from both ends at once: neither end can run out before the middle, so
 * that no step looks for an end, and the two chains of loads go side by side.  (O. R. L. Peters
 * describes such merges in "Glidesort", 2023.)
 */
#include "indexer/keysort.h"

#include <string.h>

#include "common/base/thread.h"

enum {
    RUN = 8,         /* sorted by insertion before merging                              */
    MANY = 16 << 10, /* items that are dealt out first, and worth a thread              */
    SHARES = 64 * 64,
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

/* ---- many items ------------------------------------------------------------------------------ */

/* Items by their first two bytes, each share of which is then sorted in a core's cache; one thread
 * has the shares before the middle, another those behind. */
typedef struct shares {
    const keysort_order *order;
    keysort_item *items, *scratch;
    uint32_t ends[SHARES]; /* where each share's items end                                  */
    uint32_t middle;       /* shares of the first part                                      */
    unsigned n_parts;
} shares;

/* The least byte of each of 64 places: letters and digits have places of their own, and so have the
 * bytes with which letters of two and three bytes begin in Latin, Greek, Cyrillic, Hebrew, Arabic,
 * Kana and Han (UTF-8). */
static const uint8_t place_begins[64] = {
    0,    0x10, 0x20, '0',  '1',  '2',  '3',  '4',  '5',  '6',  '7',  '8',  '9',  0x3a, 0x4e, 'a',
    'b',  'c',  'd',  'e',  'f',  'g',  'h',  'i',  'j',  'k',  'l',  'm',  'n',  'o',  'p',  'q',
    'r',  's',  't',  'u',  'v',  'w',  'x',  'y',  'z',  0x7b, 0xc3, 0xc4, 0xc5, 0xc6, 0xce, 0xcf,
    0xd0, 0xd1, 0xd2, 0xd7, 0xd8, 0xd9, 0xda, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf0,
};

/* By byte: its place, and among the bytes that go on a character; and how much of either counts of
 * the byte behind it: places behind a letter or digit, the rest of the character behind its first
 * byte, nothing where other bytes have the place. */
typedef struct share_table {
    uint8_t places[256], rests[256], by_place[256], by_rest[256];
} share_table;

static void share_table_make(share_table *t)
{
    unsigned place = 0;
    for (unsigned byte = 0; byte < 256; byte++) {
        while (place < 63 && place_begins[place + 1] <= byte) place++;
        bool alone =
            place < 63 && place_begins[place] == byte && place_begins[place + 1] == byte + 1;
        t->places[byte] = (uint8_t)place;
        t->rests[byte] = (uint8_t)(byte < 0x80 ? 0 : byte < 0xc0 ? byte - 0x80 : 63);
        t->by_place[byte] = alone && byte < 0x80 ? 63 : 0;
        t->by_rest[byte] = alone && byte >= 0x80 ? 63 : 0;
    }
}

static unsigned share_of(const share_table *t, const keysort_item *item)
{
    unsigned first = (unsigned)(item->prefix >> 56), second = item->prefix >> 48 & 0xff;
    return (unsigned)t->places[first] << 6 | (t->places[second] & t->by_place[first]) |
           (t->rests[second] & t->by_rest[first]);
}

/* Items to scratch, by share, and where each ends. */
static void deal(shares *s, size_t n)
{
    share_table t;
    uint32_t sum = 0;
    share_table_make(&t);
    memset(s->ends, 0, sizeof s->ends);
    for (size_t i = 0; i < n; i++) s->ends[share_of(&t, &s->items[i])]++;
    for (unsigned share = 0; share < SHARES; share++) {
        uint32_t count = s->ends[share];
        s->ends[share] = sum; /* its begin, until its items have moved it to its end        */
        sum += count;
        if (sum <= n / 2) s->middle = share + 1;
    }
    for (size_t i = 0; i < n; i++) s->scratch[s->ends[share_of(&t, &s->items[i])]++] = s->items[i];
}

static void sort_part(void *ctx, unsigned part)
{
    shares *s = ctx;
    uint32_t from = part ? s->middle : 0, to = s->n_parts > 1 && !part ? s->middle : SHARES;
    uint32_t begin = from ? s->ends[from - 1] : 0, at = begin;
    for (uint32_t share = from; share < to; at = s->ends[share++]) {
        uint32_t n = s->ends[share] - at;
        memcpy(s->items + at, s->scratch + at, n * sizeof *s->items);
        sort_keys(s->items + at, s->scratch + at, n);
    }
    if (s->order) sort_ties(s->order, s->items + begin, s->scratch + begin, at - begin);
}

void keysort_threads(unsigned threads, keysort_item *items, keysort_item *scratch, size_t n,
                     const keysort_order *order)
{
    shares s = {.order = order, .items = items, .scratch = scratch};
    if (n < MANY || n > UINT32_MAX) {
        keysort(items, scratch, n, order);
        return;
    }
    deal(&s, n);
    s.n_parts = threads > 1 ? 2 : 1;
    thread_run_all(s.n_parts, sort_part, &s);
}
