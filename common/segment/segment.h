/* SPDX-License-Identifier: MIT
 * segment.h - reading one immutable segment file.  The bytes are defined in FORMAT.md.
 *
 * Here is a term, give me its postings:
 *     dict_find (dict.h) -> term_entry -> cursor_open (cursor.h) -> cursor_next, _tf, _positions
 * Here is a document number, give me ...:
 *     its length        segment_dl          its id       segment_id
 *     its ingest order  segment_seq         its date     segment_date
 *     its stored record store_get (store.h)
 * Here is an id, give me its document number: segment_find_id.
 *
 * Nothing is checked ahead of use by the caller (INV-6): every getter is defined for every
 * byte string.  Pages (4 KiB as written here) are verified against the page table once, on
 * first touch, by segment_touch, which every getter that hands out bytes has called.  Damage found
 * where no status can be returned (posting loops) is recorded in the segment by segment_damaged and
 * reported once by the search through segment_status.
 */
#ifndef PM_SEGMENT_SEGMENT_H
#define PM_SEGMENT_SEGMENT_H

#include <stdatomic.h>

#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/base/file.h"

enum {
    SEGMENT_VERSION = 1,
    SEGMENT_PAGE_MAX = 65536, /* bytes of a page at most; it is that >> page_shift     */
    SEGMENT_PAGE_SHIFT = 4,   /* that this program writes: 4 KiB                       */
    SEGMENT_PAGE_SHIFT_MAX = 4,
    SEGMENT_BLOCK_MAX = 256, /* postings a block at most                              */
    SEGMENT_NAME_MAX = 40,
    SEGMENT_DOCS_MAX = INT32_MAX,          /* documents at most                                 */
    SEGMENT_ID_MAX = 1024,                 /* bytes of an id                                    */
    SEGMENT_ID_ROOM = SEGMENT_ID_MAX + 16, /* to read one into                         */
};

/* Key classes of the term dictionary: the first byte of a key.  Plain terms start with a
 * byte >= 0x20. */
enum {
    KEY_MARKER = 0x01, /* acronym markers; postings without positions           */
    KEY_TITLE = 0x02,  /* terms of titles                                       */
    KEY_BIGRAM = 0x03, /* neighbouring frequent words (bigrams.h)               */
    KEY_FIELD = 0x04,  /* a field and its value; postings without positions     */
};
/* Fields: the second byte of such a key. */
enum { FIELD_SOURCE = 's', FIELD_AUTHOR = 'a', FIELD_TAG = 't', FIELD_LANG = 'l' };
static inline bool key_is_plain(uint8_t first_byte)
{
    return first_byte >= 0x20;
}
/* Has this class no positions? */
static inline bool key_is_flat(uint8_t first_byte)
{
    return first_byte == KEY_MARKER || first_byte == KEY_FIELD;
}

/* Sections, in the order of the section table. */
typedef enum section_id {
    SECTION_STORE, /* stored records, deflated in blocks                    */
    SECTION_STORE_DIR,
    SECTION_POSTINGS, /* posting lists with impacts, positions, form streams   */
    SECTION_TERMS,    /* term dictionary blocks                                */
    SECTION_TERMS_INDEX,
    SECTION_FORMS, /* surface form dictionary blocks                        */
    SECTION_FORMS_INDEX,
    SECTION_DL,  /* document lengths                                      */
    SECTION_SEQ, /* ingest order                                          */
    SECTION_DATE,
    SECTION_ID_OFFSETS,
    SECTION_IDS,
    SECTION_ID_TABLE, /* documents by hashes of ids; none where ids rise       */
    SECTION_COUNT
} section_id;

/* What the bytes of the postings are, in the order of the footer's table. */
typedef enum posting_part {
    PART_DOCUMENTS, /* document numbers, heads, bounds, exceptions, padding          */
    PART_IMPACTS,   /* a byte a posting                                      */
    PART_POSITIONS,
    PART_FORMS,   /* form streams                                          */
    PART_BIGRAMS, /* the whole lists of bigrams                            */
    PART_COUNT
} posting_part;

