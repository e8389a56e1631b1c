/* SPDX-License-Identifier: MIT
 * merge_list.c - posting lists of a merge; see merge.h.
 *
 * A list is read from each input that has the key, in order and block by block, past the dead
 * documents: since new document numbers rise from input to input, the lists only follow one
 * another.  Each occurrence carries the number of its form; when the list is complete, the
 * forms that are left are ranked anew by falling frequency, then by key (which is the order
 * of numbers).
 *
 * Of a large list only documents and frequencies are held.  Its positions are read while they are
 * encoded, and its forms three times: counted, measured, encoded.
 */
#include "indexer/merge_list.h"

#include "common/base/mem.h"

static bool u32_room(u32_list *l, size_t more)
{
    return mem_grow(&l->data, &l->cap, l->n + more, sizeof *l->data);
}

/* Room for n elements and no more; nothing is kept. */
static bool u32_exact(u32_list *l, uint64_t n)
{
    if (n <= l->cap) return true;
    mem_free(l->data);
    *l = (u32_list){.data = mem_alloc(n * sizeof *l->data)};
    l->cap = l->data ? n : 0;
    return l->data != NULL;
}

static void u32_free(u32_list *l)
{
    mem_free(l->data);
    *l = (u32_list){0};
}

/* The arrays of a list: as long as the list is, four times. */
void merge_list_forget(list_merge *l)
{
    u32_free(&l->docs);
    u32_free(&l->tfs);
    u32_free(&l->positions);
    u32_free(&l->forms);
    u32_free(&l->spare);
}

void merge_list_free(list_merge *l)
{
    mem_free(l->c);
    mem_free(l->entries);
    buf_free(&l->keys);
    merge_list_forget(l);
    u32_free(&l->present);
    mem_free(l->starts);
    mem_free(l->items);
    mem_free(l->scratch);
}

/* ---- reading --------------------------------------------------------------------------- */

/* Count occurrences of a form in new document `doc`. */
static bool count_form(list_merge *l, uint32_t number, uint32_t doc, uint32_t n)
{
    merge_form *f = &l->m->forms[number];
    if (!f->cf) {
        if (!u32_room(&l->present, 1)) return false;
        l->present.data[l->present.n++] = number;
    }
    f->df += f->last_doc != doc + 1;
    f->last_doc = doc + 1;
    f->cf += n;
    return true;
}

/* A block of a list of one form. */
static bool count_block(list_merge *l, uint32_t number, const uint32_t *new_docs,
                        const uint32_t *tfs)
{
    merge_form *f = &l->m->forms[number];
    if (!l->present.n) {
        if (!u32_room(&l->present, 1)) return false;
        l->present.data[l->present.n++] = number;
    }
    for (uint32_t i = 0; i < l->c->block_n; i++) {
        if (new_docs[i] == MERGE_DEAD) continue;
        f->df++;
        f->cf += tfs[i];
    }
    return true;
}

/* A form's number; its index, when forms have been ranked and are read again. */
static void keep_form(list_merge *l, uint32_t number, uint32_t n)
{
    if (!l->wants.forms) return;
    uint32_t value = l->wants.counts ? number : l->m->forms[number].index;
    for (uint32_t i = 0; i < n; i++) l->forms.data[l->forms.n++] = value;
}

/* The forms of one posting's occurrences; those of dead documents are read past. */
static bool read_forms(list_merge *l, form_stream *stream, const uint32_t *numbers, uint32_t tf,
                       uint32_t doc)
{
    uint32_t n_forms = l->c->list.n_forms;
    if (n_forms == 1) {
        if (doc == MERGE_DEAD) return true;
        keep_form(l, numbers[0], tf);
        return !l->wants.counts || count_form(l, numbers[0], doc, tf);
    }
    for (uint32_t i = 0; i < tf; i++) {
        uint32_t index = form_stream_next(stream);
        if (doc == MERGE_DEAD) continue;
        if (index >= n_forms) index = 0; /* damage, which the stream has reported            */
        keep_form(l, numbers[index], 1);
        if (l->wants.counts && !count_form(l, numbers[index], doc, 1)) return false;
    }
    return true;
}

/* The block's positions, those of dead documents left out. */
static bool read_positions(list_merge *l, const uint32_t *new_docs, const uint32_t *tfs,
                           uint64_t sum, bool dead)
{
    l->spare.n = 0;
    if (!u32_room(&l->positions, sum) || (dead && !u32_room(&l->spare, sum))) return false;
    uint32_t *to = l->positions.data + l->positions.n, *from = dead ? l->spare.data : to;
    if (!cursor_block_positions(l->c, tfs, from)) memset(from, 0, sum * sizeof *from);
    for (uint32_t i = 0; dead && i < l->c->block_n; from += tfs[i++]) {
        if (new_docs[i] == MERGE_DEAD) continue;
        memcpy(to, from, tfs[i] * sizeof *to);
        to += tfs[i];
    }
    l->positions.n = dead ? (size_t)(to - l->positions.data) : l->positions.n + sum;
    return true;
}

