/* SPDX-License-Identifier: MIT
 * value.h - the value of a field (source, author, tag, language) as filters compare it.
 *
 * Takes text as a person or a file writes it, gives its folded spelling: that of words (fold.h:
 * case, marks, apostrophes), white space at the ends left out and else one space.  Indexing and
 * searching share it, so that `author:"jose perez"` finds José  Pérez.
 */
#ifndef PM_TEXT_VALUE_H
#define PM_TEXT_VALUE_H

#include "common/text/analyzer.h"

/* Bytes of the folded value, 0 when nothing is left.  Of a longer text the first TERM_MAX_BYTES
 * count, whole characters of them.  value_fold(value_fold(x)) == value_fold(x). */
size_t value_fold(const char *text, size_t len, char out[TERM_MAX_BYTES]);

#endif
