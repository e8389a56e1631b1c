/* SPDX-License-Identifier: MIT
 * crc32c_sse42.c - CRC-32C by the crc32 instruction, three lanes at once.
 *
 * The instruction takes three cycles but starts every cycle, so three neighbouring lanes
 * of LANE bytes run side by side (Gopal et al., "Fast CRC computation for iSCSI polynomial
 * using CRC32 instruction", 2011).  A sum is linear over GF(2): that of A followed by B is
 * shift(sum(A)) ^ sum(B), where shift appends LANE zero bytes.  `shift` is a 32 x 32 bit
 * matrix, made by squaring the matrix of one zero byte and kept as four tables by byte.
 */
#include "common/base/crc32c.h"

#if defined(__SSE4_2__) && defined(__x86_64__)

#include <nmmintrin.h>
#include <pthread.h>

#include "common/base/bytes.h"

enum { LANE_LOG2 = 10, LANE = 1 << LANE_LOG2 };

static uint32_t shift_table[4][256];
static pthread_once_t shift_once = PTHREAD_ONCE_INIT;

static uint32_t matrix_apply(const uint32_t m[32], uint32_t v)
{
    uint32_t sum = 0;
    for (unsigned bit = 0; v; v >>= 1, bit++)
        if (v & 1) sum ^= m[bit];
    return sum;
}

static void shift_make_tables(void)
{
    uint32_t m[32], square[32];
    for (unsigned bit = 0; bit < 32; bit++) m[bit] = _mm_crc32_u8(1u << bit, 0);
    for (unsigned step = 0; step < LANE_LOG2; step++) {
        for (unsigned bit = 0; bit < 32; bit++) square[bit] = matrix_apply(m, m[bit]);
        memcpy(m, square, sizeof m);
    }
    for (unsigned k = 0; k < 4; k++)
        for (uint32_t byte = 0; byte < 256; byte++)
            shift_table[k][byte] = matrix_apply(m, byte << 8 * k);
}

static uint32_t shift_lane(uint64_t crc)
{
    return shift_table[0][crc & 255] ^ shift_table[1][crc >> 8 & 255] ^
           shift_table[2][crc >> 16 & 255] ^ shift_table[3][crc >> 24 & 255];
}

uint32_t crc32c_sse42(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t a = ~crc;
    if (len >= 3 * LANE) pthread_once(&shift_once, shift_make_tables);
    for (; len >= 3 * LANE; len -= 3 * LANE, p += 3 * LANE) {
        uint64_t b = 0, c = 0;
        for (size_t i = 0; i < LANE; i += 8) {
            a = _mm_crc32_u64(a, load_u64(p + i));
            b = _mm_crc32_u64(b, load_u64(p + LANE + i));
            c = _mm_crc32_u64(c, load_u64(p + 2 * LANE + i));
        }
        a = shift_lane(shift_lane(a) ^ b) ^ c;
    }
    for (; len >= 8; len -= 8, p += 8) a = _mm_crc32_u64(a, load_u64(p));
    for (; len; len--, p++) a = _mm_crc32_u8((uint32_t)a, *p);
    return ~(uint32_t)a;
}

#else

uint32_t crc32c_sse42(uint32_t crc, const void *data, size_t len)
{
    return crc32c_portable(crc, data, len);
}

#endif
