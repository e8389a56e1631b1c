/* SPDX-License-Identifier: MIT
 *
 * emit_json.c - JSON values built with jansson, printed safe for a terminal.
 *
 * jansson escapes what JSON demands; DEL, C1 and bidirectional controls may only occur
 * within strings, so a filter over its output writes them as \u escapes wherever they stand.
 * jansson hands out whole characters.
 */
#include "common/base/bytes.h"
#include "common/cli/emit.h"
#include "common/cli/sanitize.h"

#include <stdio.h>

typedef struct sink {
    buf *out; /* NULL: standard output */
} sink;

static void sink_write(const sink *s, const char *data, size_t len)
{
    if (s->out)
        buf_append(s->out, data, len);
    else
        emit_data(data, len);
}

static int write_escaped(const char *data, size_t len, void *ctx)
{
    const sink *s = ctx;
    const unsigned char *p = (const unsigned char *)data, *end = p + len, *from = p;
    while (p < end) {
        uint32_t code = 0;
        size_t n = sanitize_decode(p, end, &code);
        if (n == 0) n = 1;
        if (code == 0x7f || sanitize_is_hidden(code)) {
            char escape[8];
            sink_write(s, (const char *)from, (size_t)(p - from));
            sink_write(s, escape, (size_t)snprintf(escape, sizeof(escape), "\\u%04x", code));
            from = p + n;
        }
        p += n;
    }
    sink_write(s, (const char *)from, (size_t)(end - from));
    return 0;
}

static bool dump(json_t *value, sink *s)
{
    size_t flags = JSON_PRESERVE_ORDER | JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17);
    bool ok = value && json_dump_callback(value, write_escaped, s, flags) == 0;
    json_decref(value);
    sink_write(s, "\n", ok ? 1 : 0);
    return ok;
}

void emit_json(json_t *value)
{
    sink s = {NULL};
    if (!dump(value, &s)) emit_refused();
}

bool emit_json_to(json_t *value, buf *out)
{
    sink s = {out};
    return dump(value, &s) && !out->failed;
}

/* Invalid bytes become U+FFFD, everything else stays. */
static json_t *repaired_text(const char *data, size_t len)
{
    buf text = {0};
    const unsigned char *p = (const unsigned char *)data, *end = p + len;
    while (p < end) {
        uint32_t code;
        size_t n = sanitize_decode(p, end, &code);
        if (n)
            buf_append(&text, p, n);
        else
            buf_append_str(&text, "\xef\xbf\xbd");
        p += n ? n : 1;
    }
    json_t *value = text.failed ? NULL : json_stringn((const char *)text.data, text.len);
    buf_free(&text);
    return value;
}

json_t *emit_json_text(const char *data, size_t len)
{
    json_t *value = json_stringn(len ? data : "", len);
    return value ? value : repaired_text(data, len);
}

void emit_json_set(json_t **object, const char *key, json_t *value)
{
    if (*object && value && json_object_set_new_nocheck(*object, key, value) == 0) return;
    if (!*object && value) json_decref(value);
    json_decref(*object);
    *object = NULL;
}
