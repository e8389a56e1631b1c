/* SPDX-License-Identifier: MIT
 * title.c - see title.h.
 */
#include "indexer/title.h"

#include "common/text/date.h"
#include "indexer/line_kind.h"

enum {
    HEAD_LINES = 24,        /* non-blank lines looked at                                */
    LABEL_MAX_WORDS = 2,    /* of a section label                                       */
    HEADLINE_MIN_WORDS = 4, /* of a headline that makes the line above it a label       */
    LABEL_REACH = 4,        /* lines below a label where that headline may stand        */
    DATE_LINE_MAX_BYTES = 120,
    PARAGRAPH_MAX = 4096, /* bytes of the first paragraph that are looked at            */
    WORD_MAX_BYTES = 400  /* a longer run without spaces is cut anywhere              */
};

typedef struct line {
    size_t start, end; /* trimmed, without marks of Markdown                             */
    size_t raw_end;
    bool attached; /* no blank line above                                            */
    bool heading;  /* of Markdown                                                    */
    line_kind kind;
} line;

typedef struct head {
    const char *text;
    size_t len;
    bool markdown;
    line lines[HEAD_LINES];
    size_t n;
    title *out;
} head;

static void add_span(head *h, size_t start, size_t end, const char *why)
{
    if (h->out->n_spans < TITLE_SPANS_MAX && start < end)
        h->out->spans[h->out->n_spans++] = (struct pm_span){start, end, why};
}

/* ---- dates ------------------------------------------------------------------------------- */

static size_t skip_space(const char *text, size_t len, size_t at)
{
    for (size_t n; (n = line_space_at(text, len, at)) != 0;) at += n;
    return at;
}

/* "by" with the name behind it, or on the next line. */
static bool is_by(const char *text, size_t len)
{
    return len >= 2 && ascii_same(text, "by", 2) && (len == 2 || line_space_at(text, len, 2));
}

/* Whether what stands behind a date leaves it a date line: nothing, a zone, an author, a bar. */
static bool is_date_tail(const char *text, size_t len)
{
    size_t at = skip_space(text, len, 0), zone = at;
    while (zone < len && text[zone] >= 'A' && text[zone] <= 'Z') zone++;
    if (zone - at <= 4 && !is_by(text + at, len - at)) at = skip_space(text, len, zone);
    return at == len || text[at] == '|' || is_by(text + at, len - at) ||
           (len - at >= 2 && memcmp(text + at, "\xc2\xb7", 2) == 0) ||
           (len - at >= 3 && memcmp(text + at, "\xe2\x80\xa2", 3) == 0);
}

/* Length of a label and its date at the start of a line, or 0. */
static size_t labelled_date(const char *text, size_t len, char out[32])
{
    static const char *const labels[] = {"date published", "date",       "published on",
                                         "published",      "posted on",  "posted",
                                         "last updated",   "updated on", "updated"};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        size_t n = strlen(labels[i]);
        if (len <= n || !ascii_same(text, labels[i], n)) continue;
        size_t at = skip_space(text, len, n);
        bool colon = at < len && text[at] == ':';
        at = skip_space(text, len, at + colon);
        if (at == n) continue;
        size_t used = date_scan(text + at, len - at, out);
        bool sure = colon || strcmp(labels[i], "date") == 0;
        if (used && (sure || is_date_tail(text + at + used, len - at - used))) return at + used;
    }
    return 0;
}

/* Length of the part of a line up to the next bar (| or a raised point). */
static size_t part_len(const char *text, size_t len, size_t *bar)
{
    for (size_t at = 0; at < len; at++) {
        *bar = text[at] == '|' ? 1 : 0;
        if (len - at >= 2 && memcmp(text + at, "\xc2\xb7", 2) == 0) *bar = 2;
        if (len - at >= 3 && memcmp(text + at, "\xe2\x80\xa2", 3) == 0) *bar = 3;
        if (*bar) return at;
    }
    *bar = 0;
    return len;
}

