/* SPDX-License-Identifier: MIT
 *
 * prune_phrase_count.c - live documents of a segment that match a query with phrases: the
 * conjunction of all lists, then positions, of the shortest part first; no score, no bound.
 */
#include "searcher/prune.h"

static bool matches(prune_state *s, uint32_t doc)
{
    prune_phrases *all = &s->phrases;
    if (!snapshot_live(s->part, doc)) return false;
    for (uint32_t f = 0; f < all->n_must; f++)
        if (!prune_phrase_tf(s, &all->must[f], doc)) return false;
    return !prune_phrase_forbids(s, doc);
}

uint64_t prune_phrase_count(prune_state *s)
{
    prune_phrases *all = &s->phrases;
    prune_batch *b = &s->batch;
    uint64_t sum = 0;
    prune_walk w = {.list = all->needs[0].list};
    if (w.list->p.kind == POSTINGS_DENSE && all->n_needs > 1) w.also = all->needs[1].list->p.bits;
    b->n = 0;
    for (bool more = true; more;) {
        more = prune_walk_fill(s, &w, 0, 255);
        for (uint32_t i = 1; i < all->n_needs && b->n; i++) {
            b->n = prune_probe(s, all->needs[i].list, b->docs, b->n, s->at, NULL);
            for (uint32_t k = 0; k < b->n; k++) b->docs[k] = b->docs[s->at[k]];
        }
        for (uint32_t i = 0; i < s->n_not && b->n; i++) prune_exclude(s, s->not [i]);
        for (uint32_t i = 0; i < b->n; i++) sum += matches(s, b->docs[i]);
        b->n = 0;
    }
    return sum;
}
