/* SPDX-License-Identifier: MIT
 * bits.h - 64-bit words as sets of bits: counting, finding, selecting; and bit strings that
 * are written and read least significant bit first.
 *
 * Everything is portable C on plain words; gcc and clang turn the builtins into one
 * instruction where the machine has it.  Takes words, gives numbers.
 */
#ifndef PM_CODEC_BITS_H
#define PM_CODEC_BITS_H

#include "common/base/bytes.h"

/* floor(log2(v)), v > 0. */
static inline unsigned bits_log2(uint64_t v)
{
    return 63u - (unsigned)__builtin_clzll(v);
}
static inline unsigned bits_count(uint64_t w)
{
    return (unsigned)__builtin_popcountll(w);
}
/* Index of the lowest bit that is set, w != 0. */
static inline unsigned bits_lowest(uint64_t w)
{
    return (unsigned)__builtin_ctzll(w);
}
static inline uint64_t bits_words(uint64_t n_bits)
{
    return n_bits / 64 + (n_bits % 64 != 0);
}

/* Index of the set bit that has k set bits below it; w has more than k of them. */
static inline unsigned bits_select(uint64_t w, unsigned k)
{
    while (k--) w &= w - 1;
    return bits_lowest(w);
}

/* Set bits among the first n_bits of words. */
static inline uint32_t bits_rank(const uint64_t *words, uint32_t n_bits)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_bits / 64; i++) n += bits_count(words[i]);
    if (n_bits % 64) n += bits_count(words[n_bits / 64] & ((UINT64_C(1) << n_bits % 64) - 1));
    return n;
}

static inline bool bits_get(const uint64_t *words, uint64_t at)
{
    return words[at / 64] >> at % 64 & 1;
}
static inline void bits_set(uint64_t *words, uint64_t at)
{
    words[at / 64] |= UINT64_C(1) << at % 64;
}

/* The n <= 32 bits at bit `at` of a string of words, of which n_words may be read. */
static inline uint32_t bits_field(const uint64_t *words, size_t n_words, uint64_t at, unsigned n)
{
    uint64_t v = words[at / 64] >> at % 64;
    if (at % 64 + n > 64 && at / 64 + 1 < n_words) v |= words[at / 64 + 1] << (64 - at % 64);
    return (uint32_t)(v & ((UINT64_C(1) << n) - 1));
}

/* Or up to 57 bits into a string, from bit `at` on: eight bytes are read and written. */
static inline void bits_or(uint8_t *bytes, uint64_t at, uint64_t bits)
{
    uint8_t *p = bytes + at / 8;
    store_u64(p, load_u64(p) | bits << at % 8);
}

/* The n bits at bit `from` of src to bit `to` of dst, where from there on all bits are zero.  Seven
 * bytes behind the last bit are read of both, and of dst written as they are. */
static inline void bits_copy(uint8_t *dst, uint64_t to, const uint8_t *src, uint64_t from,
                             uint64_t n)
{
    for (unsigned some = 56; n; n -= some) {
        if (n < some) some = (unsigned)n; /* 56 and the 7 before them are a word                */
        bits_or(dst, to, load_u64(src + from / 8) >> from % 8 & ((UINT64_C(1) << some) - 1));
        from += some;
        to += some;
    }
}

#endif
