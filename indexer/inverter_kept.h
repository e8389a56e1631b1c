/* SPDX-License-Identifier: MIT
 * inverter_kept.h - the tokens of a segment that was just written, kept in memory, so that a merge
 * with its neighbours inverts them once more and reads no posting list.
 *
 *   inverter_keep      before inverter_write: the stream stays when it is written
 *   inverter_take      after it: a copy of the stream, its documents and fields
 *   inverter_add_kept  for each segment of the merge, in order; then inverter_write again
 *
 * Small commits gain by it: to invert 1,000 short articles anew takes less than half the time of
 * merging ten segments of 100 (DECISIONS.md, Indexing).  The result is the same to the byte.
 */
#ifndef PM_INDEXER_INVERTER_KEPT_H
#define PM_INDEXER_INVERTER_KEPT_H

#include "indexer/inverter.h"

typedef struct kept_tokens kept_tokens;

void inverter_keep(inverter *iv);
/* Valid until the inverter forgets its forms.  NULL: memory is refused, or nothing was kept. */
kept_tokens *inverter_take(inverter *iv);
void kept_tokens_free(kept_tokens *k);

/* Bytes that it holds, counted from tokens, documents and fields. */
uint64_t kept_tokens_memory(const kept_tokens *k);
/* Tokens of its documents, those that have died since among them. */
uint64_t kept_tokens_count(const kept_tokens *k);
/* Bytes at most that adding it to an inverter and writing that takes, forms apart. */
uint64_t kept_tokens_cost(const kept_tokens *k);

/* Add all its documents but the dead (a bit a document; NULL: none).  False: memory is refused, or
 * tokens are too many for one segment; the inverter must then be reset. */
bool inverter_add_kept(inverter *iv, const kept_tokens *k, const uint64_t *dead);

/* From now on the inverter asks the analyzer for no form, but knows those there are, so that it can
 * be written and taken on another thread while another inverter adds articles.  Until it is closed
 * the analyzer must not forget its forms.  Nothing can be added any more.  8 bytes a form; false:
 * memory is refused. */
bool inverter_freeze(inverter *iv);
/* Bytes at most that it takes beside its tokens when it is written, of forms. */
uint64_t inverter_frozen_memory(const inverter *iv);

#endif
