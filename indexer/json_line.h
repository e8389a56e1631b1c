/* SPDX-License-Identifier: MIT
 * json_line.h - one line of JSON Lines to an object.
 *
 * Takes bytes, gives a JSON object or the reason why not.  Of duplicate keys the last wins.
 * What a careless writer leaves is mended: invalid UTF-8 and lone surrogates become U+FFFD
 * (counted), integers beyond 64 bits become strings.  Depth is checked before parsing.
 *
 * Numbers are kept as text: each number of the object is an integer that says where its spelling
 * stands in `numbers`, ended by NUL.  So 1.50 stays 1.50 and 1e3 stays 1e3.
 */
#ifndef PM_INDEXER_JSON_LINE_H
#define PM_INDEXER_JSON_LINE_H

#include "common/base/bytes.h"
#include "common/base/error.h"

#include <jansson.h>

enum { JSON_LINE_MAX_DEPTH = 64, JSON_LINE_REASON_MAX = 160 };

/* *out is owned by the caller (json_decref), or NULL with `reason` filled; spellings are appended
 * to *numbers.  Only refused memory is an error. */
pm_status json_line_parse(const char *line, size_t len, json_t **out, buf *numbers,
                          uint64_t *repaired, char reason[JSON_LINE_REASON_MAX], pm_error *err);
/* The same of bytes that are known to be valid JSON. */
pm_status json_line_read_valid(const char *text, size_t len, json_t **out, buf *numbers,
                               pm_error *err);
/* Whether an object is made of the line in `most` bytes and what its strings take. */
bool json_line_fits(const char *line, size_t len, size_t most);
/* Whether the bytes, cut anywhere, begin with a line that is a JSON object. */
bool json_line_sniff(const char *data, size_t len, bool whole);

#endif
