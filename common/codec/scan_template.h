/* SPDX-License-Identifier: MIT
 * scan_template.h - the bodies of the scan kernels; included once by each scan_<level>.c, which
 * defines SCAN_NAME, and SCAN_HAS_<kernel> for those that it writes itself.
 */
#include "common/codec/bits.h"
#include "common/codec/scan.h"

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

#ifndef SCAN_HAS_INTERSECT
static uint32_t scan_intersect(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
                               uint32_t *at_a, uint32_t *at_b)
{
    uint32_t i = 0, j = 0, met = 0;
    while (i < na && j < nb) {
        uint32_t x = a[i], y = b[j];
        at_a[met] = i;
        at_b[met] = j;
        met += x == y;
        i += x <= y;
        j += y <= x;
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
        if (numbers[mid] < target) low = mid + 1;
        else high = mid;
    }
    return low;
}
#endif

const scan_kernels SCAN_NAME = {
    .bytes_in_range = scan_bytes_in_range,
    .bucket_in_range = scan_bucket_in_range,
    .intersect = scan_intersect,
    .bitmap_probe = scan_bitmap_probe,
    .and_total = scan_and_total,
    .and_into = scan_and_into,
    .or_into = scan_or_into,
    .andnot_into = scan_andnot_into,
    .total = scan_total,
    .keep_least = scan_keep_least,
    .seek = scan_seek,
};
