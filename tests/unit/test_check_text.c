/* SPDX-License-Identifier: MIT
 * test_check_text.c - what the deep check says of stored texts and titles: each rule of UTF-8
 * broken by itself, and text that stands just before each of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/folder.h"
#include "tests/support/segment_model.h"

enum { DOCS = 40 };

static void count_texts(void *ctx, const char *part, uint64_t offset, const char *what)
{
    unsigned *n = ctx;
    (void)part;
    (void)offset;
    if (!strstr(what, "a text is not UTF-8")) fail_msg("found \"%s\"", what);
    ++*n;
}

/* A segment whose last text, or whose titles, are these. */
static void expect_utf8(const char *text, const char *title, bool sound)
{
    static const char name[] = "1-00000001.seg";
    static const model_shape shape = {.n_docs = DOCS,
                                      .n_terms = 5,
                                      .block_size = 128,
                                      .dense_shift = 5,
                                      .store_block_bytes = 4096,
                                      .text = true,
                                      .long_tf = 3};
    char folder[FOLDER_PATH];
    dir where = DIR_INIT;
    segment_model model;
    manifest_segment made;
    segment *s;
    pm_error err;
    unsigned findings = 0;
    struct check_sink sink = {.finding = count_texts, .ctx = &findings};
    folder_make(folder);
    model_make(&model, &shape, 3);
    if (text) strcpy(model.docs[DOCS - 1].text, text);
    model.title = title;
    assert_int_equal(dir_open(&where, folder, NULL, &err), PM_OK);
    if (model_write(&model, &where, name, &made, &err) != PM_OK) fail_msg("%s", err.message);
    assert_int_equal(
        segment_open(&s, &where, name, model.config.uuid, made.size, made.footer_crc, &err), PM_OK);
    segment_check(s, true, &sink, &err);
    assert_int_equal(findings != 0, !sound);
    segment_close(s);
    dir_close(&where);
    model_free(&model);
    folder_remove(folder);
}

/* Each rule of UTF-8 broken by itself, and texts that stand just before each of them. */
static void texts_that_are_not_utf8(void **state)
{
    static const char *const wrong[] = {
        "\x80",             /* begins in the middle of a character                            */
        "\xc1\xbf",         /* two bytes for what one holds                                   */
        "\xe0\x9f\xbf",     /* three for what two hold                                        */
        "\xf0\x8f\xbf\xbf", /* four for what three hold                                       */
        "\xed\xa0\x80",     /* half of a pair of UTF-16                                       */
        "\xf4\x90\x80\x80", /* beyond U+10FFFF                                                */
        "\xf5\x80\x80\x80", /* the same by its first byte                                     */
        "\xc3(",
        "\xe2\x82(",
        "\xf0\x9f\x98(",
        "a\xc3", /* ends in the middle of one                                      */
        "a\xe2\x82",
        "a\xf0\x9f\x98",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) expect_utf8(wrong[i], NULL, false);
    expect_utf8(NULL, "a title \xff", false);
    static const char sound[] =
        "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xe1\x80\x80\xed\x9f\xbf\xee\x80\x80"
        "\xef\xbf\xbf\xf0\x90\x80\x80\xf1\x80\x80\x80\xf4\x8f\xbf\xbf";
    expect_utf8(sound, sound, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_are_not_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
