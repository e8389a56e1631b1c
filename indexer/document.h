/* SPDX-License-Identifier: MIT
 * document.h - one article on its way from a source to the index.
 *
 * The noun that sources give: an article, the rules that found its title and date, and the
 * spans of its file that are furniture.  Texts borrow from what the source holds or from the
 * document's own memory; both live until the next document_reset.
 */
#ifndef PM_INDEXER_DOCUMENT_H
#define PM_INDEXER_DOCUMENT_H

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/base/mem.h"

enum { DOCUMENT_SPANS_MAX = 16, DOCUMENT_ID_MAX = 1024 };

typedef struct document {
    pm_article article;
    const char *title_rule, *date_rule; /* static; see pm_ingest_event                   */
    struct pm_span spans[DOCUMENT_SPANS_MAX];
    size_t n_spans;
    uint64_t repaired;      /* invalid sequences met while reading it                         */
    bool converted;         /* was in another encoding than UTF-8                             */
    bool verbatim;          /* the text is a span of the file, as the article says            */
    arena mem;              /* short texts: joined lists, numbers as text, made-up ids        */
    buf title, text, extra; /* long ones                                                  */
} document;                 /* valid when zeroed                                              */

void document_reset(document *d);
/* The same, and no more than `keep` bytes of each kind are held for the next one. */
void document_shrink(document *d, size_t keep);
void document_free(document *d);
/* Copy all texts of the article into the document, so that nothing is borrowed. */
pm_status document_keep(document *d, pm_error *err);
/* Note a span of the file as furniture; those beyond DOCUMENT_SPANS_MAX are not listed. */
void document_add_span(document *d, size_t start, size_t end, const char *why);

/* Bytes of all that it says, which are analysed, kept or both. */
static inline uint64_t article_bytes(const pm_article *a)
{
    return (uint64_t)a->title.len + a->text.len + a->url.len + a->source.len + a->author.len +
           a->tags.len + a->lang.len + a->extra.len;
}

static inline pm_text text_of(const char *s)
{
    return (pm_text){s, strlen(s)};
}
static inline pm_text text_of_buf(const buf *b)
{
    return (pm_text){(const char *)b->data, b->len};
}

#endif
