/* SPDX-License-Identifier: MIT
 * scan_avx512.c - scan kernels for AVX-512 (BW, VL, VBMI, VBMI2, VPOPCNTDQ); see scan.h.
 *
 * Compression goes to a register and then to memory: the memory form of vpcompress is
 * microcoded on Zen 4.  The 16 x 16 intersection is slower there than 8 x 8, which is kept.
 */
#define SCAN_NAME   scan_avx512
#define SCAN_SELECT bmi2_select
#define SCAN_COSTS  SCAN_COSTS_AVX512
#define SCAN_HAS_BYTES_IN_RANGE
#define SCAN_HAS_BUCKET_IN_RANGE
#define SCAN_HAS_BUCKET_ADD
#define SCAN_HAS_NUMBERS_IN_RANGE
#define SCAN_HAS_TABLE_VALUES
#define SCAN_HAS_INTERSECT
#define SCAN_HAS_INTERSECT_FEW
#define SCAN_HAS_BITMAP_PROBE
#define SCAN_HAS_TOTALS
#define SCAN_HAS_INTO
#define SCAN_HAS_KEEP_LEAST
#define SCAN_HAS_SEEK
#define SCAN_HAS_BUCKET_RANKS
#include "common/codec/avx512.h"
#include "common/codec/scan.h"

static inline void store_places(uint32_t *out, uint32_t base, uint32_t mask)
{
    __m256i all =
        _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32((int)base));
    _mm256_storeu_si256((__m256i *)(void *)out, _mm256_maskz_compress_epi32((__mmask8)mask, all));
}
#include "common/codec/scan_8x8.h"

static inline __m256i lanes_at(const uint8_t *bytes)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)bytes);
}

/* vpshrdvd looks at the low five bits of its count alone. */
static inline uint32_t low_parts(const uint8_t *bytes, uint32_t l, uint32_t row, uint32_t low,
                                 uint32_t *same)
{
    uint32_t at = row * l, next = at + l;
    const uint8_t *a = bytes + 32 * (at / 32), *b = bytes + 32 * (next / 32);
    __m512i shift = _mm512_inserti64x4(_mm512_set1_epi32((int)at), _mm256_set1_epi32((int)next), 1);
    __m512i from = _mm512_inserti64x4(_mm512_castsi256_si512(lanes_at(a)), lanes_at(b), 1);
    __m512i over =
        _mm512_inserti64x4(_mm512_castsi256_si512(lanes_at(a + 32)), lanes_at(b + 32), 1);
    __m512i v = _mm512_and_si512(_mm512_shrdv_epi32(from, over, shift),
                                 _mm512_set1_epi32((int)((UINT32_C(1) << l) - 1)));
    __m512i wanted = _mm512_set1_epi32((int)low);
    *same = _mm512_cmpeq_epi32_mask(v, wanted);
    return _mm512_cmpge_epu32_mask(v, wanted);
}
#define SCAN_HAS_FIND_ONE
#include "common/codec/scan_find.h"

static inline __mmask64 first_64(uint32_t n)
{
    return _bzhi_u64(UINT64_MAX, n < 64 ? n : 64);
}

/* Bit i: low <= lane i of v <= high, of the lanes in `in`. */
static inline uint64_t in_range_64(__mmask64 in, __m512i v, __m512i low, __m512i high)
{
    return _mm512_mask_cmple_epu8_mask(_mm512_mask_cmpge_epu8_mask(in, v, low), v, high);
}

/* Write base + byte for the first n bytes of v, 16 a step: scribbles up to 15 elements. */
static inline void write_16s(__m512i v, uint32_t n, uint32_t base, uint32_t *out)
{
    const __m512i bases = _mm512_set1_epi32((int)base);
    _mm512_storeu_si512(out,
                        _mm512_add_epi32(_mm512_cvtepu8_epi32(_mm512_castsi512_si128(v)), bases));
    for (uint32_t k = 16; k < n; k += 16) {
        v = _mm512_shuffle_i64x2(v, v, 0x39);
        _mm512_storeu_si512(
            out + k, _mm512_add_epi32(_mm512_cvtepu8_epi32(_mm512_castsi512_si128(v)), bases));
    }
}

