/* SPDX-License-Identifier: MIT
 *
 * sanitize.c - see sanitize.h.  UTF-8 is checked as Unicode 15, table 3-7: no overlong
 * forms, no surrogates, nothing above U+10FFFF.
 */
#include "common/cli/sanitize.h"

size_t sanitize_decode(const unsigned char *p, const unsigned char *end, uint32_t *code)
{
    size_t left = (size_t)(end - p), need;
    uint32_t c = p[0], low;
    if (c < 0x80) {
        *code = c;
        return 1;
    }
    if (c >= 0xc2 && c < 0xe0) {
        need = 2;
        c &= 0x1f;
        low = 0x80;
    } else if (c >= 0xe0 && c < 0xf0) {
        need = 3;
        c &= 0x0f;
        low = 0x800;
    } else if (c >= 0xf0 && c < 0xf5) {
        need = 4;
        c &= 0x07;
        low = 0x10000;
    } else
        return 0;
    if (left < need) return 0;
    for (size_t i = 1; i < need; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < low || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return 0;
    *code = c;
    return need;
}

bool sanitize_is_hidden(uint32_t c)
{
    return (c >= 0x80 && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

unsigned sanitize_width(uint32_t c)
{
    if (c < 0x300) return 1;
    if (c < 0x370 || (c >= 0x200b && c <= 0x200d) || (c >= 0xfe00 && c < 0xfe10)) return 0;
    bool wide = (c >= 0x1100 && c < 0x1160) || (c >= 0x2e80 && c < 0xa4d0) ||
                (c >= 0xac00 && c < 0xd7a4) || (c >= 0xf900 && c < 0xfb00) ||
                (c >= 0xfe30 && c < 0xfe70) || (c >= 0xff00 && c < 0xff61) ||
                (c >= 0x1f300 && c < 0x1fb00) || (c >= 0x20000 && c < 0x40000);
    return wide ? 2 : 1;
}

static void append_picture(buf *out, unsigned char c)
{
    unsigned char picture = c == 0x7f ? 0xa1 : (unsigned char)(0x80 + c);
    const unsigned char bytes[3] = {0xe2, 0x90, picture};
    buf_append(out, bytes, sizeof(bytes));
}

static void append_ascii(buf *out, unsigned char c, unsigned mode)
{
    bool blank = c == '\n' || c == '\t' || c == '\r';
    if (c >= 0x20 && c < 0x7f)
        buf_u8(out, c);
    else if (!blank)
        append_picture(out, c);
    else if (mode == SAFE_LINE)
        buf_u8(out, ' ');
    else if (mode == SAFE_NAME)
        buf_append_str(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
    else if (c != '\r')
        buf_u8(out, c);
}

void sanitize_append(buf *out, const char *data, size_t len, unsigned mode)
{
    static const char replacement[] = "\xef\xbf\xbd";
    const unsigned char *p = (const unsigned char *)data, *end = p + len;
    while (p < end) {
        uint32_t code = 0;
        size_t n = sanitize_decode(p, end, &code);
        if (n == 1)
            append_ascii(out, *p, mode);
        else if (n == 0 || sanitize_is_hidden(code))
            buf_append_str(out, replacement);
        else
            buf_append(out, p, n);
        p += n ? n : 1;
    }
}
