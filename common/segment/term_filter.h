/* SPDX-License-Identifier: MIT
 * term_filter.h - is a word certainly not in a segment?  A blocked Bloom filter over the keys of
 * plain terms (F. Putze, P. Sanders, J. Singler, "Cache-, hash- and space-efficient Bloom
 * filters", 2007), in front of the term dictionary's index.
 *
 * Most look-ups of joined and split words ask for what is nowhere.  Without a filter each
 * touches a group of prefixes, an offset and a block; with it 64 bytes, wrong for 3 in 100.
 */
#ifndef PM_SEGMENT_TERM_FILTER_H
#define PM_SEGMENT_TERM_FILTER_H

#include "common/base/hash.h"
#include "common/segment/layout.h"

enum {
    TERM_FILTER_BLOCK = 64, /* bytes, for as many keys                                     */
    TERM_FILTER_BITS = 5,   /* set in its block by a key, or fewer                         */
};

static inline uint64_t term_filter_blocks(uint64_t n_plain_terms)
{
    return layout_groups(n_plain_terms, TERM_FILTER_BLOCK);
}
/* The block of a key; blocks > 0, < 2^32. */
static inline uint64_t term_filter_block(uint64_t hash, uint64_t blocks)
{
    return (hash >> 32) * blocks >> 32;
}
/* The i-th bit of a key in its block, of 512. */
static inline unsigned term_filter_bit(uint64_t hash, unsigned i)
{
    return hash_mix(hash) >> 9 * i & 511;
}
static inline void term_filter_set(uint8_t *block, uint64_t hash)
{
    for (unsigned i = 0; i < TERM_FILTER_BITS; i++) {
        unsigned bit = term_filter_bit(hash, i);
        block[bit / 8] = (uint8_t)(block[bit / 8] | 1u << bit % 8);
    }
}
static inline bool term_filter_has(const uint8_t *block, uint64_t hash)
{
    for (unsigned i = 0; i < TERM_FILTER_BITS; i++) {
        unsigned bit = term_filter_bit(hash, i);
        if (!(block[bit / 8] >> bit % 8 & 1)) return false;
    }
    return true;
}

#endif
