/* SPDX-License-Identifier: MIT
 *
 * check_any.c - pm_check: whose index is it?
 */
#include "searcher/xapian.h"

pm_status pm_check(const char *path, bool deep,
                   void (*finding)(void *ctx, const char *file, const char *section,
                                   uint64_t offset, const char *what),
                   void *ctx, pm_check_summary *summary, pm_error *err)
{
    if (xapian_named(path)) return xapian_check(path, deep, finding, ctx, summary, err);
    pm_status st = snapshot_check(path, deep, finding, ctx, summary, err);
    return st == PM_USAGE && xap_marker_lost(path) ? xap_marker_missing(path, err) : st;
}
