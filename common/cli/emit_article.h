/* SPDX-License-Identifier: MIT
 *
 * emit_article.h - a stored article, for reading or as JSON.
 */
#ifndef PM_CLI_EMIT_ARTICLE_H
#define PM_CLI_EMIT_ARTICLE_H

#include <jansson.h>

#include "pressmark.h"

/* Title, id, date, source, author, url, tags (those it has), an empty line, the text. */
void emit_article_text(const pm_article *article);
/* id, title, text, date (or null), then the fields it has, then its further keys; what
 * it prints can be indexed again. */
json_t *emit_article_json(const pm_article *article);

#endif