/* A line, or a part of it between bars, that is nothing but a date. */
static bool is_date_line(const char *text, size_t len, char out[32])
{
    char found[32];
    if (len > DATE_LINE_MAX_BYTES) return false;
    for (size_t at = 0, bar; at < len; at += bar) {
        size_t n = part_len(text + at, len - at, &bar);
        size_t start = at, end = at + n;
        line_trim(text, &start, &end);
        size_t used = start < end ? date_scan(text + start, end - start, found) : 0;
        if (!used && start < end) used = labelled_date(text + start, end - start, found);
        if (used && is_date_tail(text + start + used, end - start - used)) {
            memcpy(out, found, sizeof found);
            return true;
        }
        at = at + n;
        if (!bar) break;
    }
    return false;
}

/* Take a date from the line, if it says one; what stands behind a label stays the line. */
static void take_date(head *h, line *l)
{
    char found[32];
    const char *text = h->text + l->start;
    size_t n = l->end - l->start;
    if (is_date_line(text, n, found)) {
        add_span(h, l->start, l->end, "date line");
        l->start = l->end;
    } else {
        size_t used = labelled_date(text, n, found);
        if (!used) return;
        add_span(h, l->start, l->start + used, "date");
        l->start += used;
        line_trim(h->text, &l->start, &l->end);
    }
    if (!h->out->date[0]) memcpy(h->out->date, found, sizeof found);
}

/* ---- lines ---------------------------------------------------------------------------------- */

static bool is_mark_at(const head *h, size_t at, size_t end, const char *mark)
{
    size_t n = strlen(mark);
    return end - at > n && memcmp(h->text + at, mark, n) == 0;
}

/* Where a heading that begins with a blank ends, without marks that close it: "C#" has none. */
static size_t heading_end(const char *text, size_t end)
{
    size_t at = end;
    while (text[at - 1] == '#') at--;
    return text[at - 1] == ' ' || text[at - 1] == '\t' ? at : end;
}

/* Heading marks on both sides, or the mark of a list or a quotation in front. */
static void strip_block_marks(const head *h, line *l)
{
    size_t at = l->start;
    while (at < l->end && h->text[at] == '#' && at - l->start < 6) at++;
    if (at > l->start && at < l->end && (h->text[at] == ' ' || h->text[at] == '\t')) {
        l->heading = true;
        l->start = at;
        l->end = heading_end(h->text, l->end);
    } else if (is_mark_at(h, l->start, l->end, "- ") || is_mark_at(h, l->start, l->end, "* ") ||
               is_mark_at(h, l->start, l->end, "> ")) {
        l->start += 2;
    }
    line_trim(h->text, &l->start, &l->end);
}

/* Whether n such marks close an emphasis within the text: "a** and **b" are two, "_a_b_" is one. */
static bool closes_inside(const char *text, size_t len, char mark, size_t n)
{
    for (size_t at = 0, end; at < len; at = end + 1) {
        for (end = at; end < len && text[end] == mark;) end++;
        bool closes = end - at == n && at && !line_space_at(text, len, at - 1);
        if (closes && (mark != '_' || end == len || !line_is_word(text[end]))) return true;
    }
    return false;
}

static void strip_emphasis(const head *h, line *l)
{
    static const char *const marks[] = {"***", "**", "__", "*", "_"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t n = strlen(marks[i]);
        if (l->end - l->start <= 2 * n || memcmp(h->text + l->start, marks[i], n) != 0 ||
            memcmp(h->text + l->end - n, marks[i], n) != 0)
            continue;
        if (closes_inside(h->text + l->start + n, l->end - l->start - 2 * n, marks[i][0], n))
            return;
        l->start += n;
        l->end -= n;
    }
}

/* Images and tags in front. */
static void strip_inline_markup(const head *h, line *l)
{
    size_t used;
    while ((used = line_inline_markup(h->text + l->start, l->end - l->start)) != 0) {
        l->start += used;
        line_trim(h->text, &l->start, &l->end);
    }
}

/* Narrow a line of Markdown to its words: past images, tags, heading and list marks, emphasis
 * around it.  A heading without words is none. */
