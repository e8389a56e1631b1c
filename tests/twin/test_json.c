/* SPDX-License-Identifier: MIT
 * test_json.c - the scanner of JSON Lines against the JSON library: the same lines accepted,
 * the same articles made of them, to the byte.
 *
 * Lines are written by hand for every rule, made at random from a grammar, and broken at
 * random.  PM_TEST_SEED=n changes the cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/hash.h"
#include "indexer/fields.h"
#include "indexer/json_fields.h"
#include "indexer/json_line.h"

enum { ROUNDS = 60000, BREAKS = 4 };

static uint64_t random_state;
static document ours, twin;
static struct {
    unsigned scanned, refused, left, taken;
} seen;

static uint32_t below(uint32_t n)
{
    return (uint32_t)(random_next(&random_state) % n);
}

/* ---- the comparison ------------------------------------------------------------------- */

static void fail_line(const char *line, size_t len, const char *why, pm_text a, pm_text b)
{
    fail_msg("%s\nline: %.*s\nours: %.*s\ntwin: %.*s", why, (int)len, line, (int)a.len,
             a.data ? a.data : "", (int)b.len, b.data ? b.data : "");
}

static void compare_texts(const char *line, size_t len)
{
    const pm_article *a = &ours.article, *b = &twin.article;
    const struct {
        const char *name;
        pm_text a, b;
    } texts[] = {{"id", a->id, b->id},
                 {"title", a->title, b->title},
                 {"text", a->text, b->text},
                 {"date", a->date, b->date},
                 {"url", a->url, b->url},
                 {"source", a->source, b->source},
                 {"author", a->author, b->author},
                 {"tags", a->tags, b->tags},
                 {"lang", a->lang, b->lang},
                 {"extra", a->extra, b->extra}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].a.len != texts[i].b.len ||
            (texts[i].a.len && memcmp(texts[i].a.data, texts[i].b.data, texts[i].a.len) != 0))
            fail_line(line, len, texts[i].name, texts[i].a, texts[i].b);
}

static bool deeper(const json_t *value, unsigned depth)
{
    const char *key;
    json_t *inner;
    size_t i;
    if (!json_is_object(value) && !json_is_array(value)) return false;
    if (depth == JSON_SCAN_DEPTH_MAX) return true;
    json_array_foreach(value, i, inner) if (deeper(inner, depth + 1)) return true;
    json_object_foreach((json_t *)(uintptr_t)value, key,
                        inner) if (deeper(inner, depth + 1)) return true;
    return false;
}

/* Both read the line; whether ours did is returned. */
static json_verdict check_line(const char *line, size_t len)
{
    static json_object_scan object;
    const pm_text none = {NULL, 0};
    char *copy = malloc(len ? len : 1); /* its end is an end that sanitizers see */
    assert_non_null(copy);
    memcpy(copy, line, len);
    json_error_t error;
    json_t *value = json_loadb(copy, len, JSON_ALLOW_NUL, &error);
    bool good = json_is_object(value) && !deeper(value, 0);
    json_verdict verdict = json_scan(&object, copy, len);
    bool left = true;
    buf numbers = {0};
    if (verdict == JSON_SCANNED && !good) fail_line(line, len, "ours accepts", none, none);
    /* The library swallows a NUL byte behind a number; such a line comes to it in the end. */
    bool swallowed = memchr(copy, 0, len) != NULL;
    if (verdict == JSON_REFUSED && good && !swallowed)
        fail_line(line, len, "ours refuses", none, none);
    if (verdict == JSON_SCANNED) {
        document_reset(&ours);
        assert_int_equal(json_fields_take(&ours, &object, &left, NULL), PM_OK);
    }
    if (!left) {
        document_reset(&twin);
        json_decref(value);
        assert_int_equal(json_line_read_valid(copy, len, &value, &numbers, NULL), PM_OK);
        assert_int_equal(fields_take(&twin, value, &numbers, FIELDS_JSONL, NULL), PM_OK);
        memset(copy, 'x', len); /* our texts are our own */
        compare_texts(line, len);
    }
    seen.scanned += verdict == JSON_SCANNED;
    seen.refused += verdict == JSON_REFUSED;
    seen.left += verdict == JSON_LEFT;
    seen.taken += !left;
    json_decref(value);
    buf_free(&numbers);
    free(copy);
    return verdict;
}