static void new_numbers(const list_merge *l, uint32_t *new_docs, bool *dead)
{
    const merge_map *maps = &l->m->maps[l->at.input];
    *dead = false;
    for (uint32_t i = 0; i < l->c->block_n; i++) {
        new_docs[i] = merge_doc(maps, l->c->docs[i]);
        *dead |= new_docs[i] == MERGE_DEAD;
    }
}

/* What is wanted of the block where the cursor stands. */
static bool read_block(list_merge *l)
{
    list_wants wants = l->wants;
    uint32_t n = l->c->block_n, tfs[SEGMENT_BLOCK_MAX], new_docs[SEGMENT_BLOCK_MAX];
    uint64_t sum = cursor_block_tfs(l->c, tfs);
    const uint32_t *numbers = l->at.numbers;
    bool dead, each = numbers && !l->one_form && (wants.forms || wants.counts);
    new_numbers(l, new_docs, &dead);
    merge_pass(l->m, 2 * sum + 2 * n);
    if ((wants.docs && (!u32_room(&l->docs, n) || !u32_room(&l->tfs, n))) ||
        (each && wants.forms && !u32_room(&l->forms, sum)) ||
        (wants.positions && !read_positions(l, new_docs, tfs, sum, dead)) ||
        (numbers && l->one_form && wants.counts && !count_block(l, numbers[0], new_docs, tfs)))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (each && !read_forms(l, &l->at.stream, numbers, tfs[i], new_docs[i])) return false;
        if (!wants.docs || new_docs[i] == MERGE_DEAD) continue;
        l->docs.data[l->docs.n++] = new_docs[i];
        l->tfs.data[l->tfs.n++] = tfs[i];
    }
    return true;
}

static void open_input(list_merge *l)
{
    list_reader *at = &l->at;
    const term_entry *entry = &at->entries[at->input];
    const merge_map *maps = &l->m->maps[at->input];
    cursor_open(l->c, l->m->inputs[at->input].seg, entry);
    at->numbers = NULL;
    if (!entry->n_forms) return;
    form_stream_open(&at->stream, &l->c->list);
    at->numbers = maps->form + maps->form_base[entry->ordinal];
}

static void reader_begin(list_merge *l, const term_entry *entries, list_wants wants)
{
    l->at = (list_reader){.entries = entries};
    l->wants = wants;
}

/* One more block is appended; *more false: there was none.  False: memory was refused. */
static bool read_next(list_merge *l, bool *more)
{
    list_reader *at = &l->at;
    for (*more = true; at->input < l->m->n; at->input++) {
        if (!at->open && !at->entries[at->input].df) continue;
        if (!at->open) open_input(l);
        at->open = cursor_next_block(l->c);
        if (at->open) return read_block(l);
    }
    *more = false;
    return true;
}

static pm_status read_all(list_merge *l, const term_entry *entries, list_wants wants, pm_error *err)
{
    bool more = true;
    reader_begin(l, entries, wants);
    while (more)
        if (!read_next(l, &more)) return error_nomem(err);
    return merge_check(l->m, err);
}

/* ---- lists of documents that changed places ---------------------------------------------- */

static int order_by_number(const void *ctx, uint32_t a, uint32_t b)
{
    (void)ctx;
    return (a > b) - (a < b);
}

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

/* ---- occurrences that are not held ------------------------------------------------------- */

static void feed_begin(void *ctx, bool positions)
{
    list_merge *l = ctx;
    reader_begin(l, l->at.entries, (list_wants){.positions = positions, .forms = !positions});
    l->positions.n = l->forms.n = l->fed = 0;
}

/* Blocks of the inputs as long as there is not enough; what was given before is dropped. */
static const uint32_t *feed_next(void *ctx, uint64_t n)
{
    list_merge *l = ctx;
    u32_list *from = l->wants.positions ? &l->positions : &l->forms;
    bool more = true;
    from->n -= l->fed;
    if (l->fed) memmove(from->data, from->data + l->fed, from->n * sizeof *from->data);
    l->fed = 0;
    while (from->n < n && more)
        if (!read_next(l, &more)) return NULL;
    if (from->n < n) return NULL; /* damage, which the reader has reported                     */
    l->fed = n;
    return from->data;
}

/* ---- a list, written ---------------------------------------------------------------------- */

