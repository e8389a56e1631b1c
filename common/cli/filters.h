/* SPDX-License-Identifier: MIT
 *
 * filters.h - the options that restrict what may match: --after, --before, --source, --author,
 * --tag.
 *
 * Takes what the option table has read, gives the library's filters.  A command has a
 * filter_options among its options and CLI_OPTIONS_FILTER in its table.
 */
#ifndef PM_CLI_FILTERS_H
#define PM_CLI_FILTERS_H

#include "common/cli/options.h"

typedef struct filter_options {
    const char *after, *before;
    cli_list source, author, tag;
} filter_options;

/* clang-format off */
#define CLI_OPTIONS_FILTER(type, field)                                                            \
    {.name = "after", .kind = CLI_DATE, .arg = "DATE", .offset = offsetof(type, field.after),      \
     .help = "articles from DATE (2025-09-19, 2025-09 or 2025) on"},                               \
    {.name = "before", .kind = CLI_DATE, .arg = "DATE", .offset = offsetof(type, field.before),    \
     .help = "articles from before DATE; undated ones pass neither"},                              \
    {.name = "source", .kind = CLI_LIST, .arg = "S", .offset = offsetof(type, field.source),       \
     .help = "articles of this source, in any case; given again: of either"},                      \
    {.name = "author", .kind = CLI_LIST, .arg = "A", .offset = offsetof(type, field.author),       \
     .help = "articles by this author, likewise"},                                                 \
    {.name = "tag", .kind = CLI_LIST, .arg = "T", .offset = offsetof(type, field.tag),             \
     .help = "articles with this tag, likewise"}
/* clang-format on */

/* The filters that were given, for `search`: borrowed from *out. */
typedef struct filter_list {
    pm_filter items[2 + 3 * CLI_LIST_MAX];
    size_t n;
} filter_list;
bool filters_given(const filter_options *given);
void filters_take(const filter_options *given, filter_list *out, pm_search_options *search);

#endif
