/* SPDX-License-Identifier: MIT
 * test_footer.c - the rules of the two ends of a segment file, one after the other: from a sound
 * one, the number that a rule looks at is changed, and nothing else; sums are right.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/crc32c.h"
#include "common/segment/dict_index.h"
#include "common/segment/ids.h"

enum {
    DOCS = 40,
    /* Where a number stands. */
    AT_VERSION = 24,
    AT_DOCS = 28,
    AT_TERMS = 32,
    AT_FORMS = 40,
    AT_PLAIN = 48,
    AT_K1 = 80,
    AT_B = 88,
    AT_AVGDL = 96,
    AT_BLOCK = 104,
    AT_DENSE = 108,
    AT_FLAGS = 112,
    AT_DL_WIDTH = 116,
    AT_SEQ_WIDTH = 117,
    AT_DATE_WIDTH = 118,
    AT_PAGE_SHIFT = 119,
    AT_SECTIONS = 128,
    AT_TABLE_OFF = 336,
    AT_TABLE_LEN = 344,
    AT_BIGRAM_MIN = 356,
    AT_PARTS = 360,
    AT_LISTED = 400,
    AT_FILE_LEN = 408,
    AT_MAGIC = 416,
    AT_RESERVED = 424,
    AT_CRC = 428,
};

/* ---- a sound one ------------------------------------------------------------------------- */

/* Every section where the lengths say, and the file as long as that makes it. */
static void place(layout_footer *f)
{
    uint64_t at = LAYOUT_HEADER_BYTES, page = segment_page_bytes(&f->info);
    for (unsigned i = 0; i < SECTION_COUNT; i++) {
        section *s = &f->info.sections[layout_order[i]];
        s->off = at;
        at = layout_next(at + s->len);
    }
    f->page_table_off = at;
    f->page_table_len = 4 * layout_groups(at, page);
    f->file_len = at + layout_align(f->page_table_len, 8) +
                  layout_roots_len(f->page_table_len, (uint32_t)page) + LAYOUT_FOOTER_BYTES;
}

static uint64_t index_bytes(uint64_t n_keys, uint64_t blocks_len, uint64_t n_filtered)
{
    dict_index d = dict_index_of(n_keys, blocks_len, n_filtered);
    return dict_index_bytes(&d);
}

static layout_footer sound(void)
{
    layout_footer f = {.info = {.segment_id = 7,
                                .n_docs = DOCS,
                                .n_terms = 30,
                                .n_forms = 12,
                                .n_listed_forms = 5,
                                .n_plain_terms = 20,
                                .sum_dl = 400,
                                .k1 = 1.2,
                                .b = 0.75,
                                .avgdl_ref = 10,
                                .block_size = 16,
                                .dense_shift = 3,
                                .bigram_min = 9,
                                .has_positions = true,
                                .has_text = true,
                                .has_marks = true,
                                .dl_width = 2,
                                .seq_width = 4,
                                .date_width = 8,
                                .page_shift = SEGMENT_PAGE_SHIFT,
                                .parts = {300, 200}}};
    const uint64_t lens[SECTION_COUNT] = {
        [SECTION_STORE] = 5000,
        [SECTION_STORE_DIR] = 3 * STORE_DIR_BYTES + DOCS,
        [SECTION_POSTINGS] = 500,
        [SECTION_TERMS] = 400,
        [SECTION_TERMS_INDEX] = index_bytes(30, 400, 20),
        [SECTION_FORMS] = 100,
        [SECTION_FORMS_INDEX] = index_bytes(5, 100, 0),
        [SECTION_DL] = 2 * DOCS,
        [SECTION_SEQ] = 4 * DOCS,
        [SECTION_DATE] = 8 * DOCS,
        [SECTION_ID_OFFSETS] = 4 * layout_groups(DOCS, ID_BLOCK),
        [SECTION_IDS] = 200,
        [SECTION_ID_TABLE] = id_table_bytes(DOCS),
    };
    for (unsigned i = 0; i < SECTION_COUNT; i++) f.info.sections[i].len = lens[i];
    place(&f);
    return f;
}

static void expect(uint8_t bytes[LAYOUT_FOOTER_BYTES], const char *what)
{
    layout_footer back;
    const char *wrong = footer_decode(bytes, &back);
    if (!what && wrong) fail_msg("refused: %s", wrong);
    if (what && !wrong) fail_msg("taken, not refused: %s", what);
    if (what && !strstr(wrong, what)) fail_msg("refused: %s, not: %s", wrong, what);
}

static void expect_footer(const layout_footer *f, const char *what)
{
    uint8_t bytes[LAYOUT_FOOTER_BYTES];
    footer_encode(f, bytes);
    expect(bytes, what);
}

/* ---- numbers ----------------------------------------------------------------------------- */

typedef struct change {
    unsigned at, bytes;
    uint64_t number;
    const char *what;
} change;

