/* SPDX-License-Identifier: MIT
 * merge_order.c - documents of a merge in another order than they stand in; see merge.h.
 *
 * First the order of ingest, whatever came in: so the same articles give the same bytes. For
 * PM_REORDER_BP a forward index of the plain terms is made from the posting lists and
 * reorder.h finds the order.  Stored records follow their documents, because a block holds
 * neighbours; blocks are inflated into a cache, since neighbours come from all over the inputs.
 */
#include <errno.h>

#include "common/base/cpu.h"
#include "common/base/mem.h"
#include "common/segment/store.h"
#include "indexer/keysort.h"
#include "indexer/merge_internal.h"
#include "indexer/reorder.h"

enum { BLOCK_PAGES = 64 << 10 }; /* that reading a stored block from anywhere maps, about       */

/* ---- order of ingest ---------------------------------------------------------------------- */

static void list_sources(merger *m)
{
    for (size_t i = 0; i < m->n; i++)
        for (uint32_t doc = 0; doc < m->inputs[i].seg->info.n_docs; doc++)
            if (m->maps[i].doc[doc] != MERGE_DEAD)
                m->sources[m->maps[i].doc[doc]] = (merge_source){(uint32_t)i, doc};
}

/* sources[n] stands at n from now on. */
static void number_sources(merger *m)
{
    for (uint32_t n = 0; n < m->n_docs; n++)
        m->maps[m->sources[n].input].doc[m->sources[n].doc] = n;
}

/* sources[order[n]] becomes sources[n]. */
static bool move_sources(merger *m, const uint32_t *order)
{
    merge_source *moved = mem_array(m->n_docs, sizeof *moved);
    if (!moved) return false;
    for (uint32_t n = 0; n < m->n_docs; n++) moved[n] = m->sources[order[n]];
    mem_free(m->sources);
    m->sources = moved;
    number_sources(m);
    return true;
}

static pm_status order_by_ingest(merger *m, uint32_t *order, pm_error *err)
{
    size_t n = m->n_docs;
    keysort_item *items = mem_array(n, sizeof *items), *scratch = mem_array(n, sizeof *scratch);
    bool ok = items && scratch;
    for (uint32_t i = 0; ok && i < m->n_docs; i++) {
        merge_source from = m->sources[i];
        items[i] =
            (keysort_item){.prefix = segment_seq(m->inputs[from.input].seg, from.doc), .id = i};
    }
    if (ok) keysort(items, scratch, n, NULL);
    for (uint32_t i = 0; ok && i < m->n_docs; i++) order[i] = items[i].id;
    ok = ok && move_sources(m, order);
    mem_free(items);
    mem_free(scratch);
    return ok ? merge_check(m, err) : error_nomem(err);
}

/* ---- the forward index -------------------------------------------------------------------- */

/* Nothing is written for a while: the folder's watch is asked all the same. */
static bool go_on(void *ctx)
{
    const dir *folder = ((const merger *)ctx)->folder;
    return !folder->watch || folder->watch(folder->watch_ctx, 0);
}

/* A key whose lists go into the forward index. */
static bool decides(const key_merge *k)
{
    const dict_iter *key = &k->iters[k->lead];
    uint64_t df = 0;
    for (size_t i = 0; i < k->n; i++)
        if (k->here[i]) df += k->iters[i].term.df;
    return key->key_len && key->key[0] >= 0x20 && df >= REORDER_DF_MIN;
}

/* Count each live posting of the term, or, when there is room for terms, put it in. */
static void add_term(merger *m, const key_merge *k, cursor *c, forward_index *f)
{
    for (size_t i = 0; i < k->n; i++) {
        if (!k->here[i]) continue;
        cursor_open(c, m->inputs[i].seg, &k->iters[i].term);
        while (cursor_next(c) != CURSOR_END) {
            uint32_t doc = m->maps[i].doc[c->doc];
            merge_pass(m, 4);
            if (doc == MERGE_DEAD) continue;
            if (f->terms) f->terms[f->starts[doc]] = f->n_terms;
            f->starts[doc]++;
        }
    }
    f->n_terms++;
}

static pm_status walk_terms(merger *m, forward_index *f, pm_error *err)
{
    key_merge k = {0};
    cursor *c = mem_zalloc(sizeof *c);
    pm_status st = c ? key_merge_open(&k, m->inputs, m->n, false, err) : error_nomem(err);
    f->n_terms = 0;
    while (st == PM_OK && key_merge_next(&k)) {
        if (!decides(&k)) continue;
        add_term(m, &k, c, f);
        if (!go_on(m)) st = error_os(err, ECANCELED, "cannot count words");
    }
    key_merge_close(&k);
    mem_free(c);
    return st == PM_OK ? merge_check(m, err) : st;
}

static pm_status refuse(const merger *m, uint64_t need, uint64_t limit, pm_error *err)
{
    return error_set(err, PM_USAGE,
                     "reordering %u articles takes %llu MB of memory, more than the limit of %llu "
                     "MB; give --memory=%lluM, or leave the order as it is",
                     m->n_docs, (unsigned long long)(need >> 20) + 1,
                     (unsigned long long)(limit >> 20), (unsigned long long)(need >> 20) + 1);
}

