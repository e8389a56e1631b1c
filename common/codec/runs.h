/* SPDX-License-Identifier: MIT
 * runs.h - small numbers, most of them 0, in a bit string that starts at the lowest bit of its
 * first byte.
 *
 *   4 bits k.  k = 15: the Elias gamma code of each number + 1.  Else, again and again:
 *   how many zeros come, in Rice code (R. F. Rice, "Some practical universal noiseless coding
 *   techniques", 1979), then the gamma code of the number that ends them, which is left out
 *   where there is only one such number.  After the last number nothing comes; zeros at the
 *   end are a run without a number.
 *
 * Gamma code (P. Elias, "Universal codeword sets", 1975) of x >= 1 with h = floor(log2(x)): h
 * zeros, a one, then the h bits of x below its highest, lowest first.  1 -> 1;  6 -> 0 0 1 0 1.
 * Rice code of r: r >> k zeros, a one, the k low bits of r, lowest first.
 */
#ifndef PM_CODEC_RUNS_H
#define PM_CODEC_RUNS_H

#include "common/base/bytes.h"

/* Appends n numbers below `distinct` in the shortest of the 16 codes, padded with zeros to a
 * byte; returns the number of bits.  Refused memory makes out sticky. */
uint64_t runs_encode(buf *out, const uint32_t *values, uint64_t n, uint32_t distinct);

/* The same of numbers that come in pieces, all of them twice: runs_measure each piece, runs_begin,
 * runs_put each piece, runs_end. */
typedef struct runs_coder {
    uint32_t distinct;
    uint64_t zeros; /* of the run that goes on, which no number has ended                     */
    uint64_t runs, numbers, gamma, shifted[15]; /* bits of what was measured                 */
    uint32_t largest;                           /* number that was measured                 */
    unsigned k;
    uint8_t *dst; /* where bits go, zeros from `at` on                                       */
    uint64_t at, bits;
} runs_coder;

static inline runs_coder runs_coder_of(uint32_t distinct)
{
    return (runs_coder){.distinct = distinct};
}
void runs_measure(runs_coder *c, const uint32_t *values, uint64_t n);
/* Room for the code behind what is in out, which must stay as it is until runs_end; false when
 * memory was refused, and out is sticky then. */
bool runs_begin(runs_coder *c, buf *out);
void runs_put(runs_coder *c, const uint32_t *values, uint64_t n);
uint64_t runs_end(runs_coder *c, buf *out);

typedef struct runs_reader {
    slice bits; /* borrowed                                                               */
    uint64_t at, n_bits;
    uint64_t zeros; /* that come before the next code                                   */
    uint32_t distinct;
    unsigned k;
    bool in_run; /* zeros has been read, the number that ends it has not              */
} runs_reader;

/* False when n_bits do not fit bits, or hold nothing. */
bool runs_open(runs_reader *r, slice bits, uint64_t n_bits, uint32_t distinct);
/* The same when no zero of a run is left. */
bool runs_next_code(runs_reader *r, uint32_t *out);
/* False when the bits end, or the number is not below `distinct`.  The caller knows how many
 * numbers there are. */
static inline bool runs_next(runs_reader *r, uint32_t *out)
{
    if (!r->zeros) return runs_next_code(r, out);
    r->zeros--;
    *out = 0;
    return true;
}
/* The next n numbers, which must be there; false as above, and then some of out is not set. */
bool runs_read(runs_reader *r, uint32_t *out, uint64_t n);
/* True when no zero of the last run is left. */
static inline bool runs_done(const runs_reader *r)
{
    return !(r->in_run && r->zeros);
}

#endif
