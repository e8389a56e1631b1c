/* SPDX-License-Identifier: MIT
 * merge.c - documents and surface forms of a merge; see merge.h.
 *
 * 1. documents  numbered anew, dead ones left out; a stored block without dead documents is
 *               copied as it is, others are taken apart
 * 2. forms      a walk over all form dictionaries gives each distinct form a number and each
 *               input a map from (term, index) to it
 * 3. terms      merge_terms.c: a walk over all term dictionaries, list by list
 * 4. forms      the first walk again, now with frequencies, indexes and ordinals known
 */
#include "indexer/merge_internal.h"

#include <stdatomic.h>

#include "common/base/mem.h"
#include "common/base/scratch.h"
#include "common/segment/form_spelling.h"
#include "common/segment/store.h"
#include "indexer/keysort.h"

/* Read for a key, for a document's columns, and for those of a document from anywhere, about. */
enum { KEY_BYTES = 16, COLUMN_BYTES = 48, COLUMN_PAGES = 8192 };

/* Of the limit, with `spills`: what an array must take to go to a file, and how much of files stays
 * at hand. */
enum { SPILL_SHARE = 256, SPILL_LEAST = 4 << 10, WINDOW_SHARE = 16, WINDOW_LEAST = 64 << 10 };

static bool is_dead(const merge_input *in, uint32_t doc)
{
    return in->dead && in->dead[doc >> 6] >> (doc & 63) & 1;
}

pm_status merge_check(const merger *m, pm_error *err)
{
    for (size_t i = 0; i < m->n; i++) {
        pm_status st = segment_status(m->inputs[i].seg, err);
        if (st != PM_OK) return st;
    }
    return PM_OK;
}

void merge_pass(merger *m, uint64_t bytes)
{
    uint64_t passed = atomic_fetch_add_explicit(&m->passed, bytes, memory_order_relaxed) + bytes;
    if (passed < SEGMENT_PASS_BYTES) return;
    atomic_store_explicit(&m->passed, 0, memory_order_relaxed);
    for (size_t i = 0; i < m->n; i++) map_release(&m->inputs[i].seg->file);
}

/* ---- several dictionaries as one ----------------------------------------------------- */

static void key_advance(key_merge *k, size_t i)
{
    const dict_iter *it = &k->iters[i];
    k->more[i] = dict_iter_next(&k->iters[i]);
    k->passed += KEY_BYTES + it->key_len;
    if (k->more[i]) k->begins[i] = keysort_string(it->key, it->key_len, 0).prefix;
}

pm_status key_merge_open(key_merge *k, const merge_input *inputs, size_t n, bool forms,
                         pm_error *err)
{
    *k = (key_merge){.n = n};
    k->iters = mem_array(n, sizeof *k->iters);
    k->more = mem_array(n, sizeof *k->more);
    k->here = mem_array(n, sizeof *k->here);
    k->begins = mem_array(n, sizeof *k->begins);
    if (!k->iters || !k->more || !k->here || !k->begins) return error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        dict_iter_begin(&k->iters[i], inputs[i].seg, forms, "", 0);
        key_advance(k, i);
    }
    return PM_OK;
}

static int compare_keys(const key_merge *k, size_t a, size_t b)
{
    if (k->begins[a] != k->begins[b]) return k->begins[a] < k->begins[b] ? -1 : 1;
    const dict_iter *x = &k->iters[a], *y = &k->iters[b];
    return keysort_compare(x->key, x->key_len, y->key, y->key_len);
}

/* Keys have been read of each input. */
static void key_merge_pass(key_merge *k)
{
    if (k->passed < SEGMENT_PASS_BYTES) return;
    for (size_t i = 0; i < k->n; i++) map_release(&k->iters[i].s->file);
    k->passed = 0;
}

bool key_merge_next(key_merge *k)
{
    bool any = false;
    key_merge_pass(k);
    for (size_t i = 0; i < k->n; i++) {
        if (k->here[i]) key_advance(k, i);
        if (!k->more[i]) continue;
        if (!any || compare_keys(k, i, k->lead) < 0) k->lead = i;
        any = true;
    }
    for (size_t i = 0; i < k->n; i++)
        k->here[i] = k->more[i] && (i == k->lead || compare_keys(k, i, k->lead) == 0);
    return any;
}

void key_merge_close(key_merge *k)
{
    mem_free(k->iters);
    mem_free(k->more);
    mem_free(k->here);
    mem_free(k->begins);
    *k = (key_merge){0};
}

/* ---- documents ----------------------------------------------------------------------- */

