/* SPDX-License-Identifier: MIT
 * scan_template.h - the bodies of the scan kernels; included once by each scan_<level>.c, which
 * defines SCAN_NAME, and SCAN_HAS_<kernel> for those that it writes itself.
 */
#include "common/codec/bits.h"
#include "common/codec/scan.h"

#ifndef SCAN_COSTS
#define SCAN_COSTS SCAN_COSTS_PORTABLE
#endif
#ifndef SCAN_SELECT
#define SCAN_SELECT bits_select
#endif

#ifndef SCAN_HAS_BYTES_IN_RANGE
static uint32_t scan_bytes_in_range(const uint8_t *bytes, uint32_t n, uint8_t low, uint8_t high,
                                    uint32_t base, uint32_t *out)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        out[kept] = base + i;
        kept += (uint8_t)(bytes[i] - low) <= (uint8_t)(high - low);
    }
    return low <= high ? kept : 0;
}
#endif

#ifndef SCAN_HAS_BUCKET_IN_RANGE
static uint32_t scan_bucket_in_range(const uint64_t *words, const uint64_t *also,
                                     const uint8_t *bytes, uint32_t n, uint8_t low, uint8_t high,
                                     uint32_t base, uint32_t *out, uint8_t *bytes_out)
{
    uint32_t k = 0, kept = 0;
    for (uint32_t w = 0; w < 8; w++)
        for (uint64_t bits = words[w]; bits && k < n; bits &= bits - 1, k++) {
            unsigned bit = bits_lowest(bits);
            out[kept] = base + 64 * w + bit;
            bytes_out[kept] = bytes[k];
            kept += bytes[k] >= low && bytes[k] <= high && (!also || also[w] >> bit & 1);
        }
    return kept;
}
#endif

#ifndef SCAN_HAS_NUMBERS_IN_RANGE
static uint32_t scan_numbers_in_range(const uint32_t *numbers, const uint8_t *bytes, uint32_t n,
                                      uint8_t low, uint8_t high, uint32_t *out, uint8_t *bytes_out)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t byte = bytes[i];
        out[kept] = numbers[i];
        bytes_out[kept] = byte;
        kept += byte >= low && byte <= high;
    }
    return kept;
}
#endif

#ifndef SCAN_HAS_BUCKET_ADD
static uint32_t scan_bucket_add(const uint64_t *words, const uint8_t *bytes, uint32_t n,
                                uint16_t slope, uint16_t offset, uint16_t least, uint16_t *sums,
                                uint32_t *out)
{
    uint32_t k = 0, found = 0;
    for (uint32_t w = 0; w < 8; w++)
        for (uint64_t bits = words[w]; bits && k < n; bits &= bits - 1, k++) {
            uint32_t bit = 64 * w + bits_lowest(bits);
            uint16_t before = sums[bit],
                     now = (uint16_t)(before + offset + (bytes[k] * slope >> 8));
            sums[bit] = now;
            out[found] = bit;
            found += before < least && now >= least;
        }
    return found;
}
#endif

#ifndef SCAN_HAS_TABLE_VALUES
static void scan_table_values(const float *table, const uint8_t *bytes, uint32_t n, float factor,
                              float *out)
{
    for (uint32_t i = 0; i < n; i++) out[i] = factor * table[bytes[i]];
}
#endif

#ifndef SCAN_HAS_INTERSECT
static uint32_t scan_intersect(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
                               uint32_t *at_a, uint32_t *at_b)
{
    uint32_t i = 0, j = 0, met = 0;
    while (i < na && j < nb) {
        uint32_t x = a[i], y = b[j];
        at_a[met] = i;
        if (at_b) at_b[met] = j;
        met += x == y;
        i += x <= y;
        j += y <= x;
    }
    return met;
}
#endif

#ifndef SCAN_HAS_INTERSECT_FEW
static uint32_t scan_intersect_few(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
                                   uint32_t *at_a, uint32_t *at_b)
{
    uint32_t met = 0;
    for (uint32_t i = 0; i < na && nb; i++) {
        uint32_t low = 0;
        for (uint32_t left = nb; left > 1;) {
            uint32_t half = left / 2;
            low = b[low + half] <= a[i] ? low + half : low;
            left -= half;
        }
        at_a[met] = i;
        if (at_b) at_b[met] = low;
        met += b[low] == a[i];
    }
    return met;
}
#endif

