/* SPDX-License-Identifier: MIT
 * scan_avx512.c - scan kernels for AVX-512 (BW, VL, VBMI2, VPOPCNTDQ); see scan.h.
 *
 * Compression goes to a register and then to memory: the memory form of vpcompress is
 * microcoded on Zen 4.  The 16 x 16 intersection is slower there than 8 x 8, which is kept.
 */
#include <immintrin.h>

#define SCAN_NAME scan_avx512
#define SCAN_SELECT scan_pdep_select
#define SCAN_HAS_BYTES_IN_RANGE
#define SCAN_HAS_BUCKET_IN_RANGE
#define SCAN_HAS_INTERSECT
#define SCAN_HAS_BITMAP_PROBE
#define SCAN_HAS_TOTALS
#define SCAN_HAS_KEEP_LEAST
#include "common/codec/bits.h"
#include "common/codec/scan.h"

/* Index of the set bit that has k set bits below it; w has more than k of them. */
static inline unsigned scan_pdep_select(uint64_t w, unsigned k)
{
    return bits_lowest(_pdep_u64(UINT64_C(1) << k, w));
}

static inline __mmask64 first_mask(uint32_t n)
{
    return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static inline uint64_t in_range_64(const uint8_t *bytes, uint32_t n, __m512i low, __m512i high)
{
    __m512i v = _mm512_maskz_loadu_epi8(first_mask(n), bytes);
    return _mm512_mask_cmp_epu8_mask(_mm512_mask_cmp_epu8_mask(first_mask(n), v, low, _MM_CMPINT_GE),
                                     v, high, _MM_CMPINT_LE);
}

/* Write base + i for each bit i of mask; returns their number.  Scribbles 16 elements. */
static inline uint32_t write_bits(uint64_t mask, uint32_t base, uint32_t *out)
{
    uint32_t kept = 0;
    for (; mask; mask &= mask - 1) out[kept++] = base + bits_lowest(mask);
    return kept;
}

static uint32_t scan_bytes_in_range(const uint8_t *bytes, uint32_t n, uint8_t low, uint8_t high,
                                    uint32_t base, uint32_t *out)
{
    const __m512i lows = _mm512_set1_epi8((char)low), highs = _mm512_set1_epi8((char)high);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i += 64)
        kept += write_bits(in_range_64(bytes + i, n - i, lows, highs), base + i, out + kept);
    return kept;
}

static uint32_t scan_bucket_in_range(const uint64_t *words, const uint64_t *also,
                                     const uint8_t *bytes, uint32_t n, uint8_t low, uint8_t high,
                                     uint32_t base, uint32_t *out, uint8_t *bytes_out)
{
    const __m512i lows = _mm512_set1_epi8((char)low), highs = _mm512_set1_epi8((char)high);
    uint32_t k = 0, kept = 0;
    for (uint32_t w = 0; w < 8 && k < n; w++) {
        uint64_t bits = words[w];
        uint32_t ones = bits_count(bits), take = ones < n - k ? ones : n - k;
        uint64_t good = _pdep_u64(in_range_64(bytes + k, take, lows, highs), bits);
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
    __mmask8 any = _mm256_cmpeq_epi32_mask(a, b);
    for (int i = 0; i < 7; i++) {
        b = _mm256_permutevar8x32_epi32(b, turn);
        any = (__mmask8)(any | _mm256_cmpeq_epi32_mask(a, b));
    }
    return any;
}

static uint32_t scan_intersect(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
                               uint32_t *at_a, uint32_t *at_b)
{
    uint32_t i = 0, j = 0, met = 0;
    while (na - i >= 8 && nb - j >= 8) {
        uint32_t mask = meet_8x8(_mm256_loadu_si256((const __m256i *)(const void *)(a + i)),
                                 _mm256_loadu_si256((const __m256i *)(const void *)(b + j)));
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

static uint32_t scan_bitmap_probe(const uint64_t *words, uint32_t n_words, const uint32_t *numbers,
                                  uint32_t n, uint32_t *at)
{
    const uint32_t *halves = (const uint32_t *)(const void *)words;
    const __m512i limit = _mm512_set1_epi32((int)(2 * n_words)), one = _mm512_set1_epi32(1);
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i += 16) {
        __mmask16 in = n - i >= 16 ? 0xffff : (__mmask16)((1u << (n - i)) - 1);
        __m512i v = _mm512_maskz_loadu_epi32(in, numbers + i);
        __m512i half = _mm512_srli_epi32(v, 5);
        in = _mm512_mask_cmplt_epu32_mask(in, half, limit);
        __m512i got = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), in, half, halves, 4);
        __m512i bit = _mm512_sllv_epi32(one, _mm512_and_si512(v, _mm512_set1_epi32(31)));
        __mmask16 set = _mm512_mask_test_epi32_mask(in, got, bit);
        __m512i index = _mm512_add_epi32(lanes, _mm512_set1_epi32((int)i));
        _mm512_storeu_si512(at + kept, _mm512_maskz_compress_epi32(set, index));
        kept += bits_count(set);
    }
    return kept;
}

static uint64_t scan_total(const uint64_t *a, size_t n_words)
{
    __m512i sum = _mm512_setzero_si512();
    for (size_t i = 0; i < n_words; i += 8) {
        __mmask8 in = n_words - i >= 8 ? 0xff : (__mmask8)((1u << (n_words - i)) - 1);
        sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_maskz_loadu_epi64(in, a + i)));
    }
    return (uint64_t)_mm512_reduce_add_epi64(sum);
}

static uint64_t scan_and_total(const uint64_t *a, const uint64_t *b, size_t n_words)
{
    __m512i sum = _mm512_setzero_si512();
    for (size_t i = 0; i < n_words; i += 8) {
        __mmask8 in = n_words - i >= 8 ? 0xff : (__mmask8)((1u << (n_words - i)) - 1);
        __m512i both = _mm512_and_si512(_mm512_maskz_loadu_epi64(in, a + i),
                                        _mm512_maskz_loadu_epi64(in, b + i));
        sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(both));
    }
    return (uint64_t)_mm512_reduce_add_epi64(sum);
}

static uint32_t scan_keep_least(uint32_t *docs, float *scores, uint32_t n, float least)
{
    const __m512 bound = _mm512_set1_ps(least);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i += 16) {
        __mmask16 in = n - i >= 16 ? 0xffff : (__mmask16)((1u << (n - i)) - 1);
        __m512 s = _mm512_maskz_loadu_ps(in, scores + i);
        __m512i d = _mm512_maskz_loadu_epi32(in, docs + i);
        __mmask16 keep = _mm512_mask_cmp_ps_mask(in, s, bound, _CMP_GE_OQ);
        _mm512_storeu_ps(scores + kept, _mm512_maskz_compress_ps(keep, s));
        _mm512_storeu_si512(docs + kept, _mm512_maskz_compress_epi32(keep, d));
        kept += bits_count(keep);
    }
    return kept;
}

#include "common/codec/scan_template.h"
