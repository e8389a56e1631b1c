/* SPDX-License-Identifier: MIT
 * error.h - how a failure is made, carried and reported.
 *
 * A fallible function returns pm_status and takes `pm_error *err` last (may be NULL).  The
 * first failure fills *err; callers pass it up unchanged with PM_TRY.  After PM_TRY a
 * function leaves only through one label `out:`, where it frees what it owns and returns
 * `st`.  All corruption is born in error_corrupt, so one breakpoint sees it.
 */
#ifndef PM_BASE_ERROR_H
#define PM_BASE_ERROR_H

#include "pressmark.h"

/* Evaluates a pm_status expression; on failure stores it in `st` and jumps to out. */
#define PM_TRY(expr)                                                                               \
    do {                                                                                           \
        st = (expr);                                                                               \
        if (st != PM_OK) goto out;                                                                 \
    } while (0)

/* Fill *err (if any) and return `status`, so that `return error_set(...)` reads well. */
pm_status error_set(pm_error *err, pm_status status, const char *fmt, ...) PM_PRINTF(3, 4);
/* PM_IO with errno's text, and what to do, appended: "<message>: <strerror(os_errno)>[; <advice>]".
 */
pm_status error_os(pm_error *err, int os_errno, const char *fmt, ...) PM_PRINTF(3, 4);
/* PM_NOMEM. */
pm_status error_nomem(pm_error *err);
/* PM_CORRUPT at `offset` of `path`: "<path>: damaged at offset N (<section>): <what>; ...". */
pm_status error_corrupt(pm_error *err, const char *path, uint64_t offset, const char *section,
                        const char *what);
/* Section and fault of what error_corrupt made, without path, offset and advice; of another message
 * "file" and the whole of it. */
typedef struct error_parts {
    char section[32], what[400];
} error_parts;
void error_corrupt_parts(const pm_error *err, error_parts *out);

#endif
