/* SPDX-License-Identifier: MIT
 * fields.c - see fields.h.
 */
#include "indexer/fields.h"

const field_rule field_rules[FIELD_RULES] = {
    {offsetof(pm_article, id), " ", {"id", "_id", "docno", "url"}, {NULL}, false},
    {offsetof(pm_article, title), "\n", {"title"}, {"title"}, false},
    {offsetof(pm_article, text), "\n", {"text", "body", "contents", "content"}, {NULL}, false},
    {offsetof(pm_article, date), " ", {"date"}, {"date"}, false},
    {offsetof(pm_article, url), " ", {"url"}, {"url", "permalink"}, false},
    {offsetof(pm_article, source), ", ", {"source"}, {"source"}, false},
    {offsetof(pm_article, author), FIELDS_AUTHORS, {"author"}, {"author", "authors"}, false},
    {offsetof(pm_article, tags), "\x1f", {"tags"}, {"tags", "categories", "topics"}, true},
    {offsetof(pm_article, lang), " ", {"lang"}, {"lang"}, false},
};

static const char *const *rule_keys(const field_rule *rule, fields_kind kind)
{
    return kind == FIELDS_JSONL ? rule->jsonl : rule->front;
}

/* One object on its way to a document. */
typedef struct take {
    document *d;
    const buf *numbers;
    fields_kind kind;
    const char *used[FIELD_RULES][FIELD_KEYS_MAX]; /* keys that fed a field               */
    bool refused;
} take;

/* ---- values as text ------------------------------------------------------------------------ */

/* How a number was spelled. */
static const char *spelling(const buf *numbers, const json_t *value)
{
    return (const char *)numbers->data + json_integer_value(value);
}

/* A scalar as text; false for null, lists and objects. */
static bool scalar_text(const take *t, const json_t *value, pm_text *out)
{
    if (json_is_string(value))
        *out = (pm_text){json_string_value(value), json_string_length(value)};
    else if (json_is_integer(value))
        *out = text_of(spelling(t->numbers, value));
    else if (json_is_boolean(value))
        *out = text_of(json_is_true(value) ? "true" : "false");
    else
        return false;
    return true;
}

/* An element of a list: a scalar, or the name of an object such as {"name": "A. Writer"}. */
static bool element_text(const take *t, const json_t *value, pm_text *out)
{
    const json_t *name = json_is_object(value) ? json_object_get(value, "name") : NULL;
    return scalar_text(t, name ? name : value, out);
}

void fields_punctuate(char *authors, size_t len)
{
    char mark = len && memchr(authors, ',', len) ? ';' : ',';
    for (size_t i = 0; i < len; i++)
        if (authors[i] == FIELDS_AUTHORS[0]) authors[i] = mark;
}

static pm_text list_text(take *t, const json_t *list, const char *separator)
{
    buf joined = {0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        pm_text part;
        if (!element_text(t, json_array_get(list, i), &part) || !part.len) continue;
        if (joined.len) buf_append_str(&joined, separator);
        buf_append(&joined, part.data, part.len);
    }
    if (!strcmp(separator, FIELDS_AUTHORS)) fields_punctuate((char *)joined.data, joined.len);
    const char *copy =
        joined.failed ? NULL : arena_strndup(&t->d->mem, (const char *)joined.data, joined.len);
    pm_text out = {copy, copy ? joined.len : 0};
    t->refused |= !copy;
    buf_free(&joined);
    return out;
}

static pm_text value_text(take *t, const json_t *value, const char *separator)
{
    pm_text out = {NULL, 0};
    if (json_is_array(value)) return list_text(t, value, separator);
    return element_text(t, value, &out) ? out : (pm_text){NULL, 0};
}

/* ---- the rest ------------------------------------------------------------------------------- */

static int append_extra(const char *data, size_t len, void *ctx)
{
    buf *out = ctx;
    buf_append(out, data, len);
    return out->failed ? -1 : 0;
}

static bool is_empty(const json_t *value)
{
    return json_is_null(value) || (json_is_string(value) && !json_string_length(value)) ||
           (json_is_array(value) && !json_array_size(value));
}

static bool is_among(const char *const *keys, const char *key, bool any_case)
{
    size_t len = strlen(key);
    for (; *keys; keys++) {
        if (strlen(*keys) != len) continue;
        if (any_case ? ascii_same(*keys, key, len) : memcmp(*keys, key, len) == 0) return true;
    }
    return false;
}

