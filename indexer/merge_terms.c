/* SPDX-License-Identifier: MIT
 * merge_terms.c - posting lists of a merge, one key at a time; see merge.h.
 *
 * A list is read from each input that has the key, in order, past the dead documents: since
 * new document numbers rise from input to input, the lists only follow one another.  Each
 * occurrence carries the number of its form; when the list is complete, the forms that are
 * left are ranked anew by falling frequency, then by key (which is the order of numbers).
 */
#include "indexer/merge_internal.h"

#include "common/base/mem.h"
#include "indexer/keysort.h"

typedef struct u32_list {
    uint32_t *data;
    size_t n, cap;
} u32_list;

typedef struct list_merge {
    merger *m;
    cursor *c;
    u32_list docs, tfs, positions, forms; /* of the list being made                        */
    u32_list present;                     /* its distinct forms                            */
    u32_list spare;                       /* while a list is sorted                        */
    size_t *starts;                       /* by posting: where its occurrences begin       */
    size_t starts_cap;
    keysort_item *items, *scratch;
    size_t items_cap, scratch_cap;
} list_merge;

static bool u32_room(u32_list *l, size_t more)
{
    return mem_grow(&l->data, &l->cap, l->n + more, sizeof *l->data);
}

static void list_merge_free(list_merge *l)
{
    mem_free(l->c);
    mem_free(l->docs.data);
    mem_free(l->tfs.data);
    mem_free(l->positions.data);
    mem_free(l->forms.data);
    mem_free(l->present.data);
    mem_free(l->spare.data);
    mem_free(l->starts);
    mem_free(l->items);
    mem_free(l->scratch);
}

/* Count one occurrence of a form in new document `doc`. */
static bool add_form(list_merge *l, uint32_t number, uint32_t doc)
{
    merge_form *f = &l->m->forms[number];
    if (!f->cf) {
        if (!u32_room(&l->present, 1)) return false;
        l->present.data[l->present.n++] = number;
    }
    if (f->last_doc != doc + 1) f->df++;
    f->last_doc = doc + 1;
    f->cf++;
    l->forms.data[l->forms.n++] = number;
    return true;
}

/* The forms of one posting's occurrences; those of dead documents are read past. */
static bool read_forms(list_merge *l, form_stream *stream, size_t input, const term_entry *entry,
                       uint32_t tf, uint32_t doc)
{
    const merge_map *to = &l->m->maps[input];
    if (doc != MERGE_DEAD && !u32_room(&l->forms, tf)) return false;
    for (uint32_t i = 0; i < tf; i++) {
        uint32_t index = form_stream_next(stream);
        if (index >= entry->n_forms) index = 0; /* damage, which the stream has reported      */
        if (doc != MERGE_DEAD && !add_form(l, to->form[to->form_base[entry->ordinal] + index], doc))
            return false;
    }
    return true;
}

static bool read_positions(list_merge *l, uint32_t tf)
{
    if (!u32_room(&l->positions, tf)) return false;
    uint32_t n = cursor_positions(l->c, l->positions.data + l->positions.n, tf);
    for (; n < tf; n++) l->positions.data[l->positions.n + n] = 0; /* damage, reported        */
    l->positions.n += tf;
    return true;
}

/* One input's list of the key, appended. */
static pm_status read_list(list_merge *l, size_t input, const term_entry *entry, bool positions,
                           pm_error *err)
{
    segment *s = l->m->inputs[input].seg;
    form_stream stream;
    cursor_open(l->c, s, entry);
    if (entry->n_forms) form_stream_open(&stream, &l->c->list);
    while (cursor_next(l->c) != CURSOR_END) {
        uint32_t doc = l->m->maps[input].doc[l->c->doc], tf = cursor_tf(l->c);
        bool ok = !entry->n_forms || read_forms(l, &stream, input, entry, tf, doc);
        if (ok && doc != MERGE_DEAD) {
            ok = u32_room(&l->docs, 1) && u32_room(&l->tfs, 1) &&
                 (!positions || read_positions(l, tf));
            if (ok) {
                l->docs.data[l->docs.n++] = doc;
                l->tfs.data[l->tfs.n++] = tf;
            }
        }
        if (!ok) return error_nomem(err);
        merge_pass(l->m, 2 * (uint64_t)tf + 2);
    }
    return segment_status(s, err);
}

static int order_by_number(const void *ctx, uint32_t a, uint32_t b)
{
    (void)ctx;
    return (a > b) - (a < b);
}

/* ---- lists of documents that changed places ---------------------------------------------- */

/* The list's postings in order of their documents: items[].id; false: memory was refused. */
static bool order_postings(list_merge *l, bool *sorted)
{
    size_t n = l->docs.n, start = 0;
    if (!mem_grow(&l->items, &l->items_cap, n, sizeof *l->items) ||
        !mem_grow(&l->scratch, &l->scratch_cap, n, sizeof *l->scratch) ||
        !mem_grow(&l->starts, &l->starts_cap, n, sizeof *l->starts))
        return false;
    *sorted = true;
    for (size_t i = 0; i < n; i++) {
        l->items[i] = (keysort_item){.prefix = l->docs.data[i], .id = (uint32_t)i};
        l->starts[i] = start;
        start += l->tfs.data[i];
        *sorted = *sorted && (!i || l->docs.data[i - 1] < l->docs.data[i]);
    }
    if (!*sorted) keysort(l->items, l->scratch, n, order_by_number, NULL);
    return true;
}

