/* SPDX-License-Identifier: MIT
 * writer_batch.c - the ids of the articles that are in no segment yet; see writer.h.
 *
 * A hash table from id to the last document that carries it.  Ids may come from anybody, so
 * the hash is seeded: the seed goes in before the id.
 */
#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "indexer/writer.h"

enum { BATCH_SLOTS_MIN = 64 };

static uint32_t batch_hash(const batch *b, const char *id, size_t len)
{
    uint8_t bytes[sizeof b->seed + 1024];
    if (len > sizeof bytes - sizeof b->seed) len = sizeof bytes - sizeof b->seed;
    memcpy(bytes, b->seed, sizeof b->seed);
    memcpy(bytes + sizeof b->seed, id, len);
    return (uint32_t)hash_bytes(bytes, sizeof b->seed + len);
}

static slice batch_id(const batch *b, uint32_t doc)
{
    uint64_t end = load_u64(b->id_ends.data + (size_t)doc * 8);
    uint64_t begin = doc ? load_u64(b->id_ends.data + (size_t)(doc - 1) * 8) : 0;
    return (slice){b->ids.data + begin, (size_t)(end - begin)};
}

/* The slot that holds the id, or the free one where it belongs. */
static size_t batch_slot(const batch *b, const char *id, size_t len, uint32_t hash)
{
    size_t at = hash & (b->n_slots - 1);
    for (; b->slots[at]; at = (at + 1) & (b->n_slots - 1)) {
        if (b->hashes[at] != hash) continue;
        slice have = batch_id(b, b->slots[at] - 1);
        if (have.len == len && memcmp(have.data, id, len) == 0) break;
    }
    return at;
}

bool batch_find(const batch *b, const char *id, size_t len, uint32_t *doc)
{
    if (!b->n_slots) return false;
    uint32_t slot = b->slots[batch_slot(b, id, len, batch_hash(b, id, len))];
    if (!slot || bit_get(b->dead, slot - 1)) return false;
    *doc = slot - 1;
    return true;
}

static bool batch_grow(batch *b)
{
    size_t n = b->n_slots ? b->n_slots * 2 : BATCH_SLOTS_MIN;
    uint32_t *slots = mem_array(n, sizeof *slots);
    uint32_t *hashes = mem_array(n, sizeof *hashes);
    if (!slots || !hashes) {
        mem_free(slots);
        mem_free(hashes);
        return false;
    }
    for (size_t i = 0; i < b->n_slots; i++) {
        if (!b->slots[i]) continue;
        size_t at = b->hashes[i] & (n - 1);
        while (slots[at]) at = (at + 1) & (n - 1);
        slots[at] = b->slots[i];
        hashes[at] = b->hashes[i];
    }
    mem_free(b->slots);
    mem_free(b->hashes);
    b->slots = slots;
    b->hashes = hashes;
    b->n_slots = n;
    return true;
}

bool batch_reserve(batch *b, size_t id_len)
{
    size_t words = bit_words(b->n_docs + 1), had = b->dead_cap;
    if (!mem_grow(&b->dead, &b->dead_cap, words, sizeof *b->dead)) return false;
    if (b->dead_cap > had) memset(b->dead + had, 0, (b->dead_cap - had) * sizeof *b->dead);
    if ((size_t)b->n_docs + 1 > b->n_slots / 2 && !batch_grow(b)) return false;
    return buf_reserve(&b->ids, id_len) && buf_reserve(&b->id_ends, 8);
}

void batch_push(batch *b, const char *id, size_t len)
{
    uint32_t hash = batch_hash(b, id, len);
    size_t at = batch_slot(b, id, len, hash);
    buf_append(&b->ids, id, len);
    buf_u64(&b->id_ends, b->ids.len);
    b->slots[at] = ++b->n_docs;
    b->hashes[at] = hash;
}

void batch_kill(batch *b, uint32_t doc)
{
    bit_set(b->dead, doc);
    b->n_dead++;
}

/* Ids are kept here and by the segment writer, whose tables take 5 to 21 bytes a document
 * more; a document's slots take 16 to 32, its id's end 8. */
uint64_t batch_memory(const batch *b)
{
    return 2 * (uint64_t)b->ids.len + 72 * (uint64_t)b->n_docs;
}

void batch_reset(batch *b)
{
    b->out = NULL;
    buf_reset(&b->ids);
    buf_reset(&b->id_ends);
    b->n_docs = b->n_dead = 0;
    if (b->dead) memset(b->dead, 0, b->dead_cap * sizeof *b->dead);
    if (b->slots) memset(b->slots, 0, b->n_slots * sizeof *b->slots);
}

void batch_free(batch *b)
{
    buf_free(&b->ids);
    buf_free(&b->id_ends);
    mem_free(b->dead);
    mem_free(b->slots);
    mem_free(b->hashes);
    memset(b, 0, sizeof *b);
}
