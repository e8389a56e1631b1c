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

enum { BATCH_PLACES_MIN = 64 };

static uint32_t batch_hash(const batch *b, const char *id, size_t len)
{
    uint8_t bytes[sizeof b->seed + 1024];
    if (len > sizeof bytes - sizeof b->seed) len = sizeof bytes - sizeof b->seed;
    memcpy(bytes, b->seed, sizeof b->seed);
    if (len) memcpy(bytes + sizeof b->seed, id, len);
    return (uint32_t)hash_bytes(bytes, sizeof b->seed + len);
}

static slice batch_id(const batch *b, uint32_t doc)
{
    uint64_t end = load_u64(b->id_ends.data + (size_t)doc * 8);
    uint64_t begin = doc ? load_u64(b->id_ends.data + (size_t)(doc - 1) * 8) : 0;
    return (slice){b->ids.data + begin, (size_t)(end - begin)};
}

/* The place that holds the id, or the free one where it belongs. */
static batch_place *find_place(const batch *b, const char *id, size_t len, uint32_t hash)
{
    size_t at = hash & (b->n_places - 1);
    for (; b->places[at].doc; at = (at + 1) & (b->n_places - 1)) {
        if (b->places[at].hash != hash) continue;
        slice have = batch_id(b, b->places[at].doc - 1);
        if (have.len == len && memcmp(have.data, id, len) == 0) break;
    }
    return &b->places[at];
}

bool batch_find(const batch *b, const char *id, size_t len, uint32_t *doc)
{
    if (!b->n_places) return false;
    uint32_t found = find_place(b, id, len, batch_hash(b, id, len))->doc;
    if (!found || bit_get(b->dead, found - 1)) return false;
    *doc = found - 1;
    return true;
}

static bool batch_grow(batch *b)
{
    size_t n = b->n_places ? b->n_places * 2 : BATCH_PLACES_MIN;
    batch_place *places = mem_table(n, sizeof *places);
    if (!places) return false;
    for (size_t i = 0; i < b->n_places; i++) {
        if (!b->places[i].doc) continue;
        size_t at = b->places[i].hash & (n - 1);
        while (places[at].doc) at = (at + 1) & (n - 1);
        places[at] = b->places[i];
    }
    mem_free(b->places);
    b->places = places;
    b->n_places = n;
    return true;
}

bool batch_reserve(batch *b, const char *id, size_t len)
{
    size_t words = bit_words(b->n_docs + 1), had = b->dead_cap;
    if (!mem_grow(&b->dead, &b->dead_cap, words, sizeof *b->dead)) return false;
    if (b->dead_cap > had) memset(b->dead + had, 0, (b->dead_cap - had) * sizeof *b->dead);
    if ((size_t)b->n_docs + 1 > b->n_places / 2 && !batch_grow(b)) return false;
    b->next_hash = batch_hash(b, id, len);
    __builtin_prefetch(&b->places[b->next_hash & (b->n_places - 1)], 1);
    return buf_reserve(&b->ids, len) && buf_reserve(&b->id_ends, 8);
}

void batch_push(batch *b, const char *id, size_t len)
{
    batch_place *place = find_place(b, id, len, b->next_hash);
    buf_append(&b->ids, id, len);
    buf_u64(&b->id_ends, b->ids.len);
    *place = (batch_place){.doc = ++b->n_docs, .hash = b->next_hash};
}

void batch_kill(batch *b, uint32_t doc)
{
    bit_set(b->dead, doc);
    b->n_dead++;
}

/* Ids are kept here and by the segment writer, whose tables take 5 to 21 bytes a document
 * more; a document's places take 16 to 32, its id's end 8. */
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
    if (b->places) memset(b->places, 0, b->n_places * sizeof *b->places);
}

void batch_free(batch *b)
{
    buf_free(&b->ids);
    buf_free(&b->id_ends);
    mem_free(b->dead);
    mem_free(b->places);
    memset(b, 0, sizeof *b);
}
