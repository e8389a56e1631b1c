/* SPDX-License-Identifier: MIT
 * kernels_avx2.c - the kernels for AVX2, BMI2 and POPCNT; see kernels.h.
 *
 * Bits are turned into their places eight at a time by PDEP and PEXT, without a table.
 */
#define KERNELS_NAME kernels_avx2
#define KERNELS_HAS_BITS_EXPAND
#define KERNELS_HAS_BUCKET_RANK
#define KERNELS_HAS_EF_HIGH
#define KERNELS_HAS_EF_LOW_LANES
#define KERNELS_HAS_EF_LOW_STRING
#define KERNELS_HAS_VARINTS_LEN
#define KERNELS_HAS_VARINT_RISING
#define KERNELS_HAS_KTH_LARGEST
#define KERNELS_HAS_IMPACT_TF
#include "common/codec/bmi2.h"
#include "common/codec/kernels.h"

static inline __m256i load_8(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}
static inline void store_8(void *p, __m256i v)
{
    _mm256_storeu_si256((__m256i *)p, v);
}
static inline __m256i lanes_8(void)
{
    return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
}

/* Store the first n lanes. */
static inline void store_first(uint32_t *out, __m256i v, uint32_t n)
{
    __m256i keep = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lanes_8());
    _mm256_maskstore_epi32((int *)out, keep, v);
}

/* Places of the set bits of a byte, plus add, in as many lanes. */
static inline __m256i places_8(unsigned byte, uint32_t add)
{
    __m256i places = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)bmi2_places(byte)));
    return _mm256_add_epi32(places, _mm256_set1_epi32((int)add));
}

static uint32_t kernel_bucket_rank(const uint64_t *words, uint32_t n_bits)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_bits / 64; i++) n += bits_count(words[i]);
    return n_bits % 64 ? n + bits_count(_bzhi_u64(words[n_bits / 64], n_bits % 64)) : n;
}

/* A word with few bits is walked bit by bit, one with many byte by byte. */
static uint32_t kernel_bits_expand(const uint64_t *words, uint32_t n_words, uint32_t base,
                                   uint32_t skip, uint32_t cap, uint32_t *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_words && n < cap; i++, base += 64) {
        uint64_t w = words[i];
        uint32_t ones = bits_count(w);
        if (skip >= ones) {
            skip -= ones;
            continue;
        }
        w = _pdep_u64(UINT64_MAX << skip, w);
        skip = 0;
        if (ones > 16 && cap - n >= 64) {
            for (unsigned at = 0; at < 64; at += 8, w >>= 8) {
                store_8(out + n, places_8(w & 255, base + at));
                n += bits_count(w & 255);
            }
            continue;
        }
        for (; w && n < cap; w &= w - 1) out[n++] = base + bits_lowest(w);
    }
    return n;
}

/* Places of the set bits of a byte, lowest first, a byte each. */
#define PLACE(v, byte, k) ((uint64_t)(v) << 8 * ((byte) >> (k)&1) | ((byte) >> (k)&1) * (k))
#define PLACES_HIGH(byte) PLACE(PLACE(PLACE(PLACE(0, byte, 7), byte, 6), byte, 5), byte, 4)
#define PLACES(byte)                                                                               \
    PLACE(PLACE(PLACE(PLACE(PLACES_HIGH(byte), byte, 3), byte, 2), byte, 1), byte, 0)
#define PLACES_4(byte)  PLACES(byte), PLACES(byte + 1), PLACES(byte + 2), PLACES(byte + 3)
#define PLACES_16(byte) PLACES_4(byte), PLACES_4(byte + 4), PLACES_4(byte + 8), PLACES_4(byte + 12)
#define PLACES_64(byte)                                                                            \
    PLACES_16(byte), PLACES_16(byte + 16), PLACES_16(byte + 32), PLACES_16(byte + 48)
static const uint64_t byte_places[256] = {PLACES_64(0), PLACES_64(64), PLACES_64(128),
                                          PLACES_64(192)};

/* Eight places a byte are written, and the wrong ones written over by the next byte. */
static uint32_t kernel_ef_high(const uint64_t *high, uint32_t n_words, uint16_t *parts)
{
    const __m128i lanes = _mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7);
    uint32_t i = 0;
    for (uint32_t w = 0; w < n_words; w++) {
        uint64_t bits = high[w];
        for (uint32_t at = 64 * w; at < 64 * w + 64; at += 8, bits >>= 8) {
            __m128i places = _mm_cvtepu8_epi16(
                _mm_loadl_epi64((const __m128i *)(const void *)&byte_places[bits & 255]));
            __m128i less = _mm_sub_epi16(lanes, _mm_set1_epi16((short)(at - i)));
            _mm_storeu_si128((__m128i *)(void *)(parts + i), _mm_sub_epi16(places, less));
            i += bits_count(bits & 255);
        }
    }
    return i;
}