void merge_put_document(merger *m, segment *s, uint32_t doc, slice record)
{
    uint8_t room[SEGMENT_ID_ROOM];
    slice id = segment_id(s, doc, room);
    segment_doc out = {
        .id = (const char *)id.data,
        .id_len = id.len,
        .dl = segment_dl(s, doc),
        .seq = segment_seq(s, doc),
        .date = segment_date(s, doc),
        .record = record,
    };
    store_mark(s, doc, &out.mark);
    segment_writer_doc(m->w, &out);
    merge_pass(m, m->sources ? COLUMN_PAGES : COLUMN_BYTES);
    scratch_pass(m->scratch, COLUMN_BYTES);
}

/* The documents [first, first + n) of one stored block. */
static pm_status merge_block(merger *m, const merge_input *in, store_cache *cache, uint32_t first,
                             uint32_t n, uint32_t raw_len, slice deflated, pm_error *err)
{
    bool whole = true;
    for (uint32_t i = 0; i < n; i++) whole = whole && !is_dead(in, first + i);
    if (whole) segment_writer_raw_block(m->w, n, raw_len, deflated);
    merge_pass(m, deflated.len);
    for (uint32_t i = 0; i < n; i++) {
        slice record = {NULL, 0};
        if (is_dead(in, first + i)) continue;
        if (!whole) {
            pm_status st = store_get(cache, in->seg, first + i, &record, err);
            if (st != PM_OK) return st;
        }
        merge_put_document(m, in->seg, first + i, record);
    }
    return PM_OK;
}

static pm_status merge_input_documents(merger *m, const merge_input *in, pm_error *err)
{
    pm_status st = PM_OK;
    store_cache cache = {0};
    uint32_t n_blocks = store_block_count(in->seg), next = 0;
    for (uint32_t b = 0; b < n_blocks && st == PM_OK; b++) {
        uint32_t first, n, raw_len;
        slice deflated;
        if (!store_block_raw(in->seg, b, &first, &n, &raw_len, &deflated)) break;
        if (first != next || n > in->seg->info.n_docs - first) break;
        next = first + n;
        st = merge_block(m, in, &cache, first, n, raw_len, deflated, err);
    }
    store_cache_free(&cache);
    if (st == PM_OK && next != in->seg->info.n_docs)
        segment_damaged(in->seg, 0, section_name(SECTION_STORE_DIR),
                        "blocks do not cover the documents");
    return st == PM_OK ? segment_status(in->seg, err) : st;
}

/* Each document's number, from `next` on. */
static void number_each(const merge_input *in, uint32_t *numbers, uint32_t next)
{
    for (uint32_t doc = 0; doc < in->seg->info.n_docs; doc++)
        numbers[doc] = is_dead(in, doc) ? MERGE_DEAD : next++;
}

/* all: documents change places, so that each one's number is kept. */
static pm_status number_documents(merger *m, bool all, pm_error *err)
{
    uint32_t next = 0;
    for (size_t i = 0; i < m->n; i++) {
        const merge_input *in = &m->inputs[i];
        uint32_t n_docs = in->seg->info.n_docs, n_dead = 0;
        merge_map *to = &m->maps[i];
        to->base = next;
        for (uint32_t doc = 0; in->dead && doc < n_docs; doc++) n_dead += is_dead(in, doc);
        if (n_docs - n_dead > INT32_MAX - next)
            return error_set(err, PM_USAGE, "more documents than one segment can hold");
        next += n_docs - n_dead;
        if (!n_dead && !all) continue;
        to->doc = scratch_array(m->scratch, n_docs, sizeof *to->doc);
        if (!to->doc) return error_nomem(err);
        number_each(in, to->doc, to->base);
    }
    m->n_docs = next;
    return PM_OK;
}

static pm_status merge_documents(merger *m, const merge_order *order, pm_error *err)
{
    bool reorder = order && order->by != PM_REORDER_KEEP;
    pm_status st = number_documents(m, reorder, err);
    if (st == PM_OK && reorder) st = merge_reorder(m, order, err);
    if (st == PM_OK && m->sources) st = merge_ordered_documents(m, order->memory_bytes / 4, err);
    for (size_t i = 0; i < m->n && st == PM_OK && !m->sources; i++)
        st = merge_input_documents(m, &m->inputs[i], err);
    segment_writer_docs_done(m->w);
    return st;
}

/* ---- forms --------------------------------------------------------------------------- */

