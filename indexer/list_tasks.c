/* SPDX-License-Identifier: MIT
 * list_tasks.c - see list_tasks.h.
 *
 * Tasks go round a ring of slots.  A worker takes the next task when its slot is empty; the
 * calling thread waits for the oldest task, appends it and empties its slot.
 */
#include "indexer/list_tasks.h"

#include <pthread.h>

#include "common/base/mem.h"
#include "common/base/thread.h"

enum {
    TASK_SLOTS = 8,
    TASK_KEEP_BYTES = 1 << 20, /* a larger task's memory is not kept for the next one       */
};

typedef struct made_list {
    segment_list list; /* its region: in bytes                                           */
    size_t key_at, key_len, at;
    uint32_t tag;
} made_list;

struct list_task {
    segment_encoder *encoder; /* of the worker                                            */
    buf bytes, keys;
    made_list *lists;
    size_t n, cap;
    pm_status status;
    pm_error err;
    bool done;
};

typedef struct worker {
    struct pool *pool;
    unsigned number;
    segment_encoder *encoder;
    thread *thread;
} worker;

typedef struct pool {
    const list_job *job;
    pthread_mutex_t lock;
    pthread_cond_t made, room;
    uint32_t n_tasks, next, written; /* tasks there are, are taken, are appended            */
    bool stopped;
    worker workers[LIST_WORKERS_MAX];
    list_task slots[TASK_SLOTS];
} pool;

/* ---- one task --------------------------------------------------------------------------- */

void list_task_fail(list_task *t, pm_status status, const pm_error *err)
{
    if (t->status != PM_OK) return;
    t->status = status;
    t->err = *err;
}

bool list_task_failed(const list_task *t)
{
    return t->status != PM_OK;
}

static void task_nomem(list_task *t)
{
    pm_error err;
    list_task_fail(t, error_nomem(&err), &err);
}

void list_task_put(list_task *t, const segment_term *term, const segment_feed *feed, uint32_t tag)
{
    if (t->status != PM_OK) return;
    if (!mem_grow(&t->lists, &t->cap, t->n + 1, sizeof *t->lists)) {
        task_nomem(t);
        return;
    }
    made_list *m = &t->lists[t->n++];
    *m = (made_list){.key_at = t->keys.len, .key_len = term->key_len, .at = t->bytes.len};
    m->tag = tag;
    segment_encode(t->encoder, term, feed, &m->list);
    buf_append(&t->keys, term->key, term->key_len);
    if (!t->bytes.len && m->list.region.len > TASK_KEEP_BYTES)
        segment_encoder_swap(t->encoder, &t->bytes); /* a long list is not copied               */
    else
        buf_append(&t->bytes, m->list.region.data, m->list.region.len);
    if (t->keys.failed || t->bytes.failed) task_nomem(t);
}

static void task_make(const list_job *job, worker *by, uint32_t number, list_task *t)
{
    t->encoder = by->encoder;
    job->make(job->ctx, by->number, number, t);
}

/* Append what was made, and empty the task. */
static pm_status task_write(const list_job *job, list_task *t, pm_error *err)
{
    pm_status st = t->status;
    if (st != PM_OK && err) *err = t->err;
    for (size_t i = 0; i < t->n && st == PM_OK; i++) {
        made_list *m = &t->lists[i];
        m->list.region.data = t->bytes.data + m->at;
        uint32_t ordinal =
            segment_writer_list(job->w, (slice){t->keys.data + m->key_at, m->key_len}, &m->list);
        if (job->written) job->written(job->ctx, m->tag, ordinal);
    }
    if (t->bytes.cap > TASK_KEEP_BYTES) buf_free(&t->bytes);
    buf_reset(&t->bytes);
    buf_reset(&t->keys);
    t->n = 0;
    t->done = false;
    return st;
}

/* ---- workers ------------------------------------------------------------------------------ */

/* The next task, if there is one; the lock is held. */
static bool take_next(pool *p, unsigned by, uint32_t *number)
{
    if (p->stopped || p->next >= p->n_tasks) return false;
    if (p->job->next && !p->job->next(p->job->ctx, by, p->next)) {
        p->n_tasks = p->next;
        return false;
    }
    *number = p->next++;
    return true;
}

