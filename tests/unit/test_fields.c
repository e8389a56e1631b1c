/* SPDX-License-Identifier: MIT
 * test_fields.c - keys to fields: which one counts, values as text, what is kept beside, as front
 * matter and as JSON Lines; memory refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "indexer/fields.h"
#include "indexer/json_line.h"

enum { SAID_BYTES = 2048 };

static void say(char *out, const char *name, pm_text text)
{
    size_t n = strlen(out);
    if (text.len)
        n += (size_t)snprintf(out + n, SAID_BYTES - n, "%s=%.*s;", name, (int)text.len, text.data);
    assert_true(n < SAID_BYTES);
}

/* The fields that are not empty, U+001F shown as /. */
static pm_status take(const char *json, fields_kind kind, char out[SAID_BYTES])
{
    document d = {.n_spans = 0};
    buf numbers = {0};
    pm_error err;
    json_error_t why;
    json_t *object = NULL;
    pm_status st = PM_OK;
    out[0] = 0;
    if (kind == FIELDS_JSONL)
        st = json_line_read_valid(json, strlen(json), &object, &numbers, &err);
    else
        object = json_loads(json, 0, &why);
    if (st == PM_OK) {
        assert_true(json_is_object(object));
        st = fields_take(&d, object, kind == FIELDS_JSONL ? &numbers : NULL, kind, &err);
    }
    if (st == PM_OK) {
        const pm_article *a = &d.article;
        say(out, "id", a->id);
        say(out, "title", a->title);
        say(out, "text", a->text);
        say(out, "date", a->date);
        say(out, "url", a->url);
        say(out, "source", a->source);
        say(out, "author", a->author);
        say(out, "tags", a->tags);
        say(out, "lang", a->lang);
        say(out, "extra", a->extra);
        for (char *c = out; *c; c++)
            if (*c == '\x1f') *c = '/';
    }
    json_decref(object);
    buf_free(&numbers);
    document_free(&d);
    return st;
}

typedef struct row {
    const char *json, *want;
} row;

static const row front[] = {
    {"{}", ""},
    {"{\"title\":\"1.50\",\"date\":\"2025\",\"lang\":\"\",\"source\":null}",
     "title=1.50;date=2025;"},
    {"{\"id\":\"x\",\"text\":\"y\",\"body\":\"z\"}",
     "extra={\"id\":\"x\",\"text\":\"y\",\"body\":\"z\"};"},
    {"{\"Title\":\"t\",\"DATE\":\"\",\"Lang\":[],\"Tagss\":\"\"}",
     "title=t;extra={\"Tagss\":\"\"};"},
    {"{\"TITLE\":\"a\",\"title\":\"b\"}", "title=b;extra={\"TITLE\":\"a\"};"},
    {"{\"permalink\":\"p\",\"url\":\"u\"}", "url=u;extra={\"permalink\":\"p\"};"},
    {"{\"permalink\":\"p\",\"url\":\"\"}", "url=p;"},
    {"{\"authors\":[\"A\",{\"name\":\"B\"},null,\"\",[\"1\"],{\"x\":\"1\"},{\"name\":[\"2\"]}]}",
     "author=A, B;"},
    {"{\"author\":[\"Doe, J\",\"Roe\"],\"authors\":\"C\"}",
     "author=Doe, J; Roe;extra={\"authors\":\"C\"};"},
    {"{\"author\":\"Doe, J\"}", "author=Doe, J;"},
    {"{\"tags\":[\"a\"],\"categories\":\"b\",\"topics\":[\"c\",\"d\"]}", "tags=a/b/c/d;"},
    {"{\"tags\":[],\"categories\":[\"\",null],\"topics\":\"t\"}",
     "tags=t;extra={\"categories\":[\"\",null]};"},
    {"{\"title\":{\"name\":\"N\"},\"source\":[\"s\",\"t\"],\"lang\":[\"e\",\"n\"]}",
     "title=N;source=s, t;lang=e n;"},
    {"{\"title\":[\"a\",\"b\"],\"x\":null,\"date\":null,\"url\":{}}",
     "title=a\nb;extra={\"x\":null,\"url\":{}};"},
    {"{\"k\":\"0.1\",\"l\":[[],{},{\"m\":[\"n\",\"\"]}]}",
     "extra={\"k\":\"0.1\",\"l\":[[],{},{\"m\":[\"n\",\"\"]}]};"},
};

