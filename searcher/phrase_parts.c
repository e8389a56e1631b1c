/* SPDX-License-Identifier: MIT
 *
 * phrase_parts.c - see phrase_parts.h.
 */
#include "searcher/phrase_parts.h"

#include "common/segment/bigrams.h"

/* Into out[0, n), which is sorted by df; equal ones stay in order of offsets. */
static void insert(phrase_part *out, uint32_t n, phrase_part one)
{
    for (; n && out[n - 1].entry->df > one.entry->df; n--) out[n] = out[n - 1];
    out[n] = one;
}

/* The list of words i and i + 1 together; NULL: the segment says nothing of them. */
static const term_entry *pair_entry(const plan *p, const plan_matcher *m, uint32_t segment_index,
                                    uint32_t i)
{
    const segment_info *info = &p->snap->segments[segment_index].seg->info;
    const plan_key *keys = p->keys;
    if (!m->pairs || i + 1 >= m->n_words || m->pairs[i] == UINT32_MAX) return NULL;
    if (!bigram_word(info, &keys[m->words[i]].entries[segment_index]) ||
        !bigram_word(info, &keys[m->words[i + 1]].entries[segment_index]))
        return NULL;
    return &keys[m->pairs[i]].entries[segment_index];
}

/* Drop bigrams of which both words have others, the most frequent ones first. */
static uint32_t drop_covered(phrase_part *out, uint32_t n, const plan *p, const plan_matcher *m,
                             uint32_t segment_index)
{
    for (uint32_t k = n; k-- > 0;) {
        uint32_t at = out[k].offset, left = 0, right = 0;
        if (out[k].entry != pair_entry(p, m, segment_index, at)) continue;
        for (uint32_t i = 0; i < n; i++) {
            bool pair = out[i].entry == pair_entry(p, m, segment_index, out[i].offset);
            left += pair && out[i].offset + 1 == at;
            right += pair && out[i].offset == at + 1;
        }
        if (!left || !right) continue;
        n--;
        for (uint32_t i = k; i < n; i++) out[i] = out[i + 1];
    }
    return n;
}

uint32_t phrase_parts(const plan *p, const plan_matcher *m, uint32_t segment_index,
                      phrase_part *out)
{
    uint32_t n = 0;
    bool before = false; /* a bigram ends at this word                                       */
    for (uint32_t i = 0; i < m->n_words; i++) {
        const term_entry *word = &p->keys[m->words[i]].entries[segment_index];
        const term_entry *pair = word->df ? pair_entry(p, m, segment_index, i) : NULL;
        if (!word->df || (pair && !pair->df)) return 0;
        if (pair)
            insert(out, n++, (phrase_part){pair, i});
        else if (!before)
            insert(out, n++, (phrase_part){word, i});
        before = pair != NULL;
    }
    return m->pairs ? drop_covered(out, n, p, m, segment_index) : n;
}
