/* SPDX-License-Identifier: MIT
 * json_scan.c - see json_scan.h.
 *
 * A string is looked through eight bytes at a time for what ends or breaks it: a quote, a
 * backslash, a control character.  Whether it is UTF-8 is asked once, of the whole, and only
 * when a byte above 127 was seen.  Nesting is a stack of bits, so depth costs no recursion.
 */
#include "indexer/json_scan.h"

#include "common/text/analyzer.h"

#define BYTES_01 UINT64_C(0x0101010101010101)
#define BYTES_80 UINT64_C(0x8080808080808080)

enum {
    REAL_PLAIN_LEN = 128
}; /* a number of fewer bytes, with an exponent of two digits, is finite */

/* What was noticed on the way. */
typedef struct scan {
    const char *end;
    bool escaped, nul; /* of the last string                                              */
    bool odd;          /* a number that may overflow                                      */
} scan;

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) p++;
    return p;
}

/* ---- strings ------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The code unit of the four digits at p, or -1. */
static int hex_unit(const char *p, const char *end)
{
    int unit = 0;
    if (end - p < 4) return -1;
    for (unsigned i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* The character of \uXXXX (p behind the u), with its second half; -1 when it is none.  *used
 * is what follows the u. */
static int32_t unicode_escape(const char *p, const char *end, size_t *used)
{
    int unit = hex_unit(p, end);
    *used = 4;
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    if (unit > 0xdbff || end - p < 10 || p[4] != '\\' || p[5] != 'u') return -1;
    int low = hex_unit(p + 6, end);
    if (low < 0xdc00 || low > 0xdfff) return -1;
    *used = 10;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

/* The character of a one-letter escape, or 0. */
static char letter_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* Behind the escape whose backslash is at p; NULL when it is none. */
static const char *scan_escape(scan *s, const char *p)
{
    size_t used;
    s->escaped = true;
    if (s->end - p < 2) return NULL;
    if (letter_escape(p[1])) return p + 2;
    if (p[1] != 'u') return NULL;
    int32_t c = unicode_escape(p + 2, s->end, &used);
    if (c < 0) return NULL;
    s->nul |= c == 0;
    return p + 2 + used;
}

/* A bit in the top of the first byte that is a quote, a backslash or a control character (and
 * perhaps of later ones). */
static inline uint64_t find_special(uint64_t word)
{
    uint64_t quote = word ^ (BYTES_01 * '"'), slash = word ^ (BYTES_01 * '\\');
    uint64_t found = ((quote - BYTES_01) & ~quote) | ((slash - BYTES_01) & ~slash) |
                     ((word - BYTES_01 * 0x20) & ~word);
    return found & BYTES_80;
}

/* The first byte from p on that find_special looks for; NULL when there is none. */
static inline const char *next_special(const char *p, const char *end, uint64_t *high)
{
    for (; end - p >= 8; p += 8) {
        uint64_t word = load_u64(p), found = find_special(word);
        *high |= word;
        if (found) return p + (__builtin_ctzll(found) >> 3);
    }
    for (; p < end; p++) {
        *high |= (uint8_t)*p;
        if (*p == '"' || *p == '\\' || (uint8_t)*p < 0x20) return p;
    }
    return NULL;
}

/* The closing quote of the string that begins at p; NULL when it is not one. */
static const char *scan_string(scan *s, const char *p)
{
    const char *begin = p;
    uint64_t high = 0;
    s->escaped = s->nul = false;
    for (;;) {
        p = next_special(p, s->end, &high);
        if (!p || (uint8_t)*p < 0x20) return NULL;
        if (*p == '"') break;
        p = scan_escape(s, p);
        if (!p) return NULL;
    }
    size_t len = (size_t)(p - begin);
    if ((high & BYTES_80) && utf8_valid_prefix(begin, len) != len) return NULL;
    return p;
}

/* ---- numbers and names --------------------------------------------------------------------- */

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

static const char *skip_digits(const char *p, const char *end)
{
    while (is_digit(p, end)) p++;
    return p;
}

bool json_scan_fits(const char *digits, size_t n, bool negative)
{
    if (n != 19) return n < 19;
    return memcmp(digits, negative ? "9223372036854775808" : "9223372036854775807", 19) <= 0;
}

/* Behind the number at p; NULL when it is none, or an integer of more than 64 bits. */
static const char *scan_number(scan *s, const char *p, json_kind *kind)
{
    const char *begin = p, *end = s->end, *digits = p + (*p == '-');
    *kind = JSON_KIND_INTEGER;
    if (!is_digit(digits, end)) return NULL;
    p = *digits == '0' ? digits + 1 : skip_digits(digits, end);
    const char *integer_end = p;
    size_t exponent = 0;
    if (p < end && *p == '.') {
        *kind = JSON_KIND_REAL;
        if (!is_digit(++p, end)) return NULL;
        p = skip_digits(p, end);
    }
    if (p < end && (*p | 32) == 'e') {
        *kind = JSON_KIND_REAL;
        if (++p < end && (*p == '+' || *p == '-')) p++;
        if (!is_digit(p, end)) return NULL;
        const char *power = p;
        p = skip_digits(p, end);
        exponent = (size_t)(p - power);
    }
    if (*kind == JSON_KIND_INTEGER)
        return json_scan_fits(digits, (size_t)(integer_end - digits), *begin == '-') ? p : NULL;
    s->odd |= exponent > 2 || p - begin >= REAL_PLAIN_LEN;
    return p;
}

static const char *scan_name(const scan *s, const char *p, const char *name)
{
    size_t len = strlen(name);
    return (size_t)(s->end - p) >= len && memcmp(p, name, len) == 0 ? p + len : NULL;
}

/* ---- values -------------------------------------------------------------------------------- */

/* A value that holds no others; behind it, or NULL. */
static const char *scan_scalar(scan *s, const char *p, json_part *out)
{
    const char *after;
    out->at = p;
    out->escaped = false;
    if (*p == '"') {
        const char *close = scan_string(s, p + 1);
        if (!close) return NULL;
        *out = (json_part){p + 1, (size_t)(close - p - 1), JSON_KIND_STRING, s->escaped};
        return close + 1;
    }
    if (*p == '-' || (*p >= '0' && *p <= '9')) {
        after = scan_number(s, p, &out->kind);
    } else if (*p == 't') {
        out->kind = JSON_KIND_TRUE;
        after = scan_name(s, p, "true");
    } else if (*p == 'f') {
        out->kind = JSON_KIND_FALSE;
        after = scan_name(s, p, "false");
    } else {
        out->kind = JSON_KIND_NULL;
        after = scan_name(s, p, "null");
    }
    if (after) out->len = (size_t)(after - p);
    return after;
}

/* A key and its colon, to the value behind them; NULL when there is none. */
static const char *scan_key(scan *s, const char *p, json_part *out)
{
    if (p == s->end || *p != '"') return NULL;
    p = scan_scalar(s, p, out);
    if (!p || s->nul) return NULL;
    p = skip_space(p, s->end);
    return p < s->end && *p == ':' ? skip_space(p + 1, s->end) : NULL;
}

/* Containers around the value at hand; bit depth - 1 tells an object. */
typedef struct nesting {
    uint64_t objects;
    unsigned depth;
} nesting;

static bool in_object(const nesting *n)
{
    return n->objects >> (n->depth - 1) & 1;
}

/* Step into the container at p, up to its first value; *empty when it has none (then p is its
 * bracket).  NULL when it is too deep or broken. */
static const char *enter(scan *s, nesting *n, const char *p, bool *empty)
{
    json_part key;
    bool object = *p == '{';
    if (n->depth == JSON_SCAN_DEPTH_MAX - 1) return NULL;
    n->objects = (n->objects & ~(UINT64_C(1) << n->depth)) | (uint64_t)object << n->depth;
    n->depth++;
    p = skip_space(p + 1, s->end);
    *empty = p < s->end && *p == (object ? '}' : ']');
    return object && !*empty ? scan_key(s, p, &key) : p;
}

/* From behind a value to the next one; steps out of what ends.  NULL when broken; at depth 0
 * the place behind the outermost container. */
static const char *leave(scan *s, nesting *n, const char *p)
{
    json_part key;
    while (n->depth) {
        p = skip_space(p, s->end);
        if (p == s->end) return NULL;
        if (*p == ',') {
            p = skip_space(p + 1, s->end);
            return in_object(n) ? scan_key(s, p, &key) : p;
        }
        if (*p != (in_object(n) ? '}' : ']')) return NULL;
        n->depth--;
        p++;
    }
    return p;
}

/* Behind the list or object at p, below the line's own object; NULL when it is none. */
static const char *scan_container(scan *s, const char *p)
{
    nesting n = {0, 0};
    json_part part;
    do {
        bool empty = false;
        if (!p || p == s->end) return NULL;
        if (*p == '{' || *p == '[')
            p = enter(s, &n, p, &empty);
        else if (!(p = scan_scalar(s, p, &part)) || !(p = leave(s, &n, p)))
            return NULL;
        if (empty) p = leave(s, &n, p);
    } while (n.depth || !p);
    return p;
}

static const char *scan_value(scan *s, const char *p, json_part *out)
{
    if (p == s->end) return NULL;
    if (*p != '{' && *p != '[') return scan_scalar(s, p, out);
    *out = (json_part){p, 0, *p == '{' ? JSON_KIND_OBJECT : JSON_KIND_LIST, false};
    p = scan_container(s, p);
    if (p) out->len = (size_t)(p - out->at);
    return p;
}

json_verdict json_scan(json_object_scan *out, const char *line, size_t len)
{
    scan s = {.end = line + len};
    const char *p = skip_space(line, s.end);
    out->n = 0;
    if (p == s.end || *p != '{') return JSON_REFUSED;
    p = skip_space(p + 1, s.end);
    bool more = p < s.end && *p != '}';
    while (more) {
        if (out->n == JSON_SCAN_MEMBERS_MAX) return JSON_LEFT;
        json_member *m = &out->members[out->n++];
        p = scan_key(&s, p, &m->key);
        if (p) p = scan_value(&s, p, &m->value);
        if (!p) return JSON_REFUSED;
        p = skip_space(p, s.end);
        more = p < s.end && *p == ',';
        if (more) p = skip_space(p + 1, s.end);
    }
    if (p == s.end || *p != '}' || skip_space(p + 1, s.end) != s.end) return JSON_REFUSED;
    return s.odd ? JSON_LEFT : JSON_SCANNED;
}

bool json_scan_element(const json_part *list, size_t *at, json_part *out)
{
    scan s = {.end = list->at + list->len};
    const char *p = skip_space(list->at + (*at ? *at : 1), s.end);
    if (p < s.end && *p == ',') p = skip_space(p + 1, s.end);
    if (p == s.end || *p == ']') return false;
    p = scan_value(&s, p, out);
    if (!p) return false;
    *at = (size_t)(p - list->at);
    return true;
}

/* ---- decoding ------------------------------------------------------------------------------ */

void json_scan_decode(buf *out, const json_part *string)
{
    const char *p = string->at, *end = p + string->len;
    if (!buf_reserve(out, string->len)) return;
    char *to = (char *)out->data + out->len;
    while (p < end) {
        const char *slash = string->escaped ? memchr(p, '\\', (size_t)(end - p)) : NULL;
        size_t plain = (size_t)((slash ? slash : end) - p);
        memcpy(to, p, plain);
        to += plain;
        p += plain;
        if (!slash) break;
        if (p[1] == 'u') {
            size_t used;
            to += utf8_put(to, (uint32_t)unicode_escape(p + 2, end, &used));
            p += 2 + used;
        } else {
            *to++ = letter_escape(p[1]);
            p += 2;
        }
    }
    out->len = (size_t)((uint8_t *)to - out->data);
}
