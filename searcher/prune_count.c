/* SPDX-License-Identifier: MIT
 *
 * prune_count.c - how many live documents match a flat query, without scoring any.
 *
 * Conjunction: bitmaps are ANDed word by word and counted; a sparse lead is decoded block by
 * block and probed.  Disjunctions are counted in prune_count_or.c.
 */
#include "searcher/prune_count.h"
#include "common/codec/bits.h"

void count_keep_live(const prune_state *s, uint64_t *words, size_t first, size_t n)
{
    const tombstones *dead = &s->part->dead;
    if (!dead->n_deleted) return;
    size_t have = dead->bits.len / 8;
    for (size_t i = 0; i < n && first + i < have; i++)
        words[i] &= ~load_u64(dead->bits.data + 8 * (first + i));
}

size_t count_words(const prune_state *s)
{
    return (size_t)((s->part->seg->info.n_docs + 511u) / 512) * 8;
}

uint64_t count_live_df(const prune_state *s, const prune_list *list)
{
    uint64_t df, cf;
    snapshot_segment_df(s->part, &s->q->p->keys[list->word->key].entries[s->segment], &df, &cf);
    return df;
}

static uint64_t count_dense(prune_state *s, prune_list **lists, uint32_t n)
{
    uint64_t chunk[COUNT_CHUNK_WORDS], sum = 0;
    size_t words = count_words(s);
    if (n == 2 && !s->n_not && !s->part->dead.n_deleted)
        return s->scan->and_total(lists[0]->p.bits, lists[1]->p.bits, words);
    for (size_t at = 0; at < words; at += COUNT_CHUNK_WORDS) {
        size_t len = words - at < COUNT_CHUNK_WORDS ? words - at : COUNT_CHUNK_WORDS;
        memcpy(chunk, lists[0]->p.bits + at, len * 8);
        for (uint32_t i = 1; i < n; i++) s->scan->and_into(chunk, lists[i]->p.bits + at, len);
        count_keep_live(s, chunk, at, len);
        sum += s->scan->total(chunk, len);
    }
    return sum;
}

uint64_t count_batch_live(const prune_state *s)
{
    uint64_t n = 0;
    if (!s->part->dead.n_deleted) return s->batch.n;
    for (uint32_t i = 0; i < s->batch.n; i++) n += snapshot_live(s->part, s->batch.docs[i]);
    return n;
}

/* Keep those of the batch that stand in the list. */
static void batch_require(prune_state *s, prune_list *list)
{
    prune_batch *b = &s->batch;
    b->n = prune_probe(s, list, b->docs, b->n, s->at, NULL);
    for (uint32_t i = 0; i < b->n; i++) b->docs[i] = b->docs[s->at[i]];
}

static uint64_t count_lead(prune_state *s, prune_list **lists, uint32_t n)
{
    uint64_t sum = 0;
    prune_walk w = {.list = lists[0]};
    if (w.list->p.kind == POSTINGS_DENSE && n > 1) w.also = lists[1]->p.bits;
    s->batch.n = 0;
    for (bool more = true; more;) {
        more = prune_walk_docs(s, &w);
        for (uint32_t i = 1; i < n && s->batch.n; i++) batch_require(s, lists[i]);
        for (uint32_t i = 0; i < s->n_not && s->batch.n; i++) prune_exclude(s, s->not [i]);
        sum += count_batch_live(s);
        s->batch.n = 0;
    }
    return sum;
}

uint64_t count_and(prune_state *s, prune_list **lists, uint32_t n)
{
    if (n == 1 && !s->n_not && !lists[0]->word->phrase) return count_live_df(s, lists[0]);
    if (n > 1 && lists[0]->p.kind == POSTINGS_DENSE && !s->n_not) return count_dense(s, lists, n);
    return count_lead(s, lists, n);
}

uint64_t prune_count_open(prune_state *s)
{
    if (s->phrases.n_needs) return prune_phrase_count(s);
    if (s->only) return prune_count_passing(s);
    return s->q->n_must ? count_and(s, s->must, s->n_must) : count_or(s);
}

pm_status prune_count(prune_state *s, const prune_query *q, uint64_t *out, pm_error *err)
{
    *out = 0;
    s->pool.no_memory = false;
    for (uint32_t i = 0; i < q->p->snap->meta.n_segments; i++) {
        if (prune_open(s, q, i)) *out += prune_count_open(s);
    }
    if (s->pool.no_memory || s->phrases.scratch.no_memory) return error_nomem(err);
    return snapshot_status(q->p->snap, err);
}
