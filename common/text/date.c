/* SPDX-License-Identifier: MIT
 * date.c - dates of articles, from any of the usual spellings to one canonical form.
 *
 * Takes text, gives a canonical date or "not understood".  A left-to-right matcher over a
 * scan: each match_* moves it only when it succeeds.  Understood are ISO 8601 /
 * RFC 3339 (also with space, slashes, dots, basic form), RFC 822 / 2822, asctime, and
 * English month names in either order, each with an optional time and zone.  Rules:
 *   - nothing is guessed: 03/04/2025, two-digit years, bare years and epoch numbers are no
 *     dates, because two readers would read two days;
 *   - a time without a zone stays without one; Z, GMT and -00:00 are +00:00;
 *   - letters that a wire glued behind the hundredths (26-FEB-1987 15:01:01.79F, also several) go;
 *   - fractions of a second are dropped, and a leap second :60 is written :59, so that all
 *     that is kept can be compared as seconds.
 */
#include "common/text/date.h"

#include <string.h>

typedef struct scan {
    const char *p, *end;
} scan;

typedef struct date {
    int year, month, day;
    bool has_time, has_zone;
    int hour, minute, second;
    int zone_minutes; /* east of UTC                                                     */
} date;

/* ---- characters ---------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_letter(char c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

static char peek(const scan *c)
{
    return c->p < c->end ? *c->p : 0;
}

size_t date_space(const char *text, size_t len)
{
    if (len && (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r'))) return 1;
    return len >= 2 && memcmp(text, "\xc2\xa0", 2) == 0 ? 2 : 0;
}

size_t date_space_behind(const char *text, size_t len)
{
    if (len && date_space(text + len - 1, 1)) return 1;
    return len >= 2 && date_space(text + len - 2, 2) == 2 ? 2 : 0;
}

/* Any white space; tells whether there was some. */
static bool match_space(scan *c)
{
    const char *start = c->p;
    for (size_t n; (n = date_space(c->p, (size_t)(c->end - c->p)));) c->p += n;
    return c->p > start;
}

static bool match_char(scan *c, char want)
{
    if (c->p >= c->end || lower(*c->p) != want) return false;
    c->p++;
    return true;
}

/* A whole run of digits, `min` to `max` of them. */
static bool match_number(scan *c, int min, int max, int *out)
{
    int n = 0, value = 0;
    const char *p = c->p;
    for (; p < c->end && is_digit(*p); p++) {
        if (++n > max) return false;
        value = value * 10 + (*p - '0');
    }
    if (n < min) return false;
    c->p = p;
    *out = value;
    return true;
}

/* Exactly n digits, more may follow. */
static bool match_digits(scan *c, int n, int *out)
{
    int value = 0;
    if (c->end - c->p < n) return false;
    for (int i = 0; i < n; i++) {
        if (!is_digit(c->p[i])) return false;
        value = value * 10 + (c->p[i] - '0');
    }
    c->p += n;
    *out = value;
    return true;
}

/* ---- words --------------------------------------------------------------------------- */

static size_t word_len(const scan *c)
{
    const char *p = c->p;
    while (p < c->end && is_letter(*p)) p++;
    return (size_t)(p - c->p);
}

/* Whether the next word is `name` or a prefix of it of at least `min` letters. */
static bool match_name(scan *c, const char *name, size_t min)
{
    size_t n = word_len(c);
    if (n < min || n > strlen(name)) return false;
    for (size_t i = 0; i < n; i++)
        if (lower(c->p[i]) != name[i]) return false;
    c->p += n;
    return true;
}

static bool match_word(scan *c, const char *word)
{
    return match_name(c, word, strlen(word));
}

static bool match_month(scan *c, int *month)
{
    static const char *const names[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};
    for (int i = 0; i < 12; i++) {
        size_t n = word_len(c);
        bool short_form = n == 3 || n == strlen(names[i]) || (i == 8 && n == 4);
        if (!short_form || !match_name(c, names[i], 3)) continue;
        match_char(c, '.');
        *month = i + 1;
        return true;
    }
    return false;
}

