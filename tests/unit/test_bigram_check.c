/* SPDX-License-Identifier: MIT
 * test_bigram_check.c - lists of bigrams that decode, and do not agree with the words' lists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/segment/layout.h"
#include "common/segment/snapshot.h"
#include "tests/support/open_folder.h"
#include "tests/support/reseal.h"
#include "tests/support/whole_index.h"

/* Two frequent words side by side in every article, once more apart in every fifth, and rare ones.
 */
static void write_bigrams(void)
{
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    pm_writer *w;
    pm_error err;
    folder_empty(folder);
    o.block_size = 8;
    o.commit_level = 2;
    must(pm_writer_open(folder, &o, &w, &err), &err);
    for (unsigned i = 0; i < 260; i++) {
        char id[16], text[100];
        pm_article a = {.id = {id, (size_t)sprintf(id, "%u", i)},
                        .text = {text, (size_t)sprintf(text, "rare%u of the w%u%s", i, i % 7,
                                                       i % 5 ? "" : " the of")}};
        must(pm_writer_add(w, &a, NULL, &err), &err);
    }
    must(pm_writer_commit(w, NULL, &err), &err);
    pm_writer_close(w);
}

typedef struct wanted {
    const char *what;
    bool found;
} wanted;

static void tick_off(void *ctx, const char *file, const char *part, uint64_t offset,
                     const char *what)
{
    (void)file;
    (void)part;
    (void)offset;
    for (wanted *w = ctx; w->what; w++) w->found |= strstr(what, w->what) != NULL;
}

/* Change a byte of the only segment, check, change it back. */
static void check_changed(const folder_image *sound, uint64_t at, uint8_t mask, wanted *wants)
{
    manifest m;
    pm_error err;
    folder_restore(folder, sound);
    must(manifest_read(&m, &where, NULL, &err), &err);
    reseal_changed(folder, m.segments[0].name, at, mask, &m.segments[0].footer_crc);
    must(manifest_publish(&m, &where, 2, &err), &err);
    manifest_free(&m);
    pm_check(folder, true, tick_off, wants, NULL, &err);
}

static void wrong_bigrams(void **state)
{
    (void)state;
    static const char key[] = "\x03"
                              "of\x1f"
                              "the";
    wanted wants[] = {{"a bigram where its words do not stand", false},
                      {"too many frequent words", false},
                      {NULL, false}};
    snapshot *s;
    term_entry entry;
    folder_image sound;
    pm_error err;
    write_bigrams();
    must(snapshot_open(&s, folder, &err), &err);
    const segment_info *info = &s->segments[0].seg->info;
    assert_true(dict_find(s->segments[0].seg, key, sizeof key - 1, &entry));
    assert_int_equal(entry.df, 260);
    uint64_t list = info->sections[SECTION_POSTINGS].off + entry.off, len = entry.len,
             footer = s->meta.segments[0].size - LAYOUT_FOOTER_BYTES;
    uint32_t least = info->bigram_min;
    assert_true(least > 1 && least <= 260);
    snapshot_close(s);
    folder_load(folder, &sound);
    for (uint64_t i = 0; i < len; i += 11)
        check_changed(&sound, list + i, (uint8_t)(1u << i % 8), wants);
    check_changed(&sound, footer + 356, (uint8_t)(least ^ 1), wants);
    for (const wanted *w = wants; w->what; w++)
        if (!w->found) fail_msg("not found: %s", w->what);
    folder_image_free(&sound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(wrong_bigrams)};
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
