/* SPDX-License-Identifier: MIT
 * crc32c.h - CRC-32C (Castagnoli), reflected polynomial 0x82f63b78, as RFC 3720 B.4.
 * crc32c(0, "123456789", 9) == 0xe3069283.  Continue a sum by passing the last value.
 */
#ifndef PM_BASE_CRC32C_H
#define PM_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The kernels behind it.  The portable one is the definition; the other one may be called
 * only where cpu_has_crc32(). */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);
uint32_t crc32c_sse42(uint32_t crc, const void *data, size_t len);

#endif
