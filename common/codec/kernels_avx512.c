/* SPDX-License-Identifier: MIT
 * kernels_avx512.c - the kernels for AVX-512 (BW, DQ, VL, VBMI, VBMI2, VPOPCNTDQ); see kernels.h.
 *
 * Compressing a row of the numbers 0 .. 63 by a word gives the places of its bits at once.
 */
#define KERNELS_NAME kernels_avx512
#define KERNELS_HAS_BITS_TOTAL
#define KERNELS_HAS_BITS_EXPAND
#define KERNELS_HAS_BUCKET_RANK
#define KERNELS_HAS_EF_HIGH
#define KERNELS_HAS_EF_LOW_LANES
#define KERNELS_HAS_EF_LOW_STRING
#define KERNELS_HAS_VARINTS_LEN
#define KERNELS_HAS_VARINT_RISING
#define KERNELS_HAS_KTH_LARGEST
#define KERNELS_HAS_IMPACT_TF
#include "common/codec/avx512.h"
#include "common/codec/kernels.h"

/* Bytes 16 k .. 16 k + 15 of v as u32. */
static inline __m512i quarter_of(__m512i v, unsigned k)
{
    switch (k) {
    case 0:
        return _mm512_cvtepu8_epi32(_mm512_castsi512_si128(v));
    case 1:
        return _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(v, 1));
    case 2:
        return _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(v, 2));
    default:
        return _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(v, 3));
    }
}

static uint64_t kernel_bits_total(const uint64_t *words, size_t n_words)
{
    __m512i sum = _mm512_setzero_si512();
    size_t i = 0;
    for (; n_words - i >= 8; i += 8)
        sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_loadu_si512(words + i)));
    __m512i rest = _mm512_maskz_loadu_epi64(first_8((uint32_t)(n_words - i)), words + i);
    return (uint64_t)_mm512_reduce_add_epi64(_mm512_add_epi64(sum, _mm512_popcnt_epi64(rest)));
}

/* Word j counts with its lowest n_bits - 64 j bits. */
static uint32_t kernel_bucket_rank(const uint64_t *words, uint32_t n_bits)
{
    const __m512i ends = _mm512_setr_epi64(64, 128, 192, 256, 320, 384, 448, 512);
    __m512i over =
        _mm512_max_epi64(_mm512_sub_epi64(ends, _mm512_set1_epi64(n_bits)), _mm512_setzero_si512());
    __m512i keep = _mm512_srlv_epi64(_mm512_set1_epi64(-1), over);
    __m512i bits = _mm512_and_si512(_mm512_loadu_si512(words), keep);
    return (uint32_t)_mm512_reduce_add_epi64(_mm512_popcnt_epi64(bits));
}

static uint32_t kernel_bits_expand(const uint64_t *words, uint32_t n_words, uint32_t base,
                                   uint32_t skip, uint32_t cap, uint32_t *out)
{
    const __m512i bytes = bytes_64();
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_words && n < cap; i++, base += 64) {
        uint32_t ones = bits_count(words[i]);
        if (skip >= ones) {
            skip -= ones;
            continue;
        }
        uint64_t w = _pdep_u64(UINT64_MAX << skip, words[i]);
        ones -= skip;
        skip = 0;
        if (ones > cap - n) ones = cap - n;
        __m512i places = _mm512_maskz_compress_epi8(w, bytes), bases = _mm512_set1_epi32((int)base);
        for (uint32_t k = 0; 16 * k < ones; k++)
            _mm512_mask_storeu_epi32(out + n + 16 * k, first_16(ones - 16 * k),
                                     _mm512_add_epi32(quarter_of(places, k), bases));
        n += ones;
    }
    return n;
}

/* 32 places of a word's bits, bytes in p, less the indexes of their values. */
static inline __m512i parts_32(__m256i p, __m512i less)
{
    return _mm512_sub_epi16(_mm512_cvtepu8_epi16(p), less);
}

