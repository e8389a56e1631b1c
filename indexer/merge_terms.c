/* SPDX-License-Identifier: MIT
 * merge_terms.c - the keys of a merge, in order; see merge.h.
 *
 * Several threads make the lists (merge_list.c) of some neighbouring keys at a time (list_tasks.h):
 * whoever takes a task reads its keys and entries from all dictionaries, one thread after the
 * other, then the lists at the same time as others.  A form belongs to one key, so its counts to
 * one thread.
 */
#include "indexer/merge_list.h"

#include <pthread.h>

#include "common/base/mem.h"
#include "common/base/scratch.h"
#include "indexer/merge_size.h"

enum {
    TASK_OCCURRENCES = 128 << 10, /* of a task of several keys, about                         */
    KEY_TOUCHES = 64,             /* bytes of maps, forms and dictionaries for a key            */
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

/* ---- keys -------------------------------------------------------------------------------- */

static pm_status merge_key(terms_merge *t, list_merge *l, slice key, const term_entry *entries,
                           list_task *out, pm_error *err)
{
    uint64_t cf = 0;
    for (size_t i = 0; i < l->m->n; i++) cf += entries[i].cf;
    if (cf <= t->large) return merge_list_make(l, key, entries, false, out, err);
    pthread_mutex_lock(&t->large_lock);
    pm_status st = merge_list_make(l, key, entries, true, out, err);
    merge_list_forget(l);
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
    while (l->n_keys < MERGE_TASK_KEYS && occurrences < TASK_OCCURRENCES && find_key(t)) {
        const key_merge *k = &t->keys;
        const dict_iter *lead = &k->iters[k->lead];
        term_entry *entries = l->entries + (size_t)l->n_keys * k->n;
        scratch_pass(t->m->scratch, KEY_TOUCHES * (1 + k->n));
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
    if (first_form != MERGE_NO_FORM) t->m->forms[first_form].ordinal = ordinal;
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
        l->entries = mem_array((size_t)MERGE_TASK_KEYS * t->m->n, sizeof *l->entries);
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
    for (unsigned i = 0; i < LIST_WORKERS_MAX; i++) merge_list_free(&t.lists[i]);
    pthread_mutex_destroy(&t.large_lock);
    return st;
}
