/* SPDX-License-Identifier: MIT
 * ring.h - what one thread makes, in order, to another that uses it.
 *
 * Counters are atomic; the lock is for those who wait, so that a slot that is neither the first
 * after none nor the last before all costs no system call and no lock.
 */
#ifndef PM_BASE_RING_H
#define PM_BASE_RING_H

#include <stdint.h>

#include "common/base/error.h"

/* A bounded ring of slots between one giver and one taker.  It hands over numbers of slots, in
 * order; what stands in a slot is its owners' business.  Each filled slot has a weight, and
 * the giver waits while the ring is full, or not empty and heavier than max_weight.
 *
 *   giver: ring_room, fill the slot, ring_give ... ring_end
 *   taker: ring_take, use the slot, ring_free
 */
typedef struct ring ring;
/* A taker that waits is woken when `wake` slots are filled, or by ring_end or a giver that
 * waits. */
pm_status ring_open(ring **out, unsigned slots, unsigned wake, uint64_t max_weight, pm_error *err);
void ring_close(ring *r); /* nobody uses it any more; NULL is allowed */
/* The next slot to fill; false when the taker has stopped.  Waits, too, while one is filled that is
 * heavier by itself than the ring may be, so that there are never two of those. */
bool ring_room(ring *r, unsigned *slot);
void ring_give(ring *r, uint64_t weight);
void ring_end(ring *r);
/* The next filled slot; false when the giver has ended and nothing is left. */
bool ring_take(ring *r, unsigned *slot);
void ring_free(ring *r);
/* The taker wants no more; the giver's calls return at once from now on. */
void ring_stop(ring *r);
/* Of the slots that are filled or in use. */
uint64_t ring_weight(ring *r);

#endif