/* ---- by hand -------------------------------------------------------------------------- */

static const char *const good[] = {
    "{}",
    " \t\r{ } ",
    "{\"id\":\"x\"}",
    "{\"id\" : \"x\" , \"text\" : \"y\"}",
    "{\"i\\u0064\":\"x\",\"id\":\"y\"}",
    "{\"id\":0,\"title\":-0,\"text\":9223372036854775807,\"url\":-9223372036854775808}",
    "{\"id\":true,\"title\":false,\"text\":null}",
    "{\"id\":1.50,\"title\":1e3,\"tags\":[-0.0,2E-07,-0],\"text\":{\"name\":1}}",
    "{\"k\":[1.50,{\"l\":1e3,\"m\":\"1.50\\\"2\"},-0],\"n\":-0,\"o\":{}}",
    "{\"a\":1.5,\"b\":1e5,\"c\":-0.0,\"d\":1E-7,\"e\":0.1e+2}",
    "{\"a\":[1,2.50,{\"b\":null,\"b\":2}],\"c\":{},\"d\":[]}",
    "{\"text\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"}",
    "{\"k\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u0000\"}",
    "{\"text\":\"a\\u0000b\"}",
    "{\"\":1,\" \":\"\"}",
    "{\"text\":\"old\",\"text\":\"new\",\"k\":1,\"k\":\"two\"}",
    "{\"docno\":null,\"id\":\"x\",\"docno\":\"d\",\"_id\":\"\",\"url\":[]}",
    "{\"url\":\"http://x\",\"tags\":[\"a\",2,null,\"\",true,-0,[1],\"c\"]}",
    "{\"author\":[1,2,3,4,5,6,7,8,9,0],\"text\":[\"one\",\"two\"]}",
    "{\"tags\":\"one\",\"tags\":[\"a\"],\"body\":\"b\",\"content\":\"c\"}",
    "{\"text\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\x7f\"}",
    "{\"k\":\"plain\",\"l\":\"a\\tb\",\"m\":12,\"n\":true,\"o\":null}",
};

static const char *const bad[] = {
    "",
    " ",
    "[]",
    "\"x\"",
    "{",
    "}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1}}",
    "{\"a\":1} x",
    "{a:1}",
    "{'a':1}",
    "{\"a\":[1,]}",
    "{\"a\":[,1]}",
    "{\"a\":[1}",
    "{\"a\":{\"b\":1]}",
    "{\"a\":{\"b\"}}",
    "{\"a\":[",
    "{\"a\":01}",
    "{\"a\":-}",
    "{\"a\":+1}",
    "{\"a\":.5}",
    "{\"a\":1.}",
    "{\"a\":1e}",
    "{\"a\":1e+}",
    "{\"a\":0x1}",
    "{\"a\":9223372036854775808}",
    "{\"a\":-9223372036854775809}",
    "{\"a\":tru}",
    "{\"a\":truee}",
    "{\"a\":nul}",
    "{\"a\":NaN}",
    "{\"a\":\"x}",
    "{\"a\":\"\\x\"}",
    "{\"a\":\"\\u12\"}",
    "{\"a\":\"\\u12g4\"}",
    "{\"a\":\"\\ud800\"}",
    "{\"a\":\"\\ud800\\u0041\"}",
    "{\"a\":\"\\ud800x\"}",
    "{\"a\":\"\\udc00\"}",
    "{\"a\":\"\\",
    "{\"a\":\"\\\"}",
    "{\"a\\u0000\":1}",
    "{\"k\":{\"a\\u0000\":1}}",
    "{\"\\u0000\\u0041\":1}",
    "{\"a\":\"\t\"}",
    "{\"a\":\"\x1f\"}",
    "{\"a\":\"\x80\"}",
    "{\"a\":\"\xc0\x80\"}",
    "{\"a\":\"\xe0\x9f\xbf\"}",
    "{\"a\":\"\xed\xa0\x80\"}",
    "{\"a\":\"\xf4\x90\x80\x80\"}",
    "{\"a\":\"\xf8\x88\x80\x80\x80\"}",
    "{\"a\":\"\xc3\"}",
    "{\"a\":\"\xe2\x82\"}",
    "\xef\xbb\xbf{}",
};

