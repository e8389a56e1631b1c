/* SPDX-License-Identifier: MIT
 * segment_writer_parts.h - what the files of the segment writer share, and nobody else sees:
 *   segment_writer.c            life cycle, output, sections, page sums, footer
 *   segment_writer_store.c      documents: stored records in deflated blocks
 *   segment_writer_tables.c     documents: lengths, ingest order, dates
 *   segment_writer_ids.c        documents: ids and the table that leads from id to document
 *   segment_encoder.c           one posting list to its region, of these parts:
 *   segment_writer_postings.c   documents and impacts
 *   segment_writer_impacts.c    what is known of impacts
 *   segment_writer_streams.c    positions and forms
 *   segment_writer_dict.c       front-coded dictionary blocks and their index
 */
#ifndef PM_INDEXER_SEGMENT_WRITER_PARTS_H
#define PM_INDEXER_SEGMENT_WRITER_PARTS_H

#include "common/segment/dict.h"
#include "common/segment/ids.h"
#include "common/segment/layout.h"
#include "indexer/segment_encoder.h"

/* One dictionary being built: held until finish. */
typedef struct dict_writer {
    buf blocks, prefixes, offsets;
    buf hashes; /* u64 a plain term                                                       */
    uint64_t n_keys;
    uint32_t last_term; /* forms: of the one before in the block, or 0                      */
    size_t last_len;
    uint8_t last[DICT_KEY_MAX];
} dict_writer;

/* The key of a term, which must follow the last one; false when it does not.  Its entry is
 * appended when its list is known. */
bool dict_writer_term(dict_writer *dict, slice key, uint64_t base);
void dict_writer_term_entry(dict_writer *dict, const term_entry *entry);
/* A form; false when it does not follow the last one, or has no zero byte. */
bool dict_writer_form(dict_writer *dict, slice key, const form_entry *entry);
/* The keys of another, of which `first` is the first one, behind those of this, which then has them
 * both.  False when they do not follow, or the last block is not full. */
bool dict_writer_join(dict_writer *dict, dict_writer *behind, slice first);
void dict_writer_finish(segment_writer *w, dict_writer *dict, section_id blocks, section_id index);

struct store_writer; /* what deflates, and the block being filled                        */

struct segment_writer {
    const dir *folder; /* borrowed until finish or abandon                     */
    segment_writer_config config;
    segment_info info;
    outfile out;
    bool created; /* the file is ours to unlink                           */
    char name[SEGMENT_NAME_MAX];
    pm_status status; /* first failure                                        */
    pm_error first;

    uint32_t page_crc; /* of the page that is being written                    */
    buf page_crcs;

    struct store_writer *store;
    buf store_dir, marks; /* marks: a byte a document, then behind the directory        */
    buf dl;               /* u32 a document                                                 */
    buf seq, date;        /* u64, i64 a document; empty while it need not be kept            */
    uint64_t first_seq;   /* while seq is empty they count from here                         */
    buf id_offsets, ids;  /* u64 a block, blocks                                             */
    buf id_block;         /* ids of the block that is being filled                           */
    uint16_t id_lens[ID_BLOCK];
    uint32_t id_block_n;
    size_t last_id_len;
    uint8_t last_id[SEGMENT_ID_MAX];
    bool ids_fall;                /* they do not rise: there will be a table                 */
    uint32_t max_dl, raw_pending; /* documents that a raw block promised                 */
    bool docs_done;

    dict_writer terms, forms;
    dict_writer forms_behind; /* joined at the end; first_behind is its first key            */
    buf first_behind;
    uint32_t n_behind;
    bool behind_bad;
    buf implied;              /* a byte a term: its only form is not listed           */
    uint64_t region_end;      /* of the last list, in its section                     */
    segment_encoder *encoder; /* of lists that come as they are                       */
};

/* An encoder borrows a writer's settings and its documents' lengths. */
struct segment_encoder {
    const segment_info *info;
    const uint8_t *dl; /* u32 a document                                                   */
    bool no_forms;
    const segment_feed *feed; /* of the list at hand, or NULL                                */
    pm_status status; /* of the list at hand                                               */
    const char *what;
    buf region, words, offsets, exceptions;
    buf bytes;         /* impacts of a longer list                                       */
    uint16_t *impacts; /* segment_writer_impacts.c                                         */
    uint32_t impact_rows;
};

/* Keep the first failure. */
void writer_fail(segment_writer *w, pm_status status, const char *what);
static inline bool writer_bad(const segment_writer *w)
{
    return w->status != PM_OK;
}
/* Bytes at the end of the file. */
void writer_put(segment_writer *w, const void *data, size_t len);
/* A section with its slack. */
void writer_section(segment_writer *w, section_id id, const buf *content);
/* What is not sticky becomes so: memory refused to a buffer. */
void writer_check_buf(segment_writer *w, const buf *b);

/* segment_writer_store.c */
bool store_writer_init(segment_writer *w);
void store_writer_add(segment_writer *w, slice record);
void store_writer_raw(segment_writer *w, uint32_t n_docs, uint32_t raw_len, slice deflated);
void store_writer_finish(segment_writer *w);
void store_writer_free(segment_writer *w);

/* segment_writer_tables.c */
void tables_add(segment_writer *w, const segment_doc *doc);
void tables_finish(segment_writer *w);

/* segment_writer_ids.c: n_docs is that before the id, and then that of all. */
void ids_add(segment_writer *w, const void *id, size_t len);
void ids_finish(segment_writer *w);

/* segment_encoder.c: keep the first failure of the list at hand. */
void encoder_fail(segment_encoder *e, pm_status status, const char *what);
static inline bool encoder_bad(const segment_encoder *e)
{
    return e->status != PM_OK;
}
/* The list's occurrences are not held. */
static inline bool encoder_fed(const segment_encoder *e)
{
    return e->feed && e->feed->ctx;
}
static inline void encoder_check_buf(segment_encoder *e, const buf *b)
{
    if (b->failed) encoder_fail(e, PM_NOMEM, NULL);
}
static inline uint32_t encoder_dl(const segment_encoder *e, uint32_t doc)
{
    return load_u32(e->dl + (size_t)doc * 4);
}
/* Of the documents of postings [first, first + n): the feed's, or in room[n]. */
static inline const uint32_t *encoder_lengths(const segment_encoder *e, const segment_term *t,
                                              uint32_t first, uint32_t n, uint32_t *room)
{
    const uint32_t *docs = t->docs + first;
    if (e->feed && e->feed->lengths) return e->feed->lengths + first;
    for (uint32_t i = 0; n > 1 && i < n; i++) __builtin_prefetch(e->dl + (size_t)docs[i] * 4);
    for (uint32_t i = 0; i < n; i++) room[i] = encoder_dl(e, docs[i]);
    return room;
}

/* segment_writer_impacts.c: of a posting; *exact when its tf follows from it and dl. */
bool impact_memo_open(segment_encoder *e, uint32_t max_dl);
uint8_t impact_memo_get(const segment_encoder *e, uint32_t tf, uint32_t dl, bool *exact);

/* segment_writer_postings.c: documents and impacts to e->region; returns the number of blocks
 * that positions follow. */
uint32_t region_postings(segment_encoder *e, const segment_term *term);
/* segment_writer_streams.c: append to e->region. */
void region_positions(segment_encoder *e, const segment_term *term, uint32_t n_blocks);
/* Of a list of one posting, whose document has the length dl. */
void region_positions_one(segment_encoder *e, const segment_term *term, uint32_t dl);
void region_forms(segment_encoder *e, const segment_term *term, uint64_t cf);

#endif