/* Whether `key` fed a field, or would have fed one if it were not empty. */
static bool key_is_done(const take *t, const char *key, const json_t *value)
{
    for (size_t i = 0; i < FIELD_RULES; i++) {
        if (is_among(t->used[i], key, false)) return true;
        if (is_empty(value) &&
            is_among(rule_keys(&field_rules[i], t->kind), key, t->kind == FIELDS_FRONT_MATTER))
            return true;
    }
    return false;
}

static bool put_plain(json_t *value, buf *out)
{
    return json_dump_callback(value, append_extra, out, JSON_COMPACT | JSON_ENCODE_ANY) == 0;
}

static bool put_key(const char *key, bool first, buf *out)
{
    json_t *text = json_string_nocheck(key);
    buf_u8(out, first ? '{' : ',');
    bool put = text && put_plain(text, out);
    buf_u8(out, ':');
    json_decref(text);
    return put;
}

/* A value, its numbers as they were spelled; false when memory was refused.  Depth is bounded by
 * the readers of JSON and YAML. */
static bool put_spelled(json_t *value, const buf *numbers, buf *out)
{
    const char *key;
    json_t *inner;
    size_t i, start = out->len;
    bool put = true;
    if (json_is_integer(value)) {
        buf_append_str(out, spelling(numbers, value));
    } else if (json_is_array(value)) {
        buf_u8(out, '[');
        json_array_foreach(value, i, inner)
        {
            if (i) buf_u8(out, ',');
            put = put && put_spelled(inner, numbers, out);
        }
        buf_u8(out, ']');
    } else if (json_object_size(value)) {
        json_object_foreach(value, key, inner)
        {
            put = put && put_key(key, out->len == start, out) && put_spelled(inner, numbers, out);
        }
        buf_u8(out, '}');
    } else {
        put = put_plain(value, out);
    }
    return put && !out->failed;
}

pm_status fields_dump(json_t *object, const buf *numbers, buf *out, pm_error *err)
{
    return put_spelled(object, numbers, out) ? PM_OK : error_nomem(err);
}

/* {"key":value,...} of all keys but the used ones; nothing when none is left. */
static pm_status take_extra(take *t, json_t *object, pm_error *err)
{
    pm_status st = PM_OK;
    document *d = t->d;
    json_t *rest = json_object(), *value;
    const char *key;
    if (!rest) PM_TRY(error_nomem(err));
    json_object_foreach(object, key, value)
    {
        if (key_is_done(t, key, value)) continue;
        if (json_object_set_nocheck(rest, key, value) != 0) PM_TRY(error_nomem(err));
    }
    if (!json_object_size(rest)) goto out;
    PM_TRY(fields_dump(rest, t->numbers, &d->extra, err));
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

/* The value of `key`, spelled that way, or else, in front matter, in other letters of ASCII
 * ("Title"), and *spelled as it stands in the object; NULL without one. */
static json_t *find_value(json_t *object, const char *key, fields_kind kind, const char **spelled)
{
    size_t len = strlen(key);
    const char *other;
    json_t *value = json_object_get(object, key);
    *spelled = key;
    if (value || kind != FIELDS_FRONT_MATTER) return value;
    json_object_foreach(object, other, value)
    {
        *spelled = other;
        if (strlen(other) == len && ascii_same(other, key, len)) return value;
    }
    return NULL;
}

/* The value of one field; marks its keys as used. */
static pm_text take_field(take *t, json_t *object, size_t field)
{
    const field_rule *rule = &field_rules[field];
    const char *const *keys = rule_keys(rule, t->kind);
    pm_text taken = {NULL, 0};
    for (size_t n = 0; *keys && (rule->all || !taken.len); keys++) {
        const char *spelled;
        const json_t *value = find_value(object, *keys, t->kind, &spelled);
        if (!value) continue;
        pm_text text = value_text(t, value, rule->separator);
        if (!text.len) continue;
        taken = fields_join(t->d, taken, rule->separator, text, &t->refused);
        t->used[field][n++] = spelled;
    }
    return taken;
}

pm_status fields_take(document *d, json_t *object, const buf *numbers, fields_kind kind,
                      pm_error *err)
{
    take t = {.d = d, .numbers = numbers, .kind = kind};
    for (size_t i = 0; i < FIELD_RULES; i++) {
        pm_text text = take_field(&t, object, i);
        memcpy((char *)&d->article + field_rules[i].offset, &text, sizeof text);
    }
    if (t.refused) return error_nomem(err);
    return take_extra(&t, object, err);
}