static inline __m256i parts_8(const uint16_t *parts)
{
    return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)parts));
}

/* Eight values from their high and low parts. */
typedef struct rise {
    __m256i last;  /* the eight before, turned so that their last one is first  */
    __m256i falls; /* all ones where a value is not above the one before        */
    __m256i look;  /* where there is one before                                 */
} rise;

static inline rise rise_begin(void)
{
    const __m256i zero = _mm256_setzero_si256();
    return (rise){zero, zero, _mm256_setr_epi32(0, -1, -1, -1, -1, -1, -1, -1)};
}

/* v <= before is min(v, before) == v. */
static inline __m256i rise_step(rise *r, __m256i high, __m256i low, __m128i by)
{
    const __m256i turn = _mm256_setr_epi32(7, 0, 1, 2, 3, 4, 5, 6);
    __m256i v = _mm256_or_si256(_mm256_sll_epi32(high, by), low),
            turned = _mm256_permutevar8x32_epi32(v, turn);
    __m256i before = _mm256_blend_epi32(turned, r->last, 1);
    __m256i fall = _mm256_and_si256(r->look, _mm256_cmpeq_epi32(_mm256_min_epu32(v, before), v));
    r->falls = _mm256_or_si256(r->falls, fall);
    r->look = _mm256_set1_epi32(-1);
    r->last = turned;
    return v;
}

/* One row of eight lanes a step. */
static uint64_t kernel_ef_low_lanes(const ef_shape *s, const uint64_t *words, const uint16_t *parts,
                                    uint32_t base, uint32_t *out)
{
    const uint8_t *bytes = (const uint8_t *)words;
    const uint32_t l = s->low_bits;
    const __m256i mask = _mm256_set1_epi32((int)(UINT32_MAX >> (32 - l))),
                  bases = _mm256_set1_epi32((int)base);
    const __m128i by = _mm_cvtsi32_si128((int)l);
    rise r = rise_begin();
    for (uint32_t row = 0, at = 0; row < 32; row++, at += l) {
        const uint8_t *word =
            bytes + 32 * (at / 32); /* the 32 bytes behind are there: high words */
        __m256i low = _mm256_srl_epi32(load_8(word), _mm_cvtsi32_si128((int)(at % 32)));
        low = _mm256_or_si256(
            low, _mm256_sll_epi32(load_8(word + 32), _mm_cvtsi32_si128((int)(32 - at % 32))));
        __m256i v = rise_step(&r, parts_8(parts + 8 * row), _mm256_and_si256(low, mask), by);
        store_8(out + 8 * row, _mm256_add_epi32(v, bases));
    }
    return _mm256_movemask_epi8(r.falls) ? UINT64_MAX : (uint32_t)_mm256_cvtsi256_si32(r.last);
}

/* Low parts first, one by one: eight bytes from a value's first one on are always in the block. */
static uint64_t kernel_ef_low_string(const ef_shape *s, const uint64_t *words,
                                     const uint16_t *parts, uint32_t base, uint32_t *out)
{
    const uint8_t *bytes = (const uint8_t *)words;
    const uint32_t l = s->low_bits, mask = (uint32_t)((UINT64_C(1) << l) - 1);
    const __m256i bases = _mm256_set1_epi32((int)base);
    const __m128i by = _mm_cvtsi32_si128((int)l);
    uint32_t low[EF_BLOCK_MAX];
    rise r = rise_begin();
    uint32_t i = 0, at = 0, before = 0;
    bool falls = false;
    for (; i < s->n; i++, at += l) low[i] = (uint32_t)(load_u64(bytes + at / 8) >> at % 8) & mask;
    for (i = 0; s->n - i >= 8; i += 8) {
        __m256i v = rise_step(&r, parts_8(parts + i), load_8(low + i), by);
        store_8(out + i, _mm256_add_epi32(v, bases));
    }
    if (i) before = out[i - 1] - base;
    for (; i < s->n; i++) {
        uint32_t value = (uint32_t)parts[i] << l | low[i];
        falls |= i && value <= before;
        before = value;
        out[i] = value + base;
    }
    return falls || _mm256_movemask_epi8(r.falls) ? UINT64_MAX : before;
}

/* ---- LEB128 ------------------------------------------------------------------------------ */