static const row jsonl[] = {
    {"{}", ""},
    {"{\"id\":1.50,\"title\":-0,\"text\":1e3,\"lang\":true}",
     "id=1.50;title=-0;text=1e3;lang=true;"},
    {"{\"lang\":false,\"tags\":[true,7,null]}", "tags=true/7;lang=false;"},
    {"{\"_id\":\"b\",\"id\":\"\",\"docno\":\"c\"}", "id=b;extra={\"docno\":\"c\"};"},
    {"{\"id\":{},\"_id\":[],\"docno\":{\"name\":7.0}}", "id=7.0;extra={\"id\":{}};"},
    {"{\"url\":\"u\"}", "id=u;url=u;"},
    {"{\"ID\":\"\",\"Title\":\"t\",\"title\":\"\"}", "extra={\"ID\":\"\",\"Title\":\"t\"};"},
    {"{\"body\":\"b\",\"text\":[\"a\",1.0,[],\"c\"],\"content\":\"\"}",
     "text=a\n1.0\nc;extra={\"body\":\"b\"};"},
    {"{\"permalink\":\"p\",\"authors\":\"a\",\"categories\":\"c\",\"tags\":\"t\"}",
     "tags=t;extra={\"permalink\":\"p\",\"authors\":\"a\",\"categories\":\"c\"};"},
    {"{\"k\":[],\"l\":{},\"m\":[[],{}, "
     "1.0,[2.50,-3]],\"n\":{\"o\":{\"p\":1e5,\"q\":\"r\"},\"s\":null}}",
     "extra={\"k\":[],\"l\":{},\"m\":[[],{},1.0,[2.50,-3]],\"n\":{\"o\":{\"p\":1e5,\"q\":\"r\"},"
     "\"s\":null}};"},
    {"{\"k\\\"1\":\"\\u0001\\n\\\"\",\"\":false}",
     "extra={\"k\\\"1\":\"\\u0001\\n\\\"\",\"\":false};"},
};

static void check(const row *rows, size_t n, fields_kind kind)
{
    for (size_t i = 0; i < n; i++) {
        char got[SAID_BYTES];
        assert_int_equal(take(rows[i].json, kind, got), PM_OK);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s\ngot:  %s\nwant: %s", rows[i].json, got, rows[i].want);
    }
}

static void front_matter(void **state)
{
    (void)state;
    check(front, sizeof front / sizeof *front, FIELDS_FRONT_MATTER);
}

static void json_lines(void **state)
{
    (void)state;
    check(jsonl, sizeof jsonl / sizeof *jsonl, FIELDS_JSONL);
}

/* Each allocation of ours refused: said, or the same fields. */
static void refused_memory(void **state)
{
    (void)state;
    unsigned refused = 0;
    for (size_t i = 0; i < sizeof front / sizeof *front + sizeof jsonl / sizeof *jsonl; i++) {
        bool is_front = i < sizeof front / sizeof *front;
        const row *r = is_front ? &front[i] : &jsonl[i - sizeof front / sizeof *front];
        bool over = false;
        for (uint64_t n = 1; !over; n++) {
            char got[SAID_BYTES];
            mem_fail_at(n, false);
            pm_status st = take(r->json, is_front ? FIELDS_FRONT_MATTER : FIELDS_JSONL, got);
            mem_fail_at(0, false);
            assert_true(st == PM_OK || st == PM_NOMEM);
            over = st == PM_OK;
            refused += !over;
            if (over) assert_string_equal(got, r->want);
        }
    }
    print_message("%u allocations refused\n", refused);
    assert_true(refused > 50);
}

static void joined(void **state)
{
    (void)state;
    document d = {.n_spans = 0};
    const pm_text none = {NULL, 0}, a = text_of("a"), b = text_of("bc");
    bool refused = false;
    assert_int_equal(fields_join(&d, none, "--", none, &refused).len, 0);
    assert_ptr_equal(fields_join(&d, a, "--", none, &refused).data, a.data);
    assert_ptr_equal(fields_join(&d, none, "--", b, &refused).data, b.data);
    pm_text both = fields_join(&d, a, "--", b, &refused);
    assert_int_equal(both.len, 5);
    assert_memory_equal(both.data, "a--bc", 5);
    assert_false(refused);
    document_free(&d);
    mem_fail_at(1, false);
    assert_ptr_equal(fields_join(&d, a, "--", b, &refused).data, a.data);
    mem_fail_at(0, false);
    assert_true(refused);
    document_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(front_matter),
        cmocka_unit_test(json_lines),
        cmocka_unit_test(refused_memory),
        cmocka_unit_test(joined),
    };
    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