/* "Mon, ", "Monday ", "Tues. "; optional. */
static void skip_weekday(scan *c)
{
    static const char *const names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday"};
    scan at = *c;
    for (int i = 0; i < 7; i++) {
        if (!match_name(&at, names[i], 3)) continue;
        match_char(&at, '.');
        bool comma = match_char(&at, ',');
        if (match_space(&at) || comma) *c = at;
        return;
    }
}

static void skip_ordinal(scan *c)
{
    static const char *const names[] = {"st", "nd", "rd", "th"};
    for (int i = 0; i < 4; i++)
        if (match_word(c, names[i])) return;
}

/* ---- days ---------------------------------------------------------------------------- */

/* 2025-11-24, 2025/11/24, 2025.11.24, 2025-1-5 */
static bool match_year_first(scan *c, date *d)
{
    scan at = *c;
    if (!match_number(&at, 4, 4, &d->year)) return false;
    char sep = peek(&at);
    if ((sep != '-' && sep != '/' && sep != '.') || !match_char(&at, sep)) return false;
    if (!match_number(&at, 1, 2, &d->month) || !match_char(&at, sep)) return false;
    if (!match_digits(&at, 2, &d->day) && !match_number(&at, 1, 1, &d->day)) return false;
    *c = at;
    return true;
}

/* 20251124 */
static bool match_basic(scan *c, date *d)
{
    scan at = *c;
    if (!match_digits(&at, 4, &d->year) || !match_digits(&at, 2, &d->month)) return false;
    if (!match_digits(&at, 2, &d->day)) return false;
    *c = at;
    return true;
}

/* 24 November 2025, 24th of Nov., 2025, 26-FEB-1987 */
static bool match_day_first(scan *c, date *d)
{
    scan at = *c;
    if (!match_number(&at, 1, 2, &d->day)) return false;
    if (match_char(&at, '-')) {
        if (!match_month(&at, &d->month) || !match_char(&at, '-')) return false;
    } else {
        skip_ordinal(&at);
        match_space(&at);
        if (match_word(&at, "of") && !match_space(&at)) return false;
        if (!match_month(&at, &d->month)) return false;
        match_char(&at, ',');
        if (!match_space(&at)) return false;
    }
    if (!match_number(&at, 4, 4, &d->year)) return false;
    *c = at;
    return true;
}

/* November 24: the year may follow, or stand behind the time. */
static bool match_month_day(scan *c, date *d)
{
    scan at = *c;
    if (!match_month(&at, &d->month)) return false;
    match_space(&at);
    if (!match_number(&at, 1, 2, &d->day)) return false;
    skip_ordinal(&at);
    *c = at;
    return true;
}

/* ---- times --------------------------------------------------------------------------- */

static void skip_fraction(scan *c)
{
    scan at = *c;
    if (!match_char(&at, '.') && !match_char(&at, ',')) return;
    if (!is_digit(peek(&at))) return;
    while (is_digit(peek(&at))) at.p++;
    *c = at;
}

/* "am", "p.m."; false when the hour does not fit it. */
static bool apply_half_day(scan *c, date *d)
{
    scan at = *c;
    match_space(&at);
    bool pm = lower(peek(&at)) == 'p';
    if (!match_char(&at, pm ? 'p' : 'a')) return true;
    match_char(&at, '.');
    if (!match_char(&at, 'm') || is_letter(peek(&at))) return true;
    match_char(&at, '.');
    if (d->hour < 1 || d->hour > 12) return false;
    d->hour = d->hour % 12 + (pm ? 12 : 0);
    *c = at;
    return true;
}

/* 23:03, 2:12:53.79, 11:03 p.m. */
static bool match_clock(scan *c, date *d)
{
    scan at = *c;
    if (!match_number(&at, 1, 2, &d->hour) || !match_char(&at, ':')) return false;
    if (!match_number(&at, 2, 2, &d->minute)) return false;
    if (match_char(&at, ':')) {
        if (!match_number(&at, 2, 2, &d->second)) return false;
        skip_fraction(&at);
    }
    if (!apply_half_day(&at, d)) return false;
    *c = at;
    return true;
}

/* 230334, 2303: only behind a T. */
static bool match_basic_clock(scan *c, date *d)
{
    scan at = *c;
    if (!match_digits(&at, 2, &d->hour) || !match_digits(&at, 2, &d->minute)) return false;
    if (match_digits(&at, 2, &d->second)) skip_fraction(&at);
    *c = at;
    return true;
}

