/* SPDX-License-Identifier: MIT
 * line_kind.c - see line_kind.h.
 */
#include "indexer/line_kind.h"

#include "common/base/bytes.h"

#include <string.h>

enum {
    HEADLINE_MAX_BYTES = 200,  /* longer lines without a full stop are text                  */
    HEADLINE_LONG_BYTES = 100, /* longer lines with a full stop inside are text             */
    CAPTION_MAX_BYTES = 1000
};

/* ---- characters and words ------------------------------------------------------------------- */

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

bool line_is_word(char c)
{
    return is_upper(c) || is_lower(c) || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

size_t line_space_at(const char *text, size_t len, size_t at)
{
    if (at >= len) return 0;
    if (text[at] == ' ' || (text[at] >= '\t' && text[at] <= '\r')) return 1;
    return len - at >= 2 && memcmp(text + at, "\xc2\xa0", 2) == 0 ? 2 : 0;
}

void line_trim(const char *text, size_t *start, size_t *end)
{
    for (size_t n; (n = line_space_at(text, *end, *start)) != 0;) *start += n;
    for (;;) {
        if (*end > *start && line_space_at(text, *end, *end - 1) == 1)
            *end -= 1;
        else if (*end - *start >= 2 && line_space_at(text, *end, *end - 2) == 2)
            *end -= 2;
        else
            break;
    }
}

size_t line_count_words(const char *line, size_t len)
{
    size_t words = 0, space;
    bool inside = false;
    for (size_t at = 0; at < len; at += space ? space : 1) {
        space = line_space_at(line, len, at);
        words += !space && !inside;
        inside = !space;
    }
    return words;
}

static bool starts_with(const char *line, size_t len, const char *what)
{
    size_t n = strlen(what);
    return len >= n && ascii_same(line, what, n);
}

static bool ends_with(const char *line, size_t len, const char *what)
{
    size_t n = strlen(what);
    return len >= n && ascii_same(line + len - n, what, n);
}

static bool contains(const char *line, size_t len, const char *what)
{
    for (size_t at = 0, n = strlen(what); len - at >= n; at++)
        if (ascii_same(line + at, what, n)) return true;
    return false;
}

/* ---- sentences --------------------------------------------------------------------------- */

bool line_is_abbreviation(const char *text, size_t at)
{
    static const char *const known[] = {"mr",  "mrs", "ms",   "dr",   "st",  "jr",  "sr",   "sen",
                                        "rep", "gov", "gen",  "col",  "lt",  "sgt", "capt", "prof",
                                        "rev", "hon", "inc",  "corp", "co",  "ltd", "vs",   "v",
                                        "no",  "etc", "dept", "jan",  "feb", "mar", "apr",  "jun",
                                        "jul", "aug", "sep",  "sept", "oct", "nov", "dec"};
    size_t start = at;
    while (start > 0 && at - start < 8 && line_is_word(text[start - 1])) start--;
    size_t n = at - start;
    if (start > 1 && text[start - 1] == '\'' && line_is_word(text[start - 2])) return false;
    if (n == 1 && (is_upper(text[start]) || is_lower(text[start]))) return true;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (n == strlen(known[i]) && ascii_same(text + start, known[i], n)) return true;
    return false;
}

/* Length of a closing quote or bracket at text[at], or 0. */
static size_t closer_at(const char *text, size_t len, size_t at)
{
    if (at >= len) return 0;
    if (strchr("\"')]*_", text[at]) && text[at]) return 1;
    return len - at >= 3 && (memcmp(text + at, "\xe2\x80\x9d", 3) == 0 ||
                             memcmp(text + at, "\xe2\x80\x99", 3) == 0)
               ? 3
               : 0;
}

/* Length of sentence-closing punctuation at text[at], or 0: . ! ? and those of Chinese and
 * Japanese. */
static size_t stop_at(const char *text, size_t len, size_t at)
{
    if (text[at] == '!' || text[at] == '?') return 1;
    if (text[at] == '.') return line_is_abbreviation(text, at) ? 0 : 1;
    if (len - at < 3) return 0;
    return memcmp(text + at, "\xe3\x80\x82", 3) == 0 || memcmp(text + at, "\xef\xbc\x81", 3) == 0 ||
                   memcmp(text + at, "\xef\xbc\x9f", 3) == 0
               ? 3
               : 0;
}

size_t line_sentence_end(const char *text, size_t len)
{
    for (size_t at = 0; at < len; at++) {
        size_t stop = stop_at(text, len, at), end = at + stop;
        if (!stop) continue;
        while (end < len && stop_at(text, len, end)) end += stop_at(text, len, end);
        for (size_t n; (n = closer_at(text, len, end)) != 0;) end += n;
        if (stop == 3) return end;
        size_t next = end, space;
        while ((space = line_space_at(text, len, next)) != 0) next += space;
        if (next == len || (next > end && !is_lower(text[next]))) return end;
        at = end - 1;
    }
    return len;
}

/* Whether the line closes as running text does. */
static bool closes_like_text(const char *line, size_t len)
{
    while (len && (strchr("\"')]", line[len - 1]) && line[len - 1])) len--;
    while (len >= 3 && (memcmp(line + len - 3, "\xe2\x80\x9d", 3) == 0 ||
                        memcmp(line + len - 3, "\xe2\x80\x99", 3) == 0))
        len -= 3;
    if (!len) return false;
    if (len >= 3 && memcmp(line + len - 3, "\xe3\x80\x82", 3) == 0) return true;
    if (line[len - 1] == ',' || line[len - 1] == ';' || line[len - 1] == ':') return true;
    if (line[len - 1] != '.') return false;
    return !(len >= 2 && line[len - 2] == '.') && !line_is_abbreviation(line, len - 1);
}

/* ---- furniture ---------------------------------------------------------------------------- */

/* A credit in brackets: "(Photo by Some One/Agency)". */
static bool has_bracketed_credit(const char *line, size_t len)
{
    static const char *const words[] = {"photo",       "getty images",    "image:",  "image by",
                                        "courtesy of", "illustration by", "credit:", "picture:"};
    for (size_t at = 0; at < len; at++) {
        if (line[at] != '(' && line[at] != '[') continue;
        size_t end = at;
        while (end < len && line[end] != ')' && line[end] != ']') end++;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (contains(line + at, end - at, words[i])) return true;
        at = end;
    }
    return false;
}

static bool starts_or_ends_with_credit(const char *line, size_t len)
{
    static const char *const first[] = {
        "photo by ",      "photo:",  "photos:",          "photos by ",
        "photo credit",   "image:",  "image credit",     "image by ",
        "photograph by ", "credit:", "illustration by ", "picture:"};
    static const char *const last[] = {
        "/getty images", "via getty images", "/reuters", "/afp",
        "/ap",           "via ap",           "ap photo", "via reuters"};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        if (starts_with(line, len, first[i])) return true;
    for (size_t i = 0; i < sizeof last / sizeof *last; i++)
        if (ends_with(line, len, last[i])) return true;
    return false;
}

/* Two or three capitalised words and nothing else. */
static bool is_name(const char *text, size_t len)
{
    size_t words = line_count_words(text, len), space;
    bool begins = true;
    if (words < 2 || words > 3) return false;
    for (size_t at = 0; at < len; at += space ? space : 1) {
        space = line_space_at(text, len, at);
        if (!space && begins && !is_upper(text[at]) && (unsigned char)text[at] < 0x80) return false;
        if (!space && !line_is_word(text[at]) && !strchr("-'.", text[at])) return false;
        begins = space;
    }
    return line_is_word(text[len - 1]);
}

/* A sentence or dated phrase, and behind it the bare name of a photographer:
 * "Two people shaking hands in Some Town, 2018. Some One". */
static bool ends_with_name(const char *line, size_t len)
{
    for (size_t at = len; at-- > 0;) {
        if (line[at] != '.' || line_is_abbreviation(line, at)) continue;
        size_t name = at + 1;
        if (!line_space_at(line, len, name)) continue;
        return is_name(line + name, len - name) && line_count_words(line, at) >= 5;
    }
    return false;
}

static bool is_caption(const char *line, size_t len)
{
    if (len > CAPTION_MAX_BYTES) return false;
    return has_bracketed_credit(line, len) || starts_or_ends_with_credit(line, len) ||
           ends_with_name(line, len);
}

static bool is_byline(const char *line, size_t len)
{
    static const char *const words[] = {"by ", "by: ", "written by ", "posted by ", "author: "};
    if (line_count_words(line, len) > 8 || closes_like_text(line, len)) return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if (!starts_with(line, len, words[i]) || len == n) continue;
        return !is_lower(line[n]);
    }
    return false;
}

