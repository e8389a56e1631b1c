/* SPDX-License-Identifier: MIT
 * json_line.c - see json_line.h.  JSON (RFC 8259) by jansson; what is done here is one scan
 * for depth, when a parse fails one mended copy of the line and a second parse, and at last a
 * parse of a copy whose numbers say where their spellings are.
 */
#include "indexer/json_line.h"

#include "common/base/json.h"
#include "common/base/number.h"
#include "common/text/analyzer.h"
#include "indexer/json_scan.h"

#include <math.h>
#include <stdio.h>

enum {
    MARK_BYTES = 100,   /* of jansson's tree, for a comma, a colon or an open bracket          */
    NUMBER_BYTES = 400, /* a longer one that is no integer is not looked at, but kept as text   */
};

/* What stands outside strings. */
typedef struct json_shape {
    unsigned deepest; /* nesting of brackets                                               */
    size_t marks;     /* commas, colons and open brackets                                   */
} json_shape;

static json_shape shape_of(const char *line, size_t len)
{
    json_shape shape = {0};
    unsigned depth = 0;
    bool string = false;
    for (size_t i = 0; i < len; i++) {
        char c = line[i];
        if (string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                string = false;
        } else if (c == '"') {
            string = true;
        } else if (c == '{' || c == '[') {
            shape.marks++;
            if (++depth > shape.deepest) shape.deepest = depth;
        } else if (c == ',' || c == ':') {
            shape.marks++;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return shape;
}

bool json_line_fits(const char *line, size_t len, size_t most)
{
    return len <= most / MARK_BYTES || shape_of(line, len).marks <= most / MARK_BYTES;
}

/* The code unit of a \u escape at line[at], or -1. */
static int escape_at(const char *line, size_t len, size_t at)
{
    int unit = 0;
    if (len - at < 6 || line[at] != '\\' || line[at + 1] != 'u') return -1;
    for (size_t i = at + 2; i < at + 6; i++) {
        char c = line[i];
        int digit = c >= '0' && c <= '9'                 ? c - '0'
                    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                         : -1;
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* Copy the escape at line[at]; a surrogate without its partner becomes U+FFFD.  Returns the
 * bytes used. */
static size_t mend_escape(buf *out, const char *line, size_t len, size_t at, uint64_t *repaired)
{
    int unit = escape_at(line, len, at);
    size_t used = unit < 0 ? 2 : 6;
    if (len - at < used) used = len - at;
    if (unit >= 0xd800 && unit < 0xdc00) {
        int low = escape_at(line, len, at + 6);
        if (low >= 0xdc00 && low < 0xe000) used = 12;
    }
    if (unit >= 0xd800 && unit < 0xe000 && used == 6) {
        buf_append_str(out, "\\ufffd");
        (*repaired)++;
    } else {
        buf_append(out, line + at, used);
    }
    return used;
}

/* Where the number at line[at] ends. */
static size_t number_end(const char *line, size_t len, size_t at, bool *integer)
{
    size_t end = at;
    *integer = true;
    while (end < len && (strchr("+-.eE", line[end]) || (line[end] >= '0' && line[end] <= '9')) &&
           line[end]) {
        if (strchr(".eE", line[end])) *integer = false;
        end++;
    }
    return end;
}

static bool starts_number(char c)
{
    return c == '-' || (c >= '0' && c <= '9');
}

static size_t digits_end(const char *text, size_t len, size_t at)
{
    while (at < len && text[at] >= '0' && text[at] <= '9') at++;
    return at;
}

/* Whether text is a number of RFC 8259, section 6. */
static bool is_number(const char *text, size_t len)
{
    size_t at = len && text[0] == '-', end = digits_end(text, len, at);
    if (end == at || (text[at] == '0' && end > at + 1)) return false;
    if (end < len && text[end] == '.') {
        at = end + 1;
        end = digits_end(text, len, at);
        if (end == at) return false;
    }
    if (end < len && (text[end] | 32) == 'e') {
        at = end + 1 + (end + 1 < len && (text[end + 1] == '+' || text[end + 1] == '-'));
        end = digits_end(text, len, at);
        if (end == at) return false;
    }
    return end == len;
}

/* What jansson refuses: an integer of more than 64 bits, and more than a double can be. */
static bool is_too_large(const char *text, size_t len, bool integer)
{
    char copy[NUMBER_BYTES];
    if (!is_number(text, len)) return false;
    bool negative = text[0] == '-';
    if (integer) return !json_scan_fits(text + negative, len - negative, negative);
    if (len >= sizeof copy) return true;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return isinf(number_read(copy, NULL));
}

/* Copy the number at line[at], as a string when it is too large to be parsed. */
static size_t mend_number(buf *out, const char *line, size_t len, size_t at)
{
    bool integer;
    size_t end = number_end(line, len, at, &integer);
    bool quote = is_too_large(line + at, end - at, integer);
    if (quote) buf_u8(out, '"');
    buf_append(out, line + at, end - at);
    if (quote) buf_u8(out, '"');
    return end - at;
}

static void mend(buf *out, const char *line, size_t len, uint64_t *repaired)
{
    bool string = false;
    for (size_t at = 0; at < len;) {
        char c = line[at];
        if (string && c == '\\') {
            at += mend_escape(out, line, len, at, repaired);
        } else if (!string && starts_number(c)) {
            at += mend_number(out, line, len, at);
        } else {
            if (c == '"') string = !string;
            buf_u8(out, (uint8_t)c);
            at++;
        }
    }
}

/* A second try on a copy: valid UTF-8, whole surrogates, no number too large. */
static json_t *parse_mended(const char *line, size_t len, buf *mended, uint64_t *repaired,
                            json_error_t *error, bool *refused)
{
    buf valid = {0};
    json_t *out = NULL;
    uint64_t repairs = utf8_repair(&valid, line, len);
    if (!valid.failed) mend(mended, (const char *)valid.data, valid.len, &repairs);
    *refused = valid.failed || mended->failed;
    if (!*refused) out = json_read((const char *)mended->data, mended->len, error, refused);
    if (out) *repaired += repairs;
    buf_free(&valid);
    return out;
}

/* Copy valid JSON, each number replaced by the place of its spelling in *numbers. */
static void place_numbers(buf *out, buf *numbers, const char *text, size_t len)
{
    bool string = false, integer;
    char place[24];
    for (size_t at = 0, from = 0; at <= len; at++) {
        char c = at < len ? text[at] : '\0';
        if (string && c == '\\') {
            at++;
        } else if (c == '"') {
            string = !string;
        } else if (at == len || (!string && starts_number(c))) {
            buf_append(out, text + from, at - from);
            if (at == len) return;
            size_t end = number_end(text, len, at, &integer);
            snprintf(place, sizeof place, "%zu", numbers->len);
            buf_append_str(out, place);
            buf_append(numbers, text + at, end - at);
            buf_u8(numbers, 0);
            from = end;
            at = end - 1;
        }
    }
}

pm_status json_line_read_valid(const char *text, size_t len, json_t **out, buf *numbers,
                               pm_error *err)
{
    buf placed = {0};
    json_error_t error;
    bool refused;
    *out = NULL;
    place_numbers(&placed, numbers, text, len);
    if (!placed.failed && !numbers->failed)
        *out = json_read((const char *)placed.data, placed.len, &error, &refused);
    buf_free(&placed);
    return *out ? PM_OK : error_nomem(err);
}

pm_status json_line_parse(const char *line, size_t len, json_t **out, buf *numbers,
                          uint64_t *repaired, char reason[JSON_LINE_REASON_MAX], pm_error *err)
{
    json_error_t error;
    bool refused = false;
    buf mended = {0};
    pm_status st = PM_OK;
    *out = NULL;
    if (shape_of(line, len).deepest > JSON_LINE_MAX_DEPTH) {
        snprintf(reason, JSON_LINE_REASON_MAX, "JSON nested deeper than %d",
                 (int)JSON_LINE_MAX_DEPTH);
        return PM_OK;
    }
    json_t *value = json_read(line, len, &error, &refused);
    if (!value && !refused) value = parse_mended(line, len, &mended, repaired, &error, &refused);
    if (refused)
        st = error_nomem(err);
    else if (!value)
        snprintf(reason, JSON_LINE_REASON_MAX, "not JSON: %.120s, near byte %d", error.text,
                 error.position);
    else if (!json_is_object(value))
        snprintf(reason, JSON_LINE_REASON_MAX, "not a JSON object");
    bool good = json_is_object(value);
    json_decref(value); /* before there is another one                                     */
    if (good && mended.len)
        st = json_line_read_valid((const char *)mended.data, mended.len, out, numbers, err);
    else if (good)
        st = json_line_read_valid(line, len, out, numbers, err);
    buf_free(&mended);
    return st;
}

bool json_line_sniff(const char *data, size_t len, bool whole)
{
    size_t at = 0;
    while (at < len && strchr(" \t\r\n", data[at]) && data[at]) at++;
    if (at == len || data[at] != '{') return false;
    const char *newline = memchr(data + at, '\n', len - at);
    if (!newline && !whole) return at + 1 < len; /* a line longer than the look: believed */
    size_t n = newline ? (size_t)(newline - data) - at : len - at;
    uint64_t repaired = 0;
    char reason[JSON_LINE_REASON_MAX];
    json_t *object;
    buf numbers = {0};
    json_line_parse(data + at, n, &object, &numbers, &repaired, reason, NULL);
    bool found = object != NULL;
    json_decref(object);
    buf_free(&numbers);
    return found;
}
