/* SPDX-License-Identifier: MIT
 *
 * prune_phrase.c - phrases opened in a segment, and their positions asked; see prune_phrase.h.
 */
#include "common/base/mem.h"
#include "searcher/prune.h"

void prune_phrases_free(prune_phrases *f)
{
    mem_free(f->lists);
    mem_free(f->cursors);
    mem_free(f->parts);
    mem_free(f->candidates);
    mem_free(f->order);
    mem_free(f->tfs);
    mem_free(f->shares);
    match_scratch_free(&f->scratch);
    memset(f, 0, sizeof *f);
}

bool prune_phrases_ready(prune_phrases *f)
{
    f->scratch.no_memory = false;
    f->n_tfs = 0;
    if (!f->lists) f->lists = mem_array(PRUNE_PARTS_MAX, sizeof *f->lists);
    if (!f->cursors) f->cursors = mem_array(PRUNE_PARTS_MAX, sizeof *f->cursors);
    if (!f->parts) f->parts = mem_array(PRUNE_PARTS_MAX, sizeof *f->parts);
    if (!f->candidates) f->candidates = mem_array(PRUNE_CANDIDATES, sizeof *f->candidates);
    if (!f->order) f->order = mem_array(PRUNE_CANDIDATES, sizeof *f->order);
    if (!f->shares)
        f->shares = mem_array((size_t)PRUNE_PHRASES_MAX * PRUNE_BATCH_CAP, sizeof *f->shares);
    return f->lists && f->cursors && f->parts && f->candidates && f->order && f->shares;
}

void prune_phrases_clear(prune_phrases *f)
{
    f->n_must = f->n_not = f->n_lists = f->n_parts = f->n_needs = f->n_candidates = 0;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* One list for each different word of a required phrase. */
static bool open_lists(prune_state *s, prune_phrase *f, const phrase_part *parts, uint32_t n)
{
    prune_phrases *all = &s->phrases;
    f->most = f->near ? 1 + 1e-5f : 2;
    for (uint32_t i = 0; i < n; i++) {
        bool again = false;
        for (uint32_t j = 0; j < i; j++) again |= parts[j].entry == parts[i].entry;
        if (again) continue;
        prune_list *list = &all->lists[all->n_lists++];
        if (!prune_list_open(s, f->word, parts[i].entry, list)) return false;
        list->weight = 1;
        list->most = s->bounds->up[list->p.impact_max];
        if (!f->near && list->most < f->most) f->most = list->most;
        all->needs[all->n_needs++] = (prune_need){list, all->n_must};
    }
    return true;
}

bool prune_phrase_open(prune_state *s, const prune_word *w, const term_entry **one)
{
    prune_phrases *all = &s->phrases;
    const plan_matcher *spec = &s->q->p->matchers[w->matcher];
    bool must = w->role == PRUNE_MUST;
    phrase_part *parts = all->parts + all->n_parts;
    uint32_t n = phrase_parts(s->q->p, spec, s->segment, parts);
    *one = n == 1 && spec->kind == MATCH_PHRASE ? parts[0].entry : NULL;
    if (!n || *one) return n != 0;
    prune_phrase *f = must ? &all->must[all->n_must] : &all->not [all->n_not];
    *f = (prune_phrase){.word = w, .weight = (float)w->weight, .near = spec->kind == MATCH_NEAR};
    f->m = (matcher){.plan = spec, .scratch = &all->scratch, .words = all->cursors + all->n_parts};
    if (!f->near) f->m.parts = parts;
    all->n_parts += spec->titles ? 2 * spec->n_words : spec->n_words; /* opened again there */
    if (must && !open_lists(s, f, parts, n)) return false;
    if (must)
        all->n_must++;
    else
        all->n_not++;
    return true;
}

/* Into needs[0, n), which is sorted by df. */
static void insert(prune_need *needs, uint32_t n, prune_need one)
{
    for (; n && needs[n - 1].list->p.df > one.list->p.df; n--) needs[n] = needs[n - 1];
    needs[n] = one;
}

void prune_phrase_needs(prune_state *s)
{
    prune_phrases *all = &s->phrases;
    for (uint32_t i = 0; i < s->n_must; i++)
        all->needs[all->n_needs++] = (prune_need){s->must[i], UINT32_MAX};
    for (uint32_t i = 1; i < all->n_needs; i++) insert(all->needs, i, all->needs[i]);
}

/* ---- asking
 * -------------------------------------------------------------------------------------- */

uint32_t prune_phrase_tf(prune_state *s, prune_phrase *f, uint32_t doc)
{
    if (!f->m.seg || (f->m.begun && f->m.doc > doc)) matcher_open(&f->m, s->q->p, s->segment);
    return matcher_tf(&f->m, doc);
}

bool prune_phrase_forbids(prune_state *s, uint32_t doc)
{
    for (uint32_t i = 0; i < s->phrases.n_not; i++)
        if (prune_phrase_tf(s, &s->phrases.not [i], doc)) return true;
    return false;
}

void prune_phrase_exclude(prune_state *s)
{
    prune_batch *b = &s->batch;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->n; i++) {
        b->docs[kept] = b->docs[i];
        b->scores[kept] = b->scores[i];
        kept += !prune_phrase_forbids(s, b->docs[i]);
    }
    b->n = kept;
}
