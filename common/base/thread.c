/* SPDX-License-Identifier: MIT
 * thread.c - see thread.h.
 */
#include "common/base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "common/base/mem.h"

enum { TICK_NS = 50000000 };

typedef struct thread_job {
    void (*fn)(void *ctx, unsigned index);
    void *ctx;
    unsigned index;
    pthread_t id;
} thread_job;

static void *thread_main(void *arg)
{
    thread_job *job = arg;
    job->fn(job->ctx, job->index);
    return NULL;
}

static struct timespec next_tick(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += TICK_NS;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

static void join_ticking(pthread_t id, void (*tick)(void *ctx), void *ctx)
{
    struct timespec due = next_tick();
    while (pthread_timedjoin_np(id, NULL, &due) == ETIMEDOUT) {
        tick(ctx);
        due = next_tick();
    }
}

pm_status thread_run_ticking(unsigned n, void (*fn)(void *ctx, unsigned index),
                             void (*tick)(void *ctx), void *ctx, pm_error *err)
{
    thread_job *jobs = mem_array(n, sizeof *jobs);
    if (!jobs) return error_nomem(err);
    unsigned made = 0;
    for (; made < n; made++) {
        jobs[made] = (thread_job){.fn = fn, .ctx = ctx, .index = made};
        if (pthread_create(&jobs[made].id, NULL, thread_main, &jobs[made]) != 0) break;
    }
    for (unsigned i = 0; i < made; i++) {
        if (tick)
            join_ticking(jobs[i].id, tick, ctx);
        else
            pthread_join(jobs[i].id, NULL);
    }
    mem_free(jobs);
    if (made < n) return error_set(err, PM_NOMEM, "cannot start thread %u of %u", made + 1, n);
    return PM_OK;
}

pm_status thread_run(unsigned n, void (*fn)(void *ctx, unsigned index), void *ctx, pm_error *err)
{
    if (n > 1) return thread_run_ticking(n, fn, NULL, ctx, err);
    if (n == 1) fn(ctx, 0);
    return PM_OK;
}

/* ---- one thread beside the caller ------------------------------------------------------- */

struct thread {
    void (*fn)(void *ctx);
    void *ctx;
    pthread_t id;
};

static void *beside_main(void *arg)
{
    const thread *t = arg;
    t->fn(t->ctx);
    return NULL;
}

pm_status thread_start(thread **out, void (*fn)(void *ctx), void *ctx, pm_error *err)
{
    thread *t = mem_alloc(sizeof *t);
    *out = NULL;
    if (!t) return error_nomem(err);
    *t = (thread){.fn = fn, .ctx = ctx};
    if (pthread_create(&t->id, NULL, beside_main, t) != 0) {
        mem_free(t);
        return error_set(err, PM_NOMEM, "cannot start a thread");
    }
    *out = t;
    return PM_OK;
}

void thread_join(thread *t)
{
    if (!t) return;
    pthread_join(t->id, NULL);
    mem_free(t);
}

void thread_join_ticking(thread *t, void (*tick)(void *ctx), void *ctx)
{
    if (!t) return;
    join_ticking(t->id, tick, ctx);
    mem_free(t);
}

/* ---- ring ------------------------------------------------------------------------------- */

struct ring {
    pthread_mutex_t lock;
    pthread_cond_t filled, freed;
    unsigned slots, first, count, wake;
    uint64_t weight, max_weight;
    bool ended, stopped, taker_waits, giver_waits;
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

static void wake_taker(ring *r)
{
    if (r->taker_waits && (r->count || r->ended)) pthread_cond_signal(&r->filled);
}

/* The giver waits for the taker to free something. */
static void wait_freed(ring *r)
{
    wake_taker(r);
    r->giver_waits = true;
    pthread_cond_wait(&r->freed, &r->lock);
    r->giver_waits = false;
}

bool ring_room(ring *r, unsigned *slot)
{
    pthread_mutex_lock(&r->lock);
    while (!r->stopped && r->count == r->slots) wait_freed(r);
    *slot = (r->first + r->count) % r->slots;
    bool room = !r->stopped;
    pthread_mutex_unlock(&r->lock);
    return room;
}

void ring_give(ring *r, uint64_t weight)
{
    pthread_mutex_lock(&r->lock);
    while (!r->stopped && r->count && r->weight + weight > r->max_weight) wait_freed(r);
    r->weights[(r->first + r->count) % r->slots] = weight;
    r->weight += weight;
    r->count++;
    if (r->count >= r->wake) wake_taker(r);
    pthread_mutex_unlock(&r->lock);
}

void ring_flush(ring *r)
{
    pthread_mutex_lock(&r->lock);
    wake_taker(r);
    pthread_mutex_unlock(&r->lock);
}

void ring_end(ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->ended = true;
    wake_taker(r);
    pthread_mutex_unlock(&r->lock);
}

void ring_drain(ring *r)
{
    pthread_mutex_lock(&r->lock);
    while (!r->stopped && r->count) wait_freed(r);
    pthread_mutex_unlock(&r->lock);
}

bool ring_take(ring *r, unsigned *slot)
{
    pthread_mutex_lock(&r->lock);
    while (!r->count && !r->ended) {
        r->taker_waits = true;
        pthread_cond_wait(&r->filled, &r->lock);
        r->taker_waits = false;
    }
    *slot = r->first;
    bool taken = r->count != 0;
    pthread_mutex_unlock(&r->lock);
    return taken;
}

/* A giver that waits is woken at half, so that the two do not take turns slot by slot. */
void ring_free(ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->weight -= r->weights[r->first];
    r->first = (r->first + 1) % r->slots;
    r->count--;
    bool half = r->count <= r->slots / 2 && r->weight <= r->max_weight / 2;
    if (r->giver_waits && (half || !r->count)) pthread_cond_signal(&r->freed);
    pthread_mutex_unlock(&r->lock);
}

void ring_stop(ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->stopped = true;
    pthread_cond_signal(&r->freed);
    pthread_mutex_unlock(&r->lock);
}

uint64_t ring_weight(ring *r)
{
    pthread_mutex_lock(&r->lock);
    uint64_t weight = r->weight;
    pthread_mutex_unlock(&r->lock);
    return weight;
}
