/* SPDX-License-Identifier: MIT
 * test_topics.c - TREC topics: what is a tag, where a field and a number end, what is left of text;
 * every cut of it.
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
#include "common/cli/queries.h"

enum { ALL = TOPIC_TITLE | TOPIC_DESC | TOPIC_NARR, ASKED_BYTES = 4096 };

/* "qid:query" in brackets for each topic, of a copy whose end sanitizers see; "none" for what is no
 * topics, else the message. */
static void ask(const char *text, size_t len, unsigned fields, char out[ASKED_BYTES])
{
    query_list list = {0};
    pm_error err = {.status = PM_OK};
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    pm_text topics = {copy, len};
    size_t n = 0;
    out[0] = 0;
    if (!topics_begin(&topics)) {
        strcpy(out, "none");
    } else if (topics_parse(&list, "t", topics, fields, &err) != PM_OK) {
        assert_int_equal(err.status, PM_USAGE);
        snprintf(out, ASKED_BYTES, "%s", err.message);
    } else {
        for (size_t i = 0; i < list.n; i++) {
            pm_text qid = list.items[i].qid, query = list.items[i].query;
            n += (size_t)snprintf(out + n, ASKED_BYTES - n, "[%.*s:%.*s]", (int)qid.len, qid.data,
                                  (int)query.len, query.data);
            assert_true(n < ASKED_BYTES);
        }
    }
    queries_free(&list);
    free(copy);
}

typedef struct row {
    const char *text, *want;
} row;

static void check(const row *rows, size_t n, unsigned fields)
{
    for (size_t i = 0; i < n; i++) {
        char got[ASKED_BYTES];
        ask(rows[i].text, strlen(rows[i].text), fields, got);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s\ngot:  %s\nwant: %s", rows[i].text, got, rows[i].want);
    }
}
#define CHECK(rows, fields) check(rows, sizeof(rows) / sizeof *(rows), fields)

static void what_is_topics(void **state)
{
    (void)state;
    static const row rows[] = {
        {"", "none"},
        {"\n \t\r\n", "none"},
        {"<", "none"},
        {"tin", "none"},
        {"tin\n<top>", "none"},
        {"tin <top>", "none"},
        {"<topics>", "none"},
        {"<tops><num>1", "none"},
        {"<to p>", "none"},
        {"</top>", "none"},
        {"<topic>", "none"},
        {"<topic number=\"\">", "none"},
        {"<topic numbers=1>", "none"},
        {"</topic number=1>", "none"},
        {"# <top>", "none"},
        {"#\n", "none"},
        {"# <top>\ntin", "none"},
        {"<top><num>1", "[1:]"},
        {"\n", "none"},
        {"\n\n<top><num>1", "[1:]"},
        {"# <top>\n<top><num>1", "[1:]"},
        {"<a></top><b><top><num>1", "[1:]"},
        {"< top><top><num>1", "[1:]"},
        {"\n# x\n \t# y\n\r\t <top><num>1", "[1:]"},
        {"# x\r\n<top><num>1", "[1:]"},
        {"<topic number=1><top>", "[1:]"},
        {"<top><num>1<topic number=2>", "[1:]"},
        {"<topic><top><num>1", "[1:]"},
        {"<xml><topic number=1>", "[1:]"},
    };
    CHECK(rows, TOPIC_TITLE);
}

static void what_is_a_tag(void **state)
{
    (void)state;
    static const row rows[] = {
        {"<top><num>1<title>a<b>c", "[1:a c]"},
        {"<top><num>1<title>a<B >c", "[1:a c]"},
        {"<top><num>1<title>a<b/>c", "[1:a c]"},
        {"<top><num>1<title>a</b>c", "[1:a c]"},
        {"<top><num>1<title>a</b >c", "[1:a c]"},
        {"<top><num>1<title>a<b x='1'\ty>c", "[1:a c]"},
        {"<top><num>1<title>a<b-_:.9>c", "[1:a c]"},
        {"<top><num>1<title>a<Az>b<zA>c<Z>d<a>e<b0>f", "[1:a b c d e f]"},
        {"<top><num>1<title>a<@>c<[>c<`>c<{>c", "[1:a<@>c<[>c<`>c<{>c]"},
        {"<top><num>1<title>a<b@>c<b/9>d<b;>e<b,>f", "[1:a<b@>c d<b;>e<b,>f]"},
        {"<top><num>1<title>a<0>b<9>c<->d<//e>f</>g<>h", "[1:a<0>b<9>c<->d<//e>f</>g<>h]"},
        {"<top><num>1<title>a< b>c", "[1:a< b>c]"},
        {"<top><num>1<title>a<b <c>d", "[1:a<b d]"},
        {"<top><num>1<title>a<b\n>c<d\r>e", "[1:a<b >c<d >e]"},
        {"<top><num>1<title>a<b\nc>d", "[1:a<b c>d]"},
        {"<top><num>1<title>a<", "[1:a<]"},
        {"<top><num>1<title>a</", "[1:a</]"},
        {"<top><num>1<title>a<b", "[1:a<b]"},
        {"<top><num>1<title>a<b ", "[1:a<b]"},
        {"<top><num>1<title>a<b c", "[1:a<b c]"},
        {"<top><num>1<title>a<titles>b<tit>c<title >d", "[1:d]"},
        {"<top><num>1<title>a&amp;b", "[1:a&amp;b]"}, /* entities are of XML alone             */
    };
    CHECK(rows, TOPIC_TITLE);
}

