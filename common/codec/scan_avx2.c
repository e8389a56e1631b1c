/* SPDX-License-Identifier: MIT
 * scan_avx2.c - scan kernels for AVX2, BMI2 and POPCNT; see scan.h.
 *
 * Masks of 32 compared bytes are walked bit by bit: survivors are few.  PDEP turns a mask over
 * ranks into a mask over documents.  Eight lanes are compressed by a permutation that PEXT
 * makes of the mask.
 */
#define SCAN_NAME   scan_avx2
#define SCAN_SELECT bmi2_select
#define SCAN_COSTS  SCAN_COSTS_AVX2
#define SCAN_HAS_BYTES_IN_RANGE
#define SCAN_HAS_BUCKET_IN_RANGE
#define SCAN_HAS_NUMBERS_IN_RANGE
#define SCAN_HAS_INTERSECT
#define SCAN_HAS_INTERSECT_FEW
#define SCAN_HAS_BITMAP_PROBE
#define SCAN_HAS_TOTALS
#define SCAN_HAS_INTO
#define SCAN_HAS_KEEP_LEAST
#define SCAN_HAS_SEEK
#include "common/codec/bmi2.h"
#include "common/codec/scan.h"

static inline void store_places(uint32_t *out, uint32_t base, uint32_t mask)
{
    __m256i places = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)bmi2_places(mask)));
    _mm256_storeu_si256((__m256i *)(void *)out,
                        _mm256_add_epi32(places, _mm256_set1_epi32((int)base)));
}
#include "common/codec/scan_8x8.h"

/* The l bits from bit `at` of each lane on. */
static inline __m256i low_row(const uint8_t *bytes, uint32_t l, uint32_t at)
{
    const __m256i *word = (const __m256i *)(const void *)(bytes + 32 * (at / 32));
    __m256i v = _mm256_srl_epi32(_mm256_loadu_si256(word), _mm_cvtsi32_si128((int)(at % 32)));
    v = _mm256_or_si256(
        v, _mm256_sll_epi32(_mm256_loadu_si256(word + 1), _mm_cvtsi32_si128((int)(32 - at % 32))));
    return _mm256_and_si256(v, _mm256_set1_epi32((int)((UINT32_C(1) << l) - 1)));
}

/* Low parts have less than 32 bits, so that signs do not matter. */
static inline uint32_t low_parts(const uint8_t *bytes, uint32_t l, uint32_t row, uint32_t low,
                                 uint32_t *same)
{
    __m256i a = low_row(bytes, l, row * l), b = low_row(bytes, l, row * l + l);
    __m256i wanted = _mm256_set1_epi32((int)low), below = _mm256_set1_epi32((int)low - 1);
    *same = lane_mask(_mm256_cmpeq_epi32(a, wanted)) | lane_mask(_mm256_cmpeq_epi32(b, wanted))
                                                           << 8;
    return lane_mask(_mm256_cmpgt_epi32(a, below)) | lane_mask(_mm256_cmpgt_epi32(b, below)) << 8;
}
#define SCAN_HAS_FIND_ONE
#include "common/codec/scan_find.h"

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

/* Bits i < n <= 512 of masks[8] and one more word: bytes[i] in range; zeros behind. */
static inline void in_range_masks(const uint8_t *bytes, uint32_t n, uint8_t low, uint8_t high,
                                  uint64_t *masks)
{
    const __m256i lows = _mm256_set1_epi8((char)low), highs = _mm256_set1_epi8((char)high);
    uint32_t i = 0;
    memset(masks, 0, 9 * sizeof *masks);
    for (; n - i >= 32; i += 32)
        masks[i / 64] |= (uint64_t)in_range_32(bytes + i, lows, highs) << i % 64;
    if (i == n) return;
    uint8_t copy[32] = {0};
    memcpy(copy, bytes + i, n - i);
    uint32_t rest = _bzhi_u32(in_range_32(copy, lows, highs), n - i);
    masks[i / 64] |= (uint64_t)rest << i % 64;
}

static uint32_t scan_bucket_in_range(const uint64_t *words, const uint64_t *also,
                                     const uint8_t *bytes, uint32_t n, uint8_t low, uint8_t high,
                                     uint32_t base, uint32_t *out, uint8_t *bytes_out)
{
    uint64_t masks[9];
    uint32_t k = 0, kept = 0;
    if (n > 512) n = 512;
    in_range_masks(bytes, n, low, high, masks);
    for (uint32_t w = 0; w < 8 && k < n; w++) {
        uint64_t bits = words[w],
                 here = masks[k / 64] >> k % 64 | masks[k / 64 + 1] << 1 << (63 - k % 64);
        uint64_t good = _pdep_u64(here, bits);
        if (also) good &= also[w];
        for (; good; good &= good - 1) {
            unsigned bit = bits_lowest(good);
            out[kept] = base + 64 * w + bit;
            bytes_out[kept++] = bytes[k + bits_count(_bzhi_u64(bits, bit))];
        }
        k += bits_count(bits);
    }
    return kept;
}

