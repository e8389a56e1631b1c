/* SPDX-License-Identifier: MIT
 *
 * prune_window.c - the sums of several lists, a window of documents at a time.
 *
 * Every posting of the lists in the window adds its upper bound, in steps of 1/60000 of the
 * most that all lists can give, to the sum of its document; a document whose sum reaches
 * what the other lists cannot make up for is found at that moment:
 *
 *     list 0   . 3 . . 3 . . .      sums   . 3 . 2 8 . . 2     least 7: document 4 is found
 *     list 1   . . . 2 5 . . 2
 *
 * So no sum is looked at twice: lists that cannot reach `least` yet are only added, the last
 * list is added only where it finds something, and what was touched is set to zero again one
 * by one.  A posting costs about a nanosecond, whatever the threshold is.
 *
 * A bitmap is added by bucket_add, whose values follow a line; where the average length has
 * drifted so far that no line will do, by its postings like other lists.
 */
#include "searcher/prune_window.h"

#include "common/base/mem.h"
#include "common/codec/kernels.h"

enum {
    BUCKET = 512,
    WINDOW = 16384,        /* documents                                             */
    FIRST = 1024,          /* the first one                                         */
    DENSE_PART = 20,       /* a bitmap costs as many postings as a 20th of its documents */
    STEPS = 60000,         /* of the sums                                           */
    TOUCHED_MAX = 2048,    /* sums set to zero one by one; above, all of them       */
    LOOKUP = 8,            /* postings that can be added for the time of one look-up  */
    PAYS_LISTS = 9,        /* so many lists, or so many that are not dense, with so     */
    PAYS_SPARSE = 6,       /* many postings, are faster added than looked up one in the */
    PAYS_POSTINGS = 10000, /* other                                                     */
    FEW = 24,              /* documents found that are sorted by insertion          */
    BATCH = 128,
    FLUSH = 16, /* candidates from which they are delivered              */
};

/* Where a list stands. */
typedef struct window_cursor {
    uint32_t block, rank, at; /* rank of the block's first posting; place in the block  */
    uint16_t *value;          /* by impact byte, in steps                               */
    bool by_line;             /* slope * byte / 256 + offset is as good                  */
    uint16_t slope, offset;
} window_cursor;

struct prune_window {
    uint16_t sums[WINDOW]; /* zero between windows                                     */
    uint32_t touched[TOUCHED_MAX + 1], found[WINDOW + 1];
    uint32_t docs[BUCKET + SCAN_SLACK];
    uint64_t found_bits[WINDOW / 64]; /* zero between windows                          */
    uint32_t n_touched, n_found;
    bool all_touched;
    uint32_t length;      /* of the next window: short ones first, for a good threshold    */
    uint32_t base, limit; /* documents [base, limit)                                   */
    uint16_t least;
    float step;
    window_cursor cursors[PRUNE_LISTS_MAX];
    uint16_t values[PRUNE_LISTS_MAX][256];
};

static uint32_t window_docs = WINDOW; /* fewer in tests                                      */

void prune_window_shrink(uint32_t docs)
{
    window_docs = docs < BUCKET || docs > WINDOW ? WINDOW : docs / BUCKET * BUCKET;
}

bool prune_window_pays(uint32_t lists, uint32_t sparse, uint64_t n_postings)
{
    if (window_docs < WINDOW) return lists > 1;
    return lists >= PAYS_LISTS || (sparse >= PAYS_SPARSE && n_postings >= PAYS_POSTINGS);
}

bool prune_window_ready(prune_state *s)
{
    if (!s->window) s->window = mem_zalloc(sizeof *s->window);
    return s->window;
}

/* ---- postings ---------------------------------------------------------------------------- */

/* The cursor's block decoded and its place at or behind the window's base; false at the end of
 * the list.  Others decode blocks of the list, too, between windows. */
static bool list_ready(prune_state *s, prune_list *list, window_cursor *c, uint32_t base)
{
    const postings *p = &list->p;
    if (c->block >= p->n_blocks) return false;
    if (list->decoded != c->block) {
        list->n_docs = postings_decode_block(p, c->block, list->docs);
        list->decoded = c->block;
    }
    if (!c->at) c->at = s->scan->seek(list->docs, 0, list->n_docs, base);
    return true;
}

