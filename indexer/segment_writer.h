/* SPDX-License-Identifier: MIT
 * segment_writer.h - write one segment file, front to back, never touching a byte twice.
 *
 *   segment_writer_begin
 *   segment_writer_doc         for each document, numbers rising from 0
 *   segment_writer_docs_done   once: closes the store
 *   segment_writer_term        for each key, in bytewise order
 *   segment_writer_form        for each surface form, in bytewise order of its key
 *   segment_writer_finish      tables, dictionaries, page table, footer, fsync
 *
 * Sticky: the first failure is kept and reported by finish; abandon releases and unlinks.
 * Memory: dictionary blocks and hashes (about 20 bytes a key), document tables (about 29 bytes a
 * document and its id) and, in each encoder (segment_encoder.h), the bytes of its largest posting
 * list and at most 128 KiB of impacts; all else streams out.
 */
#ifndef PM_INDEXER_SEGMENT_WRITER_H
#define PM_INDEXER_SEGMENT_WRITER_H

#include "common/segment/dict.h"
#include "common/segment/manifest.h"

typedef struct segment_writer segment_writer;

typedef struct segment_writer_config {
    uint8_t uuid[16];
    uint64_t segment_id;
    double k1, b, avgdl_ref;
    uint32_t block_size, dense_shift, store_block_bytes;
    uint32_t bigram_words; /* frequent words at most (bigrams.h); 0: no bigrams         */
    int deflate_level;
    bool has_positions, has_text;
    bool has_marks; /* each document's `mark` is written (store_mark)                     */
    bool no_forms;  /* surface forms are not recorded, though they are given            */
    struct scratch *scratch; /* of tables and dictionaries that are large; NULL: the heap        */
} segment_writer_config;

/* One document's columns. */
typedef struct segment_doc {
    const char *id;
    size_t id_len;
    uint32_t dl;
    uint64_t seq;
    int64_t date; /* seconds, INT64_MIN when undated                           */
    slice record; /* encoded by store_encode; ignored for raw blocks           */
    uint8_t mark; /* lowest byte of the record's hash; ignored without has_marks       */
} segment_doc;

pm_status segment_writer_begin(segment_writer **out, const dir *d, const char *name,
                               const segment_writer_config *config, pm_error *err);
void segment_writer_doc(segment_writer *w, const segment_doc *doc);
/* Merge: append an already deflated block of n_docs records; its documents follow through
 * segment_writer_doc with an empty record. */
void segment_writer_raw_block(segment_writer *w, uint32_t n_docs, uint32_t raw_len, slice deflated);
/* From here on document lengths are known; n_docs is fixed.  With no avgdl_ref in the config
 * (0), the segment's own average becomes the reference. */
void segment_writer_docs_done(segment_writer *w);

/* One posting list, all arrays borrowed for the call.
 *   docs[df] strictly increasing; tfs[df] >= 1
 *   positions[sum tfs], each document's ascending; NULL when the class or index has none
 *   forms[sum tfs], index of each occurrence's form in 0 .. n_forms - 1; NULL when n_forms <= 1
 *   style: how its only form is written (form_style_only); else FORM_LISTED */
typedef struct segment_term {
    const void *key;
    size_t key_len;
    uint32_t df;
    const uint32_t *docs, *tfs, *positions, *forms;
    uint32_t n_forms;
    form_style style;
} segment_term;
/* Returns the key's ordinal. */
uint32_t segment_writer_term(segment_writer *w, const segment_term *term);
/* The same of a list that was encoded elsewhere (segment_encoder.h). */
typedef struct segment_list segment_list;
uint32_t segment_writer_list(segment_writer *w, slice key, const segment_list *list);

/* Words of this cf and above have their bigrams written.  Before the first plain key. */
void segment_writer_bigrams(segment_writer *w, uint32_t min_cf);
/* It will not finish: nothing more need be made for it. */
bool segment_writer_failed(const segment_writer *w);
/* Lengths of the documents, u32 each, when they are done. */
const uint8_t *segment_writer_lengths(const segment_writer *w);
/* The geometry, for choosing it. */
const segment_writer_config *segment_writer_settings(const segment_writer *w);

/* So many forms that the styles of their terms stand for, which need not be handed over. */
void segment_writer_implied_forms(segment_writer *w, uint32_t n);
/* key = folded 0x00 exact (dict.h).  Also those that a term's style stands for. */
void segment_writer_form(segment_writer *w, const void *key, size_t key_len, uint32_t term,
                         uint32_t index, uint32_t df, uint64_t cf);
/* The same of forms that come behind all of those, by another thread meanwhile: of the others as
 * many are listed then as fill whole blocks of the dictionary (DICT_BLOCK_KEYS).  Not with scratch.
 */
void segment_writer_form_behind(segment_writer *w, const void *key, size_t key_len, uint32_t term,
                                uint32_t index, uint32_t df, uint64_t cf);
/* On success *out describes the file for the manifest; the writer is freed either way, and a
 * failed file is unlinked. */
pm_status segment_writer_finish(segment_writer *w, bool sync, manifest_segment *out, pm_error *err);
void segment_writer_abandon(segment_writer *w);

#endif
