/* SPDX-License-Identifier: MIT
 * test_check.c - pm_check on whole folders: a sound one, and ones in which each file is right by
 * itself but does not agree with the others; and damage that is met by readers first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/segment/snapshot.h"
#include "tests/support/open_folder.h"
#include "tests/support/reseal.h"
#include "tests/support/segment_model.h"
#include "tests/support/whole_index.h"

static const char *const names[2] = {"1-00000001.seg", "2-00000002.seg"};
static const char del_name[] = "3-00000003.del";
enum { DOCS = 121, DEAD = 20 };

/* ---- an index of two segments, some documents of the second deleted ---------------------- */

typedef struct made_index {
    manifest meta;
    manifest_segment segments[2];
} made_index;

/* Takes the place of a term that is of no known class, in the first segment. */
typedef struct odd_term {
    const char *key;
    bool positions;
} odd_term;
static const odd_term *odd;

static void put_odd(segment_model *model)
{
    uint32_t i = 0;
    while (i < model->n_terms && model->terms[i].key[0] < 0x05) i++;
    assert_true(i < model->n_terms && model->terms[i].key[0] == 0x05);
    model_term *t = &model->terms[i];
    t->key_len = strlen(odd->key);
    memcpy(t->key, odd->key, t->key_len);
    if (odd->positions) return;
    mem_free(t->positions);
    t->positions = NULL;
}

/* Ids of segment i are "i-n" and do not rise; with `same` both segments have those of the first. */
static void add_segment(made_index *m, unsigned i, bool same)
{
    const model_shape shape = {.n_docs = DOCS,
                               .n_terms = 20,
                               .block_size = 16,
                               .dense_shift = 3,
                               .store_block_bytes = 500,
                               .positions = true,
                               .text = true,
                               .long_tf = 9};
    segment_model model;
    pm_error err;
    model_make(&model, &shape, 50 + i);
    memset(model.config.uuid, 7, 16);
    model.config.segment_id = i + 1;
    model.config.avgdl_ref = 10;
    for (uint32_t doc = 0; doc < DOCS; doc++) {
        model.docs[doc].seq = 1000 * (i + 1) + doc;
        model.docs[doc].id_len =
            (size_t)sprintf(model.docs[doc].id, "%u-%u", same ? 0 : i, doc * 7 % DOCS);
    }
    if (odd && i == 0) put_odd(&model);
    must(model_write(&model, &where, names[i], &m->segments[i], &err), &err);
    model_free(&model);
}

static void add_tombstones(made_index *m, uint64_t dead_mask)
{
    segment *s;
    pm_error err;
    buf bytes = {0};
    uint64_t bits[DOCS / 64 + 1] = {dead_mask}, tokens;
    manifest_segment *named = &m->segments[1];
    must(segment_open(&s, &where, named->name, m->meta.uuid, named->size, named->footer_crc, &err),
         &err);
    must(tombstones_encode(s, bits, &bytes, &named->del_crc, &named->n_deleted, &tokens, &err),
         &err);
    segment_close(s);
    memcpy(named->del_name, del_name, sizeof del_name);
    named->del_size = bytes.len;
    named->live_tokens -= tokens;
    folder_write(folder, del_name, bytes.data, bytes.len);
    buf_free(&bytes);
}

static void make(made_index *m, bool same_ids)
{
    folder_empty(folder);
    *m = (made_index){.meta = {.generation = 1,
                               .next_file = 4,
                               .next_seq = 1000000,
                               .engine = "native",
                               .lang = "none",
                               .profile = "test",
                               .has_positions = true,
                               .has_text = true,
                               .k1 = 1.2,
                               .b = 0.75,
                               .avgdl_ref = 10,
                               .block_size = 16,
                               .dense_shift = 3,
                               .n_segments = 2,
                               .segments_cap = 2}};
    memset(m->meta.uuid, 7, 16);
    add_segment(m, 0, same_ids);
    add_segment(m, 1, same_ids);
    if (!same_ids) add_tombstones(m, (1u << DEAD) - 1);
    m->meta.segments = m->segments;
}

