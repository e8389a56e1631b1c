/* SPDX-License-Identifier: MIT
 * writer_kept.c - tokens of the newest segments, kept for merges; see writer.h and
 * inverter_kept.h.
 *
 * A segment's tokens are kept when they take no more than a sixteenth of the limit of memory; when
 * all that are kept take more than an eighth, the oldest go.  What is kept, and so what a merge
 * reads, follows from counts alone (INV-5), and its result would be the same without.
 */
#include "indexer/writer.h"

enum {
    KEPT_ALL_SHARE = 8,
    KEPT_ONE_SHARE = 16,
};

uint64_t writer_kept_memory(const pm_writer *w)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < w->n_segments; i++)
        if (w->segments[i].kept) sum += kept_tokens_memory(w->segments[i].kept);
    return sum;
}

void writer_drop_kept(pm_writer *w)
{
    for (size_t i = 0; i < w->n_segments; i++) {
        kept_tokens_free(w->segments[i].kept);
        w->segments[i].kept = NULL;
    }
    writer_beside_forget(w);
}

void writer_keep(const pm_writer *w, inverter *iv)
{
    bool much = inverter_stream_memory(iv) > w->options.memory_bytes / KEPT_ONE_SHARE;
    if (!much && !w->keeps_none) inverter_keep(iv);
}

void writer_take_kept(pm_writer *w, writer_segment *s)
{
    s->kept = inverter_take(w->iv);
    uint64_t sum = writer_kept_memory(w);
    for (size_t i = 0; i < w->n_segments && sum > w->options.memory_bytes / KEPT_ALL_SHARE; i++) {
        writer_segment *oldest = &w->segments[i];
        if (!oldest->kept) continue;
        sum -= kept_tokens_memory(oldest->kept);
        kept_tokens_free(oldest->kept);
        oldest->kept = NULL;
    }
}

bool writer_kept_all(const pm_writer *w, size_t first, size_t n)
{
    uint64_t tokens = 0, docs = 0;
    for (size_t i = first; i < first + n; i++) {
        const writer_segment *s = &w->segments[i];
        if (!s->kept) return false;
        tokens += kept_tokens_count(s->kept);
        docs += s->named.n_docs;
    }
    return tokens <= INVERTER_TOKENS_MAX && docs <= INVERTER_DOCS_MAX;
}

bool writer_kept_run(const pm_writer *w, size_t first, size_t n)
{
    if (!writer_kept_all(w, first, n)) return false;
    uint64_t cost = writer_kept_memory(w) + inverter_forms_memory(w->iv);
    for (size_t i = first; i < first + n; i++) cost += kept_tokens_cost(w->segments[i].kept);
    return cost <= writer_budget(w);
}

pm_status writer_add_kept(pm_writer *w, size_t first, size_t n, pm_error *err)
{
    for (size_t i = first; i < first + n; i++)
        if (!inverter_add_kept(w->iv, w->segments[i].kept, w->segments[i].dead))
            return error_nomem(err);
    writer_keep(w, w->iv);
    return PM_OK;
}
