/* SPDX-License-Identifier: MIT
 *
 * cmd_bench_queries.c - the query files of bench: lines in, queries with their tags out.
 *
 * A line that begins with '{' is JSON, {"query": .., "tags": [..]}; any other line is a query
 * as it stands.  A query without tags has the class "plain".
 */
#include "searcher/cmd_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cli/emit.h"
#include "common/cli/stream.h"

/* Room for one more element; false when memory is short. */
static bool grow(void *list, size_t *cap, size_t n, size_t size)
{
    if (n < *cap) return true;
    size_t more = *cap ? *cap * 2 : 64;
    void *old, *grown;
    memcpy(&old, list, sizeof old);
    grown = realloc(old, more * size);
    if (!grown) return false;
    memcpy(list, &grown, sizeof grown);
    *cap = more;
    return true;
}

/* The number of a tag, new or known; SIZE_MAX when memory is short. */
static size_t tag_number(bench_queries *q, const char *name)
{
    for (size_t i = 0; i < q->n_tags; i++)
        if (strcmp(q->tags[i], name) == 0) return i;
    size_t cap = q->tags_cap;
    if (!grow(&q->tags, &cap, q->n_tags, sizeof *q->tags)) return SIZE_MAX;
    if (!grow(&q->first, &q->tags_cap, q->n_tags, sizeof *q->first)) return SIZE_MAX;
    char *copy = strdup(name);
    if (!copy) return SIZE_MAX;
    q->first[q->n_tags] = false;
    q->tags[q->n_tags] = copy;
    return q->n_tags++;
}

static bool add_tag(bench_queries *q, bench_query *query, const char *name)
{
    if (query->n_tags == BENCH_TAGS_MAX) return true;
    size_t tag = tag_number(q, name);
    if (tag == SIZE_MAX) return false;
    if (query->n_tags == 0) q->first[tag] = true;
    query->tags[query->n_tags++] = tag;
    return true;
}

static bool add_query(bench_queries *q, const char *text, size_t len, const json_t *tags)
{
    if (!grow(&q->list, &q->cap, q->n, sizeof *q->list)) return false;
    bench_query *query = &q->list[q->n];
    *query = (bench_query){.text = malloc(len + 1), .len = len};
    if (!query->text) return false;
    q->n++;
    memcpy(query->text, text, len);
    query->text[len] = '\0';
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *name = json_string_value(json_array_get(tags, i));
        if (name && !add_tag(q, query, name)) return false;
    }
    return query->n_tags > 0 || add_tag(q, query, "plain");
}

/* "" or what is wrong with the line; NULL when memory is short. */
static const char *take_json(bench_queries *q, const char *line, size_t len)
{
    bool refused;
    json_t *object = stream_json(line, len, &refused);
    if (refused) return NULL;
    const json_t *text = json_object_get(object, "query");
    const char *problem = "";
    if (!object)
        problem = "not a JSON object";
    else if (!json_is_string(text))
        problem = "no \"query\"";
    else if (!add_query(q, json_string_value(text), json_string_length(text),
                        json_object_get(object, "tags")))
        problem = NULL;
    json_decref(object);
    return problem;
}

static const char *take_line(bench_queries *q, const char *line, size_t len)
{
    if (len == 0) return "";
    if (*line == '{') return take_json(q, line, len);
    const char *tab = memchr(line, '\t', len);
    const char *text = tab ? tab + 1 : line;
    return add_query(q, text, len - (size_t)(text - line), NULL) ? "" : NULL;
}

typedef struct query_reader {
    bench_queries *queries;
    const char *path;
    unsigned long line;
} query_reader;

static pm_status read_line(void *ctx, const char *line, size_t len, pm_error *err)
{
    query_reader *r = ctx;
    r->line++;
    const char *problem = take_line(r->queries, line, len);
    if (problem && !*problem) return PM_OK;
    *err = (pm_error){.status = problem ? PM_USAGE : PM_NOMEM};
    if (problem)
        snprintf(err->message, sizeof err->message, "%.200s: line %lu: %s", r->path, r->line,
                 problem);
    return err->status;
}

int bench_queries_read(bench_queries *queries, const char *path)
{
    pm_error err = {.status = PM_OK};
    query_reader r = {queries, path, 0};
    if (stream_each_line(path, read_line, &r, &err) != PM_OK) return emit_error(&err);
    if (queries->n == 0) return emit_usage("%.200s: there is no query in it", path);
    return EXIT_OK;
}

void bench_queries_free(bench_queries *queries)
{
    for (size_t i = 0; i < queries->n; i++) free(queries->list[i].text);
    for (size_t i = 0; i < queries->n_tags; i++) free(queries->tags[i]);
    free(queries->list);
    free(queries->tags);
    free(queries->first);
    *queries = (bench_queries){0};
}
