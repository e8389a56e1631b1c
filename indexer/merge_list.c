/* SPDX-License-Identifier: MIT
 * merge_list.c - posting lists of a merge; see merge.h.
 *
 * A list is read from each input that has the key, in order (merge_read.c): since new document
 * numbers rise from input to input, the lists only follow one another.  When the list is complete,
 * the forms that are left are ranked anew by falling frequency, then by key (which is the order of
 * their numbers).
 *
 * Of a large list only documents and frequencies are held.  Its positions are read while they are
 * encoded, and its forms three times: counted, measured, encoded.
 */
#include "indexer/merge_list.h"

#include "common/base/mem.h"
#include "common/codec/ef_string.h"
#include "common/segment/layout.h"

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

/* The arrays of a list, most of which are as long as it is. */
void merge_list_forget(list_merge *l)
{
    u32_free(&l->docs);
    u32_free(&l->tfs);
    u32_free(&l->lengths);
    u32_free(&l->forms);
    u32_free(&l->spare);
    buf_free(&l->strings.bytes);
    buf_free(&l->spare_strings.bytes);
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

/* ---- lists of documents that changed places ---------------------------------------------- */

/* Bits of the positions of posting i of the list. */
static uint64_t kept_size(const list_merge *l, size_t i)
{
    return ef_string_size(l->tfs.data[i], layout_position_most(l->lengths.data[i]));
}

/* The list's postings in order of their documents: items[].id; false: memory was refused. */
static bool order_postings(list_merge *l, bool *sorted)
{
    size_t n = l->docs.n;
    list_start start = {0, 0};
    if (!mem_grow(&l->items, &l->items_cap, n, sizeof *l->items) ||
        !mem_grow(&l->scratch, &l->scratch_cap, n, sizeof *l->scratch) ||
        !mem_grow(&l->starts, &l->starts_cap, n, sizeof *l->starts))
        return false;
    *sorted = true;
    for (size_t i = 0; i < n; i++) {
        l->items[i] = (keysort_item){.prefix = l->docs.data[i], .id = (uint32_t)i};
        l->starts[i] = start;
        start.occurrence += l->tfs.data[i];
        start.bit += kept_size(l, i);
        *sorted = *sorted && (!i || l->docs.data[i - 1] < l->docs.data[i]);
    }
    if (!*sorted) keysort(l->items, l->scratch, n, NULL);
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
        const uint32_t *data = list->data + (each ? l->starts[from].occurrence : from);
        for (uint32_t k = 0; k < n; k++) l->spare.data[l->spare.n++] = data[k];
    }
    u32_list moved = l->spare;
    l->spare = *list;
    *list = moved;
    return true;
}

static bool move_strings(list_merge *l)
{
    if (!l->strings.n) return true;
    strings_reset(&l->spare_strings);
    for (size_t i = 0; i < l->docs.n; i++) {
        uint32_t from = l->items[i].id;
        if (!strings_add(&l->spare_strings, l->strings.bytes.data, l->starts[from].bit,
                         kept_size(l, from)))
            return false;
    }
    string_list moved = l->spare_strings;
    l->spare_strings = l->strings;
    l->strings = moved;
    return true;
}

/* Frequencies last but for the documents: the others are counted by them. */
static pm_status sort_list(list_merge *l, pm_error *err)
{
    bool sorted;
    if (!order_postings(l, &sorted)) return error_nomem(err);
    if (sorted) return PM_OK;
    bool ok = move_strings(l) && move_numbers(l, &l->forms, true) &&
              move_numbers(l, &l->lengths, false) && move_numbers(l, &l->tfs, false) &&
              move_numbers(l, &l->docs, false);
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
    keysort(l->items, l->scratch, n, NULL);
    for (size_t i = 0; i < n; i++) l->m->forms[l->items[i].id].index = (uint32_t)i;
    for (size_t i = 0; i < l->forms.n; i++) l->forms.data[i] = l->m->forms[l->forms.data[i]].index;
    return PM_OK;
}

/* ---- occurrences that are not held ------------------------------------------------------- */

static void feed_begin(void *ctx, bool positions)
{
    list_merge *l = ctx;
    merge_read_begin(l, l->at.entries, (list_wants){.positions = positions, .forms = !positions});
    strings_reset(&l->strings);
    l->forms.n = l->fed = 0;
}

