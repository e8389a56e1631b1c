/* SPDX-License-Identifier: MIT
 * ring.c - see ring.h.
 *
 * Nobody sleeps through a change: who is to wait says so, and then looks once more before it does;
 * who changes something looks for waiters afterwards.  All of that is sequentially consistent, so
 * one of the two sees the other (Dekker's algorithm).  A signal is sent under the lock, which a
 * waiter holds from its look to its sleep.
 */
#include "common/base/ring.h"

#include <pthread.h>
#include <stdatomic.h>

#include "common/base/mem.h"

struct ring {
    unsigned slots, wake;
    uint64_t max_weight;
    unsigned next;  /* slot to fill; the giver's                                             */
    unsigned first; /* slot to use; the taker's                                            */
    atomic_uint count;
    _Atomic uint64_t weight;
    atomic_bool ended, stopped, taker_waits, giver_waits;
    pthread_mutex_t lock;
    pthread_cond_t filled, freed;
    uint64_t weights[];
};

pm_status ring_open(ring **out, unsigned slots, unsigned wake, uint64_t max_weight, pm_error *err)
{
    ring *r = mem_zalloc(sizeof *r + slots * sizeof r->weights[0]);
    *out = r;
    if (!r) return error_nomem(err);
    r->slots = slots;
    r->wake = wake;
    r->max_weight = max_weight;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->filled, NULL);
    pthread_cond_init(&r->freed, NULL);
    return PM_OK;
}

void ring_close(ring *r)
{
    if (!r) return;
    pthread_cond_destroy(&r->filled);
    pthread_cond_destroy(&r->freed);
    pthread_mutex_destroy(&r->lock);
    mem_free(r);
}

static void signal_under_lock(ring *r, pthread_cond_t *what)
{
    pthread_mutex_lock(&r->lock);
    pthread_cond_signal(what);
    pthread_mutex_unlock(&r->lock);
}

/* ---- the giver ------------------------------------------------------------------------- */

static bool is_full(const ring *r, uint64_t weight)
{
    (void)weight;
    return r->count == r->slots || r->weight > r->max_weight;
}

static bool is_heavy(const ring *r, uint64_t weight)
{
    return r->count && r->weight + weight > r->max_weight;
}

/* Wait for the taker to free what is in the way. */
static void wait_while(ring *r, bool (*in_the_way)(const ring *r, uint64_t weight), uint64_t weight)
{
    if (r->stopped || !in_the_way(r, weight)) return;
    pthread_mutex_lock(&r->lock);
    r->giver_waits = true;
    while (!r->stopped && in_the_way(r, weight)) {
        if (r->taker_waits) pthread_cond_signal(&r->filled);
        pthread_cond_wait(&r->freed, &r->lock);
    }
    r->giver_waits = false;
    pthread_mutex_unlock(&r->lock);
}

bool ring_room(ring *r, unsigned *slot)
{
    wait_while(r, is_full, 0);
    *slot = r->next;
    return !r->stopped;
}

void ring_give(ring *r, uint64_t weight)
{
    wait_while(r, is_heavy, weight);
    r->weights[r->next] = weight;
    r->next = (r->next + 1) % r->slots;
    atomic_fetch_add(&r->weight, weight);
    unsigned filled = atomic_fetch_add(&r->count, 1) + 1;
    if (filled >= r->wake && r->taker_waits) signal_under_lock(r, &r->filled);
}

void ring_end(ring *r)
{
    r->ended = true;
    if (r->taker_waits) signal_under_lock(r, &r->filled);
}

uint64_t ring_weight(ring *r)
{
    return r->weight;
}

/* ---- the taker ------------------------------------------------------------------------- */

static void wait_filled(ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->taker_waits = true;
    while (!r->count && !r->ended) pthread_cond_wait(&r->filled, &r->lock);
    r->taker_waits = false;
    pthread_mutex_unlock(&r->lock);
}

bool ring_take(ring *r, unsigned *slot)
{
    if (!r->count) wait_filled(r);
    *slot = r->first;
    return r->count != 0;
}

/* A giver that waits is woken at half, so that the two do not take turns slot by slot. */
void ring_free(ring *r)
{
    uint64_t less = r->weights[r->first], weight = atomic_fetch_sub(&r->weight, less) - less;
    r->first = (r->first + 1) % r->slots;
    unsigned filled = atomic_fetch_sub(&r->count, 1) - 1;
    bool half = filled <= r->slots / 2 && weight <= r->max_weight / 2;
    if (r->giver_waits && (half || !filled)) signal_under_lock(r, &r->freed);
}

void ring_stop(ring *r)
{
    r->stopped = true;
    signal_under_lock(r, &r->freed);
}
