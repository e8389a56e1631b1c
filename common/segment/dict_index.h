/* SPDX-License-Identifier: MIT
 * dict_index.h - where things stand in the index of a dictionary (FORMAT.md, "dictionaries").
 *
 *   terms: filter (term_filter.h)
 *   tops: u64 a group of 256 blocks | group: u64 prefix[256], offset[256] | group | ...
 *
 * The tops of a hundred thousand keys are 200 bytes: a look-up in a cold file touches them, one
 * group and one block, instead of the five or six pages of a search over all prefixes.
 */
#ifndef PM_SEGMENT_DICT_INDEX_H
#define PM_SEGMENT_DICT_INDEX_H

#include "common/segment/term_filter.h"

enum { DICT_GROUP = 256 }; /* blocks                                                     */

typedef struct dict_index {
    uint64_t blocks;
    uint64_t tops;  /* where they start                                                   */
    unsigned width; /* of an offset                                                       */
} dict_index;

/* n_filtered: plain terms; 0 for forms. */
static inline dict_index dict_index_of(uint64_t n_keys, uint64_t blocks_len, uint64_t n_filtered)
{
    return (dict_index){layout_groups(n_keys, DICT_BLOCK_KEYS),
                        TERM_FILTER_BLOCK * term_filter_blocks(n_filtered),
                        layout_offset_width(blocks_len)};
}
static inline uint64_t dict_index_groups(const dict_index *d)
{
    return layout_groups(d->blocks, DICT_GROUP);
}
static inline uint64_t dict_index_bytes(const dict_index *d)
{
    return d->tops + 8 * dict_index_groups(d) + (8 + d->width) * d->blocks;
}
static inline uint64_t dict_index_group(const dict_index *d, uint64_t group)
{
    return d->tops + 8 * dict_index_groups(d) + group * DICT_GROUP * (8 + d->width);
}
static inline uint64_t dict_index_group_blocks(const dict_index *d, uint64_t group)
{
    uint64_t left = d->blocks - group * DICT_GROUP;
    return left < DICT_GROUP ? left : DICT_GROUP;
}
/* Offsets in the section of a block's prefix, and of its offset. */
static inline uint64_t dict_index_prefix(const dict_index *d, uint64_t block)
{
    return dict_index_group(d, block / DICT_GROUP) + 8 * (block % DICT_GROUP);
}
static inline uint64_t dict_index_offset(const dict_index *d, uint64_t block)
{
    uint64_t group = block / DICT_GROUP;
    return dict_index_group(d, group) + 8 * dict_index_group_blocks(d, group) +
           d->width * (block % DICT_GROUP);
}

#endif
