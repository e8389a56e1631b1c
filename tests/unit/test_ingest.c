/* SPDX-License-Identifier: MIT
 * test_ingest.c - folders and files into a sink: formats, ids, odd names, stopping, and refused
 * memory.  What a second run over the same folder does: test_ingest_again.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "tests/support/open_fixture.h"

static bool logged(const char *line)
{
    return strstr(f.log, line) != NULL;
}

/* ---- what is read ------------------------------------------------------------------------- */

static void folders_are_walked_in_order(void **state)
{
    (void)state;
    fixture_text(&f, "b.txt", "B");
    fixture_text(&f, "a/z.md", "# Z\n");
    fixture_text(&f, "a/deep/y.txt", "Y");
    fixture_text(&f, "C.txt", "C");
    fixture_text(&f, ".hidden", "no");
    fixture_text(&f, ".git/config", "no");
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_string_equal(
        f.log,
        "ADDED C.txt :0 ()\nADDED a/deep/y.txt :0 ()\nADDED a/z.md :0 ()\nADDED b.txt :0 ()\n");
    char slash[FOLDER_PATH + 4];
    snprintf(slash, sizeof slash, "%s//", f.folder);
    assert_int_equal(fixture_run(&f, slash), PM_OK);
    assert_int_equal(memory_sink_count(&f.sink), 4);
}

static void a_file_has_its_base_name(void **state)
{
    (void)state;
    fixture_text(&f, "d/one.txt", "text");
    assert_int_equal(fixture_run(&f, fixture_path(&f, "d/one.txt")), PM_OK);
    assert_string_equal(fixture_body(&f, "one.txt"), "text");
}

