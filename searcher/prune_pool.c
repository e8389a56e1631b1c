/* SPDX-License-Identifier: MIT
 *
 * prune_pool.c - candidates and their threshold, the k-th largest of their lower bounds.
 *
 * Up to POOL_HEAP_MAX, the k largest are kept in a heap, so that the threshold rises with every
 * candidate: a threshold that is a few candidates late costs more probes than the heap.  For
 * more, candidates are only appended, and when there are enough of them the k-th largest is
 * selected (quickselect, C. Hoare, 1961).
 */
#include "common/base/mem.h"
#include "searcher/prune.h"

enum { POOL_HEAP_MAX = 256 };

/* Tighten again when this many have come since: once for each doubling, so that a tie of
 * any size is selected from in linear time. */
static size_t pool_more(const prune_pool *pool)
{
    return pool->n + pool->k + 64;
}

void prune_pool_begin(prune_pool *pool, uint64_t k)
{
    pool->n = pool->n_heap = 0;
    pool->tighten_at = 0;
    pool->threshold = 0;
    pool->no_memory = k > SIZE_MAX / 64;
    pool->k = pool->no_memory ? 0 : (size_t)k;
    if (pool->k <= POOL_HEAP_MAX &&
        !mem_grow(&pool->order, &pool->order_cap, POOL_HEAP_MAX, sizeof *pool->order))
        pool->no_memory = true;
}

void prune_pool_free(prune_pool *pool)
{
    mem_free(pool->hits);
    mem_free(pool->order);
    mem_free(pool->spare);
    memset(pool, 0, sizeof *pool);
}

float prune_select_largest(float *v, size_t n, size_t k)
{
    size_t low = 0, high = n - 1, want = k - 1;
    while (low < high) {
        float pivot = v[low + (high - low) / 2];
        size_t i = low, j = high + 1; /* v[j .. high] is done; j - 1 is looked at         */
        while (i < j) {
            while (v[i] > pivot) i++;
            while (v[j - 1] < pivot) j--;
            if (i >= j) break;
            float swap = v[i];
            v[i++] = v[--j];
            v[j] = swap;
        }
        /* v[low, j) >= pivot, v[i, high] <= pivot, and between them only the pivot       */
        if (want < j)
            high = j - 1;
        else if (want >= i)
            low = i;
        else
            return pivot;
    }
    return v[want];
}

/* ---- the k largest lower bounds, the least of them on top -------------------------------- */

static void heap_sink(float *v, size_t n, size_t at)
{
    float moving = v[at];
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        child += child + 1 < n && v[child + 1] < v[child];
        if (v[child] >= moving) break;
        v[at] = v[child];
    }
    v[at] = moving;
}

static void heap_make(prune_pool *pool)
{
    for (size_t at = pool->k / 2; at-- > 0;) heap_sink(pool->order, pool->k, at);
}

/* It is a heap once there are k of them. */
static void heap_add(prune_pool *pool, float least)
{
    float *v = pool->order;
    if (pool->n_heap < pool->k) {
        v[pool->n_heap++] = least;
        if (pool->n_heap < pool->k) return;
        heap_make(pool);
    } else {
        if (least <= v[0]) return;
        v[0] = least;
        heap_sink(v, pool->k, 0);
    }
    if (v[0] > pool->threshold) pool->threshold = v[0];
}

/* ---- the pool -------------------------------------------------------------------------------- */

static void drop_below(prune_pool *pool)
{
    size_t kept = 0;
    for (size_t i = 0; i < pool->n; i++) {
        prune_hit one = pool->hits[i];
        pool->hits[kept] = one;
        kept += one.most >= pool->threshold;
    }
    pool->n = kept;
    pool->tighten_at = pool_more(pool) + kept / 2;
}

void prune_pool_select(prune_pool *pool)
{
    if (pool->n < pool->k || !pool->k) return;
    if (!mem_grow(&pool->order, &pool->order_cap, pool->n, sizeof *pool->order)) {
        pool->no_memory = true;
        return;
    }
    for (size_t i = 0; i < pool->n; i++) pool->order[i] = pool->hits[i].least;
    float kth = prune_select_largest(pool->order, pool->n, pool->k);
    if (kth > pool->threshold) pool->threshold = kth;
    if (pool->k <= POOL_HEAP_MAX) {
        pool->n_heap = pool->k; /* selection has put them in front                            */
        heap_make(pool);
    }
    drop_below(pool);
}

void prune_pool_tighten(prune_pool *pool)
{
    if (pool->k > POOL_HEAP_MAX)
        prune_pool_select(pool);
    else
        drop_below(pool);
}

void prune_pool_forget(prune_pool *pool, uint32_t which)
{
    while (pool->n && pool->hits[pool->n - 1].segment == which) pool->n--;
    pool->n_heap = 0;
    for (size_t i = 0; i < pool->n && pool->k <= POOL_HEAP_MAX; i++)
        heap_add(pool, pool->hits[i].least);
}

bool prune_pool_holds(const prune_pool *pool, float least)
{
    return pool->k && pool->k <= POOL_HEAP_MAX && pool->n_heap == pool->k &&
           pool->order[0] >= least;
}

/* Room for `more` hits. */
static bool pool_room(prune_pool *pool, size_t more)
{
    if (pool->cap - pool->n >= more) return true;
    size_t want = pool_more(pool) > pool->n + more ? pool_more(pool) : pool->n + more;
    if (mem_grow(&pool->hits, &pool->cap, want, sizeof *pool->hits)) return true;
    pool->no_memory = true;
    return false;
}

void prune_pool_add(prune_pool *pool, prune_hit one)
{
    if (one.most < pool->threshold || !pool_room(pool, 1)) return;
    pool->hits[pool->n++] = one;
    if (pool->k <= POOL_HEAP_MAX) heap_add(pool, one.least);
}

void prune_pool_add_batch(prune_pool *pool, const prune_batch *b, float margin,
                          uint32_t segment_index)
{
    if (!pool_room(pool, b->n)) return;
    prune_hit *to = pool->hits + pool->n;
    for (uint32_t i = 0; i < b->n; i++) {
        float most = b->scores[i], least = most - margin;
        if (most < pool->threshold) continue;
        *to++ = (prune_hit){most, least, segment_index, b->docs[i], 0};
        if (pool->k <= POOL_HEAP_MAX) heap_add(pool, least);
    }
    pool->n = (size_t)(to - pool->hits);
}
