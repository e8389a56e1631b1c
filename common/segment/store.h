/* SPDX-License-Identifier: MIT
 * store.h - stored records: articles as they came, deflated in blocks of about 32 KiB.
 *
 * A record is a list of (tag, length, bytes) fields (FORMAT.md, "stored records").
 */
#ifndef PM_SEGMENT_STORE_H
#define PM_SEGMENT_STORE_H

#include "common/segment/segment.h"

typedef enum store_tag {
    STORE_ID = 1,
    STORE_TITLE,
    STORE_TEXT,
    STORE_DATE,
    STORE_URL,
    STORE_SOURCE,
    STORE_AUTHOR,
    STORE_TAGS,
    STORE_LANG,
    STORE_EXTRA,
    STORE_TITLE_SPAN, /* two varints: the title's span of text                 */
    STORE_PROVENANCE, /* varint size, u64 mtime_ns, u64 hash                   */
    STORE_ORIGIN,     /* u64 folder, u64 JSON Lines file: hashes of their paths */
    STORE_FILE,       /* absolute path of the file that holds the text         */
    STORE_FILE_SPAN,  /* varints: start and length there; span of the title    */
} store_tag;

/* Encode an article as one record, appended to out; without text when !with_text. */
void store_encode(buf *out, const pm_article *article, bool with_text);
/* Decode a record; texts borrow from it.  PM_CORRUPT when it is not one. */
pm_status store_decode(slice record, pm_article *out, pm_error *err);

/* Where the text of an article stands that is not in its record. */
typedef struct store_source {
    pm_text path;        /* empty: not known; borrowed from the record            */
    uint64_t start, len; /* bytes of the file                                     */
    uint64_t file_size;
    int64_t file_mtime_ns;
    uint64_t file_hash; /* its upper half: hash_content of all of the file's bytes     */
    bool title_in_body;
    uint64_t title_start, title_end; /* of the text; not checked against it               */
} store_source;
/* Of a record that store_decode takes. */
void store_decode_source(slice record, store_source *out);

/* One inflated block, kept so that neighbours come free.  Owned; one for each thread.
 * Valid when zeroed. */
typedef struct store_cache {
    segment *s;
    uint64_t block; /* which, when s                                         */
    buf raw;
} store_cache;
/* The record of a document; borrowed from the cache until its next use. */
pm_status store_get(store_cache *cache, segment *s, uint32_t doc, slice *record, pm_error *err);
void store_cache_free(store_cache *cache);

/* The block that holds a document, by first documents alone; false on damage. */
bool store_find_block(segment *s, uint32_t doc, uint32_t *block);

/* The mark of a document: the lowest byte of the hash that its record has in STORE_PROVENANCE, 0
 * without one.  So a record of another hash is told without inflating it, 255 times in 256.
 * False when the segment has no marks, when there is no such document, or on damage. */
bool store_mark(segment *s, uint32_t doc, uint8_t *mark);

/* For merging: number of blocks, first document of a block, and its deflated bytes. */
uint32_t store_block_count(const segment *s);
bool store_block_raw(segment *s, uint32_t block, uint32_t *first_doc, uint32_t *n_docs,
                     uint32_t *raw_len, slice *deflated);

#endif