static void formats_by_name_and_content(void **state)
{
    (void)state;
    fixture_text(&f, "1.ndjson", "{\"id\":\"j1\"}\n");
    fixture_text(&f, "2.data", "{\"id\":\"j2\"}\n{\"id\":\"j3\"}\n");
    fixture_text(&f, "3", "---\ntitle: Front\n---\nbody");
    fixture_text(&f, "4.log", "plain text");
    fixture_text(&f, "5.json", "{\n \"id\": 1\n}\n");
    fixture_write(&f, "6.png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
    fixture_write(&f, "7.pdf", "%PDF-1.4 text", 13);
    fixture_text(&f, "8.txt", "{\"id\":\"not json lines\"}\n");
    fixture_gzip(&f, "9.md.gz", "# Packed\n\ntext", 14);
    assert_int_equal(fixture_run(&f, NULL), PM_PARTIAL);
    assert_non_null(memory_sink_get(&f.sink, "j1"));
    assert_non_null(memory_sink_get(&f.sink, "j3"));
    assert_string_equal(memory_sink_get(&f.sink, "3")->title.data, "Front");
    assert_string_equal(fixture_body(&f, "3"), "body");
    assert_string_equal(fixture_body(&f, "4.log"), "plain text");
    assert_non_null(memory_sink_get(&f.sink, "5.json"));
    assert_non_null(memory_sink_get(&f.sink, "8.txt"));
    assert_string_equal(memory_sink_get(&f.sink, "9.md.gz")->title.data, "Packed");
    assert_true(logged("SKIPPED 6.png :0 (not a text file)"));
    assert_true(logged("SKIPPED 7.pdf :0 (not a text file)"));
    assert_int_equal(f.summary.skipped, 2);
}

static void a_mark_hides_no_format(void **state)
{
    (void)state;
    static const char lines[] = "{\"id\":\"wide\"}\n";
    buf wide = {0};
    buf_append(&wide, "\xff\xfe", 2);
    for (const char *p = lines; *p; p++) buf_u16(&wide, (uint16_t)*p);
    fixture_text(&f, "1.json", "\xef\xbb\xbf{\"id\":\"marked\"}\n");
    fixture_write(&f, "2.json", wide.data, wide.len);
    fixture_text(&f, "3.json", "\xef\xbb\xbf");
    buf_free(&wide);
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_non_null(memory_sink_get(&f.sink, "marked"));
    assert_non_null(memory_sink_get(&f.sink, "wide"));
    assert_non_null(memory_sink_get(&f.sink, "3.json"));
    assert_int_equal(f.summary.added, 3);
}

/* As it is said: without a mark UTF-16 looks like no text at all. */
static void an_encoding_that_is_said_hides_no_format(void **state)
{
    (void)state;
    static const char lines[] = "{\"id\":\"wide\"}\n";
    buf wide = {0};
    for (const char *p = lines; *p; p++) buf_u16(&wide, (uint16_t)*p);
    fixture_write(&f, "1.json", wide.data, wide.len);
    fixture_write(&f, "2", wide.data + 2, wide.len - 2);
    buf_free(&wide);
    fixture_write(&f, "3.png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
    assert_int_equal(fixture_run(&f, NULL), PM_PARTIAL);
    assert_int_equal(f.summary.skipped, 3);
    f.options.encoding = "utf-16le";
    assert_int_equal(fixture_run(&f, NULL), PM_PARTIAL);
    assert_true(logged("SKIPPED 3.png :0 (not a text file)") && f.summary.skipped == 1);
    assert_non_null(memory_sink_get(&f.sink, "wide"));
    assert_string_equal(fixture_body(&f, "2"), lines + 1);
}

static void format_may_be_said(void **state)
{
    (void)state;
    fixture_text(&f, "a.txt", "{\"id\":\"x\"}\n");
    f.options.format = PM_INPUT_JSONL;
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_non_null(memory_sink_get(&f.sink, "x"));
    f.options.format = (pm_input_format)99;
    assert_int_equal(fixture_run(&f, NULL), PM_USAGE);
}

static void empty_files_are_articles(void **state)
{
    (void)state;
    fixture_text(&f, "a.txt", "");
    fixture_text(&f, "b.md", "---\ntitle: T\n---\n");
    fixture_text(&f, "c", "");
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_string_equal(fixture_body(&f, "a.txt"), "");
    assert_string_equal(fixture_body(&f, "b.md"), "");
    assert_string_equal(fixture_body(&f, "c"), "");
}

static void encodings(void **state)
{
    (void)state;
    fixture_text(&f, "1.txt", "\xef\xbb\xbfTitle Here\n\ntext.");
    fixture_write(&f, "2.txt",
                  "\xff\xfe"
                  "c\0a\0f\0\xe9\0",
                  10);
    fixture_text(&f, "3.txt", "caf\xe9 is \x93open\x94");
    fixture_text(&f, "4.txt", "caf\xc3\xa9 is \xff open");
    fixture_write(&f, "5.txt", "nul\0here", 8);
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_string_equal(fixture_body(&f, "1.txt"), "Title Here\n\ntext.");
    assert_string_equal(fixture_body(&f, "2.txt"), "caf\xc3\xa9");
    assert_string_equal(fixture_body(&f, "3.txt"), "caf\xc3\xa9 is \xe2\x80\x9copen\xe2\x80\x9d");
    assert_string_equal(fixture_body(&f, "4.txt"), "caf\xc3\xa9 is \xef\xbf\xbd open");
    assert_string_equal(fixture_body(&f, "5.txt"), "nul\xef\xbf\xbdhere");
    assert_int_equal(f.summary.converted, 2);
    assert_int_equal(f.summary.repaired, 2);
    f.options.encoding = "utf-8";
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_string_equal(fixture_body(&f, "3.txt"),
                        "caf\xef\xbf\xbd is \xef\xbf\xbdopen\xef\xbf\xbd");
    f.options.encoding = "klingon";
    assert_int_equal(fixture_run(&f, NULL), PM_USAGE);
}

static void metadata_of_front_matter(void **state)
{
    (void)state;
    fixture_text(&f, "a.md",
                 "---\nlayout: post\ntitle: 'T'\ndate: 2025-11-24 10:00\nauthors:\n  - A B\n  - C "
                 "D\ntags: [x]\n"
                 "categories: [y, z]\npermalink: /p\nlang: en\nsource: S\n---\nbody");
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    const pm_article *a = memory_sink_get(&f.sink, "a.md");
    assert_string_equal(a->title.data, "T");
    assert_false(a->title_in_body);
    assert_string_equal(a->date.data, "2025-11-24 10:00");
    assert_string_equal(a->author.data, "A B, C D");
    assert_string_equal(a->tags.data, "x\x1fy\x1fz");
    assert_string_equal(a->url.data, "/p");
    assert_string_equal(a->lang.data, "en");
    assert_string_equal(a->source.data, "S");
    assert_string_equal(a->extra.data, "{\"layout\":\"post\"}");
    assert_string_equal(a->text.data, "body");
}

/* Keys in capitals count where there is none in small letters. */
static void capitals_of_front_matter(void **state)
{
    (void)state;
    fixture_text(&f, "a.md",
                 "---\nTitle: T\nDATE: 2025-11-24\nAuthor: A\nTags: [x]\nTOPICS: [y]\nLang:\n"
                 "Layout: p\nTitles: no\n---\nbody");
    fixture_text(&f, "b.md", "---\nTitle: Not this\ntitle: This\n---\nbody");
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    const pm_article *a = memory_sink_get(&f.sink, "a.md");
    assert_string_equal(a->title.data, "T");
    assert_string_equal(a->date.data, "2025-11-24");
    assert_string_equal(a->author.data, "A");
    assert_string_equal(a->tags.data, "x\x1fy");
    assert_string_equal(a->extra.data, "{\"Layout\":\"p\",\"Titles\":\"no\"}");
    const pm_article *b = memory_sink_get(&f.sink, "b.md");
    assert_string_equal(b->title.data, "This");
    assert_string_equal(b->extra.data, "{\"Title\":\"Not this\"}");
}

/* ---- what is not read ----------------------------------------------------------------------- */

static void odd_names(void **state)
{
    (void)state;
    fixture_text(&f, "new\nline.txt", "1");
    fixture_text(&f, "-n.txt", "2");
    fixture_text(&f, "bad\xff.txt", "3");
    fixture_text(&f, "esc\x1b[31m.txt", "4");
    fixture_text(&f, "-", "5");
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_string_equal(fixture_body(&f, "new\nline.txt"), "1");
    assert_string_equal(fixture_body(&f, "-n.txt"), "2");
    assert_string_equal(fixture_body(&f, "bad\xff.txt"), "3");
    assert_string_equal(fixture_body(&f, "esc\x1b[31m.txt"), "4");
    assert_string_equal(fixture_body(&f, "-"), "5");
}

/* A folder that is an index, or was to become one, holds no articles. */
static void indexes_are_no_input(void **state)
{
    (void)state;
    static const char magic[] = "PMMANIF\x1a and more";
    fixture_write(&f, "a/manifest", magic, sizeof magic);
    fixture_text(&f, "a/x.txt", "of an index");
    fixture_text(&f, "b/LOCK", "");
    fixture_text(&f, "b/1-0badcafe.seg", "cut short");
    fixture_text(&f, "c/LOCK", "");
    fixture_text(&f, "c/x.txt", "beside a lock");
    fixture_text(&f, "d/LOCK", "with a text");
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_int_equal(memory_sink_count(&f.sink), 3);
    assert_string_equal(fixture_body(&f, "c/LOCK"), "");
    assert_string_equal(fixture_body(&f, "c/x.txt"), "beside a lock");
    assert_string_equal(fixture_body(&f, "d/LOCK"), "with a text");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(fixture_run(&f, fixture_path(&f, i ? "b" : "a")), PM_PARTIAL);
        assert_true(logged("(an index is no input; keep articles in a folder of their own)"));
    }
    assert_int_equal(memory_sink_count(&f.sink), 3);
}

/* A report of an earlier run in the folder, whatever its name; what only looks like one is read. */
static void reports_are_no_input(void **state)
{
    (void)state;
    static const char report[] =
        "{\"action\":\"added\",\"path\":\"a.txt\",\"id\":\"a.txt\",\"title\":null,\"date\":null,"
        "\"title_rule\":null,\"date_rule\":null,\"boilerplate\":[],\"reason\":null}\n";
    static const char *const names[] = {"r", "r.jsonl", "r.txt", "r.md", "r.json"};
    fixture_text(&f, "a.txt", "the article");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) fixture_text(&f, names[i], report);
    fixture_gzip(&f, "r.jsonl.gz", report, sizeof report - 1);
    fixture_text(&f, "click.jsonl",
                 "{\"action\":\"click\",\"path\":\"/\",\"id\":\"e1\",\"text\":\"clicked\"}\n");
    fixture_text(&f, "added.jsonl",
                 "{\"action\":\"added\",\"path\":\"/\",\"id\":\"e2\",\"text\":\"was added\"}\n");
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_int_equal(memory_sink_count(&f.sink), 3);
    assert_string_equal(fixture_body(&f, "a.txt"), "the article");
    assert_string_equal(fixture_body(&f, "e1"), "clicked");
    assert_string_equal(fixture_body(&f, "e2"), "was added");
    assert_true(logged("(a report of an earlier run is no input)"));
    assert_int_equal(fixture_run(&f, fixture_path(&f, "r.jsonl")), PM_OK); /* said by name      */
    assert_string_equal(fixture_body(&f, "a.txt"), "");
}

