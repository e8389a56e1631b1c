/* SPDX-License-Identifier: MIT
 * nibble.c - reading nibble integers; see nibble.h.  The reading is a kernel.
 */
#include "common/codec/nibble.h"

#include "common/codec/kernels.h"

bool nibble_decode(slice bytes, uint64_t *at, uint32_t n, uint32_t *out)
{
    return kernels_get()->nibble_decode(bytes, at, n, out);
}

bool nibble_rising(slice bytes, uint64_t *at, uint32_t n, uint32_t *out)
{
    return kernels_get()->nibble_rising(bytes, at, n, out);
}

bool nibble_skip(slice bytes, uint64_t *at, uint64_t n)
{
    return kernels_get()->nibble_skip(bytes, at, n);
}
