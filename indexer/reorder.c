/* SPDX-License-Identifier: MIT
 * reorder.c - recursive graph bisection; see reorder.h.
 *
 * A range of documents is cut in two halves; then documents are exchanged, in rounds, as long
 * as that lowers the estimated cost of the lists:
 *
 *     cost = sum over terms of  a log2(n / (a + 1)) + b log2(n / (b + 1))
 *
 * where a and b count the term's documents in the left and right half of n documents each: about
 * the bits of the gaps.  In a round each document's gain from changing sides is the sum of its
 * terms' gains; the best of the left change places with the best of the right while the pair gains.
 * Both halves are then ranges of their own.
 *
 * Ranges are divided level by level until there are enough for all threads, then each to the
 * end by one.  A range's division looks at nothing outside it, and its sums are added in
 * the order of its documents' terms; so who divides it does not matter.  The logarithm is our own,
 * of additions and divisions only, because a library's last bits differ between machines.
 */
#include "indexer/reorder.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/cpu.h"
#include "common/base/mem.h"
#include "common/base/thread.h"
#include "indexer/keysort.h"

enum {
    LOG_TABLE = 4096,
    TASKS_A_THREAD = 8,
    ASK_EVERY = 256, /* documents that are looked at between two questions                   */
};

typedef struct range {
    uint32_t from, end; /* in the order                                                     */
} range;

/* What a thread knows of a term of the range in hand; together, since a term's place is a miss
 * of the cache.  left and right are zero between ranges. */
typedef struct degree {
    uint32_t left, right; /* documents of each half with the term                            */
    uint32_t round;       /* in which the gains were computed                                */
    float to_right, to_left;
} degree;

typedef struct degrees {
    degree *terms;
    uint32_t now; /* round                                                                   */
} degrees;

typedef struct bisection {
    const forward_index *f;
    uint32_t *order;
    keysort_item *items, *scratch; /* by place in the order                                  */
    degrees *threads;
    unsigned n_threads;
    float logs[LOG_TABLE];
    range *ranges; /* of this level                                                          */
    uint32_t n_ranges;
    bool to_the_end; /* ranges are divided down to leaves                                    */
    _Atomic uint32_t next;
    const reorder_watch *watch;
    atomic_bool stopped; /* the caller wants no more: all that follows is left out            */
    bool alone; /* no thread could be made: the caller's divides, and asks meanwhile          */
} bisection;

static bool stopped(const bisection *b)
{
    return atomic_load_explicit(&b->stopped, memory_order_relaxed);
}

/* On the caller's thread, while others work, or between the pieces of its own. */
static void ask(void *ctx)
{
    bisection *b = ctx;
    if (!stopped(b) && !b->watch->go_on(b->watch->ctx)) b->stopped = true;
}

/* ---- logarithms --------------------------------------------------------------------------- */

/* log2 of n > 0 to six digits: the exponent, and the series of the inverse hyperbolic tangent. */
static float log2_of(uint32_t n)
{
    unsigned exponent = 31 - (unsigned)__builtin_clz(n);
    double x = (double)n / (double)(UINT32_C(1) << exponent), t = (x - 1) / (x + 1), tt = t * t;
    double series = t * (1 + tt * (1.0 / 3 + tt * (1.0 / 5 + tt * (1.0 / 7 + tt / 9))));
    return (float)(exponent + series * 2.8853900817779268);
}

static float log2_table(const bisection *b, uint32_t n)
{
    return n < LOG_TABLE ? b->logs[n] : log2_of(n);
}

/* ---- gains -------------------------------------------------------------------------------- */

/* Bits of n gaps among documents of whose number logn is the logarithm. */
static float term_cost(const bisection *b, uint32_t n, float logn)
{
    return (float)n * (logn - log2_table(b, n + 1));
}

/* What the term gains when one of its documents changes sides. */
static void term_gains(const bisection *b, degree *d, float log_left, float log_right)
{
    uint32_t l = d->left, r = d->right;
    float before = term_cost(b, l, log_left) + term_cost(b, r, log_right);
    d->to_right = d->to_left = 0;
    if (l) d->to_right = before - term_cost(b, l - 1, log_left) - term_cost(b, r + 1, log_right);
    if (r) d->to_left = before - term_cost(b, l + 1, log_left) - term_cost(b, r - 1, log_right);
}

