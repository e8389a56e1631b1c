/* SPDX-License-Identifier: MIT
 *
 * snippet_cut.c - from matches in a body to a snippet: choose a window, cut it at words, clean
 * it.
 *
 * The best window of the wanted size holds the most distinct words of the query, then the
 * most matches, and is the first such.  It is widened evenly on both sides, and starts at a
 * sentence when one begins within the room on its left.  Where there is no space to cut at, as in
 * addresses and in scripts without spaces, neither a word of ASCII nor what a reader sees as one
 * character is cut in two, unless nothing would be left.
 */
#include "searcher/snippet.h"

#include "common/text/tokenizer.h"

enum { LOOK_BACK = 128 }; /* bytes before a place that tell what it stands in */

typedef struct window {
    size_t start, end;  /* bytes of the body                                             */
    size_t first, last; /* matches [first, last)                                         */
} window;

static window best_window(snippeter *s)
{
    window best = {0};
    size_t best_distinct = 0, best_count = 0, distinct = 0, j = 0;
    const snippet_match *m = s->matches;
    for (size_t i = 0; i < s->n_matches; i++) {
        while (j < s->n_matches && (j == i || m[j].end - m[i].start <= s->aim))
            distinct += s->counts[m[j++].key]++ == 0;
        if (distinct > best_distinct || (distinct == best_distinct && j - i > best_count)) {
            best = (window){m[i].start, m[j - 1].end, i, j};
            best_distinct = distinct;
            best_count = j - i;
        }
        distinct -= --s->counts[m[i].key] == 0;
    }
    return best;
}

/* ---- edges ------------------------------------------------------------------------------ */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_inside_character(const char *body, size_t at)
{
    return ((unsigned char)body[at] & 0xc0) == 0x80;
}

/* Whether a byte belongs to a word: letters and digits of ASCII, and all beyond it. */
static bool is_word(char c)
{
    return (byte_class[(uint8_t)c] & (BYTE_WORD | BYTE_HIGH)) != 0;
}

/* Whether body[at - 1] and body[at] are one word as far as ASCII can tell. */
static bool is_inside_word(const char *body, size_t at)
{
    bool ascii = (uint8_t)body[at - 1] < 0x80 || (uint8_t)body[at] < 0x80;
    return ascii && is_word(body[at - 1]) && is_word(body[at]);
}

/* Whether `at` is amid what a reader sees as one character: a letter and its marks, a flag, a
 * family of emoji.  Before that the text is looked at from a space on, or LOOK_BACK bytes. */
static bool is_inside_cluster(const char *body, size_t len, size_t at)
{
    if (is_inside_character(body, at)) return true;
    size_t from = at, low = at > LOOK_BACK ? at - LOOK_BACK : 0;
    while (from > low && !is_space(body[from - 1])) from--;
    while (from < at && is_inside_character(body, from)) from++;
    int32_t state = 0;
    uint32_t before = 0;
    bool joined = false;
    for (bool first = true; from <= at; first = false) {
        uint32_t next = utf8_next(body, len, &from);
        joined = !first && char_joins(before, next, &state);
        before = next;
    }
    return joined;
}

/* Whether a cut at `at`, between the ends of the body, would go through something. */
static bool cuts(const char *body, size_t len, size_t at)
{
    return is_inside_word(body, at) || is_inside_cluster(body, len, at);
}

/* Whether body[at, at + 3) is one of the marks, which are of three bytes each. */
static bool is_wide_mark(const char *body, size_t at, const char *const *marks)
{
    while (*marks && memcmp(body + at, *marks, 3) != 0) marks++;
    return *marks != NULL;
}

/* ” ’ 」 』 ） */
static const char *const wide_closers[] = {"\xe2\x80\x9d", "\xe2\x80\x99", "\xe3\x80\x8d",
                                           "\xe3\x80\x8f", "\xef\xbc\x89", NULL};
/* 。 ！ ？ */
static const char *const wide_stops[] = {"\xe3\x80\x82", "\xef\xbc\x81", "\xef\xbc\x9f", NULL};

