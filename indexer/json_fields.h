/* SPDX-License-Identifier: MIT
 * json_fields.h - the members of a scanned line to the fields of a document.
 *
 * Takes what json_scan found, fills a document by the rules of fields.h, to the byte as
 * fields_take would from the same line.  Texts are decoded once, into the document's buffer.
 */
#ifndef PM_INDEXER_JSON_FIELDS_H
#define PM_INDEXER_JSON_FIELDS_H

#include "indexer/document.h"
#include "indexer/json_scan.h"

/* The document, freshly reset, owns all its texts.  *left when a field holds what only
 * fields_take can make text of (an object); the document is then to be reset. */
pm_status json_fields_take(document *d, const json_object_scan *object, bool *left, pm_error *err);

#endif
