/* SPDX-License-Identifier: MIT
 * hash.h - 64-bit hashing of short byte strings for in-memory tables and the id table of a
 * segment (FORMAT.md: the definition is part of the format), and a small random generator.
 */
#ifndef PM_BASE_HASH_H
#define PM_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* splitmix64 finaliser (Steele, Lea, Flood 2014). */
static inline uint64_t hash_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Little-endian 8-byte words, each mixed into the state; the tail padded with zeros and the
 * length mixed in last.  It can be run backwards, so whoever knows the key can make strings of one
 * hash: a table that others fill has a key of its own, or bounds its probes; with key 0,
 * hash_bytes, only what nobody gains by. */
static inline uint64_t hash_keyed(uint64_t key, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t h = 0x9e3779b97f4a7c15u ^ key, word;
    size_t left = len;
    for (; left >= 8; left -= 8, p += 8) {
        memcpy(&word, p, 8);
        h = hash_mix(h ^ word) + 0x9e3779b97f4a7c15u;
    }
    word = 0;
    if (left) memcpy(&word, p, left);
    h = hash_mix(h ^ word) + 0x9e3779b97f4a7c15u;
    return hash_mix(h ^ len);
}

static inline uint64_t hash_bytes(const void *data, size_t len)
{
    return hash_keyed(0, data, len);
}

/* 32 bits for the bytes of a file: the upper half of an article's provenance hash (file_hash), by
 * which a file whose time alone has changed is known to be the same. */
static inline uint32_t hash_content(const void *data, size_t len)
{
    return (uint32_t)(hash_bytes(data, len) >> 32);
}

/* splitmix64 sequence: state advances by the golden gamma. */
static inline uint64_t random_next(uint64_t *state)
{
    return hash_mix(*state += 0x9e3779b97f4a7c15u);
}

#endif