/* Only characters that draw, such as ---- or * * *. */
static bool is_rule(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!strchr("-*_=~+#|.: \t", line[i]) || !line[i]) return false;
    return true;
}

static bool is_markup(const char *line, size_t len)
{
    if (is_rule(line, len)) return true;
    if (line[0] == '<' && line[len - 1] == '>') return true;
    if (starts_with(line, len, "![") || starts_with(line, len, "[![") ||
        starts_with(line, len, "```"))
        return true;
    if (starts_with(line, len, "{{") && ends_with(line, len, "}}")) return true;
    if (starts_with(line, len, "{%") && ends_with(line, len, "%}")) return true;
    bool url = starts_with(line, len, "http://") || starts_with(line, len, "https://");
    return url && line_count_words(line, len) == 1;
}

/* Behind the first `close` at or after `from`, or 0. */
static size_t behind(const char *text, size_t len, size_t from, const char *close)
{
    const char *found = from < len ? memmem(text + from, len - from, close, strlen(close)) : NULL;
    return found ? (size_t)(found - text) + strlen(close) : 0;
}

size_t line_inline_markup(const char *text, size_t len)
{
    size_t end = 0;
    if (starts_with(text, len, "{{"))
        end = behind(text, len, 2, "}}");
    else if (starts_with(text, len, "<"))
        end = behind(text, len, 1, ">");
    else if (starts_with(text, len, "[!["))
        end = behind(text, len, 3, ")](");
    else if (starts_with(text, len, "![") || starts_with(text, len, "[{{"))
        end = behind(text, len, 2, "](");
    if (end && (text[0] == '[' || text[0] == '!')) end = behind(text, len, end, ")");
    return end;
}

static bool is_notice(const char *line, size_t len)
{
    static const char *const known[] = {
        "advertisement",   "skip to content",      "skip to main content",
        "scroll for next", "share this",           "share this article",
        "read more",       "story continues below"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (len == strlen(known[i]) && ascii_same(line, known[i], len)) return true;
    return false;
}

line_kind line_find_kind(const char *line, size_t len)
{
    if (!len || is_markup(line, len)) return LINE_MARKUP;
    if (is_notice(line, len)) return LINE_NOTICE;
    if (is_caption(line, len)) return LINE_CAPTION;
    if (is_byline(line, len)) return LINE_BYLINE;
    if (len > HEADLINE_MAX_BYTES || closes_like_text(line, len)) return LINE_PARAGRAPH;
    if (len > HEADLINE_LONG_BYTES && line_sentence_end(line, len) < len) return LINE_PARAGRAPH;
    return LINE_HEADLINE;
}

const char *line_kind_why(line_kind kind)
{
    switch (kind) {
    case LINE_CAPTION:
        return "photo caption";
    case LINE_BYLINE:
        return "byline";
    case LINE_MARKUP:
        return "markup";
    case LINE_NOTICE:
        return "notice";
    default:
        return NULL;
    }
}
