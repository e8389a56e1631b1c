/* SPDX-License-Identifier: MIT
 * check_columns.c - document columns: lengths add up, dates and ingest order are as the
 * footer says.
 */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/segment/check_parts.h"

static void check_lengths(check *c)
{
    uint64_t sum = 0;
    for (uint32_t doc = 0; doc < c->s->info.n_docs; doc++) sum += segment_dl(c->s, doc);
    if (sum != c->s->info.sum_dl)
        check_section(c, SECTION_DL, 0, "lengths do not add up to the footer's sum");
}

static void check_dates(check *c)
{
    bool sorted = true, any = false;
    int64_t before = INT64_MIN;
    for (uint32_t doc = 0; doc < c->s->info.n_docs; doc++) {
        int64_t date = segment_date(c->s, doc);
        if (date == INT64_MIN || date < before) sorted = false;
        any |= date != INT64_MIN;
        before = date;
    }
    if (sorted != c->s->info.dates_sorted)
        check_section(c, SECTION_DATE, 0, "the footer is wrong about the order of dates");
    if (any != (c->s->info.date_width != 0))
        check_section(c, SECTION_DATE, 0, "dates without any date");
}

static void check_sequence(check *c)
{
    uint64_t low = UINT64_MAX;
    for (uint32_t doc = 0; doc < c->s->info.n_docs; doc++) {
        uint64_t seq = segment_seq(c->s, doc);
        if (seq < low) low = seq;
        if (c->s->info.seq_width != 8 && seq < c->s->info.seq_base) {
            check_section(c, SECTION_SEQ, (uint64_t)doc * c->s->info.seq_width,
                          "ingest order wraps around");
            return;
        }
    }
    if (low != c->s->info.seq_base)
        check_section(c, SECTION_SEQ, 0, "no document has the lowest ingest number");
}

static int order_of(const void *a, const void *b)
{
    uint64_t x = load_u64(a), y = load_u64(b);
    return (x > y) - (x < y);
}

/* A later article has a higher number, so that no two have the same. */
static pm_status check_distinct(check *c, pm_error *err)
{
    uint32_t n = c->s->info.n_docs;
    if (!c->s->info.seq_width) return PM_OK;
    uint64_t *sorted = mem_array(n, sizeof *sorted);
    if (!sorted) return error_nomem(err);
    for (uint32_t doc = 0; doc < n; doc++) sorted[doc] = segment_seq(c->s, doc);
    qsort(sorted, n, sizeof *sorted, order_of);
    for (uint32_t i = 1; i < n; i++)
        if (sorted[i] == sorted[i - 1]) {
            check_section(c, SECTION_SEQ, 0, "two documents with one ingest number");
            break;
        }
    mem_free(sorted);
    return PM_OK;
}

pm_status check_columns(check *c, pm_error *err)
{
    check_lengths(c);
    check_dates(c);
    check_sequence(c);
    check_ids(c);
    pm_status st = check_distinct(c, err);
    check_reader_damage(c);
    return st;
}