/* The same when its slot is empty. */
static bool take(pool *p, unsigned by, uint32_t *number)
{
    pthread_mutex_lock(&p->lock);
    while (!p->stopped && p->next < p->n_tasks && p->next - p->written >= TASK_SLOTS)
        pthread_cond_wait(&p->room, &p->lock);
    bool good = take_next(p, by, number);
    if (!good) pthread_cond_signal(&p->made); /* whoever waits for more may look               */
    pthread_mutex_unlock(&p->lock);
    return good;
}

static void work(void *ctx)
{
    worker *self = ctx;
    pool *p = self->pool;
    uint32_t number;
    while (take(p, self->number, &number)) {
        list_task *t = &p->slots[number % TASK_SLOTS];
        task_make(p->job, self, number, t);
        pthread_mutex_lock(&p->lock);
        t->done = true;
        pthread_cond_signal(&p->made);
        pthread_mutex_unlock(&p->lock);
    }
}

/* Wait for a task; false when there is none of that number. */
static bool wait_made(pool *p, uint32_t number)
{
    const list_task *t = &p->slots[number % TASK_SLOTS];
    pthread_mutex_lock(&p->lock);
    while (!t->done && number < p->n_tasks) pthread_cond_wait(&p->made, &p->lock);
    bool there = number < p->n_tasks;
    pthread_mutex_unlock(&p->lock);
    return there;
}

static void give_room(pool *p, bool stop)
{
    pthread_mutex_lock(&p->lock);
    p->written++;
    p->stopped |= stop;
    pthread_cond_broadcast(&p->room);
    pthread_mutex_unlock(&p->lock);
}

/* Append the tasks that workers make. */
static pm_status write_made(pool *p, pm_error *err)
{
    pm_status st = PM_OK;
    for (uint32_t i = 0; st == PM_OK && wait_made(p, i); i++) {
        list_task *t = &p->slots[i % TASK_SLOTS];
        st = task_write(p->job, t, err);
        bool stop = st != PM_OK || segment_writer_failed(p->job->w);
        give_room(p, stop);
        if (stop) break;
    }
    return st;
}

/* Make and append task after task here. */
static pm_status work_here(pool *p, pm_error *err)
{
    pm_status st = PM_OK;
    uint32_t number;
    while (st == PM_OK && !segment_writer_failed(p->job->w) && take_next(p, 0, &number)) {
        task_make(p->job, &p->workers[0], number, &p->slots[0]);
        st = task_write(p->job, &p->slots[0], err);
    }
    return st;
}

/* ---- all ---------------------------------------------------------------------------------- */

/* Encoders for n workers, and threads when they are more than one; fewer when the system
 * refuses threads.  Returns how many threads there are. */
static unsigned start(pool *p, unsigned n)
{
    unsigned started = 0;
    for (unsigned i = 0; i < n; i++) {
        worker *w = &p->workers[i];
        *w = (worker){.pool = p, .number = i, .encoder = segment_encoder_open(p->job->w)};
        if (!w->encoder) break;
        if (n == 1) break;
        if (thread_start(&w->thread, work, w, NULL) != PM_OK) break;
        started++;
    }
    return started;
}

static void stop(pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopped = true;
    pthread_cond_broadcast(&p->room);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < LIST_WORKERS_MAX; i++) {
        thread_join(p->workers[i].thread);
        segment_encoder_close(p->workers[i].encoder);
    }
    for (unsigned i = 0; i < TASK_SLOTS; i++) {
        buf_free(&p->slots[i].bytes);
        buf_free(&p->slots[i].keys);
        mem_free(p->slots[i].lists);
    }
}

pm_status list_tasks_run(const list_job *job, unsigned threads, pm_error *err)
{
    pm_status st;
    if (segment_writer_failed(job->w)) return PM_OK; /* its documents may not even be there     */
    pool *p = mem_zalloc(sizeof *p);
    if (!p) return error_nomem(err);
    p->job = job;
    p->n_tasks = job->n_tasks;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->made, NULL);
    pthread_cond_init(&p->room, NULL);
    if (threads > LIST_WORKERS_MAX) threads = LIST_WORKERS_MAX;
    if (job->n_tasks < 2 || threads == 0) threads = 1;
    unsigned started = start(p, threads);
    if (started)
        st = write_made(p, err);
    else if (p->workers[0].encoder)
        st = work_here(p, err);
    else
        st = error_nomem(err);
    stop(p);
    pthread_cond_destroy(&p->room);
    pthread_cond_destroy(&p->made);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
    return st;
}