static size_t kernel_varints_len(slice bytes, uint32_t n)
{
    size_t i = 0;
    for (; bytes.len - i >= 32; i += 32) {
        uint32_t ends = ~(uint32_t)_mm256_movemask_epi8(load_8(bytes.data + i)),
                 have = bits_count(ends);
        if (have >= n) return i + bmi2_select(ends, n - 1) + 1;
        n -= have;
    }
    for (; i < bytes.len; i++)
        if (bytes.data[i] < 128 && --n == 0) return i + 1;
    return 0;
}

/* ---- impacts ------------------------------------------------------------------------------ */

/* Bytes that are c or more, c >= 1. */
static inline uint32_t count_from(const uint8_t *bytes, uint32_t n, uint8_t c)
{
    const __m256i least = _mm256_set1_epi8((char)c);
    uint32_t count = 0, i = 0;
    for (; n - i >= 32; i += 32) {
        __m256i v = load_8(bytes + i);
        count += bits_count(
            (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(v, least), v)));
    }
    for (; i < n; i++) count += bytes[i] >= c;
    return count;
}

/* Bit by bit, from the highest. */
static uint8_t kernel_kth_largest(const uint8_t *bytes, uint32_t n, uint32_t k)
{
    unsigned found = 0;
    for (unsigned bit = 128; bit; bit /= 2)
        if (count_from(bytes, n, (uint8_t)(found | bit)) >= k) found |= bit;
    return (uint8_t)found;
}

/* Exact for every u32: the bits below 2^52 of a double with the exponent of 2^52. */
static inline __m256d double_of_u32(__m128i v)
{
    const __m256d high = _mm256_set1_pd(0x1p52);
    __m256i wide = _mm256_or_si256(_mm256_cvtepu32_epi64(v), _mm256_castpd_si256(high));
    return _mm256_sub_pd(_mm256_castsi256_pd(wide), high);
}

/* Four frequencies in the low halves of four lanes. */
static inline __m256i tf_4(__m128i impacts, __m128i lengths, const norm_scale *scale)
{
    const __m256d one = _mm256_set1_pd(1), b = _mm256_set1_pd(scale->b),
                  most = _mm256_set1_pd(UINT32_MAX);
    __m256d w = _mm256_cvtepi32_pd(impacts), full = _mm256_set1_pd(255);
    __m256d part =
        _mm256_div_pd(_mm256_mul_pd(b, double_of_u32(lengths)), _mm256_set1_pd(scale->mean));
    __m256d norm =
        _mm256_mul_pd(_mm256_set1_pd(scale->k1), _mm256_add_pd(_mm256_sub_pd(one, b), part));
    __m256d tf = _mm256_div_pd(_mm256_mul_pd(norm, w), _mm256_sub_pd(full, w));
    tf = _mm256_floor_pd(_mm256_add_pd(tf, _mm256_set1_pd(0.5)));
    tf = _mm256_min_pd(_mm256_max_pd(tf, one), most); /* max gives `one` for what is no number */
    tf = _mm256_blendv_pd(tf, most, _mm256_cmp_pd(w, full, _CMP_EQ_OQ));
    return _mm256_castpd_si256(_mm256_add_pd(tf, _mm256_set1_pd(0x1p52)));
}

static void kernel_impact_tf(const uint8_t *impacts, const uint32_t *lengths, uint32_t n,
                             const norm_scale *scale, uint32_t *out)
{
    for (uint32_t i = 0; i < n; i += 8) {
        uint32_t have = n - i < 8 ? n - i : 8;
        uint64_t bytes = 0;
        __m256i length = _mm256_setzero_si256();
        if (have == 8) {
            bytes = load_u64(impacts + i);
            length = load_8(lengths + i);
        } else {
            for (uint32_t k = have; k-- > 0;) bytes = bytes << 8 | impacts[i + k];
            __m256i keep = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)have), lanes_8());
            length = _mm256_maskload_epi32((const int *)(const void *)(lengths + i), keep);
        }
        __m256i w = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)bytes));
        __m256i low = tf_4(_mm256_castsi256_si128(w), _mm256_castsi256_si128(length), scale);
        __m256i high =
            tf_4(_mm256_extracti128_si256(w, 1), _mm256_extracti128_si256(length, 1), scale);
        __m256 halves =
            _mm256_shuffle_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high), 0x88);
        __m256i tf = _mm256_permute4x64_epi64(_mm256_castps_si256(halves), 0xd8);
        if (have == 8)
            store_8(out + i, tf);
        else
            store_first(out + i, tf, have);
    }
}

#include "common/codec/kernels_template.h"