static uint32_t scan_bytes_in_range(const uint8_t *bytes, uint32_t n, uint8_t low, uint8_t high,
                                    uint32_t base, uint32_t *out)
{
    const __m512i lows = _mm512_set1_epi8((char)low), highs = _mm512_set1_epi8((char)high),
                  places = bytes_64();
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i += 64) {
        __mmask64 in = first_64(n - i);
        uint64_t good = in_range_64(in, _mm512_maskz_loadu_epi8(in, bytes + i), lows, highs);
        if (!good) continue;
        uint32_t count = bits_count(good);
        write_16s(_mm512_maskz_compress_epi8(good, places), count, base + i, out + kept);
        kept += count;
    }
    return kept;
}

/* Word by word: its bytes are loaded and compared, the mask over ranks is spread over its bits,
 * and places and bytes are compressed by it. */
static uint32_t scan_bucket_in_range(const uint64_t *words, const uint64_t *also,
                                     const uint8_t *bytes, uint32_t n, uint8_t low, uint8_t high,
                                     uint32_t base, uint32_t *out, uint8_t *bytes_out)
{
    const __m512i lows = _mm512_set1_epi8((char)low), highs = _mm512_set1_epi8((char)high),
                  places = bytes_64();
    uint32_t k = 0, kept = 0;
    for (uint32_t w = 0; w < 8 && k < n; w++) {
        uint64_t bits = words[w];
        uint32_t ones = bits_count(bits);
        __mmask64 in = first_64(ones < n - k ? ones : n - k);
        __m512i v = _mm512_maskz_loadu_epi8(in, bytes + k);
        uint64_t ranks = in_range_64(in, v, lows, highs), good = _pdep_u64(ranks, bits);
        k += ones;
        if (also) {
            good &= also[w];
            ranks = _pext_u64(good, bits);
        }
        if (!good) continue;
        uint32_t count = bits_count(good);
        write_16s(_mm512_maskz_compress_epi8(good, places), count, base + 64 * w, out + kept);
        v = _mm512_maskz_compress_epi8(ranks, v);
        if (count <= 16)
            _mm_storeu_si128((__m128i *)(void *)(bytes_out + kept), _mm512_castsi512_si128(v));
        else
            _mm512_mask_storeu_epi8(bytes_out + kept, first_64(count), v);
        kept += count;
    }
    return kept;
}

static uint32_t scan_numbers_in_range(const uint32_t *numbers, const uint8_t *bytes, uint32_t n,
                                      uint8_t low, uint8_t high, uint32_t *out, uint8_t *bytes_out)
{
    const __m512i lows = _mm512_set1_epi8((char)low), highs = _mm512_set1_epi8((char)high);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i += 64) {
        __mmask64 in = first_64(n - i);
        __m512i v = _mm512_maskz_loadu_epi8(in, bytes + i);
        uint64_t good = in_range_64(in, v, lows, highs);
        uint32_t count = bits_count(good);
        _mm512_mask_storeu_epi8(bytes_out + kept, first_64(count),
                                _mm512_maskz_compress_epi8(good, v));
        for (uint32_t k = i; good; k += 16, good >>= 16) {
            __mmask16 now = (__mmask16)good;
            __m512i numbers_16 = _mm512_maskz_loadu_epi32(now, numbers + k);
            _mm512_storeu_si512(out + kept, _mm512_maskz_compress_epi32(now, numbers_16));
            kept += bits_count(now);
        }
    }
    return kept;
}

static void scan_table_values(const float *table, const uint8_t *bytes, uint32_t n, float factor,
                              float *out)
{
    const __m512 factors = _mm512_set1_ps(factor);
    for (uint32_t i = 0; i < n; i += 16) {
        __mmask16 in = first_16(n - i);
        __m512i at = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(in, bytes + i));
        __m512 v = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), in, at, table, 4);
        _mm512_mask_storeu_ps(out + i, in, _mm512_mul_ps(v, factors));
    }
}