static void strip_marks(const head *h, line *l)
{
    strip_inline_markup(h, l);
    strip_block_marks(h, l);
    strip_inline_markup(h, l);
    strip_emphasis(h, l);
    if (l->start == l->end) l->heading = false;
}

/* The next non-blank line from *at on; *blank tells whether blank ones stood before it. */
static bool next_line(const head *h, size_t *at, line *out, bool *blank)
{
    *blank = false;
    while (*at < h->len) {
        size_t end = *at;
        while (end < h->len && h->text[end] != '\n' && h->text[end] != '\r') end++;
        *out = (line){.start = *at, .end = end, .raw_end = end};
        *at = end;
        if (end < h->len)
            *at += h->text[end] == '\r' && end + 1 < h->len && h->text[end + 1] == '\n' ? 2 : 1;
        line_trim(h->text, &out->start, &out->end);
        if (out->start < out->end) return true;
        *blank = true;
    }
    return false;
}

static bool starts_lower(const head *h, const line *l)
{
    return h->text[l->start] >= 'a' && h->text[l->start] <= 'z';
}

static bool is_underline(const head *h, const line *l)
{
    char mark = h->text[l->start];
    if ((mark != '=' && mark != '-') || l->end - l->start < 3) return false;
    for (size_t i = l->start; i < l->end; i++)
        if (h->text[i] != mark) return false;
    return true;
}

/* What a line says of the one above it: text that runs on, or an underlined heading. */
static void see_attached(const head *h, line *above, const line *l)
{
    if (above->kind != LINE_HEADLINE || above->start == above->end) return;
    if (h->markdown && is_underline(h, l))
        above->heading = true;
    else if (starts_lower(h, l) && !above->heading)
        above->kind = LINE_PARAGRAPH;
}

/* Lines up to the first paragraph and the line behind it, which may show that a line above
 * is running text. */
static void read_head(head *h)
{
    size_t at = 0;
    line l;
    bool blank;
    while (h->n < HEAD_LINES && next_line(h, &at, &l, &blank)) {
        l.attached = h->n && !blank;
        if (l.attached) see_attached(h, &h->lines[h->n - 1], &l);
        if (h->n && h->lines[h->n - 1].kind == LINE_PARAGRAPH) return;
        take_date(h, &l);
        if (h->markdown && l.start < l.end) strip_marks(h, &l);
        if (l.start == l.end)
            l.kind = LINE_MARKUP;
        else
            l.kind = l.heading ? LINE_HEADLINE : line_find_kind(h->text + l.start, l.end - l.start);
        h->lines[h->n++] = l;
    }
}

/* ---- choosing ----------------------------------------------------------------------------- */

static size_t words_of(const head *h, const line *l)
{
    return line_count_words(h->text + l->start, l->end - l->start);
}

/* A section label: few words, and a fuller headline close below. */
static bool is_label(const head *h, size_t i)
{
    if (h->lines[i].heading || words_of(h, &h->lines[i]) > LABEL_MAX_WORDS) return false;
    for (size_t j = i + 1; j < h->n && j <= i + LABEL_REACH; j++)
        if (h->lines[j].kind == LINE_HEADLINE && words_of(h, &h->lines[j]) >= HEADLINE_MIN_WORDS)
            return true;
    return false;
}

static size_t pick_headline(head *h)
{
    for (size_t i = 0; h->markdown && i < h->n; i++)
        if (h->lines[i].heading) return i;
    for (size_t i = 0; i < h->n; i++)
        if (h->lines[i].kind == LINE_HEADLINE && !is_label(h, i)) return i;
    return h->n;
}

/* The line that text begins with, or failing that any line with words in it. */
static size_t pick_text(const head *h)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->lines[i].kind == LINE_PARAGRAPH) return i;
    for (size_t i = 0; i < h->n; i++)
        if (h->lines[i].kind == LINE_CAPTION || h->lines[i].kind == LINE_BYLINE) return i;
    return h->n;
}