/* Floats to numbers that fall as the floats rise. */
static uint32_t falling(float gain)
{
    uint32_t bits;
    gain += 0.0f; /* no negative zero                                                        */
    memcpy(&bits, &gain, sizeof bits);
    return bits & UINT32_C(0x80000000) ? bits : UINT32_C(0x7fffffff) - bits;
}

static float gain_of(uint32_t key)
{
    float gain;
    uint32_t bits = key & UINT32_C(0x80000000) ? key : UINT32_C(0x7fffffff) - key;
    memcpy(&gain, &bits, sizeof gain);
    return gain;
}

/* The documents [from, end) of the order as items, the best first. */
static void rank_half(bisection *b, degrees *d, uint32_t from, uint32_t end, bool left,
                      float log_left, float log_right)
{
    const forward_index *f = b->f;
    for (uint32_t at = from; at < end; at++) {
        if (b->alone && at % ASK_EVERY == 0) ask(b);
        if (stopped(b)) return;
        uint32_t doc = b->order[at];
        float gain = 0;
        for (uint64_t i = f->starts[doc]; i < f->starts[doc + 1]; i++) {
            degree *term = &d->terms[f->terms[i]];
            if (term->round != d->now) {
                term->round = d->now;
                term_gains(b, term, log_left, log_right);
            }
            gain += left ? term->to_right : term->to_left;
        }
        b->items[at] = (keysort_item){.prefix = (uint64_t)falling(gain) << 32 | doc, .id = doc};
    }
    keysort(b->items + from, b->scratch + from, end - from, NULL);
}

/* ---- one division ------------------------------------------------------------------------- */

/* Unsigned, so that one less is UINT32_MAX more. */
static void count_terms(const bisection *b, degrees *d, uint32_t doc, uint32_t left, uint32_t right)
{
    const forward_index *f = b->f;
    for (uint64_t i = f->starts[doc]; i < f->starts[doc + 1]; i++) {
        d->terms[f->terms[i]].left += left;
        d->terms[f->terms[i]].right += right;
    }
}

/* Exchange the best pairs; returns how many. */
static uint32_t exchange(bisection *b, degrees *d, range r, uint32_t middle)
{
    uint32_t n = r.end - middle < middle - r.from ? r.end - middle : middle - r.from, done = 0;
    for (; done < n; done++) {
        const keysort_item *left = &b->items[r.from + done], *right = &b->items[middle + done];
        float gain =
            gain_of((uint32_t)(left->prefix >> 32)) + gain_of((uint32_t)(right->prefix >> 32));
        if (!(gain > 0)) break;
        count_terms(b, d, left->id, UINT32_MAX, 1);
        count_terms(b, d, right->id, 1, UINT32_MAX);
    }
    for (uint32_t at = r.from; at < r.end; at++) b->order[at] = b->items[at].id;
    for (uint32_t i = 0; i < done; i++) {
        b->order[r.from + i] = b->items[middle + i].id;
        b->order[middle + i] = b->items[r.from + i].id;
    }
    return done;
}

static void forget(const bisection *b, degrees *d, range r)
{
    const forward_index *f = b->f;
    for (uint32_t at = r.from; at < r.end; at++)
        for (uint64_t i = f->starts[b->order[at]]; i < f->starts[b->order[at] + 1]; i++)
            d->terms[f->terms[i]].left = d->terms[f->terms[i]].right = 0;
}

/* Divide a range; returns the middle. */
static uint32_t divide(bisection *b, degrees *d, range r)
{
    uint32_t middle = r.from + (r.end - r.from) / 2;
    float log_left = log2_of(middle - r.from), log_right = log2_of(r.end - middle);
    for (uint32_t at = r.from; at < r.end && !stopped(b); at++)
        count_terms(b, d, b->order[at], at < middle, at >= middle);
    for (unsigned round = 0; round < REORDER_ROUNDS; round++) {
        d->now++;
        rank_half(b, d, r.from, middle, true, log_left, log_right);
        rank_half(b, d, middle, r.end, false, log_left, log_right);
        if (stopped(b)) return middle;
        if (!exchange(b, d, r, middle)) break;
    }
    forget(b, d, r);
    return middle;
}

/* ---- all of them -------------------------------------------------------------------------- */

/* A leaf keeps the order in which its documents were numbered. */
static void settle_leaf(bisection *b, range r)
{
    for (uint32_t i = r.from + 1; i < r.end; i++) {
        uint32_t doc = b->order[i], at = i;
        for (; at > r.from && b->order[at - 1] > doc; at--) b->order[at] = b->order[at - 1];
        b->order[at] = doc;
    }
}