/* The numbers and bytes among eight of each whose bit is set in mask. */
static inline uint32_t keep_8(__m256i numbers, uint64_t bytes, uint32_t mask, uint32_t *out,
                              uint8_t *bytes_out)
{
    __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)bmi2_places(mask)));
    _mm256_storeu_si256((__m256i *)(void *)out, _mm256_permutevar8x32_epi32(numbers, order));
    store_u64(bytes_out, _pext_u64(bytes, _pdep_u64(mask, UINT64_C(0x0101010101010101)) * 255));
    return bits_count(mask);
}

static uint32_t scan_numbers_in_range(const uint32_t *numbers, const uint8_t *bytes, uint32_t n,
                                      uint8_t low, uint8_t high, uint32_t *out, uint8_t *bytes_out)
{
    const __m256i lows = _mm256_set1_epi8((char)low), highs = _mm256_set1_epi8((char)high);
    uint32_t kept = 0, i = 0;
    for (; n - i >= 32; i += 32) {
        uint32_t good = in_range_32(bytes + i, lows, highs);
        for (uint32_t k = i; good; k += 8, good >>= 8)
            kept += keep_8(lanes_of(numbers + k), load_u64(bytes + k), good & 255, out + kept,
                           bytes_out + kept);
    }
    for (; i < n; i++) {
        uint8_t byte = bytes[i];
        out[kept] = numbers[i];
        bytes_out[kept] = byte;
        kept += byte >= low && byte <= high;
    }
    return kept;
}

/* ---- bitmaps ----------------------------------------------------------------------------- */

static inline __m256i load_4(const uint64_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}
static inline void store_4(uint64_t *p, __m256i v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, v);
}

/* Set bits of each word: a table of the ones of a nibble, bytes summed up (W. Mula, N. Kurz,
 * D. Lemire, "Faster population counts using AVX2 instructions", 2018). */
static inline __m256i ones_4(__m256i v)
{
    const __m256i ones = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1,
                                          2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(15);
    __m256i a = _mm256_shuffle_epi8(ones, _mm256_and_si256(v, low));
    __m256i b = _mm256_shuffle_epi8(ones, _mm256_and_si256(_mm256_srli_epi32(v, 4), low));
    return _mm256_sad_epu8(_mm256_add_epi8(a, b), _mm256_setzero_si256());
}

static inline uint64_t sum_4(__m256i v)
{
    __m128i two = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    return (uint64_t)_mm_cvtsi128_si64(_mm_add_epi64(two, _mm_unpackhi_epi64(two, two)));
}

static uint64_t scan_total(const uint64_t *a, size_t n_words)
{
    __m256i sum = _mm256_setzero_si256();
    size_t i = 0;
    for (; n_words - i >= 4; i += 4) sum = _mm256_add_epi64(sum, ones_4(load_4(a + i)));
    uint64_t n = sum_4(sum);
    for (; i < n_words; i++) n += bits_count(a[i]);
    return n;
}

static uint64_t scan_and_total(const uint64_t *a, const uint64_t *b, size_t n_words)
{
    __m256i sum = _mm256_setzero_si256();
    size_t i = 0;
    for (; n_words - i >= 4; i += 4) {
        __m256i both = _mm256_and_si256(load_4(a + i), load_4(b + i));
        sum = _mm256_add_epi64(sum, ones_4(both));
    }
    uint64_t n = sum_4(sum);
    for (; i < n_words; i++) n += bits_count(a[i] & b[i]);
    return n;
}

static void scan_and_into(uint64_t *a, const uint64_t *b, size_t n_words)
{
    size_t i = 0;
    for (; n_words - i >= 4; i += 4) store_4(a + i, _mm256_and_si256(load_4(a + i), load_4(b + i)));
    for (; i < n_words; i++) a[i] &= b[i];
}

static void scan_or_into(uint64_t *a, const uint64_t *b, size_t n_words)
{
    size_t i = 0;
    for (; n_words - i >= 4; i += 4) store_4(a + i, _mm256_or_si256(load_4(a + i), load_4(b + i)));
    for (; i < n_words; i++) a[i] |= b[i];
}

static void scan_andnot_into(uint64_t *a, const uint64_t *b, size_t n_words)
{
    size_t i = 0;
    for (; n_words - i >= 4; i += 4)
        store_4(a + i, _mm256_andnot_si256(load_4(b + i), load_4(a + i)));
    for (; i < n_words; i++) a[i] &= ~b[i];
}

