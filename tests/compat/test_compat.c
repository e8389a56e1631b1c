/* SPDX-License-Identifier: MIT
 * test_compat.c - indexes of every format version that was released, as they were written then.
 *
 * tests/compat/N/index is an index of format version N (N-WHAT: with a flag that was added to it
 * later), tests/compat/N/answers what it answered:
 * totals, ids and scores of a dozen queries, an article, counts, and the sum of its dump.  Each is
 * opened, verified to its last rule, asked again, and written on.  And a version of the future is
 * refused, by readers, writers and the check, and nothing of it is touched.
 *
 * PM_COMPAT=NAME makes the folder of that name as an index is today (tests/compat/make).
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/bytes.h"
#include "common/base/crc32c.h"
#include "common/segment/manifest.h"
#include "tests/support/folder.h"
#include "tests/support/probe.h"
#include "tests/support/whole_index.h"

enum { ANSWERS_BYTES = 1 << 16 };

static char root[] = "tests/compat";

/* Folders, by rising version. */
static const char *const kept[] = {"1", "1-marks"};
enum { KEPT = sizeof kept / sizeof *kept };

static void path_of(char path[FOLDER_PATH], const char *version, const char *what)
{
    snprintf(path, FOLDER_PATH, "%s/%s/%s", root, version, what);
}

/* ---- answers ------------------------------------------------------------------------------ */

typedef struct answers {
    char text[ANSWERS_BYTES];
    size_t len;
    uint32_t dump_crc;
    uint64_t dump_len;
} answers;

static void say(answers *a, const char *fmt, ...) PM_PRINTF(2, 3);
static void say(answers *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    a->len += (size_t)vsnprintf(a->text + a->len, sizeof a->text - a->len, fmt, args);
    va_end(args);
    assert_true(a->len < sizeof a->text);
}

static void say_query(answers *a, pm_searcher *searcher, const char *query)
{
    const pm_result *result;
    pm_error err;
    pm_search_options options = PM_SEARCH_OPTIONS_INIT;
    options.want_snippets = false;
    must(pm_searcher_search(searcher, query, strlen(query), &options, &result, &err), &err);
    say(a, "query %s\ntotal %llu\n", query, (unsigned long long)result->total);
    for (size_t i = 0; i < result->n_hits; i++)
        say(a, "hit %.*s %.9f\n", (int)result->hits[i].id.len, result->hits[i].id.data,
            result->hits[i].score);
}

static bool sum_dump(void *ctx, const char *data, size_t len)
{
    answers *a = ctx;
    a->dump_crc = crc32c(a->dump_crc, data, len);
    a->dump_len += len;
    return true;
}

static void say_index(answers *a, pm_index *index)
{
    pm_stats s;
    pm_article *article;
    pm_error err;
    must(pm_index_stats(index, &s, &err), &err);
    say(a, "documents %llu, deleted %llu, terms %llu, postings %llu, positions %llu, tokens %llu\n",
        (unsigned long long)s.documents, (unsigned long long)s.deleted, (unsigned long long)s.terms,
        (unsigned long long)s.postings, (unsigned long long)s.positions,
        (unsigned long long)s.tokens);
    must(pm_index_article(index, probe_article_id, strlen(probe_article_id), &article, &err), &err);
    assert_non_null(article);
    say(a, "article %.*s: %zu bytes, crc %08x\n", (int)article->title.len, article->title.data,
        article->text.len, (unsigned)crc32c(0, article->text.data, article->text.len));
    pm_article_free(article);
    must(pm_index_dump(index, sum_dump, a, &err), &err);
    say(a, "dump %llu bytes, crc %08x\n", (unsigned long long)a->dump_len, (unsigned)a->dump_crc);
}

static void answer(answers *a, const char *path)
{
    pm_index *index;
    pm_searcher *searcher;
    pm_error err;
    memset(a, 0, sizeof *a);
    must(pm_index_open(path, &index, &err), &err);
    must(pm_searcher_open(index, &searcher, &err), &err);
    for (unsigned i = 0; i < PROBE_QUERIES; i++) say_query(a, searcher, probe_name(i));
    say_index(a, index);
    pm_searcher_close(searcher);
    pm_index_close(index);
}

/* ---- versions ------------------------------------------------------------------------------ */

static void write_version(const char *version)
{
    char path[FOLDER_PATH];
    static answers a;
    path_of(path, version, "");
    folder_must(mkdir(path, 0777) == 0, "make a new", path);
    path_of(path, version, "index");
    setenv("PRESSMARK_SEED", "1", 1);
    probe_build(path);
    probe_change(path);
    unsetenv("PRESSMARK_SEED");
    folder_unlink(path, "LOCK");
    answer(&a, path);
    path_of(path, version, "");
    folder_write(path, "answers", a.text, a.len);
}

