/* SPDX-License-Identifier: MIT
 *
 * prune_walk.c - walk a list impacts first: bytes are filtered 32 or 64 at a time, and only the
 * postings that pass are turned into documents.  Blocks and buckets whose largest byte is
 * too small are not touched.
 */
#include "searcher/prune.h"

enum {
    BUCKET = 512,
};

/* ---- sparse and small -------------------------------------------------------------------- */

/* A few survivors of block b, ranks first + at[0, n), by selection; false: the block has to be
 * decoded. */
static bool select_few(prune_state *s, const prune_list *list, uint32_t b, uint32_t first,
                       const uint32_t *at, uint32_t n)
{
    const postings *p = &list->p;
    prune_batch *batch = &s->batch;
    uint64_t base = b ? (uint64_t)p->last[b - 1] + 1 : 0;
    ef_shape shape;
    if ((float)n * s->scan->costs.select > s->scan->costs.decode || list->decoded == b ||
        p->kind != POSTINGS_SPARSE || base > p->last[b] || p->last[b] >= p->n_docs ||
        !ef_shape_of(p->count_1[b] + 1u, p->last[b] - (uint32_t)base, &shape) ||
        p->off[b] > p->ef_words || shape.words > p->ef_words - p->off[b])
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t value = s->scan->ef_select(&shape, p->ef + p->off[b], at[i]);
        batch->docs[batch->n + i] = (uint32_t)base + value;
        s->bytes[i] = p->impacts[first + at[i]];
    }
    return true;
}

static void take_block(prune_state *s, const prune_walk *w, uint32_t b, uint32_t first,
                       uint32_t count, uint8_t low, uint8_t high)
{
    prune_list *list = w->list;
    prune_batch *batch = &s->batch;
    const uint8_t *bytes = list->p.impacts + first;
    uint32_t at[SEGMENT_BLOCK_MAX + SCAN_SLACK];
    uint32_t n = s->scan->bytes_in_range(bytes, count, low, high, 0, at);
    if (!n) return;
    if (!select_few(s, list, b, first, at, n)) {
        if (list->decoded != b) {
            list->n_docs = postings_decode_block(&list->p, b, list->docs);
            list->decoded = b;
        }
        if (list->n_docs < count) return; /* damaged                                            */
        s->scan->numbers_in_range(list->docs, bytes, count, low, high, batch->docs + batch->n,
                                  s->bytes);
    }
    s->scan->table_values(s->bounds->up, s->bytes, n, list->weight, batch->scores + batch->n);
    for (uint32_t i = 0; w->ranks && i < n; i++) w->ranks[batch->n + i] = first + at[i];
    batch->n += n;
}

static bool fill_blocks(prune_state *s, prune_walk *w, uint8_t low, uint8_t high)
{
    const postings *p = &w->list->p;
    for (; w->next < w->end; w->next++) {
        if (s->batch.n >= PRUNE_BATCH) return true;
        bool small = p->kind == POSTINGS_SMALL;
        uint32_t count = small ? p->df : p->count_1[w->next] + 1u, first = w->rank;
        w->rank += count;
        if (small || p->block_max[w->next] >= low)
            take_block(s, w, w->next, first, count, low, high);
    }
    return false;
}

/* All documents of a sparse or small list, without scores, straight into the batch. */
static bool fill_docs(prune_state *s, prune_walk *w)
{
    prune_list *list = w->list;
    prune_batch *b = &s->batch;
    for (; w->next < w->end; w->next++) {
        if (b->n >= PRUNE_BATCH) return true;
        uint32_t from = b->n;
        if (list->decoded == w->next) {
            memcpy(b->docs + b->n, list->docs, list->n_docs * sizeof *b->docs);
            b->n += list->n_docs;
        } else {
            b->n += postings_decode_block(&list->p, w->next, b->docs + b->n);
        }
        if (!w->ranks) continue;
        uint32_t rank = postings_block_rank(&list->p, w->next);
        for (uint32_t i = from; i < b->n; i++) w->ranks[i] = rank + i - from;
    }
    return false;
}

/* ---- dense -------------------------------------------------------------------------------- */

bool prune_bucket(const prune_list *list, uint32_t bucket, uint32_t *first, uint32_t *n)
{
    const postings *p = &list->p;
    uint32_t end = bucket + 1 < p->n_buckets ? p->rank[bucket + 1] : p->df;
    *first = p->rank[bucket];
    *n = end - *first;
    if (*first <= end && end <= p->df && *n <= BUCKET) return true;
    segment_damaged(p->s, p->base, section_name(SECTION_POSTINGS),
                    "a bucket does not fit its list");
    return false;
}

uint32_t prune_bucket_take(prune_state *s, const prune_list *list, const uint64_t *also,
                           uint32_t bucket, uint8_t low, uint8_t high, uint32_t *docs)
{
    const postings *p = &list->p;
    uint32_t first, n;
    if (!prune_bucket(list, bucket, &first, &n)) return 0;
    size_t word = (size_t)bucket * 8;
    uint32_t got = s->scan->bucket_in_range(p->bits + word, also, p->impacts + first, n, low, high,
                                            bucket * BUCKET, docs, s->bytes);
    while (got && docs[got - 1] >= p->n_docs) got--;
    return got;
}

static bool fill_buckets(prune_state *s, prune_walk *w, uint8_t low, uint8_t high)
{
    const prune_list *list = w->list;
    const postings *p = &list->p;
    prune_batch *b = &s->batch;
    for (; w->next < w->end; w->next++) {
        if (p->bucket_max[w->next] < low) continue;
        if (b->n >= PRUNE_BATCH) return true;
        const uint64_t *also = w->also ? w->also + (size_t)w->next * 8 : NULL;
        uint32_t got = prune_bucket_take(s, list, also, w->next, low, high, b->docs + b->n);
        s->scan->table_values(s->bounds->up, s->bytes, got, list->weight, b->scores + b->n);
        b->n += got;
    }
    return false;
}

static bool fill(prune_state *s, prune_walk *w, uint8_t low, uint8_t high, bool scores)
{
    if (w->list->p.kind == POSTINGS_DENSE) return fill_buckets(s, w, low, high);
    return scores ? fill_blocks(s, w, low, high) : fill_docs(s, w);
}

/* ---- what passes the filters --------------------------------------------------------------- */

static bool fill_passing(prune_state *s, prune_walk *w, uint8_t low, uint8_t high, bool scores)
{
    if (!w->end) prune_walk_begin(s, w);
    if (!s->only) return fill(s, w, low, high, scores);
    for (;;) {
        uint32_t from = s->batch.n;
        bool more = fill(s, w, low, high, scores);
        prune_keep_passing(s, from);
        if (!more || s->batch.n >= PRUNE_BATCH) return more;
    }
}

bool prune_walk_fill(prune_state *s, prune_walk *w, uint8_t low, uint8_t high)
{
    return fill_passing(s, w, low, high, true);
}

bool prune_walk_docs(prune_state *s, prune_walk *w)
{
    return fill_passing(s, w, 0, 255, false);
}
