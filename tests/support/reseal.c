/* SPDX-License-Identifier: MIT
 * reseal.c - see reseal.h.  The place of the page table is taken from the footer when it can
 * be true; otherwise only header and footer are sealed.
 */
#include "tests/support/reseal.h"

#include "common/base/crc32c.h"
#include "common/segment/layout.h"
#include "tests/support/folder.h"

uint32_t reseal_segment(uint8_t *data, size_t len)
{
    uint8_t *footer = data + len - LAYOUT_FOOTER_BYTES;
    uint64_t table = load_u64(footer + 336), end = (uint64_t)(footer - data);
    uint32_t page_bytes = (uint32_t)SEGMENT_PAGE_MAX >> footer[119] % 32;
    store_u32(data + 60, crc32c(0, data, 60));
    if (page_bytes && table < end && layout_groups(table, page_bytes) * 4 <= end - table) {
        for (uint64_t off = 0; off < table; off += page_bytes) {
            uint64_t page = table - off < page_bytes ? table - off : page_bytes;
            store_u32(data + table + off / page_bytes * 4, crc32c(0, data + off, (size_t)page));
        }
        uint64_t table_len = layout_align(layout_groups(table, page_bytes) * 4, 8),
                 roots = table + table_len, roots_len = layout_roots_len(table_len, page_bytes);
        if (roots + roots_len <= end) {
            for (uint64_t off = 0; off < table_len; off += page_bytes)
                store_u32(data + roots + off / page_bytes * 4,
                          crc32c(0, data + table + off,
                                 table_len - off < page_bytes ? table_len - off : page_bytes));
            store_u32(footer + 352, crc32c(0, data + roots, (size_t)roots_len));
        }
    }
    uint32_t crc = crc32c(0, footer, 428);
    store_u32(footer + 428, crc);
    return crc;
}

void reseal_changed(const char *folder, const char *name, uint64_t at, uint8_t mask, uint32_t *crc)
{
    folder_image image;
    folder_load(folder, &image);
    for (size_t i = 0; i < image.n; i++) {
        folder_file *f = &image.files[i];
        if (strcmp(f->name, name) != 0) continue;
        f->data[at] ^= mask;
        if (strstr(name, ".seg"))
            *crc = reseal_segment(f->data, f->len);
        else
            store_u32(f->data + f->len - 4, *crc = crc32c(0, f->data, f->len - 4));
        folder_write(folder, name, f->data, f->len);
    }
    folder_image_free(&image);
}