static void publish(made_index *m)
{
    pm_error err;
    must(manifest_publish(&m->meta, &where, 1, &err), &err);
}

/* ---- findings ----------------------------------------------------------------------------- */

typedef struct found {
    unsigned n;
    char file[64], section[64], what[500];
    uint64_t offset;
} found;

static void keep_first(void *ctx, const char *file, const char *part, uint64_t offset,
                       const char *what)
{
    found *f = ctx;
    print_message("%s, %s at %llu: %s\n", file, part, (unsigned long long)offset, what);
    if (f->n++) return;
    snprintf(f->file, sizeof f->file, "%s", file);
    snprintf(f->section, sizeof f->section, "%s", part);
    snprintf(f->what, sizeof f->what, "%s", what);
    f->offset = offset;
}

static void expect_finding(const char *file, const char *what)
{
    found f = {0};
    pm_check_summary sum;
    pm_error err;
    assert_int_equal(pm_check(folder, true, keep_first, &f, &sum, &err), PM_CORRUPT);
    assert_true(f.n > 0 && sum.findings == f.n);
    assert_string_equal(f.file, file);
    if (!strstr(f.what, what)) fail_msg("found \"%s\", not \"%s\"", f.what, what);
}

/* A reader finds that out when it opens the index. */
static void expect_refused(const char *file, const char *what)
{
    snapshot *s;
    pm_error err;
    assert_int_equal(snapshot_open(&s, folder, &err), PM_CORRUPT);
    if (!strstr(err.message, file) || !strstr(err.message, what)) fail_msg("%s", err.message);
    assert_null(s);
}

static void sound_index(void **state)
{
    (void)state;
    made_index m;
    found f = {0};
    pm_check_summary sum;
    pm_error err;
    make(&m, false);
    publish(&m);
    must(pm_check(folder, true, keep_first, &f, &sum, &err), &err);
    assert_int_equal(f.n, 0);
    assert_int_equal(sum.files, 4);
    assert_true(sum.deleted && sum.deleted == m.segments[1].n_deleted);
    assert_int_equal(sum.documents + sum.deleted, 2 * DOCS);
    assert_int_equal(sum.terms, 40);
    assert_true(sum.bytes ==
                m.segments[0].size + m.segments[1].size + m.segments[1].del_size + 228 + 240);
    must(pm_check(folder, false, NULL, NULL, NULL, &err), &err);
}

static void no_index(void **state)
{
    (void)state;
    pm_error err;
    folder_empty(folder);
    assert_int_equal(pm_check(folder, true, NULL, NULL, NULL, &err), PM_USAGE);
    assert_int_equal(pm_check("/nonexistent/folder", true, NULL, NULL, NULL, &err), PM_USAGE);
}

static void other_counts(void **state)
{
    (void)state;
    made_index m;
    make(&m, false);
    m.segments[0].live_tokens++;
    publish(&m);
    expect_finding(names[0], "counts");
    expect_refused(names[0], "counts");
    make(&m, false);
    m.segments[1].live_tokens++;
    publish(&m);
    expect_finding(del_name, "counts");
    expect_refused(names[1], "counts");
    make(&m, false);
    m.segments[0].n_docs++;
    publish(&m);
    expect_finding(names[0], "counts");
    expect_refused(names[0], "counts");
    make(&m, false);
    m.segments[1].n_deleted++;
    publish(&m);
    expect_finding(del_name, "counts");
    expect_refused(names[1], "counts");
}

static void other_settings(void **state)
{
    (void)state;
    made_index m;
    for (unsigned i = 0; i < 5; i++) {
        make(&m, false);
        if (i == 0) m.meta.avgdl_ref = 11;
        if (i == 1) m.meta.k1 = 1.25;
        if (i == 2) m.meta.b = 0.5;
        if (i == 3) m.meta.has_positions = false;
        if (i == 4) m.meta.has_text = false;
        publish(&m);
        expect_finding(names[0], "settings");
        expect_refused(names[0], "settings");
    }
}

