/* SPDX-License-Identifier: MIT
 * thread.c - see thread.h.
 */
#include "common/base/thread.h"

#include <pthread.h>

#include "common/base/mem.h"

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

pm_status thread_run(unsigned n, void (*fn)(void *ctx, unsigned index), void *ctx, pm_error *err)
{
    if (n <= 1) {
        if (n == 1) fn(ctx, 0);
        return PM_OK;
    }
    thread_job *jobs = mem_array(n, sizeof *jobs);
    if (!jobs) return error_nomem(err);
    unsigned made = 0;
    for (; made < n; made++) {
        jobs[made] = (thread_job){.fn = fn, .ctx = ctx, .index = made};
        if (pthread_create(&jobs[made].id, NULL, thread_main, &jobs[made]) != 0) break;
    }
    for (unsigned i = 0; i < made; i++) pthread_join(jobs[i].id, NULL);
    mem_free(jobs);
    if (made < n) return error_set(err, PM_NOMEM, "cannot start thread %u of %u", made + 1, n);
    return PM_OK;
}