static void where_a_field_ends(void **state)
{
    (void)state;
    static const row rows[] = {
        {"<top><num>1<title>a<desc>b<narr>c</top>", "[1:a b c]"},
        {"<top><num>1<narr>c<desc>b<title>a</top>d", "[1:a b c]"},
        {"<TOP><NUM>1</NUM><Title>a</TITLE>x<DESC>b</desc>y<Narr>c</narr>z</TOP>", "[1:a b c]"},
        {"<top><num>1<title>a<dom>x<smry>x<con>x<fac>x<def>x<head>x<desc>b<num>2", "[2:a b]"},
        {"<top><num>1<title>a<query>b<question>c<description>d<narrative>e<subtopic>f",
         "[1:a b c d e f]"},
        {"<top><num>1<title>a<title>b", "[1:b]"},
        {"<top><num>1<title>Topic: a<desc>Description: b<narr> NARRATIVE:\nc", "[1:a b c]"},
        {"<top><num>1<title>Topic:<desc>Description :b<narr>Narrative",
         "[1:Description :b Narrative]"},
        {"<top><num>1<title> \t\r\na\r\n\t b \n", "[1:a b]"},
        {"<top><num>1<title><b>a</b><b>c</b>", "[1:a c]"},
        {"<top><num>1<desc><b><narr>a", "[1:a]"},
        {"<top><num>1<title>a</top><top><num>2<title>b</top>", "[1:a][2:b]"},
        {"<top><num>1<title>a<top><num>2<title>b", "[1:a][2:b]"},
        {"<top><num>1<title>a</top></top><title>c<num>9", "[1:a]"},
        {"<top><num>1<title>a</top><num>9<top><num>2<title>b", "[1:a][2:b]"},
        {"<top><num>1<title>a</top><top><num>2<desc>b", "[1:a][2:b]"},
        {"<top><title>a", "t: topic 1 has no <num>"},
        {"<top><num>1</top><top><num> </top>", "t: topic 2 has no <num>"},
    };
    CHECK(rows, ALL);
    static const row titles[] = {{"<top><num>1<title>a<desc>b<narr>c", "[1:a]"}};
    CHECK(titles, TOPIC_TITLE);
    static const row descs[] = {{"<top><num>1<title>a<desc>b<narr>c", "[1:b]"}};
    CHECK(descs, TOPIC_DESC);
    static const row both[] = {{"<top><num>1<title>a<desc>b<narr>c", "[1:a c]"}};
    CHECK(both, TOPIC_TITLE | TOPIC_NARR);
}

static void where_a_number_ends(void **state)
{
    (void)state;
    static const row rows[] = {
        {"<top><num>Number: 1<title>a", "[1:a]"},
        {"<top><num> number:1 \n<title>a", "[1:a]"},
        {"<top><num>\r\n\t1\r\nno\n<title>a", "[1:a]"},
        {"<top><num>1<b>2<title>a", "[1:a]"},
        {"<top><num>1 \n<b>2<title>a", "[1:a]"},
        {"<top><num>1\tx <E-title>2\n<title>a", "[1\tx:a]"},
        {"<top><num>1 < 2<title>a", "[1 < 2:a]"},
        {"<top><num>Number<title>a", "[Number:a]"},
        {"<top><num>Number:<title>a", "t: topic 1 has no <num>"},
        {"<top><num><b>1<title>a", "t: topic 1 has no <num>"},
    };
    CHECK(rows, TOPIC_TITLE);
}

static void xml(void **state)
{
    (void)state;
    static const row rows[] = {
        {"<topic number=\"1\">", "[1:]"},
        {"<topic number=\"1\"> a\n b </topic> c", "[1:a b]"},
        {"<topic number=1>a<query>b</query>c</topic>", "[1:b]"},
        {"<topic number=1>a<title>b</title>c<desc>d</desc><narr>e</narr></topic>", "[1:b d e]"},
        {"<topic number=1>a<description>d<narrative>e<subtopic>f", "[1:a d e]"},
        {"<topic number=1><query>b<question>c</question>x<narrative>e</topic>", "[1:b c e]"},
        {"<topic number=1>a<num>2<top>b", "[1:a 2 b]"},
        {"<topic number=1>a</topic><topic number=2>b</topic>", "[1:a][2:b]"},
        {"<topic number=1>a<topic number=2>b", "[1:a][2:b]"},
        {"<TOPIC Number='1'>&amp;&lt;&gt;&quot;&apos;&amp;amp;<Query>", "[1:]"},
        {"<topic number='1'>&amp;&lt;&gt;&quot;&apos;&amp;amp;", "[1:&<>\"'&amp;]"},
        {"<topic number='1'>&AMP;&am;&;&ltx&#65;&", "[1:&AMP;&am;&;&ltx&#65;&]"},
        {"<topic number='1'>&lt;b&gt; &lt;", "[1:<b> <]"},
        {"<topic number='1'>a<topic>", "t: topic 2 has no number=\"...\""},
    };
    CHECK(rows, ALL);
}

