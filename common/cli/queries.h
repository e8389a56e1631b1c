/* SPDX-License-Identifier: MIT
 *
 * queries.h - a file of queries, in whichever of its forms, as a list of (qid, query).
 *
 * Forms, told apart by content: JSON Lines (the first character is '{'), TREC topics (the first
 * line that is neither blank nor a # comment begins with a tag, and there is a <top> or a
 * <topic number="...">), else lines: `qid<TAB>query` or only the query, its number in the file
 * being the qid.  Empty lines are passed over.  In JSON the qid is the first of "qid", "id", "_id"
 * that is a string with something in it, a number, as it is spelled, or true or false; else the
 * line's number.
 */
#ifndef PM_CLI_QUERIES_H
#define PM_CLI_QUERIES_H

#include "common/base/bytes.h"
#include "common/base/mem.h"
#include "pressmark.h"

enum { TOPIC_TITLE = 1, TOPIC_DESC = 2, TOPIC_NARR = 4 };

typedef struct query_list {
    pm_batch_query *items; /* pointing into text and arena                                */
    size_t n, cap;
    buf text;
    arena arena;
} query_list;

/* Valid when zeroed.  PM_USAGE with file and line for what is no query. */
pm_status queries_read(query_list *list, const char *path, unsigned topic_fields, pm_error *err);
/* Queries already in list->text. */
pm_status queries_parse(query_list *list, const char *path, unsigned topic_fields, pm_error *err);
/* The qids that are met more than once: how many, and one of them. */
pm_status queries_repeated(const query_list *list, size_t *n, pm_text *example, pm_error *err);
void queries_free(query_list *list);

/* Topic fields: names joined by commas ("title,desc"); 0 when one is unknown. */
unsigned queries_topic_fields(const char *names);

/* Used by the forms: append one query; its bytes live as long as the list. */
pm_status queries_add(query_list *list, pm_text qid, pm_text query, pm_error *err);
/* Is *text TREC topics?  Then without the blank lines and # comments before them (topics.c). */
bool topics_begin(pm_text *text);
pm_status topics_parse(query_list *list, const char *path, pm_text text, unsigned topic_fields,
                       pm_error *err);

#endif