static void special_files_are_skipped(void **state)
{
    (void)state;
    fixture_text(&f, "a.txt", "text");
    assert_int_equal(mkfifo(fixture_path(&f, "fifo.txt"), 0600), 0);
    assert_int_equal(fixture_run(&f, NULL), PM_PARTIAL);
    assert_true(logged("SKIPPED fifo.txt :0 (not a regular file)"));
    assert_int_equal(f.summary.added, 1);
    assert_int_equal(fixture_run(&f, fixture_path(&f, "fifo.txt")), PM_PARTIAL);
}

static void links_are_not_followed(void **state)
{
    (void)state;
    fixture_text(&f, "in/a.txt", "text");
    fixture_text(&f, "out/secret.txt", "secret");
    assert_int_equal(symlink("..", fixture_path(&f, "in/loop")), 0);
    assert_int_equal(symlink("../out/secret.txt", fixture_path(&f, "in/link.txt")), 0);
    assert_int_equal(symlink("nowhere", fixture_path(&f, "in/broken.txt")), 0);
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_PARTIAL);
    assert_int_equal(memory_sink_count(&f.sink), 1);
    assert_int_equal(f.summary.skipped, 3);
    /* a link given as PATH is what the user asked for */
    assert_int_equal(symlink("in", fixture_path(&f, "way")), 0);
    assert_int_equal(unlink(fixture_path(&f, "in/loop")), 0);
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in/link.txt")), PM_OK);
    assert_string_equal(fixture_body(&f, "link.txt"), "secret");
    assert_int_equal(fixture_run(&f, fixture_path(&f, "way")), PM_PARTIAL);
    assert_int_equal(f.summary.updated + f.summary.unchanged, 1);
}

