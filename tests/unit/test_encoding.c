/* SPDX-License-Identifier: MIT
 * test_encoding.c - marks, guesses, decoding cut at every byte, and of every character.
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
    assert_int_equal(encoding_mark("\xff\xfe", 2, &e), 2); /* and nothing behind it             */
    assert_int_equal(e, ENCODING_UTF16LE);
    assert_int_equal(encoding_mark("", 0, &e), 0);
}

static encoding guess(const char *text)
{
    return encoding_guess(text, strlen(text), ENCODING_ODDS);
}

static void guesses(void **state)
{
    (void)state;
    assert_int_equal(guess(""), ENCODING_UTF8);
    assert_int_equal(guess("plain"), ENCODING_UTF8);
    assert_int_equal(guess("caf\xc3\xa9"), ENCODING_UTF8);
    assert_int_equal(guess("caf\xe9 and \x93quotes\x94"), ENCODING_WINDOWS_1252);
    assert_int_equal(guess("\xc3\xa9 and caf\xe9"), ENCODING_UTF8);
    assert_int_equal(guess("caf\xe9 and caf\xc3\xa9"), ENCODING_UTF8); /* a word of it was */
    /* a capital with its accent and a quote, which are a character of UTF-8 */
    assert_int_equal(guess("\x93"
                           "CAF\xc9\x94: d\xe9j\xe0 vu, \xe9t\xe9, \x93o\xf9\x94"),
                     ENCODING_WINDOWS_1252);
    assert_int_equal(guess("\x93"
                           "CAF\xc9\x94: d\xe9j\xe0 vu, \xe9t\xe9, o\xf9\x94"),
                     ENCODING_UTF8);
    /* Elsewhere it was Windows-1252: as many will do. */
    assert_int_equal(encoding_guess("\xc3\x94 \xe9", 4, ENCODING_ODDS_AGAIN),
                     ENCODING_WINDOWS_1252);
    assert_int_equal(encoding_guess("\xc3\x94 \xc3\x94 \xe9", 7, ENCODING_ODDS_AGAIN),
                     ENCODING_UTF8);
    assert_int_equal(guess("caf\xe9 and \xef\xbf\xbd"), ENCODING_UTF8); /* U+FFFD itself is valid */
    assert_int_equal(encoding_guess("caf\xe9\0x", 6, ENCODING_ODDS), ENCODING_UTF8); /* binary */
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
    check(ENCODING_UTF16BE, "\xd8\x3d\xd9\x3d\xde\x00", 6, "\xef\xbf\xbd\xf1\x9f\x98\x80", 1);
    check(ENCODING_UTF16LE, "\x3d\xd8\x3e\xd8\x00\xde", 6, "\xef\xbf\xbd\xf0\x9f\xa8\x80", 1);
    check(ENCODING_UTF16BE, "\0\0", 2, "\xef\xbf\xbd", 1); /* NUL */
}

static void utf8_is_repaired(void **state)
{
    (void)state;
    buf out = {0};
    decoder d = {.from = ENCODING_UTF8};
    decoder_feed(&d, &out, "a\xff", 2, false);
    decoder_feed(&d, &out, "b\xfe", 2, true);
    assert_int_equal(out.len, 8);
    assert_memory_equal(out.data,
                        "a\xef\xbf\xbd"
                        "b\xef\xbf\xbd",
                        8);
    assert_int_equal(d.repaired, 2);
    buf_free(&out);
}

/* UTF-8 of a code point, by its definition. */
static size_t spell(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00u >> n & 0xf0) | c);
    return n;
}

static void put_unit(buf *out, uint32_t unit, bool big)
{
    buf_u8(out, (uint8_t)(big ? unit >> 8 : unit));
    buf_u8(out, (uint8_t)(big ? unit : unit >> 8));
}

