/* SPDX-License-Identifier: MIT
 *
 * snippet.h - the part of an article's body that shows best why it matched, as clean text
 * with the matched words' spans.
 *
 * The stored text is analysed again and every token compared by its index term, so stems,
 * joined and split forms are found exactly as the index found them.  Words of a phrase or NEAR
 * count only where it stands, acronyms only in capitals when the body has them so.
 *
 * The text given out is valid UTF-8; white space runs are one space; control and bidi
 * characters are left out; "…" stands where the body was cut.
 */
#ifndef PM_SEARCHER_SNIPPET_H
#define PM_SEARCHER_SNIPPET_H

#include "searcher/plan.h"

typedef struct snippet_match {
    uint32_t start, end; /* bytes of the body                                        */
    uint32_t position;
    uint32_t key; /* of the plan                                              */
    bool marked, shown;
} snippet_match;

/* Words of the query in a row that are highlighted together: one word, or a phrase. */
typedef struct snippet_unit {
    const uint32_t *keys;
    uint32_t n;
    uint32_t next; /* unit with the same first key, UINT32_MAX at the end      */
    bool wants_mark;
} snippet_unit;

/* Buffers kept over queries; valid when zeroed. */
typedef struct snippeter {
    const plan *p;
    size_t aim;
    snippet_unit *units;
    uint32_t *first_unit; /* by key                                                   */
    uint32_t *counts;     /* by key                                                   */
    bool *mark_seen;      /* by key                                                   */
    uint32_t *needs;      /* by key: of the NEAR at hand                              */
    const plan_matcher **nears;
    size_t n_units, units_cap, first_cap, counts_cap, seen_cap;
    size_t n_nears, nears_cap, needs_cap;
    struct form_key {
        uint64_t serial;
        uint32_t key;
    } * form_keys; /* by form id           */
    size_t forms_cap;
    uint64_t serial; /* of the query and the form table                          */
    uint32_t *table; /* term hash to key + 1                                     */
    size_t table_size, table_cap;
    snippet_match *matches;
    size_t n_matches, matches_cap;
    pm_highlight *highlights;
    size_t highlights_cap;
    buf body, out;
} snippeter;

/* Prepare for one query. */
pm_status snippet_begin(snippeter *s, const plan *p, unsigned aim_bytes, pm_error *err);
/* The analyzer forgot its forms. */
void snippet_forget_forms(snippeter *s);
/* Results live in the arena. */
pm_status snippet_make(snippeter *s, analyzer *words, arena *a, const pm_article *article,
                       pm_hit *out, pm_error *err);
void snippet_free(snippeter *s);

/* snippet_cut.c: choose and render the window; matches that are shown come in order. */
pm_status snippet_cut(snippeter *s, arena *a, const char *body, size_t len, pm_hit *out,
                      pm_error *err);

#endif
