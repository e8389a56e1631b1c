/* SPDX-License-Identifier: MIT
 * front_matter.c - see front_matter.h.  YAML events by libyaml.
 *
 * The values under construction are a stack of open lists and objects: an event either adds
 * to the one on top, opens a new one, or closes it.
 */
#include "indexer/front_matter.h"

#include "common/base/bytes.h"

#include <string.h>
#include <yaml.h>

/* ---- the block -------------------------------------------------------------------------- */

/* Length of the line at `at` without its end, and where the next one starts. */
static size_t line_at(const char *text, size_t len, size_t at, size_t *next)
{
    size_t end = at;
    while (end < len && text[end] != '\n' && text[end] != '\r') end++;
    *next = end;
    if (*next < len) *next += text[end] == '\r' && end + 1 < len && text[end + 1] == '\n' ? 2 : 1;
    return end - at;
}

/* "---" and nothing but blanks behind it. */
static bool is_fence(const char *line, size_t len, const char *fence)
{
    if (len < 3 || memcmp(line, fence, 3) != 0) return false;
    for (size_t i = 3; i < len; i++)
        if (line[i] != ' ' && line[i] != '\t') return false;
    return true;
}

bool front_matter_find(const char *text, size_t len, front_matter_span *out)
{
    size_t at, next, n = line_at(text, len, 0, &at);
    if (!is_fence(text, n, "---")) return false;
    out->start = at;
    for (; at < len && at - out->start <= FRONT_MATTER_MAX_BYTES; at = next) {
        n = line_at(text, len, at, &next);
        if (!is_fence(text + at, n, "---") && !is_fence(text + at, n, "...")) continue;
        out->end = at;
        out->body = next;
        return true;
    }
    return false;
}

/* ---- YAML ---------------------------------------------------------------------------------- */

typedef struct builder {
    json_t *open[FRONT_MATTER_MAX_DEPTH]; /* borrowed, but the first: owned              */
    json_t *key[FRONT_MATTER_MAX_DEPTH];  /* of each open object: the key read, or NULL   */
    unsigned depth;
    bool refused, unfit; /* memory short; not what we take for front matter              */
} builder;

/* Add an owned value to the innermost open list or object. */
static void builder_add(builder *b, json_t *value)
{
    int failed = 0;
    if (!value) {
        b->refused = true;
        return;
    }
    json_t *top = b->open[b->depth - 1], **key = &b->key[b->depth - 1];
    if (json_is_array(top)) {
        failed = json_array_append(top, value);
    } else if (*key) {
        failed = json_object_set_nocheck(top, json_string_value(*key), value);
        json_decref(*key);
        *key = NULL;
    } else if (json_is_string(value) &&
               !memchr(json_string_value(value), 0, json_string_length(value))) {
        *key = json_incref(value);
    } else {
        b->unfit = true; /* a list or object as a key */
    }
    b->refused |= failed != 0;
    json_decref(value);
}

static void builder_begin(builder *b, json_t *value)
{
    if (!value) {
        b->refused = true;
        return;
    }
    if (b->depth == FRONT_MATTER_MAX_DEPTH || (b->depth == 0 && !json_is_object(value))) {
        b->unfit = true;
        json_decref(value);
        return;
    }
    if (b->depth == 0)
        b->open[0] = value;
    else
        builder_add(b, json_incref(value));
    if (b->depth > 0) json_decref(value);
    b->open[b->depth] = value;
    b->key[b->depth++] = NULL;
}

static void builder_scalar(builder *b, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool null =
        plain && (!len || (len == 1 && *text == '~') || (len == 4 && memcmp(text, "null", 4) == 0));
    bool value = b->depth && (json_is_array(b->open[b->depth - 1]) || b->key[b->depth - 1]);
    if (!b->depth || event->data.scalar.anchor || event->data.scalar.tag)
        b->unfit = true;
    else
        builder_add(b, null && value ? json_null() : json_stringn(text, len));
}

static void builder_event(builder *b, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        builder_scalar(b, event);
        break;
    case YAML_MAPPING_START_EVENT:
        if (event->data.mapping_start.anchor || event->data.mapping_start.tag)
            b->unfit = true;
        else
            builder_begin(b, json_object());
        break;
    case YAML_SEQUENCE_START_EVENT:
        if (event->data.sequence_start.anchor || event->data.sequence_start.tag)
            b->unfit = true;
        else
            builder_begin(b, json_array());
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        if (b->depth) b->depth--;
        break;
    case YAML_ALIAS_EVENT:
        b->unfit = true;
        break;
    default:
        break;
    }
}

static void builder_free(builder *b)
{
    for (unsigned i = 0; i < FRONT_MATTER_MAX_DEPTH; i++) json_decref(b->key[i]);
    json_decref(b->open[0]);
}

/* The block as YAML; NULL when it is none that we take. */
static json_t *parse_yaml(const char *block, size_t len, bool *refused)
{
    yaml_parser_t parser;
    builder b = {0};
    bool done = false;
    if (!yaml_parser_initialize(&parser)) {
        *refused = true;
        return NULL;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)block, len);
    while (!done && !b.unfit && !b.refused) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            b.refused = parser.error == YAML_MEMORY_ERROR;
            b.unfit = true;
            break;
        }
        done = event.type == YAML_DOCUMENT_END_EVENT || event.type == YAML_STREAM_END_EVENT;
        builder_event(&b, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    *refused = b.refused;
    json_t *out = b.unfit || b.refused ? NULL : json_incref(b.open[0]);
    builder_free(&b);
    return out;
}

