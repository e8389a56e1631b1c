/* SPDX-License-Identifier: MIT
 * test_json_line.c - lines that the scanner leaves to the library: what is mended and what is not,
 * numbers as they are spelled, depth, how much a line takes, and what begins like JSON Lines.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "indexer/fields.h"
#include "indexer/json_line.h"

/* A copy whose end is one that sanitizers see. */
static char *copy_of(const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, text, len);
    return copy;
}

/* The object as it is kept, or the reason why there is none; how often text was repaired. */
static void read_as(const char *line, size_t len, char *out, size_t room, uint64_t *repaired)
{
    char *copy = copy_of(line, len), reason[JSON_LINE_REASON_MAX] = "";
    buf numbers = {0}, dumped = {0};
    json_t *object = NULL;
    *repaired = 0;
    assert_int_equal(json_line_parse(copy, len, &object, &numbers, repaired, reason, NULL), PM_OK);
    free(copy);
    if (object) {
        assert_int_equal(reason[0], 0);
        assert_int_equal(fields_dump(object, &numbers, &dumped, NULL), PM_OK);
        snprintf(out, room, "%.*s", (int)dumped.len, (const char *)dumped.data);
    } else {
        snprintf(out, room, "%s", reason);
    }
    json_decref(object);
    buf_free(&numbers);
    buf_free(&dumped);
}

typedef struct row {
    const char *line, *want;
    unsigned repaired;
} row;

