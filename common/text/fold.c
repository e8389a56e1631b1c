/* SPDX-License-Identifier: MIT
 *
 * fold.c - see fold.h.  Takes code points of one word, gives its spellings.
 *
 * Folding follows Unicode 3.13 (NFKC_Casefold) with marks taken out before recomposing, so
 * that Hangul, whose parts are letters, comes back whole.  It is repeated until nothing
 * changes: a few characters unfold into ones that fold again.
 */
#include "common/text/fold.h"

#include <utf8proc.h>

/* ---- what a character is ---------------------------------------------------------------- */

typedef struct script_range {
    uint32_t first, last;
    char_class cls;
} script_range;

static const script_range pair_scripts[] = {
    {0x0e00, 0x0e7f, CHAR_PAIR_THAI},    {0x0e80, 0x0eff, CHAR_PAIR_LAO},
    {0x1000, 0x109f, CHAR_PAIR_MYANMAR}, {0x1780, 0x17ff, CHAR_PAIR_KHMER},
    {0x3005, 0x3007, CHAR_PAIR},         {0x3021, 0x3035, CHAR_PAIR},
    {0x3038, 0x303c, CHAR_PAIR},         {0x3041, 0x30ff, CHAR_PAIR},
    {0x31f0, 0x31ff, CHAR_PAIR},         {0x3400, 0x4dbf, CHAR_PAIR},
    {0x4e00, 0x9fff, CHAR_PAIR},         {0xa9e0, 0xa9ff, CHAR_PAIR_MYANMAR},
    {0xaa60, 0xaa7f, CHAR_PAIR_MYANMAR}, {0xf900, 0xfaff, CHAR_PAIR},
    {0xff66, 0xff9d, CHAR_PAIR},         {0x1aff0, 0x1b16f, CHAR_PAIR},
    {0x20000, 0x3ffff, CHAR_PAIR},
};

/* The class of a letter or letter-like number: its script decides. */
static char_class script_of(uint32_t cp, char_class ordinary)
{
    if (cp < pair_scripts[0].first) return ordinary;
    for (size_t i = 0; i < sizeof pair_scripts / sizeof *pair_scripts; i++)
        if (cp >= pair_scripts[i].first && cp <= pair_scripts[i].last) return pair_scripts[i].cls;
    return ordinary;
}

static bool is_apostrophe(uint32_t cp)
{
    return cp == '\'' || cp == 0x2018 || cp == 0x2019 || cp == 0x201b || cp == 0x02bc ||
           cp == 0xff07;
}

char_class char_classify(uint32_t cp)
{
    if (is_apostrophe(cp)) return CHAR_APOSTROPHE;
    const utf8proc_property_t *property = utf8proc_get_property((utf8proc_int32_t)cp);
    if (property->ignorable) return CHAR_IGNORABLE;
    if (cp == 0xff9e || cp == 0xff9f) return CHAR_MARK; /* halfwidth voicing marks */
    switch (property->category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return script_of(cp, CHAR_LETTER);
    case UTF8PROC_CATEGORY_ND:
        return CHAR_DIGIT;
    case UTF8PROC_CATEGORY_NL:
        return script_of(cp, CHAR_NUMBER);
    case UTF8PROC_CATEGORY_NO:
        return CHAR_NUMBER;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return CHAR_MARK;
    default:
        return CHAR_OTHER;
    }
}

bool char_is_lower(uint32_t cp)
{
    return utf8proc_category((utf8proc_int32_t)cp) == UTF8PROC_CATEGORY_LL;
}

bool char_is_upper(uint32_t cp)
{
    return utf8proc_category((utf8proc_int32_t)cp) == UTF8PROC_CATEGORY_LU;
}

bool char_is_letter(uint32_t cp)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool char_joins(uint32_t before, uint32_t next, int32_t *state)
{
    return !utf8proc_grapheme_break_stateful((utf8proc_int32_t)before, (utf8proc_int32_t)next,
                                             state);
}

size_t fold_split(uint32_t cp, uint32_t out[SPLIT_MAX])
{
    if (cp < 0x80) return 0;
    utf8proc_int32_t parts[SPLIT_MAX];
    int boundary = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)cp, parts, SPLIT_MAX,
                                                 UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &boundary);
    if (n < 2 || n > SPLIT_MAX) return 0;
    bool splits = false;
    for (utf8proc_ssize_t i = 0; i < n; i++) {
        bool separates = char_classify((uint32_t)parts[i]) == CHAR_OTHER;
        out[i] = separates ? 0 : (uint32_t)parts[i];
        splits |= separates;
    }
    return splits ? (size_t)n : 0;
}

/* ---- spellings ---------------------------------------------------------------------------- */

/* Encode code points, whole characters only, into at most TERM_MAX_BYTES. */
static size_t put_all(const utf8proc_int32_t *cp, size_t n, char out[TERM_MAX_BYTES], bool *cut)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        char bytes[4];
        unsigned size = utf8_put(bytes, (uint32_t)cp[i]);
        if (len + size > TERM_MAX_BYTES) {
            *cut = true;
            break;
        }
        memcpy(out + len, bytes, size);
        len += size;
    }
    return len;
}

