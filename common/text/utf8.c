/* SPDX-License-Identifier: MIT
 *
 * utf8.c - UTF-8 in and out, defined for every byte string.
 *
 * Takes bytes, gives code points.  Well-formed is what Unicode 3.9 table 3-7 says: no
 * surrogates, nothing over-long, nothing above U+10FFFF.  What is not well-formed is cut
 * into maximal subparts, and each counts as one U+FFFD, as browsers and Python do it.
 */
#include "common/text/analyzer.h"

enum { REPLACEMENT = 0xfffd };

/* Length of the sequence that `lead` begins, 0 if it begins none, and the range that its
 * second byte must lie in; the third and fourth are always 80..BF. */
static unsigned lead_length(uint8_t lead, uint8_t *low, uint8_t *high)
{
    *low = 0x80;
    *high = 0xbf;
    if (lead < 0x80) return 1;
    if (lead < 0xc2 || lead > 0xf4) return 0;
    if (lead < 0xe0) return 2;
    if (lead == 0xe0) *low = 0xa0;
    if (lead == 0xed) *high = 0x9f;
    if (lead == 0xf0) *low = 0x90;
    if (lead == 0xf4) *high = 0x8f;
    return lead < 0xf0 ? 3 : 4;
}

/* Decode at text[*at]; false when the bytes are ill-formed (then *cp is U+FFFD). */
static bool decode(const char *text, size_t len, size_t *at, uint32_t *cp)
{
    const uint8_t *p = (const uint8_t *)text + *at;
    size_t left = len - *at;
    uint8_t low, high;
    unsigned want = lead_length(p[0], &low, &high), have = 1;
    uint32_t value = want < 2 ? p[0] : p[0] & (0x7fu >> want);
    while (have < want && have < left && p[have] >= low && p[have] <= high) {
        value = value << 6 | (p[have] & 0x3fu);
        low = 0x80;
        high = 0xbf;
        have++;
    }
    *at += have;
    *cp = have == want ? value : REPLACEMENT;
    return have == want;
}

uint32_t utf8_next(const char *text, size_t len, size_t *at)
{
    uint32_t cp;
    decode(text, len, at, &cp);
    return cp;
}

unsigned utf8_put(char out[4], uint32_t cp)
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    unsigned n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (unsigned i = n - 1; i > 0; i--, cp >>= 6) out[i] = (char)(0x80 | (cp & 0x3f));
    out[0] = (char)(lead[n] | cp);
    return n;
}

/* The first byte from `at` on that is not ASCII; len when there is none. */
static size_t skip_ascii(const char *text, size_t len, size_t at)
{
    while (len - at >= 8) {
        uint64_t high = load_u64(text + at) & UINT64_C(0x8080808080808080);
        if (high) return at + ((size_t)__builtin_ctzll(high) >> 3);
        at += 8;
    }
    while (at < len && (uint8_t)text[at] < 0x80) at++;
    return at;
}

size_t utf8_valid_prefix(const char *text, size_t len)
{
    size_t at = 0;
    while (at < len) {
        if ((uint8_t)text[at] < 0x80) {
            at = skip_ascii(text, len, at);
            continue;
        }
        size_t next = at;
        uint32_t cp;
        if (!decode(text, len, &next, &cp)) return at;
        at = next;
    }
    return len;
}

size_t utf8_repair(buf *out, const char *text, size_t len)
{
    size_t at = 0, from = 0, repairs = 0;
    while (at < len) {
        size_t here = at;
        uint32_t cp;
        if (decode(text, len, &at, &cp) && cp) continue;
        buf_append(out, text + from, here - from);
        buf_append(out, "\xef\xbf\xbd", 3);
        from = at;
        repairs++;
    }
    if (len > from) buf_append(out, text + from, len - from);
    return repairs;
}
