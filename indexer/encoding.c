/* SPDX-License-Identifier: MIT
 * encoding.c - see encoding.h.  UTF-16 as Unicode 3.9 D91, Windows-1252 as its code page; the
 * five bytes that the code page leaves undefined become U+FFFD.
 */
#include "indexer/encoding.h"

#include "common/text/analyzer.h"

enum { REPLACEMENT = 0xfffd };

bool encoding_find(const char *name, encoding *out)
{
    static const struct {
        const char *name;
        encoding value;
    } names[] = {
        {"utf-8", ENCODING_UTF8},
        {"utf8", ENCODING_UTF8},
        {"utf-16le", ENCODING_UTF16LE},
        {"utf-16be", ENCODING_UTF16BE},
        {"windows-1252", ENCODING_WINDOWS_1252},
        {"cp1252", ENCODING_WINDOWS_1252},
    };
    for (size_t i = 0, n = strlen(name); i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i].name) != n || !ascii_same(name, names[i].name, n)) continue;
        *out = names[i].value;
        return true;
    }
    return false;
}

size_t encoding_mark(const char *data, size_t len, encoding *out)
{
    *out = ENCODING_UTF8;
    if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) return 3;
    if (len < 2) return 0;
    if (memcmp(data, "\xff\xfe", 2) == 0)
        *out = ENCODING_UTF16LE;
    else if (memcmp(data, "\xfe\xff", 2) == 0)
        *out = ENCODING_UTF16BE;
    else
        return 0;
    return 2;
}

/* Of 12,000 articles of Wikipedia in Windows-1252 every 280th has neighbours, such as a capital
 * with an accent and a quote, whose bytes are a character of UTF-8, nearly all of them one in
 * ENCODING_ODDS or fewer.  What was UTF-8 and is broken has more that is valid, or a word of it. */
encoding encoding_guess(const char *data, size_t len, unsigned odds)
{
    size_t valid = 0, invalid = 0;
    if (utf8_valid_prefix(data, len) == len || memchr(data, 0, len)) return ENCODING_UTF8;
    for (size_t i = 0; i < len;) {
        size_t start = i;
        bool replaced = utf8_next(data, len, &i) == REPLACEMENT;
        bool spelled = i - start == 3 && memcmp(data + start, "\xef\xbf\xbd", 3) == 0;
        invalid += replaced && !spelled;
        valid += (unsigned char)data[start] >= 0x80 && (!replaced || spelled);
    }
    return invalid / odds >= valid ? ENCODING_WINDOWS_1252 : ENCODING_UTF8;
}

/* ---- decoding -------------------------------------------------------------------------- */

static void put(decoder *d, buf *out, uint32_t codepoint)
{
    char bytes[4];
    if (codepoint == 0 || codepoint == REPLACEMENT) {
        codepoint = REPLACEMENT;
        d->repaired++;
    }
    buf_append(out, bytes, utf8_put(bytes, codepoint));
}

static void feed_1252(decoder *d, buf *out, const uint8_t *data, size_t len)
{
    static const uint16_t high[32] = {
        0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
    };
    for (size_t i = 0; i < len;) {
        size_t start = i;
        while (i < len && data[i] - 1u < 0x7f) i++;
        buf_append(out, data + start, i - start);
        if (i == len) return;
        uint8_t byte = data[i++];
        put(d, out, byte >= 0x80 && byte < 0xa0 ? high[byte - 0x80] : byte);
    }
}

static uint32_t unit_at(const decoder *d, const uint8_t *p)
{
    return d->from == ENCODING_UTF16BE ? (uint32_t)(p[0] << 8 | p[1])
                                       : (uint32_t)(p[1] << 8 | p[0]);
}

/* Characters of data from the first on; returns the bytes used: all but a cut character. */
static size_t feed_utf16_whole(decoder *d, buf *out, const uint8_t *data, size_t len)
{
    size_t at = 0;
    while (len - at >= 2) {
        uint32_t unit = unit_at(d, data + at);
        if (unit >= 0xd800 && unit < 0xdc00) {
            if (len - at < 4) break;
            uint32_t low = unit_at(d, data + at + 2);
            if (low >= 0xdc00 && low < 0xe000) {
                put(d, out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
                at += 4;
                continue;
            }
        }
        put(d, out, unit >= 0xd800 && unit < 0xe000 ? REPLACEMENT : unit);
        at += 2;
    }
    return at;
}

/* Complete the held character with the first bytes of data; returns the bytes used. */
static size_t feed_held(decoder *d, buf *out, const uint8_t *data, size_t len)
{
    size_t used = 0;
    while (d->n_held) {
        uint8_t joined[4];
        size_t n = d->n_held;
        memcpy(joined, d->held, n);
        while (n < 4 && used < len) joined[n++] = data[used++];
        size_t done = feed_utf16_whole(d, out, joined, n);
        if (done == 0) { /* still cut: there was no more data */
            memcpy(d->held, joined, n);
            d->n_held = (unsigned)n;
            break;
        }
        if (done >= d->n_held) {
            used -= n - done; /* hand back what was read beyond it */
            d->n_held = 0;
        } else {
            used -= n - d->n_held;
            d->n_held -= (unsigned)done;
            memmove(d->held, joined + done, d->n_held);
        }
    }
    return used;
}

static void feed_utf16(decoder *d, buf *out, const uint8_t *data, size_t len)
{
    size_t used = feed_held(d, out, data, len);
    if (d->n_held) return;
    data += used;
    len -= used;
    used = len ? feed_utf16_whole(d, out, data, len) : 0;
    d->n_held = (unsigned)(len - used);
    if (d->n_held) memcpy(d->held, data + used, d->n_held);
}

void decoder_feed(decoder *d, buf *out, const void *data, size_t len, bool last)
{
    if (d->from == ENCODING_UTF8) {
        d->repaired += utf8_repair(out, data, len);
        return;
    }
    if (d->from == ENCODING_WINDOWS_1252) {
        feed_1252(d, out, data, len);
        return;
    }
    feed_utf16(d, out, data, len);
    if (!last || !d->n_held) return;
    if (d->n_held >= 2) put(d, out, REPLACEMENT); /* a high surrogate alone */
    if (d->n_held % 2) put(d, out, REPLACEMENT);  /* half a unit */
    d->n_held = 0;
}