static bool match_offset(scan *c, date *d)
{
    scan at = *c;
    int sign = peek(&at) == '-' ? -1 : 1, hours, minutes = 0;
    if (!match_char(&at, '+') && !match_char(&at, '-')) return false;
    if (!match_digits(&at, 2, &hours)) return false;
    if (match_char(&at, ':')) {
        if (!match_digits(&at, 2, &minutes)) return false;
    } else if (is_digit(peek(&at)) && !match_digits(&at, 2, &minutes)) {
        return false;
    }
    if (is_digit(peek(&at)) || hours > 23 || minutes > 59) return false;
    d->zone_minutes = sign * (hours * 60 + minutes);
    *c = at;
    return true;
}

/* The zones that RFC 822 names. */
static bool match_zone_name(scan *c, date *d)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {{"z", 0},    {"utc", 0},  {"gmt", 0},  {"ut", 0},   {"est", -5}, {"edt", -4},
                 {"cst", -6}, {"cdt", -5}, {"mst", -7}, {"mdt", -6}, {"pst", -8}, {"pdt", -7}};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        if (!match_word(c, zones[i].name)) continue;
        d->zone_minutes = zones[i].hours * 60;
        return true;
    }
    return false;
}

/* A comment behind an offset, as mail writes it: "-0500 (EST)". */
static void skip_comment(scan *c)
{
    scan at = *c;
    match_space(&at);
    if (!match_char(&at, '(')) return;
    while (is_letter(peek(&at)) || peek(&at) == ' ') at.p++;
    if (match_char(&at, ')')) *c = at;
}

static void match_zone(scan *c, date *d)
{
    scan at = *c;
    match_space(&at);
    if (match_offset(&at, d)) {
        skip_comment(&at);
    } else if (!match_zone_name(&at, d)) {
        return;
    }
    d->has_zone = true;
    *c = at;
}

/* What may stand between day and time; c->p[-1] is the day's last byte. */
static bool match_time_gap(scan *c, bool *t)
{
    *t = is_digit(c->p[-1]) && match_char(c, 't');
    if (*t) return true;
    bool any = match_char(c, ',');
    any |= match_space(c);
    if (any && match_word(c, "at") && !match_space(c)) return false;
    return any;
}

/* Time and zone behind a day, if there are any. */
static void match_time(scan *c, date *d)
{
    scan at = *c;
    date with = *d;
    bool t;
    if (!match_time_gap(&at, &t)) return;
    if (!match_clock(&at, &with) && !(t && match_basic_clock(&at, &with))) return;
    with.has_time = true;
    match_zone(&at, &with);
    *d = with;
    *c = at;
}

/* What Reuters' wire of 1987 has behind a time, for its services: one or two capitals glued to the
 * hundredths, and perhaps more of them behind blanks.  c->p[-1] is the time's last byte. */
static void skip_services(scan *c)
{
    scan at = *c;
    do {
        size_t n = 0;
        while (at.p < at.end && *at.p >= 'A' && *at.p <= 'Z') at.p++, n++;
        if (n < 1 || n > 2 || is_digit(peek(&at)) || is_letter(peek(&at))) return;
        *c = at;
    } while (match_char(&at, ' '));
}

/* 27-MAR-1987 00:02:59.13RM */
static bool match_wire(scan *c, date *d)
{
    scan at = *c;
    if (!match_day_first(&at, d) || !memchr(c->p, '-', (size_t)(at.p - c->p))) return false;
    const char *day_end = at.p;
    match_time(&at, d);
    bool hundredths = d->has_time && !d->has_zone && at.p - day_end > 3 && at.p[-3] == '.';
    if (hundredths && is_digit(at.p[-1])) skip_services(&at);
    *c = at;
    return true;
}

/* ---- the whole ----------------------------------------------------------------------- */

static bool in_range(const date *d)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (d->year < 1 || d->year > 9999 || d->month < 1 || d->month > 12) return false;
    bool leap = d->year % 4 == 0 && (d->year % 100 != 0 || d->year % 400 == 0);
    int last = days[d->month - 1] + (d->month == 2 && leap);
    if (d->day < 1 || d->day > last) return false;
    return !d->has_time || (d->hour < 24 && d->minute < 60 && d->second <= 60);
}

