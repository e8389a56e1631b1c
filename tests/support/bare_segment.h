/* SPDX-License-Identifier: MIT
 * bare_segment.h - a segment in memory, of the sections that a test puts there, byte by byte: for
 * what the format allows, or a crafted file has, and no writer makes.  Its pages are sound.
 */
#ifndef PM_TESTS_BARE_SEGMENT_H
#define PM_TESTS_BARE_SEGMENT_H

#include "common/segment/segment.h"

typedef struct bare_segment {
    segment s;
    buf bytes;
    uint8_t *sums; /* of its pages, of which none is right                                 */
} bare_segment;

/* Settings are 1.2, 0.75, a reference of 10 tokens, blocks of 8, lengths of 4 bytes. */
void bare_begin(bare_segment *b, uint32_t n_docs);
/* The next section of the file. */
void bare_section(bare_segment *b, section_id id, const void *data, size_t len);
/* Lengths of the documents, as a section. */
void bare_lengths(bare_segment *b, const uint32_t *lengths);
/* To be read now. */
segment *bare_done(bare_segment *b);
/* A page becomes one whose sum is wrong, or a sound one again. */
void bare_page(bare_segment *b, uint64_t page, bool sound);
/* Whether damage was recorded, which is forgotten. */
bool bare_damaged(bare_segment *b);
void bare_free(bare_segment *b);

#endif
