/* SPDX-License-Identifier: MIT
 * segment.c - opening a segment file, verifying its pages on first touch, and remembering
 * damage.  Takes a file name, gives a `segment`.  What the sections mean is elsewhere:
 * columns.c, dict.c, postings.c, store.c.
 */
#include "common/segment/segment.h"

#include <stdio.h>

#include "common/base/crc32c.h"
#include "common/base/mem.h"
#include "common/segment/layout.h"

enum { DAMAGE_NONE, DAMAGE_WRITING, DAMAGE_KNOWN };

const char *section_name(section_id id)
{
    static const char *const names[SECTION_COUNT] = {
        "store",   "store-dir", "postings", "terms",      "terms-index", "forms",    "forms-index",
        "lengths", "sequence",  "dates",    "id-offsets", "ids",         "id-table",
    };
    return (unsigned)id < SECTION_COUNT ? names[id] : "unknown";
}

/* ---- damage ------------------------------------------------------------------------------ */

void segment_damaged(segment *s, uint64_t off, const char *where, const char *what)
{
    int expected = DAMAGE_NONE;
    if (!atomic_compare_exchange_strong(&s->damaged, &expected, DAMAGE_WRITING)) return;
    error_corrupt(&s->damage, s->path, off, where, what);
    s->damage_where = where;
    s->damage_what = what;
    atomic_store_explicit(&s->damaged, DAMAGE_KNOWN, memory_order_release);
}

pm_status segment_status(const segment *s, pm_error *err)
{
    int state;
    while ((state = atomic_load_explicit(&s->damaged, memory_order_acquire)) == DAMAGE_WRITING) {
    }
    if (state == DAMAGE_NONE) return PM_OK;
    if (err) *err = s->damage;
    return PM_CORRUPT;
}

/* ---- pages ------------------------------------------------------------------------------- */

static bool page_known(const segment *s, uint64_t page)
{
    return atomic_load_explicit(&s->page_verified[page / 64], memory_order_relaxed) >> page % 64 &
           1;
}

/* Sum the page that starts at `off` and ends at `end` or before; a sound one is known from now
 * on. */
static bool page_sum(segment *s, uint64_t page, uint64_t off, uint64_t end, const uint8_t *want)
{
    uint64_t len = end - off;
    if (len > segment_page_bytes(&s->info)) len = segment_page_bytes(&s->info);
    if (crc32c(0, s->file.data + off, (size_t)len) != load_u32(want)) return false;
    atomic_fetch_or_explicit(&s->page_verified[page / 64], UINT64_C(1) << page % 64,
                             memory_order_relaxed);
    return true;
}

bool segment_page_sound(segment *s, uint64_t page, const char **where, uint64_t *off)
{
    uint64_t page_bytes = segment_page_bytes(&s->info), piece = 4 * page / page_bytes;
    *where = "page table";
    *off = s->page_table_off + piece * page_bytes;
    if (!page_known(s, s->n_pages + piece) && !page_sum(s, s->n_pages + piece, *off, s->roots_off,
                                                        s->file.data + s->roots_off + 4 * piece))
        return false;
    *where = "page";
    *off = page * page_bytes;
    return page_sum(s, page, *off, s->page_table_off, s->page_crcs + 4 * page);
}

/* After the first damage nothing more is verified: the search has failed already, and a bad
 * page that is asked for a million times must not be summed a million times. */
static bool page_verify(segment *s, uint64_t page)
{
    const char *where;
    uint64_t off;
    if (atomic_load_explicit(&s->damaged, memory_order_relaxed) != DAMAGE_NONE) return false;
    if (segment_page_sound(s, page, &where, &off)) return true;
    segment_damaged(s, off, where, "checksum of the page that starts here differs");
    return false;
}

bool segment_touch(segment *s, uint64_t off, uint64_t len)
{
    if (len == 0) return true;
    if (off > s->page_table_off || len > s->page_table_off - off) {
        segment_damaged(s, off, "file", "a reference leads out of the sections");
        return false;
    }
    uint64_t last = segment_page_of(&s->info, off + len - 1);
    for (uint64_t page = segment_page_of(&s->info, off); page <= last; page++)
        if (!page_known(s, page) && !page_verify(s, page)) return false;
    return true;
}

