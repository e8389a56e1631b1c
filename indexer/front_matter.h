/* SPDX-License-Identifier: MIT
 * front_matter.h - the YAML block between --- lines at the start of a Markdown file.
 *
 * Takes text, gives the block as a JSON object (scalars as strings) and where the body starts.
 * YAML is read by events, so nothing is ever expanded: anchors, aliases and tags are refused,
 * depth and size are bounded.  A block that is no such YAML (`title: Foo: bar`) is read line
 * by line as `key: value`; nothing that stands between the --- lines is ever an error.
 */
#ifndef PM_INDEXER_FRONT_MATTER_H
#define PM_INDEXER_FRONT_MATTER_H

#include "common/base/error.h"

#include <jansson.h>

enum { FRONT_MATTER_MAX_BYTES = 64 * 1024, FRONT_MATTER_MAX_DEPTH = 16 };

/* Where the block stands in the text: [start, end), and the body from `body` on.  False when
 * there is none: no --- line at the very start, or no closing --- or ... line within
 * FRONT_MATTER_MAX_BYTES. */
typedef struct front_matter_span {
    size_t start, end, body;
} front_matter_span;
bool front_matter_find(const char *text, size_t len, front_matter_span *out);

/* The block (valid UTF-8) as an object, owned by the caller (json_decref). */
pm_status front_matter_parse(const char *block, size_t len, json_t **out, pm_error *err);

#endif
