/* SPDX-License-Identifier: MIT
 * inverter_bigrams.c - pairs of frequent words (bigrams.h) by a counting sort of their own: two
 * passes over the stream look at each token and the one before it, and where both are frequent
 * and neighbours, the first one's number goes to its pair's part of `places`.
 */
#include <assert.h>

#include "common/base/mem.h"
#include "common/segment/bigrams.h"
#include "indexer/inversion.h"

/* The frequent words of the segment, in order of their keys.  Number n stands for all others, so
 * that each token makes a pair with the one before it and no branch depends on what it is. */
typedef struct bigram_set {
    inversion *inv;
    uint32_t n;
    uint32_t terms[BIGRAM_WORDS_MAX];
    uint8_t *number; /* by form that occurs: of its term in terms, else n                     */
    uint32_t *ends;  /* by pair, a * (n + 1) + b: where its tokens end in places              */
    uint8_t *steps;  /* by pair: 1, or 0 where a word is none of the n                        */
} bigram_set;

static_assert((int)BIGRAM_WORDS_MAX < UINT8_MAX, "a byte numbers frequent words and others");

/* The least cf of a frequent word; 0: none is. */
static uint32_t bigrams_min(const inversion *inv)
{
    const segment_writer_config *config = segment_writer_settings(inv->w);
    bigram_choice choice = {.want = config->bigram_words};
    if (!inv->iv->has_positions || choice.want > BIGRAM_WORDS_MAX) return 0;
    for (uint32_t t = 0; t < inv->n_terms; t++) bigram_consider(&choice, inv->terms[t].cf);
    return bigram_min(&choice, config->block_size, 0);
}

static uint32_t pair_of(const bigram_set *set, uint32_t a, uint32_t b)
{
    return a * (set->n + 1) + b;
}

static pm_status bigrams_choose(const inversion *inv, bigram_set *set, uint32_t min, pm_error *err)
{
    for (uint32_t t = 0; t < inv->n_terms; t++)
        if (inv->terms[t].cf >= min) set->terms[set->n++] = t;
    uint32_t pairs = pair_of(set, set->n, set->n) + 1;
    set->number = mem_alloc(inv->n_forms);
    set->ends = mem_array(pairs, sizeof *set->ends);
    set->steps = mem_array(pairs, 1);
    if (!set->number || !set->ends || !set->steps) return error_nomem(err);
    for (uint32_t a = 0; a < set->n; a++) memset(set->steps + pair_of(set, a, 0), 1, set->n);
    for (uint32_t i = 0; i < inv->iv->n_used; i++) {
        uint32_t id = inv->iv->used[i], term = inv->form_rows[id].term;
        uint8_t number = (uint8_t)set->n;
        if (inv->terms[term].cf >= min)
            for (number = 0; set->terms[number] != term;) number++;
        set->number[id] = number;
    }
    return PM_OK;
}

/* Tokens [from, to) are neighbours.  places NULL: count each pair to ends; else the number of
 * its first token goes there, and ends[pair], which is where they begin, moves to where they end.
 * Others write to the place behind all pairs and do not move. */
static inline void pass_run(const bigram_set *set, uint32_t from, uint32_t to, uint32_t *places)
{
    const uint32_t *tokens = set->inv->iv->tokens;
    uint32_t before = set->n;
    for (uint32_t at = from; at < to; at++) {
        uint32_t here = set->number[TOKEN_FORM(tokens[at])], pair = pair_of(set, before, here);
        if (places) places[set->ends[pair]] = at - 1;
        set->ends[pair] += set->steps[pair];
        before = here;
    }
}

/* All documents: titles, and bodies up to and behind what was taken out of them. */
static inline void pass(const bigram_set *set, uint32_t *places)
{
    const inverter *iv = set->inv->iv;
    for (size_t doc = 0; doc < iv->n_docs; doc++) {
        const inverter_doc *d = &iv->docs[doc];
        uint32_t body = d->first + d->n_title, hole = body + d->hole_at;
        pass_run(set, d->first, body, places);
        pass_run(set, body, hole, places);
        pass_run(set, hole, inverter_doc_end(iv, doc), places);
    }
}

/* Pairs' counts to where they begin; those that are no pairs of frequent words come last, where
 * there is room, since a text has fewer pairs than words. */
static void lay_out(const bigram_set *set)
{
    uint32_t sum = 0, pairs = pair_of(set, set->n, set->n) + 1;
    for (uint32_t pair = 0; pair < pairs; pair++) {
        uint32_t n = set->ends[pair];
        set->ends[pair] = sum;
        sum += n;
    }
    for (uint32_t pair = 0; pair < pairs; pair++)
        if (!set->steps[pair]) set->ends[pair] = sum;
}

static void make_pair(const bigram_set *set, list_room *room, uint32_t a, uint32_t b,
                      uint32_t begin, list_task *out)
{
    const inversion *inv = set->inv;
    const form *first = inv->terms[set->terms[a]].f, *second = inv->terms[set->terms[b]].f;
    uint32_t n = set->ends[pair_of(set, a, b)] - begin;
    segment_term list = {.df = inversion_gather(inv, room, inv->places + begin, n)};
    buf_reset(&room->key);
    bigram_key(&room->key, first->stem, first->stem_len, second->stem, second->stem_len);
    inversion_put(room, &list, true, 0, out);
}

/* All pairs of one first word, a task. */
static void make_pairs(void *ctx, unsigned worker, uint32_t a, list_task *out)
{
    const bigram_set *set = ctx;
    uint32_t begin = a ? set->ends[pair_of(set, a - 1, set->n - 1)] : 0, end;
    for (uint32_t b = 0; b < set->n; b++, begin = end) {
        end = set->ends[pair_of(set, a, b)];
        if (end == begin) continue;
        list_room *room = inversion_begin(set->inv, worker, end - begin, out);
        if (!room) return;
        make_pair(set, room, a, b, begin, out);
        inversion_end(set->inv, room);
    }
}

pm_status inversion_bigrams(inversion *inv, pm_error *err)
{
    bigram_set set = {.inv = inv};
    uint32_t min = bigrams_min(inv);
    if (!min) return PM_OK;
    pm_status st;
    PM_TRY(bigrams_choose(inv, &set, min, err));
    segment_writer_bigrams(inv->w, min);
    pass(&set, NULL);
    lay_out(&set);
    pass(&set, inv->places);
    const list_job lists = {.w = inv->w, .n_tasks = set.n, .ctx = &set, .make = make_pairs};
    PM_TRY(list_tasks_run(&lists, inv->threads, err));
out:
    mem_free(set.number);
    mem_free(set.ends);
    mem_free(set.steps);
    return st;
}
