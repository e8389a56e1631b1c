/* SPDX-License-Identifier: MIT
 * reseal.h - make every checksum of a segment's bytes right again, after a test changed some:
 * what a crafted file looks like.
 */
#ifndef PM_TESTS_RESEAL_H
#define PM_TESTS_RESEAL_H

#include <stddef.h>
#include <stdint.h>

/* data[len], len at least header and footer.  Returns the footer's crc. */
uint32_t reseal_segment(uint8_t *data, size_t len);

/* A byte of a file (segment or tombstones) changed, its sums right; *crc is for the manifest. */
void reseal_changed(const char *folder, const char *name, uint64_t at, uint8_t mask, uint32_t *crc);

#endif