/* Counts become starts: starts[d] is where document d's terms begin; returns their number. */
static uint64_t counts_to_starts(forward_index *f)
{
    uint64_t sum = 0;
    for (uint32_t doc = 0; doc <= f->n_docs; doc++) {
        uint64_t count = f->starts[doc];
        f->starts[doc] = sum;
        sum += count;
    }
    return sum;
}

static pm_status forward_make(merger *m, forward_index *f, const merge_order *order,
                              unsigned threads, pm_error *err)
{
    pm_status st = PM_OK;
    *f = (forward_index){.n_docs = m->n_docs};
    f->starts = mem_array((size_t)m->n_docs + 1, sizeof *f->starts);
    if (!f->starts) return error_nomem(err);
    PM_TRY(walk_terms(m, f, err));
    uint64_t n = counts_to_starts(f), need = reorder_memory(m->n_docs, f->n_terms, n, threads);
    if (need > order->memory_bytes) PM_TRY(refuse(m, need, order->memory_bytes, err));
    f->terms = mem_array(n, sizeof *f->terms);
    if (!f->terms) PM_TRY(error_nomem(err));
    PM_TRY(walk_terms(m, f, err));
    /* Each start has become the next document's. */
    memmove(f->starts + 1, f->starts, (size_t)m->n_docs * sizeof *f->starts);
    f->starts[0] = 0;
out:
    return st;
}

static pm_status order_by_words(merger *m, const merge_order *order, uint32_t *places,
                                pm_error *err)
{
    pm_status st = PM_OK;
    forward_index f;
    unsigned threads = order->threads ? order->threads : cpu_count();
    reorder_watch watch = {go_on, m};
    PM_TRY(forward_make(m, &f, order, threads, err));
    for (uint32_t i = 0; i < m->n_docs; i++) places[i] = i;
    PM_TRY(reorder_bisect(&f, threads, m->folder->watch ? &watch : NULL, places, err));
    if (!move_sources(m, places)) st = error_nomem(err);
out:
    mem_free(f.starts);
    mem_free(f.terms);
    return st;
}

pm_status merge_reorder(merger *m, const merge_order *order, pm_error *err)
{
    pm_status st = PM_OK;
    uint32_t *places = mem_array(m->n_docs, sizeof *places);
    m->sources = mem_array(m->n_docs, sizeof *m->sources);
    if (!places || !m->sources) PM_TRY(error_nomem(err));
    list_sources(m);
    PM_TRY(order_by_ingest(m, places, err));
    if (order->by == PM_REORDER_BP) PM_TRY(order_by_words(m, order, places, err));
out:
    mem_free(places);
    return st;
}

/* ---- documents ---------------------------------------------------------------------------- */

/* Inflated blocks; block b of input i has its place at (first[i] + b) mod n. */
typedef struct block_cache {
    store_cache *slots;
    size_t n;
    uint64_t *first;
} block_cache;

static void cache_free(block_cache *c)
{
    for (size_t i = 0; c->slots && i < c->n; i++) store_cache_free(&c->slots[i]);
    mem_free(c->slots);
    mem_free(c->first);
}

/* As many slots as blocks, or as the limit allows of the mean block. */
static pm_status cache_init(block_cache *c, const merger *m, uint64_t limit, pm_error *err)
{
    uint64_t blocks = 0, bytes = 0;
    c->first = mem_array(m->n, sizeof *c->first);
    if (!c->first) return error_nomem(err);
    for (size_t i = 0; i < m->n; i++) {
        segment *s = m->inputs[i].seg;
        c->first[i] = blocks;
        for (uint32_t b = 0; b < store_block_count(s); b++, blocks++) {
            uint32_t first, n, raw_len;
            slice deflated;
            if (!store_block_raw(s, b, &first, &n, &raw_len, &deflated))
                return segment_status(s, err);
            bytes += raw_len;
        }
    }
    c->n = (size_t)(bytes <= limit ? blocks : limit / (bytes / blocks + 1));
    if (!c->n) c->n = 1;
    c->slots = mem_array(c->n, sizeof *c->slots);
    return c->slots ? PM_OK : error_nomem(err);
}

static pm_status put_source(merger *m, block_cache *c, merge_source from, pm_error *err)
{
    segment *s = m->inputs[from.input].seg;
    uint32_t block;
    slice record;
    if (!store_find_block(s, from.doc, &block)) return segment_status(s, err);
    store_cache *slot = &c->slots[(c->first[from.input] + block) % c->n];
    if (slot->s != s || slot->block != block) merge_pass(m, BLOCK_PAGES);
    pm_status st = store_get(slot, s, from.doc, &record, err);
    if (st == PM_OK) merge_put_document(m, s, from.doc, record);
    return st;
}

pm_status merge_ordered_documents(merger *m, uint64_t cache_bytes, pm_error *err)
{
    block_cache c = {0};
    pm_status st = cache_init(&c, m, cache_bytes, err);
    for (uint32_t n = 0; n < m->n_docs && st == PM_OK; n++)
        st = put_source(m, &c, m->sources[n], err);
    cache_free(&c);
    return st == PM_OK ? merge_check(m, err) : st;
}
