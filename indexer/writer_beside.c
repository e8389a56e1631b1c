/* SPDX-License-Identifier: MIT
 * writer_beside.c - a merge that goes on while the writer takes the next articles; see writer.h.
 *
 * It is begun at a commit, of segments that this commit names, and takes their place at a later one
 * (writer_tiers.c says when).  Documents that were alive when it began are in it; those that have
 * died since die in it when it takes their place.  With one thread it is made at once, where it is
 * begun, and else everything is the same: so the bytes do not depend on threads (INV-5).
 *
 * What the two threads share: the inputs, which both only read; the forms, of which the merge knows
 * those there were (inverter_freeze).  Its bitmaps of dead documents are copies.  Its memory is
 * counted from begin to end, whether or not it is done.
 *
 * A merge beside may fail: then its inputs stay, and what must be merged is merged by the writer,
 * which tells why it cannot.
 */
#include <stdatomic.h>

#include "common/base/mem.h"
#include "common/base/thread.h"
#include "indexer/merge.h"
#include "indexer/writer.h"

enum { BESIDE_SHARE = 4 }; /* a part of the limit that it may take                             */

struct beside_merge {
    size_t first, n;
    merge_input *inputs;
    uint64_t **dead; /* copies, by input; NULL: none was dead                              */
    inverter *iv;    /* with the tokens of the inputs, where they are kept                    */
    dir folder;      /* of the writer, but asks `stopped`                                      */
    segment_writer_config config;
    merge_order order;
    bool sync;
    uint64_t memory;
    char name[SEGMENT_NAME_MAX];
    thread *thread; /* NULL: done                                                           */
    atomic_bool stopped;
    writer_segment merged;
    pm_status status;
};

static bool is_wanted(void *ctx, uint64_t bytes)
{
    beside_merge *b = ctx;
    (void)bytes;
    return !atomic_load_explicit(&b->stopped, memory_order_relaxed);
}

static void run(void *ctx)
{
    beside_merge *b = ctx;
    pm_error err;
    b->status = merge_segments(&b->folder, b->inputs, b->n, b->name, &b->config, &b->order, b->sync,
                               &b->merged.named, &err);
    if (b->status == PM_OK && b->iv) b->merged.kept = inverter_take(b->iv);
}

/* Its result, if there is one, stays where it is. */
static void beside_free(beside_merge *b)
{
    for (size_t i = 0; b->dead && i < b->n; i++) mem_free(b->dead[i]);
    mem_free(b->dead);
    mem_free(b->inputs);
    inverter_close(b->iv);
    mem_free(b);
}

static void ask(void *ctx)
{
    pm_writer *w = ctx;
    if (w->folder.watch && !w->folder.watch(w->folder.watch_ctx, 0))
        atomic_store_explicit(&w->beside->stopped, true, memory_order_relaxed);
}

/* ---- begin ---------------------------------------------------------------------------- */

static bool copy_inputs(beside_merge *b, const pm_writer *w)
{
    b->inputs = mem_array(b->n, sizeof *b->inputs);
    b->dead = mem_array(b->n, sizeof *b->dead);
    if (!b->inputs || !b->dead) return false;
    for (size_t i = 0; i < b->n; i++) {
        const writer_segment *s = &w->segments[b->first + i];
        b->inputs[i].seg = s->seg;
        if (!s->dead) continue;
        size_t words = bit_words(s->named.n_docs);
        b->dead[i] = mem_array(words, sizeof *b->dead[i]);
        if (!b->dead[i]) return false;
        memcpy(b->dead[i], s->dead, words * sizeof *b->dead[i]);
        b->inputs[i].dead = b->dead[i];
    }
    return true;
}

/* Their tokens, where all are kept, in an inverter of their own. */
static bool copy_tokens(beside_merge *b, const pm_writer *w)
{
    pm_error err;
    if (inverter_open(&b->iv, w->a, w->meta.has_positions, &err) != PM_OK) return false;
    for (size_t i = 0; i < b->n; i++)
        if (!inverter_add_kept(b->iv, w->segments[b->first + i].kept, b->inputs[i].dead))
            return false;
    writer_keep(w, b->iv);
    b->order.tokens = b->iv;
    return inverter_freeze(b->iv);
}

static beside_merge *prepare(pm_writer *w, size_t first, size_t n, bool kept, uint64_t memory)
{
    beside_merge *b = mem_zalloc(sizeof *b);
    if (!b) return NULL;
    b->first = first;
    b->n = n;
    b->memory = memory;
    b->sync = w->options.commit_level < 2;
    b->order = (merge_order){.by = PM_REORDER_KEEP,
                             .threads = w->options.threads,
                             .memory_bytes = w->options.memory_bytes};
    b->folder = w->folder;
    if (copy_inputs(b, w) && (!kept || copy_tokens(b, w))) return b;
    beside_free(b);
    return NULL;
}

