/* SPDX-License-Identifier: MIT
 * bmi2.h - what PDEP, PEXT and POPCNT do for words of bits; included by the avx2
 * and avx512 rows alone, which are compiled for them.  (PDEP and PEXT are slow before
 * Zen 3; there PRESSMARK_CPU=portable is better.)
 */
#ifndef PM_CODEC_BMI2_H
#define PM_CODEC_BMI2_H

#include <immintrin.h>

#include "common/codec/bits.h"

/* Index of the set bit that has k set bits below it; w has more than k of them. */
static inline unsigned bmi2_select(uint64_t w, unsigned k)
{
    return bits_lowest(_pdep_u64(UINT64_C(1) << k, w));
}

/* Places of the set bits of the low 8 bits of `byte`, lowest first, one in each byte. */
static inline uint64_t bmi2_places(unsigned byte)
{
    return _pext_u64(UINT64_C(0x0706050403020100),
                     _pdep_u64(byte, UINT64_C(0x0101010101010101)) * 255);
}

/* The 8 bytes from `at` < bytes.len on; those behind the end are 0x80 or more, so that no LEB128
 * integer ends there. */
static inline uint64_t bmi2_bytes(slice bytes, size_t at)
{
    size_t left = bytes.len - at;
    if (left >= 8) return load_u64(bytes.data + at);
    uint64_t word = UINT64_MAX;
    if (bytes.len >= 8)
        return load_u64(bytes.data + bytes.len - 8) >> (64 - 8 * left) | word << 8 * left;
    for (size_t i = left; i-- > 0;) word = word << 8 | bytes.data[at + i];
    return word;
}

/* Eight bytes a step, their payload side by side, and a mask of where values end. */
static inline bool kernel_varint_rising(slice bytes, uint32_t n, uint32_t limit, uint32_t *out)
{
    const uint64_t more = UINT64_C(0x8080808080808080);
    uint64_t next = 0, wrong = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < n;) {
        if (at >= bytes.len) return false;
        uint64_t word = bmi2_bytes(bytes, at), payload = _pext_u64(word, ~more);
        /* Bit 7 p + 6 of ends: a value ends with byte p. */
        uint64_t ends = _pdep_u64(_pext_u64(~word, more), UINT64_C(0x81020408102040));
        if (!ends) return false;
        unsigned from = 0;
        for (; ends && i < n; ends &= ends - 1, i++) {
            unsigned end = bits_lowest(ends) + 1;
            uint64_t value = (_bzhi_u64(payload, end) >> from) + next;
            wrong |= (value >= limit) | (end - from > 35);
            out[i] = (uint32_t)value;
            next = value + 1;
            from = end;
        }
        at += from / 7;
    }
    return !wrong;
}

#endif
