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

/* ---- gather ------------------------------------------------------------------------------- */

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

/* Scores and shares of the documents at[0, n) of the batch. */
static void keep_scores(prune_state *s, const uint32_t *at, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) s->batch.scores[i] = s->batch.scores[at[i]];
    for (uint32_t f = 0; f < s->phrases.n_must; f++) {
        float *shares = row(s, f);
        for (uint32_t i = 0; i < n; i++) shares[i] = shares[at[i]];
    }
}

static void batch_keep(prune_state *s, const uint32_t *at, uint32_t n)
{
    keep_scores(s, at, n);
    prune_phrase_keep(s, at, n);
}

static void batch_drop_below(prune_state *s, float rest, bool complete)
{
    uint32_t n = 0;
    if (!(s->pool.threshold > 0) || s->phrases.counting) return;
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
    uint32_t before = b->n, n;
    const uint32_t *ranks = prune_phrase_ask(s, need, &n);
    if (n < before) keep_scores(s, s->at, n);
    for (uint32_t i = 0; i < n; i++) {
        float x = need->list->weight * s->bounds->up[need->list->p.impacts[ranks[i]]];
        if (need->phrase == UINT32_MAX)
            b->scores[i] += x;
        else
            note_share(s, need->phrase, i, x);
    }
}

/* While there is no threshold nothing can be dropped: bounds are worked out for what has met in
 * all lists, and only from lists of phrases, whose ranks are known. */
static bool bounds_can_wait(const prune_state *s)
{
    const prune_phrases *all = &s->phrases;
    bool wait = all->counting || !(s->pool.threshold > 0);
    for (uint32_t j = 0; j < all->n_needs && wait; j++)
        wait = all->needs[j].phrase != UINT32_MAX && !all->must[all->needs[j].phrase].near;
    return wait;
}

static void batch_meet(prune_state *s)
{
    prune_phrases *all = &s->phrases;
    prune_batch *b = &s->batch;
    uint32_t n;
    for (uint32_t j = 1; j < all->n_needs && b->n; j++) prune_phrase_ask(s, &all->needs[j], &n);
    prune_phrase_finish(s);
    for (uint32_t f = 0; f < all->n_must; f++)
        for (uint32_t i = 0; i < b->n; i++) row(s, f)[i] = all->must[f].most;
    for (uint32_t i = 0; i < b->n; i++) b->scores[i] = 0;
    for (uint32_t j = 0; j < all->n_needs; j++) {
        const prune_list *list = all->needs[j].list;
        const uint32_t *ranks = all->ranks + (size_t)(list - all->lists) * PRUNE_BATCH_CAP;
        float *shares = row(s, all->needs[j].phrase);
        for (uint32_t i = 0; i < b->n; i++) {
            float x = list->weight * s->bounds->up[list->p.impacts[ranks[i]]];
            if (x < shares[i]) shares[i] = x;
        }
    }
}

static void batch_bound(prune_state *s, const phrase_plan *with)
{
    const prune_phrases *all = &s->phrases;
    batch_begin(s, &all->needs[0]);
    for (uint32_t j = 1; j < all->n_needs && s->batch.n; j++) {
        batch_drop_below(s, with->rest[j], false);
        batch_need(s, &all->needs[j]);
    }
}

static void batch_exclude(prune_state *s, prune_list *list)
{
    uint32_t n = prune_phrase_others(s, list);
    if (n < s->batch.n) batch_keep(s, s->at_b, n);
}

static void batch_wait(prune_state *s)
{
    prune_phrases *all = &s->phrases;
    prune_phrase_finish(s);
    for (uint32_t i = 0; i < s->batch.n; i++) {
        if (!snapshot_live(s->part, s->batch.docs[i])) continue;
        uint32_t *ranks = all->waiting_ranks + (size_t)all->n_candidates * all->n_lists;
        for (uint32_t l = 0; l < all->n_lists; l++)
            ranks[l] = all->ranks[(size_t)l * PRUNE_BATCH_CAP + i];
        prune_candidate *c = &all->candidates[all->n_candidates++];
        *c = (prune_candidate){.doc = s->batch.docs[i], .words = s->batch.scores[i]};
        c->most = c->words + phrases_most(s, i, true);
        for (uint32_t f = 0; f < all->n_must; f++) c->shares[f] = share_of(s, f, i, true);
    }
}

static void batch_finish(prune_state *s, const phrase_plan *with)
{
    for (uint32_t j = 0; j < s->n_should && s->batch.n; j++) {
        batch_drop_below(s, with->should_rest[j], true);
        prune_add(s, s->should[j]);
    }
    batch_drop_below(s, 0, true);
    for (uint32_t j = 0; j < s->n_not && s->batch.n; j++) batch_exclude(s, s->not [j]);
    batch_wait(s);
    s->batch.n = 0;
}

/* ---- settle ------------------------------------------------------------------------------- */

/* Candidates that are verified together. */
typedef struct verify_batch {
    uint32_t n, docs[PRUNE_VERIFY], tfs[PRUNE_PHRASES_MAX][PRUNE_VERIFY];
    float most[PRUNE_VERIFY], least[PRUNE_VERIFY];
} verify_batch;

static void verify_add(prune_state *s, verify_batch *v, uint32_t candidate, float margin)
{
    prune_phrases *all = &s->phrases;
    const prune_candidate *c = &all->candidates[candidate];
    for (uint32_t l = 0; l < all->n_lists; l++)
        all->verify_ranks[(size_t)l * PRUNE_VERIFY + v->n] =
            all->waiting_ranks[(size_t)candidate * all->n_lists + l];
    v->docs[v->n] = c->doc;
    v->most[v->n] = c->words;
    v->least[v->n] = c->words - margin;
    v->n++;
}

