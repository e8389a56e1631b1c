/* SPDX-License-Identifier: MIT
 * test_front_matter.c - blocks that are YAML, that are not quite, and that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "indexer/front_matter.h"

static void check_body(const char *text, const char *want)
{
    front_matter_span span;
    size_t len = strlen(text);
    char *copy = malloc(len + 1); /* what is behind it counts for nothing                         */
    assert_non_null(copy);
    memcpy(copy, text, len);
    copy[len] = '\n';
    bool found = front_matter_find(copy, len, &span);
    assert_int_equal(found, want != NULL);
    if (found) assert_string_equal(text + span.body, want);
    free(copy);
}

static void finds_the_block(void **state)
{
    (void)state;
    check_body("---\ntitle: x\n---\nbody", "body");
    check_body("---\r\ntitle: x\r\n---\r\nbody", "body");
    check_body("---\rtitle: x\r---\rbody", "body");
    check_body("---  \ntitle: x\n...\nbody", "body");
    check_body("---\t\ntitle: x\n--- \t\nbody", "body");
    check_body("---\ntitle: x\n---\r", "");
    check_body("---\nabc\n-\n--\n---\nbody", "body");
    check_body("---\n---\n", "");
    check_body("---\ntitle: x\n---", "");
    check_body("---\ntitle: x\n", NULL);
    check_body("----\ntitle: x\n----\n", NULL);
    check_body("--- # title\n---\n", NULL);
    check_body("\n---\ntitle: x\n---\n", NULL);
    check_body("---", NULL);
    check_body("", NULL);
}

static void is_bounded(void **state)
{
    (void)state;
    size_t len = FRONT_MATTER_MAX_BYTES + 4096;
    char *text = malloc(len);
    assert_non_null(text);
    front_matter_span span;
    memset(text, 'a', len);
    memcpy(text, "---\n", 4);
    memcpy(text + len - 5, "\n---\n", 5);
    assert_false(front_matter_find(text, len, &span));
    memcpy(text + 1000, "\n---\n", 5);
    assert_true(front_matter_find(text, len, &span));
    for (size_t more = 0; more < 2; more++) { /* a line that begins there, and one behind it     */
        memset(text + 4, 'a', len - 4);
        memcpy(text + 4 + FRONT_MATTER_MAX_BYTES - 1 + more, "\n---\n", 5);
        assert_int_equal(front_matter_find(text, len, &span), more == 0);
    }
    free(text);
}

/* The block as one line of JSON, keys sorted. */
static void check(const char *block, const char *want)
{
    json_t *object = NULL;
    pm_error err;
    char *copy = malloc(strlen(block) + 1); /* exact, for sanitizers */
    assert_non_null(copy);
    memcpy(copy, block, strlen(block));
    assert_int_equal(front_matter_parse(copy, strlen(block), &object, &err), PM_OK);
    char *got = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(got, want);
    free(got);
    free(copy);
    json_decref(object);
}

static void yaml(void **state)
{
    (void)state;
    check("title: \"A: b\"\ndate: 2025-11-24T23:03:34\n",
          "{\"date\":\"2025-11-24T23:03:34\",\"title\":\"A: b\"}");
    check("tags: [News, World]\n", "{\"tags\":[\"News\",\"World\"]}");
    check("tags:\n  - News\n  - World\n", "{\"tags\":[\"News\",\"World\"]}");
    check("tags: []\nempty:\nnothing: ~\nquoted: ''\n",
          "{\"empty\":null,\"nothing\":null,\"quoted\":\"\",\"tags\":[]}");
    check("a:\n  b:\n    c: 1\n", "{\"a\":{\"b\":{\"c\":\"1\"}}}");
    check("n: 1.10\nyes: yes\n", "{\"n\":\"1.10\",\"yes\":\"yes\"}");
    check("text: >\n  folded\n  line\n", "{\"text\":\"folded line\\n\"}");
    check("a: 1\na: 2\n", "{\"a\":\"2\"}");
    check("a: null\nb: news\nnull: [null, x]\n",
          "{\"a\":null,\"b\":\"news\",\"null\":[null,\"x\"]}");
    check("", "{}");
}

