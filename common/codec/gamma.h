/* SPDX-License-Identifier: MIT
 * gamma.h - Elias gamma codes (P. Elias, "Universal codeword sets", 1975) in a bit string that
 * starts at the lowest bit of its first byte.
 *
 * The code of x >= 1 with h = floor(log2(x)): h zeros, a one, then the h bits of x below its
 * highest, lowest first.  1 -> 1;  2 -> 0 1 0;  3 -> 0 1 1;  6 -> 0 0 1 0 1.
 */
#ifndef PM_CODEC_GAMMA_H
#define PM_CODEC_GAMMA_H

#include "common/base/bytes.h"

/* Append the codes of values[i] + 1, padded with zeros to a byte; returns the number of
 * bits.  Refused memory makes out sticky. */
uint64_t gamma_encode(buf *out, const uint32_t *values, uint64_t n);
/* Bits that gamma_encode would write. */
uint64_t gamma_size(const uint32_t *values, uint64_t n);
/* The value (code - 1) at bit *at, of n_bits in all; false when it does not end there or does
 * not fit 32 bits. */
bool gamma_decode(slice bits, uint64_t n_bits, uint64_t *at, uint32_t *out);

#endif