/* All places are written, and the wrong ones written over by the next word. */
static uint32_t kernel_ef_high(const uint64_t *high, uint32_t n_words, uint16_t *parts)
{
    const __m512i bytes = bytes_64(), lanes = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(bytes));
    uint32_t i = 0;
    for (uint32_t w = 0; w < n_words; w++) {
        uint32_t ones = bits_count(high[w]);
        __m512i p = _mm512_maskz_compress_epi8(high[w], bytes),
                less = _mm512_add_epi16(_mm512_set1_epi16((short)(i - 64 * w)), lanes);
        _mm512_storeu_si512(parts + i, parts_32(_mm512_castsi512_si256(p), less));
        if (ones > 32) {
            less = _mm512_add_epi16(less, _mm512_set1_epi16(32));
            _mm512_storeu_si512(parts + i + 32, parts_32(_mm512_extracti64x4_epi64(p, 1), less));
        }
        i += ones;
    }
    return i;
}

static inline __m256i load_256(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

static inline __m512i two_rows(const uint8_t *a, const uint8_t *b)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(load_256(a)), load_256(b), 1);
}

/* Two rows of eight lanes a step.  The 32 bytes behind a lane's last word are there: the high
 * words.  vpshrdvd looks at the low five bits of its count alone. */
static uint64_t kernel_ef_low_lanes(const ef_shape *s, const uint64_t *words, const uint16_t *parts,
                                    uint32_t base, uint32_t *out)
{
    const uint8_t *bytes = (const uint8_t *)words;
    const uint32_t l = s->low_bits;
    const __m512i mask = _mm512_set1_epi32((int)(UINT32_MAX >> (32 - l))),
                  bases = _mm512_set1_epi32((int)base);
    const __m512i forth = _mm512_set1_epi32((int)(2 * l));
    const __m128i by = _mm_cvtsi32_si128((int)l);
    __m512i last = _mm512_setzero_si512(),
            shift = _mm512_inserti64x4(last, _mm256_set1_epi32((int)l), 1);
    __mmask16 falls = 0, look = 0xfffe;
    for (uint32_t row = 0, at = 0; row < 32; row += 2, at += 2 * l, look = 0xffff) {
        const uint8_t *a = bytes + 32 * (at / 32), *b = bytes + 32 * ((at + l) / 32);
        __m512i low = _mm512_shrdv_epi32(two_rows(a, b), two_rows(a + 32, b + 32), shift);
        __m512i high = _mm512_cvtepu16_epi32(load_256(parts + 8 * row));
        __m512i v = _mm512_sll_epi32(high, by);
        v = _mm512_ternarylogic_epi32(v, low, mask, 0xf8); /* v | (low & mask) */
        falls = _kor_mask16(
            falls, _mm512_mask_cmple_epu32_mask(look, v, _mm512_alignr_epi32(v, last, 15)));
        last = v;
        shift = _mm512_add_epi32(shift, forth);
        _mm512_storeu_si512(out + 8 * row, _mm512_add_epi32(v, bases));
    }
    if (falls) return UINT64_MAX;
    return (uint32_t)_mm_extract_epi32(_mm512_extracti32x4_epi32(last, 3), 3);
}

/* Eight low parts, l bits each from `bytes` on, start at a byte: VPERMB lays the eight bytes in
 * which each one lies into a lane of its own. */
