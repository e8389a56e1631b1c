/* SPDX-License-Identifier: MIT
 * zmem.h - zlib's memory through mem.h (INV-3), so that refusals reach it too.  For the one
 * reader and the one writer of zlib streams: store.c and segment_writer_store.c.
 */
#ifndef PM_SEGMENT_ZMEM_H
#define PM_SEGMENT_ZMEM_H

#define ZLIB_CONST
#include <zlib.h>

#include "common/base/mem.h"

static inline voidpf zmem_alloc(voidpf ctx, uInt items, uInt size)
{
    (void)ctx;
    size_t bytes;
    return __builtin_mul_overflow((size_t)items, (size_t)size, &bytes) ? NULL : mem_alloc(bytes);
}

static inline void zmem_free(voidpf ctx, voidpf p)
{
    (void)ctx;
    mem_free(p);
}

#endif
