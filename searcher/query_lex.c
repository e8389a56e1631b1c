/* SPDX-License-Identifier: MIT
 *
 * query_lex.c - query text to lexemes: words, phrases, parentheses and operators.
 *
 * The lexer also makes a blanked copy of the text in which everything that is not a word
 * (signs, quotes, boosts, field names) is spaces.  The analyzer reads that copy once, and its
 * tokens are handed to the lexemes by their byte spans, which stay true because blanking
 * keeps every offset.  Quotes are paired in their order, so one that is left without its pair is
 * the last of an odd number; it is read as if it were not there, but that it ends a word.
 */
#include <stdarg.h>
#include <stdio.h>

#include "searcher/query.h"

typedef struct lexer {
    query *q;
    arena *a;
    const char *text;
    uint32_t len, at;
    uint32_t lone; /* the quote without its pair; UINT32_MAX: there is none                */
    char *blank;
    lexeme *items;
    size_t cap;
    uint32_t n;
    bool no_memory;
    lexeme spare; /* written to when memory was refused                                    */
} lexer;

void query_add_note(query *q, uint32_t at, bool lenient, const char *fmt, ...)
{
    if (q->n_notes == QUERY_NOTES_MAX) return;
    query_note *note = &q->notes[q->n_notes];
    va_list args;
    va_start(args, fmt);
    vsnprintf(note->text, sizeof note->text, fmt, args);
    va_end(args);
    for (uint32_t i = 0; i < q->n_notes; i++)
        if (!strcmp(q->notes[i].text, note->text)) return;
    note->at = at;
    note->lenient = lenient;
    q->n_notes++;
}

/* ---- characters ------------------------------------------------------------------------- */

/* Length of the white space at `at`, 0 when it is none. */
static uint32_t space_at(const lexer *x, uint32_t at)
{
    if (at >= x->len) return 0;
    unsigned char c = (unsigned char)x->text[at];
    if (c <= 0x20 || c == 0x7f) return 1;
    if (c < 0xc2) return 0;
    size_t end = at;
    uint32_t u = utf8_next(x->text, x->len, &end);
    bool is = u == 0xa0 || u == 0x85 || u == 0x1680 || (u >= 0x2000 && u <= 0x200a) ||
              u == 0x2028 || u == 0x2029 || u == 0x202f || u == 0x205f || u == 0x3000;
    return is ? (uint32_t)end - at : 0;
}

/* Length of the double quote at `at`: straight, curly, low, angle or full-width. */
static uint32_t quote_at(const lexer *x, uint32_t at)
{
    if (at >= x->len) return 0;
    if (x->text[at] == '"') return 1;
    if ((unsigned char)x->text[at] < 0xc2) return 0;
    size_t end = at;
    uint32_t u = utf8_next(x->text, x->len, &end);
    bool is = (u >= 0x201c && u <= 0x201f) || u == 0xab || u == 0xbb || u == 0xff02;
    return is ? (uint32_t)end - at : 0;
}

/* Where the quote without its pair is. */
static uint32_t find_lone(const lexer *x)
{
    uint32_t n = 0, last = UINT32_MAX;
    for (uint32_t at = 0; at < x->len; at++)
        if (quote_at(x, at)) n++, last = at;
    return n % 2 ? last : UINT32_MAX;
}

