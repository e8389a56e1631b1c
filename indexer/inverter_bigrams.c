/* SPDX-License-Identifier: MIT
 * inverter_bigrams.c - pairs of frequent words (bigrams.h): each frequent word's occurrences
 * divided by the frequent word behind.
 */
#include <assert.h>

#include "common/base/mem.h"
#include "common/segment/bigrams.h"
#include "indexer/inversion.h"

/* The frequent words of the segment, in order of their keys. */
typedef struct bigram_set {
    uint32_t n;
    uint32_t terms[BIGRAM_WORDS_MAX];
    uint8_t *number; /* by form: of its term in terms; NO_NUMBER                              */
    uint8_t *next;   /* of a list's occurrences: the number of the word behind                */
} bigram_set;

enum { NO_NUMBER = 255 };
static_assert((int)BIGRAM_WORDS_MAX <= (int)NO_NUMBER, "a byte numbers frequent words");

static void bigrams_free(bigram_set *set)
{
    mem_free(set->number);
    mem_free(set->next);
}

/* The least cf of a frequent word; 0: none is. */
static uint32_t bigrams_min(const inversion *inv)
{
    const segment_writer_config *config = segment_writer_settings(inv->w);
    bigram_choice choice = {.want = config->bigram_words};
    if (!inv->iv->has_positions || choice.want > BIGRAM_WORDS_MAX) return 0;
    for (uint32_t t = 0; t < inv->n_terms; t++)
        bigram_consider(&choice, inversion_term_cf(inv, &inv->terms[t]));
    return bigram_min(&choice, config->block_size, 0);
}

static pm_status bigrams_choose(const inversion *inv, bigram_set *set, uint32_t min, pm_error *err)
{
    uint8_t *by_term = mem_alloc(inv->n_terms);
    set->number = mem_alloc(inv->n_forms);
    set->next = mem_alloc(inv->longest);
    bool good = by_term && set->number && set->next;
    for (uint32_t t = 0; t < inv->n_terms && good; t++) {
        bool frequent = inversion_term_cf(inv, &inv->terms[t]) >= min;
        by_term[t] = frequent ? (uint8_t)set->n : NO_NUMBER;
        if (frequent) set->terms[set->n++] = t;
    }
    for (uint32_t id = 0; id < inv->n_forms && good; id++)
        set->number[id] = inv->form_cf[id] ? by_term[inv->form_term[id]] : NO_NUMBER;
    mem_free(by_term);
    return good ? PM_OK : error_nomem(err);
}

/* The frequent word behind a token, in the same text; NO_NUMBER: none. */
static uint8_t number_behind(const inversion *inv, const bigram_set *set, uint32_t *doc,
                             uint32_t place)
{
    const inverter *iv = inv->iv;
    if (place + 1 >= iv->n_tokens) return NO_NUMBER;
    uint8_t number = set->number[TOKEN_FORM(iv->tokens[place + 1])];
    if (number == NO_NUMBER) return number;
    *doc = inversion_doc_of(inv, *doc, place);
    const inverter_doc *d = &iv->docs[*doc];
    uint32_t i = place - d->first;
    bool neighbours = place + 1 < inverter_doc_end(iv, *doc) &&
                      token_position(d, i + 1) == token_position(d, i) + 1;
    return neighbours ? number : NO_NUMBER;
}

/* All pairs of one first word: its occurrences by the word behind. */
static void bigrams_write_of(inversion *inv, bigram_set *set, uint32_t a, const uint32_t *places,
                             uint32_t n)
{
    const form *first = inv->terms[set->terms[a]].f;
    uint32_t ends[NO_NUMBER + 1] = {0}, doc = 0, begin = 0, *by_pairs = inv->forms;
    for (uint32_t i = 0; i < n; i++) {
        if (i + PLACE_AHEAD < n) __builtin_prefetch(&inv->iv->tokens[places[i + PLACE_AHEAD]]);
        set->next[i] = number_behind(inv, set, &doc, places[i]);
        ends[set->next[i]]++;
    }
    for (uint32_t b = 0, sum = 0, count; b < set->n; b++, sum += count) {
        count = ends[b];
        ends[b] = sum;
    }
    for (uint32_t i = 0; i < n; i++)
        if (set->next[i] != NO_NUMBER) by_pairs[ends[set->next[i]]++] = places[i];
    for (uint32_t b = 0; b < set->n; begin = ends[b++]) {
        if (ends[b] == begin) continue;
        const form *second = inv->terms[set->terms[b]].f;
        segment_term out = {.df = inversion_gather(inv, by_pairs + begin, ends[b] - begin)};
        buf_reset(&inv->key);
        bigram_key(&inv->key, first->stem, first->stem_len, second->stem, second->stem_len);
        inversion_list(inv, &out, true);
    }
}

pm_status inversion_bigrams(inversion *inv, pm_error *err)
{
    pm_status st = PM_OK;
    bigram_set set = {0};
    uint32_t min = bigrams_min(inv);
    if (!min) return PM_OK;
    PM_TRY(bigrams_choose(inv, &set, min, err));
    segment_writer_bigrams(inv->w, min);
    for (uint32_t a = 0; a < set.n; a++) {
        uint32_t term = set.terms[a], begin = term ? inv->ends[term - 1] : 0;
        bigrams_write_of(inv, &set, a, inv->places + begin, inv->ends[term] - begin);
    }
    if (inv->key.failed) st = error_nomem(err);
out:
    bigrams_free(&set);
    return st;
}
