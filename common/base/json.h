/* SPDX-License-Identifier: MIT
 * json.h - JSON by jansson, when memory may be refused.
 */
#ifndef PM_BASE_JSON_H
#define PM_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* json_loadb with JSON_ALLOW_NUL.  NULL: not JSON, of which *why (may be NULL) tells, or memory
 * was refused, which *refused tells.  Four times `len` is asked for meanwhile. */
json_t *json_read(const char *text, size_t len, json_error_t *why, bool *refused);

#endif
