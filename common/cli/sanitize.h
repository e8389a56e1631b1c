/* SPDX-License-Identifier: MIT
 *
 * sanitize.h - text of articles, names of files and messages, made safe to show.
 *
 * A terminal obeys control characters, and bidirectional controls make text read as what
 * it is not.  So C0 controls and DEL become their visible pictures (U+2400 and on), C1
 * controls, U+061C, U+200E/F, U+202A-E, U+2066-9 and invalid UTF-8 become U+FFFD.
 */
#ifndef PM_CLI_SANITIZE_H
#define PM_CLI_SANITIZE_H

#include "common/base/bytes.h"

enum {
    SAFE_LINE = 0,  /* newline, tab and return become a space                            */
    SAFE_LINES = 1, /* newline and tab stay                                              */
    SAFE_NAME = 2   /* newline, tab and return become \n, \t, \r: an id stays one field   */
};

/* Appends the safe form of data to out. */
void sanitize_append(buf *out, const char *data, size_t len, unsigned mode);

/* Length of the UTF-8 character at p (p < end), or 0 when it is not valid; *code is set. */
size_t sanitize_decode(const unsigned char *p, const unsigned char *end, uint32_t *code);
/* True for characters that must not reach a terminal, beyond C0 and DEL. */
bool sanitize_is_hidden(uint32_t code);
/* Columns that the character takes on a terminal: 0, 1 or 2 (approximate). */
unsigned sanitize_width(uint32_t code);

#endif