static void by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(check_line(good[i], strlen(good[i])), JSON_SCANNED);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(check_line(bad[i], strlen(bad[i])), JSON_REFUSED);
    assert_int_equal(check_line("{\"a\":1\0}", 8), JSON_REFUSED);
    assert_int_equal(check_line("{\"a\":\"x\0\"}", 10), JSON_REFUSED);
    assert_int_equal(check_line("{\"a\":1e999}", 11), JSON_LEFT);
}

/* Every special byte at every place of a string, around the eight bytes looked at at once. */
static void places(void **state)
{
    static const char *const what[] = {"\"",
                                       "\\",
                                       "\\n",
                                       "\x01",
                                       "\x1f",
                                       "\x80",
                                       "\xc3\xa9",
                                       "\x7f",
                                       "\\u0041",
                                       "\xf0\x9f\x98\x80",
                                       "\\ud83d\\ude00",
                                       "!",
                                       "["};
    (void)state;
    for (size_t w = 0; w < sizeof what / sizeof *what; w++)
        for (size_t before = 0; before < 20; before++)
            for (size_t after = 0; after < 12; after++) {
                char line[160];
                int n = snprintf(line, sizeof line, "{\"text\":\"%.*s%s%.*s\"}", (int)before,
                                 "abcdefghijklmnopqrstuvwxyz", what[w], (int)after,
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
                check_line(line, (size_t)n);
            }
}

/* Two escapes around each bound of the surrogates, in both cases of letters. */
static void surrogates(void **state)
{
    (void)state;
    static const unsigned units[] = {0x0,    0x7f,   0x80,   0x7ff,  0x800,  0xd7ff,
                                     0xd800, 0xd801, 0xdbfe, 0xdbff, 0xdc00, 0xdc01,
                                     0xdffe, 0xdfff, 0xe000, 0xffff};
    enum { N = sizeof units / sizeof *units };
    unsigned scanned = 0;
    for (unsigned i = 0; i < N * N; i++) {
        char line[64];
        int n = snprintf(line, sizeof line, "{\"text\":\"a\\u%04x\\u%04Xb\"}", units[i % N],
                         units[i / N]);
        scanned += check_line(line, (size_t)n) == JSON_SCANNED;
    }
    assert_int_equal(scanned, 8 * 8 + 4 * 4); /* neither is half of a pair, or they are a pair    */
}

static void nesting(void **state)
{
    (void)state;
    for (unsigned depth = 60; depth <= 66; depth++)
        for (unsigned kind = 0; kind < 3; kind++) {
            buf line = {0};
            buf_append_str(&line, "{\"k\":");
            for (unsigned i = 1; i < depth; i++)
                buf_append_str(&line, kind == 0 || (kind == 2 && i % 2) ? "[" : "{\"k\":");
            buf_append_str(&line, "1");
            for (unsigned i = depth - 1; i > 0; i--)
                buf_append_str(&line, kind == 0 || (kind == 2 && i % 2) ? "]" : "}");
            buf_append_str(&line, "}");
            json_verdict got = check_line((const char *)line.data, line.len);
            assert_int_equal(got, depth <= JSON_SCAN_DEPTH_MAX ? JSON_SCANNED : JSON_REFUSED);
            buf_free(&line);
        }
}

/* Numbers of every length up to those that are left to the library, whole and with a fraction. */
static void lengths(void **state)
{
    (void)state;
    static const char *const ends[] = {"", ".5", "e9", "e99", "e099", ".5E-99", ".5e+100"};
    static const bool negative[] = {false, true};
    for (size_t e = 0; e < sizeof ends / sizeof *ends; e++)
        for (size_t i = 0; i < 2; i++)
            for (size_t n = 1; n < 140; n++) {
                char line[200], digits[200];
                memset(digits, '1', n);
                size_t len = (size_t)snprintf(line, sizeof line, "{\"k\":%s%.*s%s}",
                                              negative[i] ? "-" : "", (int)n, digits, ends[e]);
                size_t number = len - strlen("{\"k\":}");
                json_verdict want = e == 0             ? (n > 19 ? JSON_REFUSED : JSON_SCANNED)
                                    : e == 4 || e == 6 ? JSON_LEFT
                                    : number < 128     ? JSON_SCANNED
                                                       : JSON_LEFT;
                assert_int_equal(check_line(line, len), want);
            }
}

/* Lists and strings of every length, in all orders: texts that were decoded stay where they are. */
static void room(void **state)
{
    (void)state;
    static const char *const keys[] = {"id", "author", "tags", "text", "k\\u0065y"};
    enum { N = sizeof keys / sizeof *keys };
    for (size_t n = 0; n < 400; n += 1 + n / 7)
        for (size_t shape = 0; shape < 12 * N; shape++) {
            buf line = {0};
            for (size_t i = 0; i < N; i++) {
                bool list = (shape / N >> i % 3 & 1) == 0,
                     long_one = (shape % N == i) == (shape >= 6 * N);
                buf_append_str(&line, i ? ",\"" : "{\"");
                buf_append_str(&line, keys[(i + shape) % N]);
                buf_append_str(&line, list ? "\":[1" : "\":\"\\u0041");
                for (size_t k = 0; k < (long_one ? n : 3); k++)
                    buf_append_str(&line, list ? ",2" : "b\\n");
                buf_append_str(&line, list ? "]" : "\"");
            }
            buf_append_str(&line, "}");
            assert_int_equal(check_line((const char *)line.data, line.len), JSON_SCANNED);
            document_free(&ours); /* no room is left from before                           */
            buf_free(&line);
        }
}

static void members(void **state)
{
    (void)state;
    for (unsigned n = JSON_SCAN_MEMBERS_MAX - 1; n <= JSON_SCAN_MEMBERS_MAX + 1; n++) {
        buf line = {0};
        char member[32];
        for (unsigned i = 0; i < n; i++) {
            snprintf(member, sizeof member, "%c\"%u\":%u", i ? ',' : '{', i % 50, i);
            buf_append_str(&line, member);
        }
        buf_append_str(&line, "}");
        json_verdict got = check_line((const char *)line.data, line.len);
        assert_int_equal(got, n <= JSON_SCAN_MEMBERS_MAX ? JSON_SCANNED : JSON_LEFT);
        buf_free(&line);
    }
}

/* ---- at random ------------------------------------------------------------------------ */

static const char *pick(const char *const *from, size_t n)
{
    return from[below((uint32_t)n)];
}
#define PICK(list) pick(list, sizeof(list) / sizeof *(list))

static void put_space(buf *out)
{
    static const char *const spaces[] = {"", "", "", "", " ", "\t", "  ", "\r"};
    buf_append_str(out, PICK(spaces));
}

static void put_string(buf *out)
{
    static const char *const parts[] = {"a",
                                        "word ",
                                        "longer than eight bytes ",
                                        "\\n",
                                        "\\\"",
                                        "\\\\",
                                        "\\/",
                                        "\\u00e9",
                                        "\xc3\xa9",
                                        "\xe2\x80\x99",
                                        "\\ud83d\\ude00",
                                        "\xf0\x9f\x98\x80",
                                        "\\t",
                                        "\\u0000",
                                        "\x7f",
                                        "\\b\\f\\r",
                                        "{",
                                        "]",
                                        ",",
                                        ":",
                                        "\\u001f",
                                        "\\u2028"};
    buf_u8(out, '"');
    for (uint32_t n = below(8); n; n--) buf_append_str(out, PICK(parts));
    buf_u8(out, '"');
}

static void put_key(buf *out)
{
    static const char *const keys[] = {"id",     "_id",        "docno",     "url",     "title",
                                       "text",   "body",       "contents",  "content", "date",
                                       "source", "author",     "tags",      "lang",    "k",
                                       "other",  "t\\u0065xt", "ur\\u006c", "",        "\xc3\xa9"};
    buf_u8(out, '"');
    buf_append_str(out, PICK(keys));
    buf_u8(out, '"');
}

static void put_scalar(buf *out)
{
    static const char *const scalars[] = {"0",    "-0",   "7",    "-12", "123456789012345678",
                                          "null", "true", "false"};
    static const char *const reals[] = {"0.1", "-2.50", "1e5", "3.14159265358979", "1E-20", "-0.0"};
    if (below(3))
        put_string(out);
    else
        buf_append_str(out, below(8) ? PICK(scalars) : PICK(reals));
}

static void put_value(buf *out, unsigned depth)
{
    uint32_t kind = depth ? below(8) : 0;
    if (kind < 6) {
        put_scalar(out);
        return;
    }
    buf_u8(out, kind == 6 ? '[' : '{');
    for (uint32_t i = 0, n = below(5); i < n; i++) {
        if (i) buf_u8(out, ',');
        put_space(out);
        if (kind == 7) {
            put_key(out);
            put_space(out);
            buf_u8(out, ':');
        }
        put_space(out);
        put_value(out, depth - 1);
        put_space(out);
    }
    buf_u8(out, kind == 6 ? ']' : '}');
}

static void put_line(buf *out)
{
    put_space(out);
    buf_u8(out, '{');
    for (uint32_t i = 0, n = below(9); i < n; i++) {
        if (i) buf_u8(out, ',');
        put_space(out);
        put_key(out);
        put_space(out);
        buf_u8(out, ':');
        put_space(out);
        put_value(out, 3);
        put_space(out);
    }
    buf_u8(out, '}');
    put_space(out);
}

static void break_line(buf *line)
{
    static const uint8_t bytes[] = "\"\\{}[],:0-+.eEtfnu \t\n\x80\xc3\xe2\xf0\xed";
    uint32_t at = below((uint32_t)line->len), what = below(4);
    if (what == 0) {
        line->data[at] = (uint8_t)below(256);
    } else if (what == 1) {
        line->data[at] = bytes[below(sizeof bytes)];
    } else if (what == 2) {
        memmove(line->data + at, line->data + at + 1, line->len - at - 1);
        line->len--;
    } else {
        line->len = at;
    }
}

static void at_random(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        buf line = {0};
        put_line(&line);
        json_verdict got = check_line((const char *)line.data, line.len);
        if (got != JSON_SCANNED)
            fail_line((char *)line.data, line.len, "left", text_of(""), text_of(""));
        for (unsigned n = below(BREAKS); n && line.len; n--) {
            break_line(&line);
            check_line((const char *)line.data, line.len);
        }
        buf_free(&line);
    }
    print_message("%u lines scanned, of them %u made articles, %u refused, %u left\n", seen.scanned,
                  seen.taken, seen.refused, seen.left);
    assert_true(seen.taken > ROUNDS / 3 && seen.refused > ROUNDS / 10);
}

int main(void)
{
    const char *chosen = getenv("PM_TEST_SEED");
    random_state = chosen ? strtoull(chosen, NULL, 10) : 4;
    print_message("PM_TEST_SEED=%llu\n", (unsigned long long)random_state);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand), cmocka_unit_test(places),    cmocka_unit_test(surrogates),
        cmocka_unit_test(nesting), cmocka_unit_test(lengths),   cmocka_unit_test(room),
        cmocka_unit_test(members), cmocka_unit_test(at_random),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    document_free(&ours);
    document_free(&twin);
    return failed;
}
