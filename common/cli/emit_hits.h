/* SPDX-License-Identifier: MIT
 *
 * emit_hits.h - a result of a search in each of the formats.
 *
 * Takes a pm_result, prints it.  json, jsonl and tsv give scores with 17 significant
 * digits, trec as single precision that strictly decreases.
 */
#ifndef PM_CLI_EMIT_HITS_H
#define PM_CLI_EMIT_HITS_H

#include <jansson.h>

#include "pressmark.h"

/* How text is shown. */
typedef struct text_style {
    bool color, snippets, explain;
    bool terminal;  /* say where the articles with all words end                         */
    unsigned width; /* columns to wrap snippets at; 0: one line each                     */
} text_style;

void emit_hits_text(const pm_result *result, const text_style *style);
/* The object of `search --json`. */
json_t *emit_hits_json(const pm_result *result, bool explain);
/* One hit, as in "hits" of the object above. */
json_t *emit_hit_json(const pm_hit *hit, bool explain);
/* {"value":N,"relation":"eq","all":N} */
json_t *emit_total_json(const pm_result *result);
/* One id a line; with `null` its bytes as they are, ended by a NUL byte, unless on a terminal. */
void emit_hits_ids(const pm_result *result, bool null);
/* rank, id, score, title; before them the query's id unless it is empty. */
void emit_hits_tsv(const pm_result *result, pm_text qid);
/* qid Q0 id rank score tag; blanks within a field as %20. */
void emit_hits_trec(const pm_result *result, pm_text qid, const char *tag);

#endif
