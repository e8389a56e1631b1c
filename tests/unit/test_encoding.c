/* SPDX-License-Identifier: MIT
 * test_encoding.c - marks, guesses, and decoding cut at every byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/text/analyzer.h"
#include "indexer/encoding.h"

static void names(void **state)
{
    (void)state;
    encoding e;
    assert_true(encoding_find("UTF-8", &e) && e == ENCODING_UTF8);
    assert_true(encoding_find("utf-16le", &e) && e == ENCODING_UTF16LE);
    assert_true(encoding_find("utf-16be", &e) && e == ENCODING_UTF16BE);
    assert_true(encoding_find("Windows-1252", &e) && e == ENCODING_WINDOWS_1252);
    assert_false(encoding_find("ebcdic", &e));
    assert_false(encoding_find("", &e));
}

static void marks(void **state)
{
    (void)state;
    encoding e;
    assert_int_equal(encoding_mark("\xef\xbb\xbfx", 4, &e), 3);
    assert_int_equal(e, ENCODING_UTF8);
    assert_int_equal(encoding_mark("\xff\xfex\0", 4, &e), 2);
    assert_int_equal(e, ENCODING_UTF16LE);
    assert_int_equal(encoding_mark("\xfe\xff\0x", 4, &e), 2);
    assert_int_equal(e, ENCODING_UTF16BE);
    assert_int_equal(encoding_mark("\xef\xbb", 2, &e), 0);
    assert_int_equal(encoding_mark("", 0, &e), 0);
}

static encoding guess(const char *text)
{
    return encoding_guess(text, strlen(text));
}

static void guesses(void **state)
{
    (void)state;
    assert_int_equal(guess(""), ENCODING_UTF8);
    assert_int_equal(guess("plain"), ENCODING_UTF8);
    assert_int_equal(guess("caf\xc3\xa9"), ENCODING_UTF8);
    assert_int_equal(guess("caf\xe9 and \x93quotes\x94"), ENCODING_WINDOWS_1252);
    assert_int_equal(guess("caf\xe9 and caf\xc3\xa9"), ENCODING_UTF8);  /* one valid character */
    assert_int_equal(guess("caf\xe9 and \xef\xbf\xbd"), ENCODING_UTF8); /* U+FFFD itself is valid */
    assert_int_equal(encoding_guess("caf\xe9\0x", 6), ENCODING_UTF8);   /* binary */
}

/* Decode `data` fed in two parts cut at `cut`. */
static void decode(encoding from, const char *data, size_t len, size_t cut, buf *out,
                   uint64_t *repaired)
{
    decoder d = {.from = from};
    out->len = 0;
    decoder_feed(&d, out, data, cut, false);
    decoder_feed(&d, out, data + cut, len - cut, true);
    *repaired = d.repaired;
}

static void check(encoding from, const char *data, size_t len, const char *want,
                  uint64_t want_repaired)
{
    buf out = {0};
    uint64_t repaired;
    for (size_t cut = 0; cut <= len; cut++) {
        decode(from, data, len, cut, &out, &repaired);
        assert_int_equal(out.len, strlen(want));
        if (out.len) assert_memory_equal(out.data, want, out.len);
        assert_int_equal(repaired, want_repaired);
    }
    /* and a byte at a time */
    decoder d = {.from = from};
    out.len = 0;
    for (size_t i = 0; i < len; i++) decoder_feed(&d, &out, data + i, 1, i + 1 == len);
    assert_int_equal(out.len, strlen(want));
    if (out.len) assert_memory_equal(out.data, want, out.len);
    buf_free(&out);
}

static void utf16(void **state)
{
    (void)state;
    static const char le[] = "a\0\xe9\0\xac\x20\x3d\xd8\x00\xde"
                             "b";
    static const char be[] = "\0a\0\xe9\x20\xac\xd8\x3d\xde\x00\0b";
    check(ENCODING_UTF16LE, le, 12,
          "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"
          "b",
          0);
    check(ENCODING_UTF16BE, be, 12,
          "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"
          "b",
          0);
    check(ENCODING_UTF16BE, "", 0, "", 0);
}

static void utf16_broken(void **state)
{
    (void)state;
    check(ENCODING_UTF16BE, "\xd8\x3d\0a", 4,
          "\xef\xbf\xbd"
          "a",
          1); /* high alone */
    check(ENCODING_UTF16BE, "\xde\x00\0a", 4,
          "\xef\xbf\xbd"
          "a",
          1);                                                      /* low alone */
    check(ENCODING_UTF16BE, "\0a\xd8\x3d", 4, "a\xef\xbf\xbd", 1); /* high at the end */
    check(ENCODING_UTF16BE, "\0a\0", 3, "a\xef\xbf\xbd", 1);       /* half a unit */
    check(ENCODING_UTF16BE, "\xd8\x3d\xd8", 3, "\xef\xbf\xbd\xef\xbf\xbd", 2);
    check(ENCODING_UTF16BE, "\xd8\x3d\xd8\x3d\xde\x00", 6, "\xef\xbf\xbd\xf0\x9f\x98\x80", 1);
    check(ENCODING_UTF16BE, "\0\0", 2, "\xef\xbf\xbd", 1); /* NUL */
}

static void windows_1252(void **state)
{
    (void)state;
    check(ENCODING_WINDOWS_1252, "\x80 caf\xe9 \x93x\x94 \x96", 12,
          "\xe2\x82\xac caf\xc3\xa9 \xe2\x80\x9cx\xe2\x80\x9d \xe2\x80\x93", 0);
    check(ENCODING_WINDOWS_1252, "a\x81\0b", 4,
          "a\xef\xbf\xbd\xef\xbf\xbd"
          "b",
          2);
}

/* Every pair of bytes in every encoding gives valid UTF-8 without NUL. */
static void all_pairs_are_defined(void **state)
{
    (void)state;
    static const encoding all[] = {ENCODING_UTF8, ENCODING_UTF16LE, ENCODING_UTF16BE,
                                   ENCODING_WINDOWS_1252};
    buf out = {0};
    for (unsigned pair = 0; pair < 65536; pair++)
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            char bytes[2] = {(char)(pair >> 8), (char)pair};
            decoder d = {.from = all[i]};
            out.len = 0;
            decoder_feed(&d, &out, bytes, 2, true);
            assert_int_equal(utf8_valid_prefix((const char *)out.data, out.len), out.len);
            assert_null(memchr(out.data, 0, out.len));
        }
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(marks),
        cmocka_unit_test(guesses),
        cmocka_unit_test(utf16),
        cmocka_unit_test(utf16_broken),
        cmocka_unit_test(windows_1252),
        cmocka_unit_test(all_pairs_are_defined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
