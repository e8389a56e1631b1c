/* SPDX-License-Identifier: MIT
 *
 * emit_article.c - see emit_article.h.
 */
#include "common/cli/emit_article.h"

#include <string.h>

#include "common/base/bytes.h"
#include "common/base/json.h"
#include "common/cli/emit.h"
#include "common/cli/sanitize.h"

enum { TAG_SEPARATOR = 0x1f };

static void put_field(buf *out, const char *name, pm_text value)
{
    if (!value.len) return;
    buf_append_str(out, name);
    sanitize_append(out, value.data, value.len, SAFE_LINE);
    buf_u8(out, '\n');
}

static void put_tags(buf *out, pm_text tags)
{
    if (!tags.len) return;
    buf_append_str(out, "tags: ");
    for (size_t from = 0; from <= tags.len;) {
        const char *p = tags.data + from;
        const char *stop = memchr(p, TAG_SEPARATOR, tags.len - from);
        size_t n = stop ? (size_t)(stop - p) : tags.len - from;
        if (from) buf_append_str(out, ", ");
        sanitize_append(out, p, n, SAFE_LINE);
        from += n + 1;
    }
    buf_u8(out, '\n');
}

static bool is_blank(const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != ' ' && data[i] != '\n' && data[i] != '\r' && data[i] != '\t') return false;
    }
    return true;
}

/* The text without the title that stands at its beginning and was printed already. */
static pm_text body_of(const pm_article *a)
{
    pm_text body = a->text;
    bool leads = a->title_in_body && a->title_start <= a->title_end && a->title_end <= body.len &&
                 is_blank(body.data, a->title_start);
    if (leads) body = (pm_text){body.data + a->title_end, body.len - a->title_end};
    while (body.len && is_blank(body.data, 1)) {
        body.data++;
        body.len--;
    }
    while (body.len && is_blank(body.data + body.len - 1, 1)) body.len--;
    return body;
}

void emit_article_text(const pm_article *a)
{
    buf out = {0};
    put_field(&out, "", a->title);
    put_field(&out, "id: ", a->id);
    put_field(&out, "date: ", a->date);
    put_field(&out, "source: ", a->source);
    put_field(&out, "author: ", a->author);
    put_field(&out, "url: ", a->url);
    put_tags(&out, a->tags);
    pm_text body = body_of(a);
    if (body.len) {
        buf_u8(&out, '\n');
        sanitize_append(&out, body.data, body.len, SAFE_LINES);
        buf_u8(&out, '\n');
    }
    if (out.failed)
        emit_refused();
    else
        emit_data((const char *)out.data, out.len);
    buf_free(&out);
}

static json_t *text(pm_text t)
{
    return emit_json_text(t.data, t.len);
}

static void set_field(json_t **o, const char *key, pm_text value)
{
    if (value.len) emit_json_set(o, key, text(value));
}

static json_t *tags_json(pm_text tags)
{
    json_t *list = json_array();
    for (size_t from = 0; list && from <= tags.len;) {
        const char *p = tags.data + from;
        const char *stop = memchr(p, TAG_SEPARATOR, tags.len - from);
        size_t n = stop ? (size_t)(stop - p) : tags.len - from;
        json_t *tag = emit_json_text(p, n);
        if (!tag || json_array_append_new(list, tag) != 0) {
            json_decref(list);
            list = NULL;
        }
        from += n + 1;
    }
    return list;
}

/* Further keys of the article, those that are no field of it. */
static void set_extra(json_t **o, pm_text extra)
{
    const char *key;
    json_t *value;
    bool refused = false;
    json_t *object = extra.len ? json_read(extra.data, extra.len, NULL, &refused) : NULL;
    if (refused) emit_json_set(o, "", NULL);
    if (json_is_object(object)) {
        json_object_foreach(object, key, value)
        {
            if (*o && !json_object_get(*o, key)) emit_json_set(o, key, json_incref(value));
        }
    }
    json_decref(object);
}

json_t *emit_article_json(const pm_article *a)
{
    json_t *o = json_object();
    emit_json_set(&o, "id", text(a->id));
    emit_json_set(&o, "title", text(a->title));
    emit_json_set(&o, "text", text(a->text));
    emit_json_set(&o, "date", a->date.len ? text(a->date) : json_null());
    set_field(&o, "url", a->url);
    set_field(&o, "source", a->source);
    set_field(&o, "author", a->author);
    if (a->tags.len) emit_json_set(&o, "tags", tags_json(a->tags));
    set_field(&o, "lang", a->lang);
    set_extra(&o, a->extra);
    return o;
}