/* ---- line by line --------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(const char **text, size_t *len)
{
    for (; *len && is_blank(**text); (*len)--) (*text)++;
    while (*len && is_blank((*text)[*len - 1])) (*len)--;
}

static void unquote(const char **text, size_t *len)
{
    trim(text, len);
    char quote = *len >= 2 ? **text : 0;
    if ((quote != '"' && quote != '\'') || (*text)[*len - 1] != quote) return;
    (*text)++;
    *len -= 2;
}

static int append_text(json_t *list, const char *text, size_t len)
{
    unquote(&text, &len);
    return len ? json_array_append_new(list, json_stringn(text, len)) : 0;
}

/* "[a, b]" as a list, all else as a string. */
static json_t *line_value(const char *text, size_t len)
{
    trim(&text, &len);
    if (len < 2 || text[0] != '[' || text[len - 1] != ']') {
        unquote(&text, &len);
        return json_stringn(text, len);
    }
    json_t *list = json_array();
    size_t start = 1;
    for (size_t i = 1; i < len && list; i++) {
        if (text[i] != ',' && i != len - 1) continue;
        if (append_text(list, text + start, i - start) != 0) {
            json_decref(list);
            return NULL;
        }
        start = i + 1;
    }
    return list;
}

/* Length of the key when the line is `key: value` or `key:`; else 0. */
static size_t key_len(const char *line, size_t len)
{
    size_t n = 0;
    while (n < len && (line[n] == '_' || line[n] == '-' || (line[n] >= '0' && line[n] <= '9') ||
                       (line[n] >= 'a' && line[n] <= 'z') || (line[n] >= 'A' && line[n] <= 'Z')))
        n++;
    if (n == len || line[n] != ':') return 0;
    return n + 1 == len || is_blank(line[n + 1]) ? n : 0;
}

/* What is read line by line. */
typedef struct line_reader {
    json_t *object, *key; /* key: the last one, or NULL                                       */
    char style;           /* of a text that lines below may go on with: > | or ' '; 0: none   */
    buf text;             /* what they say, with what stands behind the key                   */
} line_reader;

/* Whether a value says that a block of text follows: > or |, and how its ends are kept. */
static bool is_block_sign(const char *text, size_t len)
{
    if (!len || (*text != '>' && *text != '|')) return false;
    for (size_t i = 1; i < len; i++)
        if (text[i] != '+' && text[i] != '-' && !(text[i] >= '0' && text[i] <= '9')) return false;
    return true;
}

/* 0, or -1 when refused. */
static int set_value(line_reader *r, json_t *value)
{
    return json_object_set_new_nocheck(r->object, json_string_value(r->key), value);
}

/* The text that went on below becomes the key's value. */
static int end_text(line_reader *r)
{
    const char *text = (const char *)r->text.data;
    size_t len = r->text.len;
    const bool more = r->style && len;
    if (more && r->style == ' ') unquote(&text, &len);
    r->style = 0;
    if (r->text.failed || (more && set_value(r, json_stringn(text, len)) != 0)) return -1;
    buf_reset(&r->text);
    return 0;
}

static int take_key(line_reader *r, const char *line, size_t n, size_t len)
{
    const char *text = line + n + 1;
    size_t text_len = len - n - 1;
    json_decref(r->key);
    r->key = json_stringn(line, n);
    trim(&text, &text_len);
    json_t *value = is_block_sign(text, text_len) ? json_string("") : line_value(text, text_len);
    if (!r->key || !value) {
        json_decref(value);
        return -1;
    }
    if (json_is_string(value) && text_len) r->style = ' ';
    if (is_block_sign(text, text_len))
        r->style = *text;
    else if (r->style)
        buf_append(&r->text, text, text_len);
    return set_value(r, value);
}

/* A line below a text that it goes on with. */
static void add_line(line_reader *r, const char *line, size_t len)
{
    trim(&line, &len);
    if (!len) return;
    if (r->text.len) buf_u8(&r->text, r->style == '|' ? '\n' : ' ');
    buf_append(&r->text, line, len);
}

static int take_element(line_reader *r, const char *line, size_t len)
{
    json_t *list = json_object_get(r->object, json_string_value(r->key));
    if (!json_is_array(list)) {
        list = json_array();
        if (!list || set_value(r, list) != 0) return -1;
    }
    return append_text(list, line + 1, len - 1);
}

/* One line: a key with its value, "- element" for the last key, or more of its text, which is
 * indented. 0, or -1 when refused. */
static int take_line(line_reader *r, const char *line, size_t len)
{
    size_t n = key_len(line, len);
    if (n) return end_text(r) != 0 ? -1 : take_key(r, line, n, len);
    const bool indented = !len || is_blank(*line), block = r->style == '>' || r->style == '|';
    const char *item = line;
    size_t item_len = len;
    trim(&item, &item_len);
    bool element = item_len >= 2 && item[0] == '-' && is_blank(item[1]);
    if (r->style && indented && (block || !element)) {
        add_line(r, line, len);
        return 0;
    }
    if (!element || !r->key) return 0;
    return end_text(r) != 0 ? -1 : take_element(r, item, item_len);
}

static json_t *parse_lines(const char *block, size_t len, bool *refused)
{
    line_reader r = {.object = json_object()};
    size_t next;
    *refused = !r.object;
    for (size_t at = 0; at < len && !*refused; at = next) {
        size_t n = line_at(block, len, at, &next);
        *refused = take_line(&r, block + at, n) != 0;
    }
    *refused = *refused || end_text(&r) != 0;
    json_decref(r.key);
    buf_free(&r.text);
    if (!*refused) return r.object;
    json_decref(r.object);
    return NULL;
}

pm_status front_matter_parse(const char *block, size_t len, json_t **out, pm_error *err)
{
    bool refused = false;
    *out = parse_yaml(block, len, &refused);
    if (!*out && !refused) *out = parse_lines(block, len, &refused);
    return *out ? PM_OK : error_nomem(err);
}
