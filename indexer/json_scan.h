/* SPDX-License-Identifier: MIT
 * json_scan.h - one line of JSON (RFC 8259) to the members of its object, in one pass.
 *
 * Takes bytes, gives spans of them: nothing is copied or decoded until it is asked for, so
 * that a line costs little more than a look at its bytes, eight at a time.  As strict as the
 * library behind json_line.h: UTF-8, escapes, numbers, no byte after the object.  That
 * library is its twin in the tests, and reads the lines that this one refuses or leaves.
 */
#ifndef PM_INDEXER_JSON_SCAN_H
#define PM_INDEXER_JSON_SCAN_H

#include "common/base/bytes.h"

enum { JSON_SCAN_DEPTH_MAX = 64, JSON_SCAN_MEMBERS_MAX = 64 };

typedef enum json_kind {
    JSON_KIND_NULL,
    JSON_KIND_FALSE,
    JSON_KIND_TRUE,
    JSON_KIND_INTEGER, /* fits 64 bits                                                     */
    JSON_KIND_REAL,
    JSON_KIND_STRING,
    JSON_KIND_LIST,
    JSON_KIND_OBJECT
} json_kind;

/* A value as it stands in the line; a string without its quotes. */
typedef struct json_part {
    const char *at;
    size_t len;
    json_kind kind;
    bool escaped; /* a string with a backslash in it                                        */
} json_part;

typedef struct json_member {
    json_part key, value;
} json_member;

/* The members of one object in the order of the line; duplicate keys are all there. */
typedef struct json_object_scan {
    json_member members[JSON_SCAN_MEMBERS_MAX];
    size_t n;
} json_object_scan;

typedef enum json_verdict {
    JSON_SCANNED,
    JSON_REFUSED, /* not an object of valid JSON                                            */
    JSON_LEFT     /* beyond what is read here: many members, or a number near overflow      */
} json_verdict;

/* Whether digits, without leading zeros, are a number of 64 bits with this sign. */
bool json_scan_fits(const char *digits, size_t n, bool negative);

/* Parts borrow from the line. */
json_verdict json_scan(json_object_scan *out, const char *line, size_t len);

/* The elements of a scanned list: the next one from *at, false at the end.  *at is 0 at first. */
bool json_scan_element(const json_part *list, size_t *at, json_part *out);

/* Append the text of a scanned string; it is never longer than the part. */
void json_scan_decode(buf *out, const json_part *string);

#endif
