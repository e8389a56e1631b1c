/* SPDX-License-Identifier: MIT
 * inverter_bigrams.c - pairs of frequent words (bigrams.h) by a counting sort of their own.  One
 * pass over the stream notes which tokens end a pair, a bit each, and the pairs' numbers one after
 * the other; what is left to count and to sort are those.  Two threads take half of the documents
 * each.
 */
#include <assert.h>

#include "common/base/mem.h"
#include "common/base/thread.h"
#include "common/codec/bits.h"
#include "common/segment/bigrams.h"
#include "indexer/inversion.h"

enum { HALVES_MIN = 1 << 18 }; /* tokens that are worth a thread                             */

/* Neighbouring documents and their pairs. */
typedef struct pair_half {
    size_t first_doc, end_doc;
    uint32_t base;   /* their first token                                                     */
    uint64_t *bits;  /* by token from there: a pair ends here                                 */
    uint16_t *pairs; /* number of each such pair, in order; of set->pairs                     */
    uint32_t n_pairs;
    uint32_t *ends; /* by pair: how many; then where the next goes in places                  */
} pair_half;

/* The frequent words of the segment, in order of their keys.  Number n stands for all others, so
 * that each token makes a pair with the one before it and no branch depends on what it is. */
typedef struct bigram_set {
    inversion *inv;
    uint32_t n;
    uint32_t terms[BIGRAM_WORDS_MAX];
    uint8_t *number; /* by form that occurs: of its term in terms, else n                     */
    uint64_t *bits;  /* of all halves, as the next one                                        */
    uint16_t *pairs;
    uint32_t *counts;
    uint32_t *ends; /* by pair, a * (n + 1) + b: where its tokens end in places               */
    unsigned n_halves;
    pair_half halves[2];
} bigram_set;

static_assert((int)BIGRAM_WORDS_MAX < UINT8_MAX, "a byte numbers frequent words and others");
static_assert((BIGRAM_WORDS_MAX + 1) * (BIGRAM_WORDS_MAX + 1) <= UINT16_MAX,
              "two bytes their pairs");

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
    set->number = mem_alloc(inv->n_forms);
    if (!set->number) return error_nomem(err);
    for (uint32_t i = 0; i < inv->iv->n_used; i++) {
        uint32_t id = inv->iv->used[i], term = inv->form_rows[id].term;
        uint8_t number = (uint8_t)set->n;
        if (inv->terms[term].cf >= min)
            for (number = 0; set->terms[number] != term;) number++;
        set->number[id] = number;
    }
    return PM_OK;
}

/* ---- counting sort ----------------------------------------------------------------------- */

/* Cut the documents where half of the tokens are, and have memory for their pairs. */
static bool cut_halves(bigram_set *set)
{
    inversion *inv = set->inv;
    size_t n_docs = inv->iv->n_docs, n = inv->iv->n_tokens, words = n / 64 + 2;
    bool two = inv->threads > 1 && n >= HALVES_MIN;
    uint32_t middle = two ? inv->block_docs[n / 2 >> inv->place_shift] : (uint32_t)n_docs;
    size_t pairs = pair_of(set, set->n, set->n) + 1;
    set->n_halves = two ? 2 : 1;
    set->bits = mem_array(words, sizeof *set->bits);
    set->counts = mem_array(set->n_halves * pairs, sizeof *set->counts);
    set->pairs = mem_alloc(n * sizeof *set->pairs); /* most of which is never touched          */
    if (!set->bits || !set->counts || !set->pairs) return false;
    set->halves[0] = (pair_half){.end_doc = middle, .bits = set->bits, .ends = set->counts};
    set->halves[0].pairs = set->pairs;
    set->ends = set->counts + (set->n_halves - 1) * pairs;
    if (!two) return true;
    uint32_t base = inv->iv->docs[middle].first;
    set->halves[1] = (pair_half){.first_doc = middle, .end_doc = n_docs, .base = base};
    set->halves[1].bits = set->bits + base / 64 + 1;
    set->halves[1].pairs = set->pairs + base;
    set->halves[1].ends = set->ends;
    return true;
}

