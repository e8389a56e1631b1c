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

/* The slot that holds key, or the empty one where it belongs. */
static size_t slot_of(const id_set *set, uint64_t key)
{
    size_t at = (size_t)hash_mix(key ^ set->seed) & (set->cap - 1);
    while (set->slots[at] && set->slots[at] != key) at = (at + 1) & (set->cap - 1);
    return at;
}

static bool grow(id_set *set)
{
    id_set next = *set;
    next.cap = set->cap ? set->cap * 2 : 1024;
    next.slots = mem_array(next.cap, sizeof *next.slots);
    if (!next.slots) return false;
    if (!set->cap) {
        uint8_t random[16];
        file_random(random);
        next.seed = load_u64(random);
    }
    for (size_t i = 0; i < set->cap; i++)
        if (set->slots[i]) next.slots[slot_of(&next, set->slots[i])] = set->slots[i];
    mem_free(set->slots);
    *set = next;
    return true;
}

bool id_set_add(id_set *set, const char *id, size_t len, bool *had)
{
    uint64_t key = key_of(id, len);
    if (set->count >= set->cap / 3 * 2 && !grow(set)) return false;
    size_t at = slot_of(set, key);
    *had = set->slots[at] != 0;
    set->slots[at] = key;
    set->count += !*had;
    return true;
}

bool id_set_find(const id_set *set, const char *id, size_t len)
{
    return set->cap && set->slots[slot_of(set, key_of(id, len))] != 0;
}

void id_set_free(id_set *set)
{
    mem_free(set->slots);
    *set = (id_set){0};
}
