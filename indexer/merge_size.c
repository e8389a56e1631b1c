/* SPDX-License-Identifier: MIT
 * merge_size.c - see merge_size.h.
 */
#include "indexer/merge_size.h"

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/segment/dict.h"
#include "indexer/list_tasks.h"
#include "indexer/merge.h"

enum {
    LARGE_SHARE = 512, /* bytes of the limit for an occurrence of a large list             */
    LARGE_MOST = 1 << 20,
    LARGE_LEAST = 1 << 10,
    TERM_BYTES = 5, /* of the maps, for each input's                                    */
    FORM_BYTES = 4,
    DISTINCT_BYTES = 25,
    KEY_BYTES = 9, /* of a dictionary being written, beside what it will take in the file */
    ID_TABLE_BYTES = 14,
    READ_BYTES = 16,   /* of a dictionary, for a key beside its own                             */
    MARGIN = 10,       /* a part, for the sketch's error                                   */
    SPILLED_SHARE = 4, /* of the limit, for what is at hand of what is in files            */
    TOKENS_SHARE = 8,  /* the most frequent word is no more than that part of all          */
};

/* ---- sketches ------------------------------------------------------------------------------ */

void merge_sketch_add(merge_sketch *k, uint64_t hash)
{
    uint32_t low = 0, high = k->n;
    if (k->n == MERGE_SKETCH && hash >= k->hashes[k->n - 1]) return;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (k->hashes[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < k->n && k->hashes[low] == hash) return;
    uint32_t moved = (k->n < MERGE_SKETCH ? k->n : MERGE_SKETCH - 1) - low;
    memmove(&k->hashes[low + 1], &k->hashes[low], moved * sizeof *k->hashes);
    k->hashes[low] = hash;
    k->n += k->n < MERGE_SKETCH;
}

/* All that were seen, or as many as lie so densely. */
uint64_t merge_sketch_count(const merge_sketch *k)
{
    if (k->n < MERGE_SKETCH) return k->n;
    return (uint64_t)((MERGE_SKETCH - 1) * 0x1p64 / (double)k->hashes[MERGE_SKETCH - 1]);
}

bool merge_profile_make(segment *s, merge_profile *out)
{
    pm_error err;
    uint64_t passed = 0;
    dict_iter *it = mem_zalloc(sizeof *it);
    *out = (merge_profile){.longest = 0};
    if (!it) return false;
    dict_iter_begin(it, s, false, "", 0);
    while (dict_iter_next(it)) {
        segment_pass(s, &passed, READ_BYTES + it->key_len);
        uint64_t bytes =
            MERGE_POSTING_BYTES * (uint64_t)it->term.df + MERGE_CODE_BYTES * it->term.cf;
        if (it->term.cf > out->longest) out->longest = it->term.cf;
        if (bytes > out->bytes) out->bytes = bytes;
    }
    dict_iter_begin(it, s, true, "", 0);
    while (dict_iter_next(it)) {
        segment_pass(s, &passed, READ_BYTES + it->key_len);
        merge_sketch_add(&out->forms, hash_bytes(it->key, it->key_len));
    }
    mem_free(it);
    map_release(&s->file);
    return segment_status(s, &err) == PM_OK;
}

/* The least of both, in one pass. */
static void sketch_join(merge_sketch *all, const merge_sketch *one)
{
    merge_sketch both = {.n = 0};
    uint32_t a = 0, b = 0;
    while (both.n < MERGE_SKETCH && (a < all->n || b < one->n)) {
        bool from_all = a < all->n && (b == one->n || all->hashes[a] <= one->hashes[b]);
        uint64_t hash = from_all ? all->hashes[a] : one->hashes[b];
        both.hashes[both.n++] = hash;
        a += a < all->n && all->hashes[a] == hash;
        b += b < one->n && one->hashes[b] == hash;
    }
    *all = both;
}

void merge_profile_join(merge_profile *all, const merge_profile *one)
{
    all->longest += one->longest;
    all->bytes += one->bytes;
    sketch_join(&all->forms, &one->forms);
}

/* ---- sizes --------------------------------------------------------------------------------- */

void merge_size_add(merge_size *size, const segment_info *info, uint32_t n_dead)
{
    static const section_id dictionaries[] = {SECTION_TERMS, SECTION_TERMS_INDEX, SECTION_FORMS,
                                              SECTION_FORMS_INDEX};
    bool follows = info->seq_width == 0 && (!size->docs || info->seq_base == size->next_seq);
    size->numbered |= n_dead || !follows;
    size->next_seq = info->seq_base + info->n_docs;
    size->dated |= info->date_width != 0;
    size->dead |= n_dead != 0;
    size->docs += info->n_docs;
    size->live += info->n_docs - n_dead;
    size->terms += info->n_terms;
    size->forms += info->n_forms;
    size->tokens += info->sum_dl;
    size->id_bytes += info->sections[SECTION_IDS].len + info->sections[SECTION_ID_OFFSETS].len;
    for (size_t i = 0; i < sizeof dictionaries / sizeof *dictionaries; i++)
        size->dict_bytes += info->sections[dictionaries[i]].len;
}

uint64_t merge_large_list(uint64_t memory_bytes)
{
    uint64_t large = memory_bytes / LARGE_SHARE;
    if (!memory_bytes || large > LARGE_MOST) return LARGE_MOST;
    return large < LARGE_LEAST ? LARGE_LEAST : large;
}

/* Of the lists that are made at one time. */
static uint64_t list_bytes(const merge_profile *profile, uint64_t memory_bytes)
{
    uint64_t small = merge_large_list(memory_bytes);
    if (small > profile->longest) small = profile->longest;
    return profile->bytes + LIST_WORKERS_MAX * MERGE_OCCURRENCE_BYTES * small;
}

/* lists: bytes of the lists that are made at one time; forms: distinct ones. */
static uint64_t sum_up(const merge_size *size, uint64_t lists, uint64_t forms)
{
    uint64_t documents = 5 * size->live + 2 * size->id_bytes + 8 * size->dated * size->live +
                         8 * size->numbered * size->live + 4 * size->dead * size->docs;
    uint64_t maps = TERM_BYTES * size->terms + FORM_BYTES * size->forms + DISTINCT_BYTES * forms;
    double share = size->forms ? (double)forms / (double)size->forms : 1;
    uint64_t keys = (uint64_t)(share * (double)(size->dict_bytes + size->dict_bytes / 4 +
                                                KEY_BYTES * size->terms));
    uint64_t table = ID_TABLE_BYTES * size->live; /* when maps and lists are gone              */
    return documents + keys + (maps + lists > table ? maps + lists : table);
}

uint64_t merge_size_most(const merge_size *size)
{
    return sum_up(size, MERGE_OCCURRENCE_BYTES * (size->tokens / TOKENS_SHARE), size->forms);
}

uint64_t merge_size_likely(const merge_size *size, const merge_profile *profile,
                           uint64_t memory_bytes)
{
    uint64_t forms = merge_sketch_count(&profile->forms);
    if (profile->forms.n == MERGE_SKETCH) forms += forms / MARGIN;
    if (forms > size->forms) forms = size->forms;
    return sum_up(size, list_bytes(profile, memory_bytes), forms);
}

uint64_t merge_size_spilled(const merge_size *size, const merge_profile *profile,
                            uint64_t memory_bytes)
{
    uint64_t table = ID_TABLE_BYTES * size->live, lists = list_bytes(profile, memory_bytes);
    return memory_bytes / SPILLED_SHARE + (lists > table ? lists : table);
}