/* The bit that is asked for is turned to the highest, the sign. */
static uint32_t scan_bitmap_probe(const uint64_t *words, uint32_t n_words, const uint32_t *numbers,
                                  uint32_t n, uint32_t *at)
{
    const int *halves = (const int *)(const void *)words;
    const __m256i limit = _mm256_set1_epi32((int)(n_words < 1u << 26 ? 2 * n_words : 1u << 27));
    uint32_t kept = 0, i = 0;
    for (; n - i >= 8; i += 8) {
        __m256i v = lanes_of(numbers + i), half = _mm256_srli_epi32(v, 5);
        __m256i in = _mm256_cmpgt_epi32(limit, half);
        __m256i got = _mm256_mask_i32gather_epi32(_mm256_setzero_si256(), halves, half, in, 4);
        __m256i up = _mm256_andnot_si256(v, _mm256_set1_epi32(31));
        uint32_t set = lane_mask(_mm256_sllv_epi32(got, up));
        store_places(at + kept, i, set);
        kept += bits_count(set);
    }
    for (; i < n; i++) {
        uint32_t w = numbers[i] / 64;
        at[kept] = i;
        kept += w < n_words && (words[w] >> numbers[i] % 64 & 1);
    }
    return kept;
}

/* ---- batches ------------------------------------------------------------------------------ */

static uint32_t scan_keep_least(uint32_t *docs, float *scores, uint32_t n, float least)
{
    const __m256 bound = _mm256_set1_ps(least);
    uint32_t kept = 0, i = 0;
    for (; n - i >= 8; i += 8) {
        __m256 s = _mm256_loadu_ps(scores + i);
        __m256i d = _mm256_loadu_si256((const __m256i *)(const void *)(docs + i));
        unsigned mask = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(s, bound, _CMP_GE_OQ));
        __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)bmi2_places(mask)));
        _mm256_storeu_ps(scores + kept, _mm256_permutevar8x32_ps(s, order));
        _mm256_storeu_si256((__m256i *)(void *)(docs + kept),
                            _mm256_permutevar8x32_epi32(d, order));
        kept += bits_count(mask);
    }
    for (; i < n; i++) {
        uint32_t doc = docs[i];
        float score = scores[i];
        docs[kept] = doc;
        scores[kept] = score;
        kept += score >= least;
    }
    return kept;
}

/* How many of eight rising numbers are below target. */
static inline uint32_t below_8(const uint32_t *numbers, uint32_t target)
{
    const __m256i sign = _mm256_set1_epi32(INT32_MIN),
                  t = _mm256_set1_epi32((int)(target ^ 0x80000000u));
    __m256i v = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)numbers), sign);
    return bits_count((unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(t, v))));
}

/* Two compares a candidate, of two halves each: with the last ones of the groups of sixteen but
 * the last group, and with its group.  Signs are turned: AVX2 has no unsigned order. */
static uint32_t scan_intersect_few(const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb,
                                   uint32_t *at_a, uint32_t *at_b)
{
    if (nb < 16) return scan_intersect(a, na, b, nb, at_a, at_b);
    const __m256i sign = _mm256_set1_epi32(INT32_MIN);
    uint32_t ends[16], met = 0;
    for (uint32_t k = 0; k < 16; k++)
        ends[k] = k < (nb - 1) / 16 ? b[16 * k + 15] ^ 0x80000000u : INT32_MAX;
    const __m256i low = lanes_of(ends), high = lanes_of(ends + 8);
    for (uint32_t i = 0; i < na; i++) {
        __m256i v = _mm256_set1_epi32((int)a[i]), turned = _mm256_xor_si256(v, sign);
        uint32_t at = 16 * bits_count(lane_mask(_mm256_cmpgt_epi32(turned, low)) |
                                      lane_mask(_mm256_cmpgt_epi32(turned, high)) << 8);
        if (at > nb - 16) at = nb - 16;
        uint32_t same = lane_mask(_mm256_cmpeq_epi32(v, lanes_of(b + at))) |
                        lane_mask(_mm256_cmpeq_epi32(v, lanes_of(b + at + 8))) << 8;
        at_a[met] = i;
        if (at_b) at_b[met] = at + bits_lowest(same | 0x10000);
        met += same != 0;
    }
    return met;
}

/* Eight at once; then gallop, halve without a branch, and eight at once again. */
static uint32_t scan_seek(const uint32_t *numbers, uint32_t from, uint32_t n, uint32_t target)
{
    if (n - from >= 8) {
        uint32_t first = below_8(numbers + from, target);
        if (first < 8) return from + first;
        from += 8;
    }
    uint32_t step = 8, len;
    while (n - from > step && numbers[from + step - 1] < target) {
        from += step;
        step = step > UINT32_MAX / 4 ? step : 2 * step;
    }
    for (len = n - from < step ? n - from : step; len > 8;) {
        uint32_t half = len / 2;
        from = numbers[from + half - 1] < target ? from + half : from;
        len -= half;
    }
    if (n - from >= 8) return from + below_8(numbers + from, target);
    while (len && numbers[from] < target) from++, len--;
    return from;
}

#include "common/codec/scan_template.h"
