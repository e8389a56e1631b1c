/* SPDX-License-Identifier: MIT
 *
 * query_print.c - a query tree as text: how a query was understood.
 *
 * The canonical form parses to the same tree again (tables/query.txt checks it); notes follow
 * in brackets.  Words are shown folded, not stemmed, and acronyms in capitals.
 */
#include <stdio.h>

#include "common/base/number.h"
#include "searcher/query.h"

static void put_text(buf *out, pm_text text)
{
    buf_append(out, text.data, text.len);
}

/* Capitals of more than four letters are an acronym only with points. */
static void put_marker(buf *out, pm_text marker)
{
    size_t letters = 0;
    for (size_t at = 0; at < marker.len; letters++) utf8_next(marker.data, marker.len, &at);
    for (size_t at = 0, from = 0; at < marker.len; from = at) {
        utf8_next(marker.data, marker.len, &at);
        buf_append(out, marker.data + from, at - from);
        if (letters > 4) buf_u8(out, '.');
    }
}

static void put_boost(buf *out, double boost)
{
    char number[40];
    if (boost == 1.0) return;
    number_print(number, sizeof number, "^%.9f", boost < QUERY_BOOST_MAX ? boost : QUERY_BOOST_MAX);
    size_t len = strlen(number);
    while (number[len - 1] == '0') len--;
    if (number[len - 1] == '.') len--;
    buf_append(out, number, len);
}

static void put_leaf(buf *out, const query_node *node)
{
    if (node->kind == QUERY_FILTER) {
        put_text(out, node->filter->shown);
        return;
    }
    if (node->title) buf_append_str(out, "title:");
    if (node->kind == QUERY_WORD) {
        const query_word *word = &node->words[0];
        if (word->marker.len)
            put_marker(out, word->marker);
        else
            put_text(out, word->folded);
        return;
    }
    buf_u8(out, '"');
    for (uint32_t i = 0; i < node->n_words; i++) {
        if (i) buf_u8(out, ' ');
        put_text(out, node->words[i].folded);
    }
    buf_u8(out, '"');
    if (node->kind == QUERY_NEAR) {
        char slop[16];
        snprintf(slop, sizeof slop, "~%u", node->slop);
        buf_append_str(out, slop);
    }
}

static const char *separator(const query_node *node)
{
    if (node->kind == QUERY_OR) return " OR ";
    return node->kind == QUERY_AND || node->fixed ? " AND " : " ";
}

/* under_list: the parent is a neighbour list, where signs are written as signs. */
static void put_node(buf *out, const query_node *node, bool root, bool under_list)
{
    if (node->sign == SIGN_MUST) buf_u8(out, '+');
    if (node->sign == SIGN_NOT) buf_append_str(out, under_list ? "-" : "NOT ");
    if (query_is_leaf(node)) {
        put_leaf(out, node);
    } else {
        bool bare = root && node->sign == SIGN_PLAIN && node->boost == 1.0;
        bool list = node->kind == QUERY_LIST && !node->fixed;
        if (!bare) buf_u8(out, '(');
        for (const query_node *child = node->first; child; child = child->next) {
            if (child != node->first) buf_append_str(out, separator(node));
            put_node(out, child, false, list);
        }
        if (!bare) buf_u8(out, ')');
    }
    put_boost(out, node->boost);
}

pm_status query_print(const query *q, arena *a, pm_text *out, pm_error *err)
{
    buf text = {.arena = a};
    if (q->root) put_node(&text, q->root, true, true);
    for (uint32_t i = 0; i < q->n_notes; i++) {
        buf_append_str(&text, i ? "; " : q->root ? " [" : "[");
        buf_append_str(&text, q->notes[i].text);
    }
    if (q->n_notes) buf_u8(&text, ']');
    out->len = text.len;
    buf_u8(&text, 0);
    out->data = text.failed ? NULL : (const char *)text.data;
    if (!out->data) out->len = 0;
    return out->data ? PM_OK : error_nomem(err);
}