/* More words are taken from a term than the deleted documents have; and more than there are. */
static void other_corrections(void **state)
{
    (void)state;
    made_index m;
    snapshot *s;
    dict_iter it;
    pm_error err;
    uint64_t first_cf = 64 + 64 * ((DOCS + 511) / 512), df, cf;
    make(&m, false);
    reseal_changed(folder, del_name, first_cf, 0x08, &m.segments[1].del_crc);
    publish(&m);
    expect_finding(del_name, "not what the deleted documents take away");
    reseal_changed(folder, del_name, first_cf + 7, 0x40, &m.segments[1].del_crc);
    publish(&m);
    expect_finding(del_name, "not what the deleted documents take away");
    must(snapshot_open(&s, folder, &err), &err);
    dict_iter_begin(&it, s->segments[1].seg, false, "", 0);
    while (dict_iter_next(&it)) {
        snapshot_segment_df(&s->segments[1], &it.term, &df, &cf);
        assert_true(df > 0 && df <= it.term.df && cf <= it.term.cf);
    }
    assert_int_equal(snapshot_status(s, &err), PM_CORRUPT);
    assert_non_null(strstr(err.message, "more postings deleted than there are"));
    snapshot_close(s);
}

/* Numbers of terms that do not rise, or of a term that is not there; no document, or more than are
 * deleted, or fewer words than documents; and bits behind the last document. */
