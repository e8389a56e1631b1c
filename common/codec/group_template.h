/* SPDX-License-Identifier: MIT
 * group_template.h - the bodies of the group kernels; included once by each group_<level>.c,
 * which defines GROUP_NAME, GROUP_SELECT, and GROUP_HAS_<kernel> for those that it writes
 * itself.
 */
#include "common/codec/bits.h"
#include "common/codec/group.h"

/* Numbers of n set bits from bit number `skip` of the set ones of words[w ..] on; returns how many
 * there are. */
static inline uint32_t group_places(const uint64_t *words, uint32_t n_words, uint32_t w,
                                    uint32_t skip, uint32_t n, uint32_t *out)
{
    uint32_t got = 0;
    if (w >= n_words) return 0;
    uint64_t word = words[w] & UINT64_MAX << GROUP_SELECT(words[w], skip);
    for (;;) {
        for (; word && got < n; word &= word - 1) out[got++] = 64 * w + bits_lowest(word);
        if (got == n || ++w == n_words) return got;
        word = words[w];
    }
}

#ifndef GROUP_HAS_EF
/* The l low bits of value i. */
static inline uint32_t group_low(const ef_shape *s, const uint64_t *words, uint32_t i)
{
    const uint8_t *bytes = (const uint8_t *)words;
    const uint32_t l = s->low_bits, mask = (uint32_t)((UINT64_C(1) << l) - 1);
    if (s->n != EF_BLOCK_MAX) {
        uint32_t at = i * l;
        return (uint32_t)(load_u64(bytes + at / 8) >> at % 8) & mask;
    }
    uint32_t at = i / 8 * l;
    const uint8_t *word = bytes + 32 * (at / 32) + 4 * (i % 8);
    uint64_t pair = load_u32(word) | (uint64_t)load_u32(word + 32) << 32;
    return (uint32_t)(pair >> at % 32) & mask;
}

static uint32_t group_ef(const ef_shape *s, const uint64_t *words, uint32_t base, uint32_t from,
                         uint32_t n, uint32_t *out)
{
    const uint64_t *high = s->bitmap ? words : words + s->low_words;
    uint32_t n_words = s->bitmap ? s->words : s->words - s->low_words, w = 0, skip = from;
    for (; w < n_words && skip >= bits_count(high[w]); w++) skip -= bits_count(high[w]);
    if (group_places(high, n_words, w, skip, n, out) < n) return 0;
    for (uint32_t i = 0; !s->bitmap && i < n; i++) {
        out[i] = (out[i] - (from + i)) << s->low_bits;
        if (s->low_bits) out[i] |= group_low(s, words, from + i);
    }
    for (uint32_t i = 0; i < n; i++) out[i] += base;
    return n;
}
#endif

#ifndef GROUP_HAS_BITS
static bool group_bits(const uint64_t *words, uint32_t at, uint32_t before, uint32_t *out)
{
    if (!bits_get(words, at)) return false;
    uint32_t w = at / 64, have = bits_count(words[w] & ((UINT64_C(1) << at % 64) - 1));
    while (have < before) {
        if (!w) return false;
        have += bits_count(words[--w]);
    }
    return group_places(words, at / 64 + 1, w, have - before, before + 1, out) == before + 1;
}
#endif

#ifndef GROUP_HAS_TFS
static void group_tfs_of(const uint8_t *impacts, const uint32_t *docs, uint32_t n, uint32_t first,
                         uint32_t last, group_lengths from, const group_scale *scale,
                         uint32_t *lengths, uint32_t *out)
{
    for (uint32_t i = 0; i < n; i++) {
        size_t doc = docs[i] - first <= last - first ? docs[i] : last;
        lengths[i] =
            from.width == 2 ? load_u16(from.column + 2 * doc) : load_u32(from.column + 4 * doc);
    }
    kernels_get()->impact_tf(impacts, lengths, n, &scale->exact, out);
}
#endif

/* ---- strings of positions ------------------------------------------------------------------- */

#ifndef GROUP_HAS_STRING_STARTS
static void group_string_starts(const uint32_t *n, const uint32_t *bound, uint32_t more,
                                uint32_t count, uint32_t *out)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        out[i] = at;
        at += (uint32_t)ef_string_size(n[i], bound[i] + more);
    }
}
#endif

/* At least 57 bits from bit `at` on. */
static inline uint64_t string_window(const uint8_t *bytes, uint64_t at)
{
    return load_u64(bytes + at / 8) >> at % 8;
}

/* The high part is read 56 bits at a time: the bits that are set are numbers, in order. */
static bool group_string_read(const uint8_t *bytes, uint64_t at, uint32_t n, uint32_t most,
                              uint32_t *out, uint32_t cap)
{
    const unsigned l = ef_string_low(n, most);
    const uint64_t mask = (UINT64_C(1) << l) - 1;
    if (n == 1) {
        uint32_t one = (uint32_t)(string_window(bytes, at) & mask);
        if (cap) out[0] = one;
        return one <= most;
    }
    if (n - 1 > most) return false;
    uint64_t high = at + (uint64_t)n * l, end = (uint64_t)n + (most >> l);
    uint32_t i = 0, before = 0;
    bool wrong = false;
    for (uint64_t bit = 0; bit < end && i < n; bit += 56) {
        uint64_t word = string_window(bytes, high + bit) & (UINT64_MAX >> 8);
        if (end - bit < 56) word &= (UINT64_C(1) << (end - bit)) - 1;
        for (; word && i < n; word &= word - 1, i++, at += l) {
            uint64_t part = bit + bits_lowest(word) - i;
            uint64_t number = part << l | (string_window(bytes, at) & mask);
            wrong |= number > most || (i && number <= before);
            before = (uint32_t)number;
            if (i < cap) out[i] = before;
        }
    }
    return i == n && !wrong;
}

/* Its high part names a run of bits behind as many zeros; few numbers share one. */
static bool group_string_has(const uint8_t *bytes, uint64_t at, uint32_t n, uint32_t most,
                             uint32_t number)
{
    const unsigned l = ef_string_low(n, most);
    const uint64_t mask = (UINT64_C(1) << l) - 1;
    if (number > most || n - 1 > most) return false;
    if (n == 1) return (string_window(bytes, at) & mask) == number;
    uint64_t high = at + (uint64_t)n * l, end = (uint64_t)n + (most >> l), bit = 0;
    uint32_t zeros = number >> l; /* to be passed                                           */
    while (zeros) {
        uint64_t clear = ~string_window(bytes, high + bit) & (UINT64_MAX >> 8);
        unsigned have = bits_count(clear);
        if (have >= zeros) {
            bit += GROUP_SELECT(clear, zeros - 1) + 1;
            break;
        }
        zeros -= have;
        bit += 56;
        if (bit >= end) return false;
    }
    uint64_t i = bit - (number >> l);
    for (; i < n && string_window(bytes, high + bit) & 1; i++, bit++) {
        uint64_t low = string_window(bytes, at + i * l) & mask;
        if (low >= (number & mask)) return low == (number & mask);
    }
    return false;
}

const group_kernels GROUP_NAME = {
    .ef_group = group_ef,
    .bits_group = group_bits,
    .group_tfs = group_tfs_of,
    .string_starts = group_string_starts,
    .string_read = group_string_read,
    .string_has = group_string_has,
};