/* Where each term's forms begin in the input's map. */
static pm_status map_terms(merger *m, size_t i, dict_iter *it, pm_error *err)
{
    segment *s = m->inputs[i].seg;
    merge_map *to = &m->maps[i];
    if (s->info.n_terms >= UINT32_MAX || s->info.n_forms >= UINT32_MAX)
        return error_set(err, PM_USAGE, "more terms than one segment can hold");
    uint32_t n_terms = (uint32_t)s->info.n_terms, n_forms = (uint32_t)s->info.n_forms;
    to->form_base = scratch_array(m->scratch, (size_t)n_terms + 1, sizeof *to->form_base);
    to->form = scratch_array(m->scratch, n_forms, sizeof *to->form);
    to->style = scratch_array(m->scratch, n_terms, sizeof *to->style);
    if (!to->form_base || !to->form || !to->style) return error_nomem(err);
    uint32_t sum = 0, t = 0;
    dict_iter_begin(it, s, false, "", 0);
    for (; t < n_terms && dict_iter_next(it); t++) {
        merge_pass(m, KEY_BYTES + it->key_len);
        scratch_pass(m->scratch, sizeof *to->form_base + 1);
        to->form_base[t] = sum;
        to->style[t] = (uint8_t)it->term.style;
        if (it->term.n_forms > n_forms - sum) break;
        sum += it->term.n_forms;
    }
    to->form_base[t] = sum;
    if (t < n_terms || sum != n_forms)
        segment_damaged(s, 0, section_name(SECTION_TERMS), "forms of terms and forms disagree");
    return segment_status(s, err);
}

/* How a form follows from the key of its term; key: scratch. */
static bool style_by_term(merger *m, const key_merge *k, buf *key)
{
    const dict_iter *lead = &k->iters[k->lead];
    term_entry term;
    slice folded, exact;
    buf_reset(key);
    if (!dict_term_at(m->inputs[k->lead].seg, lead->form.term, &term, key)) return !key->failed;
    if (form_key_parts((slice){lead->key, lead->key_len}, &folded, &exact))
        m->styles[m->n_forms] = (uint8_t)form_style_only(buf_slice(key), folded, exact);
    return true;
}

/* The style of the form at hand.  Where it is its term's only one the dictionary says; where it is
 * one of several it stays so, unless documents are dead. */
static bool style_form(merger *m, const key_merge *k, buf *key)
{
    const merge_map *maps = &m->maps[k->lead];
    uint32_t term = k->iters[k->lead].form.term;
    m->styles[m->n_forms] = FORM_LISTED;
    if (term >= m->inputs[k->lead].seg->info.n_terms) return true; /* damage, to be reported  */
    if (maps->form_base[term + 1] - maps->form_base[term] == 1)
        m->styles[m->n_forms] = maps->style[term];
    else if (m->inputs[k->lead].dead)
        return style_by_term(m, k, key);
    return true;
}

/* The number of distinct forms, and the maps to them. */
static pm_status number_forms(merger *m, key_merge *k, buf *key, pm_error *err)
{
    while (key_merge_next(k)) {
        if (m->n_forms == INT32_MAX)
            return error_set(err, PM_USAGE, "more forms than one segment can hold");
        scratch_pass(m->scratch, m->n * sizeof(merge_form));
        if (!scratch_grow(m->scratch, &m->styles, &m->styles_cap, (size_t)m->n_forms + 1, 1) ||
            !style_form(m, k, key))
            return error_nomem(err);
        for (size_t i = 0; i < m->n; i++) {
            if (!k->here[i]) continue;
            segment *s = m->inputs[i].seg;
            const form_entry *f = &k->iters[i].form;
            const uint32_t *base = m->maps[i].form_base;
            if (f->term >= s->info.n_terms || f->index >= base[f->term + 1] - base[f->term])
                segment_damaged(s, 0, section_name(SECTION_FORMS), "a form of no term");
            else
                m->maps[i].form[base[f->term] + f->index] = m->n_forms;
        }
        m->n_forms++;
    }
    m->forms = scratch_array(m->scratch, m->n_forms, sizeof *m->forms);
    return m->forms ? merge_check(m, err) : error_nomem(err);
}

static pm_status map_forms(merger *m, pm_error *err)
{
    key_merge k = {0};
    buf key = {0};
    dict_iter *it = mem_zalloc(sizeof *it);
    pm_status st = it ? PM_OK : error_nomem(err);
    for (size_t i = 0; i < m->n && st == PM_OK; i++) st = map_terms(m, i, it, err);
    if (st == PM_OK) st = key_merge_open(&k, m->inputs, m->n, true, err);
    if (st == PM_OK) st = number_forms(m, &k, &key, err);
    buf_free(&key);
    key_merge_close(&k);
    mem_free(it);
    return st;
}

