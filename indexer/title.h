/* SPDX-License-Identifier: MIT
 * title.h - the title and date of an article that says them only in its text.
 *
 * Takes text, gives the span of the title in it, a date, and what was stepped over.  Rules,
 * in order, on the lines before the first paragraph:
 *   1. Markdown: the first heading;
 *   2. the first line that looks like a headline, past captions, bylines, markup, notices,
 *      and past one- or two-word section labels when a fuller headline follows closely;
 *   3. else the first sentence of the first paragraph, shortened at a word boundary.
 * A date counts only where it cannot be one of the story: a line of its own (or a part of a
 * line between bars), or behind a label such as "date" or "Published:" at a line's start.
 */
#ifndef PM_INDEXER_TITLE_H
#define PM_INDEXER_TITLE_H

#include "common/base/bytes.h"
#include "pressmark.h"

enum { TITLE_SPANS_MAX = 8, TITLE_MAX_CHARS = 100, TITLE_CUT_CHARS = 90 };

typedef struct title {
    size_t start, end; /* of the text; equal when there is no title                   */
    bool shortened;    /* the title is the beginning of a longer sentence             */
    const char *rule;  /* "first-line", "after-caption", "first-sentence", "none"     */
    char date[32];     /* canonical; empty when there is none                         */
    struct pm_span spans[TITLE_SPANS_MAX]; /* furniture                                    */
    size_t n_spans;
} title;

void title_find(const char *text, size_t len, bool markdown, title *out);
/* Append the title as it is shown: white space made single, and ... when shortened. */
void title_copy(buf *out, const char *text, const title *t);

#endif