static void impossible_tombstones(void **state)
{
    (void)state;
    made_index m;
    make(&m, false);
    uint64_t cfs = 64 + 64 * ((DOCS + 511) / 512), n = (m.segments[1].del_size - cfs - 4) / 16,
             ordinals = cfs + 8 * n, dfs = ordinals + 4 * n, n_dead = m.segments[1].n_deleted;
    folder_image image;
    folder_load(folder, &image);
    const folder_file *f = image.files;
    while (strcmp(f->name, del_name) != 0) f++;
    print_message("%llu corrections\n", (unsigned long long)n);
    assert_true(n > 1 && load_u32(f->data + ordinals + 4) < 128 && load_u32(f->data + dfs) < 64);
    uint8_t same = (uint8_t)(f->data[ordinals] ^ f->data[ordinals + 4]), df = f->data[dfs],
            cf = f->data[cfs];
    assert_true(cf >= df && df <= n_dead);
    folder_image_free(&image);
    static const char range[] = "a correction out of order or range";
    const struct {
        uint64_t at;
        uint8_t mask;
        const char *what;
    } cases[] = {
        {ordinals + 4, same, range},
        {ordinals + 4 * n - 1, 0x40, range},
        {dfs, df, range},
        {dfs, (uint8_t)(df ^ (n_dead + 1)), range},
        {cfs, (uint8_t)(cf ^ (df - 1)), range},
        {64 + DOCS / 8, 1 << DOCS % 8, "no such document"},
        {64 + DOCS / 64 * 8 + 8, 1, "no such document"},
        {64 + DOCS / 8 - 1, 1, "wrong number of deleted documents"},
        {12, 1, "counts out of range"},
        {47, 0x40, "counts out of range"},
        {54, 0x40, "counts out of range"},
        {62, 0x40, "counts out of range"},
        {56, 1, "its arrays do not fill it"},
        {16, 1, "belongs to another segment"},
        {32, 1, "belongs to another segment"},
        {40, 1, "belongs to another segment"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(&m, false);
        reseal_changed(folder, del_name, cases[i].at, cases[i].mask, &m.segments[1].del_crc);
        publish(&m);
        expect_finding(del_name, cases[i].what);
        expect_refused(del_name, cases[i].what);
    }
}

static void other_version_of_tombstones(void **state)
{
    (void)state;
    made_index m;
    make(&m, false);
    reseal_changed(folder, del_name, 8, 0x40, &m.segments[1].del_crc);
    publish(&m);
    expect_finding(del_name, "made by a newer pressmark");
    expect_refused(del_name, "made by a newer pressmark");
}

static void see_order(void *ctx, const char *file, const char *part, uint64_t offset,
                      const char *what)
{
    (void)file;
    (void)part;
    (void)offset;
    if (strstr(what, "exceptions are out of order")) *(bool *)ctx = true;
}

/* The rank of a list's second exception becomes one before the first's.  Where that is depends on
 * the made segment: a byte of its postings. */
static void order_of_exceptions(void **state)
{
    (void)state;
    enum { SECOND_RANK = 700 };
    made_index m;
    segment *s;
    pm_error err;
    make(&m, false);
    const manifest_segment *named = &m.segments[0];
    must(segment_open(&s, &where, named->name, m.meta.uuid, named->size, named->footer_crc, &err),
         &err);
    uint64_t at = s->info.sections[SECTION_POSTINGS].off + SECOND_RANK;
    segment_close(s);
    reseal_changed(folder, names[0], at, 1, &m.segments[0].footer_crc);
    publish(&m);
    bool seen = false;
    assert_int_equal(pm_check(folder, true, see_order, &seen, NULL, &err), PM_CORRUPT);
    assert_true(seen);
}

/* Bits behind the last document of the table of ids. */
static void padding_of_ids(void **state)
{
    (void)state;
    made_index m;
    segment *s;
    pm_error err;
    make(&m, false);
    const manifest_segment *named = &m.segments[0];
    must(segment_open(&s, &where, named->name, m.meta.uuid, named->size, named->footer_crc, &err),
         &err);
    section table = s->info.sections[SECTION_ID_TABLE];
    segment_close(s);
    assert_true(table.len > 0);
    reseal_changed(folder, names[0], table.off + table.len - 1, 0x80, &m.segments[0].footer_crc);
    publish(&m);
    expect_finding(names[0], "padding is not zero");
}

static void other_file(void **state)
{
    (void)state;
    made_index m;
    make(&m, false);
    m.segments[0].footer_crc ^= 1;
    publish(&m);
    expect_finding(names[0], "not the file");
}

static void missing_files(void **state)
{
    (void)state;
    made_index m;
    make(&m, false);
    publish(&m);
    folder_unlink(folder, del_name);
    expect_finding(del_name, "missing");
    folder_unlink(folder, names[0]);
    expect_finding(names[0], "missing");
    folder_unlink(folder, "manifest");
    folder_write(folder, "manifest", "x", 1);
    expect_finding("manifest", "");
}

static void one_id_twice(void **state)
{
    (void)state;
    made_index m;
    make(&m, true);
    publish(&m);
    expect_finding(names[0], "two live documents");
}

static void other_number(void **state)
{
    (void)state;
    made_index m;
    make(&m, false);
    folder_image image;
    folder_load(folder, &image);
    for (size_t i = 0; i < image.n; i++)
        if (!strcmp(image.files[i].name, names[0]))
            folder_write(folder, "9-00000009.seg", image.files[i].data, image.files[i].len);
    folder_image_free(&image);
    snprintf(m.segments[0].name, sizeof m.segments[0].name, "9-00000009.seg");
    m.meta.next_file = 10;
    publish(&m);
    expect_finding("9-00000009.seg", "the file's name has another number");
}

static void other_order(void **state)
{
    (void)state;
    made_index m;
    make(&m, false);
    m.meta.next_seq = 2000 + DOCS - 1; /* the last article's                                  */
    publish(&m);
    expect_finding(names[1], "ingest numbers");
    make(&m, false);
    manifest_segment first = m.segments[0];
    m.segments[0] = m.segments[1];
    m.segments[1] = first;
    publish(&m);
    expect_finding(names[0], "ingest numbers");
}

static void odd_terms(void **state)
{
    static const struct {
        odd_term term;
        const char *what;
    } cases[] = {
        {{"\x02zzz", true}, "a word of a title that is no word"},
        {{"\x03"
          "ab\x1f"
          "cd",
          false},
         "a term is wrong about having positions"},
        {{"\x03"
          "ab\x1f"
          "cd",
          true},
         "a bigram of words that are not frequent"},
        {{"\x04"
          "xy",
          false},
         "no field, or no value of one"},
        {{"\x04"
          "s",
          false},
         "no field, or no value of one"},
        {{"\x04"
          "sy",
          true},
         "a term is wrong about having positions"},
        {{"\x04"
          "sy",
          false},
         "a document has a value of a field more than once"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made_index m;
        odd = &cases[i].term;
        make(&m, false);
        odd = NULL;
        publish(&m);
        expect_finding(names[0], cases[i].what);
    }
}

/* ---- damage that a reader meets ----------------------------------------------------------- */

static void flip(const char *name, uint64_t at)
{
    folder_image image;
    folder_load(folder, &image);
    for (size_t i = 0; i < image.n; i++)
        if (!strcmp(image.files[i].name, name)) {
            image.files[i].data[at] ^= 1;
            folder_write(folder, name, image.files[i].data, image.files[i].len);
        }
    folder_image_free(&image);
}

/* One finding for the page; a reader says the same at first touch, and only once. */
static void bad_page(void **state)
{
    (void)state;
    made_index m;
    segment *s;
    term_entry entry;
    pm_error err;
    make(&m, false);
    publish(&m);
    const manifest_segment *named = &m.segments[0];
    must(segment_open(&s, &where, named->name, m.meta.uuid, named->size, named->footer_crc, &err),
         &err);
    uint64_t at = s->info.sections[SECTION_TERMS].off;
    segment_close(s);
    flip(names[0], at);
    expect_finding(names[0], "checksum");
    must(segment_open(&s, &where, named->name, m.meta.uuid, named->size, named->footer_crc, &err),
         &err);
    assert_int_equal(segment_status(s, &err), PM_OK);
    assert_false(dict_find(s, "a", 1, &entry));
    assert_int_equal(segment_status(s, &err), PM_CORRUPT);
    assert_non_null(strstr(err.message, names[0]));
    assert_int_equal(segment_dl(s, 0), 0); /* on a page of its own, not looked at any more */
    assert_int_equal(segment_id(s, 0, (uint8_t[SEGMENT_ID_ROOM]){0}).len, 0);
    segment_close(s);
}

/* Every allocation refused once: PM_NOMEM, never a finding. */
static void check_survives_refused_memory(void **state)
{
    (void)state;
    made_index m;
    make(&m, false);
    publish(&m);
    uint64_t n = 1;
    for (;; n++) {
        found f = {0};
        pm_error err;
        mem_fail_at(n, false);
        pm_status st = pm_check(folder, true, keep_first, &f, NULL, &err);
        bool done = mem_count() < n;
        mem_fail_at(0, false);
        assert_int_equal(f.n, 0);
        assert_int_equal(st, done ? PM_OK : PM_NOMEM);
        if (done) break;
    }
    print_message("%llu allocations refused\n", (unsigned long long)n - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_index),
        cmocka_unit_test(no_index),
        cmocka_unit_test(other_counts),
        cmocka_unit_test(other_settings),
        cmocka_unit_test(other_file),
        cmocka_unit_test(missing_files),
        cmocka_unit_test(one_id_twice),
        cmocka_unit_test(other_number),
        cmocka_unit_test(other_order),
        cmocka_unit_test(odd_terms),
        cmocka_unit_test(bad_page),
        cmocka_unit_test(check_survives_refused_memory),
        cmocka_unit_test(other_corrections),
        cmocka_unit_test(other_version_of_tombstones),
        cmocka_unit_test(impossible_tombstones),
        cmocka_unit_test(padding_of_ids),
        cmocka_unit_test(order_of_exceptions),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
