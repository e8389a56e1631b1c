/* SPDX-License-Identifier: MIT
 * random.h - the random numbers of synthetic collections: the same on every machine.
 *
 * Integer arithmetic throughout.  Where a real function is needed (Zipf weights, log-normal
 * lengths) it is made of the IEEE 754 operations that are exactly rounded (+ - * / sqrt),
 * never of libm.
 *
 * Generator: splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
 * OOPSLA 2014).  Sampling: alias tables (Walker 1977, in Vose's form of 1991), in integers.
 */
#ifndef PM_BENCHMARKS_RANDOM_H
#define PM_BENCHMARKS_RANDOM_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static inline uint64_t random_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t random_next(uint64_t *state)
{
    return random_mix(*state += 0x9e3779b97f4a7c15u);
}

/* A number that depends on both and on nothing else. */
static inline uint64_t random_hash(uint64_t seed, uint64_t n)
{
    return random_mix(random_mix(seed + 0x9e3779b97f4a7c15u) ^ (n + 1) * 0xd1342543de82ef95u);
}

/* bits -> 0 .. n - 1, by the high half of the product. */
static inline uint32_t random_below(uint32_t bits, uint32_t n)
{
    return (uint32_t)((uint64_t)bits * n >> 32);
}

/* ---- alias tables --------------------------------------------------------------------- */

typedef struct alias_cell {
    uint32_t keep;  /* take the cell itself when 32 bits are below this                    */
    uint32_t other; /* else this one                                                       */
} alias_cell;

/* Fill cells[n] for the weights, each of which is below 2^64 / n, and so is their sum below 2^64.
 * False when memory is short. */
static inline bool alias_build(alias_cell *cells, const uint64_t *weights, uint32_t n)
{
    uint64_t total = 0;
    uint64_t *part = malloc((n + 1) * sizeof *part);
    uint32_t *order = malloc((n + 1) * sizeof *order);
    if (!part || !order) {
        free(part);
        free(order);
        return false;
    }
    uint32_t small = 0, large = n; /* small ones at the front of order, large at the back  */
    for (uint32_t i = 0; i < n; i++) total += weights[i];
    for (uint32_t i = 0; i < n; i++) {
        part[i] = weights[i] * n; /* a full cell holds `total`                            */
        order[part[i] < total ? small++ : --large] = i;
        cells[i] = (alias_cell){UINT32_MAX, i};
    }
    while (small > 0 && large < n) {
        uint32_t a = order[--small], b = order[large];
        cells[a].keep = (uint32_t)(((__uint128_t)part[a] << 32) / total);
        cells[a].other = b;
        part[b] -= total - part[a];
        if (part[b] >= total) continue;
        large++;
        order[small++] = b;
    }
    free(part);
    free(order);
    return true;
}

static inline uint32_t alias_pick(const alias_cell *cells, uint32_t n, uint64_t bits)
{
    uint32_t i = random_below((uint32_t)(bits >> 32), n);
    return (uint32_t)bits < cells[i].keep ? i : cells[i].other;
}

/* Weight of rank r (from 0): Zipf-Mandelbrot, 1 / (r + 1.7)^(17/16), and beyond a kernel of some
 * 8,192 words steeper by 3/4 (two regimes: Ferrer i Cancho and Sole, Journal of Quantitative
 * Linguistics 8, 2001), so that new words keep coming about as n^0.55, as Heaps found.  Powers
 * by square roots. */
static inline uint64_t zipf_weight(uint32_t rank)
{
    double x = (double)rank + 1.7, y = sqrt(1 + (double)rank / 8192);
    return (uint64_t)(1e12 / (x * sqrt(sqrt(sqrt(sqrt(x)))) * y * sqrt(y)));
}

/* ---- log-normal ----------------------------------------------------------------------- */

/* 2^x for |x| < 60. */
static inline double random_exp2(double x)
{
    bool negative = x < 0;
    if (negative) x = -x;
    uint32_t whole = (uint32_t)x;
    double fraction = x - (double)whole, value = (double)((uint64_t)1 << whole), root = 2;
    for (int bit = 0; bit < 16; bit++) {
        root = sqrt(root);
        fraction *= 2;
        if (fraction < 1) continue;
        fraction -= 1;
        value *= root;
    }
    return negative ? 1 / value : value;
}

/* About standard normal: twelve uniform numbers of 16 bits added up (Irwin-Hall). */
static inline double random_normal(uint64_t *state)
{
    int64_t sum = 0;
    for (int i = 0; i < 3; i++) {
        uint64_t bits = random_next(state);
        for (int j = 0; j < 64; j += 16) sum += (int64_t)(bits >> j & 65535);
    }
    return (double)(sum - 6 * 65535) / 65536;
}

/* Log-normal with this mean and a standard deviation of 0.6 in natural logarithms. */
static inline double random_lognormal(uint64_t *state, double mean)
{
    const double sigma_log2 = 0.8656170245333781, mean_factor = 0.835270211411272;
    return mean * mean_factor * random_exp2(sigma_log2 * random_normal(state));
}

#endif