/* Where the paragraph that line l begins ends: at a blank line. */
static size_t paragraph_end(const head *h, const line *l)
{
    size_t at = l->raw_end, end = l->end;
    line next;
    bool blank;
    at += at < h->len && h->text[at] == '\r' && at + 1 < h->len && h->text[at + 1] == '\n';
    at += at < h->len;
    while (end - l->start < PARAGRAPH_MAX && next_line(h, &at, &next, &blank) && !blank)
        end = next.end;
    return end;
}

static size_t count_chars(const char *text, size_t len)
{
    size_t chars = 0;
    for (size_t i = 0; i < len; i++) chars += ((unsigned char)text[i] & 0xc0) != 0x80;
    return chars;
}

/* Bytes of text up to the last space within `chars` characters; all of the first word when it
 * is longer than that, within reason. */
static size_t cut_at_word(const char *text, size_t len, size_t chars)
{
    size_t cut = 0, seen = 0, at = 0;
    for (; at < len && (seen <= chars || !cut); at++) {
        if (((unsigned char)text[at] & 0xc0) == 0x80) continue;
        if (line_space_at(text, len, at)) cut = at;
        if (!cut && at >= WORD_MAX_BYTES) return at;
        seen++;
    }
    return cut ? cut : at;
}

static size_t drop_trailing_marks(const char *text, size_t start, size_t end)
{
    while (end > start && strchr(",;:-", text[end - 1]) && text[end - 1]) end--;
    while (end - start >= 3 && (memcmp(text + end - 3, "\xe2\x80\x93", 3) == 0 ||
                                memcmp(text + end - 3, "\xe2\x80\x94", 3) == 0))
        end -= 3;
    size_t from = start;
    line_trim(text, &from, &end);
    return end;
}

static void use_sentence(head *h, size_t i)
{
    const line *l = &h->lines[i];
    size_t len = paragraph_end(h, l) - l->start;
    const char *text = h->text + l->start;
    title *t = h->out;
    len = line_sentence_end(text, len);
    t->rule = "first-sentence";
    t->start = l->start;
    if (count_chars(text, len) > TITLE_MAX_CHARS) {
        size_t cut = cut_at_word(text, len, TITLE_CUT_CHARS);
        t->shortened = cut < len;
        len = cut;
    } else if (len > 1 && text[len - 1] == '.' && text[len - 2] != '.' &&
               !line_is_abbreviation(text, len - 1)) {
        len--;
    }
    t->end = drop_trailing_marks(h->text, t->start, t->start + len);
}

static void note_furniture(head *h, size_t before)
{
    for (size_t i = 0; i < before; i++) {
        const line *l = &h->lines[i];
        const char *why = line_kind_why(l->kind);
        if (l->kind == LINE_HEADLINE) why = "section label";
        if (why) add_span(h, l->start, l->end, why);
    }
}

void title_find(const char *text, size_t len, bool markdown, title *out)
{
    *out = (title){.rule = "none"};
    head h = {.text = text, .len = len, .markdown = markdown, .out = out};
    read_head(&h);
    size_t i = pick_headline(&h);
    if (i < h.n) {
        out->start = h.lines[i].start;
        out->end = h.lines[i].end;
        bool first = i == 0 && (!out->n_spans || out->spans[0].start > out->start);
        out->rule = first ? "first-line" : "after-caption";
        note_furniture(&h, i);
        return;
    }
    i = pick_text(&h);
    if (i == h.n) return;
    use_sentence(&h, i);
    note_furniture(&h, i);
}

void title_copy(buf *out, const char *text, const title *t)
{
    size_t space;
    bool pending = false;
    for (size_t at = t->start; at < t->end; at += space ? space : 1) {
        space = line_space_at(text, t->end, at);
        if (space) {
            pending = true;
            continue;
        }
        if (pending) buf_u8(out, ' ');
        pending = false;
        buf_u8(out, (uint8_t)text[at]);
    }
    if (t->shortened) buf_append_str(out, "\xe2\x80\xa6");
}
