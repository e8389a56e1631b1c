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
    return xapian_named(path) ? xapian_check(path, deep, finding, ctx, summary, err)
                              : snapshot_check(path, deep, finding, ctx, summary, err);
}
