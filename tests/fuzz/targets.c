/* SPDX-License-Identifier: MIT
 * targets.c - the list of targets; see targets.h.
 */
#include "tests/fuzz/targets.h"

#include <stdio.h>
#include <stdlib.h>

const fuzz_target fuzz_targets[FUZZ_TARGETS] = {
    {"query", fuzz_query},         {"analyzer", fuzz_analyzer}, {"front_matter", fuzz_front_matter},
    {"json_line", fuzz_json_line}, {"date", fuzz_date},         {"manifest", fuzz_manifest},
    {"segment", fuzz_segment},     {"codec", fuzz_codec},       {"tombstones", fuzz_tombstones},
    {"snippet", fuzz_snippet},     {"gzip", fuzz_gzip},         {"encoding", fuzz_encoding},
    {"article", fuzz_article},     {"queries", fuzz_queries},
};

void fuzz_check(bool ok, const char *what, const char *file, int line)
{
    if (ok) return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}
