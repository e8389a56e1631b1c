/* SPDX-License-Identifier: MIT
 *
 * prune_phrase_rank.c - the best documents of a query with required phrases, in one segment.
 *
 * 1. gather  The rarest list leads; the others are required block by block.  What stays has
 *            an upper bound, and waits.
 * 2. settle  When enough wait, or all: the best few are verified in order of documents, the
 *            threshold rises, then some more, each time four times as many.  What the
 *            threshold has passed meanwhile is never verified.
 *
 * Verification gives the exact tf, so for the phrase's part of the score lower and upper bound
 * are one number, rounded outwards.
 */
#include "searcher/prune.h"

typedef struct phrase_plan {
    float rest[PRUNE_PARTS_MAX + PRUNE_LISTS_MAX + 1]; /* what words from need i on can add   */
    float should_rest[PRUNE_LISTS_MAX + 1];
    float margin; /* of the words                                              */
} phrase_plan;

static float *row(prune_state *s, uint32_t phrase)
{
    return s->phrases.shares + (size_t)phrase * PRUNE_BATCH_CAP;
}

/* ---- gather
 * --------------------------------------------------------------------------------------- */

static float odds(float x)
{
    return x < 1 ? x / (1 - x) : 1e30f;
}

/* Bound of a phrase's share in document i of the batch.  A NEAR group's row holds the sum of
 * odds, which says something when all its words are in it. */
static float share_of(prune_state *s, uint32_t phrase, uint32_t i, bool complete)
{
    float v = row(s, phrase)[i];
    if (!s->phrases.must[phrase].near) return v;
    return complete ? v / (1 + v) * (1 + 1e-5f) : 1 + 1e-5f;
}

static float phrases_most(prune_state *s, uint32_t i, bool complete)
{
    float sum = 0;
    for (uint32_t f = 0; f < s->phrases.n_must; f++)
        sum += s->phrases.must[f].weight * share_of(s, f, i, complete);
    return sum;
}

/* Keep the documents at[0, n) of the batch. */
static void batch_keep(prune_state *s, const uint32_t *at, uint32_t n)
{
    prune_batch *b = &s->batch;
    for (uint32_t i = 0; i < n; i++) {
        b->docs[i] = b->docs[at[i]];
        b->scores[i] = b->scores[at[i]];
    }
    for (uint32_t f = 0; f < s->phrases.n_must; f++) {
        float *shares = row(s, f);
        for (uint32_t i = 0; i < n; i++) shares[i] = shares[at[i]];
    }
    b->n = n;
}

static void batch_drop_below(prune_state *s, float rest, bool complete)
{
    uint32_t n = 0;
    if (!(s->pool.threshold > 0)) return;
    for (uint32_t i = 0; i < s->batch.n; i++) {
        s->at[n] = i;
        n += s->batch.scores[i] + rest + phrases_most(s, i, complete) >= s->pool.threshold;
    }
    if (n < s->batch.n) batch_keep(s, s->at, n);
}

static void note_share(prune_state *s, uint32_t phrase, uint32_t i, float x)
{
    float *v = &row(s, phrase)[i];
    if (s->phrases.must[phrase].near)
        *v += odds(x);
    else if (x < *v)
        *v = x;
}

/* The walk has put the lead's bound into scores. */
static void batch_begin(prune_state *s, const prune_need *lead)
{
    prune_batch *b = &s->batch;
    for (uint32_t f = 0; f < s->phrases.n_must; f++)
        for (uint32_t i = 0; i < b->n; i++)
            row(s, f)[i] = s->phrases.must[f].near ? 0 : s->phrases.must[f].most;
    if (lead->phrase == UINT32_MAX) return;
    for (uint32_t i = 0; i < b->n; i++) {
        note_share(s, lead->phrase, i, b->scores[i]);
        b->scores[i] = 0;
    }
}

static void batch_need(prune_state *s, const prune_need *need)
{
    prune_batch *b = &s->batch;
    uint32_t n = prune_probe(s, need->list, b->docs, b->n, s->at, s->ranks);
    batch_keep(s, s->at, n);
    for (uint32_t i = 0; i < n; i++) {
        float x = need->list->weight * s->bounds->up[need->list->p.impacts[s->ranks[i]]];
        if (need->phrase == UINT32_MAX)
            b->scores[i] += x;
        else
            note_share(s, need->phrase, i, x);
    }
}

static void batch_exclude(prune_state *s, prune_list *list)
{
    prune_batch *b = &s->batch;
    uint32_t met = prune_probe(s, list, b->docs, b->n, s->at, NULL), n = 0;
    for (uint32_t i = 0, k = 0; met && i < b->n; i++) {
        if (k < met && s->at[k] == i)
            k++;
        else
            s->at_b[n++] = i;
    }
    if (met) batch_keep(s, s->at_b, n);
}

static void batch_wait(prune_state *s)
{
    prune_phrases *all = &s->phrases;
    for (uint32_t i = 0; i < s->batch.n; i++) {
        if (!snapshot_live(s->part, s->batch.docs[i])) continue;
        prune_candidate *c = &all->candidates[all->n_candidates++];
        *c = (prune_candidate){.doc = s->batch.docs[i], .words = s->batch.scores[i]};
        c->most = c->words + phrases_most(s, i, true);
        for (uint32_t f = 0; f < all->n_must; f++) c->shares[f] = share_of(s, f, i, true);
    }
}