static void check(const row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char got[1024];
        uint64_t repaired;
        read_as(rows[i].line, strlen(rows[i].line), got, sizeof got, &repaired);
        if (strncmp(got, rows[i].want, strlen(rows[i].want)) != 0 ||
            (rows[i].want[0] == '{' && strcmp(got, rows[i].want) != 0))
            fail_msg("%s\ngot:  %s\nwant: %s", rows[i].line, got, rows[i].want);
        if (repaired != rows[i].repaired)
            fail_msg("%s: %u repaired", rows[i].line, (unsigned)repaired);
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

static void escapes(void **state)
{
    (void)state;
    static const row rows[] = {
        {"{\"k\":\"\\ud800\"}", "{\"k\":\"\xef\xbf\xbd\"}", 1},
        {"{\"k\":\"\\uDBFF\"}", "{\"k\":\"\xef\xbf\xbd\"}", 1},
        {"{\"k\":\"\\udc00\"}", "{\"k\":\"\xef\xbf\xbd\"}", 1},
        {"{\"k\":\"\\udfff\"}", "{\"k\":\"\xef\xbf\xbd\"}", 1},
        {"{\"k\":\"\\ud7ff\\ue000\\udfff\"}", "{\"k\":\"\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbd\"}",
         1},
        {"{\"k\":\"\\ud800\\udc00\\ud800\"}", "{\"k\":\"\xf0\x90\x80\x80\xef\xbf\xbd\"}", 1},
        {"{\"k\":\"\\udbff\\udfff\\ud800\"}", "{\"k\":\"\xf4\x8f\xbf\xbf\xef\xbf\xbd\"}", 1},
        {"{\"k\":\"\\ud800\\udbff\"}", "{\"k\":\"\xef\xbf\xbd\xef\xbf\xbd\"}", 2},
        {"{\"k\":\"\\ud800\\ue000\"}", "{\"k\":\"\xef\xbf\xbd\xee\x80\x80\"}", 1},
        {"{\"k\":\"\\udbff\\ud800\\udc00\"}", "{\"k\":\"\xef\xbf\xbd\xf0\x90\x80\x80\"}", 1},
        {"{\"k\":\"\\ud800x\\u0041\\u00e9\"}", "{\"k\":\"\xef\xbf\xbdxA\xc3\xa9\"}", 1},
        {"{\"k\":\"\\ud800\\n\\\"\\\\\"}", "{\"k\":\"\xef\xbf\xbd\\n\\\"\\\\\"}", 1},
        {"{\"k\":\"\\ud800\\\\udc00\"}", "{\"k\":\"\xef\xbf\xbd\\\\udc00\"}", 1},
        {"{\"\\udc00\":\"\\uD83D\\uDE00\"}", "{\"\xef\xbf\xbd\":\"\xf0\x9f\x98\x80\"}", 1},
        {"{\"k\":\"\xff\\ud800\"}", "{\"k\":\"\xef\xbf\xbd\xef\xbf\xbd\"}", 2},
        {"{\"k\":\"\\n\\ud899\\udAaa\\udBf9\"}",
         "{\"k\":\"\\n\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}", 3},
        {"{\"k\":\"\\udc00\\udc00\\ud800xudc00\"}",
         "{\"k\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdxudc00\"}", 3},
        {"{\"k\":\"\\ud800\\nd800\\\\ud800\"}", "{\"k\":\"\xef\xbf\xbd\\nd800\\\\ud800\"}", 1},
        {"{\"k\":\"\\ud800/udc00\"}", "{\"k\":\"\xef\xbf\xbd/udc00\"}", 1},
        {"{\"k\":\"\\ud80\"}", "not JSON", 0},
        {"{\"k\":\"\\ud800\\u\"}", "not JSON", 0},
        {"{\"k\":\"\\ud8g0\"}", "not JSON", 0},
        {"{\"k\":\"\\ud800\\x\"}", "not JSON", 0},
        {"{\"k\":\"\\ud800", "not JSON", 0},
        {"{\"k\":\"\\ud800\\udc0", "not JSON", 0},
        {"{\"k\":\"\\ud80", "not JSON", 0},
        {"{\"k\":\"\xff\\", "not JSON", 0},
        {"{\"k\":\\ud800}", "not JSON", 0},
    };
    CHECK(rows);
}

/* Beside one that is too large. */
static void numbers(void **state)
{
    (void)state;
    static const row rows[] = {
        {"{\"k\":1e400}", "{\"k\":\"1e400\"}", 0},
        {"{\"k\":-1E+400,\"l\":-1.5e-400}", "{\"k\":\"-1E+400\",\"l\":-1.5e-400}", 0},
        {"{\"k\":1.79e308,\"l\":1.80e308}", "{\"k\":1.79e308,\"l\":\"1.80e308\"}", 0},
        {"[1e400]", "not a JSON object", 0},
        {"{\"k\":9223372036854775807,\"l\":9223372036854775808}",
         "{\"k\":9223372036854775807,\"l\":\"9223372036854775808\"}", 0},
        {"{\"k\":-9223372036854775808,\"l\":-9223372036854775809}",
         "{\"k\":-9223372036854775808,\"l\":\"-9223372036854775809\"}", 0},
        {"{\"k\":[10000000000000000000,0,-0,1.0,-12,{\"l\":2}]}",
         "{\"k\":[\"10000000000000000000\",0,-0,1.0,-12,{\"l\":2}]}", 0},
        {"{\"k 7\":1e400,\"-1\":\"0 -2 3.0e4 \\\" 5\",\"l\":6}",
         "{\"k 7\":\"1e400\",\"-1\":\"0 -2 3.0e4 \\\" 5\",\"l\":6}", 0},
        {"{ \"k\" : 1e400 , \"l\" : 1.50 }", "{\"k\":\"1e400\",\"l\":1.50}", 0},
        {"{\"k\":1e400,\"l\":\"\xff\"}", "{\"k\":\"1e400\",\"l\":\"\xef\xbf\xbd\"}", 1},
        {"{\"k\":01e400}", "not JSON", 0},
        {"{\"k\":-01e400}", "not JSON", 0},
        {"{\"k\":0e400,\"l\":0.1e400,\"m\":-0.1e+400}",
         "{\"k\":0e400,\"l\":\"0.1e400\",\"m\":\"-0.1e+400\"}", 0},
        {"{\"k\":1.e400}", "not JSON", 0},
        {"{\"k\":.1e400}", "not JSON", 0},
        {"{\"k\":1e}", "not JSON", 0},
        {"{\"k\":1e+}", "not JSON", 0},
        {"{\"k\":1e+400-}", "not JSON", 0},
        {"{\"k\":1e400e1}", "not JSON", 0},
        {"{\"k\":1e400.5}", "not JSON", 0},
        {"{\"k\":1e400x}", "not JSON", 0},
        {"{\"k\":+1e400}", "not JSON", 0},
        {"{\"k\":-}", "not JSON", 0},
        {"{\"k\":--9223372036854775809}", "not JSON", 0},
        {"{\"k\":9223372036854775809-1}", "not JSON", 0},
        {"{\"k\":1e400", "not JSON", 0},
        {"1e400", "not JSON", 0},
        {"1e", "not JSON", 0},
        {"-", "not JSON", 0},
        {"99999999999999999999", "not JSON", 0},
        {"7", "not JSON", 0},
        {"\"7\"", "not JSON", 0},
        {"", "not JSON", 0},
    };
    CHECK(rows);
}

/* Long numbers: of many digits, with one too large beside, and alone. */
static void long_numbers(void **state)
{
    (void)state;
    enum { MOST = 420 };
    char line[MOST + 64], want[MOST + 64], got[MOST + 64], digits[MOST + 1];
    uint64_t repaired;
    for (size_t n = 390; n < MOST; n++) {
        memset(digits, '3', n);
        memcpy(digits, "0.", 2);
        digits[n] = 0;
        snprintf(line, sizeof line, "{\"k\":%s}", digits);
        read_as(line, strlen(line), got, sizeof got, &repaired);
        assert_string_equal(got, line);
        snprintf(line, sizeof line, "{\"k\":%s,\"l\":1e400}", digits);
        snprintf(want, sizeof want,
                 n < 400 ? "{\"k\":%s,\"l\":\"1e400\"}" : "{\"k\":\"%s\",\"l\":\"1e400\"}", digits);
        read_as(line, strlen(line), got, sizeof got, &repaired);
        assert_string_equal(got, want);
    }
    static const char *const none[] = {"e", "e+", "e-", ".", "e1x", "e1.5"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        memset(digits, '3', 330);
        snprintf(line, sizeof line, "{\"k\":%.330s%s}", digits, none[i]);
        read_as(line, strlen(line), got, sizeof got, &repaired);
        assert_int_equal(strncmp(got, "not JSON", 8), 0);
    }
    static const char *const powers[] = {"e1", "e+1", "e-1", "E09", "e-30"};
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
        memset(digits, '3', 330);
        digits[330] = 0;
        snprintf(line, sizeof line, "{\"k\":%s%s}", digits, powers[i]);
        snprintf(want, sizeof want, i == 4 ? "%s%s" : "{\"k\":\"%s%s\"}", i == 4 ? line : digits,
                 i == 4 ? "" : powers[i]);
        read_as(line, strlen(line), got, sizeof got, &repaired);
        assert_string_equal(got, want);
    }
}

