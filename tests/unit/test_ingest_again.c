/* SPDX-License-Identifier: MIT
 * test_ingest_again.c - a second run over the same folder: what is unchanged is not read, what is
 * gone is pruned, and what cannot be judged stays.
 */
#include <errno.h>
#include <fcntl.h>
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

#include "tests/support/open_fixture.h"

static bool logged(const char *line)
{
    return strstr(f.log, line) != NULL;
}

static void set_time(const char *name, long seconds)
{
    struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, fixture_path(&f, name), times, 0), 0);
}

static void unchanged_files_are_not_read(void **state)
{
    (void)state;
    fixture_text(&f, "a.txt", "old");
    fixture_text(&f, "b.txt", "text");
    set_time("a.txt", 1000);
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    memory_sink_commit(&f.sink);
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_int_equal(f.summary.unchanged, 2);
    assert_int_equal(f.summary.input_bytes, 0);
    /* another time, the same bytes: read, and left */
    set_time("b.txt", 2000);
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_int_equal(f.summary.unchanged, 2);
    assert_int_equal(f.summary.input_bytes, 4);
    /* the same size, other bytes and time */
    fixture_text(&f, "a.txt", "new");
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_int_equal(f.summary.updated, 1);
    assert_string_equal(fixture_body(&f, "a.txt"), "new");
    /* read in another way */
    memory_sink_commit(&f.sink);
    f.options.encoding = "windows-1252";
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_int_equal(f.summary.updated, 2);
}

static int64_t changed_at(const char *name)
{
    file_info info;
    assert_int_equal(file_stat(fixture_path(&f, name), &info, NULL), PM_OK);
    return info.changed_ns;
}

/* Other bytes, of the same size, and the time set back: as by touch -r, cp -p or tar. */
static void a_time_set_back_hides_nothing(void **state)
{
    (void)state;
    fixture_text(&f, "a.txt", "old");
    set_time("a.txt", 1000);
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    memory_sink_commit(&f.sink);
    int64_t before = changed_at("a.txt");
    do { /* clocks of some kernels tick a hundred times a second */
        fixture_text(&f, "a.txt", "new");
        set_time("a.txt", 1000);
    } while (changed_at("a.txt") == before);
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    assert_int_equal(f.summary.updated, 1);
    assert_string_equal(fixture_body(&f, "a.txt"), "new");
}

static void one_id_in_two_folders(void **state)
{
    (void)state;
    fixture_text(&f, "1/a.txt", "one");
    fixture_text(&f, "2/a.txt", "two");
    const char *paths[] = {fixture_path(&f, "1"), fixture_path(&f, "2")};
    for (int run = 0; run < 3; run++) {
        assert_int_equal(fixture_run_paths(&f, paths, 2), PM_PARTIAL);
        assert_int_equal(f.summary.duplicates, 1);
        assert_string_equal(fixture_body(&f, "a.txt"), "two");
        memory_sink_commit(&f.sink);
    }
}

static void prune_deletes_what_is_gone(void **state)
{
    (void)state;
    fixture_text(&f, "in/a.txt", "a");
    fixture_text(&f, "in/b.txt", "b");
    fixture_text(&f, "in/c.jsonl", "{\"id\":\"j\"}\n");
    fixture_text(&f, "other/o.txt", "o");
    fixture_text(&f, "single.txt", "s");
    const char *paths[] = {fixture_path(&f, "in"), fixture_path(&f, "other"),
                           fixture_path(&f, "single.txt")};
    assert_int_equal(fixture_run_paths(&f, paths, 3), PM_OK);
    memory_sink_commit(&f.sink);
    assert_int_equal(unlink(fixture_path(&f, "in/a.txt")), 0);
    assert_int_equal(unlink(fixture_path(&f, "in/c.jsonl")), 0);
    assert_int_equal(unlink(fixture_path(&f, "other/o.txt")), 0);
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_OK);
    assert_int_equal(memory_sink_count(&f.sink), 5); /* without prune nothing goes */
    f.options.prune = true;
    assert_int_equal(fixture_run(&f, fixture_path(&f, "other/../in/")),
                     PM_OK); /* the same folder */
    assert_true(logged("PRUNED a.txt") && logged("PRUNED j"));
    assert_int_equal(f.summary.pruned, 2);
    assert_null(memory_sink_get(&f.sink, "a.txt"));
    assert_null(memory_sink_get(&f.sink, "j"));
    assert_non_null(memory_sink_get(&f.sink, "b.txt"));
    assert_non_null(memory_sink_get(&f.sink, "o.txt"));      /* of another folder */
    assert_non_null(memory_sink_get(&f.sink, "single.txt")); /* of another, too */
}

