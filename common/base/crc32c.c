/* SPDX-License-Identifier: MIT
 * crc32c.c - the portable kernel (slicing by eight) and the choice between kernels.
 *
 * Slicing (Kounavis and Berry, "A systematic approach to building high performance
 * software-based CRC generators", 2005): table k gives the sum of a byte followed by k zero
 * bytes, so that the eight bytes of a word are looked up independently of each other.  The
 * tables (8 KiB) are made at first use: 2,048 steps, less than a page of disk costs.
 */
#include "common/base/crc32c.h"

#include <pthread.h>

#include "common/base/bytes.h"
#include "common/base/cpu.h"

#define CRC32C_POLY 0x82f63b78u

static uint32_t crc_table[8][256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void crc_make_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t v = byte;
        for (int bit = 0; bit < 8; bit++) v = v >> 1 ^ (v & 1 ? CRC32C_POLY : 0);
        crc_table[0][byte] = v;
    }
    for (unsigned byte = 0; byte < 256; byte++)
        for (unsigned k = 1; k < 8; k++) {
            uint32_t v = crc_table[k - 1][byte];
            crc_table[k][byte] = v >> 8 ^ crc_table[0][v & 255];
        }
}

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len)
{
    pthread_once(&crc_once, crc_make_tables);
    const uint8_t *p = data;
    uint32_t v = ~crc;
    for (; len >= 8; len -= 8, p += 8) {
        uint64_t w = load_u64(p) ^ v;
        v = crc_table[7][w & 255] ^ crc_table[6][w >> 8 & 255] ^ crc_table[5][w >> 16 & 255] ^
            crc_table[4][w >> 24 & 255] ^ crc_table[3][w >> 32 & 255] ^
            crc_table[2][w >> 40 & 255] ^ crc_table[1][w >> 48 & 255] ^ crc_table[0][w >> 56];
    }
    for (; len; len--, p++) v = v >> 8 ^ crc_table[0][(v ^ *p) & 255];
    return ~v;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
    if (cpu_has_crc32()) return crc32c_sse42(crc, data, len);
    return crc32c_portable(crc, data, len);
}