static uint64_t kernel_ef_low_string(const ef_shape *s, const uint64_t *words,
                                     const uint16_t *parts, uint32_t base, uint32_t *out)
{
    const uint8_t *bytes = (const uint8_t *)words;
    const uint32_t l = s->low_bits;
    const __m512i bit =
        _mm512_mullo_epi64(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), _mm512_set1_epi64(l));
    const __m512i steps = _mm512_set1_epi64(0x0706050403020100), first = _mm512_srli_epi64(bit, 3);
    const __m512i from =
        _mm512_add_epi8(_mm512_mullo_epi64(first, _mm512_set1_epi64(0x0101010101010101)), steps);
    const __m512i shift = _mm512_and_si512(bit, _mm512_set1_epi64(7));
    const __m256i mask = _mm256_set1_epi32((int)((UINT64_C(1) << l) - 1)),
                  bases = _mm256_set1_epi32((int)base);
    const __m128i by = _mm_cvtsi32_si128((int)l);
    __m256i last = _mm256_setzero_si256();
    __mmask8 falls = 0, look = 0xfe;
    for (uint32_t i = 0; i < s->n; i += 8, look = 0xff) {
        uint32_t have = s->n - i < 8 ? s->n - i : 8, used = (have * l + 7) / 8;
        __mmask8 in = first_8(have);
        __m512i window = _mm512_castsi256_si512(
            _mm256_maskz_loadu_epi8(_bzhi_u32(UINT32_MAX, used), bytes + i / 8 * l));
        __m512i low = _mm512_srlv_epi64(_mm512_permutexvar_epi8(from, window), shift);
        __m256i high = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(parts + i)));
        __m256i v = _mm256_sll_epi32(high, by);
        v = _mm256_or_si256(v, _mm256_and_si256(_mm512_cvtepi64_epi32(low), mask));
        falls = _kor_mask8(
            falls, _mm256_mask_cmple_epu32_mask(in & look, v, _mm256_alignr_epi32(v, last, 7)));
        last = v;
        _mm256_mask_storeu_epi32(out + i, in, _mm256_add_epi32(v, bases));
    }
    if (falls) return UINT64_MAX;
    return out[s->n - 1] - base;
}

/* ---- LEB128 ------------------------------------------------------------------------------ */

static size_t kernel_varints_len(slice bytes, uint32_t n)
{
    for (size_t i = 0; i < bytes.len; i += 64) {
        __mmask64 in = _bzhi_u64(UINT64_MAX, bytes.len - i < 64 ? (unsigned)(bytes.len - i) : 64);
        uint64_t ends = in & ~_mm512_movepi8_mask(_mm512_maskz_loadu_epi8(in, bytes.data + i));
        uint32_t have = bits_count(ends);
        if (have >= n) return i + bmi2_select(ends, n - 1) + 1;
        n -= have;
    }
    return 0;
}

/* ---- impacts ------------------------------------------------------------------------------ */

/* Bytes that are c or more, c >= 1. */
static inline uint32_t count_from(const uint8_t *bytes, uint32_t n, uint8_t c)
{
    const __m512i least = _mm512_set1_epi8((char)c);
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i += 64) {
        __mmask64 in = _bzhi_u64(UINT64_MAX, n - i < 64 ? n - i : 64);
        count += bits_count(_mm512_cmpge_epu8_mask(_mm512_maskz_loadu_epi8(in, bytes + i), least));
    }
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

static void kernel_impact_tf(const uint8_t *impacts, const uint32_t *lengths, uint32_t n,
                             const norm_scale *scale, uint32_t *out)
{
    const __m512d one = _mm512_set1_pd(1), b = _mm512_set1_pd(scale->b), full = _mm512_set1_pd(255);
    const __m512d most = _mm512_set1_pd(UINT32_MAX), fixed = _mm512_sub_pd(one, b);
    for (uint32_t i = 0; i < n; i += 8) {
        __mmask8 in = first_8(n - i);
        __m512d w = _mm512_cvtepi32_pd(_mm256_cvtepu8_epi32(_mm_maskz_loadu_epi8(in, impacts + i)));
        __m512d length = _mm512_cvtepu32_pd(_mm256_maskz_loadu_epi32(in, lengths + i));
        __m512d part = _mm512_div_pd(_mm512_mul_pd(b, length), _mm512_set1_pd(scale->mean));
        __m512d norm = _mm512_mul_pd(_mm512_set1_pd(scale->k1), _mm512_add_pd(fixed, part));
        __m512d tf = _mm512_div_pd(_mm512_mul_pd(norm, w), _mm512_sub_pd(full, w));
        tf = _mm512_roundscale_pd(_mm512_add_pd(tf, _mm512_set1_pd(0.5)),
                                  _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
        tf =
            _mm512_min_pd(_mm512_max_pd(tf, one), most); /* max gives `one` for what is no number */
        tf = _mm512_mask_mov_pd(tf, _mm512_cmp_pd_mask(w, full, _CMP_EQ_OQ), most);
        _mm256_mask_storeu_epi32(out + i, in, _mm512_cvtpd_epu32(tf));
    }
}

#include "common/codec/kernels_template.h"
