/* SPDX-License-Identifier: MIT
 *
 * queries.c - see queries.h.
 */
#include "common/cli/queries.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/number.h"
#include "common/cli/stream.h"

unsigned queries_topic_fields(const char *names)
{
    static const char *const known[] = {"title", "desc", "narr"};
    unsigned fields = 0;
    while (*names) {
        size_t n = strcspn(names, ",");
        unsigned bit = 0;
        for (unsigned i = 0; i < 3; i++) {
            if (strlen(known[i]) == n && memcmp(known[i], names, n) == 0) bit = 1u << i;
        }
        if (!bit) return 0;
        fields |= bit;
        names += n + (names[n] == ',');
    }
    return fields;
}

pm_status queries_add(query_list *list, pm_text qid, pm_text query, pm_error *err)
{
    if (!mem_grow(&list->items, &list->cap, list->n + 1, sizeof(*list->items)))
        return error_nomem(err);
    list->items[list->n++] = (pm_batch_query){qid, query};
    return PM_OK;
}

/* A copy in the list's arena. */
static pm_status keep(query_list *list, const char *data, size_t len, pm_text *out, pm_error *err)
{
    char *copy = arena_strndup(&list->arena, data, len);
    *out = (pm_text){copy, len};
    return copy ? PM_OK : error_nomem(err);
}

static pm_status keep_number(query_list *list, long long number, pm_text *out, pm_error *err)
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%lld", number);
    return keep(list, digits, (size_t)n, out, err);
}

/* ---- lines ---------------------------------------------------------------------------------- */

static pm_status add_line(query_list *list, size_t number, pm_text line, pm_error *err)
{
    pm_status st = PM_OK;
    pm_text qid, query = line;
    const char *tab = memchr(line.data, '\t', line.len);
    if (tab && tab > line.data) {
        qid = (pm_text){line.data, (size_t)(tab - line.data)};
        query = (pm_text){tab + 1, line.len - qid.len - 1};
    } else {
        PM_TRY(keep_number(list, (long long)number, &qid, err));
    }
    PM_TRY(queries_add(list, qid, query, err));
out:
    return st;
}

/* ---- JSON Lines ----------------------------------------------------------------------- */

static const json_t *first_key(const json_t *object, const char *a, const char *b)
{
    const json_t *value = json_object_get(object, a);
    return value ? value : json_object_get(object, b);
}

static pm_status json_qid(query_list *list, const json_t *object, size_t number, pm_text *qid,
                          pm_error *err)
{
    const json_t *id = first_key(object, "qid", "id");
    if (json_string_length(id)) /* an empty one is none, as in the other forms             */
        return keep(list, json_string_value(id), json_string_length(id), qid, err);
    if (json_is_integer(id)) return keep_number(list, json_integer_value(id), qid, err);
    if (json_is_real(id)) {
        char text[NUMBER_SHORTEST_MAX];
        number_shortest(text, json_real_value(id));
        return keep(list, text, strlen(text), qid, err);
    }
    if (json_is_boolean(id))
        return keep(list, json_is_true(id) ? "true" : "false", json_is_true(id) ? 4 : 5, qid, err);
    return keep_number(list, (long long)number, qid, err);
}

static pm_status add_json(query_list *list, const char *path, size_t number, pm_text line,
                          pm_error *err)
{
    pm_status st = PM_OK;
    json_error_t why;
    pm_text qid, text;
    bool refused;
    json_t *object = json_read(line.data, line.len, &why, &refused);
    if (refused) return error_nomem(err);
    const json_t *query = first_key(object, "query", "text");
    if (!json_is_string(query)) {
        st = object
                 ? error_set(err, PM_USAGE, "%s:%zu: not a JSON object with \"query\" or \"text\"",
                             path, number)
                 : error_set(err, PM_USAGE, "%s:%zu: not JSON that can be read: %s", path, number,
                             why.text);
        goto out;
    }
    PM_TRY(json_qid(list, object, number, &qid, err));
    PM_TRY(keep(list, json_string_value(query), json_string_length(query), &text, err));
    PM_TRY(queries_add(list, qid, text, err));
out:
    json_decref(object);
    return st;
}

/* ---- all forms ------------------------------------------------------------------------ */

static bool is_blank_line(pm_text line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (!strchr(" \t\r", line.data[i]) || !line.data[i]) return false;
    }
    return true;
}

static pm_status parse_lines(query_list *list, const char *path, bool json, pm_error *err)
{
    pm_status st = PM_OK;
    const char *p = (const char *)list->text.data, *end = p + list->text.len;
    for (size_t number = 1; p < end; number++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *stop = newline ? newline : end;
        pm_text line = {p, (size_t)(stop - p)};
        if (line.len && line.data[line.len - 1] == '\r') line.len--;
        if (!is_blank_line(line)) {
            PM_TRY(json ? add_json(list, path, number, line, err)
                        : add_line(list, number, line, err));
        }
        p = newline ? newline + 1 : end;
    }
out:
    return st;
}

pm_status queries_parse(query_list *list, const char *path, unsigned topic_fields, pm_error *err)
{
    buf *text = &list->text;
    if (text->len >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0) {
        text->len -= 3;
        memmove(text->data, text->data + 3, text->len);
    }
    size_t at = 0;
    while (at < text->len && strchr(" \t\r\n", text->data[at]) && text->data[at]) at++;
    char first = at < text->len ? (char)text->data[at] : '\0';
    if (first == '<' && memmem(text->data, text->len, "<top>", 5)) {
        return topics_parse(list, path, topic_fields, err);
    }
    return parse_lines(list, path, first == '{', err);
}

pm_status queries_read(query_list *list, const char *path, unsigned topic_fields, pm_error *err)
{
    pm_status st = stream_read_all(path, &list->text, err);
    const uint8_t *mark = list->text.data;
    if (st == PM_OK && list->text.len >= 2 &&
        ((mark[0] == 0xff && mark[1] == 0xfe) || (mark[0] == 0xfe && mark[1] == 0xff)))
        return error_set(err, PM_USAGE, "%s: UTF-16; make it UTF-8: iconv -f UTF-16 -t UTF-8",
                         path);
    return st == PM_OK ? queries_parse(list, path, topic_fields, err) : st;
}

void queries_free(query_list *list)
{
    mem_free(list->items);
    buf_free(&list->text);
    arena_free(&list->arena);
    *list = (query_list){0};
}
