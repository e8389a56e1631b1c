/* SPDX-License-Identifier: MIT
 *
 * capitals.h - whether capitals mean something where a word stands: in a line (or query)
 * that is all capitals they do not, and `US` there may be the pronoun.
 *
 * Asked only for words of two to four capitals; each line is read at most once.
 */
#ifndef PM_TEXT_CAPITALS_H
#define PM_TEXT_CAPITALS_H

#include "common/text/tokenizer.h"

/* Valid when zeroed, for a text that is not a query. */
typedef struct capitals {
    bool query;
    bool known;      /* whether the fields below hold an answer                        */
    bool carry;      /* the answer                                                     */
    size_t line_end; /* of the line (or query) that it is for                          */
} capitals;

/* Whether the word, of two to four capitals, carries its marker.  Words of a text are asked
 * in order of their place. */
bool capitals_carry(capitals *c, const char *text, size_t len, const word_span *w);

#endif
