/* SPDX-License-Identifier: MIT
 * input.h - the plain bytes of one input file, compressed or not, standard input or not.
 *
 * Takes a path, gives bytes in order.  Never maps the file, so that a file that shrinks
 * while it is read ends early instead of trapping.
 */
#ifndef PM_INDEXER_INPUT_H
#define PM_INDEXER_INPUT_H

#include "common/base/bytes.h"
#include "common/base/file.h"
#include "common/base/gzip.h"

/* Largest text of one article, and largest line of JSON Lines, where memory allows it. */
#define INPUT_ARTICLE_MAX ((size_t)64 << 20)

typedef struct input {
    infile file;
    gzip *gz;  /* NULL when plain                                                  */
    buf ahead; /* bytes looked at but not yet read                                 */
    size_t ahead_at;
    uint64_t bytes;     /* handed out so far, after inflating                           */
    size_t article_max; /* bytes of an article's text or line at most                   */
} input;

/* Open `path` ("-" is standard input); through gzip when `compressed`; articles of article_max
 * bytes at most, 0: INPUT_ARTICLE_MAX.  PM_IO when it cannot be read.  The input must not move in
 * memory while it is open. */
pm_status input_open(input *in, const char *path, bool compressed, size_t article_max,
                     pm_error *err);
/* Up to cap bytes; *got 0 at the end. */
pm_status input_read(input *in, void *data, size_t cap, size_t *got, pm_error *err);
/* Look at the first bytes, up to max of them, without reading them. */
pm_status input_peek(input *in, size_t max, slice *out, pm_error *err);
/* Append all that is left to *out.  *too_long instead of more than article_max bytes. */
pm_status input_read_all(input *in, buf *out, bool *too_long, pm_error *err);
/* Why an article or a line ("the line is ") that is too long is not taken, to out[cap]. */
void input_say_too_long(const input *in, const char *what, char *out, size_t cap);
void input_close(input *in);

#endif
