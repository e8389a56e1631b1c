/* SPDX-License-Identifier: MIT
 *
 * tokenizer.c - see tokenizer.h.  Takes text, gives words.
 *
 * Words of ASCII letters and digits are found by masks of 64 bytes; a byte above 127, an apostrophe
 * or a point after a single letter sends the word to the character-wise path, which knows every
 * rule:
 *
 *   apostrophe   stays between two word characters
 *   . and ,      stay between two digits
 *   L.L. L.L     dotted acronym: two or more single letters, each followed by a point (the
 *                last one need not be), with a possessive 's
 *   marks        belong to the character before; ignorables are not seen
 *   pairs        Han and Kana, Thai, ...: every two neighbours are a word, a lone one is one
 */
#include "common/text/tokenizer.h"

const uint8_t byte_class[256] = {
    0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
    0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  16, 0,  0,  0,  0,  8,  0,  8,  0,
    4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  0,  0,  0,  0,  0,  0,  0,  2,  2,  2,  2,  2,  2,  2,
    2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  0,  0,  0,  0,  0,
    0,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,
    1,  1,  1,  0,  0,  0,  0,  0,  32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32,
    32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32,
    32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32,
    32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32,
    32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32,
    32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32,
};

void tokenizer_begin(tokenizer *t, const char *text, size_t len)
{
    *t = (tokenizer){.text = text, .len = len, .repaired = t->repaired, .row = word_mask_get()};
}

/* The character at *at, past which *at moves, and its class. */
static char_class next_class(const char *text, size_t len, size_t *at, uint32_t *cp)
{
    uint8_t flags = byte_class[(uint8_t)text[*at]];
    if (flags == BYTE_HIGH) {
        *cp = utf8_next(text, len, at);
        return char_classify(*cp);
    }
    *cp = (uint8_t)text[(*at)++];
    if (flags & BYTE_LETTER) return CHAR_LETTER;
    if (flags & BYTE_DIGIT) return CHAR_DIGIT;
    return flags & BYTE_APOSTROPHE ? CHAR_APOSTROPHE : CHAR_OTHER;
}

/* Class and code point of the first character at or after `at` that is not ignorable;
 * CHAR_OTHER and NUL at the end.  *start and *end (both may be NULL) are its bytes. */
static char_class peek(const tokenizer *t, size_t at, uint32_t *cp, size_t *start, size_t *end)
{
    while (at < t->len) {
        size_t begin = at;
        char_class c = next_class(t->text, t->len, &at, cp);
        if (c == CHAR_IGNORABLE) continue;
        if (start) *start = begin;
        if (end) *end = at;
        return c;
    }
    *cp = 0;
    if (start) *start = at;
    if (end) *end = at;
    return CHAR_OTHER;
}

/* End of the marks that follow the character which ends at `end`. */
static size_t skip_marks(const tokenizer *t, size_t end)
{
    uint32_t cp;
    size_t next;
    while (end < t->len && peek(t, end, &cp, NULL, &next) == CHAR_MARK) end = next;
    return end;
}

/* If 's and the end of the word follow at `end`, the end of the s; else `end`. */
static size_t skip_possessive(const tokenizer *t, size_t end)
{
    uint32_t cp;
    size_t at, after;
    if (peek(t, end, &cp, NULL, &at) != CHAR_APOSTROPHE) return end;
    if (peek(t, at, &cp, NULL, &after) != CHAR_LETTER || (cp != 's' && cp != 'S')) return end;
    char_class c = peek(t, after, &cp, NULL, &at);
    if (char_is_ordinary(c) || c == CHAR_MARK) return end;
    if (c == CHAR_APOSTROPHE && char_is_ordinary(peek(t, at, &cp, NULL, NULL))) return end;
    return after;
}

/* Whether a word that ends at `end` could end there: no word character follows, nor an
 * apostrophe that would tie it to one (other than a possessive). */
static bool word_ends(const tokenizer *t, size_t end)
{
    uint32_t cp;
    size_t at;
    char_class c = peek(t, end, &cp, NULL, &at);
    if (char_is_ordinary(c)) return false;
    if (c != CHAR_APOSTROPHE || !char_is_ordinary(peek(t, at, &cp, NULL, NULL))) return true;
    return skip_possessive(t, end) != end;
}

/* A dotted acronym whose first letter ends at `letter_end`: its end, or 0. */
static size_t scan_dotted(const tokenizer *t, size_t letter_end)
{
    unsigned letters = 0;
    size_t end = 0;
    for (;;) {
        uint32_t cp;
        size_t at, letter = skip_marks(t, letter_end);
        peek(t, letter, &cp, NULL, &at);
        if (cp != '.') {
            if (!letters || !word_ends(t, letter)) break;
            letters++;
            end = letter;
            break;
        }
        letters++;
        end = at;
        if (peek(t, at, &cp, NULL, &letter_end) != CHAR_LETTER) break;
    }
    return letters < 2 ? 0 : skip_possessive(t, end);
}

