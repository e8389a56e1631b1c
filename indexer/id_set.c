/* SPDX-License-Identifier: MIT
 * id_set.c - see id_set.h.  Open addressing, linear probes, at most two thirds full.
 */
#include "indexer/id_set.h"

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/mem.h"

static uint64_t key_of(const char *id, size_t len)
{
    uint64_t key = hash_bytes(id, len);
    return key ? key : 1;
}

static uint64_t mixed(const id_set *set, uint64_t key)
{
    return hash_mix(key ^ set->seed);
}

static id_part *part_of(id_set *set, uint64_t key)
{
    return &set->parts[mixed(set, key) >> 58];
}

/* The slot that holds key, or the empty one where it belongs. */
static size_t slot_of(const id_set *set, const id_part *part, uint64_t key)
{
    size_t at = (size_t)mixed(set, key) & (part->cap - 1);
    while (part->slots[at] && part->slots[at] != key) at = (at + 1) & (part->cap - 1);
    return at;
}

static bool grow(const id_set *set, id_part *part)
{
    id_part next = *part;
    next.cap = part->cap ? part->cap * 2 : 32;
    next.slots = mem_array(next.cap, sizeof *next.slots);
    if (!next.slots) return false;
    for (size_t i = 0; i < part->cap; i++)
        if (part->slots[i]) next.slots[slot_of(set, &next, part->slots[i])] = part->slots[i];
    mem_free(part->slots);
    *part = next;
    return true;
}

static void draw_seed(id_set *set)
{
    uint8_t random[16];
    file_random(random);
    set->seed = load_u64(random) | 1;
}

bool id_set_add(id_set *set, const char *id, size_t len, bool *had)
{
    uint64_t key = key_of(id, len);
    if (!set->seed) draw_seed(set);
    id_part *part = part_of(set, key);
    if (part->count >= part->cap / 3 * 2 && !grow(set, part)) return false;
    size_t at = slot_of(set, part, key);
    *had = part->slots[at] != 0;
    part->slots[at] = key;
    part->count += !*had;
    set->count += !*had;
    return true;
}

bool id_set_find(const id_set *set, const char *id, size_t len)
{
    uint64_t key = key_of(id, len);
    const id_part *part = &set->parts[mixed(set, key) >> 58];
    return part->cap && part->slots[slot_of(set, part, key)] != 0;
}

void id_set_free(id_set *set)
{
    for (size_t i = 0; i < ID_SET_PARTS; i++) mem_free(set->parts[i].slots);
    *set = (id_set){0};
}