static unsigned refuse_at; /* of the library's allocations, from 1 on; 0: none              */

static void *allocate(size_t size)
{
    if (!refuse_at || --refuse_at) return malloc(size);
    errno = ENOMEM;
    return NULL;
}

/* One allocation refused to the library, whichever: it is had at the second try, and no
 * byte of a string is lost. */
static void refused_library(void **state)
{
    (void)state;
    char text[120] = "{\"k\":\"", word[101];
    bool struck = true, refused;
    unsigned n = 0;
    memset(word, 'a', 100);
    word[100] = 0;
    strcat(strcat(text, word), "\"}");
    for (; struck; n++) {
        refuse_at = n + 1;
        json_t *object = json_read(text, strlen(text), NULL, &refused);
        struck = refuse_at == 0;
        refuse_at = 0;
        assert_true(!object || !refused);
        if (!refused) assert_string_equal(json_string_value(json_object_get(object, "k")), word);
        json_decref(object);
    }
    assert_true(n > 8);
}

/* Memory refused is never said to be what the line is. */
static void refused_memory(void **state)
{
    (void)state;
    static const char *const lines[] = {"{\"k\":1}", "{\"k\":\"\xff\"}", "{\"k\":[1e400,2]}",
                                        "{\"k\":\"\\ud800\"}"};
    for (size_t k = 0; k < 2 * (sizeof lines / sizeof *lines); k++) {
        size_t i = k / 2;
        bool sticky = k % 2;
        unsigned refused = 0;
        bool done = false;
        for (uint64_t n = 1; !done; n++) {
            char reason[JSON_LINE_REASON_MAX] = "";
            uint64_t repaired = 0;
            buf spelled = {0};
            json_t *object = NULL;
            mem_fail_at(n, sticky);
            pm_status st = json_line_parse(lines[i], strlen(lines[i]), &object, &spelled, &repaired,
                                           reason, NULL);
            mem_fail_at(0, false);
            assert_true(st == PM_NOMEM || (st == PM_OK && object && !reason[0]));
            done = st == PM_OK;
            refused += !done;
            json_decref(object);
            buf_free(&spelled);
        }
        assert_true(refused >= 2);
    }
    const char *text = "{\"k\":1,\"l\":2}";
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        buf spelled = {0};
        json_t *object = json_true();
        mem_fail_at(n, false);
        pm_status st = json_line_read_valid(text, strlen(text), &object, &spelled, NULL);
        mem_fail_at(0, false);
        done = st == PM_OK;
        assert_true(done ? json_object_size(object) == 2 && spelled.len == 4 : object == NULL);
        json_decref(object);
        buf_free(&spelled);
    }
}