/* Tokens [from, to) are neighbours: note where pairs end, and which. */
static inline void note_run(const bigram_set *set, pair_half *half, uint32_t from, uint32_t to)
{
    const uint32_t *tokens = set->inv->iv->tokens;
    uint32_t before = set->n, n_pairs = half->n_pairs, bit = from - half->base;
    uint64_t bits = 0;
    for (uint32_t at = from; at < to; at++, bit++) {
        uint32_t here = set->number[TOKEN_FORM(tokens[at])];
        uint64_t is_pair = (before < set->n) & (here < set->n);
        half->pairs[n_pairs] = (uint16_t)pair_of(set, before, here);
        n_pairs += (uint32_t)is_pair;
        bits |= is_pair << (bit % 64);
        before = here;
        if (bit % 64 != 63) continue;
        half->bits[bit / 64] |= bits;
        bits = 0;
    }
    if (bits) half->bits[bit / 64] |= bits;
    half->n_pairs = n_pairs;
}

/* Titles, and bodies up to and behind what was taken out of them. */
static void note_half(const bigram_set *set, pair_half *half)
{
    const inverter *iv = set->inv->iv;
    for (size_t doc = half->first_doc; doc < half->end_doc; doc++) {
        const inverter_doc *d = &iv->docs[doc];
        uint32_t body = d->first + d->n_title, hole = body + d->hole_at;
        note_run(set, half, d->first, body);
        note_run(set, half, body, hole);
        note_run(set, half, hole, inverter_doc_end(iv, doc));
    }
    for (uint32_t i = 0; i < half->n_pairs; i++) half->ends[half->pairs[i]]++;
}

/* Pairs' counts to where they begin, and room there; false when memory is refused. */
static bool lay_out(const bigram_set *set)
{
    uint32_t sum = 0, pairs = pair_of(set, set->n, set->n) + 1;
    for (uint32_t pair = 0; pair < pairs; pair++) {
        for (unsigned h = 0; h < set->n_halves; h++) {
            uint32_t n = set->halves[h].ends[pair];
            set->halves[h].ends[pair] = sum;
            sum += n;
        }
    }
    return inversion_places(set->inv, sum);
}

/* The first tokens' numbers, by pair. */
static void place_half(const bigram_set *set, pair_half *half)
{
    const uint16_t *pair = half->pairs;
    uint32_t left = half->n_pairs, at = half->base - 1;
    for (const uint64_t *word = half->bits; left; word++, at += 64) {
        for (uint64_t bits = *word; bits; bits &= bits - 1, left--)
            set->inv->places[half->ends[*pair++]++] = at + (uint32_t)bits_lowest(bits);
    }
}

typedef struct half_work {
    bigram_set *set;
    void (*fn)(const bigram_set *set, pair_half *half);
} half_work;

static void do_half(void *ctx, unsigned h)
{
    half_work *work = ctx;
    work->fn(work->set, &work->set->halves[h]);
}

static void each_half(bigram_set *set, void (*fn)(const bigram_set *set, pair_half *half))
{
    half_work work = {.set = set, .fn = fn};
    thread_run_all(set->n_halves, do_half, &work);
}

/* ---- lists --------------------------------------------------------------------------------- */

static void make_pair(const bigram_set *set, list_room *room, uint32_t a, uint32_t b,
                      uint32_t begin, list_task *out)
{
    const inversion *inv = set->inv;
    const form *first = inv->terms[set->terms[a]].f, *second = inv->terms[set->terms[b]].f;
    uint32_t n = set->ends[pair_of(set, a, b)] - begin;
    segment_term list = {.df = inversion_gather(inv, room, inv->places + begin, n)};
    buf_reset(&room->key);
    bigram_key(&room->key, first->stem, first->stem_len, second->stem, second->stem_len);
    inversion_put(room, &list, room->positions, 0, out);
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
    if (!cut_halves(&set)) PM_TRY(error_nomem(err));
    each_half(&set, note_half);
    if (!lay_out(&set)) PM_TRY(error_nomem(err));
    each_half(&set, place_half);
    const list_job lists = {.w = inv->w, .n_tasks = set.n, .ctx = &set, .make = make_pairs};
    PM_TRY(list_tasks_run(&lists, inv->threads, err));
out:
    mem_free(set.number);
    mem_free(set.bits);
    mem_free(set.pairs);
    mem_free(set.counts);
    return st;
}
