/* SPDX-License-Identifier: MIT
 * sample_manifest.h - a manifest of n made-up segments, for tests of its bytes and its publication.
 */
#ifndef PM_TESTS_SAMPLE_MANIFEST_H
#define PM_TESTS_SAMPLE_MANIFEST_H

#include "common/segment/manifest.h"

/* The i-th segment, named (i + 1)-...seg; every other one has dead documents. */
manifest_segment sample_segment(unsigned i);
/* Owned by the caller (manifest_free).  A failed assertion ends the test. */
manifest sample_manifest(unsigned n_segments, uint64_t generation);

#endif