/* "Nov 24, 2025 ..." or asctime's "Nov 24 23:03:34 2025". */
static bool match_month_first(scan *c, date *d)
{
    scan at = *c;
    if (!match_month_day(&at, d)) return false;
    scan year = at;
    match_char(&year, ',');
    if (match_space(&year) && match_number(&year, 4, 4, &d->year)) {
        match_time(&year, d);
        *c = year;
        return true;
    }
    match_time(&at, d);
    if (!d->has_time || !match_space(&at) || !match_number(&at, 4, 4, &d->year)) return false;
    *c = at;
    return true;
}

static bool match_date(scan *c, date *d)
{
    memset(d, 0, sizeof *d);
    scan at = *c;
    bool digit = is_digit(peek(&at));
    if (!digit) skip_weekday(&at);
    if (digit || !match_month_first(&at, d)) {
        if (!match_wire(&at, d)) {
            if (!match_year_first(&at, d) && !match_basic(&at, d) && !match_day_first(&at, d))
                return false;
            match_time(&at, d);
        }
    }
    char next = peek(&at);
    if (is_digit(next) || is_letter(next) || !in_range(d)) return false;
    *c = at;
    return true;
}

/* The last n digits of a number. */
static char *put_digits(char *out, unsigned value, unsigned n)
{
    for (unsigned i = n; i-- > 0; value /= 10) out[i] = (char)('0' + value % 10);
    return out + n;
}

/* Three numbers of two digits, or the first of four, with a byte in between. */
static char *put_three(char *out, unsigned a, unsigned a_digits, unsigned b, unsigned c,
                       char between)
{
    out = put_digits(out, a, a_digits);
    *out++ = between;
    out = put_digits(out, b, 2);
    *out++ = between;
    return put_digits(out, c, 2);
}

static void write_date(const date *d, char out[32])
{
    unsigned second = d->second == 60 ? 59 : (unsigned)d->second;
    unsigned zone = (unsigned)(d->zone_minutes < 0 ? -d->zone_minutes : d->zone_minutes);
    char *at = put_three(out, (unsigned)d->year, 4, (unsigned)d->month, (unsigned)d->day, '-');
    if (d->has_time) {
        *at++ = 'T';
        at = put_three(at, (unsigned)d->hour, 2, (unsigned)d->minute, second, ':');
    }
    if (d->has_time && d->has_zone) {
        *at++ = d->zone_minutes < 0 ? '-' : '+';
        at = put_digits(at, zone / 60, 2);
        *at++ = ':';
        at = put_digits(at, zone % 60, 2);
    }
    *at = 0;
}

size_t date_scan(const char *text, size_t len, char out[32])
{
    date d;
    scan c = {text, text + len};
    if (!len || !match_date(&c, &d)) return 0;
    write_date(&d, out);
    return (size_t)(c.p - text);
}

bool pm_date_parse(const char *text, size_t len, char out[32])
{
    scan c = {text, text + len};
    if (!len) return false;
    match_space(&c);
    date d;
    if (!match_date(&c, &d)) return false;
    match_space(&c);
    if (c.p != c.end) return false;
    write_date(&d, out);
    return true;
}

/* ---- seconds ------------------------------------------------------------------------- */

static int64_t two_digits(const char *p)
{
    return (p[0] - '0') * 10 + (p[1] - '0');
}

/* Years begin in March, so that the leap day comes last, and repeat every 400 (146,097 days). */
int64_t date_days(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    return 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

int64_t date_seconds(pm_text canonical)
{
    const char *p = canonical.data;
    size_t len = canonical.len;
    if (len != 10 && len != 19 && len != 25) return INT64_MIN;
    int64_t year = two_digits(p) * 100 + two_digits(p + 2);
    int64_t seconds = date_days(year, two_digits(p + 5), two_digits(p + 8)) * 86400;
    if (len >= 19)
        seconds += two_digits(p + 11) * 3600 + two_digits(p + 14) * 60 + two_digits(p + 17);
    if (len == 25) {
        int64_t offset = two_digits(p + 20) * 3600 + two_digits(p + 23) * 60;
        seconds += p[19] == '-' ? offset : -offset;
    }
    return seconds;
}