#ifndef SCAN_HAS_BITMAP_PROBE
static uint32_t scan_bitmap_probe(const uint64_t *words, uint32_t n_words, const uint32_t *numbers,
                                  uint32_t n, uint32_t *at)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t w = numbers[i] / 64;
        at[kept] = i;
        kept += w < n_words && (words[w] >> numbers[i] % 64 & 1);
    }
    return kept;
}
#endif

static void scan_bitmap_put(uint64_t *words, const uint32_t *numbers, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) words[numbers[i] / 64] |= UINT64_C(1) << numbers[i] % 64;
}

#ifndef SCAN_HAS_TOTALS
static uint64_t scan_and_total(const uint64_t *a, const uint64_t *b, size_t n_words)
{
    uint64_t n = 0;
    for (size_t i = 0; i < n_words; i++) n += bits_count(a[i] & b[i]);
    return n;
}

static uint64_t scan_total(const uint64_t *a, size_t n_words)
{
    uint64_t n = 0;
    for (size_t i = 0; i < n_words; i++) n += bits_count(a[i]);
    return n;
}
#endif

#ifndef SCAN_HAS_INTO
static void scan_and_into(uint64_t *a, const uint64_t *b, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) a[i] &= b[i];
}

static void scan_or_into(uint64_t *a, const uint64_t *b, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) a[i] |= b[i];
}

static void scan_andnot_into(uint64_t *a, const uint64_t *b, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) a[i] &= ~b[i];
}
#endif

#ifndef SCAN_HAS_KEEP_LEAST
static uint32_t scan_keep_least(uint32_t *docs, float *scores, uint32_t n, float least)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t doc = docs[i];
        float score = scores[i];
        docs[kept] = doc;
        scores[kept] = score;
        kept += score >= least;
    }
    return kept;
}
#endif

#ifndef SCAN_HAS_SEEK
/* Gallop, then halve. */
static uint32_t scan_seek(const uint32_t *numbers, uint32_t from, uint32_t n, uint32_t target)
{
    uint32_t low = from, step = 1;
    while (low < n && n - low > step && numbers[low + step] < target) {
        low += step;
        step = step > UINT32_MAX / 4 ? step : 2 * step;
    }
    uint32_t high = n - low > step ? low + step : n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (numbers[mid] < target)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}
#endif

/* ---- single values of blocks and buckets ---------------------------------------------------- */

#ifndef SCAN_HAS_BUCKET_RANKS
static void scan_bucket_ranks(const uint64_t *words, const uint32_t *ranks, const uint32_t *numbers,
                              const uint32_t *at, uint32_t n, uint32_t *out)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t number = numbers[at[i]], bucket = number / 512;
        out[i] = ranks[bucket] + bits_rank(words + (size_t)bucket * 8, number % 512);
    }
}
#endif

static uint32_t ef_low(const ef_shape *s, const uint64_t *words, uint32_t i)
{
    unsigned l = s->low_bits;
    if (l == 0) return 0;
    const uint8_t *bytes = (const uint8_t *)words; /* the eight read are there: high words follow */
    if (s->n != EF_BLOCK_MAX)
        return (uint32_t)(load_u64(bytes + (size_t)i * l / 8) >> i * l % 8 &
                          ((UINT64_C(1) << l) - 1));
    const uint8_t *lane = bytes + 4 * (i % 8);
    uint32_t at = i / 8 * l, shift = at % 32;
    uint64_t v = load_u32(lane + 32 * (at / 32));
    if (shift + l > 32) v |= (uint64_t)load_u32(lane + 32 * (at / 32 + 1)) << 32;
    return (uint32_t)(v >> shift) & (UINT32_MAX >> (32 - l));
}

static uint32_t scan_ef_select(const ef_shape *s, const uint64_t *words, uint32_t k)
{
    const uint64_t *high = s->bitmap ? words : words + s->low_words;
    uint32_t n_words = s->bitmap ? s->words : s->words - s->low_words;
    for (uint32_t w = 0, left = k; w < n_words; w++) {
        uint32_t ones = bits_count(high[w]);
        if (left >= ones) {
            left -= ones;
            continue;
        }
        uint32_t at = 64 * w + SCAN_SELECT(high[w], left);
        uint32_t v = s->bitmap ? at : (at - k) << s->low_bits | ef_low(s, words, k);
        return v <= s->range ? v : 0;
    }
    return 0;
}

