/* SPDX-License-Identifier: MIT
 * hash.h - 64-bit hashing of short byte strings for in-memory tables and the id table of a
 * segment (FORMAT.md: the definition is part of the format), of whole lines to know them again, and
 * a small random generator.
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

__extension__ typedef unsigned __int128 hash_product;

/* Both halves of a product of 128 bits (Wang Yi, wyhash, 2019). */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    hash_product product = (hash_product)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* For texts: 64 bytes at a time in four lanes that do not wait for each other, some 15 times as
 * fast as hash_bytes.  What it gives is not hash_bytes's; it is for those who compare it with what
 * it gave before: to whom equal means unchanged, and who lose time when that differs. */
static inline uint64_t hash_text(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t lanes[4] = {0x243f6a8885a308d3u, 0x13198a2e03707344u, 0xa4093822299f31d0u,
                         0x082efa98ec4e6c89u}; /* pi                                          */
    size_t left = len;
    for (; left >= 64; left -= 64, p += 64) {
        uint64_t words[8];
        memcpy(words, p, sizeof words);
        for (unsigned i = 0; i < 4; i++)
            lanes[i] +=
                hash_fold(lanes[i] ^ words[2 * i], UINT64_C(0x452821e638d01377) ^ words[2 * i + 1]);
    }
    uint64_t h = hash_mix(lanes[0]) ^ hash_mix(lanes[1] + 1) ^ hash_mix(lanes[2] + 2) ^
                 hash_mix(lanes[3] + 3) ^ len;
    return hash_keyed(h, p, left);
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