/* Add to 32 sums, of the lanes in `in`; lanes that passed `least`. */
static inline uint32_t add_32(uint16_t *sums, __mmask32 in, __m256i bytes, __m512i slope,
                              __m512i offset, __m512i least)
{
    __m512i high = _mm512_slli_epi16(_mm512_cvtepu8_epi16(bytes), 8);
    __m512i before = _mm512_loadu_si512(sums);
    __m512i part = _mm512_add_epi16(_mm512_mulhi_epu16(high, slope), offset);
    __m512i now = _mm512_mask_add_epi16(before, in, before, part);
    _mm512_storeu_si512(sums, now);
    return _mm512_mask_cmplt_epu16_mask(_mm512_cmpge_epu16_mask(now, least), before, least);
}

/* The bytes of a word are spread over its bits, 64 lanes, and added in two halves. */
static uint32_t scan_bucket_add(const uint64_t *words, const uint8_t *bytes, uint32_t n,
                                uint16_t slope, uint16_t offset, uint16_t least, uint16_t *sums,
                                uint32_t *out)
{
    const __m512i slopes = _mm512_set1_epi16((short)slope),
                  leasts = _mm512_set1_epi16((short)least),
                  offsets = _mm512_set1_epi16((short)offset);
    uint32_t k = 0, found = 0;
    for (uint32_t w = 0; w < 8 && k < n; w++) {
        uint64_t bits = words[w];
        uint32_t ones = bits_count(bits);
        if (ones > n - k) {
            ones = n - k;
            bits = _pdep_u64(first_64(ones), bits);
        }
        __m512i v =
            _mm512_maskz_expand_epi8(bits, _mm512_maskz_loadu_epi8(first_64(ones), bytes + k));
        k += ones;
        uint64_t low = add_32(sums + 64 * w, (__mmask32)bits, _mm512_castsi512_si256(v), slopes,
                              offsets, leasts);
        uint64_t high = add_32(sums + 64 * w + 32, (__mmask32)(bits >> 32),
                               _mm512_extracti64x4_epi64(v, 1), slopes, offsets, leasts);
        for (uint64_t passed = low | high << 32; passed; passed &= passed - 1)
            out[found++] = 64 * w + bits_lowest(passed);
    }
    return found;
}

static uint32_t scan_bitmap_probe(const uint64_t *words, uint32_t n_words, const uint32_t *numbers,
                                  uint32_t n, uint32_t *at)
{
    const uint32_t *halves = (const uint32_t *)(const void *)words;
    const __m512i limit = _mm512_set1_epi32((int)(2 * n_words)), one = _mm512_set1_epi32(1);
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i += 16) {
        __mmask16 in = first_16(n - i);
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
        __mmask8 in = first_8(n_words - i);
        sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_maskz_loadu_epi64(in, a + i)));
    }
    return (uint64_t)_mm512_reduce_add_epi64(sum);
}

static uint64_t scan_and_total(const uint64_t *a, const uint64_t *b, size_t n_words)
{
    __m512i sum = _mm512_setzero_si512();
    for (size_t i = 0; i < n_words; i += 8) {
        __mmask8 in = first_8(n_words - i);
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
        __mmask16 in = first_16(n - i);
        __m512 s = _mm512_maskz_loadu_ps(in, scores + i);
        __m512i d = _mm512_maskz_loadu_epi32(in, docs + i);
        __mmask16 keep = _mm512_mask_cmp_ps_mask(in, s, bound, _CMP_GE_OQ);
        _mm512_storeu_ps(scores + kept, _mm512_maskz_compress_ps(keep, s));
        _mm512_storeu_si512(docs + kept, _mm512_maskz_compress_epi32(keep, d));
        kept += bits_count(keep);
    }
    return kept;
}

/* Word j of a bucket counts with its lowest number % 512 - 64 j bits. */
static void scan_bucket_ranks(const uint64_t *words, const uint32_t *ranks, const uint32_t *numbers,
                              const uint32_t *at, uint32_t n, uint32_t *out)
{
    const __m512i ends = _mm512_setr_epi64(64, 128, 192, 256, 320, 384, 448, 512),
                  zero = _mm512_setzero_si512();
    for (uint32_t i = 0; i < n; i++) {
        uint32_t number = numbers[at[i]], bucket = number / 512;
        __m512i over =
            _mm512_max_epi64(_mm512_sub_epi64(ends, _mm512_set1_epi64(number % 512)), zero);
        __m512i keep = _mm512_srlv_epi64(_mm512_set1_epi64(-1), over);
        __m512i bits = _mm512_and_si512(_mm512_loadu_si512(words + (size_t)bucket * 8), keep);
        out[i] = ranks[bucket] + (uint32_t)_mm512_reduce_add_epi64(_mm512_popcnt_epi64(bits));
    }
}

