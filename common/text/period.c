/* SPDX-License-Identifier: MIT
 * period.c - the date of a filter to an interval of seconds; see period.h.
 *
 * A year or a month is a date with its day left out, so it is completed to the first and given
 * to the one parser of dates; what that takes as a whole is a day or a second.
 */
#include "common/text/period.h"

#include <stdio.h>
#include <string.h>

#include "common/text/date.h"

enum { PART_MAX = 64 }; /* bytes of one date at most */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits at the start. */
static size_t digits(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && is_digit(text[n])) n++;
    return n;
}

/* before, text and after as one date, which must be the first of its month. */
static bool completed(const char *before, const char *text, size_t len, const char *after,
                      char canonical[32])
{
    char whole[PART_MAX + 16];
    int n = snprintf(whole, sizeof whole, "%s%.*s%s", before, (int)len, text, after);
    if (n < 0 || !pm_date_parse(whole, (size_t)n, canonical)) return false;
    return strlen(canonical) == 10 && !memcmp(canonical + 7, "-01", 3);
}

static bool parse_year(const char *text, size_t len, char canonical[32])
{
    return len == 4 && digits(text, len) == 4 && completed("", text, len, "-01-01", canonical);
}

/* 2025-09, 2025/9, 2025.09; September 2025, Sep. 2025, SEP-2025 */
static bool parse_month(const char *text, size_t len, char canonical[32])
{
    if (digits(text, len) == 4) {
        const char day[] = {len > 4 ? text[4] : '-', '0', '1', 0};
        size_t month = len > 5 ? digits(text + 5, len - 5) : 0;
        return month && 5 + month == len && completed("", text, len, day, canonical);
    }
    if (len < 8 || (text[0] | 0x20) < 'a' || (text[0] | 0x20) > 'z') return false;
    if ((text[0] | 0x20) == 'o' && (text[1] | 0x20) == 'f') return false; /* "1 of ..." is a date */
    return completed("1 ", text, len, "", canonical) || completed("1-", text, len, "", canonical);
}

static int64_t year_of(const char *canonical)
{
    int64_t year = 0;
    for (int i = 0; i < 4; i++) year = 10 * year + (canonical[i] - '0');
    return year;
}

/* The first second after what a canonical date stands for. */
static int64_t day_or_second_end(pm_text canonical)
{
    return date_seconds(canonical) + (canonical.len == 10 ? 86400 : 1);
}

bool period_parse(const char *text, size_t len, period *out)
{
    char date[32];
    memset(out, 0, sizeof *out);
    for (size_t n; (n = date_space(text, len)); text += n) len -= n;
    for (size_t n; (n = date_space_behind(text, len));) len -= n;
    if (!len || len > PART_MAX || memchr(text, 0, len)) return false;
    size_t shown = 0; /* of the canonical date; 0: all of it                                */
    if (parse_year(text, len, date))
        shown = 4;
    else if (parse_month(text, len, date))
        shown = 7;
    else if (!pm_date_parse(text, len, date))
        return false;
    pm_text canonical = {date, strlen(date)};
    int64_t year = year_of(date), month = 10 * (date[5] - '0') + (date[6] - '0');
    out->from = date_seconds(canonical);
    out->to = day_or_second_end(canonical);
    if (shown == 4) out->to = date_days(year + 1, 1, 1) * 86400;
    if (shown == 7) out->to = date_days(year + month / 12, month % 12 + 1, 1) * 86400;
    memcpy(out->text, date, shown ? shown : canonical.len);
    return true;
}

bool period_range(const char *text, size_t len, period *out)
{
    period last;
    size_t at = 0;
    while (at + 1 < len && (text[at] != '.' || text[at + 1] != '.')) at++;
    if (at + 1 >= len) return period_parse(text, len, out);
    bool has_first = at > 0, has_last = at + 2 < len;
    if (!has_first && !has_last) return false;
    if (has_last && !period_parse(text + at + 2, len - at - 2, &last)) return false;
    if (!has_first) {
        memset(out, 0, sizeof *out);
        out->from = INT64_MIN;
    } else if (!period_parse(text, at, out)) {
        return false;
    }
    out->to = has_last ? last.to : INT64_MAX;
    size_t n = strlen(out->text);
    snprintf(out->text + n, PERIOD_TEXT - n, "..%s", has_last ? last.text : "");
    return true;
}

bool pm_date_range(const char *text, size_t len, int64_t *from, int64_t *to)
{
    period p;
    if (!len || !period_range(text, len, &p)) return false;
    *from = p.from;
    *to = p.to;
    return true;
}