static void attributes(void **state)
{
    (void)state;
    static const row rows[] = {
        {"<topic number=1>", "[1:]"},
        {"<topic number = 1 >", "[1:]"},
        {"<topic\tnumber\t=\t'1'\t>", "[1:]"},
        {"<topic number=\" 1 a \">", "[1 a:]"},
        {"<topic number=\"1'2\">", "[1'2:]"},
        {"<topic number='1\"2'>", "[1\"2:]"},
        {"<topic number='1>", "[1:]"},
        {"<topic number=1'>", "[1':]"},
        {"<topic a=b number=1 c=d>", "[1:]"},
        {"<topic a='number=2' number=1>", "[1:]"},
        {"<topic a='b'number=1>", "[1:]"},
        {"<topic a b = number number = 1>", "[1:]"},
        {"<topic number number=1>", "[1:]"},
        {"<topic = number=1>", "none"}, /* a value without a name */
        {"<topic number=1 number=2>", "[1:]"},
        {"<topic xnumber=2 numberx=3 NUMBER=1>", "[1:]"},
        {"<topic number=>", "none"},
        {"<topic number= >", "none"},
        {"<topic number='>", "none"},
        {"<topic number=' '>", "none"},
        {"<topic number>", "none"},
        {"<topic number >", "none"},
        {"<topic a=>", "none"},
        {"<topic a='number=1'>", "none"},
    };
    CHECK(rows, TOPIC_TITLE);
}

/* Fields of any length have room. */
static void long_fields(void **state)
{
    (void)state;
    static const char *const tags[] = {"<title>", "<desc>", "<narr>"};
    enum { LEN = 300000 };
    for (size_t i = 0; i < 3; i++) {
        query_list list = {0};
        buf text = {0};
        buf_append_str(&text, "<top><num>1<title>a<desc>b<narr>c");
        buf_append_str(&text, tags[i]);
        for (size_t n = 0; n < LEN; n++) buf_u8(&text, 'x');
        assert_int_equal(
            topics_parse(&list, "t", (pm_text){(const char *)text.data, text.len}, ALL, NULL),
            PM_OK);
        assert_int_equal(list.n, 1);
        assert_int_equal(list.items[0].query.len, LEN + 4);
        queries_free(&list);
        buf_free(&text);
    }
}

/* Every beginning is read within its bytes. */
static void cuts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "# x\n<top a='b'>\n<num> Number: 7 <b>\n<title> Topic: tin</b > <i "
        "<u/>\n</title><desc>d\n</top>",
        "<topics><topic type=a number = '12' x>a &amp; &lt;b <query>&quot;q&apos;</query></topic>"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t len = 0; len <= strlen(texts[i]); len++) {
            char got[ASKED_BYTES];
            ask(texts[i], len, ALL, got);
            bool topics = strcmp(got, "none") != 0;
            size_t begun = i == 0 ? strlen("# x\n<top a='b'>")
                                  : strlen("<topics><topic type=a number = '12' x>");
            assert_int_equal(topics, len >= begun);
        }
}

static void refused_memory(void **state)
{
    (void)state;
    const char *text = "<top><num>1<title>a</top>";
    pm_text topics = {text, strlen(text)};
    unsigned refused = 0;
    pm_status st = PM_NOMEM;
    for (uint64_t n = 1; st != PM_OK; n++) {
        query_list list = {0};
        pm_error err = {.status = PM_OK};
        mem_fail_at(n, false);
        st = topics_parse(&list, "t", topics, ALL, &err);
        mem_fail_at(0, false);
        assert_true(st == PM_OK || st == PM_NOMEM);
        refused += st == PM_NOMEM;
        queries_free(&list);
    }
    assert_int_equal(refused, 2); /* the query's bytes, the list */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_topics),
        cmocka_unit_test(what_is_a_tag),
        cmocka_unit_test(where_a_field_ends),
        cmocka_unit_test(where_a_number_ends),
        cmocka_unit_test(xml),
        cmocka_unit_test(attributes),
        cmocka_unit_test(long_fields),
        cmocka_unit_test(cuts),
        cmocka_unit_test(refused_memory),
    };
    return cmocka_run_group_tests_name("topics", tests, NULL, NULL);
}
