/* SPDX-License-Identifier: MIT
 * thread.h - run one function on several threads, or one beside the caller.
 */
#ifndef PM_BASE_THREAD_H
#define PM_BASE_THREAD_H

#include "common/base/error.h"

/* Calls fn(ctx, 0) .. fn(ctx, n - 1), each on a thread of its own (n == 1: on the caller's),
 * and waits for all.  PM_NOMEM when a thread cannot be made (those made are joined first,
 * and fn must cope with not being called for every index). */
pm_status thread_run(unsigned n, void (*fn)(void *ctx, unsigned index), void *ctx, pm_error *err);
/* The same where a thread that cannot be made is no failure: what it was for is called on the
 * caller's, after the others.  So fn is called for every index. */
void thread_run_all(unsigned n, void (*fn)(void *ctx, unsigned index), void *ctx);
/* As thread_run, with all n threads beside the caller, on whose thread tick(ctx) is called every 50
 * ms until they have ended. */
pm_status thread_run_ticking(unsigned n, void (*fn)(void *ctx, unsigned index),
                             void (*tick)(void *ctx), void *ctx, pm_error *err);

/* One function beside the caller.  thread_join waits for it; NULL is allowed. */
typedef struct thread thread;
pm_status thread_start(thread **out, void (*fn)(void *ctx), void *ctx, pm_error *err);
void thread_join(thread *t);
/* The same, with tick(ctx) called every 50 ms meanwhile. */
void thread_join_ticking(thread *t, void (*tick)(void *ctx), void *ctx);

#endif
