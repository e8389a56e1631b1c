/* SPDX-License-Identifier: MIT
 * group_avx512.c - the group kernels for AVX-512; see group.h.
 *
 * Sixteen postings are sixteen lanes.  A frequency is found in floats first: two roundings of
 * floats and doubles cannot differ unless the number is very near to a half, and then doubles
 * decide.
 */
#define GROUP_NAME   group_avx512
#define GROUP_SELECT bmi2_select
#define GROUP_HAS_EF
#define GROUP_HAS_TFS
#define GROUP_HAS_BITS
#define GROUP_HAS_STRING_STARTS
#include "common/codec/avx512.h"
#include "common/codec/group.h"

/* The first n <= 16 lanes. */
static inline __mmask16 group_lanes(uint32_t n)
{
    return (__mmask16)_bzhi_u32(0xffff, n);
}
static inline __m512i lanes_16(void)
{
    return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

/* Inclusive sums of eight lanes. */
static inline __m512i sums_8(__m512i v)
{
    const __m512i zero = _mm512_setzero_si512();
    v = _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 7));
    v = _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 6));
    return _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 4));
}

/* The word in which set bit number *skip is, n_words when there is none; *skip: its number
 * there. */
static inline uint32_t word_of(const uint64_t *words, uint32_t n_words, uint32_t *skip)
{
    for (uint32_t w = 0; w < n_words; w += 8) {
        uint32_t left = n_words - w;
        __mmask8 in = (__mmask8)_bzhi_u32(0xff, left < 8 ? left : 8);
        __m512i ones = _mm512_popcnt_epi64(_mm512_maskz_loadu_epi64(in, words + w)),
                sums = sums_8(ones);
        __mmask8 before = _mm512_cmple_epu64_mask(sums, _mm512_set1_epi64(*skip));
        if (before == 0xff) {
            *skip -= (uint32_t)_mm_extract_epi64(_mm512_extracti64x2_epi64(sums, 3), 1);
            continue;
        }
        unsigned k = bits_count(before);
        __m512i start = _mm512_sub_epi64(sums, ones);
        *skip -= (uint32_t)_mm_cvtsi128_si64(
            _mm512_castsi512_si128(_mm512_permutexvar_epi64(_mm512_set1_epi64((int)k), start)));
        return w + k;
    }
    return n_words;
}

/* Numbers of the bits of a word, the lowest 16, a lane each. */
static inline __m512i places_of(uint64_t word, uint32_t w)
{
    __m512i places = _mm512_maskz_compress_epi8(word, bytes_64());
    return _mm512_add_epi32(_mm512_cvtepu8_epi32(_mm512_castsi512_si128(places)),
                            _mm512_set1_epi32((int)(64 * w)));
}

/* Places of n <= 16 set bits from number `skip` of word w on, a lane each; false when they are
 * fewer.  Two words mostly hold them, and are taken without asking. */
static inline bool places_16(const uint64_t *words, uint32_t n_words, uint32_t w, uint32_t skip,
                             uint32_t n, __m512i *out)
{
    if (w == n_words) return false;
    uint64_t word = _pdep_u64(UINT64_MAX << skip, words[w]);
    uint32_t got = bits_count(word);
    __m512i places = places_of(word, w++);
    for (;;) {
        word = w < n_words ? words[w] : 0;
        places = _mm512_mask_expand_epi32(places, (__mmask16)(0xffffu << (got < 16 ? got : 16)),
                                          places_of(word, w));
        got += bits_count(word);
        *out = places;
        if (got >= n) return true;
        if (++w >= n_words) return false;
    }
}

/* Low bits of the values [from, from + 16) of a block of 256: two rows of eight lanes. */
static inline __m512i low_lanes(const uint8_t *bytes, uint32_t l, uint32_t from)
{
    uint32_t at = from / 8 * l;
    const uint8_t *a = bytes + 32 * (at / 32), *b = bytes + 32 * ((at + l) / 32);
    __m512i low = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const void *)a)),
                                     _mm256_loadu_si256((const void *)b), 1);
    __m512i high =
        _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const void *)(a + 32))),
                           _mm256_loadu_si256((const void *)(b + 32)), 1);
    __m512i shift =
        _mm512_inserti64x4(_mm512_set1_epi32((int)at), _mm256_set1_epi32((int)(at + l)), 1);
    return _mm512_shrdv_epi32(low, high, shift);
}

