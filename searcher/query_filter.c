/* SPDX-License-Identifier: MIT
 *
 * query_filter.c - what a filter says: its field's name, and its value made comparable.
 *
 * The same code reads date:2025-09 in a query and --after 2025-09 of a command.
 */
#include <stdio.h>

#include "common/text/period.h"
#include "searcher/query.h"

typedef struct field_name {
    const char *name; /* with its colon                                                   */
    pm_filter_field field;
} field_name;

static const field_name fields[] = {
    {"date:", PM_FILTER_DATE},
    {"after:", PM_FILTER_AFTER},
    {"before:", PM_FILTER_BEFORE},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static const char *name_of(pm_filter_field field)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].field == field) return fields[i].name;
    return NULL;
}

uint32_t query_filter_name(const char *text, uint32_t len, pm_filter_field *field)
{
    for (size_t i = 0; i < FIELDS; i++) {
        const char *name = fields[i].name;
        uint32_t n = (uint32_t)strlen(name), at = 0;
        while (at < n && at < len && (text[at] | 0x20) == (name[at] | 0x20)) at++;
        if (at < n || text[n - 1] != ':') continue;
        *field = fields[i].field;
        return n;
    }
    return 0;
}

/* A canonical date has no spaces, so it needs no quotes. */
static pm_status make_date(arena *a, query_filter *f, const char *value, size_t len, pm_error *err)
{
    period p;
    bool ok =
        f->field == PM_FILTER_DATE ? period_range(value, len, &p) : period_parse(value, len, &p);
    if (!ok)
        return error_set(err, PM_USAGE, "%s'%.*s' is no date; write 2025-09-19, 2025-09 or 2025",
                         name_of(f->field), (int)(len < 60 ? len : 60), value);
    buf shown = {.arena = a};
    f->from = f->field == PM_FILTER_BEFORE ? INT64_MIN : p.from;
    f->to = f->field == PM_FILTER_DATE ? p.to : f->field == PM_FILTER_BEFORE ? p.from : INT64_MAX;
    buf_append_str(&shown, name_of(f->field));
    buf_append_str(&shown, p.text);
    f->shown.len = shown.len;
    buf_u8(&shown, 0);
    f->shown.data = (const char *)shown.data;
    return shown.failed ? error_nomem(err) : PM_OK;
}

pm_status query_filter_make(arena *a, pm_filter_field field, const char *value, size_t len,
                            const query_filter **out, pm_error *err)
{
    *out = NULL;
    if (!name_of(field)) return error_set(err, PM_USAGE, "no such filter");
    query_filter *f = arena_zalloc(a, sizeof *f);
    if (!f) return error_nomem(err);
    f->field = field;
    pm_status st = make_date(a, f, value, len, err);
    if (st == PM_OK) *out = f;
    return st;
}