/* Every character there is, in both orders, in feeds of odd lengths. */
static void utf16_of_all_characters(void **state)
{
    (void)state;
    for (unsigned big = 0; big < 2; big++) {
        buf in = {0}, want = {0}, out = {0};
        for (uint32_t c = 1; c < 0x110000; c++) {
            char bytes[4];
            if ((c >= 0xd800 && c < 0xe000) || c == 0xfffd) continue;
            buf_append(&want, bytes, spell(c, bytes));
            if (c >= 0x10000) put_unit(&in, 0xd800 + ((c - 0x10000) >> 10), big);
            put_unit(&in, c < 0x10000 ? c : 0xdc00 + (c & 0x3ff), big);
        }
        decoder d = {.from = big ? ENCODING_UTF16BE : ENCODING_UTF16LE};
        for (size_t at = 0; at < in.len; at += 4097)
            decoder_feed(&d, &out, in.data + at, in.len - at < 4097 ? in.len - at : 4097,
                         in.len - at <= 4097);
        assert_int_equal(out.len, want.len);
        assert_memory_equal(out.data, want.data, want.len);
        assert_int_equal(d.repaired, 0);
        buf_free(&in);
        buf_free(&want);
        buf_free(&out);
    }
}

/* Two units around each bound of the surrogates: a pair, or each by itself. */
static void utf16_bounds(void **state)
{
    (void)state;
    static const uint32_t units[] = {1,      0xd7ff, 0xd800, 0xd801, 0xdbfe, 0xdbff, 0xdc00,
                                     0xdc01, 0xdffe, 0xdfff, 0xe000, 0xfffd, 0xffff};
    enum { N = sizeof units / sizeof *units };
    for (unsigned i = 0; i < N * N * 2; i++) {
        uint32_t pair[2] = {units[i / 2 % N], units[i / 2 / N]};
        char want[9] = {0};
        size_t len = 0;
        uint64_t repaired = 0;
        buf in = {0};
        if (pair[0] >> 10 == 0xd800 >> 10 && pair[1] >> 10 == 0xdc00 >> 10) {
            len = spell(0x10000 + (pair[0] & 0x3ff) * 0x400 + (pair[1] & 0x3ff), want);
        } else {
            for (unsigned k = 0; k < 2; k++) {
                bool half = pair[k] >> 11 == 0xd800 >> 11;
                repaired += half || pair[k] == 0xfffd;
                len += spell(half ? 0xfffd : pair[k], want + len);
            }
        }
        for (unsigned k = 0; k < 2; k++) put_unit(&in, pair[k], i % 2);
        check(i % 2 ? ENCODING_UTF16BE : ENCODING_UTF16LE, (const char *)in.data, in.len, want,
              repaired);
        buf_free(&in);
    }
}

/* Each byte of the code page: ASCII, 27 that are Windows' own, five that are nothing, Latin-1. */
static void windows_1252_of_all_bytes(void **state)
{
    (void)state;
    static const char own[] = "€_‚ƒ„…†‡ˆ‰Š‹Œ_Ž__‘’“”•–—˜™š›œ_žŸ";
    const char *next = own;
    for (unsigned byte = 1; byte < 256; byte++) {
        char want[5] = {0}, in = (char)byte;
        bool nothing = false;
        if (byte < 0x80 || byte >= 0xa0) {
            spell(byte, want);
        } else {
            nothing = *next == '_';
            do want[strlen(want)] = *next++;
            while ((*next & 0xc0) == 0x80);
        }
        check(ENCODING_WINDOWS_1252, &in, 1, nothing ? "\xef\xbf\xbd" : want, nothing);
    }
    assert_int_equal(*next, 0);
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
        cmocka_unit_test(utf8_is_repaired),
        cmocka_unit_test(utf16_of_all_characters),
        cmocka_unit_test(utf16_bounds),
        cmocka_unit_test(windows_1252),
        cmocka_unit_test(windows_1252_of_all_bytes),
        cmocka_unit_test(all_pairs_are_defined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
