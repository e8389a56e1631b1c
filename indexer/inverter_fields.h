/* SPDX-License-Identifier: MIT
 * inverter_fields.h - the fields of articles that filters ask for, to posting lists.
 *
 * Takes an article's source, author, tags and language, gives keys of class KEY_FIELD: which
 * documents have which value (value.h).  Of an author field that names several, each one is a
 * value, and the whole; of a language like en-GB, en, too.  A value counts once a document.
 */
#ifndef PM_INDEXER_INVERTER_FIELDS_H
#define PM_INDEXER_INVERTER_FIELDS_H

#include "indexer/segment_writer.h"

#define FIELDS_NO_DOC UINT32_MAX

typedef struct field_value {
    uint64_t hash;
    uint32_t off, len; /* key, in bytes                                                    */
    uint32_t df;
    uint32_t last; /* document that had it last, plus one                                  */
} field_value;

typedef struct field_posting {
    uint32_t value, doc;
} field_posting;

/* Valid when zeroed. */
typedef struct inverter_fields {
    buf bytes;
    field_value *values;
    uint32_t *slots; /* value + 1; a power of two of them, at most half full              */
    field_posting *postings;
    size_t n_values, values_cap, n_slots, n_postings, postings_cap;
    uint64_t hash_key; /* of the values' hashes, once there are slots                          */
    uint64_t most;     /* while an article is added: bytes that are not to be passed           */
    bool over;         /* they would have been                                                 */
} inverter_fields;

void inverter_fields_free(inverter_fields *f);
/* A copy to append from, not to add to.  False: memory is refused. */
bool inverter_fields_copy(inverter_fields *to, const inverter_fields *from);
/* Add the postings of a copy, `numbers` by its documents, rising; FIELDS_NO_DOC: left out.  False:
 * memory is refused; f must then be reset. */
bool inverter_fields_append(inverter_fields *f, const inverter_fields *from,
                            const uint32_t *numbers);
/* False: memory is refused, or (`over`) inverter_fields_memory would come to more than `most`, and
 * no posting was added. */
bool inverter_fields_add(inverter_fields *f, const pm_article *article, uint32_t doc,
                         uint64_t most);
/* Back to n_postings, of the documents before. */
void inverter_fields_take_back(inverter_fields *f, size_t n_postings);
/* Bytes at most, written included, counted from values and postings alone (INV-5). */
uint64_t inverter_fields_memory(const inverter_fields *f);
/* True when a 32-bit number comes near its end. */
bool inverter_fields_full(const inverter_fields *f);
pm_status inverter_fields_write(const inverter_fields *f, segment_writer *w, pm_error *err);
void inverter_fields_reset(inverter_fields *f);

#endif
