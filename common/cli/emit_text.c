/* SPDX-License-Identifier: MIT
 *
 * emit_text.c - a result for a person.
 *
 *     1. Title of the article  (2025-09-19 · source)  4.2513
 *        003_49c9dfdcf3ca4ea9.txt
 *        ... a snippet, wrapped on a terminal, its matched words in bold ...
 *
 * Everything that comes from an article passes through sanitize_append.
 */
#include <stdio.h>

#include "common/base/bytes.h"
#include "common/cli/emit.h"
#include "common/cli/emit_hits.h"
#include "common/cli/sanitize.h"

#define BOLD  "\033[1m"
#define MATCH "\033[1;31m"
#define FAINT "\033[2m"
#define PLAIN "\033[0m"

enum { INDENT = 4 };

static void put_buf(buf *out)
{
    if (out->failed)
        emit_refused();
    else
        emit_data((const char *)out->data, out->len);
    buf_free(out);
}

static void put_colored(buf *out, bool color, const char *code, pm_text text, unsigned mode)
{
    if (color) buf_append_str(out, code);
    sanitize_append(out, text.data, text.len, mode);
    if (color) buf_append_str(out, PLAIN);
}

/* The state of wrapping one snippet. */
typedef struct wrap {
    const pm_hit *hit;
    const text_style *style;
    buf *out;
    size_t column, next; /* next: first highlight that does not end before here          */
    bool lit;
} wrap;

static size_t word_width(const unsigned char *p, size_t len)
{
    size_t width = 0;
    const unsigned char *end = p + len;
    while (p < end) {
        uint32_t code = 0;
        size_t n = sanitize_decode(p, end, &code);
        width += n && !sanitize_is_hidden(code) ? sanitize_width(code) : 1;
        p += n ? n : 1;
    }
    return width;
}

/* Bytes [from, to) of the snippet, switching the highlight where it begins and ends. */
static void put_lit(wrap *w, size_t from, size_t to)
{
    const pm_hit *hit = w->hit;
    while (from < to) {
        while (w->next < hit->n_highlights && hit->highlights[w->next].end <= from) w->next++;
        const pm_highlight *h = w->next < hit->n_highlights ? &hit->highlights[w->next] : NULL;
        bool lit = h && h->start <= from;
        size_t stop = !h ? to : lit ? h->end : h->start;
        if (stop > to) stop = to;
        if (lit != w->lit && w->style->color) buf_append_str(w->out, lit ? MATCH : PLAIN);
        w->lit = lit;
        sanitize_append(w->out, hit->snippet.data + from, stop - from, SAFE_LINE);
        from = stop;
    }
}

static void end_lit(wrap *w)
{
    if (w->lit && w->style->color) buf_append_str(w->out, PLAIN);
    w->lit = false;
}

static void break_line(wrap *w)
{
    end_lit(w);
    buf_append_str(w->out, "\n    ");
    w->column = INDENT;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void put_snippet(buf *out, const pm_hit *hit, const text_style *style)
{
    wrap w = {hit, style, out, INDENT, 0, false};
    const char *s = hit->snippet.data;
    size_t at = 0, len = hit->snippet.len;
    buf_append_str(out, "    ");
    while (at < len) {
        size_t blank = at;
        while (blank < len && is_blank(s[blank])) blank++;
        size_t end = blank;
        while (end < len && !is_blank(s[end])) end++;
        size_t width = word_width((const unsigned char *)s + blank, end - blank);
        bool first = w.column == INDENT;
        if (!first && style->width && w.column + 1 + width > style->width) {
            break_line(&w);
        } else if (!first && blank > at && end > blank) {
            put_lit(&w, blank - 1, blank);
            w.column++;
        }
        put_lit(&w, blank, end);
        w.column += width;
        at = end;
    }
    end_lit(&w);
    buf_append_str(out, "\n");
}

static void put_headline(buf *out, const pm_hit *hit, const text_style *style)
{
    static const char untitled[] = "(no title)";
    char number[48];
    snprintf(number, sizeof(number), "%2llu. ", (unsigned long long)hit->rank);
    buf_append_str(out, number);
    pm_text title = hit->title.len ? hit->title : (pm_text){untitled, sizeof(untitled) - 1};
    put_colored(out, style->color, BOLD, title, SAFE_LINE);
    if (hit->date.len || hit->source.len) {
        buf_append_str(out, "  (");
        sanitize_append(out, hit->date.data, hit->date.len, SAFE_LINE);
        if (hit->date.len && hit->source.len) buf_append_str(out, " \xc2\xb7 ");
        sanitize_append(out, hit->source.data, hit->source.len, SAFE_LINE);
        buf_append_str(out, ")");
    }
    snprintf(number, sizeof(number), "  %.4f\n", hit->score);
    buf_append_str(out, number);
}

/* "term: contribution = weight * idf * tf * (k1 + 1) / (tf + norm)", with numbers. */
static void put_explain(buf *out, const pm_hit *hit, double k1)
{
    char line[240];
    for (size_t i = 0; i < hit->n_explain; i++) {
        const pm_explain *part = &hit->explain[i];
        buf_append_str(out, "    ");
        sanitize_append(out, part->term.data, part->term.len, SAFE_LINE);
        snprintf(
            line, sizeof(line),
            ": %.6f = %.6g * idf %.6f * tf %llu * (k1 %g + 1) / (tf %llu + norm %.6f), df %llu\n",
            part->contribution, part->weight, part->idf, (unsigned long long)part->tf, k1,
            (unsigned long long)part->tf, part->norm, (unsigned long long)part->df);
        buf_append_str(out, line);
    }
}

static void emit_hit(const pm_hit *hit, const text_style *style, double k1)
{
    buf out = {0};
    put_headline(&out, hit, style);
    buf_append_str(&out, "    ");
    put_colored(&out, style->color, FAINT, hit->id, SAFE_NAME);
    buf_append_str(&out, "\n");
    if (style->snippets && hit->snippet.len) put_snippet(&out, hit, style);
    if (style->explain) put_explain(&out, hit, k1);
    put_buf(&out);
}

void emit_hits_text(const pm_result *result, const text_style *style)
{
    bool two_parts = style->terminal && result->match == PM_MATCH_AUTO && result->total_all > 0;
    for (size_t i = 0; i < result->n_hits; i++) {
        const pm_hit *hit = &result->hits[i];
        if (two_parts && hit->rank == result->total_all + 1) {
            emit_str("-- articles with some of the words:\n");
        }
        emit_hit(hit, style, result->k1);
    }
}
