/* SPDX-License-Identifier: MIT
 * value.c - folding values of fields; see value.h.
 */
#include "common/text/value.h"

#include "common/text/fold.h"

/* Runs of white space to one space, none at the ends; in place. */
static size_t squeeze(char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        bool space = (unsigned char)text[i] <= ' ';
        if (space && (!n || text[n - 1] == ' ')) continue;
        text[n++] = space ? ' ' : text[i];
    }
    while (n && text[n - 1] == ' ') n--;
    return n;
}

size_t value_fold(const char *text, size_t len, char out[TERM_MAX_BYTES])
{
    bool cut = false;
    while (len && (unsigned char)*text <= ' ') text++, len--;
    if (len > TERM_MAX_BYTES) {
        len = TERM_MAX_BYTES;
        while (len && ((unsigned char)text[len] & 0xc0) == 0x80) len--;
    }
    return len ? squeeze(out, fold_text(text, len, out, &cut)) : 0;
}
