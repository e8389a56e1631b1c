/* SPDX-License-Identifier: MIT
 *
 * cmd_bench.h - what the bench commands share: query files, command names, opening an index.
 */
#ifndef PM_SEARCHER_CMD_BENCH_H
#define PM_SEARCHER_CMD_BENCH_H

#include "pressmark.h"

/* ---- queries -------------------------------------------------------------------------- */

enum { BENCH_TAGS_MAX = 8 }; /* of one query; further ones are left out                    */

typedef struct bench_query {
    char *text;
    size_t len;
    size_t tags[BENCH_TAGS_MAX]; /* into bench_queries.tags; [0] is the class              */
    size_t n_tags;               /* at least 1                                             */
} bench_query;

typedef struct bench_queries {
    bench_query *list;
    size_t n, cap;
    char **tags; /* distinct, in order of first appearance                                 */
    bool *first; /* whether the tag is some query's first                                  */
    size_t n_tags, tags_cap;
} bench_queries;

/* Read a file of {"query": .., "tags": [..]} lines or plain lines (a line's text up to a tab
 * is an identifier and left out), "-" for standard input.  Gives an exit code, having said
 * what is wrong; the queries are owned either way. */
int bench_queries_read(bench_queries *queries, const char *path);
void bench_queries_free(bench_queries *queries);

/* ---- commands of the search-benchmark-game -------------------------------------------- */

/* TOP_<k>, COUNT or TOP_<k>_COUNT as search options: number and score of each hit, as other
 * engines are measured, no ids, no fields; no joined forms, any word.  False when the name
 * (len bytes) is none of these. */
bool bench_command(const char *name, size_t len, pm_search_options *out);

/* ---- opening -------------------------------------------------------------------------- */

/* Open the index and a searcher on it; gives an exit code. */
int bench_open(const char *given, pm_index **index, pm_searcher **searcher);

#endif
