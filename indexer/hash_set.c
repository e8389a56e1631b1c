/* SPDX-License-Identifier: MIT
 * hash_set.c - see hash_set.h.  Open addressing, linear probes, at most two thirds full.
 */
#include "indexer/hash_set.h"

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/mem.h"

static uint64_t mixed(const hash_set *set, uint64_t hash)
{
    return hash_mix(hash ^ set->seed);
}

/* The slot that holds the hash, or the empty one where it belongs. */
static size_t slot_of(const hash_set *set, const hash_part *part, uint64_t hash)
{
    size_t at = (size_t)mixed(set, hash) & (part->cap - 1);
    while (part->slots[at] && part->slots[at] != hash) at = (at + 1) & (part->cap - 1);
    return at;
}

static bool grow(const hash_set *set, hash_part *part)
{
    hash_part next = *part;
    next.cap = part->cap ? part->cap * 2 : 32;
    next.slots = mem_table(next.cap, sizeof *next.slots);
    if (!next.slots) return false;
    for (size_t i = 0; i < part->cap; i++)
        if (part->slots[i]) next.slots[slot_of(set, &next, part->slots[i])] = part->slots[i];
    mem_free(part->slots);
    *part = next;
    return true;
}

static void draw_seed(hash_set *set)
{
    uint8_t random[16];
    file_random(random);
    set->seed = load_u64(random) | 1;
}

bool hash_set_add(hash_set *set, uint64_t hash)
{
    if (!set->seed) draw_seed(set);
    hash_part *part = &set->parts[mixed(set, hash) >> 58];
    if (part->count >= part->cap / 3 * 2 && !grow(set, part)) return false;
    size_t at = slot_of(set, part, hash);
    bool had = part->slots[at] != 0;
    part->slots[at] = hash;
    part->count += !had;
    set->count += !had;
    return true;
}

bool hash_set_has(const hash_set *set, uint64_t hash)
{
    const hash_part *part = &set->parts[mixed(set, hash) >> 58];
    return part->cap && part->slots[slot_of(set, part, hash)] != 0;
}

void hash_set_free(hash_set *set)
{
    for (size_t i = 0; i < HASH_SET_PARTS; i++) mem_free(set->parts[i].slots);
    *set = (hash_set){0};
}