static void prune_keeps_what_it_cannot_judge(void **state)
{
    (void)state;
    fixture_text(&f, "in/a.txt", "a");
    fixture_text(&f, "in/b.txt.gz", "x");
    fixture_gzip(&f, "in/b.txt.gz", "b", 1);
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_OK);
    memory_sink_commit(&f.sink);
    f.options.prune = true;
    /* a file that is there but cannot be read */
    fixture_text(&f, "in/b.txt.gz", "damaged");
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_PARTIAL);
    assert_int_equal(f.summary.pruned, 0);
    /* an id that came anew from elsewhere in the same run */
    assert_int_equal(unlink(fixture_path(&f, "in/a.txt")), 0);
    fixture_text(&f, "new.jsonl", "{\"id\":\"a.txt\",\"text\":\"new\"}\n");
    const char *paths[] = {fixture_path(&f, "in"), fixture_path(&f, "new.jsonl")};
    fixture_run_paths(&f, paths, 2);
    assert_int_equal(f.summary.pruned, 0);
    assert_string_equal(fixture_body(&f, "a.txt"), "new");
}

static void unchanged_lines_are_left(void **state)
{
    (void)state;
    fixture_text(&f, "in/a.jsonl", "{\"id\":\"x\",\"text\":\"1\"}\n{\"text\":\"2\"}\n");
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_OK);
    memory_sink_commit(&f.sink);
    size_t n = f.sink.n;
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_OK);
    assert_string_equal(f.log, "UNCHANGED x :1 ()\nUNCHANGED a.jsonl#2 :2 ()\n");
    assert_true(f.summary.unchanged == 2 && !f.summary.added && !f.summary.updated);
    assert_int_equal(f.sink.n, n); /* nothing came to the sink */
    fixture_text(&f, "in/a.jsonl",
                 "{\"id\":\"x\",\"text\":\"1\"}\n{\"text\":\"3\"}\n{\"id\":\"y\"}");
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_OK);
    assert_true(f.summary.unchanged == 1 && f.summary.added == 1 && f.summary.updated == 1);
    memory_sink_commit(&f.sink);
    /* another way of reading, another place */
    f.options.encoding = "windows-1252";
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_OK);
    assert_int_equal(f.summary.updated, 3);
    memory_sink_commit(&f.sink);
    assert_int_equal(fixture_run(&f, fixture_path(&f, ".")), PM_OK);
    assert_true(f.summary.updated == 2 && f.summary.added == 1); /* in/a.jsonl#2 */
}

