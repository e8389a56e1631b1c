/* SPDX-License-Identifier: MIT
 * line_kind.h - what one line near the top of an article is: headline, text or furniture.
 *
 * Takes a line (trimmed, UTF-8), says its kind by its look alone: length, closing
 * punctuation, credits, markup.  No line is removed by this; it decides what may be a title.
 */
#ifndef PM_INDEXER_LINE_KIND_H
#define PM_INDEXER_LINE_KIND_H

#include <stdbool.h>
#include <stddef.h>

typedef enum line_kind {
    LINE_HEADLINE,  /* short, does not close like a sentence                              */
    LINE_PARAGRAPH, /* text                                                               */
    LINE_CAPTION,   /* of a photo, with its credit                                        */
    LINE_BYLINE,    /* "By Some One"                                                      */
    LINE_MARKUP,    /* a rule, an image, a tag, a short code, a bare URL                   */
    LINE_NOTICE     /* "Advertisement", "Skip to content"                                  */
} line_kind;

line_kind line_find_kind(const char *line, size_t len);
/* Why a kind is furniture, for reports; NULL for headlines and text. */
const char *line_kind_why(line_kind kind);

/* Number of words, by white space. */
size_t line_count_words(const char *line, size_t len);

/* Length of the image, short code or tag that a line of Markdown begins with, or 0. */
size_t line_inline_markup(const char *text, size_t len);

/* Where the first sentence of text ends: behind its closing punctuation and quotes, or len. */
size_t line_sentence_end(const char *text, size_t len);
/* Whether the point at text[at] belongs to an abbreviation or an initial. */
bool line_is_abbreviation(const char *text, size_t at);

/* Whether a byte may be one of a word: letters, digits, and all beyond ASCII. */
bool line_is_word(char c);
/* Length of the white space (ASCII and U+00A0) at text[at]; 0 when there is none. */
size_t line_space_at(const char *text, size_t len, size_t at);
/* Narrow [*start, *end) by the white space at both ends. */
void line_trim(const char *text, size_t *start, size_t *end);

#endif
