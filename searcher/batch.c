/* SPDX-License-Identifier: MIT
 *
 * batch.c - many queries on several threads, answers in input order.
 *
 * Queries go in rounds.  A round has one searcher for each of its queries, so that results
 * need no copying: threads take the round's queries one by one, then the caller's thread
 * delivers them in order.  A round is long enough that starting its threads and waiting for
 * the slowest cost little.
 */
#include <stdatomic.h>

#include "common/base/cpu.h"
#include "common/base/mem.h"
#include "common/base/thread.h"
#include "searcher/index.h"

enum { ROUND_PER_THREAD = 32, THREADS_MAX = 256 };

typedef struct batch_slot {
    pm_searcher *searcher;
    const pm_result *result;
    pm_error error;
} batch_slot;

typedef struct batch {
    const pm_batch_query *queries; /* of this round                                       */
    const pm_search_options *options;
    batch_slot *slots;
    size_t n;
    _Atomic size_t next;
} batch;

static void search_slot(batch *b, size_t i)
{
    batch_slot *slot = &b->slots[i];
    const pm_text query = b->queries[i].query;
    slot->error = (pm_error){.status = PM_OK};
    pm_status st = pm_searcher_search(slot->searcher, query.data, query.len, b->options,
                                      &slot->result, &slot->error);
    slot->error.status = st;
}

static void work(void *ctx, unsigned index)
{
    batch *b = ctx;
    (void)index;
    for (size_t i; (i = atomic_fetch_add(&b->next, 1)) < b->n;) search_slot(b, i);
}

/* Searchers for a round of n; they stay for the next rounds. */
static pm_status open_slots(batch *b, pm_index *index, size_t n, pm_error *err)
{
    pm_status st = PM_OK;
    for (size_t i = 0; i < n; i++)
        if (!b->slots[i].searcher) PM_TRY(pm_searcher_open(index, &b->slots[i].searcher, err));
out:
    return st;
}

static void run_round(batch *b, unsigned threads)
{
    atomic_store(&b->next, 0);
    if (threads > 1 && b->n > 1) thread_run(threads, work, b, NULL);
    work(b, 0); /* what is left when no thread could be made                              */
}

pm_status pm_batch(pm_index *index, const pm_batch_query *queries, size_t n,
                   const pm_search_options *options, unsigned threads,
                   bool (*each)(void *ctx, size_t i, const pm_result *result,
                                const pm_error *error),
                   void *ctx, pm_error *err)
{
    pm_status st = PM_OK;
    batch b = {.options = options};
    if (!threads) threads = cpu_count();
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    size_t round = threads == 1 ? 1 : (size_t)threads * ROUND_PER_THREAD;
    if (round > n) round = n;
    bool more = true;
    b.slots = mem_array(round, sizeof *b.slots);
    if (!b.slots) return error_nomem(err);
    PM_TRY(open_slots(&b, index, round, err));
    for (size_t done = 0; done < n && more; done += b.n) {
        b.queries = queries + done;
        b.n = n - done < round ? n - done : round;
        run_round(&b, threads);
        for (size_t i = 0; i < b.n && more; i++) {
            const batch_slot *slot = &b.slots[i];
            bool failed = slot->error.status != PM_OK && slot->error.status != PM_PARTIAL;
            more = each(ctx, done + i, failed ? NULL : slot->result,
                        slot->error.status != PM_OK ? &slot->error : NULL);
        }
    }
out:
    for (size_t i = 0; i < round; i++) pm_searcher_close(b.slots[i].searcher);
    mem_free(b.slots);
    return st;
}