typedef struct section {
    uint64_t off, len; /* in the file                                           */
} section;

/* What the header and footer say about a segment as a whole. */
typedef struct segment_info {
    uint8_t uuid[16];        /* of the index                                          */
    uint64_t segment_id;     /* unique within the index                               */
    uint32_t n_docs;         /* document numbers 0 .. n_docs - 1, deleted ones included */
    uint64_t n_terms;        /* keys in the term dictionary, all classes              */
    uint64_t n_forms;        /* surface forms                                         */
    uint64_t n_listed_forms; /* of them in the form dictionary; the others follow from terms */
    uint64_t n_plain_terms, n_plain_postings, n_plain_positions; /* plain terms only      */
    uint64_t sum_dl;
    double k1, b, avgdl_ref; /* that the impacts were computed with                   */
    uint32_t block_size;     /* postings a block; also the largest df of a small term */
    uint32_t dense_shift;    /* dense when df > block_size and df >= n_docs >> shift  */
    uint32_t bigram_min;     /* cf from which a word's bigrams are there; 0: none are */
    bool has_positions, has_text;
    bool dates_sorted; /* every document dated, dates never fall                */
    bool has_marks;    /* the store's directory ends in a byte a document (store_mark) */
    bool ids_keyed;    /* the table of ids by hashes that the index's uuid is the key of (ids.h) */
    uint64_t seq_base;
    uint8_t dl_width, seq_width, date_width; /* bytes; see FORMAT.md                      */
    uint8_t page_shift; /* a checksummed page has segment_page_bytes             */
    section sections[SECTION_COUNT];
    uint64_t parts[PART_COUNT]; /* of the postings; together their section               */
} segment_info;

typedef struct segment {
    segment_info info;
    map file;
    char name[SEGMENT_NAME_MAX];
    char *path;               /* for messages                                  */
    uint32_t footer_crc;      /* what the manifest must agree with             */
    uint64_t page_table_off;  /* pages cover [0, page_table_off)               */
    uint64_t roots_off;       /* sums of the page table's own pages            */
    const uint8_t *page_crcs; /* mapped, u32 each; after n_pages of them, the roots */
    size_t n_pages;
    _Atomic uint64_t *page_verified;        /* one bit a page, then one a page of the table  */
    _Atomic int damaged;                    /* set once by segment_damaged                   */
    pm_error damage;                        /* written by whoever set `damaged`              */
    const char *damage_where, *damage_what; /* the same in parts, static strings           */
} segment;

/* What impacts may be computed with; false for what is no number. */
#define SEGMENT_REFERENCE_LEAST 1e-6
static inline bool segment_reference_fits(double avgdl)
{
    return avgdl >= SEGMENT_REFERENCE_LEAST && avgdl <= 1e12;
}
/* And what they are computed with: the mean length, as far as that fits. */
static inline double segment_reference(uint64_t tokens, uint64_t docs)
{
    double mean = tokens ? (double)tokens / (double)docs : 1;
    return mean < SEGMENT_REFERENCE_LEAST ? SEGMENT_REFERENCE_LEAST : mean;
}

static inline uint32_t segment_page_bytes(const segment_info *info)
{
    return (uint32_t)SEGMENT_PAGE_MAX >> info->page_shift;
}

/* The page that holds a byte of the file; by a shift, because a division is dear in a loop. */
static inline uint64_t segment_page_of(const segment_info *info, uint64_t off)
{
    return off >> (16 - info->page_shift);
}

/* Open and verify header, footer and the roots of the page table (T1).  `expect_crc` as the
 * manifest says. */
pm_status segment_open(segment **out, const dir *d, const char *name, const uint8_t uuid[16],
                       uint64_t file_size, uint32_t expect_crc, pm_error *err);
void segment_close(segment *s);

/* A pass over much of a segment counts the bytes that it has read, about, and calls this every
 * now and then: when there are SEGMENT_PASS_BYTES, the pages of the file are given back and
 * *passed is zero again.  So a pass holds a few MB of a file of any size. */