/* The same of a shorter block: eight bytes from a value's first one on are always in it. */
static inline __m512i low_string(const uint8_t *bytes, uint32_t l, uint32_t from, uint32_t n)
{
    uint32_t out[GROUP_MAX] = {0};
    for (uint32_t i = 0, at = from * l; i < n; i++, at += l)
        out[i] = (uint32_t)(load_u64(bytes + at / 8) >> at % 8);
    return _mm512_loadu_si512(out);
}

static uint32_t group_ef(const ef_shape *s, const uint64_t *words, uint32_t base, uint32_t from,
                         uint32_t n, uint32_t *out)
{
    const uint64_t *high = s->bitmap ? words : words + s->low_words;
    const uint8_t *bytes = (const uint8_t *)words;
    uint32_t n_words = s->bitmap ? s->words : s->words - s->low_words, skip = from;
    uint32_t w = word_of(high, n_words, &skip);
    __m512i v;
    if (!places_16(high, n_words, w, skip, n, &v)) return 0;
    if (!s->bitmap) {
        const uint32_t l = s->low_bits;
        v = _mm512_sub_epi32(v, _mm512_add_epi32(lanes_16(), _mm512_set1_epi32((int)from)));
        v = _mm512_sll_epi32(v, _mm_cvtsi32_si128((int)l));
        if (l) {
            __m512i low =
                s->n == EF_BLOCK_MAX ? low_lanes(bytes, l, from) : low_string(bytes, l, from, n);
            __m512i mask = _mm512_set1_epi32((int)(UINT32_MAX >> (32 - l)));
            v = _mm512_ternarylogic_epi32(v, low, mask, 0xf8); /* v | (low & mask) */
        }
    }
    _mm512_storeu_si512(out, _mm512_add_epi32(v, _mm512_set1_epi32((int)base)));
    return n;
}

/* VPGATHERDD takes longer than loads one by one. */
static inline __m128i eight_u16(const uint8_t *column, const uint32_t *at)
{
    const uint16_t *p = (const uint16_t *)(const void *)column;
    return _mm_setr_epi16((short)p[at[0]], (short)p[at[1]], (short)p[at[2]], (short)p[at[3]],
                          (short)p[at[4]], (short)p[at[5]], (short)p[at[6]], (short)p[at[7]]);
}
static inline __m512i gather_u16(const uint8_t *column, const uint32_t *at)
{
    return _mm512_cvtepu16_epi32(_mm256_inserti128_si256(
        _mm256_castsi128_si256(eight_u16(column, at)), eight_u16(column, at + 8), 1));
}

/* From the highest bit down: each word's numbers go in front of those that are there. */
static bool group_bits(const uint64_t *words, uint32_t at, uint32_t before, uint32_t *out)
{
    uint32_t w = at / 64, left = GROUP_MAX;
    uint64_t word = words[w] & UINT64_MAX >> (63 - at % 64);
    __m512i all = _mm512_setzero_si512();
    if (!bits_get(words, at)) return false;
    for (;;) {
        uint32_t ones = bits_count(word), drop = ones > left ? ones - left : 0;
        word = _pdep_u64(UINT64_MAX << drop, word);
        left -= ones - drop;
        all = _mm512_mask_expand_epi32(all, (__mmask16)(_bzhi_u32(0xffff, ones - drop) << left),
                                       places_of(word, w));
        if (GROUP_MAX - left > before) break;
        if (!w--) return false;
        word = words[w];
    }
    __mmask16 wanted = (__mmask16)(0xffffu << (GROUP_MAX - 1 - before));
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(wanted, all));
    return true;
}

