/* SPDX-License-Identifier: MIT
 *
 * source.h - the text of an article from the file that it was indexed from, for an index that
 * keeps no text.
 *
 * Takes a stored record, completes the article that was decoded from it.  A file counts only
 * while its size and time are those that the record names, before and after it was read, or
 * while its size is and its bytes have the hash that the record names (it was copied or checked
 * out anew); anything else about it is not an error but an article without text.
 */
#ifndef PM_SEARCHER_SOURCE_H
#define PM_SEARCHER_SOURCE_H

#include "common/segment/store.h"

/* Set text and the title's span of *article, or `text_missing`.  The text borrows from *text.
 * Only refused memory is an error. */
pm_status source_text(slice record, pm_article *article, buf *text, pm_error *err);

#endif
