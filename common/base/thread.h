/* SPDX-License-Identifier: MIT
 * thread.h - run one function on several threads; nothing more is needed above base.
 */
#ifndef PM_BASE_THREAD_H
#define PM_BASE_THREAD_H

#include "common/base/error.h"

/* Calls fn(ctx, 0) .. fn(ctx, n - 1), each on a thread of its own (n == 1: on the caller's),
 * and waits for all.  PM_NOMEM when a thread cannot be made (those made are joined first,
 * and fn must cope with not being called for every index). */
pm_status thread_run(unsigned n, void (*fn)(void *ctx, unsigned index), void *ctx, pm_error *err);

#endif