/* `at`, or behind the quote without its pair when that is there. */
static uint32_t behind_lone(const lexer *x, uint32_t at)
{
    return at == x->lone ? at + quote_at(x, at) : at;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char char_at(const lexer *x, uint32_t at)
{
    return at < x->len ? x->text[at] : 0;
}

/* A word ends before white space, a parenthesis, a quote, or at the end. */
static bool ends_word(const lexer *x, uint32_t at)
{
    return at >= x->len || x->text[at] == '(' || x->text[at] == ')' || space_at(x, at) ||
           quote_at(x, at);
}

static void blank_out(lexer *x, uint32_t start, uint32_t end)
{
    memset(x->blank + start, ' ', end - start);
}

/* Passes over the quote without its pair, when that is next, and notes it. */
static bool skip_lone(lexer *x)
{
    if (x->at != x->lone) return false;
    query_add_note(x->q, x->at, true, "quote without its pair ignored");
    x->at = behind_lone(x, x->at);
    blank_out(x, x->lone, x->at);
    return true;
}

static lexeme *lexer_push(lexer *x, lexeme_kind kind, uint32_t at)
{
    if (x->no_memory || !arena_grow(x->a, &x->items, &x->cap, x->n + 1u, sizeof *x->items)) {
        x->no_memory = true;
        return &x->spare;
    }
    lexeme *item = &x->items[x->n++];
    *item = (lexeme){.kind = kind, .at = at, .start = at, .end = at, .boost = 1.0};
    return item;
}

/* ---- numbers behind ^ and ~ ------------------------------------------------------------- */

/* "^2.5" at `at`, closed by the end of the word: its end, or `at` when there is none. */
static uint32_t scan_boost(const lexer *x, uint32_t at, double *boost)
{
    if (char_at(x, at) != '^' || !is_digit(char_at(x, at + 1))) return at;
    uint32_t p = at + 1;
    double value = 0, unit = 1;
    for (; is_digit(char_at(x, p)); p++)
        if (value < QUERY_BOOST_MAX) value = value * 10 + (x->text[p] - '0');
    if (char_at(x, p) == '.' && is_digit(char_at(x, p + 1)))
        for (p++; is_digit(char_at(x, p)); p++)
            if (unit < 1e9) unit *= 10, value = value * 10 + (x->text[p] - '0');
    if (!ends_word(x, p)) return at;
    value /= unit;
    *boost = value < QUERY_BOOST_MAX ? value : QUERY_BOOST_MAX;
    return p;
}

/* "~5" at `at`: its end, or `at`. */
static uint32_t scan_slop(const lexer *x, uint32_t at, uint32_t *slop)
{
    if (char_at(x, at) != '~' || !is_digit(char_at(x, at + 1))) return at;
    uint32_t p = at + 1, value = 0;
    for (; is_digit(char_at(x, p)); p++)
        if (value < 100000000) value = value * 10 + (uint32_t)(x->text[p] - '0');
    *slop = value;
    return p;
}

/* ---- words ------------------------------------------------------------------------------ */

static bool starts_with(const lexer *x, uint32_t at, uint32_t end, const char *name)
{
    for (; *name; name++, at++)
        if (at >= end || (x->text[at] | 0x20) != (*name | 0x20)) return false;
    return at < end;
}

/* Operators of the language that have no meaning yet: their text is words. */
static void note_unavailable(lexer *x, uint32_t at, uint32_t start, uint32_t end)
{
    if (x->text[start] == '=' && end - start > 1)
        query_add_note(x->q, at, true, "=Exact not available yet, taken as a word");
    for (uint32_t i = start; end - start > 1 && i < end; i++) {
        if (x->text[i] == '*')
            query_add_note(x->q, at, true, "word* not available yet, taken as a word");
        bool inside = i > start && i + 1 < end;
        if (x->text[i] == '?' && inside && x->text[i + 1] != '?' && x->text[i + 1] != '!' &&
            x->text[i + 1] != '.')
            query_add_note(x->q, at, true, "wo?d not available yet, taken as words");
    }
}

/* Take "~", "~1", "~2" off the end of a word; returns the new end. */
static uint32_t strip_fuzzy(lexer *x, uint32_t at, uint32_t start, uint32_t end)
{
    uint32_t p = end;
    if (p > start && is_digit(x->text[p - 1])) p--;
    if (p <= start + 1 || x->text[p - 1] != '~') return end;
    query_add_note(x->q, at, true, "word~ not available yet, taken as a word");
    blank_out(x, p - 1, end);
    return p - 1;
}

static uint32_t strip_boost(lexer *x, uint32_t start, uint32_t end, double *boost)
{
    for (uint32_t p = end; p > start + 1; p--) {
        char c = x->text[p - 1];
        if (c == '^') {
            if (scan_boost(x, p - 1, boost) != end) return end;
            blank_out(x, p - 1, end);
            return p - 1;
        }
        if (!is_digit(c) && c != '.') return end;
    }
    return end;
}

static lexeme_kind word_kind(const lexer *x, uint32_t start, uint32_t end)
{
    const char *s = x->text + start;
    if (end - start == 3 && !memcmp(s, "AND", 3)) return LEX_AND;
    if (end - start == 3 && !memcmp(s, "NOT", 3)) return LEX_NOT;
    if (end - start == 2 && !memcmp(s, "OR", 2)) return LEX_OR;
    return LEX_WORD;
}

static void lex_word(lexer *x, uint32_t at, query_sign sign, bool title)
{
    uint32_t start = x->at, end = start;
    while (!ends_word(x, end)) end++;
    x->at = end;
    bool bare = sign == SIGN_PLAIN && !title;
    lexeme *item = lexer_push(x, bare ? word_kind(x, start, end) : LEX_WORD, at);
    item->sign = sign;
    item->title = title;
    item->start = start;
    end = strip_boost(x, start, end, &item->boost);
    if (!title) note_unavailable(x, at, start, end);
    item->end = strip_fuzzy(x, at, start, end);
}

/* ---- phrases and parentheses ------------------------------------------------------------ */

/* What may stand behind a phrase or a closing parenthesis. */
static void lex_suffix(lexer *x, lexeme *item, bool may_near)
{
    uint32_t start = x->at, end = start;
    if (may_near) {
        end = scan_slop(x, start, &item->slop);
        item->near = end != start;
    }
    end = scan_boost(x, end, &item->boost);
    blank_out(x, start, end);
    x->at = end;
}

static void lex_quote(lexer *x, uint32_t at, query_sign sign, bool title)
{
    uint32_t open = quote_at(x, x->at), start = x->at + open, end = start;
    while (end < x->len && !quote_at(x, end)) end++;
    uint32_t close = quote_at(x, end);
    blank_out(x, x->at, start);
    blank_out(x, end, end + close);
    lexeme *item = lexer_push(x, LEX_PHRASE, at);
    item->sign = sign;
    item->title = title;
    item->start = start;
    item->end = end;
    x->at = end + close;
    lex_suffix(x, item, true);
}

static void lex_paren(lexer *x, uint32_t at, query_sign sign)
{
    bool open = x->text[x->at] == '(';
    lexeme *item = lexer_push(x, open ? LEX_OPEN : LEX_CLOSE, at);
    item->sign = sign;
    blank_out(x, x->at, x->at + 1);
    x->at++;
    if (!open) lex_suffix(x, item, false);
}

/* A sign counts after white space or "(" and before anything but white space, ")" or another
 * sign; elsewhere it is a dash. */
static query_sign lex_sign(lexer *x, bool fresh)
{
    char c = char_at(x, x->at);
    if (c != '+' && c != '-') return SIGN_PLAIN;
    uint32_t end = x->at;
    while (char_at(x, end) == '+' || char_at(x, end) == '-') end++;
    uint32_t next = behind_lone(x, end);
    char after = char_at(x, next);
    bool is_one = end == x->at + 1 && after != '+' && after != '-';
    bool sign = fresh && is_one && next < x->len && after != ')' && !space_at(x, next);
    blank_out(x, x->at, end);
    x->at = end;
    return !sign ? SIGN_PLAIN : c == '+' ? SIGN_MUST : SIGN_NOT;
}

static bool lex_title(lexer *x)
{
    static const char name[] = "title:";
    uint32_t end = x->at + (uint32_t)strlen(name);
    if (!starts_with(x, x->at, x->len, name)) return false;
    uint32_t next = behind_lone(x, end);
    if (ends_word(x, next) && !quote_at(x, next)) return false;
    blank_out(x, x->at, end);
    x->at = end;
    skip_lone(x);
    return true;
}

/* Where the value of a filter that starts at `at` lies, and the end of the whole; false when
 * there is none.  A value in quotes may hold spaces. */
static bool filter_span(const lexer *x, uint32_t at, uint32_t *start, uint32_t *end, uint32_t *next)
{
    at = behind_lone(x, at);
    uint32_t open = quote_at(x, at);
    *start = *end = at + open;
    if (open) {
        while (*end < x->len && !quote_at(x, *end)) ++*end;
        *next = *end + quote_at(x, *end);
        return *end > *start && *next > *end;
    }
    while (!ends_word(x, *end)) ++*end;
    *next = *end;
    return *end > *start;
}

static void note_no_filter(lexer *x, uint32_t at, uint32_t name, uint32_t start, uint32_t end,
                           bool date)
{
    bool whole = name + end - start < 36;
    query_add_note(x->q, at, true, "%.*s%.*s is no %s, taken as words", (int)name, x->text + x->at,
                   whole ? (int)(end - start) : 3, whole ? x->text + start : "...",
                   date ? "date" : "value");
}

/* "date:2025-09": a lexeme of its own, unless its value does not fit; then it is words. */
static bool lex_filter(lexer *x, uint32_t at, query_sign sign)
{
    pm_filter_field field;
    const query_filter *filter;
    uint32_t name = query_filter_name(x->text + x->at, x->len - x->at, &field), start, end, next;
    if (!name || !filter_span(x, x->at + name, &start, &end, &next)) return false;
    pm_status st = query_filter_make(x->a, field, x->text + start, end - start, &filter, NULL);
    if (st == PM_USAGE) {
        note_no_filter(x, at, name, start, end, field <= PM_FILTER_BEFORE);
        return false;
    }
    if (st != PM_OK) x->no_memory = true;
    if (filter && filter->from > filter->to)
        query_add_note(x->q, at, false, "%s ends before it begins", filter->shown.data);
    lexeme *item = lexer_push(x, LEX_FILTER, at);
    item->sign = sign;
    item->filter = filter;
    item->start = item->end = next;
    blank_out(x, x->at, next);
    x->at += name;
    skip_lone(x);
    x->at = next;
    return true;
}

/* What stands at x->at, which is no space.  `fresh`: a sign may stand there, as behind a space or
 * `(`; returns the same of what follows. */
static bool lex_one(lexer *x, bool fresh)
{
    uint32_t at = x->at;
    query_sign sign = lex_sign(x, fresh);
    if (x->at >= x->len || (sign == SIGN_PLAIN && x->at > at)) return false;
    skip_lone(x);
    if (lex_filter(x, at, sign)) return false;
    bool title = lex_title(x);
    char first = x->text[x->at];
    if (quote_at(x, x->at))
        lex_quote(x, at, sign, title);
    else if (first == '(' || first == ')')
        lex_paren(x, at, sign);
    else
        lex_word(x, at, sign, title);
    return first == '(';
}

static void lex_all(lexer *x)
{
    bool fresh = true;
    while (x->at < x->len) {
        if (skip_lone(x)) continue;
        uint32_t space = space_at(x, x->at);
        if (space) {
            blank_out(x, x->at, x->at + space);
            x->at += space;
            fresh = true;
        } else {
            fresh = lex_one(x, fresh);
        }
    }
}

/* ---- analysis --------------------------------------------------------------------------- */

static pm_status lex_analyse(lexemes *out, lexer *x, analyzer *words, pm_error *err)
{
    size_t cap = 0;
    uint32_t i = 0;
    token t;
    analyzer_begin(words, x->blank, x->len, true);
    while (analyzer_next(words, &t)) {
        while (i < x->n && x->items[i].end <= t.start) i++;
        if (i == x->n) break;
        if (!arena_grow(x->a, &out->tokens, &cap, out->n_tokens + 1u, sizeof *out->tokens))
            return error_nomem(err);
        lexeme *item = &x->items[i];
        if (item->n_tokens++ == 0) item->first_token = out->n_tokens;
        out->tokens[out->n_tokens++] = (lex_token){t.form, t.marked};
    }
    return analyzer_failed(words) ? error_nomem(err) : PM_OK;
}

pm_status query_lex(lexemes *out, query *q, arena *a, analyzer *words, const char *text,
                    uint32_t len, pm_error *err)
{
    lexer x = {.q = q, .a = a, .text = text, .len = len};
    memset(out, 0, sizeof *out);
    x.blank = arena_strndup(a, text, len);
    if (!x.blank) return error_nomem(err);
    x.lone = find_lone(&x);
    lex_all(&x);
    if (x.no_memory) return error_nomem(err);
    pm_status st = lex_analyse(out, &x, words, err);
    out->items = x.items;
    out->n = x.n;
    return st;
}
