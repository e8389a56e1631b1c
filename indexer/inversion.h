/* SPDX-License-Identifier: MIT
 * inversion.h - a stream of tokens on its way to posting lists; shared by inverter_plan.c (which
 * keys there are), inverter_write.c (their lists) and inverter_bigrams.c.
 */
#ifndef PM_INDEXER_INVERSION_H
#define PM_INDEXER_INVERSION_H

#include "common/segment/layout.h"
#include "indexer/inverter_internal.h"
#include "indexer/keysort.h"

#define NO_ID UINT32_MAX

enum {
    PLACE_BLOCK = 256, /* tokens for which the document is known by a look-up              */
    PLACE_AHEAD = 24,  /* tokens that are asked for before their turn                      */
    LATE_INDEX = 255,  /* a form's index that is looked up when its list is written        */
};

typedef struct variant {
    const form *f;
    uint32_t term; /* in terms                                                         */
    uint32_t cf, df;
    uint32_t last_doc; /* document counted last, plus one                                  */
} variant;

typedef struct term_plan {
    const form *f;          /* any form with this stem                                     */
    uint32_t first_variant; /* variants first_variant + index, by index                    */
    uint32_t n_variants;
    uint32_t ordinal;
} term_plan;

typedef struct inversion {
    inverter *iv;
    segment_writer *w;
    uint32_t n_forms;
    uint32_t *form_cf;     /* by form id                                                */
    uint32_t *form_index;  /* by form id: of its variant; until ranked, in variants     */
    uint32_t *form_term;   /* by form id                                                */
    uint32_t *form_marker; /* by form id: in markers                                    */
    variant *variants;
    uint32_t n_variants;
    term_plan *terms;
    uint32_t n_terms;
    const form **markers; /* one form for each distinct marker, sorted                 */
    uint32_t n_markers;
    keysort_item *items, *scratch;
    uint32_t *ends;       /* by key: where its tokens end in places                      */
    uint32_t *places;     /* numbers of a class's tokens, by key                         */
    uint8_t *indexes;     /* plain terms: of their forms, LATE_INDEX and above as that   */
    uint32_t *block_docs; /* the document of every PLACE_BLOCK-th token                  */
    size_t longest;       /* occurrences of a key at most              */
    uint32_t *docs, *tfs, *positions, *forms; /* the list that is being written            */
    buf key;
} inversion;

/* Forms to variants, terms and markers. */
pm_status inversion_plan(inversion *inv, pm_error *err);
uint64_t inversion_term_cf(const inversion *inv, const term_plan *term);
/* Orders forms by folded, then exact. */
int form_key_compare(const form *a, const form *b);
/* The second part of a form's key: empty when the form is its own folding. */
slice form_exact(const form *f);

/* Tokens to postings and positions, in docs, tfs and positions; returns df. */
uint32_t inversion_gather(inversion *inv, const uint32_t *places, uint32_t n);
/* Write the list of the gathered postings under the key made; returns its ordinal. */
uint32_t inversion_list(inversion *inv, segment_term *out, bool positions);
/* All bigrams, from the scattered tokens of plain terms. */
pm_status inversion_bigrams(inversion *inv, pm_error *err);

static inline uint32_t inverter_doc_end(const inverter *iv, size_t doc)
{
    return doc + 1 < iv->n_docs ? iv->docs[doc + 1].first : (uint32_t)iv->n_tokens;
}

/* Position of the i-th token of a document. */
static inline uint32_t token_position(const inverter_doc *d, uint32_t i)
{
    if (i < d->n_title) return i;
    uint32_t body = i - d->n_title;
    uint32_t hole = d->hole_at && body >= d->hole_at ? POSITION_BREAK : 0;
    return body + hole + (d->n_title ? d->n_title + POSITION_BREAK : 0);
}

/* The document of a token, which is not before `doc`. */
static inline uint32_t inversion_doc_of(const inversion *inv, uint32_t doc, uint32_t place)
{
    uint32_t from = inv->block_docs[place / PLACE_BLOCK];
    if (doc < from) doc = from;
    while (inverter_doc_end(inv->iv, doc) <= place) doc++;
    return doc;
}

#endif