/* End of an ordinary word, known to hold everything up to `end`. */
static size_t scan_word(const tokenizer *t, size_t end, bool after_digit)
{
    for (;;) {
        uint32_t cp;
        size_t at, next;
        char_class c = peek(t, end, &cp, NULL, &at);
        if (char_is_ordinary(c)) {
            after_digit = c == CHAR_DIGIT;
            end = at;
        } else if (c == CHAR_MARK) {
            end = at;
        } else if (c == CHAR_APOSTROPHE) {
            c = peek(t, at, &cp, NULL, &next);
            if (!char_is_ordinary(c)) return end;
            after_digit = c == CHAR_DIGIT;
            end = next;
        } else if (after_digit && (cp == '.' || cp == ',')) {
            if (peek(t, at, &cp, NULL, &next) != CHAR_DIGIT) return end;
            end = next;
        } else {
            return end;
        }
    }
}

/* An ordinary word that starts at `start` and holds the ASCII bytes up to `end`, where
 * something stands that the fast path leaves to us. */
static bool finish_word(tokenizer *t, word_span *out, size_t start, size_t end)
{
    uint8_t last = byte_class[(uint8_t)t->text[end - 1]];
    size_t dotted = 0;
    if (end - start == 1 && (last & BYTE_LETTER)) dotted = scan_dotted(t, end);
    *out = (word_span){start, dotted ? dotted : scan_word(t, end, (last & BYTE_DIGIT) != 0),
                       dotted != 0};
    t->at = out->end;
    return true;
}

/* An ordinary word whose first character, not ASCII, is text[start, end). */
static bool start_word(tokenizer *t, word_span *out, size_t start, size_t end, char_class c)
{
    size_t dotted = c == CHAR_LETTER ? scan_dotted(t, end) : 0;
    *out = (word_span){start, dotted ? dotted : scan_word(t, end, c == CHAR_DIGIT), dotted != 0};
    t->at = out->end;
    return true;
}

/* The pair that begins with the character text[start, end), or that character alone if it
 * has no neighbour of its class; false if it was the end of a pair before. */
static bool scan_pair(tokenizer *t, word_span *out, size_t start, size_t end, char_class c)
{
    uint32_t cp;
    size_t second, second_end;
    bool was_paired = t->paired == start + 1;
    end = skip_marks(t, end);
    if (peek(t, end, &cp, &second, &second_end) == c) {
        *out = (word_span){start, skip_marks(t, second_end), false};
        t->at = second;
        t->paired = second + 1;
        return true;
    }
    t->at = end;
    *out = (word_span){start, end, false};
    return !was_paired;
}

/* One character above ASCII between words: true if it began a word, which is then in *out. */
static bool between_words(tokenizer *t, word_span *out)
{
    size_t start = t->at, end = start;
    uint32_t cp;
    char_class c = next_class(t->text, t->len, &end, &cp);
    if (char_is_ordinary(c)) return start_word(t, out, start, end, c);
    if (char_is_pair(c)) return scan_pair(t, out, start, end, c);
    if (cp == 0xfffd && (end - start != 3 || memcmp(t->text + start, "\xef\xbf\xbd", 3)))
        t->repaired++;
    t->at = end;
    return false;
}

/* Whether the word text[start, at) goes on at `at` in a way that the fast path knows: an
 * apostrophe or a number's point, with ASCII on both sides.  *leave is set when only the
 * character-wise path can tell. */
static bool joins(const tokenizer *t, size_t start, size_t at, uint8_t flags, bool *leave)
{
    uint8_t next = at + 1 < t->len ? byte_class[(uint8_t)t->text[at + 1]] : 0;
    uint8_t last = byte_class[(uint8_t)t->text[at - 1]];
    if (flags & BYTE_APOSTROPHE) {
        *leave = next == BYTE_HIGH;
        return next & BYTE_WORD;
    }
    if (last & BYTE_DIGIT) {
        *leave = next == BYTE_HIGH;
        return next & BYTE_DIGIT;
    }
    *leave = at - start == 1 && (next & (BYTE_LETTER | BYTE_HIGH));
    return false;
}

/* What the 64 bytes are that hold `at`. */
static inline const word_masks *masks_around(tokenizer *t, size_t at)
{
    size_t base = at / WORD_MASK_BYTES * WORD_MASK_BYTES;
    if (!t->masked || base != t->masks_at) {
        t->masks = word_mask_make(t->row, t->text + base, t->len - base);
        t->masks_at = base;
        t->masked = true;
    }
    return &t->masks;
}