static void scan_and_into(uint64_t *a, const uint64_t *b, size_t n_words)
{
    for (size_t i = 0; i < n_words; i += 8) {
        __mmask8 in = first_8(n_words - i);
        __m512i va = _mm512_maskz_loadu_epi64(in, a + i), vb = _mm512_maskz_loadu_epi64(in, b + i);
        _mm512_mask_storeu_epi64(a + i, in, _mm512_and_si512(va, vb));
    }
}

static void scan_or_into(uint64_t *a, const uint64_t *b, size_t n_words)
{
    for (size_t i = 0; i < n_words; i += 8) {
        __mmask8 in = first_8(n_words - i);
        __m512i va = _mm512_maskz_loadu_epi64(in, a + i), vb = _mm512_maskz_loadu_epi64(in, b + i);
        _mm512_mask_storeu_epi64(a + i, in, _mm512_or_si512(va, vb));
    }
}

static void scan_andnot_into(uint64_t *a, const uint64_t *b, size_t n_words)
{
    for (size_t i = 0; i < n_words; i += 8) {
        __mmask8 in = first_8(n_words - i);
        __m512i va = _mm512_maskz_loadu_epi64(in, a + i), vb = _mm512_maskz_loadu_epi64(in, b + i);
        _mm512_mask_storeu_epi64(a + i, in, _mm512_andnot_si512(vb, va));
    }
}

/* The last one of each group of sixteen but the last group; behind them the highest number. */
static inline __m512i group_ends(const uint32_t *b, uint32_t nb)
{
    const __m512i at =
        _mm512_setr_epi32(15, 31, 47, 63, 79, 95, 111, 127, 143, 159, 175, 191, 207, 223, 239, 255);
    __mmask16 in = first_16((nb - 1) / 16);
    return _mm512_mask_i32gather_epi32(_mm512_set1_epi32(-1), in, at, b, 4);
}

/* Two compares a candidate: with the ends of the groups, and with its group. */
static uint32_t scan_intersect_few(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
                                   uint32_t *at_a, uint32_t *at_b)
{
    if (nb < 16) return scan_intersect(a, na, b, nb, at_a, at_b);
    const __m512i ends = group_ends(b, nb);
    uint32_t met = 0;
    for (uint32_t i = 0; i < na; i++) {
        __m512i v = _mm512_set1_epi32((int)a[i]);
        uint32_t at = 16 * bits_count(_mm512_cmplt_epu32_mask(ends, v));
        if (at > nb - 16) at = nb - 16;
        uint32_t same = _mm512_cmpeq_epi32_mask(v, _mm512_loadu_si512(b + at));
        at_a[met] = i;
        if (at_b) at_b[met] = at + bits_lowest(same | 0x10000);
        met += same != 0;
    }
    return met;
}

/* How many of the first 16 (or n) rising numbers are below target. */
static inline uint32_t below_16(const uint32_t *numbers, uint32_t n, uint32_t target)
{
    __mmask16 in = first_16(n);
    return bits_count(_mm512_mask_cmplt_epu32_mask(in, _mm512_maskz_loadu_epi32(in, numbers),
                                                   _mm512_set1_epi32((int)target)));
}

/* Sixteen at once; then gallop, halve without a branch, and sixteen at once again. */
static uint32_t scan_seek(const uint32_t *numbers, uint32_t from, uint32_t n, uint32_t target)
{
    uint32_t first = below_16(numbers + from, n - from, target), step = 16, len;
    if (first < 16) return from + first;
    from += 16;
    while (n - from > step && numbers[from + step - 1] < target) {
        from += step;
        step = step > UINT32_MAX / 4 ? step : 2 * step;
    }
    for (len = n - from < step ? n - from : step; len > 16;) {
        uint32_t half = len / 2;
        from = numbers[from + half - 1] < target ? from + half : from;
        len -= half;
    }
    return from + below_16(numbers + from, len, target);
}

#include "common/codec/scan_template.h"
