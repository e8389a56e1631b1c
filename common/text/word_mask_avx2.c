/* SPDX-License-Identifier: MIT
 * word_mask_avx2.c - the masks of 64 bytes in two registers; see word_mask.h.
 */
#include "common/text/word_mask.h"

#include <immintrin.h>

static uint64_t signs(__m256i bytes)
{
    return (uint32_t)_mm256_movemask_epi8(bytes);
}

/* The n bytes up to `last`: signed bytes end where these do, once 0x7f - last is added. */
static __m256i up_to(__m256i bytes, char last, char n)
{
    return _mm256_cmpgt_epi8(_mm256_add_epi8(bytes, _mm256_set1_epi8((char)(0x7f - last))),
                             _mm256_set1_epi8((char)(0x7f - n)));
}

static __m256i equal(__m256i bytes, char c)
{
    return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c));
}

word_masks word_mask_avx2(const char *p)
{
    word_masks m = {0};
    for (unsigned i = 0; i < WORD_MASK_BYTES; i += 32) {
        __m256i bytes = _mm256_loadu_si256((const void *)(p + i));
        __m256i digits = up_to(bytes, '9', 10);
        __m256i letters = up_to(_mm256_or_si256(bytes, _mm256_set1_epi8(0x20)), 'z', 26);
        m.words |= signs(_mm256_or_si256(letters, digits)) << i;
        m.digits |= signs(digits) << i;
        m.points |= signs(_mm256_or_si256(equal(bytes, '.'), equal(bytes, ','))) << i;
        m.apostrophes |= signs(equal(bytes, '\'')) << i;
        m.high |= signs(bytes) << i;
    }
    return m;
}
