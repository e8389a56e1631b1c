/* SPDX-License-Identifier: MIT
 * footer.c - the two ends of a segment file: bytes to segment_info and back, and the rules
 * that the numbers in them must keep before anything else of the file is looked at.
 */
#include <math.h>

#include "common/base/crc32c.h"
#include "common/segment/dict_index.h"
#include "common/segment/ids.h"

enum {
    FLAG_POSITIONS = 1,
    FLAG_TEXT = 2,
    FLAG_DATES_SORTED = 4,
    FLAG_MARKS = 8,
    FLAG_IDS_KEYED = 16,
    FLAGS = 31
};

void header_encode(const segment_info *info, uint8_t out[LAYOUT_HEADER_BYTES])
{
    memset(out, 0, LAYOUT_HEADER_BYTES);
    memcpy(out, layout_header_magic, 8);
    store_u32(out + 8, SEGMENT_VERSION);
    memcpy(out + 16, info->uuid, 16);
    store_u64(out + 32, info->segment_id);
    store_u32(out + 60, crc32c(0, out, 60));
}

static bool all_zero(const uint8_t *p, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) any |= p[i];
    return !any;
}

const char *header_decode(const uint8_t in[LAYOUT_HEADER_BYTES], segment_info *info, bool *too_new)
{
    *too_new = false;
    if (memcmp(in, layout_header_magic, 8)) return "not a pressmark segment";
    if (load_u32(in + 60) != crc32c(0, in, 60)) return "header checksum differs";
    if (load_u32(in + 8) != SEGMENT_VERSION) {
        *too_new = load_u32(in + 8) > SEGMENT_VERSION;
        return "unknown format version";
    }
    if (load_u32(in + 12) || !all_zero(in + 40, 20)) return "reserved bytes are not zero";
    memcpy(info->uuid, in + 16, 16);
    info->segment_id = load_u64(in + 32);
    return NULL;
}

/* ---- footer ---------------------------------------------------------------------------- */

uint32_t footer_encode(const layout_footer *f, uint8_t out[LAYOUT_FOOTER_BYTES])
{
    const segment_info *info = &f->info;
    memset(out, 0, LAYOUT_FOOTER_BYTES);
    memcpy(out, info->uuid, 16);
    store_u64(out + 16, info->segment_id);
    store_u32(out + 24, SEGMENT_VERSION);
    store_u32(out + 28, info->n_docs);
    store_u64(out + 32, info->n_terms);
    store_u64(out + 40, info->n_forms);
    store_u64(out + 48, info->n_plain_terms);
    store_u64(out + 56, info->n_plain_postings);
    store_u64(out + 64, info->n_plain_positions);
    store_u64(out + 72, info->sum_dl);
    store_f64(out + 80, info->k1);
    store_f64(out + 88, info->b);
    store_f64(out + 96, info->avgdl_ref);
    store_u32(out + 104, info->block_size);
    store_u32(out + 108, info->dense_shift);
    store_u32(out + 112,
              (info->has_positions ? FLAG_POSITIONS : 0u) | (info->has_text ? FLAG_TEXT : 0u) |
                  (info->dates_sorted ? FLAG_DATES_SORTED : 0u) |
                  (info->has_marks ? FLAG_MARKS : 0u) | (info->ids_keyed ? FLAG_IDS_KEYED : 0u));
    out[116] = info->dl_width;
    out[117] = info->seq_width;
    out[118] = info->date_width;
    out[119] = info->page_shift;
    store_u64(out + 120, info->seq_base);
    for (unsigned i = 0; i < SECTION_COUNT; i++) {
        store_u64(out + 128 + 16 * i, info->sections[i].off);
        store_u64(out + 136 + 16 * i, info->sections[i].len);
    }
    store_u64(out + 336, f->page_table_off);
    store_u64(out + 344, f->page_table_len);
    store_u32(out + 352, f->roots_crc);
    store_u32(out + 356, info->bigram_min);
    for (unsigned i = 0; i < PART_COUNT; i++) store_u64(out + 360 + 8 * i, info->parts[i]);
    store_u64(out + 400, info->n_listed_forms);
    store_u64(out + 408, f->file_len);
    memcpy(out + 416, layout_footer_magic, 8);
    uint32_t crc = crc32c(0, out, 428);
    store_u32(out + 428, crc);
    return crc;
}

static void footer_load(const uint8_t in[LAYOUT_FOOTER_BYTES], layout_footer *f)
{
    segment_info *info = &f->info;
    uint32_t flags = load_u32(in + 112);
    memcpy(info->uuid, in, 16);
    info->segment_id = load_u64(in + 16);
    info->n_docs = load_u32(in + 28);
    info->n_terms = load_u64(in + 32);
    info->n_forms = load_u64(in + 40);
    info->n_plain_terms = load_u64(in + 48);
    info->n_plain_postings = load_u64(in + 56);
    info->n_plain_positions = load_u64(in + 64);
    info->sum_dl = load_u64(in + 72);
    info->k1 = load_f64(in + 80);
    info->b = load_f64(in + 88);
    info->avgdl_ref = load_f64(in + 96);
    info->block_size = load_u32(in + 104);
    info->dense_shift = load_u32(in + 108);
    info->has_positions = flags & FLAG_POSITIONS;
    info->has_text = flags & FLAG_TEXT;
    info->dates_sorted = flags & FLAG_DATES_SORTED;
    info->has_marks = flags & FLAG_MARKS;
    info->ids_keyed = flags & FLAG_IDS_KEYED;
    info->dl_width = in[116];
    info->seq_width = in[117];
    info->date_width = in[118];
    info->page_shift = in[119];
    info->seq_base = load_u64(in + 120);
    for (unsigned i = 0; i < SECTION_COUNT; i++) {
        info->sections[i].off = load_u64(in + 128 + 16 * i);
        info->sections[i].len = load_u64(in + 136 + 16 * i);
    }
    f->page_table_off = load_u64(in + 336);
    f->page_table_len = load_u64(in + 344);
    f->roots_crc = load_u32(in + 352);
    info->bigram_min = load_u32(in + 356);
    for (unsigned i = 0; i < PART_COUNT; i++) info->parts[i] = load_u64(in + 360 + 8 * i);
    info->n_listed_forms = load_u64(in + 400);
    f->file_len = load_u64(in + 408);
}

