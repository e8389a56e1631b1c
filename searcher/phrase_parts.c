/* SPDX-License-Identifier: MIT
 *
 * phrase_parts.c - see phrase_parts.h.
 */
#include "searcher/phrase_parts.h"

/* Into out[0, n), which is sorted by df; equal ones stay in order of offsets. */
static void insert(phrase_part *out, uint32_t n, phrase_part one)
{
    for (; n && out[n - 1].entry->df > one.entry->df; n--) out[n] = out[n - 1];
    out[n] = one;
}

uint32_t phrase_parts(const plan *p, const plan_matcher *m, uint32_t segment_index, phrase_part *out)
{
    for (uint32_t i = 0; i < m->n_words; i++) {
        const term_entry *entry = &p->keys[m->words[i]].entries[segment_index];
        if (!entry->df) return 0;
        insert(out, i, (phrase_part){entry, i});
    }
    return m->n_words;
}