static uint32_t bitmap_find(const ef_shape *s, const uint64_t *words, uint32_t value)
{
    if (!bits_get(words, value)) return UINT32_MAX;
    uint32_t rank = bits_rank(words, value);
    return rank < s->n ? rank : UINT32_MAX;
}

/* Bit position after the k-th zero (k >= 1) of the high bits, or UINT32_MAX. */
static uint32_t ef_after_zero(const uint64_t *high, uint32_t n_words, uint32_t k)
{
    for (uint32_t w = 0; w < n_words; w++) {
        uint32_t zeros = 64 - bits_count(high[w]);
        if (k > zeros) {
            k -= zeros;
            continue;
        }
        return 64 * w + SCAN_SELECT(~high[w], k - 1) + 1;
    }
    return UINT32_MAX;
}

static uint32_t scan_ef_find(const ef_shape *s, const uint64_t *words, uint32_t value)
{
    if (value > s->range) return UINT32_MAX;
    if (s->bitmap) return bitmap_find(s, words, value);
    const uint64_t *high = words + s->low_words;
    uint32_t n_words = s->words - s->low_words;
    uint32_t part = value >> s->low_bits, low = value & ((UINT32_C(1) << s->low_bits) - 1);
    uint32_t at = part ? ef_after_zero(high, n_words, part) : 0;
    if (at == UINT32_MAX || at - part >= s->n) return UINT32_MAX;
    for (uint32_t i = at - part; i < s->n && at < 64 * n_words && bits_get(high, at); i++, at++) {
        uint32_t have = ef_low(s, words, i);
        if (have >= low) return have == low ? i : UINT32_MAX;
    }
    return UINT32_MAX;
}

static uint32_t find_one_by_one(const ef_shape *s, const uint64_t *words, uint32_t base,
                                const uint32_t *numbers, uint32_t n, uint32_t *at, uint32_t *index)
{
    uint32_t met = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t found = scan_ef_find(s, words, numbers[i] - base);
        if (found == UINT32_MAX) continue;
        at[met] = i;
        if (index) index[met] = found;
        met++;
    }
    return met;
}

#ifdef SCAN_HAS_FIND_ONE
static uint32_t scan_ef_find_many(const ef_shape *s, const uint64_t *words, uint32_t base,
                                  const uint32_t *numbers, uint32_t n, uint32_t *at,
                                  uint32_t *index)
{
    if (s->bitmap || s->n != EF_BLOCK_MAX || !s->low_bits)
        return find_one_by_one(s, words, base, numbers, n, at, index);
    find_block b;
    uint32_t met = 0;
    find_begin(&b, s, words);
    for (uint32_t i = 0; i < n; i++) {
        bool rare;
        uint32_t found = find_one(&b, numbers[i] - base, &rare);
        if (rare) found = scan_ef_find(s, words, numbers[i] - base);
        at[met] = i;
        if (index) index[met] = found;
        met += found != UINT32_MAX;
    }
    return met;
}
#else
#define scan_ef_find_many find_one_by_one
#endif

const scan_kernels SCAN_NAME = {
    .costs = SCAN_COSTS,
    .bytes_in_range = scan_bytes_in_range,
    .bucket_in_range = scan_bucket_in_range,
    .numbers_in_range = scan_numbers_in_range,
    .bucket_add = scan_bucket_add,
    .table_values = scan_table_values,
    .intersect = scan_intersect,
    .intersect_few = scan_intersect_few,
    .bitmap_probe = scan_bitmap_probe,
    .bitmap_put = scan_bitmap_put,
    .and_total = scan_and_total,
    .and_into = scan_and_into,
    .or_into = scan_or_into,
    .andnot_into = scan_andnot_into,
    .total = scan_total,
    .keep_least = scan_keep_least,
    .seek = scan_seek,
    .bucket_ranks = scan_bucket_ranks,
    .ef_select = scan_ef_select,
    .ef_find = scan_ef_find,
    .ef_find_many = scan_ef_find_many,
};
