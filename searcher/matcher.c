/* SPDX-License-Identifier: MIT
 *
 * matcher.c - walking and asking matchers; see matcher.h.
 */
#include "searcher/matcher.h"

void match_scratch_free(match_scratch *s)
{
    mem_free(s->positions);
    mem_free(s->starts);
    mem_free(s->events);
    memset(s, 0, sizeof *s);
}

pm_status matcher_init(matcher *m, const plan *p, uint32_t index, match_scratch *scratch,
                       pm_error *err)
{
    *m = (matcher){.plan = &p->matchers[index], .scratch = scratch};
    if (m->plan->kind == MATCH_DOCS || m->plan->kind == MATCH_FILTER) return PM_OK;
    size_t cursors = m->plan->titles ? 2 * (size_t)m->plan->n_words : m->plan->n_words;
    m->words = arena_zalloc(p->a, cursors * sizeof *m->words);
    if (m->plan->kind == MATCH_PHRASE) {
        m->parts = arena_alloc(p->a, m->plan->n_words * sizeof *m->parts);
        if (!m->parts) return error_nomem(err);
    }
    return m->words ? PM_OK : error_nomem(err);
}

static void open_parts(matcher *m, const plan *p, uint32_t segment_index)
{
    m->lead = 0;
    m->n_parts = phrase_parts(p, m->plan, segment_index, m->parts);
    m->empty = !m->n_parts;
    for (uint32_t i = 0; i < m->n_parts; i++) cursor_open(&m->words[i], m->seg, m->parts[i].entry);
}

/* The rarest word leads; empty where one of them is not there. */
static void choose_lead(matcher *m, const plan *p, uint32_t segment_index)
{
    const plan_matcher *spec = m->plan;
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; i < spec->n_words && !m->empty; i++) {
        uint32_t df = p->keys[spec->words[i]].entries[segment_index].df;
        m->empty = !df;
        if (df < least) least = df, m->lead = i;
    }
}

/* The cursors of the words, and behind them those of the same words in titles; a title word that is
 * not there has no list. */
static void open_words(matcher *m, const plan *p, uint32_t segment_index)
{
    const plan_matcher *spec = m->plan;
    m->n_parts = spec->n_words;
    choose_lead(m, p, segment_index);
    if (m->empty) return;
    for (uint32_t i = 0; i < spec->n_words; i++)
        cursor_open(&m->words[i], m->seg, &p->keys[spec->words[i]].entries[segment_index]);
    for (uint32_t i = 0; spec->titles && i < spec->n_words; i++) {
        cursor *c = &m->words[spec->n_words + i];
        const term_entry *entry = &p->keys[spec->titles[i]].entries[segment_index];
        if (entry->df)
            cursor_open(c, m->seg, entry);
        else
            c->list.s = NULL;
    }
}

void matcher_open(matcher *m, const plan *p, uint32_t segment_index)
{
    const plan_matcher *spec = m->plan;
    m->seg = p->snap->segments[segment_index].seg;
    m->begun = m->empty = false;
    m->tf = 0;
    if (spec->kind == MATCH_DOCS) {
        m->list = spec->lists[segment_index];
        m->at = 0;
    } else if (spec->kind == MATCH_FILTER) {
        filter_interval(m->seg, spec->filter, &m->at, &m->end);
    } else if (m->parts) {
        open_parts(m, p, segment_index);
    } else {
        open_words(m, p, segment_index);
    }
}

/* All words of a phrase stand at doc: does it match? */
static bool verify(matcher *m, uint32_t doc)
{
    m->tf = m->plan->kind == MATCH_PHRASE ? phrase_count(m, doc) : near_count(m, doc);
    return m->tf != 0;
}

/* Bring all parts but the lead to doc; the first document beyond that one of them stands at,
 * or doc when all are there. */
static uint32_t align(matcher *m, uint32_t doc)
{
    for (uint32_t i = 0; i < m->n_parts; i++) {
        if (i == m->lead) continue;
        uint32_t at = cursor_seek(&m->words[i], doc);
        if (at != doc) return at;
    }
    return doc;
}

static uint32_t phrase_next(matcher *m)
{
    cursor *lead = &m->words[m->lead];
    uint32_t doc = cursor_next(lead);
    while (doc != CURSOR_END) {
        uint32_t at = align(m, doc);
        if (at == CURSOR_END) break;
        if (at == doc && verify(m, doc)) return doc;
        doc = at == doc ? cursor_next(lead) : cursor_seek(lead, at);
    }
    m->tf = 0;
    return CURSOR_END;
}

static uint32_t docs_next(matcher *m)
{
    m->tf = m->at < m->list.n;
    return m->tf ? m->list.docs[m->at++] : CURSOR_END;
}

static bool docs_have(matcher *m, uint32_t doc)
{
    while (m->at < m->list.n && m->list.docs[m->at] < doc) m->at++;
    m->tf = m->at < m->list.n && m->list.docs[m->at] == doc;
    return m->tf;
}

static uint32_t filter_next(matcher *m)
{
    while (m->at < m->end && !filter_passes(m->seg, m->plan->filter, m->at)) m->at++;
    m->tf = m->at < m->end;
    return m->tf ? m->at++ : CURSOR_END;
}

uint32_t matcher_next(matcher *m)
{
    if (m->empty) return CURSOR_END;
    m->begun = true;
    switch (m->plan->kind) {
    case MATCH_KEY:
        m->doc = cursor_next(&m->words[0]);
        break;
    case MATCH_DOCS:
        m->doc = docs_next(m);
        break;
    case MATCH_FILTER:
        m->doc = filter_next(m);
        break;
    default:
        m->doc = phrase_next(m);
        break;
    }
    return m->doc;
}

bool matcher_has(matcher *m, uint32_t doc)
{
    if (m->empty) return false;
    bool key = m->plan->kind == MATCH_KEY;
    if (m->begun && m->doc == doc) return key ? m->words[0].doc == doc : m->tf != 0;
    if (m->begun && m->doc > doc) return false; /* a driver that is already beyond      */
    m->begun = true;
    m->doc = doc;
    if (key) return cursor_seek(&m->words[0], doc) == doc;
    if (m->plan->kind == MATCH_DOCS) return docs_have(m, doc);
    if (m->plan->kind == MATCH_FILTER) {
        m->tf = filter_passes(m->seg, m->plan->filter, doc);
        return m->tf;
    }
    m->tf = 0;
    if (cursor_seek(&m->words[m->lead], doc) != doc || align(m, doc) != doc) return false;
    return verify(m, doc);
}

uint32_t matcher_tf(matcher *m, uint32_t doc)
{
    if (!matcher_has(m, doc)) return 0;
    return m->plan->kind == MATCH_KEY ? cursor_tf(&m->words[0]) : m->tf;
}
