/* SPDX-License-Identifier: MIT
 * segment_writer_store.h - whether stored records are deflated beside the writer.
 */
#ifndef PM_INDEXER_SEGMENT_WRITER_STORE_H
#define PM_INDEXER_SEGMENT_WRITER_STORE_H

#include "indexer/segment_writer.h"

/* From its first full block on, a thread of its own deflates the records of this segment.  The
 * bytes are the same.  Where a thread cannot be had, the caller goes on alone. */
void segment_writer_deflate_beside(segment_writer *w);

#endif
