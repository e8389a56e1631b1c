/* SPDX-License-Identifier: MIT
 * layout.h - where things stand in a segment file; the numbers of FORMAT.md.
 *
 *   header | section, 64 zeros, ... (13 times) | page table | footer
 *          ^ every section starts at a multiple of 64
 *
 * The place of every section follows from the lengths alone (layout_place), so that a file
 * has no byte that belongs to nothing.
 */
#ifndef PM_SEGMENT_LAYOUT_H
#define PM_SEGMENT_LAYOUT_H

#include "common/segment/segment.h"

enum {
    LAYOUT_HEADER_BYTES = 64,
    LAYOUT_FOOTER_BYTES = 432,
    LAYOUT_ALIGN = 64,
    LAYOUT_SLACK = 64, /* zeros after each section, at least                    */
    DICT_BLOCK_KEYS = 16,
    /* The first byte of a key: bytes shared, low half, and further bytes; 15 and more are
     * followed by a varint. */
    DICT_SHORT = 15,
    /* The flags of a term's entry. */
    TERM_POSITIONS = 1,
    TERM_ONE_DOC = 2,   /* df is 1                                                  */
    TERM_ONCE_EACH = 4, /* cf is df                                                 */
    TERM_FORMS_SHIFT = 3,
    /* Those of a form's. */
    LISTED_OTHER_STYLE = 3, /* of the two lowest bits: a mask or the bytes follow   */
    LISTED_ONE_DOC = 4,
    LISTED_ONCE_EACH = 8,
    LISTED_INDEX_SHIFT = 4,
    STORE_DIR_BYTES = 16, /* a block: u64 offset, u32 first document, u32 raw size */
    BUCKET_DOCS = 512,    /* documents a bucket of a dense list                    */
    POSITION_GROUP = 16,  /* postings a group of positions                         */
    POSITION_BREAK = 1,   /* positions left out between title and body, and where a title was
                             taken out of the body                                 */
    FIELD_GAP = 100,      /* what a dump shows for the one between title and body          */
    LIST_HEAD_BYTES = 16,
};
#define STORE_RAW_MAX    (UINT32_C(65) << 20) /* raw bytes of a stored block              */
#define STORE_RECORD_MAX (UINT32_C(64) << 20) /* of a record                              */

static const uint8_t layout_header_magic[8] = {0x89, 'P', 'M', 'S', '\r', '\n', 0x1a, '\n'};
static const uint8_t layout_footer_magic[8] = {'P', 'M', 'S', 'E', 'N', 'D', '\r', '\n'};

/* Sections in the order in which they stand in the file. */
static const uint8_t layout_order[SECTION_COUNT] = {
    SECTION_STORE,      SECTION_POSTINGS,    SECTION_STORE_DIR, SECTION_TERMS, SECTION_TERMS_INDEX,
    SECTION_FORMS,      SECTION_FORMS_INDEX, SECTION_DL,        SECTION_SEQ,   SECTION_DATE,
    SECTION_ID_OFFSETS, SECTION_IDS,         SECTION_ID_TABLE,
};

static inline uint64_t layout_align(uint64_t at, uint64_t align)
{
    return (at + align - 1) / align * align;
}
/* Where the next section (or the page table) starts after one that ends at `end`. */
static inline uint64_t layout_next(uint64_t end)
{
    return layout_align(end + LAYOUT_SLACK, LAYOUT_ALIGN);
}
/* Bytes of an offset into a section, and one of them. */
static inline unsigned layout_offset_width(uint64_t section_len)
{
    return section_len <= UINT32_MAX ? 4 : 8;
}
static inline uint64_t layout_offset(const uint8_t *p, unsigned width)
{
    return width == 4 ? load_u32(p) : load_u64(p);
}
/* Number of keys blocks, or of anything in groups. */
static inline uint64_t layout_groups(uint64_t n, uint64_t group)
{
    return n / group + (n % group != 0);
}

/* Bytes at the end of the store's directory that are marks. */
static inline uint64_t layout_marks(const segment_info *info)
{
    return info->has_marks ? info->n_docs : 0;
}

/* Bytes of its entries, which is where the marks begin. */
static inline uint64_t layout_marks_at(const segment_info *info)
{
    return info->sections[SECTION_STORE_DIR].len - layout_marks(info);
}

/* No position in a document of dl tokens is above this: two breaks at most. */
static inline uint32_t layout_position_most(uint32_t dl)
{
    return dl + 2 * POSITION_BREAK - 1;
}

static inline bool layout_is_dense(const segment_info *info, uint32_t df)
{
    return df > info->block_size && df >= info->n_docs >> info->dense_shift;
}

/* The footer without its page table fields lives in segment_info; these are the rest. */
typedef struct layout_footer {
    segment_info info;
    uint64_t page_table_off, page_table_len; /* len without padding                      */
    uint32_t roots_crc;                      /* of the sums of the table's own pages     */
    uint64_t file_len;
} layout_footer;

/* Bytes, padding included, of one sum for each page of the page table and its padding. */
static inline uint64_t layout_roots_len(uint64_t page_table_len, uint32_t page_bytes)
{
    return layout_align(4 * layout_groups(layout_align(page_table_len, 8), page_bytes), 8);
}

void header_encode(const segment_info *info, uint8_t out[LAYOUT_HEADER_BYTES]);
/* NULL, or what is wrong with the header.  *too_new when the version is from the future. */
const char *header_decode(const uint8_t in[LAYOUT_HEADER_BYTES], segment_info *info, bool *too_new);
/* Writes the footer; returns its crc, which the manifest stores. */
uint32_t footer_encode(const layout_footer *footer, uint8_t out[LAYOUT_FOOTER_BYTES]);
/* NULL, or what is wrong: the crc and the fixed fields first, then footer_check. */
const char *footer_decode(const uint8_t in[LAYOUT_FOOTER_BYTES], layout_footer *footer);

#endif