static void damaged_gzip_is_skipped(void **state)
{
    (void)state;
    fixture_text(&f, "a.txt.gz", "not gzip");
    fixture_gzip(&f, "b.txt.gz", "whole", 5);
    fixture_gzip(&f, "c.jsonl.gz", "{\"id\":\"x\"}\n", 11);
    assert_int_equal(truncate(fixture_path(&f, "c.jsonl.gz"), 20), 0);
    char *zeros = calloc(1, 8 << 20);
    assert_non_null(zeros);
    fixture_gzip(&f, "d.txt.gz", zeros, 8 << 20);
    free(zeros);
    assert_int_equal(fixture_run(&f, NULL), PM_PARTIAL);
    assert_string_equal(fixture_body(&f, "b.txt.gz"), "whole");
    assert_int_equal(memory_sink_count(&f.sink), 1);
    assert_int_equal(f.summary.skipped, 3);
    assert_true(logged("SKIPPED a.txt.gz"));
    assert_true(
        logged("SKIPPED c.jsonl.gz :0 (gzip data ends too early, near byte 20 of the file)"));
    assert_true(logged("refused as a bomb"));
}

static void large_files_are_skipped(void **state)
{
    (void)state;
    fixture_text(&f, "a.txt", "x");
    assert_int_equal(truncate(fixture_path(&f, "a.txt"), (off_t)INPUT_ARTICLE_MAX + 1), 0);
    assert_int_equal(fixture_run(&f, NULL), PM_PARTIAL);
    assert_true(logged("SKIPPED a.txt :0 (longer than 64 MiB)"));
}

