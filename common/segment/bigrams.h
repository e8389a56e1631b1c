/* SPDX-License-Identifier: MIT
 * bigrams.h - lists of neighbouring frequent words, and which words are frequent.
 *
 * Positions of two words of which a text is full are long to read, and such words are
 * neighbours in few documents' way only.  So a segment holds a list for every pair of
 * frequent words that occurs ("of the"): its documents, how often, and where the first word
 * stands.  A word is frequent in a segment when its cf there, deleted documents included,
 * reaches info.bigram_min; so who has a word's entry knows whether an absent pair means that
 * it never occurs, or nothing.
 *
 *     key  0x03  first word  0x1f  second word         as titles and bodies have them, no gap
 */
#ifndef PM_SEGMENT_BIGRAMS_H
#define PM_SEGMENT_BIGRAMS_H

#include "common/segment/dict.h"

enum {
    BIGRAM_WORDS = 64, /* frequent words of a segment at most; DECISIONS.md, phrases */
    BIGRAM_WORDS_MAX = 250,
    BIGRAM_SEPARATOR = 0x1f,
    BIGRAM_FLOOR_BLOCKS = 16, /* a frequent word fills this many blocks with occurrences   */
};

static inline bool bigram_word(const segment_info *info, const term_entry *word)
{
    return info->bigram_min && word->cf >= info->bigram_min;
}
/* The key of a pair. */
static inline void bigram_key(buf *out, const void *a, size_t a_len, const void *b, size_t b_len)
{
    buf_u8(out, KEY_BIGRAM);
    buf_append(out, a, a_len);
    buf_u8(out, BIGRAM_SEPARATOR);
    buf_append(out, b, b_len);
}

/* The K + 1 largest of a stream of counts, K words being wanted. */
typedef struct bigram_choice {
    uint32_t n, want;
    uint64_t largest[BIGRAM_WORDS_MAX + 1]; /* falling                                     */
} bigram_choice;
static inline void bigram_consider(bigram_choice *c, uint64_t cf)
{
    uint32_t i = c->n <= c->want ? c->n++ : c->n;
    if (i == c->n && c->largest[--i] >= cf) return;
    for (; i && c->largest[i - 1] < cf; i--) c->largest[i] = c->largest[i - 1];
    c->largest[i] = cf;
}
/* The least cf that at most `want` words reach and that is worth it; 0 when no word does.  No
 * word that was not considered may have more than `others`. */
static inline uint32_t bigram_min(const bigram_choice *c, uint32_t block_size, uint64_t others)
{
    uint64_t min = (uint64_t)BIGRAM_FLOOR_BLOCKS * block_size;
    if (!c->want || !c->n) return 0;
    if (c->n > c->want && c->largest[c->want] >= min) min = c->largest[c->want] + 1;
    if (others >= min) min = others + 1;
    return c->largest[0] >= min && min <= UINT32_MAX ? (uint32_t)min : 0;
}

#endif
