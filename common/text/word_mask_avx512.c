/* SPDX-License-Identifier: MIT
 * word_mask_avx512.c - the masks of 64 bytes, as comparisons give them; see word_mask.h.
 */
#include "common/text/word_mask.h"

#include <immintrin.h>

/* The n bytes from `first` on. */
static uint64_t from(__m512i bytes, char first, char n)
{
    __m512i beyond = _mm512_sub_epi8(bytes, _mm512_set1_epi8(first));
    return _mm512_cmplt_epu8_mask(beyond, _mm512_set1_epi8(n));
}

static uint64_t equal(__m512i bytes, char c)
{
    return _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(c));
}

word_masks word_mask_avx512(const char *p)
{
    __m512i bytes = _mm512_loadu_si512(p);
    uint64_t digits = from(bytes, '0', 10);
    uint64_t letters = from(_mm512_or_si512(bytes, _mm512_set1_epi8(0x20)), 'a', 26);
    return (word_masks){
        .words = letters | digits,
        .digits = digits,
        .points = equal(bytes, '.') | equal(bytes, ','),
        .apostrophes = equal(bytes, '\''),
        .high = _mm512_movepi8_mask(bytes),
    };
}