/* Blocks of the inputs are read as long as there is not enough, and what was given before is
 * dropped. */
static bool feed_strings(void *ctx, uint64_t n, bit_string *out)
{
    list_merge *l = ctx;
    string_list *from = &l->strings;
    size_t given = (size_t)(l->fed / 8); /* whole bytes                                          */
    bool more = true;
    if (given) {
        memmove(from->bytes.data, from->bytes.data + given, from->bytes.len - given);
        from->bytes.len -= given;
        from->n -= 8 * (uint64_t)given;
        l->fed -= 8 * (uint64_t)given;
    }
    while (from->n - l->fed < n && more)
        if (!merge_read_next(l, &more)) return false;
    if (from->n - l->fed < n) return false; /* damage, which the reader has reported            */
    *out = (bit_string){from->bytes.data, l->fed, n};
    l->fed += n;
    return true;
}

static const uint32_t *feed_forms(void *ctx, uint64_t n)
{
    list_merge *l = ctx;
    u32_list *from = &l->forms;
    bool more = true;
    from->n -= l->fed;
    if (l->fed) memmove(from->data, from->data + l->fed, from->n * sizeof *from->data);
    l->fed = 0;
    while (from->n < n && more)
        if (!merge_read_next(l, &more)) return NULL;
    if (from->n < n) return NULL; /* damage, which the reader has reported                     */
    l->fed = n;
    return from->data;
}

/* ---- a list, written ---------------------------------------------------------------------- */

/* held: with its positions and forms. */
static void put_list(list_merge *l, slice key, bool positions, bool held, list_task *out)
{
    const segment_feed kept = {
        .lengths = l->lengths.data,
        .strings = {positions ? l->strings.bytes.data : NULL, 0, l->strings.n}};
    const segment_feed fed = {.ctx = l,
                              .has_positions = positions,
                              .begin = feed_begin,
                              .next_strings = feed_strings,
                              .next_forms = feed_forms};
    segment_term list = {
        .key = key.data,
        .key_len = key.len,
        .df = (uint32_t)l->docs.n,
        .docs = l->docs.data,
        .tfs = l->tfs.data,
        .n_forms = (uint32_t)l->present.n,
        .style = l->present.n == 1 ? (form_style)l->m->styles[l->present.data[0]] : FORM_LISTED,
        .forms = l->present.n > 1 && held ? l->forms.data : NULL,
    };
    uint32_t first = l->present.n ? l->present.data[0] : MERGE_NO_FORM;
    for (size_t i = 0; i < l->present.n; i++) l->m->forms[l->present.data[i]].term = first;
    list_task_put(out, &list, held ? &kept : &fed, first);
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
           (!wants.lengths || u32_exact(&l->lengths, df)) &&
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
                        .lengths = held,
                        .counts = true,
                        .positions = positions && held,
                        .forms = !l->one_form && held};
    if (large && !reserve_list(l, entries, wants)) PM_TRY(error_nomem(err));
    PM_TRY(merge_read_all(l, entries, wants, err));
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
    l->docs.n = l->tfs.n = l->lengths.n = l->forms.n = l->present.n = 0;
    strings_reset(&l->strings);
    l->one_form = false;
}

pm_status merge_list_add(list_merge *l, uint32_t doc, uint32_t tf, const uint32_t *positions,
                         pm_error *err)
{
    uint32_t dl = load_u32(segment_writer_lengths(l->m->w) + 4 * (size_t)doc);
    uint32_t most = layout_position_most(dl);
    uint64_t bits = ef_string_size(tf, most);
    if (!u32_room(&l->docs, 1) || !u32_room(&l->tfs, 1) || !u32_room(&l->lengths, 1) ||
        !strings_room(&l->strings, bits))
        return error_nomem(err);
    if (tf - 1 > most || !ef_string_write(l->strings.bytes.data, l->strings.n, positions, tf, most))
        return error_set(err, PM_USAGE, "merge: positions do not rise, or are too high");
    l->docs.data[l->docs.n++] = doc;
    l->tfs.data[l->tfs.n++] = tf;
    l->lengths.data[l->lengths.n++] = dl;
    l->strings.n += bits;
    return PM_OK;
}

pm_status merge_list_put(list_merge *l, slice key, list_task *out, pm_error *err)
{
    return finish_list(l, key, true, true, out, err);
}
