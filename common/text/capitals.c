/* SPDX-License-Identifier: MIT
 *
 * capitals.c - see capitals.h.  Takes a word's place in a text, gives yes or no.
 *
 * A line is all capitals when it has no lowercase letter and a second word with letters:
 * `NATO` alone is a name, `NATO TALKS FAIL` a headline.  A query without a lowercase letter
 * is taken as acronyms when all its words are short: `US EU` but not `US TARIFFS`.
 */
#include "common/text/capitals.h"

typedef struct letters {
    bool lower; /* there is a lowercase letter                                           */
    bool any;   /* there is a letter                                                     */
} letters;

/* Letters of text[at, end); stops at the first lowercase one. */
static letters find_letters(const char *text, size_t at, size_t end)
{
    letters found = {false, false};
    while (at < end && !found.lower) {
        uint8_t flags = byte_class[(uint8_t)text[at]];
        if (flags != BYTE_HIGH) {
            at++;
            found.lower = flags & BYTE_LOWER;
            found.any |= (flags & BYTE_LETTER) != 0;
            continue;
        }
        uint32_t cp = utf8_next(text, end, &at);
        found.lower = char_is_lower(cp);
        found.any |= char_is_letter(cp);
    }
    return found;
}

static bool line_carries(const char *text, size_t start, size_t end, const word_span *w)
{
    letters before = find_letters(text, start, w->start);
    letters inside = find_letters(text, w->start, w->end);
    letters after = find_letters(text, w->end, end);
    if (before.lower || inside.lower || after.lower) return true;
    return !before.any && !after.any;
}

/* Number of letters of a word, a possessive S not among them. */
static size_t count_letters(const char *text, const word_span *w)
{
    size_t n = 0;
    bool after_apostrophe = false, possessive = false;
    for (size_t at = w->start; at < w->end;) {
        uint32_t cp = utf8_next(text, w->end, &at);
        char_class c = char_classify(cp);
        if (c == CHAR_IGNORABLE) continue;
        possessive = after_apostrophe && cp == 'S';
        after_apostrophe = c == CHAR_APOSTROPHE;
        n += char_is_letter(cp) && !after_apostrophe;
    }
    return n - possessive;
}

static bool query_carries(const char *text, size_t len)
{
    tokenizer t = {0};
    word_span w;
    tokenizer_begin(&t, text, len);
    while (tokenizer_next(&t, &w)) {
        size_t n = count_letters(text, &w);
        if (n == 1 || n > 4) return false;
    }
    return true;
}

static size_t find_line_start(const char *text, size_t from, size_t at)
{
    const char *newline = at > from ? memrchr(text + from, '\n', at - from) : NULL;
    return newline ? (size_t)(newline - text) + 1 : from;
}

static size_t find_line_end(const char *text, size_t len, size_t at)
{
    const char *newline = memchr(text + at, '\n', len - at);
    return newline ? (size_t)(newline - text) : len;
}

bool capitals_carry(capitals *c, const char *text, size_t len, const word_span *w)
{
    if (c->known && w->start < c->line_end) return c->carry;
    size_t seen = c->known ? c->line_end : 0;
    if (c->query && !find_letters(text, 0, len).lower) {
        c->line_end = len;
        c->carry = query_carries(text, len);
    } else {
        c->line_end = find_line_end(text, len, w->end);
        c->carry = line_carries(text, find_line_start(text, seen, w->start), c->line_end, w);
    }
    c->known = true;
    return c->carry;
}
