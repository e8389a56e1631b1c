/* SPDX-License-Identifier: MIT
 * golden_segments.h - the segments whose bytes are kept in tests/golden.
 *
 *   tiny    two documents, short lists only; the worked example of FORMAT.md
 *   lists   60 documents, block size 8, with a sparse and a dense list
 *   marks   three documents with marks, two of them with a provenance
 */
#ifndef PM_TESTS_GOLDEN_SEGMENTS_H
#define PM_TESTS_GOLDEN_SEGMENTS_H

#include "indexer/segment_writer.h"

extern const uint8_t golden_uuid[16];
pm_status golden_tiny(const dir *d, const char *name, manifest_segment *out, pm_error *err);
pm_status golden_lists(const dir *d, const char *name, manifest_segment *out, pm_error *err);
pm_status golden_marks(const dir *d, const char *name, manifest_segment *out, pm_error *err);

#endif