/* By name a file has the id that it has by its folder, and is the same article. */
static void a_file_by_name_is_of_its_folder(void **state)
{
    (void)state;
    fixture_text(&f, "in/a.txt", "a");
    fixture_text(&f, "in/b.jsonl", "{\"id\":\"x\"}\n");
    fixture_text(&f, "in/.hidden.txt", "h");
    fixture_text(&f, "in/.hidden.jsonl", "{\"id\":\"y\"}\n");
    fixture_text(&f, "out.txt", "o");
    assert_int_equal(symlink("../out.txt", fixture_path(&f, "in/link.txt")), 0);
    static const char *const names[] = {"in/a.txt", "in/b.jsonl", "in/.hidden.txt",
                                        "in/.hidden.jsonl", "in/link.txt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(fixture_run(&f, fixture_path(&f, names[i])), PM_OK);
    memory_sink_commit(&f.sink);
    assert_int_equal(unlink(fixture_path(&f, "in/link.txt")), 0);
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_OK);
    assert_true(f.summary.unchanged == 2 && !f.summary.added && !f.summary.updated);
    memory_sink_commit(&f.sink);
    /* gone from there; what a walk leaves out is not missed, nor what a link led to */
    assert_int_equal(unlink(fixture_path(&f, "in/a.txt")), 0);
    assert_int_equal(unlink(fixture_path(&f, "in/b.jsonl")), 0);
    f.options.prune = true;
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_OK);
    assert_true(logged("PRUNED a.txt") && logged("PRUNED x") && f.summary.pruned == 2);
    assert_int_equal(memory_sink_count(&f.sink), 3);
    /* by name no other file of its folder is looked for */
    fixture_text(&f, "in/c.txt", "c");
    fixture_text(&f, "in/d.txt", "d");
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_OK);
    memory_sink_commit(&f.sink);
    assert_int_equal(unlink(fixture_path(&f, "in/d.txt")), 0);
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in/c.txt")), PM_OK);
    assert_true(f.summary.unchanged == 1 && !f.summary.pruned);
}

/* The same id from two files: whichever is read later stays the one that is there. */
static void a_line_met_before_is_not_unchanged(void **state)
{
    (void)state;
    fixture_text(&f, "in/a.jsonl", "{\"id\":\"x\",\"text\":\"a\"}\n");
    fixture_text(&f, "in/b.jsonl", "{\"id\":\"x\",\"text\":\"b\"}\n");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_PARTIAL);
        memory_sink_commit(&f.sink);
        assert_string_equal(fixture_body(&f, "x"), "b");
    }
}

static void prune_deletes_lines_that_are_gone(void **state)
{
    (void)state;
    fixture_text(&f, "in/a.jsonl", "{\"id\":\"1\"}\n{\"id\":\"2\"}\n{\"id\":\"3\"}\n");
    fixture_text(&f, "in/b.jsonl", "{\"id\":\"4\"}\n");
    fixture_text(&f, "other/a.jsonl", "{\"id\":\"5\"}\n");
    const char *paths[] = {fixture_path(&f, "in"), fixture_path(&f, "other")};
    assert_int_equal(fixture_run_paths(&f, paths, 2), PM_OK);
    memory_sink_commit(&f.sink);
    f.options.prune = true;
    fixture_text(&f, "in/a.jsonl", "{\"id\":\"1\"}\n{\"id\":\"3\"\n");
    fixture_text(&f, "other/a.jsonl", "");
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_PARTIAL);
    assert_int_equal(f.summary.pruned, 0); /* the line skipped may be any of them */
    assert_true(logged("WARNING"));
    fixture_text(&f, "in/a.jsonl", "{\"id\":\"1\"}\n{\"id\":\"3\"}\n");
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_OK);
    assert_true(logged("PRUNED 2") && f.summary.pruned == 1);
    memory_sink_commit(&f.sink);
    assert_int_equal(unlink(fixture_path(&f, "in/a.jsonl")), 0);
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_OK);
    assert_true(logged("PRUNED 1") && logged("PRUNED 3") && f.summary.pruned == 2);
    assert_non_null(memory_sink_get(&f.sink, "4"));
    assert_non_null(memory_sink_get(&f.sink, "5")); /* of another folder */
}