/* Sections, page table and file length are where the lengths say, and nowhere else. */
static const char *check_places(const layout_footer *f)
{
    const segment_info *info = &f->info;
    uint64_t at = LAYOUT_HEADER_BYTES;
    for (unsigned i = 0; i < SECTION_COUNT; i++) {
        const section *s = &info->sections[layout_order[i]];
        if (s->off != at || s->len > f->file_len || at > f->file_len)
            return "a section is misplaced";
        at = layout_next(s->off + s->len);
    }
    if (f->page_table_off != at || at > f->file_len) return "the page table is misplaced";
    if (f->page_table_len != 4 * layout_groups(at, segment_page_bytes(info)))
        return "the page table has a wrong size";
    if (f->file_len != at + layout_align(f->page_table_len, 8) +
                           layout_roots_len(f->page_table_len, segment_page_bytes(info)) +
                           LAYOUT_FOOTER_BYTES)
        return "the file length is wrong";
    return NULL;
}

/* Of a dictionary's index: filter, first bytes and offset of each block. */
static uint64_t index_bytes(const section *blocks, uint64_t n_keys, uint64_t n_filtered)
{
    dict_index d = dict_index_of(n_keys, blocks->len, n_filtered);
    return dict_index_bytes(&d);
}

/* Of one block to one a document, the end, and the marks if there are any. */
static bool directory_fits(const segment_info *info)
{
    uint64_t len = info->sections[SECTION_STORE_DIR].len, marks = layout_marks(info);
    return len >= marks + 2 * STORE_DIR_BYTES && (len - marks) % STORE_DIR_BYTES == 0 &&
           len - marks <= STORE_DIR_BYTES * ((uint64_t)info->n_docs + 1);
}

static const char *check_sizes(const segment_info *info)
{
    const section *s = info->sections;
    uint64_t n = info->n_docs;
    if (s[SECTION_DL].len != n * info->dl_width || s[SECTION_SEQ].len != n * info->seq_width ||
        s[SECTION_DATE].len != n * info->date_width ||
        s[SECTION_ID_OFFSETS].len !=
            layout_offset_width(s[SECTION_IDS].len) * layout_groups(n, ID_BLOCK) ||
        (s[SECTION_ID_TABLE].len && s[SECTION_ID_TABLE].len != id_table_bytes(info->n_docs)))
        return "a document column has a wrong size";
    if (s[SECTION_TERMS_INDEX].len !=
            index_bytes(&s[SECTION_TERMS], info->n_terms, info->n_plain_terms) ||
        s[SECTION_FORMS_INDEX].len != index_bytes(&s[SECTION_FORMS], info->n_listed_forms, 0))
        return "a dictionary index has a wrong size";
    return directory_fits(info) ? NULL : "the store directory has a wrong size";
}

static bool in_range(double v, double low, double high)
{
    return isfinite(v) && v >= low && v <= high;
}

static const char *check_numbers(const segment_info *info)
{
    if (info->n_docs == 0 || info->n_docs > SEGMENT_DOCS_MAX)
        return "impossible number of documents";
    if (info->n_terms > UINT32_MAX || info->n_forms > UINT32_MAX ||
        info->n_plain_terms > info->n_terms || info->n_listed_forms > info->n_forms ||
        info->n_forms - info->n_listed_forms > info->n_plain_terms)
        return "impossible number of keys";
    if (!in_range(info->k1, 0, 1e6) || !in_range(info->b, 0, 1) ||
        !segment_reference_fits(info->avgdl_ref))
        return "impossible k1, b or reference length";
    if (info->block_size < 8 || info->block_size > SEGMENT_BLOCK_MAX || info->dense_shift > 31)
        return "impossible geometry";
    if ((info->dl_width != 2 && info->dl_width != 4) ||
        (info->seq_width && info->seq_width != 4 && info->seq_width != 8) ||
        (info->date_width && info->date_width != 4 && info->date_width != 8))
        return "impossible column width";
    if (info->bigram_min && !info->has_positions) return "bigrams without positions";
    uint64_t left = info->sections[SECTION_POSTINGS].len;
    for (unsigned i = 0; i < PART_COUNT; left -= info->parts[i++])
        if (info->parts[i] > left) return "parts of the postings are larger than the whole";
    return left ? "parts of the postings are smaller than the whole" : NULL;
}

const char *footer_decode(const uint8_t in[LAYOUT_FOOTER_BYTES], layout_footer *f)
{
    if (memcmp(in + 416, layout_footer_magic, 8)) return "the end is missing: the file was cut";
    if (load_u32(in + 428) != crc32c(0, in, 428)) return "footer checksum differs";
    if (load_u32(in + 24) != SEGMENT_VERSION) return "unknown format version";
    if (in[119] > SEGMENT_PAGE_SHIFT_MAX) return "impossible page size";
    if (load_u32(in + 112) > FLAGS || load_u32(in + 424)) return "reserved bytes are not zero";
    footer_load(in, f);
    const char *wrong = check_numbers(&f->info);
    if (!wrong) wrong = check_places(f);
    return wrong ? wrong : check_sizes(&f->info);
}