/* Depth is bounded by the logarithm of the number of documents. */
static void divide_to_the_end(bisection *b, degrees *d, range r)
{
    if (stopped(b)) return;
    if (r.end - r.from <= REORDER_LEAF) {
        settle_leaf(b, r);
        return;
    }
    uint32_t middle = divide(b, d, r);
    divide_to_the_end(b, d, (range){r.from, middle});
    divide_to_the_end(b, d, (range){middle, r.end});
}

static void work(void *ctx, unsigned index)
{
    bisection *b = ctx;
    for (uint32_t i; (i = atomic_fetch_add(&b->next, 1)) < b->n_ranges;) {
        if (b->to_the_end)
            divide_to_the_end(b, &b->threads[index], b->ranges[i]);
        else
            divide(b, &b->threads[index], b->ranges[i]);
    }
}

/* Every range becomes its two halves. */
static void next_level(bisection *b)
{
    for (uint32_t i = b->n_ranges; i-- > 0;) {
        range r = b->ranges[i];
        uint32_t middle = r.from + (r.end - r.from) / 2;
        b->ranges[2 * i] = (range){r.from, middle};
        b->ranges[2 * i + 1] = (range){middle, r.end};
    }
    b->n_ranges *= 2;
}

/* All ranges of this level.  A thread that cannot be made is no failure: the others do its part,
 * and what is left when there are none is done here. */
static void divide_ranges(bisection *b)
{
    unsigned threads = b->n_ranges < b->n_threads ? b->n_ranges : b->n_threads;
    b->next = 0;
    if (b->watch)
        thread_run_ticking(threads, work, ask, b, NULL);
    else
        thread_run(threads, work, b, NULL);
    b->alone = b->watch != NULL;
    work(b, 0);
    b->alone = false;
}

static pm_status run_levels(bisection *b, pm_error *err)
{
    pm_status st = PM_OK;
    uint32_t n = b->f->n_docs, enough = b->n_threads > 1 ? b->n_threads * TASKS_A_THREAD : 1;
    b->ranges[0] = (range){0, n};
    b->n_ranges = 1;
    for (;;) {
        b->to_the_end = b->n_ranges >= enough || n / b->n_ranges <= 2 * REORDER_LEAF;
        divide_ranges(b);
        if (stopped(b)) PM_TRY(error_os(err, ECANCELED, "cannot put articles in order"));
        if (b->to_the_end) break;
        next_level(b);
    }
out:
    return st;
}

static void bisection_free(bisection *b)
{
    for (unsigned i = 0; b->threads && i < b->n_threads; i++) mem_free(b->threads[i].terms);
    mem_free(b->threads);
    mem_free(b->items);
    mem_free(b->scratch);
    mem_free(b->ranges);
    mem_free(b);
}

uint64_t reorder_memory(uint32_t n_docs, uint32_t n_terms, uint64_t n_postings, unsigned threads)
{
    return 4 * n_postings + 48 * (uint64_t)n_docs + 20 * (uint64_t)n_terms * threads;
}

pm_status reorder_bisect(const forward_index *f, unsigned threads, const reorder_watch *watch,
                         uint32_t *order, pm_error *err)
{
    pm_status st = PM_OK;
    bisection *b = mem_zalloc(sizeof *b);
    if (!b) return error_nomem(err);
    b->f = f;
    b->order = order;
    b->watch = watch;
    b->n_threads = threads ? threads : cpu_count();
    b->items = mem_array(f->n_docs, sizeof *b->items);
    b->scratch = mem_array(f->n_docs, sizeof *b->scratch);
    b->threads = mem_array(b->n_threads, sizeof *b->threads);
    b->ranges = mem_array(2 * (size_t)TASKS_A_THREAD * b->n_threads + 2, sizeof *b->ranges);
    bool ok = b->items && b->scratch && b->threads && b->ranges;
    for (unsigned i = 0; ok && i < b->n_threads; i++) {
        b->threads[i].terms = mem_array(f->n_terms, sizeof(degree));
        ok = b->threads[i].terms != NULL;
    }
    for (uint32_t i = 1; i < LOG_TABLE; i++) b->logs[i] = log2_of(i);
    st = !ok ? error_nomem(err) : f->n_docs > 1 ? run_levels(b, err) : PM_OK;
    bisection_free(b);
    return st;
}
