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
#include "common/base/sort.h"
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

/* JSON text with its numbers in quotes, so that each stays as it is spelled. */
static void quote_numbers(buf *out, const char *text, size_t len)
{
    bool in_string = false;
    for (size_t at = 0, from = 0; at <= len; at++) {
        char c = at < len ? text[at] : '0', next = at + 1 < len ? text[at + 1] : '\0';
        bool begins = (c >= '0' && c <= '9') || (c == '-' && next >= '0' && next <= '9');
        if (in_string && c == '\\') {
            at++;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (at == len || (!in_string && begins)) {
            buf_append(out, text + from, at - from);
            if (at == len) return;
            for (from = at; at < len && strchr("+-.0123456789eE", text[at]) && text[at];) at++;
            buf_u8(out, '"');
            buf_append(out, text + from, at - from);
            buf_u8(out, '"');
            from = at--;
        }
    }
}

static json_t *read_spelled(pm_text line, json_error_t *why, bool *refused)
{
    buf quoted = {0};
    json_t *object = NULL;
    quote_numbers(&quoted, line.data, line.len);
    *refused = quoted.failed;
    if (!*refused) object = json_read((const char *)quoted.data, quoted.len, why, refused);
    buf_free(&quoted);
    return object;
}

/* The first key that gives an id; an empty string is none, as in the other forms. */
static const char *qid_key(const json_t *object)
{
    static const char *const keys[] = {"qid", "id", "_id"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const json_t *id = json_object_get(object, keys[i]);
        if (json_string_length(id) || json_is_number(id) || json_is_boolean(id)) return keys[i];
    }
    return NULL;
}

static pm_status not_json(const char *path, size_t number, const json_error_t *why, pm_error *err)
{
    return error_set(err, PM_USAGE, "%s:%zu: not JSON that can be read: %s", path, number,
                     why->text);
}

static pm_status json_qid(query_list *list, const char *path, const json_t *object, pm_text line,
                          size_t number, pm_text *qid, pm_error *err)
{
    const char *key = qid_key(object);
    if (!key) return keep_number(list, (long long)number, qid, err);
    const json_t *id = json_object_get(object, key);
    if (json_is_boolean(id))
        return keep(list, json_is_true(id) ? "true" : "false", json_is_true(id) ? 4 : 5, qid, err);
    if (json_is_string(id))
        return keep(list, json_string_value(id), json_string_length(id), qid, err);
    bool refused;
    json_error_t why;
    json_t *spelled = read_spelled(line, &why, &refused);
    /* jansson passes over a NUL behind a number, but not behind a string. */
    if (!spelled) return refused ? error_nomem(err) : not_json(path, number, &why, err);
    id = json_object_get(spelled, key);
    pm_status st = keep(list, json_string_value(id), json_string_length(id), qid, err);
    json_decref(spelled);
    return st;
}

static pm_status add_json(query_list *list, const char *path, size_t number, pm_text line,
                          pm_error *err)
{
    pm_status st = PM_OK;
    json_error_t why;
    pm_text qid, text;
    bool refused;
    json_t *object = json_read(line.data, line.len, &why, &refused);
    if (!object && !refused && json_error_code(&why) == json_error_numeric_overflow)
        object = read_spelled(line, &why, &refused);
    if (refused) return error_nomem(err);
    const json_t *query = json_object_get(object, "query");
    if (!query) query = json_object_get(object, "text");
    if (!json_is_string(query)) {
        st = object
                 ? error_set(err, PM_USAGE, "%s:%zu: not a JSON object with \"query\" or \"text\"",
                             path, number)
                 : not_json(path, number, &why, err);
        goto out;
    }
    PM_TRY(json_qid(list, path, object, line, number, &qid, err));
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
    pm_text topics = {(const char *)text->data, text->len};
    if (topics_begin(&topics)) return topics_parse(list, path, topics, topic_fields, err);
    size_t at = 0;
    while (at < text->len && strchr(" \t\r\n", text->data[at]) && text->data[at]) at++;
    char first = at < text->len ? (char)text->data[at] : '\0';
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

/* By length first: all that matters is that equal ones stand side by side. */
static int by_qid(const void *a, const void *b)
{
    const pm_text *x = a, *y = b;
    if (x->len != y->len) return x->len < y->len ? -1 : 1;
    return x->len ? memcmp(x->data, y->data, x->len) : 0;
}

pm_status queries_repeated(const query_list *list, size_t *n, pm_text *example, pm_error *err)
{
    *n = 0;
    if (list->n < 2) return PM_OK;
    pm_text *ids = mem_array(list->n, sizeof *ids);
    if (!ids) return error_nomem(err);
    for (size_t i = 0; i < list->n; i++) ids[i] = list->items[i].qid;
    sort_items(ids, list->n, sizeof *ids, by_qid);
    for (size_t i = 1; i < list->n; i++) {
        bool again = by_qid(&ids[i - 1], &ids[i]) == 0;
        bool before = i > 1 && by_qid(&ids[i - 2], &ids[i - 1]) == 0;
        if (!again || before) continue;
        *example = ids[i];
        ++*n;
    }
    mem_free(ids);
    return PM_OK;
}

void queries_free(query_list *list)
{
    mem_free(list->items);
    buf_free(&list->text);
    arena_free(&list->arena);
    *list = (query_list){0};
}