/* No document of the list before this one is left. */
static uint32_t list_next(const prune_list *list, const window_cursor *c)
{
    const postings *p = &list->p;
    if (p->kind == POSTINGS_DENSE) return c->block < p->n_buckets ? c->block * BUCKET : UINT32_MAX;
    if (c->block >= p->n_blocks) return UINT32_MAX;
    if (list->decoded == c->block && c->at < list->n_docs) return list->docs[c->at];
    return c->block ? p->last[c->block - 1] + 1 : 0;
}

static void touch(struct prune_window *w, const uint32_t *docs, uint32_t n)
{
    if (w->n_touched + n > TOUCHED_MAX) {
        w->all_touched = true;
        return;
    }
    memcpy(w->touched + w->n_touched, docs, n * sizeof *docs);
    w->n_touched += n;
}

static void add(struct prune_window *w, const uint16_t *value, const uint32_t *docs,
                const uint8_t *bytes, uint32_t n)
{
    touch(w, docs, n);
    uint16_t *sums = w->sums;
    const uint32_t base = w->base;
    for (uint32_t i = 0; i < n; i++) {
        uint16_t *sum = &sums[docs[i] - base];
        *sum = (uint16_t)(*sum + value[bytes[i]]);
    }
}

/* The same, noting whose sum reaches `least` now. */
static void add_watching(struct prune_window *w, const uint16_t *value, const uint32_t *docs,
                         const uint8_t *bytes, uint32_t n)
{
    touch(w, docs, n);
    uint16_t *sums = w->sums;
    const uint32_t base = w->base, least = w->least;
    for (uint32_t i = 0; i < n; i++) {
        uint16_t *sum = &sums[docs[i] - base];
        uint32_t before = *sum, now = before + value[bytes[i]];
        *sum = (uint16_t)now;
        if (now >= least && before < least) w->found[w->n_found++ % WINDOW] = docs[i];
    }
}

/* The same for the last list: a sum that does not reach `least` is not needed any more. */
static void add_last(struct prune_window *w, const uint16_t *value, const uint32_t *docs,
                     const uint8_t *bytes, uint32_t n)
{
    uint16_t *sums = w->sums;
    const uint32_t base = w->base, least = w->least;
    for (uint32_t i = 0; i < n; i++) {
        uint16_t *sum = &sums[docs[i] - base];
        uint32_t before = *sum, now = before + value[bytes[i]];
        if (now < least) continue;
        *sum = (uint16_t)now;
        if (before >= least) continue;
        w->found[w->n_found++ % WINDOW] = docs[i];
        if (!before) touch(w, docs + i, 1);
    }
}

typedef void add_postings(struct prune_window *w, const uint16_t *value, const uint32_t *docs,
                          const uint8_t *bytes, uint32_t n);

/* All postings of a dense list in the window, added by a line instead of a table. */
static void add_line(prune_state *s, const prune_list *list, const window_cursor *c,
                     uint32_t bucket)
{
    struct prune_window *w = s->window;
    const postings *p = &list->p;
    uint32_t first, n, base = bucket * BUCKET;
    if (!prune_bucket(list, bucket, &first, &n)) return;
    uint32_t found =
        s->scan->bucket_add(p->bits + (size_t)bucket * 8, p->impacts + first, n, c->slope,
                            c->offset, w->least, w->sums + (base - w->base), w->docs);
    for (uint32_t i = 0; i < found && base + w->docs[i] < p->n_docs; i++)
        w->found[w->n_found++ % WINDOW] = base + w->docs[i];
}

/* All postings of a dense list in the window. */
static void add_dense(prune_state *s, const prune_list *list, window_cursor *c, add_postings *how)
{
    struct prune_window *w = s->window;
    const postings *p = &list->p;
    if (c->by_line) w->all_touched = true;
    for (c->block = w->base / BUCKET; c->block < w->limit / BUCKET && c->block < p->n_buckets;
         c->block++) {
        if (c->by_line) {
            add_line(s, list, c, c->block);
            continue;
        }
        uint32_t n = prune_bucket_take(s, list, NULL, c->block, 1, 255, w->docs);
        how(w, c->value, w->docs, s->bytes, n);
    }
}

