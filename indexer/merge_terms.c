/* SPDX-License-Identifier: MIT
 * merge_terms.c - posting lists of a merge; see merge.h.
 *
 * A list is read from each input that has the key, in order and block by block, past the dead
 * documents: since new document numbers rise from input to input, the lists only follow one
 * another.  Each occurrence carries the number of its form; when the list is complete, the
 * forms that are left are ranked anew by falling frequency, then by key (which is the order
 * of numbers).
 *
 * Several threads do that for some neighbouring keys at a time (list_tasks.h): whoever takes a
 * task reads its keys and entries from all dictionaries, one thread after the other, then the
 * lists at the same time as others.  A form belongs to one key, so its counts to one thread.
 */
#include "indexer/merge_internal.h"

#include <pthread.h>

#include "common/base/mem.h"
#include "indexer/keysort.h"
#include "indexer/merge_size.h"

enum {
    TASK_KEYS = 256,              /* of a task, at most                                      */
    TASK_OCCURRENCES = 128 << 10, /* of a task of several keys, about                        */
    NO_FORM = UINT32_MAX,         /* tag of a list without forms                             */
};

typedef struct u32_list {
    uint32_t *data;
    size_t n, cap;
} u32_list;

/* One thread's keys and the list that it makes. */
struct list_merge {
    merger *m;
    cursor *c;
    buf keys;
    uint32_t n_keys, key_ends[TASK_KEYS];
    term_entry *entries;                  /* [n_keys][inputs]; df 0: not there                */
    u32_list docs, tfs, positions, forms; /* of the list being made                        */
    u32_list present;                     /* its distinct forms                            */
    u32_list spare;                       /* while a list is sorted, or has dead documents    */
    size_t *starts;                       /* by posting: where its occurrences begin       */
    size_t starts_cap;
    keysort_item *items, *scratch;
    size_t items_cap, scratch_cap;
    /* The list has one form, of which no occurrence need be written down. */
    bool one_form;
};

typedef struct terms_merge {
    merger *m;
    key_merge keys;
    bool ahead; /* keys stands on one that no task has                                      */
    bool flat;  /* the keys before bigrams                                                  */
    list_merge lists[LIST_WORKERS_MAX];
    uint64_t large;             /* occurrences of a list whose memory is not kept            */
    pthread_mutex_t large_lock; /* of lists with more, made one at a time                    */
} terms_merge;

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
static void list_merge_forget(list_merge *l)
{
    u32_free(&l->docs);
    u32_free(&l->tfs);
    u32_free(&l->positions);
    u32_free(&l->forms);
    u32_free(&l->spare);
}

