/* SPDX-License-Identifier: MIT
 *
 * prune_phrase_verify.c - occurrences of a phrase in many documents at once, from positions.
 *
 * Part by part, the rarest first: the ranks of the documents' postings, which the conjunction
 * has met, give positions (positions.h), and a document stays while some start is left in it.
 * So the list of a frequent word is asked only where the others have met, and the work on one
 * document overlaps with that on the next.
 *
 *     "a b c", b rarest      starts: positions of b, less 1
 *                            kept where a stands at start + 0, then where c stands at start + 2
 */
#include "common/base/mem.h"
#include "searcher/prune.h"

/* Positions for one start from which on it is quicker to look it up than to read them all. */
enum { LOOK_UP = 2 };

/* Positions of the lead are the first starts. */
static uint32_t first_starts(prune_phrases *all, const position_reader *r,
                             const position_place *place, uint32_t offset)
{
    match_scratch *m = &all->scratch;
    uint32_t kept = 0;
    if (!mem_grow(&m->starts, &m->starts_cap, all->n_starts + place->tf, sizeof *m->starts)) {
        m->no_memory = true;
        return 0;
    }
    uint32_t *starts = m->starts + all->n_starts;
    if (!position_read(r, place, starts)) return 0;
    for (uint32_t i = 0; i < place->tf; i++) {
        uint32_t position = starts[i];
        starts[kept] = position - offset;
        kept += position >= offset;
    }
    return kept;
}

static uint32_t next_starts(prune_phrases *all, const position_reader *r,
                            const position_place *place, uint32_t offset,
                            const prune_meeting *meeting)
{
    match_scratch *m = &all->scratch;
    uint32_t *starts = m->starts + meeting->start, kept = 0;
    if (place->tf > LOOK_UP * meeting->n) {
        for (uint32_t i = 0; i < meeting->n; i++) {
            uint32_t start = starts[i];
            starts[kept] = start;
            kept += position_has(r, place, start + offset);
        }
        return kept;
    }
    if (!mem_grow(&m->positions, &m->positions_cap, place->tf, sizeof *m->positions)) {
        m->no_memory = true;
        return 0;
    }
    if (!position_read(r, place, m->positions)) return 0;
    return phrase_keep_starts(starts, meeting->n, offset, m->positions, place->tf);
}

/* Ask part `i` of the phrase in the documents that are left; the number of those that stay. */
static uint32_t meet_part(prune_state *s, prune_phrase *f, uint32_t i, uint32_t n,
                          const uint32_t *row)
{
    prune_phrases *all = &s->phrases;
    position_reader *r = &f->readers[i];
    uint32_t kept = 0, offset = f->m.parts[i].offset;
    for (uint32_t k = 0; k < n; k++) s->ranks[k] = row[all->meetings[k].at];
    positions_find(r, all->finding, s->ranks, all->meeting_docs, n, all->places);
    for (uint32_t k = 0; k < n; k++) {
        prune_meeting one = all->meetings[k];
        const position_place *place = &all->places[k];
        if (!place->tf) continue;
        if (i == 0) {
            one.start = all->n_starts;
            one.n = first_starts(all, r, place, offset);
            all->n_starts += one.n;
        } else {
            one.n = next_starts(all, r, place, offset, &one);
        }
        all->meetings[kept] = one;
        all->meeting_docs[kept] = all->meeting_docs[k];
        kept += one.n != 0;
    }
    return kept;
}

void prune_phrase_tfs(prune_state *s, prune_phrase *f, const uint32_t *docs, uint32_t n,
                      const uint32_t *ranks, size_t row, uint32_t *tfs)
{
    prune_phrases *all = &s->phrases;
    if (f->near) {
        for (uint32_t i = 0; i < n; i++) tfs[i] = prune_phrase_tf(s, f, docs[i]);
        return;
    }
    all->n_starts = 0;
    for (uint32_t i = 0; i < n; i++) {
        tfs[i] = 0;
        all->meetings[i].at = i;
        all->meeting_docs[i] = docs[i];
    }
    uint32_t left = n;
    for (uint32_t i = 0; i < f->n_parts && left; i++)
        left = meet_part(s, f, i, left, ranks + (size_t)(f->lists[i] - all->lists) * row);
    for (uint32_t i = 0; i < left; i++) tfs[all->meetings[i].at] = all->meetings[i].n;
}