/* The end of what stands before body[end] without closing quotes and brackets, low at least. */
static size_t before_closers(const char *body, size_t low, size_t end)
{
    for (;;) {
        if (end > low && memchr("\"')]", body[end - 1], 4))
            end--;
        else if (end >= low + 3 && is_wide_mark(body, end - 3, wide_closers))
            end -= 3;
        else
            return end;
    }
}

/* Whether a sentence ends before body[at], which is no space; in Chinese and Japanese no space need
 * follow. */
static bool begins_sentence(const char *body, size_t len, size_t at)
{
    if (body[at - 1] == '\n') return true;
    size_t end = at, low = at > LOOK_BACK ? at - LOOK_BACK : 0;
    while (end > low && is_space(body[end - 1])) end--;
    const bool spaced = end < at;
    end = before_closers(body, low, end);
    if (end && memchr(".!?", body[end - 1], 3)) return spaced;
    if (end < 3 || !is_wide_mark(body, end - 3, wide_stops)) return false;
    return spaced || len - at < 3 ||
           !(is_wide_mark(body, at, wide_closers) || is_wide_mark(body, at, wide_stops));
}

/* Where to begin, in [from, limit]: a sentence, else a word, else a whole character. */
static size_t align_start(const char *body, size_t len, size_t from, size_t limit)
{
    if (from == 0) return 0;
    size_t word = limit;
    for (size_t at = from; at <= limit; at++) {
        if (is_space(body[at]) || is_inside_character(body, at)) continue;
        if (begins_sentence(body, len, at)) return at;
        if (word == limit && is_space(body[at - 1])) word = at;
    }
    if (word < limit) return word;
    while (from < limit && cuts(body, len, from)) from++;
    while (from < limit && strchr(" ,;:.!?)]", body[from]) && body[from] &&
           !is_inside_cluster(body, len, from + 1))
        from++;
    return from;
}

/* Where to end, in [limit, to]: after a word, else after a whole character. */
static size_t align_end(const char *body, size_t len, size_t limit, size_t to)
{
    if (to >= len) return len;
    for (size_t at = to; at > limit; at--)
        if (is_space(body[at]) && !is_space(body[at - 1])) return at;
    while (to > limit && cuts(body, len, to)) to--;
    return to;
}

/* Where to end amid a word longer than what is wanted, in (start, to]: after a whole character, or
 * amid one of very many marks. */
static size_t end_amid(const char *body, size_t len, size_t start, size_t to)
{
    size_t at = to, low = to - start > LOOK_BACK ? to - LOOK_BACK : start;
    while (at > low && is_inside_cluster(body, len, at)) at--;
    if (at > low) return at;
    while (to > start && is_inside_character(body, to)) to--;
    return to;
}

static void widen(const snippeter *s, const char *body, size_t len, window *w)
{
    size_t wanted = w->end - w->start, lead = 0;
    if (wanted > s->aim) { /* one huge word */
        w->end = end_amid(body, len, w->start, w->start + s->aim);
        return;
    }
    lead = (s->aim - wanted) / 2;
    size_t from = w->start > lead ? w->start - lead : 0;
    if (len - from < s->aim) from = len > s->aim ? len - s->aim : 0;
    if (from > w->start) from = w->start;
    from = align_start(body, len, from, w->start);
    w->end = align_end(body, len, w->end, from + s->aim > w->end ? from + s->aim : w->end);
    w->start = from;
}

/* Nothing but white space in [start, end)? */
static bool is_blank(const char *body, size_t start, size_t end)
{
    while (start < end && is_space(body[start])) start++;
    return start == end;
}

/* ---- rendering -------------------------------------------------------------------------- */

typedef enum character_class { CHARACTER_TEXT, CHARACTER_SPACE, CHARACTER_NONE } character_class;

/* What never reaches a reader: C0, DEL, C1 and bidi controls. */
static character_class classify(uint32_t u)
{
    if (u == ' ' || (u >= '\t' && u <= '\r') || u == 0x85 || u == 0xa0 || u == 0x2028 ||
        u == 0x2029 || u == 0x3000)
        return CHARACTER_SPACE;
    if (u < 0x20 || (u >= 0x7f && u < 0xa0)) return CHARACTER_NONE;
    if (u == 0x61c || u == 0x200e || u == 0x200f || (u >= 0x202a && u <= 0x202e) ||
        (u >= 0x2066 && u <= 0x2069))
        return CHARACTER_NONE;
    return CHARACTER_TEXT;
}

