/* SPDX-License-Identifier: MIT
 *
 * test_allocations.c - a searcher that has warmed up answers without asking for memory: not of
 * mem.c, and (outside the sanitizers, who have a malloc of their own) not of the C library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "pressmark.h"
#include "tests/support/folder.h"

enum { ARTICLES = 1500, WORDS = 400, ROUNDS = 3 };

static uint64_t library_calls; /* of malloc, calloc and realloc                           */

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__GLIBC__)
#define COUNTS_LIBRARY true
#define FOR_ALL        __attribute__((visibility("default"))) /* the C library's own calls, too     */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
FOR_ALL void *malloc(size_t size)
{
    library_calls++;
    return __libc_malloc(size);
}
FOR_ALL void *calloc(size_t n, size_t size)
{
    library_calls++;
    return __libc_calloc(n, size);
}
FOR_ALL void *realloc(void *old, size_t size)
{
    library_calls++;
    return __libc_realloc(old, size);
}
#else
#define COUNTS_LIBRARY false
#endif

/* Word number n, the frequent ones first; made of letters alone, so that it is one term. */
static size_t put_word(char *out, unsigned n)
{
    size_t len = 0;
    out[len++] = 'w';
    do out[len++] = (char)('a' + n % 20);
    while (n /= 20);
    return len;
}

static unsigned draw(uint64_t *seed)
{
    unsigned a = (unsigned)(random_next(seed) % WORDS), b = (unsigned)(random_next(seed) % WORDS);
    return a * b / WORDS;
}

static void add(pm_writer *w, unsigned i, uint64_t *seed)
{
    char id[16], text[2048];
    size_t len = 0;
    for (unsigned k = 0; k < 30 + i % 60; k++) {
        len += put_word(text + len, draw(seed));
        text[len++] = ' ';
    }
    int id_len = snprintf(id, sizeof id, "a%u", i);
    pm_article a = {.id = {id, (size_t)id_len}, .title = {"wa news", 7}, .text = {text, len}};
    a.date = (pm_text){i % 3 ? "2025-09-19" : "2024-01-05", 10};
    a.source = (pm_text){i % 7 ? "wire" : "post", 4};
    assert_int_equal(pm_writer_add(w, &a, NULL, NULL), PM_OK);
}

/* One whose words are so many that the C library would sort their places in memory of its own. */
static void add_long(pm_writer *w)
{
    char text[6000];
    for (size_t i = 0; i < sizeof text; i += 6) memcpy(text + i, i % 4 ? "wa wb " : "wb wc ", 6);
    pm_article a = {.id = {"long", 4}, .text = {text, sizeof text}};
    assert_int_equal(pm_writer_add(w, &a, NULL, NULL), PM_OK);
}

static void build(const char *path, unsigned commits)
{
    pm_writer_options o = PM_WRITER_OPTIONS_INIT;
    pm_writer *w;
    uint64_t seed = 7;
    o.commit_level = 2;
    o.block_size = 16;
    assert_int_equal(pm_writer_open(path, &o, &w, NULL), PM_OK);
    add_long(w);
    for (unsigned i = 0; i < ARTICLES; i++) {
        add(w, i, &seed);
        if ((i + 1) % (ARTICLES / commits) == 0)
            assert_int_equal(pm_writer_commit(w, NULL, NULL), PM_OK);
    }
    pm_writer_close(w);
}

static const char *const queries[] = {
    "wa",
    "we wh",
    "+wa +we +wl",
    "wa wb wc wd we wf wg wh wi wj",
    "\"wa wb\"",
    "\"wa wa wa\"",
    "\"wb wc\"~4",
    "+\"wc wa\" wd",
    "wa -wb",
    "+wa wd we",
    "(wa OR wb) AND wc",
    "title:news wa",
    "wzz",
    "absent",
    "wab wac wad",
    "+wa (wb wc)",
    "wa^2 wb",
    "NOT wa",
    "wa wb date:2025",
    "+wa +wb -source:post",
    "\"wa wb\" (source:wire OR source:post) after:2024-06",
    "(wa date:2024) OR (wb source:post)",
    "date:2025-09-19",
    "",
    "\"wa wb\" OR wq",
};
enum { QUERIES = sizeof queries / sizeof *queries };

static void ask_all(pm_searcher *s, pm_match match, uint64_t limit, bool exhaustive)
{
    pm_search_options o = PM_SEARCH_OPTIONS_INIT;
    const pm_result *result;
    o.match = match;
    o.limit = limit;
    o.want_fields = o.want_snippets = false;
    o.exhaustive = exhaustive;
    for (unsigned i = 0; i < QUERIES; i++)
        assert_int_equal(pm_searcher_search(s, queries[i], strlen(queries[i]), &o, &result, NULL),
                         PM_OK);
}

static void ask_everything(pm_searcher *s)
{
    static const pm_match modes[] = {PM_MATCH_AUTO, PM_MATCH_ALL, PM_MATCH_ANY};
    for (unsigned m = 0; m < 3; m++) {
        ask_all(s, modes[m], 0, false);
        ask_all(s, modes[m], 10, false);
        ask_all(s, modes[m], 1000, false);
        ask_all(s, modes[m], 10, true);
    }
}

static void try_index(unsigned commits)
{
    char path[FOLDER_PATH];
    pm_index *index;
    pm_searcher *s;
    folder_make(path);
    build(path, commits);
    assert_int_equal(pm_index_open(path, &index, NULL), PM_OK);
    assert_int_equal(pm_searcher_open(index, &s, NULL), PM_OK);
    ask_everything(s);
    uint64_t mem_before = mem_count(), library_before = library_calls;
    for (unsigned i = 0; i < ROUNDS; i++) ask_everything(s);
    assert_true(mem_before > 0 && (library_before > 0) == COUNTS_LIBRARY);
    assert_int_equal(mem_count() - mem_before, 0);
    assert_int_equal(library_calls - library_before, 0);
    pm_searcher_close(s);
    pm_index_close(index);
    folder_remove(path);
}

static void test_one_segment(void **state)
{
    (void)state;
    try_index(1);
}

static void test_several_segments(void **state)
{
    (void)state;
    try_index(5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_segment),
        cmocka_unit_test(test_several_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
