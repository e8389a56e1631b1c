/* SPDX-License-Identifier: MIT
 * test_marks.c - a byte of each document's hash, so that a changed line is known to be another
 * without inflating what is stored: written, merged, left out where an input has none, and never
 * taken for more than it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "common/segment/layout.h"
#include "indexer/writer.h"
#include "tests/support/fresh_folder.h"
#include "tests/support/ingest_fixture.h"
#include "tests/support/whole_index.h"

static ingest_fixture f;

static int set_up(void **state)
{
    fixture_open(&f);
    return make_root(state);
}

static int tear_down(void **state)
{
    fixture_close(&f);
    return remove_root(state);
}

static pm_writer *open_writer(void)
{
    pm_writer *w = NULL;
    pm_error err;
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    o.block_size = 8;
    o.store_block_bytes = 300;
    must(pm_writer_open(root, &o, &w, &err), &err);
    return w;
}

static void commit(pm_writer *w)
{
    pm_error err;
    must(pm_writer_commit(w, NULL, &err), &err);
}

/* ---- written and merged ------------------------------------------------------------------ */

/* Every seventh article is of no file. */
static uint64_t hash_of(unsigned number)
{
    return number % 7 ? hash_bytes(&number, sizeof number) : 0;
}

static void add(pm_writer *w, unsigned number)
{
    char id[16], text[80];
    pm_error err;
    snprintf(id, sizeof id, "id%u", number);
    snprintf(text, sizeof text, "word%u and word%u of article %u", number % 5, number % 3, number);
    pm_article a = {.id = {id, strlen(id)},
                    .text = {text, strlen(text)},
                    .file_size = hash_of(number) ? 1 : 0,
                    .file_hash = hash_of(number)};
    must(pm_writer_add(w, &a, NULL, &err), &err);
}

/* Compares each mark with its number's hash; returns the documents whose mark is not 0. */
static unsigned compare_marks(segment *s)
{
    unsigned marked = 0;
    assert_true(s->info.has_marks);
    for (uint32_t doc = 0; doc < s->info.n_docs; doc++) {
        uint8_t mark = 0, room[SEGMENT_ID_ROOM];
        char number[SEGMENT_ID_ROOM] = "";
        slice id = segment_id(s, doc, room);
        memcpy(number, id.data + 2, id.len - 2);
        assert_true(store_mark(s, doc, &mark));
        assert_int_equal(mark, (uint8_t)hash_of((unsigned)strtoul(number, NULL, 10)));
        marked += mark != 0;
    }
    return marked;
}

static void marks_are_written(void **state)
{
    (void)state;
    uint8_t mark = 0;
    pm_writer *w = open_writer();
    for (unsigned i = 0; i < 60; i++) add(w, i);
    commit(w);
    assert_int_equal(w->n_segments, 1);
    segment *s = w->segments[0].seg;
    assert_true(compare_marks(s) > 45);
    assert_int_equal(s->info.sections[SECTION_STORE_DIR].len,
                     (uint64_t)STORE_DIR_BYTES * (store_block_count(s) + 1) + 60);
    assert_true(store_block_count(s) > 5);
    assert_false(store_mark(s, 60, &mark) || store_mark(s, UINT32_MAX, &mark));
    assert_int_equal(segment_status(s, NULL), PM_OK);
    pm_writer_close(w);
    assert_sound(root);
}

/* Whole stored blocks, and such with dead documents. */
static void merge_by(pm_reorder by)
{
    enum { FIRST = 100, ALL = 160 };
    pm_error err;
    pm_optimize_options o = PM_OPTIMIZE_OPTIONS_INIT;
    o.reorder = by;
    folder_empty(root);
    pm_writer *w = open_writer();
    for (unsigned i = 0; i < FIRST; i++) add(w, i);
    commit(w);
    for (unsigned i = FIRST; i < ALL; i++) add(w, i);
    for (unsigned i = 3; i < 50; i += 11) { /* they die in the first segment                     */
        char id[16];
        snprintf(id, sizeof id, "id%u", i);
        must(pm_writer_delete(w, id, strlen(id), NULL, &err), &err);
    }
    for (unsigned i = 60; i < 63; i++) add(w, i);
    commit(w);
    must(pm_writer_optimize_with(w, &o, NULL, &err), &err);
    assert_int_equal(w->n_segments, 1);
    assert_int_equal(w->segments[0].seg->info.n_docs, ALL - 5);
    assert_true(compare_marks(w->segments[0].seg) > 120);
    pm_writer_close(w);
    assert_sound(root);
}