/* A long line that ends amid an escape. */
static void cut_escapes(void **state)
{
    (void)state;
    static const char *const ends[] = {"\\", "\\u", "\\ud8", "\\ud800", "\\ud800\\udc0"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        buf line = {0};
        char got[256];
        uint64_t repaired;
        buf_append_str(&line, "{\"k\":\"\xff");
        for (size_t n = 0; n < 5000; n++) buf_u8(&line, 'a');
        buf_append_str(&line, ends[i]);
        read_as((const char *)line.data, line.len, got, sizeof got, &repaired);
        assert_int_equal(strncmp(got, "not JSON", 8), 0);
        assert_int_equal(repaired, 0);
        buf_free(&line);
    }
}

static void spellings(void **state)
{
    (void)state;
    static const row rows[] = {
        {"{}", "{}", 0},
        {" { } ", "{}", 0},
        {"{\"k\":1}", "{\"k\":1}", 0},
        {"{\"k\":-1.50e+02,\"l\":[1E3,[],{}],\"m\":\"1\",\"2\":null}",
         "{\"k\":-1.50e+02,\"l\":[1E3,[],{}],\"m\":\"1\",\"2\":null}", 0},
        {"{\"k\\\"1\":\"\\\\\",\"l\":3,\"m\":\"\\\\\\\"4\",\"n\":true}",
         "{\"k\\\"1\":\"\\\\\",\"l\":3,\"m\":\"\\\\\\\"4\",\"n\":true}", 0},
        {"{\"k\":1,\"k\":22}", "{\"k\":22}", 0},
        {"[1]", "not a JSON object", 0},
        {"[]", "not a JSON object", 0},
        {"{\"k\":1}}", "not JSON", 0},
        {"{\"k\":1} 2", "not JSON", 0},
        {"{\"k\" 1}", "not JSON", 0},
    };
    CHECK(rows);
}