/* held: with its positions and forms. */
static void put_list(list_merge *l, slice key, bool positions, bool held, list_task *out)
{
    segment_feed feed = {l, positions, feed_begin, feed_next};
    segment_term list = {
        .key = key.data,
        .key_len = key.len,
        .df = (uint32_t)l->docs.n,
        .docs = l->docs.data,
        .tfs = l->tfs.data,
        .positions = positions && held ? l->positions.data : NULL,
        .n_forms = (uint32_t)l->present.n,
        .style = l->present.n == 1 ? (form_style)l->m->styles[l->present.data[0]] : FORM_LISTED,
        .forms = l->present.n > 1 && held ? l->forms.data : NULL,
    };
    uint32_t first = l->present.n ? l->present.data[0] : MERGE_NO_FORM;
    for (size_t i = 0; i < l->present.n; i++) l->m->forms[l->present.data[i]].term = first;
    list_task_put(out, &list, held ? NULL : &feed, first);
}

/* Whether all inputs' lists are of one and the same form. */
static bool has_one_form(const list_merge *l, const term_entry *entries)
{
    uint32_t number = MERGE_NO_FORM;
    for (size_t i = 0; i < l->m->n; i++) {
        const merge_map *maps = &l->m->maps[i];
        if (!entries[i].df) continue;
        if (entries[i].n_forms != 1) return false;
        uint32_t here = maps->form[maps->form_base[entries[i].ordinal]];
        if (number != MERGE_NO_FORM && here != number) return false;
        number = here;
    }
    return true;
}

/* Room for just the list that the dictionaries speak of, so that a long one is not grown into;
 * unless their bytes cannot hold it, which reading it will find. */
static bool reserve_list(list_merge *l, const term_entry *entries, list_wants wants)
{
    uint64_t df = 0, cf = 0, bytes = 0;
    for (size_t i = 0; i < l->m->n; i++) {
        if (!entries[i].df) continue;
        df += entries[i].df;
        cf += entries[i].cf;
        bytes += entries[i].len;
    }
    if (df > cf || cf / 8 > bytes) return true;
    return u32_exact(&l->docs, df) && u32_exact(&l->tfs, df) &&
           (!wants.positions || u32_exact(&l->positions, cf)) &&
           (!wants.forms || u32_exact(&l->forms, cf));
}

static pm_status finish_list(list_merge *l, slice key, bool positions, bool held, list_task *out,
                             pm_error *err)
{
    pm_status st = l->m->sources ? sort_list(l, err) : PM_OK;
    if (st == PM_OK) st = rank_forms(l, err);
    if (st == PM_OK && l->docs.n) put_list(l, key, positions, held, out);
    return st == PM_OK && !held ? merge_check(l->m, err) : st;
}

/* Documents that change places take their occurrences with them, which must be held then. */
pm_status merge_list_make(list_merge *l, slice key, const term_entry *entries, bool large,
                          list_task *out, pm_error *err)
{
    bool positions = l->m->has_positions && !(key.len && key_is_flat(key.data[0]));
    bool held = !large || l->m->sources;
    pm_status st;
    merge_list_begin(l);
    l->one_form = has_one_form(l, entries);
    list_wants wants = {.docs = true,
                        .counts = true,
                        .positions = positions && held,
                        .forms = !l->one_form && held};
    if (large && !reserve_list(l, entries, wants)) PM_TRY(error_nomem(err));
    PM_TRY(read_all(l, entries, wants, err));
    PM_TRY(finish_list(l, key, positions, held, out, err));
out:
    return st;
}

/* ---- a list, piece by piece -------------------------------------------------------------- */

list_merge *merge_list_of(list_merge *lists, unsigned worker)
{
    return &lists[worker];
}

void merge_list_begin(list_merge *l)
{
    l->docs.n = l->tfs.n = l->positions.n = l->forms.n = l->present.n = 0;
    l->one_form = false;
}

pm_status merge_list_read(list_merge *l, size_t input, const term_entry *entry, bool positions,
                          pm_error *err)
{
    reader_begin(l, NULL, (list_wants){.docs = true, .positions = positions});
    l->at.input = input;
    cursor_open(l->c, l->m->inputs[input].seg, entry);
    while (cursor_next_block(l->c))
        if (!read_block(l)) return error_nomem(err);
    return segment_status(l->m->inputs[input].seg, err);
}

bool merge_list_add(list_merge *l, uint32_t doc, uint32_t tf, const uint32_t *positions)
{
    if (!u32_room(&l->docs, 1) || !u32_room(&l->tfs, 1) || !u32_room(&l->positions, tf))
        return false;
    l->docs.data[l->docs.n++] = doc;
    l->tfs.data[l->tfs.n++] = tf;
    memcpy(l->positions.data + l->positions.n, positions, tf * sizeof *positions);
    l->positions.n += tf;
    return true;
}

pm_status merge_list_put(list_merge *l, slice key, bool positions, list_task *out, pm_error *err)
{
    return finish_list(l, key, positions, true, out, err);
}