static void prune_keeps_lines_of_files_it_cannot_read(void **state)
{
    (void)state;
    fixture_text(&f, "in/a.jsonl.gz", "");
    fixture_gzip(&f, "in/a.jsonl.gz", "{\"id\":\"1\"}\n", 11);
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_OK);
    memory_sink_commit(&f.sink);
    f.options.prune = true;
    fixture_text(&f, "in/a.jsonl.gz", "damaged");
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_PARTIAL);
    assert_int_equal(f.summary.pruned, 0);
    /* by name its lines are pruned, too; nothing else is */
    fixture_text(&f, "b.jsonl", "{\"id\":\"2\"}\n{\"id\":\"3\"}\n");
    assert_int_equal(fixture_run(&f, fixture_path(&f, "b.jsonl")), PM_OK);
    memory_sink_commit(&f.sink);
    fixture_text(&f, "b.jsonl", "{\"id\":\"3\"}\n");
    assert_int_equal(fixture_run(&f, fixture_path(&f, "b.jsonl")), PM_OK);
    assert_true(logged("PRUNED 2") && f.summary.pruned == 1);
    assert_non_null(memory_sink_get(&f.sink, "1"));
}

/* Whichever PATH a file was found under: one below, or above, the one that is pruned. */
static void prune_knows_files_by_other_paths(void **state)
{
    (void)state;
    fixture_text(&f, "in/sub/a.txt", "a");
    fixture_text(&f, "in/sub/b.txt", "b");
    fixture_text(&f, "in/sub/c.jsonl", "{\"id\":\"c\"}\n");
    fixture_text(&f, "in/lost/d.txt", "d");
    fixture_text(&f, "in/up.txt", "up");
    fixture_text(&f, "in/subway/e.txt", "e");
    const char *paths[] = {fixture_path(&f, "in/sub"), fixture_path(&f, "in/lost")};
    assert_int_equal(fixture_run_paths(&f, paths, 2), PM_OK);
    memory_sink_commit(&f.sink);
    f.options.prune = true;
    assert_int_equal(unlink(fixture_path(&f, "in/sub/a.txt")), 0);
    assert_int_equal(unlink(fixture_path(&f, "in/sub/c.jsonl")), 0);
    assert_int_equal(unlink(fixture_path(&f, "in/lost/d.txt")), 0);
    assert_int_equal(rmdir(fixture_path(&f, "in/lost")), 0);
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_OK);
    assert_true(logged("PRUNED a.txt") && logged("PRUNED c") && f.summary.pruned == 2);
    assert_non_null(memory_sink_get(&f.sink, "b.txt")); /* as well as sub/b.txt               */
    assert_non_null(memory_sink_get(&f.sink, "d.txt")); /* of a folder that is gone           */
    memory_sink_commit(&f.sink);
    assert_int_equal(unlink(fixture_path(&f, "in/sub/b.txt")), 0);
    assert_int_equal(unlink(fixture_path(&f, "in/up.txt")), 0);
    assert_int_equal(unlink(fixture_path(&f, "in/subway/e.txt")), 0);
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in/sub")), PM_OK);
    assert_true(logged("PRUNED b.txt") && logged("PRUNED sub/b.txt") && f.summary.pruned == 2);
    assert_non_null(memory_sink_get(&f.sink, "up.txt"));
    assert_non_null(memory_sink_get(&f.sink, "subway/e.txt"));
}

static int refuse_locked(const char *call, const char *path)
{
    return strcmp(call, "open") == 0 && strstr(path, "locked") ? EACCES : 0;
}

/* The folder in, with --prune: what the run says, how many articles went, and how many are there.
 */
static void prune_in(pm_status want, uint64_t pruned, size_t left)
{
    f.options.prune = true;
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), want);
    memory_sink_commit(&f.sink);
    assert_int_equal(f.summary.pruned, pruned);
    assert_int_equal(memory_sink_count(&f.sink), left);
}

