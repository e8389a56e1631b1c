/* SPDX-License-Identifier: MIT
 *
 * word_mask.h - what each of 64 bytes is to the tokenizer, as one bit each: an ASCII letter or
 * digit, a digit, a point or comma, an apostrophe, above 127.
 *
 * The tokenizer finds words by counting zeros in such masks: no branch depends on how long a
 * word is.  Sixteen bytes at a time where the processor surely can (SSE2 belongs to x86-64), else
 * eight in a plain 64-bit word (L. Lamport, "Multiple byte processing with full-word instructions",
 * 1975); tests/twin/test_word_mask.c holds both against the table of bytes.
 */
#ifndef PM_TEXT_WORD_MASK_H
#define PM_TEXT_WORD_MASK_H

#include "common/base/bytes.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { WORD_MASK_BYTES = 64 };

/* Bit i is of byte i. */
typedef struct word_masks {
    uint64_t words, digits, points, apostrophes, high;
} word_masks;

/* The highest bits of eight bytes, side by side. */
static inline uint64_t word_mask_gather(uint64_t bytes)
{
    const uint64_t highest = UINT64_C(0x8080808080808080);
    return ((bytes & highest) >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

#define WORD_MASK_EACH UINT64_C(0x0101010101010101)

/* Of bytes below 0x80: the highest bit of each that is in [first, last].  Adding 0x80 - c to such a
 * byte carries into its highest bit when it is c or more, and never beyond. */
static inline uint64_t word_mask_between(uint64_t low, uint8_t first, uint8_t last)
{
    return (low + WORD_MASK_EACH * (uint8_t)(0x80 - first)) &
           ~(low + WORD_MASK_EACH * (uint8_t)(0x7f - last));
}

/* The same of each that is one of two bytes. */
static inline uint64_t word_mask_either(uint64_t low, uint8_t a, uint8_t b)
{
    return word_mask_between(low, a, a) | word_mask_between(low, b, b);
}

static inline void word_masks_portable(const char *p, word_masks *m)
{
    *m = (word_masks){0};
    for (unsigned i = 0; i < WORD_MASK_BYTES; i += 8) {
        uint64_t bytes = load_u64(p + i), low = bytes & WORD_MASK_EACH * 0x7f;
        uint64_t letters = word_mask_between(low | WORD_MASK_EACH * 0x20, 'a', 'z');
        uint64_t digits = word_mask_between(low, '0', '9');
        m->words |= word_mask_gather((letters | digits) & ~bytes) << i;
        m->digits |= word_mask_gather(digits & ~bytes) << i;
        m->points |= word_mask_gather(word_mask_either(low, '.', ',') & ~bytes) << i;
        m->apostrophes |= word_mask_gather(word_mask_between(low, '\'', '\'') & ~bytes) << i;
        m->high |= word_mask_gather(bytes) << i;
    }
}

#ifdef __SSE2__
static inline uint64_t word_mask_signs(__m128i bytes)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(bytes);
}

/* Bytes of [last - n + 1, last], which end where signed bytes do once 0x7f - last is added. */
static inline __m128i word_mask_last(__m128i bytes, char last, char n)
{
    return _mm_cmpgt_epi8(_mm_add_epi8(bytes, _mm_set1_epi8((char)(0x7f - last))),
                          _mm_set1_epi8((char)(0x7f - n)));
}

static inline void word_masks_sse2(const char *p, word_masks *m)
{
    *m = (word_masks){0};
    for (unsigned i = 0; i < WORD_MASK_BYTES; i += 16) {
        __m128i bytes = _mm_loadu_si128((const void *)(p + i));
        __m128i digits = word_mask_last(bytes, '9', 10);
        __m128i letters = word_mask_last(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'z', 26);
        __m128i points = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('.')),
                                      _mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')));
        m->words |= word_mask_signs(_mm_or_si128(letters, digits)) << i;
        m->digits |= word_mask_signs(digits) << i;
        m->points |= word_mask_signs(points) << i;
        m->apostrophes |= word_mask_signs(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\''))) << i;
        m->high |= word_mask_signs(bytes) << i;
    }
}
#endif

static inline void word_masks_whole(const char *p, word_masks *m)
{
#ifdef __SSE2__
    word_masks_sse2(p, m);
#else
    word_masks_portable(p, m);
#endif
}

/* Of the n bytes that there are; bits from n on are zero. */
static inline void word_masks_make(const char *p, size_t n, word_masks *m)
{
    char tail[WORD_MASK_BYTES];
    if (n < WORD_MASK_BYTES) {
        memset(tail, 0, sizeof tail);
        if (n) memcpy(tail, p, n);
        p = tail;
    }
    word_masks_whole(p, m);
}

#endif
