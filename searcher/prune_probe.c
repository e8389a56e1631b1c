/* SPDX-License-Identifier: MIT
 *
 * prune_probe.c - are these documents in that list, and at which rank?
 *
 * dense:  a bit test, then rank = postings before the bucket + bits below in its eight words.
 * sparse: candidates are taken block by block.  A block with few of them is searched without
 *         decoding it; with more it is decoded and met by one of two intersection kernels,
 *         as the model of their costs says (scan.h).
 * small:  decoded once when the list is opened.
 */
#include "searcher/prune.h"

static uint32_t probe_dense(prune_state *s, const prune_list *list, const uint32_t *docs,
                            uint32_t n, uint32_t *at, uint32_t *ranks)
{
    const postings *p = &list->p;
    uint32_t met = s->scan->bitmap_probe(p->bits, p->n_buckets * 8, docs, n, at);
    if (!ranks) return met;
    s->scan->bucket_ranks(p->bits, p->rank, docs, at, met, ranks);
    for (uint32_t i = 0; i < met; i++)
        if (ranks[i] >= p->df) ranks[i] = 0; /* damage: some posting of the list            */
    return met;
}

/* Shape and words of a block; false when the directory does not describe one. */
static bool block_shape(const postings *p, uint32_t b, ef_shape *shape, uint32_t *base)
{
    uint64_t first = b ? (uint64_t)p->last[b - 1] + 1 : 0;
    if (first > p->last[b] || p->last[b] >= p->n_docs) return false;
    *base = (uint32_t)first;
    return ef_shape_of(p->count_1[b] + 1u, p->last[b] - *base, shape) && p->off[b] <= p->ef_words &&
           shape->words <= p->ef_words - p->off[b];
}

static void decode_block(prune_list *list, uint32_t b)
{
    if (list->decoded == b) return;
    list->n_docs = postings_decode_block(&list->p, b, list->docs);
    list->decoded = b;
}

/* Candidates [0, n) that all belong to block b. */
static uint32_t probe_block(prune_state *s, prune_list *list, uint32_t b, const uint32_t *docs,
                            uint32_t n, uint32_t *at, uint32_t *ranks)
{
    const postings *p = &list->p;
    const scan_kernels *scan = s->scan;
    uint32_t met, base;
    ef_shape shape;
    float cost;
    scan_way way = scan_choose(&scan->costs, (float)n, list->decoded == b, &cost);
    if (way == SCAN_FIND) {
        if (!block_shape(p, b, &shape, &base)) return 0;
        met = scan->ef_find_many(&shape, p->ef + p->off[b], base, docs, n, at, ranks);
    } else {
        decode_block(list, b);
        met = way == SCAN_FEW ? scan->intersect_few(docs, n, list->docs, list->n_docs, at, ranks)
                              : scan->intersect(docs, n, list->docs, list->n_docs, at, ranks);
    }
    if (ranks && b)
        for (uint32_t i = 0, first = postings_block_rank(p, b); i < met; i++) ranks[i] += first;
    return met;
}

static uint32_t probe_sparse(prune_state *s, prune_list *list, const uint32_t *docs, uint32_t n,
                             uint32_t *at, uint32_t *ranks)
{
    const postings *p = &list->p;
    uint32_t met = 0, i = 0;
    uint32_t b = list->block;
    if (n && b < p->n_blocks && b && docs[0] <= p->last[b - 1]) b = 0;
    while (i < n) {
        b = s->scan->seek(p->last, b, p->n_blocks, docs[i]);
        if (b == p->n_blocks) break;
        uint32_t end = p->last[b] == UINT32_MAX ? n : s->scan->seek(docs, i + 1, n, p->last[b] + 1);
        uint32_t got =
            probe_block(s, list, b, docs + i, end - i, at + met, ranks ? ranks + met : NULL);
        for (uint32_t k = 0; i && k < got; k++) at[met + k] += i;
        met += got;
        i = end;
    }
    list->block = b < p->n_blocks ? b : 0;
    return met;
}

uint32_t prune_probe(prune_state *s, prune_list *list, const uint32_t *docs, uint32_t n,
                     uint32_t *at, uint32_t *ranks)
{
    if (!n) return 0;
    switch (list->p.kind) {
    case POSTINGS_DENSE:
        return probe_dense(s, list, docs, n, at, ranks);
    case POSTINGS_SPARSE:
        return probe_sparse(s, list, docs, n, at, ranks);
    default:
        break;
    }
    float cost;
    return scan_choose(&s->scan->costs, (float)n, true, &cost) == SCAN_FEW
               ? s->scan->intersect_few(docs, n, list->docs, list->n_docs, at, ranks)
               : s->scan->intersect(docs, n, list->docs, list->n_docs, at, ranks);
}

/* ---- on the batch ------------------------------------------------------------------------ */

void prune_exclude(prune_state *s, prune_list *list)
{
    prune_batch *b = &s->batch;
    uint32_t met = prune_probe(s, list, b->docs, b->n, s->at, NULL), kept = 0;
    if (!met) return;
    for (uint32_t i = 0, k = 0; i < b->n; i++) {
        if (k < met && s->at[k] == i) {
            k++;
            continue;
        }
        b->docs[kept] = b->docs[i];
        b->scores[kept++] = b->scores[i];
    }
    b->n = kept;
}

void prune_require(prune_state *s, prune_list *list)
{
    prune_batch *b = &s->batch;
    const uint32_t met = prune_probe(s, list, b->docs, b->n, s->at, s->ranks);
    const uint8_t *impacts = list->p.impacts;
    const float *up = s->bounds->up, weight = list->weight;
    for (uint32_t i = 0; i < met; i++) {
        uint32_t at = s->at[i];
        b->docs[i] = b->docs[at];
        b->scores[i] = b->scores[at] + weight * up[impacts[s->ranks[i]]];
    }
    b->n = met;
}

void prune_add(prune_state *s, prune_list *list)
{
    prune_batch *b = &s->batch;
    const uint32_t met = prune_probe(s, list, b->docs, b->n, s->at, s->ranks);
    const uint8_t *impacts = list->p.impacts;
    const float *up = s->bounds->up, weight = list->weight;
    for (uint32_t i = 0; i < met; i++) b->scores[s->at[i]] += weight * up[impacts[s->ranks[i]]];
}
