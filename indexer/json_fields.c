/* SPDX-License-Identifier: MIT
 * json_fields.c - see json_fields.h.
 *
 * Room for all texts is reserved before the first is decoded, so that they may point into the
 * buffer; decoding never lengthens.  Of keys met twice the last value counts, at the place of
 * the first.  Numbers are kept as they are spelled.  What is kept in `extra` is written here when
 * it is a plain value, else read again and written by the library.
 */
#include "indexer/json_fields.h"

#include "indexer/fields.h"
#include "indexer/json_line.h"

#include <stdio.h>

typedef struct take {
    document *d;
    const json_object_scan *object;
    pm_text keys[JSON_SCAN_MEMBERS_MAX];  /* decoded                                      */
    pm_text texts[JSON_SCAN_MEMBERS_MAX]; /* of values, once asked for                    */
    bool known[JSON_SCAN_MEMBERS_MAX];    /* texts[i] is set                              */
    bool shadowed[JSON_SCAN_MEMBERS_MAX]; /* an earlier member has this key               */
    bool used[JSON_SCAN_MEMBERS_MAX];     /* fed a field                                  */
    uint8_t last[JSON_SCAN_MEMBERS_MAX];  /* the member whose value counts                */
    bool left, refused;
} take;

static bool same_text(pm_text a, pm_text b)
{
    return a.len == b.len && (!a.len || memcmp(a.data, b.data, a.len) == 0);
}

static pm_text decode_text(document *d, const json_part *part)
{
    size_t at = d->text.len;
    json_scan_decode(&d->text, part);
    return (pm_text){(const char *)d->text.data + at, d->text.len - at};
}

/* What decoding a value takes at most.  The separators of a list are at most two bytes, its
 * elements are at least one byte and a comma. */
static size_t room_of(const json_part *value)
{
    return value->kind == JSON_KIND_LIST ? 2 * value->len : value->len;
}

static bool prepare(take *t)
{
    size_t room = 1, n = t->object->n;
    for (size_t i = 0; i < n; i++)
        room += t->object->members[i].key.len + room_of(&t->object->members[i].value);
    if (!buf_reserve(&t->d->text, room)) return false;
    for (size_t i = 0; i < n; i++) {
        const json_part *key = &t->object->members[i].key;
        t->keys[i] = key->escaped ? decode_text(t->d, key) : (pm_text){key->at, key->len};
        t->last[i] = (uint8_t)i;
        for (size_t k = 0; k < i; k++) {
            if (!same_text(t->keys[k], t->keys[i])) continue;
            t->last[k] = (uint8_t)i;
            t->shadowed[i] = true;
        }
    }
    return true;
}

/* ---- fields -------------------------------------------------------------------------------- */

/* The first member with this key; n when there is none. */
static size_t find_key(const take *t, const char *name)
{
    pm_text key = text_of(name);
    size_t i = 0;
    while (i < t->object->n && !same_text(t->keys[i], key)) i++;
    return i;
}

/* A scalar as text; nothing for null and lists. */
static pm_text scalar_text(take *t, const json_part *value)
{
    switch (value->kind) {
    case JSON_KIND_STRING:
        return decode_text(t->d, value);
    case JSON_KIND_TRUE:
        return text_of("true");
    case JSON_KIND_FALSE:
        return text_of("false");
    case JSON_KIND_INTEGER:
    case JSON_KIND_REAL:
        return decode_text(t->d, value); /* as it is spelled */
    case JSON_KIND_OBJECT:
        t->left = true;
        return (pm_text){NULL, 0};
    default:
        return (pm_text){NULL, 0};
    }
}

/* The elements that have a text, each decoded behind the one before and a separator. */
static pm_text list_text(take *t, const json_part *list, const char *separator)
{
    buf *text = &t->d->text;
    size_t from = text->len, at = 0;
    json_part element;
    while (json_scan_element(list, &at, &element)) {
        size_t before = text->len;
        if (before > from) buf_append_str(text, separator);
        size_t start = text->len;
        pm_text part = scalar_text(t, &element);
        if (part.len && text->len == start) buf_append(text, part.data, part.len);
        if (!part.len) text->len = before;
    }
    if (!strcmp(separator, FIELDS_AUTHORS))
        fields_punctuate((char *)text->data + from, text->len - from);
    return (pm_text){(const char *)text->data + from, text->len - from};
}

/* Fields that share a key share its separator too. */
static pm_text value_text(take *t, size_t member, const char *separator)
{
    const json_part *value = &t->object->members[member].value;
    if (!t->known[member])
        t->texts[member] =
            value->kind == JSON_KIND_LIST ? list_text(t, value, separator) : scalar_text(t, value);
    t->known[member] = true;
    return t->texts[member];
}