static void marks_are_merged(void **state)
{
    (void)state;
    merge_by(PM_REORDER_KEEP);
    merge_by(PM_REORDER_NONE);
    merge_by(PM_REORDER_BP);
}

/* An index of before there were marks. */
static void copy_old_index(void)
{
    folder_image image;
    folder_load("tests/compat/1/index", &image);
    folder_restore(root, &image);
    folder_image_free(&image);
}

static void one_input_without_marks(void **state)
{
    (void)state;
    pm_error err;
    uint8_t mark;
    static const pm_reorder all[] = {PM_REORDER_KEEP, PM_REORDER_BP};
    for (size_t i = 0; i < 2; i++) {
        pm_optimize_options o = PM_OPTIMIZE_OPTIONS_INIT;
        o.reorder = all[i];
        copy_old_index();
        pm_writer *w = open_writer();
        for (unsigned n = 0; n < 40; n++) add(w, n);
        commit(w);
        assert_false(w->segments[0].seg->info.has_marks);
        assert_false(store_mark(w->segments[0].seg, 0, &mark));
        compare_marks(w->segments[w->n_segments - 1].seg);
        assert_sound(root);
        must(pm_writer_optimize_with(w, &o, NULL, &err), &err);
        segment *s = w->segments[0].seg;
        assert_int_equal(w->n_segments, 1);
        assert_false(s->info.has_marks);
        assert_int_equal(s->info.sections[SECTION_STORE_DIR].len,
                         (uint64_t)STORE_DIR_BYTES * (store_block_count(s) + 1));
        pm_writer_close(w);
        assert_sound(root);
    }
}

/* ---- looked at ---------------------------------------------------------------------------- */

static bool finds(pm_writer *w, unsigned number, uint64_t hash)
{
    char id[16];
    stored_article a;
    pm_error err;
    snprintf(id, sizeof id, "id%u", number);
    must(writer_find_live(w, id, strlen(id), hash, &a, &err), &err);
    if (a.found) assert_true(a.article.file_hash == hash_of(number));
    return a.found;
}

static void another_mark_is_not_found(void **state)
{
    (void)state;
    pm_writer *w = open_writer();
    for (unsigned i = 0; i < 20; i++) add(w, i);
    commit(w);
    for (unsigned i = 0; i < 20; i++) {
        assert_true(finds(w, i, 0));
        if (hash_of(i)) assert_true(finds(w, i, hash_of(i)));
        for (unsigned bit = 0; bit < 64; bit++) {
            uint64_t other = hash_of(i) ^ UINT64_C(1) << bit;
            assert_true(finds(w, i, other) == (bit >= 8)); /* whoever asks compares the rest     */
        }
    }
    assert_false(finds(w, 20, 0) || finds(w, 20, hash_of(20)));
    pm_writer_close(w);
}

enum {
    LINES = 128,     /* that some two of them have the same mark, but for one run in 10^13 */
    BODY = 12000,    /* bytes of text that deflate does not make much fewer of            */
    IN_STORE = 5000, /* a place on a page that holds nothing but the stored block         */
    LINE = BODY + 99,
};
static char lines[LINES][LINE];
static uint64_t hashes[LINES];
static const char file_name[] = "a.jsonl";

/* Lines of one id, which differ, and the hash that each one has in that file. */
static void make_lines(void)
{
    static char body[BODY + 1], all[LINES * LINE];
    uint64_t random = 11;
    size_t len = 0;
    for (size_t i = 0; i < BODY; i++)
        body[i] =
            "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ"[random_next(&random) % 53];
    for (unsigned i = 0; i < LINES; i++) {
        snprintf(lines[i], LINE, "{\"id\":\"x\",\"text\":\"%u %s\"}\n", i, body);
        memcpy(all + len, lines[i], strlen(lines[i]));
        len += strlen(lines[i]);
    }
    fixture_write(&f, file_name, all, len);
    fixture_run(&f, fixture_path(&f, file_name));
    assert_int_equal(f.summary.duplicates, LINES - 1); /* the same id again and again            */
    assert_int_equal(f.sink.n, LINES);
    for (unsigned i = 0; i < LINES; i++) {
        hashes[i] = f.sink.items[i].article.file_hash;
        assert_true(hashes[i] != 0);
    }
}

