/* SPDX-License-Identifier: MIT
 * inverter_side.h - articles analysed by another thread, beside the inverter's own.
 *
 *   side_read            (the other thread) an article to a side_stream, by an analyzer that
 *                        follows the inverter's
 *   inverter_knows       whether the inverter's analyzer still has the forms of which it speaks
 *   inverter_add_stream  then, instead of inverter_add
 *
 * A stream has the ids of words that the inverter's analyzer knew when they were read, and the
 * words that it did not know, which it learns when they are added.  So ids, memory counted and all
 * that follows from them are as if one analyzer had met all words in order (INV-5), whichever
 * articles came as streams.
 */
#ifndef PM_INDEXER_INVERTER_SIDE_H
#define PM_INDEXER_INVERTER_SIDE_H

#include "indexer/inverter.h"

/* The ids of a field, and the words between them. */
typedef struct side_part {
    size_t n_tokens, n_words;
} side_part;

typedef struct side_stream {
    uint32_t *tokens; /* as in inverter_internal.h                                         */
    analyzer_word *words;
    size_t tokens_cap, words_cap;
    side_part title, text; /* `at` of words counts tokens of both                            */
    uint32_t epoch;        /* of the ids; 0: nothing was read                               */
} side_stream;             /* valid when zeroed */

void side_stream_free(side_stream *s);

typedef struct side_reader {
    analyzer *a;
} side_reader;

/* On the inverter's thread, as side_close; `leader` is its analyzer. */
pm_status side_open(side_reader *r, analyzer *leader, pm_error *err);
void side_close(side_reader *r);
/* Analyse an article whose title is not a part of its text. */
pm_status side_read(side_reader *r, const pm_article *article, side_stream *out, pm_error *err);

bool inverter_knows(const inverter *iv, const side_stream *s);
/* The article is that of the stream: its fields are not in it. */
pm_status inverter_add_stream(inverter *iv, const side_stream *s, const pm_article *article,
                              uint32_t *dl, pm_error *err);

#endif