static pm_text take_field(take *t, const field_rule *rule)
{
    pm_text taken = {NULL, 0};
    for (const char *const *key = rule->jsonl; *key && (rule->all || !taken.len); key++) {
        size_t i = find_key(t, *key);
        if (i == t->object->n) continue;
        pm_text text = value_text(t, t->last[i], rule->separator);
        if (!text.len) continue;
        taken = fields_join(t->d, taken, rule->separator, text, &t->refused);
        t->used[i] = true;
    }
    return taken;
}

/* ---- the rest ------------------------------------------------------------------------------ */

static bool is_empty(const json_part *value)
{
    json_part element;
    size_t at = 0;
    if (value->kind == JSON_KIND_LIST) return !json_scan_element(value, &at, &element);
    return value->kind == JSON_KIND_NULL || (value->kind == JSON_KIND_STRING && !value->len);
}

static bool is_field_key(pm_text key)
{
    for (size_t i = 0; i < FIELD_RULES; i++)
        for (const char *const *name = field_rules[i].jsonl; *name; name++)
            if (same_text(text_of(*name), key)) return true;
    return false;
}

static bool is_extra(const take *t, size_t i)
{
    if (t->shadowed[i] || t->used[i]) return false;
    return !is_empty(&t->object->members[t->last[i]].value) || !is_field_key(t->keys[i]);
}

static bool is_plain(const json_part *value)
{
    return value->kind <= JSON_KIND_STRING;
}

/* A string as the library writes it: escapes only where JSON demands them. */
static void put_string(buf *out, pm_text text)
{
    buf_u8(out, '"');
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";
        uint8_t c = (uint8_t)text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        char escape[8];
        const char *letter = c ? strchr(letters, c) : NULL;
        if (letter)
            snprintf(escape, sizeof escape, "\\%c", letter[1]);
        else
            snprintf(escape, sizeof escape, "\\u%04X", c);
        buf_append(out, text.data + from, i - from);
        buf_append_str(out, escape);
        from = i + 1;
    }
    buf_append(out, text.data + from, text.len - from);
    buf_u8(out, '"');
}

static void put_value(take *t, buf *out, const json_part *value)
{
    size_t before = t->d->text.len;
    if (value->kind == JSON_KIND_STRING && value->escaped) {
        put_string(out, decode_text(t->d, value));
        t->d->text.len = before;
    } else if (value->kind == JSON_KIND_STRING) {
        buf_append(out, value->at - 1, value->len + 2);
    } else {
        buf_append(out, value->at, value->len);
    }
}

static void put_members(take *t, buf *out)
{
    for (size_t i = 0; i < t->object->n; i++) {
        if (!is_extra(t, i)) continue;
        buf_u8(out, out->len ? ',' : '{');
        put_string(out, t->keys[i]);
        buf_u8(out, ':');
        put_value(t, out, &t->object->members[t->last[i]].value);
    }
    if (out->len) buf_u8(out, '}');
}

/* The same object as the library writes it. */
static pm_status respell(buf *out, pm_error *err)
{
    pm_status st = PM_OK;
    buf raw = *out;
    *out = (buf){0};
    buf numbers = {0};
    json_t *object = NULL;
    PM_TRY(json_line_read_valid((const char *)raw.data, raw.len, &object, &numbers, err));
    PM_TRY(fields_dump(object, &numbers, out, err));
out:
    json_decref(object);
    buf_free(&numbers);
    buf_free(&raw);
    return st;
}

static pm_status take_extra(take *t, pm_error *err)
{
    pm_status st = PM_OK;
    buf *out = &t->d->extra;
    bool plain = true;
    put_members(t, out);
    for (size_t i = 0; i < t->object->n; i++)
        if (is_extra(t, i)) plain &= is_plain(&t->object->members[t->last[i]].value);
    if (out->failed) PM_TRY(error_nomem(err));
    if (!plain) PM_TRY(respell(out, err));
    if (out->len) t->d->article.extra = text_of_buf(out);
out:
    return st;
}

pm_status json_fields_take(document *d, const json_object_scan *object, bool *left, pm_error *err)
{
    take t = {.d = d, .object = object};
    if (!prepare(&t)) return error_nomem(err);
    for (size_t i = 0; i < FIELD_RULES && !t.left; i++) {
        pm_text text = take_field(&t, &field_rules[i]);
        memcpy((char *)&d->article + field_rules[i].offset, &text, sizeof text);
    }
    if (t.refused || d->text.failed) return error_nomem(err);
    *left = t.left;
    return t.left ? PM_OK : take_extra(&t, err);
}
