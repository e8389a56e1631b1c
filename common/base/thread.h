/* SPDX-License-Identifier: MIT
 * thread.h - run one function on several threads, or one beside the caller; and a ring through
 * which one thread hands work to another.
 */
#ifndef PM_BASE_THREAD_H
#define PM_BASE_THREAD_H

#include "common/base/error.h"

/* Calls fn(ctx, 0) .. fn(ctx, n - 1), each on a thread of its own (n == 1: on the caller's),
 * and waits for all.  PM_NOMEM when a thread cannot be made (those made are joined first,
 * and fn must cope with not being called for every index). */
pm_status thread_run(unsigned n, void (*fn)(void *ctx, unsigned index), void *ctx, pm_error *err);
/* The same with all n threads beside the caller, on whose thread tick(ctx) is called every 50 ms
 * until they have ended. */
pm_status thread_run_ticking(unsigned n, void (*fn)(void *ctx, unsigned index),
                             void (*tick)(void *ctx), void *ctx, pm_error *err);

/* One function beside the caller.  thread_join waits for it; NULL is allowed. */
typedef struct thread thread;
pm_status thread_start(thread **out, void (*fn)(void *ctx), void *ctx, pm_error *err);
void thread_join(thread *t);
/* The same, with tick(ctx) called every 50 ms meanwhile. */
void thread_join_ticking(thread *t, void (*tick)(void *ctx), void *ctx);

/* A bounded ring of slots between one giver and one taker.  It hands over numbers of slots, in
 * order; what stands in a slot is its owners' business.  Each filled slot has a weight, and
 * the giver waits while the ring is full, or not empty and heavier than max_weight.
 *
 *   giver: ring_room, fill the slot, ring_give ... ring_end
 *   taker: ring_take, use the slot, ring_free
 */
typedef struct ring ring;
/* A taker that waits is woken when `wake` slots are filled, or by ring_flush, ring_end or a
 * giver that waits. */
pm_status ring_open(ring **out, unsigned slots, unsigned wake, uint64_t max_weight, pm_error *err);
void ring_close(ring *r); /* nobody uses it any more; NULL is allowed */
/* The next slot to fill; false when the taker has stopped. */
bool ring_room(ring *r, unsigned *slot);
void ring_give(ring *r, uint64_t weight);
void ring_flush(ring *r);
void ring_end(ring *r);
/* Wait until every slot is free again (or the taker has stopped). */
void ring_drain(ring *r);
/* The next filled slot; false when the giver has ended and nothing is left. */
bool ring_take(ring *r, unsigned *slot);
void ring_free(ring *r);
/* The taker wants no more; the giver's calls return at once from now on. */
void ring_stop(ring *r);
/* Of the slots that are filled or in use. */
uint64_t ring_weight(ring *r);

#endif
