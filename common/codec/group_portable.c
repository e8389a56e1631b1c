/* SPDX-License-Identifier: MIT
 * group_portable.c - the group kernels in plain C: the definition of all others.
 */
#define GROUP_NAME   group_portable
#define GROUP_SELECT bits_select
#include "common/codec/group_template.h"