enum { SEGMENT_PASS_BYTES = 2 << 20 };
static inline void segment_pass(const segment *s, uint64_t *passed, uint64_t bytes)
{
    *passed += bytes;
    if (*passed < SEGMENT_PASS_BYTES) return;
    map_release(&s->file);
    *passed = 0;
}

/* Sum a page, and before it the page of the table that has its sum; when that differs, *where
 * and *off say which. */
bool segment_page_sound(segment *s, uint64_t page, const char **where, uint64_t *off);
/* Verify the pages that cover file bytes [off, off + len); cheap when already done.  False:
 * damage was recorded. */
bool segment_touch(segment *s, uint64_t off, uint64_t len);
/* The same, quick where all has been verified: for loops. */
static inline bool segment_touched(segment *s, uint64_t off, uint64_t len)
{
    uint64_t page = segment_page_of(&s->info, off), last = segment_page_of(&s->info, off + len - 1);
    if (last < s->n_pages && page / 64 == last / 64) {
        uint64_t wanted = (UINT64_MAX >> (63 - (last - page))) << page % 64;
        uint64_t known = atomic_load_explicit(&s->page_verified[page / 64], memory_order_relaxed);
        if ((known & wanted) == wanted) return true;
    }
    return segment_touch(s, off, len);
}
/* The same for bytes that lie in the map; an empty slice is always fine. */
static inline bool segment_touch_slice(segment *s, slice bytes)
{
    return !bytes.len || segment_touch(s, (uint64_t)(bytes.data - s->file.data), bytes.len);
}
/* Record damage (first one wins); offset in the file; where and what are static strings. */
void segment_damaged(segment *s, uint64_t off, const char *where, const char *what);
/* PM_OK, or the recorded damage. */
pm_status segment_status(const segment *s, pm_error *err);
/* Verified bytes [off, off + len) of a section; false and empty on damage. */
bool segment_slice(segment *s, section_id id, uint64_t off, uint64_t len, slice *out);
const char *section_name(section_id id);

/* Number of tokens of document doc < n_docs (0 on damage or when doc is out of range). */
uint32_t segment_dl(segment *s, uint32_t doc);
/* The same for n documents; fastest where they rise. */
void segment_lengths(segment *s, const uint32_t *docs, uint32_t n, uint32_t *out);
/* Let the memory know that the length of doc will be asked for. */
static inline void segment_length_soon(const segment *s, uint32_t doc)
{
    __builtin_prefetch(s->file.data + s->info.sections[SECTION_DL].off +
                       (size_t)doc * s->info.dl_width);
}
/* Ingest sequence number. */
uint64_t segment_seq(segment *s, uint32_t doc);
/* Seconds since 1970 (UTC, or as written without a zone), INT64_MIN when undated. */
int64_t segment_date(segment *s, uint32_t doc);
/* Id bytes, in room; empty on damage. */
slice segment_id(segment *s, uint32_t doc, uint8_t room[SEGMENT_ID_ROOM]);
/* The bytes of its id will be wanted soon. */
void segment_id_ahead(segment *s, uint32_t doc);
/* True and *doc (the highest document number that carries the id). */
bool segment_find_id(segment *s, const char *id, size_t len, uint32_t *doc);

/* K at the index's own k1 and b, and the impact byte of tf occurrences there: the
 * definitions that writer and readers share (FORMAT.md, "impacts"). */
double segment_norm(const segment_info *info, uint32_t dl);
uint8_t impact_encode(uint32_t tf, double norm);
/* tf >= 1 recovered from a byte < 255; exact for all but the exceptions the list stores. */
uint32_t impact_decode(uint8_t impact, double norm);

/* Verify all pages, and if deep every invariant; calls finding for each damage. */
struct check_sink {
    void (*finding)(void *ctx, const char *section, uint64_t offset, const char *what);
    void *ctx;
    uint64_t pages, terms, postings; /* counted                                       */
};
pm_status segment_check(segment *s, bool deep, struct check_sink *sink, pm_error *err);

#endif
