/* SPDX-License-Identifier: MIT
 * kernels_portable.c - the kernels in plain C: the definition of all others.
 */
#define KERNELS_NAME kernels_portable
#include "common/codec/kernels_template.h"