static void batch_finish(prune_state *s, const phrase_plan *with)
{
    const prune_phrases *all = &s->phrases;
    batch_begin(s, &all->needs[0]);
    for (uint32_t j = 1; j < all->n_needs && s->batch.n; j++) {
        batch_drop_below(s, with->rest[j], false);
        batch_need(s, &all->needs[j]);
    }
    for (uint32_t j = 0; j < s->n_should && s->batch.n; j++) {
        batch_drop_below(s, with->should_rest[j], true);
        prune_add(s, s->should[j]);
    }
    batch_drop_below(s, 0, true);
    for (uint32_t j = 0; j < s->n_not && s->batch.n; j++) batch_exclude(s, s->not [j]);
    batch_wait(s);
    s->batch.n = 0;
}

/* ---- settle
 * -------------------------------------------------------------------------------------- */

/* Verify a candidate and hand it to the pool. */
static void verify(prune_state *s, const prune_candidate *c, float margin)
{
    prune_phrases *all = &s->phrases;
    const plan *p = s->q->p;
    uint32_t tfs[PRUNE_PHRASES_MAX];
    float most = c->words, least = c->words - margin;
    double norm = plan_norm(p, segment_dl(s->part->seg, c->doc));
    for (uint32_t f = 0; f < all->n_must; f++) {
        float later = 0;
        for (uint32_t g = f; g < all->n_must; g++) later += all->must[g].weight * c->shares[g];
        if (most + later < s->pool.threshold) return;
        tfs[f] = prune_phrase_tf(s, &all->must[f], c->doc);
        if (!tfs[f]) return;
        float part = (float)plan_contribution(p, &p->terms[all->must[f].word->term], tfs[f], norm);
        most += part * (1 + 1e-5f);
        least += part * (1 - 1e-5f);
    }
    if (most < s->pool.threshold || prune_phrase_forbids(s, c->doc)) return;
    if (!mem_grow(&all->tfs, &all->tfs_cap, all->n_tfs + all->n_must, sizeof *all->tfs)) {
        s->pool.no_memory = true;
        return;
    }
    prune_hit one = {
        .most = most, .least = least, .segment = s->segment, .doc = c->doc, .tfs = all->n_tfs};
    memcpy(all->tfs + all->n_tfs, tfs, all->n_must * sizeof *tfs);
    all->n_tfs += all->n_must;
    prune_pool_add(&s->pool, one);
    if (s->pool.n >= s->pool.tighten_at) prune_pool_tighten(&s->pool);
}

/* The bound that the best `some` of the waiting reach. */
static float bound_of_best(prune_state *s, size_t some)
{
    prune_phrases *all = &s->phrases;
    for (uint32_t i = 0; i < all->n_candidates; i++) all->order[i] = all->candidates[i].most;
    return prune_select_largest(all->order, all->n_candidates, some);
}

static void settle(prune_state *s, float margin)
{
    prune_phrases *all = &s->phrases;
    for (size_t some = s->pool.k + s->pool.k / 2 + 8; all->n_candidates; some *= 4) {
        float bound = some < all->n_candidates ? bound_of_best(s, some) : 0;
        uint32_t kept = 0;
        for (uint32_t i = 0; i < all->n_candidates; i++) {
            const prune_candidate *c = &all->candidates[i];
            if (c->most < s->pool.threshold) continue;
            if (c->most < bound)
                all->candidates[kept++] = *c;
            else
                verify(s, c, margin);
        }
        all->n_candidates = kept;
        prune_pool_tighten(&s->pool);
    }
}

/* ---- the loop
 * -------------------------------------------------------------------------------------- */

static void plan_bounds(prune_state *s, phrase_plan *with)
{
    const prune_phrases *all = &s->phrases;
    uint32_t n = all->n_needs, m = s->n_should;
    with->should_rest[m] = with->margin = 0;
    for (uint32_t i = m; i-- > 0;) {
        with->should_rest[i] = with->should_rest[i + 1] + s->should[i]->most;
        with->margin += s->should[i]->weight * s->bounds->gap;
    }
    with->rest[n] = with->should_rest[0];
    for (uint32_t i = n; i-- > 0;) {
        const prune_need *need = &all->needs[i];
        bool word = need->phrase == UINT32_MAX;
        with->rest[i] = with->rest[i + 1] + (word ? need->list->most : 0);
        if (word) with->margin += need->list->weight * s->bounds->gap;
    }
}

/* Least byte of the lead that a candidate can have. */
static unsigned lead_byte(const prune_state *s, const phrase_plan *with)
{
    const prune_phrases *all = &s->phrases;
    const prune_need *lead = &all->needs[0];
    float need = s->pool.threshold - with->rest[1];
    for (uint32_t f = 0; f < all->n_must; f++)
        if (f != lead->phrase) need -= all->must[f].weight * all->must[f].most;
    if (lead->phrase == UINT32_MAX) return prune_least_byte(s, lead->list, need);
    if (all->must[lead->phrase].near) return 1;
    return prune_least_byte(s, lead->list, need / all->must[lead->phrase].weight);
}

void prune_phrase_rank(prune_state *s)
{
    prune_phrases *all = &s->phrases;
    phrase_plan with;
    plan_bounds(s, &with);
    prune_walk w = {.list = all->needs[0].list};
    if (w.list->p.kind == POSTINGS_DENSE && all->n_needs > 1) w.also = all->needs[1].list->p.bits;
    s->batch.n = 0;
    for (bool more = true; more;) {
        unsigned low = lead_byte(s, &with);
        if (low > 255) break;
        more = prune_walk_fill(s, &w, (uint8_t)low, 255);
        batch_finish(s, &with);
        if (all->n_candidates > PRUNE_CANDIDATES - PRUNE_BATCH_CAP) settle(s, with.margin);
    }
    settle(s, with.margin);
}
