/* SPDX-License-Identifier: MIT
 * zmem.h - memory of the libraries that deflate and inflate, through mem.h (INV-3), so that
 * refusals reach it too.  For the one reader and the one writer of zlib streams: store.c and
 * segment_writer_store.c.
 *
 * zlib asks for memory where it is told to.  libdeflate does so for all of a process at once, which
 * is not a library's to decide; so mem.h is asked before it, for as much.
 */
#ifndef PM_SEGMENT_ZMEM_H
#define PM_SEGMENT_ZMEM_H

#define ZLIB_CONST
#include <libdeflate.h>
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

/* What libdeflate 1.14 takes, about; the compressor for level 1. */
enum { ZMEM_COMPRESSOR_BYTES = 256 << 10, ZMEM_DECOMPRESSOR_BYTES = 12 << 10 };

static inline bool zmem_allowed(size_t bytes)
{
    void *asked = mem_alloc(bytes);
    mem_free(asked);
    return asked != NULL;
}

static inline struct libdeflate_compressor *zmem_compressor(int level)
{
    return zmem_allowed(ZMEM_COMPRESSOR_BYTES) ? libdeflate_alloc_compressor(level) : NULL;
}

static inline struct libdeflate_decompressor *zmem_decompressor(void)
{
    return zmem_allowed(ZMEM_DECOMPRESSOR_BYTES) ? libdeflate_alloc_decompressor() : NULL;
}

#endif