static void messy_lines(void **state)
{
    (void)state;
    check("title: Foo: bar\ndate: 2025-01-01\n",
          "{\"date\":\"2025-01-01\",\"title\":\"Foo: bar\"}");
    check("title: 'It's here'\ntags: [a, \"b\"]\n",
          "{\"tags\":[\"a\",\"b\"],\"title\":\"It's here\"}");
    check("title: \"unclosed\nauthors:\n  - one\n  - 'two'\n",
          "{\"authors\":[\"one\",\"two\"],\"title\":\"\\\"unclosed\"}");
    check("title: @at\n", "{\"title\":\"@at\"}");
    check("my_title: @at\nmy-date: @2\nTOP9: @x\n",
          "{\"TOP9\":\"@x\",\"my-date\":\"@2\",\"my_title\":\"@at\"}");
    check("title:\tTab\n", "{\"title\":\"Tab\"}");
    /* Keys: letters and digits, the first and the last of each; what is beside them is none. */
    check("t: @\naz09AZ: x\n`a: 1\n{b: 1\n@C: 1\n[D: 1\n/e: 1\n;f: 1\n: g\nh`: 1\n",
          "{\"az09AZ\":\"x\",\"t\":\"@\"}");
    check("t: @\ne: \"\"\nl: []\nm: [\nn: ''\nj\n",
          "{\"e\":\"\",\"l\":[],\"m\":\"[\",\"n\":\"\",\"t\":\"@\"}");
    check("just prose here\nand more\n", "{}");
    check("http://example.org\n", "{}");
}

/* Texts of several lines, beside a line that is no YAML. */
static void messy_texts(void **state)
{
    (void)state;
    check("title: >\n  A folded\n  title\nauthor: A: b\n",
          "{\"author\":\"A: b\",\"title\":\"A folded title\"}");
    check("author: A: b\ntext: |-\n  one\n\n  date: 1999-01-01\n  - two\nend: >2\n  x\n",
          "{\"author\":\"A: b\",\"end\":\"x\",\"text\":\"one\\ndate: 1999-01-01\\n- two\"}");
    check("title: Foo: bar\n  and more\ntags: [a]\n",
          "{\"tags\":[\"a\"],\"title\":\"Foo: bar and more\"}");
    check("a: b: c\ntitle: \"one\n  two\"\n", "{\"a\":\"b: c\",\"title\":\"one two\"}");
    check("a: b: c\nlist:\n  - x\n    y\nm:\n  n: o\n",
          "{\"a\":\"b: c\",\"list\":[\"x\"],\"m\":\"\"}");
    check("a: b: c\ntitle: >\n", "{\"a\":\"b: c\",\"title\":\"\"}");
    check("a: b: c\nsign: >x\nmore: > x\n", "{\"a\":\"b: c\",\"more\":\"> x\",\"sign\":\">x\"}");
}

/* YAML, but none that we take: keys that are no text, references, tags; read line by line. */
static void other_yaml(void **state)
{
    (void)state;
    check("? [a, b]\n: c\nd: e\n", "{\"d\":\"e\"}");
    check("a: 1\n? {x: y}\n: z\n", "{\"a\":\"1\"}");
    check("\"a\\0b\": c\nd: e\n", "{\"d\":\"e\"}");
    check("- a\n- b\n", "{}"); /* a list is no front matter                                  */
    check("a: [[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]\n",
          "{\"a\":[[[[[[[[[[[[[[[\"x\"]]]]]]]]]]]]]]]}"); /* as deep as may be */
    check("a: [[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]\n",
          "{\"a\":[\"[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]\"]}");
    check("a: *x\n", "{\"a\":\"*x\"}");
    check("a: &x b\n", "{\"a\":\"&x b\"}");
    check("a: !!str b\n", "{\"a\":\"!!str b\"}");
    check("a: !!map {b: c}\n", "{\"a\":\"!!map {b: c}\"}");
    check("a: &m {b: c}\n", "{\"a\":\"&m {b: c}\"}");
    check("a: !!seq [b]\n", "{\"a\":\"!!seq [b]\"}");
    check("- a\n- b\n", "{}");
    check("a: b\n--- \nc: d\n", "{\"a\":\"b\"}");
    check("a:\n-b\n- c\n-\n- 'd'\ne: f\n", "{\"a\":[\"c\",\"d\"],\"e\":\"f\"}");
    check("a: b\n- c: [\n- d\ne: [x, 'y, z', ]\n",
          "{\"a\":[\"c: [\",\"d\"],\"e\":[\"x\",\"'y\",\"z'\"]}");
    check("a: 'b\nlist: [x, ]\n", "{\"a\":\"'b\",\"list\":[\"x\"]}");
}

static void bombs_are_not_expanded(void **state)
{
    (void)state;
    check("a: &x [1, 2]\nb: *x\n", "{\"a\":\"&x [1, 2]\",\"b\":\"*x\"}");
    check("a: !!python/object x\n", "{\"a\":\"!!python/object x\"}");
    char deep[1200] = "a: ";
    memset(deep + 3, '[', 500);
    memset(deep + 503, ']', 500);
    json_t *object = NULL;
    pm_error err;
    assert_int_equal(front_matter_parse(deep, 1003, &object, &err), PM_OK);
    assert_true(json_is_object(object));
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_block),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(yaml),
        cmocka_unit_test(messy_lines),
        cmocka_unit_test(messy_texts),
        cmocka_unit_test(other_yaml),
        cmocka_unit_test(bombs_are_not_expanded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
