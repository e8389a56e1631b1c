/* SPDX-License-Identifier: MIT
 * ef.h - one block of 1..256 strictly rising integers, 0 <= value <= range, the last of which
 * is `range` itself, as an Elias-Fano string or, where that is nearly as small, a bitmap.
 *
 * (P. Elias, 1974; R. Fano, 1971; as rows of blocks: S. Vigna, "Quasi-succinct indices", 2013.)
 *
 * Nothing about the shape is stored: everything follows from n and range, which the caller
 * keeps in its directory.
 *
 *   l          0 when range < n, else floor(log2(range / n))
 *   low bits   n == 256: 8 lanes of u32, value i in lane i % 8, row i / 8:
 *                  lane:   0   1   2 .. 7        row r of a lane takes its bits
 *                  word 0  .   .   .    .        [r * l, r * l + l), lowest first;
 *                  word 1  .   .   .    .        l words of 8 lanes = l * 32 bytes
 *              else a bit string, value i in bits [i * l, i * l + l), padded to 8 bytes
 *   high bits  bit (value >> l) + i is set for value i: n + (range >> l) bits in u64 words
 *   bitmap     instead of both, when range + 1 bits take at most twice their words
 * Bits after the last are zero; a decoder refuses others.
 *
 * Example: n = 3, values 2 9 20, range 20: l = 2; low bits 2, 1, 0 -> 0x06 in one word; high
 * parts 0 2 5 -> bits 0 3 7 of 8 -> 0x89 in one word.  A bitmap takes 1 word <= 2 * 2, so
 * the block is the bitmap 0x100204.
 */
#ifndef PM_CODEC_EF_H
#define PM_CODEC_EF_H

#include "common/base/bytes.h"

enum { EF_BLOCK_MAX = 256 };

typedef struct ef_shape {
    uint32_t n, range;
    uint32_t low_bits;  /* l; not used by a bitmap                                   */
    uint32_t low_words; /* of u64                                                    */
    uint32_t words;     /* all of the block, <= 216                                  */
    bool bitmap;
} ef_shape;

/* False when no block of n values can end at range. */
bool ef_shape_of(uint32_t n, uint32_t range, ef_shape *out);
/* values[n], strictly rising, the last one == shape->range.  Writes shape->words words. */
void ef_encode(const ef_shape *shape, const uint32_t *values, uint64_t *words);
/* Writes base + value for each value to out (room for EF_BLOCK_MAX) and returns n; 0 when the
 * words are not such a block.  Reads shape->words words, whatever they hold.  base + range
 * must not exceed UINT32_MAX. */
uint32_t ef_decode(const ef_shape *shape, const uint64_t *words, uint32_t base, uint32_t *out);

#endif
