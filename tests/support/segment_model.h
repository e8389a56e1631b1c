/* SPDX-License-Identifier: MIT
 * segment_model.h - a random small collection in plain arrays, and the segment made of it, so
 * that readers can be compared with what was meant.  Takes a seed and a shape, gives a model.
 *
 * The collection obeys FORMAT.md's rules of content: a document's length is the number of its
 * occurrences of plain terms, forms are numbered by falling frequency, markers carry no
 * positions.  Frequencies are chosen so that small, sparse and dense lists, exceptions
 * (one document may repeat a term hundreds of times) and keys with equal first bytes occur.
 */
#ifndef PM_TESTS_SEGMENT_MODEL_H
#define PM_TESTS_SEGMENT_MODEL_H

#include "common/segment/segment.h"
#include "indexer/segment_writer.h"

typedef struct model_posting {
    uint32_t doc, tf, first; /* first: index into positions and forms                 */
} model_posting;

typedef struct model_term {
    uint8_t key[64];
    size_t key_len;
    uint32_t df, n_forms;
    uint64_t cf;
    form_style style;
    bool has_positions;
    uint32_t *docs, *tfs, *positions, *forms;
} model_term;

typedef struct model_form {
    uint8_t key[192];
    size_t key_len;
    uint32_t term, index, df;
    uint64_t cf;
} model_form;

typedef struct model_doc {
    char id[32];
    size_t id_len;
    char text[96];
    uint32_t dl, n_places, *places; /* positions that no word has yet                    */
    uint64_t seq;
    int64_t date;
    uint64_t hash; /* of its provenance; 0: it has none                                  */
} model_doc;

typedef struct segment_model {
    segment_writer_config config;
    uint32_t n_docs, n_terms, n_forms;
    const char *title; /* of every document; NULL: "a title"                         */
    model_doc *docs;
    model_term *terms; /* in bytewise order of keys                             */
    model_form *forms; /* in bytewise order of keys                             */
} segment_model;

typedef struct model_shape {
    uint32_t n_docs, n_terms, block_size, dense_shift, store_block_bytes;
    bool positions, text, marks;
    unsigned dates;    /* 0 none, 1 days, 2 seconds, 3 days rising and complete */
    unsigned seqs;     /* 0 counting, 1 within 32 bits, 2 wide                  */
    uint32_t least_tf; /* added to every tf                                      */
    uint32_t long_tf;  /* largest repetition of a term in a document            */
} model_shape;

/* 300 documents, 40 terms, lists of every kind: where one segment is as good as another. */
extern const model_shape model_plain_shape;

/* A shape by chance, from *random. */
void model_shape_random(model_shape *shape, uint64_t *random);
/* Aborts the test program when memory is short. */
void model_make(segment_model *m, const model_shape *shape, uint64_t seed);
void model_free(segment_model *m);
/* Write it; *out as the manifest would have it. */
pm_status model_write(const segment_model *m, const dir *d, const char *name, manifest_segment *out,
                      pm_error *err);

/* A check_sink's finding, to stderr. */
void model_print_finding(void *ctx, const char *part, uint64_t off, const char *what);

#endif