/* A document that matches, to the pool. */
static void deliver(prune_state *s, const verify_batch *v, uint32_t i)
{
    prune_phrases *all = &s->phrases;
    if (!mem_grow(&all->tfs, &all->tfs_cap, all->n_tfs + all->n_must, sizeof *all->tfs)) {
        s->pool.no_memory = true;
        return;
    }
    prune_hit one = {.most = v->most[i],
                     .least = v->least[i],
                     .segment = s->segment,
                     .doc = v->docs[i],
                     .tfs = all->n_tfs};
    for (uint32_t f = 0; f < all->n_must; f++) all->tfs[all->n_tfs++] = v->tfs[f][i];
    prune_pool_add(&s->pool, one);
    if (s->pool.n >= s->pool.tighten_at) prune_pool_tighten(&s->pool);
}

static void verify(prune_state *s, verify_batch *v)
{
    prune_phrases *all = &s->phrases;
    const plan *p = s->q->p;
    bool wrong[PRUNE_VERIFY] = {false};
    for (uint32_t f = 0; f < all->n_must && v->n; f++) {
        prune_phrase_tfs(s, &all->must[f], v->docs, v->n, all->verify_ranks, PRUNE_VERIFY,
                         v->tfs[f]);
        const plan_term *term = &p->terms[all->must[f].word->term];
        for (uint32_t i = 0; i < v->n; i++) {
            wrong[i] |= !v->tfs[f][i];
            if (wrong[i]) continue;
            double norm = plan_norm(p, segment_dl(s->part->seg, v->docs[i]));
            float part = (float)plan_contribution(p, term, v->tfs[f][i], norm);
            v->most[i] += part * (1 + 1e-5f);
            v->least[i] += part * (1 - 1e-5f);
        }
    }
    for (uint32_t i = 0; i < v->n && !s->pool.no_memory; i++) {
        bool wanted = v->most[i] >= s->pool.threshold;
        if (wrong[i] || !(wanted || all->counting) || prune_phrase_forbids(s, v->docs[i])) continue;
        all->counted++;
        if (wanted) deliver(s, v, i);
    }
    v->n = 0;
}

/* The bound that the best `some` of the waiting reach. */
static float bound_of_best(prune_state *s, size_t some)
{
    prune_phrases *all = &s->phrases;
    for (uint32_t i = 0; i < all->n_candidates; i++) all->order[i] = all->candidates[i].most;
    return prune_select_largest(all->order, all->n_candidates, some);
}

static void candidate_move(prune_phrases *all, uint32_t from, uint32_t to)
{
    all->candidates[to] = all->candidates[from];
    memmove(all->waiting_ranks + (size_t)to * all->n_lists,
            all->waiting_ranks + (size_t)from * all->n_lists,
            all->n_lists * sizeof *all->waiting_ranks);
}

/* How many to verify after `some`: as many again as will fill the pool, by the share of those
 * that matched.  All, in order of documents, when that is half of them: groups of positions
 * are read once then. */
static size_t more_than(const prune_state *s, size_t some)
{
    const prune_pool *pool = &s->pool;
    if (pool->n >= pool->k) return 4 * some;
    size_t half = s->phrases.n_candidates / 2;
    if (!pool->n || pool->k / pool->n >= half) return SIZE_MAX;
    size_t wanted = 2 * some * (pool->k / pool->n + 1);
    return wanted < half ? wanted : SIZE_MAX;
}

static void settle(prune_state *s, float margin)
{
    prune_phrases *all = &s->phrases;
    verify_batch v;
    v.n = 0;
    size_t first = s->pool.k + s->pool.k / 2 + 8;
    if (first < PRUNE_VERIFY / 2) first = PRUNE_VERIFY / 2;
    for (size_t some = first; all->n_candidates; some = more_than(s, some)) {
        bool not_all = some < all->n_candidates && !all->counting;
        float bound = not_all ? bound_of_best(s, some) : 0;
        uint32_t kept = 0;
        for (uint32_t i = 0; i < all->n_candidates; i++) {
            const prune_candidate *c = &all->candidates[i];
            if (c->most < s->pool.threshold && !all->counting) continue;
            if (c->most < bound) {
                candidate_move(all, i, kept++);
                continue;
            }
            verify_add(s, &v, i, margin);
            if (v.n == PRUNE_VERIFY) verify(s, &v);
        }
        verify(s, &v);
        all->n_candidates = kept;
        prune_pool_tighten(&s->pool);
    }
}

/* ---- the loop ----------------------------------------------------------------------------- */

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
    uint32_t most = PRUNE_WAITING_RANKS / all->n_lists;
    uint32_t room = (most < PRUNE_CANDIDATES ? most : PRUNE_CANDIDATES) - PRUNE_BATCH_CAP;
    plan_bounds(s, &with);
    prune_walk w;
    prune_phrase_walk(s, &w);
    for (bool more = true; more;) {
        bool wait = bounds_can_wait(s);
        unsigned low = wait ? 0 : all->counting ? 1 : lead_byte(s, &with);
        if (low > 255) break;
        more = prune_phrase_fill(s, &w, low);
        if (wait)
            batch_meet(s);
        else
            batch_bound(s, &with);
        batch_finish(s, &with);
        if (all->n_candidates > room) settle(s, with.margin);
    }
    settle(s, with.margin);
}