/* A file that is read as something else: what it was goes. */
static void prune_knows_another_format(void **state)
{
    (void)state;
    fixture_text(&f, "in/data", "{\"id\":\"a\",\"text\":\"1\"}\n{\"id\":\"b\",\"text\":\"2\"}\n");
    fixture_text(&f, "in/x.txt", "a text");
    prune_in(PM_OK, 0, 3);
    fixture_text(&f, "in/data", "no lines of JSON any more");
    prune_in(PM_OK, 2, 2);
    assert_string_equal(fixture_body(&f, "data"), "no lines of JSON any more");
    /* Lines again; one of them is skipped, so nothing is known for sure. */
    fixture_text(&f, "in/data", "{\"id\":\"c\",\"text\":\"3\"}\n{\"id\":\n");
    prune_in(PM_PARTIAL, 0, 3);
    assert_non_null(memory_sink_get(&f.sink, "data"));
    fixture_text(&f, "in/data", "{\"id\":\"c\",\"text\":\"3\"}\n{\"id\":\"d\"}\n");
    prune_in(PM_OK, 1, 3);
    assert_null(memory_sink_get(&f.sink, "data"));
    /* The format is said: lines as a text, then as lines. */
    f.options.format = PM_INPUT_TEXT;
    prune_in(PM_OK, 2, 2);
    f.options.format = PM_INPUT_AUTO;
    prune_in(PM_OK, 1, 3);
    assert_non_null(memory_sink_get(&f.sink, "x.txt"));
    /* A line that has the file's own name for an id. */
    fixture_text(&f, "in/data", "{\"id\":\"data\",\"text\":\"5\"}\n");
    prune_in(PM_OK, 2, 2);
    assert_string_equal(fixture_body(&f, "data"), "5");
    prune_in(PM_OK, 0, 2);
    /* A name that says text, read as lines once; and a text that was unchanged since. */
    fixture_text(&f, "in/x.txt", "{\"id\":\"y\",\"text\":\"6\"}\n");
    prune_in(PM_OK, 0, 2);
    f.options.format = PM_INPUT_JSONL;
    f.options.prune = false;
    assert_int_equal(fixture_run(&f, fixture_path(&f, "in")), PM_OK);
    memory_sink_commit(&f.sink);
    assert_int_equal(memory_sink_count(&f.sink), 3);
    f.options.format = PM_INPUT_AUTO;
    prune_in(PM_OK, 1, 2);
    assert_non_null(memory_sink_get(&f.sink, "x.txt"));
}

static void prune_needs_the_whole_folder(void **state)
{
    (void)state;
    fixture_text(&f, "a.txt", "a");
    fixture_text(&f, "locked/b.txt", "b");
    assert_int_equal(fixture_run(&f, NULL), PM_OK);
    memory_sink_commit(&f.sink);
    assert_int_equal(fixture_run(&f, fixture_path(&f, "locked")), PM_OK);
    memory_sink_commit(&f.sink);
    assert_int_equal(unlink(fixture_path(&f, "locked/b.txt")), 0);
    f.options.prune = true;
    file_fault = refuse_locked;
    pm_status st = fixture_run(&f, NULL);
    file_fault = NULL;
    assert_int_equal(st, PM_PARTIAL);
    assert_int_equal(f.summary.pruned, 0);
    assert_true(logged("WARNING"));
    assert_non_null(memory_sink_get(&f.sink, "locked/b.txt"));
    assert_non_null(memory_sink_get(&f.sink, "b.txt"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(unchanged_files_are_not_read),
        CASE(a_time_set_back_hides_nothing),
        CASE(one_id_in_two_folders),
        CASE(prune_deletes_what_is_gone),
        CASE(prune_keeps_what_it_cannot_judge),
        CASE(unchanged_lines_are_left),
        CASE(a_file_by_name_is_of_its_folder),
        CASE(a_line_met_before_is_not_unchanged),
        CASE(prune_deletes_lines_that_are_gone),
        CASE(prune_keeps_lines_of_files_it_cannot_read),
        CASE(prune_knows_files_by_other_paths),
        CASE(prune_knows_another_format),
        CASE(prune_needs_the_whole_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
