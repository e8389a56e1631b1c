/* SPDX-License-Identifier: MIT
 *
 * language.h - the languages that words can be stemmed in, and a stemmer for one: the only
 * door to libstemmer.
 */
#ifndef PM_TEXT_LANGUAGE_H
#define PM_TEXT_LANGUAGE_H

#include "common/text/analyzer.h"

enum { LANGUAGE_NAME_MAX = 24, LANGUAGE_PROFILE_MAX = 96 };

/* Valid when zeroed: no stemming, as language "none". */
typedef struct language {
    char name[LANGUAGE_NAME_MAX]; /* canonical                                           */
    struct sb_stemmer *stemmer;   /* NULL for "none"                                     */
} language;

/* `lang`: a name of libstemmer, an ISO 639 code of one, or "none".  PM_USAGE for others. */
pm_status language_open(language *l, const char *lang, pm_error *err);
void language_close(language *l);

/* Stem of a folded word of at most TERM_MAX_BYTES, valid until the next call; `*len` in and
 * out.  The word itself when its stem is empty; cut when the stem is too long.  NULL when
 * memory was refused. */
const char *language_stem(language *l, const char *word, size_t *len);

/* Everything that decides terms: rules, Unicode, stemmer. */
pm_status language_profile(language *l, char out[LANGUAGE_PROFILE_MAX], pm_error *err);

#endif
