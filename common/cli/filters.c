/* SPDX-License-Identifier: MIT
 *
 * filters.c - filters of the command line to those of the library; see filters.h.
 */
#include "common/cli/filters.h"

#include <string.h>

static void add(filter_list *out, pm_filter_field field, const char *value)
{
    if (value) out->items[out->n++] = (pm_filter){field, {value, strlen(value)}};
}

static void add_all(filter_list *out, pm_filter_field field, const cli_list *values)
{
    for (size_t i = 0; i < values->n; i++) add(out, field, values->items[i]);
}

bool filters_given(const filter_options *given)
{
    return given->after || given->before || given->source.n || given->author.n || given->tag.n;
}

void filters_take(const filter_options *given, filter_list *out, pm_search_options *search)
{
    out->n = 0;
    add(out, PM_FILTER_AFTER, given->after);
    add(out, PM_FILTER_BEFORE, given->before);
    add_all(out, PM_FILTER_SOURCE, &given->source);
    add_all(out, PM_FILTER_AUTHOR, &given->author);
    add_all(out, PM_FILTER_TAG, &given->tag);
    search->filters = out->items;
    search->n_filters = out->n;
}