/* All postings of a list in the window. */
static void add_list(prune_state *s, prune_list *list, window_cursor *c, add_postings *how)
{
    struct prune_window *w = s->window;
    const postings *p = &list->p;
    if (p->kind == POSTINGS_DENSE) {
        add_dense(s, list, c, how);
        return;
    }
    while (list_next(list, c) < w->limit && list_ready(s, list, c, w->base)) {
        uint32_t end = s->scan->seek(list->docs, c->at, list->n_docs, w->limit);
        how(w, c->value, list->docs + c->at, p->impacts + c->rank + c->at, end - c->at);
        c->at = end;
        if (end < list->n_docs) return;
        c->rank += p->kind == POSTINGS_SMALL ? p->df : p->count_1[c->block] + 1u;
        c->block++;
        c->at = 0;
    }
}

/* ---- a window ---------------------------------------------------------------------------- */

static void sort_few(uint32_t *v, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        uint32_t moving = v[i], at = i;
        for (; at && v[at - 1] > moving; at--) v[at] = v[at - 1];
        v[at] = moving;
    }
}

/* By way of a bitmap. */
static void sort_many(struct prune_window *w)
{
    uint32_t n = w->n_found < WINDOW ? w->n_found : WINDOW;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = w->found[i] - w->base;
        w->found_bits[at / 64] |= UINT64_C(1) << at % 64;
    }
    w->n_found =
        kernels_get()->bits_expand(w->found_bits, WINDOW / 64, w->base, 0, WINDOW, w->found);
    memset(w->found_bits, 0, sizeof w->found_bits);
}

/* The documents found to the batch, which is delivered when it is long enough. */
static void window_deliver(prune_state *s, uint32_t n, const or_bounds *b, float margin)
{
    struct prune_window *w = s->window;
    prune_batch *batch = &s->batch;
    if (w->n_found > FEW)
        sort_many(w);
    else
        sort_few(w->found, w->n_found);
    uint32_t from = batch->n;
    for (uint32_t i = 0; i < w->n_found; i++) {
        batch->docs[batch->n] = w->found[i];
        batch->scores[batch->n++] = (float)w->sums[w->found[i] - w->base] * w->step;
        if (batch->n < BATCH && i + 1 < w->n_found) continue;
        if (s->only) prune_keep_passing(s, from);
        if (batch->n >= FLUSH) prune_or_finish(s, n, 0, b, margin);
        from = batch->n;
    }
}

static void window_clear(struct prune_window *w)
{
    if (w->all_touched)
        memset(w->sums, 0, (w->limit - w->base) * sizeof *w->sums);
    else
        for (uint32_t i = 0; i < w->n_touched; i++) w->sums[w->touched[i] - w->base] = 0;
    w->n_touched = w->n_found = 0;
    w->all_touched = false;
}

/* The window that holds the next document of some list; false when there is none. */
static bool window_next(prune_state *s, uint32_t n)
{
    struct prune_window *w = s->window;
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t next = list_next(s->should[i], &w->cursors[i]);
        if (next < least) least = next;
    }
    if (least >= (s->only ? s->only->hi : s->part->seg->info.n_docs)) return false;
    if (least > w->limit) w->limit = least & ~(BUCKET - 1u);
    w->base = w->limit;
    w->limit = w->base + w->length;
    if (w->length < window_docs) w->length *= 2;
    return true;
}

static void window_fill(prune_state *s, uint32_t n, const or_bounds *b)
{
    struct prune_window *w = s->window;
    float need = (s->pool.threshold - b->rest[n]) / w->step * (1 - 1e-6f);
    uint32_t reach = 0;
    w->least = (uint16_t)(need < 1 ? 1 : need > UINT16_MAX ? UINT16_MAX : need);
    for (uint32_t i = 0; i < n; i++) {
        window_cursor *c = &w->cursors[i];
        reach += c->value[s->should[i]->p.impact_max] + (uint32_t)(c->by_line ? PRUNE_LINE_OFF : 0);
        add_list(s, s->should[i], c, i + 1 == n ? add_last : reach < w->least ? add : add_watching);
    }
}

