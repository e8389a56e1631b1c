/* SPDX-License-Identifier: MIT
 *
 * cmd_bench.c - what the bench commands share (cmd_bench.h).
 */
#include "searcher/cmd_bench.h"

#include <string.h>

#include "common/cli/emit.h"
#include "common/cli/options.h"

bool bench_command(const char *name, size_t len, pm_search_options *out)
{
    char text[32];
    if (len >= sizeof text) return false;
    memcpy(text, name, len);
    text[len] = '\0';
    *out = (pm_search_options)PM_SEARCH_OPTIONS_INIT;
    out->match = PM_MATCH_ANY;
    out->total_only = true;
    out->want_ids = out->want_fields = out->want_snippets = out->joined = false;
    out->limit = 0;
    if (strcmp(text, "COUNT") == 0) return true;
    if (strncmp(text, "TOP_", 4) != 0) return false;
    size_t digits = strspn(text + 4, "0123456789");
    const char *rest = text + 4 + digits;
    out->want_total = strcmp(rest, "_COUNT") == 0;
    if (*rest && !out->want_total) return false;
    text[4 + digits] = '\0';
    return cli_parse_number(text + 4, &out->limit) && out->limit > 0;
}

int bench_open(const char *given, pm_index **index, pm_searcher **searcher)
{
    pm_error err = {.status = PM_OK};
    *index = NULL;
    *searcher = NULL;
    if (pm_index_open(cli_index_path(given), index, &err) != PM_OK) return emit_error(&err);
    if (pm_searcher_open(*index, searcher, &err) != PM_OK) return emit_error(&err);
    return EXIT_OK;
}