static void list_merge_free(list_merge *l)
{
    mem_free(l->c);
    mem_free(l->entries);
    buf_free(&l->keys);
    list_merge_forget(l);
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

/* The forms of one posting's occurrences; those of dead documents are read past. */
static bool read_forms(list_merge *l, form_stream *stream, const uint32_t *numbers, uint32_t tf,
                       uint32_t doc)
{
    uint32_t n_forms = l->c->list.n_forms;
    if (n_forms == 1) {
        if (doc == MERGE_DEAD) return true;
        for (uint32_t i = 0; i < tf; i++) l->forms.data[l->forms.n++] = numbers[0];
        return count_form(l, numbers[0], doc, tf);
    }
    for (uint32_t i = 0; i < tf; i++) {
        uint32_t index = form_stream_next(stream);
        if (doc == MERGE_DEAD) continue;
        if (index >= n_forms) index = 0; /* damage, which the stream has reported            */
        l->forms.data[l->forms.n++] = numbers[index];
        if (!count_form(l, numbers[index], doc, 1)) return false;
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

/* The block where the cursor stands.  numbers: the distinct forms, by index; NULL: the key has
 * none. */
static bool read_block(list_merge *l, const merge_map *maps, form_stream *stream,
                       const uint32_t *numbers, bool positions)
{
    uint32_t n = l->c->block_n, tfs[SEGMENT_BLOCK_MAX], new_docs[SEGMENT_BLOCK_MAX];
    uint64_t sum = cursor_block_tfs(l->c, tfs);
    bool dead = false;
    if (!maps->doc) {
        for (uint32_t i = 0; i < n; i++) new_docs[i] = maps->base + l->c->docs[i];
    } else {
        for (uint32_t i = 0; i < n; i++) {
            new_docs[i] = maps->doc[l->c->docs[i]];
            dead |= new_docs[i] == MERGE_DEAD;
        }
    }
    bool forms = numbers && !l->one_form;
    merge_pass(l->m, 2 * sum + 2 * n);
    if (!u32_room(&l->docs, n) || !u32_room(&l->tfs, n) || (forms && !u32_room(&l->forms, sum)) ||
        (positions && !read_positions(l, new_docs, tfs, sum, dead)) ||
        (numbers && l->one_form && !count_block(l, numbers[0], new_docs, tfs)))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (forms && !read_forms(l, stream, numbers, tfs[i], new_docs[i])) return false;
        if (new_docs[i] == MERGE_DEAD) continue;
        l->docs.data[l->docs.n++] = new_docs[i];
        l->tfs.data[l->tfs.n++] = tfs[i];
    }
    return true;
}

/* One input's list of the key, appended. */
static pm_status read_list(list_merge *l, size_t input, const term_entry *entry, bool positions,
                           pm_error *err)
{
    const merge_map *maps = &l->m->maps[input];
    segment *s = l->m->inputs[input].seg;
    form_stream stream;
    cursor_open(l->c, s, entry);
    if (entry->n_forms) form_stream_open(&stream, &l->c->list);
    const uint32_t *numbers = entry->n_forms ? maps->form + maps->form_base[entry->ordinal] : NULL;
    while (cursor_next_block(l->c))
        if (!read_block(l, maps, &stream, numbers, positions)) return error_nomem(err);
    return segment_status(s, err);
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

static void put_list(list_merge *l, slice key, bool positions, list_task *out)
{
    segment_term list = {
        .key = key.data,
        .key_len = key.len,
        .df = (uint32_t)l->docs.n,
        .docs = l->docs.data,
        .tfs = l->tfs.data,
        .positions = positions ? l->positions.data : NULL,
        .n_forms = (uint32_t)l->present.n,
        .style = l->present.n == 1 ? (form_style)l->m->styles[l->present.data[0]] : FORM_LISTED,
        .forms = l->present.n > 1 ? l->forms.data : NULL,
    };
    uint32_t first = l->present.n ? l->present.data[0] : NO_FORM;
    for (size_t i = 0; i < l->present.n; i++) l->m->forms[l->present.data[i]].term = first;
    list_task_put(out, &list, first);
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
    term_entry bare = *entry;
    bare.n_forms = 0;
    return read_list(l, input, &bare, positions, err);
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
    pm_status st = l->m->sources ? sort_list(l, err) : PM_OK;
    if (st == PM_OK) st = rank_forms(l, err);
    if (st == PM_OK && l->docs.n) put_list(l, key, positions, out);
    return st;
}

/* ---- keys -------------------------------------------------------------------------------- */

/* Whether all inputs' lists are of one and the same form. */
static bool has_one_form(const list_merge *l, const term_entry *entries)
{
    uint32_t number = NO_FORM;
    for (size_t i = 0; i < l->m->n; i++) {
        const merge_map *maps = &l->m->maps[i];
        if (!entries[i].df) continue;
        if (entries[i].n_forms != 1) return false;
        uint32_t here = maps->form[maps->form_base[entries[i].ordinal]];
        if (number != NO_FORM && here != number) return false;
        number = here;
    }
    return true;
}

/* Room for just the list that the dictionaries speak of, so that a long one is not grown into;
 * unless `bytes` cannot hold it, which reading it will find. */
static bool reserve_list(list_merge *l, uint64_t df, uint64_t cf, uint64_t bytes, bool positions)
{
    bool forms = !l->one_form;
    if (df > cf || cf / 8 > bytes) return true;
    return u32_exact(&l->docs, df) && u32_exact(&l->tfs, df) &&
           (!positions || u32_exact(&l->positions, cf)) && (!forms || u32_exact(&l->forms, cf));
}

static pm_status make_list(list_merge *l, slice key, const term_entry *entries, list_task *out,
                           pm_error *err)
{
    bool positions = l->m->has_positions && !(key.len && key_is_flat(key.data[0]));
    pm_status st = PM_OK;
    for (size_t i = 0; i < l->m->n && st == PM_OK; i++)
        if (entries[i].df) st = read_list(l, i, &entries[i], positions, err);
    return st == PM_OK ? merge_list_put(l, key, positions, out, err) : st;
}

static pm_status merge_key(terms_merge *t, list_merge *l, slice key, const term_entry *entries,
                           list_task *out, pm_error *err)
{
    uint64_t df = 0, cf = 0, bytes = 0;
    for (size_t i = 0; i < l->m->n; i++) {
        if (!entries[i].df) continue;
        df += entries[i].df;
        cf += entries[i].cf;
        bytes += entries[i].len;
    }
    merge_list_begin(l);
    l->one_form = has_one_form(l, entries);
    if (cf <= t->large) return make_list(l, key, entries, out, err);
    pthread_mutex_lock(&t->large_lock);
    pm_status st = reserve_list(l, df, cf, bytes, l->m->has_positions)
                       ? make_list(l, key, entries, out, err)
                       : error_nomem(err);
    list_merge_forget(l);
    pthread_mutex_unlock(&t->large_lock);
    return st;
}

/* ---- tasks ------------------------------------------------------------------------------- */

/* To the next key that is no bigram, up to the last one before bigrams or to the end. */
static bool find_key(terms_merge *t)
{
    while (!t->ahead) {
        if (!key_merge_next(&t->keys)) return false;
        t->ahead = t->keys.iters[t->keys.lead].key[0] != KEY_BIGRAM;
    }
    return !t->flat || t->keys.iters[t->keys.lead].key[0] < KEY_BIGRAM;
}

/* Neighbouring keys for one worker, with their entries. */
static bool next_keys(void *ctx, unsigned worker, uint32_t task)
{
    terms_merge *t = ctx;
    list_merge *l = &t->lists[worker];
    uint64_t occurrences = 0;
    (void)task;
    l->n_keys = 0;
    buf_reset(&l->keys);
    while (l->n_keys < TASK_KEYS && occurrences < TASK_OCCURRENCES && find_key(t)) {
        const key_merge *k = &t->keys;
        const dict_iter *lead = &k->iters[k->lead];
        term_entry *entries = l->entries + (size_t)l->n_keys * k->n;
        uint64_t cf = 0;
        for (size_t i = 0; i < k->n; i++) {
            entries[i] = k->here[i] ? k->iters[i].term : (term_entry){.df = 0};
            cf += entries[i].cf;
        }
        if (l->n_keys && occurrences + cf > 2 * TASK_OCCURRENCES) break;
        occurrences += cf;
        buf_append(&l->keys, lead->key, lead->key_len);
        l->key_ends[l->n_keys++] = (uint32_t)l->keys.len;
        t->ahead = false;
    }
    return l->n_keys != 0;
}

static void merge_keys(void *ctx, unsigned worker, uint32_t task, list_task *out)
{
    terms_merge *t = ctx;
    list_merge *l = &t->lists[worker];
    pm_error err;
    pm_status st = l->keys.failed ? error_nomem(&err) : PM_OK;
    (void)task;
    for (uint32_t i = 0, begin = 0; i < l->n_keys && st == PM_OK; begin = l->key_ends[i++]) {
        slice key = {l->keys.data + begin, l->key_ends[i] - begin};
        st = merge_key(t, l, key, l->entries + (size_t)i * t->m->n, out, &err);
    }
    if (st != PM_OK) list_task_fail(out, st, &err);
}

static void keep_ordinal(void *ctx, uint32_t first_form, uint32_t ordinal)
{
    terms_merge *t = ctx;
    if (first_form != NO_FORM) t->m->forms[first_form].ordinal = ordinal;
}

static pm_status merge_run(terms_merge *t, bool flat, pm_error *err)
{
    const list_job job = {.w = t->m->w,
                          .n_tasks = UINT32_MAX,
                          .ctx = t,
                          .next = next_keys,
                          .make = merge_keys,
                          .written = keep_ordinal};
    t->flat = flat;
    pm_status st = list_tasks_run(&job, t->m->threads, err);
    return st == PM_OK ? merge_check(t->m, err) : st;
}

static pm_status merge_terms_open(terms_merge *t, pm_error *err)
{
    for (unsigned i = 0; i < LIST_WORKERS_MAX; i++) {
        list_merge *l = &t->lists[i];
        l->m = t->m;
        l->c = mem_zalloc(sizeof *l->c);
        l->entries = mem_array((size_t)TASK_KEYS * t->m->n, sizeof *l->entries);
        if (!l->c || !l->entries) return error_nomem(err);
    }
    return key_merge_open(&t->keys, t->m->inputs, t->m->n, false, err);
}

pm_status merge_terms(merger *m, pm_error *err)
{
    terms_merge t = {.m = m, .large = merge_large_list(m->memory_bytes)};
    pm_status st;
    pthread_mutex_init(&t.large_lock, NULL);
    PM_TRY(merge_terms_open(&t, err));
    PM_TRY(merge_run(&t, true, err));
    PM_TRY(merge_bigrams(m, t.lists, err));
    PM_TRY(merge_run(&t, false, err));
out:
    key_merge_close(&t.keys);
    for (unsigned i = 0; i < LIST_WORKERS_MAX; i++) list_merge_free(&t.lists[i]);
    pthread_mutex_destroy(&t.large_lock);
    return st;
}