/* Of a quarter of --memory a sink takes what it says. */
static void articles_beyond_the_sink_are_skipped(void **state)
{
    (void)state;
    fixture_text(&f, "a.txt", "12345678");
    fixture_text(&f, "b.txt", "123456789");
    fixture_text(&f, "c.jsonl", "{\"id\":\"d\"}\n{\"t\":1}\n");
    f.sink.article_max = 8;
    assert_int_equal(fixture_run(&f, NULL), PM_PARTIAL);
    assert_string_equal(fixture_body(&f, "a.txt"), "12345678");
    assert_true(logged("SKIPPED b.txt :0 (longer than --memory allows, 8 bytes)"));
    assert_true(logged(":1 (the line is longer than --memory allows, 8 bytes)"));
}

/* One that the sink refuses for what it is does not end the run while others can follow. */
static void what_the_sink_refuses_is_skipped(void **state)
{
    (void)state;
    fixture_text(&f, "a.txt", "1");
    fixture_text(&f, "b.txt", "2");
    f.sink.fail_add = PM_USAGE;
    f.sink.usable = true;
    assert_int_equal(fixture_run(&f, NULL), PM_PARTIAL);
    assert_int_equal(f.summary.skipped, 2);
    assert_true(logged("SKIPPED b.txt :0 (the sink failed)"));
    f.sink.usable = false;
    assert_int_equal(fixture_run(&f, NULL), PM_USAGE);
}

static void missing_paths_cost_nothing(void **state)
{
    (void)state;
    fixture_text(&f, "a.txt", "text");
    const char *paths[] = {f.folder, "/no/such/file"};
    assert_int_equal(fixture_run_paths(&f, paths, 2), PM_USAGE);
    assert_non_null(strstr(f.err.message, "/no/such/file"));
    assert_int_equal(memory_sink_count(&f.sink), 0);
}

/* Folders nested beyond the bound: skipped, not followed for ever. */
static void deep_folders(void **state)
{
    (void)state;
    char name[300] = "";
    for (int i = 0; i < 70; i++) strcat(name, "d/");
    strcat(name, "a.txt");
    fixture_text(&f, name, "deep");
    fixture_text(&f, "b.txt", "text");
    assert_int_equal(fixture_run(&f, NULL), PM_PARTIAL);
    assert_int_equal(memory_sink_count(&f.sink), 1);
    assert_true(logged("deeper than 64"));
}

/* ---- the run itself ------------------------------------------------------------------------ */

static void commit_every(void **state)
{
    (void)state;
    char text[400] = "";
    for (int i = 0; i < 10; i++) sprintf(text + strlen(text), "{\"id\":%d}\n", i);
    fixture_text(&f, "a.jsonl", text);
    f.options.commit_every = 3;
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_int_equal(f.sink.commits, 3);
}

