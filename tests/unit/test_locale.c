/* SPDX-License-Identifier: MIT
 * test_locale.c - numbers in files, queries and dumps have a point in a process whose locale has a
 * comma, and are read there as everywhere; words are known in either case where I is not the
 * capital of i.  The locales are made by localedef (package locales).
 */
#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/number.h"
#include "common/xapian/xap_index.h"
#include "indexer/encoding.h"
#include "indexer/title.h"
#include "tests/support/folder.h"

static char root[FOLDER_PATH];
static pm_error err;

static int make_locale(void **state)
{
    static const char source[] = "LC_NUMERIC\ndecimal_point \"<U002C>\"\nthousands_sep \"\"\n"
                                 "grouping -1\nEND LC_NUMERIC\n";
    char path[FOLDER_PATH + 16], command[4 * FOLDER_PATH];
    (void)state;
    folder_make(root);
    snprintf(path, sizeof path, "%s/source", root);
    FILE *file = fopen(path, "w");
    if (!file || fputs(source, file) < 0 || fclose(file)) return -1;
    snprintf(command, sizeof command,
             "localedef --force --no-archive -f ANSI_X3.4-1968 -i %s/source %s/comma 2>%s/said",
             root, root, root);
    if (system(command) < 0) return -1; /* that it warns is no matter                          */
    snprintf(command, sizeof command,
             "localedef --force --no-archive -f UTF-8 -i tr_TR %s/letters 2>%s/said", root, root);
    if (system(command) < 0) return -1;
    setenv("LOCPATH", root, 1);
    return setlocale(LC_NUMERIC, "comma") && setlocale(LC_CTYPE, "letters") ? 0 : -1;
}

static int remove_locale(void **state)
{
    (void)state;
    char command[FOLDER_PATH + 16];
    setlocale(LC_ALL, "C");
    snprintf(command, sizeof command, "rm -rf %s", root); /* folders in folders                */
    return system(command);
}

static void test_numbers(void **state)
{
    (void)state;
    char text[40], *end;
    snprintf(text, sizeof text, "%.2f", 1.5);
    assert_string_equal(text, "1,50"); /* or nothing here is tested                            */
    assert_int_equal(number_print(text, sizeof text, "%.2f %.3g", 1.5, 0.25), 9);
    assert_string_equal(text, "1.50 0.25");
    assert_true(number_read("2.75x", &end) == 2.75); /* NOLINT: exact                          */
    assert_string_equal(end, "x");
    snprintf(text, sizeof text, "%.2f", 1.5);
    assert_string_equal(text, "1,50"); /* the caller's is as it was                            */
}

static void test_settings(void **state)
{
    (void)state;
    manifest m = {.k1 = 1.25, .b = 0.75}, back = {0};
    buf text = {0};
    snprintf(m.lang, sizeof m.lang, "english");
    snprintf(m.profile, sizeof m.profile, "profile");
    xap_settings_encode(&m, &text);
    buf_u8(&text, 0);
    assert_non_null(strstr((const char *)text.data, "\nk1=1.25\n"));
    const pm_text settings = {(const char *)text.data, text.len - 1};
    assert_int_equal(xap_settings_decode(settings, &back, "here", &err), PM_OK);
    assert_true(back.k1 == m.k1 && back.b == m.b);
    buf_free(&text);
}

static bool take(void *ctx, const char *data, size_t len)
{
    return buf_append(ctx, data, len), true;
}

/* An article with a number beyond a double, a query with a boost, a dump. */
static void test_index(void **state)
{
    (void)state;
    char folder[FOLDER_PATH + 16], lines[FOLDER_PATH + 16];
    const char *path = lines;
    pm_writer_options options = PM_WRITER_OPTIONS_INIT;
    pm_ingest_summary sum;
    pm_writer *w;
    pm_index *index;
    pm_searcher *searcher;
    const pm_result *result;
    buf dump = {0};
    snprintf(folder, sizeof folder, "%s/index", root);
    snprintf(lines, sizeof lines, "%s/lines.jsonl", root);
    FILE *file = fopen(lines, "w");
    assert_non_null(file);
    fputs("{\"id\":\"1\",\"text\":\"rare earth\",\"big\":1.5e400,\"small\":0.25}\n", file);
    fclose(file);
    options.create = true;
    assert_int_equal(pm_writer_open(folder, &options, &w, &err), PM_OK);
    assert_int_equal(pm_ingest(w, &path, 1, NULL, &sum, &err), PM_OK);
    assert_int_equal(sum.added, 1);
    assert_int_equal(pm_writer_commit(w, NULL, &err), PM_OK);
    pm_writer_close(w);
    assert_int_equal(pm_index_open(folder, &index, &err), PM_OK);
    assert_int_equal(pm_searcher_open(index, &searcher, &err), PM_OK);
    assert_int_equal(pm_searcher_search(searcher, "rare^2.5 earth", 14, NULL, &result, &err),
                     PM_OK);
    assert_string_equal(result->interpreted.data, "rare^2.5 earth");
    assert_int_equal(pm_index_dump(index, take, &dump, &err), PM_OK);
    buf_u8(&dump, 0);
    assert_non_null(strstr((const char *)dump.data, "setting k1 1.2\n"));
    assert_non_null(strstr((const char *)dump.data, "setting b 0.75\n"));
    buf_free(&dump);
    pm_searcher_close(searcher);
    pm_index_close(index);
}

/* Names of encodings and files, and what stands above a headline. */
static void test_letters(void **state)
{
    (void)state;
    static const char *const above[] = {"PUBLISHED ON: 24 NOV 2025", "SHARE THIS ARTICLE"};
    encoding known;
    assert_int_not_equal(tolower('I'), 'i'); /* or nothing here is tested                */
    assert_true(encoding_find("WINDOWS-1252", &known) && known == ENCODING_WINDOWS_1252);
    for (size_t i = 0; i < 2; i++) {
        char text[200];
        title found;
        int n = snprintf(text, sizeof text, "%s\n\nBig news on islands\n\nThe text.\n", above[i]);
        title_find(text, (size_t)n, false, &found);
        assert_int_equal(found.end - found.start, strlen("Big news on islands"));
        assert_memory_equal(text + found.start, "Big news on islands", 19);
        assert_string_equal(found.date, i == 0 ? "2025-11-24" : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_index),
        cmocka_unit_test(test_letters),
    };
    return cmocka_run_group_tests(tests, make_locale, remove_locale);
}
