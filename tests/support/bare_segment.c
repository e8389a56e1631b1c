/* SPDX-License-Identifier: MIT
 * bare_segment.c - see bare_segment.h.
 */
#include "tests/support/bare_segment.h"

#include "common/base/crc32c.h"
#include "common/base/mem.h"
#include "common/segment/layout.h"
#include "tests/support/folder.h"

static char path[] = "bare";

void bare_begin(bare_segment *b, uint32_t n_docs)
{
    *b = (bare_segment){.s = {.info = {.n_docs = n_docs,
                                       .k1 = 1.2,
                                       .b = 0.75,
                                       .avgdl_ref = 10,
                                       .block_size = 8,
                                       .dense_shift = 31,
                                       .has_positions = true,
                                       .dl_width = 4,
                                       .page_shift = SEGMENT_PAGE_SHIFT},
                              .path = path}};
    buf_zero(&b->bytes, LAYOUT_HEADER_BYTES);
}

void bare_section(bare_segment *b, section_id id, const void *data, size_t len)
{
    b->s.info.sections[id] = (section){b->bytes.len, len};
    buf_append(&b->bytes, data, len);
    buf_zero(&b->bytes, (size_t)layout_next(b->bytes.len) - b->bytes.len);
}

void bare_lengths(bare_segment *b, const uint32_t *lengths)
{
    bare_section(b, SECTION_DL, lengths, b->s.info.n_docs * sizeof *lengths);
}

segment *bare_done(bare_segment *b)
{
    segment *s = &b->s;
    uint32_t page = segment_page_bytes(&s->info);
    s->n_pages = (size_t)layout_groups(b->bytes.len, page);
    s->page_table_off = b->bytes.len;
    size_t words = s->n_pages / 32 + 2; /* for the page table's own pieces, too */
    s->page_verified = mem_array(words, sizeof *s->page_verified);
    b->sums = mem_array(s->n_pages, sizeof(uint32_t));
    folder_must(s->page_verified && b->sums && !b->bytes.failed, "memory", path);
    for (size_t i = 0; i < words; i++) s->page_verified[i] = UINT64_MAX;
    for (uint64_t i = 0; i < s->n_pages; i++) {
        uint64_t left = b->bytes.len - i * page;
        uint32_t sum = crc32c(0, b->bytes.data + i * page, left < page ? (size_t)left : page);
        store_u32(b->sums + 4 * i, ~sum);
    }
    s->page_crcs = b->sums;
    s->file = (map){b->bytes.data, b->bytes.len};
    return s;
}

void bare_page(bare_segment *b, uint64_t page, bool sound)
{
    uint64_t bit = UINT64_C(1) << page % 64;
    _Atomic uint64_t *word = &b->s.page_verified[page / 64];
    *word = sound ? *word | bit : *word & ~bit;
}

bool bare_damaged(bare_segment *b)
{
    bool damaged = segment_status(&b->s, NULL) != PM_OK;
    b->s.damaged = 0;
    return damaged;
}

void bare_free(bare_segment *b)
{
    mem_free(b->s.page_verified);
    mem_free(b->sums);
    buf_free(&b->bytes);
}
