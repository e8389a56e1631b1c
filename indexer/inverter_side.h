/* SPDX-License-Identifier: MIT
 * inverter_side.h - articles analysed by another thread, beside the inverter's own.
 *
 *   side_read       (the other thread) an article to a side_stream, by an analyzer of its own
 *   inverter_learn  each stream, in order of the articles, whether it is then added or not
 *   inverter_add_stream   instead of inverter_add
 *
 * A stream speaks of the other analyzer's forms; the inverter gives a form an id of its own
 * when its first word is added.  So ids, memory counted and all that follows from them are as
 * if one analyzer had met all words in order (INV-5), whichever articles came as streams.
 */
#ifndef PM_INDEXER_INVERTER_SIDE_H
#define PM_INDEXER_INVERTER_SIDE_H

#include "indexer/inverter.h"

typedef struct side_stream {
    uint32_t *tokens; /* as in inverter_internal.h, with ids of the other analyzer            */
    size_t n_tokens, tokens_cap;
    uint32_t n_title;   /* tokens of the title, which come first                          */
    const form **fresh; /* forms met for the first time, in order of their ids            */
    size_t n_fresh, fresh_cap;
    uint32_t epoch; /* how often the other analyzer has forgotten its forms, plus one        */
} side_stream;      /* valid when zeroed */

void side_stream_free(side_stream *s);

typedef struct side_reader {
    analyzer *a;
    uint32_t seen, epoch; /* forms that streams have spoken of                               */
} side_reader;

pm_status side_open(side_reader *r, const char *lang, pm_error *err);
void side_close(side_reader *r);
/* Analyse an article whose title is not a part of its text.  After a failure the reader is of
 * no more use. */
pm_status side_read(side_reader *r, const pm_article *article, side_stream *out, pm_error *err);
/* Start with an empty form table.  Every stream must have been learnt and used. */
void side_forget(side_reader *r);

/* NULL: there will be no more streams of that reader. */
pm_status inverter_learn(inverter *iv, const side_stream *s, pm_error *err);
/* The article is that of the stream: its fields are not in it. */
pm_status inverter_add_stream(inverter *iv, const side_stream *s, const pm_article *article,
                              uint32_t *dl, pm_error *err);

#endif