static void store(uint8_t *out, unsigned bytes, uint64_t number)
{
    for (unsigned i = 0; i < bytes; i++) out[i] = (uint8_t)(number >> 8 * i);
}

static void expect_change(const change *c)
{
    uint8_t bytes[LAYOUT_FOOTER_BYTES];
    layout_footer f = sound();
    footer_encode(&f, bytes);
    store(bytes + c->at, c->bytes, c->number);
    store_u32(bytes + AT_CRC, crc32c(0, bytes, AT_CRC) ^ (c->at == AT_CRC));
    expect(bytes, c->what);
}

static void one_number(void **state)
{
    static const char keys[] = "number of keys", geometry[] = "geometry", width[] = "column width";
    static const change changes[] = {
        {AT_MAGIC, 1, 0, "the file was cut"},
        {AT_CRC, 0, 0, "checksum differs"},
        {AT_VERSION, 4, SEGMENT_VERSION + 1, "unknown format version"},
        {AT_PAGE_SHIFT, 1, SEGMENT_PAGE_SHIFT_MAX + 1, "page size"},
        {AT_FLAGS, 4, 32, "reserved bytes"},
        {AT_RESERVED, 4, 1, "reserved bytes"},
        {AT_DOCS, 4, 0, "number of documents"},
        {AT_DOCS, 4, UINT64_C(1) << 31, "number of documents"},
        {AT_TERMS, 8, UINT64_C(1) << 32, keys},
        {AT_FORMS, 8, UINT64_C(1) << 32, keys},
        {AT_PLAIN, 8, 31, keys},
        {AT_LISTED, 8, 13, keys},
        {AT_FORMS, 8, 5 + 21, keys},
        {AT_BLOCK, 4, 7, geometry},
        {AT_BLOCK, 4, SEGMENT_BLOCK_MAX + 1, geometry},
        {AT_DENSE, 4, 32, geometry},
        {AT_DL_WIDTH, 1, 3, width},
        {AT_SEQ_WIDTH, 1, 3, width},
        {AT_DATE_WIDTH, 1, 3, width},
        {AT_FLAGS, 4, 2 + 8, "bigrams without positions"},
        {AT_PARTS, 8, 501, "larger than the whole"},
        {AT_PARTS, 8, 299, "smaller than the whole"},
        {AT_SECTIONS + 16 * SECTION_DL, 8, 0, "section is misplaced"},
        {AT_SECTIONS + 16 * SECTION_STORE + 8, 8, UINT64_C(1) << 40, "section is misplaced"},
        {AT_FILE_LEN, 8, 5010, "section is misplaced"},
        {AT_TABLE_OFF, 8, 0, "page table is misplaced"},
        {AT_TABLE_LEN, 8, 0, "wrong size"},
        {AT_FILE_LEN, 8, 100000, "file length is wrong"},
    };
    layout_footer f = sound();
    (void)state;
    expect_footer(&f, NULL);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) expect_change(&changes[i]);
    /* The file ends with its last section: the table has no place. */
    f.file_len = f.info.sections[SECTION_ID_TABLE].off + f.info.sections[SECTION_ID_TABLE].len;
    expect_footer(&f, "page table is misplaced");
}

static void scores(void **state)
{
    static const struct {
        unsigned at;
        double low, high;
    } fields[] = {{AT_K1, 0, 1e6}, {AT_B, 0, 1}, {AT_AVGDL, 1e-6, 1e12}};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        const double good[] = {fields[i].low, fields[i].high},
                     bad[] = {fields[i].low - 1, fields[i].high * 2, NAN, INFINITY};
        for (unsigned k = 0; k < 6; k++) {
            change c = {fields[i].at, 8, 0, k < 2 ? NULL : "impossible k1, b"};
            memcpy(&c.number, k < 2 ? &good[k] : &bad[k - 2], 8);
            expect_change(&c);
        }
    }
}

/* ---- sizes ------------------------------------------------------------------------------- */

static void expect_len(section_id id, uint64_t len, const char *what)
{
    layout_footer f = sound();
    f.info.sections[id].len = len;
    place(&f);
    expect_footer(&f, what);
}

