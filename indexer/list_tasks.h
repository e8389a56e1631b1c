/* SPDX-License-Identifier: MIT
 * list_tasks.h - posting lists made on several threads and written in order.
 *
 * The lists of a segment are cut into tasks, each some neighbouring keys.  Workers take task
 * after task, make its lists and encode them (segment_encoder.h); the calling thread appends
 * what they made, task by task.  So the file does not depend on how many workers there are
 * (INV-5), and no more than a few tasks' bytes are held at a time.
 *
 *   task 0   task 1   task 2   task 3  ...     workers, whoever is free
 *      \        \        \        \
 *       +--------+--------+--------+---------> segment_writer_list, in order
 */
#ifndef PM_INDEXER_LIST_TASKS_H
#define PM_INDEXER_LIST_TASKS_H

#include "indexer/segment_encoder.h"

enum { LIST_WORKERS_MAX = 2 }; /* their largest lists are counted memory (inverter.c)          */

/* The lists of one task, encoded so far. */
typedef struct list_task list_task;

/* Encode a list, which is borrowed for the call.  Keys of all tasks must rise. */
void list_task_put(list_task *t, const segment_term *term, const segment_feed *feed, uint32_t tag);
/* The task cannot be done; the first failure is kept. */
void list_task_fail(list_task *t, pm_status status, const pm_error *err);
bool list_task_failed(const list_task *t);

typedef struct list_job {
    segment_writer *w; /* documents are done                                          */
    uint32_t n_tasks;  /* UINT32_MAX: as many as `next` gives                        */
    void *ctx;
    /* One call at a time, in order of tasks, by the worker that will make it: what has to be
     * read in order is read here.  False: there is no such task.  NULL: nothing has to. */
    bool (*next)(void *ctx, unsigned worker, uint32_t task);
    /* On any thread; worker < LIST_WORKERS_MAX and none twice at a time. */
    void (*make)(void *ctx, unsigned worker, uint32_t task, list_task *out);
    /* On the calling thread, in order of keys; NULL: nobody asks. */
    void (*written)(void *ctx, uint32_t tag, uint32_t ordinal);
} list_job;

/* At most `threads` workers, and LIST_WORKERS_MAX.  A failure of the writer is not reported
 * here: it is sticky there, and ends the run early. */
pm_status list_tasks_run(const list_job *job, unsigned threads, pm_error *err);

#endif