/* Most words are ASCII and need no tables: the word as it is, or 0 when it is not so. */
static size_t exact_ascii(const fold_word *word, char out[TERM_MAX_BYTES])
{
    if (word->n > TERM_MAX_BYTES) return 0;
    for (size_t i = 0; i < word->n; i++) {
        if (word->cp[i] >= 0x80) return 0;
        out[i] = (char)word->cp[i];
    }
    return word->n;
}

size_t fold_exact(const fold_word *word, char out[TERM_MAX_BYTES], bool *cut)
{
    size_t ascii = exact_ascii(word, out);
    if (ascii) return ascii;
    char text[WORD_BYTES];
    utf8proc_int32_t parts[4 * WORD_CHARS]; /* the longest canonical decomposition is 4 */
    size_t len = 0;
    for (size_t i = 0; i < word->n; i++) {
        char bytes[4];
        unsigned size = utf8_put(bytes, word->cp[i]);
        memcpy(text + len, bytes, size);
        len += size;
    }
    utf8proc_ssize_t n =
        utf8proc_decompose((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, parts,
                           4 * WORD_CHARS, UTF8PROC_DECOMPOSE | UTF8PROC_STABLE);
    if (n < 0 || n > 4 * WORD_CHARS) return 0;
    n = utf8proc_normalize_utf32(parts, n, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    return n < 0 ? 0 : put_all(parts, (size_t)n, out, cut);
}

/* Letters that Unicode does not take apart, in the spelling people type.  An apostrophe
 * that comes out of a compatibility form goes. */
static size_t plain_letters(utf8proc_int32_t cp, utf8proc_int32_t out[2])
{
    static const struct {
        utf8proc_int32_t letter;
        char plain[3];
    } letters[] = {{0xf8, "o"},  {0x142, "l"}, {0x111, "d"}, {0x131, "i"},
                   {0xe6, "ae"}, {0xdf, "ss"}, {0x153, "oe"}};
    out[0] = cp;
    if (cp < 0x80) return cp != '\'';
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        if (letters[i].letter != cp) continue;
        out[0] = letters[i].plain[0];
        out[1] = letters[i].plain[1];
        return strlen(letters[i].plain);
    }
    return is_apostrophe((uint32_t)cp) ? 0 : 1;
}

enum {
    FOLD_OPTIONS = UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE |
                   UTF8PROC_STRIPMARK | UTF8PROC_STABLE,
    /* No character unfolds to more than 18 code points (U+FDFA), then each to at most 2. */
    FOLD_MAX = TERM_MAX_BYTES * 4 + 2 * SPLIT_MAX
};

/* One pass over at most TERM_MAX_BYTES of text. */
static size_t fold_once(const char *text, size_t len, char out[TERM_MAX_BYTES], bool *cut)
{
    utf8proc_int32_t folded[FOLD_MAX];
    size_t n = 0;
    for (size_t at = 0; at < len;) {
        if (n + 2 * SPLIT_MAX > FOLD_MAX) {
            *cut = true;
            break;
        }
        utf8proc_int32_t cp = (utf8proc_int32_t)utf8_next(text, len, &at), parts[SPLIT_MAX];
        int boundary = 0;
        utf8proc_ssize_t got = utf8proc_decompose_char(cp, parts, SPLIT_MAX,
                                                       (utf8proc_option_t)FOLD_OPTIONS, &boundary);
        if (got > SPLIT_MAX) got = 0;
        for (utf8proc_ssize_t i = 0; i < got; i++) n += plain_letters(parts[i], folded + n);
    }
    utf8proc_ssize_t whole =
        utf8proc_normalize_utf32(folded, (utf8proc_ssize_t)n, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    return whole < 0 ? 0 : put_all(folded, (size_t)whole, out, cut);
}

static bool fold_ascii(const char *text, size_t len, char out[TERM_MAX_BYTES])
{
    for (size_t i = 0; i < len; i++) {
        if ((uint8_t)text[i] >= 0x80 || text[i] == '\'') return false;
        out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    }
    return true;
}

size_t fold_text(const char *text, size_t len, char out[TERM_MAX_BYTES], bool *cut)
{
    if (fold_ascii(text, len, out)) return len;
    size_t n = fold_once(text, len, out, cut);
    for (int pass = 0; pass < 4; pass++) {
        char again[TERM_MAX_BYTES];
        size_t m = fold_once(out, n, again, cut);
        if (m == n && !memcmp(again, out, n)) break;
        memcpy(out, again, m);
        n = m;
    }
    return n;
}

size_t fold_capitals(const char *text, size_t len, char out[TERM_MAX_BYTES], bool *cut)
{
    utf8proc_int32_t capitals[TERM_MAX_BYTES];
    size_t n = 0;
    for (size_t at = 0; at < len && n < TERM_MAX_BYTES; n++)
        capitals[n] = utf8proc_toupper((utf8proc_int32_t)utf8_next(text, len, &at));
    return put_all(capitals, n, out, cut);
}
