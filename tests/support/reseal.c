/* SPDX-License-Identifier: MIT
 * reseal.c - see reseal.h.  The place of the page table is taken from the footer when it can
 * be true; otherwise only header and footer are sealed.
 */
#include "tests/support/reseal.h"

#include "common/base/crc32c.h"
#include "common/segment/layout.h"

uint32_t reseal_segment(uint8_t *data, size_t len)
{
    uint8_t *footer = data + len - LAYOUT_FOOTER_BYTES;
    uint64_t table = load_u64(footer + 336), end = (uint64_t)(footer - data);
    store_u32(data + 60, crc32c(0, data, 60));
    if (table < end && layout_groups(table, SEGMENT_PAGE_BYTES) * 4 <= end - table) {
        for (uint64_t off = 0; off < table; off += SEGMENT_PAGE_BYTES) {
            uint64_t page = table - off < SEGMENT_PAGE_BYTES ? table - off : SEGMENT_PAGE_BYTES;
            store_u32(data + table + off / SEGMENT_PAGE_BYTES * 4,
                      crc32c(0, data + off, (size_t)page));
        }
        store_u32(footer + 352, crc32c(0, data + table, (size_t)(end - table)));
    }
    uint32_t crc = crc32c(0, footer, 380);
    store_u32(footer + 380, crc);
    return crc;
}
