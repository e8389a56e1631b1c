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

/* On as many threads as can be made; how many these were, once they have ended. */
static unsigned run_made(thread_job *jobs, unsigned n, void (*fn)(void *ctx, unsigned index),
                         void (*tick)(void *ctx), void *ctx)
{
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
    return made;
}

pm_status thread_run_ticking(unsigned n, void (*fn)(void *ctx, unsigned index),
                             void (*tick)(void *ctx), void *ctx, pm_error *err)
{
    thread_job *jobs = mem_array(n, sizeof *jobs);
    if (!jobs) return error_nomem(err);
    unsigned made = run_made(jobs, n, fn, tick, ctx);
    mem_free(jobs);
    if (made < n) return error_set(err, PM_NOMEM, "cannot start thread %u of %u", made + 1, n);
    return PM_OK;
}

void thread_run_all(unsigned n, void (*fn)(void *ctx, unsigned index), void *ctx)
{
    thread_job *jobs = n > 1 ? mem_array(n, sizeof *jobs) : NULL;
    unsigned made = jobs ? run_made(jobs, n, fn, NULL, ctx) : 0;
    mem_free(jobs);
    for (; made < n; made++) fn(ctx, made);
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