static void the_caller_may_stop(void **state)
{
    (void)state;
    fixture_text(&f, "a.jsonl", "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
    fixture_text(&f, "b.txt", "text");
    f.options.prune = true;
    for (f.stop_after = 1; f.stop_after <= 4; f.stop_after++) {
        assert_int_equal(fixture_run(&f, NULL), PM_PARTIAL);
        assert_int_equal(f.events, f.stop_after);
        assert_int_equal(memory_sink_count(&f.sink), f.stop_after);
    }
}

static void a_failing_sink_ends_the_run(void **state)
{
    (void)state;
    fixture_text(&f, "a.txt", "text");
    fixture_text(&f, "b.jsonl", "{\"id\":1}\n");
    static const pm_status failures[] = {PM_IO, PM_NOMEM, PM_NOT_DURABLE};
    for (size_t i = 0; i < 3; i++) {
        f.sink.fail_add = failures[i];
        assert_int_equal(fixture_run(&f, NULL), failures[i]);
        assert_string_equal(f.err.message, "the sink failed");
        assert_int_equal(fixture_run(&f, fixture_path(&f, "b.jsonl")), failures[i]);
        assert_int_equal(f.summary.skipped, 0);
    }
}

static int refuse_locked(const char *call, const char *path)
{
    return strcmp(call, "open") == 0 && strstr(path, "locked") ? EACCES : 0;
}

static void failing_reads_are_skips(void **state)
{
    (void)state;
    fixture_text(&f, "a.txt", "text");
    fixture_text(&f, "locked.txt", "text");
    fixture_text(&f, "z.txt", "text");
    file_fault = refuse_locked;
    pm_status st = fixture_run(&f, NULL);
    file_fault = NULL;
    assert_int_equal(st, PM_PARTIAL);
    assert_true(logged("SKIPPED locked.txt"));
    assert_int_equal(memory_sink_count(&f.sink), 2);
}

static int fault_of_look;

static int refuse_a_look(const char *call, const char *path)
{
    return strcmp(call, "stat") == 0 && strstr(path, "locked") ? fault_of_look : 0;
}

/* A PATH that is not there is the caller's mistake, one that cannot be looked at is not. */
static void failing_looks_at_a_path(void **state)
{
    (void)state;
    static const int faults[] = {ENOENT, ENOTDIR, EIO, EACCES};
    fixture_text(&f, "a.txt", "text");
    const char *paths[] = {f.folder, "/locked"};
    file_fault = refuse_a_look;
    for (size_t i = 0; i < 4; i++) {
        fault_of_look = faults[i];
        assert_int_equal(fixture_run_paths(&f, paths, 2), i < 2 ? PM_USAGE : PM_IO);
        assert_non_null(strstr(f.err.message, "/locked"));
    }
    file_fault = NULL;
    assert_int_equal(memory_sink_count(&f.sink), 0);
}

static void refused_memory(void **state)
{
    (void)state;
    fixture_text(&f, "d/a.md", "---\ntitle: T\ntags: [a, b]\nk: v\n---\nbody");
    fixture_text(&f, "b.txt", "Title Here\n2025-11-24\n\ncaf\xe9.");
    fixture_gzip(&f, "c.jsonl.gz", "{\"text\":\"x\"}\n", 13);
    f.options.prune = true;
    unsigned refusals = 0;
    pm_status st = PM_NOMEM;
    for (uint64_t n = 1; st != PM_OK; n++) {
        memory_sink_free(&f.sink);
        mem_fail_at(n, n % 2);
        st = fixture_run(&f, NULL);
        mem_fail_at(0, false);
        assert_true(st == PM_OK || st == PM_NOMEM);
        refusals += st == PM_NOMEM;
    }
    print_message("%u allocations refused\n", refusals);
    assert_true(refusals > 20);
    assert_int_equal(memory_sink_count(&f.sink), 3);
}

/* ---- with a real writer -------------------------------------------------------------------- */

static pm_ingest_summary ingest_and_commit(const char *index, const char *path, bool prune)
{
    pm_writer_options writer_options = PM_WRITER_OPTIONS_INIT;
    pm_ingest_options options = PM_INGEST_OPTIONS_INIT;
    pm_ingest_summary summary;
    pm_commit_info info;
    pm_writer *writer = NULL;
    const char *paths[] = {path};
    options.prune = prune;
    assert_int_equal(pm_writer_open(index, &writer_options, &writer, &f.err), PM_OK);
    assert_int_equal(pm_ingest(writer, paths, 1, &options, &summary, &f.err), PM_OK);
    assert_int_equal(pm_writer_commit(writer, &info, &f.err), PM_OK);
    pm_writer_close(writer);
    return summary;
}

static void a_writer_keeps_provenance(void **state)
{
    (void)state;
    char index[512], folder[512];
    snprintf(index, sizeof index, "%s", fixture_path(&f, "test.idx"));
    snprintf(folder, sizeof folder, "%s", fixture_path(&f, "in"));
    fixture_text(&f, "in/a.txt", "Title Here\n\nbody text.");
    fixture_text(&f, "in/b.txt", "");
    fixture_text(&f, "in/c.jsonl", "{\"id\":\"j\",\"text\":\"x\"}\n");
    assert_int_equal(ingest_and_commit(index, folder, false).added, 3);
    pm_ingest_summary again = ingest_and_commit(index, folder, true);
    assert_int_equal(again.unchanged, 3);
    assert_int_equal(again.updated, 0);
    assert_int_equal(again.pruned, 0);
    assert_int_equal(unlink(fixture_path(&f, "in/a.txt")), 0);
    assert_int_equal(unlink(fixture_path(&f, "in/c.jsonl")), 0);
    assert_int_equal(ingest_and_commit(index, folder, true).pruned, 2);
    pm_index *opened = NULL;
    pm_article *a = NULL, *j = NULL;
    assert_int_equal(pm_index_open(index, &opened, &f.err), PM_OK);
    assert_int_equal(pm_index_article(opened, "a.txt", 5, &a, &f.err), PM_OK);
    assert_int_equal(pm_index_article(opened, "j", 1, &j, &f.err), PM_OK);
    assert_null(a);
    assert_null(j);
    pm_index_close(opened);
}

static void standard_input(void **state)
{
    (void)state;
    int ends[2], kept = dup(STDIN_FILENO);
    static const char text[] = "{\"id\":\"x\",\"text\":\"one\"}\n{\"text\":\"two\"}";
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, sizeof text - 1), sizeof text - 1);
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    pm_status st = fixture_run(&f, "-");
    if (kept >= 0) {
        dup2(kept, STDIN_FILENO);
        close(kept);
    }
    assert_int_equal(st, PM_OK);
    assert_string_equal(fixture_body(&f, "x"), "one");
    assert_string_equal(fixture_body(&f, "-#2"), "two");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(folders_are_walked_in_order),
        CASE(a_file_has_its_base_name),
        CASE(formats_by_name_and_content),
        CASE(a_mark_hides_no_format),
        CASE(an_encoding_that_is_said_hides_no_format),
        CASE(format_may_be_said),
        CASE(empty_files_are_articles),
        CASE(encodings),
        CASE(metadata_of_front_matter),
        CASE(capitals_of_front_matter),
        CASE(odd_names),
        CASE(indexes_are_no_input),
        CASE(reports_are_no_input),
        CASE(special_files_are_skipped),
        CASE(links_are_not_followed),
        CASE(damaged_gzip_is_skipped),
        CASE(large_files_are_skipped),
        CASE(articles_beyond_the_sink_are_skipped),
        CASE(what_the_sink_refuses_is_skipped),
        CASE(missing_paths_cost_nothing),
        CASE(deep_folders),
        CASE(commit_every),
        CASE(the_caller_may_stop),
        CASE(a_failing_sink_ends_the_run),
        CASE(failing_reads_are_skips),
        CASE(failing_looks_at_a_path),
        CASE(refused_memory),
        CASE(a_writer_keeps_provenance),
        CASE(standard_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