/* Two lines whose marks are the same, or are not, and whose hashes differ. */
static void choose(bool same, unsigned *a, unsigned *b)
{
    for (*a = 0; *a < LINES; ++*a)
        for (*b = *a + 1; *b < LINES; ++*b)
            if (((uint8_t)hashes[*a] == (uint8_t)hashes[*b]) == same && hashes[*a] != hashes[*b])
                return;
    fail_msg("no two lines are like that");
}

/* The file has this line now, and the index takes it over. */
static pm_status take(unsigned line, pm_ingest_summary *sum, pm_error *err)
{
    const char *path = fixture_path(&f, file_name);
    pm_ingest_options o = PM_INGEST_OPTIONS_INIT;
    fixture_text(&f, file_name, lines[line]);
    pm_writer *w = open_writer();
    pm_status st = pm_ingest(w, &path, 1, &o, sum, err);
    if (st == PM_OK) st = pm_writer_commit(w, NULL, err);
    pm_writer_close(w);
    return st;
}

static void assert_taken(unsigned line, uint64_t added, uint64_t updated, uint64_t unchanged)
{
    pm_ingest_summary sum;
    pm_error err;
    pm_index *index;
    pm_article *a;
    char start[16];
    must(take(line, &sum, &err), &err);
    assert_int_equal(sum.added, added);
    assert_int_equal(sum.updated, updated);
    assert_int_equal(sum.unchanged, unchanged);
    must(pm_index_open(root, &index, &err), &err);
    must(pm_index_article(index, "x", 1, &a, &err), &err);
    snprintf(start, sizeof start, "%u ", line);
    assert_true(a->text.len > BODY && !memcmp(a->text.data, start, strlen(start)));
    assert_true(a->file_hash == hashes[line]);
    pm_article_free(a);
    pm_index_close(index);
}

static void changed_lines_are_taken(bool old)
{
    unsigned a, b;
    for (unsigned same = 0; same < 2; same++) {
        if (old)
            copy_old_index();
        else
            folder_empty(root);
        choose(same, &a, &b);
        assert_taken(a, 1, 0, 0);
        if (old) {
            pm_error err;
            pm_writer *w = open_writer();
            must(pm_writer_optimize(w, NULL, &err), &err);
            assert_false(w->segments[0].seg->info.has_marks);
            pm_writer_close(w);
        }
        assert_taken(a, 0, 0, 1);
        assert_taken(b, 0, 1, 0);
        assert_taken(b, 0, 0, 1);
        assert_taken(a, 0, 1, 0);
        assert_sound(root);
    }
}

static void lines_are_compared(void **state)
{
    (void)state;
    make_lines();
    changed_lines_are_taken(false);
}

static void lines_are_compared_without_marks(void **state)
{
    (void)state;
    make_lines();
    changed_lines_are_taken(true);
}

/* The stored block of the only segment cannot be read. */
static void damage_store(void)
{
    folder_image image;
    folder_load(root, &image);
    for (size_t i = 0; i < image.n; i++) {
        folder_file *file = &image.files[i];
        if (!strstr(file->name, ".seg")) continue;
        assert_true(file->len > IN_STORE + (SEGMENT_PAGE_MAX >> SEGMENT_PAGE_SHIFT));
        file->data[IN_STORE] ^= 1;
        folder_write(root, file->name, file->data, file->len);
    }
    folder_image_free(&image);
}

static void a_changed_line_reads_no_store(void **state)
{
    (void)state;
    unsigned a, b, same;
    pm_ingest_summary sum;
    pm_error err;
    make_lines();
    choose(true, &a, &same);
    for (b = 0; (uint8_t)hashes[b] == (uint8_t)hashes[a]; b++) {
    }
    assert_taken(a, 1, 0, 0);
    damage_store();
    assert_int_equal(take(a, &sum, &err), PM_CORRUPT);
    assert_int_equal(take(same, &sum, &err), PM_CORRUPT);
    assert_taken(b, 0, 1, 0);
    assert_sound(root); /* nothing is live in the damaged segment, which is gone */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(marks_are_written),
        TEST(marks_are_merged),
        TEST(one_input_without_marks),
        TEST(another_mark_is_not_found),
        TEST(lines_are_compared),
        TEST(lines_are_compared_without_marks),
        TEST(a_changed_line_reads_no_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
