/* SPDX-License-Identifier: MIT
 *
 * term_merge.c - a heap of dictionary iterators; see term_merge.h.
 */
#include "searcher/term_merge.h"

#include "common/base/mem.h"

static int compare_iters(const term_merge *m, uint32_t a, uint32_t b)
{
    const dict_iter *x = &m->iters[a], *y = &m->iters[b];
    size_t common = x->key_len < y->key_len ? x->key_len : y->key_len;
    int order = memcmp(x->key, y->key, common);
    if (order) return order;
    return (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

static bool stands_before(const term_merge *m, uint32_t a, uint32_t b)
{
    int order = compare_iters(m, a, b);
    return order < 0 || (order == 0 && a < b);
}

static void heap_push(term_merge *m, uint32_t segment_index)
{
    uint32_t at = m->n_heap++;
    while (at && stands_before(m, segment_index, m->heap[(at - 1) / 2])) {
        m->heap[at] = m->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    m->heap[at] = segment_index;
}

static uint32_t heap_pop(term_merge *m)
{
    uint32_t least = m->heap[0], moving = m->heap[--m->n_heap], at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= m->n_heap) break;
        if (child + 1 < m->n_heap && stands_before(m, m->heap[child + 1], m->heap[child])) child++;
        if (!stands_before(m, m->heap[child], moving)) break;
        m->heap[at] = m->heap[child];
        at = child;
    }
    m->heap[at] = moving;
    return least;
}

pm_status term_merge_open(term_merge *m, snapshot *snap, bool forms, const void *from,
                          size_t from_len, pm_error *err)
{
    uint32_t n = snap->meta.n_segments;
    *m = (term_merge){.snap = snap};
    m->iters = mem_array(n, sizeof *m->iters);
    m->heap = mem_array((size_t)n + 1, sizeof *m->heap);
    m->at = mem_array(n, sizeof *m->at);
    if (!m->iters || !m->heap || !m->at) return error_nomem(err);
    for (uint32_t i = 0; i < n; i++) {
        dict_iter_begin(&m->iters[i], snap->segments[i].seg, forms, from, from_len);
        if (dict_iter_next(&m->iters[i])) heap_push(m, i);
    }
    return PM_OK;
}

bool term_merge_next(term_merge *m)
{
    for (uint32_t i = 0; i < m->n_at; i++)
        if (dict_iter_next(&m->iters[m->at[i]])) heap_push(m, m->at[i]);
    m->n_at = 0;
    if (!m->n_heap) return false;
    do m->at[m->n_at++] = heap_pop(m);
    while (m->n_heap && compare_iters(m, m->at[0], m->heap[0]) == 0);
    m->key = m->iters[m->at[0]].key;
    m->key_len = m->iters[m->at[0]].key_len;
    return true;
}

void term_merge_close(term_merge *m)
{
    mem_free(m->iters);
    mem_free(m->heap);
    mem_free(m->at);
    memset(m, 0, sizeof *m);
}

void term_merge_live(const term_merge *m, uint64_t *df, uint64_t *cf)
{
    *df = *cf = 0;
    for (uint32_t i = 0; i < m->n_at; i++) {
        uint64_t part_df, part_cf;
        snapshot_segment_df(&m->snap->segments[m->at[i]], &m->iters[m->at[i]].term, &part_df,
                            &part_cf);
        *df += part_df;
        *cf += part_cf;
    }
}
