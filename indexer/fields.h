/* SPDX-License-Identifier: MIT
 * fields.h - the keys of a JSON object or of front matter to the fields of an article.
 *
 * Takes a JSON object, fills a document.  One table says which key feeds which field, in
 * order of preference; keys of front matter may be in any case.  The first that has a value wins
 * and all other keys, known or not, go into `extra` as a compact JSON object.  Numbers and truth
 * values are kept as text; of lists, tags are joined by U+001F, authors by "; " where one has a
 * comma ("Doe, Jane") and else by ", ", as sources are, all else by newlines or spaces.
 *
 * `numbers` are the spellings that the integers of an object of json_line.h stand for; NULL
 * for front matter, whose scalars are all text.
 */
#ifndef PM_INDEXER_FIELDS_H
#define PM_INDEXER_FIELDS_H

#include "indexer/document.h"

#include <jansson.h>

typedef enum fields_kind { FIELDS_JSONL, FIELDS_FRONT_MATTER } fields_kind;

enum { FIELD_KEYS_MAX = 5, FIELD_RULES = 9 };

/* Where a field comes from. */
typedef struct field_rule {
    size_t offset;                     /* of the pm_text in pm_article                      */
    const char *separator;             /* between the elements of a list                    */
    const char *jsonl[FIELD_KEYS_MAX]; /* keys by preference, ended by NULL                 */
    const char *front[FIELD_KEYS_MAX];
    bool all; /* the values of all keys, joined, instead of the first     */
} field_rule;
extern const field_rule field_rules[FIELD_RULES];

/* What stands between authors until it is known whether one has a comma, and the end of that; in
 * place. */
#define FIELDS_AUTHORS "\x1f "
void fields_punctuate(char *authors, size_t len);

/* a, separator, b; one of them when the other is empty. */
pm_text fields_join(document *d, pm_text a, const char *separator, pm_text b, bool *refused);
/* Append an object the way `extra` keeps it: compact, numbers as they were spelled. */
pm_status fields_dump(json_t *object, const buf *numbers, buf *out, pm_error *err);

/* Texts borrow from `object` (its used keys are kept alive by it), from `numbers` and from d. */
pm_status fields_take(document *d, json_t *object, const buf *numbers, fields_kind kind,
                      pm_error *err);

#endif
