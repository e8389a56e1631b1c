/* SPDX-License-Identifier: MIT
 *
 * prune_phrase_count.c - live documents of a segment that match a query with phrases: the
 * conjunction of all lists, then positions, of the shortest part first; no score, no bound.
 */
#include "searcher/prune.h"

/* Documents [from, from + n) of the batch, n <= PRUNE_VERIFY, that are alive and match. */
static uint32_t matches(prune_state *s, uint32_t from, uint32_t n)
{
    prune_phrases *all = &s->phrases;
    const uint32_t *docs = s->batch.docs + from;
    uint32_t tfs[PRUNE_VERIFY], sum = 0;
    bool wrong[PRUNE_VERIFY] = {false};
    for (uint32_t f = 0; f < all->n_must; f++) {
        prune_phrase_tfs(s, &all->must[f], docs, n, all->ranks + from, PRUNE_BATCH_CAP, tfs);
        for (uint32_t i = 0; i < n; i++) wrong[i] |= !tfs[i];
    }
    for (uint32_t i = 0; i < n; i++)
        sum += !wrong[i] && snapshot_live(s->part, docs[i]) && !prune_phrase_forbids(s, docs[i]);
    return sum;
}

uint64_t prune_phrase_count(prune_state *s)
{
    prune_phrases *all = &s->phrases;
    prune_batch *b = &s->batch;
    uint64_t sum = 0;
    uint32_t n;
    prune_walk w;
    prune_phrase_walk(s, &w);
    for (bool more = true; more;) {
        more = prune_phrase_fill(s, &w, 0);
        for (uint32_t i = 1; i < all->n_needs && b->n; i++) prune_phrase_ask(s, &all->needs[i], &n);
        for (uint32_t i = 0; i < s->n_not && b->n; i++) {
            n = prune_phrase_others(s, s->not [i]);
            if (n < b->n) prune_phrase_keep(s, s->at_b, n);
        }
        prune_phrase_finish(s);
        for (uint32_t i = 0; i < b->n; i += PRUNE_VERIFY)
            sum += matches(s, i, b->n - i < PRUNE_VERIFY ? b->n - i : PRUNE_VERIFY);
    }
    b->n = 0;
    return sum;
}