static void group_tfs_of(const uint8_t *impacts, const uint32_t *docs, uint32_t n, uint32_t first,
                         uint32_t last, group_lengths from, const group_scale *scale,
                         uint32_t *lengths, uint32_t *out)
{
    const __mmask16 in = group_lanes(n);
    const __m512i firsts = _mm512_set1_epi32((int)first), lasts = _mm512_set1_epi32((int)last);
    __m512i doc = _mm512_maskz_loadu_epi32(in, docs);
    __mmask16 good = _mm512_mask_cmple_epu32_mask(in, _mm512_sub_epi32(doc, firsts),
                                                  _mm512_set1_epi32((int)(last - first)));
    doc = _mm512_mask_blend_epi32(good, lasts, doc);
    uint32_t at[GROUP_MAX];
    _mm512_storeu_si512(at, doc);
    __m512i length =
        from.width == 2 ? gather_u16(from.column, at) : _mm512_i32gather_epi32(doc, from.column, 4);
    _mm512_storeu_si512(lengths, length);
    __m512i w = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(in, impacts));
    const __m512 half = _mm512_set1_ps(0.5f), one = _mm512_set1_ps(1);
    __m512 byte = _mm512_cvtepi32_ps(w),
           norm = _mm512_fmadd_ps(_mm512_cvtepu32_ps(length), _mm512_set1_ps(scale->slope),
                                  _mm512_set1_ps(scale->fixed));
    __m512 x = _mm512_mul_ps(norm, _mm512_div_ps(byte, _mm512_sub_ps(_mm512_set1_ps(255), byte)));
    x = _mm512_add_ps(x, half);
    __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __mmask16 sure =
        _mm512_cmp_ps_mask(_mm512_abs_ps(_mm512_sub_ps(x, whole)),
                           _mm512_mul_ps(_mm512_add_ps(x, one), _mm512_set1_ps(4e-6f)), _CMP_GT_OQ);
    __mmask16 full = _mm512_cmpeq_epi32_mask(w, _mm512_set1_epi32(255));
    if ((__mmask16)(sure | full | ~in) != 0xffff) {
        kernels_avx512.impact_tf(impacts, lengths, n, &scale->exact, out);
        return;
    }
    x = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    __m512i tf = _mm512_cvtps_epu32(_mm512_max_ps(x, one));
    _mm512_storeu_si512(out, _mm512_mask_blend_epi32(full, tf, _mm512_set1_epi32(-1)));
}

/* Sums of the lanes before each. */
static inline __m512i sums_before_16(__m512i v)
{
    const __m512i zero = _mm512_setzero_si512();
    v = _mm512_alignr_epi32(v, zero, 15);
    v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 15));
    v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 14));
    v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 12));
    return _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 8));
}

/* floor(log2) of each lane, -1 or less of 0: the exponent of the number as a float, rounded down.
 */
static inline __m512i log2_16(__m512i v)
{
    __m512 f = _mm512_cvt_roundepu32_ps(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    return _mm512_sub_epi32(_mm512_srli_epi32(_mm512_castps_si512(f), 23), _mm512_set1_epi32(127));
}

static void group_string_starts(const uint32_t *n, const uint32_t *bound, uint32_t more,
                                uint32_t count, uint32_t *out)
{
    const __m512i zero = _mm512_setzero_si512(), one = _mm512_set1_epi32(1);
    const __mmask16 in = group_lanes(count);
    __m512i ns = _mm512_mask_loadu_epi32(one, in, n), mosts = _mm512_maskz_loadu_epi32(in, bound);
    mosts = _mm512_add_epi32(mosts, _mm512_set1_epi32((int)more));
    __m512i log_most = log2_16(mosts);
    __m512i l = _mm512_max_epi32(_mm512_sub_epi32(log_most, log2_16(ns)), zero);
    /* n << l > most, without its overflow: n > most >> l, since n << l has no lower bits. */
    __mmask16 over =
        _mm512_cmpgt_epu32_mask(ns, _mm512_srlv_epi32(mosts, l)) & _mm512_cmpgt_epi32_mask(l, zero);
    l = _mm512_mask_sub_epi32(l, over, l, one);
    __m512i size = _mm512_add_epi32(_mm512_mullo_epi32(ns, l),
                                    _mm512_add_epi32(ns, _mm512_srlv_epi32(mosts, l)));
    __mmask16 single = _mm512_cmpeq_epi32_mask(ns, one);
    size = _mm512_mask_max_epi32(size, single, _mm512_add_epi32(log_most, one), zero);
    __mmask16 none = _mm512_cmpgt_epu32_mask(_mm512_sub_epi32(ns, one), mosts);
    _mm512_storeu_si512(out, sums_before_16(_mm512_mask_mov_epi32(size, none, zero)));
}

#include "common/codec/group_template.h"
