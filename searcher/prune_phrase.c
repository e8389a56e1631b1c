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
    mem_free(f->part_lists);
    mem_free(f->readers);
    mem_free(f->meetings);
    mem_free(f->meeting_docs);
    mem_free(f->finding);
    mem_free(f->places);
    mem_free(f->ranks);
    mem_free(f->waiting_ranks);
    mem_free(f->verify_ranks);
    match_scratch_free(&f->scratch);
    memset(f, 0, sizeof *f);
}

/* Room for n of what `room` points to, made when it is first wanted; false: memory was refused. */
#define READY(room, n) ((room) || ((room) = mem_array((n), sizeof *(room))))

bool prune_phrases_ready(prune_phrases *f)
{
    f->scratch.no_memory = false;
    f->n_tfs = 0;
    f->counting = false;
    return READY(f->lists, PRUNE_PARTS_MAX) && READY(f->cursors, PRUNE_PARTS_MAX) &&
           READY(f->parts, PRUNE_PARTS_MAX) && READY(f->part_lists, PRUNE_PARTS_MAX) &&
           READY(f->readers, PRUNE_PARTS_MAX) && READY(f->candidates, PRUNE_CANDIDATES) &&
           READY(f->order, PRUNE_CANDIDATES) &&
           READY(f->shares, PRUNE_PHRASES_MAX * PRUNE_BATCH_CAP) &&
           READY(f->ranks, PRUNE_PARTS_MAX * PRUNE_BATCH_CAP) &&
           READY(f->waiting_ranks, PRUNE_WAITING_RANKS) && READY(f->meetings, PRUNE_VERIFY) &&
           READY(f->meeting_docs, PRUNE_VERIFY + SCAN_SLACK) && READY(f->finding, 1) &&
           READY(f->places, PRUNE_VERIFY) && READY(f->verify_ranks, PRUNE_PARTS_MAX * PRUNE_VERIFY);
}

#undef READY

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
        f->lists[i] = NULL;
        for (uint32_t j = 0; j < i; j++)
            if (parts[j].entry == parts[i].entry) f->lists[i] = f->lists[j];
        if (f->lists[i]) continue;
        prune_list *list = f->lists[i] = &all->lists[all->n_lists++];
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
    f->n_parts = n;
    f->lists = all->part_lists + all->n_parts;
    f->readers = all->readers + all->n_parts;
    all->n_parts += spec->titles ? 2 * spec->n_words : spec->n_words; /* opened again there */
    if (must && !open_lists(s, f, parts, n)) return false;
    for (uint32_t i = 0; must && i < n; i++)
        position_reader_open(&f->readers[i], &f->lists[i]->p, f->lists[i]->docs);
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

/* ---- the batch ---------------------------------------------------------------------------- */

/* The row of a need's list; NULL: nobody asks for ranks there. */
static uint32_t *row_of(prune_phrases *all, const prune_need *need)
{
    if (need->phrase == UINT32_MAX || all->must[need->phrase].near) return NULL;
    return all->ranks + (size_t)(need->list - all->lists) * PRUNE_BATCH_CAP;
}

static void row_filled(prune_phrases *all, const prune_need *need)
{
    all->ranked[all->n_ranked++] = (uint32_t)(need->list - all->lists);
}

void prune_phrase_walk(prune_state *s, prune_walk *w)
{
    prune_phrases *all = &s->phrases;
    *w = (prune_walk){.list = all->needs[0].list};
    if (w->list->p.kind == POSTINGS_DENSE) {
        if (all->n_needs > 1) w->also = all->needs[1].list->p.bits;
    } else if (!s->only) {
        w->ranks = row_of(all, &all->needs[0]); /* filters take documents out, not ranks     */
    }
}

bool prune_phrase_fill(prune_state *s, prune_walk *w, unsigned low)
{
    prune_phrases *all = &s->phrases;
    all->n_ranked = 0;
    all->lead_ranked = w->ranks != NULL;
    if (w->ranks) row_filled(all, &all->needs[0]);
    s->batch.n = 0;
    return low ? prune_walk_fill(s, w, (uint8_t)low, 255) : prune_walk_docs(s, w);
}

const uint32_t *prune_phrase_ask(prune_state *s, const prune_need *need, uint32_t *n)
{
    uint32_t *row = row_of(&s->phrases, need), *ranks = row ? row : s->ranks;
    *n = prune_probe(s, need->list, s->batch.docs, s->batch.n, s->at, ranks);
    if (*n < s->batch.n) prune_phrase_keep(s, s->at, *n);
    if (row) row_filled(&s->phrases, need);
    return ranks;
}

void prune_phrase_keep(prune_state *s, const uint32_t *at, uint32_t n)
{
    prune_phrases *all = &s->phrases;
    for (uint32_t i = 0; i < n; i++) s->batch.docs[i] = s->batch.docs[at[i]];
    for (uint32_t l = 0; l < all->n_ranked; l++) {
        uint32_t *row = all->ranks + (size_t)all->ranked[l] * PRUNE_BATCH_CAP;
        for (uint32_t i = 0; i < n; i++) row[i] = row[at[i]];
    }
    s->batch.n = n;
}

uint32_t prune_phrase_others(prune_state *s, prune_list *list)
{
    prune_batch *b = &s->batch;
    uint32_t met = prune_probe(s, list, b->docs, b->n, s->at, NULL), n = 0;
    if (!met) return b->n;
    for (uint32_t i = 0, k = 0; i < b->n; i++) {
        if (k < met && s->at[k] == i)
            k++;
        else
            s->at_b[n++] = i;
    }
    return n;
}

void prune_phrase_finish(prune_state *s)
{
    const prune_need *lead = &s->phrases.needs[0];
    uint32_t n, *row = row_of(&s->phrases, lead);
    if (row && !s->phrases.lead_ranked && s->batch.n) prune_phrase_ask(s, lead, &n);
    s->phrases.lead_ranked = row != NULL;
}

/* ---- asking ------------------------------------------------------------------------------- */

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
