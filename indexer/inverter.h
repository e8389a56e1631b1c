/* SPDX-License-Identifier: MIT
 * inverter.h - articles in, the posting lists and surface forms of one segment out.
 *
 *   inverter_add    for each article, document numbers from 0: its tokens join a stream
 *   inverter_write  all keys in order, then all forms, into a segment_writer
 *   inverter_reset  the next segment starts
 *
 * Positions: title tokens 0, 1, ...; one position is left out before the body, which begins at
 * 0 when the title has no token.  When the title is a part of the body its span is not
 * indexed a second time: the tokens wholly inside it are left out, and a position between the
 * words before and after it, so that they do not become neighbours.
 */
#ifndef PM_INDEXER_INVERTER_H
#define PM_INDEXER_INVERTER_H

#include "common/text/analyzer.h"
#include "indexer/segment_writer.h"

typedef struct inverter inverter;

enum {
    INVERTER_TOKENS_MAX = 1 << 30, /* of one segment; where inverter_full turns true       */
    INVERTER_DOCS_MAX = 1 << 30,
};

/* Borrows the analyzer, whose form table it shares from one segment to the next. */
pm_status inverter_open(inverter **out, analyzer *a, bool has_positions, pm_error *err);
void inverter_close(inverter *iv);

/* Add one article (valid UTF-8): *dl is its number of tokens.  PM_USAGE: with it inverter_memory
 * would come to more than `most`.  After a failure the inverter is as it was before the call, but
 * for the forms that it has met. */
pm_status inverter_add(inverter *iv, const pm_article *article, uint64_t most, uint32_t *dl,
                       pm_error *err);
uint32_t inverter_n_docs(const inverter *iv);
/* Bytes that the inverter and its form table will need at most when it is written: counted
 * from tokens, forms and documents, the same on every machine (INV-5).  Twice too many where
 * nothing is known of the longest list but how many tokens there are. */
uint64_t inverter_memory(const inverter *iv);
/* Whether that is more than `most`.  Where it seems so, the longest list is measured first:
 * O(forms), from twice in a large batch to eight times in a small one. */
bool inverter_exceeds(inverter *iv, uint64_t most);
/* The part of it that forms take, which reset keeps unless told otherwise. */
uint64_t inverter_forms_memory(const inverter *iv);
/* Bytes of its tokens, documents and fields as they are. */
uint64_t inverter_stream_memory(const inverter *iv);
/* True when a 32-bit number of the segment comes near its end. */
bool inverter_full(const inverter *iv);

/* Hand every key and form to w, whose documents are done; the same ones for any number of
 * threads. */
pm_status inverter_write(inverter *iv, unsigned threads, segment_writer *w, pm_error *err);
void inverter_reset(inverter *iv, bool forget_forms);

#endif
