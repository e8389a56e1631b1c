/* SPDX-License-Identifier: MIT
 *
 * phrase.c - occurrences of phrases and NEAR groups in one document, from positions.
 *
 * Phrase: start positions p with word i at p + i for all i; overlapping ones all count.
 *
 *     "a b a", a at 1 3 5, b at 2 4:   starts 1 and 3, tf 2
 *
 * NEAR: minimal windows of at most `window` positions.  A window holds every word as often as
 * the group names it; it is minimal when it does no longer if its first or its last position
 * is left out.  Windows may overlap; no two share their first or their last position, so each
 * occurrence ends one window at most.  No window spans title and body: where it could, by its
 * length, the two are counted apart.  A word's title occurrences come first in its list, and
 * the title's own list tells how many they are.
 *
 *     "a b"~1, a at 1 4, b at 3 9:     windows [1,3] and [3,4], tf 2
 */
#include "common/base/sort.h"
#include "searcher/matcher.h"

/* Positions of a cursor's current document into *out; their number.  A list that claims more
 * occurrences than the document has tokens is damaged. */
static uint32_t read_positions(matcher *m, cursor *c, uint32_t doc, uint32_t **out, size_t *cap)
{
    uint32_t tf = cursor_tf(c);
    if (tf > segment_dl(m->seg, doc)) {
        segment_damaged(m->seg, c->list.base, section_name(SECTION_POSTINGS),
                        "more occurrences than the document has tokens");
        return 0;
    }
    if (!mem_grow(out, cap, tf, sizeof **out)) {
        m->scratch->no_memory = true;
        return 0;
    }
    return cursor_positions(c, *out, tf);
}

static uint32_t part_offset(const matcher *m, uint32_t i)
{
    return m->parts ? m->parts[i].offset : i;
}

uint32_t phrase_count(matcher *m, uint32_t doc)
{
    match_scratch *s = m->scratch;
    uint32_t n = read_positions(m, &m->words[m->lead], doc, &s->starts, &s->starts_cap), kept = 0;
    uint32_t lead = part_offset(m, m->lead);
    for (uint32_t i = 0; i < n; i++)
        if (s->starts[i] >= lead) s->starts[kept++] = s->starts[i] - lead;
    for (uint32_t i = 0; i < m->n_parts && kept; i++) {
        if (i == m->lead) continue;
        n = read_positions(m, &m->words[i], doc, &s->positions, &s->positions_cap);
        kept = phrase_keep_starts(s->starts, kept, part_offset(m, i), s->positions, n);
    }
    return kept;
}

/* ---- NEAR ------------------------------------------------------------------------------- */

static int by_position(const void *a, const void *b)
{
    const position_event *x = a, *y = b;
    return (x->position > y->position) - (x->position < y->position);
}

/* Minimal windows in events ordered by position; have[] is zeroed, of n_words counts.  A
 * window is complete the moment its last word arrives, so only its start has to be drawn in
 * for it to be minimal. */
static uint32_t count_windows(const plan_matcher *spec, const position_event *events, size_t n,
                              uint32_t *have)
{
    uint32_t missing = spec->n_words, windows = 0;
    size_t left = 0;
    for (size_t right = 0; right < n; right++) {
        uint32_t word = events[right].word;
        if (++have[word] == spec->needs[word]) missing--;
        if (missing) continue;
        while (have[events[left].word] > spec->needs[events[left].word])
            have[events[left++].word]--;
        uint64_t span = (uint64_t)events[right].position - events[left].position + 1;
        windows += span <= spec->window;
        /* Leave the window: its first word is missing from here on. */
        have[events[left++].word]--;
        missing++;
    }
    return windows;
}

/* Positions of the title among those of word i. */
static uint32_t title_share(matcher *m, uint32_t i, uint32_t doc)
{
    if (!m->plan->titles) return 0;
    cursor *c = &m->words[m->plan->n_words + i];
    if (!c->list.s || cursor_seek(c, doc) != doc) return 0;
    return cursor_tf(c);
}

/* All events of the document, those of the title first; *n_title of them. */
static bool gather_events(matcher *m, uint32_t doc, size_t *n_events, size_t *n_title)
{
    match_scratch *s = m->scratch;
    size_t n = 0, title = 0;
    for (uint32_t i = 0; i < m->plan->n_words; i++) {
        uint32_t got = read_positions(m, &m->words[i], doc, &s->positions, &s->positions_cap);
        uint32_t share = title_share(m, i, doc);
        if (!got) return false;
        if (!mem_grow(&s->events, &s->events_cap, n + got, sizeof *s->events)) {
            s->no_memory = true;
            return false;
        }
        for (uint32_t k = 0; k < got; k++) s->events[n++] = (position_event){s->positions[k], i};
        title += share < got ? share : got;
    }
    sort_items(s->events, n, sizeof *s->events, by_position);
    *n_events = n;
    *n_title = title;
    return true;
}

uint32_t near_count(matcher *m, uint32_t doc)
{
    match_scratch *s = m->scratch;
    uint32_t n_words = m->plan->n_words;
    size_t n, n_title;
    if (!gather_events(m, doc, &n, &n_title)) return 0;
    if (!mem_grow(&s->starts, &s->starts_cap, n_words, sizeof *s->starts)) {
        s->no_memory = true;
        return 0;
    }
    memset(s->starts, 0, n_words * sizeof *s->starts);
    uint32_t windows = count_windows(m->plan, s->events, n_title, s->starts);
    memset(s->starts, 0, n_words * sizeof *s->starts);
    return windows + count_windows(m->plan, s->events + n_title, n - n_title, s->starts);
}