/* End of the letters and digits that begin at `at`. */
static inline size_t run_end(tokenizer *t, size_t at)
{
    while (at < t->len) {
        uint64_t others = ~(masks_around(t, at)->words >> at % WORD_MASK_BYTES);
        size_t room = WORD_MASK_BYTES - at % WORD_MASK_BYTES;
        size_t n = others ? (size_t)__builtin_ctzll(others) : WORD_MASK_BYTES;
        if (n < room) return at + n;
        at += room;
    }
    return t->len;
}

/* The first letter or digit, or byte above 127, at or after `at`; len when there is none. */
static inline size_t run_start(tokenizer *t, size_t at)
{
    while (at < t->len && !(byte_class[(uint8_t)t->text[at]] & (BYTE_WORD | BYTE_HIGH))) at++;
    return at;
}

bool tokenizer_next(tokenizer *t, word_span *out)
{
    const uint8_t *p = (const uint8_t *)t->text;
    const size_t len = t->len;
    for (;;) {
        size_t at = run_start(t, t->at);
        t->at = at;
        if (at == len) return false;
        if (byte_class[p[at]] == BYTE_HIGH) {
            if (between_words(t, out)) return true;
            continue;
        }
        const size_t start = at;
        for (;;) {
            at = run_end(t, at);
            uint8_t flags = at < len ? byte_class[p[at]] : 0;
            bool leave = flags == BYTE_HIGH;
            if (!flags || (!leave && !joins(t, start, at, flags, &leave) && !leave)) break;
            if (leave) return finish_word(t, out, start, at);
            at++;
        }
        *out = (word_span){start, at, false};
        t->at = at;
        return true;
    }
}

/* End of a run of letters and digits that fills its block of masks from some place on: in the next
 * block, or at the end of the text; 0 when it fills that one, too. */
static inline size_t end_beyond(tokenizer *t, size_t next_block)
{
    if (next_block >= t->len) return t->len;
    uint64_t others = ~masks_around(t, next_block)->words;
    return others ? next_block + (size_t)__builtin_ctzll(others) : 0;
}

/* Whether the byte behind text[start, end) says that an ordinary word ends there. */
static inline bool ends_plainly(const tokenizer *t, size_t start, size_t end)
{
    if (end == t->len) return true;
    uint8_t flags = byte_class[(uint8_t)t->text[end]];
    if (!flags) return true;
    bool digit = byte_class[(uint8_t)t->text[end - 1]] & BYTE_DIGIT;
    return flags == BYTE_POINT && end - start > 1 && !digit;
}

/* Where words begin and end in a block, and the first byte there that the masks do not tell all
 * about: a word's end that may be none, or a byte above 127. */
typedef struct block_words {
    uint64_t starts, ends, odd; /* odd: one bit, or none                                    */
} block_words;

/* From the byte numbered `from` on, which is not within a word. */
static inline block_words find_words(const word_masks *m, unsigned from)
{
    uint64_t there = UINT64_MAX << from, words = m->words & there;
    uint64_t starts = words & ~(words << 1), ends = ~words & words << 1;
    uint64_t points = m->points & (starts | m->digits) << 1; /* behind one letter, or a digit   */
    uint64_t odd = (ends & (m->apostrophes | points)) | (m->high & there);
    return (block_words){starts, ends, odd & -odd};
}

/* The next words, while masks and the byte behind each tell all about it: no byte above 127 stands
 * before or after it.  Moves to where that is not so. */
static size_t plain_words(tokenizer *t, word_span *out, size_t n)
{
    size_t found = 0, at = t->at;
    while (found < n && at < t->len) {
        const size_t base = at / WORD_MASK_BYTES * WORD_MASK_BYTES,
                     block_end = base + WORD_MASK_BYTES;
        const block_words w = find_words(masks_around(t, at), (unsigned)(at % WORD_MASK_BYTES));
        uint64_t starts = w.starts, ends = w.ends & (w.odd - 1);
        for (; ends && found < n; starts &= starts - 1, ends &= ends - 1) {
            size_t end = base + (size_t)__builtin_ctzll(ends);
            out[found++] = (word_span){base + (size_t)__builtin_ctzll(starts), end, false};
            at = end;
        }
        if (found == n) break;
        if (w.odd) { /* the word that ends there, or the byte itself                        */
            at = base + (size_t)__builtin_ctzll(w.odd | starts);
            break;
        }
        if (!starts) {
            at = block_end < t->len ? block_end : t->len;
            continue;
        }
        at = base + (size_t)__builtin_ctzll(starts); /* a word that reaches the block's end     */
        size_t end = end_beyond(t, block_end);
        if (end <= at || !ends_plainly(t, at, end)) break;
        out[found++] = (word_span){at, end, false};
        at = end;
    }
    t->at = at;
    return found;
}

size_t tokenizer_fill(tokenizer *t, word_span *out, size_t n)
{
    size_t found = 0;
    while (found < n) {
        found += plain_words(t, out + found, n - found);
        if (found == n || !tokenizer_next(t, &out[found])) break;
        found++;
    }
    return found;
}
