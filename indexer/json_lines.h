/* SPDX-License-Identifier: MIT
 * json_lines.h - an input of JSON Lines to documents, one after the other.
 *
 * Blank lines are nothing.  A line that cannot be read gives its reason; one longer than
 * the input's article_max is passed over without being held.  The bytes of a line stay in one
 * buffer, which moves only when a line is cut by its end.
 */
#ifndef PM_INDEXER_JSON_LINES_H
#define PM_INDEXER_JSON_LINES_H

#include "indexer/document.h"
#include "indexer/encoding.h"
#include "indexer/input.h"
#include "indexer/json_line.h"

typedef struct json_lines {
    input *in;
    buf data, raw;      /* text; bytes before decoding                                   */
    size_t at, scanned; /* start of the line; bytes known to hold no line end            */
    decoder decoder;    /* of what is said or marked: used when `decode`                 */
    bool decode, ended, dropping;     /* dropping: inside a line that is too long             */
    bool guessed;                     /* the encoding is known                                */
    bool is_1252;                     /* it is guessed to be that, but for lines that are UTF-8 */
    buf seen;                         /* until it is known: bytes to guess it by              */
    buf line;                         /* one that was converted                               */
    uint64_t n_converted, n_repaired; /* lines; characters                                */
    uint64_t number;                  /* of the line, from 1                                  */
    size_t tree_max; /* bytes of the tree of a line; 0: as many as it takes             */
} json_lines;

/* The text of one line, owned by the document, or why there is none. */
typedef struct json_line_text {
    document doc;
    uint64_t number;
    uint64_t hash; /* of the bytes of the line                                             */
    bool is_article;
    char reason[JSON_LINE_REASON_MAX];
} json_line_text; /* valid when zeroed */

/* The encoding is that which is said, if one is, else that of the mark, else guessed as for a
 * text file by the 256 KiB from the first byte that is not ASCII, which are waited for at the first
 * line that is not UTF-8; where that is Windows-1252, lines of valid UTF-8, or mostly so, are UTF-8
 * all the same, since lines come together from many places. */
pm_status json_lines_begin(json_lines *l, input *in, const encoding *said, pm_error *err);
/* The next line that is not blank; *more false at the end. */
pm_status json_lines_next(json_lines *l, json_line_text *out, bool *more, pm_error *err);
void json_lines_free(json_lines *l);

#endif
