/* SPDX-License-Identifier: MIT
 * scan_avx2.c - scan kernels for AVX2, BMI2 and POPCNT; see scan.h.
 *
 * Masks of 32 compared bytes are walked bit by bit: survivors are few.  PDEP turns a mask over
 * ranks into a mask over documents (slow before Zen 3, where the portable row is better;
 * PRESSMARK_CPU lowers the level).  Intersection compares 8 x 8 lanes by rotation
 * (D. Lemire, L. Boytsov, N. Kurz, "SIMD compression and the intersection of sorted
 * integers", 2016).
 */
#include <immintrin.h>

#define SCAN_NAME scan_avx2
#define SCAN_SELECT scan_pdep_select
#define SCAN_HAS_BYTES_IN_RANGE
#define SCAN_HAS_BUCKET_IN_RANGE
#define SCAN_HAS_INTERSECT
#include "common/codec/bits.h"
#include "common/codec/scan.h"

/* Index of the set bit that has k set bits below it; w has more than k of them. */
static inline unsigned scan_pdep_select(uint64_t w, unsigned k)
{
    return bits_lowest(_pdep_u64(UINT64_C(1) << k, w));
}

/* Bit i: low <= bytes[i] <= high, for 32 bytes. */
static inline uint32_t in_range_32(const uint8_t *bytes, __m256i low, __m256i high)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
    __m256i ok = _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_max_epu8(v, low), v),
                                  _mm256_cmpeq_epi8(_mm256_min_epu8(v, high), v));
    return (uint32_t)_mm256_movemask_epi8(ok);
}

static uint32_t scan_bytes_in_range(const uint8_t *bytes, uint32_t n, uint8_t low, uint8_t high,
                                    uint32_t base, uint32_t *out)
{
    const __m256i lows = _mm256_set1_epi8((char)low), highs = _mm256_set1_epi8((char)high);
    uint32_t kept = 0, i = 0;
    for (; n - i >= 32; i += 32)
        for (uint32_t mask = in_range_32(bytes + i, lows, highs); mask; mask &= mask - 1)
            out[kept++] = base + i + (uint32_t)__builtin_ctz(mask);
    for (; i < n; i++)
        if (bytes[i] >= low && bytes[i] <= high) out[kept++] = base + i;
    return kept;
}

/* Bit i: bytes[i] in range, for n <= 64 bytes. */
static inline uint64_t in_range_64(const uint8_t *bytes, uint32_t n, uint8_t low, uint8_t high)
{
    if (n == 64) {
        const __m256i lows = _mm256_set1_epi8((char)low), highs = _mm256_set1_epi8((char)high);
        return in_range_32(bytes, lows, highs) | (uint64_t)in_range_32(bytes + 32, lows, highs) << 32;
    }
    uint8_t copy[64] = {0};
    memcpy(copy, bytes, n);
    uint64_t mask = in_range_64(copy, 64, low, high);
    return n ? mask & (UINT64_MAX >> (64 - n)) : 0;
}

static uint32_t scan_bucket_in_range(const uint64_t *words, const uint64_t *also,
                                     const uint8_t *bytes, uint32_t n, uint8_t low, uint8_t high,
                                     uint32_t base, uint32_t *out, uint8_t *bytes_out)
{
    uint32_t k = 0, kept = 0;
    for (uint32_t w = 0; w < 8 && k < n; w++) {
        uint64_t bits = words[w];
        uint32_t ones = bits_count(bits), take = ones < n - k ? ones : n - k;
        uint64_t good = _pdep_u64(in_range_64(bytes + k, take, low, high), bits);
        if (also) good &= also[w];
        for (; good; good &= good - 1) {
            unsigned bit = bits_lowest(good);
            out[kept] = base + 64 * w + bit;
            bytes_out[kept++] = bytes[k + bits_count(bits & ((UINT64_C(1) << bit) - 1))];
        }
        k += ones;
    }
    return kept;
}

/* Lanes of a that occur in b. */
static inline uint32_t meet_8x8(__m256i a, __m256i b)
{
    const __m256i turn = _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 0);
    __m256i any = _mm256_cmpeq_epi32(a, b);
    for (int i = 0; i < 7; i++) {
        b = _mm256_permutevar8x32_epi32(b, turn);
        any = _mm256_or_si256(any, _mm256_cmpeq_epi32(a, b));
    }
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(any));
}

static uint32_t scan_intersect(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
                               uint32_t *at_a, uint32_t *at_b)
{
    uint32_t i = 0, j = 0, met = 0;
    while (na - i >= 8 && nb - j >= 8) {
        __m256i va = _mm256_loadu_si256((const __m256i *)(const void *)(a + i));
        __m256i vb = _mm256_loadu_si256((const __m256i *)(const void *)(b + j));
        uint32_t mask = meet_8x8(va, vb);
        for (uint32_t in_b = j; mask; mask &= mask - 1) {
            uint32_t in_a = i + (uint32_t)__builtin_ctz(mask);
            while (b[in_b] != a[in_a]) in_b++;
            at_a[met] = in_a;
            at_b[met++] = in_b;
        }
        uint32_t last_a = a[i + 7], last_b = b[j + 7];
        i += last_a <= last_b ? 8 : 0;
        j += last_b <= last_a ? 8 : 0;
    }
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

#include "common/codec/scan_template.h"