typedef struct renderer {
    snippeter *s;
    size_t base; /* length of what stands before the text                         */
    bool space;  /* one is due before the next character                          */
    bool open;   /* inside match k                                                */
    size_t k, n;
    uint32_t mark; /* where the open highlight starts                               */
} renderer;

static void flush_space(renderer *r)
{
    if (r->space && r->s->out.len > r->base) buf_u8(&r->s->out, ' ');
    r->space = false;
}

/* Match k ends at `at`: so does the highlight, unless the next match began before that (pairs of
 * characters overlap, and one word may be several). */
static void end_match(renderer *r, const window *w, size_t at)
{
    const snippet_match *m = r->s->matches;
    while (r->k < w->last && m[r->k].end <= at) r->k++;
    if (r->k < w->last && m[r->k].start < at) return;
    uint32_t end = (uint32_t)r->s->out.len;
    if (end > r->mark) r->s->highlights[r->n++] = (pm_highlight){r->mark, end};
    r->open = false;
}

static void render_text(renderer *r, const char *body, const window *w)
{
    char bytes[4];
    for (size_t at = w->start; at < w->end;) {
        if (r->k < w->last && !r->open && r->s->matches[r->k].start <= at) {
            flush_space(r);
            r->mark = (uint32_t)r->s->out.len;
            r->open = true;
        }
        uint32_t u = utf8_next(body, w->end, &at);
        character_class class = classify(u);
        if (class == CHARACTER_SPACE) {
            r->space = true;
        } else if (class == CHARACTER_TEXT) {
            flush_space(r);
            buf_append(&r->s->out, bytes, utf8_put(bytes, u));
        }
        if (r->open && at >= r->s->matches[r->k].end) end_match(r, w, at);
    }
    if (r->open) end_match(r, w, SIZE_MAX);
}

static pm_status give_out(renderer *r, arena *a, pm_hit *out, pm_error *err)
{
    buf *text = &r->s->out;
    if (text->failed) {
        buf_free(text);
        return error_nomem(err);
    }
    pm_highlight *highlights = arena_alloc(a, r->n * sizeof *highlights);
    out->snippet.data = arena_strndup(a, (const char *)text->data, text->len);
    if (!highlights || !out->snippet.data) return error_nomem(err);
    if (r->n) memcpy(highlights, r->s->highlights, r->n * sizeof *highlights);
    out->snippet.len = text->len;
    out->highlights = highlights;
    out->n_highlights = r->n;
    return PM_OK;
}

pm_status snippet_cut(snippeter *s, arena *a, const char *body, size_t len, pm_hit *out,
                      pm_error *err)
{
    window w = best_window(s);
    if (s->n_matches == 0) { /* matched by its title: begin where the text does */
        while (w.start < len && is_space(body[w.start])) w.start++;
        w.end = align_end(body, len, w.start, w.start + s->aim);
        if (w.end == w.start && w.end < len) w.end = end_amid(body, len, w.start, w.start + s->aim);
    } else {
        widen(s, body, len, &w);
    }
    while (w.first > 0 && s->matches[w.first - 1].start >= w.start) w.first--;
    while (w.last < s->n_matches && s->matches[w.last].end <= w.end) w.last++;
    if (!mem_grow(&s->highlights, &s->highlights_cap, w.last - w.first, sizeof *s->highlights))
        return error_nomem(err);
    renderer r = {.s = s, .k = w.first};
    buf_reset(&s->out);
    if (!is_blank(body, 0, w.start)) buf_append_str(&s->out, "\xe2\x80\xa6");
    r.base = s->out.len;
    render_text(&r, body, &w);
    if (!is_blank(body, w.end, len)) buf_append_str(&s->out, "\xe2\x80\xa6");
    return give_out(&r, a, out, err);
}
