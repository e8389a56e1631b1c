/* SPDX-License-Identifier: MIT
 *
 * split_cache.c - a table of chains under one lock; see split_cache.h.
 */
#include "searcher/split_cache.h"

#include "common/base/hash.h"
#include "common/base/mem.h"

void split_cache_init(split_cache *c)
{
    pthread_mutex_init(&c->lock, NULL);
}

void split_cache_free(split_cache *c)
{
    for (size_t i = 0; i < c->n_slots; i++)
        for (split_entry *entry = c->slots[i], *next; entry; entry = next) {
            next = entry->next;
            mem_free(entry);
        }
    mem_free(c->slots);
    pthread_mutex_destroy(&c->lock);
}

static split_entry **slot_of(split_entry **slots, size_t n_slots, const char *word, size_t len)
{
    return &slots[hash_bytes(word, len) & (n_slots - 1)];
}

/* Small at first: a program that asks one query pays for what it makes ready. */
static bool make_room(split_cache *c)
{
    size_t n = c->n_slots ? 4 * c->n_slots : 64;
    if (c->n_entries < c->n_slots) return true;
    split_entry **slots = mem_array(n, sizeof *slots);
    if (!slots) return c->n_slots > 0;
    for (size_t i = 0; i < c->n_slots; i++)
        for (split_entry *entry = c->slots[i], *next; entry; entry = next) {
            split_entry **slot = slot_of(slots, n, entry->word, entry->word_len);
            next = entry->next;
            entry->next = *slot;
            *slot = entry;
        }
    mem_free(c->slots);
    c->slots = slots;
    c->n_slots = n;
    return true;
}

const split_entry *split_cache_find(split_cache *c, const char *word, size_t len)
{
    pthread_mutex_lock(&c->lock);
    const split_entry *entry = c->n_slots ? *slot_of(c->slots, c->n_slots, word, len) : NULL;
    while (entry && (entry->word_len != len || memcmp(entry->word, word, len))) entry = entry->next;
    pthread_mutex_unlock(&c->lock);
    return entry;
}

/* One allocation: entry, lists, pairs, documents, bytes of the words. */
static size_t entry_bytes(const split_entry *e, uint32_t n_segments)
{
    size_t bytes =
        sizeof *e + n_segments * sizeof *e->lists + 2 * (size_t)e->n_pairs * sizeof *e->pairs;
    bytes += (size_t)e->n_docs * sizeof(uint32_t) + e->word_len + 1;
    for (uint32_t i = 0; i < 2 * e->n_pairs; i++) bytes += e->pairs[i].len + 1;
    return bytes;
}

static const char *put_text(char **at, const char *data, size_t len)
{
    char *text = *at;
    memcpy(text, data, len);
    text[len] = 0;
    *at += len + 1;
    return text;
}

static split_entry *copy_entry(const split_entry *e, uint32_t n_segments)
{
    split_entry *copy = mem_alloc(entry_bytes(e, n_segments));
    if (!copy) return NULL;
    *copy = *e;
    copy->lists = (split_list *)(void *)(copy + 1);
    copy->pairs = (pm_text *)(void *)(copy->lists + n_segments);
    uint32_t *docs = (uint32_t *)(void *)(copy->pairs + 2 * (size_t)e->n_pairs);
    char *text = (char *)(docs + e->n_docs);
    for (uint32_t s = 0; s < n_segments; s++) {
        if (e->lists[s].n) memcpy(docs, e->lists[s].docs, e->lists[s].n * sizeof *docs);
        copy->lists[s] = (split_list){docs, e->lists[s].n};
        docs += e->lists[s].n;
    }
    for (uint32_t i = 0; i < 2 * e->n_pairs; i++)
        copy->pairs[i] =
            (pm_text){put_text(&text, e->pairs[i].data, e->pairs[i].len), e->pairs[i].len};
    copy->word = put_text(&text, e->word, e->word_len);
    return copy;
}

bool split_cache_add(split_cache *c, const split_entry *entry, uint32_t n_segments)
{
    size_t bytes = entry_bytes(entry, n_segments);
    pthread_mutex_lock(&c->lock);
    bool room = bytes <= SPLIT_CACHE_BYTES - c->bytes;
    split_entry *copy = room && make_room(c) ? copy_entry(entry, n_segments) : NULL;
    if (copy) {
        split_entry **slot = slot_of(c->slots, c->n_slots, copy->word, copy->word_len);
        copy->next = *slot; /* a twin, made meanwhile by another thread, does no harm      */
        *slot = copy;
        c->n_entries++;
        c->bytes += bytes;
    }
    pthread_mutex_unlock(&c->lock);
    return copy || !room;
}