static pm_status merge_forms(merger *m, pm_error *err)
{
    key_merge k = {0};
    pm_status st = key_merge_open(&k, m->inputs, m->n, true, err);
    for (uint32_t g = 0; st == PM_OK && g < m->n_forms && key_merge_next(&k); g++) {
        const merge_form *f = &m->forms[g];
        const dict_iter *it = &k.iters[k.lead];
        scratch_pass(m->scratch, 4 * sizeof *f);
        if (f->cf)
            segment_writer_form(m->w, it->key, it->key_len, m->forms[f->term].ordinal, f->index,
                                f->df, f->cf);
    }
    key_merge_close(&k);
    return st;
}

static void free_maps(merger *m)
{
    for (size_t i = 0; m->maps && i < m->n; i++) {
        scratch_free(m->scratch, m->maps[i].doc);
        scratch_free(m->scratch, m->maps[i].form_base);
        scratch_free(m->scratch, m->maps[i].form);
        scratch_free(m->scratch, m->maps[i].style);
    }
    mem_free(m->maps);
    m->maps = NULL;
}

static void free_forms(merger *m)
{
    scratch_free(m->scratch, m->forms);
    scratch_free(m->scratch, m->styles);
    m->forms = NULL;
    m->styles = NULL;
}

static pm_status merge_lists(merger *m, pm_error *err)
{
    pm_status st = map_forms(m, err);
    if (st == PM_OK) st = merge_terms(m, err);
    free_maps(m);
    if (st == PM_OK) st = merge_forms(m, err);
    free_forms(m);
    return st;
}

/* ---- all ----------------------------------------------------------------------------- */

static void merger_free(merger *m)
{
    free_maps(m);
    free_forms(m);
    mem_free(m->sources);
}

/* Where what is large goes, with order->spills.  For its instant a file may have a name that the
 * next writer would collect. */
static pm_status open_scratch(merger *m, uint64_t number, char name[SEGMENT_NAME_MAX],
                              pm_error *err)
{
    uint64_t least = m->memory_bytes / SPILL_SHARE, window = m->memory_bytes / WINDOW_SHARE;
    uint64_t result = 0; /* which is no larger than all inputs, about                         */
    for (size_t i = 0; i < m->n; i++) result += m->inputs[i].seg->file.len;
    manifest_make_name(name, number, ".del");
    m->scratch = scratch_open(m->folder, name, least < SPILL_LEAST ? SPILL_LEAST : (size_t)least,
                              window < WINDOW_LEAST ? WINDOW_LEAST : window, result);
    return m->scratch ? PM_OK : error_nomem(err);
}

/* Stored blocks are copied as they are, so that marks come from all inputs or are left out. */
static bool all_marked(const merger *m)
{
    bool all = true;
    for (size_t i = 0; i < m->n; i++) all = all && m->inputs[i].seg->info.has_marks;
    return all;
}

pm_status merge_segments(const dir *d, const merge_input *inputs, size_t n_inputs, const char *name,
                         const segment_writer_config *config, const merge_order *order, bool sync,
                         manifest_segment *out, pm_error *err)
{
    pm_status st;
    char spare[SEGMENT_NAME_MAX];
    merger m = {.folder = d, .inputs = inputs, .n = n_inputs};
    m.has_positions = config->has_positions;
    m.memory_bytes = order ? order->memory_bytes : 0;
    m.threads = order ? order->threads : 1;
    m.maps = mem_array(n_inputs, sizeof *m.maps);
    merge_pass(&m, SEGMENT_PASS_BYTES);
    if (!m.maps) PM_TRY(error_nomem(err));
    if (order && order->spills) PM_TRY(open_scratch(&m, config->segment_id, spare, err));
    segment_writer_config own = *config;
    own.scratch = m.scratch;
    own.has_marks = config->has_marks && all_marked(&m);
    PM_TRY(segment_writer_begin(&m.w, d, name, &own, err));
    PM_TRY(merge_documents(&m, order, err));
    PM_TRY(order && order->tokens ? inverter_write(order->tokens, m.threads, m.w, err)
                                  : merge_lists(&m, err));
    PM_TRY(merge_check(&m, err));
    segment_writer *w = m.w;
    m.w = NULL;
    st = segment_writer_finish(w, sync, out, err);
out:
    if (m.w) segment_writer_abandon(m.w);
    merger_free(&m);
    if (order && order->spilled) *order->spilled = scratch_peak(m.scratch);
    scratch_close(m.scratch);
    return st;
}
