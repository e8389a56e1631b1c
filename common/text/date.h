/* SPDX-License-Identifier: MIT
 * date.h - dates as people and machines write them, to the one form that an index keeps.
 *
 * Takes text, gives YYYY-MM-DD or YYYY-MM-DDThh:mm:ss[+hh:mm].  Pure functions, defined for
 * every byte string, no memory, no locale, no clock.  pm_date_parse (pressmark.h) wants the
 * whole text to be one date; date_scan finds the longest date at the start of a text.
 */
#ifndef PM_TEXT_DATE_H
#define PM_TEXT_DATE_H

#include "pressmark.h"

/* The longest date that text starts with (no leading space): its canonical form in out and
 * its length in bytes, or 0 when there is none.  The date ends at a word boundary. */
size_t date_scan(const char *text, size_t len, char out[32]);

/* Length of the white space (ASCII and U+00A0) that text begins, or ends with; 0 without. */
size_t date_space(const char *text, size_t len);
size_t date_space_behind(const char *text, size_t len);

/* Days from 1970-01-01 in the proleptic Gregorian calendar. */
int64_t date_days(int64_t year, int64_t month, int64_t day);
/* Seconds since 1970 of a canonical date (UTC, or as written without a zone); INT64_MIN of any
 * other length. */
int64_t date_seconds(pm_text canonical);

#endif
