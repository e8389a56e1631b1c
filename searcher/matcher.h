/* SPDX-License-Identifier: MIT
 *
 * matcher.h - a plan's matcher at work in one segment: which documents it matches, and how
 * often.
 *
 * A *driver* is walked with matcher_next; any matcher is asked at rising documents with
 * matcher_has.  Phrases look at positions only where all their words meet.  No status in
 * the loops: damage ends a cursor and marks the segment; a refusal of memory is kept in the
 * scratch and asked for once, at the end.
 */
#ifndef PM_SEARCHER_MATCHER_H
#define PM_SEARCHER_MATCHER_H

#include "searcher/phrase_parts.h"

typedef struct position_event {
    uint32_t position, word;
} position_event;

/* Positions of the document at hand; grows to the longest list met.  Valid when zeroed. */
typedef struct match_scratch {
    uint32_t *positions, *starts;
    position_event *events;
    size_t positions_cap, starts_cap, events_cap;
    bool no_memory;
} match_scratch;
void match_scratch_free(match_scratch *s);

typedef struct matcher {
    const plan_matcher *plan;
    segment *seg;
    match_scratch *scratch;
    cursor *words;      /* of the parts; for titles as many again where plan->titles     */
    phrase_part *parts; /* NULL: the words as the plan names them                        */
    uint32_t n_parts;
    bool empty; /* some word is not in this segment                              */
    bool begun;
    uint32_t doc;    /* driver: current document; else the document last asked        */
    uint32_t tf;     /* there; 0: no match                                            */
    uint32_t lead;   /* the rarest part                                               */
    split_list list; /* MATCH_DOCS: of this segment                                   */
    uint32_t at;     /* there: documents passed, the current one included; MATCH_FILTER:
                        the next document to look at, below `end`                     */
    uint32_t end;
} matcher;

/* Cursors come from the arena; they are reused when the same matcher is opened for another
 * segment. */
pm_status matcher_init(matcher *m, const plan *p, uint32_t index, match_scratch *scratch,
                       pm_error *err);
void matcher_open(matcher *m, const plan *p, uint32_t segment_index);
/* The next document that matches, CURSOR_END at the end. */
uint32_t matcher_next(matcher *m);
/* Does it match doc?  doc never falls, and is never beyond a driver's current document. */
bool matcher_has(matcher *m, uint32_t doc);
/* Occurrences in doc, 0 when it does not match. */
uint32_t matcher_tf(matcher *m, uint32_t doc);

/* phrase.c: occurrences at the document where all cursors stand. */
uint32_t phrase_count(matcher *m, uint32_t doc);
uint32_t near_count(matcher *m, uint32_t doc);

#endif