/* A copy that may be changed. */
static void copy_index(const char *version, char to[FOLDER_PATH])
{
    char from[FOLDER_PATH];
    folder_image image;
    path_of(from, version, "index");
    folder_load(from, &image);
    folder_make(to);
    folder_restore(to, &image);
    folder_image_free(&image);
}

static void versions_are_all_there(void **state)
{
    (void)state;
    assert_int_equal(strtoul(kept[KEPT - 1], NULL, 10), MANIFEST_VERSION);
    for (unsigned i = 0; i < KEPT; i++) {
        char path[FOLDER_PATH];
        path_of(path, kept[i], "index");
        assert_int_equal(access(path, F_OK), 0);
    }
}

static void answers_are_as_ever(void **state)
{
    static answers a;
    (void)state;
    for (unsigned i = 0; i < KEPT; i++) {
        char path[FOLDER_PATH], old[ANSWERS_BYTES];
        pm_error err;
        path_of(path, kept[i], "index");
        must(pm_check(path, true, NULL, NULL, NULL, &err), &err);
        answer(&a, path);
        path_of(path, kept[i], "answers");
        FILE *f = fopen(path, "r");
        assert_non_null(f);
        size_t len = fread(old, 1, sizeof old - 1, f);
        fclose(f);
        old[len] = 0;
        assert_true(len > 2000);
        assert_string_equal(a.text, old);
        print_message("version %s: %zu bytes of answers\n", kept[i], len);
    }
}

/* A writer goes on with it. */
static void old_indexes_are_written_on(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KEPT; i++) {
        char path[FOLDER_PATH];
        pm_writer *writer;
        pm_error err;
        pm_check_summary sum;
        pm_article a = {.id = {"new", 3}, .text = {"a new article", 13}};
        copy_index(kept[i], path);
        must(pm_writer_open(path, NULL, &writer, &err), &err);
        must(pm_writer_add(writer, &a, NULL, &err), &err);
        must(pm_writer_commit(writer, NULL, &err), &err);
        must(pm_writer_optimize(writer, NULL, &err), &err);
        pm_writer_close(writer);
        must(pm_check(path, true, NULL, NULL, &sum, &err), &err);
        assert_int_equal(sum.documents, 5);
        folder_remove(path);
    }
}

/* ---- a version of the future -------------------------------------------------------------- */

static void refuses(pm_status st, const pm_error *err, const char *file)
{
    assert_int_equal(st, PM_CORRUPT);
    if (!strstr(err->message, file) || !strstr(err->message, "newer")) fail_msg("%s", err->message);
}

static bool same_folder(const char *path, const folder_image *image)
{
    folder_image now;
    folder_load(path, &now);
    bool same = now.n == image->n;
    for (size_t i = 0; same && i < now.n; i++)
        same = now.files[i].len == image->files[i].len &&
               !memcmp(now.files[i].data, image->files[i].data, now.files[i].len);
    folder_image_free(&now);
    return same;
}

/* The file whose name has this in it gets version 2, with a right sum at `crc_at` of bytes before
 * it; nobody reads it, and nobody changes anything. */
static void refuse_newer(const char *part, size_t crc_at)
{
    char path[FOLDER_PATH];
    folder_image image;
    pm_error err;
    pm_index *index = NULL;
    pm_writer *writer = NULL;
    copy_index(kept[KEPT - 1], path);
    folder_load(path, &image);
    folder_file *f = image.files;
    while (!strstr(f->name, part)) f++;
    store_u32(f->data + 8, MANIFEST_VERSION + 1);
    if (crc_at == SIZE_MAX) crc_at = f->len - 4;
    store_u32(f->data + crc_at, crc32c(0, f->data, crc_at));
    folder_write(path, f->name, f->data, f->len);
    refuses(pm_index_open(path, &index, &err), &err, f->name);
    refuses(pm_writer_open(path, NULL, &writer, &err), &err, f->name);
    assert_int_equal(pm_check(path, true, NULL, NULL, NULL, &err), PM_CORRUPT);
    assert_true(same_folder(path, &image));
    folder_image_free(&image);
    folder_remove(path);
}

static void newer_versions_are_refused(void **state)
{
    (void)state;
    refuse_newer("manifest", SIZE_MAX);
    refuse_newer(".seg", 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_all_there),
        cmocka_unit_test(answers_are_as_ever),
        cmocka_unit_test(old_indexes_are_written_on),
        cmocka_unit_test(newer_versions_are_refused),
    };
    if (getenv("PM_COMPAT")) write_version(getenv("PM_COMPAT"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
