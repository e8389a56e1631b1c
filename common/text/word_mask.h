/* SPDX-License-Identifier: MIT
 *
 * word_mask.h - which of 64 bytes are ASCII letters or digits, as one bit each.
 *
 * The tokenizer finds words by counting zeros in such masks: no branch depends on how long a
 * word is.  SSE2 belongs to every x86-64, so nothing is chosen at run time; elsewhere the
 * portable body, which is the definition, does it byte by byte.
 */
#ifndef PM_TEXT_WORD_MASK_H
#define PM_TEXT_WORD_MASK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { WORD_MASK_BYTES = 64 };

static inline uint64_t word_mask_portable(const char *p)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < WORD_MASK_BYTES; i++) {
        uint8_t c = (uint8_t)p[i], letter = (uint8_t)((c | 0x20) - 'a');
        mask |= (uint64_t)(letter < 26 || (uint8_t)(c - '0') < 10) << i;
    }
    return mask;
}

#ifdef __SSE2__
static inline uint64_t word_mask_of_16(const char *p)
{
    __m128i c = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i letter = _mm_sub_epi8(_mm_or_si128(c, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    __m128i digit = _mm_sub_epi8(c, _mm_set1_epi8('0'));
    __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);
    __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
    return (uint32_t)_mm_movemask_epi8(_mm_or_si128(is_letter, is_digit));
}
#endif

/* Bit i: p[i] is a letter or a digit of ASCII.  Reads 64 bytes. */
static inline uint64_t word_mask_whole(const char *p)
{
#ifdef __SSE2__
    return word_mask_of_16(p) | word_mask_of_16(p + 16) << 16 | word_mask_of_16(p + 32) << 32 |
           word_mask_of_16(p + 48) << 48;
#else
    return word_mask_portable(p);
#endif
}

/* The same of the n bytes that there are; bits from n on are zero. */
static inline uint64_t word_mask(const char *p, size_t n)
{
    char tail[WORD_MASK_BYTES];
    if (n >= WORD_MASK_BYTES) return word_mask_whole(p);
    memset(tail, 0, sizeof tail);
    if (n) memcpy(tail, p, n);
    return word_mask_whole(tail);
}

#endif
