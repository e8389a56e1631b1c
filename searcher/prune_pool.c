/* SPDX-License-Identifier: MIT
 *
 * prune_pool.c - candidates and their threshold.  Not a heap: candidates are appended, and when
 * there are enough of them the k-th largest lower bound is selected (quickselect, C. Hoare,
 * 1961) and everything below it dropped.
 */
#include "common/base/mem.h"
#include "searcher/prune.h"

/* Tighten again when this many have come since: once for each doubling, so that a tie of
 * any size is selected from in linear time. */
static size_t pool_more(const prune_pool *pool)
{
    return pool->n + pool->k + 64;
}

void prune_pool_begin(prune_pool *pool, uint64_t k)
{
    pool->n = 0;
    pool->tighten_at = 0;
    pool->threshold = 0;
    pool->no_memory = k > SIZE_MAX / 64;
    pool->k = pool->no_memory ? 0 : (size_t)k;
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

void prune_pool_tighten(prune_pool *pool)
{
    if (pool->n < pool->k || !pool->k) return;
    if (!mem_grow(&pool->order, &pool->order_cap, pool->n, sizeof *pool->order)) {
        pool->no_memory = true;
        return;
    }
    for (size_t i = 0; i < pool->n; i++) pool->order[i] = pool->hits[i].least;
    float kth = prune_select_largest(pool->order, pool->n, pool->k);
    if (kth > pool->threshold) pool->threshold = kth;
    size_t kept = 0;
    for (size_t i = 0; i < pool->n; i++) {
        prune_hit one = pool->hits[i];
        pool->hits[kept] = one;
        kept += one.most >= pool->threshold;
    }
    pool->n = kept;
    pool->tighten_at = pool_more(pool) + kept / 2;
}

void prune_pool_add(prune_pool *pool, prune_hit one)
{
    if (one.most < pool->threshold) return;
    if (pool->n == pool->cap &&
        !mem_grow(&pool->hits, &pool->cap, pool_more(pool), sizeof *pool->hits)) {
        pool->no_memory = true;
        return;
    }
    pool->hits[pool->n++] = one;
}
