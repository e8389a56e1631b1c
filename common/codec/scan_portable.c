/* SPDX-License-Identifier: MIT
 * scan_portable.c - the scan kernels in plain C: the definition of all others.
 */
#define SCAN_NAME scan_portable
#include "common/codec/scan_template.h"
