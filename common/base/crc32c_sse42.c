/* SPDX-License-Identifier: MIT
 * crc32c_sse42.c - CRC-32C by the crc32 instruction, three lanes at once.
 *
 * The instruction takes three cycles but starts every cycle, so three neighbouring lanes
 * of LANE bytes run side by side (Gopal et al., "Fast CRC computation for iSCSI polynomial
 * using CRC32 instruction", 2011).  A sum is linear over GF(2): that of A followed by B is
 * shift(sum(A)) ^ sum(B), where shift appends LANE zero bytes.  `shift` is linear, too, and
 * kept as four tables by byte.
 */
#include "common/base/crc32c.h"

#if defined(__SSE4_2__) && defined(__x86_64__)

#include <nmmintrin.h>
#include <pthread.h>

#include "common/base/bytes.h"

#define CRC32C_POLY 0x82f63b78u

enum { LANE = 1360 }; /* a page of 4 KiB is three lanes and two words                 */

static uint32_t shift_table[4][256];
static pthread_once_t shift_once = PTHREAD_ONCE_INIT;

/* Bit 31 stands for 1, each lower bit for one more factor x; so one sum over LANE zero bytes
 * gives the image of 1, and a step of division each other bit's.  The rest follows by sums:
 * a microsecond in all, because every start pays it. */
static void shift_make_tables(void)
{
    uint64_t image = 0x80000000u;
    for (unsigned i = 0; i < LANE; i += 8) image = _mm_crc32_u64(image, 0);
    for (unsigned bit = 32; bit-- > 0;) {
        shift_table[bit / 8][1u << bit % 8] = (uint32_t)image;
        image = image >> 1 ^ (image & 1 ? CRC32C_POLY : 0);
    }
    for (unsigned k = 0; k < 4; k++)
        for (unsigned byte = 1; byte < 256; byte++)
            shift_table[k][byte] = shift_table[k][byte & (byte - 1)] ^ shift_table[k][byte & -byte];
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
