/* SPDX-License-Identifier: MIT
 * period.h - what a date in a filter covers: a year, a month, a day, a second, or from one to
 * the end of another.
 *
 * Takes text, gives an interval of seconds and its canonical spelling, which reads as the same
 * interval.  Pure functions, defined for every byte string, no memory, no clock.
 *
 *     2025, 2025-09, September 2025    a year, a month
 *     whatever pm_date_parse takes     a day; with a time, a second
 *     A..B, A.., ..B                   from the start of A to the end of B
 */
#ifndef PM_TEXT_PERIOD_H
#define PM_TEXT_PERIOD_H

#include "pressmark.h"

enum { PERIOD_TEXT = 64 };

typedef struct period {
    int64_t from, to;       /* seconds as in date_seconds: [from, to); INT64_MIN, INT64_MAX:
                               open at that end                                          */
    char text[PERIOD_TEXT]; /* canonical                                                 */
} period;

/* One year, month, day or second. */
bool period_parse(const char *text, size_t len, period *out);
/* The same, or a range of two. */
bool period_range(const char *text, size_t len, period *out);

#endif