/* ---- all windows ----------------------------------------------------------------------------- */

bool prune_window_line(const uint16_t *value, unsigned most, uint16_t *slope, uint16_t *offset)
{
    uint32_t rise = 0, base = 0, above = 0;
    if (most > 1) rise = ((uint32_t)(value[most] - value[1]) * 256 + most - 2) / (most - 1);
    if (rise > UINT16_MAX) return false;
    for (unsigned byte = 1; byte <= most; byte++)
        if (value[byte] > (byte * rise >> 8) + base) base = value[byte] - (byte * rise >> 8);
    for (unsigned byte = 1; byte <= most; byte++)
        if ((byte * rise >> 8) + base - value[byte] > above)
            above = (byte * rise >> 8) + base - value[byte];
    *slope = (uint16_t)rise;
    *offset = (uint16_t)base;
    return above <= PRUNE_LINE_OFF;
}

/* List i takes part from the next window on. */
static void window_enter(prune_state *s, uint32_t i, const or_bounds *b)
{
    struct prune_window *w = s->window;
    const prune_list *list = s->should[i];
    const postings *p = &list->p;
    float steps = STEPS / b->rest[0];
    window_cursor *c = &w->cursors[i];
    *c = (window_cursor){.value = w->values[i]};
    if (p->kind == POSTINGS_SPARSE) c->block = s->scan->seek(p->last, 0, p->n_blocks, w->limit);
    if (p->kind == POSTINGS_SPARSE) c->rank = postings_block_rank(p, c->block);
    if (p->kind == POSTINGS_DENSE) c->block = w->limit / BUCKET;
    for (unsigned byte = 0; byte < 256; byte++) c->value[byte] = 1;
    for (unsigned byte = 1; byte <= p->impact_max; byte++)
        c->value[byte] = (uint16_t)(list->weight * s->bounds->up[byte] * steps * (1 + 1e-6f) + 1);
    c->by_line = p->kind == POSTINGS_DENSE &&
                 prune_window_line(c->value, p->impact_max, &c->slope, &c->offset);
}

/* What adding a list costs in a window, in postings. */
static uint32_t window_share(const prune_list *list, uint32_t length)
{
    uint64_t sum = (uint64_t)list->p.df * length / list->p.n_docs;
    if (list->p.kind == POSTINGS_DENSE && sum > length / DENSE_PART) sum = length / DENSE_PART;
    return (uint32_t)sum;
}

/* How many lists to add in the next window: one more costs its postings and saves a look-up for
 * each document found, and the other way round.  Only lists that no document can do with
 * alone come and go: for others it would be found twice or not at all. */
static uint32_t window_width(const prune_state *s, uint32_t n, const or_bounds *b)
{
    uint32_t found = s->window->n_found;
    uint32_t length = s->window->limit - s->window->base;
    float threshold = s->pool.threshold;
    if (n > 1 && b->rest[n - 1] < threshold &&
        found * LOOKUP * 8 < window_share(s->should[n - 1], length))
        return n - 1;
    for (; n < s->n_should && b->rest[n] < threshold; n++, found /= 2)
        if (found * LOOKUP <= window_share(s->should[n], length)) break;
    return n;
}

void prune_window_run(prune_state *s, uint32_t n, const or_bounds *b)
{
    struct prune_window *w = s->window;
    float margin =
        b->margin[0] + (float)((1 + PRUNE_LINE_OFF) * s->n_should + 1) / STEPS * b->rest[0];
    w->step = b->rest[0] / STEPS * (1 + 1e-6f);
    w->base = w->limit = s->only ? s->only->lo & ~(BUCKET - 1u) : 0;
    w->length = window_docs < WINDOW ? window_docs : FIRST;
    for (uint32_t i = 0; i < n; i++) window_enter(s, i, b);
    while (b->rest[0] >= s->pool.threshold && window_next(s, n)) {
        window_fill(s, n, b);
        window_deliver(s, n, b, margin);
        uint32_t width = window_width(s, n, b);
        window_clear(w);
        if (width != n) prune_or_finish(s, n, 0, b, margin);
        while (n < width) window_enter(s, n++, b);
        n = width;
    }
    prune_or_finish(s, n, 0, b, margin);
}