/* Bytes at most that the merge takes, by what its inputs keep; 0: they are read. */
static uint64_t kept_cost(const pm_writer *w, size_t first, size_t n)
{
    uint64_t cost = inverter_frozen_memory(w->iv);
    if (!writer_kept_all(w, first, n)) return 0;
    for (size_t i = first; i < first + n; i++) {
        const kept_tokens *k = w->segments[i].kept;
        cost += kept_tokens_cost(k) + kept_tokens_memory(k);
    }
    return cost;
}

bool writer_beside_fits(const pm_writer *w, uint64_t memory)
{
    return memory <= writer_budget(w) / BESIDE_SHARE;
}

bool writer_beside_begin(pm_writer *w, size_t first, size_t n, uint64_t memory)
{
    pm_error err;
    uint64_t kept = kept_cost(w, first, n);
    if (kept) memory = kept;
    if (!writer_beside_fits(w, memory)) return false;
    beside_merge *b = prepare(w, first, n, kept != 0, memory);
    if (!b) return false;
    uint64_t number = w->meta.next_file++;
    b->config = writer_config(w, number);
    manifest_make_name(b->name, number, ".seg");
    w->beside = b;
    if (w->options.threads > 1) {
        b->folder.watch = is_wanted;
        b->folder.watch_ctx = b;
        if (thread_start(&b->thread, run, b, &err) == PM_OK) return true;
        b->folder.watch = w->folder.watch;
        b->folder.watch_ctx = w->folder.watch_ctx;
    }
    w->phase = PM_PHASE_MERGE;
    run(b);
    w->phase = PM_PHASE_STORE;
    return true;
}

/* ---- meanwhile ------------------------------------------------------------------------ */

uint64_t writer_beside_memory(const pm_writer *w)
{
    return w->beside ? w->beside->memory : 0;
}

bool writer_beside_holds(const pm_writer *w, size_t i)
{
    return w->beside && i >= w->beside->first && i < w->beside->first + w->beside->n;
}

const char *writer_beside_name(const pm_writer *w)
{
    return w->beside ? w->beside->name : NULL;
}

static void wait_for(pm_writer *w)
{
    beside_merge *b = w->beside;
    if (!b->thread) return;
    pm_phase phase = w->phase;
    w->phase = PM_PHASE_MERGE;
    thread_join_ticking(b->thread, ask, w);
    b->thread = NULL;
    w->phase = phase;
}

void writer_beside_forget(pm_writer *w)
{
    if (!w->beside) return;
    wait_for(w);
    kept_tokens_free(w->beside->merged.kept);
    w->beside->merged.kept = NULL;
}

/* ---- end ------------------------------------------------------------------------------ */

void writer_beside_cancel(pm_writer *w)
{
    beside_merge *b = w->beside;
    if (!b) return;
    atomic_store_explicit(&b->stopped, true, memory_order_relaxed);
    thread_join(b->thread);
    if (b->status == PM_OK) dir_unlink(&w->folder, b->name, NULL);
    kept_tokens_free(b->merged.kept);
    w->beside = NULL;
    beside_free(b);
}

/* Documents that have died since it began. */
static bool kill_late(pm_writer *w, beside_merge *b)
{
    uint32_t to = 0;
    for (size_t i = 0; i < b->n; i++) {
        const writer_segment *s = &w->segments[b->first + i];
        for (uint32_t doc = 0; doc < s->named.n_docs; doc++) {
            if (b->dead[i] && bit_get(b->dead[i], doc)) continue;
            if (s->dead && bit_get(s->dead, doc) && !writer_segment_kill(&b->merged, to))
                return false;
            to++;
        }
    }
    return true;
}

pm_status writer_beside_end(pm_writer *w, size_t *first, size_t *n, writer_segment *merged,
                            pm_error *err)
{
    pm_status st = PM_OK;
    beside_merge *b = w->beside;
    *n = 0;
    wait_for(w);
    w->beside = NULL;
    if (b->status == PM_OK && (!writer_reserve_made(w) || !kill_late(w, b))) st = error_nomem(err);
    if (st == PM_OK && b->status == PM_OK) {
        writer_made(w, b->name);
        *first = b->first;
        *n = b->n;
        *merged = b->merged;
    } else if (b->status == PM_OK) {
        dir_unlink(&w->folder, b->name, NULL);
        writer_segment_close(&b->merged);
    }
    beside_free(b);
    return st;
}
