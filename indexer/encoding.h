/* SPDX-License-Identifier: MIT
 * encoding.h - bytes of a file to UTF-8.
 *
 * Takes bytes in UTF-8, UTF-16 or Windows-1252, gives valid UTF-8.  What an encoding cannot
 * say (a lone surrogate, an undefined byte, an invalid sequence, NUL) becomes U+FFFD and is
 * counted.  The decoder is a stream: a character may be cut anywhere between two feeds.
 */
#ifndef PM_INDEXER_ENCODING_H
#define PM_INDEXER_ENCODING_H

#include "common/base/bytes.h"

typedef enum encoding {
    ENCODING_UTF8,
    ENCODING_UTF16LE,
    ENCODING_UTF16BE,
    ENCODING_WINDOWS_1252,
} encoding;

/* By name, letter case ignored: utf-8, utf-16le, utf-16be, windows-1252, cp1252.  False when
 * unknown. */
bool encoding_find(const char *name, encoding *out);

/* The encoding that a byte-order mark at the start says, and the length of the mark: 0 (and
 * UTF-8) when there is none. */
size_t encoding_mark(const char *data, size_t len, encoding *out);

/* Of text without a mark: Windows-1252 when there are invalid UTF-8 sequences, `odds` or more for
 * each valid character beyond ASCII, and no NUL; else UTF-8.  Odds for a whole file; for a part of
 * one that is Windows-1252 elsewhere. */
enum { ENCODING_ODDS = 8, ENCODING_ODDS_AGAIN = 1 };
encoding encoding_guess(const char *data, size_t len, unsigned odds);

/* Streaming decoder for the encodings other than UTF-8.  Valid when zeroed and `from` set. */
typedef struct decoder {
    encoding from;
    uint8_t held[3]; /* first bytes of a character cut by the end of a feed              */
    unsigned n_held;
    uint64_t repaired;
} decoder;
/* Append the text of data to *out (sticky); `last` when nothing follows. */
void decoder_feed(decoder *d, buf *out, const void *data, size_t len, bool last);

#endif
