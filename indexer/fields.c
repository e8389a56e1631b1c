/* SPDX-License-Identifier: MIT
 * fields.c - see fields.h.
 */
#include "indexer/fields.h"

#include <stdio.h>
#include <stdlib.h>

const field_rule field_rules[FIELD_RULES] = {
    {offsetof(pm_article, id), " ", {"id", "_id", "docno", "url"}, {NULL}, false},
    {offsetof(pm_article, title), "\n", {"title"}, {"title"}, false},
    {offsetof(pm_article, text), "\n", {"text", "body", "contents", "content"}, {NULL}, false},
    {offsetof(pm_article, date), " ", {"date"}, {"date"}, false},
    {offsetof(pm_article, url), " ", {"url"}, {"url", "permalink"}, false},
    {offsetof(pm_article, source), ", ", {"source"}, {"source"}, false},
    {offsetof(pm_article, author), ", ", {"author"}, {"author", "authors"}, false},
    {offsetof(pm_article, tags), "\x1f", {"tags"}, {"tags", "categories", "topics"}, true},
    {offsetof(pm_article, lang), " ", {"lang"}, {"lang"}, false},
};

static const char *const *rule_keys(const field_rule *rule, fields_kind kind)
{
    return kind == FIELDS_JSONL ? rule->jsonl : rule->front;
}

/* ---- values as text ------------------------------------------------------------------------ */

/* The decimal of fewest digits (of 15 to 17) that reads back as the same number; returns them. */
static int real_text(char out[40], double value)
{
    for (int digits = 15; digits < 17; digits++) {
        snprintf(out, 40, "%.*g", digits, value);
        if (strtod(out, NULL) == value) return digits;
    }
    snprintf(out, 40, "%.17g", value);
    return 17;
}