static void sizes(void **state)
{
    static const char column[] = "document column", dictionary[] = "dictionary index",
                      directory[] = "store directory";
    (void)state;
    const layout_footer f = sound();
    const section *s = f.info.sections;
    expect_len(SECTION_DL, 2 * DOCS + 1, column);
    expect_len(SECTION_SEQ, 4 * DOCS + 1, column);
    expect_len(SECTION_DATE, 8 * DOCS + 1, column);
    expect_len(SECTION_ID_OFFSETS, s[SECTION_ID_OFFSETS].len + 1, column);
    expect_len(SECTION_ID_TABLE, s[SECTION_ID_TABLE].len + 1, column);
    expect_len(SECTION_ID_TABLE, 0, NULL);
    expect_len(SECTION_TERMS_INDEX, s[SECTION_TERMS_INDEX].len + 1, dictionary);
    expect_len(SECTION_FORMS_INDEX, s[SECTION_FORMS_INDEX].len + 1, dictionary);
    expect_len(SECTION_STORE_DIR, STORE_DIR_BYTES + DOCS, directory);
    expect_len(SECTION_STORE_DIR, 2 * STORE_DIR_BYTES + DOCS + 1, directory);
    expect_len(SECTION_STORE_DIR, (DOCS + 1) * STORE_DIR_BYTES + DOCS, NULL);
    expect_len(SECTION_STORE_DIR, (DOCS + 2) * STORE_DIR_BYTES + DOCS, directory);
}

/* Numbers as large as they may be, and as small. */
static void largest(void **state)
{
    (void)state;
    layout_footer f = sound();
    segment_info *info = &f.info;
    info->block_size = SEGMENT_BLOCK_MAX;
    info->dense_shift = 31;
    expect_footer(&f, NULL);
    info->block_size = 8;
    info->dense_shift = 0;
    info->n_listed_forms = info->n_forms = 5; /* each form is listed */
    expect_footer(&f, NULL);
    info->n_forms = 5 + 20; /* each plain term has one that is not */
    expect_footer(&f, NULL);
    info->n_plain_terms = info->n_terms = UINT32_MAX;
    info->n_listed_forms = info->n_forms = UINT32_MAX;
    info->sections[SECTION_TERMS_INDEX].len = index_bytes(UINT32_MAX, 400, UINT32_MAX);
    info->sections[SECTION_FORMS_INDEX].len = index_bytes(UINT32_MAX, 100, 0);
    place(&f);
    expect_footer(&f, NULL);
    f = sound();
    info->n_docs = SEGMENT_DOCS_MAX;
    info->has_marks = false;
    info->sections[SECTION_STORE_DIR].len = 2 * STORE_DIR_BYTES;
    info->sections[SECTION_DL].len = UINT64_C(2) * SEGMENT_DOCS_MAX;
    info->sections[SECTION_SEQ].len = UINT64_C(4) * SEGMENT_DOCS_MAX;
    info->sections[SECTION_DATE].len = UINT64_C(8) * SEGMENT_DOCS_MAX;
    info->sections[SECTION_ID_OFFSETS].len = 4 * layout_groups(SEGMENT_DOCS_MAX, ID_BLOCK);
    info->sections[SECTION_ID_TABLE].len = id_table_bytes(SEGMENT_DOCS_MAX);
    place(&f);
    expect_footer(&f, NULL);
}

/* Every width that a column may have. */
static void widths(void **state)
{
    static const uint8_t some[] = {0, 4, 8};
    (void)state;
    for (unsigned i = 0; i < 18; i++) {
        layout_footer f = sound();
        f.info.dl_width = i < 9 ? 2 : 4;
        f.info.seq_width = some[i % 3];
        f.info.date_width = some[i / 3 % 3];
        f.info.bigram_min = i % 2;
        f.info.sections[SECTION_DL].len = (uint64_t)f.info.dl_width * DOCS;
        f.info.sections[SECTION_SEQ].len = (uint64_t)f.info.seq_width * DOCS;
        f.info.sections[SECTION_DATE].len = (uint64_t)f.info.date_width * DOCS;
        place(&f);
        expect_footer(&f, NULL);
    }
}

/* ---- the other end ----------------------------------------------------------------------- */

static void header(void **state)
{
    static const change changes[] = {
        {0, 0, 0, NULL},
        {0, 1, 0, "not a pressmark segment"},
        {60, 0, 0, "checksum differs"},
        {8, 4, SEGMENT_VERSION + 1, "unknown format version"},
        {8, 4, SEGMENT_VERSION - 1, "unknown format version"},
        {12, 1, 1, "reserved bytes"},
        {40, 1, 1, "reserved bytes"},
        {59, 1, 1, "reserved bytes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        uint8_t bytes[LAYOUT_HEADER_BYTES];
        const change *c = &changes[i];
        layout_footer f = sound();
        bool too_new;
        header_encode(&f.info, bytes);
        store(bytes + c->at, c->bytes, c->number);
        store_u32(bytes + 60, crc32c(0, bytes, 60) ^ (c->at == 60));
        const char *wrong = header_decode(bytes, &f.info, &too_new);
        assert_true(c->what ? wrong && strstr(wrong, c->what) : !wrong);
        assert_int_equal(too_new, c->at == 8 && c->number > SEGMENT_VERSION);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_number), cmocka_unit_test(scores), cmocka_unit_test(sizes),
        cmocka_unit_test(widths),     cmocka_unit_test(header), cmocka_unit_test(largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
