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

#ifndef GROUP_HAS_SUM
static uint64_t group_sum(const uint32_t *numbers, uint32_t n)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += numbers[i];
    return sum;
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

const group_kernels GROUP_NAME = {
    .ef_group = group_ef, .bits_group = group_bits, .group_tfs = group_tfs_of, .sum = group_sum};