/* A scalar as text; false for null, lists and objects. */
static bool scalar_text(document *d, const json_t *value, pm_text *out, bool *refused)
{
    char number[40] = "";
    switch (json_typeof(value)) {
    case JSON_STRING:
        *out = (pm_text){json_string_value(value), json_string_length(value)};
        return true;
    case JSON_INTEGER:
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        real_text(number, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        *out = text_of(json_is_true(value) ? "true" : "false");
        return true;
    default:
        return false;
    }
    const char *copy = arena_strndup(&d->mem, number, strlen(number));
    *refused |= !copy;
    *out = copy ? text_of(copy) : (pm_text){NULL, 0};
    return true;
}

/* An element of a list: a scalar, or the name of an object such as {"name": "A. Writer"}. */
static bool element_text(document *d, const json_t *value, pm_text *out, bool *refused)
{
    const json_t *name = json_is_object(value) ? json_object_get(value, "name") : NULL;
    return scalar_text(d, name ? name : value, out, refused);
}

static pm_text list_text(document *d, const json_t *list, const char *separator, bool *refused)
{
    buf joined = {0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        pm_text part;
        if (!element_text(d, json_array_get(list, i), &part, refused) || !part.len) continue;
        if (joined.len) buf_append_str(&joined, separator);
        buf_append(&joined, part.data, part.len);
    }
    const char *copy =
        joined.failed ? NULL : arena_strndup(&d->mem, (const char *)joined.data, joined.len);
    pm_text out = {copy, copy ? joined.len : 0};
    *refused |= !copy;
    buf_free(&joined);
    return out;
}

static pm_text value_text(document *d, const json_t *value, const char *separator, bool *refused)
{
    pm_text out = {NULL, 0};
    if (json_is_array(value)) return list_text(d, value, separator, refused);
    return element_text(d, value, &out, refused) ? out : (pm_text){NULL, 0};
}

/* ---- the rest ------------------------------------------------------------------------------- */

static int append_extra(const char *data, size_t len, void *ctx)
{
    buf *out = ctx;
    buf_append(out, data, len);
    return out->failed ? -1 : 0;
}

/* Most digits that a real number in `value` needs; 0 without one.  Depth is bounded by the
 * readers of JSON and YAML. */
static int digits_needed(json_t *value)
{
    int most = 0;
    const char *key;
    size_t i;
    json_t *inner;
    char number[40];
    if (json_is_real(value)) return real_text(number, json_real_value(value));
    if (json_is_array(value)) {
        json_array_foreach(value, i, inner)
        {
            int digits = digits_needed(inner);
            if (digits > most) most = digits;
        }
    } else if (json_is_object(value)) {
        json_object_foreach(value, key, inner)
        {
            int digits = digits_needed(inner);
            if (digits > most) most = digits;
        }
    }
    return most;
}

static bool is_empty(const json_t *value)
{
    return json_is_null(value) || (json_is_string(value) && !json_string_length(value)) ||
           (json_is_array(value) && !json_array_size(value));
}

static bool is_among(const char *const *keys, const char *key)
{
    for (; *keys; keys++)
        if (strcmp(*keys, key) == 0) return true;
    return false;
}

/* Whether `key` fed a field, or would have fed one if it were not empty. */
static bool key_is_done(const char *used[FIELD_RULES][FIELD_KEYS_MAX], fields_kind kind,
                        const char *key, const json_t *value)
{
    for (size_t i = 0; i < FIELD_RULES; i++) {
        if (is_among(used[i], key)) return true;
        if (is_empty(value) && is_among(rule_keys(&field_rules[i], kind), key)) return true;
    }
    return false;
}

pm_status fields_dump(json_t *object, buf *out, pm_error *err)
{
    size_t flags = JSON_COMPACT | (size_t)JSON_REAL_PRECISION(digits_needed(object));
    return json_dump_callback(object, append_extra, out, flags) == 0 ? PM_OK : error_nomem(err);
}

/* {"key":value,...} of all keys but the used ones; nothing when none is left. */
static pm_status take_extra(document *d, json_t *object, fields_kind kind,
                            const char *used[FIELD_RULES][FIELD_KEYS_MAX], pm_error *err)
{
    pm_status st = PM_OK;
    json_t *rest = json_object(), *value;
    const char *key;
    if (!rest) PM_TRY(error_nomem(err));
    json_object_foreach(object, key, value)
    {
        if (key_is_done(used, kind, key, value)) continue;
        if (json_object_set_nocheck(rest, key, value) != 0) PM_TRY(error_nomem(err));
    }
    if (!json_object_size(rest)) goto out;
    PM_TRY(fields_dump(rest, &d->extra, err));
    d->article.extra = text_of_buf(&d->extra);
out:
    json_decref(rest);
    return st;
}

pm_text fields_join(document *d, pm_text a, const char *separator, pm_text b, bool *refused)
{
    if (!a.len || !b.len) return a.len ? a : b;
    size_t between = strlen(separator), len = a.len + between + b.len;
    char *joined = arena_alloc(&d->mem, len);
    if (!joined) {
        *refused = true;
        return a;
    }
    memcpy(joined, a.data, a.len);
    memcpy(joined + a.len, separator, between);
    memcpy(joined + a.len + between, b.data, b.len);
    return (pm_text){joined, len};
}

/* The value of one field; marks its keys as used. */
static pm_text take_field(document *d, json_t *object, const field_rule *rule,
                          const char *const *keys, const char *used[FIELD_KEYS_MAX], bool *refused)
{
    pm_text taken = {NULL, 0};
    for (size_t n = 0; *keys && (rule->all || !taken.len); keys++) {
        const json_t *value = json_object_get(object, *keys);
        if (!value) continue;
        pm_text text = value_text(d, value, rule->separator, refused);
        if (!text.len) continue;
        taken = fields_join(d, taken, rule->separator, text, refused);
        used[n++] = *keys;
    }
    return taken;
}

pm_status fields_take(document *d, json_t *object, fields_kind kind, pm_error *err)
{
    const char *used[FIELD_RULES][FIELD_KEYS_MAX] = {{NULL}};
    bool refused = false;
    for (size_t i = 0; i < FIELD_RULES; i++) {
        pm_text text = take_field(d, object, &field_rules[i], rule_keys(&field_rules[i], kind),
                                  used[i], &refused);
        memcpy((char *)&d->article + field_rules[i].offset, &text, sizeof text);
    }
    if (refused) return error_nomem(err);
    return take_extra(d, object, kind, used, err);
}
