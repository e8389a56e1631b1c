/* SPDX-License-Identifier: MIT
 * vocabulary.h - invented words by frequency rank: pronounceable, distinct, inflected.
 *
 * A word is syllables of onset and vowel, closed by a coda.  Consonants and vowels alternate,
 * so two different choices never spell the same word, and no coda ends as an ending does
 * (s, ed, ing, ly), so that no word is another one's inflected form.  The frequent words are
 * short.  The endings are ones that Snowball English takes off again.
 */
#ifndef PM_BENCHMARKS_VOCABULARY_H
#define PM_BENCHMARKS_VOCABULARY_H

#include <string.h>

#include "benchmarks/random.h"

enum {
    WORD_BYTES = 24,      /* copied whole; the longest word has 16                      */
    FUNCTION_WORDS = 150, /* the most frequent ones: never inflected, never topical     */
    ONE_SYLLABLE = 1000,  /* ranks below this                                           */
    ONSETS = 27,
    VOWELS = 8,
    CODAS = 16,
    HEAD_WORDS = 65535, /* these are drawn from a table that stays in the cache       */
};

typedef enum word_kind {
    WORD_PLAIN,
    WORD_NOUN,
    WORD_VERB,
    WORD_ADJECTIVE,
    WORD_NAME,
    WORD_ACRONYM
} word_kind;
typedef enum word_ending { END_NONE, END_S, END_ED, END_ING, END_LY } word_ending;

typedef struct word {
    _Alignas(32) char text[WORD_BYTES]; /* never across two cache lines                   */
    uint8_t len, kind;
} word;

typedef struct vocabulary {
    uint32_t n;
    word *words;    /* by rank                                                        */
    uint8_t *kinds; /* the same as in words, dense enough for the cache               */
    uint32_t n_head;
    alias_cell *head; /* draws a rank below n_head, or n_head for one of the others       */
    alias_cell *tail; /* draws one of those, from n_head on                               */
} vocabulary;

static const char vocabulary_endings[5][4] = {"", "s", "ed", "ing", "ly"};
static const uint8_t vocabulary_ending_len[5] = {0, 1, 2, 3, 2};

static inline void word_append(word *w, const char *part)
{
    size_t len = strlen(part);
    memcpy(w->text + w->len, part, len);
    w->len = (uint8_t)(w->len + len);
}

/* The index-th word of so many syllables; without a coda when `open`. */
static inline word word_make(uint64_t index, unsigned syllables, bool open)
{
    static const char onsets[ONSETS][3] = {"b",  "c",  "d",  "f",  "g",  "h",  "j",  "k",  "l",
                                           "m",  "n",  "p",  "r",  "t",  "v",  "w",  "z",  "br",
                                           "ch", "cl", "dr", "gr", "pl", "pr", "sh", "th", "tr"};
    static const char vowels[VOWELS][3] = {"a", "e", "i", "o", "u", "ea", "ou", "ai"};
    static const char codas[CODAS][3] = {"n",  "r",  "l",  "m",  "k",  "t",  "p",  "nt",
                                         "rk", "st", "nd", "lm", "rt", "nk", "rn", "b"};
    word w = {{0}, 0, WORD_PLAIN};
    const char *coda = open ? "" : codas[index % CODAS];
    if (!open) index /= CODAS;
    for (unsigned i = 0; i < syllables; i++) {
        word_append(&w, onsets[index % ONSETS]);
        index /= ONSETS;
        word_append(&w, vowels[index % VOWELS]);
        index /= VOWELS;
    }
    word_append(&w, coda);
    return w;
}

/* A permutation of 0 .. size - 1 chosen by seed: i * odd prime + offset.  The prime does not
 * divide any size here (products of 2 and 3). */
static inline uint64_t word_shuffle(uint64_t i, uint64_t size, uint64_t seed)
{
    return (i * 7919 + seed % size) % size;
}

static inline word_kind word_kind_of(uint32_t rank, uint64_t hash)
{
    if (rank < FUNCTION_WORDS) return WORD_PLAIN;
    unsigned percent = (unsigned)(hash % 100);
    if (percent < 45) return WORD_NOUN;
    if (percent < 75) return WORD_VERB;
    if (percent < 90) return WORD_ADJECTIVE;
    if (rank < ONE_SYLLABLE && percent < 97) return WORD_NOUN;
    return rank < ONE_SYLLABLE ? WORD_ACRONYM : WORD_NAME;
}

static inline word word_of_rank(uint32_t rank, uint64_t seed)
{
    const uint64_t open = ONSETS * VOWELS, one = open * CODAS, two = open * one, three = open * two;
    word w;
    if (rank < FUNCTION_WORDS)
        w = word_make(word_shuffle(rank, open, seed), 1, true);
    else if (rank < ONE_SYLLABLE)
        w = word_make(word_shuffle(rank, one, seed), 1, false);
    else if (rank % 3 && rank < two)
        w = word_make(word_shuffle(rank, two, seed), 2, false);
    else
        w = word_make(word_shuffle(rank, three, seed), 3, false);
    w.kind = (uint8_t)word_kind_of(rank, random_hash(seed, rank));
    return w;
}

static inline void vocabulary_free(vocabulary *v)
{
    free(v->words);
    free(v->kinds);
    free(v->head);
    free(v->tail);
    memset(v, 0, sizeof *v);
}

/* weights: of all n ranks; overwritten.  False when memory is short. */
static inline bool vocabulary_weigh(vocabulary *v, uint64_t *weights)
{
    bool ok = alias_build(v->tail, weights + v->n_head, v->n - v->n_head);
    for (uint32_t rank = v->n_head + 1; rank < v->n; rank++) weights[v->n_head] += weights[rank];
    return ok && alias_build(v->head, weights, v->n_head + (v->n > v->n_head));
}

/* False when memory is short. */
static inline bool vocabulary_init(vocabulary *v, uint32_t n, uint64_t seed)
{
    uint64_t *weights = malloc(n * sizeof *weights);
    *v = (vocabulary){.n = n, .n_head = n < HEAD_WORDS ? n : HEAD_WORDS};
    v->words = aligned_alloc(32, n * sizeof *v->words);
    v->kinds = malloc(n);
    v->head = malloc((v->n_head + 1) * sizeof *v->head);
    v->tail = malloc((n - v->n_head + 1) * sizeof *v->tail);
    bool ok = weights && v->words && v->kinds && v->head && v->tail;
    for (uint32_t rank = 0; ok && rank < n; rank++) {
        v->words[rank] = word_of_rank(rank, random_hash(seed, 1));
        v->kinds[rank] = v->words[rank].kind;
        weights[rank] = zipf_weight(rank);
    }
    ok = ok && vocabulary_weigh(v, weights);
    free(weights);
    if (!ok) vocabulary_free(v);
    return ok;
}

/* A rank by its weight. */
static inline uint32_t vocabulary_draw(const vocabulary *v, uint64_t *rng)
{
    uint32_t rank = alias_pick(v->head, v->n_head + (v->n > v->n_head), random_next(rng));
    if (rank < v->n_head) return rank;
    return v->n_head + alias_pick(v->tail, v->n - v->n_head, random_next(rng));
}

#endif