/* One number or (each) one for each occurrence of a posting, in the new order. */
static bool move_numbers(list_merge *l, u32_list *list, bool each)
{
    if (!list->n) return true;
    l->spare.n = 0;
    if (!u32_room(&l->spare, list->n)) return false;
    for (size_t i = 0; i < l->docs.n; i++) {
        uint32_t from = l->items[i].id, n = each ? l->tfs.data[from] : 1;
        const uint32_t *data = list->data + (each ? l->starts[from] : from);
        for (uint32_t k = 0; k < n; k++) l->spare.data[l->spare.n++] = data[k];
    }
    u32_list moved = l->spare;
    l->spare = *list;
    *list = moved;
    return true;
}

/* Frequencies last but for the documents: the others are counted by them. */
static pm_status sort_list(list_merge *l, pm_error *err)
{
    bool sorted;
    if (!order_postings(l, &sorted)) return error_nomem(err);
    if (sorted) return PM_OK;
    bool ok = move_numbers(l, &l->positions, true) && move_numbers(l, &l->forms, true) &&
              move_numbers(l, &l->tfs, false) && move_numbers(l, &l->docs, false);
    return ok ? PM_OK : error_nomem(err);
}

/* ---- a list ------------------------------------------------------------------------------ */

/* Form numbers of the list become indexes. */
static pm_status rank_forms(list_merge *l, pm_error *err)
{
    size_t n = l->present.n;
    if (!mem_grow(&l->items, &l->items_cap, n, sizeof *l->items) ||
        !mem_grow(&l->scratch, &l->scratch_cap, n, sizeof *l->scratch))
        return error_nomem(err);
    for (size_t i = 0; i < n; i++) {
        uint32_t number = l->present.data[i];
        l->items[i] = (keysort_item){.prefix = UINT64_MAX - l->m->forms[number].cf, .id = number};
    }
    keysort(l->items, l->scratch, n, order_by_number, NULL);
    for (size_t i = 0; i < n; i++) l->m->forms[l->items[i].id].index = (uint32_t)i;
    for (size_t i = 0; i < l->forms.n; i++) l->forms.data[i] = l->m->forms[l->forms.data[i]].index;
    return PM_OK;
}

static void write_list(list_merge *l, const dict_iter *key, bool positions)
{
    segment_term out = {
        .key = key->key,
        .key_len = key->key_len,
        .df = (uint32_t)l->docs.n,
        .docs = l->docs.data,
        .tfs = l->tfs.data,
        .positions = positions ? l->positions.data : NULL,
        .n_forms = (uint32_t)l->present.n,
        .style = l->present.n == 1 ? (form_style)l->m->styles[l->present.data[0]] : FORM_LISTED,
        .forms = l->present.n > 1 ? l->forms.data : NULL,
    };
    uint32_t ordinal = segment_writer_term(l->m->w, &out);
    for (size_t i = 0; i < l->present.n; i++) l->m->forms[l->present.data[i]].term = ordinal;
}

static pm_status merge_key(list_merge *l, const key_merge *k, pm_error *err)
{
    const dict_iter *key = &k->iters[k->lead];
    bool positions = l->m->has_positions && !(key->key_len && key_is_flat(key->key[0]));
    pm_status st = PM_OK;
    l->docs.n = l->tfs.n = l->positions.n = l->forms.n = l->present.n = 0;
    for (size_t i = 0; i < k->n && st == PM_OK; i++)
        if (k->here[i]) st = read_list(l, i, &k->iters[i].term, positions, err);
    if (st == PM_OK && l->m->sources) st = sort_list(l, err);
    if (st == PM_OK) st = rank_forms(l, err);
    if (st == PM_OK && l->docs.n) write_list(l, key, positions);
    return st;
}

pm_status merge_terms(merger *m, pm_error *err)
{
    key_merge k = {0};
    list_merge l = {.m = m};
    bool bigrams_done = false;
    pm_status st;
    l.c = mem_zalloc(sizeof *l.c);
    if (!l.c) PM_TRY(error_nomem(err));
    PM_TRY(key_merge_open(&k, m->inputs, m->n, false, err));
    while (key_merge_next(&k)) {
        uint8_t class = k.iters[k.lead].key[0];
        if (class == KEY_BIGRAM) continue;
        if (class > KEY_BIGRAM && !bigrams_done) PM_TRY(merge_bigrams(m, err));
        bigrams_done |= class > KEY_BIGRAM;
        PM_TRY(merge_key(&l, &k, err));
    }
    PM_TRY(merge_check(m, err));
out:
    key_merge_close(&k);
    list_merge_free(&l);
    return st;
}