/* `depth` objects and lists within each other, in a string, or one after the other. */
static void depth(void **state)
{
    (void)state;
    char line[1024], got[1024];
    uint64_t repaired;
    for (unsigned n = 1; n < 70; n++)
        for (unsigned kind = 0; kind < 5; kind++) {
            buf b = {0};
            buf_append_str(&b, kind == 2 ? "{\"k\":\"\\\"" : "{\"k\":[");
            for (unsigned i = 2; i < n; i++)
                buf_append_str(&b, kind == 1   ? "{\"k\":"
                                   : kind == 3 ? "[],"
                                   : kind == 4 ? "[1,"
                                               : "[");
            if (kind != 2) buf_append_str(&b, "{}");
            for (unsigned i = 2; i < n && (kind < 2 || kind == 4); i++)
                buf_append_str(&b, kind == 1 ? "}" : "]");
            buf_append_str(&b, kind == 2 ? "\"}" : "]}");
            snprintf(line, sizeof line, "%.*s", (int)b.len, (const char *)b.data);
            buf_free(&b);
            read_as(line, strlen(line), got, sizeof got, &repaired);
            bool deep = (kind < 2 || kind == 4) && n > JSON_LINE_MAX_DEPTH - 1;
            assert_string_equal(got, deep ? "JSON nested deeper than 64" : line);
        }
    static const row rows[] = {{"]]]}}}", "not JSON", 0}, {"}{\"k\":1}", "not JSON", 0}};
    CHECK(rows);
}

/* The marks of a line against what they may take, 100 bytes each; a line too short for more fits.
 */
static void fits(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        size_t marks;
    } rows[] = {
        {"{\"k\":1,\"l\":[2,{}]}               ", 7},
        {"{\"{[,:\\\",:\":\"[[[[\\\\\",\"k\":2}     ", 4},
        {"]]]]}}}}}}}}}}}}}}}}}}[", 1},
        {"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\",", 1},
        {"no marks at all", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len = strlen(rows[i].line);
        char *copy = copy_of(rows[i].line, len);
        assert_true(len > rows[i].marks + 1);
        if (rows[i].marks) assert_false(json_line_fits(copy, len, 100 * rows[i].marks - 1));
        assert_true(json_line_fits(copy, len, 100 * rows[i].marks));
        assert_true(json_line_fits(copy, len, 100 * len));
        free(copy);
    }
    assert_true(json_line_fits("[[[", 3, 300));
    assert_false(json_line_fits("[[[", 3, 299));
    assert_true(json_line_fits("", 0, 0));
}

static void sniffing(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        bool whole, cut; /* of a whole file, or of its beginning                         */
    } rows[] = {
        {"", false, false},
        {" \t\r\n", false, false},
        {"{", false, false},
        {" {", false, false},
        {"{\"", false, true},
        {"{x", false, true},
        {"{}", true, true},
        {"{}\n", true, true},
        {"{}\nx", true, true},
        {"x\n{}", false, false},
        {" \t\r\n{\"k\":1}\nx", true, true},
        {"\x0b{}", false, false},
        {"\n{}\n}", true, true},
        {"{}x\n{}", false, false},
        {"{\n}", false, false},
        {"{\"k\":1e400}\n", true, true},
        {"{\"k\":\"\xe9\"}", true, true},
        {"[]\n", false, false},
        {"{{}}\n", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len = strlen(rows[i].data);
        char *copy = copy_of(rows[i].data, len);
        if (json_line_sniff(copy, len, true) != rows[i].whole) fail_msg("%s: whole", rows[i].data);
        if (json_line_sniff(copy, len, false) != rows[i].cut) fail_msg("%s: cut", rows[i].data);
        free(copy);
    }
    assert_false(json_line_sniff("\0{}", 3, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),
        cmocka_unit_test(numbers),
        cmocka_unit_test(cut_escapes),
        cmocka_unit_test(refused_memory),
        cmocka_unit_test(refused_library),
        cmocka_unit_test(long_numbers),
        cmocka_unit_test(spellings),
        cmocka_unit_test(depth),
        cmocka_unit_test(fits),
        cmocka_unit_test(sniffing),
    };
    json_set_alloc_funcs(allocate, free);
    return cmocka_run_group_tests_name("json_line", tests, NULL, NULL);
}
