/* SPDX-License-Identifier: MIT
 * gzip.h - streaming inflate of gzip input (RFC 1952), one member after the other.
 *
 * Takes compressed bytes, gives plain bytes.  Guards against bombs: beyond 1 MiB of output,
 * output may be at most 200 times the input.  A truncated member, a wrong CRC or length, and
 * bytes behind the last member that are not a member are PM_IO; zero padding there is allowed.
 */
#ifndef PM_BASE_GZIP_H
#define PM_BASE_GZIP_H

#include "common/base/error.h"

enum { GZIP_FREE_OUTPUT = 1 << 20, GZIP_MAX_RATIO = 200 };

typedef struct gzip gzip;

/* Reads more compressed bytes; *got 0 at their end. */
typedef pm_status (*gzip_read_fn)(void *ctx, void *data, size_t cap, size_t *got, pm_error *err);

/* Owned by the caller: gzip_close.  Messages do not name the file, which whoever reads it does. */
pm_status gzip_open(gzip **out, gzip_read_fn read, void *ctx, pm_error *err);
/* Up to cap bytes (cap >= 1); *got 0 only at the end of the last member. */
pm_status gzip_read(gzip *g, void *data, size_t cap, size_t *got, pm_error *err);
void gzip_close(gzip *g); /* NULL is allowed */

#endif