bool segment_slice(segment *s, section_id id, uint64_t off, uint64_t len, slice *out)
{
    const section *sec = &s->info.sections[id];
    *out = (slice){NULL, 0};
    if (off > sec->len || len > sec->len - off) {
        segment_damaged(s, sec->off + off, section_name(id),
                        "a reference leads out of the section");
        return false;
    }
    if (!segment_touch(s, sec->off + off, len)) return false;
    *out = (slice){s->file.data + sec->off + off, (size_t)len};
    return true;
}

/* ---- open and close ------------------------------------------------------------------------ */

static pm_status segment_refuse(const segment *s, uint64_t off, const char *where, const char *what,
                                pm_error *err)
{
    return error_corrupt(err, s->path, off, where, what);
}

static pm_status open_ends(segment *s, const uint8_t uuid[16], uint64_t file_size,
                           uint32_t expect_crc, layout_footer *footer, pm_error *err)
{
    segment_info head = {0};
    bool too_new;
    if (s->file.len != file_size || file_size < LAYOUT_HEADER_BYTES + LAYOUT_FOOTER_BYTES)
        return segment_refuse(s, s->file.len, "file", "its size is not what the manifest says",
                              err);
    uint64_t footer_off = file_size - LAYOUT_FOOTER_BYTES;
    const char *wrong = header_decode(s->file.data, &head, &too_new);
    if (too_new) wrong = "made by a newer version of pressmark; use that one";
    if (wrong) return segment_refuse(s, 0, "header", wrong, err);
    wrong = footer_decode(s->file.data + footer_off, footer);
    if (wrong) return segment_refuse(s, footer_off, "footer", wrong, err);
    if (footer->file_len != file_size)
        return segment_refuse(s, footer_off, "footer", "the file length is wrong", err);
    s->footer_crc = load_u32(s->file.data + file_size - 4);
    if (s->footer_crc != expect_crc)
        return segment_refuse(s, footer_off, "footer", "not the file that the manifest names", err);
    if (memcmp(head.uuid, uuid, 16) || memcmp(footer->info.uuid, uuid, 16))
        return segment_refuse(s, 16, "header", "the file belongs to another index", err);
    if (head.segment_id != footer->info.segment_id)
        return segment_refuse(s, 32, "header", "header and footer name different segments", err);
    return PM_OK;
}

static pm_status open_pages(segment *s, const layout_footer *footer, pm_error *err)
{
    uint64_t roots = layout_roots_len(footer->page_table_len, segment_page_bytes(&s->info));
    s->page_table_off = footer->page_table_off;
    s->roots_off = footer->file_len - LAYOUT_FOOTER_BYTES - roots;
    s->n_pages = (size_t)(footer->page_table_len / 4);
    s->page_crcs = s->file.data + footer->page_table_off;
    if (crc32c(0, s->file.data + s->roots_off, (size_t)roots) != footer->roots_crc)
        return segment_refuse(s, s->roots_off, "page table", "checksum of its sums differs", err);
    s->page_verified =
        mem_array((s->n_pages + (size_t)roots / 4) / 64 + 1, sizeof *s->page_verified);
    return s->page_verified ? PM_OK : error_nomem(err);
}

pm_status segment_open(segment **out, const dir *d, const char *name, const uint8_t uuid[16],
                       uint64_t file_size, uint32_t expect_crc, pm_error *err)
{
    pm_status st = PM_OK;
    layout_footer footer;
    *out = NULL;
    segment *s = mem_zalloc(sizeof *s);
    if (!s) return error_nomem(err);
    const char *folder = d->path ? d->path : ".";
    size_t path_len = strlen(folder) + strlen(name) + 2;
    s->path = mem_alloc(path_len);
    if (!s->path) PM_TRY(error_nomem(err));
    snprintf(s->path, path_len, "%s/%s", folder, name);
    snprintf(s->name, sizeof s->name, "%s", name);
    PM_TRY(map_open(&s->file, d, name, NULL, err));
    PM_TRY(open_ends(s, uuid, file_size, expect_crc, &footer, err));
    s->info = footer.info;
    PM_TRY(open_pages(s, &footer, err));
    *out = s;
    return PM_OK;
out:
    segment_close(s);
    return st;
}

void segment_close(segment *s)
{
    if (!s) return;
    map_close(&s->file);
    mem_free(s->page_verified);
    mem_free(s->path);
    mem_free(s);
}
