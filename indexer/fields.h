/* SPDX-License-Identifier: MIT
 * fields.h - the keys of a JSON object or of front matter to the fields of an article.
 *
 * Takes a JSON object, fills a document.  One table says which key feeds which field, in
 * order of preference; the first that has a value wins and all other keys, known or not, go
 * into `extra` as a compact JSON object.  Numbers and truth values are kept as text; of
 * lists, tags are joined by U+001F, authors by ", ", all else by newlines.
 */
#ifndef PM_INDEXER_FIELDS_H
#define PM_INDEXER_FIELDS_H

#include "indexer/document.h"

#include <jansson.h>

typedef enum fields_kind { FIELDS_JSONL, FIELDS_FRONT_MATTER } fields_kind;

/* Texts borrow from `object` (its used keys are kept alive by it) and from d. */
pm_status fields_take(document *d, json_t *object, fields_kind kind, pm_error *err);

#endif
